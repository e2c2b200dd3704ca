"""Solutions of the exercises of notebook 2."""


def entries_of_fork(entries, faults, batch):
    """2.1: full hypercalls and the rest; a fault bounces, and its update is a hypercall."""
    hypercalls, rest = divmod(entries, batch)
    return hypercalls + (rest > 0) + 2 * faults


def calls_per_fault(translated, assisted):
    """2.2: r·call + fault is the same on both sides."""
    dearer_fault, cheaper_call = assisted[1] - translated[1], translated[0] - assisted[0]
    return max(0.0, dearer_fault / cheaper_call)


def exits_at_the_bottom(exits, depth):
    """2.3: what is one exit at a level, is itself and the handler's exits a level below."""
    return 1 if depth == 1 else (1 + exits) * exits_at_the_bottom(exits, depth - 1)


def time_lost(runs, waits, period):
    """2.4: a tick on dispatch, one each period while it runs."""
    ticks = len(range(0, runs, period))
    return runs + waits - ticks * period


def traps_allowed(wcet, period, deadline, cost, blocking):
    """2.5: blocking + wcet + n·cost is at most the deadline."""
    return (deadline - blocking - wcet) // cost


SOLUTIONS = {"2.1": entries_of_fork, "2.2": calls_per_fault, "2.3": exits_at_the_bottom, "2.4": time_lost, "2.5": traps_allowed}
