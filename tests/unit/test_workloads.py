"""Generators: uniform where they say so, by a test that wrong ones fail; the same bits everywhere; and what they refuse."""

from __future__ import annotations

import hashlib
import math
from itertools import combinations

import numpy as np
import pytest

import rtvirt as rv
from rtvirt.errors import LimitError, SpecError
from rtvirt.jit import DISABLED
from rtvirt.units import ms, s
from rtvirt.workloads import (
    AUTOMOTIVE,
    Automotive,
    Harmonic,
    LogUniform,
    simplex,
    sporadic_arrivals,
    system,
    taskset,
    tasksets,
    uunifast,
    uunifast_discard,
)
from rtvirt.workloads import kernels as kernels_of

SETS = 1000 if DISABLED else 40_000
BINS = 16


def chi_square(found: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """The statistic, and what it exceeds once in a million times (Wilson and Hilferty's approximation)."""
    k = len(expected) - 1
    limit = k * (1 - 2 / (9 * k) + 4.75 * math.sqrt(2 / (9 * k))) ** 3
    return float(((found - expected) ** 2 / expected).sum()), limit


def volume(widths, total: float) -> float:
    """Of the box's slice at this sum, up to a factor: by inclusion and exclusion of the entries beyond their bounds."""
    n = len(widths)
    rests = [((-1) ** k, total - sum(some)) for k in range(n + 1) for some in combinations(widths, k)]
    return sum(sign * rest ** (n - 1) for sign, rest in rests if rest > 0)


def marginals_fit(points: np.ndarray, widths, total: float) -> bool:
    """Whether every entry is distributed as under the uniform distribution on the slice."""
    for i, width in enumerate(widths):
        others = [w for j, w in enumerate(widths) if j != i]
        grid = np.linspace(0, width, 40 * BINS + 1)
        middles = (grid[1:] + grid[:-1]) / 2
        share = np.array([volume(others, total - x) for x in middles]).clip(0).reshape(BINS, -1).sum(axis=1)
        share /= share.sum()
        expected = share * len(points)
        found, used = np.histogram(points[:, i], bins=grid[::40])[0], expected > 5
        statistic, limit = chi_square(found[used], expected[used])
        if statistic > limit or found[~used].sum() > 30:         # bins that are hardly hit: at most that often together
            return False
    return True


CASES = [((1, 1, 1), 1.5), ((1, 1, 1, 1), 1.2), ((1, 1, 1, 1), 3.1), ((1, 0.5, 0.25, 1), 1.4), ((0.2, 0.9, 0.4), 0.5), ((1,) * 8, 3.2), ((1, 1), 1.3)]


@pytest.mark.parametrize(("widths", "total"), CASES)
def test_marginals_are_those_of_the_uniform_distribution(widths, total, seed):
    points = simplex(len(widths), total, high=widths, sets=SETS, seed=seed)
    assert np.allclose(points.sum(axis=1), total) and (points >= 0).all() and (points <= widths).all()
    assert marginals_fit(points, widths, total)


def rejected(widths, total, count, rng):
    """Uniform for sure: all but the last entry uniform, the last one what is left, if it fits."""
    kept = []
    while sum(map(len, kept)) < count:
        points = rng.uniform(0, widths, (8 * count, len(widths)))
        points[:, -1] = total - points[:, :-1].sum(axis=1)
        kept.append(points[(points[:, -1] >= 0) & (points[:, -1] <= widths[-1])])
    return np.concatenate(kept)[:count]


def cells(points: np.ndarray, widths) -> np.ndarray:
    """Which cell each point is in: of three slices for each of the first three entries, and of who is largest."""
    parts = (points[:, :3] / widths[:3] * 3).astype(int).clip(0, 2)
    return parts @ np.array([1, 3, 9]) + 27 * (points / widths).argmax(axis=1)


def same_cells(points, other, widths) -> bool:
    """Two samples of one size in the same cells as often (chi-square of two samples)."""
    counts = [np.bincount(cells(p, widths), minlength=27 * len(widths)).astype(float) for p in (points, other)]
    used = counts[0] + counts[1] > 20
    a, b = counts[0][used], counts[1][used]
    k = len(a) - 1
    return float(((a - b) ** 2 / (a + b)).sum()) <= k * (1 - 2 / (9 * k) + 4.75 * math.sqrt(2 / (9 * k))) ** 3


@pytest.mark.parametrize(("widths", "total"), [((1, 1, 1, 1), 1.7), ((1, 1, 1, 1), 2.6), ((1, 0.5, 0.7, 0.9), 1.2), ((1, 1, 1, 0.3), 1.0)])
def test_the_cells_are_hit_as_by_rejection(widths, total, seed):
    w = np.array(widths)
    assert same_cells(simplex(4, total, high=w, sets=SETS, seed=seed), rejected(w, total, SETS, np.random.default_rng(seed)), w)


def scaled_draws(widths, total, count, rng):
    """A common shortcut: independent draws, scaled to the sum, kept if they fit."""
    points = rng.uniform(0, widths, (20 * count, len(widths)))
    points *= (total / points.sum(axis=1))[:, None]
    return points[(points <= widths).all(axis=1)][:count]


def clipped(widths, total, count, rng):
    """Another: points of the whole simplex, what is above a bound moved to the others in proportion to their room (as rescaling does)."""
    points = rng.dirichlet(np.ones(len(widths)), count) * total
    for _ in range(60):
        over = np.maximum(0, points - widths).sum(axis=1, keepdims=True)
        points = np.minimum(points, widths)
        room = widths - points
        points = points + over * room / np.maximum(1e-12, room.sum(axis=1, keepdims=True))
    return points


@pytest.mark.skipif(DISABLED, reason="needs as many points as the kernels make")
@pytest.mark.parametrize("shortcut", [scaled_draws, clipped])
def test_shortcuts_are_found_out(shortcut, seed):
    rng, w, total = np.random.default_rng(seed), np.ones(4), 1.7
    wrong = shortcut(w, total, SETS, rng)
    assert len(wrong) == SETS and np.allclose(wrong.sum(axis=1), total)
    assert not same_cells(wrong, rejected(w, total, SETS, rng), w)
    assert not marginals_fit(wrong, w, total)


@pytest.mark.parametrize(("assumed", "right"), [(1.0, False), (2.0, True)])
def test_a_tilt_that_does_not_cancel_is_found_out(assumed, right, seed):
    """Drawn with one tilt and accepted as if with another, the points are not uniform; with the same one they are."""
    w, rest, drawn, out = np.ones(4), 1.2, 2.0, np.empty((4 * SETS, 4))
    mass = 1 - np.exp(-drawn * w) if right else (1 - np.exp(-drawn * w)) * 0.8
    kernels_of.tilted(*kernels_of.keys(seed, 0), 0, rest, w, mass, assumed, min(1.0, 1 / assumed), out)
    assert marginals_fit(out, w, rest) == right


def test_uunifast_is_uniform_and_discarding_is_the_bounded_simplex(seed):
    points = uunifast(4, 0.8, sets=SETS, seed=seed)
    assert np.allclose(points.sum(axis=1), 0.8) and marginals_fit(points, (0.8,) * 4, 0.8)
    points = uunifast_discard(4, 1.7, sets=SETS, seed=seed)
    w = np.ones(4)
    assert marginals_fit(points, w, 1.7) and same_cells(points, rejected(w, 1.7, SETS, np.random.default_rng(seed)), w)


def test_the_same_bits_everywhere():
    """On every machine, with and without the JIT, in one piece and in slices."""
    parts = [uunifast(6, 0.7, sets=40, seed=9), simplex(6, 2.5, sets=40, seed=9), simplex(4, 1.0, high=[0.3, 0.9, 0.2, 0.7], sets=40, seed=9),
             uunifast_discard(3, 1.4, sets=40, seed=9), LogUniform(ms(1), s(1)).draw(6, sets=40, seed=9), Automotive().draw(6, sets=40),
             *tasksets(5, 0.9, sets=40, seed=2**63, deadlines=(0.2, 0.9))]
    assert hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16] == "bf27c236f4ff29d3"
    for make in (lambda **k: uunifast(5, 0.5, **k), lambda **k: simplex(5, 2.4, low=0.1, **k), lambda **k: tasksets(5, 0.5, **k).cost):
        assert (make(sets=12, seed=3)[5:] == make(sets=7, seed=3, first=5)).all() and (make(sets=3, seed=3) != make(sets=3, seed=4)).any()


