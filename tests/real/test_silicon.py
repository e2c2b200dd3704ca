"""Real instruction sets: bytes, trials, verdicts, watchdog, stored results, the reader's own processor."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import rtvirt as rv
from rtvirt.silicon import classification, names, native, native_child
from rtvirt.silicon.reasons import REASONS
from rtvirt.silicon.watchdog import EngineError, reports

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))
live = pytest.mark.skipif(not rv.silicon.installed(), reason="the extra `silicon` is not installed")
HERE = sys.platform in ("linux", "darwin") and platform.machine().lower() in ("x86_64", "amd64", "aarch64", "arm64")
UNKNOWN_TO_CAPSTONE = {"mips32": {"RDHWR CPUNum", "RDHWR SYNCI_Step", "RDHWR CC", "RDPGPR"}, "coldfire": {"HALT"}}
SEVENTEEN = ["SGDT", "SIDT", "SLDT", "SMSW", "PUSHF", "POPF", "LAR", "LSL", "VERR", "VERW", "POP DS", "PUSH CS", "CALL far", "JMP far", "INT 0x80",
             "RET far", "STR", "MOV r,CS"]                # one form of each of Robin and Irvine's names: 17 in their count, 18 if each is counted


@pytest.fixture(scope="session", params=rv.silicon.NAMES)
def isa(request):
    """Each instruction set's description."""
    return names.load(request.param)


@live
def test_bytes_are_what_the_forms_say(isa):
    import capstone

    decoder = capstone.Cs(getattr(capstone, isa.display[0]), sum(getattr(capstone, mode) for mode in isa.display[1].split("|")))
    unknown = set()
    for form in isa.forms:
        read = list(decoder.disasm(form.code, 0))
        if not form.text:
            unknown.add(form.name)
            continue
        text = " ".join(f"{read[0].mnemonic} {read[0].op_str}".split())
        assert re.sub(r"\b(byte|word|dword|qword|xword|tbyte) ptr ", "", text) == form.text
        assert form.code[read[0].size:] in (b"", bytes(4)), "only MIPS has a second instruction: the NOP in a branch's delay slot"
    assert unknown == UNKNOWN_TO_CAPSTONE.get(isa.name, set())


def test_forms_have_different_names_and_bytes(isa):
    assert len({form.name for form in isa.forms}) == len(isa.forms) == len({form.code for form in isa.forms})


@live
def test_stored_results_are_what_is_executed(isa):
    import unicorn

    executed, stored = classification.execute(isa.name, classification.PATIENCE), classification.stored(isa.name)
    if stored.engine != f"unicorn {unicorn.__version__}":
        pytest.skip(f"stored with {stored.engine}: run tests/real/silicon_results.py")
    failed = executed.table["verdict"] == "engine failure"                # how it dies depends on the system
    assert (executed.table["traps"] == stored.table["traps"])[~failed].all()
    executed, stored = (replace(found, table=found.table.assign(traps="")) for found in (executed, stored))
    assert executed.to_csv() == stored.to_csv()
    assert executed.seconds < 60 and not executed.date and re.fullmatch(r"\d{4}-\d\d-\d\d", stored.date)


@live
def test_a_crash_and_a_hang_of_the_engine_are_verdicts():
    crash = rv.silicon.classify("s390x").table.loc["SCK"]
    hang = rv.silicon.classify("m68000").table.loc["BKPT"]
    assert (crash["verdict"], hang["verdict"]) == ("engine failure", "engine failure")
    assert "SIG" in crash["traps"] and "hung" in hang["traps"]


