; The kernel's sensitive operations on a real machine: one privileged instruction each. Under a monitor each of them traps.
; Called with JAL r6; argument and result in r1.

bound:  SRR  r0, r1             ; the kernel's R := (r0, r1)
        JMP  0(r6)
mode:   RSR  r1                 ; status, of which bit 0 is M
        LDI  r2, 1
        AND  r1, r2
        JMP  0(r6)
print:  OUT  r1, 0              ; a character on the console
        JMP  0(r6)
timer:  STT  r1                 ; a trap after r1 instructions
        JMP  0(r6)
allow:  LDI  r1, 2
        SSR  r1                 ; the interrupt switch on
        JMP  0(r6)
go:     STT  r7                 ; a task's turn begins: timer, then mode, P and R at once
        LD   r7, keep
        LPSW OLD
halt:   HLT
