; A kernel starts a task in user mode (`drop`: jrst.asm, rei.asm or set_psw.asm). The task tries
; what only a kernel may do: print, and halt the machine. On a bare machine it traps, and the kernel
; prints "refused". Where it goes through, the task has kept supervisor rights.

        .org 8
        .word 0, trap, 0, 512
start:  JMP  drop

task:   LDI  r1, '#'
        OUT  r1, 0
        HLT

trap:   LDI  r2, text
say:    LD   r3, 0(r2)
        JZ   r3, end
        OUT  r3, 0
        ADDI r2, r2, 1
        JMP  say
end:    HLT
text:   .ascii "refused"
        .word 0
