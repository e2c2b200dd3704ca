"""Deadline monotonic in the guest: fixed priorities, the shorter relative deadline first, whatever `Task.priority` says."""

from ..jit import kernel


@kernel
def urgency(st, t, now):
    """Relative deadline [ns]; a task without one comes last."""
    return st.tasks[t].deadline
