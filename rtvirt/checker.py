"""Checks admission certificates, sharing no code with the analysis that wrote them: ``python -m rtvirt.checker FILE``.

Accepted: the promise follows from the numbers stated, and all work finds its time in it. Refused: by windows without gaps, whose ends bring
less than their beginnings ask for. Times are ns. Exit code: 0 proved, 1 wrong, 2 some refusal rests on a rule, not on numbers."""

import json
import sys
from fractions import Fraction

NEVER = 2**62
Wrong = type("Wrong", (Exception,), {"__doc__": "The certificate does not prove what it says."})


def need(holds, what):
    """True, or else stop."""
    if not holds:
        raise Wrong(what)
    return True


def used(q, p, y):
    """A budget q in each p: most use in the last y before a deadline, and least supply once it has begun."""
    return y // p * q + min(q, y % p)


def requests(rows, t):
    """Work released in [0, t); rows are (cost, period, jitter)."""
    return sum(c * (1 if p >= NEVER else -(-(t + j) // p)) for c, p, j in rows if t + j > 0)


def check_servers(promise, refused):
    """Is the wait the one that rivals can cause, and does the budget fit, or not?"""
    (q, p, _), m, wait, rivals, how, y = (promise[key] for key in ("own", "cpus", "wait", "rivals", "counts", "window"))
    need((q + wait + promise["overheads"] > p) == refused, "a budget fits, or does not, other than stated")
    if how in ("late", "anywhere", "jobs"):
        need(y == p or (how != "late" and y >= q + wait and not promise["overheads"] and not refused), "the rivals' uses are counted too briefly")
        count = {"late": used, "anywhere": lambda b, t, y: min(y, b) + used(b, t, max(0, y - b)), "jobs": lambda b, t, y: -(-y // t) * b}[how]
        busy = sum(min(count(b, t, y), wait + (not refused)) for b, t, _ in rivals)
        return need(busy >= m * wait if refused else busy < m * (wait + 1), "a server's rivals can make it wait longer, or not so long")
    servers, rates = [promise["own"], *rivals], [Fraction(b, t) for b, t, _ in [promise["own"], *rivals]]
    if how == "rates":
        return need(sum(rates) <= m - (m - 1) * max(rates) and wait >= (sum(rates[1:]) * p if m == 1 else p - q), "the rates are too high")
    spare = 1 - sum(rates)                                 # how == "asks": since the one pCPU was last free of such work
    need(m == 1 and spare > 0, "servers that need the whole pCPU are not checked here")
    end = -int(-(p + sum(b * (1 - Fraction(b, t)) for b, t, steady in servers if not steady)) // spare)
    points = {y for b, t, steady in servers for k in range(2 + end // t) for y in (k * t, k * t + (0 if steady else b)) if y >= p} | {p}
    longest = p - q + max(sum(y // t * b if steady else used(b, t, y) for b, t, steady in servers) - y for y in points)
    return need(longest >= wait if refused else longest <= wait, "a server's wait is not what its rivals can cause")


def seen_from(promise, e, t):
    """What the slots of a frame bring in [e, e + t)."""
    return sum(t // promise["frame"] * n + min(n, max(0, t % promise["frame"] - (s - e) % promise["frame"])) for s, n in promise["slots"])


def covers(gaps, asks, line, limit):
    """No t up to the limit brings what is asked for; there is none where a deadline may pass before the release, as jitter has it."""
    need(limit < 1 or gaps and gaps[0][0] <= 1 and gaps[-1][1] >= limit and all(after[0] <= before[1] + 1 for before, after in zip(gaps, gaps[1:])),
         "the windows do not reach as far as they should, or there is a gap between them")
    return need(all(line(b) < asks(a) for a, b in gaps), "a window brings enough")


def check_vcpu(part):
    """Check one vCPU; True if numbers prove all of it."""
    promise, late, proof, less, tasks = part["promise"], part["late"], part["proof"], part["less"], part["tasks"]
    if "reason" in promise or part.get("unproved"):
        return need(late or "reason" not in promise, "nothing is late") and promise["rule"] == "servers" and check_servers(promise, True)
    need(promise["rule"] in "dedicated left turns servers slots shares".split() and all(list(row) in less for row in promise.get("higher", ())),
         "this rule is not known, or more important work is missing")
    supply, flow, ends = (0, 1, 1), used, [s + n for s, n in promise.get("slots", ())]       # blackout, budget, period: a whole pCPU
    if promise["rule"] == "turns":
        supply = promise["rest"], promise["own"], promise["own"] + promise["rest"]
    elif promise["rule"] == "servers" and check_servers(promise, False):
        supply = promise["own"][1] + promise["wait"] + promise["overheads"] + (promise["polls"] - 1) * promise["own"][0], *promise["own"][:2]
    elif promise["rule"] == "shares":                      # others run what they saved up, and what they pay while this one pays its lag
        flow, against, saved = lambda q, p, y: y * q // p, *(sum(column) for column in zip(*promise["rivals"], (0, 0)))
        supply = saved - (-promise["lag"] * against * promise["unit"][0] // promise["unit"][1]), promise["own"], promise["own"] + against
    elif ends:
        q, p = sum(n for _, n in promise["slots"]), promise["frame"]
        supply = max(t - Fraction(p * seen_from(promise, e, t), q) for e in ends for s, _ in promise["slots"] for t in [(s - e) % p]), q, p
    def line(t):
        return min([seen_from(promise, e, max(0, t)) for e in ends] or [flow(*supply[1:], max(0, t - supply[0]))])
    if part["guest"] in ("edf", "fifo"):
        some, room = [task for task in tasks if task["deadline"] is not None], -NEVER
        if part["guest"] == "fifo":                        # a common deadline, counted from releases
            room = min(task["deadline"] - max([0, *(j for _, j in task["stairs"])]) for task in some)
            some = [task | {"deadline": room} for task in tasks]
        return hopeless(proof, some, less, supply, late) or check_windows(some, late, proof, less, line, supply, room)
    for k, task in [(k, task) for k, task in enumerate(tasks) if task["deadline"] is not None]:
        above, own = tasks[:k] if part["guest"] == "fp" else [], proof[task["name"]]
        if part["guest"] == "rr" and task["bounded"]:
            need(task["cost"] == task["turns"][2] - -task["turns"][2] // task["turns"][0] * (len(tasks) - 1) * task["turns"][1], "wrong turns")
        if not hopeless(own, [*above, task], less, supply, task["name"] in late):
            check_jobs(task, task["name"] in late, own, [(t["cost"], *stair) for t in above for stair in t["stairs"]] + less, line)
    return True


def hopeless(proof, tasks, less, supply, late):
    """True if there is no bound on some work, or too much in the long run, and that is said."""
    over = sum(Fraction(c, t) for c, t, _ in [(task["cost"], *stair) for task in tasks for stair in task["stairs"]] + less if t < NEVER)
    if "endless" in proof:
        return need(late and any(task["name"] == proof["endless"] and not task["bounded"] for task in tasks), "its work is bounded")
    if "overload" in proof:
        return need(late and over > Fraction(supply[1], supply[2]), "there is no overload")
    return not need(all(task["bounded"] for task in tasks), "some work that matters has no bound")


def check_jobs(task, late, proof, other, line):
    """The jobs of a busy period, each done in time; or one that is not."""
    count = proof["job"] + 1 if late else len(proof["jobs"])
    comes = [*sorted(i * t - j for t, j in task["stairs"] for i in range(count + 1 if t < NEVER else 1)), NEVER]
    if late:
        return covers(proof["gaps"], lambda t: task["held"] + count * task["cost"] + requests(other, t), line, comes[count - 1] + task["deadline"])
    for i, u in enumerate(proof["jobs"]):
        done = task["held"] + (i + 1) * task["cost"] + requests(other, u) <= line(u)
        need(done and u - comes[i] <= task["deadline"], f"{task['name']}: job {i} is not done by {u}, or late")
    return need(count and proof["jobs"][-1] <= max(0, comes[count]), f"{task['name']}: its busy period goes on")


def check_windows(tasks, late, proof, less, line, supply, first):
    """Steps (t, u) down from a horizon: what is due by t is there by u; or one window in which too much is due."""
    rows = [(task["cost"], t, j, task["deadline"]) for task in tasks for t, j in task["stairs"]]
    def due(t):
        return sum(c * ((t + j - d) // p + 1 if p < NEVER else 1) for c, p, j, d in rows if t + j >= d) if t >= first else 0
    if late:
        return covers(proof["gaps"], lambda u: due(proof["window"]) + requests(less, u), line, proof["window"])
    spare, below = Fraction(supply[1], supply[2]) - sum(Fraction(c, t) for c, t, *_ in [*rows, *less] if t < NEVER), proof["horizon"]
    fixed = sum(c if t >= NEVER else max(0, Fraction(c * (t + j - d), t)) for c, t, j, d in rows)
    fixed += sum(c if t >= NEVER else Fraction(c * (t - 1 + j), t) for c, t, j in less) + Fraction(supply[0] * supply[1], supply[2])
    need(spare > 0 and below * spare >= fixed, "the horizon is too near")
    for t, u in proof["steps"]:
        need(t <= below and due(t) == due(below), "a deadline between two steps is left out")
        need(u <= t and due(t) + requests(less, u) <= line(u), f"what is due by {t} is not there by {u}")
        below = u - 1
    return need(due(below) == 0, "the steps do not go down to nothing")


def check(certificate):
    """Check a certificate; True if numbers prove all of it, False if a rule is left. Raises `Wrong`."""
    late = [f"{part['vcpu'].rsplit('/', 1)[0]}/{name}" for part in certificate["vcpus"] for name in part["late"]]
    need(certificate["format"] == "rtvirt admission certificate 1" and sorted(late) == sorted(certificate["late"])
         and certificate["admitted"] == (not late), "this is no certificate of admission, or its verdict does not follow from its parts")
    return all([check_vcpu(part) for part in certificate["vcpus"]])


if __name__ == "__main__":
    try:
        sys.exit(0 if check(json.load(open(sys.argv[1], encoding="utf-8"))) else print("some part rests on a rule, not on numbers") or 2)
    except (Wrong, LookupError, TypeError, ValueError, ArithmeticError, OSError) as reason:
        sys.exit(f"wrong: {reason!r}")
