"""Several processors, unit by unit, and the tests for them as their papers define them. Plain Python, small numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations


def run(tasks: list[dict], cpus: int, policy: str, offsets: list[int], end: int) -> list[list[tuple[int, int]]]:
    """(release, end) of the jobs of each task that ended before `end`: the `cpus` most urgent jobs run; of each task the earliest.

    Task numbers are priorities, and break ties of deadlines.
    """
    pending: list[list[list[int]]] = [[] for _ in tasks]          # [release, units left]
    done: list[list[tuple[int, int]]] = [[] for _ in tasks]
    for now in range(end):
        for i, task in enumerate(tasks):
            if now >= offsets[i] and (now - offsets[i]) % task["period"] == 0:
                pending[i].append([now, task["cost"]])
        ready = [i for i in range(len(tasks)) if pending[i]]
        ready.sort(key=(lambda i: i) if policy == "fp" else (lambda i: (pending[i][0][0] + tasks[i]["deadline"], i)))
        for i in ready[:cpus]:
            pending[i][0][1] -= 1
            if not pending[i][0][1]:
                done[i].append((pending[i].pop(0)[0], now + 1))
    return done


def worst(tasks: list[dict], cpus: int, policy: str, offsets: list[int], end: int) -> list[int]:
    """Longest response of each task; a job that has not ended by `end` counts with what it has waited."""
    found = []
    for i, jobs in enumerate(run(tasks, cpus, policy, offsets, end)):
        next_release = offsets[i] + len(jobs) * tasks[i]["period"]
        found.append(max([stop - start for start, stop in jobs] + [end - next_release]) if next_release < end else
                     max((stop - start for start, stop in jobs), default=0))
    return found


def gfb(tasks: list[dict], m: int) -> bool:
    """Sum of densities against the largest."""
    density = [Fraction(t["cost"], min(t["deadline"], t["period"])) for t in tasks]
    return max(density) <= 1 and sum(density) + (m - 1) * max(density) <= m


def bak(tasks: list[dict], m: int) -> bool:
    """Baker 2003, theorem 12: fractions of the window, case by case."""
    for k in tasks:
        lam, load = Fraction(k["cost"], k["deadline"]), Fraction(0)
        for i in tasks:
            u = Fraction(i["cost"], i["period"])
            beta = u * (1 + Fraction(i["period"] - i["deadline"], k["deadline"]))
            if u > lam:
                beta += (i["cost"] - lam * i["period"]) / k["deadline"]
            load += min(1, beta)
        if lam > 1 or load > m * (1 - lam) + lam:
            return False
    return True


def bcl(tasks: list[dict], m: int) -> bool:
    """Bertogna, Cirinei, Lipari 2005, with N = floor((D_k − D_i)/T_i) + 1; in whole units."""
    for a, k in enumerate(tasks):
        wait, taken = k["deadline"] - k["cost"] + 1, 0
        for b, i in enumerate(tasks):
            if a != b:
                jobs = (k["deadline"] - i["deadline"]) // i["period"] + 1
                taken += min(jobs * i["cost"] + min(i["cost"], max(0, k["deadline"] - jobs * i["period"])), wait)
        if wait < 1 or taken >= m * wait:
            return False
    return True


def carry_in_demand(tasks: list[dict], k: int, m: int, a: int) -> int:
    """Baruah 2007 for a window a + D_k, in whole units: every choice of at most m − 1 tasks that carry work in is tried.

    A miss leaves t − (C_k − 1) units in which others fill the supply; so many is what each may do there.
    """
    t = a + tasks[k]["deadline"]
    fresh, carried = [], []
    for i, task in enumerate(tasks):
        jobs = max(0, (t - task["deadline"]) // task["period"] + 1)
        own, cut = (task["cost"], a) if i == k else (0, t - tasks[k]["cost"] + 1)
        fresh.append(min(jobs * task["cost"] - own, cut))
        carried.append(min(t // task["period"] * task["cost"] + min(task["cost"], t % task["period"]) - own, cut))
    gains = [more - less for less, more in zip(fresh, carried)]
    most = max(sum(chosen) for size in range(min(m, len(tasks) + 1)) for chosen in combinations(gains, size))
    return sum(fresh) + most + m * (tasks[k]["cost"] - 1) + 1


def carry_in_fits(tasks: list[dict], sbf: list[int], m: int) -> bool:
    """Whether every window up to the length of `sbf` fits: every one is looked at."""
    return all(carry_in_demand(tasks, k, m, t - task["deadline"]) <= sbf[t] for k, task in enumerate(tasks)
               for t in range(task["deadline"], len(sbf)))


def workload(task: dict, length: int, response: int) -> int:
    """Most work in a window, by trying every phase of a train of jobs: the first ends `response` after its release, the others run at once.

    Units of the first job lie as late as possible.
    """
    best = 0
    for release in range(-task["period"], length + 1):
        first = [release + response - task["cost"] + u for u in range(task["cost"])]
        later = [release + j * task["period"] + u for j in range(1, length // task["period"] + 3) for u in range(task["cost"])]
        best = max(best, sum(0 <= unit < length for unit in first + later))
    return best


def fp_response(tasks: list[dict], k: int, bounds: list[int], m: int, limited: bool) -> int | None:
    """Least x with x = C + floor(what others take / m), found by counting x up; `limited`: m − 1 more important tasks carry work in, else all."""
    own, carriers = tasks[k], m - 1 if limited else k
    for x in range(own["cost"], own["period"] + 1):
        cut = x - own["cost"] + 1
        fresh = [min(cut, x // t["period"] * t["cost"] + min(x % t["period"], t["cost"])) for t in tasks[:k]]
        carry = [min(cut, (capped if limited else workload)(t, x, r)) for t, r in zip(tasks[:k], bounds)]
        gains = [more - less for less, more in zip(fresh, carry)]
        most = max(sum(chosen) for size in range(min(carriers, k) + 1) for chosen in combinations(gains, size))
        if own["cost"] + (sum(fresh) + most) // m <= x:
            return x
    return None


def fp_response_by_choice(tasks: list[dict], k: int, bounds: list[int], m: int) -> int | None:
    """The largest, over every choice of at most m − 1 more important tasks that carry work in, of the least x that this choice allows."""
    own, worst = tasks[k], 0
    for size in range(min(m - 1, k) + 1):
        for chosen in combinations(range(k), size):
            for x in range(own["cost"], own["period"] + 2):
                cut, work = x - own["cost"] + 1, 0
                for i, (t, r) in enumerate(zip(tasks[:k], bounds)):
                    work += min(cut, capped(t, x, r) if i in chosen else x // t["period"] * t["cost"] + min(x % t["period"], t["cost"]))
                if own["cost"] + work // m <= x:
                    break
            worst = max(worst, x)
    return worst if worst <= own["period"] else None


def capped(task: dict, x: int, response: int) -> int:
    """Guan et al.: the job carried in has run for at least a unit before the window."""
    best = 0
    for release in range(-response + 1, 0):
        carried = min(task["cost"] - 1, response + release)
        work = max(0, min(carried, x))
        for j in range(1, x // task["period"] + 3):
            start = release + j * task["period"]
            work += max(0, min(start + task["cost"], x) - max(start, 0))
        best = max(best, work)
    return max(best, x // task["period"] * task["cost"] + min(x % task["period"], task["cost"]))


def urgent(task: dict, length: int, response: int) -> int:
    """Most work in a window by jobs with deadlines not after its end, each ending as late as `response` lets it: deadlines aligned, job by job."""
    slack, total, due = task["deadline"] - response, 0, length
    while due > 0:
        total += max(0, min(task["cost"], due - slack))
        due -= task["period"]
    return total


def edf_responses(tasks: list[dict], m: int) -> list[int | None]:
    """Bertogna and Cirinei 2007 by counting x up; all at once, until nothing changes."""
    bounds: list[int | None] = [None] * len(tasks)
    while True:
        ends = [t["deadline"] if b is None else b for t, b in zip(tasks, bounds)]
        found: list[int | None] = []
        for k, own in enumerate(tasks):
            others = [(t, e) for i, (t, e) in enumerate(zip(tasks, ends)) if i != k]
            found.append(next((x for x in range(own["cost"], own["deadline"] + 1) if x >= own["cost"] + sum(
                min(workload(t, x, e), urgent(t, own["deadline"], e), x - own["cost"] + 1) for t, e in others) // m), None))
        if found == bounds:
            return found
        bounds = found


def due_work(task: dict, length: int, response: int, carried: bool) -> int:
    """Most work in a window by jobs with deadlines not after its end, by trying every first release.

    Without `carried`, none is released before the window; with it, one may be, which has run for a unit and ends within `response`.
    """
    best = 0
    for release in range(-task["period"] + 1 if carried else 0, length + 1):
        work, due = 0, release + task["deadline"]
        while due <= length:
            start = due - task["deadline"]
            work += task["cost"] if start >= 0 else max(0, min(task["cost"] - 1, start + response))
            due += task["period"]
        best = max(best, work)
    return best


def edf_speaks_against(tasks: list[dict], k: int, ends: list[int], m: int, x: int, a: int) -> bool:
    """Whether a window that begins `a` before a release of k leaves it undone `x` after that, whichever m − 1 tasks carry work in."""
    cut, fresh, carry = a + x - tasks[k]["cost"] + 1, [], []
    for i, (t, r) in enumerate(zip(tasks, ends)):
        due, own = a + tasks[k]["deadline"], t["cost"] if i == k else 0
        begun = (a + x) // t["period"] * t["cost"] + min((a + x) % t["period"], t["cost"])
        fresh.append(min(cut, due_work(t, due, r, False) - own, begun))
        carry.append(min(cut, due_work(t, due, r, True) - own, max(capped(t, a + x, r), min(a + x, t["cost"]))))
    gains = [more - less for less, more in zip(fresh, carry)]
    most = max(sum(chosen) for size in range(min(m, len(tasks) + 1)) for chosen in combinations(gains, size))
    return sum(fresh) + most >= m * cut


def edf_responses_limited(tasks: list[dict], m: int, longest: int) -> list[int | None]:
    """Starting from the bounds of `edf_responses`: the least x that no window that begins up to `longest` earlier speaks against; unit by unit."""
    bounds = edf_responses(tasks, m)
    while True:
        ends = [t["deadline"] if b is None else b for t, b in zip(tasks, bounds)]
        found: list[int | None] = []
        for k, own in enumerate(tasks):
            x = next((x for x in range(own["cost"], ends[k] + 1) if not any(
                edf_speaks_against(tasks, k, ends, m, x, a) for a in range(longest + 1))), None)
            found.append(bounds[k] if x is None else x)
        if found == bounds:
            return found
        bounds = found


def fp_bcl(tasks: list[dict], m: int) -> bool:
    """BCL for fixed priorities, in order of priority."""
    return all(sum(min(workload(i, k["deadline"], i["deadline"]), k["deadline"] - k["cost"] + 1) for i in tasks[:n])
               < m * (k["deadline"] - k["cost"] + 1) for n, k in enumerate(tasks))


def tardiness(tasks: list[dict], m: int) -> list[int]:
    """Devi and Anderson 2008, theorem 2, the largest ones found one by one."""
    u = [Fraction(t["cost"], t["period"]) for t in tasks]
    lam = sum(u) - 1 if sum(u) == int(sum(u)) else int(sum(u))
    costs, shares = sorted((t["cost"] for t in tasks), reverse=True), sorted(u, reverse=True)
    x = Fraction(sum(costs[:int(lam)]) - min(costs)) / (m - sum(shares[:max(0, int(lam) - 1)])) if lam >= 1 else Fraction(0)
    return [int(x + t["cost"]) if m > 1 else 0 for t in tasks]
