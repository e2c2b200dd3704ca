"""Isolation, measured; and never against the analysis's word."""

from __future__ import annotations

import random
import time

import pytest
from conftest import LONG

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.platform.misbehaviours import Scene
from rtvirt.units import ms, us

SECONDS, LEAST = (600, 300) if LONG and not DISABLED else (2, 3)
STRICT = ("rtds", "arinc653")


def measure(**more):
    return rv.platform.isolation(rv.platform.bench(), "android", **{"runs": 3} | more)


def test_bench_is_sound():
    board = rv.platform.bench()
    assert rv.platform.check(board) == () and rv.admit(board.system(), board.made_scheduler())


def test_isolation_holds_and_fails_where_it_is_known_to():
    grid = measure(configurations=["credit", *STRICT], misbehaviours=["overload", "bursts", "interrupt storm", "storm, masked"]).grid
    assert grid.loc["credit", "bursts"] == "broken"                                     # BOOST until the next tick
    assert set(grid.loc[list(STRICT), ["overload", "bursts"]].values.ravel()) <= {"intact", "slower"}
    assert set(grid["interrupt storm"]) == {"broken"}                                   # interrupts are charged to nobody's contract
    assert set(grid.loc[list(STRICT), "storm, masked"]) <= {"intact", "slower"}


def test_table_says_what_was_measured_and_the_analysis_promises_less_than_it():
    found = measure(configurations=["rtds"])
    assert set(found.table["misbehaviour"]) == set(rv.platform.MISBEHAVIOURS) and (found.table["jobs"] > 100).all()
    known = found.tasks[found.tasks["bound"].notna()]
    assert len(known) and (known["after"] <= known["bound"]).all()
    promised = found.tasks[found.tasks["promised"]]
    assert len(promised) and (promised["missed_after"] == 0).all() and set(promised["misbehaviour"]) >= {"overload", "bursts", "hypercall flood"}
    assert "android" not in " ".join(found.tasks[found.tasks["misbehaviour"] == "overload"]["task"])
    again = measure(configurations="rtds")                        # one name is a list of one
    assert again.tasks.equals(found.tasks)


def test_every_misbehaviour_does_something():
    """Mutants: a misbehaviour that changed nothing would leave all cells intact."""
    board = rv.platform.bench()
    system, scheduler = rv.platform.recontract(board, "rtds")
    scene = Scene(system, "android", ms(400), us(5), us(50), us(100))
    for name, both in rv.platform.MISBEHAVIOURS.items():
        calm, bad = both(scene)
        runs = [rv.simulate(one, scheduler, ms(200)) for one in (calm, bad)]
        assert not runs[0].slices.equals(runs[1].slices), name


def test_plot_tells_verdicts_by_colour_hatch_and_sign():
    found = measure(configurations=["credit", "rtds"], misbehaviours=["bursts"], runs=1)
    ax = rv.plots.isolation(found)
    told = [text.get_text() for text in ax.texts]
    assert sorted(text[0] for text in told) == ["X", "~"] and {patch.get_hatch() for patch in ax.patches} >= {"xx", "//"}
    assert "promised by admit" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_bad_input_gives_clear_errors():
    two = rv.platform.load("drone")
    for bad in (lambda: rv.platform.isolation(3, "x"), lambda: measure(runs=0), lambda: measure(configurations=["hope"]),
                lambda: measure(misbehaviours=["malice"]), lambda: rv.platform.isolation(rv.platform.bench(), "ios"),
                lambda: rv.platform.isolation(two, "vision", runs=1)):
        with pytest.raises(rv.SpecError) as error:
            bad()
        assert all(problem.field and problem.fix for problem in error.value.problems)


def random_board(rnd):
    """Three VMs with one period, which a pCPU has room for."""
    period, board = us(100) * rnd.randint(10, 60), rv.platform.bench()
    shares = [rnd.randint(1, 10) for _ in board.vms]
    vms = []
    for vm, share in zip(board.vms, shares):
        budget = max(us(50), period * share * rnd.randint(60, 100) // (100 * sum(shares)))
        own = period * rnd.randint(2, 6)
        tasks = [rv.Task("t", wcet=max(us(20), own * budget // period * rnd.randint(20, 80) // 100), period=own, deadline=own * rnd.randint(1, 3))]
        vms.append(vm.replace(contract={"kind": "reservation", "budget": budget, "period": period}, tasks=tasks))
    return board.replace(vms=vms)


def test_where_admit_promises_no_simulation_misses(seed):
    rnd, end, boards, promises = random.Random(seed), time.monotonic() + SECONDS, 0, 0
    while boards < LEAST or time.monotonic() < end:
        board = random_board(rnd)
        found = rv.platform.isolation(board, "android", configurations=["rtds", "fixed priority", "credit", "arinc653"], runs=2, seed=boards,
                                      misbehaviours=rnd.sample(sorted(rv.platform.MISBEHAVIOURS), 3)).tasks
        boards += 1
        known = found[found["bound"].notna()]
        broken = known[(known["after"] > known["bound"]) | (known["promised"] & (known["missed_after"] > 0))]
        assert broken.empty, f"seed {seed}, board {boards}: {broken.to_string()}\n{board!r}"
        promises += len(known)
    assert promises
    print(f"{boards} boards, {promises} bounds; none broken")
