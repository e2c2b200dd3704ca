"""Fixed priorities in the guest: a task is as urgent as its rank (priority given, else deadline monotonic)."""

from ..jit import kernel


@kernel
def urgency(st, t, now):
    """Rank of the task within its VM; 0 is the most important."""
    return st.tasks[t].rank
