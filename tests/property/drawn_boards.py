"""Random boards: odd sizes, missing halves and devices, contracts of all kinds. They need not pass `check`: exporters must cope with any."""

from __future__ import annotations

import random
from typing import Any

from rtvirt.errors import SpecError
from rtvirt.platform import Board, VmInterface

KINDS = ("none", "share", "reservation", "priority", "slots")
TEXTS = ("", "console=hvc0", 'a "b" \\c', "x='1' <&> #;", "tab\there", "é ü")
SCHEDULERS = (
    {"name": "null"},
    {"name": "rtds"},
    {"name": "credit"},
    {"name": "credit", "options": {"timeslice": "5 ms", "ratelimit": "1 ms"}},
    {"name": "credit2"},
    {"name": "credit2", "options": {"ratelimit": 500_000}},
    {"name": "fp"},
    {"name": "arinc653"},
    {"name": "sedf"},
)


def board(seed: int) -> Board:
    """The random board of a seed; VMs that turn out to be no VMs are drawn anew."""
    r = random.Random(seed)
    isa = r.choice(["aarch64", "aarch64", "aarch64", "armv7-a", "x86-64", "rv64"])
    count = r.randint(1, 8)
    cut = r.randint(1, count)
    clusters = [{"name": "one", "core": "Cortex-A53", "isa": isa, "cpus": list(range(cut)), "extension": "el2"}]
    clusters += [{"name": "two", "core": r.choice(["Cortex-A53", "Cortex-A73"]), "isa": isa, "cpus": list(range(cut, count))}] if cut < count else []
    devices = [device(r, k, isa) for k in range(r.randint(0, 6))]
    names = [f"vm{k}" for k in range(r.randint(0, 4))]
    chip = "ioapic" if isa == "x86-64" else r.choice(["gic-v2", "gic-v3"])
    parts: dict[str, Any] = {
        "clusters": clusters,
        "devices": devices,
        "iommus": [{"name": "mmu", "model": "smmu"}],
        "irqchip": {"name": "chip", "model": chip, "lines": 512},
        "scheduler": r.choice(SCHEDULERS),
    }
    first = r.randint(0, 1)
    vms = [vm(r, name, k + first if r.random() < 0.9 else 50 + k, isa, count, devices, names) for k, name in enumerate(names)]
    return Board(name="drawn", **parts, vms=vms)


def device(r: random.Random, k: int, isa: str) -> dict[str, Any]:
    """A device of the hardware."""
    pci = isa == "x86-64" and r.random() < 0.5
    port = isa == "x86-64" and not pci and r.random() < 0.5
    base = r.choice([0xE0000000 + 0x10000 * k, 0xE0000000 + 0x100 * k, 0xF0000000])
    registers = (
        [{"base": 0x300 + 8 * k, "size": 8, "space": "port"}]
        if port
        else [{"base": base + n * 0x2000, "size": r.choice([64, 4096, 0x1800])} for n in range(r.randint(0, 2))]
    )
    translated = r.random() < 0.4
    return {
        "name": f"dev{k}",
        "kind": "pci" if pci else "mmio",
        "function": r.choice(["uart", "net", "block"]),
        "driver": f"drv{k % 3}",
        "registers": registers,
        "irqs": r.sample(range(1, 300), r.randint(0, 2)),
        **({"pci": f"0000:03:00.{k}"} if pci else {}),
        **({"dma": True, "iommu": "mmu", "streams": [k]} if translated else {}),
    }


def vm(r: random.Random, name: str, number: int, isa: str, cpus: int, devices: list[dict[str, Any]], names: list[str]) -> VmInterface:
    """A VM."""
    while True:
        try:
            return VmInterface(**fields(r, name, number, isa, cpus, devices, names))
        except SpecError:
            continue


