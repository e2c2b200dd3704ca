"""Interactive explorers, one a file: parameters -> pure compute -> scene -> widget; and a timeline for any run."""

from . import admission, board, clock, credit, flip, io_bound, monitor, packet_path, schedulers, supply_demand, traps
from .sheet import Live
from .timeline import timeline

__all__ = ["Live", "admission", "board", "clock", "credit", "flip", "io_bound", "monitor", "packet_path", "schedulers", "supply_demand", "timeline",
           "traps"]
