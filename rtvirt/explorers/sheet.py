"""A sheet of tables and text in the explorers' look: for what is neither a curve nor a timeline."""

from __future__ import annotations

import anywidget
import traitlets

from .assets import read_assets


class Sheet(anywidget.AnyWidget):
    """The widget; whoever sets `html` has escaped what is not markup."""

    _esm = read_assets("lists.js", "sheet.js")
    _css = read_assets("explorers.css")
    html = traitlets.Unicode("").tag(sync=True)


class Live(Sheet):
    """An answer that depends on the machine it is asked on: shown where a kernel runs, never stored in a notebook.

    Parameters
    ----------
    answer : object
        With an HTML representation.
    question : str
        What stands in its place where it is not shown.
    """

    def __init__(self, answer: object, question: str) -> None:
        super().__init__(html=answer._repr_html_())  # type: ignore[attr-defined]
        self.question = question

    def __repr__(self) -> str:
        return f"<{self.question}: run this cell to see it>"

    def _repr_mimebundle_(self, **kwargs: object) -> object:
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"] = repr(self)
        return bundle
