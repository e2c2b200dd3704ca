"""Faults: interrupts that get lost or come for nothing, drivers that hang, front ends that lie (docs/io-model.md 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ..errors import Problem
from .spec import Duration, Spec, Time, know_fields, within

if TYPE_CHECKING:
    from .devices import Plumbing
    from .system import System

MOST_LOST = 1_000_000
KINDS = ("lost_interrupt", "spurious_interrupt", "storm", "hang", "bad_index")
Kind = Literal["lost_interrupt", "spurious_interrupt", "storm", "hang", "bad_index"]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=200)]
Count = Annotated[int, BeforeValidator(within(1, MOST_LOST)), Field(ge=1, le=MOST_LOST)]


class Fault(Spec):
    """Something that goes wrong with a device at an instant. VMs that crash and restart are `Change`.

    Parameters
    ----------
    at : int [ns]
    target : str
        What it hits: a stage with a port, ``"path/stage"``, for interrupts and storms; a thread, ``"vm/thread"``, for a hang; a path for a
        bad index.
    kind : {"lost_interrupt", "spurious_interrupt", "storm", "hang", "bad_index"}
        The next `count` notifications of the port vanish. The port is sent once, with no message. The port is sent at `at` and `every` so
        often, for `duration`: a device gone mad, or a front end that floods. The thread takes nothing for `duration`, though its VM runs (a
        front end's: responses that are never consumed); without `duration` until its VM crashes. The front end publishes an index that its
        ring cannot have: the back end sees it when it looks next, and disconnects the path.
    count : int
        Of a lost interrupt.
    every : int [ns], optional
        Of a storm.
    duration : int [ns], optional
        Of a storm or a hang.

    Raises
    ------
    SpecError
        With every mistake found; `System` checks that what it hits is there.

    Notes
    -----
    Nobody is charged for sending a storm: whoever floods has a CPU of its own. Corrupted data, wild writes and a device that
    writes into memory of others are left out.

    References
    ----------
    docs/io-model.md 9.

    Examples
    --------
    >>> from rtvirt.units import ms, us
    >>> Fault(ms(10), "net0.tx/back", "storm", every=us(20), duration=ms(50)).every
    20000
    """

    at: Time
    target: Text
    kind: Kind
    count: Count = 1
    every: Duration | None = None
    duration: Duration | None = None

    def __init__(self, at: Any = None, target: Any = None, kind: Any = None, /, **data: Any) -> None:
        data |= {name: value for name, value in (("at", at), ("target", target), ("kind", kind)) if value is not None}
        super().__init__(**data)


def check_faults(system: System, plumbing: Plumbing) -> Iterator[Problem]:
    """Faults must hit what is there, and say what their kind needs."""
    ports = {f"{path.name}/{stage.name}" for path, _, stage in plumbing.ports()}
    threads = {thread.key: thread for thread in plumbing.threads}
    rings = {path.name for path in plumbing.paths if path.slots is not None and path.stages[path.enter].server in threads
             and threads[path.stages[path.enter].server].vm != path.frontend}
    hit = {"hang": (set(threads), "a thread, written vm/thread"), "bad_index": (rings, "a path with slots, taken by a thread of another VM"),
           **{kind: (ports, "a stage with a port, written path/stage") for kind in KINDS[:3]}}
    for i, fault in enumerate(system.faults):
        there, what = hit[fault.kind]
        if fault.target not in there:
            yield Problem(f"faults[{i}].target", fault.target, ", ".join(sorted(there)) or f"nothing: no device has {what}", f"name {what}")
        for field, kinds, needed in (("every", ("storm",), True), ("duration", ("storm", "hang"), fault.kind == "storm")):
            value = getattr(fault, field)
            if value is not None and fault.kind not in kinds:
                yield Problem(f"faults[{i}].{field}", value, f"nothing, for {fault.kind}", f"leave `{field}` out")
            elif value is None and fault.kind in kinds and needed:
                yield Problem(f"faults[{i}].{field}", None, f"a time, for {fault.kind}", f"say {field}=")
        if fault.count != 1 and fault.kind != "lost_interrupt":
            yield Problem(f"faults[{i}].count", fault.count, f"nothing, for {fault.kind}", "leave `count` out")


know_fields(Fault)
