"""What all explorers share: parameters with ranges, a scene that is updated rather than redrawn, and the only widget code.

`Params` is a frozen dataclass whose fields say their range (`slider`, `choice`). `compute` turns it into data without any widget. A
`Scene` owns the pictures. `Explorer` puts controls above them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import field, fields, replace
from html import escape, unescape
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import ipywidgets as widgets
from matplotlib.figure import Figure

from ..errors import Problem, RtvirtError, SpecError
from ..notice import shown_by
from ..plots import Picture


def slider(default: float, low: float, high: float, step: float, label: str) -> Any:
    """A field of `Params` with a range of numbers; whole ones when the step is whole."""
    return field(default=default, metadata={"low": low, "high": high, "step": step, "label": label})


def choice(default: Any, options: list[Any], label: str) -> Any:
    """A field of `Params` with a list of values."""
    return field(default=default, metadata={"options": options, "label": label})


def words(default: str, longest: int, label: str) -> Any:
    """A field of `Params` with text of the reader's."""
    return field(default=default, metadata={"longest": longest, "label": label})


class Fixed(NamedTuple):
    """A parameter that cannot be moved beside the others: what holds in its place, and why."""

    value: Any
    why: str


Rules = Callable[[Any], Mapping[str, Fixed]]
Ends = Callable[[Any], Mapping[str, float]]
Offers = Callable[[Any], Mapping[str, list[Any]]]
Follow = Callable[[Any, Any], Any]


def settle(params: Any, fixed: Mapping[str, Fixed]) -> Any:
    """Parameters with what is fixed put in place; SpecError when one of these was set to something else than its default."""
    given = {item.name: getattr(params, item.name) for item in fields(params) if getattr(params, item.name) != item.default}
    refuse({name: value for name, value in given.items() if name in fixed}, fixed)
    return put(params, fixed)


def refuse(values: Mapping[str, Any], fixed: Mapping[str, Fixed]) -> None:
    """SpecError for values of what is fixed that are not what holds in their place."""
    problems = [Problem(name, value, f"{fixed[name].value} only ({fixed[name].why})", "leave it out, or change what fixes it")
                for name, value in values.items() if value != fixed[name].value]
    if problems:
        raise SpecError(problems)


def check_ranges(params: Any, values: Mapping[str, Any]) -> None:
    """Refuse parameters that do not exist and values that their control could not take."""
    metas, problems = {item.name: item.metadata for item in fields(params)}, []
    for name, value in values.items():
        meta = metas.get(name)
        if meta is None:
            problems.append(Problem(name, value, ", ".join(metas), "set one of these"))
        elif "options" in meta:
            if value not in meta["options"]:
                problems.append(Problem(name, value, ", ".join(map(repr, meta["options"])), "choose one of these"))
        elif "longest" in meta:
            if not isinstance(value, str) or len(value) > meta["longest"]:
                problems.append(Problem(name, value, f"text of at most {meta['longest']} characters", "shorten it"))
        elif not in_range(value, meta):
            problems.append(Problem(name, value, f"{meta['low']} to {meta['high']}, {meta['label']}", "choose a value of the slider"))
    if problems:
        raise SpecError(problems)


def in_range(value: Any, meta: Mapping[str, Any]) -> bool:
    """True for a number that a slider could show; steps other than whole ones are for the hand only."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and meta["low"] <= value <= meta["high"] and not (isinstance(meta["step"], int) and value != int(value))


def tidy(value: Any) -> Any:
    """A slider's value without the last bits, which its steps add up in floating point."""
    return round(value, 6) if isinstance(value, float) else value


def put(params: Any, fixed: Mapping[str, Fixed]) -> Any:
    """Parameters with what is fixed put in place."""
    return replace(params, **{name: rule.value for name, rule in fixed.items()})


class Scene(Protocol):
    """Pictures that follow the data: widgets of its own, and all of them as one figure for print."""

    front: list[widgets.Widget]

    def update(self, data: Any) -> str:
        """Show new data; what it says, in a sentence."""

    def figure(self) -> Figure:
        """What is shown now, for viewers without a kernel."""


