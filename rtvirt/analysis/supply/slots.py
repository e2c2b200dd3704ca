"""Slots at fixed places of a frame that repeats: TDMA, ARINC 653."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ...errors import Problem, SpecError
from ...units import LONGEST
from ..pattern import Corners, Pattern, add_corner, lower_envelope, make_pattern
from .base import Supply, check_times


@dataclass(frozen=True)
class SlotTable(Supply):
    """Slots at fixed places of a frame.

    Parameters
    ----------
    slots : sequence of (start, length) [ns]
        Within the frame, none overlapping; in any order.
    frame : int [ns]

    Notes
    -----
    Convention: the window begins at the worst instant, so an arrival *just misses its slot*, and a slot that begins when the window ends
    gives nothing. With one slot of length s in a frame M the wait is M − s (docs/xen-rules.md 7.1.5). The worst window begins where some
    slot ends; which slot may depend on the window's length. ``sbf`` is the least over all of them.

    References
    ----------
    Feng and Mok, A model of hierarchical real-time virtual resources, RTSS 2002, section 2 (static partitions); Tindell and Clark, Holistic
    schedulability analysis, 1994 (TDMA).

    Examples
    --------
    >>> two = SlotTable([(0, 2), (5, 1)], 10)
    >>> two.sbf([3, 4, 5, 6, 7, 9, 10]).tolist()
    [0, 0, 1, 1, 1, 2, 3]
    """

    slots: tuple[tuple[int, int], ...]
    frame: int

    def __post_init__(self) -> None:
        check_times("SlotTable", frame=(self.frame, 1, LONGEST, ""))
        try:
            slots = sorted((start, length) for start, length in self.slots)
        except (TypeError, ValueError):
            raise SpecError([Problem("SlotTable.slots", self.slots, "pairs (start, length)", "write for example [(0, ms(2)), (ms(5), ms(1))]")]) \
                from None
        end = 0
        for k, (start, length) in enumerate(slots):
            check_times(f"SlotTable.slots[{k}]", start=(start, 0, self.frame, "the frame"))
            check_times(f"SlotTable.slots[{k}]", length=(length, 0, self.frame - start, "the rest of the frame"))
            if start < end:
                raise SpecError([Problem(f"SlotTable.slots[{k}].start", start, f"at least {end}, where the slot before it ends",
                                         "slots must not overlap")])
            end = start + length
        object.__setattr__(self, "slots", tuple((int(start), int(length)) for start, length in slots if length))

    @cached_property
    def pattern(self) -> Pattern:
        """The least of the supplies seen from the end of each slot."""
        total = sum(length for _, length in self.slots)
        lines = [self.seen_from(start + length) for start, length in self.slots] or [[(0, 0, 0)]]
        return make_pattern(lower_envelope(lines, self.frame, total), 0, self.frame, total)

    def seen_from(self, origin: int) -> Corners:
        """Supply in a window that begins at `origin`, up to one frame."""
        pieces = sorted(((start - origin) % self.frame, length) for start, length in self.slots)
        corners: Corners = [(0, 0, 0)]
        got = 0
        for at, length in pieces:
            add_corner(corners, at, got, 1)
            got += length
            add_corner(corners, at + length, got, 0)
        return [c for c in corners if c[0] < self.frame]

    @property
    def interference(self) -> list[tuple[int, int, int]]:
        """Each slot, once a frame. (Where the slots lie among each other is left out: safe.)"""
        return [(length, self.frame, 0) for _, length in self.slots]
