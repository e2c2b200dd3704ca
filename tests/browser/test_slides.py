"""`rtvirt slides`: on a projector of 1280 x 720 every slide fits, can be read, and needs no network."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_browser import browse

from rtvirt.cli.refresh import read
from rtvirt.cli.slides import as_slides

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
LEAST_SCALE = 0.85       # 19 px of code become 16, on 720 lines
LEAST_PICTURE = 0.7      # of its size in the notebook
MEASURE = """() => {
  const slide = slides[here], box = slide.firstChild.getBoundingClientRect(), pictures = [...slide.querySelectorAll('img')];
  const clipped = [...slide.querySelectorAll('pre')].filter((pre) => pre.scrollWidth > pre.clientWidth + 1);
  return { text: slide.innerText.slice(0, 40), scale: Number(slide.dataset.scale), right: box.right, bottom: box.bottom,
    clipped: clipped.length, unnamed: pictures.filter((picture) => picture.alt.length < 20 || picture.alt.startsWith('No desc')).length,
    least: Math.min(9, ...pictures.map((picture) => picture.getBoundingClientRect().height / picture.naturalHeight)) };
}"""


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def lecture(request, tmp_path_factory):
    """Slides of a notebook in the browser."""
    file = tmp_path_factory.mktemp("slides") / "lecture.html"
    file.write_text(as_slides(read(request.param)), encoding="utf-8")
    with browse(file.as_uri(), 1280, 720) as tab:
        tab.goto(file.as_uri())
        tab.wait_for_selector(".here")
        yield tab


def test_every_slide_fits_and_can_be_read(lecture):
    count = lecture.evaluate("slides.length")
    assert count >= 5
    for number in range(count):
        found = lecture.evaluate(MEASURE)
        assert lecture.locator("#place").inner_text() == f"{number + 1} / {count}"
        assert found["right"] <= 1280 and found["bottom"] <= 720 - 20, found
        assert found["scale"] >= LEAST_SCALE and not found["clipped"] and not found["unnamed"] and found["least"] >= LEAST_PICTURE, found
        lecture.keyboard.press("ArrowRight")


def test_keys_move_and_code_goes_away(lecture):
    lecture.keyboard.press("Home")
    assert lecture.locator("#place").inner_text().startswith("1 /")
    while not lecture.locator(".here .jp-InputArea-editor").count():
        lecture.keyboard.press("ArrowRight")
    assert lecture.locator(".here .jp-InputArea-editor").first.is_visible()
    lecture.keyboard.press("c")
    assert not lecture.locator(".here .jp-InputArea-editor").first.is_visible()
    lecture.keyboard.press("c")
    lecture.keyboard.press("End")
    assert "verify" not in lecture.locator("#stage").inner_text()
