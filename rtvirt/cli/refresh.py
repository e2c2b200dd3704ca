"""`rtvirt refresh NOTEBOOK...`: execute notebooks and store clean outputs. The only way notebooks are saved."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click

from ..errors import RtvirtError
from ..files import atomically

LARGEST = 400_000      # bytes


@click.command(help="Execute each NOTEBOOK from top to bottom and store its outputs, normalised.")
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--timeout", default=300, show_default=True, help="Seconds a cell may take.")
def refresh(notebooks: tuple[Path, ...], timeout: int) -> None:
    """One after the other; a notebook that fails is left as it was."""
    for path in notebooks:
        refresh_one(path, timeout)
        click.echo(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def refresh_one(path: Path, timeout: int) -> None:
    """Execute, normalise, check the size, replace the file."""
    import nbformat

    book = read(path)
    execute(book, path, timeout)
    normalise(book)
    text = nbformat.writes(book, version=4) + "\n"
    if len(text.encode()) > LARGEST:
        raise RtvirtError(f"{path} would take {len(text.encode()) // 1000} kB, more than {LARGEST // 1000}: make figures smaller")
    atomically(path, lambda file: file.write_text(text, encoding="utf-8"))


def read(path: Path) -> Any:
    """The notebook, or a clear error."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise RtvirtError(f"{path}: no such file") from None
    except Exception as error:
        raise RtvirtError(f"{path} is not a notebook: {str(error).splitlines()[0]}") from None


def execute(book: Any, path: Path, timeout: int) -> None:
    """Run all cells in a fresh kernel, in the notebook's folder."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    book.metadata.pop("widgets", None)
    client = NotebookClient(book, timeout=timeout, kernel_name="python3", store_widget_state=False,
                            resources={"metadata": {"path": str(path.parent)}})
    ours = os.pathsep.join(filter(None, [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")]))
    try:
        client.execute(env=os.environ | {"PYTHONPATH": ours})       # with this package, whichever else is installed
    except (CellExecutionError, CellTimeoutError) as error:
        raise RtvirtError(f"{path}: a cell fails; the file is left as it was\n{error}") from None


def normalise(book: Any) -> None:
    """Counts 1...n, fixed ids, one kernel name, nothing that differs from run to run."""
    count = 0
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number:03d}"
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = count
            drop_unstable(output)
    book.metadata = type(book.metadata)(kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
                                        language_info={"name": "python"})
    book.nbformat, book.nbformat_minor = 4, 5


def joined(outputs: list[Any]) -> list[Any]:
    """What a cell printed in one piece, however many messages it came in: that depends on how busy the machine was."""
    found: list[Any] = []
    for output in outputs:
        if found and output.output_type == found[-1].output_type == "stream" and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def drop_unstable(output: Any) -> None:
    """SVG carries dates and random names; PNG is enough."""
    data = output.get("data", {})
    data.pop("image/svg+xml", None)
    if "text/plain" in data and re.search(r" at 0x[0-9a-f]+>", str(data["text/plain"])):
        raise RtvirtError(f"an output shows an address, which changes from run to run: {data['text/plain'][:80]}")
