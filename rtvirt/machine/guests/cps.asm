; The interrupt switch by CPS, change processor state; only arm has it.

off:    CPS  0
        JMP  0(r6)
on:     CPS  2
        JMP  0(r6)
