"""Every rule of `rv.platform.check` is broken once, alone and together with others; boards mutated at random end in findings or clear errors."""

from __future__ import annotations

import json
import random

import pytest
import yaml

import rtvirt as rv


def data(name):
    return yaml.safe_load(rv.data.path(f"boards/{name}.yaml").read_text(encoding="utf-8"))


def vm(board, name):
    return next(one for one in board["vms"] if one["name"] == name)


def window(board, name, which="ram"):
    return next(one for one in vm(board, name)["memory"] if one["name"] == which)


def device(board, name, which):
    return next(one for one in vm(board, name)["devices"] if one["name"] == which)


def put(target, **fields):
    target.update(fields)


def drop(board, name, field, which):
    vm(board, name)[field] = [one for one in vm(board, name)[field] if one["name"] != which]


BREAKS = [          # board, rule, place of the finding, how
    ("phone", "architecture", "vms[modem].architecture", lambda b: put(vm(b, "modem"), architecture="armv7-a")),
    ("phone", "affinity", "vms[android].cpus.affinity", lambda b: put(vm(b, "android")["cpus"], affinity=[0, 1, 2, 3, 9])),
    ("phone", "affinity", "vms[android].cpus.count", lambda b: put(vm(b, "android")["cpus"], count=5)),
    ("drone", "affinity", "vms[vision].cpus", lambda b: put(vm(b, "vision")["cpus"], affinity=[0, 1, 2])),
    ("phone", "cluster", "vms[modem].cpus.affinity", lambda b: put(vm(b, "modem")["cpus"], affinity=[3, 4])),
    ("phone", "operations", "vms[modem].operations.by", lambda b: put(b["clusters"][1], extension="none")),
    ("server", "operations", "vms[dom0].operations.hypercalls", lambda b: put(vm(b, "dom0")["operations"], hypercalls=[])),
    ("phone", "memory-place", "vms[modem].memory[ram].phys", lambda b: put(window(b, "modem"), phys=0xfff00000)),
    ("phone", "memory-place", "vms[modem].memory[ram].guest", lambda b: put(window(b, "modem"), guest=0x40000010)),
    ("phone", "memory-overlap", "vms[android].memory[ram].phys", lambda b: put(window(b, "android"), phys=0x43fff000)),
    ("phone", "memory-overlap", "vms[android].memory[mail].phys", lambda b: put(window(b, "modem", "mail"), flags=["read", "write"])),
    ("phone", "memory-guest", "vms[android].memory[mail].guest", lambda b: put(window(b, "android", "mail"), guest=0x7ff00000)),
    ("server", "memory-full", "vms", lambda b: put(window(b, "batch"), size="16 GiB")),
    ("drone", "colours", "vms[vision].memory[ram].colours", lambda b: put(window(b, "vision"), colours=[7, 8])),
    ("drone", "colours", "vms[vision].memory[ram].colours", lambda b: put(window(b, "vision"), colours=[16])),
    ("phone", "irq-line", "vms[modem].irqs", lambda b: vm(b, "modem")["irqs"].append({"line": 700})),
    ("drone", "irq-line", "vms[autopilot].irqs", lambda b: put(vm(b, "autopilot")["irqs"][0], priority=200)),
    ("phone", "irq-twice", "vms[drivers].irqs", lambda b: vm(b, "drivers")["irqs"].append({"line": 146})),
    ("phone", "irq-route", "vms[modem].irqs", lambda b: put(vm(b, "modem")["irqs"][0], route="direct")),
    ("phone", "irq-route", "vms[drivers].devices[ufs].irqs", lambda b: put(vm(b, "drivers"), irqs=[{"line": 111}])),
    ("phone", "chip", "vms[modem].irqchip.model", lambda b: put(vm(b, "modem"), irqchip={"model": "gic-v3"})),
    ("phone", "chip", "vms[drivers].irqchip.mode", lambda b: [put(vm(b, n)["irqchip"], mode="direct") for n in ("modem", "drivers")]),
    ("server", "timer", "vms[web].timer.mode", lambda b: put(vm(b, "web")["timer"], mode="virtual")),
    ("phone", "timer", "vms[modem].timer.model", lambda b: put(vm(b, "modem"), timer={"model": "hpet"})),
    ("phone", "device", "vms[modem].devices[line].device", lambda b: put(device(b, "modem", "line"), device="uart9")),
    ("phone", "device", "vms[drivers].devices[console].device", lambda b: (put(device(b, "drivers", "console"), device="uart3"))),
    ("phone", "split", "vms[android].devices[disk0].backend", lambda b: drop(b, "drivers", "devices", "disk0")),
    ("phone", "split", "vms[android].devices[disk0].backend", lambda b: put(device(b, "android", "disk0"), backend="nobody")),
    ("phone", "split", "vms[drivers].devices[disk0]", lambda b: drop(b, "android", "devices", "disk0")),
    ("phone", "split", "vms[drivers].devices[disk0].device", lambda b: drop(b, "drivers", "devices", "ufs")),
    ("phone", "dma", "vms[drivers].devices[ufs]", lambda b: put(window(b, "drivers"), guest=0x30000000)),
    ("drone", "dma", "vms[vision].devices[net]", lambda b: (b["devices"][6].pop("streams"), put(window(b, "vision"), phys=0x30000000))),
    ("phone", "channel", "vms[modem].channels[mail].peers", lambda b: put(vm(b, "android"), channels=[])),
    ("phone", "channel", "vms[modem].channels[mail].region", lambda b: put(vm(b, "modem")["channels"][0], region="ram")),
    ("phone", "channel", "vms[modem].channels[mail].protocol", lambda b: put(vm(b, "modem")["channels"][0], protocol="grant")),
    ("phone", "channel", "vms[modem].channels[mail].doorbell", lambda b: put(vm(b, "modem")["channels"][0], doorbell=490)),
    ("phone", "channel", "vms[modem].channels[mail].region", lambda b: put(window(b, "modem", "mail"), phys=0x61000000)),
    ("phone", "image", "vms[modem].image.load", lambda b: put(vm(b, "modem")["image"], size="128 MiB")),
    ("phone", "image", "vms[modem].image.entry", lambda b: put(window(b, "modem"), flags=["read", "write"])),
    ("phone", "contract-kind", "vms[modem].contract", lambda b: put(vm(b, "modem"), contract={"kind": "share"})),
    ("phone", "contract-sum", "vms[drivers].contract", lambda b: put(vm(b, "drivers")["contract"], budget="1500 us")),
    ("phone", "contract-sum", "vms[drivers].contract",
     lambda b: (put(vm(b, "android")["cpus"], affinity=[0, 1, 2, 4]), put(vm(b, "android")["contract"], budget="10 ms"))),
    ("phone", "wakeup", "vms[modem].contract.wakeup", lambda b: put(vm(b, "modem")["contract"], wakeup="1 ms")),
    ("phone", "health", "vms[modem].health.heartbeat", lambda b: put(vm(b, "modem")["health"], heartbeat="1 ms")),
    ("automotive", "deadline", "vms[instruments].tasks[draw]", lambda b: put(vm(b, "instruments")["tasks"][0], wcet="14 ms")),
    ("automotive", "wakeup", "vms[instruments].contract.wakeup", lambda b: put(vm(b, "instruments")["contract"], wakeup="500 us")),
    ("automotive", "wakeup", "vms[gateway].contract.wakeup", lambda b: put(vm(b, "instruments")["contract"], section="60 us")),
    ("phone", "system", "vms[modem].devices[line].into", lambda b: put(device(b, "modem", "line"), into="slot")),
]


