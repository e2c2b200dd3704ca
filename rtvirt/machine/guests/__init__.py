"""Guests: a small operating system, and programs that show on which machines a monitor lies to them.

    rv.machine.guests.source("mini")                     its text, to print and read
    rv.machine.guests.load("mini", "x86")                assembled, for a machine or a monitor
    rv.machine.guests.load("mini", layer="paravirtual")  the same kernel, asking a monitor in place of the hardware
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

from ...errors import Problem, SpecError
from ..assembler import Program, assemble
from ..isa import ISA
from ..monitors.hypercalls import equates

# A guest: the files it is made of, by layer, which is how it does what is sensitive. The first is the one that is taken if none is named.
GUESTS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "mini": {"native": ("mini", "native", "tasks"), "paravirtual": ("mini", "paravirtual", "tasks")},
    "mask": {"ssr": ("mask", "ssr"), "cps": ("mask", "cps"), "paravirtual": ("mask", "set_status")},
    "whoami": {"rsr": ("whoami", "rsr"), "paravirtual": ("whoami", "get_status")},
    "drop": {"jrst": ("drop", "jrst"), "rei": ("drop", "rei"), "paravirtual": ("drop", "set_psw")},
    "where": {"": ("where",)},
    "probe": {"": ("probe",)},
})
SIZE = 512                 # words of storage in which every guest has room


def source(name: str) -> str:
    """Text of one file: a guest's, or that of a layer or of the tasks.

    Examples
    --------
    >>> import rtvirt as rv
    >>> rv.machine.guests.source("mini").split("\\n")[0]
    '; mini: an operating system of about a hundred words.'
    """
    known = sorted({file for layers in GUESTS.values() for parts in layers.values() for file in parts})
    if name not in known:
        raise SpecError([Problem("guest", name, ", ".join(known), "choose one of these")])
    return (files(__package__) / f"{name}.asm").read_text(encoding="utf-8")


def load(name: str, isa: str | ISA = "clean", *, layer: str | None = None, **instead: str) -> Program:
    """A guest, assembled.

    Parameters
    ----------
    name : {"mini", "mask", "whoami", "drop", "where", "probe"}
    isa : str or ISA
        For which machine.
    layer : str, optional
        How it does what is sensitive: for "mini" by "native" instructions, for "mask" by "ssr" or "cps", for "whoami" by "rsr", for "drop" by
        "jrst" or "rei"; for each of these also "paravirtual", by hypercalls.
    instead : str
        Source text to take in place of a file: ``load("mini", tasks="...")`` runs tasks of your own.

    Raises
    ------
    SpecError
        No such guest, layer or file.
    AssemblyError
        The instruction set lacks an instruction that the layer needs, or your own text has mistakes.

    Examples
    --------
    >>> import rtvirt as rv
    >>> machine = rv.machine.Machine("clean", rv.machine.guests.load("mini"), store=512)
    >>> machine.run().reason, machine.console
    ('halted', 's1ab1c!1')
    """
    layers = GUESTS.get(name)
    if layers is None:
        raise SpecError([Problem("guest", name, ", ".join(GUESTS), "choose one of these")])
    chosen = next(iter(layers)) if layer is None else layer
    if chosen not in layers:
        raise SpecError([Problem("layer", layer, ", ".join(filter(None, layers)) or "none", f"choose a layer of {name!r}, or leave it out")])
    strange = set(instead) - set(layers[chosen])
    if strange:
        raise SpecError([Problem("file", min(strange), ", ".join(layers[chosen]), f"name a file of {name!r}")])
    texts = {part: instead.get(part) or source(part) for part in layers[chosen]}
    return assemble({**texts, "hypercalls": equates()} if chosen == "paravirtual" else texts, isa)
