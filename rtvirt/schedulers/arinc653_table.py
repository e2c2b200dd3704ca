"""Tables of ARINC 653: what is valid (docs/xen-rules.md 7.1.1), and how to make one from what partitions need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from typing import Any

from ..errors import Problem, SpecError
from ..units import LONGEST, format_ns
from .checks import check_time

Window = tuple[str | None, int, int]
"""VM (None: nobody's), vCPU number, runtime [ns]."""

MOST = 64                  # windows of a table (7.1.1)
MOST_JOBS = 10_000         # runtimes that the builder lays out in a frame
AN_ENTRY = "(VM name or None, vCPU number, runtime [ns])"
A_NEED = "(runtime [ns], period [ns])"


def checked_table(table: Any, major_frame: Any) -> tuple[tuple[Window, ...], int]:
    """(table, major frame [ns]) as tuples of ints; without a major frame, the sum of the runtimes. SpecError for what Xen would refuse."""
    if not isinstance(table, Sequence) or isinstance(table, str) or not 1 <= len(table) <= MOST:
        raise SpecError([Problem("ARINC653.table", table, f"a list of 1 to {MOST} windows {AN_ENTRY}", "write for example [('A', 0, ms(20))]")])
    windows = tuple(checked_window(f"ARINC653.table[{i}]", entry) for i, entry in enumerate(table))
    total = sum(runtime for _, _, runtime in windows)
    if major_frame is None:
        major_frame = total
    check_time("ARINC653.major_frame", major_frame, total, LONGEST, why="no less than the runtimes together")
    return windows, int(major_frame)


def checked_window(field: str, entry: Any) -> Window:
    """One window of a table."""
    if not isinstance(entry, (tuple, list)) or len(entry) != 3:
        raise SpecError([Problem(field, entry, AN_ENTRY, "write for example ('A', 0, ms(20))")])
    vm, vcpu, runtime = entry
    if vm is not None and not isinstance(vm, str):
        raise SpecError([Problem(f"{field}.vm", vm, "the name of a VM, or None for a window in which nobody runs", "write the name in quotes")])
    if not isinstance(vcpu, int) or isinstance(vcpu, bool) or vcpu < 0:
        raise SpecError([Problem(f"{field}.vcpu", vcpu, "the number of a vCPU of the VM, from 0", "write 0 for a VM of one vCPU")])
    check_time(f"{field}.runtime", runtime, 1, LONGEST)
    return vm, vcpu, runtime


def check_names(table: Sequence[Window], vcpus: Mapping[str, int]) -> None:
    """Refuse windows of VMs and vCPUs that a system does not have; `vcpus` says how many each VM has."""
    problems = []
    for i, (vm, vcpu, _) in enumerate(table):
        if vm is not None and vm not in vcpus:
            problems.append(Problem(f"ARINC653.table[{i}].vm", vm, f"a VM of the system: {', '.join(vcpus) or 'there is none'}",
                                    "correct the name, or write None for a window in which nobody runs"))
        elif vm is not None and vcpu >= vcpus[vm]:
            problems.append(Problem(f"ARINC653.table[{i}].vcpu", vcpu, f"0 to {vcpus[vm] - 1}, the vCPUs of {vm}", "choose one of them"))
    if problems:
        raise SpecError(problems)


def slots_of(table: Sequence[Window], vm: str, vcpu: int) -> tuple[tuple[int, int], ...]:
    """(start, length) [ns] within the frame of the times that a vCPU has; windows that touch are one."""
    slots: list[tuple[int, int]] = []
    at = 0
    for name, number, runtime in table:
        if (name, number) == (vm, vcpu):
            if slots and sum(slots[-1]) == at:
                slots[-1] = (slots[-1][0], slots[-1][1] + runtime)
            else:
                slots.append((at, runtime))
        at += runtime
    return tuple(slots)


# ------------------------------------------------------------------ building


def build_table(partitions: Any, major_frame: Any) -> tuple[list[Window], int]:
    """(table, major frame [ns]) that gives each partition its runtime in each of its periods; SpecError if there is none.

    The needs are laid out by earliest deadline first over one frame: on one processor that fits whenever anything does. Who has begun goes
    on among equals, so that there are few windows.
    """
    needs = checked_needs(partitions)
    frame = lcm(*(period for _, period in needs.values()))
    if major_frame is not None:
        check_time("ARINC653.build.major_frame", major_frame, frame, LONGEST, multiple=frame, why="every period must divide it")
        frame = major_frame
    if frame > LONGEST or sum(frame // period for _, period in needs.values()) > MOST_JOBS:
        raise SpecError([Problem("ARINC653.build.periods", [period for _, period in needs.values()], "periods with a small common multiple",
                                 f"let periods divide each other: the frame would be {format_ns(frame)} long")])
    load = sum(runtime * (frame // period) for runtime, period in needs.values())
    if load > frame:
        raise SpecError([Problem("ARINC653.build.partitions", f"{load / frame:.1%} of the processor", "at most 100 %: runtime / period, all together",
                                 "give less runtime, or longer periods")])
    table = lay_out(needs, frame)
    if len(table) > MOST:
        raise SpecError([Problem("ARINC653.build.partitions", f"{len(table)} windows in {format_ns(frame)}", f"at most {MOST} windows (7.1.1)",
                                 "let periods divide each other, lengthen the short ones, or shorten the major frame")])
    return table, frame


def checked_needs(partitions: Any) -> dict[tuple[str, int], tuple[int, int]]:
    """(VM, vCPU) to (runtime, period) [ns]."""
    if hasattr(partitions, "vms"):
        partitions = {(vm.name, k): (budget, period) for vm in partitions.vms
                      for k, (budget, period) in enumerate(zip(vm.per_vcpu("budget"), vm.per_vcpu("period"), strict=True)) if budget and period}
    if not isinstance(partitions, Mapping) or not partitions:
        raise SpecError([Problem("ARINC653.build.partitions", partitions, "a system with budgets and periods, or a mapping of VM names, or (name, "
                                 f"vCPU), to {A_NEED}", "write for example {'A': (ms(5), ms(20))}")])
    needs: dict[tuple[str, int], tuple[int, int]] = {}
    for key, need in partitions.items():
        field = f"ARINC653.build.partitions[{key}]"
        if not isinstance(need, (tuple, list)) or len(need) != 2:
            raise SpecError([Problem(field, need, A_NEED, "write for example (ms(5), ms(20))")])
        vm, vcpu = key if isinstance(key, tuple) and len(key) == 2 else (key, 0)
        if vm is None:
            raise SpecError([Problem(field, key, "the name of a VM", "write the name in quotes")])
        checked_window(field, (vm, vcpu, need[0]))
        check_time(f"{field}.period", need[1], need[0], LONGEST, why="no less than the runtime")
        needs[vm, vcpu] = (need[0], need[1])
    return needs


def lay_out(needs: Mapping[tuple[str, int], tuple[int, int]], frame: int) -> list[Window]:
    """Windows of one frame by earliest deadline first, gaps included; needs that fit (together at most the frame)."""
    order = list(needs)
    left, deadline = {key: needs[key][0] for key in order}, {key: needs[key][1] for key in order}
    windows: list[tuple[tuple[str, int] | None, int]] = []
    now, current = 0, None
    while now < frame:
        ready = [key for key in order if left[key] > 0]
        current = min(ready, key=lambda key: (deadline[key], key != current, order.index(key)), default=None)
        until = min(deadline.values())                           # the next release of anybody
        if current is not None:
            until = min(until, now + left[current])
            left[current] -= until - now
        if windows and windows[-1][0] == current:
            windows[-1] = (current, windows[-1][1] + until - now)
        else:
            windows.append((current, until - now))
        now = until
        for key in order:
            if deadline[key] == now:
                left[key], deadline[key] = needs[key][0], now + needs[key][1]
    if windows[-1][0] is None:
        windows.pop()                                            # a frame is idle after its last window (7.1.3)
    return [(None, 0, length) if key is None else (*key, length) for key, length in windows]
