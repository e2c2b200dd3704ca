"""Presets of `Costs`: every figure has a source, follows from it, and does what the source saw."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.system import presets
from rtvirt.units import ms

FILE = "cpus: 1\nvms: [{name: a, tasks: [{name: t, wcet: 1 ms, period: 10 ms}]}]\n"


@pytest.mark.parametrize("name", rv.Costs.presets())
def test_every_figure_has_a_source(name):
    costs, rows = rv.Costs.preset(name), rv.Costs.sources(name)
    given = {field: value for field, value in costs if value}
    assert given == {row["field"]: int(row["value_ns"]) for row in rows}
    for row in rows:
        assert row["evidence"] in ("primary", "author data", "own trace") and all(row.values()), row
    assert name in rv.Costs.preset.__doc__


def test_figures_follow_from_what_was_published():
    assert rv.Costs.preset("xen-2003") == rv.Costs(guest_switch=round(1970 - 770), cache_reload=round(ms(5) * 0.075))
    assert rv.Costs.preset("spumone-2011") == rv.Costs(interrupt=round((367 - 102) / 0.4 + 0.001))      # 662.5 ns, up
    assert rv.Costs.preset("xen-4.5-pv") == rv.Costs(hypercall=220)


def test_the_traced_machine_wakes_as_its_costs_say():
    """In E3b, and in E3a that nothing was read off, the median wake-up is the wake-up path and a switch, within 0.1 us."""
    costs = rv.Costs.preset("traced-xen")
    for name in ("E3b_credit_p7w1_2hogs", "E3a_credit_p10w1_2hogs"):
        wakes = rv.xentrace.load(rv.data.FOLDER / "xen-traces", name).wakeups
        assert abs(wakes[wakes["vm"] == "d1"]["latency"].median() - (costs.wake_path + costs.switch_in)) < 100


@pytest.mark.parametrize("slice_, low, high", [(5, 0.070, 0.080), (50, 0.004, 0.012)])
def test_slices_of_5_ms_lose_what_xen_lost_in_2003_and_slices_of_50_ms_next_to_nothing(slice_, low, high):
    """128 CPU-bound domains: calibrated at 5 ms, predicted at 50 ms, where the paper says the loss is almost eliminated."""
    vms = [rv.VM(f"v{i}", tasks=[rv.Task("work", wcet=ms(200), releases=[0])]) for i in range(128)]
    system, length = rv.System(vms=vms, costs="xen-2003"), ms(200 * 128 * 1.2)
    run = rv.simulate(system, rv.RoundRobin(quantum=ms(slice_)), length, record="jobs").check()
    assert (run.jobs["finish"] > 0).all()
    lost = 1 - ms(200 * 128) / int(run.jobs["finish"].max())
    print(f"{slice_} ms slices: {100 * lost:.2f} % lost")
    assert low < lost < high


def test_the_page_shows_the_table():
    page = (rv.data.FOLDER.parent / "docs/costs.md").read_text(encoding="utf-8")
    for name in rv.Costs.presets():
        for row in rv.Costs.sources(name):
            assert f"| {name} | `{row['field']}` | {row['value_ns']} | {row['figure']}: " in page


def test_names_in_python_and_in_files(tmp_path):
    traced = rv.Costs.preset("traced-xen")
    assert rv.System(costs="traced-xen").costs == traced == rv.xentrace.PATH_COSTS
    path = tmp_path / "s.yaml"
    cases = {"traced-xen": traced, "{hypercall: 220}": rv.Costs.preset("xen-4.5-pv"),
             "{preset: traced-xen, hypercall: 2 us, wake_path: 0}": traced.replace(hypercall=2000, wake_path=0)}
    for text, expected in cases.items():
        path.write_text(FILE + f"costs: {text}\n")
        system = rv.System.load(path)
        assert system.costs == expected
        system.save(path)
        assert rv.System.load(path) == system


@pytest.mark.parametrize("text", ["traced-xn", "{preset: traced-xn}", "''", "{preset: [1]}"])
def test_unknown_names_list_the_valid_ones(tmp_path, text):
    path = tmp_path / "s.yaml"
    path.write_text(FILE + f"costs: {text}\n")
    with pytest.raises(rv.SpecError, match="s.yaml:3: costs is .*traced-xen, xen-2003, xen-4.5-pv, spumone-2011"):
        rv.System.load(path)
    with pytest.raises(rv.SpecError, match="traced-xen, xen-2003"):
        rv.Costs.preset("traced-xn")


def test_wrong_fields_on_top_of_a_preset_keep_their_names(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(FILE + "costs: {preset: traced-xen, hypercal: 3}\n")
    with pytest.raises(rv.SpecError, match="s.yaml:3: costs.hypercal.*did you mean hypercall"):
        rv.System.load(path)


def test_a_damaged_table_is_noticed(tmp_path, monkeypatch):
    from rtvirt import datafolder

    (tmp_path / "costs").mkdir()
    (tmp_path / "costs/presets.csv").write_text("preset,field,value_ns\nx,hypercall,1\n")
    (tmp_path / "manifest.json").write_text((datafolder.FOLDER / "manifest.json").read_text())
    monkeypatch.setattr(datafolder, "FOLDER", tmp_path)
    presets.table.cache_clear()
    try:
        with pytest.raises(rv.RtvirtError, match="is not the file"):
            rv.Costs.preset("x")
    finally:
        monkeypatch.undo()
        presets.table.cache_clear()


def test_schema_of_files_knows_names():
    assert {"type": "string"} in rv.System.json_schema()["properties"]["costs"]["anyOf"]


def test_the_command_takes_a_preset(tmp_path):
    from click.testing import CliRunner

    from rtvirt.cli.simulate import simulate

    path = tmp_path / "s.yaml"
    path.write_text(FILE)
    done = CliRunner().invoke(simulate, [str(path), "--duration", "100ms", "--costs", "traced-xen"])
    assert done.exit_code == 0 and "18.0" in done.output, done.output      # us, the median wake-up
    done = CliRunner().invoke(simulate, [str(path), "--costs", "no"])
    assert isinstance(done.exception, rv.SpecError) and "xen-2003" in str(done.exception)
