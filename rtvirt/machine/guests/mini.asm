; mini: an operating system of about a hundred words.
;
; Two tasks, each in storage of its own, take turns on one processor. The kernel is entered by
; traps only, and each trap ends in `schedule`, which chooses who is next. Its *sensitive*
; operations are in one place, a layer of six: bound, mode, print, doze, go, halt. native.asm is
; the layer for a real machine, paravirtual.asm for a monitor that is known to be there. Nothing
; else differs.
;
; The kernel's own registers: r7 is a task's record, r6 where to return to, the others are free.
;
; Storage:        0 to 11   trap area: the hardware's (rule 1.5)
;                12 to ...  kernel: boot, trap, calls, schedule, table of tasks
;               256 to 319  first task:  R = (256, 64)
;               320 to 383  second task: R = (320, 64)

        .equ OLD, 0             ; PSW of whoever was interrupted: status, P, l, b
        .equ CAUSE, 4           ; why: 1 memory, 2 privileged, 3 system call, 4 illegal, 5 timer
        .equ INFO, 5            ; number of the system call
        .equ QUANTUM, 30        ; instructions that a task has in a turn
        .equ END, 384           ; words that the kernel uses

; ---------------------------------------- the trap vector

        .org 8
        .word 0, trap, 0, END   ; the new PSW: supervisor, switch off, P = trap, the kernel's R

; ---------------------------------------- boot

        .org 12
start:  LDI  r1, 0
        LDI  r2, END
        JAL  r6, bound          ; no more than it needs: a stray address shall trap
        JAL  r6, mode           ; r1 := 1 in user mode, where no kernel should find itself
        LDI  r2, 's'
        JZ   r1, boss
        LDI  r2, 'u'
boss:   MOV  r1, r2
        JAL  r6, print
        LDI  r7, nobody
        JMP  schedule

; ---------------------------------------- every trap comes here

trap:   ST   r7, keep           ; no register is free yet; without a base this needs none
        LD   r7, current        ; from here on r7 is the record of the task that was interrupted
        ST   r0, REGS(r7)
        ST   r1, REGS+1(r7)
        ST   r2, REGS+2(r7)
        ST   r3, REGS+3(r7)
        ST   r4, REGS+4(r7)
        ST   r5, REGS+5(r7)
        ST   r6, REGS+6(r7)
        LD   r1, keep
        ST   r1, REGS+7(r7)
        LD   r1, OLD            ; its PSW; l and b are in its record already
        ST   r1, PSW(r7)
        LD   r1, OLD+1
        ST   r1, PSW+1(r7)
        LD   r1, CAUSE
        LD   r1, causes-1(r1)
        JMP  0(r1)
causes: .word fault, fault, call, fault, schedule

; ---------------------------------------- system calls: SVC number, argument and result in r1

call:   LD   r1, OLD+1
        ADDI r1, r1, 1          ; the saved P is that of the SVC: go on behind it
        ST   r1, PSW+1(r7)
        LD   r1, INFO
        LDI  r2, CALLS
        LT   r2, r1             ; never trust a number that comes from a task
        JNZ  r2, fault
        LD   r2, calls(r1)
        LD   r1, REGS+1(r7)
        JMP  0(r2)
calls:  .word putchar, schedule, exit, getpid, sleep
        .equ CALLS, 4           ; the last one; number 1, yield, has nothing to do but schedule

putchar: JAL r6, print
        JMP  schedule
getpid: LD   r1, PID(r7)
        ST   r1, REGS+1(r7)
        JMP  schedule
sleep:  ADDI r1, r1, 1          ; that many turns are not for it
        ST   r1, STATE(r7)
        JMP  schedule
fault:  LDI  r1, '!'            ; it did what it may not do: say so, and end it
        JAL  r6, print
exit:   LDI  r1, 0
        ST   r1, STATE(r7)

; ---------------------------------------- who is next? Round robin, from the one after r7

schedule: LDI r3, 0             ; how many are alive
        LDI  r4, 0              ; the first that is ready
        MOV  r2, r7
look:   LD   r2, NEXT(r2)
        LD   r1, STATE(r2)
        JZ   r1, on
        ADDI r3, r3, 1
        ADDI r1, r1, -1
        JNZ  r1, asleep
        JNZ  r4, on
        MOV  r4, r2
        JMP  on
asleep: ST   r1, STATE(r2)      ; a turn nearer to waking up
on:     MOV  r1, r2
        XOR  r1, r7
        JNZ  r1, look           ; once around
        MOV  r7, r4
        JNZ  r7, turn
        JZ   r3, halt           ; all have ended

        LDI  r7, nobody         ; all sleep: let a turn pass
        ST   r7, current
        JMP  doze
turn:   ST   r7, current
        JMP  go                 ; r7's turn, for QUANTUM instructions
keep:   .word 0

; ---------------------------------------- what the kernel keeps of a task

        .equ PSW, 0             ; status (1: user, 2: the timer may interrupt), P, l, b
        .equ REGS, 4            ; r0 to r7
        .equ STATE, 12          ; 0 ended, 1 ready, n + 1: asleep for n turns
        .equ NEXT, 13           ; the ring of the round robin
        .equ PID, 14

current: .word nobody
nobody: .word 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, first, 0     ; waits when all sleep
first:  .word 3, 0, 256, 64, 0, 0, 0, 0, 0, 0, 0, 0, 1, second, 1
second: .word 3, 0, 320, 64, 0, 0, 0, 0, 0, 0, 0, 0, 1, nobody, 2
