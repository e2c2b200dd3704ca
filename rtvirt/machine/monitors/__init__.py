"""Virtual machine monitors: the dispatcher and its interpreters (dispatch.py), the allocator and the people's view (host.py)."""

from __future__ import annotations

from .host import STYLES, Monitor, VirtualMachine
from .trace import Step, Trace

__all__ = ["STYLES", "Monitor", "Step", "Trace", "VirtualMachine"]
