"""One source, several machines: opcodes and interpreter bound to the primitives they are to act through.

A function's code is left as it is; only the names it looks up change. So what `classify` exhausts and what guests run is the same code
object (`tests/unit/test_machine.py` compares them).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

from ..errors import Problem, SpecError
from ..jit import DISABLED, PACKAGE, cache_root, entry, fingerprint, kernel
from . import opcodes, storage
from .layout import ENDINGS

SOURCES = ("jit.py", "kernels.py", "lowering.py", "rows.py", "machine/layout.py", "machine/storage.py", "machine/opcodes.py", "machine/isa.py",
           "machine/loop.py", "machine/bind.py", "machine/variants/*.py", "machine/monitors/dispatch.py", "machine/monitors/hypercalls.py")
Wrap = Callable[[Any], Any]


def rebound(function: Any, view: Any, wrap: Wrap | None = None, known: dict[Any, Any] | None = None) -> Any:
    """The same code, acting through another `view`; and so are the functions of yours that it calls."""
    known = {} if known is None else known
    if function not in known:
        names = {**function.__globals__, "view": view}
        cells = tuple(CellType(cell.cell_contents) for cell in function.__closure__ or ())
        mine = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells or None)
        known[function] = wrap(mine) if wrap else mine

        def other(value: Any) -> Any:
            if value is storage:
                return view
            return rebound(value, view, wrap, known) if acts(value) else value

        names.update({name: other(names[name]) for name in function.__code__.co_names if name in names})
        for cell in cells:
            cell.cell_contents = other(cell.cell_contents)
    return known[function]


def acts(value: Any) -> bool:
    """True for a function that is no primitive itself, but may use them."""
    return isinstance(value, FunctionType) and value.__module__ != storage.__name__ and bool(primitives(value))


def primitives(function: Any, seen: set[Any] | None = None) -> set[str]:
    """Names of the primitives that an opcode uses, by itself or through functions that it calls; and HALT, if it can halt."""
    seen = set() if seen is None else seen
    if not isinstance(function, FunctionType) or function in seen:
        return set()
    seen.add(function)
    inside = [cell.cell_contents for cell in function.__closure__ or ()]
    called = [function.__globals__.get(name) for name in function.__code__.co_names] + inside
    return {name for name in function.__code__.co_names if hasattr(storage, name) or name == "HALT"}.union(*(primitives(f, seen) for f in called))


def copy_of(module: ModuleType, wrap: Wrap, **names: Any) -> ModuleType:
    """A copy of a module whose functions find each other's wrapped copies, and `names`."""
    copy = ModuleType(f"{module.__name__}_{wrap.__name__}")
    copy.__dict__.update({name: value for name, value in vars(module).items() if not name.startswith("__")})
    copy.__dict__.update(names)
    for name, function in vars(module).items():
        if isinstance(function, FunctionType) and function.__module__ == module.__name__ and name not in names:
            mine = FunctionType(function.__code__, copy.__dict__, name, function.__defaults__, function.__closure__)
            setattr(copy, name, wrap(mine))
    sys.modules[copy.__name__] = copy
    return copy


def plain(function: Any) -> Any:
    """Leave a function as it is."""
    return function


def dispatcher(functions: Sequence[Any]) -> Any:
    """`execute(m, cpu, number, a, b, imm)`: the chain of comparisons that a compiler turns into a jump table."""
    lines = ["def execute(m, cpu, number, a, b, imm):"]
    lines += [f"    if number == {i}:\n        return f{i}(m, cpu, a, b, imm)" for i in range(len(functions) - 1)]
    lines += [f"    return f{len(functions) - 1}(m, cpu, a, b, imm)"]
    names = {f"f{i}": function for i, function in enumerate(functions)}
    exec("\n".join(lines), names)
    return names["execute"]


def watched(execute: Any, functions: Sequence[Any]) -> Any:
    """The same, for functions from outside: one that forgets its `return OK` is named instead of confusing the interpreter."""
    def execute_watched(m: Any, cpu: int, number: int, a: int, b: int, imm: int) -> int:
        ended = execute(m, cpu, number, a, b, imm)
        if ended not in ENDINGS:
            raise bad_ending(functions[number].__name__, ended)
        return ended
    return execute_watched


def bad_ending(name: str, ended: Any) -> SpecError:
    """The error for a function of yours that returns what no instruction ends with."""
    return SpecError([Problem(f"what {name} returns", ended, "OK, HALT, or what a primitive of view returns that traps",
                              "end every way through the function with `return OK`")])


def cache_dir() -> Path:
    """Where the compiled interpreter of the built-in instruction sets is kept."""
    return cache_root() / f"machine-{fingerprint(files(SOURCES))}"


def files(patterns: Iterable[str]) -> list[Path]:
    """The package's files that match."""
    return [path for pattern in patterns for path in sorted(PACKAGE.glob(pattern))]


@cache
def interpreter(functions: tuple[Any, ...], compiled: bool, built_in: bool) -> ModuleType:
    """`loop.py` over real storage with these opcodes; compiled, or plain Python for a debugger and for opcodes written in a notebook."""
    from . import loop

    wrap = kernel if compiled and not DISABLED else plain
    view = copy_of(storage, wrap)
    execute = wrap(dispatcher([rebound(function, view, wrap) for function in functions]))
    if wrap is plain and not built_in:
        execute = watched(execute, functions)
    bound = copy_of(loop, wrap, view=view, execute=execute)
    bound.inner = copy_of(loop, wrap, view=view, execute=execute)      # for monitors, which are compiled around it
    bound.wrap, bound.built_in = wrap, built_in
    if wrap is kernel:
        bound.run = outside(bound, loop.run, built_in)      # type: ignore[attr-defined]
    return bound


@cache
def monitor_of(engine: ModuleType) -> ModuleType:
    """`monitors/dispatch.py` around an interpreter."""
    from .monitors import dispatch, hypercalls

    inner, wrap = engine.inner, engine.wrap
    lpsw = wrap(rebound(opcodes.lpsw, inner.view))
    calls = copy_of(hypercalls, wrap, view=inner.view, lpsw=lpsw)
    calls.call = wrap(dispatcher([getattr(calls, f.__name__) if f.__module__ == hypercalls.__name__ else wrap(rebound(f, inner.view))
                                  for _, f in hypercalls.TABLE]))
    bound = copy_of(dispatch, wrap, view=inner.view, run=inner.run, take=inner.take, as_written=inner.as_written, hypercall=calls.hypercall)
    if wrap is kernel:
        bound.monitor = outside(bound, dispatch.monitor, engine.built_in)      # type: ignore[attr-defined]
    return bound


def outside(bound: ModuleType, function: Any, cached: bool) -> Any:
    """Compile a function that Python calls."""
    import numba

    mine = FunctionType(function.__code__, bound.__dict__, function.__name__, function.__defaults__)
    mine.__module__, mine.__qualname__ = bound.__name__, function.__qualname__
    return entry(mine, cache_dir()) if cached else numba.njit(nogil=True, error_model="numpy", _nrt=False)(mine)
