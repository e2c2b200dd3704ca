"""The command line and the launcher: what they do, and how they refuse."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from click.testing import CliRunner

import rtvirt as rv
from rtvirt.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(main, [str(a) for a in arguments])


def launcher():
    """lab.py as a module."""
    spec = importlib.util.spec_from_file_location("lab", ROOT / "lab.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_simulate_prints_tables_and_writes_files(tmp_path):
    done = call("simulate", ROOT / "data/systems/phone.yaml", "--duration", "300ms", "--gantt", tmp_path / "g.png", "--export", tmp_path / "x",
                "--perfetto", tmp_path / "p.json")
    assert done.exit_code == 0, done.output
    assert "modem" in done.output and (tmp_path / "g.png").stat().st_size > 5000 and (tmp_path / "x/jobs.csv").exists()


def test_simulate_tells_of_messages(tmp_path):
    done = call("simulate", ROOT / "data/systems/gateway.yaml", "--duration", "20ms")
    assert done.exit_code == 0 and "delivered" in done.output and "lan1.rx" in done.output and "driver_wait" in done.output


@pytest.mark.parametrize("arguments", [("simulate", "nowhere.yaml"), ("simulate", "data/systems/phone.yaml", "--duration", "soon"),
                                       ("simulate", "data/systems/phone.yaml", "--xen", "9"), ("refresh", "nowhere.ipynb"), ("dance",),
                                       ("simulate", "data/systems/phone.yaml", "--gantt", "no/such/folder/g.png"),
                                       ("simulate", "data/systems/phone.yaml", "--gantt", "g.txt"),
                                       ("simulate", "data/systems/phone.yaml", "--gantt", "g.png", "--record", "jobs"),
                                       ("simulate", "data/systems/phone.yaml", "--duration", "1ms", "--export", "README.md"),
                                       ("simulate", "data/systems/phone.yaml", "--scheduler", "null", "--timeslice", "5ms"),
                                       ("slides", "notebooks/00-start-here.ipynb", "--output", "README.md")])
def test_refusals_are_one_line(arguments, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = call(*arguments)
    assert done.exit_code in (1, 2) and "Traceback" not in done.output and "Error" in done.output


def test_doctor_is_content():
    assert "OK    numba" in call("doctor").output


def test_refresh_and_slides(tmp_path):
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1"), nbformat.v4.new_markdown_cell("# hello")])
    path = tmp_path / "n.ipynb"
    nbformat.write(book, path)
    assert call("refresh", path).exit_code == 0
    again = nbformat.read(path, 4)
    assert again.cells[0].outputs[0]["data"]["text/plain"] == "2" and again.cells[0].execution_count == 1
    assert call("slides", path, "--output", tmp_path).exit_code == 0 and (tmp_path / "n.slides.html").exists()
    broken = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    nbformat.write(broken, path)
    before = path.read_text()
    done = call("refresh", path)
    assert done.exit_code == 1 and "ZeroDivisionError" in done.output and path.read_text() == before


def test_launcher_refuses_old_pythons(monkeypatch):
    lab = launcher()
    monkeypatch.setattr(lab.sys, "version_info", (3, 9, 0))
    with pytest.raises(lab.Stop, match="3.11 or newer"):
        lab.check_python()


def test_launcher_wants_room(monkeypatch, tmp_path):
    lab = launcher()
    monkeypatch.setattr(lab, "VENV", tmp_path / "venv")
    monkeypatch.setattr(lab.shutil, "disk_usage", lambda path: type("U", (), {"free": 5_000_000})())
    with pytest.raises(lab.Stop, match="make room"):
        lab.prepare("course")


def test_launcher_says_when_the_network_is_missing(monkeypatch, tmp_path):
    lab = launcher()
    monkeypatch.setattr(lab, "VENV", tmp_path / "venv")
    monkeypatch.setattr(lab.shutil, "which", lambda name: None)
    monkeypatch.setattr(lab, "run", lambda *a, **k: type("R", (), {"returncode": 1})())
    with pytest.raises(lab.Stop, match="network"):
        lab.install("course")


def test_launcher_stamps(monkeypatch, tmp_path):
    lab = launcher()
    monkeypatch.setattr(lab, "VENV", tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "Scripts").mkdir()
    lab.venv_python().touch()
    assert not lab.installed("course")
    lab.stamp(["course"])
    assert lab.installed("course") and not lab.installed("test")
    (tmp_path / "rtvirt-stamp.json").write_text("{")
    assert not lab.installed("course")


def test_launcher_unknown_commands():
    lab = launcher()
    with pytest.raises(lab.Stop, match="no such command"):
        lab.main(["dance"])


def test_warmup_compiles_the_machine():
    from rtvirt.machine.warm import is_warm

    done = CliRunner().invoke(main, ["warmup", "machine"])
    assert done.exit_code == 0 and "machine: ready after" in done.output and is_warm()


def test_warmup_of_all_leaves_nothing_out_and_counts(monkeypatch):
    from rtvirt.cli import warmup
    from rtvirt.schedulers.catalogue import BY_NAME

    asked = []
    monkeypatch.setattr(warmup, "compile_ahead", lambda names, report: (asked.extend(names), report(f"{names[0]}: ready")))
    monkeypatch.setattr("rtvirt.machine.warm.warmup", lambda report: report("machine: ready"))
    lines = CliRunner().invoke(main, ["warmup", "--all"]).output.splitlines()
    assert len(asked) == len(set(asked)) == 2 * (len(BY_NAME) + 1)
    assert {"rtds+devices", "sedf", "arinc653", "credit2", "bvt", "credit_2007"} <= set(asked)
    assert lines[0] == f"rtvirt: 1 of {len(lines)}, {asked[0]}: ready" and lines[-1] == f"rtvirt: {len(lines)} of {len(lines)}, machine: ready"
    asked.clear()
    assert CliRunner().invoke(main, ["warmup"]).exit_code == 0 and asked == ["credit", "credit_2007"]      # else only the first notebooks'
    asked.clear()
    assert CliRunner().invoke(main, ["warmup", "bvt"]).output == "rtvirt: 1 of 1, bvt: ready\n"


def test_launcher_refuses_wrong_arguments_before_setting_up(monkeypatch):
    lab = launcher()
    monkeypatch.setattr(lab, "prepare", lambda kind: pytest.fail("set up first"))
    for arguments in (["test", "--lane", "dance"], ["test", "--lane"], ["run"]):
        with pytest.raises(lab.Stop):
            lab.main(arguments)
    assert lab.asked(["--lane", "unit", "--long", "-k", "credit"]) == (["unit"], True, ["-k", "credit"])


def test_admit_says_yes_or_why_not(tmp_path):
    """The phone as shipped is refused (its 1 ms in 4 ms does not serve 5 ms slots); with a shorter period it is admitted, with a proof."""
    phone = rv.data.FOLDER / "systems/phone.yaml"
    refused = CliRunner().invoke(main, ["admit", str(phone)])
    assert refused.exit_code == 1 and refused.output.startswith("refused\nmodem/slot") and "deadline" in refused.output
    system = rv.System(vms=[rv.VM("modem", tasks=[rv.Task("slot", wcet=300_000, period=5_000_000)], budget=1_000_000, period=3_000_000)])
    system.save(tmp_path / "s.yaml")
    told = CliRunner().invoke(main, ["admit", str(tmp_path / "s.yaml"), "--certificate", str(tmp_path / "proof.json")])
    assert told.exit_code == 0 and "every deadline is met" in told.output and (tmp_path / "proof.json").exists()
    unknown = CliRunner().invoke(main, ["admit", str(phone), "--scheduler", "credit"])
    assert unknown.exit_code == 1 and "credit" in unknown.output and "2.9.3" in unknown.output


def test_admit_provisions(tmp_path):
    """The phone is served by budgets that are found, and saved as a file that is admitted; what asks for too much is told what to give up."""
    made, phone = tmp_path / "made.yaml", str(rv.data.FOLDER / "systems/phone.yaml")
    told = CliRunner().invoke(main, ["admit", phone, "--provision", "--save", str(made), "--certificate", str(tmp_path / "proof.json")])
    assert told.exit_code == 0 and told.output.startswith("provisioned\nevery deadline is met with modem") and "\nadmitted\n" in told.output
    assert CliRunner().invoke(main, ["admit", str(made)]).exit_code == 0 and (tmp_path / "proof.json").exists()
    rv.System(vms=[rv.VM("v", tasks=[rv.Task("t", wcet=5_000_000, period=10_000_000, deadline=4_000_000)])]).save(tmp_path / "s.yaml")
    told = CliRunner().invoke(main, ["admit", str(tmp_path / "s.yaml"), "--provision", "--save", str(tmp_path / "none.yaml")])
    assert told.exit_code == 1 and told.output.startswith("cannot be provisioned") and not (tmp_path / "none.yaml").exists()
    assert "task 't' of 'v': deadline 4 ms -> 5 ms (steps of 1 us), or wcet 5 ms -> 4 ms" in told.output
    assert CliRunner().invoke(main, ["admit", phone, "--save", str(made)]).exit_code == 2
    assert CliRunner().invoke(main, ["admit", phone, "--provision", "--scheduler", "credit"]).exit_code != 0
