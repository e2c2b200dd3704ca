"""Forced agreement: how many of a real Xen's decisions our scheduler names."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Problem, SpecError
from .opening import UNSCORED, Opening
from .steps import books_of, steps_of, with_clocks
from .walk import Walk

if TYPE_CHECKING:
    from .window import Window

TAIL = 200_000_000               # [ns] at the window's end that is not scored


@dataclass(frozen=True)
class Forced:
    """Result of `forced_agreement`.

    Attributes
    ----------
    switches, agreed : int
        Scored switches, and those at which the model named the vCPU that really ran next.
    boosts, boosts_agreed : int
        Scored wake-ups, and those at which model and trace agree whether a boost started.
    books, books_agreed : int
        Changes at accountings in model or trace (off the active list, parked, unparked), and those on which they agree.
    disagreements : list of (time [ns], named, real)
        VM names.
    """

    switches: int
    agreed: int
    boosts: int
    boosts_agreed: int
    books: int
    books_agreed: int
    disagreements: list[tuple[int, str, str]]

    @property
    def agreement(self) -> float:
        """Share of switches named right."""
        return self.agreed / self.switches if self.switches else 1.0


def forced_agreement(window: Window, opening: Opening | None = None) -> Forced:
    """Walk through a window's decisions with the model's scheduler.

    The model names the next vCPU at every switch, who is boosted, who leaves the active list and who is parked, from credits,
    priorities and queues of its own; then the trace's choice is imposed.

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
    steps = with_clocks(steps_of(window), opening.ticks, opening.accountings)
    score = Walk(window, opening).go(steps, books_of(window, opening.accountings), UNSCORED, window.duration - TAIL)
    return Forced(**vars(score))


def spells(disagreements: list[tuple[int, str, str]], gap: int = 100_000_000) -> list[tuple[int, int, int]]:
    """Disagreements grouped into spells: (first, last [ns], how many); for finding out why, event by event."""
    if not disagreements:
        return []
    times = np.array([at for at, _, _ in disagreements])
    cuts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(times)) if b - a > gap), len(times)]
    return [(int(times[a]), int(times[b - 1]), b - a) for a, b in pairwise(cuts)]
