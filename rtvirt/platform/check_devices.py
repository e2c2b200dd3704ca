"""Interrupts, interrupt controllers, timers, devices, DMA and channels: does each belong to somebody, and to one only?"""

from __future__ import annotations

from collections.abc import Iterator

from .board import Board
from .finding import Finding
from .interface import Channel, VmDevice, VmInterface


def device_findings(board: Board) -> Iterator[Finding]:
    """All of them."""
    yield from irq_findings(board)
    yield from chip_findings(board)
    owners: dict[str, str] = {}
    for vm in board.vms:
        for device in vm.devices:
            yield from split_findings(board, vm, device)
            if device.mode == "passthrough":
                yield from passed_findings(board, vm, device, owners)
            elif device.mode == "split-backend" and device.device is not None and not has(vm, device.device):
                yield Finding("split", f"vms[{vm.name}].devices[{device.name}].device", f"it drives {device.device}, which is not passed to this VM",
                              "pass it through to this VM")
        for channel in vm.channels:
            yield from channel_findings(board, vm, channel)


def has(vm: VmInterface, name: str) -> bool:
    """True if a device of the board is passed to a VM."""
    return any(device.mode == "passthrough" and device.device == name for device in vm.devices)


def irq_findings(board: Board) -> Iterator[Finding]:
    """Lines: there, in one VM, routed as the controller can."""
    seen: dict[int, tuple[VmInterface, bool]] = {}
    for vm in board.vms:
        for irq in vm.irqs:
            place = f"vms[{vm.name}].irqs"
            if irq.route == "emulated":
                continue
            if irq.line >= board.irqchip.lines:
                yield Finding("irq-line", place, f"there is no line {irq.line}: {board.irqchip.name} has {board.irqchip.lines}", "correct the line")
            if irq.route == "direct" and not board.irqchip.direct:
                yield Finding("irq-route", place, f"line {irq.line} is to be direct, and {board.irqchip.model} interrupts the hypervisor first",
                              "let it be injected")
            if irq.priority is not None and board.irqchip.priorities and irq.priority >= board.irqchip.priorities:
                yield Finding("irq-line", place, f"line {irq.line} has priority {irq.priority}, and there are {board.irqchip.priorities}",
                              "choose a lower number")
            first, shared = seen.setdefault(irq.line, (vm, irq.shared))
            if first is not vm and not (shared and irq.shared) and not private(board, irq.line, first, vm):
                yield Finding("irq-twice", place, f"line {irq.line} is in {first.name} too", "take it from one of them, or mark it shared in both")


def private(board: Board, line: int, one: VmInterface, other: VmInterface) -> bool:
    """True if a line is each pCPU's own (a GIC's 16 to 31), and two VMs do not meet there: their pCPUs differ, or its timer is each vCPU's."""
    apart = not set(one.cpus.affinity or range(board.cpus)) & set(other.cpus.affinity or range(board.cpus))
    timers = {number for timer in board.timers if timer.virtual for number in timer.irqs}
    return board.irqchip.model.startswith("gic") and 16 <= line < 32 and (apart or line in timers)


def chip_findings(board: Board) -> Iterator[Finding]:
    """Who has the interrupt controller and the timers, and how."""
    direct: dict[str, str] = {}
    extended = {cluster.extension for cluster in board.clusters} - {"none"}
    for vm in board.vms:
        chip, timer = vm.irqchip, vm.timer
        if chip and chip.mode != "emulated" and chip.model != board.irqchip.model:
            yield Finding("chip", f"vms[{vm.name}].irqchip.model", f"it expects {chip.model}, and the board has {board.irqchip.model}",
                          f"emulate it, or give the VM a driver for {board.irqchip.model}")
        sharing = [other.name for other in board.vms if other is not vm and other.irqchip and other.irqchip.mode == "virtual"]
        if chip and chip.mode == "direct" and sharing:
            yield Finding("chip", f"vms[{vm.name}].irqchip.mode", f"it would have the controller that is virtualized for {', '.join(sharing)}",
                          "virtualize or emulate it here, or emulate it there")
        if chip and chip.mode == "virtual" and not extended:
            yield Finding("chip", f"vms[{vm.name}].irqchip.mode", "nothing of the hardware virtualizes an interrupt controller", "emulate it")
        known = [one for one in board.timers if timer and one.model == timer.model]
        if timer and timer.mode != "emulated" and not known:
            yield Finding("timer", f"vms[{vm.name}].timer.model", f"there is no {timer.model} on the board", "emulate it, or use another timer: "
                          f"{', '.join(one.model for one in board.timers) or 'there is none'}")
        elif timer and timer.mode == "virtual" and not any(one.virtual for one in known):
            yield Finding("timer", f"vms[{vm.name}].timer.mode", f"{timer.model} is one for all: no vCPU can have its own", "emulate it")
        for rule, what in (("chip", chip), ("timer", timer)):
            if what and what.mode == "direct":
                other = direct.setdefault(f"{rule} {what.model}", vm.name)
                if other != vm.name:
                    field = "irqchip" if rule == "chip" else "timer"
                    yield Finding(rule, f"vms[{vm.name}].{field}.mode", f"{other} has {what.model} for itself too",
                                  "virtualize or emulate it in one of them")


