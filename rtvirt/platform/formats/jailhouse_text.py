"""Cells, written as C."""

from __future__ import annotations

from collections.abc import Sequence

from ..board import Board
from ..fields import PAGE, Extent, shown
from ..interface import VmInterface, Window
from .c_text import bits, braces, field, rows, text_of
from .jailhouse_cells import HYPERVISOR, Plan, Wire, is_arm, real_of, seen_blocks
from .jailhouse_layout import LISTS
from .partition import label, occupied, pci_of

ARCHITECTURE = {"x86-64": "JAILHOUSE_X86", "armv7-a": "JAILHOUSE_ARM", "aarch64": "JAILHOUSE_ARM64"}
FLAG = {"read": "READ", "write": "WRITE", "execute": "EXECUTE", "dma": "DMA", "io": "IO", "shared": "ROOTSHARED"}
CONSOLES = {"pl011": "PL011", "uart-16550": "8250", "cdns-uart": "XUARTPS"}
"""Our drivers of serial ports, and Jailhouse's."""
UNITS = {"mmu-500": "ARM_MMU500", "smmu-v3": "SMMUV3", "vt-d": "INTEL", "amd-vi": "AMD"}
"""Our models of IOMMUs, and Jailhouse's."""
MAINTENANCE_IRQ = 25
"""The line by which a GIC calls the hypervisor: the same on all boards that follow ARM's recommendation (Server Base System Architecture)."""
MMCONFIG = 2**20
"""Configuration space of one virtual PCI bus `int [bytes]`."""
COMM_REGION = {True: 0x80000000, False: 0x100000}
"""Where inmates of Jailhouse look for the page that they share with it: on ARM, on a PC."""


def memory_flags(window: Window, more: Sequence[str] = ()) -> str:
    """Flags of a region."""
    return " | ".join(f"JAILHOUSE_MEM_{name}" for name in [*[FLAG[flag] for flag in window.flags], *more]) or "0"


def region(comment: str, phys: int | None, virt: int, size: int, flags: str) -> list[str]:
    """One memory region."""
    place = [] if phys is None else field("phys_start", f"{phys:#x}")
    return [comment, *place, *field("virt_start", f"{virt:#x}"), *field("size", f"{size:#x}"), *field("flags", flags)]


def regions(board: Board, vm: VmInterface, wires: Sequence[Wire], root: bool) -> list[list[str]]:
    """Shared memory first, section by section, then memory, registers, and the page that a cell shares with Jailhouse."""
    found, joined = [], set()
    for wire in wires:
        window = next(one for one in vm.memory if one.name == wire.link.ends[wire.peer].window)
        joined.add(window.name)
        phys = window.phys or 0
        found.append(region(label("memory", window.name), phys, window.guest, PAGE, "JAILHOUSE_MEM_READ | JAILHOUSE_MEM_ROOTSHARED"))
        found.append(region("/* its other pages, for all */", phys + PAGE, window.guest + PAGE, window.size - PAGE, memory_flags(window)))
        found += [["/* none for one alone */", "0"]] * len(wire.link.ends)
    for window in vm.memory:
        if window.name not in joined:
            loadable = not root and "execute" in window.flags and "shared" not in window.flags
            found.append(region(label("memory", window.name), window.phys, window.guest, window.size,
                                memory_flags(window, ["LOADABLE"] if loadable else [])))
    for device in vm.devices:
        for phys, virt, size in seen_blocks(board, device):
            widths = " | JAILHOUSE_MEM_IO_8 | JAILHOUSE_MEM_IO_16 | JAILHOUSE_MEM_IO_32 | JAILHOUSE_MEM_IO_64" if (virt | size) % PAGE else ""
            found.append(region(label("device", device.name, device.device or ""), phys, virt, size,
                                "JAILHOUSE_MEM_READ | JAILHOUSE_MEM_WRITE | JAILHOUSE_MEM_IO" + widths))
    comm = Extent(base=COMM_REGION[is_arm(vm)], size=PAGE)
    if not root and not any(comm.overlaps(seen) for seen in guest_space(board, vm)):
        found.append(region("/* communication region */", None, comm.base, PAGE,
                            "JAILHOUSE_MEM_READ | JAILHOUSE_MEM_WRITE | JAILHOUSE_MEM_COMM_REGION"))
    return found


