"""Explorer of the theorems: flip one bit, or one line, of one opcode and see which theorem falls."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from functools import cache
from html import escape

from matplotlib.figure import Figure

from ..errors import Problem, SpecError
from ..machine import BUILT_IN, FLIPS, ISA, Opcode, classify, flip, theorems
from ..machine import isa as find
from ..machine.report import Classification, Verdict
from ..machine.theorems import Theorems
from ..machine.witness import Witness
from ..plots import classes, styled
from .base import Explorer, Fixed, check_ranges, choice, settle
from .sheet import Sheet

AS_IS, FLIPPED = "as it is", "flipped"
SLOTS = list(dict.fromkeys(opcode.name for one in BUILT_IN.values() for opcode in one.opcodes if not opcode.aliases))
COLUMNS = (("traps in user mode", "traps"), ("control-sensitive", "control"), ("location-sensitive", "location"), ("mode-sensitive", "mode"),
           ("resource-sensitive", "resource"), ("user-sensitive", "user_sensitive"))
PROMISES = ("a monitor", "in itself", "a hybrid one")
KINDS = ("user control", "user location", "user resource", "control", "location", "mode", "resource", "mixed")


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    isa: str = choice("clean", list(BUILT_IN), "instruction set")
    opcode: str = choice("RSR", SLOTS, "opcode")
    bit: str = choice(FLIPPED, [AS_IS, FLIPPED], "its trap bit")
    line: str = choice(AS_IS, [AS_IS, *FLIPS], "what it does")
    model: str = choice("1974", ["1974", "extended"], "model")


@dataclass(frozen=True)
class Data:
    """One flip: the opcode before and after, and both sets."""

    before: Theorems
    after: Theorems
    old: Verdict
    new: Verdict
    opcode: Opcode
    line: str
    model: str
    also: str                 # name of the built-in set that came out, or ""


def fixed(params: Params) -> dict[str, Fixed]:
    """What cannot be moved beside the other parameters, and why."""
    return {"line": Fixed(AS_IS, "SVC always traps, and what traps has changed nothing")} if params.opcode == "SVC" else {}


def compute(params: Params) -> Data:
    """Classify the flipped set; verdicts on opcodes that are as before are remembered.

    Raises
    ------
    SpecError
        The instruction set has no such opcode.
    """
    params = settle(params, fixed(params))
    table = find(params.isa)
    if not any(params.opcode in (o.name, *o.aliases) for o in table.opcodes):
        owners = [name for name, one in BUILT_IN.items() if any(params.opcode == o.name for o in one.opcodes)]
        raise SpecError([Problem("opcode", params.opcode, f"an opcode of {params.isa!r}", f"choose another, or the set {', '.join(owners)}")])
    changed = flip(table, params.opcode, None if params.line == AS_IS else params.line, bit=params.bit == FLIPPED)
    before, after = (theorems(classification(one, params.model)) for one in (table, changed))
    opcode = changed.opcode(params.opcode)
    also = next((name for name, one in BUILT_IN.items() if body(one) == body(changed) != body(table)), "")
    return Data(before, after, before.classification[opcode.name], after.classification[opcode.name], opcode,
                "" if params.line == AS_IS else FLIPS[params.line].line, params.model, also)


def body(table: ISA) -> list[tuple[object, bool]]:
    """What an instruction set does, names left out."""
    return [(opcode.does, opcode.privileged) for opcode in table.opcodes]


def classification(table: ISA, model: str) -> Classification:
    """The set's classification, put together from its opcodes'."""
    found = [judged(opcode, model) for opcode in table.opcodes]
    return replace(found[0], isa=table.name, title=table.title, verdicts=[one.verdicts[0] for one in found])


@cache
def judged(opcode: Opcode, model: str) -> Classification:
    """One opcode, exhausted once."""
    return classify(ISA("one", "", "", (opcode,)), model=model)


def sentence(data: Data) -> str:
    """What a flip has done, in words."""
    name, new = data.opcode.name, data.new
    traps = "always traps" if new.always_traps else "traps in user mode" if new.privileged else "does not trap"
    kinds = [kind for kind in new.classes if kind.endswith("sensitive")]
    said = f"{name} {traps} and is {' and '.join(kinds) or 'innocuous'}: "
    fell = [t.number for t in data.after.all if not t.holds]
    if not fell:
        said += "all three theorems hold." if not data.old.breaks else "now all three theorems hold."
    else:
        said += f"Theorem{'s' * (len(fell) > 1)} {' and '.join(map(str, fell)) if len(fell) < 3 else '1, 2 and 3'} " \
                f"{'say' if len(fell) > 1 else 'says'} nothing" + ("; Theorem 3 holds, so a hybrid monitor can be built." if 3 not in fell else ".")
    others = [other for other in data.after[1].broken_by if other != name]
    if others:
        said += f" {', '.join(others)} would break Theorem 1 anyway."
    return said + (f" This machine exists: {find(data.also).title}." if data.also else "")


def witness_of(verdict: Verdict) -> Witness | None:
    """The witness that says most: of user mode first; of an innocuous opcode none."""
    return next((verdict.witnesses[kind] for kind in KINDS if kind in verdict.witnesses), None)


class Scene:
    """Theorems and classes before and after, the witness, and the opcode's source."""

    def __init__(self) -> None:
        self.sheet = Sheet()
        self.front = [self.sheet]
        self.data: Data | None = None

    def update(self, data: Data) -> str:
        """Show a flip."""
        self.data = data
        witness = witness_of(data.new)
        shown = witness._repr_html_() if witness else f"<p>No witness in all {data.new.cases:,} cases: {escape(data.opcode.name)} is innocuous.</p>"
        self.sheet.html = f"<div>{theorem_table(data)}{class_table(data)}</div><div>{shown}</div>{source(data)}"
        return sentence(data)

    def figure(self) -> Figure:
        """Both sets, opcode by opcode."""
        assert self.data is not None
        before, after = self.data.before.classification, self.data.after.classification
        with styled():
            return classes({f"{before.isa}, as it is": before, f"with {self.data.opcode.name} flipped": after}).figure


