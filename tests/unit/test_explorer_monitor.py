"""The explorer of a monitor at work, without a browser."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.explorers import monitor
from rtvirt.explorers.monitor_data import LONGEST, WHO, recording
from rtvirt.machine.monitors import STYLES, Monitor


@pytest.mark.parametrize("style", list(STYLES))
def test_what_it_shows_is_what_ran(style):
    """Counted from the picture, and by the monitor itself on a run of its own."""
    explorer = monitor.explorer(style=style, position=LONGEST)
    run, moment = explorer._scene.shown.run, explorer._scene.walk.moment
    own = Monitor("clean", style, store=2048)
    guest = own.create(run.program, size=rv.machine.guests.SIZE)
    own.run()
    assert moment["console"] == guest.console == "s1ab1c!1" and moment["crossings"] == guest.counts["crossings"]
    assert moment["registers"] == guest.registers and "halted" in explorer.sentence.value
    counts = dict(zip(WHO, moment["counts"]))
    assert [counts[who] for who in ("emulated", "hypercall", "call-out")] == [guest.counts[n] for n in ("emulated", "hypercalls", "callouts")]
    assert explorer.params.position == explorer.controls["position"].max == len(run.steps)


def test_the_real_psw_is_f_of_the_virtual_one():
    run = recording("clean", "trap-and-emulate", "mini")
    for moment in run.moments[:-1]:
        assert moment.real.user == 1 and moment.real.l == moment.virtual.l + run.origin and moment.real.p == moment.virtual.p
        assert moment.real.b == min(moment.virtual.b, rv.machine.guests.SIZE - moment.virtual.l)
    hybrid = recording("clean", "hybrid", "mini")
    assert all((moment.real is None) == (moment.virtual.user == 0) for moment in hybrid.moments)


def test_the_program_is_shown_as_it_was_written():
    explorer = monitor.explorer(position=0)
    code = explorer._scene.walk.moment["code"]
    assert (12, 24) in [(p, real) for p, real, _ in code] and any("a stray address shall trap" in text for *_, text in code)
    explorer.set(guest="whoami", variant="m68000", position=LONGEST)
    assert explorer._scene.walk.moment["console"] == "I am in user mode" and "I am in user mode" in explorer.sentence.value


def test_a_trap_is_told_in_words():
    run = recording("clean", "trap-and-emulate", "mini")
    said = {step.who: monitor.sentence(monitor.Shown(run, i)) for i, step in enumerate(run.steps)}
    assert "does not know" in said["directly"] and "routine" in said["emulated"] and "hands it on" in said["reflected"]
    stuck = monitor.explorer(variant="x86", position=LONGEST)
    assert "No end after" in stuck.sentence.value


def test_the_readers_wish_moves_the_position_and_the_run_travels_once():
    explorer = monitor.explorer()
    walk = explorer._scene.walk
    data = walk.data
    walk.wanted = 70
    assert explorer.params.position == explorer.controls["position"].value == 70 and walk.data is data
    explorer.controls["guest"].value = "drop"
    assert walk.data is not data and explorer.params.position == explorer.controls["position"].max < 70
    explorer.controls["position"].value = 3
    assert explorer.params.position == 3 and repr(explorer) == f"Explorer({explorer.params})"
    assert explorer.static().text.startswith("static fallback of the explorer: Step 3 of")


@pytest.mark.parametrize("values, said", [({"variant": "z80"}, "m68000"), ({"position": -1}, "0 to"), ({"guest": "maxi"}, "mini"),
                                          ({"x": 1}, "variant")])
def test_refusals(values, said):
    with pytest.raises(rv.SpecError, match=said):
        monitor.explorer(**values)


def test_who_executed_what_as_a_picture():
    own = Monitor("clean")
    own.create(rv.machine.guests.load("mini"), size=512)
    ax = rv.plots.executors({"mini": own.trace(count=5000).steps})
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["directly", "emulated", "reflected"]
    assert [len(bars.get_paths()) for bars in ax.collections][1:] == [51, 20]
