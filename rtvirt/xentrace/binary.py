"""xentrace's own binary format: the trace that `xentrace` writes on your Xen machine, read as a `Window`.

A file is a row of *CPU windows*: a CPU_CHANGE record (which pCPU, how many bytes), then that pCPU's records. A record is a 32-bit header
(event, number of data words, whether a time stamp follows), perhaps a 64-bit time stamp (TSC), and up to seven data words. The layout
is that of Xen's public header ``xen/include/public/trace.h``; what the words mean is listed in ``tools/xentrace/formats``. Three steps
lead to the tables: split into records, give records names, follow every vCPU's running state (`follow`).
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Problem, SpecError
from .follow import follow
from .window import IDLE_DOMAIN, Window

if TYPE_CHECKING:
    import pandas as pd

CPU_CHANGE = 0x2001F003                          # the whole header: two data words, no time stamp
LOST, WRAP = 0x1F001, 0x1F002                    # records that found no room; padding at the end of Xen's ring buffer
STATES = ("running", "runnable", "blocked", "offline")
NOBODY, DOMAIN, PAIR, PACKED = range(4)          # whom a record is about: no vCPU; a domain; two words; 16 bits each, vCPU low
WORDS = np.array([0, 1, 2, 1])                   # data words that say so; the others are the record's arguments

EVENTS = {LOST: ("LOST_RECORDS", NOBODY), 0x21002: ("CONT", PACKED)}
EVENTS |= {0x21001 + (a << 8) + (b << 4): (f"RS_{old}_{new}", PACKED) for a, old in enumerate(STATES) for b, new in enumerate(STATES)}
VERBOSE = {"DOM_ADD": DOMAIN, "DOM_REM": DOMAIN, "SLEEP": PAIR, "WAKE": PAIR, "YIELD": PAIR, "BLOCK": PAIR, "SHUTDOWN": PAIR, "CTL": NOBODY,
           "ADJDOM": DOMAIN, "SWITCH": PAIR, "S_TIMER": NOBODY, "T_TIMER": NOBODY, "DOM_TIMER": NOBODY, "INFPREV": PAIR, "INFNEXT": PAIR,
           "SHUTDOWN_CODE": PAIR, "INFCONT": PAIR}
CREDIT = {"TASKLET": NOBODY, "ACCT_START": PAIR, "ACCT_STOP": PAIR, "STOLEN": NOBODY, "PICKED_CPU": PAIR, "TICKLE": NOBODY,
          "BOOST_START": PAIR, "BOOST_END": PAIR, "SCHEDULE": NOBODY, "RATELIMIT": PACKED, "STEAL_CHECK": NOBODY}
EVENTS |= {0x28000 + i: (name, whom) for i, (name, whom) in enumerate(VERBOSE.items(), 1)}
EVENTS |= {0x22000 + i: (f"C_{name}", whom) for i, (name, whom) in enumerate(CREDIT.items(), 1)}
INFPREV, INFNEXT = 0x2800E, 0x2800F
OLD_VERBOSE, TO_VERBOSE = 0x2F000, 0x2F000 - 0x28000      # old headers number the same events from the class, not from its subclass


def read_binary(path: str | Path, *, hz: float | None = None, scheduler: str = "credit", timeslice_ms: int = 30, ratelimit_us: int = 1000,
                weights: Mapping[str, int] | None = None, caps: Mapping[str, int] | None = None) -> Window:
    """Read a trace of your own Xen machine.

    Parameters
    ----------
    path : path
        What ``xentrace -D -e 0x2f000 FILE`` wrote.
    hz : float
        Frequency of the time-stamp counter [1/s]; the file does not hold it.
    scheduler, timeslice_ms, ratelimit_us
        How Xen was set up: the file does not say that either (``xl sched-credit -s``).
    weights, caps : dict of VM name to int, optional
        Likewise; VMs are called d0, d1, ... (``xl sched-credit``). Absent: weight 256, no cap.

    Returns
    -------
    Window
        Time 0 is the first record. `Window.lost` counts records that Xen had to drop; stints end (``cut_end``) where such a
        hole begins, and wake-ups that wait then are forgotten.

    Warns
    -----
    UserWarning
        When records were lost.

    Raises
    ------
    SpecError
        When the file is empty, cut off, damaged or no such trace, or `hz` is missing or contradicts run times that Xen recorded.
    """
    path = Path(path)
    records = by_time(split(path), path.name)
    hz = checked_hz(hz, measured_hz(records), path.name)
    events = named(records, hz)
    lost = int(np.maximum(records["data"][records["event"] == LOST, 0], 1).sum())
    if lost:
        warnings.warn(f"{path.name}: Xen dropped {lost} records, so stints and wake-ups are missing; record again with larger buffers "
                      "(xentrace -S 256) or fewer events (-e 0x2f000)", stacklevel=2)
    runs, wakes = follow(events)
    if not (runs["dom"] != IDLE_DOMAIN).any():
        raise refuse(path.name, "file", "a trace in which no domain changes its running state", "records of the scheduler class",
                     "record with xentrace -D -e 0x2f000 FILE while domains run")
    for name in {*(weights or {}), *(caps or {})}:
        if not re.fullmatch(r"d\d+", name):
            raise refuse("", "weights, caps", name, "d0, d1, ...: d and the domain's number", "see the numbers with xl list")
    row = {"name": path.stem, "sched": scheduler, "pcpus": int(events["cpu"].nunique()), "tslice_ms": timeslice_ms, "lost": lost,
           "ratelimit_us": ratelimit_us, "weights": json.dumps(dict(weights or {})), "caps": json.dumps(dict(caps or {}))}
    return Window(path.stem, row, {"runs": runs, "wakes": wakes, "events": events, "guest_d1": None})


def refuse(place: str, field: str, value: Any, allowed: str, fix: str) -> SpecError:
    """An error about the file or what was said about it."""
    return SpecError([Problem(field, value, allowed, fix, place)])


# ---------------------------------------------------------------- from bytes to records


def split(path: Path) -> dict[str, np.ndarray]:
    """Records in the file's order: cpu, event, count of data words, tsc (-1: none), data (a row of seven words)."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise refuse(path.name, "file", error.strerror or str(error), "a file that can be read", "check the path and its permissions") from None
    if not raw:
        raise refuse(path.name, "file", "empty", "a trace with records", "run xentrace as root in dom0, on a Xen built with tracing")
    words = np.frombuffer(raw[:len(raw) // 4 * 4], "<u4")
    heads: list[int] = []
    cpus: list[int] = []
    for cpu, first, end in cpu_windows(words, len(raw), path.name):
        before = len(heads)
        heads += headers(words, first, end, path.name)
        cpus += [cpu] * (len(heads) - before)
    at = np.array(heads, np.int64)
    if not len(at):
        raise refuse(path.name, "file", "no record", "a trace with records", "record for longer, while domains run")
    header = words[at].astype(np.int64)
    event, count, timed = header & 0x0FFFFFFF, header >> 28 & 7, header >> 31
    event -= TO_VERBOSE * ((event > OLD_VERBOSE) & (event <= OLD_VERBOSE + len(VERBOSE)))
    padded = np.concatenate([words, np.zeros(9, "<u4")]).astype(np.int64)
    data = padded[(at + 1 + 2 * timed)[:, None] + np.arange(7)] * (np.arange(7) < count[:, None])
    tsc = np.where(timed == 1, padded[at + 1] | padded[at + 2] << 32, -1)
    fields = {"cpu": np.array(cpus), "event": event, "count": count, "tsc": tsc, "data": data}
    return {name: field[event != WRAP] for name, field in fields.items()}


def cpu_windows(words: np.ndarray, size: int, place: str) -> Iterator[tuple[int, int, int]]:
    """(pCPU, index of its first record, index after its last) of every CPU window."""
    at = 0
    while 4 * at < size:
        if at < len(words) and words[at] != CPU_CHANGE:
            raise refuse(place, f"word at byte {4 * at}", hex(words[at]), f"a CPU_CHANGE record ({CPU_CHANGE:#x})", (
                "the file is damaged: copy it again" if at else "give the file that xentrace itself wrote, unpacked and not formatted"))
        end = at + 3 + int(words[at + 2]) // 4 if at + 2 < len(words) else len(words) + 1
        if end > len(words):
            raise refuse(place, "file", f"cut off at byte {size}, in the CPU window that begins at byte {4 * at}", "whole CPU windows",
                         f"copy it again, or keep what is whole: head -c {4 * at} FILE" if at else "copy it again, or record again")
        yield int(words[at + 1]), at + 3, end
        at = end


def headers(words: np.ndarray, first: int, end: int, place: str) -> list[int]:
    """Indices of a CPU window's record headers: each tells where the next one is."""
    window, found, at = words[first:end].tolist(), [], 0
    while at < len(window):
        found.append(first + at)
        header = window[at]
        at += 1 + (header >> 28 & 7) + 2 * (header >> 31)
    if at != len(window):
        raise refuse(place, f"record at byte {4 * found[-1]}", hex(words[found[-1]]), "a record that ends with its CPU window",
                     "the file is damaged: copy it again")
    return found


def by_time(records: dict[str, np.ndarray], place: str) -> dict[str, np.ndarray]:
    """All pCPUs' records in one order, so the TSCs must be synchronised; a record without a time stamp has the time of the one before it."""
    tsc = records["tsc"]
    if not (tsc >= 0).any():
        raise refuse(place, "file", "no time stamp in any record", "records of the scheduler class", "record with xentrace -D -e 0x2f000 FILE")
    before = np.maximum.accumulate(np.where(tsc >= 0, np.arange(len(tsc)), 0))
    before[before < np.argmax(tsc >= 0)] = np.argmax(tsc >= 0)
    records["tsc"] = tsc[before]
    order = np.argsort(records["tsc"], kind="stable")
    return {name: field[order] for name, field in records.items()}


# ---------------------------------------------------------------- from records to the table of events


def measured_hz(records: dict[str, np.ndarray]) -> float:
    """Ticks a second, from stints whose length Xen recorded in ns (INFPREV); nan without such stints.

    Good enough to see a wrong setting, not to measure with: Xen times the stint, and writes the record some instructions later.
    """
    switch = np.flatnonzero(np.isin(records["event"], (INFPREV, INFNEXT)))
    switch = switch[np.argsort(records["cpu"][switch], kind="stable")]             # pCPU by pCPU: switched in, switched out, in, ...
    out = records["event"][switch[1:]] == INFPREV
    begun, ended = switch[:-1][out], switch[1:][out]
    runtime = np.take_along_axis(records["data"][ended], np.maximum(records["count"][ended, None] - 1, 0), 1)[:, 0]    # the last word
    good = (runtime > 1_000_000) & (runtime < 2_000_000_000) & (records["cpu"][ended] == records["cpu"][begun])
    return float(np.median((records["tsc"][ended] - records["tsc"][begun])[good] / runtime[good]) * 1e9) if good.any() else float("nan")


def checked_hz(hz: float | None, measured: float, place: str) -> int:
    """Integer ticks a second, after a check against what the trace itself says."""
    hint = f"; this trace's run times say about {measured:.6g}" if measured == measured else ""
    allowed = "ticks of the time-stamp counter a second" + hint
    if hz is None or not 0 < hz < 1e11:
        raise refuse(place, "hz", hz, allowed, "say hz=...: a million times the cpu_mhz that xl info shows")
    if abs(hz - measured) > 0.02 * measured:
        raise refuse(place, "hz", hz, allowed, "correct hz: it is in Hz, not in MHz, and it is the TSC's, not the boosted core's")
    return round(hz)


def named(records: dict[str, np.ndarray], hz: int) -> pd.DataFrame:
    """The table of events: t_ns, cpu, event, dom, vcpu, args; an unknown event is called by its number, as 0x00022201."""
    import pandas as pd

    kinds, which = np.unique(records["event"], return_inverse=True)
    known = [EVENTS.get(int(kind), (f"{kind:#010x}", NOBODY)) for kind in kinds]
    name, whom = np.array([n for n, _ in known], object)[which], np.array([w for _, w in known])[which]
    count, data = records["count"], records["data"]
    old = ((name == "INFPREV") & (count == 2)) | ((name == "INFNEXT") & (count == 3))        # an old Xen names no vCPU
    whom = np.where(count < WORDS[whom], NOBODY, np.where(old, DOMAIN, whom))
    dom = np.select([whom == PACKED, whom == NOBODY], [data[:, 0] >> 16, -1], data[:, 0])
    vcpu = np.select([whom == PACKED, whom == PAIR], [data[:, 0] & 0xFFFF, data[:, 1]], -1)
    seconds, rest = np.divmod(records["tsc"] - records["tsc"][0], hz)     # in two steps: ticks x 10^9 would not fit into 64 bits
    t_ns = seconds * 1_000_000_000 + (rest.astype(float) * (1e9 / hz)).round().astype(np.int64)
    args, used = np.full(len(name), "", object), WORDS[whom]
    more = np.flatnonzero(count > used)
    args[more] = [" ".join(map(str, row[a:b])) for row, a, b in zip(data[more].tolist(), used[more].tolist(), count[more].tolist())]
    return pd.DataFrame({"t_ns": t_ns, "cpu": records["cpu"], "event": name, "dom": dom, "vcpu": vcpu, "args": args})
