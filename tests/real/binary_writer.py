"""The inverse of `rtvirt.xentrace.read_binary`, for tests: a table of events in xentrace's binary form.

It has its own list of event numbers, written down from Xen's public header once more, so that a slip in the reader's list shows.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pandas as pd

STATES = {"running": 0, "runnable": 1, "blocked": 2, "offline": 3}
NUMBERS = {
    "LOST_RECORDS": 0x1F001, "CONT": 0x21002, "SLEEP": 0x28003, "WAKE": 0x28004, "YIELD": 0x28005, "BLOCK": 0x28006, "SWITCH": 0x2800A,
    "INFPREV": 0x2800E, "INFNEXT": 0x2800F, "INFCONT": 0x28011, "C_ACCT_START": 0x22002, "C_ACCT_STOP": 0x22003, "C_STOLEN": 0x22004,
    "C_PICKED_CPU": 0x22005, "C_TICKLE": 0x22006, "C_BOOST_START": 0x22007, "C_BOOST_END": 0x22008, "C_SCHEDULE": 0x22009,
    "C_RATELIMIT": 0x2200A, "C_STEAL_CHECK": 0x2200B,
}


def number(event: str) -> int:
    """Event id; an unknown event is called by it."""
    if event.startswith("RS_"):
        old, new = event[3:].split("_")
        return 0x21001 + 0x100 * STATES[old] + 0x10 * STATES[new]
    return int(event, 16) if event.startswith("0x") else NUMBERS[event]


def words(event: str, dom: int, vcpu: int, args: str) -> list[int]:
    """Data words: whom it is about (in one word, in two, or not at all), then the arguments."""
    rest = [int(arg) for arg in args.split()]
    if event.startswith("RS_") or event in ("CONT", "C_RATELIMIT"):
        return [dom << 16 | vcpu, *rest]
    return rest if dom < 0 else [dom, vcpu, *rest]


def record(event: int, data: list[int], tsc: int | None) -> bytes:
    """One record."""
    header = event | len(data) << 28 | (tsc is not None) << 31
    stamp = [] if tsc is None else [tsc & 0xFFFFFFFF, tsc >> 32]
    return struct.pack(f"<{1 + len(stamp) + len(data)}I", header, *stamp, *data)


def cpu_window(cpu: int, body: bytes) -> bytes:
    """Records of one pCPU behind the CPU_CHANGE record that announces them."""
    return record(0x1F003, [cpu, len(body)], None) + body


def write_binary(path: Path, events: pd.DataFrame, hz: float, *, start: int = 2**40 + 12345, chunk: int = 500) -> None:
    """Write a table of events.

    Every `chunk` records the pCPUs take turns, as when xentrace polls their buffers: what is in the file is not in the order of time.
    """
    out = []
    for first in range(0, len(events), chunk):
        for cpu, mine in events.iloc[first:first + chunk].fillna({"args": ""}).groupby("cpu"):
            body = b"".join(record(number(e.event), words(e.event, e.dom, e.vcpu, e.args), start + round(e.t_ns * hz / 1e9))
                            for e in mine.itertuples())
            out.append(cpu_window(int(cpu), body))
    path.write_bytes(b"".join(out))
