"""Contracts that only Xen's first schedulers, SEDF and BVT, know (docs/xen-rules.md 4)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from ..errors import Problem
from .spec import Duration, Spec, Time, know_fields, within, wrong

VIRTUAL = 2**31 - 1       # most that a virtual time is moved by

Flag = Annotated[bool, Field(strict=True)]
Weight = Annotated[int, BeforeValidator(within(1, 65535)), Field(ge=1, le=65535)]
Advance = Annotated[int, BeforeValidator(within(1, 1_000_000)), Field(ge=1, le=1_000_000)]
WarpValue = Annotated[int, BeforeValidator(within(0, VIRTUAL)), Field(ge=0, le=VIRTUAL)]


class Contract(Spec):
    """A contract, written as a dict."""

    def __repr__(self) -> str:
        return repr({name: value for name, value in self if value != type(self).model_fields[name].default})

    __str__ = __repr__


class SedfContract(Contract):
    """What SEDF grants each vCPU of a VM (4.2.4).

    Parameters
    ----------
    period, slice : int [ns], optional
        Guaranteed time in every period: 10 us to 10 s, and 5 us to the period.
    latency : int [ns]
        A hint that Xen stores and does not look at (4.2.4).
    extratime : bool
        It may use time that nobody has a claim on.
    weight : int, 1 to 65535, optional
        With extratime and without a period: best effort, a share of the extra time. Otherwise a share of what the time-driven leave of 95 ms in
        100 ms; period and slice are then not looked at.

    Raises
    ------
    SpecError
        Neither a weight nor period and slice; or values that Xen would refuse.
    """

    period: Duration | None = None
    slice: Duration | None = None
    latency: Time = 0
    extratime: Flag = False
    weight: Weight | None = None

    @model_validator(mode="after")
    def check(self) -> SedfContract:
        """Ranges, and which go together."""
        found = [Problem(name, None, "period and slice, or a weight", "give them") for name in ("period", "slice")
                   if self.weight is None and getattr(self, name) is None]
        if not found and self.period is not None and self.slice is not None:
            from ..schedulers.sedf_contracts import guarantee_problems  # here: it brings the compiler with it

            found = guarantee_problems(self.period, self.slice, "slice")
        wrong(found)
        return self


class BvtContract(Contract):
    """What BVT knows of a VM (4.1).

    Parameters
    ----------
    mcu_advance : int
        Virtual time that 100 us of running cost: the *inverse* of a weight (4.1.2).
    warp : bool
        Its effective virtual time is earlier than its actual one, so that it goes first.
    warp_value : int
        By so much, in virtual time.
    warp_limit : int [ns]
        How long after a dispatch it goes on warping (Xen: warpl); 0: for ever.
    unwarp : int [ns]
        How long it then may not warp (Xen: warpu); 0: never again.

    Raises
    ------
    SpecError
        With every mistake found.
    """

    mcu_advance: Advance = 10
    warp: Flag = False
    warp_value: WarpValue = 0
    warp_limit: Time = 2_000_000_000
    unwarp: Time = 1_000_000_000


know_fields(SedfContract, BvtContract)
