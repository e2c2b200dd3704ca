"""What SEDF grants to whom (docs/xen-rules.md 4.2.2 to 4.2.4; rule numbers in brackets)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Problem, SpecError
from ..timers import NEVER
from ..units import LONGEST, format_ns
from .contracts import Contracts
from .initial import check_names, find, whole

SHORTEST, LONGEST_PERIOD, LEAST_SLICE = 10_000, 10_000_000_000, 5_000     # [ns] (4.2.2)
CONTROL = {"period": 20_000_000, "slice": 15_000_000, "extratime": 1, "extraweight": 1}      # a control VM's vCPUs (4.2.3)
OTHERS = {"period": 100_000_000, "slice": 0, "extratime": 1, "extraweight": 1}               # everybody else's (4.2.3)
WEIGHT_PERIOD, SAFETY = 100_000_000, 5_000_000                            # of slices by weight [ns] (4.2.4)


def granted(contracts: Contracts, v: int) -> dict[str, int]:
    """What a vCPU is granted: by its VM's `sedf`, else by its budget and period, else Xen's own."""
    vm = contracts.vcpu_vm[v]
    if contracts.sedf[vm] is not None:
        return by_contract(contracts.sedf[vm])
    if contracts.budget[v] != NEVER and contracts.period[v] != NEVER:
        return {"period": int(contracts.period[v]), "slice": int(contracts.budget[v]), "extratime": int(contracts.extratime[v]), "plain": 1}
    return CONTROL if contracts.control[vm] else OTHERS


def by_contract(sedf: Any) -> dict[str, int]:
    """What a `SedfContract` means: time-driven, best effort, or weight-driven (4.2.4)."""
    if sedf.weight is None:
        return {"period": sedf.period, "slice": sedf.slice, "extratime": int(sedf.extratime)}
    if sedf.extratime and sedf.period is None:
        return {"period": WEIGHT_PERIOD, "extratime": 1, "extraweight": sedf.weight}
    return {"period": WEIGHT_PERIOD, "extratime": int(sedf.extratime), "weight": sedf.weight}


def share_out(state: Any) -> None:
    """Slices of the weight-driven: of 95 ms in 100 ms, what the time-driven on the same pCPU leave, by weight (4.2.4 b)."""
    servers = [state.vcpus[v] for v in range(state.size.vcpus)]
    for home in {server.home for server in servers}:
        here = [server for server in servers if server.home == home]
        taken = sum(WEIGHT_PERIOD * server.slice // server.period for server in here if server.weight == 0)
        weights = sum(server.weight for server in here)
        for server in here:
            if server.weight > 0:
                server.slice = max(0, server.weight * (WEIGHT_PERIOD - SAFETY - taken) // weights)


def check_guarantees(state: Any, contracts: Contracts) -> None:
    """SpecError for budgets and periods that Xen would refuse as slices and periods (4.2.2). (`VM.sedf` has been checked when it was made.)"""
    servers = [server for server in (state.vcpus[v] for v in range(state.size.vcpus)) if server.plain]
    found = [problem._replace(field=f"vms[{contracts.names[server.vm]}].{problem.field}") for server in servers
             for problem in guarantee_problems(server.period, server.slice, "budget")]
    if found:
        raise SpecError(list(dict.fromkeys(found)))


def guarantee_problems(period: int, slice_: int, called: str) -> list[Problem]:
    """What is wrong with a period and a slice [ns], which goes by the name `called` (4.2.2)."""
    if not SHORTEST <= period <= LONGEST_PERIOD:
        return [Problem("period", period, f"{format_ns(SHORTEST)} to {format_ns(LONGEST_PERIOD)} under SEDF", "choose a period of that range")]
    if not LEAST_SLICE <= slice_ <= period:
        return [Problem(called, slice_, f"{format_ns(LEAST_SLICE)} to the period, {format_ns(period)}, under SEDF", "choose a value of that range")]
    return []


def apply_initial(state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
    """Put `initial` into the state (see `simulate`); SpecError for names and values that make no sense."""
    check_names("initial", initial, ("deadline",))
    for name, value in check_names("initial.deadline", initial.get("deadline", {})).items():
        server = state.vcpus[find(name, first_vcpu, contracts, "deadline")]
        server.deadline, server.fresh = whole(f"initial.deadline[{name}]", value, -LONGEST, LONGEST), 0
