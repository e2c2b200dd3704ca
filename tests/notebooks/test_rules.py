"""The rules that every notebook keeps."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
WIDEST = 100        # characters of code on a slide, which is made for a projector
BOOKS = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@BOOKS
def test_executed_in_order_with_fixed_ids(path):
    book = nbformat.read(path, 4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [cell.id for cell in book.cells] == [f"cell-{i:03d}" for i in range(len(book.cells))]
    assert book.metadata.kernelspec.name == "python3" and "widgets" not in book.metadata


@BOOKS
def test_small_stable_and_without_errors(path):
    assert path.stat().st_size <= 400_000
    text = path.read_text(encoding="utf-8")
    assert "image/svg+xml" not in text and '"output_type": "error"' not in text
    assert not re.search(r" at 0x[0-9a-f]{6,}>", text)


@BOOKS
def test_headings_are_slides(path):
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            assert cell.metadata.get("slideshow", {}).get("slide_type") in ("slide", "subslide"), cell.source[:40]


@BOOKS
def test_cells_end_in_values_and_stay_short(path):
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            assert not cell.source.rstrip().endswith(";")
            assert len(cell.source.splitlines()) <= 24
            assert max(map(len, cell.source.splitlines())) <= WIDEST, "a slide is no wider"


@BOOKS
def test_figures_have_captions(path):
    for cell in nbformat.read(path, 4).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                assert len(output["data"].get("text/plain", "")) > 40


@BOOKS
def test_order_of_parts(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    parts = ["You will be able to", "Predict first", "Limits", "Exercises", "Summary"] if not path.stem.startswith("00") else ["Road map"]
    positions = [text.find(part) for part in parts]
    assert -1 not in positions and positions == sorted(positions)
