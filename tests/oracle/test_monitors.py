"""Equivalence: a guest under a monitor ends in f of the state in which the bare machine ends; and where no theorem promises it, it may not."""

from __future__ import annotations

import time

import pytest

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.machine import Program
from rtvirt.machine import layout as L
from rtvirt.machine.monitors import STYLES, Monitor, check
from rtvirt.machine.monitors.equivalence import surroundings
from rtvirt.machine.monitors.patching import call_out_code, find_sites, must_be_patched

from .guests import Paravirtual, Translated
from .programs import LONG_SIZE, SIZE, image, paravirtual
from .test_machine import expected

FUEL = 150
SECONDS, LEAST = 0.3, 8 if DISABLED else 40
VARIANTS = list(rv.machine.BUILT_IN)
AS_IT_IS = ("trap-and-emulate", "hybrid", "interpreter")            # styles that leave the guest's program as it is
PROMISED = [(name, style) for name in VARIANTS for style in AS_IT_IS
            if style == "interpreter" or name in ("clean", "m68010") or (style == "hybrid" and name not in ("x86", "vax"))]    # theorems 1 and 3
LUCKY = [("vax", "hybrid")]        # PROBE is user-sensitive, but b' = min(b, w - l) makes the real map answer as the virtual one: rule 3.5
BROKEN = [(name, style) for name in VARIANTS for style in AS_IT_IS if (name, style) not in PROMISED + LUCKY]


def different(name, style, seed, program=image):
    """'' if the two agree at every trap and at the end, and nobody wrote outside."""
    found = check(name, program(seed, name), style, size=SIZE, fuel=FUEL, origin=(0, 13, 14, 15, 16)[seed % 5])
    return "" if found.equal else found.summary


MANY, SOME_SKIPPED = 10_000, 13_000           # programs in a long run; more where not every program counts


def shard(seed, long, least=LEAST, many=MANY):
    """Seeds: `many` in a long run, else for a while and at least so many."""
    end, count, first = time.monotonic() + SECONDS, 0, seed * 1_000_003
    while count < (many if long else least) or (not long and time.monotonic() < end):
        yield first + count
        count += 1


@pytest.mark.parametrize(("name", "style"), PROMISED + LUCKY)
def test_guests_cannot_tell(name, style, seed, long):
    for number in shard(seed, long):
        found = different(name, style, number)
        assert not found, f"program({number}, {name!r}) under {style}: {found}"
    print(f"{name} under {style}: all programs from seed {seed * 1_000_003} to {number} equivalent")


