"""JupyterLab and a headless browser, for the browser tests and for the benchmark of the explorers."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
PATIENCE = 30_000        # ms for anything to come true: two cores may be busy with another worker's kernel
SENTENCE = ".rtvirt-sentence"
TIMELINE = ".rtvirt-timeline canvas[tabindex]"
TAIL = ".rtvirt-tail canvas"
WALK = ".rtvirt-walk canvas"
CURVES = ".rtvirt-curves > canvas"
STACKS = ".rtvirt-stacks > canvas"
BORDER = ".rtvirt-border > canvas"
FRONT = ".rtvirt-front > canvas"
BOXES = ".rtvirt-boxes"
EXPLORER = "from rtvirt.explorers import credit\nexplorer = credit.explorer()\nexplorer"
RUN = """async (code) => {               // the one cell of the open notebook, without what it showed before
  const { commands, shell } = window.jupyterapp, panel = shell.currentWidget;
  await panel.sessionContext.ready;
  await commands.execute('notebook:clear-all-cell-outputs');
  panel.content.widgets[0].model.sharedModel.setSource(code);
  await commands.execute('notebook:run-all-cells');
}"""
FIRST_PRESSES = 3        # of a series: left out of the medians, while the browser compiles what it runs for the first time
PICTURES = {"timeline": TIMELINE, "plot": TAIL}
WATCH = """([pictures, event]) => {      // from the key, or the drop, to the browser's frame in which each picture is drawn anew, in ms
  const seen = window.seen = {};
  let pressed = null;
  window.addEventListener(event, () => { pressed = performance.now(); }, { capture: true, once: true });
  for (const [name, css] of Object.entries(pictures)) {
    const observer = new MutationObserver(() => {      // told right after the drawing, as data-frame counts drawings
      if (pressed === null) return;
      seen[name] = performance.now() - pressed;
      observer.disconnect();
    });
    observer.observe(document.querySelector(css), { attributes: true, attributeFilter: ['data-frame'], childList: true, subtree: true });
  }
}"""


expect.set_options(timeout=PATIENCE)


def until(page: Any, condition: str, argument: Any = None) -> None:
    """Wait until a condition in JavaScript holds on the page."""
    page.wait_for_function(condition, arg=argument, timeout=PATIENCE)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Address of a JupyterLab on a copy of the notebooks in `folder`, with settings of its own."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=",
               "--allow-root", f"--ServerApp.root_dir={folder}", "--expose-app-in-browser"]
    own = {"PYTHONPATH": str(ROOT), "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | own)
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1)
                break
            except OSError:
                time.sleep(0.25)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def browse(address: str, width: int = 1280, height: int = 900) -> Iterator[Any]:
    """A page of a headless browser; fails at the end when it has asked for anything beyond this machine."""
    here = (address, "data:", "blob:", address.replace("http", "ws"))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=os.environ["RTVIRT_BROWSER"], args=FLAGS)
        context = browser.new_context(viewport={"width": width, "height": height})
        outside: list[str] = []
        context.on("request", lambda request: None if request.url.startswith(here) else outside.append(request.url))
        yield context.new_page()
        browser.close()
        assert outside == []


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook of code cells, not run yet."""
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
                                            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}), path)


def open_notebook(page: Any, address: str, name: str, shows: str) -> None:
    """Open a notebook and run all of it until something `shows`."""
    page.goto(f"{address}/lab/tree/notebooks/{name}?reset", timeout=60_000)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=60_000)
    page.wait_for_selector("text=/Python 3.* Idle/", timeout=60_000)         # who runs cells before is asked for a kernel
    time.sleep(1)
    run_all(page, shows)


def run_all(page: Any, shows: str) -> None:
    """Run all cells until something `shows`; a busy machine may need a second click."""
    for attempt in range(3):
        page.locator("text=Run >> nth=0").click()
        page.locator("text=Run All Cells >> nth=0").click()
        try:
            page.wait_for_selector(shows, timeout=40_000)
            return
        except Late:
            if attempt == 2:
                raise


def open_scratch(page: Any, address: str, folder: Path) -> None:
    """A notebook with one empty cell, for `run_cell`: opening JupyterLab and starting a kernel take most of a test's time."""
    write_notebook(folder / "notebooks/scratch.ipynb", "")
    page.goto(f"{address}/lab/tree/notebooks/scratch.ipynb?reset", timeout=60_000)
    page.wait_for_selector("text=/Python 3.* Idle/", timeout=60_000)


def run_cell(page: Any, code: str, shows: str) -> None:
    """Run code in the cell of the scratch notebook until something `shows`, of which nothing is left from before."""
    page.evaluate(RUN, code)
    page.wait_for_selector(shows, timeout=120_000)


def key_to_pictures(page: Any, presses: int, pictures: dict[str, str] = PICTURES, pause: float = 0.15,
                    key: str = "ArrowRight") -> dict[str, list[float]]:
    """Times [ms] from an arrow key to the frames in which pictures (name to CSS selector) change, without the first few presses."""
    back = {"ArrowRight": "ArrowLeft", "ArrowLeft": "ArrowRight"}[key]
    times: dict[str, list[float]] = {name: [] for name in pictures}
    for press in range(FIRST_PRESSES + presses):
        page.evaluate(WATCH, [pictures, "keydown"])
        page.keyboard.press(key if press % 40 < 20 else back)
        until(page, f"Object.keys(window.seen).length === {len(pictures)}")
        for what, taken in page.evaluate("window.seen").items():
            times[what].append(taken)
        time.sleep(pause)
    return {what: taken[FIRST_PRESSES:] for what, taken in times.items()}


def drag(page: Any, tile: str, box: str) -> None:
    """Drag a tile of the board, as box/tile, into another box with the mouse."""
    start, end = page.locator(f'button[data-key="{tile}"]').bounding_box(), page.locator(f'[data-box="{box}"]').bounding_box()
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 12, steps=4)
    page.mouse.up()


def drop_to_findings(page: Any, drops: int, tile: str, boxes: tuple[str, str], pause: float = 0.15) -> dict[str, list[float]]:
    """Times [ms] from dropping a tile in the other of two boxes to the frame that shows the findings, without the first few drops."""
    times: list[float] = []
    for turn in range(FIRST_PRESSES + drops):
        here, there = boxes if turn % 2 == 0 else boxes[::-1]
        page.evaluate(WATCH, [{"board": BOXES}, "pointerup"])
        drag(page, f"{here}/{tile}", there)
        until(page, "Object.keys(window.seen).length === 1")
        times.append(page.evaluate("window.seen.board"))
        page.wait_for_selector(f'button[data-key="{there}/{tile}"]')
        time.sleep(pause)
    return {"findings": times[FIRST_PRESSES:]}


def summary(times: dict[str, list[float]], what_is_done: str = "key") -> str:
    """Medians in words, one line a picture."""
    return "\n".join(f"{what_is_done} to {what}: median {statistics.median(taken):.0f} ms, 90 % within {sorted(taken)[9 * len(taken) // 10]:.0f} ms, "
                     f"n = {len(taken)}" for what, taken in times.items())
