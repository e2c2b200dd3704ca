"""Earliest deadline first in the guest: a task is as urgent as the absolute deadline of its job."""

from ..jit import kernel
from ..state import FOREVER
from ..timers import NEVER


@kernel
def urgency(st, t, now):
    """Absolute deadline of the job it works on [ns]; a job without one comes after all others."""
    if st.tasks[t].deadline == NEVER:
        return FOREVER
    return st.tasks[t].arrival + st.tasks[t].deadline
