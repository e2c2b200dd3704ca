"""How much the hypervisor may do for a VM in any interval: from rate limits on its crossings to what admission takes into account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis.admission import Trapping
from ..analysis.arrivals import ArrivalCurve
from ..analysis.limits import whole_times
from ..errors import Problem, SpecError
from ..system import VM
from ..units import format_ns
from .checks import table
from .rates import Stream, curves, limited, scripted


@dataclass(frozen=True, repr=False)
class OverheadBound:
    """Most time that the hypervisor spends on a VM's behalf in any interval of a length.

    Attributes
    ----------
    interval, total : int, or array of int [ns]
    by_kind : {kind: int, or array of int} [ns]
        Parts of `total`, which is never more than all the time that the VM's vCPUs have.
    section : int [ns]
        The longest crossing: for so long nobody else gets the pCPU.
    text : str
        Where the numbers come from.
    """

    interval: Any
    total: Any
    by_kind: Mapping[str, Any]
    section: int
    text: str

    def __repr__(self) -> str:
        return f"OverheadBound({self.text})"


def overhead_bound(vm: VM, platform: Any, interval: Any, *, limits: Mapping[str, ArrivalCurve] | None = None,
                   arrivals: Mapping[str, ArrivalCurve] | None = None, responses: Mapping[str, int | None] | None = None) -> OverheadBound:
    """Worst-case hypervisor time charged to a VM in any interval.

    Parameters
    ----------
    vm : VM
        Its tasks' `trap` steps count as they are; sends, blocks and yields, and the block at the end of each job, as ``"hypercall"``; releases as
        ``"interrupt"``.
    platform : {kind: int} [ns], Costs, an object with ``ns(kind)``, (structure, machine), or a machine
        What a crossing of each kind costs; "hypercall" and "interrupt" always, and each kind of `limits`. ``("paravirtual", "xeon-5540")`` is what
        that structure adds to each operation there (`cost`); of a machine alone its first structure is taken.
    interval : int, or array of int [ns]
    limits : {kind: ArrivalCurve}, optional
        Crossings beside those of the tasks: at most so many begin in a window.
    arrivals : {task: ArrivalCurve}, optional
        In place of what a task says of its arrivals; needed where that has no bound.
    responses : {task: int} [ns], optional
        Longest time from a job's arrival to its end, for example from ``rv.admit(...).bounds``; unless given, the deadline, taken to be met.

    Returns
    -------
    OverheadBound

    Raises
    ------
    SpecError
        A price or a bound that is missing or out of range.

    Notes
    -----
    Interrupts count for the VM that they are for, when they arrive. In a simulation whoever runs there then is delayed by them
    (`Costs.interrupt`), and `rv.admit` charges them to all. In integers, for every position of the interval: a crossing that it cuts counts whole.
    Left out: caches and TLBs that have to be filled again, and what the hypervisor does for nobody in particular.

    References
    ----------
    Thiele, Chakraborty and Naedele, ISCAS 2000 (arrival curves); crossings that begin before a window as carry-in.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> nic = rv.VM("nic", tasks=[rv.Task("rx", actions=[rv.run(us(20)), rv.trap(us(5))], period=us(500), deadline=us(100))])
    >>> found = overhead_bound(nic, {"hypercall": 800, "interrupt": 1500, "timer": 2000}, [us(1), ms(1), ms(10)],
    ...                        limits={"timer": rv.analysis.bursts(period=ms(1), jitter=us(100), distance=us(50))})
    >>> found.total.tolist(), found.section
    ([1000, 25900, 175300], 5000)
    >>> rtos = rv.VM("rtos", tasks=[rv.Task("loop", wcet=us(100), period=ms(1))])
    >>> overhead_bound(rtos, ("micro_vmm", "sh-4a"), ms(10))
    OverheadBound(rtos: interrupt: 663 ns at each arrival, over within 663 ns; the longest section takes 663 ns)
    """
    if not isinstance(vm, VM):
        raise SpecError([Problem("vm", vm, "a VM", "take it from its system: system['name']", "")])
    streams = scripted(vm, platform, curves("arrivals", arrivals or {}), table("responses", responses or {}, "ns by task")) \
        + limited(platform, limits or {})
    windows = whole_times(interval, "interval")
    if (windows < 0).any():
        raise SpecError([Problem("interval", interval, "0 ns or more", "give lengths of time", "")])
    most = vm.vcpus * windows
    kinds = dict.fromkeys(stream.kind for stream in streams)
    parts = {kind: sum(stream.charged(windows) for stream in streams if stream.kind == kind) for kind in kinds}
    total = np.minimum(most, sum(parts.values(), np.zeros_like(windows)))
    section = max((stream.longest for stream in streams), default=0)
    return OverheadBound(interval, shaped(total), {kind: shaped(np.minimum(most, part)) for kind, part in parts.items()}, section,
                         explain(vm, streams, section))


def shaped(times: np.ndarray) -> Any:
    """An int for an int, an array for an array."""
    return times if times.shape else int(times)


def explain(vm: VM, streams: list[Stream], section: int) -> str:
    """In words."""
    lines = [f"{stream.kind}: {format_ns(stream.cost)} at each arrival, over within {format_ns(stream.span)}" for stream in streams]
    return f"{vm.name}: {'; '.join(lines) or 'nothing'}; the longest section takes {format_ns(section)}"


def trapping(platform: Any, limits: Mapping[str, ArrivalCurve]) -> Trapping:
    """Rate-limited crossings of a VM as `rv.admit` takes them: ``rv.admit(system, scheduler, traps={"vm": trapping(platform, limits)})``.

    Parameters
    ----------
    platform, limits
        As in `overhead_bound`.

    Returns
    -------
    Trapping
        Work of the VM's own, before all its tasks; and its longest section, for which everybody on its pCPU waits.

    Examples
    --------
    How often may a neighbour trap? A control task of 6 ms in 10 ms beside a VM that comes first. The analysis knows; a simulation of the same storm
    agrees, to the nanosecond:

    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> control = rv.VM("control", priority=2, tasks=[rv.Task("loop", wcet=ms(6), period=ms(10))])
    >>> def beside(gap):
    ...     storm = rv.Task("storm", actions=[rv.trap(us(20))], period=gap)
    ...     return rv.System(vms=[control, rv.VM("noisy", priority=1, tasks=[storm])])
    >>> limit = next(gap for gap in range(us(40), us(60)) if rv.admit(beside(gap), rv.FixedPriority()))
    >>> limit, 10**9 // limit
    (50000, 20000)
    >>> [int(rv.simulate(beside(gap), rv.FixedPriority(), ms(10) + 1).recording.misses.sum()) for gap in (limit, limit - 1)]
    [0, 1]
    """
    streams = limited(platform, limits)
    rows = tuple((stream.cost, period, -offset) for stream in streams for period, offset in stream.curve.stairs)
    return Trapping(rows, max((stream.longest for stream in streams), default=0))
