"""Files of other formats, mutated and hostile: read, or refused with file and line, in bounded time and memory; nothing is executed or fetched."""

from __future__ import annotations

import importlib.util
import random
import re
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import drawn_boards
import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.errors import SpecError
from rtvirt.platform import FORMATS, Board, Import, export, read

THERE = [name for name, module in FORMATS.items() if importlib.util.find_spec(f"rtvirt.platform.formats.{module}")]
MUTANTS = 10_000 if LONG else 100  # of each format
SECONDS, BYTES = 10.0, 500_000_000
PLACE = re.compile(r"[^/\n]+:\d+")
FORBIDDEN = (
    "open",
    "exec",
    "compile",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
    "socket.getaddrinfo",
    "urllib.Request",
    "ctypes.dlopen",
)
SPLICES = (
    "99999999999999999999999999",
    "-1",
    "0x",
    "0xffffffffffffffff",
    "\x00",
    "\\",
    '"',
    "'",
    "{",
    "}",
    "<",
    ">",
    "[",
    "]",
    "=",
    ",",
    ";",
    "&x",
    "/*",
    "../../etc/passwd",
    '/include/ "/etc/passwd"',
    "&amp;",
    "é",
    "nan",
    "1e999",
    "true",
    "null",
    "\n\n",
    "@",
    "-",
    "0",
)
watching = [False]
seen: list[str] = []


def audit(event: str, arguments: tuple[object, ...]) -> None:
    """Remember what a reader must not do."""
    if watching[0] and event in FORBIDDEN:
        seen.append(f"{event} {arguments!r:.200}")


sys.addaudithook(audit)


@contextmanager
def watched() -> Iterator[None]:
    """Nothing forbidden may happen inside."""
    seen.clear()
    watching[0] = True
    try:
        yield
    finally:
        watching[0] = False
    assert not seen, seen


@pytest.fixture(scope="module")
def samples() -> dict[str, list[tuple[dict[str, str], Board]]]:
    """Exported files of each format, with the boards they are from."""
    found: dict[str, list[tuple[dict[str, str], Board]]] = {name: [] for name in THERE}
    boards = [rv.platform.load(name) for name in rv.platform.boards()] + [drawn_boards.board(seed) for seed in range(12)]
    for name in THERE:
        for board in boards:
            try:
                files = dict(export(board, name).files)
            except SpecError:
                continue
            if files:
                read(files, name, board)  # what is imported late is imported now
                found[name].append((files, board))
    return found


def outcome(files: dict[str, str], format: str, hardware: Board | None = None, where: bool = True, seconds: float = SECONDS) -> Import | SpecError:
    """What reading gives: an import, or an error with file and line; nothing else, and nothing forbidden on the way."""
    started = time.process_time()
    with watched():
        try:
            result: Import | SpecError = read(files, format, hardware)
        except SpecError as error:
            result = error
    assert time.process_time() - started < seconds
    if isinstance(result, SpecError):
        assert result.problems and len(str(result)) < 100_000
        assert not where or all(PLACE.fullmatch(problem.where) for problem in result.problems), result.problems
    return result


def mutated(r: random.Random, text: str) -> str:
    """A text with a few faults."""
    for _ in range(r.randint(1, 4)):
        at, length = r.randrange(len(text) + 1), r.choice([0, 1, 1, 5, 40])
        words = [match.span() for match in re.finditer(r"[A-Za-z0-9_.]+", text)] or [(0, 0)]
        begin, end = r.choice(words)
        other = r.choice(words)
        text = r.choice(
            [
                text[:at] + r.choice(SPLICES) + text[at + length :],
                text[:begin] + r.choice(SPLICES) + text[end:],
                text[:begin] + text[other[0] : other[1]] + text[end:],
                text[:at] + text[at + length :],
                text[:at] + text[at : at + 200] + text[at:],
                text[:at],
            ]
        )
    return text


@pytest.mark.parametrize("format", THERE)
def test_mutated_files_are_read_or_refused(format, samples, seed):
    r = random.Random(f"{seed} {format}")
    refused = 0
    for _ in range(MUTANTS):
        files, board = r.choice(samples[format])
        name = r.choice(sorted(files))
        refused += isinstance(outcome(files | {name: mutated(r, files[name])}, format, board), SpecError)
    assert refused < MUTANTS and refused > MUTANTS // 10  # faults are found, and not everything is one