def guest_space(board: Board, vm: VmInterface) -> list[Extent]:
    """What a cell sees somewhere."""
    blocks = [block for device in vm.devices for block in seen_blocks(board, device)]
    return [window.seen for window in vm.memory] + [Extent(base=virt, size=size) for _, virt, size in blocks]


def irqchips(board: Board, plan: Plan, vm: VmInterface) -> list[list[str]]:
    """Pins of the interrupt controller, 128 at a time."""
    address = board.irqchip.registers[0].base if board.irqchip.registers else 0
    first = 32 if is_arm(vm) else 0
    pins = {irq.line - first for irq in vm.irqs}
    chips = []
    for base in sorted({pin // 128 * 128 for pin in pins}):
        words = [f"{bits(pin - base - 32 * n for pin in pins if base + 32 * n <= pin < base + 32 * n + 32):#010x}" for n in range(4)]
        chips.append([f"/* {board.irqchip.model}: lines from {first + base} */", *field("address", f"{address:#x}"), *field("pin_base", first + base),
                      *field("pin_bitmap", f"{{{', '.join(words)}}}")])
    return chips


def pci_devices(board: Board, vm: VmInterface, wires: Sequence[Wire]) -> list[list[str]]:
    """Devices of the bus that are the cell's, and virtual ones with shared memory."""
    found, start = [], 0
    for device in vm.devices:
        real = board.device(device.device)
        if real and real.pci:
            domain, bdf = pci_of(real.pci)
            found.append([label("device", device.name, real.name), *field("type", "JAILHOUSE_PCI_TYPE_DEVICE"), *field("domain", domain),
                          *field("bdf", f"{bdf:#x}")])
    for wire in wires:
        end, peers = wire.link.ends[wire.peer], len(wire.link.ends)
        vring = next(one.protocol for one in vm.channels if one.name == wire.link.name) == "vring"
        side = "BACK" if wire.peer == 0 else "FRONT"
        found.append([
            label("channel", wire.link.name, end.window), *field("type", "JAILHOUSE_PCI_TYPE_IVSHMEM"),
            *(field("domain", 1) if is_arm(vm) else []), *field("bdf", f"{wire.slot} << 3"),
            *field("bar_mask", "{0xfffff000, 0, 0, 0, 0, 0}" if is_arm(vm) else "{0xfffff000, 0xfffffe00, 0, 0, 0, 0}"),
            *([] if is_arm(vm) else field("num_msix_vectors", 2)), *field("shmem_regions_start", start), *field("shmem_dev_id", wire.peer),
            *field("shmem_peers", peers), *field("shmem_protocol", f"JAILHOUSE_SHMEM_PROTO_{f'VIRTIO_{side}' if vring else 'UNDEFINED'}")])
        start += 2 + peers
    return found


def lists(board: Board, plan: Plan, vm: VmInterface) -> dict[str, list[list[str]]]:
    """Lists of a cell, except the pCPUs."""
    wires, root = plan.wires[vm.name], vm.name == plan.root
    real = [(device.name, one) for device in vm.devices if (one := real_of(board, device))]
    ports = [[label("device", name, one.name), *field("base", f"{block.base:#x}"), *field("length", f"{block.size:#x}")]
             for name, one in real for block in one.registers if block.space == "port"]
    streams = [[f"/* {one.name} */", f"{stream:#x}"] for _, one in real for stream in one.streams if is_arm(vm)]
    return {"mem_regions": regions(board, vm, wires, root), "irqchips": irqchips(board, plan, vm), "pio_regions": ports,
            "pci_devices": pci_devices(board, vm, wires), "stream_ids": streams}


def declared(head: str, found: dict[str, list[list[str]]]) -> list[str]:
    """The type of the whole: the header, and the lists behind it in their order."""
    return [f"{head};", "__u64 cpus[1];", *[f"{kind} {name}[{len(found[name])}];" for name, _, _, kind in LISTS if found.get(name)]]


def counts(found: dict[str, list[list[str]]]) -> list[str]:
    """What the header says of the lists."""
    return [*field("cpu_set_size", "sizeof(config.cpus)"),
            *[line for name, count, _, _ in LISTS if found.get(name) for line in field(count, f"ARRAY_SIZE(config.{name})")]]


def whole(head: str, inner: list[str], cpus: int, found: dict[str, list[list[str]]]) -> list[str]:
    """The variable."""
    body = [*inner, *field("cpus", f"{{{cpus:#x}}}")]
    for name, _, _, _ in LISTS:
        body += rows(name, "", found[name]) if found.get(name) else []
    return [*braces(declared(head, found), "struct ", " __attribute__((packed)) config = {"), *[f"    {line}" for line in body], "};"]


def console(board: Board, vm: VmInterface) -> list[str]:
    """The first serial port of a cell that Jailhouse can write to."""
    for device in vm.devices:
        real = board.device(device.device)
        kind = CONSOLES.get(real.driver) if real else None
        if real and kind and real.registers:
            block, memory = real.registers[0], real.registers[0].space == "memory"
            virt = seen_blocks(board, device)[0][1] if memory else block.base
            access = "JAILHOUSE_CON_ACCESS_MMIO | JAILHOUSE_CON_REGDIST_4" if memory else "JAILHOUSE_CON_ACCESS_PIO | JAILHOUSE_CON_REGDIST_1"
            return [*field("address", f"{virt:#x}"), *field("size", f"{block.size:#x}"), *field("type", f"JAILHOUSE_CON_TYPE_{kind}"),
                    *field("flags", access)]
    return []


def cell(board: Board, plan: Plan, vm: VmInterface, found: dict[str, list[list[str]]]) -> list[str]:
    """A cell's header, as the root cell has it too."""
    narrow = vm.architecture == "armv7-a" and plan.said[plan.root].architecture == "aarch64"
    flags = ["JAILHOUSE_CELL_PASSIVE_COMMREG"] * (vm.name != plan.root) + ["JAILHOUSE_CELL_AARCH32"] * narrow
    port = console(board, vm) if vm.name != plan.root else []
    return [*field("name", f'"{vm.name}"'), *field("id", vm.id), *(field("flags", " | ".join(flags)) if flags else []), *counts(found),
            *(field("vpci_irq_base", f"{plan.pins[vm.name]} - 32") if vm.name in plan.pins else []),
            *(field("cpu_reset_address", f"{vm.cpus.reset:#x}") if vm.cpus.reset is not None else []), *(braces(port, ".console = ") if port else [])]


def kind_of(plan: Plan, vm: VmInterface) -> str:
    """The name of a cell's architecture: that of the hypervisor where both are ARM's."""
    root = plan.said[plan.root].architecture
    return ARCHITECTURE[root if vm.architecture == "armv7-a" and root == "aarch64" else vm.architecture]


def cell_text(board: Board, plan: Plan, vm: VmInterface) -> str:
    """The file of a cell that is not the root cell."""
    found = lists(board, plan, vm)
    stem = f"{board.name}-{vm.name}"
    load = f" -a {board[vm.name].image.load:#x}" if board[vm.name].image else ""
    head = [f"/* Jailhouse: the cell {vm.name} of {board.name}.", f" *   jailhouse cell create {stem}.cell",
            f" *   jailhouse cell load {vm.name} {vm.name}.bin{load}", f" *   jailhouse cell start {vm.name}",
            " * The driver numbers cells anew when they are created. */"]
    inner = [*field("signature", "JAILHOUSE_CELL_DESC_SIGNATURE"), *field("revision", "JAILHOUSE_CONFIG_REVISION"),
             *field("architecture", kind_of(plan, vm)), *cell(board, plan, vm, found)]
    return text_of([*head, *INCLUDES, *whole("struct jailhouse_cell_desc cell", braces(inner, ".cell = "), bits(vm.cpus.affinity or ()), found)])


INCLUDES = ["", "#include <jailhouse/types.h>", "#include <jailhouse/cell-config.h>", ""]


def system_text(board: Board, plan: Plan) -> str:
    """The file of the root cell: what is the hypervisor's, and the pCPUs of all cells, which take theirs from it."""
    vm = plan.said[plan.root]
    found = lists(board, plan, vm)
    cpus = {cpu for one in plan.said.vms for cpu in one.cpus.affinity or ()}
    rest = sorted(set(range(board.cpus)) - cpus)
    own = shown(Extent(base=plan.hypervisor, size=HYPERVISOR))
    head = [f"/* Jailhouse: {board.name}, with {vm.name} as root cell. Keep Linux out of {own} (assumption: {HYPERVISOR >> 20} MiB",
            f" * are enough for Jailhouse) and of the other cells' memory{f'; take offline pCPUs {rest}' if rest else ''}.",
            f" *   jailhouse enable {board.name}.cell */"]
    port = console(board, vm)
    inner = [*field("signature", "JAILHOUSE_SYSTEM_SIGNATURE"), *field("revision", "JAILHOUSE_CONFIG_REVISION"),
             *field("architecture", kind_of(plan, vm)), *field("flags", "JAILHOUSE_SYS_VIRTUAL_DEBUG_CONSOLE"),
             *braces([*field("phys_start", f"{plan.hypervisor:#x}"), *field("size", f"{HYPERVISOR:#x}")], ".hypervisor_memory = "),
             *(braces(port, ".debug_console = ") if port else []), *braces(platform(board, plan, vm), ".platform_info = "),
             *braces(cell(board, plan, vm, found), ".root_cell = ")]
    return text_of([*head, *INCLUDES, *whole("struct jailhouse_system header", braces(inner, ".header = "), bits(cpus), found)])


def platform(board: Board, plan: Plan, vm: VmInterface) -> list[str]:
    """The hypervisor's own hardware: a virtual PCI bus, the interrupt controller, IOMMUs."""
    units = [(iommu, UNITS[iommu.model]) for iommu in board.iommus if iommu.model in UNITS and iommu.registers][:8]
    lines = []
    if is_arm(vm):
        lines += [*field("pci_mmconfig_base", f"{hole(board, plan):#x}"), *field("pci_mmconfig_end_bus", 0), *field("pci_is_virtual", 1),
                  *field("pci_domain", 1)]
    if units:
        lines += rows("iommu_units", "", [
            [f"/* {iommu.name} */", *field("type", f"JAILHOUSE_IOMMU_{kind}"), *field("base", f"{iommu.registers[0].base:#x}"),
             *field("size", f"{iommu.registers[0].size:#x}")] for iommu, kind in units])
    return lines + (braces(gic(board), ".arm = ") if is_arm(vm) else [])


def gic(board: Board) -> list[str]:
    """Registers of the interrupt controller: distributor, then CPU interface, hypervisor's, virtual; or redistributors."""
    third = board.irqchip.model == "gic-v3"
    names = ["gicd_base", "gicr_base"] if third else ["gicd_base", "gicc_base", "gich_base", "gicv_base"]
    return [*field("gic_version", 3 if third else 2), *field("maintenance_irq", MAINTENANCE_IRQ),
            *[line for name, block in zip(names, board.irqchip.registers, strict=False) for line in field(name, f"{block.base:#x}")]]


def hole(board: Board, plan: Plan) -> int:
    """Addresses that nobody uses, for the virtual bus's configuration space."""
    used = [*occupied(plan.said), *[Extent(base=one.base, size=one.size) for one in board.memory],
            *[seen for vm in plan.said.vms for seen in guest_space(board, vm)]]
    spots = range(2**32 - 64 * MMCONFIG, 0, -MMCONFIG)
    return next((base for base in spots if not any(Extent(base=base, size=MMCONFIG).overlaps(one) for one in used)), 0)
