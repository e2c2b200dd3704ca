"""`rtvirt check BOARD`: all that does not fit."""

from __future__ import annotations

import sys

import click


@click.command(help="Say all that does not fit in BOARD (a name of `rv.platform.boards()`, or a YAML file): where, why, and what would mend it. "
                    "Exit code 0 if there is nothing, 1 if there is.")
@click.argument("board")
def check(board: str) -> None:
    """Load, check, print."""
    from ..platform import check as look
    from ..platform import load

    found = look(load(board))
    click.echo(repr(found))
    sys.exit(1 if found else 0)
