"""Budgets and periods that RTDS accepts, and states to start it from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import Problem, SpecError
from ..timers import NEVER
from ..units import format_ns
from .contracts import Contracts
from .initial import check_names, find, refuse, whole

BUDGET, PERIOD = 4_000_000, 10_000_000     # Xen's own, for who does not say [ns] (1.8)
LEAST = 10_000                             # of both, since 4.7 [ns] (1.8)
LATEST = 2**53                             # [ns]
KEYS = ("deadline", "budget", "level", "depleted")


def budgets_and_periods(contracts: Contracts, xen: str) -> tuple[np.ndarray, np.ndarray]:
    """(vCPUs,) budget and period [ns], absent ones filled in; SpecError, with all of them, for those that Xen would refuse (1.8.1)."""
    budget = np.where(contracts.budget == NEVER, BUDGET, contracts.budget)
    period = np.where(contracts.period == NEVER, PERIOD, contracts.period)
    problems: list[Problem] = []
    for vm, name in enumerate(contracts.names):
        mine = contracts.vcpu_vm == vm
        for field, values in (("budget", budget[mine]), ("period", period[mine])):
            if xen == "4.5" and len(set(values.tolist())) > 1:
                problems.append(Problem(f"vms[{name}].{field}", values.tolist(), f"one {field} a VM under RTDS of Xen 4.5",
                                        "write one number, or take a later version", ""))
        for b, p in dict.fromkeys(zip(budget[mine].tolist(), period[mine].tolist())):
            problems += problems_of(f"vms[{name}]", b, p, xen)
    if problems:
        raise SpecError(problems)
    return budget, period


def check_server(where: str, budget: int, period: int, xen: str) -> None:
    """SpecError for a budget and a period that Xen would refuse."""
    if found := problems_of(where, budget, period, xen):
        raise SpecError(found)


def problems_of(where: str, budget: int, period: int, xen: str) -> list[Problem]:
    """What is wrong with a server: since 4.7 at least 10 us each, and a budget that fits into its period (1.8)."""
    least = 1 if xen == "4.5" else LEAST
    found = [Problem(f"{where}.{field}", value, f"at least {format_ns(least)} under RTDS", "give more", "")
             for field, value in (("budget", budget), ("period", period)) if value < least]
    if not found and budget > period:
        found.append(Problem(f"{where}.budget", budget, f"at most the period, {format_ns(period)}",
                             f"give budget and period; without them they are {format_ns(BUDGET)} and {format_ns(PERIOD)}", ""))
    return found


def apply_initial(state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
    """Put `initial` into the state (see `simulate`); SpecError for names and values that make no sense."""
    check_names("initial", initial, KEYS)
    for key in KEYS:
        for name, value in check_names(f"initial.{key}", initial.get(key, {})).items():
            server, field = state.vcpus[find(name, first_vcpu, contracts, key)], f"initial.{key}[{name}]"
            if key == "deadline":
                server.deadline, server.opened = whole(field, value, -LATEST, LATEST), 1
            elif key == "budget":
                server.left = whole(field, value, 0, LATEST)
            elif key == "level":
                server.level = whole(field, value, 0, 2**31)
            else:
                refuse(value not in (True, False), field, value, "True or False", "write one of them")
                server.depleted = int(value)
