"""The scheduling contract: what processor time a VM is promised, and when at the latest it begins."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, model_validator

from ..errors import Problem
from ..system.spec import Duration, List, Spec, Time, know_fields, wrong
from ..system.vm import Cap, Priority, Weight
from .fields import Flag


class Contract(Spec):
    """What all contracts say.

    Parameters
    ----------
    section : int [ns]
        Longest time for which this VM's work in the hypervisor, or with interrupts off beside others, holds the pCPU against everybody.
    wakeup : int [ns], optional
        An event for the VM when it is idle, or preempted, finds it running within this time at the latest.
    """

    section: Time = 0
    wakeup: Duration | None = None


class NoContract(Contract):
    """Nothing is promised: a pCPU of its own, or what is left."""

    kind: Literal["none"] = "none"


class Share(Contract):
    """A share under contention: `weight` against the weights of others, `cap` percent of a pCPU at most (0: no limit)."""

    kind: Literal["share"] = "share"
    weight: Weight = 256
    cap: Cap = 0


class Reservation(Contract):
    """`budget` in every `period` for each vCPU [ns]; `priority` where the scheduler orders by it; more, if nobody reserved it, with `extratime`."""

    kind: Literal["reservation"] = "reservation"
    budget: Duration
    period: Duration
    priority: Priority | None = None
    extratime: Flag = False

    @model_validator(mode="after")
    def check(self) -> Reservation:
        """A budget fits its period."""
        if self.budget > self.period:
            wrong([Problem("budget", self.budget, f"at most the period, {self.period}", "lower the budget")])
        return self


class Rank(Contract):
    """Before all VMs of a lower priority, without a limit; 1 is the highest."""

    kind: Literal["priority"] = "priority"
    priority: Priority


class Slot(Spec):
    """A window of the frame [ns]."""

    start: Time = 0
    length: Duration


class Slots(Contract):
    """Windows of a `frame` that repeats [ns], on one pCPU, for the VM's only vCPU."""

    kind: Literal["slots"] = "slots"
    frame: Duration
    slots: Annotated[tuple[Slot, ...], List]

    @model_validator(mode="after")
    def check(self) -> Slots:
        """Slots lie within the frame."""
        wrong([Problem(f"slots[{i}]", slot.start, f"within the frame, to {self.frame}", "move or shorten it, or lengthen the frame")
               for i, slot in enumerate(self.slots) if slot.start + slot.length > self.frame])
        return self


KINDS = {"none": NoContract, "share": Share, "reservation": Reservation, "priority": Rank, "slots": Slots}


def kind_of(value: Any) -> str | None:
    """Which contract this is, or describes."""
    kind = value.get("kind", "none") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"({kind})" if isinstance(kind, str) and kind in KINDS else None


AnyContract = Annotated[
    Annotated[NoContract, Tag("(none)")] | Annotated[Share, Tag("(share)")] | Annotated[Reservation, Tag("(reservation)")]
    | Annotated[Rank, Tag("(priority)")] | Annotated[Slots, Tag("(slots)")],
    Discriminator(kind_of, custom_error_type="refused", custom_error_message="{allowed}",
                  custom_error_context={"allowed": f"a contract of one of the kinds {', '.join(KINDS)}", "fix": "add for example kind: reservation"})]


def kind_or_none(value: Any) -> str | None:
    """The same where a contract may be left out."""
    return "none" if value is None else kind_of(value)


MaybeContract = Annotated[
    Annotated[None, Tag("none")] | Annotated[NoContract, Tag("(none)")] | Annotated[Share, Tag("(share)")]
    | Annotated[Reservation, Tag("(reservation)")] | Annotated[Rank, Tag("(priority)")] | Annotated[Slots, Tag("(slots)")],
    Discriminator(kind_or_none, custom_error_type="refused", custom_error_message="{allowed}",
                  custom_error_context={"allowed": f"a contract of one of the kinds {', '.join(KINDS)}, or none at all",
                                        "fix": "add for example kind: reservation"})]

know_fields(NoContract, Share, Reservation, Rank, Slot, Slots)
