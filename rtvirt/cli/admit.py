"""`rtvirt admit FILE`: will every deadline be met? By analysis, without a run."""

from __future__ import annotations

import sys
from pathlib import Path
from re import search
from typing import Any

import click
from click.core import ParameterSource

from ..schedulers.catalogue import BY_NAME
from ..system.specfile import LARGEST


@click.command(help="Judge the system in FILE (YAML), or a board (file or name) under its own scheduler: a bound for each task, and why. Exit code 0 "
                    "if every deadline is met, 1 if not.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--scheduler", type=click.Choice(tuple(BY_NAME)), default="rtds", show_default=True)
@click.option("--xen", default=None, help="Version whose scheduler to judge, as in `rtvirt simulate`.")
@click.option("--quantum", default=None, help="Of rr, for example 10ms.")
@click.option("--certificate", type=click.Path(path_type=Path), default=None,
              help="Write the proof as JSON; `python -m rtvirt.checker FILE` checks it anew.")
@click.option("--provision", is_flag=True, help="Find budgets and periods first, or say which requirement to give up, and by how much.")
@click.option("--new", type=click.Path(path_type=Path), default=None,
              help="FILE is a board, or the name of one: may the VM in this file come while its VMs run? Exit code 0 if it may as it is, 1 if not.")
@click.option("--save", type=click.Path(path_type=Path), default=None,
              help="With --provision: write the system with what was found as YAML. With --new: the board as admitted, or as in the first offer.")
def admit(file: Path, certificate: Path | None, provision: bool, new: Path | None, save: Path | None, **options: Any) -> None:
    """Load, judge, print."""
    if new:
        if provision or certificate:
            raise click.UsageError("--new asks for a VM on a board: leave --provision and --certificate out")
        created(file, new, save)
    from ..analysis import admit as judge

    if save and not provision:
        raise click.UsageError("--save writes what --provision or --new finds: give one of them")
    system, scheduler = of_board(file, options) if is_board(file) else of_system(file, options)
    if provision:
        system = provisioned(system, scheduler, save)
    verdict = judge(system, scheduler)
    click.echo(f"{'admitted' if verdict else 'refused'}\n{verdict.why()}\n\n{table(verdict)}")
    if certificate:
        verdict.save(certificate)
        click.echo(f"wrote {certificate}")
    sys.exit(0 if verdict else 1)


def is_board(file: Path) -> bool:
    """A name of a board, or a file that describes the clusters of one."""
    from ..platform import boards

    if str(file) in boards():
        return True
    try:
        with file.open(encoding="utf-8", errors="replace") as text:
            return search(r"(?m)^clusters\s*:", text.read(LARGEST)) is not None
    except OSError:                                 # whoever loads it says what is wrong
        return False


def of_board(file: Path, options: dict[str, Any]) -> tuple[Any, Any]:
    """A board's system, and the scheduler that it names."""
    from ..platform import load

    source = click.get_current_context().get_parameter_source
    if given := [name for name in options if source(name) is ParameterSource.COMMANDLINE]:
        raise click.UsageError(f"a board is judged under the scheduler that it names: leave --{given[0]} out, or change it in the file")
    board = load(str(file))
    return board.system(), board.made_scheduler()


def of_system(file: Path, options: dict[str, Any]) -> tuple[Any, Any]:
    """A system, and the scheduler that is asked for."""
    from ..system import System
    from .simulate import make_scheduler

    return System.load(file), make_scheduler(timeslice=None, ratelimit=None, **options)


def created(file: Path, new: Path, save: Path | None) -> None:
    """Decide on a VM for a board, by the board's own scheduler; tell, save, and the end."""
    from ..platform import create, load, load_vm

    decision = create(load(str(file)), load_vm(new))
    click.echo(f"{'admitted' if decision else 'refused'}\n{decision.why()}")
    if save and (decision or decision.offers):
        decision.accept().save(save)
        click.echo(f"wrote {save}")
    sys.exit(0 if decision else 1)


def provisioned(system: Any, scheduler: Any, save: Path | None) -> Any:
    """The system with budgets that do, told and saved; without any, what to give up, and the end."""
    from ..analysis import provision

    found = provision(system, scheduler)
    click.echo(f"{'provisioned' if found else 'cannot be provisioned'}\n{found.why()}")
    if found.system is None:
        sys.exit(1)
    if save:
        found.system.save(save)
        click.echo(f"wrote {save}")
    return found.system


def table(verdict: Any) -> str:
    """Bounds for people."""
    import pandas as pd

    from ..units import format_ns

    def told(time: int | None) -> str:
        return "-" if time is None else format_ns(time)

    rows = [(name, told(bound), told(verdict.deadlines.get(name)), told(verdict.slack.get(name))) for name, bound in verdict.bounds.items()]
    return str(pd.DataFrame(rows, columns=["task", "bound", "deadline", "slack"]).to_string(index=False)) if rows else "no tasks"
