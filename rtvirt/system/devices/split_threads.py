"""Who works for a split driver in the driver VM, by era (docs/xen-rules.md 8.4, 8.5) and by what the device asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .attached import NAPI_WEIGHT
from .plumbing import MOST_BATCH, Thread

if TYPE_CHECKING:
    from ..system import System
    from .split import SplitDriver


def back_end(device: SplitDriver, system: System, name: str, *, shared: bool = False, batch: int, order: str = "turns", sends: bool = False,
             hypercall: bool = True) -> Thread:
    """A thread of the back end. Each batch has one grant hypercall (8.2), if any; `shared`: by all front ends, unless the stream has its own."""
    own = {"priority": device.thread_priority(system), "budget": device.budget, "server_period": device.server_period} if device.own_threads else {}
    when = {"period": device.poll, "offset": device.offset} if device.poll is not None else {}
    full_name = f"netback.{name}" if shared and not device.own_threads else f"{device.name}.{name}"
    return Thread(device.driver, full_name, vcpu=vcpu(device, sends), wake=device.wake, rest=device.rest,
                  fixed=device.fixed + (system.costs.hypercall if hypercall else 0), batch=device.batch or batch, order=order, **own, **when)


def hardware_thread(device: SplitDriver, name: str, *, batch: int = NAPI_WEIGHT, fixed: int = 0, sends: bool = False) -> Thread:
    """Interrupts' work of the NIC or disk: one for all who share it, unless the device has a vCPU of its own, or polls it."""
    if device.poll is None and device.vcpu is None and device.tx_vcpu is None:
        return Thread(device.driver, name, fixed=fixed, batch=batch)
    direction = ".tx" if vcpu(device, sends) != vcpu(device, False) else ""
    return Thread(device.driver, f"{device.name}.{name}{direction}", vcpu=vcpu(device, sends), fixed=fixed, batch=batch,
                  period=device.poll, offset=device.offset)


def vcpu(device: SplitDriver, sends: bool) -> int:
    """vCPU of the driver VM for a direction."""
    return device.tx_vcpu if sends and device.tx_vcpu is not None else device.vcpu or 0


def network_threads(device: SplitDriver, system: System) -> dict[str, Thread]:
    """{"rx", "tx", "release": thread} of the back end (8.4)."""
    if device.era == "tasklets":
        rx = back_end(device, system, "rx", shared=True, batch=MOST_BATCH, order="oldest")           # one list for all guests (8.4.2)
        tx = back_end(device, system, "tx", shared=True, batch=MOST_BATCH, sends=True)               # a packet of each in turn (8.4.1)
        return {"rx": rx, "tx": tx, "release": tx}
    if device.era == "kthread" and not device.own_threads:
        both = back_end(device, system, "netback", batch=NAPI_WEIGHT, order="listed")
        return {"rx": both, "tx": both, "release": both}
    return {"rx": back_end(device, system, "rx", batch=NAPI_WEIGHT), "tx": back_end(device, system, "tx", batch=NAPI_WEIGHT, sends=True),
            "release": back_end(device, system, "release", batch=NAPI_WEIGHT, sends=True)}


__all__ = ["back_end", "hardware_thread", "network_threads"]
