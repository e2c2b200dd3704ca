"""Supplies: how much processor time a VM surely gets, one kind of contract a class."""

from .base import Supply
from .bvt_share import BVTShare
from .credit2_share import Credit2Share
from .deterministic import DeterministicMultiprocessorPeriodicResource
from .partition import FixedPriorityPartition
from .periodic import ExplicitDeadlinePeriodic, MultiprocessorPeriodicResource, PeriodicResource
from .servers import ConstantBandwidthServer, DeferrableServer, PollingServer, SporadicServer
from .shares import RoundRobinShare
from .simple import BoundedDelay, Dedicated
from .slots import SlotTable
from .unbound import NoBound, Witness

__all__ = ["BVTShare", "BoundedDelay", "ConstantBandwidthServer", "Credit2Share", "Dedicated", "DeferrableServer",
           "DeterministicMultiprocessorPeriodicResource", "ExplicitDeadlinePeriodic", "FixedPriorityPartition", "MultiprocessorPeriodicResource",
           "NoBound", "PeriodicResource", "PollingServer", "RoundRobinShare", "SlotTable", "SporadicServer", "Supply", "Witness"]
