"""Small changes to one opcode: its trap bit, or one line of what it does. Most of the machines that could not be virtualized are one flip away.

    rv.machine.flip("clean", "RSR", bit=True)             the 68000's mistake
    rv.machine.flip("clean", "ADD", "shows M")            an ADD that tells in which mode it runs
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import linecache
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from ..errors import Problem, SpecError
from . import layout
from .isa import ISA
from .opcodes import svc
from .variants import isa as find


class Flip(NamedTuple):
    """One line put into an opcode: as its first, or as the last before it returns, so that nothing overwrites what it shows."""

    line: str
    last: bool = False


FLIPS = {
    "shows M": Flip("view.put(m, cpu, a, view.user(m, cpu))", last=True),
    "shows l": Flip("view.put(m, cpu, a, view.relocation(m, cpu))", last=True),
    "shows b": Flip("view.put(m, cpu, a, view.bound(m, cpu))", last=True),
    "shows the switch": Flip("view.put(m, cpu, a, view.enabled(m, cpu))", last=True),
    "does nothing in user mode": Flip("if view.user(m, cpu) == 1: return OK"),
    "goes to user mode": Flip("view.set_user(m, cpu, 1)", last=True),
    "goes to supervisor mode": Flip("view.set_user(m, cpu, 0)", last=True),
    "moves R": Flip("view.set_r(m, cpu, view.relocation(m, cpu) + 1, view.bound(m, cpu))", last=True),
    "turns the switch off": Flip("view.set_enabled(m, cpu, 0)", last=True),
    "writes below R": Flip("view.store_absolute(m, cpu, 0, 1)", last=True),
}


def tree_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """Source of an opcode as a tree."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


def made(tree: ast.FunctionDef, like: Callable[..., Any]) -> Callable[..., Any]:
    """A function from a tree, with the names that another one sees; its source can be asked for as if it came from a file."""
    source = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    file = f"<opcode {hashlib.sha256(source.encode()).hexdigest()[:16]}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    names = {**vars(layout), **like.__globals__}
    exec(compile(source, file, "exec"), names)
    return names[tree.name]


@cache
def with_line(function: Callable[..., Any], line: str, last: bool = False) -> Callable[..., Any]:
    """An opcode's semantics with one line more: first, or before its last return."""
    tree, new = tree_of(function), ast.parse(line).body
    first = 1 if ast.get_docstring(tree) else 0
    tree.body[-1 if last else first:-1 if last else first] = new
    return made(tree, function)


def flip(isa: str | ISA, opcode: str, what: str | None = None, *, bit: bool = False) -> ISA:
    """An instruction set with one opcode flipped.

    Parameters
    ----------
    isa : str or ISA
    opcode : str
        Name or alias.
    what : str, optional
        A line put into what the opcode does: one of ``FLIPS``.
    bit : bool
        Whether to turn its trap bit over: what traps in user mode does not any more, or the other way round.

    Notes
    -----
    A flipped opcode is not one of the compiled ones: machines with it run in plain Python.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.theorems(rv.machine.flip("clean", "JRST", bit=True))[1].broken_by
    ('JRST',)
    >>> rv.machine.classify(rv.machine.flip("clean", "ADD", "shows b"), only="ADD")["ADD"].classes
    ('innocuous',)
    """
    table = find(isa)
    old = table.opcode(opcode)
    if what is not None and what not in FLIPS:
        raise SpecError([Problem("what", what, ", ".join(FLIPS), "choose one of these, or leave it out")])
    if what is not None and old.does is svc:
        raise SpecError([Problem("opcode", old.name, "any other", "SVC always traps, and what traps has changed nothing: choose another opcode")])
    does = old.does if what is None else with_line(old.does, *FLIPS[what])
    return table.change(old.name, does=does, privileged=old.privileged != bit)
