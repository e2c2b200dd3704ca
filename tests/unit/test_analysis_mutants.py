"""Would the tests notice a wrong formula? Key inequalities are changed one at a time, and small systems must show the difference.

The package is loaded once more under another name with the JIT off and one line changed; its answers are held against those of the oracles.
"""

from __future__ import annotations

import importlib
import random
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from oracle import analysis_supply, analysis_uniprocessor

from rtvirt.jit import DISABLED

pytestmark = pytest.mark.skipif(DISABLED, reason="the mutants are never compiled: without the JIT they would be the same once more")
PACKAGE = Path(__file__).resolve().parents[2] / "rtvirt"
NAME = "rtvirt_mutant"

MUTANTS = [
    ("requests", "while jobs * rows.period[j] < x:", "while jobs * rows.period[j] <= x:"),
    ("requests", "        if x >= 0:\n            jobs = int(float(x)", "        if x > 0:\n            jobs = int(float(x)"),
    ("requests", "while (jobs + 1) * rows.period[j] <= x:", "while (jobs + 1) * rows.period[j] < x:"),
    ("requests", "total += (jobs + 1) * rows.cost[j]", "total += jobs * rows.cost[j]"),
    ("pattern", "turns = (work - top + form[GAIN] - 1) // form[GAIN]", "turns = (work - top) // form[GAIN]"),
    ("pattern", "if needed(sup, middle) <= t[k]:", "if needed(sup, middle) < t[k]:"),
    ("pattern", "value, slope = min(straight)", "value, slope = max(straight)"),
    ("supply.periodic", "2 * (self.period - self.budget), self.budget, self.period)", "self.period - self.budget, self.budget, self.period)"),
    ("supply.periodic", "self.period + self.deadline - 2 * self.budget", "self.period + self.deadline - self.budget"),
    ("supply.periodic", "(last - 2, 0, rest)", "(last - 1, 0, rest)"),
    ("supply.periodic", "lines = [later, [c for c in first if c[0] < period]]", "lines = [later]"),
    ("supply.slots", "(start - origin) % self.frame", "start"),
    ("kernels_fp", "- last + 1, x, limit)", "- last, x, limit)"),
    ("kernels_fp", "blocking + (job + 1) * cost - last", "(job + 1) * cost - last"),
    ("kernels_fp", "if over <= came:", "if True:"),
    ("kernels_fp", "rows.offset[first] + job * rows.period[first]", "job * rows.period[first]"),
    ("kernels_fp", "start = carried + own if blocking >= held else own", "start = carried + own"),
    ("kernels_fp", "(float(blocking + own) - shift)", "(float(blocking + own) + shift + 9.0)"),
    ("fixed_priority", "longest[i + 1:].max(initial=1)) - 1)", "longest[i + 1:].max(initial=1)))"),
    ("fixed_priority", "longest[i + 1:].max(initial=1)) - 1)", "longest[i:].max(initial=1)) - 1)"),
    ("kernels_edf", "        if u > t:\n            return last", "        if u >= t:\n            return last"),
    ("kernels_edf", "        if u > t:\n            return last", "        if u > t + 1:\n            return last"),
    ("kernels_edf", "if sets.hold_until[k] > t:", "if sets.hold_until[k] >= t:"),
    ("kernels_edf", "u = max(u, floor) ", "u = u "),
    ("kernels_edf", "signed += share * slack", "signed -= share * slack"),
    ("kernels_edf", "total += min((x - 1) // rows.period[j] + 1, room // rows.period[j] + 1)", "total += ((x - 1) // rows.period[j] + 1)"),
    ("kernels_edf", "until + deadline - due[j] - rows.offset[j]", "until - due[j] - rows.offset[j]"),
    ("kernels_edf", "requests(rows, count, a + 1)", "requests(rows, count, a)"),
    ("kernels_interface", "if supplied(sup, t) >= work:\n            high", "if supplied(sup, t) > work:\n            high"),
    ("kernels_interface", "low + 1, found, demand(rows, count, found))", "low + 1, 0, 0)"),           # slower, as right: must survive
]


