; The interrupt switch by a hypercall.

off:    LDI  r1, 0
        SVC  HC_SET_STATUS
        JMP  0(r6)
on:     LDI  r1, 2
        SVC  HC_SET_STATUS
        JMP  0(r6)
