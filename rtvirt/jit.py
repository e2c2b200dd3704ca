"""The one kernel decorator, and where compiled kernels are kept.

Everything that runs inside the event loop is an ordinary Python function marked ``@kernel``. With Numba it is compiled; with
``NUMBA_DISABLE_JIT=1`` it is left as it is, so the same source can be stepped through with a debugger and measured for coverage.

Only the loop's entry point is cached on disk. Numba's cache notices an edit of the file that holds a function but not of the
files it calls into, so the cache folder carries a digest of *all* kernel sources: an edit anywhere means a new folder.
"""

from __future__ import annotations

import hashlib
import importlib
import operator
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

DISABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
PACKAGE = Path(__file__).resolve().parent
KERNEL_SOURCES = ("jit.py", "kernels.py", "rng.py", "rows.py", "timers.py", "state.py", "engine/*.py", "guests/*.py", "schedulers/runqueue.py",
                  "schedulers/credit_*.py", "schedulers/rtds_*.py")


def kernel(function: F, *, reorder: bool = False, apart: bool = False) -> F:
    """Compile a function for the event loop or an analysis; return it untouched when the JIT is off.

    Kernels allocate nothing and hold no references, so reference counting is switched off (``_nrt=False``): counting would
    cost more than the work. Only other kernels call them, so no wrappers for Python are made (``no_*_wrapper``), which would
    take most of the compile time. Division follows numpy (no zero check). A kernel becomes part of its caller (``forceinline``):
    calls from one small function to the next took as long as the work. `reorder` lets sums of floats be taken in any order, several
    at a time: for sums that are exact in every order. `apart` leaves it to the compiler whether a large, rarely taken part is taken in.
    """
    if DISABLED:
        return function
    import numba

    from .kernels import kernel_compiler

    index_like_c()
    know_bit_length()
    return numba.njit(error_model="numpy", forceinline=not apart, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True,
                      fastmath={"reassoc", "nsz"} if reorder else False, pipeline_class=kernel_compiler())(function)


@cache
def index_like_c() -> None:
    """Let kernels index arrays, and the tables of a struct, by address alone.

    Numba, like Python, lets index -1 mean the last row, and computes what would be meant at every access: a third of the engine's
    time. Kernels never do that; with the JIT off the tables refuse it (`rows.Table`). Other code that Numba compiles is left alone:
    only kernels go without reference counting (``nrt``).
    """
    from numba.core import types
    from numba.core.targetconfig import ConfigStack
    from numba.core.typing import signature
    from numba.extending import lower_builtin
    from numba.np.arrayobj import getitem_array_tuple, getitem_arraynd_intp, setitem_array

    def unsigned(original: Callable[..., Any]) -> Callable[..., Any]:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            table, index, *value = sig.args
            numbers = index.types if isinstance(index, types.BaseTuple) else (index,)
            if ConfigStack().top().nrt or not all(isinstance(number, types.Integer) for number in numbers):
                return original(context, builder, sig, args)
            plain = types.UniTuple(types.uintp, len(numbers)) if isinstance(index, types.BaseTuple) else types.uintp
            place = context.cast(builder, args[1], index, plain)
            return original(context, builder, signature(sig.return_type, table, plain, *value), (args[0], place, *args[2:]))
        return lower

    for index, get in ((types.Integer, getitem_arraynd_intp), (types.BaseTuple, getitem_array_tuple)):
        lower_builtin(operator.getitem, types.NestedArray, index)(unsigned(get))
        lower_builtin(operator.getitem, types.Array, index)(unsigned(get))
        lower_builtin(operator.setitem, types.NestedArray, index, types.Any)(unsigned(setitem_array))
        lower_builtin(operator.setitem, types.Array, index, types.Any)(unsigned(setitem_array))


