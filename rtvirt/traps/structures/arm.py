"""ARM: the trap is cheap, the state is not. Three ways to use EL2 (Dall et al. 2014, 2016, 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .structure import Structure, Table


def el2_table(call: dict[str, int], for_user: dict[str, int]) -> Table:
    """Who handles an exit pays `call`; a process of the host in addition `for_user`. Completion and page faults need nobody."""
    kernel = {"native": 0, **call, "kernel_emulation": 1}
    return {
        "hypercall": call, "idle": call, "kernel_io": kernel, "interrupt_controller": kernel,
        "port_read": {**kernel, "user_exit": 1, **for_user},
        "interrupt": call,                                        # taken at EL2, put into a list register; its end is the hardware's
        "ipi": {**{part: 2 * n for part, n in call.items()}, "kernel_emulation": 1},   # the sender's access, and what stops the receiver
    }


@dataclass(frozen=True)
class ArmEl2(Structure):
    """A hypervisor that lives in EL2: it saves general registers only."""

    name: ClassVar[str] = "arm_el2"
    what: ClassVar[str] = "a hypervisor in EL2; a trap saves general registers"
    who: ClassVar[str] = "Xen on ARM"

    def table(self) -> Table:
        """A driver's process is in another VM: its state is exchanged."""
        return el2_table({"mode_call": 1}, {"host_state": 1})


@dataclass(frozen=True)
class ArmSplit(Structure):
    """Split mode: a stub in EL2 and a host kernel in EL1, whose whole state is exchanged at every exit, with a second trap to get there."""

    name: ClassVar[str] = "arm_split"
    what: ClassVar[str] = "a stub in EL2, the host in EL1: two traps and the whole state, each time"
    who: ClassVar[str] = "KVM/ARM before VHE"

    def table(self) -> Table:
        """The state is the host's already when its process is to run."""
        return el2_table({"mode_call": 1, "mode_bounce": 1, "host_state": 1}, {})


@dataclass(frozen=True)
class ArmVhe(Structure):
    """Virtualization host extensions: the host kernel lives in EL2; what it does not use is exchanged only when a process must run."""

    name: ClassVar[str] = "arm_vhe"
    what: ClassVar[str] = "the host kernel in EL2: state is exchanged only on the way to a process"
    who: ClassVar[str] = "KVM/ARM with VHE"

    def table(self) -> Table:
        """Lazy state is paid by user-space I/O."""
        return el2_table({"mode_call": 1}, {"host_state": 1})
