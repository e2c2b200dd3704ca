"""What the analyses' integers can hold, and how they say that it was not enough.

Times and amounts of work are int64. Nothing an analysis looks at lies beyond `HORIZON`; `NEVER` stands for later than that. A sum that
could pass 2^62 is found out beforehand, in floating point, which cannot overflow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import LimitError
from ..jit import PACKAGE, F, cache_root, entry, fingerprint

NEVER = 2**62
"""Later than any time the analyses know; also "no deadline" and "no next one" `int [ns]`."""
HORIZON = 2**60
"""Longest time an analysis looks ahead: 36 years `int [ns]`."""
SAFE = 2.0**61
"""Sums found below this, in floating point, are below 2^62."""
FUEL = 20_000_000
"""Steps after which a fixed point is given up."""

SOURCES = ("jit.py", "kernels.py", "lowering.py", "analysis/limits.py", "analysis/pattern.py", "analysis/requests.py", "analysis/kernels_*.py")

MISSED = -1               # some deadline is missed
FINE = -2                 # nothing found against it
TOO_LARGE = -3            # numbers beyond 2^62
TOO_LONG = -4             # out of fuel
TOO_CLOSE = -5            # utilization so near the supply's rate that floating point cannot tell which is larger

REASONS = {TOO_LARGE: "its numbers do not fit 64 bits; use a coarser unit of time, or shorter periods",
           TOO_LONG: f"no answer within 2^60 ns and {FUEL:,} steps; lower the utilization a little, or use periods with a smaller common multiple",
           TOO_CLOSE: "its utilization equals the supply's rate to nine decimals; ask about this set alone"}


def compiled(function: F) -> F:
    """Compile an entry point of the analyses; its machine code is kept under a digest of all analysis kernels."""
    return entry(function, cache_dir())


def cache_dir() -> Path:
    """Folder of the compiled analyses."""
    return cache_root() / f"analysis-{fingerprint(path for pattern in SOURCES for path in sorted(PACKAGE.glob(pattern)))}"


def refuse(code: int, what: str) -> None:
    """Raise `LimitError` for a code that means: not answered."""
    if code in REASONS:
        raise LimitError(f"{what}: {REASONS[code]}")


def whole_times(t: object, what: str) -> np.ndarray:
    """Times as an int64 array (of any shape); LimitError for those that do not fit, TypeError for those that are not whole."""
    given = np.asarray(t)
    if given.dtype == object:
        if any(not isinstance(x, int) for x in given.ravel()):
            raise TypeError(f"{what}: integer nanoseconds are wanted, not {t!r}")
        raise LimitError(f"{what} is beyond 64 bits")
    if given.dtype.kind not in "iu" and given.size:        # numpy takes an empty list for floats
        raise TypeError(f"{what}: integer nanoseconds are wanted, not {given.dtype} (write for example ms(5))")
    if given.size and (int(given.max()) >= NEVER or int(given.min()) < -NEVER):
        raise LimitError(f"{what} is beyond 2^62")
    return given.astype(np.int64)