@cache
def know_bit_length() -> None:
    """Teach Numba ``int.bit_length``: one instruction, where a search would take a dozen and be guessed wrong by the processor."""
    from numba.core import types
    from numba.extending import intrinsic, overload_method

    @intrinsic
    def leading_zeros(typing: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.ctlz(args[0], context.get_constant(types.boolean, False))
        return types.int64(types.int64), generate

    @overload_method(types.Integer, "bit_length")
    def bit_length(number):  # type: ignore[no-untyped-def]
        return lambda number: 64 - leading_zeros(number)


def entry(function: F, cache_dir: Path) -> F:
    """Compile an entry point of the event loop, keeping its machine code in `cache_dir` if possible; it runs without the GIL.

    Without that folder Numba would look for another one, where it could take one scheduler's machine code for another's: then
    nothing is kept at all.
    """
    if DISABLED:
        return function
    import numba

    options = {"nogil": True, "error_model": "numpy", "_nrt": False}
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_dir):
            pass
    except OSError as error:
        not_kept(cache_dir, error)
        return numba.njit(**options)(function)
    previous, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(cache_dir)
    try:
        return forgiving(numba.njit(**options, cache=True)(function), cache_dir)
    finally:
        numba.config.CACHE_DIR = previous


def forgiving(compiled: Any, cache_dir: Path) -> Any:
    """Let a full disk cost the next process a compilation, not this one its run."""
    save = compiled._cache.save_overload

    def save_if_possible(signature: Any, data: Any) -> None:
        try:
            save(signature, data)
        except OSError as error:
            not_kept(cache_dir, error)

    compiled._cache.save_overload = save_if_possible
    return compiled


def not_kept(cache_dir: Path, error: OSError) -> None:
    """Say that the next process will compile again."""
    warnings.warn(f"compiled kernels cannot be kept in {cache_dir.parent} ({error.strerror or error}): every process compiles them again. "
                  "Set NUMBA_CACHE_DIR to a folder that can be written, or make room", RuntimeWarning, stacklevel=2)


def digest(scheduler: str) -> str:
    """Fingerprint of the kernels one scheduler is compiled from: shared sources, its own file, Python and Numba."""
    files = [path for pattern in KERNEL_SOURCES for path in sorted(PACKAGE.glob(pattern))]
    return fingerprint([*files, PACKAGE / "schedulers" / f"{scheduler}.py"])


def fingerprint(files: Iterable[Path]) -> str:
    """Digest of source files and of the Python that runs them."""
    sha = hashlib.sha256(repr(sys.version_info[:3]).encode())
    for path in files:
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def cache_root() -> Path:
    """Folder of compiled kernels: ``NUMBA_CACHE_DIR`` if set, else the user's cache folder (the install may be read-only)."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    import platformdirs

    return Path(platformdirs.user_cache_dir("rtvirt", appauthor=False)) / "kernels"


def cache_dir(scheduler: str) -> Path:
    """Folder that holds, or will hold, the machine code of one scheduler's loop."""
    return cache_root() / f"{scheduler}-{digest(scheduler)}"


def is_warm(scheduler: str) -> bool:
    """True when a process can load this scheduler's loop without compiling it."""
    return DISABLED or any(cache_dir(scheduler).rglob("*.nbc"))


_loops: dict[str, ModuleType] = {}


def loop_for(scheduler: str) -> ModuleType:
    """The event loop bound to one scheduler: `engine/vcpus.py` and `loop.py`, executed with ``policy`` naming its module.

    One source, one compiled loop per scheduler: a loop that branched over all of them would take as long to compile as all
    of them together, and could not be cached if schedulers were passed as arguments.
    """
    if scheduler not in _loops:
        module = ModuleType(f"rtvirt.engine.loop_{scheduler}")
        module.policy = importlib.import_module(f"rtvirt.schedulers.{scheduler}")  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
        for name in ("vcpus.py", "loop.py"):
            path = PACKAGE / "engine" / name
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
        module.run = entry(module.run, cache_dir(scheduler))  # type: ignore[attr-defined]
        _loops[scheduler] = module
    return _loops[scheduler]


def warmup(names: Iterable[str] = ("credit",), report: Callable[[str], None] = lambda text: None) -> None:
    """Compile schedulers ahead of time, telling `report` what happens.

    Parameters
    ----------
    names : iterable of str
        Files of `rtvirt/schedulers/`, without ``.py``.
    report : callable
        Receives one line of text before and one after each compilation.
    """
    from time import perf_counter

    simulate = importlib.import_module("rtvirt.simulation")
    for name in names:
        report(f"{name}: loading" if is_warm(name) else f"{name}: compiling, once (about 10 s)")
        start = perf_counter()
        simulate.compile_now(name)
        report(f"{name}: ready after {perf_counter() - start:.1f} s")
