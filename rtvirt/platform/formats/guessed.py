"""What is not said when files are read: which format they are, and on what hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import Problem, SpecError
from ..board import Board
from ..hardware import Cluster, InterruptController


def format_of(texts: Mapping[str, str]) -> str:
    """The format of some files, by their suffixes and a telling word."""
    everything = "\n".join(text for name, text in texts.items() if name.endswith((".dts", ".c", ".h")))
    suffixes = {name.rsplit(".", 1)[-1].lower() for name in texts}
    if "cfg" in suffixes:
        return "xen"
    if "xml" in suffixes:
        return "libvirt"
    if "xen,domain" in everything:
        return "dom0less"
    if "jailhouse" in everything.lower():
        return "jailhouse"
    if "vmlist" in everything or "VM_IMAGE" in everything:
        return "bao"
    raise SpecError([Problem("format", sorted(texts)[:5], "files of a format that can be told", "say which one it is: format=...")])


def hardware_for(format: str, texts: Mapping[str, str]) -> Board:
    """Hardware for files that come without: 64 pCPUs of x86 if they speak of it, of ARM if not."""
    words = ("x86_64", "ioports", 'type = "hvm"', 'type = "pv"', "type='pv'")
    x86 = format in ("xen", "libvirt") and any(word in text for text in texts.values() for word in words)
    isa: Any = "x86-64" if x86 else "aarch64"
    return Board(name="unknown", clusters=[Cluster(name="cpus", core="unknown", isa=isa, cpus=list(range(64)))],
                 irqchip=InterruptController(name="chip", model="ioapic" if x86 else "gic-v3", lines=1020))
