"""RTDS against a real Xen: free runs beside the trace (data/fidelity/rtds.csv); these tests fail when they get worse."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
from rtds_table import FOLDER, NAMES, TABLE, measure

import rtvirt as rv
from rtvirt import xentrace
from rtvirt.jit import DISABLED

EXPECTED = pd.read_csv(TABLE, index_col="window")
pytestmark = pytest.mark.skipif(DISABLED, reason="ten seconds of a trace take a minute without the JIT")


@pytest.mark.parametrize("name", NAMES)
def test_no_rtds_window_has_become_worse(name):
    found, expected = measure(name), EXPECTED.loc[name]
    print(found)
    assert found["time"] >= expected["time"] - 1e-5 and found["dispatches"] >= expected["dispatches"] - 1e-5
    assert found["late"] == expected["late"] and found["late_agreed"] >= expected["late_agreed"]
    assert found["share_pp"] <= expected["share_pp"] + 1e-3
    assert found["time"] >= {"E4a": 0.999, "E4b": 0.995, "E4d": 0.999}[name[:3]]
    assert expected["time_without_ticks"] - 1e-5 <= found["time_without_ticks"] <= found["time"]


def test_fidelity_takes_windows_of_rtds():
    """The same call as for credit; there is no walk, so nothing is said of single decisions."""
    real = xentrace.load(FOLDER, NAMES[0])
    found = xentrace.fidelity(real, rv.simulate(real.system(), real.scheduler(), real.duration))
    assert found.share_pp < 0.05 and np.isnan(found.decisions) and found.boosts == (0, 0) and found.fitted


def test_late_replenishments_come_from_the_order_by_level():
    """6.2.13: by deadline alone, E4b's late replenishments are not late."""
    real = xentrace.load(FOLDER, NAMES[1])
    opening = real.scheduler().opening
    by_deadline = rv.simulate(real.system(), xentrace.rtds.OpenedRTDS(opening=opening, replenish_by="deadline"), real.duration)
    found = xentrace.rtds.agreement(real, by_deadline)
    assert found.late_agreed == 0 < found.late


def test_supply_of_every_period_of_E4a():
    """Budgets that fit are supplied in every period, in the trace and in the model, up to what switches cost."""
    real = xentrace.load(FOLDER, NAMES[0])
    model = rv.simulate(real.system(), real.scheduler(), real.duration)
    for vm in real.system().vms[1:]:
        deadline = real.scheduler().opening["deadline"][vm.name]
        for table in (real.slices, model.slices):
            mine = table[table["vm"] == vm.name]
            starts = np.arange(deadline, real.duration - vm.period, vm.period)
            supplied = [int((mine["end"].clip(t, t + vm.period) - mine["start"].clip(t, t + vm.period)).sum()) for t in starts[:200]]
            assert min(supplied) > vm.budget - 60_000 and max(supplied) < vm.budget + 120_000


def test_rtds_needs_its_records(tmp_path):
    for kind in ("runs", "wakes"):
        shutil.copy(FOLDER / f"{NAMES[0]}.{kind}.csv.gz", tmp_path)
    shutil.copy(FOLDER / "experiments.csv", tmp_path)
    with pytest.raises(rv.SpecError, match="needs its records of budgets"):
        xentrace.load(tmp_path, NAMES[0]).scheduler()


def test_ticks_are_read_off_the_first_fifth():
    """What comes later in a window changes nothing; E4d's ticks fall where no slices end, so none is read."""
    ticks = {name[:3]: xentrace.kernel_ticks.pass_of(xentrace.load(FOLDER, name)) for name in NAMES}
    assert ticks["E4d"] is None and abs(ticks["E4a"].serves - ticks["E4b"].serves) < 2_000
    cut = xentrace.load(FOLDER, NAMES[0])
    cut.rtds = cut.rtds[cut.rtds["t_ns"] < cut.duration // xentrace.kernel_ticks.PART]
    assert xentrace.kernel_ticks.pass_of(cut) == ticks["E4a"]
    cut.rtds = cut.rtds.head(100)
    assert xentrace.kernel_ticks.pass_of(cut) is None


def test_a_slice_ends_when_the_pass_that_serves_a_tick_is_over():
    """Slices of E4a's d3 that are due with a tick: 7.9 us late in the trace; in the model, to the microsecond."""
    real = xentrace.load(FOLDER, NAMES[0])
    tick, model = xentrace.kernel_ticks.pass_of(real), xentrace.replay(real)
    over = tick.begins + tick.serves + real.costs.switch_out
    ends = [table.loc[table["vm"] == "d3", "end"].to_numpy() for table in (real.slices, model.slices)]
    theirs, ours = (int((np.abs((e - over + 2_000_000) % 4_000_000 - 2_000_000) < 500).sum()) for e in ends)
    assert theirs > 400 and abs(theirs - ours) < 0.05 * theirs
