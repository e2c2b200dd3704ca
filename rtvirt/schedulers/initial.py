"""Checks of the state that a scheduler is started from: for golden scenarios and for traces of a real machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from .contracts import Contracts


def refuse(bad: bool, field: str, value: Any, allowed: str, fix: str) -> None:
    """SpecError if `bad`."""
    if bad:
        raise SpecError([Problem(field, value, allowed, fix, "")])


def check_names(field: str, value: Any, known: tuple[str, ...] = ()) -> Mapping[Any, Any]:
    """A mapping, all of whose names are known."""
    refuse(not isinstance(value, Mapping), field, value, "a mapping (dict)", "write for example {'credit': {('vm', 0): 300}}")
    for name in value:
        refuse(bool(known) and name not in known, f"{field}.{name}", value[name], f"one of {', '.join(known)}", "remove it or correct its name")
    return value


def whole(field: str, value: Any, low: int, high: int) -> int:
    """An integer within [low, high]."""
    good = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and low <= value <= high
    refuse(not good, field, value, f"an integer from {low} to {high}", "give a number of that range")
    return int(value)


def find(name: Any, first_vcpu: Mapping[str, int], contracts: Contracts, key: str) -> int:
    """Index of the vCPU called (VM name, number)."""
    vm, number = name if isinstance(name, tuple) and len(name) == 2 else (name, 0)
    if vm not in first_vcpu or not isinstance(number, int) or not 0 <= number < int((contracts.vcpu_vm == contracts.names.index(vm)).sum()):
        raise SpecError([Problem(f"initial.{key}", name, "(VM name, vCPU number) of this system",
                                 f"use one of the VMs {', '.join(contracts.names)}", "")])
    return first_vcpu[vm] + number