def test_logarithms_are_right():
    for x in [2.0**-33, 1e-7, 0.1, 0.5, 0.7071, 0.7072, 0.99999, 1.0, 3.7, 1e9]:
        got = plain_logarithm(x)
        assert abs(got - math.log(x)) <= 4 * math.ulp(abs(math.log(x))) + 1e-18


def plain_logarithm(x: float) -> float:
    """The kernel, interpreted."""
    function = getattr(kernels_of.logarithm, "py_func", kernels_of.logarithm)
    return function(x)


def test_periods(seed):
    logs = np.log(LogUniform(ms(1), s(1)).draw(4, sets=SETS, seed=seed).ravel())
    found = np.histogram(logs, bins=np.linspace(math.log(ms(1)), math.log(s(1)) + 1e-9, 21))[0]
    statistic, limit = chi_square(found, np.full(20, len(logs) / 20))
    assert statistic < limit
    assert set((LogUniform(ms(1), ms(9), grain=ms(1)).draw(3, sets=200) % ms(1)).ravel().tolist()) == {0}
    found = Automotive().draw(4, sets=SETS, seed=seed).ravel()
    assert set(np.unique(found // ms(1)).tolist()) <= set(AUTOMOTIVE)
    shares = np.array(list(AUTOMOTIVE.values())) / 85
    statistic, limit = chi_square(np.array([(found == ms(t)).sum() for t in AUTOMOTIVE]), shares * len(found))
    assert statistic < limit and shares.sum() == pytest.approx(1)
    chain = np.unique(Harmonic(ms(3), ms(200), ratio=3).draw(5, sets=200, seed=seed))
    assert chain.tolist() == [ms(3), ms(9), ms(27), ms(81)]


def test_sets_are_what_the_analysis_wants(seed):
    some = tasksets(7, 0.8, sets=200, seed=seed, periods=Automotive(), deadlines=(0.3, 1))
    assert (np.diff(some.deadline, axis=1) >= 0).all() and (some.cost <= some.deadline).all() and (some.deadline <= some.period).all()
    assert np.abs((some.cost / some.period).sum(axis=1) - 0.8).max() < 1e-4
    single = taskset(7, 0.8, seed=seed, periods=Automotive(), deadlines=(0.3, 1))
    assert [(t.wcet, t.period, t.deadline) for t in single] == [tuple(row) for row in np.stack([a[0] for a in some[:3]], axis=1).tolist()]
    bounds = rv.analysis.batch.fp_response_times(*some[:3])
    alone = rv.analysis.fp_response_times(single)              # tells a bound that is later than the deadline, too; for whole arrays it is −1
    expected = [bound if bound and bound <= task.deadline else None for task, bound in zip(single, alone.values())]
    assert [None if x < 0 else x for x in bounds[0].tolist()] == expected
    assert (tasksets(3, 0.5, sets=5, deadlines=(0, 0)).deadline == tasksets(3, 0.5, sets=5, deadlines=(0, 0)).cost).all()


def test_systems_run():
    made = system(2, 3, 0.7, seed=4, best_effort=1, arrival="sporadic", deadlines=(0.5, 1), margin=0.3)
    assert made["rt1"].tasks[0].arrival == "sporadic" and made["rt1"].budget > 0 and made["be1"].tasks[0].is_hog
    assert made == system(2, 3, 0.7, seed=4, best_effort=1, arrival="sporadic", deadlines=(0.5, 1), margin=0.3) != system(2, 3, 0.7, seed=5)
    run = rv.simulate(made, rv.RTDS(), ms(200)).check()
    assert run.vms["share"].sum() <= 1 + 1e-9


def test_arrivals_keep_their_distance(seed):
    times = sporadic_arrivals(ms(5), s(60), mean=ms(8), seed=seed)
    gaps = np.diff(times)
    assert gaps.min() >= ms(5) and abs(gaps.mean() - ms(8)) < ms(0.2) and times[-1] < s(60) and gaps.max() > ms(15)
    assert rv.Task("io", wcet=1, releases=times[:5]).releases == times[:5]
    assert len(sporadic_arrivals(0, s(1), mean=ms(1), seed=seed)) in range(850, 1150)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: uunifast(0, 1), "n is 0; allowed: a whole number, 1"),
    (lambda: uunifast(3, math.nan), "total is nan"),
    (lambda: uunifast(3, 1, sets=-1), "sets is -1"),
    (lambda: uunifast_discard(3, 4), "at most n·high = 3"),
    (lambda: simplex(3, 4), "total is 4; allowed: 0 to 3"),
    (lambda: simplex(3, 1, high=[1, 2]), "high is [1, 2]; allowed: a number, or 3 of them"),
    (lambda: simplex(3, 1, low=0.5, high=0.4), "low is 0.5"),
    (lambda: LogUniform(10, 5), "LogUniform.low is 10; allowed: at most high, 5"),
    (lambda: LogUniform(0, 5), "LogUniform.low is 0"),
    (lambda: LogUniform(10, 50, grain=11), "LogUniform.grain is 11"),
    (lambda: Harmonic(1, 2, ratio=1), "Harmonic.ratio is 1"),
    (lambda: tasksets(3, 0.5, deadlines=(0.5, 2)), "deadlines is (0.5, 2)"),
    (lambda: tasksets(3, 0.5, high=2), "high is 2"),
    (lambda: tasksets(3, 0.5, periods=5), "periods is 5; allowed: LogUniform"),
    (lambda: sporadic_arrivals(5, 100, mean=5), "0 <= least < mean")])
