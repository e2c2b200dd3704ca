"""Which instructions are privileged, which are sensitive? Decided from the 1974 definitions, not looked up.

Each opcode is run from every state of a small machine (cases.py); what is too large for that is sampled. Rules: docs/popek-goldberg.md,
sections 2 and 4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from ..errors import Problem, SpecError
from .cases import Case, explore
from .isa import ISA, Opcode
from .lazy import Branches, Draws
from .report import Classification, Verdict
from .variants import isa as find

MODELS = ("1974", "extended")
FUEL = 60_000             # leaves of one opcode: about ten seconds
RANGES = {"bits": (2, 32, "2"), "store": (1, 2**32, "6"), "trials": (1, 10**9, "10_000"), "seed": (0, 2**64, "1"), "fuel": (1, 10**9, "60_000")}
DRAWS = 2_000             # states drawn of an opcode that has more


def judge(opcode: Opcode, cells: Branches, model: str, fuel: int = FUEL) -> Verdict | None:
    """Examine one opcode at every leaf; None when there are more than `fuel`.

    The quick way tells whether there is a witness of behaviour; if there is, all pairs are looked at for the smallest one.
    """
    case = last(explore(opcode, cells, model, quick=cells.exact), fuel)
    if case and case.quick and set(case.found) - {"control", "user control", "mode"}:
        case = last(explore(opcode, cells, model), fuel)
    if case is None:
        return None
    if {"location", "mode"} & set(case.found):
        case.found.pop("mixed", None)                                # a purer witness says more
    return Verdict(opcode.name, case.pairs > 0 and case.counter is None, case.both_trap, case.found, case.counter, tuple(sorted(case.controls)),
                   case.leaves, cells.exact, opcode.text, opcode.aliases)


def last(cases: Iterator[Case], fuel: int) -> Case | None:
    """The case when all is explored, None if that takes more than `fuel` leaves."""
    final = deque(islice(cases, fuel), maxlen=1)
    return None if next(cases, None) else final[0]


def classify(isa: str | ISA, *, model: str = "1974", bits: int = 2, store: int | None = None, trials: int | None = None, seed: int = 0,
             only: str | None = None, fuel: int = FUEL) -> Classification:
    """Classify every opcode of an instruction set by the definitions of Popek and Goldberg.

    Parameters
    ----------
    isa : str or ISA
        Name of a built-in instruction set, or one of your own.
    model : {"1974", "extended"}
        "1974": M and R are control state, nothing else. "extended": so are the interrupt switch, the timer, devices, and whether the
        machine halts (rule 1.9).
    bits, store : int
        Size of the machine that is exhausted: bits of a word, words of storage (default: two more than a word can address, so that
        R may point beyond the end, and both a moved and an unmoved program fit).
    trials, seed : int
        Instead of exhausting, draw that many states per opcode: for machines of 32-bit words. Sensitivity found is still proved by its
        witness; "innocuous" then only means "no witness in N trials".
    only : str
        One opcode instead of all.
    fuel : int
        States to look at of one opcode. One that has more (with words of 3 or 4 bits: those that load several words) is sampled, and says so.

    Returns
    -------
    Classification

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.classify("m68000")["MOVESR"].classes
    ('mode-sensitive',)
    """
    table = find(isa)
    problems = []
    if model not in MODELS:
        problems.append(Problem("model", model, " or ".join(MODELS), 'write model="1974" or model="extended"'))
    for name, value in {"bits": bits, "store": store, "trials": trials, "seed": seed, "fuel": fuel}.items():
        least, most, example = RANGES[name]
        if value is not None and (not isinstance(value, int) or not least <= value <= most):
            problems.append(Problem(name, value, f"a whole number, {least:,} to {most:,}", f"write for example {name}={example}"))
    if not problems and trials is None and bits > 4:
        problems.append(Problem("bits", bits, "2 to 4 to exhaust, 2 to 32 with trials=N", "make the word smaller, or draw: trials=10_000"))
    if problems:
        raise SpecError(problems)
    size = store if store is not None else min((1 << bits) + 2, 1 << 16)
    verdicts = []
    for opcode in [table.opcode(only)] if only else table.opcodes:
        verdict = judge(opcode, Branches(bits, size), model, fuel) if trials is None else None
        verdicts.append(verdict or judge(opcode, Draws(bits, size, trials or DRAWS, seed), model, 10**9))
    return Classification(table.name, table.title, model, bits, size, trials, seed, verdicts)
