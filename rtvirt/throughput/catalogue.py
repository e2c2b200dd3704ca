"""What there is: paths, machines and their prices, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .machines import Machine, calibrated, machine
from .paths import PARTS, PATHS, Path, path_of
from .rows import rows

if TYPE_CHECKING:
    import pandas as pd


def paths() -> pd.DataFrame:
    """Names of paths, what they are, who has them, and their parts by what these are counted.

    Examples
    --------
    >>> paths().set_index("path").loc["split_driver", "parts"]
    'stack a packet, crossing a segment, flip a page'
    """
    import pandas as pd

    return pd.DataFrame([(path.name, path.what, path.examples, described(path)) for path in PATHS.values()],
                        columns=["path", "what", "examples", "parts"])


def described(path: Path) -> str:
    """The parts of a path in words."""
    found = ["stack a packet"] if path.stack else []
    for per, parts in (("packet", path.packet), ("segment", path.segment), ("page", path.page), ("KiB", path.kib), ("interrupt", path.interrupt)):
        found += [f"{part if n == 1 else f'{n} {part}'} {'an' if per == 'interrupt' else 'a'} {per}" for part, n in parts.items()]
    return ", ".join(found)


def machines() -> pd.DataFrame:
    """Names of machines, what they are, their line [Mb/s], and the weakest evidence that a price rests on.

    Examples
    --------
    >>> float(machines().set_index("machine").loc["pc-733", "line"])
    100.0
    """
    import pandas as pd

    return pd.DataFrame([(one.name, one.label, one.year, None if one.line is None else float(one.line), len(one.prices), one.evidence)
                         for one in calibrated().values()], columns=["machine", "label", "year", "line", "prices", "evidence"])


def prices(on: str | Machine) -> pd.DataFrame:
    """The prices of a machine [ns], and where they come from.

    Examples
    --------
    >>> int(prices("dell-2650").set_index("part").ns["flip"])
    1107
    """
    import pandas as pd

    one = machine(on)
    return pd.DataFrame([(part, ns, PARTS[part], one.origin.get(part, "")) for part, ns in sorted(one.prices.items())],
                        columns=["part", "ns", "what", "origin"])


def published(path: str | Path, on: str | Machine = "dell-2650", *, direction: str = "tx") -> pd.DataFrame:
    """Rates that were measured on a path: columns mtu [bytes], mbit [Mb/s], role.

    Examples
    --------
    >>> published("page_flip").values.tolist()
    [[1500, 897.0, 'predicted'], [500, 516.0, 'fit']]
    """
    import pandas as pd

    path, name = path_of(path), machine(on).name
    found = [(one.mtu, one.value, one.role) for one in rows() if one.machine == name and one.model in ("rate", "line")
             and one.counts == f"{path.name} {direction}"]
    return pd.DataFrame(found, columns=["mtu", "mbit", "role"])
