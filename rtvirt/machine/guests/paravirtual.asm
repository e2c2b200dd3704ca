; The same six operations for a guest that knows its monitor: it asks in place of trapping
; (docs/popek-goldberg.md, section 8). What need not be done at once waits in a queue; `flush`
; hands all of it over in one crossing. So a system call that prints costs two crossings, the call
; itself and the way back, where the native layer takes four: the call, OUT, STT, LPSW.

bound:  LDI  r0, HC_SET_R       ; r1 and r2 are what the hypercall wants
        JMP  later

mode:   SVC  HC_GET_STATUS      ; an answer cannot wait
        LDI  r2, 1
        AND  r1, r2
        JMP  0(r6)

print:  LDI  r0, HC_OUT
        LDI  r2, 0              ; port 0, the console
later:  LD   r4, pending        ; one more entry: number, r1, r2
        LDI  r5, 3
        MUL  r5, r4
        ST   r0, queue(r5)
        ST   r1, queue+1(r5)
        ST   r2, queue+2(r5)
        ADDI r4, r4, 1
        ST   r4, pending
        JMP  0(r6)

doze:   LDI  r0, HC_SET_TIMER
        LDI  r1, QUANTUM
        JAL  r6, later
        LDI  r0, HC_SET_STATUS
        LDI  r1, 2
        JAL  r6, later
        JAL  r6, flush
wait:   JMP  wait

go:     LDI  r0, HC_SET_TIMER
        LDI  r1, QUANTUM
        JAL  r6, later
        LDI  r0, HC_SWITCH      ; PSW and all registers from the first twelve words at r7
        MOV  r1, r7
        JAL  r6, later
        JMP  flush

halt:   LDI  r0, HC_HALT
        JAL  r6, later
flush:  LDI  r0, 0
        LDI  r3, queue
        LD   r4, pending
        ST   r0, pending
        SVC  HC_BATCH           ; r4 entries from r3 on
        JMP  0(r6)
pending: .word 0
queue:  .space 12               ; the most: R at boot, a character, the timer, the switch
