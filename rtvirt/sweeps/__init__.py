"""Sweeps: a function over a grid of parameters, on all cores or a cluster, into a table; resumable. And what to measure of a run.

`measures`, `published` and `studies`, which need the whole simulator, are loaded when they are first used: workers of a cluster may not need them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .running import sweep

if TYPE_CHECKING:
    from . import measures, published, studies

__all__ = ["measures", "published", "studies", "sweep"]


def __getattr__(name: str) -> Any:
    """The modules that are loaded late."""
    if name in ("measures", "published", "studies"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
