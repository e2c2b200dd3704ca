"""Certificates: what the analysis writes is proved by the checker, and what has been tampered with is not."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import rtvirt as rv
from rtvirt import checker
from rtvirt.units import ms, us

sys.path.insert(0, str(Path(__file__).parents[1] / "property"))
from bounded_systems import GUESTS, SCHEDULERS, system  # noqa: E402


def certificate(vms, scheduler, **options):
    """The certificate of a system, as it is read back."""
    return json.loads(json.dumps(rv.admit(rv.System(vms=vms, **options), scheduler).certificate()))


def modem(guest="fp", **fields):
    """A VM with two tasks."""
    return rv.VM("modem", tasks=[rv.Task("slot", wcet=us(300), period=ms(5), **fields), rv.Task("log", wcet=us(400), period=ms(20))], guest=guest,
                 budget=ms(1), period=ms(3), quantum=us(500))


ANDROID = rv.VM("android", tasks=[rv.hog()], budget=ms(6), period=ms(12))
LAZY = rv.VM("lazy", tasks=[rv.Task("burst", wcet=ms(2), period=ms(9), arrival="poisson")], budget=us(300), period=ms(3))
HOSTS = ((rv.RTDS(), [LAZY, ANDROID]), (rv.FixedPriority(), [LAZY]), (rv.RoundRobin(), []))
REFUSING = (rv.RTDS(), rv.RoundRobin(quantum=ms(1)))


def too_tight(guest, host):
    """The certificate of a refusal: a deadline that leaves no time for another VM."""
    return certificate([modem(guest, deadline=us(350)), rv.VM("other", tasks=[rv.hog()], budget=us(600), period=ms(3))], host)


@pytest.mark.parametrize(("host", "others"), HOSTS)
@pytest.mark.parametrize("guest", GUESTS)
def test_accepted_is_proved(guest, host, others):
    found = certificate([modem(guest), *others], host)
    assert found["admitted"] and checker.check(found)


@pytest.mark.parametrize("host", REFUSING)
@pytest.mark.parametrize("guest", GUESTS)
def test_refused_is_proved(guest, host):
    found = too_tight(guest, host)
    assert not found["admitted"] and checker.check(found)


TABLE = rv.ARINC653([("modem", 0, us(900)), ("lazy", 0, us(500)), ("modem", 0, us(300))], major_frame=ms(3))


@pytest.mark.parametrize("host", [TABLE, rv.SEDF(), rv.CBS(hard=True), *(kind(order) for order in ("fp", "edf") for kind in (
    rv.DeferrableServers, rv.PeriodicServers, rv.PollingServers, rv.SporadicServers))], ids=repr)
def test_promises_of_every_host_are_proved_and_not_more(host):
    found = certificate([modem("edf"), LAZY], host)
    assert found["admitted"] and checker.check(found)
    promise = ("vcpus", 0, "promise")
    lies = [put(found, (*promise, "slots", 0, 1), lambda x: 1), put(found, (*promise, "frame"), lambda x: 20 * x)] if host is TABLE else \
        [put(found, (*promise, "own", 0), lambda x: x // 30), put(found, (*promise, "rivals"), lambda rows: [[ms(3), ms(3), 0]]),
         put(found, (*promise, "own", 1), lambda x: 20 * x)]
    assert all(refused(lie) for lie in lies)


def test_reasons_without_numbers_are_said_to_be_such():
    found = certificate([modem(), ANDROID], rv.Credit())
    assert not found["admitted"] and checker.check(found) is False
    assert "accounting period" in found["vcpus"][0]["promise"]["reason"]


def test_budgets_that_do_not_fit_are_proved_not_to():
    found = certificate([modem(), rv.VM("lazy", tasks=[rv.Task("t", wcet=ms(2), period=ms(40))], budget=ms(5), period=ms(10))], rv.RTDS())
    assert found["late"] == ["modem/slot", "modem/log"] and checker.check(found)
    found["vcpus"][0]["promise"]["rivals"][0][0] = ms(1)
    with pytest.raises(checker.Wrong):
        checker.check(found)


def test_random_verdicts_are_proved(seed):
    kinds = Counter()
    for name in SCHEDULERS:
        for guest in GUESTS:
            for k in range(4):
                whole, scheduler = system(f"{seed}/{k}", name, guest, costs=k % 3 == 0)
                verdict = rv.admit(whole, scheduler)
                kinds[verdict.admitted, checker.check(json.loads(json.dumps(verdict.certificate())))] += 1
    assert kinds[True, True] > 20 and kinds[False, True] > 20


# ------------------------------------------------------------------ tampering


def put(found, path, change):
    """A copy with one number changed."""
    copied = copy.deepcopy(found)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = change(place[path[-1]])
    return copied


def refused(found):
    """True if the checker does not believe it."""
    try:
        return not checker.check(found)
    except (checker.Wrong, LookupError, TypeError, ValueError, ArithmeticError):
        return True


@pytest.mark.parametrize(("host", "others"), HOSTS)
@pytest.mark.parametrize("guest", GUESTS)
def test_an_accepted_certificate_cannot_ask_for_less_time_than_it_needs(guest, host, others):
    found = certificate([modem(guest), *others], host)
    part = next(part for part in found["vcpus"] if part["vcpu"] == "modem/0")
    at = ("vcpus", found["vcpus"].index(part))
    lies = [put(found, (*at, "tasks", 0, "cost"), lambda x: x + ms(6)), put(found, (*at, "tasks", 0, "deadline"), lambda x: us(200)),
            put(found, (*at, "tasks", 0, "stairs", 0, 0), lambda x: us(301))]
    if guest in ("fp", "dm", "rr"):
        lies += [put(found, (*at, "proof", "log", "jobs", 0), lambda x: x // 2), put(found, (*at, "proof", "slot", "jobs", 0), lambda x: x + ms(5))]
    else:
        lies.append(put(found, (*at, "proof", "horizon"), lambda x: -1))
        if part["proof"]["steps"]:
            lies.append(put(found, (*at, "proof", "steps", 0, 1), lambda x: x // 3))
            lies.append(put(found, (*at, "proof", "steps"), lambda steps: steps[1:]))
    if part["promise"]["rule"] == "servers":
        lies += [put(found, (*at, "promise", "wait"), lambda x: x - 1), put(found, (*at, "promise", "own", 0), lambda x: x + ms(3)),
                 put(found, (*at, "promise", "rivals", 0, 0), lambda x: x + ms(2)), put(found, (*at, "promise", "cpus"), lambda x: 0)]
    assert [k for k, lie in enumerate(lies) if not refused(lie)] == []


@pytest.mark.parametrize("host", REFUSING)
@pytest.mark.parametrize("guest", GUESTS)
def test_a_refusal_cannot_be_made_up(guest, host):
    found = too_tight(guest, host)
    assert refused(found | {"admitted": True}) and refused(found | {"late": []})
    part = found["vcpus"][0]
    friendly = put(found, ("vcpus", 0, "tasks", 0, "deadline"), lambda x: ms(60))
    friendly = put(friendly, ("vcpus", 0, "tasks", 1, "deadline"), lambda x: ms(60))
    assert refused(friendly)
    assert refused(found | {"vcpus": [part | {"proof": {name: one | {"gaps": one["gaps"][1:]} if "gaps" in one else one
                                                        for name, one in part["proof"].items()} if guest in ("fp", "dm", "rr") else
                                              part["proof"] | {"gaps": []}}]})


def test_nothing_can_be_said_to_be_done_a_nanosecond_earlier():
    busy = rv.VM("busy", tasks=[rv.Task("slot", wcet=ms(1), period=ms(6), deadline=us(5500)), rv.Task("log", wcet=ms(1), period=ms(20))],
                 budget=ms(1), period=ms(3))
    for guest in ("fp", "edf"):
        found = certificate([busy.replace(guest=guest), LAZY, ANDROID], rv.RTDS())
        proof = found["vcpus"][0]["proof"]
        ends = [("vcpus", 0, "proof", "steps", i, 1) for i in range(len(proof["steps"]))] if guest == "edf" else \
            [("vcpus", 0, "proof", name, "jobs", i) for name in proof for i in range(len(proof[name]["jobs"]))]
        assert found["admitted"] and len(ends) >= 2 - (guest == "edf") and all(refused(put(found, end, lambda x: x - 1)) for end in ends)


def test_the_checker_stands_alone(tmp_path):
    source = Path(checker.__file__).read_text()
    assert source.count("\n") <= 150
    assert "import numpy" not in source and "from ." not in source and "rtvirt." not in source.split('"""')[2]
    verdict = rv.admit(rv.System(vms=[modem(), LAZY, ANDROID]), rv.RTDS())
    verdict.save(tmp_path / "yes.json")
    assert verdict.certificate() == json.loads((tmp_path / "yes.json").read_text())          # as it is, too: nothing that JSON would change
    low = rv.VM("low", tasks=[rv.Task("t", wcet=ms(1), period=ms(40))])
    below = rv.admit(rv.System(vms=[modem(), low]), rv.FixedPriority()).certificate()
    assert below["vcpus"][-1]["less"] and checker.check(below)
    (tmp_path / "no.json").write_text((tmp_path / "yes.json").read_text().replace('"admitted": true', '"admitted": false'))
    (tmp_path / "not.json").write_text("{}")
    codes = [subprocess.run([sys.executable, "-m", "rtvirt.checker", str(tmp_path / name)], capture_output=True).returncode
             for name in ("yes.json", "no.json", "not.json", "absent.json")]
    assert codes == [0, 1, 1, 1]
