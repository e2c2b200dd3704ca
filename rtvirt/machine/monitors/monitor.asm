; A virtual machine monitor in the machine's own language: trap-and-emulate, one guest, the timer virtualized to the instruction.
;
; It runs on the bare machine, in a virtual machine, and in a virtual machine of itself (Theorem 2). It is put together with two numbers:
; WSIZE, the words that its guest has, and QSIZE, the words that it has itself, and is followed by its guest's storage (docs, section 10).
; Dispatcher: `dispatch`. Allocator: `map`, for there is but one guest. Interpreters: do_lpsw to do_out.

        .org 8
        .word 0, trap, 0, QSIZE
start:  JMP resume

; ---- what it keeps of its guest: the virtual PSW (vpsw: status, P, l, b), the virtual timer, registers; and PSW as it really is (real)
vpsw:   .word 0, GSTART, 0, WSIZE
real:   .word 1, GSTART, guest, WSIZE
regs:   .space 8
mode:   .word 0              ; of the timer: 0 off, 1 counting, 2 run down and pending
left:   .word 0              ; on it
set:    .word 0              ; what the real timer was set to when the guest went on
ends:   .word 0              ; 1: the guest has halted, 2: it is wedged
crosses: .word 0             ; traps that came here
emulates: .word 0            ; of which instructions to interpret
causes: .space 6             ; the others, reflected, by cause
x8000:  .word 0x8000
far:    .word 0x7fffffff     ; a time that never comes

; ---- a trap. The timer is read first: at that moment one instruction has passed
trap:   ST r1, regs + 1
        RDT r1
        ST r0, regs
        ST r2, regs + 2
        ST r3, regs + 3
        ST r4, regs + 4
        ST r5, regs + 5
        ST r6, regs + 6
        ST r7, regs + 7
        LD r2, crosses
        ADDI r2, r2, 1
        ST r2, crosses
        LD r3, 1
        ST r3, vpsw + 1
        LD r2, set           ; what the guest has used: all that was set if the timer trapped, ...
        LD r3, 4
        LDI r4, 5
        XOR r4, r3
        JZ r4, account
        ADDI r1, r1, 1       ; ... else what is missing
        SUB r2, r1
account: LD r4, mode
        JZ r4, dispatch
        LD r5, left
        MOV r6, r2
        LT r6, r5
        SUB r5, r2
        ST r5, left
        JNZ r6, dispatch
        LDI r4, 2            ; none is left (or already was not)
        ST r4, mode

; ---- the dispatcher: the timer's trap is the guest's if its timer has run down, which resume sees to
dispatch: LDI r4, 5
        XOR r4, r3
        JZ r4, resume
        LD r5, 5
        LDI r4, 2
        XOR r4, r3
        JNZ r4, reflect
        LD r4, vpsw
        LDI r1, 1
        AND r4, r1
        JZ r4, emulate       ; a privileged instruction in virtual supervisor mode

; ---- reflect a trap (r3: cause, r5: information): what the hardware would do, in the guest's storage
reflect: LD r1, causes(r3)
        ADDI r1, r1, 1
        ST r1, causes(r3)
        LD r1, vpsw
        ST r1, guest
        LD r1, vpsw + 1
        ST r1, guest + 1
        LD r1, vpsw + 2
        ST r1, guest + 2
        LD r1, vpsw + 3
        ST r1, guest + 3
        ST r3, guest + 4
        ST r5, guest + 5
        LD r1, guest + 8
        LDI r2, 3
        AND r1, r2
        ST r1, vpsw
        LD r1, guest + 9
        ST r1, vpsw + 1
        LD r1, guest + 10
        ST r1, vpsw + 2
        LD r1, guest + 11
        ST r1, vpsw + 3
        JAL r7, map
        LD r1, vpsw + 1
        LD r2, real + 3
        LT r1, r2
        JNZ r1, resume
        LDI r1, 2            ; it would trap for ever
        ST r1, ends
        HLT

; ---- the allocator: R' = (guest + l, min(b, WSIZE - l)), or nothing at all
map:    LD r1, vpsw + 2
        LD r2, wsize
        MOV r3, r1
        LT r3, r2
        JZ r3, nothing
        SUB r2, r1
        LD r4, vpsw + 3
        MOV r5, r4
        LT r5, r2
        JZ r5, bound
        MOV r2, r4
bound:  ST r2, real + 3
        ADDI r1, r1, guest
        ST r1, real + 2
        JMP 0(r7)
nothing: LDI r2, 0
        ST r2, real + 3
        JMP 0(r7)
wsize:  .word WSIZE

; ---- the guest goes on
next:   LD r1, vpsw + 1
        ADDI r1, r1, 1
        ST r1, vpsw + 1
