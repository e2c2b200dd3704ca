"""The scheduler's source once more, not compiled, so that a trace can be walked through it decision by decision.

Compiled kernels can be called by compiled kernels only. The copy lives under another package name; its `jit` is told that the JIT is
off, so that every kernel is the plain Python function it looks like.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from ..jit import PACKAGE

COPY = "rtvirt_interpreted"


def interpreted(name: str) -> ModuleType:
    """Module `name` ("schedulers.credit") of the interpreted copy."""
    if COPY not in sys.modules:
        package = ModuleType(COPY)
        package.__path__ = [str(PACKAGE)]
        package.__spec__ = ModuleSpec(COPY, None, is_package=True)
        sys.modules[COPY] = package
        importlib.import_module(f"{COPY}.jit").DISABLED = True  # type: ignore[attr-defined]
        importlib.import_module(f"{COPY}.rows").Table = list  # type: ignore[attr-defined]    # faster; indices are checked elsewhere
    return importlib.import_module(f"{COPY}.{name}")
