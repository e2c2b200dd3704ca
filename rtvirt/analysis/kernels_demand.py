"""Entry points that evaluate requests and demand at many windows."""

from __future__ import annotations

from .kernels_fp import settle
from .limits import TOO_LARGE, TOO_LONG, compiled
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


def _busy_of(sup, rows, horizon, out):                   # type: ignore[no-untyped-def]
    """Longest busy period of all rows into out[0]; TOO_LONG if it is beyond `horizon`, TOO_LARGE."""
    count = len(rows.cost)
    if not fits(rows, count, horizon):
        out[0] = TOO_LARGE
    else:
        end = settle(sup, rows, count, 0, 1, horizon)
        out[0] = end if 0 <= end <= horizon else TOO_LONG


busy_of = compiled(_busy_of)
requests_of = compiled(_requests_of)
demand_of = compiled(_demand_of)
