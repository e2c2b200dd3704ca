"""The child process: executes the forms of one instruction set and reports a line of JSON for each, so that its death is only a verdict.

    python -m rtvirt.silicon.child x86-32 0        # from form 0 on
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from .names import load


def say(**message: Any) -> None:
    """One line for the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def limit_resources() -> None:
    """No core files, and an end in sight even if the parent dies."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    except (ImportError, ValueError, OSError):
        return                     # Windows has neither; the watchdog is enough


def main(name: str, first: int) -> None:
    """Execute the forms from number `first` on."""
    limit_resources()
    import unicorn

    from .derive import derive
    from .trials import Bench

    isa = load(name)
    bench = Bench(isa)
    say(event="ready", engine=f"unicorn {unicorn.__version__}")
    for number in range(first, len(isa.forms)):
        form = isa.forms[number]
        say(event="start", form=number)
        both = list(bench.trials(form))
        verdict = derive(isa, form, [ruled for _, ruled in both])
        bare = derive(isa, form, [raw for raw, _ in both]).verdict if form.rule else verdict.verdict
        say(event="done", form=number, bare=bare, **asdict(verdict))
    say(event="end")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
