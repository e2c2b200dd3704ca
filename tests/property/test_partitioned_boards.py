"""Random boards to Jailhouse and Bao and back; damaged and hostile files."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from property.partitioned_boards import random_board

import rtvirt as rv
from rtvirt.platform import load
from rtvirt.platform.formats import bao, jailhouse
from rtvirt.platform.formats.common import differences


@pytest.fixture(scope="module")
def drone():
    """A board that files are read for."""
    return load("drone")


FORMATS = {"bao": (bao, ("aarch64", "armv7-a", "rv64")), "jailhouse": (jailhouse, ("aarch64", "armv7-a", "x86-64"))}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_lost_is_listed_and_nothing_else_is_lost(name, seed, long):
    module, isas = FORMATS[name]
    rnd, written, refused = random.Random(f"{seed} {name}"), 0, 0
    for n in range(5_000 if long else 30):
        board = random_board(rnd, isas)
        try:
            export = module.write(board)
        except rv.SpecError as error:
            assert all(problem.field and problem.allowed and problem.fix for problem in error.problems)
            refused += 1
            continue
        written += 1
        back = module.read(export.files, board).board
        assert [lost.place for lost in export.lost] == differences(board, back), f"board {n} of RTVIRT_SEED={seed}"
        assert module.write(board).files == export.files
        again = module.write(back)
        assert differences(back, module.read(again.files, back).board) == [lost.place for lost in again.lost]
    assert written > refused


NONSENSE = ["-1", "0", "1", "0xffffffffffffffff", "99999999999999999999", "1 << 63", "{", "}", "(", ")", "NULL", "x", '"y"', "[3] =", "...",
            ".size = 5,", "JAILHOUSE_MEM_IO", "#define A 1\n", "{0}", "memory", "/*", "'", "~0", "\\"]


def damaged(rnd: random.Random, text: str) -> str:
    """A few characters, words or lines changed."""
    for _ in range(rnd.randint(1, 3)):
        lines = text.split("\n")
        at = rnd.randrange(len(lines))
        kind = rnd.randrange(5)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(rnd.randrange(len(lines)), lines[at])
        elif kind == 2:
            words = lines[at].split(" ")
            words[rnd.randrange(len(words))] = rnd.choice(NONSENSE)
            lines[at] = " ".join(words)
        elif kind == 3:
            there = rnd.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:there] + rnd.choice("0129axf{}(),;=.|<>\"'/*-\\ é\0") + lines[at][there + rnd.randrange(3):]
        elif rnd.random() < 0.1:
            lines = lines[:at] or [""]
        text = "\n".join(lines)
    return text


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_read_or_refused_with_their_line(name, seed, long):
    module, rnd, read, refused = FORMATS[name][0], random.Random(f"{seed} damaged {name}"), 0, 0
    boards = [load(board) for board in ("drone", "phone", "automotive")]
    files = [module.write(board).files for board in boards]
    for _ in range(10_000 if long else 60):
        n = rnd.randrange(3)
        hit = rnd.choice(sorted(files[n]))
        try:
            module.read({**files[n], hit: damaged(rnd, files[n][hit])}, boards[n])
            read += 1
        except rv.SpecError as error:
            assert error.problems and all(one.field and one.allowed and one.fix and ".c" in one.where for one in error.problems), error
            refused += 1
    assert read and refused


CELL = "struct {{ int x; }} config = {{ .cell = {{ .name = \"x\", {} }}, .cpus = {{ 1 }}, {} }};"
HOSTILE = {
    "deep braces": "struct config config = " + "{" * 1_000,
    "deep parentheses": "struct config config = { .a = " + "(" * 1_000,
    "deep signs": "struct config config = { .a = " + "- " * 1_000 + "1 };",
    "deep casts": "struct config config = { .a = " + "(int)" * 1_000 + "1 };",
    "deep conditions": "struct config config = { .a = " + "1 ? " * 1_000 + "1 };",
    "many entries": "struct config config = { .a = { " + "0," * 5_000 + " } };",
    "many words": "struct config config = { .a = " + "1 + " * 30_000 + "1 };",
    "many characters": " " * 500_000,
    "open comment": "struct config config = { /* never closed",
    "open text": 'struct config config = { .name = "never closed };',
    "open list": "struct config config = { .a = 1,",
    "a long number": "struct config config = { .a = " + "9" * 100_000 + " };",
    "a large number": "struct config config = { .a = 0x10000000000000000 };",
    "a large shift": "struct config config = { .a = 1 << 4000000000 };",
    "a product of products": "#define A (1 << 62)\n" + "".join(f"#define A{n} (A * A)\n" for n in range(100))
        + "struct config config = { .a = A99 * A99 / 0 };",
    "laughter": "#define A0 {1, 1}\n" + "".join(f"#define A{n + 1} {{A{n}, A{n}, A{n}}}\n" for n in range(60))
        + "struct config config = { .cell = A60 };",
    "conditions": "#if 1\nstruct config config = {};\n#endif",
    "itself": '#define config config\n#include "itself.c"\nstruct config config = config;',
    "a division": "struct config config = { .a = 1 / 0 };",
    "no table": '#include "/etc/passwd"\n',
    "an image from elsewhere":
        'VM_IMAGE(a, "/etc/passwd")\nstruct config config = { .vmlist_size = 1, .vmlist = { { .image = VM_IMAGE_BUILTIN(b, 0) } } };',
    "shared memory of no region": CELL.format(".id = 1", ".pci_devices = { { .type = 3, .shmem_regions_start = 0xffffffff, .shmem_peers = 255 } }"),
    "a list that is shorter": CELL.format(".num_memory_regions = 3", ".mem_regions = { { .size = 1 } }"),
    "more pCPUs": CELL.format("", ".cpus = { 1, 1 }"),
    "an architecture": CELL.format(".architecture = 9", ""),
    "an address": CELL.format("", ".mem_regions = { { .phys_start = ~0, .size = ~0 } }"),
    "entries out of order": "struct config config = { .vmlist_size = 1, .vmlist = { [5] = { 0 } } };",
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_soon(what, name, drone):
    start = time.process_time()
    with pytest.raises(rv.SpecError) as error:
        FORMATS[name][0].read({"evil.c": HOSTILE[what]}, drone)
    assert time.process_time() - start < 10             # seconds of CPU: what grows with the square of the text takes minutes
    assert all("evil.c" in problem.where for problem in error.value.problems)


def test_hostile_files_take_little_memory(drone):
    tracemalloc.start()
    try:
        with pytest.raises(rv.SpecError):
            jailhouse.read({"evil.c": HOSTILE["laughter"] + "0," * 10_000}, drone)
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()


def test_many_regions_are_refused_before_they_are_compared(drone):
    text = CELL.format("", ".mem_regions = {" + "{ .size = 1 }," * 2_100 + "}")
    with pytest.raises(rv.SpecError, match="2048"):
        jailhouse.read({"a.c": text}, drone)
    with pytest.raises(rv.SpecError, match="64"):
        jailhouse.read({f"{n}.c": "" for n in range(65)}, drone)
