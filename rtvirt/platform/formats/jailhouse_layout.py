"""What Jailhouse's cell configurations are made of, revision 14 of the format: constants, and the packed structures byte by byte.

Facts of include/jailhouse/cell-config.h and console.h of Jailhouse: names, values, order and width of fields.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from .c_table import Table, known

REVISION = 14
NAME_LONGEST = 31
MEMORY_FLAGS = {"read": 0x1, "write": 0x2, "execute": 0x4, "dma": 0x8, "io": 0x10, "shared": 0x80}
COMM_REGION, LOADABLE, NO_HUGEPAGES, IO_UNALIGNED = 0x20, 0x40, 0x100, 0x8000
ARCHITECTURES = {"x86-64": 0, "armv7-a": 1, "aarch64": 2}
AARCH32 = 0x4
PCI_DEVICE, PCI_IVSHMEM = 1, 3
VIRTIO_FRONT, VIRTIO_BACK = 0x8000, 0xC000
BAR_MASK_INTX = (0xFFFFF000, 0, 0, 0, 0, 0)
BAR_MASK_MSIX = (0xFFFFF000, 0xFFFFFE00, 0, 0, 0, 0)
CONSTANTS: dict[str, Any] = {
    "JAILHOUSE_CONFIG_REVISION": REVISION, "JAILHOUSE_SYSTEM_SIGNATURE": "JHSYS", "JAILHOUSE_CELL_DESC_SIGNATURE": "JHCLL",
    "JAILHOUSE_X86": 0, "JAILHOUSE_ARM": 1, "JAILHOUSE_ARM64": 2,
    "JAILHOUSE_CELL_PASSIVE_COMMREG": 1, "JAILHOUSE_CELL_TEST_DEVICE": 2, "JAILHOUSE_CELL_AARCH32": AARCH32,
    "JAILHOUSE_CELL_VIRTUAL_CONSOLE_PERMITTED": 0x40000000, "JAILHOUSE_CELL_VIRTUAL_CONSOLE_ACTIVE": 0x80000000,
    "JAILHOUSE_SYS_VIRTUAL_DEBUG_CONSOLE": 1,
    "JAILHOUSE_MEM_READ": 1, "JAILHOUSE_MEM_WRITE": 2, "JAILHOUSE_MEM_EXECUTE": 4, "JAILHOUSE_MEM_DMA": 8, "JAILHOUSE_MEM_IO": 0x10,
    "JAILHOUSE_MEM_COMM_REGION": COMM_REGION, "JAILHOUSE_MEM_LOADABLE": LOADABLE, "JAILHOUSE_MEM_ROOTSHARED": 0x80,
    "JAILHOUSE_MEM_NO_HUGEPAGES": NO_HUGEPAGES, "JAILHOUSE_MEM_IO_UNALIGNED": IO_UNALIGNED, "JAILHOUSE_MEM_IO_WIDTH_SHIFT": 16,
    "JAILHOUSE_MEM_IO_8": 1 << 16, "JAILHOUSE_MEM_IO_16": 2 << 16, "JAILHOUSE_MEM_IO_32": 4 << 16, "JAILHOUSE_MEM_IO_64": 8 << 16,
    "JAILHOUSE_PCI_TYPE_DEVICE": PCI_DEVICE, "JAILHOUSE_PCI_TYPE_BRIDGE": 2, "JAILHOUSE_PCI_TYPE_IVSHMEM": PCI_IVSHMEM,
    "JAILHOUSE_SHMEM_PROTO_UNDEFINED": 0, "JAILHOUSE_SHMEM_PROTO_VETH": 1, "JAILHOUSE_SHMEM_PROTO_CUSTOM": 0x4000,
    "JAILHOUSE_SHMEM_PROTO_VIRTIO_FRONT": VIRTIO_FRONT, "JAILHOUSE_SHMEM_PROTO_VIRTIO_BACK": VIRTIO_BACK,
    "VIRTIO_DEV_NET": 1, "VIRTIO_DEV_BLOCK": 2, "VIRTIO_DEV_CONSOLE": 3,
    "JAILHOUSE_IOMMU_AMD": 1, "JAILHOUSE_IOMMU_INTEL": 2, "JAILHOUSE_IOMMU_SMMUV3": 3, "JAILHOUSE_IOMMU_PVU": 4, "JAILHOUSE_IOMMU_ARM_MMU500": 5,
    "JAILHOUSE_CON_TYPE_NONE": 0, "JAILHOUSE_CON_TYPE_EFIFB": 1, "JAILHOUSE_CON_TYPE_8250": 2, "JAILHOUSE_CON_TYPE_PL011": 3,
    "JAILHOUSE_CON_TYPE_XUARTPS": 4, "JAILHOUSE_CON_TYPE_MVEBU": 5, "JAILHOUSE_CON_TYPE_HSCIF": 6, "JAILHOUSE_CON_TYPE_SCIFA": 7,
    "JAILHOUSE_CON_TYPE_IMX": 8, "JAILHOUSE_CON_TYPE_IMX_LPUART": 9, "JAILHOUSE_CON_ACCESS_PIO": 0, "JAILHOUSE_CON_ACCESS_MMIO": 1,
    "JAILHOUSE_CON_REGDIST_1": 0, "JAILHOUSE_CON_REGDIST_4": 2,
}
"""Names that configurations use, and what they stand for."""

Field = tuple[str, Any]
MEMORY: list[Field] = [("phys_start", "Q"), ("virt_start", "Q"), ("size", "Q"), ("flags", "Q")]
CACHE: list[Field] = [("start", "I"), ("size", "I"), ("type", "B"), ("padding", "B"), ("flags", "H")]
IRQCHIP: list[Field] = [("address", "Q"), ("id", "I"), ("pin_base", "I"), ("pin_bitmap", "4I")]
PIO: list[Field] = [("base", "H"), ("length", "H")]
PCI: list[Field] = [("type", "B"), ("iommu", "B"), ("domain", "H"), ("bdf", "H"), ("bar_mask", "6I"), ("caps_start", "H"), ("num_caps", "H"),
                    ("num_msi_vectors", "B"), ("msi_bits", "B"), ("num_msix_vectors", "H"), ("msix_region_size", "H"), ("msix_address", "Q"),
                    ("shmem_regions_start", "I"), ("shmem_dev_id", "B"), ("shmem_peers", "B"), ("shmem_protocol", "H")]
CAPABILITY: list[Field] = [("id", "H"), ("start", "H"), ("len", "H"), ("flags", "H")]
CONSOLE: list[Field] = [("address", "Q"), ("size", "I"), ("type", "H"), ("flags", "H"), ("divider", "I"), ("gate_nr", "I"), ("clock_reg", "Q")]
IOMMU: list[Field] = [("type", "I"), ("base", "Q"), ("size", "I"), ("tlb_base", "Q"), ("tlb_size", "I")]
ARM_INFO: list[Field] = [("maintenance_irq", "B"), ("gic_version", "B"), ("padding", "2B"), ("gicd_base", "Q"), ("gicc_base", "Q"),
                         ("gich_base", "Q"), ("gicv_base", "Q"), ("gicr_base", "Q")]
PLATFORM: list[Field] = [("pci_mmconfig_base", "Q"), ("pci_mmconfig_end_bus", "B"), ("pci_is_virtual", "B"), ("pci_domain", "H"),
                         ("iommu_units", (IOMMU, 8)), ("arm", ARM_INFO)]
CELL: list[Field] = [("signature", "5s"), ("architecture", "B"), ("revision", "H"), ("name", "32s"), ("id", "I"), ("flags", "I"),
                     ("cpu_set_size", "I"), ("num_memory_regions", "I"), ("num_cache_regions", "I"), ("num_irqchips", "I"), ("num_pio_regions", "I"),
                     ("num_pci_devices", "I"), ("num_pci_caps", "I"), ("num_stream_ids", "I"), ("vpci_irq_base", "I"),
                     ("cpu_reset_address", "Q"), ("msg_reply_timeout", "Q"), ("console", CONSOLE)]
SYSTEM: list[Field] = [("signature", "5s"), ("architecture", "B"), ("revision", "H"), ("flags", "I"), ("hypervisor_memory", MEMORY),
                       ("debug_console", CONSOLE), ("platform_info", PLATFORM), ("root_cell", CELL)]
LISTS: list[tuple[str, str, Any, str]] = [
    ("cpus", "cpu_set_size", "Q", "__u64"), ("mem_regions", "num_memory_regions", MEMORY, "struct jailhouse_memory"),
    ("cache_regions", "num_cache_regions", CACHE, "struct jailhouse_cache"), ("irqchips", "num_irqchips", IRQCHIP, "struct jailhouse_irqchip"),
    ("pio_regions", "num_pio_regions", PIO, "struct jailhouse_pio"), ("pci_devices", "num_pci_devices", PCI, "struct jailhouse_pci_device"),
    ("pci_caps", "num_pci_caps", CAPABILITY, "struct jailhouse_pci_capability"), ("stream_ids", "num_stream_ids", "I", "union jailhouse_stream_id")]
"""Lists behind the header, in this order: name, the header's count of it, the layout and the C type of an element."""