resume: LD r1, vpsw
        LDI r2, 2
        AND r1, r2           ; the switch
        LD r2, mode
        LDI r3, 2
        XOR r3, r2
        JNZ r3, enter
        JZ r1, enter         ; run down and pending
        LDI r3, 0
        ST r3, mode
        LDI r3, 5
        LDI r5, 0
        JMP reflect
enter:  ADDI r1, r1, 1
        ST r1, real
        LD r1, vpsw + 1
        ST r1, real + 1
        LD r1, far           ; the real timer: what is left if it counts, and at most that
        LDI r3, 1
        XOR r3, r2
        JNZ r3, set_it
        LD r2, left
        MOV r3, r2
        LT r3, r1
        JZ r3, set_it
        MOV r1, r2
set_it: ST r1, set
        ADDI r1, r1, 2       ; two instructions more until it is the guest's turn
        LD r0, regs
        LD r2, regs + 2
        LD r3, regs + 3
        LD r4, regs + 4
        LD r5, regs + 5
        LD r6, regs + 6
        LD r7, regs + 7
        STT r1
        LD r1, regs + 1
        LPSW real

; ---- the interpreters. r1: the instruction, r4: a, r5: b, r6: immediate, r7: address
emulate: LD r1, emulates
        ADDI r1, r1, 1
        ST r1, emulates
        MOV r1, r5
        LDI r2, 7
        LDI r3, 8
        MOV r4, r1
        SHR r4, r3
        AND r4, r2
        LDI r3, 12
        MOV r5, r1
        SHR r5, r3
        AND r5, r2
        LDI r3, 16
        MOV r6, r1
        SHR r6, r3
        LD r3, x8000
        XOR r6, r3
        SUB r6, r3
        MOV r7, r6
        JZ r5, no_base
        LD r3, regs(r5)
        ADD r7, r3
no_base: LDI r2, 255
        MOV r3, r1
        AND r3, r2
        LD r3, table - 19(r3)
        JMP 0(r3)
table:  .word do_lpsw, do_srr, do_grr, do_jrst, do_ssr, do_rsr, do_stt, do_rdt, do_hlt, do_in, do_out

do_lpsw: LDI r4, 4
        LD r2, real + 3
        MOV r1, r7
check:  MOV r3, r1
        LT r3, r2
        JZ r3, fault
        ADDI r1, r1, 1
        ADDI r4, r4, -1
        JNZ r4, check
        LD r1, real + 2
        ADD r1, r7
        LD r2, 0(r1)
        LDI r3, 3
        AND r2, r3
        ST r2, vpsw
        LD r2, 1(r1)
        ST r2, vpsw + 1
        LD r2, 2(r1)
        ST r2, vpsw + 2
        LD r2, 3(r1)
        ST r2, vpsw + 3
        JAL r7, map
        JMP resume
fault:  MOV r5, r1
        LDI r3, 1
        JMP reflect

do_srr: LD r1, regs(r4)
        ST r1, vpsw + 2
        LD r1, regs(r5)
        ST r1, vpsw + 3
        JAL r7, map
        JMP next

do_grr: LD r1, vpsw + 2
        ST r1, regs(r4)
        LD r1, vpsw + 3
        ST r1, regs(r5)
        JMP next

do_jrst: LD r1, vpsw
        LDI r2, 2
        AND r1, r2
        ADDI r1, r1, 1
        ST r1, vpsw
        ST r7, vpsw + 1
        JMP resume

do_ssr: LD r1, regs(r4)
        LDI r2, 2
        AND r1, r2           ; the mode is supervisor, or this would have been reflected
        ST r1, vpsw
        JMP next

do_rsr: LD r1, vpsw
        ST r1, regs(r4)
        JMP next

do_stt: LD r1, regs(r4)
        ST r1, left
        JZ r1, off
        LDI r1, 1
off:    ST r1, mode
        JMP next

do_rdt: LD r1, mode
        JZ r1, show
        LD r1, left
        ADDI r1, r1, 1       ; before this instruction
show:   ST r1, regs(r4)
        JMP next

do_hlt: LD r1, vpsw + 1
        ADDI r1, r1, 1
        ST r1, vpsw + 1
        LDI r1, 1
        ST r1, ends
        HLT

do_in:  LD r2, the_in        ; the guest's port, with r1
        JAL r7, with_port
        ST r2, an_in
an_in:  NOP
        ST r1, regs(r4)
        JMP next

do_out: LD r2, the_out
        JAL r7, with_port
        ST r2, an_out
        LD r1, regs(r4)
an_out: NOP
        JMP next
with_port: LDI r3, 0x4000
        ADD r3, r3           ; times 2**16, in two steps
        ADD r6, r6
        MUL r6, r3
        ADD r2, r6
        JMP 0(r7)
the_in: IN r1, 0
the_out: OUT r1, 0

guest:
