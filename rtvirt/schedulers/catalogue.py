"""Every VM scheduler once: the names that the command line knows, and one of each kernel to compile ahead of time."""

from __future__ import annotations

from typing import Any

from .arinc653 import ARINC653
from .bvt import BVT
from .cbs import CBS
from .credit import Credit
from .credit2 import Credit2
from .deferrable_servers import DeferrableServers
from .fixed_priority import FixedPriority
from .null import Null
from .periodic_servers import PeriodicServers
from .polling_servers import PollingServers
from .round_robin import RoundRobin
from .rtds import RTDS
from .sedf import SEDF
from .sporadic_servers import SporadicServers

BY_NAME: dict[str, Any] = {
    "arinc653": ARINC653,
    "bvt": BVT,
    "cbs": CBS,
    "credit": Credit,
    "credit2": Credit2,
    "deferrable": DeferrableServers,
    "fp": FixedPriority,
    "null": Null,
    "periodic": PeriodicServers,
    "polling": PollingServers,
    "rr": RoundRobin,
    "rtds": RTDS,
    "sedf": SEDF,
    "sporadic": SporadicServers,
}


def one_of_each() -> dict[str, Any]:
    """A scheduler for each kernel, by the kernel's name; some classes have several."""
    return {scheduler.kernel_name: scheduler for scheduler in [*(kind() for kind in BY_NAME.values()), Credit(xen="3.1")]}
