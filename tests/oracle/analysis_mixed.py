"""Mixed criticality, unit by unit: what overruns when is an argument. Plain Python, small numbers.

A task is a dict of lo, hi, deadline, period, high; and for EDF-VD a virtual deadline. `overrun` is (task, job): the first that needs more than lo.
From then on every job of high criticality that is not done needs hi.
"""

from __future__ import annotations


class Guest:
    """The jobs of some tasks, in order of priority."""

    def __init__(self, tasks: list[dict], offsets: list[int], overrun: tuple[int, int] | None = None) -> None:
        self.tasks, self.offsets, self.overrun = tasks, offsets, overrun
        self.high_mode = False
        self.pending: list[list[int]] = []       # [task, job, release, units done]
        self.count = [0] * len(tasks)
        self.responses: list[list[tuple[int, bool]]] = [[] for _ in tasks]        # (response, ended in HI mode)

    def release(self, now: int) -> None:
        """Jobs that come now; none of low criticality in HI mode."""
        for i, task in enumerate(self.tasks):
            if now >= self.offsets[i] and (now - self.offsets[i]) % task["period"] == 0:
                if task["high"] or not self.high_mode:
                    self.pending.append([i, self.count[i], now, 0])
                self.count[i] += 1

    def change(self) -> None:
        """HI mode begins."""
        self.high_mode = True
        self.pending = [job for job in self.pending if self.tasks[job[0]]["high"]]

    def need(self, job: list[int]) -> int:
        """Units the job needs, as is known now."""
        task = self.tasks[job[0]]
        return task["hi"] if task["high"] and (self.high_mode or (job[0], job[1]) == self.overrun) else task["lo"]

    def run(self, now: int, policy: str = "fp") -> bool:
        """One unit of work, if there is any; True if it reveals that HI mode must begin."""
        if not self.pending:
            return False
        def urgency(job: list[int]) -> tuple[int, int, int]:
            task = self.tasks[job[0]]
            due = task["deadline"] if self.high_mode or not task["high"] else task.get("virtual", task["deadline"])
            return (job[2] + due, job[0], job[1]) if policy == "edf" else (job[0], job[1], 0)

        job = min(self.pending, key=urgency)
        job[3] += 1
        if job[3] == self.need(job):
            self.pending.remove(job)
            self.responses[job[0]].append((now + 1 - job[2], self.high_mode))
            return False
        return not self.high_mode and job[3] == self.tasks[job[0]]["lo"]

    def late(self, end: int) -> list[tuple[int, bool]]:
        """(task, HI mode) of deadlines missed up to `end`; low criticality counts in LO mode only."""
        found = [(i, mode) for i, jobs in enumerate(self.responses) for response, mode in jobs
                 if response > self.tasks[i]["deadline"] and (self.tasks[i]["high"] or not mode)]
        return found + [(job[0], self.high_mode) for job in self.pending if job[2] + self.tasks[job[0]]["deadline"] < end
                        and (self.tasks[job[0]]["high"] or not self.high_mode)]


def run(tasks: list[dict], offsets: list[int], overrun: tuple[int, int] | None, end: int, policy: str = "fp") -> Guest:
    """All alone on a processor."""
    guest = Guest(tasks, offsets, overrun)
    for now in range(end):
        guest.release(now)
        if guest.run(now, policy):
            guest.change()
    return guest


def run_vms(vms: list[dict], offsets: list[list[int]], starts: list[int], overrun: tuple[int, int, int] | None, end: int) -> list[Guest]:
    """VMs in order of priority, each a dict of period, budget, budget_hi, critical, tasks; `overrun` is (vm, task, job).

    Budgets come at starts[v], starts[v] + period, …, and run down whether they are used or not.
    """
    guests = [Guest(vm["tasks"], own, overrun[1:] if overrun and overrun[0] == v else None) for v, (vm, own) in enumerate(zip(vms, offsets))]
    used = [0] * len(vms)
    high_mode = False
    for now in range(end):
        for v, vm in enumerate(vms):
            guests[v].release(now)
            if (now - starts[v]) % vm["period"] == 0:
                used[v] = 0
        served = [v for v, vm in enumerate(vms) if now >= starts[v] and used[v] < vm["budget_hi" if high_mode else "budget"]]
        if served:
            used[served[0]] += 1
            if guests[served[0]].run(now):
                high_mode = True
                for guest in guests:
                    guest.change()
    return guests


def amc_bounds(tasks: list[dict]) -> list[tuple[int | None, int | None]]:
    """AMC-rtb by counting up, in order of priority: (LO mode, through the change)."""
    found = []
    for i, task in enumerate(tasks):
        before = next((w for w in range(1, task["deadline"] + 1)
                       if w >= task["lo"] + sum(-(-w // j["period"]) * j["lo"] for j in tasks[:i])), None)
        through = None
        if task["high"] and before is not None:
            through = next((w for w in range(1, task["deadline"] + 1)
                            if w >= task["hi"] + sum(-(-w // j["period"]) * j["hi"] if j["high"] else -(-before // j["period"]) * j["lo"]
                                                     for j in tasks[:i])), None)
        found.append((before, through))
    return found


def guest_bounds(tasks: list[dict], calm: list[int], wild: list[int]) -> list[tuple[int | None, int | None]]:
    """The same on a VM's budgets, whose least supplies in windows are given: every window, and every instant of the change, is tried."""
    found = []
    for i, task in enumerate(tasks):
        before = next((w for w in range(1, task["deadline"] + 1)
                       if calm[w] >= task["lo"] + sum(-(-w // j["period"]) * j["lo"] for j in tasks[:i])), None)
        through = None
        if task["high"] and before is not None:
            for w in range(1, task["deadline"] + 1):
                asked = task["hi"] + sum(-(-w // j["period"]) * j["hi"] if j["high"] else -(-before // j["period"]) * j["lo"] for j in tasks[:i])
                if max(calm[w], min(calm[s] + wild[w - s] for s in range(min(w, before) + 1))) >= asked:
                    through = w
                    break
        found.append((before, through))
    return found


def host_fits(vms: list[dict]) -> bool:
    """Budgets by AMC-rtb: a VM that goes on with less counts whole for the periods begun before the change, and with less after them."""
    for v, vm in enumerate(vms):
        before = next((w for w in range(vm["period"] + 1) if w >= vm["budget"] + sum(-(-w // j["period"]) * j["budget"] for j in vms[:v])), None)
        if before is None:
            return False

        def asked(w: int, v: int = v, vm: dict = vm, before: int = before) -> int:
            total = vm["budget_hi"]
            for j in vms[:v]:
                begun = [n * j["period"] < before for n in range(-(-w // j["period"]))]
                first = -(-before // j["period"])
                total += len(begun) * j["budget_hi"] if j["critical"] else first * j["budget"] + max(0, len(begun) - first) * j["budget_hi"]
            return total

        if vm["budget_hi"] and not any(w >= asked(w) for w in range(1, vm["period"] + 1)):
            return False
    return True
