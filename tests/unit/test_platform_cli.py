"""`rtvirt admit BOARD --new VM`."""

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
