"""`rtvirt warmup`: compile kernels ahead of time."""

from __future__ import annotations

import click

from ..jit import warmup as compile_ahead

SCHEDULERS = ("credit", "credit_2007", "round_robin", "fixed_priority", "null", "rtds", "polling_servers", "periodic_servers",
              "deferrable_servers", "sporadic_servers", "cbs")
MACHINE = "machine"
ALL = (*SCHEDULERS, MACHINE)
FIRST = ("credit", "credit_2007", MACHINE)


@click.command(help="Compile what the first notebooks use (or the schedulers and the machine that are named, or --all) ahead of time.")
@click.argument("names", nargs=-1, type=click.Choice(ALL))
@click.option("--all", "everything", is_flag=True, help="Every scheduler, and the machine.")
def warmup(names: tuple[str, ...], everything: bool) -> None:
    """Say what happens, one line before and one after each."""
    def report(text: str) -> None:
        click.echo(f"rtvirt: {text}")

    wanted = ALL if everything else names or FIRST
    compile_ahead([name for name in wanted if name != MACHINE], report=report)
    if MACHINE in wanted:
        from ..machine.warm import warmup as compile_machine

        compile_machine(report)
