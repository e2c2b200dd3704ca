"""Trials: one form, one set of operands, one mode, one variation - start from the same state, execute once, look at everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .engine import SPACE, Machine
from .forms import BASE, MODES, Field, Form, Isa

PLACES = 1000                     # forms that fit into the code area


@dataclass
class Outcome:
    """What a trial ended in, after its rule if it has one.

    Attributes
    ----------
    trap : int or None
        Trap number; None when the instruction completed.
    start : dict
        Privileged state before.
    user, private : dict
        State after; `pc` in `user` counts from the next instruction, so that going on is 0.
    memory : dict
        Regions after.
    """

    trap: int | None
    start: dict[str, int]
    user: dict[str, int] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, bytes] = field(default_factory=dict)
    frames: tuple[tuple[str, int], ...] = ()

    def trapped(self, number: int) -> Outcome:
        """The same trial, had it trapped."""
        return replace(self, trap=number)

    def delivered(self, private: dict[str, int], user: dict[str, int], address: int, frame: bytes) -> Outcome:
        """The same trial, completed with these values and this frame on a stack."""
        memory = dict(self.memory)
        for name, at in self.frames:
            content = memory[name]
            if at <= address < at + len(content):
                memory[name] = content[:address - at] + frame + content[address - at + len(frame):]
        return replace(self, trap=None, private=self.private | private, user=self.user | user, memory=memory)


@dataclass(frozen=True)
class Trial:
    """An outcome with what led to it."""

    mode: str
    variation: str
    operand: int
    outcome: Outcome
    still: Outcome                 # a NOP from the same state: what changes by itself

    @property
    def completed(self) -> bool:
        """True when it did not trap."""
        return self.outcome.trap is None

    def changes(self, part: str) -> dict[str, Any]:
        """Components of `user`, `private` or `memory` that end differently from the NOP's."""
        after, still = getattr(self.outcome, part), getattr(self.still, part)
        return {name: value for name, value in after.items() if value != still[name]}


