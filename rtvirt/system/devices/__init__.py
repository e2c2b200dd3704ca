"""Devices: recipes for threads, lines, event channels and paths, one a file."""

from .base import CustomDevice, Device
from .expand import expanded, is_kernel, plumbing_of
from .plumbing import CAUSES, Line, Path, Plumbing, Port, Stage, Thread

__all__ = ["CAUSES", "CustomDevice", "Device", "Line", "Path", "Plumbing", "Port", "Stage", "Thread", "expanded", "is_kernel", "plumbing_of"]
