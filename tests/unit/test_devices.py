"""Ready-made devices: what they are made of, by hand from docs/xen-rules.md 8 and 9; causes switched off; files; mistakes."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import rtvirt as rv
from rtvirt.system.devices import CAUSES, Device, Line, Path, Plumbing, Port, Stage, Thread, expanded, plumbing_of
from rtvirt.system.devices.causes import SWITCHES
from rtvirt.units import ms, us

HYPERCALL = 220
LONG = "n" * 60           # a name of a device that leaves too little room for its threads


def machine(*devices, dom0=None, **fields) -> rv.System:
    """Two guests, each with a task that waits for messages, and a driver VM."""
    sink = rv.Task("sink", arrival="channel", wcet=us(10), priority=1)
    vms = [rv.VM("modem", tasks=[sink], priority=3), rv.VM("android", tasks=[sink, rv.hog()], priority=5),
           rv.VM("dom0", control=True, **(dom0 or {})), rv.VM("dom1", control=True)]
    return rv.System(vms=vms, devices=devices, costs=rv.Costs(hypercall=HYPERCALL), **fields)


def net(name="net0", **fields) -> rv.SplitDriver:
    """A network device of the modem."""
    return rv.SplitDriver(name, **{"driver": "dom0", "frontend": "modem"} | fields)


def laid_out(device, **fields) -> Plumbing:
    """What one device is made of."""
    return plumbing_of(machine(device, **fields))


def stages(plumbing: Plumbing, path: str) -> dict[str, Stage]:
    """{name: stage} of a path."""
    return {stage.name: stage for stage in the(plumbing, path).stages}


def the(plumbing: Plumbing, name: str) -> Path:
    """A path by name."""
    return next(path for path in plumbing.paths if path.name == name)


def threads(plumbing: Plumbing) -> dict[str, Thread]:
    """{key: thread}."""
    return {thread.key: thread for thread in plumbing.threads}


def servers(plumbing: Plumbing, path: str) -> list[str]:
    """Who serves the stages of a path."""
    return [stage.server for stage in the(plumbing, path).stages]


def refused(make) -> dict[str, str]:
    """Field and fix of every problem that making something finds."""
    with pytest.raises(rv.SpecError) as caught:
        make()
    assert all(problem.field and problem.allowed and problem.fix for problem in caught.value.problems)
    return {problem.field: problem.fix for problem in caught.value.problems}


# Network, by era


def test_the_design_example_works_as_it_is():
    phone = rv.data.system("phone").with_device(rv.SplitDriver("net0", driver="dom0", frontend="modem", ring=256))
    paths = plumbing_of(phone).paths
    assert [(path.name, path.frontend, path.slots) for path in paths] == [("net0.rx", "modem", 256), ("net0.tx", "modem", 256)]
    assert paths[0].arrivals == rv.Arrivals(ms(1), arrival="poisson")


def test_napi_has_a_poll_and_a_thread_for_each_guest():
    plumbing = laid_out(net())
    assert servers(plumbing, "net0.rx") == ["dom0/nic", "dom0/net0.rx", "modem/net0.front"]                  # R1-R4, R5-R6, R8-R9
    assert servers(plumbing, "net0.tx") == ["dom0/net0.tx", "dom0.nic", "dom0/nic", "dom0/net0.release", "modem/net0.front"]
    assert [(thread.batch, thread.order, thread.priority) for thread in plumbing.threads] == [(64, "turns", None)] * 5
    rx, tx = the(plumbing, "net0.rx"), the(plumbing, "net0.tx")
    assert (rx.enter, rx.leave, rx.full, rx.pool) == (1, 2, "wait", None)        # a buffer from the back end's queue to the guest's poll
    assert (tx.enter, tx.leave, tx.ends, tx.pool) == (0, 4, 1, None)             # delivered on the wire, the slot comes back later (T10 to T14)
    assert [stage.name for stage in rx.stages if stage.port] == ["nic", "netfront"]           # within the driver VM threads wake each other
    assert [stage.name for stage in tx.stages if stage.port] == ["netback", "sent", "netfront"]
    assert [stage.port.late_eoi for stage in (*rx.stages, *tx.stages) if stage.port] == [False, True, True, False, True]     # rings only (8.4.4)
    assert plumbing.upcalls == {"dom0": (0, "fifo"), "modem": (0, "fifo")}
    assert (rx.crash, tx.crash) == ("drop", "drop")


def test_tasklets_are_shared_by_all_guests_of_a_driver_vm():
    both = plumbing_of(machine(net(backend="tasklets"), net("net1", frontend="android", backend="tasklets")))
    assert [key for key in threads(both) if key.startswith("dom0")] == ["dom0/nic", "dom0/netback.rx", "dom0/netback.tx"]
    rx, tx = threads(both)["dom0/netback.rx"], threads(both)["dom0/netback.tx"]
    assert (rx.order, tx.order, rx.batch, tx.batch) == ("oldest", "turns", 256, 256)                   # 8.4.2, 8.4.1
    assert servers(both, "net1.rx") == ["dom0/nic", "dom0/netback.rx", "android/net1.front"]
    assert servers(both, "net1.tx") == ["dom0/netback.tx", "dom0/nic", "dom0.nic", "dom0/nic", "dom0/netback.tx", "android/net1.front"]
    path = the(both, "net0.tx")
    assert (path.enter, path.leave, path.ends, path.pool, path.pool_until) == (0, 5, 2, "dom0/netback", 4)
    assert both.pools == {"dom0/netback": 256} and both.lines == (Line("dom0.nic"),)
    assert the(both, "net0.rx").full == "drop"                                                        # a guest without buffers (8.4.2)
    assert stages(both, "net0.tx")["netfront"].after == 0 and stages(both, "net0.rx")["netfront"].after == 1      # 8.4.5
    assert both.upcalls["dom0"] == (0, "lowest") and not stages(both, "net0.tx")["netback"].port.late_eoi


def test_kthreads_do_both_directions():
    plumbing = laid_out(net(backend="kthread"))
    assert servers(plumbing, "net0.rx")[1] == servers(plumbing, "net0.tx")[0] == "dom0/net0.netback"
    assert [stage.name for stage in the(plumbing, "net0.tx").stages] == ["netback", "bridge", "wire", "sent", "netfront"]      # no page to unmap
    assert threads(plumbing)["dom0/net0.netback"].order == "listed" and plumbing.upcalls["dom0"] == (0, "turns")


def test_several_driver_vms_share_nothing():
    both = plumbing_of(machine(net(backend="tasklets"), net("net1", driver="dom1", frontend="modem", backend="tasklets")))
    assert {"dom0/netback.rx", "dom1/netback.rx", "dom0/nic", "dom1/nic"} <= set(threads(both))
    assert {line.name for line in both.lines} == {"dom0.nic", "dom1.nic"} and both.pools == {"dom0/netback": 256, "dom1/netback": 256}


@pytest.mark.parametrize(("backend", "grant", "sent", "got"), [          # 8.2.1: what the driver VM and the guest pay for a page
    ("tasklets", "flip", [100, 7], [100, 7]), ("tasklets", "copy", [100, 7], [100, 0]), ("kthread", "copy", [100], [100, 0]),
    ("napi", "map", [100, 7], [100, 0]), ("napi", "copy", [100], [100, 0])])
def test_pages(backend, grant, sent, got):
    plumbing = laid_out(net(backend=backend, grant=grant, grant_each=100, release_each=7, serve=0, receive=0))
    tx, rx = stages(plumbing, "net0.tx"), stages(plumbing, "net0.rx")
    assert [tx[name].each for name in ("netback", "release") if name in tx] == sent
    assert [rx["netback"].each, rx["netfront"].each] == got
    assert all(thread.fixed == (HYPERCALL if "nic" not in thread.name and thread.vm == "dom0" else 0) for thread in plumbing.threads)


def test_costs_of_a_packet_add_up_to_what_was_measured():
    plumbing = laid_out(net(grant_each=0))
    tx = the(plumbing, "net0.tx")
    assert tx.submit + sum(stage.each for stage in tx.stages) == pytest.approx(500 * 8 / 516e6 * 1e9, abs=1)     # XEN03, table 6 [ns]
    assert tx.submit == pytest.approx(500 * 8 / 602e6 * 1e9, abs=1)
    assert stages(plumbing, "net0.rx")["netfront"].each == pytest.approx(500 * 8 / 544e6 * 1e9, abs=1)
    through = laid_out(net(complete=us(2)))           # the poll itself passes packets on; in 2007 another softirq does (8.4.1)
    assert [stage.each for stage in the(through, "net0.tx").stages] == [1107 + us(2), 0, us(2), 0, 0]
    assert [stage.each for stage in the(laid_out(net(complete=us(2), backend="tasklets")), "net0.tx").stages] == [1107, us(2), 0, us(2), 0, 0]


def test_hardware_interrupts():
    plumbing = laid_out(net(moderation=us(50), frames=8, handler=300, entry=40, port_priority=2, capacity=512))
    nic = stages(plumbing, "net0.rx")["nic"]
    assert nic == Stage("nic", "dom0/nic", port=Port(300, 2), after=8, timeout=us(50), capacity=512)
    assert stages(plumbing, "net0.tx")["sent"].timeout == us(50) and plumbing.upcalls["modem"] == (40, "fifo")
    interposed = stages(laid_out(net(distance=ms(1), switch=500)), "net0.rx")["nic"]
    assert (interposed.distance, interposed.switch, interposed.timeout, interposed.after) == (ms(1), 500, None, 1)


def test_notification_with_a_timeout():
    plumbing = laid_out(net(back_after=16, front_after=32, timeout=us(200)))
    told = {name: (stage.after, stage.timeout) for name, stage in stages(plumbing, "net0.tx").items()}
    assert told == {"netback": (16, us(200)), "wire": (1, None), "sent": (1, None), "release": (1, None), "netfront": (32, us(200))}
    assert stages(plumbing, "net0.rx")["netfront"].timeout == us(200)


def test_received_messages_release_a_task():
    assert the(laid_out(net(into="sink")), "net0.rx").into == the(laid_out(net(into="modem/sink")), "net0.rx").into == "modem/sink"
    assert [path.name for path in laid_out(net(rx=None)).paths] == ["net0.tx"] and "dom0/net0.rx" not in threads(laid_out(net(rx=None)))
    block = rv.SplitDriver("disk0", kind="block", driver="dom0", frontend="modem", into="sink")
    assert the(laid_out(block), "disk0.read").into == "modem/sink"


# A deterministic back end


def test_streams_with_priorities_and_budgets():
    inherited = laid_out(net(backend="tasklets", priority="inherit"))
    assert {key: thread.priority for key, thread in threads(inherited).items()} == {
        "dom0/nic": None, "dom0/net0.rx": 3, "dom0/net0.tx": 3, "modem/net0.front": None}
    served = threads(laid_out(net(budget=us(200), server_period=ms(2)), dom0={"guest": "cbs"}))
    assert {(thread.budget, thread.server_period) for key, thread in served.items() if key.startswith("dom0/net0")} == {(us(200), ms(2))}
    whole, _ = expanded(machine(net(priority=2), dom0={"tasks": [rv.Task("own", wcet=1, period=ms(1), priority=1)]}))
    tasks = {task.name: task for task in whole["dom0"].tasks}
    assert tasks["net0.rx"].priority == 2 and tasks["irq0"].priority is None and list(tasks)[:2] == ["own", "irq0"]


def test_a_priority_is_inherited_from_the_vcpu_where_the_front_end_s_driver_runs():
    vms = [rv.VM("modem", vcpus=2, priority=[7, 2]), rv.VM("dom0", control=True)]
    for device, name in ((net(priority="inherit", frontend_vcpu=1), "dom0/net0.rx"),
                         (rv.VirtioDevice("net0", host="dom0", frontend="modem", priority="inherit", frontend_vcpu=1), "dom0/net0.vhost")):
        assert threads(plumbing_of(rv.System(vms=vms, devices=[device])))[name].priority == 2
    assert set(refused(lambda: rv.System(vms=vms, devices=[net(priority="inherit", frontend_vcpu=2)]))) == {
        "devices[net0].thread modem/net0.front.vcpu"}


def test_streams_on_vcpus_of_their_own():
    plumbing = laid_out(net(vcpu=1, tx_vcpu=2), dom0={"vcpus": 3})
    assert {key: thread.vcpu for key, thread in threads(plumbing).items() if key.startswith("dom0")} == {
        "dom0/net0.nic": 1, "dom0/net0.nic.tx": 2, "dom0/net0.rx": 1, "dom0/net0.tx": 2, "dom0/net0.release": 2}
    whole, _ = expanded(machine(net(vcpu=1, tx_vcpu=2), dom0={"vcpus": 3}))
    assert [task.name for task in whole["dom0"].tasks if task.name.startswith("irq")] == ["irq1", "irq2"]


def test_polled_and_time_triggered_streams_take_no_interrupts():
    plumbing = laid_out(net(poll=ms(1), offset=us(100), frontend_poll=ms(2)))
    assert not plumbing.ports()
    assert {(thread.vm, thread.period, thread.offset) for thread in plumbing.threads} == {("dom0", ms(1), us(100)), ("modem", ms(2), 0)}
    assert "dom0/net0.nic" in threads(plumbing)                  # not the one that others are interrupted through


# Block


def test_block_device():
    disk = rv.SplitDriver("disk0", kind="block", driver="dom0", frontend="modem", device=us(80), release_each=3, grant_each=5, complete=2)
    plumbing = laid_out(disk)
    path = the(plumbing, "disk0.read")
    assert [(stage.name, stage.server, stage.each) for stage in path.stages] == [
        ("blkback", "dom0/disk0.blkback", 5), ("disk", "dom0.disk0", us(80)), ("done", "dom0/disk0.done", 5), ("blkfront", "modem/disk0.front", 0)]
    assert (path.slots, path.enter, path.leave, path.pool, path.pool_until, path.crash) == (32, 0, 3, "dom0/blkback", 2, "reissue")
    assert plumbing.pools == {"dom0/blkback": 64}                                       # of all disks (8.5.1)
    assert [(thread.name, thread.batch, thread.fixed) for thread in plumbing.threads] == [
        ("disk0.done", 1, HYPERCALL), ("disk0.blkback", 32, HYPERCALL), ("disk0.front", 32, 0)]        # one completion at a time (8.5.2)
    copied = laid_out(disk.replace(grant="copy"))
    assert stages(copied, "disk0.read")["done"].each == 2 and {thread.fixed for thread in copied.threads} == {0}
    three = machine(*(disk.replace(name=f"disk{i}", line="flash") for i in range(3)))
    assert [line.name for line in plumbing_of(three).lines] == ["dom0.flash"] and len(plumbing_of(three).threads) == 1 + 3 + 3


# The others


def test_emulated_device():
    uart = rv.EmulatedDevice("uart0", frontend="modem", rx=rv.Arrivals(ms(1)), accesses=3, rx_accesses=2, work=10, into="sink")
    plumbing = laid_out(uart)
    assert the(plumbing, "uart0.tx").submit == 3 * 1_360 + 10 and the(plumbing, "uart0.tx").ends == 0
    assert stages(plumbing, "uart0.rx")["isr"].each == 2 * 1_360 + 10 and list(threads(plumbing)) == ["modem/uart0.isr"]
    assert uart.steps(2) == [rv.trap(1_360)] * 2


def test_hosted_device_is_figure_5():
    plumbing = laid_out(rv.HostedDevice("net0", host="dom0", frontend="modem", rx=rv.Arrivals(ms(1))))
    path = the(plumbing, "net0.tx")
    assert path.submit == 570 + 4_450 and [stage.each for stage in path.stages] == [1_230 + 17_550 + 2_970, 4_450 + 410]
    assert path.submit + sum(stage.each for stage in path.stages) == 31_630
    assert servers(plumbing, "net0.rx") == ["dom0/net0.process", "modem/net0.front"]


def test_pass_through_device():
    can = rv.PassThrough("can0", frontend="modem", rx=rv.Arrivals(ms(1)), handler=1000, distance=ms(2), switch=300)
    assert stages(laid_out(can), "can0.rx")["isr"].port.handler == 1080
    trapped = stages(laid_out(can.replace(injection="trapped", frontend_priority=2)), "can0.rx")["isr"]
    assert (trapped.port.handler, trapped.distance, trapped.switch) == (1740, ms(2), 300)
    assert threads(laid_out(can.replace(frontend_priority=2)))["modem/can0.isr"].priority == 2


def test_polled_device():
    adc = rv.PolledDevice("adc0", frontend="modem", period=us(500), offset=us(20), look=us(1), work=us(2), rx=rv.Arrivals(ms(1)), capacity=4,
                          priority=7)
    plumbing = laid_out(adc)
    assert plumbing.threads == (Thread("modem", "adc0.poll", priority=7, wake=us(1), batch=256, period=us(500), offset=us(20)),)
    assert stages(plumbing, "adc0.rx") == {"poll": Stage("poll", "modem/adc0.poll", each=us(2), capacity=4)} and not plumbing.ports()


def test_virtio_device():
    plumbing = laid_out(rv.VirtioDevice("net0", host="dom0", frontend="modem", rx=rv.Arrivals(ms(1)), serve=us(1)))
    assert servers(plumbing, "net0.rx") == ["dom0/nic", "dom0/net0.vhost", "modem/net0.front"]
    assert servers(plumbing, "net0.tx") == ["dom0/net0.vhost", "dom0.nic"]                  # one thread for both; the guest need not be told
    assert (the(plumbing, "net0.tx").enter, the(plumbing, "net0.tx").leave) == (0, 0)
    deaf = laid_out(rv.VirtioDevice("net0", host="dom0", frontend="modem", event_idx=False))
    assert stages(deaf, "net0.tx")["vhost"].always


# Causes switched off

DEVICES = {
    "net": net(moderation=us(50), back_after=8, timeout=us(100), backend="tasklets", fixed=us(1)),
    "napi": net(moderation=us(50)), "polled": net(poll=ms(1)),
    "block": rv.SplitDriver("disk0", kind="block", driver="dom0", frontend="modem", device=us(80)),
    "emulated": rv.EmulatedDevice("uart0", frontend="modem", rx=rv.Arrivals(ms(1)), moderation=us(10)),
    "hosted": rv.HostedDevice("net0", host="dom0", frontend="modem", rx=rv.Arrivals(ms(1))),
    "passthrough": rv.PassThrough("can0", frontend="modem", rx=rv.Arrivals(ms(1)), moderation=us(10)),
    "adc": rv.PolledDevice("adc0", frontend="modem", period=ms(1), rx=rv.Arrivals(ms(1))),
    "virtio": rv.VirtioDevice("net0", host="dom0", frontend="modem", rx=rv.Arrivals(ms(1))),
    "custom": rv.CustomDevice("x", plumbing=Plumbing(
        (Thread("dom0", "w", batch=8, fixed=us(3), period=ms(1), budget=us(10)), Thread("modem", "front", batch=4)), (Line("bus"),),
        (Path("x.a", "modem", (Stage("w", "dom0/w", each=us(5), after=4), Stage("bus", "bus", each=7), Stage("f", "modem/front", after=0)),
              slots=4, leave=2, pool="p", pool_until=1),
         Path("x.b", "android", (Stage("w", "dom0/w", each=us(5)),), rv.Arrivals(ms(1)))), {"p": 9})),
}


@pytest.mark.parametrize("device", DEVICES.values(), ids=DEVICES)
@pytest.mark.parametrize("cause", SWITCHES)
def test_each_cause_can_be_switched_off(device, cause):
    dom0 = {"guest": "cbs"} if device.name == "x" else {}
    whole, off = laid_out(device, dom0=dom0), laid_out(device.without(cause), dom0=dom0)
    assert [(path.name, [stage.name for stage in path.stages]) for path in off.paths] == [(p.name, [s.name for s in p.stages]) for p in whole.paths]
    home, lines = {thread.key: thread.vm for thread in off.threads}, {line.name for line in off.lines}
    if cause == "batching":
        assert {thread.batch for thread in off.threads} == {1}
    if cause == "ring":
        assert all(path.slots is None and all(stage.after for stage in path.stages) for path in off.paths)
    if cause == "driver_wait":
        assert all(home.get(stage.server, path.frontend) == path.frontend for path, _, stage in off.stages())
    if cause == "frontend_wait":
        assert all(home.get(stage.server) != path.frontend for path, _, stage in off.stages())
    if cause == "shared":
        for server in {*home, *lines}:
            assert len({path.frontend for path, _, stage in off.stages() if stage.server == server}) == 1, server
    if cause in ("suppression", "moderation"):
        periods = {thread.key: thread.period for thread in off.threads}
        for path, i, stage in off.stages():
            by_hardware = (i == 0 and path.arrivals is not None) or (i > 0 and path.stages[i - 1].server in lines)
            if stage.server in home and by_hardware == (cause == "moderation"):
                assert stage.after == 1 and stage.timeout is None and periods[stage.server] is None
                assert stage.always == (cause == "suppression")


def test_lines_in_place_of_threads_keep_the_cost():
    whole = laid_out(DEVICES["custom"].without("driver_wait"), dom0={"guest": "cbs"})
    assert stages(whole, "x.a")["w"] == Stage("w", "dom0/w.line", each=us(8)) and the(whole, "x.a").pool is None
    assert list(threads(whole)) == ["modem/front"]


def test_a_polled_thread_is_woken_where_waiting_for_its_turn_is_switched_off():
    custom = laid_out(DEVICES["custom"].without("suppression"), dom0={"guest": "cbs"})
    woken = threads(custom)["dom0/w"]
    assert (woken.period, woken.server_period, woken.budget) == (None, ms(1), us(10)) and stages(custom, "x.a")["w"].port == Port()
    adc = laid_out(DEVICES["adc"].without("moderation"))
    assert stages(adc, "adc0.rx")["poll"].port == Port() and stages(adc, "adc0.tx")["poll"].port is None        # its own tasks wake it


def test_sharing_ends_for_each_front_end():
    both = machine(*(net(name, frontend=vm, backend="tasklets").without("shared") for name, vm in (("net0", "modem"), ("net1", "android"))))
    plumbing = plumbing_of(both)
    assert [key for key in threads(plumbing) if "netback.rx" in key] == ["dom0/netback.rx.modem", "dom0/netback.rx.android"]
    assert {line.name for line in plumbing.lines} == {"dom0.nic.modem", "dom0.nic.android"}
    assert plumbing.pools == {"dom0/netback.modem": 256, "dom0/netback.android": 256}


@pytest.mark.parametrize("call", [lambda: net().without(["ring"]), lambda: net().without(3), lambda: machine().with_device("net0"),
                                  lambda: machine().with_device(rv.SplitDriver), lambda: machine().with_vm("modem")])
def test_other_things_than_causes_devices_and_vms_are_refused(call):
    assert len(refused(call)) == 1


def test_causes_add_up_and_unknown_ones_are_refused():
    assert net().without("ring").without("batching", "shared").off == ("batching", "shared", "ring") and net().without().off == ()
    assert "costs to 0" in refused(lambda: net().without("cost"))["causes"] and refused(lambda: net().without("luck"))
    assert set(SWITCHES) == set(CAUSES) - {"cost"}


# Files


def test_every_device_survives_a_file(tmp_path):
    for name, device in DEVICES.items():
        system = machine(device.without("moderation", "shared"), dom0={"guest": "cbs"} if name == "custom" else {})
        system.save(tmp_path / "system.yaml")
        assert rv.System.load(tmp_path / "system.yaml") == system, name
    text = (tmp_path / "system.yaml").read_text()
    assert "kind: custom" in text and "each: 5 us" in text


def test_submissions_survive_a_file(tmp_path):
    task = rv.Task("io", period=ms(1), actions=[rv.run(us(1)), rv.submit("net0.tx"), rv.request("net0.tx")])
    system = rv.System(vms=[rv.VM("modem", tasks=[task]), rv.VM("dom0")], devices=[net()])
    system.save(tmp_path / "system.yaml")
    assert rv.System.load(tmp_path / "system.yaml") == system


def test_the_shipped_gateway(tmp_path):
    gateway = rv.data.system("gateway")
    gateway.save(tmp_path / "gateway.yaml")
    assert rv.System.load(tmp_path / "gateway.yaml") == gateway
    plumbing = plumbing_of(gateway)
    assert {path.name: path.into for path in plumbing.paths} == {"can0.rx": "controller/frames", "can0.tx": None, "lan0.tx": None,
                                                                 "lan1.rx": "telematics/messages", "lan1.tx": None, "flash0.read": None}
    expanded(gateway)


def test_the_schema_knows_devices():
    schema = rv.System.json_schema()
    kinds = {"SplitDriver", "PassThrough", "PolledDevice", "VirtioDevice", "EmulatedDevice", "HostedDevice", "CustomDevice", "Stage"}
    assert set(schema["$defs"]) >= kinds
    assert schema["$defs"]["SplitDriver"]["properties"]["kind"]["enum"] == ["net", "block"] and json.dumps(schema)


FILE = """\
cpus: 1
vms:
- name: modem
- name: dom0
devices:
- kind: net
  name: net0
  driver: dom0
  frontend: modem
  ring: 100
  rx: {period: -1}
