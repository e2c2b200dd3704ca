"""`rtvirt slides NOTEBOOK...`: a notebook as a lecture."""

from __future__ import annotations

from pathlib import Path

import click

from .refresh import read


@click.command(help="Turn each NOTEBOOK into slides (NAME.slides.html), code cells included, from its slideshow marks.")
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), default=Path("."), show_default=True, help="Folder to write to.")
def slides(notebooks: tuple[Path, ...], output: Path) -> None:
    """Stored outputs are shown; nothing is executed."""
    from nbconvert import SlidesExporter

    output.mkdir(parents=True, exist_ok=True)
    for path in notebooks:
        body, _ = SlidesExporter().from_notebook_node(read(path))
        target = output / f"{path.stem}.slides.html"
        target.write_text(body, encoding="utf-8")
        click.echo(f"wrote {target} (open it in a browser; the slide controls come from a public script host, the text does not)")
