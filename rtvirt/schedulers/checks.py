"""Checks of scheduler parameters: what is wrong, what is allowed, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import Problem, SpecError
from ..units import format_ns


def check_version(scheduler: str, version: str, allowed: Sequence[str]) -> None:
    """Refuse a Xen version whose rules the scheduler does not have."""
    check_choice(f"{scheduler}.xen", version, allowed)


def check_choice(field: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse what is not one of a few words."""
    if value not in allowed:
        listed = ", ".join(repr(name) for name in allowed)
        raise SpecError([Problem(field, value, f"one of {listed}", f"choose one of {listed}", "")])


def check_time(field: str, value: object, low: int, high: int, *, multiple: int = 1, zero: bool = False, why: str = "") -> None:
    """Refuse a time that is not an integer of ns within [low, high] (or 0, when `zero`), or not a multiple."""
    allowed = f"{format_ns(low)} to {format_ns(high)}" if low != high else format_ns(low)
    if zero:
        allowed = f"0 or {allowed}"
    if multiple > 1:
        allowed += f", in steps of {format_ns(multiple)}"
    if why:
        allowed += f" ({why})"
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and ((zero and value == 0) or (low <= value <= high and value % multiple == 0)):
        return
    fix = "give integer nanoseconds, for example ms(5)" if not whole else f"choose {allowed}"
    raise SpecError([Problem(field, value, allowed, fix, "")])