class Explorer(widgets.VBox):
    """Controls, a sentence, pictures. Operable by keyboard; of values that come faster than pictures the browser sends the latest.

    Parameters
    ----------
    params : dataclass
        Where to start.
    compute : callable
        Parameters to data; may raise `RtvirtError`.
    scene : Scene
    description : str
        What it is and what to do, in a sentence.
    fixed : callable, optional
        Parameters to what cannot be moved beside them.
    ends : callable, optional
        Parameters to the upper ends of sliders that depend on them; what lies beyond is taken as the end.
    offers : callable, optional
        Parameters to what lists hold that depend on them.
    follow : callable, optional
        Parameters before and after a change to those that the change brings with it.
    """

    def __init__(self, params: Any, compute: Callable[[Any], Any], scene: Scene, description: str, fixed: Rules = lambda params: {},
                 ends: Ends = lambda params: {}, offers: Offers = lambda params: {}, follow: Follow = lambda before, after: after) -> None:
        self._compute, self._scene, self._fixed, self._ends, self._offers, self._follow = compute, scene, fixed, ends, offers, follow
        check_ranges(params, {item.name: getattr(params, item.name) for item in fields(params)})
        self._placing = False               # True while controls follow the parameters rather than the reader
        self._open = False                  # True when there is a sentence to read
        self.sentence = widgets.HTML().add_class("rtvirt-sentence")
        self.controls = {item.name: self.control(item, getattr(params, item.name)) for item in fields(params)}
        self.notes = {name: widgets.HTML(layout=widgets.Layout(display="none")).add_class("rtvirt-note") for name in self.controls}
        pairs = [widgets.VBox([made, self.notes[name]]) for name, made in self.controls.items()]
        grid = widgets.GridBox(pairs, layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(360px, 1fr))", grid_gap="0 12px",
                                                            width="100%"))
        self.pictures = widgets.VBox(scene.front)
        self.show(settle(params, fixed(params)))
        super().__init__([widgets.HTML(description).add_class("rtvirt-about"), grid, self.sentence, self.pictures])
        self.add_class("rtvirt-explorer")
        self._open = True

    def control(self, item: Any, value: Any) -> widgets.Widget:
        """A slider or a list for one parameter."""
        meta = item.metadata
        wide = {"layout": widgets.Layout(width="auto", max_width="460px"), "style": {"description_width": "172px"}}
        if "options" in meta:
            made = widgets.Dropdown(options=meta["options"], value=value, description=meta["label"], **wide)
        elif "longest" in meta:
            made = widgets.Text(value=value, description=meta["label"], continuous_update=False, **wide)
        else:
            whole = isinstance(meta["step"], int)
            kind = widgets.IntSlider if whole else widgets.FloatSlider
            made = kind(value=value, min=meta["low"], max=meta["high"], step=meta["step"], description=meta["label"],
                        readout_format="d" if whole else ".1f", continuous_update=True, **wide)
        made.observe(lambda change, name=item.name: self.moved(name, change["new"]), names="value")
        return made

    def set(self, **values: Any) -> None:
        """Change parameters from code: pictures and controls follow.

        Raises
        ------
        SpecError
            No such parameter, a value out of range, one that cannot be moved beside the others, or a system that cannot be run.
            Nothing has changed then.
        """
        check_ranges(self.params, values)
        wanted = replace(self._follow(self._wanted, replace(self._wanted, **values)), **values)
        fixed = self._fixed(wanted)
        refuse({name: value for name, value in values.items() if name in fixed}, fixed)
        self.show(wanted)

    def moved(self, name: str, value: Any) -> None:
        """The reader has moved a control: the same in words where `set` raises."""
        if self._placing:
            return
        changed = replace(self._wanted, **{name: tidy(value)})
        self._wanted = self._follow(self._wanted, changed)
        try:
            self.show(self._wanted)
        except RtvirtError as error:
            self.place(self._fixed(self._wanted))
            self.complain(error)
            self.pictures.add_class("rtvirt-stale")

    def complain(self, error: RtvirtError) -> None:
        """An error in words, where the sentence is."""
        self.sentence.value = f"<b>This cannot be run:</b> {escape(str(error))}"
        self.sentence.add_class("rtvirt-wrong")

    def show(self, wanted: Any) -> None:
        """Compute and show, or raise and leave everything as it was."""
        ends = self._ends(wanted)
        wanted = replace(wanted, **{name: end for name, end in ends.items() if getattr(wanted, name) > end})
        fixed = self._fixed(wanted)
        params = put(wanted, fixed)
        with shown_by(self.wait) if self._open else nullcontext():
            data = self._compute(params)
        text = self._scene.update(data)
        self._wanted, self.params = wanted, params
        self.place(fixed, ends)
        self.sentence.value = f"<b>{escape(text)}</b>"
        self.sentence.remove_class("rtvirt-wrong")
        self.pictures.remove_class("rtvirt-stale")

    def wait(self, text: str) -> None:
        """Say in the sentence what the reader waits for; the old one comes back when it is over, until the new one is there."""
        if text:
            self._before = self.sentence.value
        self.sentence.value = f"<b>{escape(text)}</b>" if text else self._before

    def place(self, fixed: Mapping[str, Fixed], ends: Mapping[str, float] = MappingProxyType({})) -> None:
        """Put the controls where the parameters are; those that cannot be moved are off, with the reason beside them."""
        self._placing = True
        try:
            for name, end in ends.items():
                self.controls[name].max = end
            for name, values in self._offers(self._wanted).items():
                if list(self.controls[name].options) != values:
                    self.controls[name].options = values
            for name, control in self.controls.items():
                rule = fixed.get(name)
                value = getattr(self._wanted, name) if rule is None else rule.value
                if tidy(control.value) != value:        # a slider's 2.1000000000000005 stays: to correct it would undo a key pressed meanwhile
                    control.value = value
                control.disabled = rule is not None
                if rule is not None:
                    self.notes[name].value = escape(rule.why)
                self.notes[name].layout.display = "none" if rule is None else "block"
        finally:
            self._placing = False

    def static(self) -> Picture:
        """The picture as it is now, for viewers without a kernel."""
        said = unescape(self.sentence.value.removeprefix("<b>").removesuffix("</b>"))
        return Picture(self._scene.figure(), f"static fallback of the explorer: {said}")

    def __repr__(self) -> str:
        return f"Explorer({self.params})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        (bundle[0] if isinstance(bundle, tuple) else bundle)["text/plain"] = repr(self)
        return bundle
