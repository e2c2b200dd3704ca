"""JupyterLab in a headless browser: a notebook opens, runs, and shows its pictures; the explorer obeys the keyboard."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
CANVAS = ".rtvirt-timeline canvas[tabindex]"
WATCH = """() => {      // from the key to the first frames in which timeline and plot differ, in ms
  const canvas = document.querySelector('.rtvirt-timeline canvas[tabindex]'), image = document.querySelector('img.widget-image');
  const frame = canvas.dataset.frame, source = image.src, seen = window.seen = {};
  let pressed = null;
  window.addEventListener('keydown', () => { pressed = performance.now(); }, { capture: true, once: true });
  const look = () => {
    if (pressed !== null && !seen.timeline && canvas.dataset.frame !== frame) seen.timeline = performance.now() - pressed;
    if (pressed !== null && !seen.plot && image.src !== source) seen.plot = performance.now() - pressed;
    if (window.seen === seen) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab on a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=",
               "--allow-root", f"--ServerApp.root_dir={folder}"]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT)})
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1)
            break
        except OSError:
            time.sleep(0.25)
    yield f"http://127.0.0.1:{port}", folder
    server.terminate()
    server.wait(20)


@pytest.fixture()
def page(lab):
    """A page of the browser, and every address it asks for beyond this machine."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=os.environ["RTVIRT_BROWSER"], args=FLAGS)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        outside: list[str] = []
        tab.on("request", lambda request: None if request.url.startswith((lab[0], "data:", "blob:", lab[0].replace("http", "ws")))
               else outside.append(request.url))
        yield tab
        browser.close()
        assert outside == []


def open_notebook(page, lab, name, shows):
    """Open a notebook and run all of it until something `shows`; a busy machine may need a second click."""
    from playwright.sync_api import TimeoutError as Late

    page.goto(f"{lab[0]}/lab/tree/notebooks/{name}?reset", timeout=60_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    time.sleep(2)
    for attempt in range(3):
        page.locator("text=Run >> nth=0").click()
        page.locator("text=Run All Cells >> nth=0").click()
        try:
            page.wait_for_selector(shows, timeout=40_000)
            return
        except Late:
            if attempt == 2:
                raise


def test_first_notebook_runs(page, lab):
    open_notebook(page, lab, "00-start-here.ipynb", ".jp-OutputArea-output img")
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_explorer_obeys_the_keyboard(page, lab):
    import nbformat

    code = "from rtvirt.explorers import credit\nexplorer = credit.explorer()\nexplorer"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)],
                                            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}),
                   lab[1] / "notebooks/explorer.ipynb")
    open_notebook(page, lab, "explorer.ipynb", f"{CANVAS}[data-frame]")
    page.wait_for_selector(".widget-image")
    time.sleep(1)
    page.locator(".noUi-handle").nth(1).focus()      # the period
    times = {"timeline": [], "plot": []}
    for _ in range(14):
        page.evaluate(WATCH)
        page.keyboard.press("ArrowRight")
        page.wait_for_function("window.seen.timeline", timeout=20_000)
        time.sleep(0.15)
        for what, taken in page.evaluate("window.seen").items():
            times[what].append(taken)
    for what, taken in times.items():
        print(f"key to {what}: median {statistics.median(taken[3:]):.0f} ms, largest {max(taken[3:]):.0f} ms, n = {len(taken[3:])}")
    assert statistics.median(times["timeline"]) < 5000


def test_timeline_obeys_the_keyboard(page, lab):
    """Zoom and pan happen in the browser, and the notebook does not take the keys for itself."""
    import nbformat

    code = "import rtvirt as rv\nfrom rtvirt.explorers import credit\nrv.explorers.timeline(credit.compute(credit.Params()))"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)],
                                            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}),
                   lab[1] / "notebooks/timeline.ipynb")
    open_notebook(page, lab, "timeline.ipynb", f"{CANVAS}[data-frame]")
    page.locator(CANVAS).focus()

    def shown():
        page.wait_for_timeout(150)
        return page.evaluate(f"(() => {{ const c = document.querySelector('{CANVAS}'); "
                             "return [Number(c.dataset.from), Number(c.dataset.to), c.toDataURL()]; })()")

    first = shown()
    assert first[:2] == [0, 300e6]
    page.keyboard.press("+")
    zoomed = shown()
    assert zoomed[1] - zoomed[0] == pytest.approx(0.7 * 300e6) and zoomed[2] != first[2]
    page.keyboard.press("ArrowRight")
    panned = shown()
    assert panned[0] > zoomed[0] and panned[1] - panned[0] == pytest.approx(zoomed[1] - zoomed[0]) and panned[2] != zoomed[2]
    page.keyboard.press("Home")
    assert shown()[:2] == [0, 2e9]
    page.keyboard.press("0")
    assert shown() == first
    assert page.locator(CANVAS).get_attribute("aria-label").startswith("Timeline of 2 s on 1 pCPU.")
