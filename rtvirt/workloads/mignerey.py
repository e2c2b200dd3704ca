"""The comparison of Mignerey et al.: five VMs on one pCPU under the schedulers of open-source hypervisors.

Two VMs always compute, one of them half as important; one serves I/O, a Poisson stream of events; two are real-time, of 100 and 50 Hz. Each
configuration gives them the contract of one scheduler: weights, budgets, priorities, or slots. The parameters are the authors' own.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from typing import Any, NamedTuple

from .. import schedulers as ours
from ..datafolder import path
from ..errors import Problem, SpecError
from ..rng import task_key
from ..system import VM, System, Task, hog, uniform
from ..units import us

VMS = ("Heavy_CPU", "Light_CPU", "IO", "RT1", "RT2")


class StandIn(NamedTuple):
    """Our scheduler for one of theirs, and what is different about it."""

    name: str
    differs: str


STAND_INS = {
    "Cyclic": StandIn("ARINC653", "Xen's, which is one of the two that theirs stands for (the other is XtratuM's)"),
    "Credit": StandIn("Credit", "Xen 4.17's in full; theirs has no tick sampling, no parking and no load"),
    "Credit2": StandIn("Credit2", "Xen's in full; theirs resets credits without caps and run queues"),
    "RTDS_A": StandIn("RTDS", "Xen 4.17's; the I/O VM gets 0.25 ms every 2.5 ms"),
    "RTDS_B": StandIn("RTDS", "Xen 4.17's; the I/O VM gets 1 ms every 10 ms"),
    "Priority": StandIn("FixedPriority", "theirs is ACRN's; of equals (the two VMs that compute) both let the first one run on"),
    "BVT": StandIn("BVT", "Xen 3.0.2's; theirs is ACRN's, without warps, charging by 1/weight"),
    "IORR": StandIn("IORR", "ACRN's round robin puts whoever wakes at the head of the queue; RoundRobin, at the tail, cannot stand for it"),
    "PRR": StandIn("FixedPriority", "Xvisor's takes turns among equals, so its two VMs that compute share; ours lets the first one run on"),
    "PRM": StandIn("FixedPriority", "Xvisor's orders equals by deadline; ours lets the first one run on")}
"""Which of our schedulers stands for each of theirs."""


@lru_cache(maxsize=1)
def parameters() -> dict[str, dict[str, dict[str, Any]]]:
    """{configuration: {vm: {parameter: value}}}; times in ns. "all" holds what is the same in every configuration."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with path("published/mignerey/parameters.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            value = row["value"] if row["parameter"] == "behavior" else us(int(row["value"])) if row["unit"] == "us" else int(row["value"])
            found.setdefault(row["configuration"], {}).setdefault(row["vm"], {})[row["parameter"]] = value
    return found


def mignerey(configuration: str = "Credit", *, seed: int = 0) -> System:
    """The five VMs, with the contract of one configuration.

    Parameters
    ----------
    configuration : str
        A key of `STAND_INS`.
    seed : int
        The real-time VMs start up to 1 ms late, each by a random time, as in the original; that of `simulate` is another matter.

    Raises
    ------
    SpecError

    Notes
    -----
    Execution times of the real-time jobs are uniform on 50 to 100 % of the target. The original works in steps of 1 us, and asks in fixed
    windows whether the work of a period was done; here a job's deadline is one period after its own release.

    References
    ----------
    L. Mignerey, A. Ferrari, D. Sauveron, K. Tamine, "VM schedulers in open-source hypervisors dedicated to embedded systems – a survey",
    with its simulator, Thales 2026.

    Examples
    --------
    >>> import rtvirt as rv
    >>> five = mignerey("RTDS_B")
    >>> [(vm.name, vm.budget) for vm in five.vms][2:], round(five["RT1"].tasks[0].period / 1e6)
    ([('IO', 1000000), ('RT1', 2000000), ('RT2', 4000000)], 10)
    """
    known(configuration)
    common, own = parameters()["all"], parameters()[configuration]
    return System(vms=[VM(name, tasks=[work(common[name], i, seed)], **contract(own.get(name, {}))) for i, name in enumerate(VMS)])


def mignerey_schedulers() -> dict[str, Any]:
    """{configuration: scheduler} for those of their schedulers that ours stand for, in their order.

    Examples
    --------
    >>> [name for name in mignerey_schedulers() if name.startswith('RTDS')]
    ['RTDS_A', 'RTDS_B']
    """
    return {name: mignerey_scheduler(name) for name, stand_in in STAND_INS.items() if hasattr(ours, stand_in.name)}


def mignerey_scheduler(configuration: str) -> Any:
    """Our scheduler for one configuration, with its parameters."""
    known(configuration)
    kind = getattr(ours, STAND_INS[configuration].name, None)
    if kind is None:
        raise SpecError([Problem("configuration", configuration, ", ".join(mignerey_schedulers()), "there is no scheduler yet to stand for it")])
    own = parameters()[configuration]
    if configuration == "Cyclic":
        slots = sorted((int(key.split()[1]), name, time) for name, slot in own.items() for key, time in slot.items())
        return kind([(name, 0, time) for _, name, time in slots])
    return kind()


def work(one: dict[str, Any], number: int, seed: int) -> Task:
    """What a VM has to do."""
    if one["behavior"] == "cpu":
        return hog()
    if one["behavior"] == "io":
        return Task("io", wcet=one["target_run_time"], period=one["mean_interval"], arrival="poisson")
    most = one["target_run_time"]
    late = task_key(seed, number, 0) * 1000 >> 32                  # 32 random bits
    return Task("rt", wcet=uniform(most // 2, most), period=one["period"], offset=us(late))


def contract(own: dict[str, Any]) -> dict[str, Any]:
    """A VM's fields for its scheduler."""
    found: dict[str, Any] = {}
    if "weight" in own:
        found |= {"weight": own["weight"], "bvt": {"mcu_advance": max(1, 1024 // own["weight"])}}
    if "budget" in own:
        found |= {"budget": own["budget"], "period": own["server_period"], "extratime": bool(own["extratime"])}
    if "priority" in own:
        found["priority"] = 256 - own["priority"]
    return found


def known(configuration: str) -> None:
    """Refuse other names."""
    if configuration not in STAND_INS:
        raise SpecError([Problem("configuration", configuration, ", ".join(STAND_INS), "choose one of these")])
