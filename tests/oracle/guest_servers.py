"""CBS in the guest, as docs/servers.md S7 says."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rtvirt.system.devices import is_kernel


def has_quantum(task: Any) -> bool:
    """Is its work cut into pieces: by turns, or by its server?"""
    if is_kernel(task.spec):
        return False                                                                     # io-model.md 1.2
    return task.vm.spec.guest == "rr" or (task.vm.spec.guest == "cbs" and task.spec.budget is not None)


def served_urgency(task: Any, at: int, woke: bool) -> int:
    """S7.1 to S7.3; the budget left is the task's quantum."""
    spec = task.spec
    if spec.budget is None:
        return 2**62 if spec.deadline is None else task.queue[0].arrival + spec.deadline
    period = spec.server_period or spec.period
    while task.quantum_left <= 0:
        task.quantum_left, task.due = task.quantum_left + spec.budget, task.due + period
    if woke and Fraction(task.quantum_left, spec.budget) >= Fraction(task.due - at, period):
        task.quantum_left, task.due = spec.budget, at + period
    return task.due
