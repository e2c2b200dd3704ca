"""`rtvirt diff BEFORE AFTER`: what a guest's abstraction layer must change to move."""

from __future__ import annotations

import sys

import click


@click.command(help="Say what differs from the board BEFORE to the board AFTER (names, or YAML files), and what that means for a guest. "
                    "Exit code 0 if nothing does, 1 if something does.")
@click.argument("before")
@click.argument("after")
@click.option("--vm", default=None, help="Only what concerns this VM of BEFORE.")
def diff(before: str, after: str, vm: str | None) -> None:
    """Load, compare, print."""
    from ..platform import diff as compare
    from ..platform import load

    found = compare(load(before), load(after), vm)
    click.echo(repr(found))
    sys.exit(1 if found else 0)
