"""Constant bandwidth servers: a budget and a deadline that moves with what is used (docs/servers.md S6; rule numbers in brackets).

The idea. Among servers scheduled by EDF, each may have the bandwidth Q/P and no more, whatever its VM does. A VM that wants more than its budget is
not stopped: its deadline is *postponed* by a period, so that it goes on only if nobody with an earlier one wants the pCPU. A VM that wakes may
keep its old budget and deadline only if they still fit its bandwidth; otherwise it starts afresh.

What to look for. An overrun hurts only the VM that overruns. But a VM that used the idle time of others runs its deadline far ahead, and then must
wait as long as it was ahead (*deadline aging*); the hard variant waits at each deadline instead, and has a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import Problem, SpecError
from ..jit import kernel
from ..state import REPLENISH, log
from ..timers import NEVER, first_timer
from ..units import format_ns
from .contracts import Contracts
from .runqueue import NOBODY
from .server_dispatch import account, charge, come, elect, leave, look_again, sleep, start, tick, worth, yield_  # noqa: F401  (the loop's)
from .server_queues import Servers, expect, reserved

LONGEST = 3_000_000_000            # of a period: the product of two times must fit into 64 bits [ns] (S6.5)


@dataclass(frozen=True)
class CBS(Servers):
    """Each vCPU has a constant bandwidth server of `VM.budget` and `VM.period`.

    Parameters
    ----------
    order : {"edf"}
        There is no other: the rules are about deadlines.
    hard : bool
        False, the original: a used-up budget is replenished at once, the deadline a period later. True: not before the deadline.

    Notes
    -----
    As in `DeferrableServers`. Only the hard variant guarantees a supply in every window (`rtvirt.analysis.ConstantBandwidthServer`); the soft one
    guarantees what its authors proved: a task whose jobs fit its budget and period meets its deadlines, whatever other VMs do. Greedy reclamation
    (GRUB) is left out.

    Raises
    ------
    SpecError
        An order other than EDF, `hard` neither True nor False; and, when it is simulated, a budget without a period, or a period above 3 s.

    References
    ----------
    docs/servers.md S1, S6. Abeni and Buttazzo, Integrating multimedia applications in hard real-time systems, RTSS 1998; Rajkumar et al., Resource
    kernels, MMCN 1998 (hard reservations).

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms
    >>> greedy = rv.VM("greedy", tasks=[rv.hog()], budget=ms(2), period=ms(5))
    >>> steady = rv.VM("steady", tasks=[rv.Task("t", wcet=ms(3), period=ms(6))], budget=ms(3), period=ms(6))
    >>> run = rv.simulate(rv.System(vms=[greedy, steady]), CBS(), duration=ms(600))
    >>> run.vms["share"].tolist(), int(run.jobs["missed"].sum())
    ([0.5, 0.5], 0)
    """

    order: str = "edf"
    hard: bool = False

    ORDERS: ClassVar[tuple[str, ...]] = ("edf",)
    kernel_name: ClassVar[str] = "cbs"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.hard, bool):
            raise SpecError([Problem("CBS.hard", self.hard, "True or False", "write hard=True for hard reservations", "")])

    def make_state(self, cpus: int, contracts: Contracts) -> Any:
        """The scheduler's tables."""
        long = (contracts.budget != NEVER) & (contracts.period != NEVER) & (contracts.period > LONGEST)
        if long.any():
            v = int(long.argmax())
            raise SpecError([Problem(f"vms[{contracts.names[contracts.vcpu_vm[v]]}].period", int(contracts.period[v]),
                                     f"at most {format_ns(LONGEST)} under CBS", "give a shorter period and a smaller budget", "")])
        own = super().make_state(cpus, contracts)
        own.rules.hard = int(self.hard)
        return own


@kernel
def place(st, own, now, v):
    """A VM starts (S6.1)."""
    if reserved(own, v):
        own.vcpus[v].charged_to = now
        start_afresh(st, own, now, v)
    come(st, own, v, now + st.costs.wake_path)


@kernel
def start_afresh(st, own, now, v):
    """A full budget, and a period to use it."""
    server = own.vcpus[v]
    server.left = server.budget
    server.deadline = now + server.period
    expect(st, own, v, NEVER)
    log(st, now, st.vcpus[v].pcpu, v, REPLENISH, server.left)


@kernel
def wake(st, own, now, v):
    """May it go on with its old budget and deadline? Only if they do not exceed its bandwidth (S6.2)."""
    if reserved(own, v) and own.vcpus[v].holds == NOBODY and too_much_left(own, now, v):
        start_afresh(st, own, now, v)
    come(st, own, v, now + st.costs.wake_path)


@kernel
def too_much_left(own, now, v):
    """left / (deadline - now) >= budget / period, in whole numbers; a deadline far ahead is compared without a product that may not fit."""
    server = own.vcpus[v]
    ahead = server.deadline - now
    if ahead > server.period:
        return False
    return ahead <= 0 or server.left * server.period >= ahead * server.budget


@kernel
def decide(st, own, now, p):
    """Charge the holder, and postpone its deadline, or let it wait for it, when nothing is left (S6.3, S6.4). Then the first that is ready."""
    v = own.pcpus[p].vcpu
    if v != NOBODY:
        charge(st, own, now, v)
        if own.rules.hard and own.vcpus[v].left <= 0:
            expect(st, own, v, max(own.vcpus[v].deadline, now))
        while own.vcpus[v].left <= 0 and not own.rules.hard:
            postpone(st, own, now, v)
    return elect(st, own, now, p)


@kernel
def postpone(st, own, now, v):
    """The next budget, with the next deadline."""
    server = own.vcpus[v]
    server.left += server.budget
    server.deadline += server.period
    log(st, now, st.vcpus[v].pcpu, v, REPLENISH, server.left)


@kernel
def replenish(st, own, now, k):
    """The deadline of a hard server has come (S6.4)."""
    v = first_timer(own.due)
    if own.vcpus[v].holds != NOBODY:
        charge(st, own, now, v)
    postpone(st, own, now, v)
    expect(st, own, v, max(own.vcpus[v].deadline, now) if own.vcpus[v].left <= 0 else NEVER)
    look_again(st, own, now, v)
