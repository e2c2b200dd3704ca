"""Availability: the closed form, runs against it, and the monolith in which a driver's fault kills everybody."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.analysis import availability, crashes, measured_availability, monolith, outages
from rtvirt.system.devices import Path, Plumbing, Port, Stage, Thread
from rtvirt.units import ms, s, us

GAP, SERVICE = ms(1), us(17)


def phone(*, restart: int = ms(20), reconnect: int = ms(3), mttf: int = ms(400), duration: int = s(20), seed: int = 0,
          crash: str = "drop") -> rv.System:
    """A modem with deadlines, and Android whose network driver lives in dom0 and crashes now and then."""
    stages = (Stage("back", "dom0/back", each=us(10), port=Port(us(2))), Stage("front", "android/net", each=us(5), port=Port()))
    rx = Path("rx", "android", stages, slots=256, leave=1, arrivals=rv.Arrivals(GAP, offset=us(300)), reconnect=reconnect, crash=crash)
    nic = rv.CustomDevice("nic", plumbing=Plumbing((Thread("dom0", "back"), Thread("android", "net")), paths=(rx,)))
    vms = [rv.VM("modem", priority=1, tasks=[rv.Task("slot", wcet=us(300), period=ms(5))]), rv.VM("dom0", priority=2), rv.VM("android", priority=3)]
    return rv.System(vms=vms, devices=[nic], changes=crashes("dom0", mttf=mttf, restart=restart, duration=duration, seed=seed))


def test_the_closed_form():
    assert availability(s(99), ms(900), ms(100)) == 0.99 and availability(s(1), 0) == 1.0
    for wrong in ({"mttf": 0, "restart": 1}, {"mttf": 1, "restart": -1}, {"mttf": "1 s", "restart": 0}, {"mttf": ms(1), "restart": 0.5}):
        with pytest.raises(rv.SpecError, match="availability"):
            availability(**wrong)


def test_crashes_and_monoliths_that_cannot_be_are_refused():
    with pytest.raises(rv.SpecError, match=r"crashes.mttf is 0(.|\n)*crashes.restart is -1"):
        crashes("dom0", mttf=0, restart=-1, duration=s(1))
    with pytest.raises(rv.SpecError, match="monolith.driver is 'domX'; allowed: modem, dom0, android"):
        monolith(phone(duration=ms(1)), "domX")
    assert all(change.state == "restart" for change in crashes("dom0", mttf=ms(1), restart=0, duration=ms(20))[1::2])


@pytest.mark.parametrize("restart, reconnect", [(ms(5), 0), (ms(20), ms(3)), (ms(40), ms(60))])
def test_an_outage_lasts_as_long_as_restart_and_reconnection(restart, reconnect):
    """Each one, to the nanosecond up to the next packet."""
    run = rv.simulate(phone(restart=restart, reconnect=reconnect, duration=s(5)), rv.FixedPriority(), s(5))
    table = outages(run, "rx")
    closed = table[table["first"] >= 0]["outage"]
    closed = closed[closed < restart + reconnect + GAP + ms(1)]                     # another crash during the reconnection begins it anew
    assert len(closed) > 5
    assert closed.min() >= restart + reconnect and closed.max() <= restart + reconnect + GAP + SERVICE + us(300)


def test_runs_come_near_the_closed_form():
    """Four seeds, 20 s each, a crash every 0.4 s: packets that are lost, and outages, both within 10 % of MTTF / (MTTF + restart + reconnection)."""
    lost, down = [], []
    for seed in range(4):
        run = rv.simulate(phone(seed=seed), rv.FixedPriority(), s(20))
        table = run.paths["rx"]
        lost.append((table["dropped"] != "").mean())
        down.append(1 - measured_availability(run, "rx"))
    expected = 1 - availability(ms(400), ms(20), ms(3))
    assert sum(lost) / 4 == pytest.approx(expected, rel=0.1) and sum(down) / 4 == pytest.approx(expected, rel=0.12)


def test_requests_that_are_issued_again_are_late_and_not_lost():
    """blkfront's way: the backlog waits for the new connection."""
    run = rv.simulate(phone(crash="reissue", duration=s(2)), rv.FixedPriority(), s(2))
    table, worst = run.paths["rx"], outages(run, "rx")["outage"].max()
    assert (table["dropped"] == "").all() and ms(23) < table["total"].max() <= worst + ms(1)
    assert table["ring"].max() > ms(22)


def test_only_the_monolith_takes_the_modem_along():
    """The same faults: with a driver VM the modem does not notice; in the hypervisor they cost it what they cost the path."""
    split = phone()
    whole = monolith(split, "dom0")
    modem, shared = (rv.simulate(system, rv.FixedPriority(), s(20)).jobs.query("vm == 'modem'") for system in (split, whole))
    assert len(modem) == 4000 and modem["response"].max() == us(300) and not modem["missed"].any()
    down = sum(1 for change in split.changes if change.state == "crash") * ms(20) / s(20)
    assert len(shared[shared["response"] >= 0]) == pytest.approx(4000 * (1 - down), rel=0.03) and down > 0.03
    with pytest.raises(rv.SpecError, match="crashes of android only"):
        monolith(split, "android")


def test_crashes_are_the_same_everywhere_and_of_that_mean():
    times = [change.at for change in crashes(("a", "b"), mttf=ms(10), restart=ms(1), duration=s(30), seed=5) if change.vm == "a"]
    ups = [crash - up for up, crash in zip([0, *times[1::2]], times[::2], strict=False)]
    assert times[:4] == [13_473_664, 14_473_664, 16_340_078, 17_340_078] and sum(ups) / len(ups) == pytest.approx(ms(10), rel=0.05)


def test_there_may_be_nothing_to_measure():
    run = rv.simulate(phone(mttf=s(1000), duration=ms(50)), rv.FixedPriority(), ms(50))
    assert len(outages(run, "rx")) == 0 and measured_availability(run, "rx") == 1.0
    gone = phone(mttf=s(1000), duration=ms(50)).replace(changes=[rv.Change(ms(25), "dom0", state="crash")])
    run = rv.simulate(gone, rv.FixedPriority(), ms(50))
    assert outages(run, "rx")["first"].tolist() == [-1] and measured_availability(run, "rx") == 0.5