def test_what_cannot_be_drawn(call, words):
    with pytest.raises(SpecError, match="(?s).*") as error:
        call()
    assert words in str(error.value)


@pytest.mark.skipif(DISABLED, reason="ten thousand candidates take long without the JIT")
def test_hopeless_discarding_says_so():
    with pytest.raises(LimitError, match="use simplex"):
        uunifast_discard(20, 19.5)
    assert simplex(20, 19.5, sets=50).max() <= 1


def test_edges():
    assert simplex(3, 0.0).tolist() == [[0, 0, 0]] and simplex(3, 3.0).tolist() == [[1, 1, 1]] and simplex(1, 0.4).tolist() == [[0.4]]
    assert uunifast(1, 0.4).tolist() == [[0.4]] and uunifast(4, 0.4, sets=0).shape == (0, 4)
    assert simplex(4, 2, low=[0.5, 0.5, 0, 1], high=[0.5, 0.5, 0, 1]).tolist() == [[0.5, 0.5, 0, 1]]
    tight = simplex(5, 2.0, low=[0.9, 0, 0, 0, 0], high=[1, 1, 1, 1e-9, 1e-9], sets=50)
    assert np.allclose(tight.sum(axis=1), 2) and (tight[:, 3:] <= 1e-9).all() and (tight[:, 0] >= 0.9).all()


