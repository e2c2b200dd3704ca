"""Parameters and functions as text that is the same in every process: what a stored result is found by."""

from __future__ import annotations

import ast
import dataclasses
import dis
import hashlib
import inspect
import sysconfig
import textwrap
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from pydantic import BaseModel

from ..errors import Problem, SpecError
from ..jit import PACKAGE

ASIDE = {"plots", "explorers", "exercises", "cli"}      # rooms of the package that no result depends on
LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


def spell(value: Any, where: str = "grid") -> str:
    """A value as text; SpecError for what has no text that says all about it."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, Fraction, Decimal, range)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"{name_of(type(value))}({', '.join(spell(item, where) for item in value)})"
    if isinstance(value, (set, frozenset)):
        return f"set({', '.join(sorted(spell(item, where) for item in value))})"
    if isinstance(value, Mapping):
        return f"dict({', '.join(sorted(f'{spell(k, where)}: {spell(v, where)}' for k, v in value.items()))})"
    if isinstance(value, np.ndarray) and value.dtype != object:
        return f"array({value.dtype.str}, {value.shape}, {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()})"
    if isinstance(value, (Enum, type)):
        return f"{name_of(type(value))}.{value.name}" if isinstance(value, Enum) else name_of(value)
    if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
        fields = dict(value) if isinstance(value, BaseModel) else {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return f"{name_of(type(value))}({', '.join(f'{name}={spell(item, where)}' for name, item in fields.items())})"
    if isinstance(value, Path):
        return f"Path({str(value)!r})"
    if callable(value) and isinstance(value, (FunctionType, MethodType, partial)):
        return f"function({identity(value)})"
    raise SpecError([Problem(where, value, "numbers, text, tuples, dicts, arrays, schedulers, systems, other dataclasses",
                             "a result is found again by its parameters as text: give one of these, and make the rest of it in the function")])


def name_of(kind: type) -> str:
    """A class by its full name, plain ones by their own."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def identity(function: Callable[..., Any]) -> str:
    """Digest of a function: its code, and the functions, classes and values of your own that it names. Comments do not count."""
    sha = hashlib.sha256()
    for part in parts_of(function, set()):
        sha.update(part.encode())
        sha.update(b"\0")
    return sha.hexdigest()[:16]


def parts_of(thing: Any, seen: set[int]) -> Iterator[str]:
    """What a function or class consists of, as text."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, partial):
        yield spell((thing.args, thing.keywords), "function")
        yield from parts_of(thing.func, seen)
    elif isinstance(thing, MethodType):
        yield spell(thing.__self__, "function")
        yield from parts_of(thing.__func__, seen)
    elif isinstance(thing, type):
        yield text_of(thing)
        for member in vars(thing).values():
            if isinstance(member, FunctionType):
                yield from parts_of(member, seen)
    elif isinstance(thing, FunctionType):
        yield text_of(thing)
        yield from (part for value in (*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()) for part in value_parts(value, seen))
        cells = {name: cell.cell_contents for name, cell in zip(thing.__code__.co_freevars, thing.__closure__ or ()) if not empty(cell)}
        for name in sorted(names_in(thing.__code__)):
            if name in cells or name in thing.__globals__:
                yield name
                yield from value_parts(cells.get(name, thing.__globals__.get(name)), seen)
    else:
        yield f"{name_of(type(thing))} {getattr(thing, '__qualname__', '')}"        # compiled: a library's


def value_parts(value: Any, seen: set[int]) -> Iterator[str]:
    """What a value says that a function uses: all about it if that can be said, else its kind."""
    if isinstance(value, ModuleType):
        yield value.__name__
    elif isinstance(value, (FunctionType, MethodType, partial)) or inspect.isclass(value):
        if own(value):
            yield from parts_of(value, seen)
        else:
            yield getattr(value, "__qualname__", "")
    else:
        try:
            yield spell(value)
        except SpecError:
            yield name_of(type(value))


def own(thing: Any) -> bool:
    """Whether this is the user's code: not a library's, nor this package's, whose version counts as a whole."""
    if isinstance(thing, partial):
        return True
    module = getattr(thing, "__module__", "") or ""
    file = getattr(inspect.getmodule(thing), "__file__", None)
    return module.split(".")[0] != "rtvirt" and not (file is None and module not in ("__main__", "")) \
        and not (file or "").startswith(LIBRARIES)


def text_of(thing: Any) -> str:
    """Source without comments and layout, or as it stands, or byte code."""
    try:
        source = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        return repr((thing.__code__.co_code, thing.__code__.co_consts)) if isinstance(thing, FunctionType) else name_of(thing)
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:                      # a lambda in the middle of an expression
        return source


def names_in(code: CodeType) -> set[str]:
    """Global and enclosing names that code, and the functions inside it, mention; not attributes: ``type(x).__name__`` is not the module's."""
    inside = [const for const in code.co_consts if isinstance(const, CodeType)]
    named = {one.argval for one in dis.get_instructions(code) if one.opcode in dis.hasname and not one.opname.endswith(("_ATTR", "_METHOD"))}
    return {*named, *code.co_freevars}.union(*(names_in(one) for one in inside))


def empty(cell: Any) -> bool:
    """A name of an enclosing function that has no value yet."""
    try:
        return cell.cell_contents is cell
    except ValueError:
        return True


@lru_cache(maxsize=1)
def model_version() -> str:
    """Digest of the package's sources, but for those that only show, ask and teach."""
    sha = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in ASIDE:
            sha.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()[:16]
