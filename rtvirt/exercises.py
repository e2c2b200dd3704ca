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
    """An exercise: the right answer as a function, inputs to try it on, and mistakes that people make."""

    id: str
    solution: Callable[..., Any]
    cases: Sequence[tuple[Any, ...]]
    hint: str
    misconceptions: Sequence[tuple[Callable[..., Any], str]] = ()
    tolerance: float = 0.0


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
        right = item.solution(*case)
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
            if all(same(answer(*case), wrong(*case), item.tolerance) for case in item.cases):
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
