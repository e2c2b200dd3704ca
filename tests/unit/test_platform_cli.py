"""`rtvirt admit BOARD --new VM`, and the other commands that take boards."""

from __future__ import annotations

from click.testing import CliRunner

import rtvirt as rv
from rtvirt.__main__ import main

VM = """
name: tuner
id: 7
architecture: aarch64
cpus: {affinity: [4]}
contract: {kind: reservation, budget: 300 us, period: 2 ms}
tasks: [{name: audio, wcet: 100 us, period: 10 ms}]
"""


def ask(tmp_path, text, *more):
    path = tmp_path / "vm.yaml"
    path.write_text(text)
    return CliRunner().invoke(main, ["admit", "phone", "--new", str(path), *more])


def test_a_vm_is_admitted_and_the_board_saved(tmp_path):
    found = ask(tmp_path, VM, "--save", str(tmp_path / "board.yaml"))
    assert found.exit_code == 0 and found.output.startswith("admitted") and rv.platform.load(tmp_path / "board.yaml")["tuner"].id == 7


def test_a_refusal_tells_what_is_offered(tmp_path):
    found = ask(tmp_path, VM.replace("300 us", "1 ms"))
    assert found.exit_code == 1 and found.output.startswith("refused") and "0. move" in found.output


def test_mistakes_are_told_with_their_lines(tmp_path):
    for text, told in ((VM.replace("budget: 300 us", "budget: soon"), "vm.yaml:6"), (VM.replace("id: 7", "id: 1"), "vm.id"), ("[", "vm.yaml")):
        found = ask(tmp_path, text)
        said = found.output + str(found.exception)
        assert found.exit_code not in (0, None) and told in said and "Traceback" not in found.output, said
    assert ask(tmp_path, VM, "--provision").exit_code == 2


def run(*words):
    found = CliRunner().invoke(main, list(words))
    return found.exit_code, found.output


def test_a_board_is_judged_under_its_own_scheduler(tmp_path):
    code, said = run("admit", "phone")
    assert code == 0 and said.startswith("admitted") and "modem" in said
    board = rv.platform.load("phone")
    board.save(tmp_path / "own.yaml")
    assert run("admit", str(tmp_path / "own.yaml")) == (code, said)
    for wrong in (tmp_path, tmp_path / "nowhere.yaml"):
        code, said = run("admit", str(wrong))
        assert code == 1 and wrong.name in said and "Traceback" not in said
    code, said = run("admit", "phone", "--scheduler", "fp")
    assert code == 2 and "leave --scheduler out" in said


def test_boards_are_checked_and_compared(tmp_path):
    board, file = rv.platform.load("phone"), str(tmp_path / "twice.yaml")
    assert run("check", "phone") == (0, "no findings\n") and run("diff", "phone", "phone") == (0, "no differences\n")
    first = board.vms[0]
    board.replace(vms=[*board.vms, first.replace(name="twin", id=99)]).save(file)
    code, said = run("check", file)
    assert code == 1 and "memory" in said and "twin" in said and len(said.splitlines()) == len(rv.platform.check(rv.platform.load(file)))
    code, said = run("diff", "phone", "drone", "--vm", "modem")
    assert code == 1 and said.strip() == repr(rv.platform.diff(board, rv.platform.load("drone"), "modem"))


def test_a_guest_is_fitted():
    code, said = run("fit", "linux", "server")
    found = rv.platform.fit(rv.platform.Guest.load("linux"), rv.platform.load("server"))
    assert code == (0 if found else 1) and said.strip() == repr(found)
    code, said = run("fit", "linux", "nowhere.yaml")
    assert code == 1 and "nowhere.yaml" in said and "Traceback" not in said
