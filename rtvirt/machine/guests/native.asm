; The kernel's sensitive operations on a real machine: privileged instructions. Under a monitor
; each of them traps. bound, mode and print are called with JAL r6, arguments and results in r1
; and r2; the others are jumped to and do not return.

bound:  SRR  r1, r2             ; the kernel's R := (r1, r2)
        JMP  0(r6)

mode:   RSR  r1                 ; the status, of which bit 0 is M: r1 := 1 in user mode
        LDI  r2, 1
        AND  r1, r2
        JMP  0(r6)

print:  OUT  r1, 0              ; the character r1 on the console
        JMP  0(r6)

doze:   LDI  r1, QUANTUM        ; nobody is ready: wait for the timer, with the switch on
        STT  r1
        LDI  r1, 2
        SSR  r1
wait:   JMP  wait

go:     LD   r1, PSW(r7)        ; the PSW to OLD: later no register is left to find it with
        ST   r1, OLD
        LD   r1, PSW+1(r7)
        ST   r1, OLD+1
        LD   r1, PSW+2(r7)
        ST   r1, OLD+2
        LD   r1, PSW+3(r7)
        ST   r1, OLD+3
        LD   r1, REGS+7(r7)
        ST   r1, keep
        LD   r0, REGS(r7)
        LD   r1, REGS+1(r7)
        LD   r2, REGS+2(r7)
        LD   r3, REGS+3(r7)
        LD   r4, REGS+4(r7)
        LD   r5, REGS+5(r7)
        LD   r6, REGS+6(r7)
        LDI  r7, QUANTUM+2      ; the two instructions after STT are not the task's
        STT  r7
        LD   r7, keep
        LPSW OLD                ; M, switch, P and R at once: on with the task

halt:   HLT
