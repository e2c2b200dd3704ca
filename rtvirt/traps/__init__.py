"""What traps cost: the bound on what the hypervisor does for a VM, for admission."""

from .bound import OverheadBound, overhead_bound, trapping

__all__ = ["OverheadBound", "overhead_bound", "trapping"]
