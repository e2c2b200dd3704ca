"""The published JSON Schema takes what the reader takes, and nothing else, but for what no JSON Schema can say."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest

import rtvirt as rv

BOARD = {
    "format": 1, "name": "b", "sources": {"dt": "a device tree"},
    "clusters": [{"name": "c", "core": "A53", "isa": "aarch64", "cpus": [0, 1], "clock": 1200, "source": "dt"}],
    "memory": [{"name": "ddr", "base": "0x40000000", "size": "1 GiB"}],
    "caches": [{"name": "l2", "level": 2, "size": "1 MiB", "ways": 16, "cpus": [0, 1]}],
    "irqchip": {"name": "gic", "model": "gic-v2", "lines": 256},
    "prices": {"structure": "arm_el2", "platform": "x-gene", "clock": 1200},
    "vms": [{
        "name": "a", "id": 1, "architecture": "aarch64", "cpus": {"count": 1, "affinity": [0], "reset": 0},
        "memory": [{"name": "m", "guest": 0, "size": 4096, "colours": [0]}], "irqs": [{"line": 40, "priority": 3}],
        "channels": [{"name": "k", "region": "m", "peers": ["b"], "doorbell": 40}],
        "operations": {"rates": {"hypercall": 100}}, "contract": {"kind": "reservation", "budget": "1 ms", "period": "10 ms", "section": 0},
        "tasks": [{"name": "t", "actions": [{"run": "1 ms"}, "yield", {"trap": 5000}, {"send": "a/u"}], "period": "20 ms"},
                  {"name": "u", "wcet": "10 us", "arrival": "channel"}, {"name": "hog", "wcet": "forever"}],
        "degraded": [{"name": "low", "periods": {"t": "30 ms"}, "contract": {"kind": "none"}}]}]}

VM = ("vms", 0)
PROBES = [          # where, what both take, what both refuse
    (("format",), [1], [2, 0, "1", True, None]),
    (("clusters", 0, "clock"), [1, 100_000, None], [0, 100_001, "5", True]),
    (("clusters", 0, "cpus"), [[0, 1], [1, 0]], [[], [64], [-1], 0, "0"]),
    (("memory", 0, "base"), [0, "0x0", "0X40000000", 2**52 - 1], [-1, 2**52, "40000000", "0x", "one", None]),
    (("memory", 0, "size"), [1, 2**52, "64 MiB", "64MiB", "0x1000"], [0, -1, 2**52 + 1, "64 MB", "1.5 GiB", ""]),
    (("caches", 0, "level"), [1, 4], [0, 5, True, "2"]),
    (("caches", 0, "ways"), [1, 128], [0, 129, True, "16"]),
    (("irqchip", "lines"), [1, 8192], [0, 8193, -1, True, "64"]),
    (("irqchip", "direct"), [True, False], [0, 1, "yes"]),
    (("prices", "clock"), [1, None], [0, True, "1200"]),
    ((*VM, "id"), [0, 65535], [-1, 65536, "1"]),
    ((*VM, "cpus", "count"), [1, 64], [0, 65, True]),
    ((*VM, "cpus", "affinity"), [[63], None], [[], [64], ["0"]]),
    ((*VM, "memory", 0, "colours", 0), [0, 1023], [-1, 1024, "0"]),
    ((*VM, "memory", 0, "flags"), [[], ["read", "shared"]], [["reads"], "read"]),
    ((*VM, "irqs", 0, "line"), [0, 8191], [-1, 8192, "40"]),
    ((*VM, "channels", 0, "peers"), [["b", "c"]], [[], ["9"], "b"]),
    ((*VM, "operations", "rates"), [{}, {"timer": 0}], [{"dance": 1}, {"timer": -1}, {"timer": 10**9 + 1}, {"timer": "1"}]),
    ((*VM, "contract"), [{}, {"kind": "none", "wakeup": "1 ms"}, {"kind": "share"}, {"kind": "priority", "priority": 1}],
     [{"weight": 5}, {"kind": "promise"}, {"budget": "1 ms", "period": "2 ms"}, {"kind": "share", "weight": 0}, {"kind": "share", "cap": -1}]),
    ((*VM, "contract", "budget"), [1, "1 us", "0.5 ms", "+1 ms"], [0, -1, "-1 ms", "1", "1 msec", "soon", None]),
    ((*VM, "contract", "section"), [0, "0 ns"], [-1, 2**53 + 1, "0"]),
    ((*VM, "tasks", 0, "actions"), [[{"run": "forever"}], ["yield", {"run": 1}]],
     [[], [{"kind": "run", "duration": 5}], [{"dance": 1}], [{"run": 1, "block": 1}], [{"trap": "forever"}], "yield"]),
    ((*VM, "tasks", 2, "wcet"), ["forever"], [0, "for ever", [0]]),
    ((*VM, "degraded", 0, "periods"), [{}, {"t": "1 s"}], [{"9": "1 s"}, {"t": 0}]),
    ((*VM, "degraded", 0, "contract"), [None, {"kind": "share"}], [{"weight": 3}, []]),
]


def changed(where, value):
    board = copy.deepcopy(BOARD)
    part = board
    for step in where[:-1]:
        part = part[step]
    part[where[-1]] = value
    return board


def reads(board):
    try:
        rv.platform.Board(**board)
    except rv.SpecError:
        return False
    return True


@pytest.mark.parametrize(("where", "good", "bad"), PROBES, ids=[".".join(map(str, where)) for where, *_ in PROBES])
def test_schema_and_reader_agree(where, good, bad):
    validator = jsonschema.Draft202012Validator(json.loads(rv.data.path("boards/board.schema.json").read_text(encoding="utf-8")))
    assert validator.is_valid(BOARD) and reads(BOARD)
    for value in good:
        assert validator.is_valid(changed(where, value)) and reads(changed(where, value)), value
    for value in bad:
        assert not validator.is_valid(changed(where, value)) and not reads(changed(where, value)), value


@pytest.mark.parametrize("kind", [rv.platform.Board, rv.System])
def test_schemas_have_json_schemas_own_words(kind):
    def words(node):
        if isinstance(node, dict):
            yield from node
            for inner in node.values():
                yield from words(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from words(inner)

    schema = kind.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not {"ge", "le", "gt", "lt"} & set(words(schema)) and {"minimum", "maximum", "minItems"} <= set(words(schema))
