"""Sweeps: a function over a grid of parameters, on all cores, into a table; resumable. And what to measure of a run."""

from . import measures, published
from .running import sweep

__all__ = ["measures", "published", "sweep"]
