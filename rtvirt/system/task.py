"""Tasks: what a guest runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from ..errors import Problem, SpecError
from ..units import LONGEST, parse_time
from .distributions import Distribution, Empirical, Exponential, Normal, Uniform
from .spec import FOREVER, Duration, List, Name, Spec, Time, know_fields, listed, one_or_each, refusal, time_schema, to_ns, within, wrong

AnyDistribution = Annotated[Uniform | Exponential | Normal | Empirical, Field(discriminator="kind")]


def to_work(value: Any) -> int:
    """Execution time as a user writes it: ``forever``, or a time."""
    t = FOREVER if isinstance(value, str) and value == "forever" else to_ns(value)
    if not 1 <= t <= FOREVER:
        raise refusal("1 ns to 2^53 ns (104 days), or forever", "choose a time of that range")
    return t


WORK = time_schema(1, "|forever")
Work = Annotated[int, BeforeValidator(to_work), Field(ge=1, le=FOREVER), WithJsonSchema(WORK)]
STEP_FORMS = {"run": WORK, "block": WORK, "trap": time_schema(1), **dict.fromkeys(("send", "submit", "request"), {"type": "string"})}
STEPS = {"anyOf": [{"const": "yield"}, *({"type": "object", "properties": {kind: form}, "required": [kind], "additionalProperties": False}
                                         for kind, form in STEP_FORMS.items())]}
"""JSON Schema of a step as a file writes it."""


class Step(Spec):
    """One step of a scripted task; made by `run`, `block`, `yield_`, `send`, `trap`, `submit` and `request`. Devices' threads `serve` and `scan`."""

    kind: Literal["run", "block", "yield", "send", "trap", "submit", "request", "serve", "scan"]
    duration: Work | None = None
    target: str | None = None

    @model_validator(mode="after")
    def check(self) -> Step:
        """What each kind of step needs; the hypervisor never works forever, or nobody would run again."""
        found = []
        if self.kind in ("run", "block", "trap") and self.duration is None:
            found.append(Problem("duration", None, f"a time, for a step that is a {self.kind}", f"write for example {self.kind}(us(5))"))
        if self.kind == "trap" and self.duration == FOREVER:
            found.append(Problem("duration", "forever", f"1 to {LONGEST} ns: a trap ends", "write for example trap(us(5))"))
        if self.kind == "send" and not self.target:
            found.append(Problem("target", self.target, "the name of a channel task, 'vm/task'", "write for example send('modem/rx')"))
        wrong(found)
        return self


def run(duration: int) -> Step:
    """Compute for so long `int [ns]`; FOREVER as a last step makes a hog."""
    return Step(kind="run", duration=duration)


def block(duration: int) -> Step:
    """Sleep for so long from now `int [ns]`."""
    return Step(kind="block", duration=duration)


def yield_() -> Step:
    """Offer the pCPU to others (SCHEDOP_yield)."""
    return Step(kind="yield")


def send(target: str) -> Step:
    """Release a job of the channel task called ``"vm/task"``."""
    return Step(kind="send", target=target)


def trap(length: int) -> Step:
    """Have the hypervisor work for so long on the VM's behalf `int [ns]`: neither it nor the guest can be preempted meanwhile (docs/model.md 3.8).

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import us
    >>> storm = rv.Task("storm", actions=[rv.run(us(1)), rv.trap(us(4))] * 8, period=us(100))
    """
    return Step(kind="trap", duration=length)


def submit(path: str) -> Step:
    """Put a message on a device's path, such as ``"net0.tx"`` (docs/io-model.md 4.4)."""
    return Step(kind="submit", target=path)


def request(path: str) -> Step:
    """The same, and sleep until it has come to its end, as a read of a block waits for its data.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.units import ms, us
    >>> reader = rv.Task("reader", period=ms(10), actions=[rv.run(us(20)), rv.request("disk0.read"), rv.run(us(50))])
    """
    return Step(kind="request", target=path)


