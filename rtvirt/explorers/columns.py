"""Columns on their way to the browser: many arrays of numbers in one bytes trait."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

MAX_NUMBERS = 4_000_000     # 32 MB: what a browser still takes without stalling


def pack(columns: Mapping[str, ArrayLike]) -> tuple[list[list[str | int]], bytes]:
    """Join named columns into bytes, and say how to take them apart.

    Parameters
    ----------
    columns : mapping of str to (n,) array
        Times in ns and other numbers below 2**53 in size, which float64 holds exactly.

    Returns
    -------
    layout : list of [name, length]
        In the order of the bytes.
    data : bytes
        Little-endian float64, one column after the other.

    Examples
    --------
    >>> pack({"start": [0, 5], "end": [3]})[0]
    [['start', 2], ['end', 1]]
    """
    arrays = {name: np.asarray(values, dtype="<f8").ravel() for name, values in columns.items()}
    layout: list[list[str | int]] = [[name, len(values)] for name, values in arrays.items()]
    return layout, b"".join(values.tobytes() for values in arrays.values())
