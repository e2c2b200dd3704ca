"""What a run leaves behind, and the histograms behind its percentiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..jit import kernel, seldom
from ..rows import Row
from ..state import BOOK_FULL, BUCKETS, EVENTS, JOBS, NOTES, SUB_BITS, SUMMARY, TRACE, EventRow, JobRow, SliceRow, WakeupRow
from ..timers import NEVER

__all__ = ["EVENTS", "LEVELS", "TABLES", "Recording", "bucket_low", "percentile"]

LEVELS = {"summary": SUMMARY, "jobs": JOBS, "trace": TRACE}
TABLES: dict[str, type[Row]] = {"slices": SliceRow, "jobs": JobRow, "wakeups": WakeupRow, "events": EventRow}


@kernel
def bucket_of(x):
    """Bucket of a time [ns]: exact below 64, then 64 buckets for each power of two."""
    if x < 0:
        return 0
    shift = (int(x) >> (SUB_BITS + 1)).bit_length()      # int: a send's time comes from a numpy matrix when the JIT is off
    return min((shift << SUB_BITS) + (x >> shift), BUCKETS - 1)


@kernel
def note_time(book, row, x):
    """Remember a time [ns] of a vCPU's wake-up or a task's job."""
    note = book.notes[book.pages.notes]
    note.row = row
    note.time = x
    book.pages.notes += 1
    if book.pages.notes == NOTES:
        count_notes(book)


@kernel
@seldom
def count_notes(book):
    """Count the times that were noted: count, least, most, total, histogram.

    Many at once, because a histogram of a large system is seldom in the processor's cache: one miss after the other would take longer
    than the simulation, but misses that do not depend on each other overlap.
    """
    for i in range(book.pages.notes):
        row, x = book.notes[i].row, book.notes[i].time
        seen = book.times[row]
        if seen.count == 0 or x < seen.least:
            seen.least = x
        if x > seen.most:
            seen.most = x
        seen.total += x
        seen.count += 1
        book.histogram[row, bucket_of(x)] += 1
    book.pages.notes = 0


@kernel
def record_stint(st, p, v, start, end):
    """A vCPU leaves its pCPU; what a switch takes beyond the end of the run is cut."""
    book = st.book
    start, end = min(start, st.agenda.end), min(end, st.agenda.end)
    book.vcpus[v].runtime += end - start
    if book.pages.level == TRACE:
        write_stint(st, p, v, start, end)


@kernel
@seldom
def write_stint(st, p, v, start, end):
    """A row of the table of slices."""
    book = st.book
    row = book.slices[book.pages.slices]
    row.cpu = p
    row.vcpu = v
    row.start = start
    row.end = end
    book.pages.slices += 1
    if book.pages.slices > book.pages.room:
        st.agenda.stop = BOOK_FULL


@kernel
def record_wakeup(st, v, dispatched):
    """A vCPU that was woken has a pCPU."""
    book, woken = st.book, st.vcpus[v].woken
    st.vcpus[v].woken = NEVER
    note_time(book, v, dispatched - woken)
    if book.pages.level == TRACE:
        write_wakeup(st, v, woken, dispatched)


@kernel
@seldom
def write_wakeup(st, v, woken, dispatched):
    """A row of the table of wake-ups."""
    book = st.book
    row = book.wakeups[book.pages.wakeups]
    row.vcpu = v
    row.woken = woken
    row.dispatched = dispatched
    book.pages.wakeups += 1
    if book.pages.wakeups > book.pages.room:
        st.agenda.stop = BOOK_FULL


@kernel
def record_job(st, t, finish, missed):
    """A job is finished, or (finish -1) the run ends before it is."""
    book, task = st.book, st.tasks[t]
    if missed:
        book.tasks[t].misses += 1
    if finish >= 0:
        note_time(book, st.agenda.vcpus + t, finish - task.release)
    else:
        book.tasks[t].unfinished += 1
    if book.pages.level >= JOBS:
        write_job(st, t, finish)


@kernel
@seldom
def write_job(st, t, finish):
    """A row of the table of jobs."""
    book, task = st.book, st.tasks[t]
    row = book.jobs[book.pages.jobs]
    row.task = t
    row.release = task.release
    row.start = task.started
    row.finish = finish
    row.deadline = -1 if task.deadline == NEVER else task.arrival + task.deadline
    book.pages.jobs += 1
    if book.pages.jobs > book.pages.room:
        st.agenda.stop = BOOK_FULL


def bucket_low(bucket: np.ndarray | int) -> np.ndarray:
    """Least time that falls into a bucket [ns]."""
    bucket = np.asarray(bucket, dtype=np.int64)
    shift = np.maximum((bucket >> SUB_BITS) - 1, 0)
    return (bucket - (shift << SUB_BITS)) << shift


def percentile(hist: np.ndarray, q: float) -> int:
    """Time below or at which a fraction `q` of the counts lie [ns]; -1 for an empty histogram.

    The middle of the bucket that holds the ceil(q n)-th smallest: off by at most 1/128 of the value.
    """
    total = int(hist.sum())
    if total == 0:
        return -1
    bucket = int(np.searchsorted(np.cumsum(hist), max(1, int(np.ceil(q * total)))))
    low, high = int(bucket_low(bucket)), int(bucket_low(bucket + 1))
    return (low + high - 1) // 2


@dataclass
class Recording:
    """Raw results of a run: int64 arrays by column, times in ns, vCPUs and tasks numbered over the whole system.

    Attributes
    ----------
    slices, jobs, wakeups, events : dict of (rows,) int64
        Columns as in `TABLES`; empty when the record mode does not keep them. `event` indexes `EVENTS`.
    runtime, stints, switches : (vcpus,) int64
        Time on a pCPU [ns]; times given a pCPU; those among them where another vCPU had run there last.
    latency, response : (n, 4) int64
        Wake-ups per vCPU, finished jobs per task: count, min, max, sum [ns].
    latency_hist, response_hist : (n, buckets) int64
        Log-linear histograms; see `percentile`.
    misses, unfinished : (tasks,) int64
        Jobs with a deadline not later than the end of the run that were not done by then; jobs released and not finished.
    handled : int
        Events handled: timers that fired, and decisions that changed who runs.
    scheduler : NamedTuple
        The scheduler's own tables as the run left them.
    plumbing : Plumbing
        What the devices were made of.
    messages : (messages, `traffic.PATH_COLUMNS`) int64
        Those that have ended, in order, then the others: path, number, place where dropped (-1), total [ns] (-1), causes, stamps.
    path_totals, path_times, path_hist : (paths, ...) int64
        Counts and summed causes (`traffic.PathTotals`); count, min, max, sum of totals [ns]; their histograms.
    """

    level: str
    slices: dict[str, np.ndarray]
    jobs: dict[str, np.ndarray]
    wakeups: dict[str, np.ndarray]
    events: dict[str, np.ndarray]
    runtime: np.ndarray
    stints: np.ndarray
    switches: np.ndarray
    latency: np.ndarray
    latency_hist: np.ndarray
    misses: np.ndarray
    unfinished: np.ndarray
    response: np.ndarray
    response_hist: np.ndarray
    handled: int
    scheduler: Any = None
    plumbing: Any = None
    messages: Any = None
    path_totals: Any = None
    path_times: Any = None
    path_hist: Any = None
