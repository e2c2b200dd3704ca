; The status by RSR: x86's SMSW, the 68000's MOVE from SR, arm's MRS, the VAX's MOVPSL, s390x's
; EPSW. All of them show M without a trap.

status: RSR  r1
        JMP  0(r6)
