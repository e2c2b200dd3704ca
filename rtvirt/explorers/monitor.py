"""Explorer of a monitor at work: step a guest, and see who executes it, and what it believes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from matplotlib.figure import Figure

from ..machine import BUILT_IN
from ..machine.monitors import STYLES
from ..plots import executors, styled
from .base import Explorer, check_ranges, choice, slider
from .monitor_data import LONGEST, Recording, recording
from .walk import NAMES, Walk, words

TELLS = {
    "directly": "the processor executed it, and the monitor does not know",
    "emulated": "it trapped in real user mode, and the monitor's routine for it acted on the virtual processor",
    "call-out": "it had been replaced before the start, and the monitor's routine for it acted on the virtual processor",
    "hypercall": "the guest asked its monitor",
    "interpreted": "the monitor's interpreter executed it",
}


@dataclass(frozen=True)
class Params:
    """What can be moved."""

    variant: str = choice("clean", list(BUILT_IN), "machine")
    style: str = choice("trap-and-emulate", list(STYLES), "monitor")
    guest: str = choice("mini", ["mini", "mask", "whoami", "drop", "where"], "guest")
    position: int = slider(0, 0, LONGEST, 1, "step")


class Shown(NamedTuple):
    """A run, and where in it we are."""

    run: Recording
    position: int


def compute(params: Params) -> Shown:
    """The run (kept once it has been made) and the position, which is at most its end."""
    run = recording(params.variant, params.style, params.guest)
    return Shown(run, min(params.position, len(run.steps)))


def ends(params: Params) -> dict[str, float]:
    """The slider of the steps ends where the run does."""
    return {"position": len(recording(params.variant, params.style, params.guest).steps)}


class Scene:
    """The walk."""

    def __init__(self) -> None:
        self.walk = Walk()
        self.front = [self.walk]

    def update(self, shown: Shown) -> str:
        """Show a moment; what happens next, in a sentence."""
        self.shown, text = shown, sentence(shown)
        self.walk.show(shown.run, shown.position, text)
        return text

    def figure(self) -> Figure:
        """The strip, the program around P, both PSWs."""
        run, position = self.shown
        moment = run.moments[position]
        with styled():
            figure = Figure(figsize=(12, 4.4))
            strip, text = figure.subplots(2, 1, height_ratios=(1, 2.2))
            executors({run.style: run.steps}, ax=strip)
            strip.axvline(position, color="black", linewidth=2)
            text.axis("off")
            code = [f"{'->' if p == moment.virtual.p else '  '} {p:4} {real:5}  {source}" for p, real, source in run.code(position)]
            pairs = zip(NAMES, words(moment.virtual), words(moment.real), strict=True)
            psw = [f"{name:7}{virtual:11}{real}" for name, virtual, real in pairs]
            where = {"family": "monospace", "va": "top", "transform": figure.transFigure, "fontsize": 10.5}
            text.text(0.01, 0.6, "\n".join(line[:92] for line in [f"{'P':>7}{'real':>6}  source", *code]), **where)
            text.text(0.76, 0.6, "\n".join(["PSW    virtual    real", *psw, "", f"console {run.console[:moment.printed]!r}"]), **where)
        return figure


def sentence(shown: Shown) -> str:
    """The next step in words."""
    run, position = shown
    if position == len(run.steps):
        ended = {"halted": "The guest has halted", "out of fuel": f"No end after {LONGEST:,} steps: the picture stops here"}
        return f"{ended.get(run.reason, f'The guest is {run.reason}')}. It printed {run.console!r}."
    step = run.steps[position]
    what = f"{step.instruction or 'A timer trap'} in virtual {step.mode} mode"
    if step.trap:
        by_monitor = "taken by the interpreter" if step.who == "interpreted" else "the monitor hands it on"
        told = f"a trap of the guest's own ({step.trap}), {by_monitor}"
    else:
        told = TELLS[step.who]
    return f"Step {position:,} of {len(run.steps):,}. {what}: {told}."


def explorer(**values: str | int) -> Explorer:
    """The explorer, starting from given parameters."""
    check_ranges(Params(), values)
    scene = Scene()
    made = Explorer(Params(**values), compute, scene, "A guest under a monitor, step by step. Choose a machine, a kind of monitor and a guest; move "
                    "the slider, or click the strip and use the arrow keys (page up and down go to where the monitor comes in).", ends=ends)
    scene.walk.observe(lambda change: made.set(position=change["new"]), names="wanted")
    return made
