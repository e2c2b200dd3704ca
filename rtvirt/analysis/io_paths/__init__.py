"""Bounds of what goes along the paths of devices, and of chains of tasks."""

from .bound import PathBound, StageBound, path_bound

__all__ = ["PathBound", "StageBound", "path_bound"]
