"""Entry points that evaluate requests and demand at many windows."""

from __future__ import annotations

from .limits import TOO_LARGE, compiled
from .requests import demand, fits, requests


def _requests_of(rows, t, out):                          # type: ignore[no-untyped-def]
    """`requests` of all rows in windows of length `t` into `out`."""
    for k in range(len(t)):
        out[k] = requests(rows, len(rows.cost), t[k]) if fits(rows, len(rows.cost), t[k]) else TOO_LARGE
        if t[k] <= 0:
            out[k] = 0


def _demand_of(rows, t, out):                            # type: ignore[no-untyped-def]
    """`demand` of all rows in windows of length `t` into `out`."""
    for k in range(len(t)):
        out[k] = demand(rows, len(rows.cost), t[k]) if fits(rows, len(rows.cost), t[k]) else TOO_LARGE


requests_of = compiled(_requests_of)
demand_of = compiled(_demand_of)
