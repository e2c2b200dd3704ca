"""When messages come from outside: from a wire, a sensor, a peer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..errors import Problem
from .spec import Duration, List, Spec, Time, know_fields, within, wrong


class Arrivals(Spec):
    """A source of messages.

    Parameters
    ----------
    period : int [ns], optional
        Distance of bursts (periodic), least distance (sporadic), mean distance (poisson).
    arrival : {"periodic", "sporadic", "poisson"}
    offset : int [ns]
        Of the first.
    jitter : int [ns]
        As of a `Task`.
    releases : list of int [ns], optional
        Explicit instants, in place of a period.
    burst : int
        Messages that arrive together each time.

    Raises
    ------
    SpecError
        With every mistake found.

    Notes
    -----
    Drawn like the arrivals of a task (docs/model.md 2 and 9). A peer that waits for answers, as TCP does, is left out: write it as a VM.

    Examples
    --------
    >>> from rtvirt.units import us
    >>> Arrivals(period=us(125), burst=4).burst
    4
    """

    period: Duration | None = None
    arrival: Literal["periodic", "sporadic", "poisson"] = "periodic"
    offset: Time = 0
    jitter: Time = 0
    releases: Annotated[tuple[Time, ...], List] | None = None
    burst: Annotated[int, BeforeValidator(within(1, 4096)), Field(ge=1, le=4096)] = 1

    def __init__(self, period: Any = None, /, **data: Any) -> None:
        if period is not None:
            data["period"] = period
        super().__init__(**data)

    @model_validator(mode="after")
    def check(self) -> Arrivals:
        """Either a period or a list, in order."""
        found = []
        if (self.period is None) == (self.releases is None):
            found.append(Problem("period", self.period, "either a period or a list of releases", "give one of them"))
        if self.releases is not None and list(self.releases) != sorted(self.releases):
            found.append(Problem("releases", self.releases, "instants in order", "sort them"))
        wrong(found)
        return self


know_fields(Arrivals)
