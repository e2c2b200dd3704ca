"""`rtvirt lab`: open the course."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from ..errors import RtvirtError

COURSE = Path(__file__).resolve().parents[2] / "notebooks"


@click.command(help="Open JupyterLab on the first notebook of the course.")
@click.argument("arguments", nargs=-1)
def lab(arguments: tuple[str, ...]) -> None:
    """Start JupyterLab; arguments are passed on."""
    first = COURSE / "00-start-here.ipynb"
    if not first.exists():
        raise RtvirtError("the notebooks are not beside the package: get the whole repository, and run `python3 lab.py` in it")
    raise SystemExit(subprocess.call([sys.executable, "-m", "jupyterlab", *arguments, str(first)], cwd=COURSE.parent))
