"""Who waits for a compilation or a fit is told, and nobody else."""

from __future__ import annotations

import io
import sys

import pytest

import rtvirt as rv
from rtvirt import jit, notice, simulation
from rtvirt.explorers import credit

LINE = "rtvirt: compiling the credit scheduler, once (about 10 s) ..."


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self):
        return True


@pytest.fixture
def cold(monkeypatch):
    """As if nothing were compiled yet."""
    monkeypatch.setattr(simulation, "is_warm", lambda name: False)


def simulate():
    rv.simulate(rv.System(vms=[rv.VM("a", tasks=[rv.hog()])]), rv.Credit(), 1_000_000)


@pytest.mark.parametrize("stream, said", [(Terminal(), f"\r\x1b[K{LINE}\r\x1b[K"), (io.StringIO(), "")])
def test_a_terminal_is_told_and_a_pipe_is_not(cold, monkeypatch, stream, said):
    monkeypatch.setattr(sys, "stderr", stream)
    simulate()
    assert stream.getvalue() == said


def test_what_is_compiled_is_not_mentioned(monkeypatch):
    simulate()                                            # now it is
    monkeypatch.setattr(sys, "stderr", Terminal())
    simulate()
    assert sys.stderr.getvalue() == ""


def test_an_explorer_says_it_in_its_sentence(cold):
    explorer = credit.explorer()
    before, said = explorer.sentence.value, []
    explorer.sentence.observe(lambda change: said.append(change["new"]), names="value")
    explorer.set(period=13)
    assert said[0] == f"<b>{LINE}</b>" and said[1] == before and said[-1] == explorer.sentence.value and LINE not in said[-1]


def test_a_notebook_is_told_if_somebody_reads_it():
    """The kernel of a front end that could ask its reader, and of one that executes notebooks in order to store them."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    try:
        shown = {}
        for reader in (True, False):
            client.execute("from rtvirt.notice import waiting\nwith waiting('a moment'): pass", allow_stdin=reader)
            shown[reader] = []
            while (message := client.get_iopub_msg(timeout=60))["content"].get("execution_state") != "idle":
                if message["msg_type"] in ("display_data", "update_display_data", "stream", "error"):
                    shown[reader].append((message["msg_type"], message["content"].get("data", message["content"]).get("text/plain")))
        assert shown == {True: [("display_data", "a moment"), ("update_display_data", "")], False: []}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.skipif(jit.DISABLED, reason="nothing is compiled")
def test_machine_code_of_another_copy_does_not_count(monkeypatch, tmp_path):
    """Another copy's files are in the same folder; Numba would compile all the same, so `warmup` must not say "loading"."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit, "_loops", {})
    elsewhere = jit.cache_dir("null") / "another_copy_0123"
    elsewhere.mkdir(parents=True)
    (elsewhere / "loop.run-37.py311.1.nbc").write_bytes(b"machine code")
    assert not jit.is_warm("null")


def test_whoever_waits_for_a_fit_is_told():
    said = []
    with notice.shown_by(said.append):
        real = rv.xentrace.load(rv.data.FOLDER / "xen-traces", "D1_credit_2pcpu_3hogs")
        assert real.opening is real.opening
    assert said == ["rtvirt: fitting in what state D1_credit_2pcpu_3hogs opens (some seconds, longer with caps) ...", ""]
