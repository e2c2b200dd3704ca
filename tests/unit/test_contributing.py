"""CONTRIBUTING.md keeps its word: "add a scheduler: one new file, one line", done on a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import rtvirt as rv
from rtvirt import schedulers
from rtvirt.units import ms, us

assert rv.__file__.startswith({root!r}), rv.__file__
for cpus in (1, 2):
    hogs = [rv.VM(f"hog{{i}}", tasks=[rv.hog()]) for i in range(4 * cpus)]
    system = rv.System(cpus=cpus, vms=[*hogs, rv.VM("task", tasks=[rv.Task("t", wcet=us(300), period=ms(37))])])
    newest = rv.simulate(system, schedulers.NewestFirst(), ms(900)).check()
    turns = rv.simulate(system, schedulers.RoundRobin(), ms(900)).check()
    waits = [int(run.wakeups[run.wakeups["vm"] == "task"]["latency"].max()) for run in (newest, turns)]
    print(cpus, waits, newest.vms["share"].round(3).to_dict())
    assert 0 < waits[0] <= ms(10) < waits[1]        # behind one turn, not behind everybody's
    assert newest.vms["share"].sum() > cpus - 1e-6
try:
    schedulers.NewestFirst(turn=5)
except rv.SpecError as error:
    print(error)
else:
    raise AssertionError("a wrong turn was taken")
"""


@pytest.fixture(scope="module")
def blocks():
    """The scheduler's file and the line, as CONTRIBUTING.md has them."""
    part = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a scheduler", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"```python\n(.*?)```", part, re.S)
    assert len(found) == 2
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory, blocks):
    """A copy of the package in which that has been done, and nothing else."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "rtvirt", root / "rtvirt", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    code, line = blocks
    assert line.count("\n") == 1
    (root / "rtvirt/schedulers/newest_first.py").write_text(code, encoding="utf-8")
    house = root / "rtvirt/schedulers/__init__.py"
    lines = house.read_text(encoding="utf-8").splitlines(keepends=True)
    imports = [i for i, text in enumerate(lines) if text.startswith("from .")]
    at = next((i for i in imports if lines[i] > line), imports[-1] + 1)
    house.write_text("".join([*lines[:at], line, *lines[at:]]), encoding="utf-8")
    return root


def test_one_file_and_one_line_make_a_scheduler(copy):
    """Interpreted, in a process that has only the copy."""
    done = subprocess.run([sys.executable, "-c", RUN.format(root=str(copy))], cwd=copy, text=True, capture_output=True, timeout=300,
                          env=os.environ | {"PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "allowed: 1 us to 10 s" in done.stdout


def test_it_keeps_the_rules_of_the_house(copy):
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "rtvirt/schedulers"], cwd=copy, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


def test_no_kernel_of_the_interface_is_missing(blocks):
    """The ten that the page announces are those that the loop calls."""
    called = {name for path in (ROOT / "rtvirt/engine").glob("*.py") for name in re.findall(r"policy\.(\w+)\(", path.read_text())}
    assert called <= set(re.findall(r"@kernel\ndef (\w+)\(", blocks[0])) and len(called) == 10, called
