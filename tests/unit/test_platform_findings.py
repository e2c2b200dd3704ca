"""`rv.platform.check` on a small board made for it: what two VMs, or a VM and the hypervisor, must not both have; and what they may."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.units import ms

HARDWARE = {
    "name": "b", "clusters": [{"name": "c", "core": "A53", "isa": "aarch64", "cpus": [0, 1, 2, 3], "extension": "el2"}],
    "memory": [{"name": "ddr", "base": 0x40000000, "size": "1 GiB"}],
    "caches": [{"name": "l2", "level": 2, "size": "1 MiB", "ways": 16, "cpus": [0, 1, 2, 3], "partition": "colours"}],
    "irqchip": {"name": "gic", "model": "gic-v2", "lines": 256, "registers": [{"base": 0x9000000, "size": "64 KiB"}]},
    "timers": [{"name": "arch", "model": "arm-generic", "irqs": [27], "virtual": True}],
    "iommus": [{"name": "smmu", "model": "mmu-500", "registers": [{"base": 0x9100000, "size": "4 KiB"}]}],
    "devices": [
        {"name": "uart0", "function": "uart", "driver": "pl011", "registers": [{"base": 0xa000000, "size": 256}], "irqs": [40]},
        {"name": "uart1", "function": "uart", "driver": "pl011", "registers": [{"base": 0xa000800, "size": 256}], "irqs": [41]},
        {"name": "eth0", "function": "net", "driver": "gem", "registers": [{"base": 0xa100000, "size": "4 KiB"}], "irqs": [42], "dma": True,
         "iommu": "smmu", "streams": [5, 6]},
        {"name": "eth1", "function": "net", "driver": "gem", "registers": [{"base": 0xa101000, "size": "4 KiB"}], "irqs": [43], "dma": True,
         "iommu": "smmu", "streams": [6]}],
    "scheduler": {"name": "rtds"}}
IO = ("read", "write", "io")
SHARED = ("read", "write", "shared")


def rules(a, b=None, c=None):
    """(rule, place) of the findings on such VMs."""
    vms = [{"name": name, "id": k, "architecture": "aarch64", "contract": {"kind": "reservation", "budget": ms(1), "period": ms(10)}} | fields
           for k, (name, fields) in enumerate(zip("abc", (a, b, c)), 1) if fields is not None]
    found = rv.platform.check(rv.platform.Board(**HARDWARE, vms=vms))
    assert all(one.reason and one.remedy and one.rule in rv.platform.RULES for one in found)
    return {(one.rule, one.place) for one in found}


def window(guest, phys, flags=("read", "write"), **more):
    return {"name": "m", "guest": guest, "phys": phys, "size": "4 KiB", "flags": flags} | more


def passed(name, line, **more):
    return {"irqs": [{"line": line}], "devices": [{"name": name, "mode": "passthrough", "function": "uart", "device": name} | more]}


def half(mode, function, **more):
    return {"devices": [{"name": "d", "mode": mode, "function": function} | more]}


def channel(phys, peer):
    return {"memory": [window(0x50000000, phys, SHARED)], "channels": [{"name": "k", "region": "m", "peers": [peer]}]}


@pytest.mark.parametrize(("vms", "expected"), [
    ([{"memory": [window(0x40000000, 0x40000000)]}, {"memory": [window(0x40001000, 0x40001000)]}], set()),          # they touch
    ([{"memory": [window(0, 0x40000000, SHARED)]}] * 3, set()),
    ([{"memory": [window(0, 0x40000000, SHARED)]}] * 2 + [{"memory": [window(0, 0x40000000)]}], {("memory-overlap", "vms[c].memory[m].phys")}),
    ([{"memory": [window(0xa000000, 0xa000000, IO)]}, passed("uart0", 40)], {("memory-overlap", "vms[b].devices[uart0].device")}),
    ([passed("uart0", 40), passed("uart1", 41)], {("memory-overlap", "vms[b].devices[uart1].device")}),              # one page, two VMs
    ([{"memory": [window(0xa000000, 0xa000000, IO)]} | passed("uart0", 40)], set()),                                 # one thing, said twice
    ([{"memory": [window(0x9000000, 0x9000000, IO)]}], {("chip", "vms[a].memory[m].phys")}),
    ([{"memory": [window(0x9000000, 0x9000000, IO)], "irqchip": {"model": "gic-v2", "mode": "direct"}}], set()),
    ([{"memory": [window(0x9100000, 0x9100000, IO)]}], {("dma", "vms[a].memory[m].phys")}),
    ([{"irqchip": {"model": "gic-v2", "mode": "direct"}}, {"irqchip": {"model": "gic-v2"}}], {("chip", "vms[a].irqchip.mode")}),
    ([{"memory": [window(0xa000000, 0x40000000)]} | passed("uart0", 40)], {("memory-guest", "vms[a].devices[uart0].registers")}),
    ([{"memory": [window(0xb000000, 0x40000000)]} | passed("uart0", 40, registers=[{"base": 0xb000000, "size": 256}])],
     {("memory-guest", "vms[a].devices[uart0].registers")}),
    ([passed("eth0", 42), passed("eth1", 43)], {("dma", "vms[b].devices[eth1]")}),                                   # one stream
    ([{"irqs": [{"line": 27}]}, {"irqs": [{"line": 27}]}], set()),                                                   # each vCPU's own timer
    ([{"irqs": [{"line": 28}]}, {"irqs": [{"line": 28}]}], {("irq-twice", "vms[b].irqs")}),
    ([{"irqs": [{"line": 28}], "cpus": {"affinity": [0]}}, {"irqs": [{"line": 28}], "cpus": {"affinity": [1]}}], set()),
    ([{"irqs": [{"line": 50, "shared": True}]}, {"irqs": [{"line": 50, "shared": True}]}, {"irqs": [{"line": 50}]}], {("irq-twice", "vms[c].irqs")}),
    ([passed("uart0", 40) | {"irqs": [{"line": 40, "route": "emulated"}]}], {("irq-route", "vms[a].devices[uart0].irqs")}),
    ([half("split-frontend", "net", backend="b"), half("split-backend", "block")], {("split", "vms[a].devices[d].function")}),
    ([channel(0x40000000, "b"), channel(0x40000000, "a")], set()),
    ([channel(None, "b"), channel(0x40000000, "a")], {("channel", "vms[a].channels[k].region"), ("channel", "vms[b].channels[k].region")}),
    ([{"memory": [window(0, None, colours=[1])]}, {"memory": [window(0, None, SHARED, colours=[1])]}], {("colours", "vms[b].memory[m].colours")}),
    ([{"memory": [window(0, None, SHARED, colours=[1])]}, {"memory": [window(0, None, colours=[1])]}], {("colours", "vms[b].memory[m].colours")}),
    ([{"memory": [window(0, None, SHARED, colours=[1])]}, {"memory": [window(0, None, SHARED, colours=[1])]}], set()),
    ([{"cpus": {"affinity": [9]}}], {("affinity", "vms[a].cpus.affinity")}),                                         # and nothing about its sum
])
def test_what_may_be_shared(vms, expected):
    assert rules(*vms) == expected


def test_a_long_slot_over_several_others_is_told_of_each():
    def slots(*own):
        return {"contract": {"kind": "slots", "frame": ms(20), "slots": [{"start": ms(start), "length": ms(length)} for start, length in own]}}

    vms = [{"name": name, "id": k, "architecture": "aarch64"} | slots(*own) for k, (name, own) in enumerate(
        {"a": [(0, 10)], "b": [(1, 1), (3, 1)], "c": [(9, 2), (11, 1)]}.items(), 1)]
    board = rv.platform.Board(**HARDWARE | {"scheduler": {"name": "arinc653"}}, vms=vms)
    assert [(one.rule, one.place) for one in rv.platform.check(board)] == [
        ("contract-slots", f"vms[{name}].contract.slots") for name in ("b", "b", "c")]


def test_a_device_passed_through_is_direct_if_its_own_lines_are():
    for route, expected in (("direct", "direct"), ("injected", "trapped")):
        vm = {"name": "a", "id": 1, "architecture": "aarch64", "irqs": [{"line": 42, "route": route}],
              "devices": [{"name": "net", "mode": "passthrough", "function": "net", "device": "eth0", "rx": {"period": ms(1)}}]}
        (device,) = rv.platform.Board(**HARDWARE, vms=[vm]).system().devices
        assert device.injection == expected


def test_the_bound_of_nobody_is_refused():
    for board, vm in ((rv.platform.load("phone"), "nobody"), ("phone", "modem"), (rv.platform.load("phone"), ["modem"])):
        with pytest.raises(rv.SpecError, match="name a VM of the board"):
            rv.platform.wakeup(board, vm)
