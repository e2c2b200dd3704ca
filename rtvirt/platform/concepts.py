"""Which concepts of other formats the schema carries, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..datafolder import path

if TYPE_CHECKING:
    import pandas as pd

CARRIED: dict[str, tuple[str, ...]] = {
    "CPU count / affinity": ("vms.cpus.count", "vms.cpus.affinity"),
    "Entry point / boot image / cmdline": ("vms.image.entry", "vms.image.load", "vms.image.cmdline", "vms.cpus.reset"),
    "RAM regions (guest->phys)": ("vms.memory.guest", "vms.memory.phys", "vms.memory.size"),
    "Memory attributes (R/W/X/DMA/IO width/shared)": ("vms.memory.flags",),
    "Cache colouring / partition": ("vms.memory.colours", "caches.partition"),
    "IRQ assignment": ("vms.irqs.line", "vms.irqs.route", "vms.irqs.priority"),
    "Virtual interrupt controller description": ("vms.irqchip.model", "vms.irqchip.mode"),
    "Timers / time base": ("vms.timer.model", "vms.timer.mode", "timers.model"),
    "MMIO device passthrough": ("vms.devices.mode", "vms.devices.device", "devices.registers.base"),
    "PCI passthrough": ("vms.devices.kind", "devices.pci"),
    "IOMMU / stream IDs": ("devices.iommu", "devices.streams", "iommus.streams"),
    "Virtual / paravirtual devices": ("vms.devices.mode", "vms.devices.backend", "vms.devices.driver"),
    "Shared-memory channel": ("vms.channels.region", "vms.channels.peers", "vms.channels.protocol"),
    "Doorbell / event channel": ("vms.channels.doorbell",),
    "Scheduling contract (budget/period/prio/slot)": ("vms.contract.budget", "vms.contract.period", "vms.contract.priority", "vms.contract.slots",
                                                      "vms.contract.wakeup", "scheduler.name"),
    "Privileged-operation interface": ("vms.operations.by", "vms.operations.hypercalls"),
    "Lifecycle / health / trace": ("vms.health.heartbeat", "vms.health.restart", "vms.health.trace"),
    "Versioning / feature negotiation": ("format", "revision", "vms.revision"),
}
"""{concept of published/vm_interface_features.csv: fields of a board's file that carry it}."""
PARTLY = {"Memory attributes (R/W/X/DMA/IO width/shared)": "widths of accesses are not described",
          "Cache colouring / partition": "ways of a cache are the board's; no VM is given some",
          "Versioning / feature negotiation": "versions, but nothing is negotiated"}
"""What a concept has that the schema leaves out."""


def concepts() -> pd.DataFrame:
    """The table of concepts against formats, with a column for this schema.

    Returns
    -------
    DataFrame
        One row a concept: cells as published (Y, P for partly, "impl" where the implementation knows, N; with field names), then ``rtvirt``,
        likewise. ``attrs["read"]`` says of each format whether its description was read in full; one from memory was not.

    Examples
    --------
    >>> table = concepts().set_index("concept")
    >>> table.loc["Doorbell / event channel", "rtvirt"]
    'Y vms.channels.doorbell'
    """
    import pandas as pd

    table = pd.read_csv(path("published/vm_interface_features.csv"), keep_default_na=False)
    read = table[table.concept == "READ IN FULL?"].iloc[0].drop("concept").to_dict()
    table = table[table.concept != "READ IN FULL?"].reset_index(drop=True)
    table.attrs["read"] = read
    table["rtvirt"] = [f"{'P' if name in PARTLY else 'Y' if name in CARRIED else 'N'} {', '.join(CARRIED.get(name, ()))}".strip()
                       for name in table.concept]
    return table
