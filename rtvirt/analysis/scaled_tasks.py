"""Tasks whose jobs need more, or come faster."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ..errors import Problem, SpecError
from ..system import FOREVER, Task
from ..units import LONGEST
from .tasksets import largest_demand


def work_of(task: Task) -> int:
    """The largest demand of a task that can be scaled [ns]."""
    cost = largest_demand(task)
    if cost is None:
        raise SpecError([Problem(f"tasks[{task.name}].wcet", "forever", "a time", "a hog cannot be scaled: choose another task")])
    return cost


def costlier(task: Task, factor: Fraction) -> Task | None:
    """A task whose jobs need `factor` as much, rounded up to whole ns; None if that is too much for a task. Hogs stay as they are."""
    def times(cost: int) -> int:
        return -(-cost * factor.numerator // factor.denominator)

    if task.is_hog:
        return task
    if work_of(task) * factor > LONGEST or times(work_of(task)) >= FOREVER:
        return None
    if task.actions is not None:
        return task.replace(actions=[replace_step(step, times) for step in task.actions])
    if isinstance(task.wcet, (tuple, list)):
        return task.replace(wcet=[times(cost) for cost in task.wcet])
    if not isinstance(task.wcet, int):
        raise SpecError([Problem(f"tasks[{task.name}].wcet", task.wcet, "a time, or a list of times", "give the largest value of the distribution")])
    return task.replace(wcet=times(task.wcet))


def replace_step(step: Any, times: Callable[[int], int]) -> Any:
    """A step of a script, longer if it is a `run` step."""
    return step.replace(duration=times(step.duration)) if step.kind == "run" else step


def respaced(task: Task, period: int) -> Task:
    """A task with another period; a deadline that was not longer than its period is not now, and one that was equal to it is now."""
    due = task.deadline
    if due is not None and task.period is not None and due <= task.period:
        due = period if due == task.period else min(due, period)
    return task.replace(period=period, deadline=due)
