"""Boards: files, schema, sources, derived systems, differences, fit."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import operator
import pickle

import jsonschema
import pytest
import yaml

import rtvirt as rv
from rtvirt.platform.concepts import CARRIED, PARTLY
from rtvirt.platform.interface import VmInterface
from rtvirt.units import ms, us

BOARDS = ("automotive", "drone", "phone", "server")


def text(name):
    return rv.data.path(f"boards/{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BOARDS)
def test_shipped_boards_are_sound_and_come_back(name, tmp_path):
    board = rv.platform.load(name)
    assert rv.platform.check(board) == () and repr(rv.platform.check(board)) == "no findings"
    rv.platform.save(board, tmp_path / "b.yaml")
    again = rv.platform.load(tmp_path / "b.yaml")
    assert again == board and pickle.loads(pickle.dumps(again)) == board
    assert rv.admit(board.system(), board.made_scheduler()).admitted


@pytest.mark.parametrize("name", BOARDS)
def test_every_figure_has_a_source_or_is_an_assumption(name):
    board = rv.platform.load(name)
    cited = {part.source for _, part in board.parts()} - {"assumption"}
    assert cited <= set(board.sources) and any(cited)
    assert all(len(source) > 40 for source in board.sources.values())
    mistaken = yaml.safe_load(text(name))
    mistaken["clusters"][0]["source"] = "hearsay"
    mistaken["memory"][0]["assumed"] = ["colour"]
    with pytest.raises(rv.SpecError) as error:
        rv.platform.Board(**mistaken)
    assert [problem.value for problem in error.value.problems] == ["hearsay", "colour"]


def test_published_schema_is_the_models_and_takes_the_boards():
    schema = json.loads(rv.data.path("boards/board.schema.json").read_text(encoding="utf-8"))
    assert schema == rv.platform.Board.json_schema()
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    for name in BOARDS:
        data = yaml.safe_load(text(name))
        assert list(validator.iter_errors(data)) == []
        data["vms"][0]["contract"]["kind"] = "promise"
        data["clocks"] = 3
        assert len(list(validator.iter_errors(data))) >= 2


def test_numbers_are_written_as_people_write_them(tmp_path):
    path = tmp_path / "b.yaml"
    rv.platform.load("drone").save(path)
    written = path.read_text()
    assert "base: 0xf9010000" in written and "size: 64 MiB" in written and "wakeup: 50 us" in written and "entry: 0x20000000" in written


def test_mistakes_are_told_together_each_with_its_line(tmp_path):
    path = tmp_path / "bad.yaml"
    lines = text("phone").splitlines()
    for old, new in (("budget: 1 ms, period: 2 ms", "budget: 3 ms, period: 2 ms"), ("size: 64 MiB}", "size: 64 MB}"),
                     ("scheduler: {name: rtds}", "scheduler: {name: rt}")):
        at = next(i for i, line in enumerate(lines) if old in line)
        lines[at] = lines[at].replace(old, new)
    path.write_text("\n".join(lines))
    with pytest.raises(rv.SpecError) as error:
        rv.platform.load(path)
    found = {problem.field: problem.where for problem in error.value.problems}
    assert set(found) == {"vms[modem].contract.budget", "vms[modem].memory[ram].size", "scheduler.name"}
    for field, where in found.items():
        number = int(where.removeprefix("bad.yaml:"))
        assert field.split(".")[-1] in lines[number - 1]


@pytest.mark.parametrize(("change", "field"), [
    ({"clusters": []}, "clusters"),
    ({"format": 2}, "format"),
    ({"scheduler": {"name": "credit", "options": {"slice": "5 ms"}}}, "scheduler.options"),
    ({"scheduler": {"name": "credit", "options": {"timeslice": "5 years"}}}, "scheduler.options"),
    ({"scheduler": {"name": "arinc653", "options": {"x": 1}}}, "scheduler.options"),
    ({"prices": {"structure": "magic", "platform": "x-gene"}}, "prices.structure"),
    ({"prices": {"structure": "arm_el2", "platform": "x-gone"}}, "prices.platform"),
    ({"memory": [{"name": "m", "base": -4096, "size": "1 GiB"}]}, "memory[m].base"),
    ({"memory": [{"name": "m", "base": 0, "size": 0}]}, "memory[m].size"),
    ({"devices": [{"name": "d", "function": "net", "driver": "x", "streams": [1]}]}, "devices[d].streams"),
    ({"devices": [{"name": "d", "function": "net", "driver": "x", "iommu": "mmu"}]}, "devices[d].iommu"),
    ({"devices": [{"name": "d", "function": "net", "driver": "x", "pci": "3:0"}]}, "devices[d].pci"),
    ({"caches": [{"name": "c", "level": 2, "size": "1 MiB", "ways": 16, "cpus": [9]}]}, "caches[c].cpus"),
    ({"vms": [{"name": "a", "id": 1, "architecture": "aarch64"}, {"name": "a", "id": 1, "architecture": "aarch64"}]}, "vms[a].name"),
    ({"vms": [{"name": "a", "id": 1, "architecture": "mips"}]}, "vms[a].architecture"),
    ({"vms": [{"name": "a", "id": 1, "architecture": "aarch64", "contract": {"kind": "slots", "frame": 10, "slots": [{"start": 8, "length": 4}]}}]},
     "vms[a].contract.slots[0]"),
    ({"vms": [{"name": "a", "id": 1, "architecture": "aarch64", "operations": {"rates": {"dance": 1}}}]}, "vms[a].operations.rates"),
    ({"vms": [{"name": "a", "id": 1, "architecture": "aarch64", "irqs": [{"line": 40}, {"line": 40}]}]}, "vms[a].irqs"),
])
def test_a_wrong_field_is_named(change, field):
    board = {"name": "b", "clusters": [{"name": "c", "core": "A53", "isa": "aarch64", "cpus": [0]}],
             "irqchip": {"name": "g", "model": "gic-v2", "lines": 64}}
    rv.platform.Board(**board)
    with pytest.raises(rv.SpecError) as error:
        rv.platform.Board(**board | change)
    assert field in [problem.field for problem in error.value.problems], error.value
    assert all(problem.allowed and problem.fix for problem in error.value.problems)


def test_colours_are_pages_of_a_way():
    assert rv.platform.load("drone").caches[0].colours == 2**20 // 16 // 4096
    assert rv.platform.load("server").caches[0].colours == 1


def test_all_18_concepts_are_looked_up_in_the_schema():
    table = rv.platform.concepts()
    assert list(table.concept) == list(CARRIED) and len(table) == 18
    assert set(table.rtvirt.str[0]) == {"Y", "P"} and set(table.concept[table.rtvirt.str[0] == "P"]) == set(PARTLY)
    schema = rv.platform.Board.json_schema()

    def step(node, name):
        """Schemas of a field of a schema, through references, lists and choices."""
        if "$ref" in node:
            return step(schema["$defs"][node["$ref"].split("/")[-1]], name)
        found = [node["properties"][name]] if name in node.get("properties", {}) else []
        for inner in [*node.get("anyOf", []), *node.get("oneOf", []), *([node["items"]] if "items" in node else [])]:
            found += step(inner, name)
        return found

    for paths in CARRIED.values():
        for path in paths:
            nodes = [schema]
            for name in path.split("."):
                nodes = [found for node in nodes for found in step(node, name)]
            assert nodes, path
    others = [name for name in table.columns if name not in ("concept", "rtvirt")]
    contract = table.set_index("concept").loc["Scheduling contract (budget/period/prio/slot)"]
    assert len(others) == 11 and not any("budget/period" in contract[name] for name in others)       # the gap that this schema fills


def test_system_has_the_contracts():
    board = rv.platform.load("phone")
    system = board.system()
    assert (system.cpus, system["modem"].budget, system["modem"].period, system["modem"].affinity) == (8, ms(1), ms(2), (4,))
    assert system["drivers"].control and isinstance(board.made_scheduler(), rv.RTDS)
    server = rv.platform.load("server").system()
    assert (server["batch"].cap, server["dom0"].weight) == (400, 512)


def test_slots_become_a_table_with_gaps():
    slots = [("a", [(0, ms(2)), (ms(6), ms(1))]), ("b", [(ms(3), ms(2))])]
    vms = [VmInterface(name=name, id=i, architecture="aarch64", contract=rv.platform.Slots(
        frame=ms(10), slots=[rv.platform.Slot(start=start, length=length) for start, length in own])) for i, (name, own) in enumerate(slots)]
    board = small(scheduler={"name": "arinc653"}, vms=vms)
    assert board.made_scheduler().table == (("a", 0, ms(2)), (None, 0, ms(1)), ("b", 0, ms(2)), (None, 0, ms(1)), ("a", 0, ms(1)))
    assert board.made_scheduler().major_frame == ms(10) and rv.platform.check(board) == ()
    for contract, why in (({"kind": "slots", "frame": ms(10), "slots": [{"start": ms(1), "length": ms(1)}]}, "slots"), ({"kind": "none"}, "kind"),
                          ({"kind": "slots", "frame": ms(12), "slots": [{"start": ms(8), "length": ms(1)}]}, "slots")):
        assert f"contract-{why}" in rv.platform.check(board.with_vm(vms[1].replace(contract=contract))).rules


def small(**fields):
    return rv.platform.Board(**{"name": "b", "clusters": [{"name": "c", "core": "A53", "isa": "aarch64", "cpus": [0], "extension": "el2"}],
                                "irqchip": {"name": "g", "model": "gic-v2", "lines": 64}} | fields)


def test_devices_with_traffic_are_simulated():
    data = yaml.safe_load(text("phone"))
    data["vms"][1]["devices"][0] |= {"function": "net", "rx": {"period": "1 ms"}}
    data["vms"][0]["devices"][0]["rx"] = {"period": "2 ms"}
    devices = rv.platform.Board(**data).system().devices
    assert [(type(device).__name__, device.name, device.frontend) for device in devices] == [
        ("PassThrough", "modem.line", "modem"), ("SplitDriver", "android.disk0", "android")]
    assert devices[0].injection == "trapped" and devices[1].driver == "drivers"


def test_a_wakeup_bound_holds_in_simulation():
    vms = [VmInterface(name="rt", id=1, architecture="aarch64", contract={"kind": "priority", "priority": 1, "wakeup": us(100)},
                       tasks=[rv.Task("event", wcet=us(50), period=ms(3))]),
           VmInterface(name="mid", id=2, architecture="aarch64", contract={"kind": "priority", "priority": 2, "wakeup": us(20)},
                       tasks=[rv.Task("event", wcet=us(200), period=ms(7))]),
           VmInterface(name="bulk", id=3, architecture="aarch64", contract={"kind": "priority", "priority": 3}, tasks=[rv.hog()])]
    board = small(scheduler={"name": "fp"}, vms=vms)
    found = rv.platform.check(board)
    assert [(one.rule, one.place) for one in found] == [("wakeup", "vms[mid].contract.wakeup")] and "50 us" in found[0].reason
    run = rv.simulate(board.system(), board.made_scheduler(), duration=ms(60))
    worst = run.wakeups.groupby("vm").latency.max()
    assert worst["rt"] == 0 and us(20) < worst["mid"] <= us(50)          # the bound that was refused is missed, the one that was told holds


def test_moving_says_what_the_layer_must_change():
    phone, drone, server = map(rv.platform.load, ("phone", "drone", "server"))
    moved = rv.platform.diff(phone, drone)
    assert not rv.platform.diff(phone, phone) and moved and "architecture" not in moved.groups and "irqchip" not in moved.groups
    places = {change.place: change for change in moved}
    assert places["devices[ufs].driver"].after == "arasan-sdhci" and places["devices[ufs].streams"].after == "DMA through an IOMMU"
    assert places["irqchip.registers"].group == "registers" and places["devices[watchdog0]"].group == "gone"
    across = rv.platform.diff(phone, server)
    assert {"architecture", "operations", "irqchip", "timer"} <= set(across.groups) and set(across.table().columns) == set(across[0]._fields)
    modem = rv.platform.diff(phone, server, vm="modem")
    assert not any("ufs" in change.place or "android" in change.place for change in modem) and len(modem) < len(across)
    with pytest.raises(rv.SpecError, match="modem, android, drivers"):
        rv.platform.diff(phone, drone, vm="nobody")


def test_revisions_of_one_board_differ_field_by_field():
    board = rv.platform.load("phone")
    modem = board["modem"]
    contract = modem.contract.replace(budget=us(800))
    memory = tuple(window.replace(size="32 MiB") if window.name == "ram" else window for window in modem.memory)
    changes = rv.platform.diff(board, board.with_vm(modem.replace(contract=contract, memory=memory, irqs=modem.irqs[:1])))
    assert {(change.place, change.group) for change in changes} == {
        ("vms[modem].contract.budget", "contract"), ("vms[modem].memory[ram].size", "memory"), ("vms[modem].irqs", "irqs")}


SILENT = {"about", "sources", "name", "source", "assumed", "why"}          # of parts: what diff says it leaves out
OTHERS = {bool: [True, False], int: [0, 1, 2, 3, 300, 4096, 2**31], type(None): [1, 0x1000, "0000:03:00.0", [0], {"kind": "none"}, "arm-generic"],
          str: ["gic-v3", "vhe", "sram", "colours", "ways", "sp804", "pci", "edge", "direct", "emulated", "port", "never", "edf", "virtual", "other",
                "vring", "patched", "credit", "1 us", "x86-64", "split-backend", "Cortex-A57", "arm_vhe", "thunderx2", "poisson"]}


def leaves(part, *path):
    """(path, value) of all values of nested data; lists and their parts as wholes, too."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key), value
        if isinstance(value, dict | list):
            yield from leaves(value, *path, key)


