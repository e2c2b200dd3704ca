"""Hosted: an ordinary operating system does the work, and the monitor is its guest, its module, or its process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .binary_translation import BinaryTranslation
from .structure import Structure, Table


@dataclass(frozen=True)
class Hosted(Structure):
    """A monitor beside a host: processor and memory as under binary translation, each I/O two world switches (Sugerman et al. 2001)."""

    name: ClassVar[str] = "hosted"
    what: ClassVar[str] = "binary translation; for I/O the whole world is switched to the host and back"
    who: ClassVar[str] = "VMware Workstation"

    def table(self) -> Table:
        """There and back, and the host's own path."""
        to_host = {"world_switch": 2, "host_work": 1}
        return {**BinaryTranslation().table(),
                "port_read": {"native": 0, "callout": 1, **to_host},
                "interrupt": {"world_switch": 1, "trap_emulate": 1}, "idle": to_host}


@dataclass(frozen=True)
class UserMode(Structure):
    """A kernel as a process: the host stops its user code at every system call and fault, and lets the tracer look."""

    name: ClassVar[str] = "user_mode"
    what: ClassVar[str] = "a guest kernel that is a process of the host, traced"
    who: ClassVar[str] = "User-Mode Linux"

    def table(self) -> Table:
        """Every entry to the guest's kernel is one stop of the traced process; a signal handler is two."""
        stop = {"ptrace_stop": 1}
        return {"system_call": stop, "exception": stop, "protection_fault": stop, "page_fault": stop, "interrupt": stop,
                "context_switch": {"host_switch": 1}}
