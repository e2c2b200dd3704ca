"""A supply in the form that kernels read: a staircase with slopes that repeats, and what more important work takes away.

The least supply in a window of length t is a broken line through *corners* ``(at, work, slope)``, given on ``[0, start + period)``; from
`start` on it repeats, `gain` higher every `period`. Slopes are in `unit`-ths of a pCPU: 1 for all supplies but those with a rate, whose value is
rounded down. `inverse` is the smallest window that holds so much work: the pseudo-inverse of the same line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..jit import kernel, seldom
from .limits import FUEL, NEVER, SAFE, TOO_LARGE, compiled
from .requests import Rows, make_rows, requests

Corners = list[tuple[int, int, int]]                     # (at [ns], work [ns], slope from there on)
CORNERS, START, PERIOD, GAIN, UNIT, LESS = range(6)      # places in Pattern.form; LESS: rows of `less`


class Pattern(NamedTuple):
    """Arrays of one supply."""

    form: np.ndarray          # (6,) int64: corners (0: a dedicated pCPU), start, period, gain, unit, rows of `less`
    at: np.ndarray            # (corners,) int64 [ns]
    work: np.ndarray          # (corners,) int64 [ns]
    slope: np.ndarray         # (corners,) int64 [1/unit]
    less: Rows                # releases of more important work on the same pCPU


def make_pattern(corners: Corners, start: int, period: int, gain: int, unit: int = 1, less: Rows | None = None) -> Pattern:
    """Put corners into arrays; no corners mean a dedicated pCPU."""
    table = np.array(corners or [(0, 0, 1)], np.int64)
    less = make_rows([], [], []) if less is None else less
    form = np.array([len(corners), start, period, gain, unit, len(less.cost)], np.int64)
    return Pattern(form, *(np.ascontiguousarray(table[:, k]) for k in range(3)), less)


@kernel
def scaled(x, numerator, denominator, up):
    """x·numerator / denominator, rounded down or up, for 0 <= x, numerator < 2^62 and a result below 2^62: digit by digit if it is large."""
    if float(x) * float(numerator) < SAFE:
        return (x * numerator + (denominator - 1 if up else 0)) // denominator
    whole, rest = numerator // denominator, numerator % denominator
    quotient, remainder = 0, 0
    for digit in range(61, -1, -1):                      # x is read from the top; x·rest = quotient·denominator + remainder throughout
        quotient, remainder = 2 * quotient, 2 * remainder
        if remainder >= denominator:
            quotient, remainder = quotient + 1, remainder - denominator
        if (x >> digit) & 1:
            remainder += rest
            if remainder >= denominator:
                quotient, remainder = quotient + 1, remainder - denominator
    return quotient + whole * x + (1 if up and remainder > 0 else 0)


@kernel
def supplied(sup, t):
    """Least work that a window of length `t` [ns] receives; TOO_LARGE if it is beyond 2^62. (Releases of `less` are not looked at.)"""
    form = sup.form
    if t <= 0:
        return 0
    if form[CORNERS] == 0:
        return t
    turns, end = 0, form[START] + form[PERIOD]
    if t >= end:
        turns = (t - form[START]) // form[PERIOD]
        if float(turns) * float(form[GAIN]) > SAFE:
            return TOO_LARGE
        t -= turns * form[PERIOD]
    low, high = 0, form[CORNERS]                         # the last corner that is not after t
    while high - low > 1:
        middle = (low + high) >> 1
        if sup.at[middle] <= t:
            low = middle
        else:
            high = middle
    return turns * form[GAIN] + sup.work[low] + scaled(t - sup.at[low], sup.slope[low], form[UNIT], False)


@kernel
@seldom
def lookup(sup, work):
    """Length of the smallest window that surely receives `work` from the pattern; NEVER if none up to 2^61 does."""
    form = sup.form
    if work <= 0:
        return 0
    if form[CORNERS] == 0:
        return work
    turns, top = 0, sup.work[form[CORNERS] - 1] + scaled(form[START] + form[PERIOD] - sup.at[form[CORNERS] - 1],
                                                        sup.slope[form[CORNERS] - 1], form[UNIT], False)
    if work > top:
        if form[GAIN] <= 0:
            return NEVER
        turns = (work - top + form[GAIN] - 1) // form[GAIN]
        if float(turns + 2) * float(form[PERIOD]) > SAFE:
            return NEVER
        work -= turns * form[GAIN]
    low, high = 0, form[CORNERS]                         # the last corner that holds less than `work`
    while high - low > 1:
        middle = (low + high) >> 1
        if sup.work[middle] < work:
            low = middle
        else:
            high = middle
    return turns * form[PERIOD] + sup.at[low] + scaled(work - sup.work[low], form[UNIT], sup.slope[low], True)


@kernel
def needed(sup, work):
    """Length of the smallest window that surely receives `work`, after what is more important was served.

    Without more important work this is `lookup`; with it, the smallest t = lookup(work + their releases in t): a response time. NEVER if there is
    none up to 2^61, NEVER + 1 if it takes too many steps.
    """
    if work <= 0:
        return 0
    if sup.form[CORNERS] + sup.form[LESS] == 0:          # a dedicated pCPU
        return work
    t = lookup(sup, work)
    if sup.form[LESS] == 0:
        return t
    for _ in range(FUEL):
        if t > NEVER // 2:
            return NEVER
        later = lookup(sup, work + requests(sup.less, sup.form[LESS], t))
        if later <= t:
            return t
        t = later
    return NEVER + 1


def _supply(sup, t, out):                                # type: ignore[no-untyped-def]
    """supply bound of each `t` into `out`; with more important work, the largest amount whose window is not longer than t."""
    for k in range(len(t)):
        out[k] = supplied(sup, t[k])
        if sup.form[LESS] > 0 and out[k] > 0:
            low, high = 0, out[k] + 1                    # needed(low) <= t < needed(high)
            while high - low > 1:
                middle = (low + high) >> 1
                if needed(sup, middle) <= t[k]:
                    low = middle
                else:
                    high = middle
            out[k] = low


def _inverse(sup, work, out):                            # type: ignore[no-untyped-def]
    """`needed` of each amount of work into `out`."""
    for k in range(len(work)):
        out[k] = needed(sup, work[k])


supply_of = compiled(_supply)
inverse_of = compiled(_inverse)


def lower_envelope(lines: list[Corners], end: int, last: int) -> Corners:
    """Corners of the least of several broken lines on the integers of [0, end); each line begins at 0, its slopes are whole; `last` at `end`.

    Between two cuts all lines are straight. Where a flatter one dives below the least one between two integers, the step from the one
    integer to the next becomes a piece of its own.
    """
    cuts = sorted({at for line in lines for at, _, _ in line if at < end}) + [end]
    found: Corners = []
    places = [0] * len(lines)
    for left, right in zip(cuts, cuts[1:], strict=False):
        straight = []
        for k, line in enumerate(lines):
            while places[k] + 1 < len(line) and line[places[k] + 1][0] <= left:
                places[k] += 1
            at, work, slope = line[places[k]]
            straight.append((work + slope * (left - at), slope))
        now = left
        value, slope = min(straight)
        while True:
            add_corner(found, now, value, slope)
            dives = [(work + (now - left) * flat - value) // (slope - flat) + 1 for work, flat in straight if flat < slope]
            if not dives or now + min(dives) >= right:
                break
            now += min(dives)
            before = value + slope * (min(dives) - 1)
            value, slope = min((work + (now - left) * flat, flat) for work, flat in straight)
            add_corner(found, now - 1, before, value - before)
    at, work, slope = found[-1]
    if work + slope * (end - at) > last:                 # a dive at the very end
        before = work + slope * (end - 1 - at)
        add_corner(found, end - 1, before, last - before)
    return found


def add_corner(corners: Corners, at: int, work: int, slope: int) -> None:
    """Append a corner, unless the line goes straight on there; the later of two at one place holds."""
    if corners and corners[-1][0] == at:
        corners.pop()
    if not corners or corners[-1][2] != slope or corners[-1][1] + slope * (at - corners[-1][0]) != work:
        corners.append((at, work, slope))
