"""Random boards for partitioning hypervisors: sound or odd, but such that no two VMs have the same by accident."""

from __future__ import annotations

import random
from typing import Any

import rtvirt as rv
from rtvirt.platform import Board, Channel, HostDevice, Image, Irq, Registers, VmDevice, VmInterface, Window
from rtvirt.units import ms

MIB = 2**20


def random_board(rnd: random.Random, isas: tuple[str, ...]) -> Board:
    """A board with one to four VMs, each part there or not."""
    isa = rnd.choice(isas)
    cpus, clusters = rnd.randint(4, 12), []
    half = rnd.randint(1, cpus - 1)
    for name, numbers in (("a", range(half)), ("b", range(half, cpus))):
        clusters.append({"name": name, "core": "core", "isa": isa, "cpus": list(numbers)})
    model = {"rv64": "plic", "x86-64": "ioapic"}.get(isa) or rnd.choice(["gic-v2", "gic-v3"])
    chip = [Registers(base=0xE0000000 + n * 0x10000, size=0x1000) for n in range(rnd.choice([0, 2, 4]))]
    devices = [random_device(rnd, n) for n in range(rnd.randint(0, 6))]
    board = Board(name="b" + str(rnd.randrange(100)), clusters=clusters, devices=devices,
                  memory=[{"name": "ram", "base": 0x40000000, "size": 2048 * MIB}],
                  irqchip={"name": "chip", "model": model, "lines": 512, "registers": chip},
                  iommus=[{"name": "smmu", "model": rnd.choice(["mmu-500", "ipmmu"]), "registers": [{"base": 0xE8000000, "size": 0x1000}]}],
                  scheduler={"name": rnd.choice(["null", "rtds", "credit"])})
    return board.replace(vms=tuple(random_vms(rnd, board)))


def random_device(rnd: random.Random, n: int) -> HostDevice:
    """A device with its own registers and lines."""
    kind = rnd.choice(["mmio", "mmio", "pci", "platform"])
    space = "port" if kind == "platform" else "memory"
    registers = [Registers(base=(0xF0000000 if space == "memory" else 0x100) + n * 0x1000 + k * 0x400, space=space,
                           size=rnd.choice([8, 0x400] if space == "memory" else [8])) for k in range(rnd.choice([0, 1, 2]))]
    streams = rnd.choice([[], [n + 1], [n + 1, n + 100, n + 200]])
    return HostDevice(name=f"dev{n}", kind=kind, function=rnd.choice(["uart", "net"]),
                      driver=rnd.choice(["pl011", "uart-16550", "gem"]), registers=registers,
                      irqs=[40 + 2 * n, 41 + 2 * n][:rnd.randrange(3)], pci=f"0000:00:{n:02x}.1" if kind == "pci" else None, dma=bool(streams),
                      iommu="smmu" if streams else None, streams=streams)


def random_vms(rnd: random.Random, board: Board) -> list[VmInterface]:
    """VMs that share the board, with channels between some."""
    names = rnd.sample(["linux", "rtos.", "a.b-c", "d_1", "x" * 30 + "-"], rnd.randint(1, 4))
    ids = rnd.choice([range(len(names)), rnd.sample(range(9), len(names))])
    free = list(board.devices)
    rnd.shuffle(free)
    vms: list[dict[str, Any]] = []
    for n, name in enumerate(names):
        passed = [free.pop() for _ in range(min(len(free), rnd.randrange(3)))]
        vms.append(random_vm(rnd, board, n, name, ids[n], passed))
    for n in range(rnd.randrange(4)):
        if len(vms) > 1:
            connect(rnd, n, rnd.sample(vms, rnd.randint(2, len(vms))))
    return [VmInterface(**vm) for vm in vms]


