"""Exercises of notebook 2: what a trap costs."""

from __future__ import annotations

from fractions import Fraction

from .base import Exercise, exercise

Overheads = tuple[int, int]                  # [cycles] that a structure adds to a system call, and to a page fault


def hypervisor_entries(entries: int, faults: int, batch: int) -> int:
    """How often a paravirtual fork enters the hypervisor: hypercalls of `batch` page-table entries, then two entries a fault."""
    return -(-entries // batch) + 2 * faults


exercise(Exercise(
    "2.1", hypervisor_entries, [(64, 0, 16), (65, 0, 16), (3, 2, 16), (100, 70, 1), (4096, 70, 2048)],
    "How many hypercalls carry so many entries, the last one perhaps not full? And a fault: who takes it first, who writes the entry that mends it?",
    [(lambda entries, faults, batch: entries + 2 * faults, "One hypercall carries a whole batch of updates, not one."),
     (lambda entries, faults, batch: -(-entries // batch) + faults,
      "A fault enters the hypervisor twice: it bounces off it into the guest's kernel, and the update that mends it is a hypercall."),
     (lambda entries, faults, batch: entries // batch + 2 * faults, "The last hypercall need not be full: round up.")]))


def calls_per_fault(translated: Overheads, assisted: Overheads) -> float:
    """System calls per page fault at which both cost the same; with more of them hardware assist is cheaper. 0 if it always is."""
    return max(0.0, float(Fraction(assisted[1] - translated[1], translated[0] - assisted[0])))


exercise(Exercise(
    "2.2", calls_per_fault, [((2030, 3000), (0, 9090)), ((1000, 500), (0, 2500)), ((900, 1200), (100, 5200)), ((2000, 3000), (0, 2000))],
    "With r system calls for each page fault, what do both cost? Set r·call + fault equal on both sides, and solve for r.",
    [(lambda translated, assisted: assisted[1] / translated[0],
      "Only differences count: translation pays for the page fault too, and perhaps assist for the call."),
     (lambda translated, assisted: max(0.0, (translated[0] - assisted[0]) / (assisted[1] - translated[1])),
      "That is page faults per system call: the other way round."),
     (lambda translated, assisted: (assisted[1] - translated[1]) / (translated[0] - assisted[0]),
      "Where assist is cheaper at both, no system calls are needed: there is no rate below 0.")], 1e-6))


def exits_at_the_bottom(exits: int, depth: int) -> int:
    """Exits that the lowest hypervisor sees of one exit of a guest at `depth`: each level makes of an exit itself and `exits` more."""
    return (1 + exits) ** (depth - 1)


exercise(Exercise(
    "2.3", exits_at_the_bottom, [(31, 1), (31, 2), (31, 3), (8, 4), (0, 5)],
    "At depth 1 the lowest hypervisor sees the exit, and that is all. Each level more turns an exit into itself and those that its handler makes.",
    [(lambda exits, depth: 1 + (depth - 1) * exits,
      "Exits multiply, they do not add up: those of the handler are exits of a guest themselves, each handled a level below."),
     (lambda exits, depth: exits ** (depth - 1), "The exit itself is seen below too: it is 1 + exits at each level."),
     (lambda exits, depth: (1 + exits) ** depth, "At depth 1 nothing is nested: one exit.")]))


def time_lost(runs: int, waits: int, period: int) -> int:
    """Time that a guest with lost ticks loses each turn, when it waits for at least one period: what passes less what it counts."""
    return runs + waits - -(-runs // period) * period


exercise(Exercise(
    "2.4", time_lost, [(30, 30, 10), (4, 16, 10), (25, 25, 10), (1, 10, 10), (30, 90, 4)],
    "A tick comes on dispatch, since one is due by then, and then one each period while the guest runs (rule 9.2.2). How much time has passed?",
    [(lambda runs, waits, period: waits,
      "That is the time it was away. On dispatch it is given one tick however long it has run before: a short stint counts as a whole period."),
     (lambda runs, waits, period: runs + waits - runs // period * period, "The tick on dispatch counts: round up."),
     (lambda runs, waits, period: waits // period * period,
      "Ticks count where it runs, not where it waits: how many are delivered in one stint?")]))


def traps_allowed(wcet: int, period: int, deadline: int, cost: int, blocking: int) -> int:
    """Traps that each job of a VM's only task may cause, so that it still meets its deadline."""
    return (deadline - blocking - wcet) // cost


exercise(Exercise(
    "2.5", traps_allowed, [(3000, 10_000, 6000, 7, 50), (300_000, 5_000_000, 1_000_000, 2_272, 60_000), (900, 1000, 1000, 100, 0),
                           (400, 2000, 1500, 25, 110), (4000, 5000, 4500, 600, 10)],
    "A job of n traps takes wcet + n·cost, and may find the hypervisor busy for `blocking` before it starts. When must it be done?",
    [(lambda wcet, period, deadline, cost, blocking: (period - wcet) // cost,
      "Utilization is not enough: a job has to be done by its deadline, and the hypervisor may be busy first."),
     (lambda wcet, period, deadline, cost, blocking: (deadline - wcet) // cost,
      "A section of the hypervisor that cannot be interrupted may have begun just before: take the blocking off."),
     (lambda wcet, period, deadline, cost, blocking: -(-(deadline - blocking - wcet) // cost), "Half a trap more is too many: round down."),
     (lambda wcet, period, deadline, cost, blocking: (period - blocking - wcet) // cost,
      "The job must be done by its deadline, not by the end of its period.")]))