# ------------------------------------------------------------------ Mignerey et al.


def test_the_published_five_vms():
    from rtvirt import workloads as w

    credit, rtds, priority = w.mignerey("Credit"), w.mignerey("RTDS_A", seed=7), w.mignerey("Priority")
    assert [vm.name for vm in credit.vms] == ["Heavy_CPU", "Light_CPU", "IO", "RT1", "RT2"]
    assert [vm.weight for vm in credit.vms] == [256, 128, 512, 512, 512]
    assert [(vm.budget, vm.period, vm.extratime) for vm in rtds.vms] == [
        (ms(14), ms(50), True), (ms(7), ms(50), True), (ms(0.25), ms(2.5), True), (ms(2), ms(10), False), (ms(4), ms(20), False)]
    assert sorted(priority.vms, key=lambda vm: vm.priority)[0].name == "IO" and priority["RT1"].priority < priority["RT2"].priority
    assert [vm.bvt.mcu_advance for vm in w.mignerey("BVT").vms] == [16, 32, 8, 8, 8]
    tasks = [vm.tasks[0] for vm in rtds.vms]
    assert [task.is_hog for task in tasks] == [True, True, False, False, False] and tasks[2].arrival == "poisson"
    assert [(task.wcet.low, task.wcet.high, task.period) for task in tasks[3:]] == [(ms(1), ms(2), ms(10)), (ms(2), ms(4), ms(20))]
    offsets = {w.mignerey("Credit", seed=seed)["RT1"].tasks[0].offset for seed in range(200)}
    assert max(offsets) < ms(1) and len(offsets) > 150 and {offset % 1000 for offset in offsets} == {0}


