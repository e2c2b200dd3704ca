"""Binary translation in place: sensitive instructions that do not trap are replaced, when a program is loaded, by a word that does.

As in pre-virtualization (LeVasseur and others 2005) the rest of the program runs as it is. Which operation codes must be replaced is not looked up
but derived, by `classify`: those that are sensitive and do not trap in user mode. The word in their place, a *call-out*, has an operation code that
the instruction set does not define, so it traps, and above it the number of its original in the monitor's table. It says nothing of its
address: a copy of a call-out is the same call-out. What a guest can find out by looking at its code is in docs/popek-goldberg.md, section 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from ...errors import Problem, SpecError
from .. import layout as L
from ..assembler import Program, disassemble
from ..classify import classify
from ..isa import ISA

if TYPE_CHECKING:
    from .host import VirtualMachine

SITES = ("assembler", "image")


@cache
def must_be_patched(isa: ISA) -> frozenset[int]:
    """Operation codes that are sensitive and do not trap in user mode, where guests run.

    Examples
    --------
    >>> import rtvirt as rv
    >>> from rtvirt.machine.monitors.patching import must_be_patched
    >>> arm = rv.machine.isa("arm")
    >>> [o.name for o in arm.opcodes if o.number in must_be_patched(arm)]
    ['MSR', 'MRS', 'CPS']
    """
    open_ones = [opcode for opcode in isa.opcodes if not opcode.privileged]
    return frozenset(o.number for o in open_ones if classify(isa, model="extended", only=o.name)[o.name].sensitive)


def find_sites(program: Program, isa: ISA, sites: str | Iterable[int] = "assembler") -> list[int]:
    """Addresses of the words to replace.

    Parameters
    ----------
    program : Program
    isa : ISA
    sites : {"assembler", "image"} or addresses
        Where to look. "assembler": at the words that the assembler made from instructions. "image": at every word of the program, which
        needs no source, but takes a number for an instruction whenever its low byte says so.

    Notes
    -----
    The trap area (words 0 to 11) is left alone: the trap mechanism reads and writes it.
    """
    if isinstance(sites, str) and sites not in SITES:
        raise SpecError([Problem("sites", sites, f"{', '.join(SITES)}, or addresses", "choose one of these")])
    look = program.code if sites == "assembler" else range(len(program.words)) if sites == "image" else sites
    wanted = must_be_patched(isa)
    return sorted(at for at in look if L.FIRST_FREE <= at < len(program.words) and program.words[at] & 255 in wanted)  # type: ignore[union-attr]


def call_out_code(isa: ISA, words: Iterable[int]) -> int:
    """An operation code that neither the instruction set nor any word of the program has."""
    taken = {o.number for o in isa.opcodes} | {word & 255 for word in words} | {0}
    free = set(range(256)) - taken
    if not free:
        raise SpecError([Problem("program", "words with every low byte", "a program that leaves one low byte out", "use another style")])
    return max(free)


def patch(guest: VirtualMachine, sites: str | Iterable[int], first: int) -> int:
    """Replace the words at these sites in a guest's storage; originals go into the monitor's table from `first` on. Returns how many."""
    state, isa, program, cpu = guest.monitor.machine.state, guest.monitor.machine.isa, guest.program, guest.cpu
    where = find_sites(program, isa, sites)
    originals = list(dict.fromkeys(program.words[at] for at in where))
    if first + len(originals) > L.PATCHES:
        raise SpecError([Problem("program", f"{len(originals)} different words to replace", f"up to {L.PATCHES - first}", "use another monitor")])
    cpu.patch, cpu.originals, cpu.patches = call_out_code(isa, program.words), first, len(originals)
    for number, word in enumerate(originals):
        state.originals[first + number] = word
    for at in where:
        state.store[guest.origin + at] = int(cpu.patch) | originals.index(program.words[at]) << 8
    return len(originals)


def patched_sites(guest: VirtualMachine) -> list[tuple[int, str, str]]:
    """(address, instruction, word in its place) of every call-out that is now in a guest's storage."""
    isa, cpu, state = guest.monitor.machine.isa, guest.cpu, guest.monitor.machine.state
    stored = [int(word) for word in state.store[guest.origin:guest.origin + guest.size]]
    return [(at, disassemble(mine, isa), f"{word:08x}") for at, (word, mine) in enumerate(zip(stored, guest.memory())) if word != mine and cpu.patch]
