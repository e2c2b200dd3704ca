"""Jailhouse and Bao: what the files say, to a compiler and to our reader; what they cannot say."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import pytest
from property.partitioned_boards import random_board

import rtvirt as rv
from rtvirt.platform import Board
from rtvirt.platform import load as load_board
from rtvirt.platform.formats import bao, jailhouse
from rtvirt.platform.formats.c_read import read_source
from rtvirt.platform.formats.common import differences

HEADERS = Path(__file__).parents[1] / "formats"
BOARDS = ("drone", "phone", "automotive")
load = cache(load_board)
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
compiled = pytest.mark.skipif(COMPILER is None and os.environ.get("CI") != "true", reason="there is no C compiler: install gcc")


def riscv() -> Board:
    """The drone's VMs on a RISC-V board, with what that changes."""
    drone = load("drone")
    clusters = [cluster.replace(isa="rv64", extension="h") for cluster in drone.clusters]
    chip = drone.irqchip.replace(model="plic", registers=drone.irqchip.registers[:1])
    return drone.replace(name="hart", clusters=clusters, irqchip=chip, vms=tuple(vm.replace(architecture="rv64") for vm in drone.vms))


def desktop() -> Board:
    """The server with fewer vCPUs, so that each has a pCPU; its tenants share memory."""
    server = load("server")
    mail = {"name": "mail", "guest": 0x80000000, "size": "64 KiB", "flags": ["read", "write", "shared"]}
    vms = [vm.replace(cpus=vm.cpus.replace(count=2), memory=(*vm.memory, mail)) for vm in server.vms]
    ends = {"web": "batch", "batch": "web"}
    return server.replace(vms=tuple(vm.replace(channels=[{"name": "mail", "region": "mail", "peers": [ends[vm.name]]}]) if vm.name in ends else vm
                                    for vm in vms))


def places(module, name):
    """What is lost of a board, without the VMs' workload and contract, which no such format has."""
    always = (".contract", ".health", ".tasks", ".operations", ".guest", ".image.size", ".image.cmdline")
    return [lost.place for lost in module.write(load(name)).lost if not any(part in lost.place for part in always)]


# -------------------------------------------------------------- what is lost

def test_bao_says_partitions_and_loses_what_needs_a_scheduler():
    assert places(bao, "drone") == ["vms[autopilot].id", "vms[autopilot].cpus.reset", "vms[autopilot].irqs", "vms[vision].id",
                                    "vms[vision].memory[ram].flags", "vms[vision].irqs"]
    assert places(bao, "phone") == [
        "scheduler.name", "vms[modem].cpus.reset", "vms[modem].channels[mail].protocol", "vms[android].irqs", "vms[android].devices[disk0]",
        "vms[android].channels[mail].protocol", "vms[drivers].memory[ram].flags", "vms[drivers].irqs", "vms[drivers].devices[disk0]"]
    assert places(jailhouse, "drone") == [
        "vms[autopilot].memory[ram].colours", "vms[autopilot].irqs", "vms[autopilot].image", "vms[vision].memory[ram].colours", "vms[vision].irqs",
        "vms[vision].channels[pose].doorbell", "vms[vision].image"]


def test_jailhouse_moves_a_vm_to_a_pcpu_of_its_own_and_says_so():
    export = jailhouse.write(load("phone"))
    lost = {one.place: one.reason for one in export.lost}
    assert "for itself" in lost["vms[drivers].cpus.affinity"] and "vms[modem].cpus.affinity" not in lost
    assert jailhouse.read(export.files, load("phone")).board["drivers"].cpus.affinity == (5,)
    assert "vms[modem].irqs" not in lost                     # the doorbell keeps its line, on the virtual PCI bus
    assert "take offline pCPUs [6, 7]" in export.files["phone.c"]


@pytest.mark.parametrize("module", [bao, jailhouse])
@pytest.mark.parametrize("make", [*(lambda name=name: load(name) for name in BOARDS), riscv, desktop], ids=[*BOARDS, "hart", "desktop"])
def test_what_is_read_back_differs_where_it_is_said(module, make):
    board = make()
    if board.clusters[0].isa not in ("aarch64", "rv64" if module is bao else "x86-64"):
        with pytest.raises(rv.SpecError, match="architecture"):
            module.write(board)
        return
    export = module.write(board)
    assert [lost.place for lost in export.lost] == differences(board, module.read(export.files, board).board)
    assert module.write(board).files == export.files and all(lost.reason for lost in export.lost)
    assert "not by" in export.checked


