"""Solutions of the exercises of notebook 1b."""


def emulate_lpsw(psw, storage, at):
    """1b.1: what the bare machine would do, on the virtual processor."""
    if at + 3 >= psw["b"] or psw["l"] + at + 3 >= len(storage):
        return "memory trap"
    status, p, l, b = (storage[psw["l"] + at + k] for k in range(4))  # noqa: E741
    return {"M": status & 1, "on": status >> 1 & 1, "P": p, "l": l, "b": b}


def spy(variant, style):
    """1b.2: under trap-and-emulate a kernel reads the real M; under hybrid a task reads the real l."""
    if style == "trap-and-emulate":
        return """
            RSR  r1
            ADDI r1, r1, '0'
            OUT  r1, 0
            HLT
        """
    return """
            .org 8
            .word 0, kernel, 0, 512
    start:  JRST task
    task:   GRR  r1, r2
            SVC  0
    kernel: LDI  r2, 'b'
            JZ   r1, say
            LDI  r2, 'v'
    say:    OUT  r2, 0
            HLT
    """


def crossings(calls, operations, batched):
    """1b.3: the call itself, and one for each operation, or for each 64 of them."""
    return calls * (1 + ((operations + 63) // 64 if batched else operations))


def compose(outer, inner):
    """1b.4: relocations add; the inner guest has at most what the outer one has above l2."""
    (l1, b1), (l2, b2) = outer, inner
    return (l1 + l2, max(0, min(b2, b1 - l2)))


SOLUTIONS = {"1b.1": emulate_lpsw, "1b.2": spy, "1b.3": crossings, "1b.4": compose}
