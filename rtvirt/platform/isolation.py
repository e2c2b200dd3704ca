"""Isolation, measured: one VM misbehaves; do the others still get what they were promised, and under which scheduler?"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ..analysis import admit
from ..analysis.attack import length_of, responses
from ..errors import LimitError, Problem, SpecError
from ..simulation import simulate
from ..system import System
from .board import Board, need_boards
from .misbehaviours import MISBEHAVIOURS, Scene
from .recontract import CONFIGURATIONS, recontract

INTACT, SLOWER, BROKEN, WAS_BROKEN = "intact", "slower", "broken", "broken before"
VERDICTS = (INTACT, SLOWER, BROKEN, WAS_BROKEN)
"""No response longer than before; longer, but no deadline missed; deadlines missed that were met before; missed without any misbehaviour too."""


@dataclass(frozen=True)
class Isolation:
    """What was measured.

    Attributes
    ----------
    tasks : DataFrame
        A row a configuration, misbehaviour and task of another VM: `deadline`, `before`, `after` (worst responses), `bound` (what `admit` promises
        beside that misbehaviour; None: nothing) [ns], `jobs`, `missed_before`, `missed_after`.
    offender : str
    runs, duration : int
        Simulations of each cell, before and after, and their length [ns].
    """

    tasks: pd.DataFrame
    offender: str
    runs: int
    duration: int

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row a configuration and misbehaviour, of its worst-hit task, with `verdict` and `promised`: does `admit` promise every deadline there."""
        rows = []
        for (configuration, misbehaviour), own in self.tasks.groupby(["configuration", "misbehaviour"], sort=False):
            worst = own.loc[(own["after"] / own["deadline"]).idxmax()]
            rows.append((configuration, misbehaviour, verdict_of(own), bool(own["promised"].all()), worst["task"], worst["deadline"], worst["before"],
                         worst["after"], worst["bound"], int(own["missed_before"].sum()), int(own["missed_after"].sum()), int(own["jobs"].sum())))
        return pd.DataFrame(rows, columns=["configuration", "misbehaviour", "verdict", "promised", "task", "deadline", "before", "after", "bound",
                                           "missed_before", "missed_after", "jobs"]).astype({"bound": object})

    @property
    def grid(self) -> pd.DataFrame:
        """Verdicts: a row a configuration, a column a misbehaviour."""
        return self.table.pivot(index="configuration", columns="misbehaviour", values="verdict").reindex(
            index=self.table["configuration"].unique(), columns=self.table["misbehaviour"].unique())

    def __repr__(self) -> str:
        return f"<Isolation from {self.offender}: {len(self.table)} cells, {int((self.table['verdict'] == BROKEN).sum())} broken>"


def verdict_of(rows: pd.DataFrame) -> str:
    """What became of the others."""
    if (rows["missed_before"] > 0).any():
        return WAS_BROKEN
    if (rows["missed_after"] > 0).any():
        return BROKEN
    return SLOWER if (rows["after"] > rows["before"]).any() else INTACT


def isolation(board: Board, offender: str, *, configurations: str | Sequence[str] = tuple(CONFIGURATIONS),
              misbehaviours: str | Sequence[str] = tuple(MISBEHAVIOURS), runs: int = 10, duration: int | None = None, seed: int = 0,
              interrupt: int = 5_000, section: int = 50_000, reload: int = 100_000) -> Isolation:
    """Simulate a board's VMs beside one that misbehaves, under several schedulers, and compare with what they did before.

    Parameters
    ----------
    board : Board
        One pCPU; VMs with reservations. For other schedulers contracts are made of them (`rtvirt.platform.recontract`).
    offender : str
        VM that misbehaves; that of a crash of a driver VM is the first VM with a back end, or this one.
    configurations : str or sequence of str
        Of `rv.platform.CONFIGURATIONS`.
    misbehaviours : str or sequence of str
        Of `rv.platform.MISBEHAVIOURS`.
    runs : int
        Before and after, for each; offsets of tasks differ from run to run, and are the same before and after.
    duration : int [ns], optional
    seed : int
    interrupt, section, reload : int [ns]
        What the hypervisor takes of whoever runs for each interrupt; longest work for a hypercall that nobody preempts; what a vCPU has to do
        more that comes back to a cache that another has emptied. Assumptions, not measurements.

    Returns
    -------
    Isolation

    Raises
    ------
    SpecError
        Boards that cannot be translated, and names that do not exist.

    Notes
    -----
    *Before* has the same costs, and no misbehaviour, but for the cache, which costs nothing before. Measured responses are not the worst there
    are: a cell that is intact was not seen to break. `bound` is the analysis's word, where it knows of the misbehaviour.

    Examples
    --------
    >>> import rtvirt as rv
    >>> found = isolation(rv.platform.bench(), "android", configurations=["rtds", "credit"], misbehaviours=["bursts"], runs=3)
    >>> found.grid["bursts"].to_dict()
    {'rtds': 'slower', 'credit': 'broken'}
    """
    configurations, misbehaviours = (list(one) if isinstance(one, Collection) and not isinstance(one, str) else [one]
                                     for one in (configurations, misbehaviours))
    check(board, offender, configurations, misbehaviours, runs)
    rows: list[tuple[Any, ...]] = []
    length = 0
    for configuration in configurations:
        system, scheduler = recontract(board, configuration)
        length = duration or length_of(system)
        for name in misbehaviours:
            scene = Scene(system, offender, length, interrupt, section, reload)
            calm, bad = MISBEHAVIOURS[name](scene)
            rows += measured(configuration, name, calm, bad, scheduler, scene.guilty(name), runs, length, seed)
    columns = ["configuration", "misbehaviour", "task", "deadline", "before", "after", "bound", "promised", "jobs", "missed_before", "missed_after"]
    return Isolation(pd.DataFrame(rows, columns=columns).astype({"bound": object}), offender, runs, length)


