"""Exercises: `check` an answer, ask for a `hint`, draw a personal `variant`.

`check` never raises; it prints one line: ○ not attempted, ✓ right, ✗ with the first counter-example and, for a known
misconception, what is behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import RtvirtError


@dataclass(frozen=True)
class Exercise:
    """An exercise: the right answer as a function, inputs to try it on, and mistakes that people make. `look`, of an answer and the inputs, is what
    is compared: for answers of which many are right, such as programs."""

    id: str
    solution: Callable[..., Any]
    cases: Sequence[tuple[Any, ...]]
    hint: str
    misconceptions: Sequence[tuple[Callable[..., Any], str]] = ()
    tolerance: float = 0.0
    look: Callable[..., Any] = lambda given, *case: given


EXERCISES: dict[str, Exercise] = {}


def exercise(item: Exercise) -> None:
    """Make an exercise known."""
    EXERCISES[item.id] = item


def check(id: str, answer: Callable[..., Any]) -> None:
    """Try an answer, a function, on the exercise's inputs, and print one line."""
    try:
        print(verdict(find(id), answer))
    except Exception as error:
        print(f"✗ {id}: {error}")


def hint(id: str) -> None:
    """Print the exercise's hint."""
    try:
        print(f"Hint for {id}: {find(id).hint}")
    except RtvirtError as error:
        print(error)


def variant(student: str, low: int = 1, high: int = 100) -> int:
    """A number in [low, high] that belongs to a name: the same for ever, another for (nearly) everybody else."""
    return low + int.from_bytes(hashlib.sha256(student.strip().lower().encode()).digest()[:8], "big") % (high - low + 1)


def find(id: str) -> Exercise:
    """The exercise, or an error that lists what there is."""
    if id not in EXERCISES:
        raise RtvirtError(f"there is no exercise {id!r}; there are {', '.join(sorted(EXERCISES))}")
    return EXERCISES[id]


def verdict(item: Exercise, answer: Callable[..., Any]) -> str:
    """One line about an answer."""
    for case in item.cases:
        shown = ", ".join(map(repr, case))
        try:
            given = answer(*case)
        except Exception as error:
            return f"✗ {item.id}: for ({shown}) your function raises {type(error).__name__}: {error}"
        if given is None:
            return f"○ {item.id}: not attempted yet"
        right, given = item.look(item.solution(*case), *case), item.look(given, *case)
        if not same(given, right, item.tolerance):
            return f"✗ {item.id}: for ({shown}) the answer is {right!r}, yours is {given!r}{reason(item, answer)}"
    return f"✓ {item.id}: right, on {len(item.cases)} cases"


def same(given: Any, right: Any, tolerance: float) -> bool:
    """Equal, or near enough for numbers."""
    if isinstance(right, float) or tolerance:
        try:
            return abs(float(given) - float(right)) <= tolerance + 1e-9 * abs(float(right))
        except (TypeError, ValueError):
            return False
    return bool(given == right)


def reason(item: Exercise, answer: Callable[..., Any]) -> str:
    """What is behind a wrong answer, when it is a known one."""
    for wrong, text in item.misconceptions:
        try:
            if all(same(item.look(answer(*case), *case), item.look(wrong(*case), *case), item.tolerance) for case in item.cases):
                return f". {text}"
        except Exception:
            continue
    return ""


# ------------------------------------------------------------------ notebook 3: the credit scheduler


exercise(Exercise(
    "3.1", lambda weights, i: weights[i] / sum(weights), [([256, 512], 0), ([256, 256, 512], 2), ([1024, 256], 1)],
    "All VMs always want the pCPU. What fraction of all weights does VM i hold?",
    [(lambda weights, i: weights[i] / 256, "A weight is relative to the others' weights, not to 256."),
     (lambda weights, i: 1 / len(weights), "Equal shares would need equal weights.")], 1e-6))
exercise(Exercise(
    "3.2", lambda hogs, timeslice: hogs * timeslice, [(1, 30), (2, 30), (3, 5)],
    "It queues behind every hog of its class, and each of them uses its whole time slice.",
    [(lambda hogs, timeslice: timeslice, "That is the wait behind one hog."),
     (lambda hogs, timeslice: (hogs + 1) * timeslice, "It does not wait for itself.")], 1e-6))
exercise(Exercise(
    "3.3", lambda ran, ratelimit: max(0.0, ratelimit - ran), [(0.3, 1.0), (0.0, 1.0), (2.5, 1.0), (0.2, 0.0)],
    "A vCPU that was just given the pCPU keeps it for the ratelimit. How much of that is left?",
    [(lambda ran, ratelimit: ratelimit, "The ratelimit counts from the start of the stint, not from the wake-up."),
     (lambda ran, ratelimit: 0.0, "Even BOOST waits for the ratelimit.")], 1e-6))
exercise(Exercise(
    "3.4", lambda credit: (credit // 2, False) if credit > 300 else (credit, True), [(301,), (300,), (450,), (-20,), (601,)],
    "Rule 2.5.3: above one slice's worth (300) the vCPU leaves the active list and keeps half, rounded down.",
    [(lambda credit: (0, False) if credit > 300 else (credit, True), "That was so until Xen 4.0; since 4.1 half is kept."),
     (lambda credit: (credit // 2, False) if credit >= 300 else (credit, True), "At exactly 300 it stays.")]))


# ------------------------------------------------------------------ notebook 1b: a monitor at work


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
    from .machine import Machine
    from .machine.monitors import Monitor

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
