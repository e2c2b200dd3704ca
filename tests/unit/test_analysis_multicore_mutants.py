"""Would the tests for several pCPUs, and of mixed criticality, notice a wrong formula? As `test_analysis_mutants.py`, in parts."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from oracle import analysis_mixed, analysis_multicore, analysis_supply
from test_analysis_mixed import passes
from test_analysis_mixed import random_rows as mixed_rows
from test_analysis_multicore import random_rows, used
from test_analysis_mutants import NAME, forget, loaded, pytestmark  # noqa: F401

W, G, F, L = "multicore.windows", "multicore.global_edf", "multicore.global_fp", "multicore.limited_carry_in"
V, T, P, M, E, C = "multicore.virtual", "multicore.tardiness", "multicore.partition", "mixed_criticality", "edf_vd", "mode_change"
S, R = "sensitivity", "multicore.edf_carry_in"

MUTANTS = {
    "edf": [
        (G, "room = m - (m - 1) * densest.density", "room = m - (m - 2) * densest.density"),
        (G, "room = m - (m - 1) * densest.density", "room = Fraction(m)"),
        (G, "if density <= room:", "if density < room:"),
        (G, "if density <= room:", "if density <= room + Fraction(1, 50):"),
        (G, "room = m * (k.deadline - k.cost) + k.cost", "room = m * (k.deadline - k.cost)"),
        (G, "room = m * (k.deadline - k.cost) + k.cost", "room = m * k.deadline"),
        (G, "if taken > room:", "if taken >= room:"),
        (G, "i.utilization * (k.deadline + i.period - i.deadline)", "i.utilization * k.deadline"),
        (G, "share + max(Fraction(0), i.cost - k.density * i.period)", "share"),
        (G, "wait = k.deadline - k.cost + 1\n", "wait = k.deadline - k.cost\n"),
        (G, "if taken >= m * wait:", "if taken > m * wait:"),
        (G, "for i in rows if i is not k)\n        if taken >=", "for i in rows)\n        if taken >="),
        (G, "work = [min(workload(rows[i], window, end), urgent[i]) for", "work = [workload(rows[i], window, end) for"),
        (G, "rows[i].deadline - end) for", "0) for"),
        (G, "rows[k].cost, others(rows, k, bounds), m, rows[k].deadline)", "rows[k].cost, others(rows, k, bounds), m, rows[k].deadline - 1)"),
        (G, "for _ in range(ROUNDS):", "for _ in range(1):"),
        (W, "jobs * row.cost + min(row.cost, max(0, rest - slack))", "jobs * row.cost"),
        (W, "jobs * row.cost + min(row.cost, max(0, rest - slack))", "jobs * row.cost + min(row.cost, rest)"),
        (W, "reach = window + response - row.cost", "reach = window"),
        (W, "low, wait = 0, most + 1 ", "low, wait = 0, most "),
    ],
    "edf carried": [
        (W, "return max(0, (window - row.deadline) // row.period + 1) * row.cost", "return max(0, (window - row.deadline) // row.period) * row.cost"),
        (W, "return jobs * row.cost + min(carried, row.cost - 1)\n\n\ndef without", "return jobs * row.cost\n\n\ndef without"),
        (W, "return jobs * row.cost + min(carried, row.cost - 1)\n\n\ndef without",
         "return jobs * row.cost + min(carried, row.cost)\n\n\ndef without"),
        (W, "carried = max(0, window - jobs * row.period - (row.deadline - response))", "carried = max(0, window - jobs * row.period)"),
        (R, "due, length = a + self.rows[k].deadline, a + x", "due, length = a + x, a + x"),
        (R, "due, length = a + self.rows[k].deadline, a + x", "due, length = a + self.rows[k].deadline, x"),
        (R, "due, length = a + self.rows[k].deadline, a + x", "due, length = a + self.rows[k].deadline, a + self.rows[k].deadline"),
        (R, "yield (due_within(row, due) - own,", "yield (due_within(row, due),"),
        (R, "due_with_carry_in(row, due, end) - own", "due_with_carry_in(row, due, end)"),
        (R, "nlargest(self.m - 1, (min(more", "nlargest(self.m, (min(more"),
        (R, "nlargest(self.m - 1, (min(more", "nlargest(self.m - 2, (min(more"),
        (R, "sum(min(less, cut) for less, _ in work)", "sum(less for less, _ in work)"),
        (R, "before, a = x, self.longest_before(k, x)", "before, a = x, 0"),
        (R, "if wait <= a + x - row.cost:", "if wait <= a + x - row.cost + 1:"),
        (R, "found[k] = windows.ends[k] = better", "found[k] = better"),
        (R, "return x if x <= row.deadline else None", "return x if x < row.deadline else None"),
    ],
    "fp": [
        (W, "reach = window + response - row.cost", "reach = window + row.period - row.cost"),
        (W, "return jobs * row.cost + min(rest, row.cost)", "return jobs * row.cost"),
        (W, "max(0, rest - (row.period - response))", "0"),
        (W, "row.cost + row.cost + min(carried, row.cost - 1)", "row.cost + row.cost + min(carried, row.cost)"),
        (W, "low, wait = 0, most + 1 ", "low, wait = 0, most "),
        (W, "if longer == window:", "if longer <= window + 1:"),
        (F, "nlargest(m - 1, gains)", "nlargest(m, gains)"),
        (F, "nlargest(m - 1, gains)", "nlargest(m - 2, gains)"),
        (F, "min(one, cut) for one in fresh)", "one for one in fresh)"),
        (F, "combinations(range(len(higher)), m - 1))", "combinations(range(len(higher)), m - 2))"),
        (F, "combinations(range(len(higher)), m - 1))", "combinations(range(len(higher)), m))"),
        (F, "bounds[k] = max(end for", "bounds[k] = min(end for"),
        (F, "work[i] = max(work[i], with_carry_in(higher[i][0], window, higher[i][1]))", "work[i] = workload(higher[i][0], window, higher[i][1])"),
        (F, "for row in rows[:k]) < m * wait", "for row in rows[:k]) <= m * wait"),
        (F, "wait = latest(rows[k]) - rows[k].cost + 1\n    return", "wait = latest(rows[k]) - rows[k].cost + 2\n    return"),
        (F, "others, m, row.period) for", "others, m, row.deadline) for"),
        (F, "bounds[k] > row.deadline)", "bounds[k] > row.deadline + 1)"),
    ],
    "carry-in": [
        (L, "cut = x - cost[k] + 1", "cut = x - cost[k]"),
        (L, "cut = x - cost[k] + 1", "cut = x + 0 * cost[k]"),
        (L, "(m * (cost - 1) + 1)", "(m * (cost - 1))"),
        (L, "(m * (cost - 1) + 1)", "(m * cost)"),
        (L, "np.maximum(0, (x - deadline) // period + 1) * cost - own * cost", "np.maximum(0, (x - deadline) // period) * cost - own * cost"),
        (L, "np.minimum(x % period, cost) - own * cost", "np.minimum(x % period, cost)"),
        (L, "if 1 < m <= len(table):", "if 1 < m <= len(table) + 9:\n        gain = gain * 0\n    elif False:"),
        (L, "<= m - 1 - larger.sum", "<= m - larger.sum"),
        (L, "asked.sum(axis=1) > given", "asked.sum(axis=1) >= given"),
        (L, "asks += m * rows[k].cost + supply.rate * supply.delay", "asks += 0"),
        (L, "[*zip(deadline, period), *zip(0 * period, period), *zip(cost, period)]", "[]"),
        (L, "if used >= supply.rate and rows:", "if used > 9 * supply.rate:"),
        ("supply.deterministic", "2 * (int(self.period) - int(self.budget)) if", "int(self.period) - int(self.budget) if"),
        ("supply.deterministic", "self.full * end + self.budget, self.full)", "self.full * end + self.budget, self.full + 1)"),
        (V, "low, high = (low, middle) if enough(middle)", "low, high = (low, middle) if enough(middle + 1)"),
        (V, "if high < period and full < cpus:", "if full < cpus:"),
        (V, "supply.cpus, \"global EDF on MPR\")", "supply.cpus - 1, \"global EDF on MPR\")"),
    ],
    "tardiness": [
        (T, "int(x + row.cost)", "int(x)"),
        (T, "most = ceil(total(rows)) - 1", "most = ceil(total(rows))"),
        (T, "shares[len(shares) - most + 1:]", "shares[len(shares) - most:]"),
        (T, "- costs[0])", ")"),
        (T, "total(rows) <= m and", "total(rows) < m and"),
    ],
    "partition": [
        (P, "(-loads[p], p)", "(loads[p], p)"),
        (P, "(loads[p], p)),\n    \"next", "(-loads[p], p)),\n    \"next"),
        (P, "list(range(last, len(loads)))", "list(range(len(loads)))"),
        (P, "if test([*bins[p], given[i]], supply)), None)", "if test([given[i]], supply)), None)"),
        (P, "lambda one: -one.utilization()", "lambda one: one.utilization()"),
        (P, "test([*bins[p], given[i]], supply)", "test([*bins[p], given[i]])"),
    ],
    "amc": [
        (M, "-(-w // j.period) * j.hi if j.high", "(w // j.period) * j.hi if j.high"),
        (M, "-(-w // j.period) * j.hi if j.high", "-(-w // j.period) * j.lo if j.high"),
        (M, "jobs * j.lo + max(0", "max(0"),
        (M, "early = [-(-before // k.period) for k in higher]", "early = [before // k.period for k in higher]"),
        (M, "return lambda w: sum(-(-w // j.period) * j.lo for j in higher)", "return lambda w: sum((w // j.period) * j.lo for j in higher)"),
        (M, "least_window(row.hi, hi_asks(higher, before), row.deadline)", "least_window(row.lo, hi_asks(higher, before), row.deadline)"),
        (M, "if longer > limit:", "if longer >= limit:"),
        (M, "for row in reversed(left):", "for row in reversed(left[-1:]):"),
    ],
    "edf-vd": [
        (E, "if low + wild <= 1:", "if low + calm <= 1:"),
        (E, "(1 - wild) / low", "(1 - calm) / low"),
        (E, "int(most * row.period)", "int(least * row.period)"),
        (E, "sum(Fraction(row.lo, deadlines[row.name]) for row in rows) > 1", "False"),
        (E, "calm / (1 - low) if", "calm / (1 + low) if"),
        (E, "if low + calm > 1 or wild > 1:", "if low + calm > 1:"),
    ],
    "mode change": [
        (M, "max(0, -(-w // j.period) - jobs) * j.hi", "0"),
        (C, "last = min(t, before)", "last = 0"),
        (C, "max(int(calm.sbf(t)), int(", "min(int(calm.sbf(t)), int("),
        (C, "wild.sbf(t - s)).min()", "wild.sbf(t - s)).max()"),
        (C, "ends = [np.array([0, last], np.int64), corners(calm, last), t - corners(wild, t)]", "ends = [np.array([0, last], np.int64)]"),
        (C, "lambda w: row.hi + asks(w), lambda t: supplied_through(t, before, calm, wild)", "lambda w: row.hi + asks(w), wild.sbf"),
        (C, "host.lo[row.name] is None or (row.hi and host.hi[row.name] is None)", "host.lo[row.name] is None"),
        (C, "if supplied(middle) >= work", "if supplied(middle) >= work - 1"),
        (C, "asks = hi_asks(higher, before)", "asks = hi_asks(higher, 0)"),
    ],
    "sensitivity": [
        (S, "low, high = (middle, high) if accepts(middle)", "low, high = (middle, high) if accepts(middle + 1)"),
        (S, "found = last_accepted(lambda x: accepts(-x), -high, -low)", "found = last_accepted(lambda x: accepts(-x), -high, -low - 1)"),
        (S, "None if found == last else (found + 1) * step", "None if found == last else (found + 2) * step"),
        (S, "int((alone.factor - 1) * work_of(one))", "int(alone.factor * work_of(one))"),
        ("scaled_tasks", "-(-cost * factor.numerator // factor.denominator)", "(cost * factor.numerator // factor.denominator)"),
        ("scaled_tasks", "min(due, period)", "due"),
    ],
}
HARMLESS = [
    (R, "for at in (self.bend(k, a), a - self.straight(k, x, a), a):", "for at in (a,):"),
    (R, "a = min(wait - x + row.cost - 1, a - self.straight(k, x, a))", "a = a - 1"),
    (R, "a = min(wait - x + row.cost - 1, a - self.straight(k, x, a))", "a = wait - x + row.cost - 1"),
    (G, "for test in (rta, bak, bar, rta_lc):", "for test in (bar, bak, rta, rta_lc):"),
    (L, "points = np.unique(np.concatenate([np.array([low, high], np.int64), *bends]))", "points = np.arange(low, high + 1)"),
    (C, "if supplied(middle) >= work", "if not supplied(middle) < work"),
]


def tasks_of(rows):
    """Tasks of the package under test."""
    task = __import__("sys").modules[f"{NAME}.system"].Task
    return [task(f"t{i}", wcet=r["cost"], period=r["period"], deadline=r["deadline"], priority=i + 1) for i, r in enumerate(rows)]


def mixed_of(rv, rows):
    """The same of both criticalities."""
    plain = tasks_of([row | {"cost": row["lo"]} for row in rows])
    return [rv.HighCriticality(task, row["hi"]) if row["high"] else task for task, row in zip(plain, rows)]


def rows_of(*rows):
    """(cost, deadline, period) of each."""
    return [{"cost": c, "deadline": d, "period": t} for c, d, t in rows]


def longest_before(rows, m):
    """No earlier beginning of a window counts: what is due in it, and what is carried in, against all that m pCPUs do."""
    asks = sum(Fraction(row["cost"], row["period"]) * (max(r["deadline"] for r in rows) + row["period"]) + row["cost"] for row in rows)
    return int(asks / (m - used(rows))) + 1


@pytest.fixture(scope="module")
def cases():
    """Small sets, and what the oracles say about them."""
    rng = random.Random(11)
    tight = [{"cost": c, "period": 10, "deadline": 10} for c in (5, 5, 5)]                  # GFB and BAK with equality, and a little more
    sets = [(tight, 2), ([{"cost": 50 * c["cost"] // 5, "period": 100, "deadline": 100} for c in tight[1:]] + [
        {"cost": 51, "period": 100, "deadline": 100}], 2)]
    sets += [(random_rows(rng, rng.randint(2, 6), m, top=14, load=0.85), m) for m in rng.choices([2, 2, 3], k=130)]
    sets.append((rows_of((3, 8, 8), (3, 12, 12), (1, 5, 5), (4, 17, 17), (3, 13, 13), (3, 13, 13)), 2))     # BAK turns on what is dense beside light
    edf = [(rows, m, {test: getattr(analysis_multicore, test)(rows, m) for test in ("gfb", "bak", "bcl")} |
            {"rta": analysis_multicore.edf_responses(rows, m)}) for rows, m in sets]
    fp = []
    for rows, m in sets:
        both = {}
        for way in ("limited", "all", "enumerated"):
            bounds = []
            for k in range(len(rows)):
                found = analysis_multicore.fp_response_by_choice(rows, k, bounds, m) if way == "enumerated" else \
                    analysis_multicore.fp_response(rows, k, bounds, m, way == "limited")
                if found is None:
                    break
                bounds.append(found)
            both[way] = bounds + [None] * (len(rows) - len(bounds))
        fp.append((rows, m, both, analysis_multicore.fp_bcl(rows, m)))
    supplies = [("mpr", 3, 7, 3), ("mpr", 4, 6, 2), ("dmpr", 4, 3, 1), ("dmpr", 3, 1, 2), ("mpr", 1, 2, 2), ("mpr", 1, 3, 3), ("dmpr", 3, 2, 1)]
    curves = {one: [(0 if one[0] == "mpr" else one[3] * t) + analysis_supply.budget_sbf(t, *one[1:3], one[1], one[3] if one[0] == "mpr" else 1)
                    for t in range(120)] for one in supplies}
    carried = []
    late = (rows_of((3, 10, 20), (1, 4, 4), (1, 9, 12), (3, 12, 19), (4, 8, 8)), supplies[2])            # only a later window shows it
    for rows, one in [late] + [(random_rows(rng, rng.randint(2, 5), 2, top=18, load=0.6), rng.choice(supplies)) for _ in range(200)]:
        cpus = one[3] + (one[0] == "dmpr")
        rate = Fraction(one[2], one[1]) + (one[3] if one[0] == "dmpr" else 0)
        if used(rows) < rate * Fraction(9, 10):
            whole = one[3] if one[0] == "dmpr" or one[2] == one[1] * one[3] else 0
            carried.append((rows, one, len(rows) <= whole or analysis_multicore.carry_in_fits(rows, curves[one], cpus)))
    tardy = [(rows, m, analysis_multicore.tardiness(rows, m)) for m in (2, 3) for rows in [random_rows(rng, 5, m, implicit=True) for _ in range(25)]]
    few = []
    while len(few) < 40:
        m, rows = rng.choice([1, 2, 2, 3]), random_rows(rng, rng.randint(2, 5), 2, top=10, load=0.9)
        if used(rows) < m and (end := longest_before(rows, m)) < 60:
            few.append((rows, m, analysis_multicore.edf_responses_limited(rows, m, end)))
    return {"edf": edf, "edf carried": few, "fp": fp, "carry-in": (carried, curves), "tardiness": tardy}


def edf_carried_agrees(rv, cases):
    for rows, m, bounds in cases["edf carried"]:
        if list(rv.global_edf_response_times(tasks_of(rows), m).values()) != (bounds if None not in bounds else [None] * len(rows)):
            return False
    return True


def edf_agrees(rv, cases):
    for rows, m, expected in cases["edf"]:
        tasks = tasks_of(rows)
        if any(bool(rv.global_edf_schedulable(tasks, m, test=test)) != expected[test] for test in ("gfb", "bak", "bcl")):
            return False
        bounds = expected["rta"]
        if list(rv.global_edf_response_times(tasks, m, carry_in="all").values()) != (bounds if None not in bounds else [None] * len(rows)):
            return False
    return True


def fp_agrees(rv, cases):
    for rows, m, both, bcl in cases["fp"]:
        tasks = tasks_of(rows)
        for way, bounds in both.items():
            if list(rv.global_fp_response_times(tasks, m, carry_in=way).values()) != bounds:
                return False
            if bool(rv.global_fp_schedulable(tasks, m, test={"limited": "rta-lc", "all": "rta", "enumerated": "rta-ce"}[way])) != all(
                    bound is not None and bound <= row["deadline"] for bound, row in zip(bounds, rows)):
                return False
        if bool(rv.global_fp_schedulable(tasks, m, test="bcl")) != bcl:
            return False
    return True


def supply_of(rv, one):
    """A supply by its kind."""
    kind = rv.MultiprocessorPeriodicResource if one[0] == "mpr" else rv.DeterministicMultiprocessorPeriodicResource
    return kind(*one[1:])


def carry_in_agrees(rv, cases):
    carried, curves = cases["carry-in"]
    for one, curve in curves.items():
        if supply_of(rv, one).sbf(list(range(120))).tolist() != curve:
            return False
    for rows, one, fits in carried:
        if bool(rv.mpr_schedulable(tasks_of(rows), supply_of(rv, one))) != fits:
            return False
    for rows, _, _ in sorted(carried, key=lambda case: used(case[0]))[:8]:
        tasks = tasks_of(rows)
        budgets = [q for q in range(9) if rv.mpr_schedulable(tasks, rv.MultiprocessorPeriodicResource(4, q, 2))]
        if rv.min_mpr_budget(tasks, 4, 2) != (budgets[0] if budgets else None):
            return False
        shapes = [rv.DeterministicMultiprocessorPeriodicResource(3, q, full) for full in range(3) for q in range(3)]
        whole = [(shape.full, shape.budget) for shape in shapes if rv.mpr_schedulable(tasks, shape)]
        fixed = rv.min_dmpr(tasks, 3, 2)
        if whole and (fixed.full, fixed.budget) != whole[0]:
            return False
    full = tasks_of([{"cost": 2, "period": 2, "deadline": 2}] * 2)           # as much as there is
    return not rv.global_edf_schedulable(full, 2, test="bar") and rv.min_dmpr(full, 2).vcpu_budgets == [2, 2] and rv.min_mpr_budget(full, 2, 2) == 4


def tardiness_agrees(rv, cases):
    whole = tasks_of([{"cost": 1, "period": 2, "deadline": 2}] * 4)
    return all(list(rv.edf_tardiness(tasks_of(rows), m).values()) == late for rows, m, late in cases["tardiness"]) and \
        list(rv.edf_tardiness(whole, 2).values()) == analysis_multicore.tardiness([{"cost": 1, "period": 2}] * 4, 2)


def partition_agrees(rv, cases):
    rows = [{"cost": c, "period": 10, "deadline": 10} for c in (5, 7, 4, 3, 2)]
    chosen = [[rv.partition(tasks_of(rows), 3, h, "given").assignment[f"t{i}"] for i in range(5)]
              for h in ("first-fit", "best-fit", "worst-fit", "next-fit")]
    if chosen != [[0, 1, 0, 1, 2], [0, 1, 0, 1, 2], [0, 1, 2, 2, 0], [0, 1, 2, 2, 2]]:
        return False
    few = rows[:2] + rows[4:]
    if [rv.partition(tasks_of(few), 2, h, "given").assignment["t2"] for h in ("first-fit", "best-fit", "worst-fit", "next-fit")] != [0, 1, 0, 1]:
        return False
    if list(rv.partition(tasks_of(rows), 3).assignment)[0] != "t1":
        return False
    return rv.partition(tasks_of(few), 2).left is None and rv.partition(tasks_of(rows), 2, supply=rv.PeriodicResource(10, 6)).left == "t1"


def amc_agrees(rv, cases):
    rng = random.Random(5)
    for _ in range(60):
        rows = mixed_rows(rng, rng.randint(2, 4), top=14)
        found, expected = rv.amc_schedulable(mixed_of(rv, rows)), analysis_mixed.amc_bounds(rows)
        if list(found.lo.values()) != [one for one, _ in expected]:
            return False
        if list(found.hi.values()) != [two for row, (_, two) in zip(rows, expected) if row["high"]]:
            return False
        if rv.amc_schedulable(mixed_of(rv, rows)) and not rv.amc_schedulable(mixed_of(rv, rows), priorities="audsley"):
            return False
        if passes(rows[::-1]) and not rv.amc_schedulable(mixed_of(rv, rows), priorities="audsley"):
            return False
    return True


def has_factor(rows):
    """Whether some x, in whole units of some task's deadline, leaves enough in both modes."""
    low, calm, wild = (sum(Fraction(row[kind], row["period"]) for row in rows if row["high"] == high)
                       for kind, high in (("lo", False), ("lo", True), ("hi", True)))
    if low + calm > 1 or wild > 1 or low + wild <= 1:
        return low + calm <= 1 and wild <= 1
    high = [row for row in rows if row["high"]]
    for x in {Fraction(v, row["period"]) for row in high for v in range(1, row["period"])}:
        virtual = [int(x * row["period"]) for row in high]
        if x * low + wild <= 1 and min(virtual) and low + sum(Fraction(row["lo"], v) for row, v in zip(high, virtual)) <= 1:
            return True
    return False


