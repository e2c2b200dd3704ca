"""Run a child that may crash or hang, and turn either into a report."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import RtvirtError

PATIENCE = 4.0                    # [s] of silence after which a form counts as hanging; the slowest form needs 0.2 s


class EngineError(RtvirtError):
    """The engine could not even be started."""


def child_command(name: str) -> Callable[[int], list[str]]:
    """Command line of the child for the forms from a number on."""
    return lambda first: [sys.executable, "-m", "rtvirt.silicon.child", name, str(first)]


def reports(command: Callable[[int], Sequence[str]], count: int, patience: float = PATIENCE) -> Iterator[dict[str, Any]]:
    """Messages of the child, restarted behind each form that it did not survive.

    Parameters
    ----------
    command : callable
        Number of the first form -> command line.
    count : int
        Number of forms.
    patience : float
        Silence after which the child is killed [s].

    Yields
    ------
    dict
        The child's messages, and ``{"event": "failure", "form": i, "why": ...}`` for a form in which it crashed or hung.

    Raises
    ------
    EngineError
        When the child gives up by itself before its first form: the installation is at fault, not an instruction.

    Notes
    -----
    A child that crashes or hangs before its first form is tried a second time; if it does so again, that is the verdict on all forms left.
    """
    first, again = 0, True
    while first < count:
        current, why = None, ""
        for message in talk(command(first), patience):
            if message["event"] == "start":
                current = message["form"]
            elif message["event"] == "end":
                return
            elif message["event"] == "gone":
                why = message["why"]
                break
            if message["event"] != "start":
                yield message
        if current is not None:
            yield {"event": "failure", "form": current, "why": why}
            first = current + 1
        elif why.startswith("ended"):
            raise EngineError(f"the engine did not start: {why}")
        elif again:
            again = False
        else:
            yield from ({"event": "failure", "form": form, "why": f"did not start: {why}"} for form in range(first, count))
            return


def talk(command: Sequence[str], patience: float) -> Iterator[dict[str, Any]]:
    """Messages of one process, and at last "gone" with the reason if it does not say "end"."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path or os.getcwd() for path in sys.path))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=environment)
    lines: queue.Queue[str | None] = queue.Queue()
    errors: list[str] = []
    readers = [threading.Thread(target=pump, args=(process.stdout, lines.put), daemon=True),
               threading.Thread(target=pump, args=(process.stderr, errors.append), daemon=True)]
    for reader in readers:
        reader.start()
    started = False
    try:
        while True:
            try:
                line = lines.get(timeout=patience if started else max(patience, 30.0))    # imports and boot may be slow on a cold machine
            except queue.Empty:
                yield {"event": "gone", "why": f"hung: silent for {patience:g} s"}
                return
            if line is None:
                break
            started = True
            message = understood(line)
            if message is None:
                continue
            yield message
            if message["event"] == "end":
                return
        process.wait()
        readers[1].join(1)
        yield {"event": "gone", "why": death(process.returncode, [e for e in errors if e])}
    finally:
        process.kill()
        process.wait()


def understood(line: str) -> dict[str, Any] | None:
    """A message; None for half a line of a child that was killed while it wrote, and for what an engine prints by itself."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "event" in message else None


def pump(stream: Any, put: Callable[[Any], Any]) -> None:
    """Move lines from a stream; None at its end."""
    for line in stream:
        put(line)
    put(None)


def death(code: int, errors: Sequence[str]) -> str:
    """How a process ended, in words."""
    if code < 0:
        try:
            return f"crashed: {signal.Signals(-code).name}"
        except ValueError:
            return f"crashed: signal {-code}"
    return f"ended with code {code}: {errors[-1].strip() if errors else 'no message'}"
