"""How long a path is out of service when its driver's VM crashes, and what the same fault would cost without driver VMs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import Problem, SpecError
from ..results import Run
from ..rng import ARRIVAL, scramble, task_key
from ..system import Change, System, exponential

if TYPE_CHECKING:
    import pandas as pd


def availability(mttf: int, restart: int, reconnect: int = 0) -> float:
    """Long-run fraction of the time in which a path is up.

    Parameters
    ----------
    mttf : int [ns]
        Mean time from being up again to the next failure.
    restart, reconnect : int [ns]
        From the crash to the restart of the driver's VM, and from then until messages pass again (means).

    Returns
    -------
    float
        MTTF / (MTTF + restart + reconnect): an alternating renewal process; no distribution is assumed.

    Raises
    ------
    SpecError
        Times that are negative, or all 0.

    Notes
    -----
    The time until somebody notices the failure counts as restart time. What the path needs to catch up afterwards is left out: a backlog
    that has grown for the whole outage is served at the speed of the driver.

    Examples
    --------
    >>> from rtvirt.units import ms, s
    >>> availability(s(99), ms(900), ms(100))
    0.99
    """
    check_times("availability", mttf=mttf, restart=restart, reconnect=reconnect)
    return mttf / (mttf + restart + reconnect)


def check_times(where: str, **times: object) -> None:
    """Times in whole ns; some time must pass before a failure."""
    found = [Problem(f"{where}.{field}", value, f"a whole number of ns, {least} or more", "write for example ms(20)", "")
             for field, value in times.items() for least in [int(field == "mttf")]
             if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least]
    if found:
        raise SpecError(found)


def crashes(vms: str | Sequence[str], *, mttf: int, restart: int, duration: int, seed: int = 0) -> tuple[Change, ...]:
    """Crashes and restarts of a VM, or of several at once.

    Parameters
    ----------
    vms : str or sequence of str
        Who dies.
    mttf : int [ns]
        Mean of the exponential times from a restart to the next crash.
    restart : int [ns]
        From each crash to the restart.
    duration : int [ns]
        No crash at or after it.
    seed : int
        Same seed, same crashes, on every platform.

    Returns
    -------
    tuple of Change

    Examples
    --------
    >>> from rtvirt.units import ms, s
    >>> [change.state for change in crashes("dom0", mttf=s(1), restart=ms(50), duration=ms(500), seed=3)]
    ['crash', 'restart']
    """
    check_times("crashes", mttf=mttf, restart=restart, duration=duration)
    table, key, found, at, k = exponential(mttf).table(), task_key(seed, 0, 0), [], 0, 0
    while True:
        u = scramble(scramble(key ^ k) ^ ARRIVAL)
        place = u >> 20
        at += max(1, int(table[place]) + (int(table[place + 1] - table[place]) * (u & 0xFFFFF) >> 20))
        if at >= duration:
            return tuple(found)
        for vm in [vms] if isinstance(vms, str) else vms:
            found += [Change(at, vm, state="crash"), Change(at + restart, vm, state="restart")]
        at, k = at + restart, k + 1


def monolith(system: System, driver: str) -> System:
    """The same drivers in the hypervisor: whatever kills `driver` kills every VM, and they all start again when it does.

    Raises
    ------
    SpecError
        No such VM; or if other VMs crash by themselves: there is nobody who could crash alone.

    Notes
    -----
    That all VMs can start as fast as a driver's VM is in favour of the monolith.
    """
    if driver not in {vm.name for vm in system.vms}:
        raise SpecError([Problem("monolith.driver", driver, ", ".join(vm.name for vm in system.vms), "name a VM of the system", "")])
    alone = [change.vm for change in system.changes if change.state in ("crash", "restart") and change.vm != driver]
    if alone:
        raise SpecError([Problem("monolith", alone[0], f"crashes of {driver} only", "leave the crashes of other VMs out", "")])
    changes: list[Change] = []
    for change in system.changes:
        together = change.state in ("crash", "restart")
        changes += [change.replace(vm=vm.name) for vm in system.vms] if together else [change]
    return system.replace(changes=changes)


def outages(run: Run, path: str) -> pd.DataFrame:
    """What each crash of a VM that a path needs did to it: one row a crash.

    Returns
    -------
    DataFrame
        `vm`; `crash`, the instant; `first`, the first delivery at or after it, -1 if there was none; `outage`, from one to the other; times in
        ns. Of messages that were not in the crashed VM's hands some may be delivered soon after the crash: the outage ends with the first
        that is delivered after a `restart`.

    Raises
    ------
    RecordError
        Of a run without a trace.

    Notes
    -----
    It is measured with the messages there are: an outage ends no earlier than the next message comes.
    """
    import pandas as pd

    table, plan = run.paths[path], next(one for one in run.recording.plumbing.paths if one.name == path)
    threads = {thread.key: thread.vm for thread in run.recording.plumbing.threads}
    needed = {plan.frontend, *(threads[stage.server] for stage in plan.stages if stage.server in threads)}
    if plan.into is not None:
        needed.add(plan.into.partition("/")[0])
    last = "app.out" if plan.into is not None and plan.ends is None else f"{plan.stages[-1 if plan.ends is None else plan.ends].name}.out"
    ends = np.sort(table[table["total"] >= 0][last].to_numpy())
    rows = []
    for change in sorted((change for change in run.system.changes if change.vm in needed), key=lambda change: change.at):
        if change.state == "crash" and change.at < run.duration:
            back = min((other.at for other in run.system.changes if other.vm == change.vm and other.state == "restart" and other.at >= change.at),
                       default=run.duration)
            place = int(np.searchsorted(ends, back))
            first = int(ends[place]) if place < len(ends) else -1
            rows.append({"vm": change.vm, "crash": change.at, "first": first, "outage": first - change.at if first >= 0 else -1})
    return pd.DataFrame(rows, columns=["vm", "crash", "first", "outage"])


def measured_availability(run: Run, path: str) -> float:
    """Fraction of a run in which a path was not waiting for its first delivery after a crash (`outages`); of several at once, once."""
    down, until = 0, 0
    for crash, first in outages(run, path)[["crash", "first"]].itertuples(index=False):
        end = int(first) if first >= 0 else run.duration
        down += max(0, end - max(int(crash), until))
        until = max(until, end)
    return 1 - down / run.duration