def test_what_no_partitioning_can_do_is_refused_at_once():
    with pytest.raises(rv.SpecError) as error:
        bao.write(load("server"))
    assert [problem.field for problem in error.value.problems] == ["vms", *(f"vms[{name}].architecture" for name in ("dom0", "web", "batch"))]
    with pytest.raises(rv.SpecError, match="14 vCPUs"):
        jailhouse.write(load("server"))
    phone = load("phone")
    with pytest.raises(rv.SpecError, match="at most 31"):
        jailhouse.write(phone.replace(vms=(phone["modem"].replace(name="m" * 32),)))
    with pytest.raises(rv.SpecError, match="at least one VM"):
        jailhouse.write(phone.replace(vms=()))
    greedy = phone["drivers"].replace(memory=[phone["modem"].memory[0].replace(name="mine")])
    with pytest.raises(rv.SpecError, match=r"vms\[drivers\].memory\[mine\] is .*vms\[modem\].memory\[ram\]"):
        jailhouse.write(phone.with_vm(greedy))
    with pytest.raises(rv.SpecError, match="RAM in one piece"):
        jailhouse.write(phone.replace(vms=(phone["modem"].replace(memory=[{"name": "ram", "guest": 0, "size": "8 GiB"}], channels=()),)))


def test_channels_on_a_pc_have_no_line():
    back = jailhouse.read(jailhouse.write(desktop()).files, desktop()).board
    assert [channel.doorbell for channel in back["web"].channels] == [None] and back["web"].channels[0].peers == ("batch",)
    places = {window.phys for vm in back.vms for window in vm.memory if window.name == "mail" and vm.channels}
    assert len(places) == 1 and None not in places
    assert {device.device for device in back["dom0"].devices} == {"com1", "nic0", "sata"}


# -------------------------------------------------------------- what a compiler makes of it

