"""A guest stepped through under a monitor: who executed what, and nothing changed by looking."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.machine.monitors import STYLES, Monitor

PROGRAM = """
        .org 8
        .word 0, trapped, 0, 64
start:  LDI r1, 4
        STT r1
        LPSW user
user:   .word 3, task, 0, 64
task:   SVC 7
        ADDI r3, r3, 1
        JMP task
trapped: LD r2, 4
        LDI r1, 5
        XOR r1, r2
        JZ r1, done             ; the timer
        LD r1, 1
        ADDI r1, r1, 1
        ST r1, 1
        LPSW 0
done:   HLT
"""
FIRST = [("directly", ""), ("emulated", ""), ("emulated", ""), ("reflected", "svc"), ("directly", "")]


@pytest.mark.parametrize("style", list(STYLES))
def test_stepping_ends_where_running_does(style):
    bare = rv.machine.Machine("clean", PROGRAM, store=64)
    bare.run()
    monitor = Monitor("clean", style)
    guest = monitor.create(PROGRAM, size=64)
    trace = monitor.trace(count=1000)
    assert guest.reason == "halted" and guest.fingerprint()[:-2] == bare.fingerprint()[:-2]
    assert sum(step.instruction != "" for step in trace.steps) == bare.instructions
    assert sum(step.crossings for step in trace.steps) == guest.counts["crossings"]
    assert [step.trap for step in trace.steps if step.trap] == ["svc", "timer"]
    assert len(trace) == len(trace.table) and "<table>" in trace._repr_html_() and "guest 1 on clean" in repr(trace)
    with pytest.raises(rv.SpecError, match="halted"):
        monitor.step()


def test_who_executed_each():
    monitor = Monitor("clean")
    monitor.create(PROGRAM, size=64)
    assert [(s.who, s.trap) for s in monitor.trace(count=5).steps] == FIRST
    step = next(s for s in monitor.trace(count=100).steps if s.trap == "timer")
    assert (step.instruction, step.who, step.crossings, step.mode) == ("", "reflected", 1, "user")
    slow = Monitor("clean", "interpreter")
    slow.create(PROGRAM, size=64)
    assert {s.who for s in slow.trace(count=9).steps} == {"interpreted"}


def test_refusals():
    with pytest.raises(rv.SpecError, match="create one first"):
        Monitor("clean").step()
    monitor = Monitor("clean")
    monitor.create("HLT", size=64)
    with pytest.raises(rv.SpecError, match="1 to 100000"):
        monitor.trace(count=0)
