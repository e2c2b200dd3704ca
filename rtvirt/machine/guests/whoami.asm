; Prints in which mode it runs. On a bare machine a program that has just been started is in supervisor mode.
; RSR is x86's SMSW, the 68000's MOVE from SR, arm's MRS, the VAX's MOVPSL, s390x's EPSW: all of them read M without a trap.

start:  RSR  r1
        LDI  r2, 1
        AND  r1, r2
        LDI  r2, boss
        JZ   r1, say
        LDI  r2, user
say:    LD   r3, 0(r2)
        JZ   r3, end
        OUT  r3, 0
        ADDI r2, r2, 1
        JMP  say
end:    HLT
boss:   .ascii "I am in supervisor mode"
        .word 0
user:   .ascii "I am in user mode"
        .word 0