CHILD = """
import sys, os, time, json
say = lambda **m: (sys.stdout.write(json.dumps(m) + chr(10)), sys.stdout.flush())
for i in range(int(sys.argv[1]), 5):
    say(event="start", form=i)
    if i == 1: os.kill(os.getpid(), 9)
    if i == 3: time.sleep(60)
    say(event="done", form=i)
say(event="end")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals to die of")
def test_watchdog_goes_on_behind_a_crash_and_a_hang():
    found = list(reports(lambda first: [sys.executable, "-I", "-S", "-c", CHILD, str(first)], 5, patience=0.5))
    assert [(m["event"], m["form"]) for m in found] == [("done", 0), ("failure", 1), ("done", 2), ("failure", 3), ("done", 4)]
    assert found[1]["why"] == "crashed: SIGKILL" and found[3]["why"] == "hung: silent for 0.5 s"


def test_watchdog_says_why_a_child_never_started():
    with pytest.raises(EngineError, match="no such thing"):
        list(reports(lambda first: [sys.executable, "-c", "raise SystemExit('no such thing')"], 3, patience=0.5))


def test_a_child_that_cannot_be_kept_alive_is_a_verdict():
    """Killed before the first form, twice: the verdict on every form, and no exception."""
    dies = "import os, sys; print('half a', end='', flush=True); os.kill(os.getpid(), 9)"
    found = list(reports(lambda first: [sys.executable, "-I", "-S", "-c", dies], 3, patience=0.5))
    assert [(m["event"], m["form"], m["why"]) for m in found] == [("failure", i, "did not start: crashed: SIGKILL") for i in range(3)]


def test_what_an_engine_prints_is_no_message():
    noisy = "print('qemu: fatal'); print('[1]'); print('{\"event\": \"done\", \"form\": 0}'); print('{\"event\": \"end\"}')"
    assert [m["form"] for m in reports(lambda first: [sys.executable, "-I", "-S", "-c", noisy], 1)] == [0]


@pytest.mark.parametrize("missing", ["unicorn", "capstone"])
def test_an_extra_that_cannot_be_loaded_is_not_installed(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    found = rv.silicon.classify("ppc32")
    assert not rv.silicon.installed() and found.date and found.date in repr(found) and "pip install rtvirt[silicon]" in repr(found)


@pytest.mark.parametrize("name", SEVENTEEN)
def test_famous_offender_is_found(name):
    row = rv.silicon.classify("x86-32", live=False).table.loc[name]
    assert row["verdict"] == "sensitive" and row["sensitive"]


def test_the_page_shows_what_is_stored():
    from silicon_page import rows

    page = (ROOT / "docs/silicon.md").read_text(encoding="utf-8")
    for line in rows():
        assert line in page, f"docs/silicon.md lacks: {line}"


def test_theorem_3_needs_fewer_offenders_than_theorem_1():
    x86, m68000 = (rv.silicon.classify(name, live=False) for name in ("x86-32", "m68000"))
    assert "MOV r,CS" in x86.offenders.index and "MOV r,CS" not in x86.user_offenders.index       # mode-sensitive only
    assert list(m68000.user_offenders.index) == ["MOVE from SR"], "the mask bits count as a resource here"


def test_segment_loads_offend_though_robin_and_irvine_do_not_name_them():
    assert {"LDS", "LES", "LFS", "LGS", "LSS"} <= set(rv.silicon.classify("x86-32", live=False).offenders.index)


def test_int_is_delivered_through_the_idt_by_rule():
    table = rv.silicon.classify("x86-32", live=False).table
    assert table.loc["INT 0x80", "without_rule"] == "always traps" and table.loc["INT 0x80", "verdict"] == "sensitive"
    assert table.loc["INT 0x21", "verdict"] == "privileged", "its gate has DPL 0: ring 3 takes #GP"
    assert "IDT" in table.loc["INT 0x80", "shown_by"] and "CPL" in table.loc["INT 0x80", "shown_by"]


def test_ports_obey_iopl_and_bitmap_by_rule():
    row = rv.silicon.classify("x86-32", live=False).table.loc["OUT"]
    assert row["verdict"] == "privileged if IOPL=0 and every I/O bitmap bit set" and row["without_rule"] == "sensitive"


@pytest.mark.parametrize("name, form, verdict", [
    ("m68000", "MOVE from SR", "sensitive"), ("coldfire", "MOVE from SR", "privileged"), ("armv7-a", "CPSID i", "sensitive"),
    ("aarch64", "MSR DAIFSet", "privileged if SCTLR_EL1.UMA=0"), ("rv64", "CSRW satp", "privileged"), ("ppc32", "MTMSR", "privileged"),
    ("mips32", "MFC0 Status", "privileged if Status.CU0=0"), ("s390x", "EPSW", "sensitive"), ("x86-64", "SWAPGS", "privileged")])
def test_one_of_each(name, form, verdict):
    assert rv.silicon.classify(name, live=False).table.loc[form, "verdict"] == verdict


@pytest.mark.parametrize("name", ["armv7-a", "aarch64"])
def test_unprivileged_loads_miss_a_trap_under_the_monitor_s_map(name):
    table = rv.silicon.classify(name, live=False).table
    forms = ["LDRT", "STRT"] if name == "armv7-a" else ["LDTR", "STTR"]
    assert (table.loc[forms, "sensitive"] == "permission-sensitive").all() and (table.loc[["LDR", "STR"], "verdict"] == "innocuous").all()


def test_witness_shows_two_states():
    witness = rv.silicon.classify("x86-32", live=False).witness("POPF", "mode-sensitive")
    assert list(witness.columns) == ["supervisor, IF=0", "user, IF=0"]
    assert list(witness.loc[("after", "IF")]) == ["0x200", "0x0"] and list(witness.loc[("before", "IF")]) == ["0x0", "0x0"]
    with pytest.raises(rv.RtvirtError, match="there are: control-sensitive"):
        rv.silicon.classify("x86-32", live=False).witness("POPF", "clock")
    with pytest.raises(rv.RtvirtError, match="no form 'POPFX'"):
        rv.silicon.classify("x86-32", live=False).witness("POPFX")


def test_every_disagreement_has_its_reason():
    stale = set(REASONS)
    for name in rv.silicon.NAMES:
        found = rv.silicon.compare(name, live=False)
        assert len(found.table) and not found.table["why"].str.contains("not explained").any(), found
        stale -= {(name, mnemonic.removesuffix(" (UMIP)")) for mnemonic in found.disagreements.index}
    assert stale == set()


def test_a_disagreement_is_noticed():
    stored = classification.stored("m68000")
    wrong = replace(stored, table=stored.table.assign(verdict="innocuous"))
    assert not rv.silicon.compare(wrong).table["agrees"].any()
    assert rv.silicon.compare(stored).table["agrees"].all()


def test_without_the_extra_stored_results_say_so(monkeypatch):
    monkeypatch.setattr(classification, "installed", lambda: False)
    found = rv.silicon.classify("rv64")
    assert found.date in repr(found) and "rtvirt[silicon]" in repr(found) and found.date in found._repr_html_()
    with pytest.raises(rv.RtvirtError, match=r"rtvirt\[silicon\]"):
        rv.silicon.classify("rv64", live=True)


def test_unknown_names_list_the_valid_ones():
    with pytest.raises(rv.SpecError, match="x86-32, x86-64, armv7-a, aarch64, rv64, mips32, ppc32, m68000, coldfire, s390x"):
        rv.silicon.classify("z80")
    with pytest.raises(rv.SpecError, match="m68000"):
        rv.silicon.classify(["x86-32"])


def test_no_table_claims_to_speak_of_silicon(isa):
    found = classification.stored(isa.name)
    assert f"as {found.engine} executes it" in repr(found) and len(found.limits)


@pytest.fixture(scope="module")
def bench():
    from rtvirt.silicon.trials import Bench

    return Bench(names.load("x86-32"))


@pytest.fixture(scope="module")
def forms():
    return {form.name: form for form in names.load("x86-32").forms}


@live
class TestDefinitions:
    """The definitions, on a bench whose forms and outcomes are known."""

    def verdict(self, bench, form, change=lambda trial: trial):
        from rtvirt.silicon.derive import derive

        return derive(bench.isa, form, [change(ruled) for _, ruled in bench.trials(form)])

    def test_the_name_of_a_form_does_not_matter(self, bench, forms):
        assert self.verdict(bench, replace(forms["NOP"], name="SGDT")).verdict == "innocuous"
        assert self.verdict(bench, replace(forms["LGDT"], name="NOP")).verdict == "privileged"

    def test_user_trials_that_do_not_trap_end_the_privilege(self, bench, forms):
        def no_trap(trial):
            if (trial.mode, trial.variation) in (("user", "TR"), ("user", "TSD=1")):          # the second, or "privileged if TSD=1"
                return replace(trial, outcome=replace(trial.outcome, trap=None))
            return trial

        assert self.verdict(bench, forms["CLTS"]).verdict == "privileged"
        assert self.verdict(bench, forms["CLTS"], no_trap).verdict == "sensitive"

    def test_memory_traps_do_not_make_an_instruction_privileged(self, bench, forms):
        from rtvirt.silicon.derive import derive

        def page_fault(trial):
            return replace(trial, outcome=trial.outcome.trapped(14)) if trial.mode == "user" else trial

        trials = [page_fault(ruled) for _, ruled in bench.trials(forms["MOV r,[m]"])]
        assert derive(bench.isa, forms["MOV r,[m]"], trials).verdict == "innocuous"
        assert derive(replace(bench.isa, memory_traps=()), forms["MOV r,[m]"], trials).verdict == "privileged"

    def test_what_a_program_owns_is_an_input(self, bench, forms):
        def carry_is_private(trial):
            private = trial.outcome.private | {"CF": trial.outcome.user["flags"] & 1}
            still = replace(trial.still, private=trial.still.private | {"CF": trial.still.user["flags"] & 1})
            return replace(trial, outcome=replace(trial.outcome, private=private), still=still)

        assert self.verdict(bench, forms["CMC"]).verdict == "innocuous"
        assert self.verdict(bench, forms["CMC"], carry_is_private).kinds == ("control-sensitive", "user-sensitive")

    def test_page_tables_are_really_used(self, bench, forms):
        """Under variation "pages" the same linear address is another physical one: were the TLB stale, a store would go astray."""
        assert self.verdict(bench, forms["MOV [m],r"]).verdict == "innocuous"
        bench.isa = replace(bench.isa, remapped=())                       # no TLB flush any more
        try:
            assert self.verdict(bench, forms["MOV [m],r"]).verdict == "sensitive"
        finally:
            bench.isa = names.load("x86-32")


@pytest.mark.skipif(not HERE, reason="no list of instructions for this processor")
def test_here_traps_and_completes():
    found = rv.silicon.here()
    assert not found.why_not and found.table.loc["NOP", "outcome"] == "completes"
    assert found.table.loc["UD2" if "UD2" in found.table.index else "UDF", "outcome"] == "traps: SIGILL"
    assert not found.table["outcome"].str.startswith("not executed").any(), found
    if "CLI" in found.table.index:
        assert found.table.loc[["CLI", "HLT", "MOV r,CR0", "LGDT"], "outcome"].str.startswith("traps").all()
        assert found.table.loc["POPF clears IF", "reveals"].endswith("ignored without a trap")
        assert found.table.loc["MOV r,CS", "reveals"].endswith("level 3")


def test_here_says_why_not(monkeypatch):
    monkeypatch.setattr(native_child.platform, "machine", lambda: "s390x")
    found = rv.silicon.here()
    assert len(found.table) == 0 and ("s390x" in repr(found) or "only Linux" in repr(found)) and "<table" not in found._repr_html_()


@live
def test_native_bytes_are_whole_instructions():
    import capstone

    for table, architecture, mode in ((native_child.X86, capstone.CS_ARCH_X86, capstone.CS_MODE_64), (native_child.A64, capstone.CS_ARCH_ARM64, 0)):
        for name, code in table.items():
            read = list(capstone.Cs(architecture, mode).disasm(bytes.fromhex(code), 0))
            assert sum(i.size for i in read) == len(bytes.fromhex(code))
            word = name.split()[0].lower()
            assert any(i.mnemonic.startswith(word) for i in read), name


def test_umip_s_invented_tables_are_recognised():
    invented = (b"\0\0" + native.DUMMY_GDT.to_bytes(8, "little")).ljust(64, b"\0")
    assert "invented by Linux" in native.reveals("SGDT", {"SGDT": invented})
    assert "invented" not in native.reveals("SGDT", {"SGDT": b"\x7f\0" + (0xFFFF_FE00_0000_1000).to_bytes(8, "little") + bytes(54)})
