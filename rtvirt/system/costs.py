"""What the hypervisor itself costs: path lengths, timers, overheads. All zero unless given."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from ..errors import Problem
from . import presets
from .spec import Spec, Time, know_fields, wrong


class Costs(Spec):
    """Costs of the hypervisor [ns] (docs/model.md 8); everything is 0 unless given.

    Parameters
    ----------
    wake_path : int [ns]
        From a wake-up to the scheduling decision it asks for. Whoever runs goes on meanwhile.
    boost_path : int [ns]
        The extra of a wake-up that starts a boost.
    block_path : int [ns]
        From a vCPU's blocking (or yielding) to the decision.
    switch_out, switch_in : int [ns]
        From a decision to the end of the old stint, and to the start of the new one. The new vCPU is charged from the decision.
    block_switch_out, block_switch_in : int [ns], optional
        The same when the old vCPU is not runnable; by default as above.
    idle_saving : int [ns]
        By so much all four are shorter where the old or the new one is idle: a vCPU's registers are then left where they are.
    timer_slop : int [ns]
        A slice timer set nearer than this fires this long after it was set (Xen: 50 us).
    timer_late : int [ns]
        Lateness of slice timers, ticks, accounting and replenishments; `slice_late`, `tick_late`, `account_late` and `replenish_late`
        override it one by one.
    replenish_path, replenish_each : int [ns]
        From a replenishment of budgets to the scheduling decision it asks for: once, and for each vCPU that gets a budget (RTDS;
        credit2's caps: once).
    rearm_path : int [ns]
        From a replenishment of budgets to the moment at which its handler sets the clock anew, no nearer than `timer_slop` ahead: a slice that
        ends in between waits until then (RTDS).
    saved_path : int [ns]
        From the end of a switch, when the old vCPU's registers are saved and it is queued again, to the decision that this asks for (RTDS, credit2).
    decision : int [ns]
        Of each scheduling decision: delays the vCPU that goes on, or the one that comes.
    context_switch : int [ns]
        Of a switch between vCPUs, before the new one works. Charged to the new one, as Xen does.
    guest_switch : int [ns]
        When a guest switches tasks on a vCPU: delays the new task.
    tick : int [ns]
        Of the scheduler's tick: delays the vCPU it interrupts.
    hypercall : int [ns]
        Of each block, yield and send: paid by the caller.
    interrupt : int [ns]
        Of each release: delays the vCPU that runs where the addressed vCPU last ran.
    cache_reload : int [ns]
        Extra work of a vCPU that comes back to a pCPU after another one ran there.

    Raises
    ------
    SpecError
        With every mistake found; also when an old stint would end after the new one has begun.

    Notes
    -----
    Costs are constants: no distribution, no dependence on load. docs/costs.md gives measured ones with their sources.

    Examples
    --------
    >>> Costs.preset("xen-4.5-pv")
    Costs(hypercall=220)
    >>> Costs.preset("xen-2003").replace(hypercall=220).guest_switch
    1200
    """

    @classmethod
    def preset(cls, name: str) -> Costs:
        """Costs measured on some machine; what the source does not say is 0.

        Parameters
        ----------
        name : {"traced-xen", "traced-xen-rtds", "xen-2003", "xen-4.5-pv", "spumone-2011", "traced-xen-credit2"}
            In a system file: ``costs: traced-xen``, or ``costs: {preset: traced-xen, hypercall: 220 ns}``. See `sources`.

        Raises
        ------
        SpecError
            No such preset; it lists those there are.
        """
        return cls(**presets.fields(name))

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names of the presets."""
        return presets.names()

    @staticmethod
    def sources(name: str) -> list[dict[str, Any]]:
        """Where each figure of a preset comes from: one row a field, with the figure as published, machine, paper, table, evidence."""
        return presets.sources(name)

    @model_validator(mode="after")
    def check(self) -> Costs:
        """A stint cannot end after the next one has begun."""
        begins = self.switch_in + self.context_switch + self.decision
        found = [Problem("switch_out", self.switch_out, f"at most switch_in + context_switch + decision = {begins}",
                         "raise switch_in")] if self.switch_out > begins else []
        out = self.switch_out if self.block_switch_out is None else self.block_switch_out
        begins += (self.switch_in if self.block_switch_in is None else self.block_switch_in) - self.switch_in
        if out > begins:
            found.append(Problem("block_switch_out", out, f"at most block_switch_in + context_switch + decision = {begins}",
                                 "raise block_switch_in"))
        least = min(self.switch_out, self.switch_in, out, self.switch_in if self.block_switch_in is None else self.block_switch_in)
        if self.idle_saving > least:
            found.append(Problem("idle_saving", self.idle_saving, f"at most the shortest switch = {least}", "a switch takes no less than 0"))
        wrong(found)
        return self

    wake_path: Time = 0
    boost_path: Time = 0
    block_path: Time = 0
    switch_out: Time = 0
    switch_in: Time = 0
    block_switch_out: Time | None = None
    block_switch_in: Time | None = None
    idle_saving: Time = 0
    timer_slop: Time = 0
    timer_late: Time = 0
    slice_late: Time | None = None
    tick_late: Time | None = None
    account_late: Time | None = None
    replenish_late: Time | None = None
    replenish_path: Time = 0
    replenish_each: Time = 0
    rearm_path: Time = 0
    saved_path: Time = 0
    decision: Time = 0
    context_switch: Time = 0
    guest_switch: Time = 0
    tick: Time = 0
    hypercall: Time = 0
    interrupt: Time = 0
    cache_reload: Time = 0


know_fields(Costs)
