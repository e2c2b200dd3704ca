"""xentrace's binary format: shipped windows written in it come back as they were; damaged files are refused in words that help."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest
from real.binary_writer import cpu_window, record, write_binary

import rtvirt as rv
from rtvirt import SpecError, xentrace

FOLDER = rv.data.FOLDER / "xen-traces"
ONE, CAP, TWO = "E1b_credit_w256x3", "E2a_credit_cap25_alone", "D1_credit_2pcpu_3hogs"
HZ = 2_394_230_000                        # a TSC ticks more than once a ns, so that no shipped time is lost in the rounding
D1_RUNS, D1_BLOCKS, D1_WAKES = 0x21101, 0x21021, 0x21211


@pytest.fixture
def trace(tmp_path):
    """Path of a shipped window in binary form."""
    path = tmp_path / "own.bin"
    write_binary(path, events(ONE), HZ)
    return path


def events(name):
    return pd.read_csv(FOLDER / f"{name}.events.csv.gz", keep_default_na=False)


def written(path, *records):
    """A file of one pCPU: (event, data words, tick)."""
    path.write_bytes(cpu_window(0, b"".join(record(*r) for r in records)))
    return path


def refused(path, **options):
    """What the error says."""
    with pytest.raises(SpecError) as caught:
        xentrace.read_binary(path, **({"hz": 1e9} | options))
    return str(caught.value)


@pytest.mark.parametrize("name", [ONE, CAP, TWO, "E3a_credit_p10w1_2hogs"])
def test_shipped_windows_come_back(name, tmp_path):
    """All columns of all rows, also at the edges: the stints cut there, and the wake-up that still waits at the end and has no row."""
    write_binary(tmp_path / "own.bin", events(name), HZ)
    own, shipped = xentrace.read_binary(tmp_path / "own.bin", hz=HZ), xentrace.load(FOLDER, name)
    pd.testing.assert_frame_equal(own.events, events(name), check_dtype=False)
    pd.testing.assert_frame_equal(own.runs, shipped.runs, check_dtype=False)
    pd.testing.assert_frame_equal(own.wakes, shipped.wakes, check_dtype=False)
    assert (own.duration, own.lost, own.row["pcpus"]) == (shipped.duration, 0, shipped.row["pcpus"])
    assert own.ticks.tolist() == shipped.ticks.tolist() and own.accountings.tolist() == shipped.accountings.tolist()


def test_own_trace_is_replayed(trace):
    window = xentrace.read_binary(trace, hz=HZ, timeslice_ms=30, weights={"d1": 256, "d2": 256}, caps={"d4": 50})
    system, scheduler = window.system(), window.scheduler()
    assert [(vm.name, vm.weight, vm.cap) for vm in system.vms][1:] == [("d1", 256, 0), ("d2", 256, 0), ("d3", 256, 0), ("d4", 256, 50)]
    assert (scheduler.timeslice, scheduler.ratelimit) == (30_000_000, 1_000_000)
    clocks = {"tick_times": window.ticks.tolist(), "account_times": window.accountings.tolist()}
    run = rv.simulate(system, scheduler, window.duration, initial=clocks)
    assert xentrace.fidelity(window, run, forced=False).share_pp < 1


def test_old_headers_numbers(tmp_path):
    """Old headers number the verbose events from 0x2f001; their INFPREV and INFNEXT name no vCPU."""
    path = written(tmp_path / "old.bin", (D1_RUNS, [1 << 16], 0), (0x2F00E, [1, 40], 5), (0x2F00F, [2, 0, 30], 6), (0x2F00A, [1, 0, 2, 0], 7))
    found = xentrace.read_binary(path, hz=1e9).events
    assert found[["event", "dom", "vcpu", "args"]].values.tolist()[1:] == [
        ["INFPREV", 1, -1, "40"], ["INFNEXT", 2, -1, "0 30"], ["SWITCH", 1, 0, "2 0"]]


def test_unknown_events_keep_their_numbers(tmp_path):
    path = written(tmp_path / "x.bin", (D1_RUNS, [1 << 16], 0), (0x22201, [], 5), (0x0ABCD123, [1, 2, 3, 4, 5, 6, 2**32 - 1], 9))
    found = xentrace.read_binary(path, hz=1e9).events
    assert found["event"].tolist() == ["RS_runnable_running", "0x00022201", "0x0abcd123"]
    assert found["args"].tolist() == ["", "", "1 2 3 4 5 6 4294967295"] and found["dom"].tolist() == [1, -1, -1]


def test_padding_and_records_without_time(tmp_path):
    """Padding (WRAP_BUFFER) is no event; a record without a time stamp has the time of the one before."""
    path = written(tmp_path / "x.bin", (D1_RUNS, [1 << 16], 100), (0x1F002, [0, 0], None), (0x28004, [2, 0], None), (D1_BLOCKS, [1 << 16], 900))
    found = xentrace.read_binary(path, hz=1e9).events
    assert found["t_ns"].tolist() == [0, 0, 800] and found["event"].tolist()[1] == "WAKE"


def test_vcpu_that_only_continues_ran_all_along(tmp_path):
    path = written(tmp_path / "x.bin", (0x28004, [9, 0], 0), (0x21002, [1 << 16], 500), (0x28004, [9, 0], 2000))
    assert xentrace.read_binary(path, hz=1e9).runs.values.tolist() == [[0, 2000, 0, 1, 0, 2000, "cut_end"]]


def test_long_traces_do_not_overflow(tmp_path):
    day = 86_400 * 3_000_000_000
    path = written(tmp_path / "x.bin", (D1_RUNS, [1 << 16], 5), (D1_BLOCKS, [1 << 16], 5 + 30 * day))
    assert xentrace.read_binary(path, hz=3e9).duration == 30 * 86_400 * 10**9


# -------------------------------------------------------------- records that Xen dropped


def test_lost_records_are_said_and_cut_the_stints(tmp_path):
    """Between ticks 300 (the last record before) and 700 (the LOST record) nothing is known of this pCPU."""
    path = written(tmp_path / "x.bin", (D1_RUNS, [1 << 16], 0), (D1_WAKES, [2 << 16], 300), (0x1F001, [7, 0, 310, 0], 700),
                   (D1_BLOCKS, [1 << 16], 900), (D1_RUNS, [2 << 16], 910), (D1_BLOCKS, [2 << 16], 950))
    with pytest.warns(UserWarning, match=r"x.bin: Xen dropped 7 records.*larger buffers"):
        window = xentrace.read_binary(path, hz=1e9)
    assert window.lost == 7 and "LOST_RECORDS" in set(window.events["event"])
    assert window.runs[["start_ns", "end_ns", "dom", "end"]].values.tolist() == [
        [0, 300, 1, "cut_end"], [700, 900, 1, "cut_start"], [910, 950, 2, "blocked"]]
    assert window.wakes.empty


def test_a_hole_on_one_pcpu_leaves_the_other_alone(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(cpu_window(0, record(D1_RUNS, [1 << 16], 0) + record(0x1F001, [3, 0, 0, 0], 500)) +
                     cpu_window(1, record(D1_RUNS, [2 << 16], 10) + record(D1_BLOCKS, [2 << 16], 800)))
    with pytest.warns(UserWarning, match="3 records"):
        runs = xentrace.read_binary(path, hz=1e9).runs
    assert runs[["start_ns", "end_ns", "cpu", "end"]].values.tolist() == [[0, 0, 0, "cut_end"], [10, 800, 1, "blocked"]]


def test_no_warning_without_loss(trace):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xentrace.read_binary(trace, hz=HZ)


# -------------------------------------------------------------- files and settings that make no sense


def test_missing_and_empty_files(tmp_path):
    (tmp_path / "empty.bin").write_bytes(b"")
    assert "empty.bin: file is 'empty'" in refused(tmp_path / "empty.bin") and "as root in dom0" in refused(tmp_path / "empty.bin")
    assert "No such file" in refused(tmp_path / "absent.bin")
    (tmp_path / "bare.bin").write_bytes(cpu_window(0, b""))
    assert "no record" in refused(tmp_path / "bare.bin")


@pytest.mark.parametrize("garbage", [b"\x1f\x8b\x08\x00" * 9, b"t_ns,cpu,event,dom,vcpu,args\n", b"\0" * 64])
def test_something_else_than_a_trace(tmp_path, garbage):
    (tmp_path / "x.bin").write_bytes(garbage)
    said = refused(tmp_path / "x.bin")
    assert "word at byte 0" in said and "CPU_CHANGE" in said and "xentrace itself wrote" in said


def test_any_cut_is_seen(tmp_path, trace):
    """Cut anywhere but between CPU windows; what the error advises to keep can be read."""
    whole, path = trace.read_bytes(), tmp_path / "cut.bin"
    for length in [*range(1, 14), *range(len(whole) - 23, len(whole), 3), len(whole) // 2]:
        path.write_bytes(whole[:length])
        assert f"cut off at byte {length}" in refused(path, hz=HZ)
    keep = int(refused(path, hz=HZ).split("head -c ")[1].split()[0])
    path.write_bytes(whole[:keep])
    assert 0 < keep < length and xentrace.read_binary(path, hz=HZ).duration > 0


def test_damage_is_located(tmp_path, trace):
    raw, path = bytearray(trace.read_bytes()), tmp_path / "x.bin"
    size = int.from_bytes(raw[8:12], "little")
    path.write_bytes(raw[:12 + size] + b"\xff\xff\xff\xff" + raw[12 + size:])
    assert f"word at byte {12 + size} is '0xffffffff'" in refused(path, hz=HZ)
    broken = record(D1_RUNS, [1 << 16], 0)[:-4]                       # announces a data word that the window does not hold
    path.write_bytes(cpu_window(0, broken) + cpu_window(0, broken))
    assert "record at byte 12" in refused(path) and "damaged" in refused(path)


def test_hz_is_asked_for_and_checked(trace):
    said = refused(trace, hz=None)
    assert "hz is None" in said and "cpu_mhz" in said and "run times say about 2.394" in said
    assert "not in MHz" in refused(trace, hz=2394.23) and "not in MHz" in refused(trace, hz=3e9)
    assert "hz is -1" in refused(trace, hz=-1) and "hz is nan" in refused(trace, hz=float("nan"))


def test_a_trace_of_nothing(tmp_path):
    assert "no domain changes its running state" in refused(written(tmp_path / "x.bin", (0x28004, [1, 0], 0)))
    assert "no time stamp" in refused(written(tmp_path / "x.bin", (0x28004, [1, 0], None)))


def test_settings_name_vms(trace):
    assert "weights, caps is 'Domain-0'" in refused(trace, hz=HZ, weights={"Domain-0": 512})