def with_other(data, path):
    """Boards in which one value is another, or a part of a list is gone."""
    for value in [*OTHERS.get(type(functools.reduce(operator.getitem, path, data)), []), ...]:
        board = copy.deepcopy(data)
        part = functools.reduce(operator.getitem, path[:-1], board)
        if value is ... and isinstance(part, list):
            del part[path[-1]]
        else:
            part[path[-1]] = value
        with contextlib.suppress(rv.SpecError):
            yield rv.platform.Board(**board)


@pytest.mark.parametrize("name", ["drone", "automotive"])
def test_every_field_that_changes_is_seen_both_ways(name):
    board = rv.platform.load(name)
    data, seen = board.model_dump(mode="json"), set()
    for path, _ in leaves(data):
        kind = tuple(key for key in path if isinstance(key, str))
        if (SILENT & set(kind) and path not in {("name",)}) or (kind in seen and not isinstance(path[-1], int)):
            continue
        for other in with_other(data, path):
            if other != board:
                there, back = rv.platform.diff(board, other), rv.platform.diff(other, board)
                assert there and len(there) == len(back), (path, other)
                seen.add(kind)
                break
    assert {("clusters", "clock"), ("caches", "ways"), ("memory", "kind"), ("irqchip", "lines"), ("timers", "virtual"), ("iommus", "model"),
            ("devices", "streams"), ("devices", "kind"), ("prices", "clock"), ("revision",), ("vms", "contract", "section")} <= seen


