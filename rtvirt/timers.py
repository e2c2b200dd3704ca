"""The clockwork: which timer is due next.

Every timer of the model has a fixed slot. Slots are laid out in the order in which simultaneous events happen
(docs/model.md 1.2), so the earliest timer, ties included, is the winner of a knock-out tournament in which the left player
wins a draw. Setting a timer replays the matches on its way to the final: log2(slots) comparisons, no allocation, and the
same order on every machine.
"""

from __future__ import annotations

from typing import Any

from .jit import kernel
from .rows import Many, Row, Struct, put

NEVER = 2**63 - 1
"""Expiry of a timer that is not armed `int [ns]`."""


MAX_TIMERS = 8192


class Bracket(Row):
    """How many slots take part: a power of two."""

    slots: int


class Timers(Struct):
    """Slots and tournament."""

    bracket = Bracket
    at = Many(int, MAX_TIMERS)          # expiry of each timer [ns], NEVER if not armed
    winner = Many(int, MAX_TIMERS)      # slot that wins each match; match 1 is the final, match n plays winners of 2n and 2n + 1


def tournament_size(count: int) -> int:
    """Slots for at least `count` timers."""
    slots = 2
    while slots < count:
        slots *= 2
    return slots


def reset_timers(timers: Any, slots: int) -> None:
    """A tournament of `slots` timers, none armed: every match is a draw, so the leftmost slot wins it."""
    timers.bracket.slots = slots
    put(timers.at, NEVER, slots)
    winners, step = [0], slots                       # match 0 is not played
    while step > 1:
        winners += range(0, slots, step)
        step //= 2
    put(timers.winner, winners, slots)


@kernel
def set_timer(timers, slot, at):
    """Arm, move or (with NEVER) disarm the timer of a slot. Who wins so far is kept, with its time; a rival costs one look."""
    if timers.at[slot] == at:
        return
    timers.at[slot] = at
    winner, rival, match = slot, slot ^ 1, slot + timers.bracket.slots
    while True:
        theirs = timers.at[rival]
        if theirs - (match & 1) < at:                             # from the right (an odd match) a draw is lost
            winner, at = rival, theirs
        match >>= 1
        timers.winner[match] = winner
        if match == 1:
            return
        rival = timers.winner[match ^ 1]


@kernel
def set_alarm(timers, slot, at):
    """The same for a tournament of many, where the processor would guess wrong who wins: it computes, and has nothing to guess."""
    if timers.at[slot] == at:
        return
    timers.at[slot] = at
    winner, rival, match = slot, slot ^ 1, slot + timers.bracket.slots
    while True:
        theirs = timers.at[rival]
        winner = rival if theirs - (match & 1) < at else winner
        at = min(at, theirs)
        match >>= 1
        timers.winner[match] = winner
        if match == 1:
            return
        rival = timers.winner[match ^ 1]


@kernel
def first_timer(timers):
    """Slot of the timer that is due first."""
    return timers.winner[1]
