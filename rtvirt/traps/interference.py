"""What neighbours cost through shared caches, with colouring and without: the partitioning hypervisors' measurements, explained.

Percentages hide the mechanism: colouring seems to cost one benchmark 24 % and another 0.3 %. In milliseconds both lose the same 0.9: starting a
program (its pages are mapped, its file is read) has half the cache; the program itself does not notice. What is added to a run of length t is

    start + rate · t        start: of each run, the same for every program;  rate: of the program while it runs

and the rate has two sources: misses that depend on the program and on who else uses the cache, whichever hypervisor is below, and what the
hypervisor's own translations and timer interrupts add, which depends on the hypervisor and hardly on the program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..datafolder import path
from ..errors import Problem, SpecError
from .checks import whole_number

PPB = 1_000_000_000
CONFIGURATIONS = {"solo": "alone on the chip", "col": "alone, with half of the cache's colours",
                  "interf": "beside neighbours that stream through the shared cache"}
REFERENCE = "bao"                    # its rows say what each program suffers; the other hypervisors are predicted
SHORT = "-small"                     # programs that a hypervisor's own part is fitted on; the long ones are predicted


@dataclass(frozen=True)
class Inflation:
    """What a run of length t takes longer: ``start + rate·t``.

    Parameters
    ----------
    start : int [ns]
        Of each run.
    rate : int [parts in 10⁹]
        Of its length.

    Examples
    --------
    >>> from rtvirt.units import ms
    >>> Inflation(start=ms(1), rate=20_000_000)(ms(10))          # 1 ms, and 2 %
    11200000
    """

    start: int
    rate: int

    def __post_init__(self) -> None:
        whole_number("Inflation.start", self.start, 0)
        whole_number("Inflation.rate", self.rate, 0)

    def __call__(self, length: int) -> int:
        """The inflated length [ns], rounded up."""
        whole_number("length", length, 0)
        return length + self.start - (-length * self.rate // PPB)


@cache
def measured() -> Any:
    """One row for each hypervisor, configuration and program: milliseconds, and what was added to bare metal's.

    Returns
    -------
    pandas.DataFrame
        hypervisor, configuration, program, length [ms] (bare metal), added [ms], sd [ms] (of the difference of two means), percent.
    """
    import pandas as pd

    table = pd.read_csv(path("published/memory/mibench.csv"))
    bare = table[table.hypervisor == "baremetal"].set_index("benchmark")
    table = table[table.hypervisor != "baremetal"].rename(columns={"config": "configuration", "benchmark": "program"})
    length, noise = table.program.map(bare.mean_s) * 1e3, table.program.map(bare.sd_s) * 1e3
    added = table.mean_s * 1e3 - length
    sd = np.sqrt((table.sd_s * 1e3) ** 2 + noise**2) / np.sqrt(table.n)
    return pd.DataFrame({"hypervisor": table.hypervisor, "configuration": table.configuration, "program": table.program, "length": length,
                         "added": added, "sd": sd, "percent": 100 * added / length}).reset_index(drop=True)


@cache
def own_part(hypervisor: str) -> tuple[float, float]:
    """What a hypervisor itself adds, alone on the chip: (start [ms], rate), fitted on the short programs' percentages."""
    rows = measured().query("hypervisor == @hypervisor and configuration == 'solo'")
    rows = rows[rows.program.str.endswith(SHORT)]
    length, added = rows.length.to_numpy(), rows.added.to_numpy()
    start, rate = np.linalg.lstsq(np.column_stack([1 / length, np.ones_like(length)]), added / length, rcond=None)[0]
    return max(0.0, float(start)), max(0.0, float(rate))


@cache
def contention() -> float:
    """By what factor neighbours make a hypervisor's own part dearer: fitted on seL4's short programs (its walks read memory most often)."""
    table = measured().pivot(index=["program", "length"], columns=["hypervisor", "configuration"], values="added")
    table = table[table.index.get_level_values("program").str.endswith(SHORT)]
    own = table["sel4", "solo"] - table[REFERENCE, "solo"]
    more = table["sel4", "interf"] - table[REFERENCE, "interf"]
    return float((own * more).sum() / (own**2).sum())