class Bench:
    """A machine, a saved state for every mode and variation, and the trials of forms."""

    def __init__(self, isa: Isa) -> None:
        self.isa, self.machine = isa, Machine(isa)
        self.read_user = self.machine.fields(dict(isa.user) | {"pc": Field(isa.pc)})
        self.read_private = self.machine.fields(dict(isa.privileged))
        self.contexts: dict[tuple[str, str], Any] = {}
        self.offsets: dict[str, np.ndarray] = {}
        self.idle: dict[Any, Outcome] = {}
        self.place, self.last = 0, ""
        self.nop_at = self._put(isa.nop)
        self.blank = self.machine.uc.context_save()
        for mode in MODES:
            for variation in isa.variations:
                self._enter(mode, variation)
        self._watch()

    def _put(self, code: bytes) -> int:
        """Write code to a fresh place, in every copy of the program's memory."""
        address = self.isa.code + SPACE * self.place
        self.place += 1
        for shift in {0, *self.isa.moved.values()}:
            self.machine.uc.mem_write(address + shift, code)
        return address

    def _enter(self, mode: str, variation: str) -> None:
        """Boot into a mode with a variation, and save the state."""
        machine = self.machine
        machine.uc.context_restore(self.blank)
        self._fill(variation, {})
        self.isa.enter(machine, mode, variation)
        for register, value in self.isa.presets.items():
            machine.set(register, value)
        machine.set(self.isa.pc, self.nop_at)
        self.contexts[mode, variation] = machine.uc.context_save()

    def _saved(self, mode: str, variation: str) -> np.ndarray:
        """Raw image of a saved state, in whole words."""
        self.machine.uc.context_restore(self.contexts[mode, variation])
        image = np.frombuffer(self.machine.image(), np.uint8)
        return image[:len(image) // self.isa.word * self.isa.word]

    def _noise(self) -> np.ndarray:
        """Words that differ between two entries into the same state: the engine's own bookkeeping."""
        noise: Any = False
        for mode in MODES:
            before = self._saved(mode, BASE)
            self._enter(mode, BASE)
            noise = noise | (before != self._saved(mode, BASE))
        return np.repeat(noise.reshape(-1, self.isa.word).any(axis=1), self.isa.word)

    def _watch(self) -> None:
        """Find where the engine keeps components that it gives no register: the bytes in which two saved states differ."""
        if not self.isa.watched:
            return
        noise = self._noise()
        images = {(mode, variation): self._saved(mode, variation) for mode in MODES for variation in (BASE, *self.isa.watched)}
        for variation, component in self.isa.watched.items():
            differ = [(images[mode, variation] != images[mode, BASE]) & ~noise for mode in MODES]
            where = np.flatnonzero(differ[0] & differ[1] if differ[1].any() else differ[0])      # some exist in supervisor mode only
            word = self.isa.word
            self.offsets[component] = np.unique((where // word * word)[:, None] + np.arange(word))

    def _fill(self, variation: str, operand: dict[str, Any]) -> None:
        """Put memory back, with an operand's bytes in it."""
        shift = self.isa.moved.get(variation, 0)
        altered = self.isa.altered.get(variation, {})
        for region in self.isa.regions:
            content = altered.get(region.name, region.content)
            if region.name in operand:
                middle = len(content) // 2 if region.name == "stack" else 0
                content = content[:middle] + operand[region.name] + content[middle + len(operand[region.name]):]
            self.machine.uc.mem_write(region.address + (0 if region.private else shift), content)

    def execute(self, mode: str, variation: str, operand: dict[str, Any], address: int, form: Form | None) -> tuple[Outcome, Outcome]:
        """One trial: what the engine did, and the same after the form's rule."""
        machine, isa = self.machine, self.isa
        machine.uc.context_restore(self.contexts[mode, variation])
        if variation != self.last and {variation, self.last} & set(isa.remapped):
            machine.flush()
        self.last = variation
        self._fill(variation, operand)
        for name, value in operand.items():
            if name not in ("data", "stack"):
                machine.set(isa.user[name].register if name in isa.user else name, value)
        machine.before = self.read_user() if form and form.rule else {}
        start = self.read_private()
        machine.step(address)
        if form and form.stops and machine.trap is None:
            machine.set(isa.pc, address + len(form.code))
        user, private = self.read_user(), self.read_private()
        length = len(form.code) if form else len(isa.nop)
        user["pc"] -= address + length
        if self.offsets:
            image = np.frombuffer(machine.image(), np.uint8)
            private |= {name: image[at].tobytes().hex() for name, at in self.offsets.items()}
        shift = isa.moved.get(variation, 0)
        places = {r.name: r.address + (0 if r.private else shift) for r in isa.regions}
        contents = {r.name: bytes(machine.uc.mem_read(places[r.name], len(r.content))) for r in isa.regions}
        private |= {r.name: contents.pop(r.name).hex() for r in isa.regions if r.private}
        if machine.served and machine.served[0] in ("in", "out"):
            private["I/O"] = str(machine.served)
        else:
            private["I/O"] = ""
        outcome = Outcome(machine.trap, start, user, private, contents, tuple((r.name, r.address) for r in isa.regions if not r.private))
        if form is None or not form.rule:
            return outcome, outcome
        return outcome, isa.rules[form.rule][1](machine, outcome, address + length)

    def trials(self, form: Form) -> Iterator[tuple[Trial, Trial]]:
        """All trials of a form, without and with its rule; the first state comes twice, to notice clocks."""
        address = self._put(form.code)
        for index, operand in enumerate(self.isa.operands(form)):
            for mode in MODES:
                for variation in self.isa.variations:
                    key = (mode, variation, tuple(sorted(operand.items())))
                    if key not in self.idle:
                        self.idle[key] = self.execute(mode, variation, operand, self.nop_at, None)[0]
                    for _ in range(2 if index == 0 and variation == BASE else 1):
                        raw, ruled = self.execute(mode, variation, operand, address, form)
                        still = self.idle[key]
                        yield Trial(mode, variation, index, raw, still), Trial(mode, variation, index, ruled, still)
