"""What an operation costs, structure by structure: a bar each, stacked from the parts of the crossing."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from ..errors import Problem, SpecError
from ..traps import Cost
from .against import LOOKS
from .style import COLOURS, new_axes, styled

FILLS = [colour for colour, _ in LOOKS if colour not in (COLOURS["hypervisor"], COLOURS["bound"])]       # grey is the bare machine
HATCHES = ("", "//", "..", "xx")


def trap_costs(costs: Sequence[Cost], *, unit: str = "cycles", ax: Axes | None = None) -> Axes:
    """Stacked bars of costs, the bare machine's part first.

    Parameters
    ----------
    costs : sequence of rtvirt.traps.Cost
        One bar each, in this order from above.
    unit : {"cycles", "ns"}
        ns only where every platform's clock is known.
    ax : Axes, optional

    Raises
    ------
    SpecError
        Without costs, for another unit, or for ns where a clock was not published.

    Notes
    -----
    Grey is the bare machine. A colour with a hatch is a part; the number of transitions stands at the end. A bar that ends in an arrow is a
    lower bound: a part of it was not published.

    Examples
    --------
    >>> import rtvirt as rv
    >>> trap_costs([rv.traps.cost(one, "p4-672", "system_call") for one in ("native", "binary_translation")]).get_xlabel()
    'cycles'
    """
    if not costs or unit not in ("cycles", "ns"):
        raise SpecError([Problem("costs, unit", (len(costs), unit), "one cost or more; cycles or ns", "write trap_costs([rv.traps.cost(...)])")])
    parts = ["native", *dict.fromkeys(part for one in costs for part, cycles in one.parts.items() if cycles and part != "native")]
    looks = {part: (FILLS[k % len(FILLS)], HATCHES[k // len(FILLS) % len(HATCHES)]) for k, part in enumerate(parts[1:])}
    with styled():
        ax = new_axes(ax, max(1.2 + 0.45 * len(costs), 0.6 + 0.24 * len(parts)))
        labelled: set[str] = set()
        for row, one in enumerate(costs):
            scale = 1.0 if unit == "cycles" else float(one.exact_ns) / max(one.cycles, 1)
            left = 0.0
            for part in parts:
                width = one.parts.get(part, 0) * scale
                if not width:
                    continue
                colour, hatch = looks.get(part, (COLOURS["hypervisor"], ""))
                ax.barh(row, width, left=left, color=colour, hatch=hatch, edgecolor="white", label="_" if part in labelled else words(part))
                labelled.add(part)
                left += width
            n = one.crossings.transitions
            ax.text(left, row, f" {'→ ' if one.unknown else ''}{n} transition{'s' * (n != 1)}", va="center")
        machines = list(dict.fromkeys(one.platform.label for one in costs))
        ax.set_yticks(range(len(costs)), [words(one.structure) + (f"\n{one.platform.label}" if len(machines) > 1 else "") for one in costs])
        ax.invert_yaxis()
        ax.set_xlabel(unit)
        asked = ", ".join(dict.fromkeys(words(one.operation) for one in costs))
        ax.set_title(f"{asked}: {machines[0]}" if len(machines) == 1 else asked)
        ax.margins(x=0.28)
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
    return ax


def words(name: str) -> str:
    """A name as a reader says it."""
    return name.replace("_", " ")
