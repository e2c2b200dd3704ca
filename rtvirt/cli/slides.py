"""`rtvirt slides NOTEBOOK...`: a notebook as a lecture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..files import atomically, folder_for
from .refresh import read

LECTURE = Path(__file__).with_name("lecture")


@click.command(help="Turn each NOTEBOOK into slides (NAME.slides.html) from its slideshow marks: one file that needs no network. Arrow keys "
                    "go on and back, c puts the code away, f fills the screen; printing gives one page a slide.")
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), default=Path("."), show_default=True, help="Folder to write to.")
def slides(notebooks: tuple[Path, ...], output: Path) -> None:
    """Stored outputs are shown; nothing is executed."""
    for path in notebooks:
        page = as_slides(read(path))
        target = atomically(folder_for(output) / f"{path.stem}.slides.html", lambda file, page=page: file.write_text(page, encoding="utf-8"))
        click.echo(f"wrote {target} (open it in a browser)")


def as_slides(book: Any) -> str:
    """The page. nbconvert groups cells into slides and renders them; the player is ours (lecture/), because reveal.js would have to be
    fetched from a public host when the lecture begins."""
    from nbconvert import SlidesExporter

    exporter = SlidesExporter(template_name="lecture", extra_template_basedirs=[str(LECTURE.parent)], exclude_input_prompt=True,
                              exclude_output_prompt=True)
    exporter.register_filter("caption", lambda text: str(text).removeprefix("<picture: ").removesuffix(">"))
    title = next((line.lstrip("# ") for cell in book.cells for line in cell.source.splitlines() if line.startswith("# ")), "slides")
    body, _ = exporter.from_notebook_node(book, resources={
        "title": title, "lecture_css": (LECTURE / "lecture.css").read_text(encoding="utf-8"),
        "lecture_js": (LECTURE / "lecture.js").read_text(encoding="utf-8")})
    return body