def test_two_timers_and_two_clusters_of_a_kind_are_told_apart():
    board = rv.platform.load("drone")
    (cluster,), two = board.clusters, [board.timers[1], board.timers[1].replace(name="ttc1", irqs=[71])]
    both = board.replace(timers=two, clusters=[cluster.replace(cpus=[0, 1]), cluster.replace(name="more", cpus=[2, 3])])
    assert [c.place for c in rv.platform.diff(both, both.replace(timers=[two[0], two[1].replace(irqs=[72])]))] == ["timers[ttc1].irqs"]
    slower = both.replace(clusters=[both.clusters[0].replace(clock=600), both.clusters[1]])
    assert [(c.place, c.group) for c in rv.platform.diff(both, slower)] == [("clusters.clock", "speed")]


def test_fit_says_yes_or_what_is_missing():
    drone, phone, server = map(rv.platform.load, ("drone", "phone", "server"))
    pilot, linux, modem = map(rv.platform.Guest.load, ("autopilot", "linux", "modem"))
    assert rv.platform.fit(pilot, drone.replace(vms=[])).as_is
    full = rv.platform.fit(linux, drone)
    assert not full and {answer.requirement for answer in full.open} == {"device net", "device block", "contract"}
    split = rv.platform.fit(linux, phone)
    assert split and not split.as_is and "split driver" in repr(split) and 0 < split.share < 0.01
    binary = rv.platform.fit(modem, phone)
    chip = next(answer for answer in binary.missing if answer.requirement == "interrupt controller")
    assert [option.technique for option in chip.options] == ["emulation"]
    assert "patching" in [option.technique for answer in rv.platform.fit(pilot, server).missing for option in answer.options]
    assert "architecture" in {answer.requirement for answer in rv.platform.fit(pilot, server).open}
    assert set(rv.platform.fit(pilot, server).table().requirement) == {answer.requirement for answer in rv.platform.fit(pilot, server).answers}


