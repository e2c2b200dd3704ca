"""What an instruction-set file is made of: instruction forms, registers, variations of the privileged state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SUPERVISOR, USER = "supervisor", "user"
MODES = (SUPERVISOR, USER)
BASE = "base"


@dataclass(frozen=True)
class Form:
    """One instruction with its operands fixed in the bytes: a row of the table.

    Attributes
    ----------
    name : str
        Name of the row, unique in its instruction set.
    text : str
        How capstone prints it; a test disassembles `code` and compares. Empty where capstone does not know it (the comment says so).
    code : bytes
        The instruction, as it lies in memory.
    operands : tuple of dict
        Sets of values, each tried in every state: register name -> value; the names "data" and "stack" set bytes there.
    rule : str
        Name of the documented rule by which rtvirt supplies a step that the engine leaves to its caller; see `Isa.rules`.
    limit : str
        Where the engine is known to differ from silicon, in words; "" where nothing is known.
    stops : bool
        True when the processor is meant to wait afterwards (HLT, WFI): then standing still is completing.
    """

    name: str
    text: str
    code: bytes
    operands: tuple[Mapping[str, Any], ...] = ({},)
    rule: str = ""
    limit: str = ""
    stops: bool = False


def form(name: str, code: str, text: str, *operands: Mapping[str, Any], **more: Any) -> Form:
    """A `Form` from bytes in hexadecimal."""
    return Form(name, text, bytes.fromhex(code), operands or ({},), **more)


@dataclass(frozen=True)
class Field:
    """A named part of the state: bits `mask` of an engine register (`part`: base or limit of a table register)."""

    register: str
    mask: int = -1
    part: int = 0


@dataclass(frozen=True)
class Region:
    """A piece of memory that is put back before each trial and compared after it; `private` if it belongs to the privileged state."""

    name: str
    address: int
    content: bytes
    private: bool = False


@dataclass(frozen=True)
class Isa:
    """An instruction set as the experiment needs it.

    Attributes
    ----------
    name, title : str
        Name in `classify`, and what is executed.
    arch, mode, model : str
        Unicorn's constants; `display` are capstone's.
    pc : str
        Engine register with the address of the next instruction.
    forms : tuple of Form
    variations : dict
        Name -> what differs from "base". Each changes one component of the privileged state.
    user : dict of Field
        The state that a program may see and change: U.
    privileged : dict of Field
        The state that a monitor must keep to itself: the split of the state is an input of the experiment, not its result.
    watched : dict
        Variation -> the component that it changes, for components without a register of the engine's: they are found by comparing raw
        images of the engine's state.
    presets : dict
        Values of registers at the start of every trial, equal in both modes.
    others : dict
        Other values for those of them that hold data: what a form that names no operands is tried with besides.
    pins : dict
        Configuration that a monitor may choose -> variations that violate it: "privileged if IOPL=0".
    memory_traps : tuple of int
        Trap numbers that are the paper's memory traps: excluded from all definitions.
    enter : callable
        `enter(machine, mode, variation)`: run boot code until the machine is in this mode with this variation.
    regions : tuple of Region
        Memory that trials may touch. Regions of the program lie in the moved part of memory, private ones stay.
    code, boot : int
        Where forms lie, one after the other, and where boot code lies.
    rules : dict
        Name -> (text, function): steps that rtvirt supplies because the engine leaves them to its caller.
    traps : dict
        Trap number -> name.
    """

    name: str
    title: str
    arch: str
    mode: str
    model: str
    display: tuple[str, str]
    pc: str
    forms: tuple[Form, ...]
    variations: Mapping[str, str]
    user: Mapping[str, Field]
    privileged: Mapping[str, Field]
    presets: Mapping[str, int]
    enter: Callable[[Any, str, str], None]
    regions: tuple[Region, ...]
    nop: bytes
    code: int
    boot: int
    mapped: tuple[tuple[int, int], ...]
    watched: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    memory_traps: tuple[int, ...] = ()
    rules: Mapping[str, tuple[str, Callable[..., Any]]] = field(default_factory=dict)
    traps: Mapping[int, str] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)                  # variation -> by how much its program memory lies elsewhere
    remapped: tuple[str, ...] = ()                                           # variations with another page map: flush the TLB around them
    altered: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)  # variation -> region -> other content
    others: Mapping[str, int] = field(default_factory=dict)
    word: int = 4                                                            # bytes of a register, for what is `watched`
    monitor_map: str = ""                                                    # variation: the kernel's pages as a monitor would map them
    hooks: Callable[[Any], None] | None = None                              # install what the engine leaves to its caller
    flags: tuple[str, ...] = ()                                              # notes on the engine that concern the whole set

    def operands(self, form: Form) -> tuple[Mapping[str, Any], ...]:
        """The sets of values that a form is tried with."""
        return form.operands if any(form.operands) or not self.others else ({}, self.others)
