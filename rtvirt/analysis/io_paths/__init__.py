"""Bounds of what goes along the paths of devices, and of chains of tasks."""

from .bound import PathBound, StageBound, path_bound
from .chains import ChainBound, Link, data_age, reaction_time
from .witnesses import beside_hogs, grown, unheard

__all__ = ["ChainBound", "Link", "PathBound", "StageBound", "beside_hogs", "data_age", "grown", "path_bound", "reaction_time", "unheard"]
