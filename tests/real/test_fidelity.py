"""The model against a real Xen: the table of docs/fidelity.md, as it stands; these tests fail when it gets worse."""

from __future__ import annotations

import gzip
import shutil

import pytest

import rtvirt as rv
from rtvirt import xentrace

FOLDER = rv.data.FOLDER / "xen-traces"
# window: share [pp], KS of slices, KS of latencies, at most
FREE = {
    "E1a_credit_w256_512_1024": (0.15, 0.09, None), "E1b_credit_w256x3": (0.2, 0.07, None), "E2a_credit_cap25_alone": (0.9, 0.03, None),
    "E2c_credit_cap25_cap50_hog": (0.35, 0.12, None), "E3a_credit_p10w1_2hogs": (3.1, 0.11, 0.015),
    "E3b_credit_p7w1_2hogs": (0.2, 0.02, 0.01), "E3e_credit_all4_p10w2": (0.01, 0.02, 0.01),
    "E5a_credit_tslice5_w256_512_1024": (0.15, 0.04, None), "E5d_credit_rl0_p7w1_2hogs": (0.1, 0.02, 0.001),
    "D1_credit_2pcpu_3hogs": (0.35, 0.21, None),
}
FORCED = {"E1a_credit_w256_512_1024": 0.984, "E1b_credit_w256x3": 0.982, "E2c_credit_cap25_cap50_hog": 0.917, "E3a_credit_p10w1_2hogs": 0.975,
          "E3b_credit_p7w1_2hogs": 0.986, "E3e_credit_all4_p10w2": 0.996, "E5a_credit_tslice5_w256_512_1024": 0.949,
          "E5d_credit_rl0_p7w1_2hogs": 0.914}


def replay(window: xentrace.Window) -> rv.Run:
    """The model with measured wake-ups, demands and clocks."""
    clocks = {"tick_times": window.ticks.tolist(), "account_times": window.accountings.tolist()}
    return rv.simulate(window.system(), window.scheduler(), window.duration, initial=clocks)


@pytest.mark.parametrize("name", list(FREE))
def test_free_run(name):
    window = xentrace.load(FOLDER, name)
    found = xentrace.fidelity(window, replay(window), forced=False)
    share, slices, latency = FREE[name]
    print(name, found.share_pp, found.slice_ks, found.wakeup_ks)
    assert found.share_pp <= share and found.slice_ks <= slices
    if latency is not None:
        assert found.wakeup_ks <= latency


@pytest.mark.parametrize("name", list(FORCED))
def test_forced_decisions(name):
    found = xentrace.forced_agreement(xentrace.load(FOLDER, name))
    print(name, found.agreement, found.boosts_agreed, found.boosts)
    assert found.agreement >= FORCED[name]


def test_starvations_of_E3a():
    window = xentrace.load(FOLDER, "E3a_credit_p10w1_2hogs")
    real, model = (t[(t["vm"] == "d1") & (t["latency"] > 50_000_000) & (t["woken"] > 2_500_000_000)] for t in
                   (window.wakeups, replay(window).wakeups))
    assert len(real) == 4
    near = sum(any(abs(w - m.woken) < 1e6 and abs(latency - m.latency) < 1e6 for m in model.itertuples())
               for w, latency in zip(real["woken"], real["latency"]))
    print(f"{near} of 4 starvations within 1 ms")
    assert near == 4


def test_windows_from_any_folder_without_optional_files(tmp_path):
    name = "E1b_credit_w256x3"
    for file in ("experiments.csv", f"{name}.runs.csv.gz", f"{name}.wakes.csv.gz"):
        shutil.copy(FOLDER / file, tmp_path)
    window = xentrace.load(tmp_path, name)
    assert window.events is None and len(window.ticks) == 0
    found = xentrace.fidelity(window, rv.simulate(window.system(), window.scheduler(), window.duration))
    assert found.share_pp < 1 and found.decisions != found.decisions


def test_bad_windows(tmp_path):
    name = "E1b_credit_w256x3"
    with pytest.raises(rv.SpecError, match="experiments.csv"):
        xentrace.load(tmp_path, name)
    shutil.copy(FOLDER / "experiments.csv", tmp_path)
    with pytest.raises(rv.SpecError, match="E3b_credit"):
        xentrace.load(tmp_path, "E9")
    whole = (FOLDER / f"{name}.runs.csv.gz").read_bytes()
    (tmp_path / f"{name}.runs.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(rv.SpecError, match="cut off"):
        xentrace.load(tmp_path, name)
    (tmp_path / f"{name}.runs.csv.gz").write_bytes(gzip.compress(b"start_ns,cpu\n1,0\n"))
    with pytest.raises(rv.SpecError, match="also end_ns"):
        xentrace.load(tmp_path, name)
    (tmp_path / f"{name}.runs.csv.gz").write_bytes(gzip.compress(b"start_ns,end_ns,cpu,dom,vcpu,end\n1,x,0,1,0,blocked\n"))
    with pytest.raises(rv.SpecError, match=":2"):
        xentrace.load(tmp_path, name)
