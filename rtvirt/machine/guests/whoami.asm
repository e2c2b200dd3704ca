; Prints in which mode it runs (`status`: rsr.asm or get_status.asm). On a bare machine a program
; that has just been started is in supervisor mode.

start:  JAL  r6, status
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