def to_steps(value: Any) -> Any:
    """Steps as a file writes them: ``{run: 2 ms}``, ``yield``, ``{send: vm/task}``."""
    return tuple(to_step(item) for item in listed(value))


def to_step(item: Any) -> Any:
    """One step as a file writes it."""
    if isinstance(item, Step):
        return item
    if item == "yield":
        return {"kind": "yield"}
    if isinstance(item, dict) and len(item) == 1:
        (kind, amount), = item.items()
        if kind in ("run", "block", "trap"):
            return {"kind": kind, "duration": amount}
        if kind in ("send", "submit", "request"):
            return {"kind": kind, "target": amount}
    raise refusal("steps: {run: 2 ms}, {block: 1 ms}, yield, {send: vm/task}, {trap: 5 us}, {submit: net0.tx}, {request: disk0.read}",
                  "write each step as one of these; in Python run(ms(2)), block(ms(1)), yield_(), send('vm/task'), trap(us(5)), submit('net0.tx')")


def kind_of_demand(value: Any) -> str:
    """Is this one execution time, a list of them, or a distribution?"""
    if isinstance(value, (Distribution, dict)):
        return "distribution"
    return {"one": "time", "each": "times", "none": "none"}[one_or_each(value)]


Demand = Annotated[
    Annotated[Work, Tag("time")] | Annotated[Annotated[tuple[Duration, ...], List, Field(min_length=1)], Tag("times")]
    | Annotated[AnyDistribution, Tag("distribution")] | Annotated[None, Tag("none")], Discriminator(kind_of_demand)]
Rank = Annotated[int, BeforeValidator(within(1, 2**31 - 1)), Field(ge=1, le=2**31 - 1)]
LONGEST_SERVER = 3_000_000_000     # the product of two times must fit into 64 bits (docs/servers.md S6.5) [ns]
VcpuNumber = Annotated[int, BeforeValidator(within(0, 1023)), Field(ge=0, le=1023)]


