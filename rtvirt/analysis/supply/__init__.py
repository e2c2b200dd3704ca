"""Supplies: how much processor time a VM surely gets, one kind of contract a class."""

from .base import Supply
from .credit2_share import Credit2Share
from .deterministic import DeterministicMultiprocessorPeriodicResource
from .partition import FixedPriorityPartition
from .periodic import ExplicitDeadlinePeriodic, MultiprocessorPeriodicResource, PeriodicResource
from .proportional import NoBound, ProportionalShare, Witness, share_table
from .servers import ConstantBandwidthServer, DeferrableServer, PollingServer, SporadicServer
from .shares import RoundRobinShare
from .simple import BoundedDelay, Dedicated
from .slots import SlotTable

__all__ = ["BoundedDelay", "ConstantBandwidthServer", "Dedicated", "DeferrableServer", "DeterministicMultiprocessorPeriodicResource",
           "ExplicitDeadlinePeriodic", "FixedPriorityPartition", "MultiprocessorPeriodicResource", "NoBound", "PeriodicResource", "PollingServer",
           "ProportionalShare", "RoundRobinShare", "SlotTable", "SporadicServer", "Supply"]