def test_prices_are_those_of_traps():
    phone, modem = rv.platform.load("phone"), rv.platform.Guest.load("modem")
    chip = next(answer for answer in rv.platform.fit(modem, phone).missing if answer.requirement == "interrupt controller")
    one = rv.traps.cost("arm_el2", rv.traps.platform("x-gene").change(clock_mhz=2362), "interrupt_controller", times=2)
    assert chip.best.price.ns == one.ns and chip.best.price.share == pytest.approx(one.ns * modem.rates["interrupt"] / 1e9)
    bare = rv.platform.fit(modem, phone.replace(prices=None))
    assert bare and all(option.price.ns is None for answer in bare.missing for option in answer.options)


def test_a_board_without_extension_wants_patches():
    phone = rv.platform.load("phone")
    old = phone.replace(clusters=[cluster.replace(extension="none", isa="armv7-a") for cluster in phone.clusters], vms=[])
    guest = rv.platform.Guest.load("linux")
    closed = {answer.requirement: answer for answer in rv.platform.fit(guest, old).answers}["operations"]
    assert not closed.met and closed.best.technique == "patching" and closed.best.price.lines == 2995
    rows = rv.data.path("published/trap_costs.csv").read_text()
    assert "Linux on Xen,port LoC total,2995" in rows
    stuck = rv.platform.fit(guest.replace(modifiable=False), old)
    assert "operations" in {answer.requirement for answer in stuck.open}


def test_other_arguments_are_refused():
    for call in (lambda: rv.platform.check("phone"), lambda: rv.platform.fit("linux", rv.platform.load("phone")),
                 lambda: rv.platform.diff(rv.platform.load("phone"), None), lambda: rv.platform.load("toaster"),
                 lambda: rv.platform.Guest(name="g", architectures=[], memory="1 MiB")):
        with pytest.raises(rv.SpecError):
            call()
    assert copy.deepcopy(rv.platform.load("phone")) == rv.platform.load("phone")
