"""`rtvirt warmup`: compile kernels ahead of time."""

from __future__ import annotations

from functools import partial

import click

from ..jit import WITH_DEVICES
from ..jit import warmup as compile_ahead
from ..schedulers.catalogue import one_of_each

SCHEDULERS = tuple(one_of_each())
MACHINE = "machine"
ALL = (*SCHEDULERS, *(name + WITH_DEVICES for name in SCHEDULERS), MACHINE)
FIRST = ("credit", "credit_2007", MACHINE)


@click.command(help="Compile what the first notebooks use (or the schedulers and the machine that are named, or --all) ahead of time.")
@click.argument("names", nargs=-1, type=click.Choice(ALL))
@click.option("--all", "everything", is_flag=True, help="Every scheduler, also with devices, and the machine: some minutes, once.")
def warmup(names: tuple[str, ...], everything: bool) -> None:
    """Say what happens, one line before and one after each."""
    wanted = ALL if everything else names or FIRST
    for number, name in enumerate(wanted, 1):
        report = partial(tell, f"{number} of {len(wanted)}")
        if name == MACHINE:
            from ..machine.warm import warmup as compile_machine

            compile_machine(report)
        else:
            compile_ahead([name], report=report)


def tell(place: str, text: str) -> None:
    """A line for who waits."""
    click.echo(f"rtvirt: {place}, {text}")