def fields(r: random.Random, name: str, number: int, isa: str, cpus: int, devices: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """What it is made of."""
    found: dict[str, Any] = {"name": name, "id": number, "architecture": isa if r.random() < 0.95 else "rv64", "revision": r.choice([1, 1, 2])}
    found["cpus"] = {"count": r.randint(1, 4)} | ({"affinity": r.sample(range(cpus), r.randint(1, cpus))} if r.random() < 0.7 else {})
    found["memory"] = [window(r, k) for k in range(r.randint(0, 3))]
    found["irqs"] = [
        {"line": line, "trigger": r.choice(["level", "edge"]), "route": r.choice(["injected", "injected", "direct", "emulated"])}
        for line in r.sample(range(300), r.randint(0, 3))
    ]
    found["irqchip"] = r.choice([None, {"model": "gic-v2"}, {"model": "gic-v3", "mode": "emulated"}, {"model": "ioapic", "mode": "emulated"}])
    found["timer"] = r.choice([None, {"model": "arm-generic"}, {"model": "hpet", "mode": "emulated"}])
    found["devices"] = [interface(r, k, devices, names) for k in range(r.randint(0, 4))]
    shared = [one["name"] for one in found["memory"] if "shared" in one["flags"]]
    found["channels"] = [
        {"name": f"ch{k}", "region": region, "peers": [r.choice(names)], "doorbell": r.choice([None, 200])}
        for k, region in enumerate(shared)
        if r.random() < 0.7
    ]
    found["image"] = r.choice([None, {"entry": 0x40000000, "load": 0x40000000, "size": r.choice([None, 4096]), "cmdline": r.choice(TEXTS)}])
    found["operations"] = r.choice([{}, {"by": "hypercall", "hypercalls": ["a"]}, {"by": "patched", "rates": {"timer": 100}}])
    found["contract"] = contract(r)
    found["health"] = {"restart": r.choice(["never", "on-failure", "always"]), "attempts": r.choice([0, 3]), "heartbeat": r.choice([None, "10 ms"])}
    found["tasks"] = [{"name": "t", "wcet": "1 ms", "period": "10 ms"}] * r.randint(0, 1)
    return found


def window(r: random.Random, k: int) -> dict[str, Any]:
    """Memory, odd or round."""
    size = r.choice([4096, 64 << 20, (64 << 20) + 1, 12345, 3 << 30, 4 << 30, 1 << 20])
    flags = r.choice(
        [["read", "write", "execute"]] * 3 + [["read", "write", "shared"], ["read", "write", "io"], ["read"], ["read", "write", "execute", "huge"]]
    )
    guest = r.choice([0x40000000, 0, 0x80000000 + (k << 24), 0x60000001])
    phys = r.choice([None, guest, 0x90000000, 0x90000000 + (k << 28)])
    return {
        "name": r.choice(["ram", f"w{k}"]),
        "guest": guest,
        "phys": phys,
        "size": size,
        "flags": flags,
        "colours": r.choice([[], [], [0, 1], [3, 1]]),
    }


def interface(r: random.Random, k: int, devices: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """A device as the VM sees it."""
    mode = r.choice(["passthrough", "passthrough", "virtual", "split-frontend", "split-backend"])
    found: dict[str, Any] = {
        "name": r.choice([f"d{k}", "net0", "a-rather-long-name.of-a-device"]),
        "mode": mode,
        "kind": "mmio",
        "function": r.choice(["net", "block", "uart", "gpu"]),
        "driver": r.choice([None, None, "pl011", "uart-16550", "e1000"]),
    }
    if mode == "passthrough":
        real = r.choice(devices) if devices else {"name": "none", "registers": [], "irqs": []}
        found |= {"device": r.choice([real["name"], real["name"], "missing"]), "irqs": r.choice([[], real["irqs"], [77]])}
        moved = [{**one, "base": one["base"] + 0x1000000} for one in real["registers"]]
        found["registers"] = r.choice([[], moved, moved[:1], real["registers"]])
    if mode == "split-frontend":
        found["backend"] = r.choice([None, "nobody", *names])
    return found


def contract(r: random.Random) -> dict[str, Any]:
    """A contract of some kind."""
    kind = r.choice(KINDS)
    period = r.choice([2_000_000, 10_000_000, 1_234_567, 5_000, 2_000_000_000])
    own: dict[str, dict[str, Any]] = {
        "none": {},
        "share": {"weight": r.choice([1, 256, 65535]), "cap": r.choice([0, 1, 50, 400, 90_000])},
        "reservation": {
            "budget": r.choice([period, period // 2, 500_000 if period > 500_000 else 1]),
            "period": period,
            "extratime": r.random() < 0.3,
            "priority": r.choice([None, 3]),
        },
        "priority": {"priority": r.choice([1, 50, 99, 100, 2**31 - 1])},
        "slots": {"frame": 1_000_000, "slots": [{"start": 0, "length": 1000}]},
    }
    return {"kind": kind, "section": r.choice([0, 0, 5000]), "wakeup": r.choice([None, None, 10**7]), **own[kind]}
