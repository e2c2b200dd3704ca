"""Exercises of notebook 6: where a packet's time goes."""

from __future__ import annotations

from collections.abc import Sequence

from .base import Exercise, exercise

INDICES = 2**32            # of a ring, which run freely (rule 8.1.1)


def must_notify(old: int, new: int, event: int) -> bool:
    """Whether a producer that published `old` to `new` must tell a consumer that asked for `event` (rule 8.1.5)."""
    return (new - event) % INDICES < (new - old) % INDICES


exercise(Exercise(
    "6.1", must_notify, [(0, 1, 1), (0, 1, 2), (3, 7, 7), (3, 7, 3), (INDICES - 2, 1, INDICES - 1), (INDICES - 2, 1, 1), (INDICES - 1, 0, 1),
                         (INDICES - 3, INDICES - 1, 1), (7, 7, 7)],
    "The consumer's event must lie in (old, new]. Indices are unsigned and wrap at 2^32: compare distances from new, each modulo 2^32.",
    [(lambda old, new, event: old < event <= new, "Ring indices wrap at 2^32: after the wrap, new is less than old. Compare distances modulo 2^32."),
     (lambda old, new, event: new != old, "A consumer that is awake has not asked to be told: look at its event index."),
     (lambda old, new, event: (new - event) % INDICES <= (new - old) % INDICES,
      "The event at `old` was published before: the interval is open at old, closed at new."),
     (lambda old, new, event: old <= event < new,
      "The interval is open at old and closed at new: the event is the index that makes the consumer look."),
     (lambda old, new, event: new == event, "Several messages are published at once: the event may lie anywhere in between.")]))


def longest_way(hogs: int, timeslice: int, driver_busy: bool, front_busy: bool) -> int:
    """Longest waits of a received packet for vCPUs when all who compute have turns: a slice of each other one; who sleeps is boosted."""
    driver_wait = (hogs + front_busy) * timeslice if driver_busy else 0
    front_wait = (hogs + driver_busy) * timeslice if front_busy else 0
    return driver_wait + front_wait


exercise(Exercise(
    "6.2", longest_way, [(1, 30, True, True), (2, 30, False, True), (2, 30, True, False), (3, 5, True, True), (4, 30, False, False),
                         (0, 30, True, True)],
    "A packet waits for the driver VM (R3), then for the front end (R8). An event boosts a VM that sleeps; one that is awake waits for its turn. "
    "Who is runnable before it? Leave ratelimits, packets' own work, and VMs that are OVER out.",
    [(lambda hogs, timeslice, driver_busy, front_busy: 0,
      "BOOST helps only those who sleep: for a VM that is awake and has lost the core, an event changes nothing (rule 8.3.9)."),
     (lambda hogs, timeslice, driver_busy, front_busy: (hogs + front_busy) * timeslice * driver_busy,
      "There are two waits: when the driver VM is done, the front end has to get the core as well."),
     (lambda hogs, timeslice, driver_busy, front_busy: hogs * timeslice * (driver_busy + front_busy),
      "A busy driver VM stands in the front end's way as any other VM does, and the other way round."),
     (lambda hogs, timeslice, driver_busy, front_busy: hogs * timeslice,
      "There are two waits, one for each of the VMs that compute, and each of the two stands in the other's way as well."),
     (lambda hogs, timeslice, driver_busy, front_busy: (hogs + 1) * timeslice * 2,
      "A driver VM or front end that sleeps is boosted, and waits for nobody's slice.")]))


def first_waits(after: int, gap: int, timeout: int | None) -> int:
    """How long the first message of a batch is unheard, when the consumer asked for the `after`-th and one comes each `gap`."""
    wait = (after - 1) * gap
    return wait if timeout is None else min(wait, timeout)


exercise(Exercise(
    "6.3", first_waits, [(1, 50, None), (8, 50, None), (8, 7000, None), (8, 7000, 2000), (4, 100, 2000), (2, 3000, 3000)],
    "The first is there at once. How many more have to come before the consumer is told, and how long does that take? When does a timeout ring?",
    [(lambda after, gap, timeout: 0, "Batching buys throughput and is paid in latency: the first of a batch waits for the last."),
     (lambda after, gap, timeout: (after - 1) * gap, "A timeout tells the consumer, even of half a batch."),
     (lambda after, gap, timeout: after * gap if timeout is None else min(after * gap, timeout), "The first message is there already: one gap less."),
     (lambda after, gap, timeout: max((after - 1) * gap, timeout or 0), "Whichever comes first ends the wait: the full batch, or the timeout."),
     (lambda after, gap, timeout: (after - 1) * gap if timeout is None else timeout,
      "The timeout is the latest: if the batch is full sooner, the consumer is told then.")]))


def late(latencies: Sequence[int], deadline: int) -> int:
    """Messages that come after the deadline."""
    return sum(latency > deadline for latency in latencies)


exercise(Exercise(
    "6.4", late, [([1, 1, 1, 1, 60], 10), ([9, 10, 11], 10), ([5] * 99 + [95], 10), ([20, 30], 10), ([], 10), ([1, 1, 40, 50], 10)],
    "A deadline is kept or missed by each message. In time is who comes at the deadline or before.",
    [(lambda latencies, deadline: len(latencies) if latencies and sum(latencies) / len(latencies) > deadline else 0,
      "The mean does not say it all: most may be early and some far too late, or the other way round. Count them."),
     (lambda latencies, deadline: len(latencies) if latencies and sorted(latencies)[len(latencies) // 2] > deadline else 0,
      "The median does not see the tail: count the messages."),
     (lambda latencies, deadline: sum(latency <= deadline for latency in latencies), "Those are in time: count the others."),
     (lambda latencies, deadline: sum(latency >= deadline for latency in latencies), "A message that comes at the deadline is in time."),
     (lambda latencies, deadline: sum(latency > deadline for latency in latencies) / max(1, len(latencies)), "How many, not which share.")]))


def share_left(front: int, driver: int, others: int, factor: int) -> float:
    """Long-run share of one core of a busy front end, when the weight of a busy driver VM is multiplied."""
    return front / (front + factor * driver + others)


exercise(Exercise(
    "6.5", share_left, [(256, 256, 256, 1), (256, 256, 256, 16), (512, 256, 1024, 4), (256, 512, 0, 2)],
    "All three always compute, so each gets its weight's part of the sum of weights (rule 2.5). Which of the weights has grown?",
    [(lambda front, driver, others, factor: front / (front + driver + others),
      "More weight for the driver VM is not free: what it gets, the front end loses, and the packet waits there."),
     (lambda front, driver, others, factor: factor * driver / (front + factor * driver + others),
      "That is the driver VM's share: the question is the front end's."),
     (lambda front, driver, others, factor: 100 * front / (front + factor * driver + others),
      "A share of the core is a number from 0 to 1, not a percentage."),
     (lambda front, driver, others, factor: front / (factor * (front + driver + others)), "Only the driver VM's weight has grown, not all of them.")],
    1e-6))
