"""Systems in which RTDS does not keep budgets although they fit by far: why some of its forms are promised nothing. To be simulated and seen."""

from __future__ import annotations

from ...schedulers import RTDS
from ...system import VM, System, Task, hog
from ...units import ms


def late_replenishment() -> tuple[System, RTDS]:
    """One vCPU with extratime, and another, without it, that for 40 of its periods gets nothing.

    The budgets take less than half of the pCPU. ``greedy`` soon is on extratime, and ``own``, which is depleted, comes to stand behind it in the
    replenishment queue. Then ``n1`` and ``n2`` are replenished in turn, and each is put before ``greedy``, whose level is lower (docs/xen-rules.md
    6.2.13). The handler stops at the first that is not due. Only when both are due at once does it come to the others, whose deadlines are long past.

    Examples
    --------
    >>> import rtvirt as rv
    >>> system, scheduler = late_replenishment()
    >>> run = rv.simulate(system, scheduler, duration=ms(600))
    >>> int(run.tasks.loc[("own", "t"), "response_max"]) // ms(7)
    39
    """
    vms = [VM("n1", tasks=[hog()], budget=ms(1), period=ms(11), start=ms(2)),
           VM("own", tasks=[Task("t", wcet=ms(1) // 2, period=ms(7)), hog()], budget=ms(1), period=ms(7), start=ms(2)),
           VM("greedy", tasks=[hog()], budget=ms(1), period=ms(7), extratime=True),
           VM("n2", tasks=[hog()], budget=ms(1), period=ms(10), start=ms(1))]
    return System(vms=vms), RTDS()


def idle_beside() -> tuple[System, RTDS]:
    """Xen 4.5, two vCPUs on two pCPUs: one waits while the other runs on the pCPU that both know, and the second pCPU stays idle.

    ``own`` has a new budget at 10 ms. The first pCPU sees that when it decides, and goes on with what it runs; the second has never decided,
    has no quantum, and is not told (docs/xen-rules.md 6.3.1).

    Examples
    --------
    >>> import rtvirt as rv
    >>> system, scheduler = idle_beside()
    >>> run = rv.simulate(system, scheduler, duration=ms(20))
    >>> run.slices[["cpu", "vm", "start", "end"]].values.tolist()
    [[0, 'own', 0, 1000000], [0, 'other', 8000000, 13000000], [0, 'own', 13000000, 14000000]]
    """
    vms = [VM("own", tasks=[hog()], budget=ms(1), period=ms(10)),
           VM("other", tasks=[Task("t", wcet=ms(5), releases=[ms(8)])], budget=ms(5), period=ms(20))]
    return System(cpus=2, vms=vms), RTDS(xen="4.5")
