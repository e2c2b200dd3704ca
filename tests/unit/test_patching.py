"""Binary translation: what is replaced, and the programs that can tell (docs/popek-goldberg.md, section 9)."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.machine.monitors import Monitor, check
from rtvirt.machine.monitors.patching import call_out_code, find_sites, must_be_patched

PATCHED = {"clean": set(), "pdp10": {"JRST1"}, "x86": {"SGDT", "POPF", "SMSW", "PUSHF"}, "m68000": {"MOVESR"}, "m68010": set(),
           "arm": {"MSR", "MRS", "CPS"}, "vax": {"MOVPSL", "PROBE", "REI"}, "s390x": {"EPSW", "STCK"}}


@pytest.mark.parametrize("name", list(PATCHED))
def test_what_must_be_patched_is_derived(name):
    table = rv.machine.isa(name)
    assert {o.name for o in table.opcodes if o.number in must_be_patched(table)} == PATCHED[name]


def test_an_opcode_of_your_own_is_patched_if_it_must_be():
    mine = rv.machine.isa("clean").change("RSR", privileged=False).named("mine")
    monitor = Monitor(mine, "binary-translation")
    guest = monitor.create("RSR r1\n HLT", size=64)
    assert guest.patched == [(12, "RSR r1", "000000ff")] and monitor.run() == {1: "halted"}
    assert guest.registers[1] == 0 and guest.counts["callouts"] == 1


def both(name, program, sites="assembler", disk=()):
    """Console of the bare machine and of the guest, and the guest."""
    bare = rv.machine.Machine(name, program, store=256)
    monitor = Monitor(name, "binary-translation")
    guest = monitor.create(program, size=256, sites=sites)
    for k, word in enumerate(disk):
        bare.state.disk[k] = monitor.machine.state.disk[k] = word
    bare.run(1000)
    monitor.run(1000)
    return bare.console, guest.console, guest


CRITICAL = """
        .org 8
        .word 0, tick, 0, 256
start:  LDI r1, 5
        STT r1
        LPSW on
on:     .word 2, begin, 0, 256
begin:  LDI r2, 0
        POPF r2                 ; interrupts off: start and end belong together
        LDI r4, 'S'
        OUT r4, 0
        NOP
        LDI r4, 'E'
        OUT r4, 0
        LDI r2, 2
        POPF r2                 ; and on again
        NOP
        HLT
tick:   LDI r5, 'T'
        OUT r5, 0
        LPSW 0
"""


def test_the_critical_section_is_masked_again():
    """x86's symptom, and its cure: in user mode POPF does nothing and says nothing."""
    plain = Monitor("x86")
    torn = plain.create(CRITICAL, size=256)
    plain.run(1000)
    bare, virtual, _ = both("x86", CRITICAL)
    assert bare == virtual == "SET" and torn.console == "STE"


SAY = " OUT r1, 0\n HLT"
ONE = "site:   MOVESR r2\n        LD r1, site\n        LDI r3, 255\n        AND r1, r3\n        ADDI r1, r1, 'A'\n" + SAY


def test_who_looks_at_its_own_code_can_tell():
    bare, virtual, _ = both("m68000", ONE)
    assert bare == chr(24 + 65) and virtual == chr(255 + 65)


COPIES = """
start:  LDI r4, 3               ; copy three words, which show M, print and halt, and go there
copy:   LD r1, source - 1(r4)
        ST r1, target - 1(r4)
        ADDI r4, r4, -1
        JNZ r4, copy
        LDI r3, 'A'
        JMP target
source: MOVESR r1
        ADD r1, r3
        OUT r1, 0
target: .space 3
        HLT
"""


def test_who_copies_its_code_cannot():
    """A call-out says nothing of its address; and a guest's storage is shown, and compared, with its originals."""
    bare, virtual, guest = both("m68000", COPIES)
    assert bare == virtual == "A" and len(guest.patched) == 2 and guest.counts["callouts"] == 1
    machine = rv.machine.Machine("m68000", COPIES, store=256)
    machine.run(1000)
    assert guest.memory() == machine.memory()