def pack(config: Table) -> bytes:
    """The bytes of a configuration, as `jailhouse cell create` takes them: what a compiler makes of the C text."""
    system = config.get("header") is not None
    header = config.table("header" if system else "cell")
    counts = {count: size_of(config, name, layout) for name, count, layout, _ in LISTS}
    packed = packed_struct(header, SYSTEM if system else CELL, counts)
    for name, _, layout, _ in LISTS:
        table = config.table(name)
        packed += b"".join(packed_one(entry.value, layout, table.where(), {}) for entry in table.entries)
    return packed


def size_of(config: Table, name: str, layout: Any) -> int:
    """What the header says of a list: the number of its elements; bytes for the pCPUs."""
    count = len(config.table(name).entries)
    return count * 8 if name == "cpus" else count


def packed_struct(table: Table, layout: Sequence[Field], counts: dict[str, int]) -> bytes:
    """A structure without gaps; fields that are not named are 0."""
    return b"".join(struct.pack("<I", counts[name]) if name in counts else packed_one(table.get(name), kind, table.where(name), counts)
                    for name, kind in layout)


def packed_one(value: Any, kind: Any, where: str, counts: dict[str, int]) -> bytes:
    """One value: a structure, an array, a text, or a number."""
    empty = Table(where, 0)
    if isinstance(kind, list):
        return packed_struct(value if isinstance(value, Table) else empty, kind, counts)
    if isinstance(kind, tuple):
        each = [entry.value for entry in value.entries] if isinstance(value, Table) else []
        return b"".join(packed_one(one, kind[0], where, counts) for one in [*each, *[None] * kind[1]][:kind[1]])
    if kind.endswith("s"):
        return struct.pack(f"<{kind}", value.encode("ascii") if isinstance(value, str) else b"")
    if len(kind) > 1:
        return b"".join(packed_one(one, kind[1:], where, counts) for one in spread(value, int(kind[0]), where))
    return struct.pack(f"<{kind}", known(0 if value is None else value, where, "field") & (1 << 8 * struct.calcsize(f"<{kind}")) - 1)


def spread(value: Any, length: int, where: str) -> list[int]:
    """Elements of an array of numbers, filled up with 0."""
    found = [] if value is None else value.numbers() if isinstance(value, Table) else [known(value, where, "array")]
    return (found + [0] * length)[:length]
