"""What stands in for ports, paths, lines, submissions, outages and faults in loops for systems without devices: nothing is ever called."""

from __future__ import annotations

from rtvirt.jit import kernel

NEXT_STEP, SLEEP = -1, -2


@kernel
def start_arrivals(st):
    """`lines.py`."""


@kernel
def over_at_the_end(st, t):
    """`submissions.py`."""
    return False


@kernel
def start_faults(st):
    """`faults.py`."""


@kernel
def came_up(st, q, now, vm):
    """`outages.py`."""


@kernel
def crashed(st, q, now, vm):
    """`outages.py`."""


@kernel
def device_alarm(st, q, now, alarm):
    """`submissions.py`."""


@kernel
def device_step(st, q, now, t, kind, path):
    """`submissions.py`."""
    return NEXT_STEP


@kernel
def application_over(st, now, t, job, started):
    """`submissions.py`."""
    return -1


@kernel
def end_message(st, q, now, m):
    """`paths.py`."""