def test_who_stands_for_whom():
    from rtvirt import workloads as w

    assert len(w.STAND_INS) == 10 and set(w.STAND_INS) == set(w.parameters()) - {"all"}        # nine schedulers, RTDS twice
    found = w.mignerey_schedulers()
    assert repr(found["Credit"]) == repr(rv.Credit()) and repr(found["PRM"]) == repr(rv.FixedPriority())
    with pytest.raises(SpecError, match="there is no scheduler yet"):
        w.mignerey_scheduler("IORR")
    with pytest.raises(SpecError, match="configuration is 'SEDF'; allowed: Cyclic, Credit"):
        w.mignerey("SEDF")


def test_the_published_comparison_runs(seed):
    found = rv.sweep(rv.sweeps.published.mignerey, dict(configuration=["RTDS_A", "RTDS_B", "Priority"], seed=[seed], duration=[ms(300)]),
                     progress=False, errors="raise")
    assert found["miss_ratio"].tolist() == [0, 0, 0] and (found["idle"] == 0).all() and (found["switches"] > 50).all()
    assert found["heavy_share"][2] == 1 and 0.4 < found["heavy_share"][0] < 0.8      # of equals the first runs on
    assert found["io_latency"][2] <= found["io_latency"][1]                           # the I/O VM is the most important one


@pytest.mark.parametrize("configuration", ["Cyclic", "Credit", "Credit2", "RTDS_A", "RTDS_B", "Priority", "BVT", "PRR", "PRM"])
def test_every_stand_in_keeps_its_promises_with_the_five_vms(configuration, seed):
    from rtvirt import workloads as w

    run = rv.simulate(w.mignerey(configuration, seed=seed), w.mignerey_scheduler(configuration), ms(400), seed).check()
    used = run.vms["runtime"].sum() / run.duration
    assert used < 0.95 if configuration == "Cyclic" else used == 1, "a table leaves its windows idle; the others leave extra time to hogs"
    share = run.vms["share"]
    assert share["Heavy_CPU"] > share["Light_CPU"] or configuration == "Credit", "twice the weight or budget, or the first of equals"
    assert 0.2 < share["RT1"] + share["RT2"] < 0.4 and (share["Light_CPU"] == 0) == (configuration in ("Priority", "PRR", "PRM"))
