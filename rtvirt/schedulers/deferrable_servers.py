"""Deferrable servers: a budget in every period, kept while there is nothing to run (docs/servers.md S4; rule numbers in brackets).

The idea. Work that comes in the middle of a period is served at once, as long as the period's budget lasts. What is not used by the end of
the period is lost.

What to look for. Kept budget hurts the less important: one budget used at the end of a period and the next at its beginning come *back to
back*, 2Q in a row, which no periodic task would do. Compare with `polling_servers.py` (answers late, hurts nobody) and `sporadic_servers.py`
(answers at once and hurts nobody, at the price of a longer rule).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..jit import kernel
from .server_dispatch import account, come, decide, leave, sleep, start, tick, worth, yield_  # noqa: F401  (the loop's)
from .server_periods import place, replenish  # noqa: F401
from .server_queues import Servers


@dataclass(frozen=True)
class DeferrableServers(Servers):
    """Each vCPU may use `VM.budget` in every `VM.period`, whenever in the period it has something to run.

    Parameters
    ----------
    order : {"fp", "edf"}
        Who goes first: the higher `VM.priority` (1 is the highest; without one, the shorter period), or the earlier end of the period. Among
        equals the priority decides, then the order given.

    Notes
    -----
    Global over the pCPUs that `VM.affinity` allows: partitioned, if each vCPU is given one. VMs without a budget run in the background, behind all
    servers, the first that can. There is no admission control, and no `Change` of contracts. With ``order="edf"`` and one pCPU this is the
    idea of Xen's RTDS without its ties, its grid of periods from 0 and its extratime. The model leaves out what a budget's timer costs; late
    timers (`Costs.slice_late`) overrun budgets, and what was overrun is taken off the next one.

    Raises
    ------
    SpecError
        An unknown order; and, when it is simulated, a budget without a period.

    References
    ----------
    docs/servers.md S1, S4. Lehoczky, Sha and Strosnider, RTSS 1987; Strosnider, Lehoczky and Sha, IEEE Trans. Computers 44(1), 1995.
    `rtvirt.analysis.DeferrableServer` is what it guarantees.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> late = rv.VM("late", tasks=[rv.Task("burst", releases=[ms(3)], wcet=ms(4))], budget=ms(2), period=ms(5))
    >>> run = rv.simulate(rv.System(vms=[late]), DeferrableServers(), duration=ms(20))
    >>> run.slices[["start", "end"]].values.tolist()                # the end of one period, and the beginning of the next
    [[3000000, 7000000]]
    """

    kernel_name: ClassVar[str] = "deferrable_servers"


@kernel
def wake(st, own, now, v):
    """What is left, is left: it waits for a pCPU (S4.1)."""
    come(st, own, v, now + st.costs.wake_path)
