"""Trying boards: what would be wrong if a VM came, and is not wrong already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ..analysis.admission import Admission
from ..errors import LimitError, SpecError
from .board import Board
from .check import check
from .check_contracts import bound_findings, sum_findings
from .finding import Finding, Findings
from .interface import VmInterface
from .settling import cautious


@dataclass(frozen=True)
class Trial:
    """A board, and a VM that is to come, or to come back to what it was."""

    before: Board
    vm: VmInterface
    admissions: dict[int, tuple[Board, Admission]] = field(default_factory=dict, repr=False)

    @property
    def asked(self) -> Board:
        """The board as it would be."""
        return self.with_vm(self.vm)

    def with_vm(self, vm: VmInterface) -> Board:
        """The board with some form of the VM."""
        return self.before.with_vm(vm)

    def degraded(self, modes: dict[str, str]) -> Board:
        """The board as it would be, with others in such modes."""
        return self.asked.replace(vms=[vm.at(modes[vm.name]) if vm.name in modes else vm for vm in self.asked.vms])

    def without(self, names: Iterable[str]) -> Board:
        """The board as it would be, without some."""
        return self.asked.replace(vms=[vm for vm in self.asked.vms if vm.name not in names])

    @cached_property
    def known(self) -> frozenset[tuple[str, str]]:
        """What is wrong already."""
        return frozenset((finding.rule, finding.place) for finding in check(self.before))

    def admission(self, board: Board) -> Admission:
        """The verdict on a board to which the VM came late."""
        if id(board) not in self.admissions:
            self.admissions[id(board)] = board, cautious(board, [self.vm.name])
        return self.admissions[id(board)][1]

    def findings(self, board: Board) -> Findings:
        """What would be wrong, and is not already: as `check` says, with a VM that may have saved its budget up when it comes."""
        found = list(check(board))
        if not {finding.rule for finding in found} & {"system", "contract-kind", "contract-sum", "contract-slots", "affinity"}:
            found += late_findings(board, self.admission(board)) if board.vms else []
        places: dict[tuple[str, str], Finding] = {}
        for finding in found:
            places.setdefault((finding.rule, finding.place), finding)
        return Findings(self.new(places.values()))

    def new(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Those that are not there already."""
        return (finding for finding in findings if (finding.rule, finding.place) not in self.known)

    def fits(self, board: Board) -> bool:
        """True if nothing would be wrong that is not already."""
        return not any(self.new(sum_findings(board))) and not self.findings(board)


def late_findings(board: Board, verdict: Admission) -> list[Finding]:
    """Wake-up bounds and deadlines by such a verdict."""
    try:
        return [finding for vm in board.vms for finding in bound_findings(vm, verdict)]
    except (SpecError, LimitError):
        return []