@pytest.fixture(scope="module")
def cases():
    """Small systems, and what the oracles say about them."""
    rng = random.Random(7)
    found = []
    for k in range(60):
        rows = []
        for _ in range(rng.randint(2, 3)):
            period = rng.randint(3, 7)
            cost = rng.randint(1, 2)
            rows.append({"period": period, "cost": cost, "deadline": rng.randint(cost, 2 * period), "jitter": rng.choice([0, 0, rng.randint(0, 7)])})
        if sum(row["cost"] / row["period"] for row in rows) < 0.97:
            found.append((rows, k % 3))
    answers = []
    for rows, kind in found[:34]:
        whole = [{**row, "parts": [row["cost"]], "jitter": 0} for row in rows]
        plain = [{**row, "jitter": 0} for row in rows]
        answers.append({
            "rows": rows, "fp": analysis_uniprocessor.worst_responses(rows, "fp", all_offsets=False),
            "demand": [analysis_uniprocessor.demand_bound(rows, t) for t in range(300)],
            "np": analysis_uniprocessor.worst_responses(whole, "fp") if len(rows) == 2 and kind == 0 else None,
            "np_edf": fits_unpreempted(whole) if len(rows) == 2 else None,
            "responses": {policy: [max(x) for x in zip(analysis_uniprocessor.worst_responses(plain, policy),
                                                       analysis_uniprocessor.worst_responses(plain[::-1], policy)[::-1])]
                          for policy in ("edf", "fifo")} if len(rows) == 2 and kind != 0 else None})
    return answers


def fits_unpreempted(rows):
    """Whether a unit-time EDF scheduler without preemption meets all deadlines, whatever the offsets."""
    return not any(job.done is None or job.done > job.deadline for a in range(rows[0]["period"]) for b in range(rows[1]["period"])
                   for job in analysis_uniprocessor.run(analysis_uniprocessor.periodic_jobs(rows, (a, b), 100), "edf") if job.deadline < 100)


def loaded(module: str, old: str, new: str) -> ModuleType:
    """`rtvirt.analysis` under another name, not compiled, with one change in a module of it."""
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]
    package = ModuleType(NAME)
    package.__path__ = [str(PACKAGE)]
    package.__spec__ = ModuleSpec(NAME, None, is_package=True)
    sys.modules[NAME] = package
    importlib.import_module(f"{NAME}.jit").DISABLED = True
    for name in ("datafolder", "units", "errors"):
        importlib.import_module(f"{NAME}.{name}")
    path = PACKAGE / "analysis" / (module.replace(".", "/") + ".py")
    source = path.read_text(encoding="utf-8")
    assert source.count(old) >= 1, f"{module}: {old!r} is not there any more"
    real = importlib.machinery.SourceFileLoader.get_data

    def get_data(self, where):
        data = real(self, where)
        if Path(where).name == "limits.py" and self.name.startswith(NAME):
            return data.replace(b"FUEL = 20_000_000", b"FUEL = 20_000")          # a mutant that runs away gives up soon
        return source.replace(old, new, 1).encode() if Path(where) == path and self.name.startswith(NAME) else data

    importlib.machinery.SourceFileLoader.get_data = get_data
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(f"{NAME}.analysis")
    finally:
        importlib.machinery.SourceFileLoader.get_data = real
        sys.dont_write_bytecode = written


