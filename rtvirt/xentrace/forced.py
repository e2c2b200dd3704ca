"""Forced agreement: how many of a real Xen's decisions our scheduler names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem, SpecError
from .opening import UNSCORED, Opening
from .steps import books_of, steps_of, with_clocks
from .walk import Forced, Walk

if TYPE_CHECKING:
    from .window import Window

TAIL = 200_000_000               # [ns] at the window's end that is not scored


def forced_agreement(window: Window, opening: Opening | None = None) -> Forced:
    """Walk through a window's decisions with the model's scheduler.

    The model names the next vCPU at every switch, who is boosted, who leaves the active list and who is parked, from credits,
    priorities and queues of its own; then the trace's choice is imposed, and what it says about a credit that was nearly 0 (`ties`).

    Parameters
    ----------
    window : Window
        Of one pCPU.
    opening : Opening, optional
        Where the walk starts; by default `Window.opening`, fitted on the unscored first 2.5 s.
    """
    if window.cpus != 1:
        raise SpecError([Problem("window", window.name, "a window of one pCPU", "choose another window", "")])
    opening = opening or window.opening
    scored_to = last_scored(window)
    steps = with_clocks(steps_of(window), opening.ticks, opening.accountings)
    return Walk(window, opening).go(steps, books_of(window, opening.accountings), UNSCORED, scored_to)


def last_scored(window: Window) -> int:
    """Where scoring ends [ns]; SpecError for a window too short to have a scored part."""
    end = window.duration - TAIL
    if end <= UNSCORED:
        raise SpecError([Problem("window", f"{window.duration / 1e9:.2f} s", f"longer than {(UNSCORED + TAIL) / 1e9:g} s", (
            f"record longer: the first {UNSCORED / 1e9:g} s serve to find the opening state, the last {TAIL / 1e9:g} s are left out"), window.name)])
    return end