@pytest.mark.parametrize(("name", "rule", "place", "how"), BREAKS, ids=[f"{rule}-{i}" for i, (_, rule, _, _) in enumerate(BREAKS)])
def test_what_is_broken_is_found(name, rule, place, how):
    board = data(name)
    how(board)
    found = rv.platform.check(rv.platform.Board(**board))
    assert (rule, place) in {(one.rule, one.place) for one in found}, found
    assert all(one.reason and one.remedy and one.rule in rv.platform.RULES for one in found)


def test_every_rule_is_broken_somewhere():
    slots = {"contract-slots"}                       # test_platform: slots become a table with gaps
    assert {rule for _, rule, _, _ in BREAKS} | slots == set(rv.platform.RULES)


def test_a_share_promises_no_bound():
    board = data("server")
    put(vm(board, "web")["contract"], wakeup="30 ms")
    (found,) = rv.platform.check(rv.platform.Board(**board))
    assert found.rule == "wakeup" and "Credit2 promises no bound" in found.reason


def test_all_findings_come_at_once_with_their_lines(tmp_path):
    path = tmp_path / "p.yaml"
    lines = rv.data.path("boards/phone.yaml").read_text(encoding="utf-8").replace("wakeup: 3 ms", "wakeup: 1 ms").replace(
        "{line: 310}, {line: 111}", "{line: 310}, {line: 111}, {line: 146}").replace("phys: 0x80000000", "phys: 0x43fff000").splitlines()
    path.write_text("\n".join(lines), encoding="utf-8")
    found = rv.platform.check(rv.platform.load(path))
    assert found.rules == {"wakeup", "irq-twice", "memory-overlap"}
    for one in found:
        word = {"wakeup": "wakeup: 1 ms", "irq-twice": "{line: 146}]", "memory-overlap": "0x43fff000"}[one.rule]
        assert word in lines[int(one.where.split(":")[1]) - 1] or one.place == "vms[android].memory[mail].phys"      # is in both
    assert list(found.table().columns) == list(found[0]._fields) and str(found[0]).startswith("p.yaml:")


