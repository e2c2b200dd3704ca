"""Constant bandwidth servers in the guest (docs/servers.md S7): EDF, and a task that has a budget is as urgent as its server's deadline.

So a task that nobody can trust with a deadline of its own, as one with random arrivals or execution times, takes its bandwidth and no more,
and those that can be trusted meet theirs.
"""

from ..jit import kernel
from ..state import FOREVER, READY
from . import edf


@kernel
def urgency(st, t, now):
    """The server's deadline [ns], postponed if its budget is used up; for a task without a server, the deadline of its job."""
    task = st.tasks[t]
    if task.budget == 0:
        task.quantum_left = FOREVER
        return edf.urgency(st, t, now)
    while task.quantum_left <= 0:
        task.quantum_left += task.budget
        task.server_deadline += task.server_period
    if task.state != READY and too_much_left(task, now):
        task.quantum_left = task.budget
        task.server_deadline = now + task.server_period
    return task.server_deadline


@kernel
def too_much_left(task, now):
    """The wake rule: would what is left, by its deadline, be more than the server's bandwidth? (S6.2)"""
    ahead = task.server_deadline - now
    if ahead > task.server_period:             # no product that may not fit
        return False
    return ahead <= 0 or task.quantum_left * task.server_period >= ahead * task.budget
