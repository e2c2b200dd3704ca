"""rtvirt: virtualizing real-time embedded systems, to teach and to research.

    import rtvirt as rv

Names are loaded when they are first used, so that `import rtvirt` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_NAMES = {
    "system": ["System", "Task", "VM", "Costs", "Change", "hog", "run", "block", "yield_", "send", "trap", "uniform", "exponential", "normal",
               "empirical", "submit", "request", "Arrivals", "CustomDevice", "SplitDriver", "EmulatedDevice", "HostedDevice", "PassThrough",
               "PolledDevice", "VirtioDevice", "Fault"],
    "simulation": ["simulate"],
    "results": ["Run"],
    "comparison": ["compare"],
    "analysis": ["admit", "provision"],
    "schedulers": ["Credit", "Credit2", "Null", "RoundRobin", "FixedPriority", "RTDS", "ARINC653", "SEDF", "BVT",
                   "PollingServers", "PeriodicServers", "DeferrableServers", "SporadicServers", "CBS"],
    "errors": ["SpecError", "RecordError", "LimitError", "RtvirtError"],
    "exercises": ["check", "hint", "variant"],
    "sweeps": ["sweep"],
}
_MODULES = ("units", "plots", "xentrace", "silicon", "explorers", "exercises", "data", "machine", "analysis", "workloads", "sweeps", "interop",
            "traps", "throughput", "platform")
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [*sorted(_HOME), *_MODULES]

if TYPE_CHECKING:
    from . import (
        analysis,
        data,
        exercises,
        explorers,
        interop,
        machine,
        platform,
        plots,
        silicon,
        sweeps,
        throughput,
        traps,
        units,
        workloads,
        xentrace,
    )
    from .analysis import admit, provision
    from .comparison import compare
    from .errors import LimitError, RecordError, RtvirtError, SpecError
    from .exercises import check, hint, variant
    from .results import Run
    from .schedulers import (
        ARINC653,
        BVT,
        CBS,
        RTDS,
        SEDF,
        Credit,
        Credit2,
        DeferrableServers,
        FixedPriority,
        Null,
        PeriodicServers,
        PollingServers,
        RoundRobin,
        SporadicServers,
    )
    from .simulation import simulate
    from .sweeps import sweep
    from .system import (
        VM,
        Arrivals,
        Change,
        Costs,
        CustomDevice,
        EmulatedDevice,
        Fault,
        HostedDevice,
        PassThrough,
        PolledDevice,
        SplitDriver,
        System,
        Task,
        VirtioDevice,
        block,
        empirical,
        exponential,
        hog,
        normal,
        request,
        run,
        send,
        submit,
        trap,
        uniform,
        yield_,
    )


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"rtvirt has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