class Task(Spec):
    """A sequence of jobs in a guest.

    Parameters
    ----------
    name : str
    wcet : int [ns], list of int, or Distribution
        Execution time of a job; of a list, job k takes entry k modulo its length.
    period : int [ns], optional
        Distance of arrivals (periodic), least distance (sporadic), mean distance (poisson).
    deadline : int [ns], optional
        Relative to a job's arrival. Defaults to the period of a periodic or sporadic task; others have none unless given.
    offset : int [ns]
        From the VM's start to the first arrival.
    jitter : int [ns]
        Periodic: the release is up to so much later than the arrival. Sporadic: gaps are up to so much (0: one period) longer.
    arrival : {"periodic", "sporadic", "poisson", "channel"}
        ``"channel"``: released by a `send` step of another task, or by a device's messages. (``"woken"``: a device's thread, made by the device.)
    releases : list of int [ns], optional
        Explicit arrivals, counted from the VM's start, in order.
    priority : int, optional
        For fixed-priority guests; 1 is the highest. Without it: deadline monotonic.
    vcpu : int, optional
        vCPU of its VM to which the task is pinned.
    budget, server_period : int [ns], optional
        Of the task's own server, for guests with constant bandwidth servers (``guest="cbs"``); its period is that of the task unless given.
    actions : list of Step, optional
        A script that each job executes, in place of `wcet`.

    Raises
    ------
    SpecError
        With every mistake found.

    Notes
    -----
    A task works on one job at a time: a late job runs on, the next queues behind it. Execution times are work, without waiting;
    resources shared between tasks, and their locks, are left out. See docs/model.md 2 and 9 (random draws).

    Examples
    --------
    >>> from rtvirt.units import ms, us
    >>> Task("slot", wcet=us(300), period=ms(5)).deadline
    5000000
    """

    name: Name
    wcet: Demand = None
    period: Duration | None = None
    deadline: Duration | None = None
    offset: Time = 0
    jitter: Time = 0
    arrival: Literal["periodic", "sporadic", "poisson", "channel", "woken"] = "periodic"
    releases: Annotated[tuple[Time, ...], List] | None = None
    priority: Rank | None = None
    vcpu: VcpuNumber | None = None
    budget: Duration | None = None
    server_period: Duration | None = None
    actions: Annotated[tuple[Step, ...], BeforeValidator(to_steps), Field(min_length=1),
                       WithJsonSchema({"type": "array", "items": STEPS, "minItems": 1})] | None = None

    def __init__(self, name: Any = None, /, **data: Any) -> None:
        if name is not None:
            data["name"] = name
        super().__init__(**data)

    @model_validator(mode="before")
    @classmethod
    def default_deadline(cls, data: Any) -> Any:
        """The deadline of a periodic or sporadic task is its period unless given."""
        if isinstance(data, dict) and data.get("deadline") is None and data.get("releases") is None \
                and data.get("period") is not None and data.get("arrival", "periodic") in ("periodic", "sporadic"):
            try:
                period = parse_time(data["period"])
                return data | {"deadline": period} if period > 0 else data
            except SpecError:
                return data              # the period itself will be complained about
        return data

    @model_validator(mode="after")
    def check(self) -> Task:
        """Fields that do not go together."""
        found = []
        if (self.wcet is None) == (self.actions is None):
            found.append(Problem("wcet", self.wcet, "either wcet or actions", "give one of them, not both"))
        if self.releases is not None and (self.period is not None or self.arrival != "periodic"):
            found.append(Problem("releases", f"{len(self.releases)} times", "neither period nor arrival beside it",
                                 "remove period and arrival, or releases"))
        if self.releases is not None and list(self.releases) != sorted(self.releases):
            found.append(Problem("releases", "times out of order", "times that never decrease", "sort them"))
        if self.releases is None and self.arrival not in ("channel", "woken") and self.period is None and not self.is_hog:
            found.append(Problem("period", None, "a time, unless there are releases or wcet is forever", "give a period"))
        if self.arrival in ("channel", "woken") and self.period is not None:
            found.append(Problem("period", self.period, "none for a task released by sends", "remove it"))
        if self.wcet == FOREVER and not self.is_hog:
            found.append(Problem("wcet", "forever", "only without period, releases and deadline", "use hog()"))
        wrong(found + self.check_server())
        return self

    def check_server(self) -> list[Problem]:
        """Budget and period of the task's server."""
        period = self.server_period if self.server_period is not None else self.period
        if self.budget is None:
            return [] if self.server_period is None else [Problem("server_period", self.server_period, "only with a budget", "give a budget too")]
        if period is None:
            return [Problem("server_period", None, "a time, with a budget and no period", "say in what time the budget may be used")]
        found = []
        if period > LONGEST_SERVER:
            field = "period" if self.server_period is None else "server_period"
            found.append(Problem(field, period, f"at most {LONGEST_SERVER} ns (3 s), with a budget", "give a shorter period and a smaller budget"))
        if self.budget > period:
            found.append(Problem("budget", self.budget, f"at most the period of the server, {period}", "lower the budget"))
        return found

    @property
    def of_device(self) -> bool:
        """Has a device brought it along (docs/io-model.md 1.1)?"""
        return self.actions is not None and self.actions[-1].kind in ("serve", "scan")

    @property
    def is_hog(self) -> bool:
        """True for a task whose one job starts with the VM and never comes again."""
        return self.releases is None and self.arrival == "periodic" and self.period is None and self.deadline is None \
            and (self.wcet == FOREVER or self.actions is not None)


def hog(name: str = "hog") -> Task:
    """A task that always computes: one job, released at the VM's start, that never ends."""
    return Task(name, wcet=FOREVER)


def ranks_of(tasks: Sequence[Task]) -> list[int]:
    """Rank of each task under fixed priorities, 0 first: by priority given, else by deadline, else last; ties in the order given."""
    def key(index: int) -> tuple[int, int, int]:
        task = tasks[index]
        return (FOREVER if task.priority is None else task.priority, FOREVER if task.deadline is None else task.deadline, index)

    order = sorted(range(len(tasks)), key=key)
    return [order.index(index) for index in range(len(tasks))]


know_fields(Task)
