"""VM schedulers, one a file: parameters, and the algorithm as a student would read it.

To add one: write `rtvirt/schedulers/NAME.py` with a frozen dataclass of parameters and the kernels that `engine/loop.py` calls, and
import its class below. CONTRIBUTING.md shows a whole one. `load` takes one from a file of your own.
"""

from .arinc653 import ARINC653
from .bvt import BVT
from .cbs import CBS
from .credit import Credit
from .credit2 import Credit2
from .deferrable_servers import DeferrableServers
from .fixed_priority import FixedPriority
from .null import Null
from .outside import load
from .periodic_servers import PeriodicServers
from .polling_servers import PollingServers
from .round_robin import RoundRobin
from .rtds import RTDS
from .sedf import SEDF
from .sporadic_servers import SporadicServers

__all__ = ["ARINC653", "BVT", "CBS", "RTDS", "SEDF", "Credit", "Credit2", "DeferrableServers", "FixedPriority", "Null",
           "PeriodicServers", "PollingServers", "RoundRobin", "SporadicServers", "load"]