- kind: nett
  name: x
- name: y
- kind: custom
  name: z
  plumbing:
    threads:
    - {vm: dom0, name: w, batch: 9999}
    paths:
    - name: z.rx
      frontend: modem
      stages:
      - {name: a, server: dom0/w, echo: 1}
- kind: polled
  name: p
  frontend: modem
  period: 1 ms
  rxx: 3
"""


def test_mistakes_in_files_have_lines(tmp_path):
    (tmp_path / "s.yaml").write_text(FILE)
    with pytest.raises(rv.SpecError) as caught:
        rv.System.load(tmp_path / "s.yaml")
    assert {(problem.field, problem.where) for problem in caught.value.problems} == {
        ("devices[net0].ring", "s.yaml:10"), ("devices[net0].rx.period", "s.yaml:11"), ("devices[x]", "s.yaml:12"), ("devices[y]", "s.yaml:14"),
        ("devices[z].plumbing.threads[w].batch", "s.yaml:19"), ("devices[z].plumbing.paths[z.rx].stages[a].echo", "s.yaml:24"),
        ("devices[p].rxx", "s.yaml:29")}
    (tmp_path / "s.yaml").write_text(FILE[:FILE.index("  ring")].replace("driver: dom0", "driver: dom9"))
    with pytest.raises(rv.SpecError, match=r"s.yaml:8: devices\[net0\].driver is 'dom9'; allowed: modem, dom0"):
        rv.System.load(tmp_path / "s.yaml")


# Mistakes


@pytest.mark.parametrize(("fields", "field"), [
    ({"ring": 0}, "ring"), ({"ring": True}, "ring"), ({"backend": "softirq"}, "backend"), ({"grant": "flip"}, "grant"),
    ({"grant": "map", "backend": "kthread"}, "grant"), ({"frontend": "dom0"}, "frontend"), ({"timeout": us(1)}, "timeout"), ({"offset": 1}, "offset"),
    ({"frames": 3}, "frames"), ({"switch": 3}, "switch"), ({"server_period": ms(1)}, "server_period"), ({"budget": us(1)}, "server_period"),
    ({"budget": us(1), "server_period": ms(1), "priority": 1}, "priority"), ({"priority": 0}, "priority"),
    ({"poll": ms(1), "moderation": 5}, "moderation"), ({"poll": ms(1), "distance": 5}, "distance"),
    ({"poll": 0}, "poll"), ({"batch": 257}, "batch"), ({"port_priority": 16}, "port_priority"),
    ({"reads": rv.Arrivals(ms(1))}, "reads"), ({"kind": "block", "backend": "napi"}, "backend"), ({"kind": "block", "rx": rv.Arrivals(us(7))}, "rx"),
    ({"kind": "block", "grant": "flip"}, "grant"), ({"kind": "block", "reap": 5}, "reap"), ({"kind": "block", "tx": rv.Arrivals(ms(1))}, "tx"),
    ({"into": "sink", "rx": None}, "into"), ({"off": ["cost"]}, "off[0]"), ({"rings": 3}, "rings"), ({"late_eoi": 1}, "late_eoi"),
    ({"serve": -1}, "serve")])
def test_split_drivers_that_make_no_sense(fields, field):
    assert set(refused(lambda: net(**fields))) == {field}


def streams(field: str) -> set[str]:
    """Problems of all back-end threads of the network device."""
    return {f"devices[net0].thread dom0/net0.{name}.{field}" for name in ("rx", "tx", "release")}


@pytest.mark.parametrize(("make", "field"), [
    (lambda: machine(net(driver="dom9", frontend="nobody")), {"devices[net0].driver", "devices[net0].frontend"}),
    (lambda: machine(net(), net()), {"devices[net0].name"}),
    (lambda: machine(net(vcpu=4)), {*streams("vcpu"), "devices[net0].thread dom0/net0.nic.vcpu"}),
    (lambda: machine(net(into="source")), {"devices[net0].path net0.rx.into"}),
    (lambda: machine(net(priority="inherit", frontend="dom1")), {"devices[net0].priority"}),
    (lambda: machine(net(priority=1), dom0={"guest": "edf"}), streams("priority")),
    (lambda: machine(net(priority=1), dom0={"tasks": [rv.Task("bare", wcet=1, period=5)]}), streams("priority")),
    (lambda: machine(net(budget=1, server_period=5)), streams("budget")),
    (lambda: machine(net(budget=9, server_period=5), dom0={"guest": "cbs"}), streams("budget")),
    (lambda: machine(net(), dom0={"tasks": [rv.hog("nic")]}), {"devices[net0].thread dom0/nic"}),
    (lambda: machine(net(), dom0={"tasks": [rv.hog("irq0")]}),
     {"devices[net0].thread dom0/nic", "devices[net0].thread dom0/net0.tx"}),
    (lambda: machine(net(), net("net1", abi="2l")), {"devices[net1].upcall of dom0", "devices[net1].upcall of modem"}),
    (lambda: machine(net(backend="tasklets"), net("net1", backend="tasklets", batch=8, pool=9)),
     {"devices[net1].thread dom0/netback.rx.batch", "devices[net1].thread dom0/netback.tx.batch", "devices[net1].pool dom0/netback"}),
    (lambda: machine(net(LONG)), {f"devices[{LONG}].thread dom0/{LONG}.release.name", f"devices[{LONG}].thread modem/{LONG}.front.name"}),
    (lambda: rv.System(vms=[rv.VM("modem", tasks=[rv.Task("t", period=5, actions=[rv.submit("net0.tx")])])]), {"vms[modem].tasks[t].actions"})])
def test_devices_that_do_not_fit_the_system(make, field):
    assert set(refused(make)) == field


@pytest.mark.parametrize(("make", "field"), [
    (lambda: rv.PolledDevice("p", frontend="modem", period=5, moderation=1), "moderation"),
    (lambda: rv.PolledDevice("p", frontend="modem"), "period"),
    (lambda: rv.PolledDevice("p", frontend="modem", period=5, priority=1, budget=2), "priority"),
    (lambda: rv.PassThrough("p", frontend="modem", injection="posted"), "injection"),
    (lambda: rv.HostedDevice("p", frontend="modem", host="modem"), "frontend"),
    (lambda: rv.VirtioDevice("p", frontend="modem", host="modem"), "frontend"),
    (lambda: rv.VirtioDevice("p", frontend="modem", host="dom0", ring=100), "ring"),
    (lambda: rv.EmulatedDevice("p", frontend="modem", accesses=-1), "accesses"),
    (lambda: machine({"kind": "net", "name": "a b", "driver": "dom0", "frontend": "modem"}), "devices[a b].name"),
    (lambda: machine("net0"), "devices[0]")])
def test_other_devices_that_make_no_sense(make, field):
    assert set(refused(make)) == {field}


@pytest.mark.parametrize(("path", "field"), [
    ({"leave": 1}, "leave"), ({"enter": 1}, "enter"), ({"ends": 3}, "ends"), ({"pool": "p", "pool_until": 2}, "pool_until"),
    ({"frontend": "nobody"}, "frontend"),
    ({"pool": "q"}, "pool"), ({"into": "modem/nothing"}, "into"),
    ({"stages": (Stage("s", "bus"), Stage("s", "bus"))}, ", stage s.name"),
    ({"stages": (Stage("app", "bus"),), "into": "modem/sink"}, ", stage app.name"),
    ({"stages": ()}, ""), ({"stages": (Stage("s", "dom0/nobody"),)}, ", stage s"),
    ({"stages": (Stage("s", "bus", port=Port()),)}, ", stage s"), ({"stages": (Stage("s", "dom0/w", distance=5),)}, ", stage s")])
def test_plumbing_by_hand_is_checked(path, field):
    given = {"name": "x.a", "frontend": "modem", "stages": (Stage("s", "dom0/w"),)} | path
    device = rv.CustomDevice("x", plumbing=Plumbing((Thread("dom0", "w"),), (Line("bus"),), (Path(**given),), {"p": 3}))
    found = refused(lambda: machine(device))
    assert f"devices[x].path x.a{'.' if field and field[0] != ',' else ''}{field}" in found


def test_what_is_wrong_in_a_part_is_found_when_it_is_made_part_of_a_device():
    wrong = Plumbing((Thread("dom0", "w", wake=-1, order="last"),), upcalls={"dom0": (0, "highest")})
    assert set(refused(lambda: rv.CustomDevice("x", plumbing=wrong))) == {
        "plumbing.threads[w].wake", "plumbing.threads[w].order", "plumbing.upcalls.dom0[1]"}


class OneThread(Device):
    """A device as a user may write it."""

    vm: str

    def lay_out(self, system):
        thread = Thread(self.vm, f"{self.name}.w", batch=4)
        return Plumbing((thread,), paths=(Path(f"{self.name}.a", self.vm, (Stage("w", thread.key),)),))


def test_a_device_of_ones_own(tmp_path):
    own = OneThread("x", vm="modem").without("batching")
    system = machine(own)
    assert plumbing_of(system).threads[0].batch == 1
    assert "plumbing=device.plumb(system)" in refused(lambda: system.save(tmp_path / "s.yaml"))["devices[x]"]
    system.with_device(rv.CustomDevice("x", plumbing=own.plumb(system))).save(tmp_path / "s.yaml")
    assert plumbing_of(rv.System.load(tmp_path / "s.yaml")) == plumbing_of(system)


# In the engine


def test_a_run_keeps_the_system_as_it_was_given():
    """So that another run can have other devices; the tables name the tasks of the devices, too."""
    run = running(net(rx=rv.Arrivals(ms(2))))
    assert [task.name for task in run.system["dom0"].tasks] == [] and "nic" in [task.name for task in run.whole["dom0"].tasks]
    assert ("dom0", "nic") in run.tasks.index
    again = rv.simulate(run.system.replace(devices=[device.without("ring") for device in run.system.devices]), run.scheduler, run.duration)
    assert again.paths["net0.rx"].equals(run.paths["net0.rx"]) and again.check()
    assert rv.simulate(run.system.replace(devices=[]), run.scheduler, run.duration).system == run.system.replace(devices=[])


@pytest.mark.parametrize("record", ["trace", "summary"])
def test_messages_are_exported(tmp_path, record):
    system = running(net(rx=rv.Arrivals(ms(2)))).system
    run = rv.simulate(system, rv.Credit(), duration=ms(20), record=record)
    names = {path.name for path in run.to_csv(tmp_path)}
    assert ("path.net0.rx.csv" in names) == (record == "trace") and pd.read_csv(tmp_path / "paths.csv")["delivered"].tolist() == [10, 0]
    if record == "trace":
        table = pd.read_csv(tmp_path / "path.net0.rx.csv", keep_default_na=False)
        assert table.equals(run.paths["net0.rx"].astype(table.dtypes))


def running(*devices, task=None) -> rv.Run:
    """20 ms of the modem and the driver VM, each on a pCPU of its own."""
    sink = rv.Task("sink", arrival="channel", wcet=us(10), priority=1)
    vms = [rv.VM("modem", tasks=[sink, *([task] if task else [])], affinity=[0]), rv.VM("dom0", control=True, affinity=[1])]
    run = rv.simulate(rv.System(cpus=2, vms=vms, devices=devices, costs=rv.Costs(hypercall=HYPERCALL)), rv.Credit(), duration=ms(20))
    run.check()
    return run


@pytest.mark.parametrize(("device", "path", "total"), [      # by hand: what is in the way of a message that meets nobody
    (net(rx=rv.Arrivals(ms(2)), into="sink"), "net0.rx", HYPERCALL + 1_107 + 7_353 + us(10)),
    (net(rx=rv.Arrivals(ms(2)), handler=100, entry=30, wake=50), "net0.rx", 130 + 50 + HYPERCALL + 1_107 + 130 + 7_353),
    (net(rx=None), "net0.tx", 6_645 + HYPERCALL + 1_107),
    (net(rx=None, backend="tasklets", complete=us(2), device=us(5)), "net0.tx", 6_645 + HYPERCALL + 1_107 + us(2) + us(5)),
    (DEVICES["block"], "disk0.read", HYPERCALL + us(80) + HYPERCALL),
    (rv.HostedDevice("net0", host="dom0", frontend="modem"), "net0.tx", 31_630 - 4_860),                 # delivered when the host is done
    (rv.EmulatedDevice("uart0", frontend="modem", rx=rv.Arrivals(ms(2))), "uart0.rx", 12 * 1_360),
    (rv.PassThrough("can0", frontend="modem", rx=rv.Arrivals(ms(2)), injection="trapped", work=us(3)), "can0.rx", 740 + us(3)),
    (rv.PolledDevice("adc0", frontend="modem", period=ms(1), rx=rv.Arrivals(ms(2), offset=us(300)), work=us(3)), "adc0.rx", us(700) + us(3)),
    (rv.VirtioDevice("net0", host="dom0", frontend="modem", serve=us(4), submit=us(1)), "net0.tx", us(5))])
def test_a_message_that_meets_nobody(device, path, total):
    sends = None if path.endswith(".rx") else rv.Task("io", period=ms(2), offset=us(500), priority=2, actions=[rv.submit(path)])
    messages = running(device, task=sends).paths[path]
    assert len(messages) == 10 and list(messages["dropped"]) == [""] * 10
    assert set(messages["total"]) == {total}


@pytest.mark.parametrize("name", sorted(set(DEVICES) - {"custom"}))
def test_nothing_is_lost_under_way(name):
    device = DEVICES[name]
    path = laid_out(device).paths[-1].name
    run = running(device, task=rv.Task("io", period=ms(1), priority=2, actions=[rv.submit(path)]))
    messages = run.paths[path]
    assert len(messages) == 20 and not any(messages["dropped"]) and (messages["total"] >= 0).sum() >= 18
    assert all((table["total"] >= 0).sum() >= len(table) - 2 for table in run.paths.values())


def test_requests_wait_for_room_in_the_pool():
    """One in flight: mapped (220), unmapped and answered (220), and the next is taken when the hypercall that tells of this one is over (220)."""
    disk = rv.SplitDriver("disk0", kind="block", driver="dom0", frontend="modem", pool=1, reads=rv.Arrivals(ms(4), offset=us(100), burst=3))
    assert list(running(disk).paths["disk0.read"]["total"][:3]) == [440, 1_100, 1_760]


def test_room_in_a_pool_wakes_no_polled_thread():
    """The other disk's request holds the only place from 0.1 to 3.1 ms; the polled thread finds room when it looks next (docs/io-model.md 2.10)."""
    disks = [rv.SplitDriver(f"disk{i}", kind="block", driver="dom0", frontend="modem", pool=1, reads=rv.Arrivals(releases=[us(100) + us(100) * i]),
                            **more) for i, more in enumerate([{"device": ms(3)}, {"poll": ms(1)}])]
    taken = running(*disks).paths["disk1.read"]["blkback.taken"][0]
    assert taken == ms(4)
