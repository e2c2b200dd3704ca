"""`classify`: a table with a row per instruction form, derived by executing it."""

from __future__ import annotations

import html
import io
import json
import time
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .. import data
from ..errors import RtvirtError
from .names import load
from .watchdog import PATIENCE, child_command, reports

if TYPE_CHECKING:
    import pandas as pd

FAILURE = "engine failure"
HOW = "install the extra `silicon` (`pip install rtvirt[silicon]`, or `pip install unicorn capstone`) to execute them here"
COLUMNS = ("instruction", "bytes", "verdict", "sensitive", "shown_by", "user_traps", "traps", "trials", "rule", "without_rule", "limit")


@dataclass(frozen=True)
class Classification:
    """How an emulator executes an instruction set. Never the class on real silicon: see `limits`.

    Attributes
    ----------
    isa, title : str
    engine : str
        Name and version of what executed the instructions.
    date : str
        When, for stored results; "" for live ones.
    table : DataFrame
        Index: form. Columns: instruction (as capstone prints it), bytes, verdict, sensitive (kinds with a witness), shown_by (components of the
        state), user_traps (trapping and all user-mode trials), traps, trials, rule (a step supplied by rtvirt), without_rule (the verdict then),
        limit (where the engine is known to differ from silicon).
    limits : tuple of str
        Notes on the engine that concern the whole set.
    seconds : float
        How long the execution took; 0 for stored results.
    """

    isa: str
    title: str
    engine: str
    date: str
    table: pd.DataFrame
    limits: tuple[str, ...]
    seconds: float = 0.0
    witnesses: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def offenders(self) -> pd.DataFrame:
        """Forms that are sensitive and not privileged: each one breaks Theorem 1."""
        return self.table[self.table["verdict"] == "sensitive"]

    @property
    def user_offenders(self) -> pd.DataFrame:
        """Those of the offenders that are user-sensitive: each one breaks Theorem 3 too, so that not even a hybrid monitor is promised."""
        return self.offenders[self.offenders["sensitive"].str.contains("user-sensitive")]

    def witness(self, form: str, kind: str | None = None) -> pd.DataFrame:
        """Two states before and after: rows (before or after, component), one column for each state.

        Parameters
        ----------
        form : str
            A row of the table.
        kind : str, optional
            "control-sensitive", "location-sensitive", "mode-sensitive", "user-sensitive", "clock" or "privileged"; by default the first there is.

        Raises
        ------
        RtvirtError
            When there is no such form or no such witness; the message lists what there is.
        """
        import pandas as pd

        if form not in self.witnesses:
            raise RtvirtError(f"{self.isa} has no form {form!r}; there are {', '.join(self.table.index)}")
        known = self.witnesses[form]
        if not known or (kind is not None and kind not in known):
            raise RtvirtError(f"{form} has no witness{f' for {kind!r}' if kind else ''}; there are: {', '.join(known) or 'none'}; "
                              "no witness in this many trials is no proof of innocence")
        chosen = known[kind or next(iter(known))]
        index = pd.MultiIndex.from_tuples([tuple(row[:2]) for row in chosen["rows"]], names=["", kind or next(iter(known))])
        return pd.DataFrame([row[2:] for row in chosen["rows"]], index=index, columns=twice(chosen["columns"]))

    def headline(self) -> str:
        """One paragraph: what was executed, by what, and what broke."""
        counts = self.table["verdict"].str.replace(r" if .*", " if configured", regex=True).value_counts()
        source = f"stored results of {self.date}; {HOW}" if self.date else "executed here"
        return (f"{self.isa} as {self.engine} executes it ({source}): {len(self.table)} forms, {int(self.table['trials'].sum())} trials; "
                + ", ".join(f"{count} {verdict}" for verdict, count in counts.items()))

    def __repr__(self) -> str:
        names = ", ".join(self.offenders.index)
        text = self.table[["instruction", "verdict", "sensitive", "user_traps"]].to_string(max_colwidth=44)
        return f"{self.headline()}\nsensitive and not privileged: {names or 'none found'}\n\n{text}"

    def _repr_html_(self) -> str:
        shown = self.table[["instruction", "verdict", "sensitive", "shown_by", "user_traps", "traps", "without_rule", "limit"]]
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.limits)
        names = html.escape(", ".join(self.offenders.index)) or "none found"
        return (f"<p>{html.escape(self.headline())}</p><p>Sensitive and not privileged: {names}</p>{shown.to_html(max_rows=200)}"
                + (f"<p>Engine limits:</p><ul>{notes}</ul>" if notes else ""))

    def to_csv(self) -> str:
        """The table with its witnesses, as it is stored."""
        stored = self.table.assign(witness=[json.dumps(self.witnesses[form], separators=(",", ":")) for form in self.table.index])
        return stored.to_csv(index_label="form", lineterminator="\n")


