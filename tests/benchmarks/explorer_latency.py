"""How long from a key to the pictures of explorers (credit, traps, clock, packet_path, io_bound, pareto, board), in JupyterLab. Not a test.

    python3 lab.py run python tests/benchmarks/explorer_latency.py

Measured in the page of a headless browser: from the key event to the end of the drawing of the browser's frame in which a picture has changed.
That holds the browser's way to the kernel and back, the simulation of 2 s, the messages, and the wait for the frame; not what the screen adds.
Beside it, in turns, the least that any explorer takes: a slider whose kernel only writes a word. The same page is driven by tests/browser.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/browser")]

from lab_browser import (  # noqa: E402
    BORDER,
    BOXES,
    EXPLORER,
    FRONT,
    STACKS,
    TAIL,
    TIMELINE,
    browse,
    drop_to_findings,
    key_to_pictures,
    open_notebook,
    serve,
    summary,
    write_notebook,
)

from rtvirt.explorers import credit  # noqa: E402

PRESSES, SERIES = 40, 3
OTHERS = (("traps.explorer()", 0, {"bars": STACKS, "map": BORDER}),                 # a slider with room for 20 steps, and what follows it
          ("clock.explorer(scheduler='RTDS')", 2, {"clock": TIMELINE}),
          ("packet_path.explorer(rank=50.0)", 0, {"way of another message": TIMELINE, "its bars": STACKS}),
          ("packet_path.explorer(rate=2.0)", 1, {"way at another rate": TIMELINE, "bars at another rate": STACKS}),
          ("io_bound.explorer()", 0, {"bound and latencies": TAIL}),
          ("pareto.explorer()", 0, {"front": FRONT}),
          ("board.explorer()", 0, {"findings after a contract": BOXES}))
LEAST = """import ipywidgets
slider, word = ipywidgets.IntSlider(11, 2, 60), ipywidgets.HTML("11").add_class("least")
slider.observe(lambda change: setattr(word, "value", str(change["new"])), names="value")
ipywidgets.VBox([slider, word])"""


def kernel_part() -> float:
    """Median time [ms] of what the kernel does for one key: simulate, prepare columns."""
    explorer, times = credit.explorer(), []
    for i in range(PRESSES):
        start = perf_counter()
        explorer.set(period=8 + i % 10)
        times.append(1000 * (perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    """Three series, so that one sees how much they differ."""
    os.environ.setdefault("RTVIRT_BROWSER", shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser") or "")
    if not os.environ["RTVIRT_BROWSER"]:
        sys.exit("no Chromium or Chrome found: set RTVIRT_BROWSER to its path")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    print(f"of which in the kernel, without messages: median {kernel_part():.1f} ms")
    with tempfile.TemporaryDirectory() as name, serve(Path(name)) as address, browse(address, height=1400) as page:
        write_notebook(Path(name) / "notebooks/both.ipynb", EXPLORER, LEAST)
        open_notebook(page, address, "both.ipynb", f"{TAIL}[data-frame]")
        page.wait_for_selector(".least")
        page.wait_for_timeout(1000)
        for _ in range(SERIES):
            page.locator(".noUi-handle").last.focus()
            print(summary(key_to_pictures(page, PRESSES, {"a word, the least": ".least"})))
            page.locator(".noUi-handle").nth(1).focus()
            print(summary(key_to_pictures(page, PRESSES)))
        for number, (code, handle, pictures) in enumerate(OTHERS):
            write_notebook(Path(name) / f"notebooks/other{number}.ipynb", f"from rtvirt.explorers import {code.partition('.')[0]}\n{code}")
            open_notebook(page, address, f"other{number}.ipynb", f"{next(iter(pictures.values()))}[data-frame]")
            page.wait_for_timeout(1000)
            page.locator(".noUi-handle").nth(handle).focus()
            print(summary(key_to_pictures(page, PRESSES, pictures)))
        print(summary(drop_to_findings(page, PRESSES, "ufs", ("drivers", "android")), "drop"))         # on the last page, the board's


if __name__ == "__main__":
    main()
