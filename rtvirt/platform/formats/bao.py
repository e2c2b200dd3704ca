"""Bao: one C file with a list of VMs (struct config), as its documentation describes it.

A VM has an image, an entry, pCPUs that it prefers, colours, and a platform: memory, channels (ipcs) on shared memory, devices, the addresses
of the interrupt controller that it sees. VMs have no names: the image has, and the VM goes by that; the other names are comments.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import Problem
from ..board import Board, Scheduler
from ..interface import Channel, Chip, Clock, CpuShare, Image, Irq, VmDevice, VmInterface, Window
from .bao_read import read_config
from .c_text import bits, braces, field, rows, text_of
from .common import Export, Import, lost_between
from .partition import SHARED_REASONS, Block, End, Link, blocks_of, cpu_problems, label, links, passed, refuse_all, said_device

FORMAT = "Bao configuration"
CHECKED = "read by our own reader; compiled against headers written from the documented layout in the project's tests, not by Bao"
ARCHITECTURES = ("aarch64", "armv7-a", "rv64")
VIRTUAL_TIMER = 27
"""Line of the ARM architecture's virtual timer."""
SHARED = ("read", "write", "shared")
REGISTERS = ("read", "write", "io")
REASONS = SHARED_REASONS | {
    "vms.id": "a VM's number is its place in the list",
    "vms.architecture": "the hypervisor's: of the board's first cluster",
    "vms.cpus.affinity": "a bitmap has no order",
    "vms.cpus.reset": "a VM starts at its entry",
    "vms.memory.flags": "memory is readable, writable, executable; registers and shared memory are not executable; no other flags",
    "vms.memory.phys": "the memory of a channel is in one place for all of its ends",
    "vms.memory.colours": "a VM has one set of colours below 64, for all memory that is not shared",
    "vms.irqs": "lines have no order, trigger, route and priority, and are emulated for channels only; line 27 is the timer",
    "vms.irqchip": "it is the board's, virtualized",
    "vms.timer": "it is ARM's virtual timer, if line 27 is given; RISC-V's is called, not described",
    "vms.channels": "a channel joins ends that know each other, in one shared memory each",
    "vms.channels.peers": "all who use a shared memory are peers",
    "vms.channels.protocol": "no word for it",
    "vms.image": "an image is a file, linked in: its size is the file's, it has no command line; without one, address 0 is written",
}


def write(board: Board) -> Export:
    """A board as Bao's config.c.

    Raises
    ------
    SpecError
        More vCPUs than pCPUs, or a VM of an architecture that Bao does not run on.

    Examples
    --------
    >>> from rtvirt.platform import load
    >>> export = write(load("drone"))
    >>> print(export.files["config.c"].splitlines()[4])
    VM_IMAGE(vm0_image, "autopilot.bin")
    """
    spoken = said(board)
    return Export(FORMAT, {"config.c": text(board, spoken)}, lost_between(board, spoken, REASONS), CHECKED)


def read(files: Mapping[str, str], hardware: Board) -> Import:
    """VMs of a config.c, on hardware that it does not describe.

    Raises
    ------
    SpecError
        What cannot be read, with file and line.
    """
    return read_config(files, hardware)


# -------------------------------------------------------------- what Bao can say

def said(board: Board) -> Board:
    """The board that remains."""
    refuse_all(cpu_problems(board) + [
        Problem(f"vms[{vm.name}].architecture", vm.architecture, ", ".join(ARCHITECTURES), "Bao runs on these: use another format")
        for vm in board.vms if vm.architecture not in ARCHITECTURES])
    ordered = board.replace(vms=tuple(sorted(board.vms, key=lambda vm: vm.id)))
    joined = {end: link for link in links(ordered) for end in link.ends}
    vms = [said_vm(board, number, vm, joined) for number, vm in enumerate(ordered.vms)]
    return board.replace(scheduler=Scheduler(), vms=tuple(vms))


