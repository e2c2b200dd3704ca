"""`schedulers.load`: a scheduler of one's own, outside the package, obeys an oracle, is refused in words, and counts anew when edited."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtvirt as rv
from rtvirt import schedulers
from rtvirt.errors import SpecError
from rtvirt.jit import DISABLED, digest
from rtvirt.schedulers.outside import KERNELS
from rtvirt.sweeps.spelling import spell
from rtvirt.units import ms, s

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "notebooks/schedulers/newest_first.py"


def obeys(events) -> bool:
    """The rule on one pCPU: who woke last is next; after a turn to the tail; who is dispatched was first in the queue."""
    queue = []
    for vm, event in zip(events["vm"], events["event"]):
        if event in ("start", "wake"):
            queue.insert(0, vm)
        elif event == "preempt":
            queue.append(vm)
        elif event == "dispatch" and queue.pop(0) != vm:
            return False
    return True


def test_it_runs_and_obeys_its_rule(seed):
    mine = schedulers.load(FILE)
    for k in range(3 if DISABLED else 20):
        system = rv.workloads.system(2, 2, 0.6, seed=seed + k, best_effort=2)
        run = rv.simulate(system, mine.NewestFirst(ms(5)), s(1)).check()
        assert obeys(run.events) and len(run.slices) > 20
    assert not obeys(rv.simulate(system, rv.RoundRobin(ms(5)), s(1)).events)


def test_an_edit_counts(tmp_path):
    """Another file under the same name: another digest, another name in a sweep's store, another behaviour."""
    copy = tmp_path / "newest_first.py"
    copy.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    first, before = spell(schedulers.load(copy).NewestFirst()), digest("newest_first")
    copy.write_text(copy.read_text(encoding="utf-8").replace("own.queues, ALL, NOBODY, v", "own.queues, ALL, own.queues.line[ALL].tail, v"),
                    encoding="utf-8")
    edited = schedulers.load(copy)
    assert spell(edited.NewestFirst()) != first and digest("newest_first") != before
    if DISABLED:
        system = rv.workloads.system(2, 2, 0.6, best_effort=2)
        same = [rv.simulate(system, one, ms(500)).slices for one in (edited.NewestFirst(ms(5)), rv.RoundRobin(ms(5)))]
        assert same[0].equals(same[1])
    schedulers.load(FILE)
    assert spell(schedulers.load(FILE).NewestFirst()) == first and digest("newest_first") != ""


@pytest.mark.parametrize("name, text, said", [
    ("absent.py", None, "a file NAME.py"), ("my-own.py", "", "a file NAME.py"), ("rtds.py", "", "a name that no file"),
    ("mine.py", "x = 1", "start is 'missing'"), ("mine.py", FILE.read_text(encoding="utf-8"), 'kernel_name = "mine"')])
def test_what_is_no_scheduler_is_refused_in_words(tmp_path, name, text, said):
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=re.escape(said)):
        schedulers.load(tmp_path / name)


def test_promises_are_not_invented():
    with pytest.raises(SpecError, match="registry.py"):
        rv.admit(rv.System(vms=[rv.VM("a", tasks=[rv.hog()])]), schedulers.load(FILE).NewestFirst())


def test_the_ten_kernels_are_those_that_loops_call():
    called = {name for path in (ROOT / "rtvirt/engine").glob("*.py") for name in re.findall(r"policy\.(\w+)\(", path.read_text(encoding="utf-8"))}
    assert called == set(KERNELS)
