"""IBM z/Architecture: EXTRACT PSW and STORE CLOCK are allowed in problem state."""

from __future__ import annotations

from ..isa import CLEAN

S390X = (CLEAN.change("RSR", privileged=False, rename="EPSW")
         .change("RDT", privileged=False, rename="STCK")
         .named("s390x", "IBM z/Architecture: EPSW and STCK do not trap",
                "The descendants of the machine that was virtualized first let problem programs read the PSW and the clock."))
