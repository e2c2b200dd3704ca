"""Interactive explorers, one a file: parameters -> pure compute -> scene -> widget; and a timeline for any run."""

from . import credit, monitor
from .timeline import timeline

__all__ = ["credit", "monitor", "timeline"]