WRITES = """
start:  LD r1, word
        ST r1, patch
patch:  NOP
        ADDI r1, r2, 'A'
        OUT r1, 0
        HLT
word:   .word 0x0218            ; MOVESR r2
"""


def test_who_writes_sensitive_code_can_tell():
    bare, virtual, _ = both("m68000", WRITES)
    assert bare == "A" and virtual == "B"


LOADS = """
start:  IN r1, 2                ; the next two words of the disk are a program
        ST r1, task
        IN r1, 2
        ST r1, task + 1
task:   .space 2
        ADDI r1, r2, 'A'
        OUT r1, 0
        HLT
"""


def test_code_that_comes_from_the_disk_is_not_patched():
    bare, virtual, _ = both("m68000", LOADS, disk=(0x0218, 1))
    assert bare == "A" and virtual == "B"


DATA = """
start:  LD r1, tens
        ADDI r1, r1, 'A'
        OUT r1, 0
        HLT
tens:   .word 24                ; also the operation code of MOVESR
"""


def test_a_scan_of_the_image_takes_numbers_for_instructions():
    bare, by_assembler, guest = both("m68000", DATA)
    assert bare == by_assembler == chr(24 + 65) and guest.patched == []
    _, by_scan, guest = both("m68000", DATA, sites="image")
    assert by_scan == chr(255 + 65)
    assert [at for at, _, _ in guest.patched] == [16]


def test_a_task_in_user_mode_is_patched_too():
    """SMSW in user mode: the call-out shows the virtual mode, which is user mode as well."""
    program = ".org 8\n .word 0, done, 0, 256\nstart: LPSW user\nuser: .word 1, task, 0, 256\ntask: SMSW r1\n SVC 1\ndone: ADDI r1, r1, 'A'\n" + SAY
    bare, virtual, guest = both("x86", program)
    assert bare == virtual == "B" and guest.counts["callouts"] == 1


def test_sites_can_be_named_and_are_checked():
    program = rv.machine.assemble(ONE, "m68000")
    assert find_sites(program, program.isa, [12, 13]) == [12] and find_sites(program, program.isa) == [12]
    with pytest.raises(rv.SpecError, match="assembler, image"):
        Monitor("m68000", "binary-translation").create(ONE, sites="guess")
    assert call_out_code(program.isa, [255, 254]) == 253
    with pytest.raises(rv.SpecError, match="low byte"):
        call_out_code(program.isa, range(256))


def test_several_translated_guests_keep_their_own_originals():
    monitor = Monitor("x86", "binary-translation")
    guests = [monitor.create(f"SMSW r1\n {extra} ADDI r1, r1, '{c}'\n OUT r1, 0\n HLT", size=64)
              for c, extra in (("A", ""), ("B", "PUSHF r2\n"), ("C", "SGDT r3, r4\n PUSHF r2\n"))]
    monitor.run(quantum=1)
    assert [guest.console for guest in guests] == ["A", "B", "C"] and [g.registers[3] for g in guests] == [0, 0, 0]
    assert [int(g.cpu.originals) for g in guests] == [0, 1, 3]


def test_the_comparison_says_where_and_what():
    torn = check("x86", CRITICAL, size=256)
    assert not torn.equal and torn.first == 0 and "console is 'STE' instead of 'SET'" in torn.summary and not torn.outside
    assert "differs" in repr(torn) and "<table>" in torn._repr_html_() and not torn.table["equal"].all()
    mended = check("x86", CRITICAL, "binary-translation", size=256)
    assert mended.equal and len(mended.traps) == 1 and "equal at 1 trap(s) and at the end" in mended.summary and 0 < mended.direct < 1
    escaped = check("vax", "REI psw\npsw: .word 1, 14", size=64)
    assert not escaped.equal


def test_the_comparison_sees_storage_and_the_number_of_traps():
    stores = check("m68000", "MOVESR r1\n ST r1, 40\n JZ r1, end\n HLT\nend: SVC 1", size=64)
    assert any("word(s) of storage" in text for text in stores.end) and stores.traps[0][1] == -1
