"""Solutions are right, wrong answers are found out, and `check` never raises."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import rtvirt as rv
from rtvirt.exercises import EXERCISES

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def solutions() -> dict[str, object]:
    """All solutions, by exercise."""
    found: dict[str, object] = {}
    for path in sorted((NOTEBOOKS / "solutions").glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= module.SOLUTIONS
    return found


def said(capsys, id, answer) -> str:
    """What `check` prints."""
    rv.check(id, answer)
    return capsys.readouterr().out


def test_every_exercise_has_a_solution():
    assert set(solutions()) == set(EXERCISES)


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_solution_is_right(id, capsys):
    assert said(capsys, id, solutions()[id]).startswith("✓")


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_known_mistakes_are_explained(id, capsys):
    assert len(EXERCISES[id].misconceptions) >= 2
    for wrong, text in EXERCISES[id].misconceptions:
        line = said(capsys, id, wrong)
        assert line.startswith("✗") and text in line


@pytest.mark.parametrize("id", sorted(EXERCISES))
def test_stub_and_nonsense(id, capsys):
    assert said(capsys, id, lambda *a: None).startswith("○")
    assert said(capsys, id, lambda *a: "no idea").startswith("✗")
    assert said(capsys, id, lambda: 1).startswith("✗")
    assert said(capsys, "99.9", lambda: 1).startswith("✗")


def test_stubs_in_notebooks_call_check():
    import nbformat

    text = "".join(cell.source for path in NOTEBOOKS.glob("*.ipynb") for cell in nbformat.read(path, 4).cells)
    for id in EXERCISES:
        assert f'rv.check("{id}"' in text


def test_variant_is_stable():
    assert rv.variant("Ada Lovelace", 1, 1000) == rv.variant(" ada lovelace ", 1, 1000) == 214


def test_hint(capsys):
    rv.hint("3.3")
    assert "ratelimit" in capsys.readouterr().out
