"""Exercises: `check` an answer, ask for a `hint`, draw a personal `variant`.

`check` never raises; it prints one line: ○ not attempted, ✓ right, ✗ with the first counter-example and, for a known
misconception, what is behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import RtvirtError

Judgement = tuple[bool | None, str]


@dataclass(frozen=True)
class Exercise:
    """An exercise: the right answer as a function, inputs to try it on, and mistakes that people make. `look`, of an answer and the inputs, is what
    is compared: for answers of which many are right, such as programs. `judge`, in place of cases, says of an answer whether it is right (None: not
    attempted), and why."""

    id: str
    solution: Callable[..., Any]
    cases: Sequence[tuple[Any, ...]]
    hint: str
    misconceptions: Sequence[tuple[Callable[..., Any], str]] = ()
    tolerance: float = 0.0
    look: Callable[..., Any] = lambda given, *case: given
    judge: Callable[[Callable[..., Any]], Judgement] | None = None


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
    if item.judge is not None:
        right, why = item.judge(answer)
        return f"○ {item.id}: not attempted yet" if right is None else f"{'✓' if right else '✗'} {item.id}: {why}"
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