def random_vm(rnd: random.Random, board: Board, n: int, name: str, number: int, passed: list[HostDevice]) -> dict[str, Any]:
    """One VM before it is connected."""
    isa = board.clusters[0].isa
    count = rnd.choice([1, 1, 2])
    own = {irq for device in passed for irq in device.irqs if rnd.random() < 0.9}
    lines = sorted(own | set(rnd.sample(range(100 + 50 * n, 150 + 50 * n), rnd.randrange(3))))
    odd = rnd.random() < 0.2
    irqs = [Irq(line=line, trigger=rnd.choice(["level", "level", "edge"]) if odd else "level", priority=rnd.choice([None, 3]) if odd else None)
            for line in lines + ([27] if rnd.random() < 0.1 else [])]
    timer = rnd.choice([None, {"model": "arm-generic"}, {"model": "lapic", "mode": "direct"}, {"model": "clint", "mode": "emulated"}])
    return dict(
        name=name, id=number, architecture="armv7-a" if isa == "aarch64" and rnd.random() < 0.2 else isa, revision=rnd.choice([1, 1, 2]),
        cpus={"count": count, "affinity": rnd.choice([None, rnd.sample(range(board.cpus), rnd.randint(1, board.cpus))]),
              "reset": rnd.choice([None, 0, 0x1000])},
        memory=random_windows(rnd, n), irqs=irqs, irqchip=rnd.choice([None, {"model": board.irqchip.model}]), timer=timer,
        devices=[passed_device(rnd, device) for device in passed] + random_others(rnd), channels=[],
        image=rnd.choice([None, Image(entry=0x1000, load=0x1000), Image(entry=8, load=0, size=MIB, cmdline="quiet")]),
        contract=rnd.choice([{}, {"kind": "share", "weight": 7}, {"section": 5, "wakeup": ms(1)}]), health=rnd.choice([{}, {"restart": "always"}]),
        tasks=rnd.choice([[], [rv.hog()]]), guest=rnd.choice(["fp", "edf"]), operations=rnd.choice([{}, {"rates": {"timer": 5}}]),
        source="assumption", assumed=rnd.choice([[], ["id"]]))


def random_windows(rnd: random.Random, n: int) -> list[Window]:
    """Memory, some of it to registers of no device, in a part of the RAM that is this VM's."""
    base, found = 0x40000000 + n * 256 * MIB, []
    colours = rnd.choice([[], [], [3, 1], [70]])
    for k in range(rnd.randint(1, 3)):
        flags = rnd.choice([["read", "write", "execute"], ["read", "write", "execute", "dma"], ["write", "read"], ["read", "write", "huge"],
                            ["read", "shared"], []])
        found.append(Window(name=rnd.choice(["ram", "heap-", "code.", "r" * 60 + "-"]) + rnd.choice("abc") * k, size=rnd.choice([1, 4]) * MIB,
                            guest=k * 16 * MIB + rnd.choice([0, 0x1000]), phys=rnd.choice([None, base + k * 32 * MIB]), flags=flags,
                            colours=colours if rnd.random() < 0.9 else []))
    if rnd.random() < 0.3:
        found.append(Window(name="regs", guest=0xD0000000, phys=0xD0000000 + n * 0x1000, size=0x1000, flags=["read", "io"]))
    return found


def passed_device(rnd: random.Random, device: HostDevice) -> VmDevice:
    """A device that is passed through, seen where it is or elsewhere."""
    seen = rnd.choice([(), device.registers, [Registers(base=0xC0000000 + 0x1000 * n, size=8) for n in range(rnd.randint(1, 3))]])
    return VmDevice(name=f"v{device.name}-", mode="passthrough", kind=rnd.choice([device.kind, "mmio"]), function=device.function, device=device.name,
                    driver=rnd.choice([None, "mine"]), registers=seen, irqs=rnd.choice([(), device.irqs]))


def random_others(rnd: random.Random) -> list[VmDevice]:
    """Devices that are not passed through, or do not exist."""
    return rnd.sample([VmDevice(name="disk", mode="split-frontend", function="block", backend="linux"),
                       VmDevice(name="rtc", mode="virtual", function="rtc"),
                       VmDevice(name="lost", mode="passthrough", function="net", device="nowhere")], rnd.randrange(3))


def connect(rnd: random.Random, n: int, ends: list[dict[str, Any]]) -> None:
    """A channel between VMs; sometimes one end knows nothing of it, or sees other memory."""
    size, phys = rnd.choice([0x1000, 0x2000, 0x10000]), rnd.choice([None, 0xBE000000 + n * MIB])
    name, protocol = f"c{n}", rnd.choice(["raw", "vring", "grant"])
    for k, vm in enumerate(ends):
        window = Window(name=f"w{n}", guest=0xA0000000 + n * MIB, size=size + (0x1000 if rnd.random() < 0.05 else 0),
                        flags=["read", "write", "shared"], phys=phys if rnd.random() < 0.95 else 0xBD000000 + n * MIB)
        vm["memory"].append(window)
        if k and rnd.random() < 0.05:
            continue
        bell = rnd.choice([None, 480 + n, 300 + n, 470 - 9 * n])
        peers = [other["name"] for other in ends if other is not vm]
        rnd.shuffle(peers)
        vm["channels"].append(Channel(name=name, region=window.name, peers=peers, protocol=protocol, doorbell=bell))
        if bell is not None and bell not in {irq.line for irq in vm["irqs"]}:
            vm["irqs"].append(Irq(line=bell, route="emulated", trigger=rnd.choice(["edge", "edge", "level"])))
