"""Certificates: what a verdict rests on, in integers, so that somebody else can check it (`python -m rtvirt.checker`).

A certificate says for each vCPU what the host was asked (`promise`), what interrupts or more important work take away (`less`), what
the tasks may ask for, and a proof. That a job is done by u needs one comparison: what is asked for in [0, u) is no more than what is surely there.
That no u up to a deadline will do needs a chain of windows without gaps, in each of which even its end brings less than its beginning asks for.
"""

from __future__ import annotations

from typing import Any

from ...errors import LimitError
from ..limits import NEVER
from ..supply import Supply
from ..tasksets import TaskSet, taskset
from .guests import Outcome
from .host import Promise, Vcpu
from .proofs import edf_proof, fifo_proof, fp_proof, less_of

LIKE = {"dm": "fp", "cbs": "edf"}        # guests that are proved as others are
FORMAT = "rtvirt admission certificate 1"


def certificate_of(admission: Any) -> dict[str, Any]:
    """The certificate of an `Admission`."""
    parts = [part(admission, *each) for each in zip(admission.vcpus, admission.promises, admission.outcomes)]
    return {"format": FORMAT, "scheduler": repr(admission.scheduler), "admitted": admission.admitted, "late": list(admission.late),
            "vcpus": [found for found in parts if found is not None]}


def part(admission: Any, vcpu: Vcpu, promise: Promise, outcome: Outcome) -> dict[str, Any] | None:
    """What is claimed of one vCPU; None where nothing has a deadline."""
    if not outcome.bounds or not any(f"{vcpu.vm.name}/{name}" in admission.deadlines for name in outcome.bounds):
        return None
    late = [name for name in outcome.bounds if f"{vcpu.vm.name}/{name}" in admission.late]
    found: dict[str, Any] = {"vcpu": vcpu.name, "guest": LIKE.get(vcpu.vm.guest, vcpu.vm.guest), "promise": promise.evidence, "late": late,
                             "less": [], "tasks": [], "proof": {}}
    if promise.supply is None:
        return found | {"promise": promise.evidence | {"reason": promise.reason}, "tasks": [{"name": name} for name in outcome.bounds]}
    if not outcome.tasks:                             # no test, or one whose proofs are not written down
        reason = {"unproved": 1} if outcome.witness is None else {"promise": {"rule": "none", "reason": outcome.witness.why()}}
        return found | {"promise": {"rule": "none"}, "tasks": [{"name": name} for name in outcome.bounds]} | reason
    asked = taskset(outcome.tasks, by_priority=vcpu.vm.guest in ("fp", "dm"))
    found["less"] = [list(row) for row in less_of(promise.supply)]
    found["tasks"] = [row(asked, k, outcome) for k in range(len(asked))]
    try:
        found["proof"] = proof(found["guest"], asked, promise.supply, late, outcome.held)
    except LimitError as reason:
        found |= {"unproved": 1, "promise": {"rule": "none"}, "proof": {"reason": str(reason)}}
    return found


def row(asked: TaskSet, k: int, outcome: Outcome) -> dict[str, Any]:
    """A task as the checker needs it; of a round-robin guest's also what its turns are made of."""
    name, stairs = asked.names[k], slice(int(asked.first[k]), int(asked.first[k + 1]))
    rows = [[int(period), -int(offset)] for period, offset in zip(asked.stair_period[stairs], asked.stair_offset[stairs])]
    found: dict[str, Any] = {"name": name, "cost": int(asked.cost[k]), "bounded": int(asked.bounded[k]), "held": outcome.held.get(name, 0),
                             "deadline": int(asked.deadline[k]) if asked.deadline[k] < NEVER else None, "stairs": rows}
    if outcome.turns and name in outcome.turns[2]:
        found["turns"] = [outcome.turns[0], outcome.turns[1], outcome.turns[2][name]]
    return found


def proof(guest: str, asked: TaskSet, supply: Supply, late: list[str], held: dict[str, int]) -> dict[str, Any]:
    """The guest's own kind of proof."""
    if guest == "edf":
        if held:
            raise LimitError("no proof is written for blocking under EDF")
        return edf_proof(asked, supply, bool(late))
    if guest == "fifo":
        return fifo_proof(asked, supply, bool(late))
    due = [k for k in range(len(asked)) if asked.deadline[k] < NEVER]
    if guest == "rr":
        return {asked.names[k]: fp_proof(asked.pick([k]), supply, 0, late, 0) for k in due}
    return {asked.names[k]: fp_proof(asked, supply, k, late, held.get(asked.names[k], 0)) for k in due}
