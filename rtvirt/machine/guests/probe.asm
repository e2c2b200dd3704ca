; A task whose bound is larger than the storage: R = (64, 4096), where 448 words are left above word
; 64. PROBE (vax only) asks whether an address can be reached. Prints the answers for the last word
; that exists and for the first that does not: 10 on a bare machine. A monitor that took b as it is
; would let the second one through, and print 11; ours takes b' = min(b, w - l) (rule 3.7).

        .equ WORDS, 448

        .org 8
        .word 0, trap, 0, 512
start:  LPSW go
go:     .word 1, 0, 64, 4096

trap:   OUT  r1, 0
        OUT  r2, 0
        HLT

        .org 64
        PROBE r1, WORDS-1
        PROBE r2, WORDS
        ADDI r1, r1, '0'
        ADDI r2, r2, '0'
        SVC  0
