"""Schedulability analysis: what a VM surely gets, what its tasks may ask for, and whether the one is enough for the other.

Supplies and demand; response times under fixed priorities, EDF, and first come first served, on any supply; interfaces (budgets and periods);
overheads; several pCPUs, global or partitioned; sensitivity; mixed criticality, of tasks and of VMs. Integers throughout: a number that would not
fit raises `LimitError`. Every name is here, for example
``rv.analysis.edf_schedulable(tasks, rv.analysis.PeriodicResource(ms(10), ms(4)))``.
"""

from . import batch
from .admission import Admission, ProportionalShare, Provision, Trapping, admit, provision, share_table
from .arrivals import ArrivalCurve, bursts, listed, periodic
from .attack import Attack, attack
from .availability import availability, crashes, measured_availability, monolith, outages
from .demand import dbf, rbf
from .edf import edf_response_times, edf_schedulable, fifo_response_times
from .edf_vd import NoFactor, VirtualDeadlines, edf_vd_schedulable
from .fixed_priority import fp_response_times, fp_schedulable
from .interfaces import Component, Interface, best_interface, compose, min_budget
from .io_paths import ChainBound, PathBound, StageBound, data_age, grown, path_bound, reaction_time
from .mixed_criticality import HighCriticality, MixedVerdict, amc_schedulable
from .mode_change import LateBudget, LateTask, ModalVM, ModeChange, mode_change_schedulable
from .multicore import (
    Crowded,
    Dense,
    Partition,
    best_mpr,
    edf_tardiness,
    global_edf_response_times,
    global_edf_schedulable,
    global_fp_response_times,
    global_fp_schedulable,
    min_dmpr,
    min_mpr_budget,
    mpr_schedulable,
    partition,
)
from .overheads import Overheads
from .sensitivity import Margin, Scaling, breakdown_utilization, period_scaling, robustness_margin, supply_scaling, wcet_scaling
from .supply import (
    BoundedDelay,
    BVTShare,
    ConstantBandwidthServer,
    Credit2Share,
    Dedicated,
    DeferrableServer,
    DeterministicMultiprocessorPeriodicResource,
    ExplicitDeadlinePeriodic,
    FixedPriorityPartition,
    MultiprocessorPeriodicResource,
    NoBound,
    PeriodicResource,
    PollingServer,
    RoundRobinShare,
    SlotTable,
    SporadicServer,
    Supply,
    Witness,
)
from .tasksets import TaskSet, taskset
from .verdict import Endless, FirstMiss, Overload, Verdict, ViolatingInterval

__all__ = ["Admission", "ArrivalCurve", "Attack", "BVTShare", "BoundedDelay", "ChainBound", "Component", "ConstantBandwidthServer",
           "Credit2Share", "Crowded", "Dedicated", "DeferrableServer", "Dense", "DeterministicMultiprocessorPeriodicResource", "Endless",
           "ExplicitDeadlinePeriodic", "FirstMiss", "FixedPriorityPartition", "HighCriticality", "Interface", "LateBudget", "LateTask",
           "Margin", "MixedVerdict", "ModalVM", "ModeChange", "MultiprocessorPeriodicResource", "NoBound", "NoFactor", "Overheads",
           "Overload", "Partition", "PathBound", "PeriodicResource", "PollingServer", "ProportionalShare", "Provision", "RoundRobinShare",
           "Scaling", "SlotTable", "SporadicServer", "StageBound", "Supply", "TaskSet", "Trapping", "Verdict", "ViolatingInterval",
           "VirtualDeadlines", "Witness", "admit", "amc_schedulable", "attack", "availability", "batch", "best_interface", "best_mpr",
           "breakdown_utilization", "bursts", "compose", "crashes", "data_age", "dbf", "edf_response_times", "edf_schedulable",
           "edf_tardiness", "edf_vd_schedulable", "fifo_response_times", "fp_response_times", "fp_schedulable",
           "global_edf_response_times", "global_edf_schedulable", "global_fp_response_times", "global_fp_schedulable", "grown", "listed",
           "measured_availability", "min_budget", "min_dmpr", "min_mpr_budget", "mode_change_schedulable", "monolith", "mpr_schedulable",
           "outages", "partition", "path_bound", "period_scaling", "periodic", "provision", "rbf", "reaction_time", "robustness_margin",
           "share_table", "supply_scaling", "taskset", "wcet_scaling"]
