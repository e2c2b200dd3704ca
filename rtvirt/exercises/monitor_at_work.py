"""Exercises of notebook 1b: a monitor at work."""

from __future__ import annotations

from .base import Exercise, exercise


def emulate_lpsw(psw: dict[str, int], storage: list[int], at: int) -> dict[str, int] | str:
    """The virtual PSW after LPSW at, in virtual supervisor mode; "memory trap" if the guest's R or storage does not reach."""
    first = psw["l"] + at
    if at + 3 >= psw["b"] or first + 3 >= len(storage):
        return "memory trap"
    status, p, l, b = storage[first:first + 4]  # noqa: E741
    return {"M": status & 1, "on": status >> 1 & 1, "P": p, "l": l, "b": b}


def without_relocation(psw: dict[str, int], storage: list[int], at: int) -> dict[str, int] | str:
    """A mistake: the operand is taken for an address of the storage."""
    found = emulate_lpsw(psw, storage, at)
    return found if isinstance(found, str) else emulate_lpsw(psw | {"l": 0}, storage, at)


def without_bounds(psw: dict[str, int], storage: list[int], at: int) -> dict[str, int] | str:
    """A mistake: R is not asked."""
    return emulate_lpsw(psw | {"b": at + 4}, storage, at)


def always_user(psw: dict[str, int], storage: list[int], at: int) -> dict[str, int] | str:
    """A mistake: the real M in place of the virtual one."""
    found = emulate_lpsw(psw, storage, at)
    return found if isinstance(found, str) else found | {"M": 1}


PSW, STORAGE = {"M": 0, "on": 0, "P": 20, "l": 0, "b": 12}, [1, 30, 8, 4, 0, 40, 0, 12, 3, 50, 2, 6]
exercise(Exercise(
    "1b.1", emulate_lpsw,
    [(PSW, STORAGE, 0), (PSW, STORAGE, 4), (PSW | {"l": 8, "b": 4}, STORAGE, 0), (PSW | {"b": 7}, STORAGE, 4), (PSW, STORAGE, 9)],
    "What would the bare machine do? Reach the four words through the guest's R, or trap; then every part of the virtual PSW is what they say.",
    [(without_relocation, "The operand is relative to the virtual R, like every address: add l."),
     (without_bounds, "The guest's own bound holds for its kernel too: check b before you read."),
     (always_user, "The real M stays user. The virtual one becomes what the guest loads, else it would stay a kernel for ever, or never be one.")]))


def tells(program: str, variant: str, style: str) -> str:
    """Whether a program prints something else under a monitor than on the bare machine."""
    from ..machine import Machine
    from ..machine.monitors import Monitor

    bare, monitor = Machine(variant, str(program), store=512), Monitor(variant, style)
    bare.run(10_000)
    guest = monitor.create(str(program), size=512)
    monitor.run(10_000)
    return "it can tell" if bare.console != guest.console else f"it cannot tell: {bare.console!r} on both"


ASK_MODE = "RSR r1\n ADDI r1, r1, '0'\n OUT r1, 0\n HLT"
ASK_PLACE = (".org 8\n .word 0, say, 0, 512\nstart: JRST task\ntask: GRR r1, r2\n SVC 0\n"
             "say: LDI r2, '='\n JZ r1, out\n LDI r2, '+'\nout: OUT r2, 0\n HLT")
ASK_CLOCK = "LDI r1, 50\n STT r1\n NOP\n RDT r1\n OUT r1, 0\n HLT"
exercise(Exercise(
    "1b.2", lambda variant, style: ASK_MODE if style == "trap-and-emulate" else ASK_PLACE,
    [("m68000", "trap-and-emulate"), ("s390x", "trap-and-emulate"), ("x86", "hybrid")],
    "Print what a sensitive instruction shows that does not trap. A hybrid monitor interprets your kernel, so there a task in user mode must ask.",
    [(lambda variant, style: ASK_MODE, "Under a hybrid monitor the kernel is interpreted, and RSR tells it the virtual mode. Ask in user mode, where "
      "you are executed directly, and ask for something that is not M."),
     (lambda variant, style: ASK_CLOCK, "The timer is virtualized: it counts the guest's own instructions only.")], look=tells))
exercise(Exercise(
    "1b.3", lambda calls, operations, batched: calls * (1 + (-(-operations // 64) if batched else operations)),
    [(1, 3, False), (1, 3, True), (13, 3, False), (13, 3, True), (2, 100, True)],
    "The system call itself crosses once. Then each privileged operation traps, or 64 of them at most travel together (rule 8.3).",
    [(lambda calls, operations, batched: calls * (-(-operations // 64) if batched else operations),
      "The task's SVC traps to the monitor too: it does not reach the guest's kernel by itself."),
     (lambda calls, operations, batched: calls * (2 if batched else 1 + operations),
      "A batch is cut after 64 entries, so that no guest can hold the monitor."),
     (lambda calls, operations, batched: calls * (1 + operations), "In a batch all operations share one crossing.")]))
exercise(Exercise(
    "1b.4", lambda outer, inner: (outer[0] + inner[0], max(0, min(inner[1], outer[1] - inner[0]))),
    [((200, 4000), (300, 1000)), ((12, 512), (256, 64)), ((100, 50), (30, 40)), ((100, 50), (60, 10)), ((100, 50), (10, 90))],
    "A name a of the inner guest is l2 + a in the outer one, if a < b2; that must be below b1; then it is l1 + l2 + a.",
    [(lambda outer, inner: (outer[0] + inner[0], inner[1]), "The outer bound holds as well: what is left above l2 is b1 - l2."),
     (lambda outer, inner: (outer[0] + inner[0], min(inner[1], outer[1])), "The inner guest begins at l2 already: b1 - l2 words are left, not b1."),
     (lambda outer, inner: inner, "The inner R is relative to the outer one.")]))
