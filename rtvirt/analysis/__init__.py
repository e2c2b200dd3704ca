"""Schedulability analysis: what a VM surely gets, what its tasks may ask for, and whether the one is enough for the other.

Supplies and demand; response times under fixed priorities, EDF, and first come first served, on any supply; interfaces (budgets and periods);
overheads. Integers throughout: a number that would not fit raises `LimitError`. Every name is here, for example
``rv.analysis.edf_schedulable(tasks, rv.analysis.PeriodicResource(ms(10), ms(4)))``.
"""

from . import batch
from .admission import Admission, admit
from .arrivals import ArrivalCurve, bursts, listed, periodic
from .attack import Attack, attack
from .demand import dbf, rbf
from .edf import edf_response_times, edf_schedulable, fifo_response_times
from .fixed_priority import fp_response_times, fp_schedulable
from .interfaces import Component, Interface, best_interface, compose, min_budget
from .overheads import Overheads
from .supply import (
    BoundedDelay,
    ConstantBandwidthServer,
    Dedicated,
    DeferrableServer,
    ExplicitDeadlinePeriodic,
    FixedPriorityPartition,
    MultiprocessorPeriodicResource,
    NoBound,
    PeriodicResource,
    PollingServer,
    ProportionalShare,
    RoundRobinShare,
    SlotTable,
    SporadicServer,
    Supply,
)
from .tasksets import TaskSet, taskset
from .verdict import Endless, FirstMiss, Overload, Verdict, ViolatingInterval

__all__ = ["Admission", "ArrivalCurve", "Attack", "BoundedDelay", "Component", "ConstantBandwidthServer", "Dedicated", "DeferrableServer", "Endless",
           "ExplicitDeadlinePeriodic", "FirstMiss", "FixedPriorityPartition", "Interface", "MultiprocessorPeriodicResource", "NoBound", "Overheads",
           "Overload", "PeriodicResource", "PollingServer", "ProportionalShare", "RoundRobinShare", "SlotTable", "SporadicServer", "Supply",
           "TaskSet", "Verdict", "ViolatingInterval", "admit", "attack", "batch", "best_interface", "bursts", "compose", "dbf", "edf_response_times",
           "edf_schedulable", "fifo_response_times", "fp_response_times", "fp_schedulable", "listed", "min_budget", "periodic", "rbf", "taskset"]
