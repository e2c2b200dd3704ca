"""A line for people who wait: for a scheduler that is compiled on its first use, for a fit. For about ten seconds nothing else would move.

Only a person is told: in a terminal, or in a notebook whose front end could ask its reader something. What executes notebooks to store
or to compare their outputs cannot (the kernel's ``allow_stdin``), nor can a pipe read. The line goes when the wait is over.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Show = Callable[[str], None]
"""Shows a line; an empty one takes it away."""

listener: ContextVar[Show | None] = ContextVar("listener", default=None)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show `text` until the block is left."""
    show = listener.get() or audience()
    show(text)
    try:
        yield
    finally:
        show("")


@contextmanager
def shown_by(show: Show) -> Iterator[None]:
    """Let `show` have the lines of this block instead."""
    before = listener.set(show)
    try:
        yield
    finally:
        listener.reset(before)


def audience() -> Show:
    """Where somebody reads now."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        return in_notebook() if getattr(kernel, "_allow_stdin", False) else silent
    return in_terminal if sys.stderr is not None and sys.stderr.isatty() else silent


def silent(text: str) -> None:
    """Nobody reads."""


def in_terminal(text: str) -> None:
    """In place of the terminal's last line."""
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def in_notebook() -> Show:
    """Below the cell that is being executed."""
    from IPython.display import DisplayHandle

    place, shown = DisplayHandle(), False

    def show(text: str) -> None:
        nonlocal shown
        (place.update if shown else place.display)({"text/plain": text, "text/html": text}, raw=True)
        shown = True

    return show
