"""Polling servers: a budget for whoever has work when the period begins (docs/servers.md S2; rule numbers in brackets).

The idea. The server looks for work at the beginning of each period. If there is some it serves it, up to its budget; as soon as there is none, it
gives up what is left. So from outside it is a periodic task, which sometimes takes less than it may.

What to look for. Who has just been missed waits for a whole period, and then for the server's turn: the price for a rule that needs no more than a
periodic timer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..jit import kernel
from ..state import DEPLETE, log
from .runqueue import NOBODY
from .server_dispatch import account, charge, come, elect, leave, sleep, start, tick, worth, yield_  # noqa: F401  (the loop's)
from .server_periods import place, replenish  # noqa: F401
from .server_queues import Servers, reserved, runnable


@dataclass(frozen=True)
class PollingServers(Servers):
    """Each vCPU that has something to run when its period begins may use `VM.budget` until it has nothing to run.

    Parameters
    ----------
    order : {"fp", "edf"}
        As in `DeferrableServers`.

    Notes
    -----
    As in `DeferrableServers`. Work that comes at the very instant at which a period begins is found. A vCPU that blocks and is woken before its
    pCPU has decided again (`Costs.block_path`) has not stopped.

    Raises
    ------
    SpecError
        As in `DeferrableServers`.

    References
    ----------
    docs/servers.md S1, S2. Lehoczky, Sha and Strosnider, RTSS 1987; Sprunt, Sha and Lehoczky, Real-Time Systems 1(1), 1989, section 2.
    `rtvirt.analysis.PollingServer` is what it guarantees.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> late = rv.VM("late", tasks=[rv.Task("burst", releases=[ms(1)], wcet=ms(4))], budget=ms(2), period=ms(5))
    >>> run = rv.simulate(rv.System(vms=[late]), PollingServers(), duration=ms(20))
    >>> run.slices[["start", "end"]].values.tolist()                # missed by a millisecond
    [[5000000, 7000000], [10000000, 12000000]]
    """

    kernel_name: ClassVar[str] = "polling_servers"


@kernel
def wake(st, own, now, v):
    """Work after the beginning of the period finds nothing left, unless the server still holds a pCPU (S2.2)."""
    server = own.vcpus[v]
    if reserved(own, v) and server.holds == NOBODY and now != server.deadline - server.period:
        server.left = min(server.left, 0)
    come(st, own, v, now + st.costs.wake_path)


@kernel
def decide(st, own, now, p):
    """Charge the holder; with nothing to run it gives up what is left (S2.3). Then the first that is ready."""
    v = own.pcpus[p].vcpu
    if v != NOBODY:
        charge(st, own, now, v)
        if not runnable(st, v) and reserved(own, v) and own.vcpus[v].left > 0:
            own.vcpus[v].left = 0
            log(st, now, p, v, DEPLETE, 0)
    return elect(st, own, now, p)
