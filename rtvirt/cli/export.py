"""`rtvirt export BOARD --to FORMAT --folder OUT`: a board in a format of others, and what it cannot say."""

from __future__ import annotations

from pathlib import Path

import click

from ..platform import FORMATS


@click.command(help="Write BOARD (a name of `rv.platform.boards()`, or a YAML file) in a format of others; print what it cannot say.")
@click.argument("board")
@click.option("--to", "format", type=click.Choice(tuple(FORMATS)), required=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Where to write the files; made if need be.")
def export(board: str, format: str, folder: Path) -> None:
    """Load, write, print."""
    from ..platform import export as write
    from ..platform import load

    made = write(load(board), format, folder)
    for name in made.files:
        click.echo(f"wrote {folder / name}")
    click.echo(f"checked by: {made.checked}")
    click.echo("\n".join(["not said:", *(f"  {lost}" for lost in made.lost)]) if made.lost else "everything is said")
