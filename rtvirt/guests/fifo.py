"""First come, first served in the guest: never preempts, since whoever came earlier is more urgent."""

from ..jit import kernel
from ..state import SLEEPING


@kernel
def urgency(st, t, now):
    """Release of the job it works on, or the instant at which it woke from a `block` step [ns]."""
    if st.tasks[t].state == SLEEPING:
        return now
    return st.tasks[t].release
