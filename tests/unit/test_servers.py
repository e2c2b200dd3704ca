"""Servers: what is refused, and in which words; the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import rtvirt as rv
from rtvirt.__main__ import main
from rtvirt.units import ms, s

KINDS = {"polling": rv.PollingServers, "periodic": rv.PeriodicServers, "deferrable": rv.DeferrableServers, "sporadic": rv.SporadicServers,
         "cbs": rv.CBS}


def refused(make) -> str:
    """What the error says."""
    with pytest.raises(rv.SpecError) as caught:
        make()
    assert all(problem.field and problem.allowed and problem.fix for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_budget_needs_a_period(kind):
    system = rv.System(vms=[rv.VM("a", tasks=[rv.hog()], budget=ms(1)), rv.VM("b", budget=ms(1))])
    text = refused(lambda: rv.simulate(system, kind(), ms(5)))
    assert "vms[a].period" in text and "vms[b].period" in text and kind.__name__ in text


@pytest.mark.parametrize(("make", "words"), [
    (lambda: rv.PollingServers("rm"), ["PollingServers.order", "'fp', 'edf'"]),
    (lambda: rv.CBS("fp"), ["CBS.order", "'edf'"]),
    (lambda: rv.CBS(hard="no"), ["CBS.hard", "True or False"]),
    (lambda: rv.SporadicServers(pieces=0), ["SporadicServers.pieces", "1 to 64"]),
    (lambda: rv.SporadicServers(pieces=65), ["SporadicServers.pieces", "1 to 64"]),
    (lambda: rv.simulate(rv.System(vms=[rv.VM("v", budget=s(1), period=s(4))]), rv.CBS(), 5), ["vms[v].period", "at most 3 s under CBS"]),
    (lambda: rv.simulate(rv.System(vms=[rv.VM("v", budget=1, period=2)], changes=[rv.Change(1, "v", budget=2)]), rv.CBS(), 5),
     ["budget", "does not look at"]),
])
def test_mistakes(make, words):
    text = refused(make)
    assert all(word in text for word in words), text


@pytest.mark.parametrize("name", KINDS)
def test_command_line(name, tmp_path):
    rv.System(vms=[rv.VM("v", tasks=[rv.hog()], budget=ms(2), period=ms(5))]).save(tmp_path / "v.yaml")
    option = ["--hard"] if name == "cbs" else ["--order", "edf"]
    done = CliRunner().invoke(main, ["simulate", str(tmp_path / "v.yaml"), "--scheduler", name, "--duration", "100ms", *option])
    assert done.exit_code == 0 and "40.00 %" in done.output, done.output
    wrong = CliRunner().invoke(main, ["simulate", str(tmp_path / "v.yaml"), "--scheduler", "credit", *option])
    assert wrong.exit_code != 0
