"""The vocabulary: tasks in VMs in a system, what the hypervisor costs, and what changes over time."""

from .arrivals import Arrivals
from .change import Change
from .costs import Costs
from .devices import CustomDevice, EmulatedDevice, HostedDevice, PassThrough, PolledDevice, SplitDriver, VirtioDevice
from .distributions import Distribution, empirical, exponential, normal, uniform
from .fault import Fault
from .historical import BvtContract, SedfContract
from .spec import FOREVER
from .system import System
from .task import Step, Task, block, hog, ranks_of, request, run, send, submit, trap, yield_
from .vm import VM

__all__ = ["FOREVER", "VM", "Arrivals", "BvtContract", "Change", "Costs", "CustomDevice", "Distribution", "EmulatedDevice", "Fault", "HostedDevice",
           "PassThrough", "PolledDevice", "SedfContract", "SplitDriver", "Step", "System", "Task", "VirtioDevice", "block", "empirical",
           "exponential", "hog", "normal", "ranks_of", "request", "run", "send", "submit", "trap", "uniform", "yield_"]
