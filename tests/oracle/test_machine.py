"""Compiled interpreter, the same source in plain Python, and the oracle: the same state, word for word."""

from __future__ import annotations

import time

import pytest

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.machine import layout as L

from .machine import Oracle
from .programs import SIZE, program

FUEL = 150
SECONDS, LEAST = 0.5, 10 if DISABLED else 40


def bare(name, words, compiled):
    """A machine with these words in storage, started after the trap area."""
    machine = rv.machine.Machine(name, store=SIZE, compiled=compiled)
    machine.poke(0, words)
    return machine


def state(machine):
    """What the oracle has, too."""
    cpu, disk = machine.state.cpus[0], machine.state.disk
    left = None if int(cpu.alarm) == L.NEVER else max(0, int(cpu.alarm) - int(cpu.clock))
    return {"psw": tuple(machine.psw.values()), "timer": left, "registers": machine.registers, "E": machine.memory(), "begun": machine.instructions,
            "console": machine.console, "traps": {c: int(n) for c, n in enumerate(machine.state.traps[:8]) if n}, "disk at": int(cpu.disk_at),
            "disk": [int(disk[i]) for i in range(SIZE)]}


def expected(oracle):
    """The oracle's state in the same form."""
    left = None if oracle.left is None else max(0, oracle.left)
    return {"psw": (oracle.user, oracle.enabled, oracle.p, *oracle.R), "timer": left, "registers": oracle.r, "E": oracle.E,
            "begun": oracle.begun, "console": "".join(chr(c) if c < 0x110000 and not 0xD800 <= c < 0xE000 else "\ufffd" for c in oracle.console),
            "traps": oracle.traps, "disk at": oracle.disk_at, "disk": [oracle.disk.get(i, 0) for i in range(SIZE)]}


def differences(name, seed, fuel=FUEL):
    """'' when all three agree."""
    words = program(seed, name)
    oracle = Oracle(name, words, SIZE, L.FIRST_FREE)
    reason, want = oracle.run(fuel), None
    want = expected(oracle)
    for compiled in (True, False):
        machine = bare(name, words, compiled)
        report = machine.run(fuel)
        found = state(machine)
        if report.reason != reason:
            return f"compiled={compiled}: {report.text}, oracle {reason}"
        for key in want:
            if want[key] != found[key]:
                return f"compiled={compiled}: {key} is {found[key]}, oracle {want[key]}"
    return ""


@pytest.mark.parametrize("name", list(rv.machine.BUILT_IN))
def test_engine_equals_oracle(name, seed, long):
    wanted = 10_000 if long else None
    end, count, first = time.monotonic() + SECONDS, 0, seed * 1_000_003
    while count < (wanted or LEAST) or (wanted is None and time.monotonic() < end):
        found = differences(name, first + count)
        assert not found, f"program({first + count}, {name!r}): {found}"
        count += 1
    print(f"{name}: {count} programs equal, from seed {first}")


def test_the_programs_are_worth_it():
    """They trap for every cause, change R and M, and write over instructions."""
    causes, users, moved, overwrote = set(), 0, 0, 0
    for seed in range(150):
        words = program(seed, "clean")
        oracle = Oracle("clean", words, SIZE, L.FIRST_FREE)
        oracle.run(FUEL)
        causes |= set(oracle.traps)
        users += oracle.user
        moved += oracle.R != (0, SIZE)
        overwrote += oracle.E[12:] != words[12:]
    assert causes == {1, 2, 3, 4, 5} and users > 3 and moved > 3 and overwrote > 30
