"""`rtvirt fit GUEST BOARD`: does an operating system fit what a board has left?"""

from __future__ import annotations

import sys

import click


@click.command(help="Say whether GUEST (a name of `rv.platform.guests()`, or a YAML file) fits what BOARD has left beside its VMs, what is missing, "
                    "and which technique closes it at what cost. Exit code 0 if it fits, 1 if something stays open.")
@click.argument("guest")
@click.argument("board")
def fit(guest: str, board: str) -> None:
    """Load, ask, print."""
    from ..platform import Guest, load
    from ..platform import fit as ask

    found = ask(Guest.load(guest), load(board))
    click.echo(repr(found))
    sys.exit(0 if found else 1)
