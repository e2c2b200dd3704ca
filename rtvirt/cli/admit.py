"""`rtvirt admit FILE`: will every deadline be met? By analysis, without a run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..schedulers.catalogue import BY_NAME


@click.command(help="Judge the system in FILE (YAML): a bound for each task, and why. Exit code 0 if every deadline is met, 1 if not.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheduler", type=click.Choice(tuple(BY_NAME)), default="rtds", show_default=True)
@click.option("--xen", default=None, help="Version whose scheduler to judge, as in `rtvirt simulate`.")
@click.option("--quantum", default=None, help="Of rr, for example 10ms.")
@click.option("--certificate", type=click.Path(path_type=Path), default=None,
              help="Write the proof as JSON; `python -m rtvirt.checker FILE` checks it anew.")
def admit(file: Path, certificate: Path | None, **options: Any) -> None:
    """Load, judge, print."""
    from ..analysis import admit as judge
    from ..system import System
    from .simulate import make_scheduler

    verdict = judge(System.load(file), make_scheduler(timeslice=None, ratelimit=None, **options))
    click.echo(f"{'admitted' if verdict else 'refused'}\n{verdict.why()}\n\n{table(verdict)}")
    if certificate:
        verdict.save(certificate)
        click.echo(f"wrote {certificate}")
    sys.exit(0 if verdict else 1)


def table(verdict: Any) -> str:
    """Bounds for people."""
    import pandas as pd

    from ..units import format_ns

    def told(time: int | None) -> str:
        return "-" if time is None else format_ns(time)

    rows = [(name, told(bound), told(verdict.deadlines.get(name)), told(verdict.slack.get(name))) for name, bound in verdict.bounds.items()]
    return str(pd.DataFrame(rows, columns=["task", "bound", "deadline", "slack"]).to_string(index=False)) if rows else "no tasks"
