"""Several pCPUs: global EDF and global fixed priorities, tardiness, partitions, and interfaces of VMs with several vCPUs.

All tests take sporadic tasks that may run on any of the pCPUs, one at a time, and all are sufficient: exact ones would take too long. Python's own
integers and fractions decide, so that nothing overflows; only the walk over the windows of `limited_carry_in` uses 64 bits, and looks beforehand
whether they will do.
"""

from .global_edf import global_edf_response_times, global_edf_schedulable
from .global_fp import global_fp_response_times, global_fp_schedulable
from .partition import Partition, partition
from .tardiness import edf_tardiness
from .virtual import best_mpr, min_dmpr, min_mpr_budget, mpr_schedulable
from .witnesses import Crowded, Dense

__all__ = ["Crowded", "Dense", "Partition", "best_mpr", "edf_tardiness", "global_edf_response_times", "global_edf_schedulable",
           "global_fp_response_times", "global_fp_schedulable", "min_dmpr", "min_mpr_budget", "mpr_schedulable", "partition"]
