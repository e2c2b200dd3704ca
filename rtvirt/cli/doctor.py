"""`rtvirt doctor`: is everything there that the course needs?"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

NEEDED = ("numpy", "numba", "pandas", "matplotlib", "jupyterlab", "ipywidgets", "anywidget", "pydantic", "nbval")
Finding = tuple[bool, str]


@click.command(help="Check versions, kernel cache, widgets, fonts and data: one OK line each, or what to do.")
def doctor() -> None:
    """Print the findings; exit 1 if something is missing."""
    ok = True
    for good, text in findings():
        ok &= good
        click.echo(("OK    " if good else "TO DO ") + text)
    raise SystemExit(0 if ok else 1)


def findings() -> Iterator[Finding]:
    """All checks."""
    recent = sys.version_info >= (3, 11)
    yield recent, f"Python {sys.version.split()[0]}" + ("" if recent else ": install 3.11 or newer")
    yield from packages()
    yield kernels()
    yield widgets()
    yield fonts()
    yield data()


def packages() -> Iterator[Finding]:
    """What must be installed."""
    for name in NEEDED:
        try:
            yield True, f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield False, f"{name} is missing: run `python3 lab.py`, which installs what the lock lists"


def kernels() -> Finding:
    """The compiled kernels' cache."""
    from ..jit import cache_root, is_warm

    root = cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        writable = os.access(root, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        return False, "the kernel cache cannot be written: set NUMBA_CACHE_DIR to a folder that can"
    if not is_warm("credit"):
        return False, "kernels are not compiled yet: run `rtvirt warmup` (about 15 s a scheduler), or let the first simulation do it"
    return True, "kernels are compiled and cached"


def widgets() -> Finding:
    """JupyterLab's part of the widgets."""
    for place in (Path(sys.prefix), Path(sys.base_prefix)):
        if (place / "share/jupyter/labextensions/@jupyter-widgets/jupyterlab-manager/package.json").exists():
            return True, "widgets are known to JupyterLab"
    return False, "JupyterLab does not know the widgets: reinstall with `python3 lab.py` (package jupyterlab_widgets)"


def fonts() -> Finding:
    """Fonts for pictures."""
    from matplotlib import font_manager

    try:
        font_manager.findfont("DejaVu Sans", fallback_to_default=False)
    except ValueError:
        return False, "matplotlib's own font is missing: reinstall matplotlib"
    return True, "fonts"


def data() -> Finding:
    """The data folder, and a browser to look with."""
    folder = Path(__file__).resolve().parents[2] / "data"
    if not (folder / "systems").is_dir():
        return False, "the data folder is not beside the package: get the whole repository"
    found = any(shutil.which(name) for name in ("chromium", "google-chrome", "msedge", "firefox"))
    return True, "data" + ("" if found else " (no browser found here; any other machine's will do)")
