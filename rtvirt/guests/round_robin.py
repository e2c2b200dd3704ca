"""Round robin in the guest: a queue, and a quantum of work for each turn."""

from ..jit import kernel


@kernel
def urgency(st, t, now):
    """Place in the VM's queue: a counter that grows with every task queued. Queueing also gives a new quantum."""
    vm = st.tasks[t].vm
    st.vms[vm].queued += 1
    st.tasks[t].quantum_left = st.vms[vm].quantum
    return st.vms[vm].queued