NONSENSE = [None, -1, 0, 2**60, True, "", "x", [], {}, "5 ms", "1 GiB", "0xfff", 1.5, ["a"], "rtds", "modem"]


def leaves(node, path=()):
    """Paths of all values."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*path, key))


def mutate(rnd, board):
    """A value replaced by nonsense, or by another value of the board, or removed."""
    paths = list(leaves(board))
    path, other = rnd.choice(paths), rnd.choice(paths)
    node, source = board, board
    for key in path[:-1]:
        node = node[key]
    for key in other:
        source = source[key]
    kind = rnd.randrange(4)
    if kind == 3:
        del node[path[-1]]
    else:
        node[path[-1]] = source if kind == 1 and not isinstance(source, (dict, list)) else rnd.choice(NONSENSE)


def test_mutated_boards_end_in_findings_or_clear_errors(seed, long):
    rnd, checked, refused = random.Random(seed), 0, 0
    texts = [json.dumps(data(name)) for name in rv.platform.boards()]
    for _ in range(10_000 if long else 120):
        board = json.loads(rnd.choice(texts))
        for _ in range(rnd.randint(1, 3)):
            mutate(rnd, board)
        try:
            found = rv.platform.check(rv.platform.Board(**board))
        except rv.SpecError as error:
            assert error.problems and all(p.field and p.allowed and p.fix for p in error.problems), board
            refused += 1
            continue
        checked += 1
        assert all(one.rule in rv.platform.RULES and one.place and one.reason and one.remedy for one in found)
    assert checked and refused


HOSTILE = ["", "&a ", "*a", "!!python/object:os.system ", "{", "]", "\t", "0x", "9" * 400, "[" * 60, "é\0", ": "]


def test_mutated_files_are_refused_or_checked(seed, long, tmp_path):
    rnd, path, read = random.Random(seed + 1), tmp_path / "m.yaml", 0
    texts = [rv.data.path(f"boards/{name}.yaml").read_text(encoding="utf-8") for name in rv.platform.boards()]
    for _ in range(2000 if long else 25):
        text = rnd.choice(texts)
        for _ in range(rnd.randint(1, 3)):
            at = rnd.randrange(len(text))
            text = text[:at] + rnd.choice(HOSTILE) + text[at + 1:]
        path.write_text(text, encoding="utf-8")
        try:
            found = rv.platform.check(rv.platform.load(path))
        except rv.SpecError as error:
            assert all(p.field and p.allowed and p.fix and p.where.startswith("m.yaml:") for p in error.problems), text
            continue
        read += 1
        assert all(one.where.startswith("m.yaml:") for one in found)
    assert read or not long


def test_findings_hide_no_others(seed, long):
    """Any of these breaks together: each is found as if it were alone."""
    rnd = random.Random(seed)
    rules = ("architecture", "irq-line", "irq-twice", "chip", "dma", "image", "contract-kind", "device", "memory-place")
    together = [next(row for row in BREAKS if row[:2] == ("phone", rule)) for rule in rules]
    for _ in range(500 if long else 10):
        chosen, board = rnd.sample(together, rnd.randint(2, len(together))), data("phone")
        for row in chosen:
            row[3](board)
        found = {(one.rule, one.place) for one in rv.platform.check(rv.platform.Board(**board))}
        assert {row[1:3] for row in chosen} <= found
