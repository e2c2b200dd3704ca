; To user mode by REI, return from interrupt; only vax has it: status and P from two words.

drop:   REI  frame
frame:  .word 1, task
