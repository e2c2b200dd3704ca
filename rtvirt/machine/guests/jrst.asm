; To user mode by JRST (pdp10: JRST 1).

drop:   JRST task
