"""Responses under global EDF, if at most m − 1 tasks carry work into a window (the window of Baruah 2007, the responses of Guan et al. 2009).

Take a job of task k, released at r with its deadline d = r + D, and x <= D. It is done by r + x, if for every A >= 0

    sum of I_i < m·L,   where L = A + x − C + 1,

and I_i is the most that task i may do, by jobs with deadlines up to d, of L units of time out of a window of A + x.

Why. Later deadlines do not disturb, so leave such jobs out of the schedule. Let r − A be the last instant up to r, just before which not all m pCPUs
worked. If the job is not done by r + x, it has run for C − 1 units at most since r, so in x − C + 1 units it waited, and all pCPUs ran others. So
they did in all of the A units before. In these L units the others, and earlier jobs of k, did m·L, and none of the tasks did more than L.

What may task i do in the window? In the unit before it fewer than m tasks had work, and all of them ran. So at most m − 1 carry a job in, and at
least one unit of this job is done; of task i it leaves C_i − 1 at most. Both of these are bounds on I_i, and the smaller counts:

* by deadlines: with t = A + D, N = floor((t − D_i) / T_i) + 1 jobs have both release and deadline in [r − A, d]. A job before these was released
  t − D_i − N·T_i after r − A at the latest (a negative number), so if it ends within R_i, it does min(C_i − 1, t − N·T_i − (D_i − R_i)) in it.
* by releases: what `without_carry_in` and `with_carry_in` find in a window of A + x; they are about arrivals, whatever the scheduler.

Of k itself, the job in question is one of the N, and is taken away.

Which R_i may be used? Suppose that all deadlines before d are met. A job that counts has its deadline before d, or at d; if R_i = D_i, all that the
formula says of it is that it stops at its deadline, which is no earlier than the end of the window in the second case, and true in the first. So a
bound found with these holds for each job before whose deadline none was missed; and so, by induction, does one that is found with such bounds. If
each task has a bound up to its deadline, there is no first miss, and they hold for all jobs. The bounds are those of `others` in `global_edf.py`
to begin with, which rest on the same supposition.

The window asked for is the least x that no A speaks against. Each A by itself may have a smaller one, and each choice of carriers (as "rta-ce" has it
for fixed priorities); both would be safe, and are not looked for.

How all A are looked at. What is done grows with A. So if it is W at some A, then every A' < A with m·(A' + x − C + 1) > W is settled, too, and the
next to look at is the largest for which that fails: the walk of QPA (Zhang and Burns 2009) over these windows. Where W falls as fast as m·L that
takes ever so many small steps. But on a stretch on which every I_i is a straight line, with and without work carried in, their sum with the largest
m − 1 gains is convex; so if neither end of the stretch speaks against x, nothing between them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from heapq import nlargest
from itertools import combinations

from .rows import Sporadic, total
from .windows import due_with_carry_in, due_within, longest_wait, with_carry_in, without_carry_in

FUEL = 30_000             # tasks that are looked at in windows, for a set
WORTH = 1_000             # a round that makes no bound shorter by a part in so many is the last


class Spent(Exception):
    """The fuel is used up."""


class CarryIn:
    """The windows of a set of tasks of less utilization than m."""

    def __init__(self, rows: Sequence[Sporadic], bounds: Sequence[int | None], m: int, fuel: int) -> None:
        self.rows, self.m, self.fuel = rows, m, fuel
        self.ends = [row.deadline if bound is None else bound for row, bound in zip(rows, bounds)]
        self.free = m - total(rows)
        self.carried = sum(nlargest(m - 1, (row.cost - 1 for row in rows)))

    def response(self, k: int) -> int | None:
        """The least x up to the deadline of k that no A speaks against; None if there is none.

        Whenever an A does, x grows by what this A asks for, so that no x is passed over; in the end all A are looked at once more. In a stretch
        without a bend a smaller A mostly asks for more: its beginning is looked at first, lest x grow in small steps down to it.
        """
        row, before = self.rows[k], 0
        x = self.grown(k, row.cost, 0)
        while x != before and x <= row.deadline:
            before, a = x, self.longest_before(k, x)
            while a >= 0 and x <= row.deadline:
                wait = longest_wait(self.taken(k, x, a), self.m, a + row.deadline - row.cost)
                if wait <= a + x - row.cost:             # not against x, nor is any A' down to where this wait would be too long
                    a = min(wait - x + row.cost - 1, a - self.straight(k, x, a))
                else:
                    for at in (self.bend(k, a), a - self.straight(k, x, a), a):
                        x = self.grown(k, x, at)
        return x if x <= row.deadline else None

    def grown(self, k: int, x: int, a: int) -> int:
        """The least from x on that this A does not speak against; any beyond the deadline of k if that is."""
        row = self.rows[k]
        while x <= row.deadline:
            taken, cut = self.taken(k, x, a), a + x - row.cost + 1
            if taken(cut) < self.m * cut:
                break
            x = max(x + 1, longest_wait(taken, self.m, a + row.deadline - row.cost) - a + row.cost)
        return x

    def bend(self, k: int, a: int) -> int:
        """The last A up to `a` at which a job is due or begins to be carried in [ns]; 0 if there is none."""
        due = a + self.rows[k].deadline
        return max(0, *(a - (due - at) % row.period for row, end in zip(self.rows, self.ends) for at in (row.deadline, row.deadline - end)))

    def longest_before(self, k: int, x: int) -> int:
        """No larger A speaks against x: straight lines above what may be done, by deadlines and by releases, and below m·L cross there."""
        row, used = self.rows[k], self.m - self.free
        by_deadlines = used * row.deadline + sum(one.utilization * (one.period - one.deadline) for one in self.rows) - row.cost
        by_releases = used * x + sum(one.cost * (1 - one.utilization) for one in self.rows)
        return int((min(by_deadlines, by_releases) + self.carried - self.m * (x - row.cost + 1)) // Fraction(self.free))

    def pieces(self, k: int, x: int, a: int) -> Iterator[tuple[int, int, int, int]]:
        """What each task may do in a window that begins `a` before a release of k, and ends `x` after it [ns].

        By deadlines and by releases if nothing is carried in, and the same if a job is.
        """
        due, length = a + self.rows[k].deadline, a + x
        for i, (row, end) in enumerate(zip(self.rows, self.ends)):
            own = row.cost if i == k else 0
            yield (due_within(row, due) - own, without_carry_in(row, length), due_with_carry_in(row, due, end) - own, with_carry_in(row, length, end))

    def taken(self, k: int, x: int, a: int) -> Callable[[int], int]:
        """The sum of all I_i [ns], as `longest_wait` wants it."""
        self.fuel -= len(self.rows)
        if self.fuel < 0:
            raise Spent
        work = [(min(due, begun), min(due_carried, carried)) for due, begun, due_carried, carried in self.pieces(k, x, a)]

        def of(cut: int) -> int:
            least = sum(min(less, cut) for less, _ in work)
            return least + sum(nlargest(self.m - 1, (min(more, cut) - min(less, cut) for less, more in work)))

        return of

    def straight(self, k: int, x: int, a: int) -> int:
        """So far down from `a`, at least, every I_i is a straight line: no piece has a bend or a step, and no two of them (or the cut) cross [ns]."""
        due, length, cut, found = a + self.rows[k].deadline, a + x, a + x - self.rows[k].cost + 1, [a]
        for row, end, here, before in zip(self.rows, self.ends, self.pieces(k, x, a), self.pieces(k, x, a - 1)):
            slack, spare = row.deadline - end, row.period - end + row.cost
            found += [(due - at) % row.period for at in (row.deadline, slack, slack + row.cost - 1)]
            found += [(length - at) % row.period for at in (0, row.cost, spare, spare + row.cost - 1)]
            lines = sorted((one, one - less) for one, less in zip((*here, cut), (*before, cut - 1)))
            found += [more - less for (less, slow), (more, fast) in combinations(lines, 2) if fast > slow and more > less]
        return min(found)


def carried_responses(rows: Sequence[Sporadic], bounds: Sequence[int | None], m: int, fuel: int | None = None) -> list[int | None]:
    """Bounds on responses that start from some others, improved in turn while it gains, or until the fuel is spent: every step is safe."""
    found = list(bounds)
    if total(rows) >= m:
        return found
    windows, gains = CarryIn(rows, bounds, m, FUEL if fuel is None else fuel), True
    try:
        while gains:
            gains = False
            for k in range(len(rows)):
                better, before = windows.response(k), windows.ends[k]
                if better is not None and (found[k] is None or better < before):
                    gains |= found[k] is None or (before - better) * WORTH > before
                    found[k] = windows.ends[k] = better
    except Spent:
        pass
    return found
