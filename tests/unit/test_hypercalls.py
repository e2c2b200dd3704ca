"""Hypercalls: what they save, and how a guest finds out what there is (docs/popek-goldberg.md, section 8)."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.machine import opcodes
from rtvirt.machine.monitors import Monitor
from rtvirt.machine.monitors.hypercalls import AT_ONCE, NUMBERS, TABLE, equates

NATIVE = """
start:  LDI r1, 2
        SSR r1
        LDI r1, 1000
        STT r1
        LDI r1, 'o'
        OUT r1, 0
        LDI r1, 'k'
        OUT r1, 0
        HLT
"""
ONE_BY_ONE = """
start:  LDI r1, 2
        SVC HC_SET_STATUS
        LDI r1, 1000
        SVC HC_SET_TIMER
        LDI r1, 'o'
        LDI r2, 0
        SVC HC_OUT
        LDI r1, 'k'
        SVC HC_OUT
        SVC HC_HALT
"""
AT_A_TIME = """
start:  LDI r3, list
        LDI r4, 5
        SVC HC_BATCH
list:   .word HC_SET_STATUS, 2, 0, HC_SET_TIMER, 1000, 0, HC_OUT, 'o', 0, HC_OUT, 'k', 0, HC_HALT, 0, 0
"""


def under(program, style="paravirtual", isa="clean", **options):
    """The guest, run."""
    monitor = Monitor(isa, style)
    guest = monitor.create(program + equates(), size=1024)
    monitor.run(10_000, **options)
    return guest


def test_five_operations_cost_five_crossings_or_one():
    found = [under(program) for program in (NATIVE, ONE_BY_ONE, AT_A_TIME)]
    assert [guest.console for guest in found] == ["ok"] * 3 and all(guest.reason == "halted" and guest.psw["enabled"] for guest in found)
    assert [guest.counts["crossings"] for guest in found] == [5, 5, 1]
    assert [guest.counts["operations"] for guest in found] == [0, 5, 5]
    assert [guest.counts["emulated"] for guest in found] == [5, 0, 0]


def test_a_long_list_is_cut_and_goes_on_by_itself():
    entries = 2 * AT_ONCE + 1
    guest = under("start: LDI r3, list\n LDI r4, " + str(entries) + "\n SVC HC_BATCH\n SVC HC_HALT\nlist: "
                  + "\n".join([".word HC_OUT, 'x', 0"] * entries) + "\n")
    assert guest.console == "x" * entries and guest.registers[4] == 0 and guest.counts["hypercalls"] == 3 + 1


def test_most_calls_are_the_instruction_itself():
    assert {name for name, does in TABLE if does.__module__ == opcodes.__name__} == {
        "HALT", "SET_R", "GET_R", "SET_STATUS", "GET_STATUS", "SET_TIMER", "GET_TIMER"}
    assert sorted(NUMBERS.values()) == list(range(0x100, 0x100 + len(NUMBERS)))


HANDLER = """
        .org 8
        .word 0, trapped, 0, 1024
start:  {first}
        SVC {number}
trapped: LD r5, 4
        LD r6, 5
        HLT
"""


@pytest.mark.parametrize("number", [5, 0xFF, 0x10F, 0x7FFF])
def test_unknown_numbers_are_the_guests_own(number):
    guest = under(HANDLER.format(first="", number=number))
    assert guest.registers[5:7] == [3, number]


@pytest.mark.parametrize("style", ["trap-and-emulate", "hybrid", "interpreter", "binary-translation"])
def test_other_monitors_know_no_hypercalls(style):
    guest = under(HANDLER.format(first="", number="HC_GET_STATUS"), style)
    assert guest.registers[5:7] == [3, NUMBERS["GET_STATUS"]]


def test_user_programs_have_none():
    program = ".org 8\n .word 0, trapped, 0, 1024\nstart: JRST task\ntask: SVC HC_HALT\ntrapped: LD r6, 5\n HLT\n"
    assert under(program).registers[6] == NUMBERS["HALT"]


def test_addresses_are_checked():
    assert under(HANDLER.format(first="LDI r1, 1022", number="HC_SET_PSW")).registers[5:7] == [1, 1024]
    assert under(HANDLER.format(first="LDI r2, 257", number="HC_WRITE")).registers[5:7] == [3, NUMBERS["WRITE"]]


def test_switch_loads_registers_and_psw_at_once():
    guest = under("start: LDI r1, task\n SVC HC_SWITCH\ntask: .word 0, go, 0, 1024, 10, 11, 12, 13, 14, 15, 16, 17\ngo: SVC HC_HALT\n")
    assert guest.registers == list(range(10, 18)) and guest.counts["crossings"] == 2


def test_yield_lets_the_other_guest_run():
    monitor = Monitor("clean", "paravirtual")
    program = "start: LDI r2, 0\n LDI r1, 'a'\n SVC HC_YIELD\nback: SVC HC_OUT\n ADDI r1, r1, 1\n SVC HC_HALT\n" + equates()
    one, two = (monitor.create(program, size=256) for _ in range(2))
    monitor.turn(one, 1000)
    assert one.reason == "yielded" and one.goes_on and one.psw["p"] == 15
    assert monitor.run() == {1: "halted", 2: "halted"} and one.console == two.console == "a"


def test_a_full_console_is_emptied():
    program = "start: LDI r5, 40\nloop: LDI r1, text\n LDI r2, 256\n SVC HC_WRITE\n ADDI r5, r5, -1\n JNZ r5, loop\n SVC HC_HALT\ntext: .ascii \"" \
              + "y" * 256 + "\"\n"
    assert under(program).console == "y" * 256 * 40


def test_it_needs_no_theorem():
    """The 68000's monitor cannot hide the mode from MOVESR; a guest that asks is told the virtual one."""
    guest = under("start: MOVESR r3\n SVC HC_GET_STATUS\n SVC HC_HALT\n", isa="m68000")
    assert guest.registers[3] == 1 and guest.registers[1] == 0
    assert rv.machine.theorems("m68000").virtualizable is False