@pytest.mark.parametrize("name", VARIANTS)
def test_translated_guests_cannot_tell(name, seed, long):
    """Programs that neither look at patched words nor make sensitive ones (rule 9.3) behave under binary translation as on the bare machine."""
    kept = skipped = patched = 0
    sensitive = must_be_patched(rv.machine.isa(name))
    for number in shard(seed, long, many=SOME_SKIPPED):
        program = image(number, name)
        sites = find_sites(program, program.isa)
        code = call_out_code(program.isa, program.words)
        count = len({program.words[at] for at in sites})
        oracle = Translated(name, program.words, SIZE, L.FIRST_FREE, sites, sensitive, lambda w: w & 255 == code and w >> 8 < count)  # noqa: B023
        oracle.run(FUEL)
        if oracle.may_tell:
            skipped += 1
            continue
        found = different(name, "binary-translation", number)
        assert not found, f"image({number}, {name!r}): {found}"
        kept, patched = kept + 1, patched + bool(sites)
    assert kept > (MANY if long else LEAST // 4) and (patched > 0) == (name not in ("clean", "m68010"))
    print(f"{name} under binary translation: {kept} programs equivalent ({skipped} look at their code), from seed {seed * 1_000_003}")


@pytest.mark.parametrize("name", VARIANTS)
def test_hypercalls_equal_the_oracle(name, seed, long):
    sensitive = must_be_patched(rv.machine.isa(name))
    calls = kept = 0
    for number in shard(seed, long, many=SOME_SKIPPED):
        words = paravirtual(number, name, sensitive)
        oracle = Paravirtual(name, words, LONG_SIZE, L.FIRST_FREE)
        oracle.sensitive, oracle.disk_words = sensitive, L.DISK // (L.CPUS - 1)
        oracle.run(FUEL)
        if oracle.may_tell:
            continue
        program = Program(rv.machine.isa(name), words, {}, {})
        monitor = Monitor(name, "paravirtual", store=512)
        monitor.create("", size=12 + number % 5)
        guest = monitor.create(program, size=LONG_SIZE)
        around = surroundings(monitor, guest)
        while guest.goes_on and int(guest.cpu.clock) < FUEL:
            monitor.turn(guest, FUEL - int(guest.cpu.clock))
        assert around == surroundings(monitor, guest)
        want, found = expected(oracle), state_of(guest)
        for key in found:
            assert want[key] == found[key], f"paravirtual({number}, {name!r}): {key} is {found[key]}, oracle {want[key]}"
        calls, kept = calls + guest.counts["operations"], kept + 1
    assert calls > kept > (MANY if long else LEAST // 2)
    print(f"{name} paravirtual: {kept} programs with {calls} operations equal the oracle, from seed {seed * 1_000_003}")


def state_of(guest):
    """What the oracle has, too."""
    cpu = guest.cpu
    left = None if int(cpu.alarm) == L.NEVER else max(0, int(cpu.alarm) - int(cpu.clock))
    counts = guest.monitor.machine.state.traps[guest.number * 8:guest.number * 8 + 8]
    return {"psw": tuple(guest.psw.values()), "timer": left, "registers": guest.registers, "E": guest.memory(), "begun": int(cpu.clock),
            "console": guest.console, "disk at": int(cpu.disk_at), "traps": {c: int(n) for c, n in enumerate(counts) if n}}


@pytest.mark.parametrize("seed", [20_781_063_102])
def test_an_absurd_relocation_is_no_escape(seed):
    """Found by the full counts: a guest that sets l to nearly 2**32 reaches nothing, and has not broken out."""
    assert not different("clean", "trap-and-emulate", seed)


@pytest.mark.parametrize(("name", "style"), BROKEN)
def test_where_no_theorem_promises_it_some_guest_can_tell(name, style):
    assert any(different(name, style, seed) for seed in range(600))


GUEST = """
        .org 8
        .word 0, tick, 0, 256
start:  LDI r1, {name}
        LDI r2, 50
        STT r2
        LPSW user
user:   .word 3, spin, 0, 256
spin:   ADDI r3, r3, 1
        JMP spin
tick:   OUT r1, 0
        ADDI r4, r4, 1
        LDI r5, 5
        XOR r5, r4
        JZ r5, done
        STT r2
        LPSW 0
done:   HLT
"""


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("quantum", [7, 1000])
def test_several_guests_share_a_processor_and_never_meet(style, quantum):
    """Each has its own timer, console and storage; how they are interleaved changes nothing for any of them."""
    alone = rv.machine.Machine("clean", GUEST.format(name="'A'"), store=256)
    alone.run()
    monitor = Monitor("clean", style)
    guests = [monitor.create(GUEST.format(name=f"'{c}'"), size=256) for c in "ABC"]
    assert set(monitor.run(quantum=quantum).values()) == {"halted"}
    assert [g.console for g in guests] == ["AAAAA", "BBBBB", "CCCCC"]
    assert guests[0].fingerprint()[:-3] == alone.fingerprint()[:-3] and guests[0].traps == {"timer": 5}
    assert "share direct" in repr(monitor) and "<table>" in monitor._repr_html_() and monitor.table.loc[1, "instructions"] == alone.instructions


def test_who_executed_what():
    shares = {}
    for style in STYLES:
        monitor = Monitor("clean", style)
        guest = monitor.create(GUEST.format(name="'A'"), size=256)
        monitor.run()
        shares[style] = guest.counts
    direct, hybrid, slow = (shares[style] for style in ("trap-and-emulate", "hybrid", "interpreter"))
    assert direct["interpreted"] == 0 and direct["emulated"] == 5 + 5 + 5 + 1 and direct["directly"] + direct["emulated"] == direct["instructions"]
    assert hybrid["emulated"] == 0 and 0 < hybrid["interpreted"] < direct["instructions"]
    assert slow["directly"] == 0 and slow["interpreted"] == slow["instructions"] == hybrid["instructions"] == direct["instructions"]


def test_the_guest_that_prints_i_am_in_user_mode():
    """The 68000's symptom, and the 68010's cure."""
    program = "RSR r1\n JZ r1, boss\n LDI r2, 'u'\n JMP say\nboss: LDI r2, 's'\nsay: OUT r2, 0\n HLT"
    said = {}
    for name, style in (("m68000", "trap-and-emulate"), ("m68000", "hybrid"), ("m68010", "trap-and-emulate")):
        monitor = Monitor(name, style)
        guest = monitor.create(program, size=64)
        monitor.run()
        said[name, style] = guest.console
    assert list(said.values()) == ["u", "s", "s"] and rv.machine.Machine("m68000", program).run().reason == "halted"


def test_refusals():
    with pytest.raises(rv.SpecError, match="trap-and-emulate, hybrid"):
        Monitor("clean", "magic")
    with pytest.raises(rv.SpecError, match="words"):
        Monitor("clean", store=64).create("HLT", size=4096)
    with pytest.raises(rv.SpecError, match="1 or more"):
        Monitor("clean").run(fuel=0)
