"""How fast with devices: events a second, memory over ten times the packets, what systems without devices pay, time to compile. Not a test.

    python3 lab.py run python tests/benchmarks/channels_speed.py
    python3 lab.py run python tests/benchmarks/channels_speed.py --before FOLDER    # a checkout of the version to compare with

All times are CPU time: other processes of the machine count little.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[2]
EVENTS, PACKETS = 4_000_000, (1_000_000, 10_000_000)

if __name__ != "__main__" or "--before" not in sys.argv:
    sys.path.insert(0, str(HERE))


def cpu_time(work: Callable[[], Any]) -> float:
    """Seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def guests_on_a_wire(guests: int, packets: int = 0) -> Any:
    """Guests that receive a packet each 100 us through a split driver; with `packets` in all, or for ever."""
    import rtvirt as rv
    from rtvirt.units import us

    nets = [rv.SplitDriver(f"net{i}", driver="dom0", frontend=f"g{i}", rx=rv.Arrivals(us(100) * guests, offset=us(100) * i)) for i in range(guests)]
    return rv.System(cpus=2, vms=[rv.VM("dom0", control=True), *(rv.VM(f"g{i}") for i in range(guests))], devices=nets)


def disks(guests: int) -> Any:
    """Guests that read from a disk, one block after another."""
    import rtvirt as rv
    from rtvirt.units import us

    def reader(i: int) -> rv.Task:
        return rv.Task("reader", period=us(200) * guests + i, actions=[rv.run(us(5)), rv.request(f"disk{i}.read"), rv.run(us(5))])

    disks = [rv.SplitDriver(f"disk{i}", kind="block", driver="dom0", frontend=f"g{i}", submit=us(5), serve=us(20), receive=us(5))
             for i in range(guests)]
    return rv.System(cpus=2, vms=[rv.VM("dom0", control=True), *(rv.VM(f"g{i}", tasks=[reader(i)]) for i in range(guests))], devices=disks)


def sends(guests: int) -> Any:
    """Guests whose tasks send to dom0's: channels without a device."""
    import rtvirt as rv
    from rtvirt.units import us

    tasks = [rv.Task(f"c{i}", arrival="channel", wcet=us(5)) for i in range(guests)]
    calls = [rv.Task("t", period=us(50) * guests + i, actions=[rv.run(us(5)), rv.send(f"dom0/c{i}")]) for i in range(guests)]
    return rv.System(cpus=2, vms=[rv.VM("dom0", control=True, tasks=tasks), *(rv.VM(f"g{i}", tasks=[call]) for i, call in enumerate(calls))])


def rate(system: Any) -> tuple[float, float]:
    """Events, and messages (0 without devices), in millions a second, statistics on, without set-up; best of five."""
    import rtvirt as rv
    from rtvirt.simulation import Machine
    from rtvirt.units import ms

    best = (0.0, 0.0)
    for _ in range(5):
        machine = Machine(system, rv.Credit(), 0, "summary", {})
        machine.state.agenda.end = 2**53
        machine.run_until(ms(10), 2**53, None)
        counts = [events(machine), messages(machine)]
        took = cpu_time(lambda m=machine: m.run(2**53, EVENTS))
        best = max(best, tuple((now - before) / took / 1e6 for now, before in zip([events(machine), messages(machine)], counts, strict=True)))
    return best


def events(machine: Any) -> int:
    """Handled so far."""
    return int(machine.state.agenda.handled)


def messages(machine: Any) -> int:
    """Delivered so far."""
    plumbing = getattr(machine, "plumbing", None)
    return sum(int(machine.state.io.totals[i].delivered) for i in range(len(plumbing.paths))) if plumbing else 0


def fresh(*arguments: str, folder: Path = HERE, **environment: str) -> str:
    """What this file prints in a new process, with the project of a folder."""
    found = subprocess.run([sys.executable, __file__, *arguments, "--before", str(folder)], check=True, capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(folder), **environment})
    return found.stdout.strip()


def memory() -> list[int]:
    """Largest memory of this process while it simulates so many packets, for each of `PACKETS`, in one warm process [KiB] (Linux)."""
    import rtvirt as rv
    from rtvirt.units import us

    def peak(packets: int) -> int:
        Path("/proc/self/clear_refs").write_text("5")                  # forget the peak of what was before
        run = rv.simulate(guests_on_a_wire(4), rv.Credit(), us(100) * packets, record="summary")
        assert run.paths.summary["delivered"].sum() >= packets - 100
        return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))

    peak(1_000)
    return [peak(packets) for packets in PACKETS]


def compiling(kernel: str) -> float:
    """CPU seconds until a loop is compiled, nothing kept from before."""
    from rtvirt.simulation import compile_now

    return cpu_time(lambda: compile_now(kernel))


def plain_ratio(folder: Path) -> float:
    """Speed of the loop without devices over that of an older version, alternating processes: medians of seven pairs."""
    pairs = [[float(fresh("--only", "plain", folder=one)) for one in (HERE, folder)] for _ in range(7)]
    ours, theirs = (sorted(column)[len(column) // 2] for column in zip(*pairs, strict=True))
    print(f"plain systems: {ours:.1f} M events/s, before {theirs:.1f}")
    return ours / theirs


def crowd() -> Any:
    """Four VMs with five periodic tasks each, as in speed.py."""
    import rtvirt as rv
    from rtvirt.units import us

    return rv.System(vms=[rv.VM(f"v{i}", tasks=[rv.Task(f"t{j}", wcet=us(10 * (j + 1)), period=int(us(10 * (j + 1)) * 20 / 0.9) + 7 * i + 3 * j)
                                                for j in range(5)]) for i in range(4)])


ALONE: dict[str, Callable[[], Any]] = {
    "plain": lambda: rate(crowd())[0], "credit": lambda: compiling("credit"), "credit+devices": lambda: compiling("credit+devices")}


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--before", type=Path)
    arguments.add_argument("--only", choices=list(ALONE))
    asked = arguments.parse_args()
    if asked.only:
        print(ALONE[asked.only]())
        return
    if asked.before:
        sys.path.insert(0, str(HERE))
    print(f"Python {platform.python_version()}, {platform.processor() or platform.machine()}")
    for what, system in (("network, 1 guest", guests_on_a_wire(1)), ("network, 4 guests", guests_on_a_wire(4)), ("block, 4 guests", disks(4)),
                         ("send, 4 guests, no device", sends(4))):
        handled, delivered = rate(system)
        print(f"{what:26} {handled:5.1f} M events/s, {delivered:.2f} M messages/s")
    small, large = memory()
    print(f"summary of 10^6 packets: {small / 1024:.1f} MiB at most; of 10^7: {(large - small) / 1024:+.1f} MiB")
    if asked.before:
        print(f"a plain system, speed over that before: {plain_ratio(asked.before.resolve()):.3f}")
    for kernel in ("credit", "credit+devices"):
        with tempfile.TemporaryDirectory() as empty:
            print(f"compiling {kernel}: {float(fresh('--only', kernel, NUMBA_CACHE_DIR=empty)):.1f} s CPU")


if __name__ == "__main__":
    main()