def said_vm(board: Board, number: int, vm: VmInterface, joined: Mapping[End, Link]) -> VmInterface:
    """One VM that remains."""
    isa = board.clusters[0].isa
    channels = [Channel(name=channel.name, region=channel.region, doorbell=channel.doorbell,
                        peers=[end.vm for end in joined[End(vm.name, channel.region)].ends if end.vm != vm.name])
                for channel in vm.channels if joined.get(End(vm.name, channel.region), Link("", (), None, 0)).name == channel.name]
    lines = {irq.line for irq in vm.irqs if irq.route != "emulated"}
    timed = isa != "rv64" and (VIRTUAL_TIMER in lines or vm.timer is not None and vm.timer.model == "arm-generic")
    heard = {line: Irq(line=line) for line in lines if not timed or line != VIRTUAL_TIMER}
    heard |= {one.doorbell: Irq(line=one.doorbell, trigger="edge", route="emulated") for one in channels if one.doorbell is not None}
    devices = [said_device(device.name, real, blocks) for device in vm.devices if passed(board, device)
               for real in [board.device(device.device)] if real and (blocks := blocks_of(device, real))]
    affinity = sorted(set(vm.cpus.affinity)) if vm.cpus.affinity else None
    return VmInterface(
        name=vm.name, id=number, architecture=isa, cpus=CpuShare(count=vm.cpus.count, affinity=affinity),
        memory=said_memory(vm, joined), irqs=[heard[line] for line in sorted(heard)], irqchip=Chip(model=board.irqchip.model),
        timer=Clock(model="arm-generic") if timed else None, devices=devices, channels=channels,
        image=Image(entry=vm.image.entry, load=vm.image.load) if vm.image else Image(entry=0, load=0))


def said_memory(vm: VmInterface, joined: Mapping[End, Link]) -> list[Window]:
    """Its memory: shared, registers, or plain, with one set of colours for all that is plain."""
    windows, plain = [], [window for window in vm.memory if End(vm.name, window.name) not in joined and not is_registers(window)]
    sets = {tuple(sorted(set(window.colours))) for window in plain}
    colours = sets.pop() if len(sets) == 1 else ()
    for window in vm.memory:
        link = joined.get(End(vm.name, window.name))
        if link:
            windows.append(Window(name=window.name, guest=window.guest, phys=link.phys, size=window.size, flags=SHARED))
        elif is_registers(window):
            windows.append(Window(name=window.name, guest=window.guest, phys=window.phys, size=window.size, flags=REGISTERS))
        else:
            windows.append(Window(name=window.name, guest=window.guest, phys=window.phys, size=window.size,
                                  colours=colours if all(colour < 64 for colour in colours) else ()))
    return windows


def is_registers(window: Window) -> bool:
    """True for a window to registers: Bao calls that a device."""
    return "io" in window.flags and window.phys is not None


# -------------------------------------------------------------- as C

def text(board: Board, spoken: Board) -> str:
    """The file."""
    images = [f'VM_IMAGE(vm{vm.id}_image, "{vm.name}.bin")' for vm in spoken.vms]
    shared = links(spoken)
    body = field("shmemlist_size", len(shared)) + rows("shmemlist", "struct shmem", [shmem_text(link) for link in shared]) if shared else []
    body += field("vmlist_size", len(spoken.vms)) + braces(
        [line for vm in spoken.vms for line in braces(vm_text(board, spoken, vm, shared), f"/* {vm.name} */ ")], ".vmlist = ")
    head = [f"/* Bao: the VMs of {board.name}. Images are made elsewhere, and found beside this file. */", "", "#include <config.h>", ""]
    return text_of([*head, *images, "", *braces(body, "struct config config = ", ";")])


def shmem_text(link: Link) -> list[str]:
    """Memory of a channel."""
    place = [] if link.phys is None else [*field("place_phys", "true"), *field("phys", f"{link.phys:#x}")]
    return [f"/* {link.name} */", *field("size", f"{link.size:#x}"), *place]


