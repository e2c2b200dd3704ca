"""What there is: operations, structures, platforms and their constants, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .costs import cost
from .crossings import crossings
from .operations import ELEMENTARY, OPERATIONS
from .parts import PARTS
from .platforms import Platform, calibrated, platform
from .structures import STRUCTURES

if TYPE_CHECKING:
    import pandas as pd


def operations() -> pd.DataFrame:
    """Names of operations, what they are, and what composites consist of.

    Examples
    --------
    >>> operations().set_index("operation").loc["fork", "consists of"]
    'page_fault 70'
    """
    import pandas as pd

    return pd.DataFrame([(one.name, one.what, ", ".join(f"{name} {n}" for name, n in one.consists.items()), one.why)
                         for one in OPERATIONS.values()], columns=["operation", "what", "consists of", "why"])


def structures(operation: str | None = None) -> pd.DataFrame:
    """Names of structures, what they are, who builds them; transitions of each elementary operation, or of one.

    Examples
    --------
    >>> structures("page_fault").set_index("structure").loc["paravirtual", "page_fault"]
    np.int64(2)
    """
    import pandas as pd

    wanted = ELEMENTARY if operation is None else (operation,)
    return pd.DataFrame([(kind.name, kind.what, kind.who, *(crossings(kind.name, one).transitions for one in wanted))
                         for kind in STRUCTURES.values()], columns=["structure", "what", "who", *wanted])


def platforms() -> pd.DataFrame:
    """Names of platforms, their clock [MHz], the structures measured on them, the constants they have, and the weakest evidence these rest on.

    Examples
    --------
    >>> platforms().set_index("platform").loc["core2", "clock_mhz"]
    np.float64(2660.0)
    """
    import pandas as pd

    return pd.DataFrame([(one.name, one.label, one.year, float(one.clock_mhz) if one.clock_mhz else None,
                          ", ".join(each.label for each in one.structures),
                          ", ".join(one.constants), one.evidence) for one in calibrated().values()],
                        columns=["platform", "label", "year", "clock_mhz", "structures", "constants", "evidence"])


def constants(name: str | Platform | None = None) -> pd.DataFrame:
    """Constants [cycles] of a platform, or of all, and the rows of trap_costs.csv that each comes from.

    Examples
    --------
    >>> constants("p4-672").set_index("part").loc["vm_entry", "origin"]
    'fit on rows 173'
    """
    import pandas as pd

    chosen = calibrated().values() if name is None else [platform(name)]
    return pd.DataFrame([(one.name, part, value, float(value * 1000 / one.clock_mhz) if one.clock_mhz else None, one.origin.get(part, ""),
                          PARTS[part].what) for one in chosen for part, value in one.constants.items()],
                        columns=["platform", "part", "cycles", "ns", "origin", "what"])


def priced(operation: str) -> pd.DataFrame:
    """Where an operation has a price: each structure on each platform where it was measured, if there is a constant for every part.

    Structures that add nothing are not listed. What each adds is in `overhead` [cycles]; `ns` is None where the clock is not known.

    Examples
    --------
    >>> priced("message").platform[0]
    'sel4-a9'
    """
    import pandas as pd

    found = []
    for machine in calibrated().values():
        for structure in machine.structures:
            added = machine.parts(crossings(structure, operation).added)
            if added and set(added) <= set(machine.constants):
                one = cost(structure, machine, operation)
                ns = float(one.overhead * 1000 / machine.clock_mhz) if machine.clock_mhz else None
                found.append((structure.label, machine.name, one.overhead, ns, one.crossings.transitions, machine.evidence))
    return pd.DataFrame(sorted(found, key=lambda row: row[2]), columns=["structure", "platform", "overhead", "ns", "transitions", "evidence"])


def exit_latencies() -> pd.DataFrame:
    """Fifteen years of x86 exits: the round trip of each platform, in cycles, and in ns where the clock is known."""
    import pandas as pd

    found = []
    for one in calibrated().values():
        if set(one.parts({"round_trip": 1})) <= set(one.constants):
            cycles = one.price({"round_trip": 1})
            stated = one.clock_mhz is not None
            found.append((one.name, one.year, None if one.name == "acrn" else cycles,
                          float(cycles * 1000 / one.clock_mhz) if stated and one.clock_mhz else None, one.evidence))
    return pd.DataFrame(sorted(found, key=lambda row: row[1]), columns=["platform", "year", "cycles", "ns", "evidence"])