def measured(configuration: str, misbehaviour: str, calm: System, bad: System, scheduler: Any, guilty: str, runs: int, length: int,
             seed: int) -> list[tuple[Any, ...]]:
    """A row for each task with a deadline of the others."""
    before, missed_before, jobs = worst(calm, scheduler, runs, length, seed, guilty)
    after, missed_after, _ = worst(bad, scheduler, runs, length, seed, guilty)
    bounds = promised(bad, scheduler)
    found = []
    for vm in calm.vms:
        for task in vm.tasks if vm.name != guilty else ():
            name = f"{vm.name}/{task.name}"
            if task.deadline is not None:
                bound = bounds.get(name)
                found.append((configuration, misbehaviour, name, task.deadline, before[name], after[name], bound,
                              bound is not None and bound <= task.deadline, jobs[name], missed_before[name], missed_after[name]))
    return found


def promised(system: System, scheduler: Any) -> Mapping[str, int | None]:
    """What `admit` says of a system that misbehaves; nothing beside devices and their faults. A crash is a VM that does less."""
    if system.faults or system.devices:
        return {}
    try:
        return admit(system.replace(changes=()), scheduler).bounds
    except (SpecError, LimitError):
        return {}


def worst(system: System, scheduler: Any, runs: int, length: int, seed: int, guilty: str) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Worst response [ns], misses and jobs of each task, over runs with other offsets."""
    found: dict[str, int] = {}
    missed: dict[str, int] = {}
    jobs: dict[str, int] = {}
    for k in range(runs):
        run = simulate(shifted(system, random.Random(f"{seed}/{k}"), guilty), scheduler, length, seed=k, record="jobs")
        for name, time in responses(run).items():
            found[name] = max(found.get(name, 0), time)
        table, (vms, tasks) = run.table("jobs"), run.task_names
        due = table["deadline"] >= 0
        late = due & np.where(table["finish"] >= 0, table["finish"] > table["deadline"], run.duration > table["deadline"])
        for k_task, (vm, task) in enumerate(zip(vms, tasks)):
            own = table["task"] == k_task
            missed[f"{vm}/{task}"] = missed.get(f"{vm}/{task}", 0) + int((late & own).sum())
            jobs[f"{vm}/{task}"] = jobs.get(f"{vm}/{task}", 0) + int((due & own).sum())
    return found, missed, jobs


def shifted(system: System, rnd: random.Random, guilty: str) -> System:
    """Other offsets, of all but the guilty VM: it begins at once."""
    vms = []
    for vm in system.vms:
        tasks = [task.replace(offset=rnd.choice([0, rnd.randrange(task.period)])) if task.period and vm.name != guilty else task for task in vm.tasks]
        vms.append(vm.replace(tasks=tasks))
    return system.replace(vms=vms)


def check(board: Any, offender: Any, configurations: Any, misbehaviours: Any, runs: Any) -> None:
    """Refuse what is not there."""
    need_boards(board)
    names = [vm.name for vm in board.vms]
    wrong = [Problem("offender", offender, ", ".join(names) or "no VMs", "name a VM of the board")] if offender not in names else []
    wrong += [Problem(field, given, "at least one", "leave the argument out for all of them")
              for field, given in (("configurations", configurations), ("misbehaviours", misbehaviours)) if not given]
    for field, given, known in (("configurations", configurations, CONFIGURATIONS), ("misbehaviours", misbehaviours, MISBEHAVIOURS)):
        wrong += [Problem(field, name, ", ".join(known), "choose some of these")
                  for name in given if not isinstance(name, str) or name not in known]
    if not isinstance(runs, int) or isinstance(runs, bool) or not 1 <= runs <= 100_000:
        wrong.append(Problem("runs", runs, "1 to 100000", "write for example runs=10"))
    if wrong:
        raise SpecError(wrong)
