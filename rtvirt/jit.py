"""The one kernel decorator, and where compiled kernels are kept.

Everything that runs inside the event loop is an ordinary Python function marked ``@kernel``. With Numba it is compiled; with
``NUMBA_DISABLE_JIT=1`` it is left as it is, so the same source can be stepped through with a debugger and measured for coverage.

Only the loop's entry point is cached on disk. Numba's cache notices an edit of the file that holds a function but not of the
files it calls into, so the cache folder carries a digest of *all* kernel sources: an edit anywhere means a new folder.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

DISABLED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
PACKAGE = Path(__file__).resolve().parent
KERNEL_SOURCES = ("jit.py", "kernels.py", "lowering.py", "rng.py", "rows.py", "timers.py", "state.py", "traffic.py", "engine/*.py", "guests/*.py",
                  "schedulers/runqueue.py", "schedulers/*_*.py")             # the files that a scheduler has beside its own are named NAME_PART.py


def kernel(function: F, *, reorder: bool = False) -> F:
    """Compile a function for the event loop or an analysis; return it untouched when the JIT is off.

    Kernels allocate nothing and hold no references, so reference counting is switched off (``_nrt=False``): counting would
    cost more than the work. Only other kernels call them, so no wrappers for Python are made (``no_*_wrapper``), which would
    take most of the compile time. Division follows numpy (no zero check). A kernel becomes part of its caller (``forceinline``):
    calls from one small function to the next took as long as the work; but see `seldom` and `large`. `reorder` lets sums of floats be taken in
    any order, several at a time: for sums that are exact in every order.
    """
    if DISABLED:
        return function
    import numba

    from .kernels import compiled_for_types, kernel_compiler, quicken
    from .lowering import teach

    teach()
    quicken()
    inline = not hasattr(function, "seldom") and not hasattr(function, "large")
    return compiled_for_types(numba.njit(
        error_model="numpy", forceinline=inline, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True,
        fastmath={"reassoc", "nsz"} if reorder else False, pipeline_class=kernel_compiler())(function))


def seldom(function: F) -> F:
    """Mark a kernel that the usual event does not need (written below ``@kernel``): it stays a function of its own.

    What is part of its caller competes for registers and for the processor's cache, used or not. LLVM also takes it for the branch not taken.
    """
    function.seldom = True  # type: ignore[attr-defined]
    return function


def large(function: F) -> F:
    """Mark a kernel that usual events of devices need, but too large to be part of every caller (written below ``@kernel``): LLVM decides.

    It counts calls and instructions: what is called from one place, or is small, becomes part of its caller; the others stay functions.
    """
    function.large = True  # type: ignore[attr-defined]
    return function


def entry(function: F, cache_dir: Path) -> F:
    """Compile an entry point of the event loop, keeping its machine code in `cache_dir` if possible; it runs without the GIL.

    Without that folder Numba would look for another one, where it could take one scheduler's machine code for another's: then
    nothing is kept at all.
    """
    if DISABLED:
        return function
    import numba

    from .kernels import entry_compiler

    options = {"nogil": True, "error_model": "numpy", "_nrt": False, "pipeline_class": entry_compiler()}
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
    files, name = [path for pattern in KERNEL_SOURCES for path in sorted(PACKAGE.glob(pattern))], scheduler.removesuffix(WITH_DEVICES)
    if name in _adopted:                     # it may use any scheduler's kernels
        return fingerprint([*files, *sorted(PACKAGE.glob("schedulers/*.py")), Path(str(_adopted[name].__file__))])
    return fingerprint([*files, PACKAGE / "schedulers" / f"{name}.py"])


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
    """True when this process need not compile this scheduler's loop: it has done so, or finds the machine code.

    Numba is asked what it will load. That a file is there says little: it may be another copy's of the project, whose paths and dates
    differ, or another processor's.
    """
    if DISABLED:
        return True
    loop = loop_for(scheduler).run
    if loop.signatures:
        return True
    if not hasattr(loop._cache, "_cache_file"):          # nothing is kept
        return False
    machine = loop.targetctx.codegen().magic_tuple()
    return any(key[1] == machine for key in loop._cache._cache_file._load_index())


WITH_DEVICES = "+devices"        # behind a scheduler's name: its loop for systems that have devices
PARTS = ("vcpus.py", "loop.py")
DEVICE_PARTS = ("ports.py", "paths.py", "lines.py", "submissions.py", "outages.py", "faults.py")

_loops: dict[str, ModuleType] = {}
_adopted: dict[str, ModuleType] = {}         # schedulers whose files are not of this package (`schedulers.load`)
_making = Lock()


def adopt(name: str, module: ModuleType) -> None:
    """Let `loop_for` find a scheduler whose file is elsewhere; loops that were made of an earlier version are forgotten."""
    with _making:
        _adopted[name] = module
        for loop in (name, name + WITH_DEVICES):
            _loops.pop(loop, None)


def loop_for(scheduler: str) -> ModuleType:
    """The event loop bound to one scheduler: `engine/vcpus.py` and `loop.py`, executed with ``policy`` naming its module.

    ``"credit+devices"`` is credit's loop for systems that have devices: more to compile, and nothing that others pay for.
    One source, one compiled loop per scheduler: a loop that branched over all of them would take as long to compile as all
    of them together, and could not be cached if schedulers were passed as arguments.
    """
    with _making:                            # the threads of a sweep may all be the first
        if scheduler not in _loops:
            module = ModuleType(f"rtvirt.engine.loop_{scheduler}")
            name = scheduler.removesuffix(WITH_DEVICES)
            module.policy = _adopted.get(name) or importlib.import_module(f"rtvirt.schedulers.{name}")  # type: ignore[attr-defined]
            module.DEVICES = devices = name != scheduler  # type: ignore[attr-defined]
            sys.modules[module.__name__] = module
            for name in (*(DEVICE_PARTS if devices else ("no_devices.py",)), *PARTS):
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

    simulate, notice = (importlib.import_module(f"rtvirt.{name}") for name in ("simulation", "notice"))
    for name in names:
        report(f"{name}: loading" if is_warm(name) else f"{name}: compiling, once (about 10 s)")
        start = perf_counter()
        with notice.shown_by(notice.silent):      # it has been said
            simulate.compile_now(name)
        report(f"{name}: ready after {perf_counter() - start:.1f} s")
