"""The processor of an experiment: a thin layer over the unicorn engine, imported only in the child process."""

from __future__ import annotations

import ctypes
from importlib import import_module
from typing import Any

import unicorn
from unicorn import unicorn_const

from .forms import Field, Isa

ANYWHERE = 0                      # `until`: no form ends there
INVALID = -1                      # trap number of UC_ERR_INSN_INVALID
UNMAPPED = -2                     # trap number of an access to memory that is not there
OTHER = -100                      # less the engine's error number: any other error
SPACE = 0x40                      # bytes between two pieces of code
NATIVE = import_module("unicorn.unicorn_py3.unicorn").uclib


class Machine:
    """One processor with its memory.

    Registers are read in one call into a buffer, because a trial reads some thirty and reading dominates its time.
    Code goes to a fresh address each time: the engine keeps translated blocks when memory below them changes.
    """

    def __init__(self, isa: Isa) -> None:
        self.isa = isa
        family = isa.arch.removeprefix("UC_ARCH_").lower()
        self.constants = import_module(f"unicorn.{family}_const")
        self.uc = unicorn.Uc(getattr(unicorn_const, isa.arch), sum(getattr(unicorn_const, m) for m in isa.mode.split("|")))
        if isa.model:
            self.uc.ctl_set_cpu_model(getattr(self.constants, isa.model))
        for address, size in isa.mapped:
            self.uc.mem_map(address, size)
        self.trap: int | None = None
        self.served: tuple[Any, ...] | None = None       # an access that the engine left to us, such as a port
        self.boot_at = isa.boot
        self.record = self.uc.context_save()             # always the same buffer: the engine does not write all of it
        self.uc.hook_add(unicorn_const.UC_HOOK_INTR, self._on_trap)
        if isa.hooks:
            isa.hooks(self)

    def _on_trap(self, uc: Any, number: int, _data: Any) -> None:
        self.trap = number
        uc.emu_stop()

    def id(self, register: str) -> int:
        """The engine's number of a register."""
        prefix = "UC_" + self.isa.arch.removeprefix("UC_ARCH_") + "_REG_"
        return getattr(self.constants, prefix + register.upper())

    def reader(self, registers: tuple[str, ...]) -> Any:
        """A function that reads these registers in one call; table registers give (selector, base, limit, flags)."""
        count = len(registers)
        cells = ctypes.create_string_buffer(32 * count)
        start = ctypes.addressof(cells)
        ids = (ctypes.c_int * count)(*[self.id(r) for r in registers])
        places = (ctypes.c_void_p * count)(*[start + 32 * i for i in range(count)])
        words = (ctypes.c_uint64 * (4 * count)).from_buffer(cells)
        zero = bytes(32 * count)

        def read() -> list[int]:
            ctypes.memmove(start, zero, 32 * count)
            if NATIVE.uc_reg_read_batch(self.uc._uch, ids, places, count):
                raise RuntimeError(f"the engine cannot read one of {', '.join(registers)} in this state")
            return words[:]

        return read

    def fields(self, fields: dict[str, Field]) -> Any:
        """A function that reads fields into {name: value}."""
        registers = tuple(dict.fromkeys(f.register for f in fields.values()))
        read = self.reader(registers)
        places = [(name, 4 * registers.index(f.register) + f.part, f.mask & 0xFFFF_FFFF_FFFF_FFFF) for name, f in fields.items()]

        def values() -> dict[str, int]:
            words = read()
            return {name: words[place] & mask for name, place, mask in places}

        return values

    def get(self, register: str) -> int:
        """Value of one register."""
        return self.uc.reg_read(self.id(register))

    def set(self, register: str, value: Any) -> None:
        """Write one register."""
        self.uc.reg_write(self.id(register), value)

    def image(self) -> bytes:
        """The engine's whole record of the processor, as raw bytes."""
        self.uc.context_update(self.record)
        return ctypes.string_at(self.record.context, self.record.size)

    def flush(self) -> None:
        """Forget translations of addresses: a restored state may have other page tables."""
        self.uc.ctl(unicorn_const.UC_CTL_TLB_FLUSH, unicorn_const.UC_CTL_IO_WRITE)

    def run(self, code: bytes, count: int) -> None:
        """Execute `count` instructions of boot code; it must not trap.

        Raises
        ------
        RuntimeError
            When it does: the instruction-set file is wrong.
        """
        address, self.boot_at = self.boot_at, self.boot_at + (len(code) + SPACE - 1) // SPACE * SPACE
        self.uc.mem_write(address, code)
        self.step(address, count)
        if self.trap is not None:
            raise RuntimeError(f"boot code of {self.isa.name} trapped: {self.trap} at {self.get(self.isa.pc):#x}: {code.hex()}")

    def step(self, address: int, count: int = 1) -> None:
        """Execute `count` instructions from an address; `trap` says what happened."""
        self.trap, self.served = None, None
        try:
            self.uc.emu_start(address, ANYWHERE, count=count)
        except unicorn.UcError as error:
            if self.trap is None:
                self.trap = (INVALID if error.errno == unicorn_const.UC_ERR_INSN_INVALID else
                             UNMAPPED if error.errno in MEMORY_ERRORS else OTHER - error.errno)


MEMORY_ERRORS = (unicorn_const.UC_ERR_READ_UNMAPPED, unicorn_const.UC_ERR_WRITE_UNMAPPED, unicorn_const.UC_ERR_FETCH_UNMAPPED,
                 unicorn_const.UC_ERR_READ_PROT, unicorn_const.UC_ERR_WRITE_PROT, unicorn_const.UC_ERR_FETCH_PROT)
