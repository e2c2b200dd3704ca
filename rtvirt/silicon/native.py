"""`here`: what this very processor does with a fixed list of harmless user-mode instructions."""

from __future__ import annotations

import html
import platform
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import native_child

if TYPE_CHECKING:
    import pandas as pd

PATIENCE = 10.0                   # [s] for one child, Python's start included
FLAGS = {"IF": 1 << 9, "IOPL": 3 << 12, "NT": 1 << 14}
UMIP_BIT, HYPERVISOR_BIT = 1 << 2, 1 << 31
DUMMY_GDT, DUMMY_IDT = 0xFFFF_FFFF_FFFE_0000, 0xFFFF_FFFF_FFFF_0000


@dataclass(frozen=True)
class Here:
    """What the reader's own processor did, in user mode.

    Attributes
    ----------
    processor : str
    why_not : str
        Why nothing was executed; "" when it was.
    table : DataFrame
        Index: instruction. Columns: outcome ("completes", "traps: SIGSEGV" ...), bytes (stored, hexadecimal), reveals (what they say).
    """

    processor: str
    why_not: str
    table: pd.DataFrame

    def headline(self) -> str:
        """One line."""
        if self.why_not:
            return f"nothing was executed here ({self.processor}): {self.why_not}"
        traps = int(self.table["outcome"].str.startswith("traps").sum())
        return f"{self.processor}, user mode: {traps} of {len(self.table)} instructions trap"

    def __repr__(self) -> str:
        return self.headline() + ("" if self.why_not else f"\n\n{self.table[['outcome', 'reveals']].to_string(max_colwidth=100)}")

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.headline())}</p>" + ("" if self.why_not else self.table[["outcome", "reveals"]].to_html())


def here() -> Here:
    """Execute a fixed list of harmless instructions in user mode on this processor, each in a child process of its own.

    A trap shows as the signal that the child dies of. No signal does not mean no trap: an operating system may emulate the
    instruction (Linux does so for SGDT, SIDT, SLDT, STR and SMSW under UMIP, and for MRS of ID registers), and so may a hypervisor.

    Notes
    -----
    x86-64 and AArch64, Linux and macOS; elsewhere the result says why nothing was executed. Nothing is written but 64 bytes of the
    child's own memory; privileged instructions of the list trap before they do anything. The result depends on the machine: do not
    store it in a notebook.
    """
    import pandas as pd

    codes, why = native_child.listing()
    rows = {}
    for name in codes:
        outcome, stored = execute(name)
        rows[name] = {"outcome": outcome, "bytes": stored.hex()}
    seen = {name: bytes.fromhex(row["bytes"]) for name, row in rows.items() if row["outcome"] == "completes"}
    for name, row in rows.items():
        row["reveals"] = reveals(name, seen) if name in seen else ""
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["outcome", "bytes", "reveals"]).rename_axis("instruction")
    return Here(f"{platform.machine()}, {platform.system()}", why, table)


def execute(name: str) -> tuple[str, bytes]:
    """Outcome of one instruction, and the 64 bytes that it stored."""
    try:
        done = subprocess.run([sys.executable, "-I", "-S", native_child.__file__, name], capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"hangs: nothing after {PATIENCE:g} s", b""
    if done.returncode < 0:
        return f"traps: {signal.Signals(-done.returncode).name}", b""
    if done.returncode or len(done.stdout) != 2 * native_child.SIZE:
        return "not executed: " + (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1], b""
    return "completes", bytes.fromhex(done.stdout.decode())


def reveals(name: str, seen: dict[str, bytes]) -> str:
    """What the stored bytes say."""
    stored = seen[name]
    word = struct.unpack_from("<Q", stored)[0]
    if name in ("SGDT", "SIDT"):
        limit, base = struct.unpack_from("<HQ", stored)
        emulated = base == (DUMMY_GDT if name == "SGDT" else DUMMY_IDT) and limit == 0
        return f"base {base:#x}, limit {limit:#x}" + (": invented by Linux, which emulates this instruction after UMIP's trap" if emulated else "")
    if name in ("SLDT", "STR"):
        return f"selector {word & 0xFFFF:#x}" + umip(seen)
    if name == "SMSW":
        return f"low half of CR0: {word & 0xFFFF:#x} (PE={word & 1} MP={word >> 1 & 1} EM={word >> 2 & 1} TS={word >> 3 & 1})" + umip(seen)
    if name == "PUSHF":
        return ", ".join(f"{flag}={(word & mask) // (mask & -mask)}" for flag, mask in FLAGS.items())
    if name == "POPF clears IF":
        after = struct.unpack_from("<Q", stored, 8)[0]
        ignored = word & FLAGS["IF"] == after & FLAGS["IF"]
        return f"IF asked to be 0, is {int(bool(after & FLAGS['IF']))}: " + ("ignored without a trap" if ignored else "cleared")
    if name == "MOV r,CS":
        return f"CS = {word:#x}: privilege level {word & 3}"
    if name.startswith("CPUID"):
        return cpuid(name, struct.unpack_from("<4I", stored), seen)
    return f"{word:#x}" if any(stored) else ""


def umip(seen: dict[str, bytes]) -> str:
    """A remark where CPUID says that the processor has UMIP."""
    has = "CPUID 7" in seen and struct.unpack_from("<4I", seen["CPUID 7"])[2] & UMIP_BIT
    return "; the processor has UMIP, so the system may have trapped and invented this" if has else ""


def cpuid(name: str, registers: tuple[int, int, int, int], seen: dict[str, bytes]) -> str:
    """CPUID's answers: vendor, hypervisor bit, hypervisor's own leaf."""
    eax, ebx, ecx, edx = registers
    if name == "CPUID 0":
        return f"vendor {struct.pack('<3I', ebx, edx, ecx).decode(errors='replace')!r}, leaves up to {eax:#x}"
    if name == "CPUID 1":
        return f"signature {eax:#x}; hypervisor bit {ecx >> 31}"
    if name == "CPUID 7":
        return f"UMIP={ecx >> 2 & 1}"
    inside = "CPUID 1" in seen and struct.unpack_from("<4I", seen["CPUID 1"])[2] & HYPERVISOR_BIT
    if not inside:
        return "no hypervisor says so: this leaf means nothing"
    return f"hypervisor {struct.pack('<3I', ebx, ecx, edx).decode(errors='replace')!r}, leaves up to {eax:#x}"
