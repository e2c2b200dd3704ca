"""Starting the credit scheduler in the middle of its life: for golden scenarios and for traces of a real machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import Problem, SpecError
from ..rows import put
from .contracts import Contracts
from .credit_accounting import MAX_MEASURED, PRIO_BOOST, PRIO_OVER, PRIO_UNDER

PRIORITIES = {"BOOST": PRIO_BOOST, "UNDER": PRIO_UNDER, "OVER": PRIO_OVER}
KEYS = ("credit", "priority", "active", "tick_times", "account_times", "balance")


def apply_initial(state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts, *,
                  per_vcpu_weight: bool) -> None:
    """Put `initial` into the state (see `simulate`); SpecError for names and values that make no sense."""
    for key in initial:
        if key not in KEYS:
            raise SpecError([Problem(f"initial.{key}", initial[key], f"one of {', '.join(KEYS)}", "remove it or correct its name", "")])
    for name, value in initial.get("credit", {}).items():
        state.vcpus[find(name, first_vcpu, contracts, "credit")].credit = value
    for name, value in initial.get("priority", {}).items():
        v = find(name, first_vcpu, contracts, "priority")
        if value not in PRIORITIES:
            raise SpecError([Problem(f"initial.priority[{name}]", value, ", ".join(PRIORITIES), "choose one of these", "")])
        state.vcpus[v].priority = PRIORITIES[value]
    for name, value in initial.get("active", {}).items():
        v = find(name, first_vcpu, contracts, "active")
        if value and not state.vcpus[v].active:
            join(state, v, contracts, per_vcpu_weight)
    if "balance" in initial:
        state.pool.balance = initial["balance"]
    if "tick_times" in initial:
        state.pool.tick_count = put_times(state.measured_ticks, initial["tick_times"], "tick_times")
    if "account_times" in initial:
        state.pool.account_count = put_times(state.measured_accounts, initial["account_times"], "account_times")


def put_times(table: Any, instants: Iterable[int], key: str) -> int:
    """Copy measured instants [ns], in order; how many."""
    times = sorted(instants)
    if len(times) > MAX_MEASURED:
        raise SpecError([Problem(f"initial.{key}", len(times), f"at most {MAX_MEASURED} instants", "cut the window", "")])
    put(table, times, len(times))
    return len(times)


def find(name: Any, first_vcpu: Mapping[str, int], contracts: Contracts, key: str) -> int:
    """Index of the vCPU called (VM name, number)."""
    vm, number = name if isinstance(name, tuple) and len(name) == 2 else (name, 0)
    if vm not in first_vcpu or not 0 <= number < int((contracts.vcpu_vm == contracts.names.index(vm)).sum()):
        raise SpecError([Problem(f"initial.{key}", name, "(VM name, vCPU number) of this system",
                                 f"use one of the VMs {', '.join(contracts.names)}", "")])
    return first_vcpu[vm] + number


def join(state: Any, v: int, contracts: Contracts, per_vcpu_weight: bool) -> None:
    """Put a vCPU at the head of its VM's active list, and the VM at the head of the pool's, as a tick would."""
    vm = int(contracts.vcpu_vm[v])
    state.vcpus[v].active = 1
    state.vcpus[v].next_active = state.vms[vm].first_active
    state.vms[vm].first_active = v
    state.vms[vm].active_count += 1
    if per_vcpu_weight or state.vms[vm].active_count == 1:
        state.pool.weight_sum += state.vms[vm].weight
    if state.vms[vm].active_count == 1:
        state.vms[vm].next_vm = state.pool.first_vm
        state.pool.first_vm = vm