def predictions() -> Any:
    """`measured`, with the model's percentage beside it.

    Returns
    -------
    pandas.DataFrame
        With predicted [%], residual [percentage points], and role: "fitted" (all of Bao's rows; other hypervisors' short programs alone; seL4's
        short programs beside neighbours) or "predicted" (the rest: nobody's long programs but Bao's were looked at).

    Notes
    -----
    What a program suffers from the cache is read off Bao's rows, three figures for each of twelve programs; a hypervisor adds two figures of
    its own, and all share one factor. So the model says: *the hypervisor hardly matters; the cache does*.

    Examples
    --------
    >>> table = predictions()
    >>> table.groupby("role").size().to_dict()
    {'fitted': 60, 'predicted': 72}
    """
    table = measured().copy()
    reference = table[table.hypervisor == REFERENCE].set_index(["configuration", "program"]).added
    quiet = table.program.map(reference["solo"])
    cached = np.array([reference[row.configuration, row.program] for row in table.itertuples()]) - quiet
    parts = [own_part(name) for name in table.hypervisor]
    own = np.array([start + rate * length for (start, rate), length in zip(parts, table.length)])
    dearer = np.where(table.configuration == "interf", contention(), 1.0)
    short = table.program.str.endswith(SHORT)
    of_bao = table.hypervisor == REFERENCE
    # Bao's own part is within what was read off its rows; another hypervisor's replaces it
    bao_start, bao_rate = own_part(REFERENCE)
    beyond = own - (bao_start + bao_rate * table.length)
    table["predicted"] = np.where(of_bao, table.percent, 100 * (cached + bao_start + bao_rate * table.length + dearer * beyond) / table.length)
    table["residual"] = table.predicted - table.percent
    fitted = of_bao | (short & (table.configuration == "solo")) | (short & (table.hypervisor == "sel4") & (table.configuration == "interf"))
    table["role"] = np.where(fitted, "fitted", "predicted")
    return table


def inflation(program: str, configuration: str = "interf", hypervisor: str = REFERENCE) -> Inflation:
    """What to add to a task that behaves like one of the measured programs, from the *shortest and longest* run of it.

    Parameters
    ----------
    program : str
        "qsort", "susanc", "susane", "susans", "bitcount" or "basicmath".
    configuration : {"solo", "col", "interf"}
        Alone, with half of the cache's colours, beside neighbours.
    hypervisor : {"bao", "jailhouse", "xen", "sel4"}

    Notes
    -----
    The line through the program's two measured lengths; an average of 70 runs, not a worst case: no test of a deadline may rest on it alone.
    Where the longer run lost less than the line allows (bitcount on Bao, alone), the rate is 0.

    Examples
    --------
    >>> inflation("susanc").start // 1_000_000, inflation("susanc", "col").start // 1_000_000
    (3, 0)
    """
    rows = measured().query("hypervisor == @hypervisor and configuration == @configuration")
    rows = rows[rows.program.isin([f"{program}-small", f"{program}-large"])].sort_values("length")
    if len(rows) != 2:
        programs = ", ".join(sorted({name.split("-")[0] for name in measured().program}))
        known = f"programs {programs}; configurations {', '.join(CONFIGURATIONS)}; hypervisors {', '.join(sorted(set(measured().hypervisor)))}"
        raise SpecError([Problem("inflation", f"{program}, {configuration}, {hypervisor}", known,
                                 "choose among these (seL4 was not measured with colours)")])
    (t0, t1), (a0, a1) = rows.length, rows.added
    rate = max(0.0, (a1 - a0) / (t1 - t0))
    return Inflation(start=max(0, round((a0 - rate * t0) * 1_000_000)), rate=round(rate * PPB))
