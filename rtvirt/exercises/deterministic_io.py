"""Exercises of notebook 7: deterministic I/O."""

from __future__ import annotations

from collections.abc import Sequence

from .base import Exercise, exercise

Servers = Sequence[tuple[int, int]]          # (budget, period) [ns] of each VM on a path
Stages = Sequence[int | None]                # bounds [ns]


def path_wait(servers: Servers) -> int:
    """Longest wait for vCPUs of a message that goes through VMs with these budgets: a blackout in each."""
    return sum(2 * (period - budget) for budget, period in servers)


exercise(Exercise(
    "7.1", path_wait, [([(2, 10)],), ([(200, 2000), (600, 2000)],), ([(1, 4), (2, 8), (5, 5)],), ([],)],
    "How long may one VM get nothing (notebook 5)? And how many VMs have to get something before the message is through?",
    [(lambda servers: sum(period - budget for budget, period in servers),
      "A budget may come early in one period and late in the next: the blackout is 2(P − Q), not P − Q."),
     (lambda servers: sum(2 * period - budget for budget, period in servers),
      "A budget that comes as early as it can in one period and as late as it can in the next leaves a gap of P − Q in each of the two."),
     (lambda servers: 0, "A budget that is large enough for the work says nothing of when it comes: there is a blackout of 2(P − Q) at each VM."),
     (lambda servers: max((2 * (period - budget) for budget, period in servers), default=0),
      "Nothing keeps the blackouts from coming one after the other: one at each VM of the path, and they add up.")]))


def promised(stages: Stages) -> int:
    """Bound of a path from those of its stages, -1 if there is none."""
    return -1 if any(bound is None for bound in stages) else sum(bound or 0 for bound in stages)


def known_only(stages: Stages) -> int:
    """The mistake of leaving out what is not known."""
    return sum(bound for bound in stages if bound is not None)


exercise(Exercise(
    "7.2", promised, [([3, 4, 5],), ([3, None, 5],), ([None],), ([7],), ([2, 2, None],)],
    "A chain is as good as its weakest stage. What is known of the whole if one stage may take as long as it likes?",
    [(known_only, "A stage without a bound cannot be left out, however urgent the others are: priority alone gives no bound."),
     (lambda stages: -1 if None in stages else max(b for b in stages if b is not None), "A message goes through all stages, one after another: add."),
     (lambda stages: -1 if None in stages else round(sum(stages) / len(stages) + 3 * deviation([b for b in stages if b is not None])),
      "A mean and three standard deviations describe what was seen. A bound holds for what was not seen, too.")]))


def deviation(values: Sequence[int]) -> float:
    """Standard deviation."""
    mean = sum(values) / len(values)
    return (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5


def distance(window: int, switch: int, work: int, loss: int) -> int:
    """Least distance of interposed interrupts with which others lose at most `loss` [ns] in any window: ceil(window / d) of them."""
    return -(-window // (loss // (2 * switch + work)))


exercise(Exercise(
    "7.3", distance, [(10_000, 2, 5, 90), (10_000_000, 2_000, 5_000, 300_000), (1_000, 10, 30, 50), (20_000, 0, 7, 7), (8_000, 5, 20, 100)],
    "What does one interposed interrupt take from whoever runs? How many fit into the loss? Then ⌈window / d⌉ may be that many.",
    [(lambda window, switch, work, loss: -(-window // (loss // (switch + work))),
      "There and back: the others pay for two switches."),
     (lambda window, switch, work, loss: -(-window // (loss // work)), "The switches, there and back, are paid by the others too."),
     (lambda window, switch, work, loss: -(-window * (2 * switch + work) // loss),
      "There are no parts of interrupts: how many whole ones fit into the loss?"),
     (lambda window, switch, work, loss: window // (loss // (2 * switch + work)), "A distance a little shorter lets one more in: round up.")]))


def longest_outage(restart: int, reconnect: int, period: int, way: int) -> int:
    """Longest time without a delivery from a crash on: up again, connected, the next packet, its way."""
    return restart + reconnect + period + way


exercise(Exercise(
    "7.4", longest_outage, [(20, 3, 5, 6), (100, 0, 10, 1), (275, 40, 20, 9), (5, 5, 0, 2)],
    "When are packets accepted again? When does the next one come, at the latest? When is it through?",
    [(lambda restart, reconnect, period, way: restart, "Restart time is not outage: nothing is delivered yet when the VM is up."),
     (lambda restart, reconnect, period, way: restart + reconnect, "Connected, but no packet is there yet: one may just have been lost."),
     (lambda restart, reconnect, period, way: restart + reconnect + way,
      "The next packet may be a whole period in coming: one may just have been lost."),
     (lambda restart, reconnect, period, way: restart + reconnect + period, "It has come, and is still on its way through the driver.")]))
