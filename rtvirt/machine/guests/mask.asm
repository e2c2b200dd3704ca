; A counter that a program and its timer handler both count up. Load, add, store: an interrupt
; between them loses a count, so the program switches interrupts off for the three (`off`, `on`:
; ssr.asm, cps.asm or set_status.asm). At the end it prints how many counts were lost: 0, if the
; switch does what it says.

        .equ ROUNDS, 60
        .equ TICK, 23           ; instructions between two interrupts

        .org 8
        .word 0, tick, 0, 512
start:  LDI  r1, TICK
        STT  r1
        LDI  r2, ROUNDS
        LPSW thread             ; supervisor mode, interrupts on
thread: .word 2, loop, 0, 512

loop:   JAL  r6, off
        LD   r3, count          ; --- critical section
        ADDI r3, r3, 1
        ST   r3, count          ; ---
        JAL  r6, on
        ADDI r2, r2, -1
        JNZ  r2, loop

        JAL  r6, off
        LD   r1, ticks          ; lost = rounds + ticks - count
        ADDI r1, r1, ROUNDS
        LD   r3, count
        SUB  r1, r3
        LDI  r3, 9              ; a digit, or + for more
        LT   r3, r1
        JNZ  r3, many
        ADDI r1, r1, '0'
        JMP  say
many:   LDI  r1, '+'
say:    OUT  r1, 0
        HLT

tick:   ST   r1, keep
        LD   r1, count
        ADDI r1, r1, 1
        ST   r1, count
        LD   r1, ticks
        ADDI r1, r1, 1
        ST   r1, ticks
        LDI  r1, TICK
        STT  r1
        LD   r1, keep
        LPSW 0                  ; back to where it was
keep:   .word 0
count:  .word 0
ticks:  .word 0
