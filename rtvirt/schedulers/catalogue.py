"""Every VM scheduler once: the names that the command line knows, and one of each kernel to compile ahead of time."""

from __future__ import annotations

from typing import Any

from .arinc653 import ARINC653
from .bvt import BVT
from .credit import Credit
from .credit2 import Credit2
from .fixed_priority import FixedPriority
from .null import Null
from .round_robin import RoundRobin
from .rtds import RTDS
from .sedf import SEDF

BY_NAME: dict[str, Any] = {
    "arinc653": ARINC653,
    "bvt": BVT,
    "credit": Credit,
    "credit2": Credit2,
    "fp": FixedPriority,
    "null": Null,
    "rr": RoundRobin,
    "rtds": RTDS,
    "sedf": SEDF,
}


def one_of_each() -> dict[str, Any]:
    """A scheduler for each kernel, by the kernel's name; some classes have several."""
    return {scheduler.kernel_name: scheduler for scheduler in [*(kind() for kind in BY_NAME.values()), Credit(xen="3.1")]}
