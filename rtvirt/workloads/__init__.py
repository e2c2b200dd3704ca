"""Workloads: generators of random task sets and systems, and published ones by name.

Everything is a function of its arguments: same seed, same sets, on every machine. ``rv.workloads.tasksets`` makes arrays for
``rv.analysis.batch``; ``taskset`` and ``system`` make what ``rv.simulate`` runs.
"""

from .mignerey import STAND_INS, mignerey, mignerey_scheduler, mignerey_schedulers, parameters
from .periods import AUTOMOTIVE, Automotive, Harmonic, LogUniform
from .sets import TaskSets, sporadic_arrivals, system, taskset, tasksets
from .utilizations import simplex, uunifast, uunifast_discard

__all__ = ["AUTOMOTIVE", "Automotive", "Harmonic", "LogUniform", "STAND_INS", "TaskSets", "mignerey", "mignerey_scheduler", "mignerey_schedulers",
           "parameters", "simplex", "sporadic_arrivals", "system", "taskset", "tasksets", "uunifast", "uunifast_discard"]
