; The status by a hypercall: the monitor answers with the virtual one.

status: SVC  HC_GET_STATUS
        JMP  0(r6)
