"""Where results come from: what a stored table says about itself."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from .points import Points
from .spelling import model_version

PACKAGES = ("numpy", "numba", "pandas", "pydantic", "pyarrow", "dask", "distributed")
MANY = 20             # values of a parameter; of longer lists the first and the last one, and how many


def about(function: Callable[..., Any], points: Points, code: str) -> dict[str, Any]:
    """Function, its digest and the model's, parameters, the seed if one is called so, and what was installed.

    The digests are of sources, so they also tell copies apart that have no history.
    """
    grid = {name: brief(values) for name, values in zip(points.names, points.spelled)}
    return {"function": f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}",
            "code": code, "model": model_version(), "parameters": grid, "seed": grid.get("seed"), "points": len(points),
            "python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}", "packages": installed()}


def brief(values: list[str]) -> dict[str, Any]:
    """Values of a parameter, as text."""
    return {"count": len(values), "values": values} if len(values) <= MANY else {"count": len(values), "first": values[0], "last": values[-1]}


def installed() -> dict[str, str]:
    """Versions of the packages that results may depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:              # an extra
            pass
    return {"rtvirt": sys.modules["rtvirt"].__version__, **found}
