"""What no bound can hold for: systems to be simulated, in which a message takes as long as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...simulation import simulate
from ...system import VM, Arrivals, System, hog
from ...system.devices import CustomDevice, Plumbing, plumbing_of
from ...units import ms


def beside_hogs(system: System, hogs: int) -> System:
    """The system with so many VMs more that always compute."""
    names = [name for name in (f"hog{k}" for k in range(hogs + len(system.vms))) if name not in {vm.name for vm in system.vms}]
    return system.replace(vms=(*system.vms, *(VM(name, tasks=[hog()]) for name in names[:hogs])))


def grown(system: System, scheduler: Any, path: str, *, hogs: Sequence[int] = (0, 1, 4, 8), duration: int = ms(1000)) -> list[tuple[int, int]]:
    """How a path's worst message grows with hogs beside, where nothing bounds it.

    Returns
    -------
    list of (int, int [ns])
        So many hogs more, and the longest that a message took in the simulation; of one that is still on its way at the end, its age.

    Notes
    -----
    Under Xen's credit scheduler a driver VM is boosted when it wakes, if it has credit left: with each VM more its share is smaller, it is OVER
    more often when an interrupt comes, and then it waits for a slice of each of the others (docs/xen-rules.md 2.6, 2.9).
    """
    return [(count, worst_of(beside_hogs(system, count), scheduler, path, duration)) for count in hogs]


def worst_of(system: System, scheduler: Any, path: str, duration: int) -> int:
    """Longest that a message of a path takes in a run, or has taken so far [ns]."""
    table = simulate(system, scheduler, duration).paths[path]
    came = table[[name for name in table.columns if name.endswith(".in")][0]].to_numpy()
    total = table["total"].to_numpy()
    return int(np.where(total >= 0, total, duration - came)[(table["dropped"] == "") & (came >= 0)].max(initial=0))


def unheard(system: System, path: str) -> System:
    """The system when a thread has served a message and sleeps; then fewer come than it waits for, and no more: they stay (docs/io-model.md 2.9)."""
    plumbing = plumbing_of(system)
    chosen = next(one for one in plumbing.paths if one.name == path)
    few = max(1, min((stage.after - 1 for stage in chosen.stages if stage.after > 1 and stage.timeout is None), default=1))
    paths = tuple(replace(one, arrivals=Arrivals(releases=[0, *[ms(20)] * few])) if one is chosen else one for one in plumbing.paths)
    return system.replace(devices=[CustomDevice("plumbing", plumbing=Plumbing(plumbing.threads, plumbing.lines, paths, plumbing.pools,
                                                                             plumbing.upcalls))])
