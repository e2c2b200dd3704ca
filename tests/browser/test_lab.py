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


def open_notebook(page, lab, name):
    """Open a notebook and run all of it."""
    page.goto(f"{lab[0]}/lab/tree/notebooks/{name}", timeout=60_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_function("document.querySelector('.jp-NotebookPanel-toolbar, .jp-Toolbar') !== null")
    time.sleep(2)
    page.locator("text=Run >> nth=0").click()
    page.locator("text=Run All Cells >> nth=0").click()


def test_first_notebook_runs(page, lab):
    open_notebook(page, lab, "00-start-here.ipynb")
    page.wait_for_selector(".jp-OutputArea-output img", timeout=60_000)
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_explorer_obeys_the_keyboard(page, lab):
    import nbformat

    code = "from rtvirt.explorers import credit\nexplorer = credit.explorer()\nexplorer"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)],
                                            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}),
                   lab[1] / "notebooks/explorer.ipynb")
    open_notebook(page, lab, "explorer.ipynb")
    page.wait_for_selector(".widget-image", timeout=90_000)
    time.sleep(1)
    page.locator(".noUi-handle").first.focus()
    times = []
    for _ in range(14):
        before = page.locator("img.widget-image").first.get_attribute("src")
        started = time.perf_counter()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("before => document.querySelector('img.widget-image').src !== before", arg=before, timeout=20_000)
        times.append(1000 * (time.perf_counter() - started))
    print(f"key to picture: median {statistics.median(times[3:]):.0f} ms, largest {max(times[3:]):.0f} ms, n = {len(times[3:])}")
    assert statistics.median(times) < 5000