def theorem_table(data: Data) -> str:
    """Rows: the three theorems; columns: before, after."""
    rows = "".join(f'<tr><th scope="row">Theorem {was.number}: {promise}</th>{outcome(was)}{outcome(now, was.holds != now.holds)}</tr>'
                   for was, now, promise in zip(data.before.all, data.after.all, PROMISES, strict=True))
    return f'<table><thead><tr><th></th><th scope="col">before</th><th scope="col">now</th></tr></thead><tbody>{rows}</tbody></table>'


def outcome(theorem: object, changed: bool = False) -> str:
    """A cell: whether a theorem's premise holds, and what breaks it."""
    text = "✓ holds" if theorem.holds else f"✕ {', '.join(theorem.broken_by)}"
    return f'<td class="{"good" if theorem.holds else "bad"}{" changed" if changed else ""}">{escape(text)}</td>'


def class_table(data: Data) -> str:
    """Rows: properties; columns: the opcode before and now."""
    rows = ""
    for label, name in COLUMNS:
        was, now = (one.privileged or one.always_traps if name == "traps" else getattr(one, name) for one in (data.old, data.new))
        if name != "resource" or data.model == "extended":
            cells = "".join(f'<td class="{"changed" if mark and was != now else ""}">{"● yes" if value else "○ no"}</td>'
                            for mark, value in ((False, was), (True, now)))
            rows += f'<tr><th scope="row">{label}</th>{cells}</tr>'
    return f'<table><thead><tr><th scope="col">{escape(data.opcode.name)}</th><th scope="col">before</th><th scope="col">now</th></tr></thead>' \
           f"<tbody>{rows}</tbody></table>"


def source(data: Data) -> str:
    """What the opcode does now, the new line marked."""
    lines = []
    for line in inspect.getsource(data.opcode.does).rstrip().split("\n"):
        new = data.line and line.strip() in (data.line, *data.line.replace(": ", ":\n").split("\n"))
        lines.append(f'<mark>{escape(line)}   # new</mark>' if new and "return" not in line else escape(line))
    return f"<pre>{chr(10).join(lines)}</pre>"


def explorer(**values: str) -> Explorer:
    """The explorer, starting from given parameters; SpecError in words where they cannot be run."""
    check_ranges(Params(), values)
    return Explorer(Params(**values), compute, Scene(), "One opcode of a machine. Flip the bit that decides whether it traps in user mode, or add a "
                    "line to what it does (arrow keys work in the lists), and see its class, the states that prove it, and which theorem falls.",
                    fixed)
