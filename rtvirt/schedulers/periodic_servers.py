"""Periodic servers: a budget in every period, idled away when there is nothing to run (docs/servers.md S3; rule numbers in brackets).

The idea. The server takes its turn in every period whether its VM has work or not, as if an idle task in it always computed. From outside it
*is* a periodic task, and from inside a VM gets its time at places that do not depend on what it does.

What to look for. The pCPU stands idle while somebody else waits. Work that comes after the budget is idled away waits for the next period, as
under a polling server; while budget idles, it is served at once, as under a deferrable one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..jit import kernel
from .contracts import Contracts
from .server_dispatch import account, come, decide, leave, sleep, start, tick, worth, yield_  # noqa: F401  (the loop's)
from .server_periods import place, replenish  # noqa: F401
from .server_queues import Servers


@dataclass(frozen=True)
class PeriodicServers(Servers):
    """Each vCPU is given `VM.budget` in every `VM.period`, used or not.

    Parameters
    ----------
    order : {"fp", "edf"}
        As in `DeferrableServers`.

    Notes
    -----
    As in `DeferrableServers`. Not work-conserving: not even background VMs get the time that a server idles away. (Davis and Burns let less
    important *servers* wait in the same way; hypervisors that reclaim the time are another scheduler.)

    Raises
    ------
    SpecError
        As in `DeferrableServers`.

    References
    ----------
    docs/servers.md S1, S3. Davis and Burns, Hierarchical fixed priority pre-emptive scheduling, RTSS 2005. `rtvirt.analysis.PeriodicResource` is
    what it guarantees.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> late = rv.VM("late", tasks=[rv.Task("burst", releases=[ms(1)], wcet=ms(4))], budget=ms(2), period=ms(5))
    >>> run = rv.simulate(rv.System(vms=[late]), PeriodicServers(), duration=ms(20))
    >>> run.slices[["start", "end"]].values.tolist()                # a millisecond of the first budget was idled away
    [[1000000, 2000000], [5000000, 7000000], [10000000, 11000000]]
    """

    kernel_name: ClassVar[str] = "periodic_servers"

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        own = super().make_state(cpus, contracts)
        own.rules.idles = 1
        return own


@kernel
def wake(st, own, now, v):
    """It has been in the queue, or idling on a pCPU, all the time, unless its budget is used up (S3.2)."""
    come(st, own, v, now + st.costs.wake_path)
