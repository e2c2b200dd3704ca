"""`rtvirt warmup`: compile kernels ahead of time."""

from __future__ import annotations

import click

from ..jit import warmup as compile_ahead

ALL = ("credit", "credit_2007", "round_robin", "fixed_priority", "null")
FIRST = ("credit", "credit_2007")


@click.command(help="Compile the schedulers that the first notebooks use (or those named, or --all) ahead of time.")
@click.argument("names", nargs=-1, type=click.Choice(ALL))
@click.option("--all", "everything", is_flag=True, help="Every scheduler.")
def warmup(names: tuple[str, ...], everything: bool) -> None:
    """Say what happens, one line before and one after each."""
    compile_ahead(ALL if everything else names or FIRST, report=lambda text: click.echo(f"rtvirt: {text}"))
