"""Two-stage translation: why page size, not trapping, is what memory costs under a hypervisor.

A guest's page tables hold guest-physical addresses, and each of these must be translated by the hypervisor's tables. A TLB keeps whole
translations, so only a miss notices: its walk reads more, and how often it comes depends on the smaller of the two page sizes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from .checks import numbers, whole_number

KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30
PAGES = {4 * KiB: 0, 2 * MiB: 1, GiB: 2}       # size: levels of the walk that it saves
PATTERNS = ("random", "cyclic")


def levels(page: int, *, bits: int = 48) -> int:
    """Tables that a walk reads: 9 bits of the address each, above pages of 4 KiB; large pages end it earlier.

    Parameters
    ----------
    page : int [bytes]
        4 KiB, 2 MiB or 1 GiB.
    bits : int
        Of an address: 48 on x86-64 and large ARM systems, 39 on small ones.

    Examples
    --------
    >>> levels(4 * KiB), levels(2 * MiB), levels(4 * KiB, bits=39)
    (4, 3, 3)
    """
    if page not in PAGES:
        raise SpecError([Problem("page", page, "4 KiB, 2 MiB or 1 GiB (in bytes)", "choose one of these")])
    whole_number("bits", bits, 21, 57)
    return max(1, -(-(bits - 12) // 9) - PAGES[page])


def walk_accesses(guest_levels: int, host_levels: int = 0) -> int:
    """Memory accesses of a walk: each guest table, and the result, is itself translated.

    ``(g + 1)(h + 1) − 1``: 4 without virtualization, 24 with four levels in both stages (Bhargava et al., Accelerating two-dimensional page
    walks for virtualized systems, ASPLOS 2008). Walk caches, which save most of them, are left out: this is the worst case.

    Examples
    --------
    >>> walk_accesses(4), walk_accesses(4, 4), walk_accesses(4, 3)
    (4, 24, 19)
    """
    for name, value in (("guest_levels", guest_levels), ("host_levels", host_levels)):
        whole_number(name, value, 0, 6)
    return (guest_levels + 1) * (host_levels + 1) - 1


@dataclass(frozen=True)
class Tlb:
    """A TLB in front of one or two stages of page tables.

    Parameters
    ----------
    entries : int
        Translations that it keeps (512 in a Cortex-A53's main TLB).
    guest_page : int [bytes]
        Page size of the guest.
    host_page : int [bytes], optional
        Page size of the hypervisor's tables; without it there is no second stage.
    bits : int
        Width of an address, in both stages.
    access : int [cycles]
        Of one access of a walk.

    Notes
    -----
    Least recently used, fully associative. Left out: walk caches, first-level TLBs, sets, prefetching, and what other VMs evict.

    Examples
    --------
    >>> small, large = Tlb(512, host_page=4 * KiB, bits=39), Tlb(512, host_page=2 * MiB, bits=39)
    >>> small.reach // MiB, large.reach // MiB, small.walk, large.walk     # the guest's 4 KiB pages limit both
    (2, 2, 15, 11)
    >>> Tlb(512, guest_page=2 * MiB, host_page=2 * MiB).reach // MiB
    1024
    """

    entries: int
    guest_page: int = 4 * KiB
    host_page: int | None = None
    bits: int = 48
    access: int = 20

    def __post_init__(self) -> None:
        whole_number("Tlb.entries", self.entries, 1, 1 << 20)
        whole_number("Tlb.access", self.access, 0, 10_000)
        levels(self.guest_page, bits=self.bits)
        if self.host_page is not None:
            levels(self.host_page, bits=self.bits)

    @property
    def page(self) -> int:
        """What one entry covers [bytes]: the smaller of the two pages, since both must map it as one piece."""
        return min(self.guest_page, self.host_page or self.guest_page)

    @property
    def reach(self) -> int:
        """Memory that it covers [bytes]."""
        return self.entries * self.page

    @property
    def walk(self) -> int:
        """Accesses of one miss."""
        return walk_accesses(levels(self.guest_page, bits=self.bits), 0 if self.host_page is None else levels(self.host_page, bits=self.bits))

    def miss_ratio(self, working_set: Any, *, pattern: str = "random") -> Any:
        """Misses an access, in the long run: float, or array for an array of working sets [bytes].

        Random accesses hit with the share of pages that is kept; a cycle through more pages than there are entries always misses (the least
        recently used page is the next one needed).

        Examples
        --------
        >>> Tlb(512).miss_ratio([MiB, 4 * MiB]).tolist(), Tlb(512).miss_ratio(4 * MiB, pattern="cyclic")
        ([0.0, 0.5], 1.0)
        """
        known_pattern(pattern)
        pages = np.maximum(1, np.ceil(numbers("working_set", working_set, high=2.0**57) / self.page))
        ratio = np.maximum(0.0, 1 - self.entries / pages) if pattern == "random" else np.where(pages > self.entries, 1.0, 0.0)
        return ratio if ratio.ndim else float(ratio)

    def cycles(self, working_set: Any, *, pattern: str = "random") -> Any:
        """Cycles of translation that an access costs on average."""
        return self.miss_ratio(working_set, pattern=pattern) * (self.walk * self.access)

    def inflation(self, working_set: Any, *, density: float, pattern: str = "random") -> Any:
        """By what factor a program takes longer than the same with one stage of the same guest pages.

        Parameters
        ----------
        working_set : int or array [bytes]
        density : float
            Memory accesses a cycle of the program's own work (0 to 1).

        Examples
        --------
        >>> round(Tlb(512, host_page=4 * KiB).inflation(4 * MiB, density=0.01), 3)       # 50 % misses, 24 accesses instead of 4
        2.429
        """
        numbers("density", density, high=1)
        native = Tlb(self.entries, self.guest_page, bits=self.bits, access=self.access).cycles(working_set, pattern=pattern)
        return (1 + density * self.cycles(working_set, pattern=pattern)) / (1 + density * native)

    def misses(self, addresses: Iterable[int]) -> int:
        """Count the misses of these addresses, one by one: what `miss_ratio` is held against."""
        kept: OrderedDict[int, None] = OrderedDict()
        missed = 0
        for address in addresses:
            page = int(address) // self.page
            if page in kept:
                kept.move_to_end(page)
                continue
            missed += 1
            kept[page] = None
            if len(kept) > self.entries:
                kept.popitem(last=False)
        return missed


def known_pattern(pattern: str) -> None:
    """Refuse a pattern of accesses that nobody knows."""
    if pattern not in PATTERNS:
        raise SpecError([Problem("pattern", pattern, ", ".join(PATTERNS), "choose one of these")])
