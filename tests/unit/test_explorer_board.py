"""The explorer of a board without a browser: moves, findings at the tiles they concern, contracts that break and mend; and both pictures."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.explorers import board as explored
from rtvirt.explorers.board import Params, compute
from rtvirt.explorers.board_moves import Move, after, made, parse, undone, write
from rtvirt.platform import check, hand_over, holdings
from rtvirt.plots.concepts import LOOKS
from rtvirt.units import ms, us

BOARDS = rv.platform.boards()


@pytest.fixture(scope="module")
def explorer():
    return explored.explorer()


@pytest.fixture(scope="module")
def phone():
    return rv.platform.load("phone")


def lines(board, vm):
    """Interrupt lines of a VM."""
    return {irq.line for irq in board[vm].irqs}


def names(board, vm):
    """Devices of a VM."""
    return [device.name for device in board[vm].devices]


@pytest.mark.parametrize(("along", "left", "came", "rules"), [
    ("device and lines", (["console", "disk0"], {111}), (["disk0", "ufs"], {310}), {"split", "dma"}),
    ("device only", (["console", "disk0"], {111, 310}), (["disk0", "ufs"], set()), {"split", "dma", "irq-route"}),
    ("a second owner", (["ufs", "console", "disk0"], {111, 310}), (["disk0", "ufs"], {310}), {"device", "dma", "irq-twice"})])
def test_what_is_handed_over_with_a_device(phone, along, left, came, rules):
    board = hand_over(phone, "ufs", "drivers", "android", along=along)
    assert (names(board, "drivers"), lines(board, "drivers")) == left
    assert (names(board, "android"), lines(board, "android")) == (came[0], {480, 481} | came[1])
    assert check(board).rules == rules and check(phone).rules == set()


def test_a_line_stays_where_another_device_has_it(phone):
    twin = phone["drivers"].devices[0].replace(name="twin")
    board = phone.with_vm(phone["drivers"].replace(devices=(*phone["drivers"].devices, twin)))
    assert 310 in lines(hand_over(board, "ufs", "drivers", "android"), "drivers")


@pytest.mark.parametrize("name", BOARDS)
def test_there_and_back_again_is_as_before(name):
    """Every device of every VM to every other and back: the findings are those of the start, none."""
    board = rv.platform.load(name)
    for vm in board.vms:
        for device in vm.devices:
            for other in board.vms:
                if other is vm or device.name in names(board, other.name):
                    continue
                back = hand_over(hand_over(board, device.name, vm.name, other.name), device.name, other.name, vm.name)
                assert check(back) == () and lines(back, vm.name) == lines(board, vm.name)


def test_a_free_device_comes_with_its_lines_and_goes_back_to_the_board(phone):
    board = hand_over(phone, "spi2", None, "modem")
    assert check(board) == () and 148 in lines(board, "modem")
    assert hand_over(board, "spi2", "modem", None)["modem"] == phone["modem"]


def test_a_name_that_is_taken_is_changed_for_what_is_passed_through_only(phone):
    other = phone.with_vm(phone["modem"].replace(devices=[phone["modem"].devices[0].replace(name="console")]))
    assert names(hand_over(other, "console", "modem", "drivers"), "drivers")[-1] == "console-2"
    with pytest.raises(rv.SpecError, match="both halves"):
        hand_over(phone, "disk0", "drivers", "android")


def test_pcpus_are_handed_over(phone):
    board = hand_over(phone, "pCPU 3", "android", "modem")
    assert board["android"].cpus.affinity == (0, 1, 2) and board["modem"].cpus.affinity == (3, 4)
    assert {"contract-sum", "cluster", "affinity", "wakeup"} <= check(board).rules
    assert hand_over(phone, "pCPU 5", None, "modem")["modem"].cpus.affinity == (4, 5)
    assert hand_over(phone, "pCPU 3", "android", "modem", along="a second owner")["android"].cpus.affinity == (0, 1, 2, 3)


@pytest.mark.parametrize(("what", "source", "target", "words"), [
    ("nothing", "modem", "android", "what is 'nothing'"), ("nothing", None, "android", "spi2, sdio, watchdog0"),
    ("ufs", "drivers", "nobody", "modem, android"),
    ("pCPU 9", None, "modem", "pCPU 0 to 7"), ("pCPU 4", "modem", "android", "give it another first")])
def test_what_cannot_be_handed_over_is_refused(phone, what, source, target, words):
    with pytest.raises(rv.SpecError, match=words):
        hand_over(phone, what, source, target)


def test_moves_are_text_and_those_that_go_on_are_one(phone):
    text = "ufs: drivers > android; pCPU 5: board > modem"
    assert write(parse(text)) == text and undone(text) == "ufs: drivers > android"
    assert after("ufs: drivers > android", Move("ufs", "android", "modem")) == "ufs: drivers > modem"
    assert after("ufs: drivers > android", Move("ufs", "android", "drivers")) == ""
    assert after("ufs: drivers > android", Move("spi2", "board", "modem")) == "ufs: drivers > android; spi2: board > modem"
    assert made(phone, "", "device and lines") is phone
    for wrong in ("ufs", "ufs > android", "pCPU x: a > b", "a: b > c > d"):
        with pytest.raises(rv.SpecError, match="moves such as"):
            parse(wrong)


BROKEN = ["ufs: drivers > android", "uart3: board > drivers", "disk0: drivers > modem", "pCPU 5: board > modem", "pCPU 3: android > modem",
          "line: modem > board"]


@pytest.mark.parametrize("moves", BROKEN)
@pytest.mark.parametrize("along", ["device and lines", "device only", "a second owner"])
def test_each_finding_marks_the_tile_that_it_names(moves, along):
    data = compute(Params(moves=moves, along=along))
    marked = {number: (holder.name, tile) for holder in data.holders for tile in holder.tiles for number in tile.findings}
    whole = {number for holder in data.holders for number in holder.findings}
    assert set(marked) | whole == set(range(1, len(data.findings) + 1))
    for number, (holder, tile) in marked.items():
        place = data.findings[number - 1].place
        assert place.startswith(f"vms[{holder}].")
        assert tile.kind != "devices" or f"devices[{tile.name}]" in place


def test_everybody_s_things_are_tiles(phone):
    boxes = {box.name: box for box in holdings(phone)}
    assert list(boxes) == ["board", "modem", "android", "drivers"]
    for vm in phone.vms:
        kinds = [tile.kind for tile in boxes[vm.name].tiles]
        assert [kinds.count(kind) for kind in ("contract", "pCPU", "memory", "channels", "devices")] == [
            1, len(vm.cpus.affinity), len(vm.memory), len(vm.channels), len(vm.devices)]
    assert [tile.name for tile in boxes["board"].tiles if tile.kind == "devices"] == ["spi2", "sdio", "watchdog0"]


@pytest.mark.parametrize("name", BOARDS)
def test_boards_start_as_they_come(name):
    started = explored.explorer(board=name)
    assert started._scene.data.board == rv.platform.load(name) and "no findings" in started.sentence.value
    assert started.params.vm == rv.platform.load(name).vms[0].name


@pytest.mark.parametrize(("values", "rules"), [
    ({"budget": 0.2}, set()), ({"budget": 0.1}, {"deadline"}), ({"period": 3.0}, {"wakeup"}), ({"period": 5.0}, {"wakeup", "deadline"}),
    ({"budget": 2.0}, {"contract-sum", "wakeup", "deadline", "health"}), ({"wakeup": 0, "period": 3.0}, set()),
    ({"scheduler": "credit2"}, {"contract-kind", "wakeup", "health", "deadline"})])
def test_contracts_break_and_mend(values, rules):
    assert compute(Params(**values)).findings.rules == rules
    assert compute(Params()).findings == ()


@pytest.mark.parametrize("budget", [0.4, 1.0, 1.4])
def test_the_wake_up_bound_breaks_where_the_supply_says(budget):
    """What is used up early, P - Q, and then the drivers before it in the next period: their budget, and sections of 20 us."""
    bound = ms(2) - round(budget * ms(1)) + us(500) + 3 * us(20)
    for wakeup, rules in ((bound + us(40), set()), (bound - us(60), {"wakeup"})):
        assert compute(Params(budget=budget, wakeup=wakeup // us(50) * 50)).findings.rules == rules


def test_a_priority_breaks_a_promise():
    given = {"board": "automotive", "vm": "gateway", "wakeup": 50}
    assert not compute(Params(**given)).findings
    assert "wakeup" in compute(Params(**given, priority=9)).findings.rules


def test_another_board_brings_its_own_vms_and_contracts(explorer):
    explorer.set(moves="ufs: drivers > android", budget=0.4)
    explorer.controls["board"].value = "automotive"
    assert explorer.params == Params(board="automotive", vm="gateway", wakeup=50) and list(explorer.controls["vm"].options) == [
        "gateway", "instruments", "drivers", "infotainment"]
    assert explorer.controls["budget"].disabled and "kind priority" in explorer.notes["budget"].value
    explorer.controls["vm"].value = "instruments"
    assert explorer.params.priority == 2 and explorer.params.wakeup == 0
    explorer.set(board="phone")
    assert explorer.params == Params() and not explorer.controls["budget"].disabled


def test_the_browser_asks_for_moves(explorer):
    explorer.set(board="phone", moves="")
    holders = explorer._scene.holders
    holders.wanted = {"do": "move", "what": "ufs", "source": "drivers", "target": "android", "number": 1}
    assert explorer.params.moves == "ufs: drivers > android" == explorer.controls["moves"].value
    assert holders.picture["last"] == "android/ufs" and holders.picture["answers"] == 1
    assert [one["rule"] for one in holders.picture["findings"]] == ["dma", "split"] and "2 findings" in explorer.sentence.value
    holders.wanted = {"do": "move", "what": "disk0", "source": "drivers", "target": "android", "number": 2}
    assert "This cannot be run" in explorer.sentence.value and explorer.params.moves == "ufs: drivers > android"
    holders.wanted = {"do": "undo", "number": 3}
    assert explorer.params.moves == "" and "no findings" in explorer.sentence.value
    holders.wanted = {"do": "move", "what": "<b>", "source": "x", "target": "y", "number": 4}
    assert "moves such as" in explorer.sentence.value and "<b>'" not in explorer.sentence.value
    holders.wanted = {"do": "reset", "number": 5}
    assert repr(holders).startswith("<phone under rtds")


def test_repr_is_stable_and_bad_values_are_refused(explorer):
    assert repr(explored.explorer()) == f"Explorer({Params()!r})"
    for values, said in (({"board": "toaster"}, "automotive"), ({"vm": "vision"}, "choose a VM of phone"), ({"moves": "x" * 3000}, "2000 characters"),
                         ({"moves": 5}, "text"), ({"budget": 3.0, "period": 99.0}, "20")):
        with pytest.raises(rv.SpecError, match=said):
            explored.explorer(**values)


def test_static_picture_is_the_board_with_its_findings(explorer):
    explorer.set(board="phone", moves="ufs: drivers > android")
    picture = explorer.static()
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert "2 findings" in picture.text and texts.count("(1)") == 1 and any(text.startswith("(2) vms[drivers]") for text in texts)


def test_the_picture_of_a_board_marks_what_does_not_fit(phone):
    ax = rv.plots.board(hand_over(phone, "ufs", "drivers", "android"))
    framed = [patch for patch in ax.patches if patch.get_linewidth() > 2]
    assert len(framed) == 2 and "2 findings" in ax.get_title(loc="left")
    assert not [patch for patch in rv.plots.board(phone).patches if patch.get_linewidth() > 2]


def test_marks_of_concepts_are_the_table_s():
    table = rv.platform.concepts()
    ax = rv.plots.concepts(table)
    cells = [str(cell).split()[0] for cell in table.drop(columns="concept").to_numpy().ravel()]
    drawn = {name: 0 for *_, name in LOOKS.values()}
    names = [name for *_, name in LOOKS.values() for _ in range(2)]
    for name, group in zip(names, ax.collections, strict=True):
        drawn[name] += len(group.get_offsets())
    assert drawn == {name: cells.count(answer) for answer, (*_, name) in LOOKS.items()}
    assert sum("†" in label.get_text() for label in ax.get_xticklabels()) == 4 and len({marker for marker, *_ in LOOKS.values()}) == 4
    with pytest.raises(rv.SpecError, match="concepts"):
        rv.plots.concepts(table.drop(columns="concept"))