@pytest.mark.parametrize("format", THERE)
def test_a_mutant_of_a_mutant_can_be_written_again(format, samples, seed):
    """What was read is a board like any other."""
    r = random.Random(f"{seed} again {format}")
    for _ in range(MUTANTS // 10):
        files, board = r.choice(samples[format])
        name = r.choice(sorted(files))
        result = outcome(files | {name: mutated(r, files[name])}, format, board)
        if isinstance(result, Import):
            export(result.board, format)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + k)} "{("&" + chr(97 + k) + ";") * 10}">' for k in range(9))
    + "]><domain><name>&j;</name></domain>"
)
XXE = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><domain><name>&x;</name></domain>'
REMOTE = '<!DOCTYPE domain SYSTEM "http://127.0.0.1:1/d.dtd"><domain/>'
TREE = '/dts-v1/; / { chosen { d { compatible = "xen,domain"; %s }; }; };'
HOSTILE = {
    "libvirt": {
        "laughs": LAUGHS,
        "xxe": XXE,
        "remote": REMOTE,
        "deep": "<a>" * 300_000,
        "deep2": "<domain>" + "<devices>" * 50 + "</devices>" * 50 + "</domain>",
        "empty": "",
        "other": "<html/>",
        "huge": "<domain><name>a</name><memory unit='TiB'>99999999999999999999</memory></domain>",
        "vcpus": "<domain><name>a</name><vcpu>4000000000</vcpu></domain>",
        "pins": "<domain><vcpu cpuset='0-99999999999'>1</vcpu></domain>",
        "many": "<domain><devices>" + "<disk/>" * 100_000 + "</devices></domain>",
        "domains": "<domains>" + "<domain/>" * 50_000 + "</domains>",
        "id": "<domain id='-1'/>",
        "attribute": "<domain " + " ".join(f"a{k}='1'" for k in range(50_000)) + "><x></domain>",
        "xinclude": '<domain xmlns:xi="http://www.w3.org/2001/XInclude"><vcpu>x</vcpu><xi:include href="file:///etc/passwd"/></domain>',
        "nul": "<domain>\x00</domain>",
    },
    "dom0less": {
        "include": '/dts-v1/;\n/include/ "/etc/passwd"\n/ { };',
        "incbin": TREE % 'x = /incbin/("/etc/passwd");',
        "cpp": '#include "/etc/passwd"\n' + TREE % "",
        "deep": "/dts-v1/; / " + "{ a " * 100_000,
        "cells": TREE % "cpus = <99999999999999999999999999>;",
        "expression": TREE % "cpus = <(1 << 30)>;",
        "cpus": TREE % "cpus = <4294967295>;",
        "memory": TREE % "memory = <0xffffffff 0xffffffff>;",
        "string": TREE % 'x = "',
        "comment": "/dts-v1/; /* " + "*" * 900_000,
        "quotes": '"' + "\\" * 900_001,
        "nodes": TREE % "".join(f"n{k} {{}}; " for k in range(60_000)),
        "ref": TREE % "domain-cpupool = <&nowhere>;",
        "affinity": TREE % 'v { compatible = "xen,vcpu"; hard-affinity = "0-4294967295"; };',
        "colours": TREE % 'llc-colors = "0-99999999999";',
        "bank": TREE % "xen,static-mem = <0 0 0>;",
        "delete": TREE % "/delete-node/ x;",
        "shared": TREE % 's { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "' + "x" * 100 + '"; };',
        "nothing": "",
        "chosen": "/dts-v1/; / { };",
        "domains": "/dts-v1/; / { chosen { " + "".join(f'd{k} {{ compatible = "xen,domain"; }};' for k in range(10_000)) + "}; };",
        "twice": "/dts-v1/; / { chosen { }; chosen { }; };",
        "labels": "/dts-v1/; / { " + "a: " * 200_000,
    },
    "xen": {
        "call": 'name = __import__("os").system("touch /tmp/rtvirt-was-here")',
        "exec": 'exec("1")',
        "import": "import os\n",
        "expression": "vcpus = 1 + 1",
        "lambda": "name = lambda: 0",
        "deep": "a = " + "[" * 500_000,
        "number": "vcpus = " + "9" * 900_000,
        "vcpus": "vcpus = 4000000000",
        "format": 'name = "%s" % x',
        "string": 'name = "' + "x" * 900_000,
        "escape": 'name = "' + "\\" * 900_001,
        "words": "a = 1;" * 160_000,
        "cpus": 'cpus = "0-99999999"',
        "open": "name = [",
        "cpus2": 'cpus = "' + "0-" * 200_000 + '"',
        "iomem": 'iomem = ["fffffffffffff,fffffffffffff"]',
        "pci": 'pci = ["../../../etc/passwd"]',
        "irqs": "irqs = [99999999]",
        "memory": "memory = 99999999999999",
        "vif": 'vif = "' + "," * 900_000 + '"',
        "twice": "vcpus = 1\nvcpus = 2\n",
        "list": "irqs = [" + "1," * 9_000 + "]",
        "colours": 'llc_colors = ["0-99999999"]',
        "nul": "name = \x00",
        "type": 'type = "exe"',
    },
}
NAMES = {"xen": "a.cfg", "dom0less": "a.dts", "libvirt": "a.xml"}
SCRIPTS = (
    "xl sched-rtds -d a -p 10 -b 99999999999",
    "xl sched-rtds -d a -p 10 -b 20",
    'xl create "unclosed',
    "xl sched-credit -d a -w 0",
    "xl sched-credit -d",
    "xl create a b c",
    "xl vcpu-pin a all 0-9999999999",
    "xl rename 3 b",
    "x" * 5_000,
    "true\n" * 100_000,
    "xl sched-credit2 -z 1",
    "xl sched-credit -s -t 0",
)


