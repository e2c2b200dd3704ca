"""Whatever is given to `rv.platform` in place of what it takes is refused in words, never by a traceback from inside."""

from __future__ import annotations

import pytest

import rtvirt as rv
from rtvirt.units import ms

P = rv.platform
BOARD = P.load("phone")
TUNER = P.VmInterface(name="tuner", id=7, architecture="aarch64", cpus={"affinity": [4]},
                      contract={"kind": "reservation", "budget": ms(1) // 5, "period": ms(2)})
NO_BOARD = [P.check, P.holdings, lambda b: P.diff(b, BOARD), lambda b: P.diff(BOARD, b), lambda b: P.fit(P.Guest.load("linux"), b),
            lambda b: P.create(b, TUNER), lambda b: P.restore(b, TUNER), lambda b: P.degrade(b, "modem", "low"), lambda b: P.remove(b, "modem"),
            lambda b: P.transition(BOARD, b), lambda b: P.isolation(b, "modem"), lambda b: P.recontract(b, "rtds"),
            lambda b: P.hand_over(b, "ufs", "drivers", "android"),
            lambda b: P.wakeup(b, "modem"), lambda b: P.save(b, "board.yaml"), lambda b: P.export(b, "xen"), lambda b: P.differences(BOARD, b),
            lambda b: P.read({"a.cfg": 'name = "a"'}, hardware=b) if b is not None else P.check(b)]
OTHERS = [
    lambda: P.load(5), lambda: P.load(None), lambda: P.load_vm(5), lambda: P.Guest.load(5), lambda: rv.System.load(5),
    lambda: P.create(BOARD, None), lambda: P.restore(BOARD, None), lambda: P.create(BOARD, "tuner"), lambda: P.remove(BOARD, ["modem"]),
    lambda: P.diff(BOARD, BOARD, vm=["modem"]), lambda: P.export(BOARD, ["xen"]), lambda: P.read(5), lambda: P.read({"a.cfg": "x"}, format=["xen"]),
    lambda: P.create(BOARD, TUNER).changes("now"), lambda: P.create(BOARD, TUNER).changes(-1), lambda: P.create(BOARD, TUNER).changes(True),
    lambda: P.hand_over(BOARD, 5, "drivers", "android"), lambda: P.hand_over(BOARD, "ufs", ["drivers"], "android"),
    lambda: P.hand_over(BOARD, "ufs", "drivers", "nobody"), lambda: P.hand_over(BOARD, "ufs", "nobody", "nobody"),
    lambda: P.hand_over(BOARD, "ufs", "drivers", "android", along="all"), lambda: P.recontract(P.bench(), ["rtds"]),
    lambda: P.recontract(P.bench().replace(vms=[]), "arinc653"), lambda: P.isolation(P.bench(), "android", configurations=5),
    lambda: P.isolation(P.bench(), "android", misbehaviours=[["bursts"]]), lambda: P.isolation(P.bench(), "android", configurations=[]),
    lambda: P.transition(BOARD, BOARD.replace(memory=BOARD.memory[:0])), lambda: P.transition(BOARD, BOARD.replace(devices=())),
]


@pytest.mark.parametrize("ask", NO_BOARD)
@pytest.mark.parametrize("given", [5, "phone", None])
def test_what_is_no_board_is_refused(ask, given):
    with pytest.raises(rv.SpecError) as error:
        ask(given)
    assert all(problem.field and problem.allowed and problem.fix for problem in error.value.problems)


@pytest.mark.parametrize("ask", OTHERS)
def test_other_nonsense_is_refused(ask):
    with pytest.raises(rv.SpecError) as error:
        ask()
    assert all(problem.field and problem.allowed and problem.fix for problem in error.value.problems)
