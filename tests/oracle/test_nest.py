"""Theorem 2: a guest under monitors in monitors ends as on the bare machine, whoever composes the maps, and the counts are what they must be."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.machine.monitors import compositions, nest
from rtvirt.machine.monitors.maps import Pages, RelocationBounds, inclusive, resolve

from .programs import SIZE, ending
from .test_monitors import GUEST, MANY, SOME_SKIPPED, shard

FUEL = 150
SEVERAL = GUEST.format(name="'A'")
INSIDE = 1 if DISABLED else 3          # how deep: each level takes four times as long


def different(name, composition, seed, depth):
    """'' if a program ends as on the bare machine, None if it does not end there."""
    program = ending(seed, name)
    bare = nest(name, program, depth=0, size=SIZE, fuel=FUEL)
    if bare.reason == "out of fuel":
        return None
    deep = nest(name, program, depth=depth, size=SIZE, fuel=FUEL if composition == "hardware" else 10_000_000, composition=composition,
                owner=1 + seed % depth)
    if deep.reason != bare.reason:
        return f"bare {bare.reason}, at depth {depth} {deep.reason}"
    return next((f"bare {a}, at depth {depth} {b}" for a, b in zip(bare.fingerprint(), deep.fingerprint()) if a != b), "")


@pytest.mark.parametrize("composition", ["software", "hardware"])
@pytest.mark.parametrize("name", ["clean", "m68010"])
def test_guests_cannot_tell_how_deep_they_are(name, composition, seed, long):
    ended = 0
    for number in shard(seed, long, 4 if DISABLED else 30, SOME_SKIPPED):
        found = different(name, composition, number, 1 + number % INSIDE)
        assert not found, f"ending({number}, {name!r}), {composition}: {found}"
        ended += found is not None
    assert ended > (MANY if long else 2)
    print(f"{name} in {composition}: {ended} programs as on the bare machine at depth 1 to {INSIDE}, from seed {seed * 1_000_003}")


@pytest.mark.parametrize("name", ["x86", "m68000", "arm", "s390x"])
def test_where_theorem_1_fails_some_guest_can_tell(name):
    assert any(different(name, "software", seed, 1) for seed in range(200))


def test_crossings_grow_fourfold_in_software_and_not_at_all_in_hardware():
    """A monitor executes three privileged instructions for each trap (RDT, STT, LPSW), two when it begins, and one for each of its guest's five
    OUT and one HLT, after which it does not go on. Each traps to the monitor below, besides the trap itself."""
    found = compositions("clean", SEVERAL, depth=INSIDE, size=256)
    assert set(found.table["as bare"]) == {"yes"} and "<table>" in found._repr_html_() and "as bare" in repr(found)
    software = [n for n in found.nests if n.composition == "software"]
    for deep in software[1:]:
        counts = [level.crossings for level in deep.levels]
        assert counts[-1] == 5 + 5 + 5 + 1 + 5                     # OUT, STT, LPSW and HLT to interpret; ticks to reflect
        assert all(below == 4 * above + 2 + 6 - 2 for below, above in zip(counts, counts[1:]))
        assert all(level.crossings == level.emulated + level.reflected for level in deep.levels[:-1])
    for deep in found.nests:
        if deep.composition == "hardware":
            assert [level.crossings for level in deep.levels] == [6] + [0] * (deep.depth - 1) and deep.traps == {"timer": 5}
            assert deep.instructions == software[0].instructions


def test_faults_go_to_the_monitor_whose_map_misses():
    deep = nest("clean", SEVERAL, depth=3, size=256, composition="hardware", owner=2)
    assert [level.crossings for level in deep.levels] == [0, 6, 0] and deep.console == "AAAAA"
    assert list(deep.table["l"]) == [level.f.l for level in deep.levels] and "level" in repr(deep) and "<table>" in deep._repr_html_()
    assert deep.levels[-1].origin == sum(level.f.l for level in deep.levels)


def test_relocation_bounds_compose_and_are_inclusive():
    maps = [RelocationBounds(at, bound) for at in range(4) for bound in range(5)]
    for outer in maps:
        for inner in maps:
            both = outer.after(inner)
            for name in range(6):
                step = inner(name)
                assert both(name) == (None if step is None else outer(step))
            fits = inner.l + inner.b <= outer.b
            assert inclusive(inner, outer, range(6)) == (fits or inner.b == 0)


def test_who_deals_with_a_miss():
    phi = RelocationBounds(4, 4)
    assert resolve(phi, RelocationBounds(10, 8), RelocationBounds(20, 40), name=3).path == (3, 7, 17, 37)
    assert resolve(phi, name=4).fault == "exception"
    f2, f1 = Pages(4, {1: 2}), Pages(4, {2: 9})
    assert resolve(phi, f2, f1, name=0).path == (0, 4, 8, 36)
    assert (resolve(phi, f2, Pages(4), name=0).level, resolve(phi, Pages(4), f1, name=0).level) == (1, 2)
    assert not inclusive(f2, Pages(4), range(8))


def test_refusals():
    for options, says in (({"composition": "magic"}, "software or hardware"), ({"depth": 9}, "0 to 8"), ({"size": 3}, "words"),
                          ({"depth": 2, "owner": 3}, "1 to 2")):
        with pytest.raises(rv.SpecError, match=says):
            nest("clean", "HLT", **options)
    with pytest.raises(rv.SpecError, match="use Monitor"):
        nest(rv.machine.isa("clean").change("NOP", privileged=True), "HLT")