def run(folder: Path, source: Path, *options: str) -> bytes:
    """Compile without a warning, run, and give what was printed."""
    program = folder / "program"
    strict = ("-std=gnu11", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror")
    subprocess.run([COMPILER, *strict, *options, "-o", program, source], check=True)
    return subprocess.run([program], check=True, capture_output=True).stdout


@compiled
def test_a_compiler_makes_the_same_bytes_of_cells(tmp_path, seed):
    rnd = random.Random(f"{seed} cells")
    odd = [random_board(rnd, ("aarch64", "x86-64")) for _ in range(8)]
    exports = [jailhouse.write(board.replace(name=f"{board.name}-{n}")) for n, board in enumerate([*map(load, BOARDS), desktop(), *odd])
               if sum(vm.cpus.count for vm in board.vms) <= board.cpus]
    binary = {name: content for export in exports for name, content in jailhouse.cells(export).items()}
    lines, calls = ["#include <stdio.h>", "#include <jailhouse/cell-config.h>"], []
    for n, (name, text) in enumerate((name, text) for export in exports for name, text in export.files.items()):
        (tmp_path / name).write_text(text)
        lines += [f"#define config config{n}", f'#include "{name}"', "#undef config"]
        calls.append(f"fwrite(&config{n}, sizeof(config{n}), 1, stdout);")
    (tmp_path / "all.c").write_text("\n".join([*lines, "int main(void) {", *calls, "return 0; }"]))
    assert run(tmp_path, tmp_path / "all.c", "-I", str(HEADERS)) == b"".join(binary.values())
    assert len(binary) > 12


def test_bytes_say_what_the_board_says():
    """By the format strings of Jailhouse's own reader of binary cells."""
    cells = jailhouse.cells(jailhouse.write(load("phone")))
    signature, architecture, revision, name, _, _, regions, _, chips, _, devices, _, _, vpci, reset = struct.unpack_from(
        "=5sBH32s4xIIIIIIIIIIQ8x32x", cells["phone-modem.cell"])
    assert (signature, architecture, revision, name.rstrip(b"\0"), reset) == (b"JHCLL", 2, 14, b"modem", 0x40000000)
    assert (regions, chips, devices, vpci + 32) == (7, 2, 1, 480)
    assert struct.unpack_from("=Q", cells["phone-modem.cell"], 132) == (1 << 4,)
    ram = [struct.unpack_from("=QQQQ", cells["phone-modem.cell"], 140 + 32 * n) for n in range(regions)][4]
    assert ram == (0x40000000, 0x40000000, 64 << 20, 0x47)                     # read, write, execute, loadable
    chip = struct.unpack_from("=BB2xQQQQQ", cells["phone.cell"], 12 + 32 + 32 + 12 + 8 * 28)
    assert chip == (25, 2, 0xe82b1000, 0xe82b2000, 0xe82b4000, 0xe82b6000, 0)
    assert struct.unpack_from("=Q", cells["phone.cell"], 488) == (0b111111,)      # the root cell has all that cells take


def expected_fields(board: Board) -> list[str]:
    """What a compiler should find in a configuration of Bao, from the board."""
    shared = {window.phys: window.size for vm in board.vms for window in vm.memory if "shared" in window.flags}
    found = [f"shmem {size} 1 {phys}" for phys, size in shared.items()]
    for vm in sorted(board.vms, key=lambda vm: vm.id):
        plain = [window for window in vm.memory if "shared" not in window.flags]
        found.append(f"vm {vm.name}.bin {vm.image.load} {vm.image.entry} {vm.cpus.count} {sum(1 << cpu for cpu in vm.cpus.affinity)} "
                     f"{sum(1 << colour for colour in plain[0].colours)}")
        found += [f"region {window.guest} {window.size} 1 {window.phys}" for window in plain]
        for channel in vm.channels:
            window = next(window for window in vm.memory if window.name == channel.region)
            found += [f"ipc {window.guest} {window.size} {list(shared).index(window.phys)}", f"bells {channel.doorbell}"]
        for device in vm.devices:
            real = board.device(device.device)
            for n, block in enumerate(real.registers if device.mode == "passthrough" else ()):
                found += [f"dev {block.base} {block.base} {block.size} {real.streams[n] if n < len(real.streams) else 0}",
                          " ".join(["lines", *map(str, real.irqs if n == 0 else ())])]
        base = [block.base for block in board.irqchip.registers]
        if board.clusters[0].isa == "rv64":
            found.append(f"chip {base[0]}")
        else:
            found += ["dev 0 0 0 0", "lines 27", f"chip {base[0]} {base[1]} 0"]
    return found


@compiled
@pytest.mark.parametrize("make", [*(lambda name=name: load(name) for name in BOARDS), riscv], ids=[*BOARDS, "hart"])
def test_a_compiler_finds_in_baos_file_what_the_board_says(make, tmp_path):
    board = make()
    (tmp_path / "config.c").write_text(bao.write(board).files["config.c"])
    images = ", ".join(f"vm{n}_image_path" for n in range(len(board.vms)))
    printed = run(tmp_path, HEADERS / "bao/fields.c", "-I", str(HEADERS / "bao"), f'-DCONFIG="{tmp_path}/config.c"', f"-DIMAGES={images}",
                  *(["-DRISCV"] if board.clusters[0].isa == "rv64" else []))
    assert printed.decode().splitlines() == expected_fields(board)


# -------------------------------------------------------------- files of others

DEMO = """
#include <config.h>
#define GIC 0xF9010000
VM_IMAGE(linux_image, XSTR(IMAGES/linux.bin));
VM_IMAGE(rtos_image, "/srv/free-rtos.bin")

struct config config = {
    CONFIG_HEADER
    .shmemlist_size = 1,
    .shmemlist = (shmem_t[]) { [0] = { .size = 0x00010000, } },
    .vmlist_size = 2,
    .vmlist = (struct vm_config[]) {
        {
            .image = { .base_addr = 0x00200000, .load_addr = VM_IMAGE_OFFSET(linux_image), .size = VM_IMAGE_SIZE(linux_image) },
            .entry = 0x00200000,
            .platform = {
                .cpu_num = 3, .region_num = 1,
                .regions = (struct vm_mem_region[]) { { .base = 0, .size = 1 << 30 } },
                .ipc_num = 1,
                .ipcs = (struct ipc[]) { { .base = 0xf0000000, .size = 0x10000, .shmem_id = 0, .interrupt_num = 1, .interrupts = (irqid_t[]) {52} } },
                .dev_num = 4,
                .devs = (struct vm_dev_region[]) {
                    { /* UART1 */ .pa = 0xFF010000, .va = 0xFF010000, .size = 0x1000, .interrupt_num = 1, .interrupts = (irqid_t[]) {54} },
                    { /* Arch timer interrupt */ .interrupt_num = 1, .interrupts = (irqid_t[]) {27} },
                    { .id = 0x877, .pa = 0xff0e0000, .va = 0xff0e0000, .size = 0x1000, .interrupt_num = 2, .interrupts = (irqid_t[]) {95, 96} },
                    { /* fan */ .pa = 0xff160000, .va = 0xfe000000, .size = 0x1000, .id = 0x5 },
                },
                .arch = { .gic = { .gicd_addr = GIC, .gicc_addr = 0xF9020000 } }
            },
        },
        {
            .image = VM_IMAGE_BUILTIN(rtos_image, 0x0), .entry = 0, .cpu_affinity = 1 << 3, .colors = 0b11,
            .platform = {
                .cpu_num = 1, .region_num = 1,
                .regions = (struct vm_mem_region[]) { { .base = 0x0, .size = 0x8000000, .place_phys = true, .phys = 64u << 20 } },
                .ipc_num = 1,
                .ipcs = (struct ipc[]) { { .base = 0x70000000, .size = 0x10000, .shmem_id = 0, .interrupt_num = 1, .interrupts = (irqid_t[]) {52} } },
                .arch = { .gic = { .gicd_addr = GIC + 4, .gicc_addr = 0xF9020000 } }, .spare = 1,
            },
        },
    }
};
"""
"""In the manner of Bao's demonstrations, with figures of the one for the ZCU104, which is the drone's board."""


def test_bao_configurations_of_others_are_read():
    found = bao.read({"demo.c": DEMO}, load("drone"))
    assert [vm.name for vm in found.board.vms] == ["linux", "free-rtos"] and found.board.scheduler.name == "null"
    linux, rtos = found.board.vms
    assert (linux.cpus.count, linux.cpus.affinity, rtos.cpus.affinity) == (3, None, (3,))
    assert [(one.name, one.guest, one.phys, one.size) for one in linux.memory[:1]] == [("mem", 0, None, 1 << 30)]
    assert (rtos.memory[0].phys, rtos.memory[0].colours) == (64 << 20, (0, 1))
    assert [irq.line for irq in linux.irqs] == [52, 54, 95, 96] and linux.irqs[0].route == "emulated" and linux.timer.model == "arm-generic"
    assert [(device.name, device.device) for device in linux.devices] == [("uart1", "uart1"), ("gem3", "gem3")]
    assert [(one.name, one.guest, one.phys, one.flags) for one in linux.memory if "io" in one.flags] == [
        ("fan", 0xFE000000, 0xFF160000, ("read", "write", "io"))]
    assert linux.channels[0].peers == ("free-rtos",) and rtos.channels[0].doorbell == 52 and rtos.timer is None
    assert [note.partition(": ")[2] for note in found.notes] == [
        "stream 0x5 is none of a known device's", ".spare of platform is not carried",
        "the VM sees the interrupt controller at 0xf9010004: not carried"]
    assert all(note.startswith("demo.c:") for note in found.notes)


HEADER = """#include <jailhouse/types.h>
#include <jailhouse/cell-config.h>
struct {{ struct {} ; __u64 cpus[1]; struct jailhouse_memory mem_regions[8]; }} __attribute__((packed)) config = {{
"""
SYSTEM = HEADER.format("jailhouse_system header") + """
	.header = {
		.signature = JAILHOUSE_SYSTEM_SIGNATURE, .revision = JAILHOUSE_CONFIG_REVISION, .architecture = JAILHOUSE_ARM64,
		.hypervisor_memory = { .phys_start = 0x7c000000, .size = 0x04000000, },
		.platform_info = { .pci_is_virtual = 1, .arm = { .gic_version = 2, .gicd_base = 0xf6801000, }, },
		.root_cell = {
			.name = "HiKey board", .cpu_set_size = sizeof(config.cpus), .num_memory_regions = ARRAY_SIZE(config.mem_regions),
			.vpci_irq_base = 136-32,
		},
	},
	.cpus = { 0xff, },
	.mem_regions = {
		/* IVSHMEM shared memory region */
		JAILHOUSE_SHMEM_NET_REGIONS(0x7bf00000, 0),
		/* MMIO (permissive) */ {
			.phys_start = 0xf7000000, .virt_start = 0xf7000000, .size = 0x01100000,
			.flags = JAILHOUSE_MEM_READ | JAILHOUSE_MEM_WRITE | JAILHOUSE_MEM_IO,
		},
		/* RAM */ {
			.phys_start = 0x0, .virt_start = 0x0, .size = 0x7bf00000,
			.flags = JAILHOUSE_MEM_READ | JAILHOUSE_MEM_WRITE | JAILHOUSE_MEM_EXECUTE,
		},
	},
	.irqchips = { { .address = 0xf6801000, .pin_base = 32, .pin_bitmap = { 1 << (40 - 32), 1 << (71 - 64), 0, 1 << (137 - 128) } } },
	.pci_devices = {
		{
			.type = JAILHOUSE_PCI_TYPE_IVSHMEM, .domain = 1, .bdf = 1 << 3, .bar_mask = JAILHOUSE_IVSHMEM_BAR_MASK_INTX,
			.shmem_regions_start = 0, .shmem_dev_id = 0, .shmem_peers = 2, .shmem_protocol = JAILHOUSE_SHMEM_PROTO_VETH,
		},
	},
};
"""
LINUX = HEADER.format("jailhouse_cell_desc cell") + """
	.cell = {
		.signature = JAILHOUSE_CELL_DESC_SIGNATURE, .revision = JAILHOUSE_CONFIG_REVISION, .architecture = JAILHOUSE_ARM64,
		.name = "linux-demo", .flags = JAILHOUSE_CELL_PASSIVE_COMMREG, .cpu_set_size = sizeof(config.cpus), .vpci_irq_base = 143-32,
		.console = { .address = 0xf7113000, .type = JAILHOUSE_CON_TYPE_PL011, },
	},
	.cpus = { 0xc0, },
	.mem_regions = {
		JAILHOUSE_SHMEM_NET_REGIONS(0x7bf00000, 1),
		/* UART 3 */ {
			.phys_start = 0xf7113000, .virt_start = 0xf7113000, .size = 0x1000,
			.flags = JAILHOUSE_MEM_READ | JAILHOUSE_MEM_WRITE | JAILHOUSE_MEM_IO | JAILHOUSE_MEM_ROOTSHARED,
		},
		/* RAM */ {
			.phys_start = 0x74000000, .virt_start = 0x74000000, .size = 0x7ef0000,
			.flags = JAILHOUSE_MEM_READ | JAILHOUSE_MEM_WRITE | JAILHOUSE_MEM_EXECUTE | JAILHOUSE_MEM_DMA | JAILHOUSE_MEM_LOADABLE,
		},
		/* communication region */ { .virt_start = 0x80000000, .size = 0x1000, .flags = JAILHOUSE_MEM_READ | JAILHOUSE_MEM_COMM_REGION, },
	},
	.irqchips = { { .address = 0xf6801000, .pin_base = 32, .pin_bitmap = { 0, 1 << (71 - 64), 0, 1 << (144 - 128) } } },
	.pci_devices = {
		{
			.type = JAILHOUSE_PCI_TYPE_IVSHMEM, .bdf = 1 << 3, .bar_mask = JAILHOUSE_IVSHMEM_BAR_MASK_INTX,
			.shmem_regions_start = 0, .shmem_dev_id = 1, .shmem_peers = 2, .shmem_protocol = JAILHOUSE_SHMEM_PROTO_VETH,
		},
	},
};
"""
"""In the manner of Jailhouse's own configurations, with figures of those for the HiKey board."""


def hikey() -> Board:
    """The part of a HiKey that its cells are about."""
    return load("phone").replace(name="hikey", vms=(), devices=[
        {"name": "uart3", "function": "uart", "driver": "pl011", "registers": [{"base": 0xf7113000, "size": 0x1000}], "irqs": [71]}])


def test_cells_of_others_are_read():
    found = jailhouse.read({"hikey.c": SYSTEM, "linux.c": LINUX}, hikey())
    root, linux = found.board.vms
    assert (root.name, root.id, linux.name, linux.id) == ("HiKey-board", 0, "linux-demo", 1)
    assert root.cpus.affinity == (0, 1, 2, 3, 4, 5) and linux.cpus.affinity == (6, 7)              # the cell takes its pCPUs from the root cell
    assert [irq.line for irq in root.irqs] == [40, 137] and [(irq.line, irq.route) for irq in linux.irqs] == [(71, "injected"), (144, "emulated")]
    assert [(one.peers, one.doorbell) for vm in (root, linux) for one in vm.channels] == [(("linux-demo",), 137), (("HiKey-board",), 144)]
    shared = next(one for one in linux.memory if one.name == linux.channels[0].region)
    assert (shared.phys, shared.size, shared.flags) == (0x7bf00000, 0xff000, ("read", "write", "shared"))
    assert [(one.name, one.phys, one.size) for one in root.memory if one.flags == ("read", "write", "execute")] == [
        ("RAM", 0, 0x74000000), ("RAM-2", 0x7bef0000, 0x10000)]                                   # likewise its memory
    assert [(one.name, one.phys, one.flags) for one in linux.memory if "dma" in one.flags] == [
        ("RAM", 0x74000000, ("read", "write", "execute", "dma"))]
    assert [(device.name, device.device) for device in linux.devices] == [("uart3", "uart3")]
    assert sum("places or rights of their own" in note for note in found.notes) == 2
    assert sum("'HiKey board' is called" in note for note in found.notes) == 1


def test_ports_and_devices_of_a_pc_are_read():
    text = HEADER.format("jailhouse_cell_desc cell") + """
	.cell = { .name = "tiny", .cpu_set_size = sizeof(__u64), .architecture = JAILHOUSE_X86, },
	.cpus = { 0x4, },
	.pio_regions = { PIO_RANGE(0x3f8, 8), /* joystick */ PIO_RANGE(0x201, 1), },
	.pci_devices = { { .type = JAILHOUSE_PCI_TYPE_DEVICE, .bdf = 0x300 }, { .type = JAILHOUSE_PCI_TYPE_BRIDGE, .bdf = 0xe0 << 1 } },
};"""
    found = jailhouse.read({"tiny.c": text}, load("server"))
    assert [device.device for device in found.board.vms[0].devices] == ["com1", "nic0"] and found.board.vms[0].id == 1
    assert [note.partition(": ")[2] for note in found.notes] == ["ports from 0x201 on are no device's: not carried",
                                                                "PCI device 0000:01:18.0 is no device of the board: not carried"]


def test_counts_that_lie_are_refused_with_their_line():
    text = jailhouse.write(load("drone")).files["drone-autopilot.c"].replace("ARRAY_SIZE(config.mem_regions)", "7")
    with pytest.raises(rv.SpecError, match=r"drone-autopilot.c:\d+: .* is 7; .*as in the list: 10"):
        jailhouse.read({"drone-autopilot.c": text}, load("drone"))
    text = bao.write(load("drone")).files["config.c"].replace(".dev_num = 5", ".dev_num = 6")
    with pytest.raises(rv.SpecError, match=r"config.c:\d+: .* is 6; .*as in the list: 5"):
        bao.read({"config.c": text}, load("drone"))


@pytest.mark.parametrize(("text", "value"), [
    ("1 + 2 * 3 - 4", 3), ("(1 + 2) * 3", 9), ("1 << 4 | 3 & 2", 18), ("-7 / 2", -3), ("-7 % 3", -1), ("~0 & 0xff", 255), ("010 + 0x10 + 0b11", 27),
    ("2 > 1 ? 5 : 6", 5), ("8 >> 1 >> 1", 2), ("!0 + !5", 1), ("1 == 1 && 2 != 2 || 1", 1), ("'A' - 64", 1), ("10UL - 3 - 2", 5), ("(__u64) 7", 7),
    ("2 * N", 14), ("1 ^ 3 << 1", 7)])
def test_numbers_are_those_of_c(text, value):
    assert read_source("a.c", f"#define N (3 + 4)\nint config = {{ .a = {text} }};", {}).tables["config"].get("a") == value