def edf_vd_agrees(rv, cases):
    """Nothing that is accepted misses, whatever overruns; what is rejected has no x, in whole units."""
    rng = random.Random(6)
    for _ in range(160):
        rows = mixed_rows(rng, rng.choice([2, 3]), top=9, implicit=True)
        found = rv.edf_vd_schedulable(mixed_of(rv, rows))
        if bool(found) != has_factor(rows):
            return False
        if isinstance(found.witness, rv.NoFactor):
            low, calm = (sum(Fraction(row["lo"], row["period"]) for row in rows if row["high"] == high) for high in (False, True))
            if found.witness.least * (1 - low) != calm:
                return False
        if found:
            virtual = [row | {"virtual": found.deadlines[f"t{i}"]} for i, row in enumerate(rows)]
            overruns = [(i, job) for i, row in enumerate(rows) if row["high"] and row["hi"] > row["lo"] for job in range(3)]
            if any(analysis_mixed.run(virtual, [0] * len(rows), overrun, 50, "edf").late(50) for overrun in overruns):
                return False
    return True


def mode_change_agrees(rv, cases):
    rng = random.Random(7)
    for _ in range(150):
        vms = []
        for _ in range(rng.choice([1, 2, 3])):
            period = rng.randint(3, 9)
            rows = mixed_rows(rng, rng.choice([1, 2]), top=30, load=0.4)
            rows = [row | {"period": 2 * row["period"], "deadline": 2 * row["deadline"]} for row in rows]
            critical, budget = any(row["high"] for row in rows), rng.randint(1, max(1, period // 2))
            vms.append({"period": period, "budget": budget, "critical": critical, "tasks": rows,
                        "budget_hi": rng.randint(budget, min(period, 2 * budget)) if critical else rng.randint(0, budget)})
        made = [rv.ModalVM(f"v{v}", vm["period"], vm["budget"], vm["budget_hi"], mixed_of(rv, vm["tasks"]), v + 1) for v, vm in enumerate(vms)]
        found, all_fit = rv.mode_change_schedulable(made), analysis_mixed.host_fits(vms)
        for v, vm in enumerate(vms):
            calm, wild = ([analysis_supply.budget_sbf(t, vm["period"], q, vm["period"]) for t in range(70)] for q in (vm["budget"], vm["budget_hi"]))
            bounds = analysis_mixed.guest_bounds(vm["tasks"], calm, wild)
            if list(found.lo[f"v{v}"].values()) != [one for one, _ in bounds]:
                return False
            if list(found.hi[f"v{v}"].values()) != [b for row, (_, b) in zip(vm["tasks"], bounds) if row["high"]]:
                return False
            all_fit = all_fit and all(a is not None and (b is not None or not row["high"]) for row, (a, b) in zip(vm["tasks"], bounds))
        if bool(found) != all_fit:
            return False
    watch = {"lo": 1, "hi": 1, "period": 90, "deadline": 90, "high": True}
    for period, less, before, after in ((p, q, b, a) for p in (2, 3, 4) for q in (0, 1) for b in (1, 2, 3) for a in range(b, 9)):
        vms = [{"period": period, "budget": 1, "budget_hi": less, "critical": False, "tasks": []},
               {"period": 9, "budget": before, "budget_hi": after, "critical": True, "tasks": [watch]}]
        made = [rv.ModalVM(f"v{v}", vm["period"], vm["budget"], vm["budget_hi"], mixed_of(rv, vm["tasks"]), v + 1) for v, vm in enumerate(vms)]
        if bool(rv.mode_change_schedulable(made).host) != analysis_mixed.host_fits(vms):
            return False
    return True


def sensitivity_agrees(rv, cases):
    rng = random.Random(8)
    for _ in range(10):
        rows = random_rows(rng, 3, 1, load=0.7)
        tasks = tasks_of([{k: 7 * x for k, x in row.items()} for row in rows])
        good = [k for k in range(1, 60) if rv.fp_schedulable([t.replace(wcet=-(-t.wcet * k // 10)) for t in tasks])]
        found = rv.wcet_scaling(tasks, rv.fp_schedulable, step=Fraction(1, 10))
        if (found and (found.factor, found.beyond)) != ((Fraction(good[-1], 10), Fraction(good[-1] + 1, 10)) if good else None):
            return False
        good = [c for c in range(1, 100) if rv.fp_schedulable([tasks[0].replace(wcet=c), *tasks[1:]])]
        margin = rv.robustness_margin(tasks, rv.fp_schedulable)
        if margin and margin.each and margin.each["t0"] != good[-1] - tasks[0].wcet:
            return False
        good = [q for q in range(11) if rv.fp_schedulable(tasks, rv.PeriodicResource(10, q))]
        poorest = rv.supply_scaling(rv.PeriodicResource(10, 9), lambda supply: rv.fp_schedulable(tasks, supply))  # noqa: B023
        if (poorest and poorest.budget) != (good[0] if good else None):
            return False
    task = __import__("sys").modules[f"{NAME}.system"].Task
    short = rv.period_scaling([task("a", wcet=2, period=20, deadline=15)], lambda tasks: tasks[0].deadline <= tasks[0].period and tasks[0].period > 3)
    whole = rv.supply_scaling(rv.PeriodicResource(10, 9), lambda supply: supply.budget == 10)
    return short is not None and short.tasks[0].deadline == 4 and whole.budget == 10 and \
        rv.supply_scaling(rv.PeriodicResource(10, 9), bool).budget == 0


AGREES = {"edf": edf_agrees, "edf carried": edf_carried_agrees,
          "fp": fp_agrees, "carry-in": carry_in_agrees, "tardiness": tardiness_agrees, "partition": partition_agrees,
          "amc": amc_agrees, "edf-vd": edf_vd_agrees, "mode change": mode_change_agrees, "sensitivity": sensitivity_agrees}


@pytest.mark.parametrize("part", AGREES)
def test_the_unchanged_package_agrees(cases, part):
    assert AGREES[part](loaded("requests", "total = 0", "total = 0"), cases)


@pytest.mark.parametrize(("part", "mutant"), [(part, mutant) for part, mutants in MUTANTS.items() for mutant in mutants],
                         ids=lambda x: x if isinstance(x, str) else f"{x[0]}: {x[2].strip()[:50]}")
def test_mutants_are_caught(cases, part, mutant):
    try:
        assert not AGREES[part](loaded(*mutant), cases)
    except (IndexError, ZeroDivisionError, StopIteration, OverflowError, FloatingPointError, ValueError, KeyError, AttributeError):
        pass                                                   # it fell over: caught, too


@pytest.mark.parametrize("mutant", HARMLESS, ids=lambda x: f"{x[0]}: {x[2].strip()[:50]}")
def test_harmless_changes_survive(cases, mutant):
    rv = loaded(*mutant)
    assert all(AGREES[part](rv, cases) for part in ("edf", "edf carried", "carry-in", "mode change"))
