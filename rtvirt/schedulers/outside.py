"""`load`: a scheduler from a file of your own, outside the package."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from ..errors import Problem, SpecError
from ..jit import PACKAGE, adopt

KERNELS = ("start", "place", "wake", "sleep", "yield_", "decide", "tick", "account", "leave", "worth")      # what every loop calls
HOW = "CONTRIBUTING.md, \"Add a scheduler\", shows a whole one"


def load(file: str | Path) -> ModuleType:
    """Take a scheduler from a file of your own; its class then works in `simulate`, `sweep`, `compare` as those of the package do.

    Parameters
    ----------
    file : path
        ``NAME.py``: a frozen dataclass with ``kernel_name = "NAME"`` and ``make_state``, and the ten kernels, some of which it may import from a
        scheduler of the package. It is executed: load only what you would run.

    Returns
    -------
    module
        With the file's names, the class among them.

    Raises
    ------
    SpecError
        No such file, a name that a scheduler of the package has, kernels or the class missing.

    Notes
    -----
    Loaded again after an edit, the new version counts, in the store of a sweep, too: the module's name carries a digest of the file. Machine code is
    kept as for other schedulers. A kernel that is imported calls those of its own file, not yours of the same name: whoever replaces `wake` must
    bring `place`, too. `admit` knows no promise of it; other processes have to load it themselves.
    """
    path = Path(file).resolve()
    name = path.stem
    if not path.is_file() or path.suffix != ".py" or not name.isidentifier():
        raise SpecError([Problem("file", str(file), "a file NAME.py, its NAME a Python name", HOW, "")])
    if (PACKAGE / "schedulers" / path.name).exists():
        raise SpecError([Problem("file", str(file), "a name that no file of rtvirt/schedulers has", "rename it, and its kernel_name", "")])
    full = f"outside_{name}_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
        check(module, name)
    except BaseException:
        del sys.modules[full]
        raise
    adopt(name, module)
    return module


def check(module: ModuleType, name: str) -> None:
    """SpecError unless the file has all that a loop and `simulate` call, all problems at once."""
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__ and hasattr(one, "make_state")]
    problems = [Problem(kernel, "missing", "a function marked @kernel", f"write it, or import it from another scheduler; {HOW}", "")
                for kernel in KERNELS if not callable(getattr(module, kernel, None))]
    if not any(getattr(one, "kernel_name", None) == name for one in classes):
        problems.append(Problem("class", [one.__name__ for one in classes], f'one with make_state and kernel_name = "{name}"',
                                f"the kernel's name is that of the file; {HOW}", ""))
    if problems:
        raise SpecError(problems)
