; A task that asks where it is. The kernel gives it R = (64, 32); GRR (x86: SGDT) tells l to whoever
; executes it without a trap. Prints = when l is what the kernel has set, + when the task lies
; further up (somebody below it has moved it), ? when GRR traps.

        .org 8
        .word 0, trap, 0, 512
start:  LPSW go
go:     .word 1, 0, 64, 32

trap:   LD   r4, 4              ; cause 3: the task has asked; cause 2: GRR has trapped
        LDI  r5, 3
        XOR  r4, r5
        LDI  r5, '?'
        JNZ  r4, say
        LDI  r5, '='
        LDI  r4, 64
        SUB  r1, r4             ; l as the task has read it, less l as it was set
        JZ   r1, say
        LDI  r5, '+'
say:    OUT  r5, 0
        HLT

        .org 64
        GRR  r1, r2
        SVC  0
