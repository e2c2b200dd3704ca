"""What BVT surely gives a vCPU: its share, late by what others may be ahead in virtual time (docs/shares.md; docs/xen-rules.md 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .base import check_times
from .lag import LagShare

MCU = 100_000             # minimum charging unit [ns] (4.1.1)
ALONE = 10                # a lone vCPU's slice, in context-switch allowances (4.1.6)
GRAIN = 1000              # paces are rounded to a thousandth of the least


@dataclass(frozen=True)
class BVTShare(LagShare):
    """A vCPU's share under BVT on its pCPU, as long as no other wakes up.

    Parameters
    ----------
    advance : int
        Its mcu_advance.
    others : tuple of (mcu_advance, warp_value)
        Of all other vCPUs that may be on its pCPU; the warp is 0 for those that do not warp.
    warp : int
        Its own warp_value.
    ctx_allow : int [ns]
    units : {"faithful", "intended"}

    Notes
    -----
    Holds in every window in which it is runnable and does not yield. Each wake-up of another takes at most `wake` from it besides, because a stint
    cut short is charged a whole MCU (4.1.4, 4.1.7): `ProportionalShare` adds that. Nobody migrates (4.1.2). A warp is no more than a
    head start of warp_value, with or without a limit.

    References
    ----------
    docs/shares.md; Duda and Cheriton, Borrowed-virtual-time (BVT) scheduling, SOSP 1999.

    Examples
    --------
    Against one of the same mcu_advance, which may have run 50 ms while it was alone:

    >>> share = BVTShare(10, ((10, 0),), units="intended")
    >>> share.rate, int(share.delay), share.wake
    (Fraction(1, 2), 60000000, 50000)
    """

    advance: int
    others: tuple[tuple[int, int], ...]
    warp: int = 0
    ctx_allow: int = 5_000_000
    units: str = "faithful"

    def __post_init__(self) -> None:
        for number, head_start in ((self.advance, self.warp), *self.others):
            check_times("BVTShare", mcu_advance=(number, 1, 2**31, ""), warp=(head_start, 0, 2**40, ""))
        check_times("BVTShare", ctx_allow=(self.ctx_allow, 10_000, 1_000_000_000, "allowances of BVT"))

    @cached_property
    def allowance(self) -> int:
        """The context-switch allowance in units that are charged."""
        return -(-self.ctx_allow // MCU)

    def ahead(self, advance: int, warp: int) -> int:
        """How far it may be ahead of the system virtual time while it waits: by a slice alone, or by a warp and an allowance."""
        return max(-(-ALONE * self.ctx_allow // MCU) * advance, self.allowance * advance + warp)

    @cached_property
    def lag(self) -> int:                                                                          # type: ignore[override]
        """Its debt: it ran until it was an allowance and its warp ahead of the next, who was ahead itself."""
        if not self.others:
            return 0
        next_one = max(self.ahead(*other) for other in self.others)
        most = next_one + self.warp + self.allowance * self.advance
        if self.units == "faithful":                   # a lead is worth but so many ns
            slice_ = self.ctx_allow + (next_one + self.warp) // self.advance
            most = min(most, self.warp + -(-slice_ // MCU) * self.advance)
        return max(most, self.ahead(self.advance, 0))

    @cached_property
    def scale(self) -> int:
        """What paces are divided by."""
        return GRAIN * max(self.advance, *(advance for advance, _ in self.others), 1)

    @cached_property
    def unit(self) -> tuple[int, int]:                                                             # type: ignore[override]
        """Paces in MCU / scale."""
        return MCU, self.scale

    @cached_property
    def own(self) -> int:                                                                          # type: ignore[override]
        """Its pace: what a slice costs at most for each ns of it, since its last MCU may not be whole."""
        charged = self.ctx_allow + MCU if self.units == "faithful" else self.allowance * MCU
        return self.scale * self.ctx_allow // (self.advance * charged)

    @cached_property
    def rivals(self) -> tuple[tuple[int, int], ...]:                                               # type: ignore[override]
        """Who is an allowance and its warp ahead of this one, at most."""
        return tuple((-(-self.scale // advance), self.allowance * MCU - (-warp * MCU // advance)) for advance, warp in self.others)

    @cached_property
    def wake(self) -> int:
        """What a wake-up of another takes from it [ns]."""
        return MCU - int(MCU * self.rate)
