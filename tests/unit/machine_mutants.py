"""Mutants of opcodes: every change that touches mode, R, trapping, or what is read of them.

Removing: each place in an opcode's source that sets or reads M, l, the switch, the timer or a port, or that decides on a trap. Adding: to opcodes
that do not have the trait already, a change of M, of R, of a cell outside E|R, a trap in one mode, a read of M, of l, of b, of the switch, of the
timer, of a port. Not mutated, because no definition can see it: reads in an opcode that always changes M or R, and reads of what it has just set.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from rtvirt.machine import layout
from rtvirt.machine.bind import rebound
from rtvirt.machine.cases import Case, explore, forms
from rtvirt.machine.classify import judge
from rtvirt.machine.flips import made, tree_of, with_line
from rtvirt.machine.isa import Opcode
from rtvirt.machine.lazy import Branches, Lazy

SETTERS = {"set_user", "set_r", "set_enabled", "set_timer"}
READERS = {"user", "relocation", "enabled", "timer", "read_port"}
BITS, STORE = 2, 6
ADDED = {
    "changes M": "view.set_user(m, cpu, 1 - view.user(m, cpu))",
    "changes R": "view.set_r(m, cpu, view.relocation(m, cpu) + 1, view.bound(m, cpu))",
    "leaves E|R": "view.store_absolute(m, cpu, view.bound(m, cpu) + view.relocation(m, cpu), 1)",
    "traps in supervisor mode": "if view.user(m, cpu) == 0: return ILLEGAL",
    "shows M": "view.put(m, cpu, 2, view.register(m, cpu, 2) ^ view.user(m, cpu))",
    "shows l": "view.put(m, cpu, 2, view.register(m, cpu, 2) + view.relocation(m, cpu))",
    "shows b": "view.put(m, cpu, 2, view.register(m, cpu, 2) + view.bound(m, cpu))",
    "shows the switch": "view.put(m, cpu, 2, view.register(m, cpu, 2) ^ view.enabled(m, cpu))",
    "shows the timer": "view.put(m, cpu, 2, view.register(m, cpu, 2) + view.timer(m, cpu))",
    "takes from a port": "view.read_port(m, cpu, 1)",
}


def primitive(node: ast.AST) -> str:
    """Name of the primitive that a node calls, or ''."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "view"
    return node.func.attr if called else ""


class Remove(ast.NodeTransformer):
    """Undo the n-th place that touches control state."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.seen, self.what = wanted, -1, ""

    def hit(self, what: str) -> bool:
        self.seen += 1
        if self.seen == self.wanted:
            self.what = what
        return self.seen == self.wanted

    def visit_Expr(self, node):
        if primitive(node.value) in SETTERS and self.hit(f"without {primitive(node.value)}"):
            return ast.Pass()
        return self.generic_visit(node)

    def visit_If(self, node):
        traps = any(primitive(n) in ("trap", "memory_trap") for n in ast.walk(node))
        if traps and self.hit("without its trap"):
            return ast.Pass()
        mode = any(primitive(n) == "user" for n in ast.walk(node.test))
        for always in (True, False):
            if mode and not traps and self.hit(f"its test of M always {always}"):
                node.test = ast.Constant(always)
        return self.generic_visit(node)

    def visit_Return(self, node):
        if primitive(node.value) == "trap" and self.hit("completes instead of trapping"):
            return ast.Return(ast.Constant(layout.OK))
        if primitive(node.value) == "write_port" and self.hit("without write_port"):
            return ast.Return(ast.Constant(layout.OK))
        if getattr(node.value, "id", "") == "HALT" and self.hit("does not halt"):
            return ast.Return(ast.Constant(layout.OK))
        return self.generic_visit(node)

    def visit_Call(self, node):
        if primitive(node) in READERS and self.hit(f"{primitive(node)} read as 0"):
            return ast.Constant(0)
        return self.generic_visit(node)


def mutants(opcode: Opcode) -> Iterator[tuple[str, Opcode]]:
    """All mutants of an opcode, with what was done."""
    verdict = judge(opcode, Branches(BITS, STORE), "extended")
    if not verdict.always_traps:                     # for those it would change the cause of the trap, of which no definition speaks
        yield "trap bit flipped", replace(opcode, privileged=not opcode.privileged)
    n = 0
    while True:
        tree = tree_of(opcode.does)
        change = Remove(n)
        tree = change.visit(tree)
        if not change.what:
            break
        yield change.what, replace(opcode, does=made(tree, opcode.does))
        n += 1
    for what, line in ADDED.items():
        unseen = what.startswith("shows") and {"M", "R"} & set(verdict.controls)
        has = {"changes M": "M" in verdict.controls, "changes R": "R" in verdict.controls, "shows M": verdict.mode, "shows l": verdict.location,
               "shows b": verdict.resource, "shows the switch": verdict.resource or "switch" in verdict.controls,
               "shows the timer": verdict.resource or "timer" in verdict.controls, "leaves E|R": False,
               "traps in supervisor mode": verdict.mode, "takes from a port": "device" in verdict.controls}[what]
        if unseen or has or verdict.always_traps:
            continue
        yield what, replace(opcode, does=with_line(opcode.does, line, what.startswith("shows")))


def found_out(mutant: Opcode, verdict) -> bool:
    """True when the mutant's class differs from the opcode's: a trait that the opcode has not, as soon as it is seen, or one missing at the end."""
    seen = set(verdict.witnesses) - {"mixed"}, set(verdict.controls)
    for case in explore(mutant, Branches(BITS, STORE), "extended"):
        lost = (verdict.privileged and case.counter) or (verdict.always_traps and not case.both_trap)
        if lost or set(case.found) - seen[0] - {"mixed"} or case.controls - seen[1]:
            return True
    return judge_again(case) != (verdict.privileged, verdict.always_traps, *seen)


def judge_again(case: Case) -> tuple:
    """Class of a case that has been explored to the end."""
    return case.pairs > 0 and case.counter is None, case.both_trap, set(case.found) - {"mixed"}, case.controls


def equivalent(one: Opcode, two: Opcode) -> bool:
    """True when both do the same in every state of the finite machine: the exhaustive proof."""
    cells = Branches(BITS, STORE)
    cases = [Case(o, Lazy(cells), "extended") for o in (one, two)]
    for case in cases:
        case.semantics = rebound(case.opcode.does, case.view)
    for form in forms(one.operands, cells):
        while True:
            for mode in (0, 1):
                ends = []
                for case in cases:
                    case.form = form
                    ends.append(case.run(mode, {}))
                if ends[0].ended != ends[1].ended:
                    return False
                if any(cases[0].after(ends[0], cell) != cases[1].after(ends[1], cell)
                       if cell[0] not in ("m", "out") else
                       ends[0].writes.get(cell, mode if cell == "m" else None) != ends[1].writes.get(cell, mode if cell == "m" else None)
                       for cell in {**ends[0].writes, **ends[1].writes}):
                    return False
            if not cells.next():
                break
    return True
