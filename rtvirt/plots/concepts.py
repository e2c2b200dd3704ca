"""Which description of a VM can say what: concepts against formats."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from .style import COLOURS, styled

if TYPE_CHECKING:
    import pandas as pd

LOOKS = {"Y": ("s", COLOURS["real-time"], COLOURS["real-time"], "yes"), "P": ("D", "white", COLOURS["real-time"], "in part"),
         "impl": ("o", "white", COLOURS["hypervisor"], "only in the implementation"), "N": (".", COLOURS["hypervisor"], COLOURS["hypervisor"], "no")}
"""Mark, its filling and edge, and name of each answer."""
SHORT = {"paravirt_ops": "paravirt ops", "WinHAL": "Windows HAL", "VMI(2005 vmi.c)": "VMI", "Linux DT": "device tree",
         "Jailhouse cell cfg rev14": "Jailhouse",
         "Xen dom0less DT": "Xen dom0less", "Bao config.c": "Bao", "seL4 CAmkES-VMM": "CAmkES VMM", "OpenAMP/remoteproc rsc table": "OpenAMP",
         "ACRN scenario XML": "ACRN"}
"""Formats by names that fit above a column."""


def concepts(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Concepts against formats: a filled square where a format says it, an open diamond in part, an open circle where only the implementation
    knows, a dot where nothing does.

    Parameters
    ----------
    table : DataFrame
        From `rv.platform.concepts()`, or some of its rows and columns. Formats that were not read in full have a † and grey marks.
    ax : Axes, optional

    Examples
    --------
    >>> import rtvirt as rv
    >>> ax = concepts(rv.platform.concepts())
    >>> len(ax.get_xticklabels()), len(ax.get_yticklabels())
    (12, 18)
    """
    formats = [name for name in table.columns if name != "concept"]
    if "concept" not in table.columns or not formats or not len(table):
        raise SpecError([Problem("table", list(table.columns), "a column concept, and one format or more", "take rv.platform.concepts()")])
    read = table.attrs.get("read", {})
    remembered = [name for name in formats if name in read and not str(read[name]).startswith("yes")]
    with styled():
        ax = Figure(figsize=(12, 1.9 + 0.29 * len(table))).add_subplot() if ax is None else ax
        for answer, (marker, face, edge, name) in LOOKS.items():
            for doubtful in (False, True):
                at = [(x, y) for y, row in enumerate(table[formats].itertuples(index=False)) for x, cell in enumerate(row)
                      if answer_of(cell) == answer and (formats[x] in remembered) == doubtful]
                ax.scatter([x for x, _ in at], [y for _, y in at], s=26 if answer == "N" else 92, marker=marker,
                           facecolors="#9a9a9a" if doubtful and face != "white" else face, edgecolors="#9a9a9a" if doubtful else edge, linewidths=2,
                           label="_again" if doubtful else name, zorder=3)
        ax.set_xticks(range(len(formats)), [fill(SHORT.get(name, name), 9) + (" †" if name in remembered else "") for name in formats], fontsize=11)
        ax.set_yticks(range(len(table)), [short(name) for name in table["concept"]], fontsize=11.5)
        ax.set_xlim(-0.6, len(formats) - 0.4)
        ax.set_ylim(len(table) - 0.4, -0.6)
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.4, -0.005))
        if remembered:
            ax.set_xlabel("† from memory or at second hand: not read in full", fontsize=11, loc="right", labelpad=30)
    return ax


def answer_of(cell: str) -> str:
    """The answer in a cell of the table, without field names."""
    first = cell.split()[0] if cell else "N"
    return first if first in LOOKS else "N"


def short(concept: str) -> str:
    """A concept without its examples, unless these are short."""
    return (concept if len(concept) <= 34 else concept.split(" (")[0]).removesuffix(" description")
