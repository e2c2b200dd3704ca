"""Exercises of notebook 3: the credit scheduler."""

from __future__ import annotations

from .base import Exercise, exercise

exercise(Exercise(
    "3.1", lambda weights, i: weights[i] / sum(weights), [([256, 512], 0), ([256, 256, 512], 2), ([1024, 256], 1)],
    "All VMs always want the pCPU. What fraction of all weights does VM i hold?",
    [(lambda weights, i: weights[i] / 256, "A weight is relative to the others' weights, not to 256."),
     (lambda weights, i: 1 / len(weights), "Equal shares would need equal weights.")], 1e-6))
exercise(Exercise(
    "3.2", lambda hogs, timeslice: hogs * timeslice, [(1, 30), (2, 30), (3, 5)],
    "It queues behind every hog of its class, and each of them uses its whole time slice.",
    [(lambda hogs, timeslice: timeslice, "That is the wait behind one hog."),
     (lambda hogs, timeslice: (hogs + 1) * timeslice, "It does not wait for itself.")], 1e-6))
exercise(Exercise(
    "3.3", lambda ran, ratelimit: max(0.0, ratelimit - ran), [(0.3, 1.0), (0.0, 1.0), (2.5, 1.0), (0.2, 0.0)],
    "A vCPU that was just given the pCPU keeps it for the ratelimit. How much of that is left?",
    [(lambda ran, ratelimit: ratelimit, "The ratelimit counts from the start of the stint, not from the wake-up."),
     (lambda ran, ratelimit: 0.0, "Even BOOST waits for the ratelimit.")], 1e-6))
exercise(Exercise(
    "3.4", lambda credit: (credit // 2, False) if credit > 300 else (credit, True), [(301,), (300,), (450,), (-20,), (601,)],
    "Rule 2.5.3: above one slice's worth (300) the vCPU leaves the active list and keeps half, rounded down.",
    [(lambda credit: (0, False) if credit > 300 else (credit, True), "That was so until Xen 4.0; since 4.1 half is kept."),
     (lambda credit: (credit // 2, False) if credit >= 300 else (credit, True), "At exactly 300 it stays.")]))
