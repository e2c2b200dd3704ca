"""What travels to workers: a function with the code of your own that it uses, so that only libraries must be installed there.

A pickled function is as a rule a name that the other side imports. That fails for a study in a folder of yours, and if an older copy
of it lies there, it fails without a word. So functions and classes that are no library's are sent as code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from inspect import getmodule
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

from ..errors import Problem, SpecError
from .spelling import empty, names_in, own


def packed(thing: Any, field: str, modules: Iterable[ModuleType]) -> bytes:
    """Pickled; what is defined in `modules` as code."""
    import cloudpickle

    with ExitStack() as stack:
        for module in modules:
            if module.__name__ != "__main__" and module.__name__ not in cloudpickle.list_registry_pickle_by_value():
                cloudpickle.register_pickle_by_value(module)
                stack.callback(cloudpickle.unregister_pickle_by_value, module)
        try:
            return cloudpickle.dumps(thing)
        except Exception as error:
            raise SpecError([Problem(field, thing, "something that can be sent to another process",
                                     f"make in the function what cannot be pickled ({error})")]) from None


def modules_of(thing: Any) -> list[ModuleType]:
    """Your own modules whose code a function, or a value, needs."""
    return list({id(module): module for module in reached(thing, set()) if module is not None}.values())


def reached(thing: Any, seen: set[int]) -> Iterator[ModuleType | None]:
    """Modules of what a thing names, and of what that names."""
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type(None))):
        return
    seen.add(id(thing))
    if isinstance(thing, partial):
        parts = [thing.func, thing.args, thing.keywords]
    elif isinstance(thing, MethodType):
        parts = [thing.__func__, thing.__self__]
    elif isinstance(thing, (tuple, list, set, frozenset)):
        parts = list(thing)
    elif isinstance(thing, dict):
        parts = list(thing.values())
    elif isinstance(thing, FunctionType):
        parts = named_by(thing) if own(thing) else []
    elif isinstance(thing, type):
        parts = [*thing.__bases__, *(part for part in vars(thing).values() if isinstance(part, FunctionType))] if own(thing) else []
    else:
        parts = [] if isinstance(thing, ModuleType) else [type(thing)]
    if isinstance(thing, (FunctionType, type)) and own(thing):
        yield getmodule(thing)
    for part in parts:
        yield from reached(part, seen)


def named_by(function: FunctionType) -> list[Any]:
    """Values of the names that a function mentions; of modules, those that lie beside it, and what is in them."""
    cells = {name: cell.cell_contents for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()) if not empty(cell)}
    named = [cells.get(name, function.__globals__.get(name)) for name in names_in(function.__code__)]
    home = function.__globals__.get("__file__")
    beside = [one for one in named if isinstance(one, ModuleType) and home and getattr(one, "__file__", None)
              and Path(one.__file__ or "").resolve().parent == Path(home).resolve().parent]
    inside = [part for module in beside for part in vars(module).values() if isinstance(part, (FunctionType, type))]
    return [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *named, *inside]