def split_findings(board: Board, vm: VmInterface, device: VmDevice) -> Iterator[Finding]:
    """Halves of split drivers."""
    place = f"vms[{vm.name}].devices[{device.name}]"
    if device.mode == "split-frontend":
        back = next((other for other in board.vms if other.name == device.backend), None)
        if back is None or back is vm:
            why = "it names no back end" if device.backend is None else "it is its own back end" if back is vm else f"there is no VM {device.backend}"
            yield Finding("split", f"{place}.backend", why, "name the VM that drives the device")
        elif not any(one.name == device.name and one.mode == "split-backend" for one in back.devices):
            yield Finding("split", f"{place}.backend", f"{back.name} has no back end {device.name}",
                          f"add a device {device.name} of mode split-backend to {back.name}")
        elif not any(one.name == device.name and one.mode == "split-backend" and one.function == device.function for one in back.devices):
            yield Finding("split", f"{place}.function", f"the back end of this name in {back.name} is for something else than {device.function}",
                          "let both halves have the same function")
    elif device.mode == "split-backend" and not any(
            one.name == device.name and one.mode == "split-frontend" and one.backend == vm.name for other in board.vms for one in other.devices):
        yield Finding("split", place, f"no front end {device.name} names {vm.name} as its back end", "add the front end, or remove this half")
    if device.into is not None and device.into not in {task.name for task in vm.tasks if task.arrival == "channel"}:
        yield Finding("system", f"{place}.into", f"{device.into} is no task of this VM that waits for messages", "name a task with arrival: channel")


def passed_findings(board: Board, vm: VmInterface, device: VmDevice, owners: dict[str, str]) -> Iterator[Finding]:
    """A device passed through: it exists, is nobody else's, its lines are the VM's, its DMA stays within the VM."""
    place = f"vms[{vm.name}].devices[{device.name}]"
    real = board.device(device.device)
    if real is None:
        known = ", ".join(one.name for one in board.devices) or "no devices"
        yield Finding("device", f"{place}.device", f"the board has no device {device.device}" if device.device else "it names no device of the board",
                      f"name one of {known}")
        return
    other = owners.setdefault(real.name, f"vms[{vm.name}].devices[{device.name}]")
    if other != place:
        yield Finding("device", f"{place}.device", f"{real.name} is passed through as {other} too", "give it to one of them, or split its driver")
    routed = {irq.line for irq in vm.irqs if irq.route != "emulated"}
    missing = [line for line in device.irqs or real.irqs if line not in routed]
    if missing:
        yield Finding("irq-route", f"{place}.irqs", f"line {', '.join(map(str, missing))} of {real.name} is not routed to this VM",
                      "add it to the VM's irqs")
    strange = [line for line in device.irqs if line not in real.irqs]
    if strange:
        yield Finding("irq-line", f"{place}.irqs", f"line {', '.join(map(str, strange))} is none of {real.name}'s", f"it has {list(real.irqs)}")
    if real.dma and not real.streams:
        moved = [window.name for window in vm.memory if not window.identity and "io" not in window.flags]
        if moved:
            why = "has no stream number" if board.iommus else "there is no IOMMU"
            yield Finding("dma", place, f"{real.name} accesses memory and {why}: it uses physical addresses, and memory[{', '.join(moved)}] is not "
                          "where the VM sees it", "map the VM's memory where it is (phys = guest), give the device a stream, or split its driver")


def channel_findings(board: Board, vm: VmInterface, channel: Channel) -> Iterator[Finding]:
    """A channel: shared memory here and there, and peers that know of it."""
    place = f"vms[{vm.name}].channels[{channel.name}]"
    own = next((window for window in vm.memory if window.name == channel.region), None)
    if own is None or "shared" not in own.flags:
        yield Finding("channel", f"{place}.region", f"{channel.region} is no shared memory of this VM", "name a window with the flag shared")
    if channel.doorbell is not None and channel.doorbell not in {irq.line for irq in vm.irqs}:
        yield Finding("channel", f"{place}.doorbell", f"line {channel.doorbell} is none of this VM's", "add it to the VM's irqs, as emulated")
    for name in channel.peers:
        peer = next((other for other in board.vms if other.name == name), None)
        there = next((one for one in peer.channels if one.name == channel.name and vm.name in one.peers), None) if peer else None
        if peer is None or there is None or peer is vm:
            yield Finding("channel", f"{place}.peers", f"{name} has no channel {channel.name} to {vm.name}", "add the other end")
            continue
        if there.protocol != channel.protocol:
            yield Finding("channel", f"{place}.protocol", f"{name} speaks {there.protocol}", "let both speak the same")
        other = next((window for window in peer.memory if window.name == there.region), None)
        if own and other and (own.behind is None) != (other.behind is None):
            where = f"{name}'s end is at {other.phys:#x}" if own.behind is None else f"{name}'s end may be anywhere"
            here = "may be anywhere" if own.behind is None else f"is at {own.phys:#x}"
            yield Finding("channel", f"{place}.region", f"{where}, and this one {here}", "place both in the same memory")
        if own and other and own.behind and other.behind and not own.behind.overlaps(other.behind):
            yield Finding("channel", f"{place}.region", f"{name}'s end is other memory: {other.phys:#x}, not {own.phys:#x}",
                          "place both in the same memory")
