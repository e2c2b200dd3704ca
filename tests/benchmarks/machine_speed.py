"""How fast the machine runs, and how fast against C++ written by hand: same design, same results, both timed in one run. Not a test.

    python3 lab.py run python tests/benchmarks/machine_speed.py

Three programs: a short loop of arithmetic, the sieve of Eratosthenes (loads, stores, branches), and a storm of traps (a system call and a
return from the handler in every turn). Then the same under monitors.
Processor time, best of nine in turn: other programs may be running.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from against_cpp import FLAGS, compiler

import rtvirt as rv

SOURCE = Path(__file__).with_name("machine.cpp")
SIZE, FUEL, ROUNDS = 8192, 50_000_000, 9
REACH, FLOOR = 0.7, 100_000_000

PROGRAMS = {
    "loop": """
    start:  LDI r1, 30000
            MUL r1, r1
    loop:   ADD r2, r1
            ADDI r1, r1, -1
            JNZ r1, loop
            HLT""",
    "sieve": """
    start:  LDI r7, 500                 ; rounds, more than the fuel
    again:  LDI r1, 2
            LDI r6, 1
    next:   LD  r2, flags(r1)
            JNZ r2, skip
            MOV r3, r1
            ADD r3, r1
    strike: LDI r4, 4000
            LT  r3, r4                  ; r3 < 4000?
            JZ  r3, skip
            MOV r3, r5
            ADD r3, r1
            MOV r5, r3
            ST  r6, flags(r3)
            JMP strike
    skip:   ADDI r1, r1, 1
            MOV r5, r1
            LDI r4, 3999
            LT  r4, r1
            JZ  r4, next
            ADDI r7, r7, -1
            JNZ r7, again
            JMP start
    flags:  .space 4100""",
    "traps": """
            .org 8
            .word 0, handler, 0, 8192
    start:  LPSW user
    user:   .word 1, task, 0, 8192
    task:   SVC 1
            JMP task
    handler: LD r1, 1
            ADDI r1, r1, 1
            ST r1, 1
            LPSW 0""",
}


def ours(source: str) -> tuple[float, list[int]]:
    """Seconds, and what is left behind."""
    machine = rv.machine.Machine("clean", source, store=SIZE)
    start = time.process_time()
    report = machine.run(FUEL)
    seconds = time.process_time() - start
    psw, checksum = machine.psw, 0
    for word in machine.memory():
        checksum = (checksum * 1_000_003 + word) % 2**64
    reasons = ("", "halted", "out of fuel", "trapped", "wedged")
    return seconds, [reasons.index(report.reason), machine.instructions, psw["p"], psw["user"], psw["l"], psw["b"], *machine.registers,
                     *(int(n) for n in machine.state.traps[:8]), checksum]


def theirs(program: Path, words: list[int]) -> tuple[float, list[int]]:
    """The same of the C++ program."""
    text = "\n".join(map(str, (words + [0] * SIZE)[:SIZE]))
    out = subprocess.run([str(program), str(FUEL)], input=text, check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), [int(x) for x in out[1:]]


def under(style: str, source: str) -> str:
    """The same under a monitor, held against the bare machine."""
    bare = rv.machine.Machine("clean", source, store=SIZE)
    bare.run(FUEL // 2)
    best = 1e9
    for _ in range(ROUNDS):
        monitor = rv.machine.monitors.Monitor("clean", style)
        guest = monitor.create(source, size=SIZE)
        monitor.run(1000)                                                                # compiles
        start = time.process_time()
        monitor.run(FUEL // 2 - 1000, quantum=FUEL)
        best = min(best, time.process_time() - start)
        if guest.fingerprint()[:-3] != bare.fingerprint()[:-3]:
            raise SystemExit(f"{style}: the guest ends in another state than the bare machine")
    counts = guest.counts
    traps = counts["emulated"] + counts["reflected"]
    return f"{counts['instructions'] / best / 1e6:,.0f} M instructions/s, {traps / best / 1e6:.1f} M traps/s to the monitor"


def main() -> None:
    """Print a line a program."""
    cxx = compiler()
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}, "
          f"{cxx and subprocess.run([cxx, '--version'], capture_output=True, text=True).stdout.splitlines()[0]}, {' '.join(FLAGS)}")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "machine"
        if cxx:
            subprocess.run([cxx, *FLAGS, str(SOURCE), "-o", str(program)], check=True)
        for name, source in PROGRAMS.items():
            words = rv.machine.assemble(source).words
            rv.machine.Machine("clean", source, store=SIZE).run(1000)                    # compiles
            mine, other = [], []
            for _ in range(ROUNDS):
                mine.append(ours(source))
                other += [theirs(program, words)] if cxx else []
            best, state = min(seconds for seconds, _ in mine), mine[0][1]
            traps = sum(state[14:22])
            line = f"{name:6} {state[1]:,} instructions: {state[1] / best / 1e6:,.0f} M/s"
            line += f", {traps / best / 1e6:.1f} M traps/s" if traps else ""
            line += f" (to reach: {FLOOR / 1e6:.0f} M/s)" if name == "loop" else ""
            if cxx:
                if any(found != state for _, found in [*mine, *other]):
                    raise SystemExit(f"{name}: the results differ, so the times mean nothing: {state} and {other[0][1]}")
                ratio = min(seconds for seconds, _ in other) / best
                line += f"; C++ time / rtvirt time {ratio:.2f} (to reach: {REACH}), same results"
            print(line)
    for style in rv.machine.monitors.STYLES:
        for name in ("loop", "traps"):
            print(f"{name} under {style}: {under(style, PROGRAMS[name])}, state equal to the bare machine's")
    start = time.process_time()
    found = rv.machine.classify("x86")
    print(f"classify x86: {found.cases:,} cases in {time.process_time() - start:.2f} s (to reach: 2 s)")


if __name__ == "__main__":
    main()
