"""A degraded mode: what a VM makes do with when there is not enough for all."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..system.spec import Duration, Name, Spec, know_fields
from .contract import MaybeContract
from .fields import Names


class Level(Spec):
    """A service level below the full one.

    Parameters
    ----------
    name : str
    contract : optional
        In place of the VM's; as it is unless given.
    drop : list of str
        Tasks that do not run.
    periods : {task: time}
        Longer periods of some tasks; a deadline that was the period moves with it.
    """

    name: Name
    contract: MaybeContract = None
    drop: Names = ()
    periods: dict[Name, Duration] = Field(default_factory=dict)


Criticality = Annotated[int, Field(strict=True, ge=0, le=4)]
"""How bad a failure is: 0 as for QM (ISO 26262) or level E (DO-178C), 4 as for ASIL D or level A."""

know_fields(Level)
