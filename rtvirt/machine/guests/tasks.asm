; Two tasks. Each sees its own storage from 0 on: R relocates, so labels count from 0 (.phase),
; and neither can name a word of the other.
; System calls: 0 putchar, 1 yield, 2 exit, 3 getpid, 4 sleep.

        .org 256
        .phase 0
        LDI  r3, 3
greet:  SVC  3                  ; who am I?
        ADDI r1, r1, '0'
        SVC  0                  ; print it
        LDI  r1, 2
        SVC  4                  ; sleep for two turns
        ADDI r3, r3, -1
        JNZ  r3, greet
        SVC  2                  ; exit

        .org 320
        .phase 0
        LDI  r2, 3              ; three letters,
next:   LDI  r4, 20             ; each after a computation longer than a turn
count:  ADDI r4, r4, -1
        JNZ  r4, count
        LD   r1, letter
        SVC  0
        ADDI r1, r1, 1
        ST   r1, letter
        ADDI r2, r2, -1
        JNZ  r2, next
        HLT                     ; only the kernel may: a trap, and the end of this task
letter: .word 'a'