@pytest.mark.parametrize(("format", "what"), [(format, what) for format in HOSTILE for what in HOSTILE[format]])
def test_hostile_files_are_refused(format, what):
    result = outcome({NAMES[format]: HOSTILE[format][what]}, format)
    assert isinstance(result, SpecError), what
    assert all(problem.where.startswith(NAMES[format] + ":") for problem in result.problems)


@pytest.mark.parametrize("line", SCRIPTS)
def test_hostile_scripts_are_refused(line):
    result = outcome({"a.cfg": 'name = "a"', "start.sh": f"#!/bin/sh\n{line}\n"}, "xen")
    assert isinstance(result, SpecError) and result.problems[0].where.startswith("start.sh:")


def test_scripts_are_never_executed(tmp_path):
    for line in (f"touch {tmp_path}/here", f"$(touch {tmp_path}/here)", f"xl create a.cfg; touch {tmp_path}/here", f"`touch {tmp_path}/here`"):
        outcome({"a.cfg": 'name = "a"', "start.sh": line}, "xen")
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["../../etc/passwd.cfg", "/etc/passwd.cfg", "a\\..\\b.cfg", "a/../b.cfg", "." * 300 + ".cfg"])
def test_names_of_files_are_only_names(name):
    assert isinstance(outcome({name: 'name = "a"'}, "xen"), Import)
    assert isinstance(outcome({"a.cfg": 'name = "a"\nkernel = "/etc/passwd"\ndevice_tree = "../../etc/passwd.dtb"\n'}, "xen"), Import)


@pytest.mark.parametrize("format", THERE)
def test_enormous_files_are_refused(format, samples, tmp_path):
    name = next(iter(samples[format][0][0]))
    for files in (
        {name: " " * 1_000_001},
        {f"{k}-{name}".replace("/", "-"): " " for k in range(1_000)},
        {f"{k}-{name}".replace("/", "-"): " " * 900_000 for k in range(8)},
    ):
        assert isinstance(outcome(files, format, where=len(files) == 1), SpecError)
    big = tmp_path / name.replace("/", "-")
    with open(big, "wb") as file:
        file.truncate(1 << 40)  # a hole: nothing of it is read
    with pytest.raises(SpecError, match="bytes"):
        read(big, format)


@pytest.mark.parametrize("format", list(HOSTILE))
def test_memory_is_bounded(format):
    """Of the largest files; the memory is traced, which takes its time."""
    worst = 0
    for text in sorted(HOSTILE[format].values(), key=len)[0 if LONG else -1 :]:
        tracemalloc.start()
        outcome({NAMES[format]: text}, format, seconds=20 * SECONDS)
        worst = max(worst, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert worst < BYTES
