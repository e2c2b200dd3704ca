"""The browser's half of the widgets: JavaScript and CSS that ship in the package, joined when a widget class is made.

A widget gets its code as one inline module, so nothing is fetched from anywhere: no network, no build step.
"""

from __future__ import annotations

from importlib.resources import files


def read_assets(*names: str) -> str:
    """Text of files of this package, one after the other."""
    folder = files(__package__)
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
