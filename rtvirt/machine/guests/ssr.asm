; The interrupt switch by SSR (x86: POPF; arm: MSR).

off:    LDI  r5, 0
        SSR  r5
        JMP  0(r6)
on:     LDI  r5, 2
        SSR  r5
        JMP  0(r6)
