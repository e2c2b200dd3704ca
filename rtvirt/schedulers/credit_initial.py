"""Starting the credit scheduler in the middle of its life: for golden scenarios and for traces of a real machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..rows import put
from .contracts import Contracts
from .credit_accounting import MAX_MEASURED, PRIO_BOOST, PRIO_OVER, PRIO_UNDER
from .initial import check_names, find, refuse, whole

PRIORITIES = {"BOOST": PRIO_BOOST, "UNDER": PRIO_UNDER, "OVER": PRIO_OVER}
MOST, LATEST = 2**31, 2**53       # credits; ns
KEYS = ("credit", "priority", "active", "tick_times", "account_times", "balance")


def apply_initial(state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts, *,
                  per_vcpu_weight: bool) -> None:
    """Put `initial` into the state (see `simulate`); SpecError for names and values that make no sense."""
    check_names("initial", initial, KEYS)
    for key in ("credit", "priority", "active"):
        for name, value in check_names(f"initial.{key}", initial.get(key, {})).items():
            v = find(name, first_vcpu, contracts, key)
            if key == "credit":
                state.vcpus[v].credit = whole(f"initial.credit[{name}]", value, -MOST, MOST)
            elif key == "priority":
                refuse(value not in list(PRIORITIES), f"initial.priority[{name}]", value, ", ".join(PRIORITIES), "choose one of these")
                state.vcpus[v].priority = PRIORITIES[value]
            elif value and not state.vcpus[v].active:
                join(state, v, contracts, per_vcpu_weight)
    if "balance" in initial:
        state.pool.balance = whole("initial.balance", initial["balance"], -MOST, MOST)
    if "tick_times" in initial:
        state.pool.tick_count = put_times(state.measured_ticks, initial["tick_times"], "tick_times")
    if "account_times" in initial:
        state.pool.account_count = put_times(state.measured_accounts, initial["account_times"], "account_times")


def put_times(table: Any, instants: Any, key: str) -> int:
    """Copy measured instants [ns], in order; how many."""
    field = f"initial.{key}"
    refuse(not isinstance(instants, (Sequence, np.ndarray)) or isinstance(instants, (str, bytes)), field, instants, "a list of times [ns]",
           "write for example [0, ms(10), ms(20)]")
    refuse(len(instants) > MAX_MEASURED, field, len(instants), f"at most {MAX_MEASURED} instants", "cut the window")
    times = sorted(whole(field, instant, -LATEST, LATEST) for instant in instants)
    put(table, times, len(times))
    return len(times)


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