def twice(columns: list[str]) -> list[str]:
    """Column names made different."""
    return columns if columns[0] != columns[1] else [columns[0], columns[1] + ", again"]


def installed() -> bool:
    """True when the extra is there and can be loaded: asking only whether its files exist would miss an engine without its library."""
    try:
        import_module("unicorn")
        import_module("capstone")
    except ImportError:
        return False
    return True


def classify(isa: str, *, live: bool | None = None, patience: float = PATIENCE) -> Classification:
    """Classify the instruction forms of a real instruction set by executing them.

    Each form runs in an emulator, in supervisor and in user mode, over variations of the privileged state and several operands; the
    definitions of Popek and Goldberg are applied to what happens. The work is done in a child process, which may crash or hang:
    that is a verdict ("engine failure").

    Parameters
    ----------
    isa : str
        "x86-32", "x86-64", "armv7-a", "aarch64", "rv64", "mips32", "ppc32", "m68000", "coldfire" or "s390x".
    live : bool, optional
        False shows the stored results, True insists on executing; by default it executes when the extra is installed.
    patience : float, optional
        Silence of the child after which a form counts as hanging [s].

    Raises
    ------
    SpecError
        For an unknown name.
    RtvirtError
        When `live` is True and the extra `silicon` is not installed.

    Notes
    -----
    A witness proves that the *emulator* behaves so. Where it is known to differ from silicon, the table says so in `limit`.
    "innocuous" means: no witness in that many trials.

    References
    ----------
    G. J. Popek, R. P. Goldberg, Formal Requirements for Virtualizable Third Generation Architectures, CACM 17(7), 1974.

    Examples
    --------
    >>> import rtvirt as rv
    >>> x86 = rv.silicon.classify("x86-32", live=False)
    >>> x86.table.loc["POPF", "verdict"]
    'sensitive'
    """
    load(isa)
    if live is None:
        live = installed()
    if live and not installed():
        raise RtvirtError(f"the instructions cannot be executed here: {HOW}; `live=False` shows the stored results")
    return execute(isa, patience) if live else stored(isa)


@cache
def execute(name: str, patience: float) -> Classification:
    """Run the child and gather its reports; the result is a function of the engine alone, so it is kept."""
    isa, started, engine = load(name), time.perf_counter(), "unicorn"
    found: dict[int, dict[str, Any]] = {}
    for message in reports(child_command(name), len(isa.forms), patience):
        if message["event"] == "ready":
            engine = message["engine"]
        elif message["event"] == "failure":
            found[message["form"]] = {"verdict": FAILURE, "bare": FAILURE, "kinds": [], "components": {}, "witnesses": {}, "trials": 0,
                                      "user_traps": 0, "user_trials": 0, "traps": [message["why"]]}
        else:
            found[message["form"]] = message
    rows = {form.name: row(form, found[number]) for number, form in enumerate(isa.forms)}
    return Classification(name, isa.title, engine, "", frame(rows), isa.flags, time.perf_counter() - started,
                          {form.name: found[number]["witnesses"] for number, form in enumerate(isa.forms)})


def row(form: Any, message: dict[str, Any]) -> dict[str, Any]:
    """A row of the table."""
    shown = "; ".join(f"{kind.split('-')[0]}: {' '.join(message['components'][kind])}" for kind in message["kinds"])
    return {
        "instruction": form.text or form.name, "bytes": form.code.hex(), "verdict": message["verdict"], "sensitive": " ".join(message["kinds"]),
        "shown_by": shown, "user_traps": f"{message['user_traps']}/{message['user_trials']}", "traps": ", ".join(message["traps"]),
        "trials": message["trials"], "rule": form.rule, "without_rule": message["bare"] if form.rule else "", "limit": form.limit}


def frame(rows: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """The table from its rows."""
    import pandas as pd

    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS)).rename_axis("form")


def stored(name: str) -> Classification:
    """The results in data/isa/derived: as executed on the date in their first line."""
    import pandas as pd

    isa = load(name)
    head, _, body = data.path(f"isa/derived/{name}.csv").read_text(encoding="utf-8").partition("\n")
    about = json.loads(head.removeprefix("# "))
    table = pd.read_csv(io.StringIO(body), index_col="form", keep_default_na=False)
    witnesses = {form: json.loads(text) for form, text in table["witness"].items()}
    return Classification(name, isa.title, about["engine"], about["date"], table[list(COLUMNS)], isa.flags, 0.0, witnesses)