def agrees(rv, cases) -> bool:
    """Whether all answers are the oracles'."""
    system = sys.modules[f"{NAME}.system"]
    t = np.arange(40)
    for period, budget, deadline in ((5, 2, 4), (6, 5, 6), (4, 1, 2), (5, 3, 5)):
        expected = [analysis_supply.budget_sbf(x, period, budget, deadline) for x in t]
        if rv.ExplicitDeadlinePeriodic(period, budget, deadline).sbf(t).tolist() != expected:
            return False
        supply = rv.PeriodicResource(period, budget)
        curve = supply.sbf(t).tolist()
        if curve != [analysis_supply.budget_sbf(x, period, budget, period) for x in t]:
            return False
        if any(supply.inverse(work) != next(x for x in t if curve[x] >= work) for work in range(curve[-1] + 1)):
            return False
    for period, budget, cpus in ((3, 7, 3), (4, 5, 2), (3, 4, 2)):
        if rv.MultiprocessorPeriodicResource(period, budget, cpus).sbf(t[:20]).tolist() != \
                [analysis_supply.budget_sbf(x, period, budget, period, cpus) for x in t[:20]]:
            return False
    if rv.SlotTable([(1, 2), (5, 1)], 9).sbf(t).tolist() != [analysis_supply.table_sbf(x, [(1, 2), (5, 1)], 9) for x in t]:
        return False
    stairs = [(1, 4, 2), (2, 9, 0)]
    if rv.FixedPriorityPartition(stairs).sbf(t).tolist() != [analysis_supply.left_over(x, stairs, [1] * 40) for x in t]:
        return False
    late = [{"period": 70, "cost": 26, "deadline": 10**6},                       # Lehoczky's, with jitter
            {"period": 100, "cost": 62, "deadline": 10**6, "jitter": 10}]
    tasks = [system.Task("a", wcet=26, period=70, priority=1), system.Task("b", wcet=62, period=100, priority=2, jitter=10)]
    if list(rv.fp_response_times(tasks).values()) != analysis_uniprocessor.worst_responses(late, "fp", all_offsets=False):
        return False
    tasks = [system.Task("a", wcet=1, period=100, priority=1), system.Task("b", wcet=1, period=100, priority=2)]
    if rv.fp_response_times(tasks, blocking={"a": 9}) != {"a": 10, "b": 2}:
        return False
    two = [{"period": 4, "cost": 1, "deadline": 4}, {"period": 20, "cost": 7, "deadline": 10}]
    tasks = [system.Task(f"t{i}", wcet=r["cost"], period=r["period"], deadline=r["deadline"]) for i, r in enumerate(two)]
    worst = [max(x) for x in zip(analysis_uniprocessor.worst_responses(two, "edf"), analysis_uniprocessor.worst_responses(two[::-1], "edf")[::-1])]
    if list(rv.edf_response_times(tasks).values()) != worst:
        return False
    if not demands_agree(rv, system):
        return False
    supply = rv.PeriodicResource(4, 3)
    below = rv.PeriodicResource(4, 3).sbf(np.arange(300)).tolist()
    for case in cases:
        tasks = [system.Task(f"t{i}", wcet=r["cost"], period=r["period"], deadline=r["deadline"], jitter=r["jitter"], priority=i + 1)
                 for i, r in enumerate(case["rows"])]
        plain = [task.replace(jitter=0) for task in tasks]
        if list(rv.fp_response_times(tasks).values()) != case["fp"]:
            return False
        if rv.dbf(tasks, t).tolist() != case["demand"][:40]:
            return False
        if bool(rv.edf_schedulable(tasks)) != all(d <= x for x, d in enumerate(case["demand"])):
            return False
        if sum(r["cost"] / r["period"] for r in case["rows"]) < 0.75 and \
                bool(rv.edf_schedulable(tasks, supply)) != all(d <= s for d, s in zip(case["demand"], below)):
            return False
        if case["np"] and list(rv.fp_response_times(plain, preemption="none").values()) != case["np"]:
            return False
        if case["np_edf"] is not None and bool(rv.edf_schedulable(plain, preemption="none")) != case["np_edf"]:
            return False
        for policy, expected in (case["responses"] or {}).items():
            if list(getattr(rv, f"{policy}_response_times")(plain).values()) != expected:
                return False
        budget = rv.min_budget(tasks, 5)
        enough = [q for q in range(6) if rv.edf_schedulable(tasks, rv.PeriodicResource(5, q))]
        if budget != (enough[0] if enough else None):
            return False
    return True


def demands_agree(rv, system) -> bool:
    """EDF with short deadlines, some of which may hold up others, on two supplies: every instant is looked at."""
    rng = random.Random(3)
    for _ in range(150):
        rows = []
        for _ in range(3):
            period = rng.randint(4, 16)
            cost = rng.randint(1, 4)
            rows.append({"period": period, "cost": cost, "deadline": rng.randint(cost, period)})
        if sum(row["cost"] / row["period"] for row in rows) >= 0.74:
            continue
        holds = [rng.choice([0, 0, 1, 3, 6]) for _ in rows]
        tasks = [system.Task(f"t{i}", wcet=r["cost"], period=r["period"], deadline=r["deadline"]) for i, r in enumerate(rows)]
        for supply in (rv.Dedicated(), rv.PeriodicResource(4, 3)):
            given = supply.sbf(np.arange(250)).tolist()
            needs = [analysis_uniprocessor.demand_bound(rows, t) for t in range(250)]
            needs = [need and need + max((hold for hold, row in zip(holds, rows) if row["deadline"] > t), default=0) for t, need in enumerate(needs)]
            found = rv.edf_schedulable(tasks, supply, blocking={f"t{i}": hold for i, hold in enumerate(holds)})
            if bool(found) != all(need <= have for need, have in zip(needs, given)):
                return False
    return True


@pytest.fixture(autouse=True)
def forget():
    """Leave no mutant behind."""
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


def test_the_unchanged_package_agrees(cases):
    assert agrees(loaded("requests", "total = 0", "total = 0"), cases)


@pytest.mark.parametrize("mutant", MUTANTS[:-1], ids=lambda m: f"{m[0]}: {m[2].strip()[:50]}")
def test_mutants_are_caught(cases, mutant):
    try:
        assert not agrees(loaded(*mutant), cases)
    except (IndexError, ZeroDivisionError, StopIteration, OverflowError, FloatingPointError):
        pass                                                   # it fell over: caught, too


def test_a_harmless_change_survives(cases):
    assert agrees(loaded(*MUTANTS[-1]), cases)