def vm_text(board: Board, spoken: Board, vm: VmInterface, shared: list[Link]) -> list[str]:
    """One VM."""
    image = vm.image or Image(entry=0, load=0)
    ipcs = [window for window in vm.memory if "shared" in window.flags]
    regions = [window for window in vm.memory if "shared" not in window.flags and "io" not in window.flags]
    devices = devices_text(board, vm)
    platform = field("cpu_num", vm.cpus.count) + field("region_num", len(regions))
    platform += rows("regions", "struct vm_mem_region", [region_text(window) for window in regions]) if regions else []
    platform += field("ipc_num", len(ipcs)) + rows("ipcs", "struct ipc", [ipc_text(vm, window, shared) for window in ipcs]) if ipcs else []
    platform += field("dev_num", len(devices)) + (rows("devs", "struct vm_dev_region", devices) if devices else [])
    return [*field("image", f"VM_IMAGE_BUILTIN(vm{vm.id}_image, {image.load:#x})"), *field("entry", f"{image.entry:#x}"),
            *(field("cpu_affinity", f"{bits(vm.cpus.affinity):#x}") if vm.cpus.affinity else []),
            *(field("colors", f"{bits(regions[0].colours):#x}") if regions and regions[0].colours else []),
            *braces([*platform, *braces(chip_text(spoken), ".arch = ")], ".platform = ")]


def region_text(window: Window) -> list[str]:
    """Memory."""
    place = [] if window.phys is None else [*field("place_phys", "true"), *field("phys", f"{window.phys:#x}")]
    return [label("memory", window.name), *field("base", f"{window.guest:#x}"), *field("size", f"{window.size:#x}"), *place]


def ipc_text(vm: VmInterface, window: Window, shared: list[Link]) -> list[str]:
    """An end of a channel."""
    number = next(n for n, link in enumerate(shared) if End(vm.name, window.name) in link.ends)
    channel = next(one for one in vm.channels if one.region == window.name and one.name == shared[number].name)
    return [label("channel", channel.name, window.name), *field("base", f"{window.guest:#x}"), *field("size", f"{window.size:#x}"),
            *field("shmem_id", number), *lines_text([] if channel.doorbell is None else [channel.doorbell])]


def lines_text(lines: list[int]) -> list[str]:
    """Interrupt lines of an entry."""
    return [*field("interrupt_num", len(lines)), *field("interrupts", f"(irqid_t[]) {{{', '.join(map(str, lines))}}}")] if lines else []


def devices_text(board: Board, vm: VmInterface) -> list[list[str]]:
    """Devices block by block, each line where its device is; then registers by themselves, lines of no device, the timer."""
    left, entries = [irq.line for irq in vm.irqs if irq.route != "emulated"], []
    for device in vm.devices:
        entries += device_text(board, device, left)
    for window in vm.memory:
        if "io" in window.flags:
            entries.append(block_text(label("memory", window.name), (window.phys or 0, window.guest, window.size)))
    entries += [["/* lines of no device */", *lines_text(left)]] if left else []
    return entries + ([["/* timer */", *lines_text([VIRTUAL_TIMER])]] if vm.timer else [])


def device_text(board: Board, device: VmDevice, left: list[int]) -> list[list[str]]:
    """Entries of one device; its lines are taken from those that are left."""
    real = board.device(device.device)
    assert real is not None          # `said` keeps no other devices
    own = [line for line in left if line in real.irqs]
    left[:] = [line for line in left if line not in own]
    entries = [block_text(label("device", device.name, real.name), block) for block in blocks_of(device, real)]
    entries[0] += lines_text(own)
    for n, stream in enumerate(real.streams):
        if n == len(entries):
            entries.append([label("device", device.name, real.name)])
        entries[n] += field("id", f"{stream:#x}")
    return entries


def block_text(comment: str, block: Block) -> list[str]:
    """Registers."""
    return [comment, *field("pa", f"{block[0]:#x}"), *field("va", f"{block[1]:#x}"), *field("size", f"{block[2]:#x}")]


def chip_text(spoken: Board) -> list[str]:
    """Where the VM sees the interrupt controller: where it is."""
    base = [block.base for block in spoken.irqchip.registers] + [0, 0]
    if spoken.clusters[0].isa == "rv64":
        return braces(braces(field("base", f"{base[0]:#x}"), ".plic = " if spoken.irqchip.model == "plic" else ".aia.aplic = "), ".irqc = ")
    second = "gicr_addr" if spoken.irqchip.model == "gic-v3" else "gicc_addr"
    return braces([*field("gicd_addr", f"{base[0]:#x}"), *field(second, f"{base[1]:#x}")], ".gic = ")
