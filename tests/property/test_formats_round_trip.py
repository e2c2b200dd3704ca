"""Random boards in the formats of others and back: they differ where the export says, and nowhere else.

Jailhouse and Bao give each vCPU a pCPU of its own: boards drawn for them are in test_partitioned_boards.py."""

from __future__ import annotations

import drawn_boards
import pytest
from conftest import LONG

from rtvirt.errors import SpecError
from rtvirt.platform import FORMATS, Reservation, Share, differences, export, read
from rtvirt.platform.formats.common import bare

SHARED = [name for name in FORMATS if name not in ("jailhouse", "bao")]
BOARDS = 3000 if LONG else 20


@pytest.mark.parametrize("format", SHARED)
def test_random_boards_differ_where_the_export_says(format, seed):
    done = 0
    for k in range(BOARDS):
        board = drawn_boards.board(seed * 100_000 + k)
        try:
            made = export(board, format)
        except SpecError:       # not for this instruction set
            continue
        done += 1
        if made.files:
            back = read(made.files, format, bare(board)).board
            assert differences(board, back) == [lost.place for lost in made.lost], k
            assert differences(bare(board), bare(back)) == [], "the hardware comes back as it was"
        assert all(lost.reason for lost in made.lost)
    assert done > BOARDS // 8


def test_what_xl_can_say_is_never_lost(seed):
    """Rules of what must be carried, stated apart from the exporter."""
    for k in range(BOARDS):
        board = drawn_boards.board(seed * 100_000 + 50_000 + k)
        try:
            lost = {one.place for one in export(board, "xen").lost}
        except SpecError:
            continue
        assert not [place for place in lost if place.endswith(".cpus.count")]
        if board.scheduler.name in ("credit", "credit2", "rtds", "null", "arinc653"):
            assert "scheduler.name" not in lost
        for vm in board.vms:
            place, own = f"vms[{vm.name}].contract", vm.contract
            if board.scheduler.name in ("credit", "credit2") and isinstance(own, Share):
                assert place not in lost and f"{place}.weight" not in lost
                assert (f"{place}.cap" in lost) == (own.cap > 100 * vm.cpus.count)
            if board.scheduler.name == "rtds" and isinstance(own, Reservation):
                assert place not in lost and f"{place}.extratime" not in lost
                whole = own.budget % 1000 == own.period % 1000 == 0 and own.budget >= 10_000 and own.period < 2**32 * 1000
                assert not whole or not {f"{place}.budget", f"{place}.period"} & lost
            affinity = vm.cpus.affinity
            assert (f"vms[{vm.name}].cpus.affinity" in lost) == (affinity is not None and list(affinity) != sorted(affinity))
            assert vm.id == 0 or f"vms[{vm.name}].health.restart" not in lost
