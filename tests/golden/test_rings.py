"""The golden scenarios of docs/xen-rules.md 10.7 that are arithmetic of rings, and the wrap at 2^32, compiled and not.

Whole systems are in test_io.py. The oracle here counts without bounds, and asks of each message by its number.
"""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtvirt.engine import rings
from rtvirt.jit import DISABLED
from rtvirt.system import SplitDriver
from rtvirt.xentrace.interpreted import interpreted

WRAP = 2**32
NAMES = ("must_tell", "event_after", "free_slots", "unconsumed")


@pytest.fixture(scope="module", params=["compiled", "plain"])
def ring(request) -> Any:
    """The kernels as Python functions."""
    if request.param == "plain":
        return interpreted("engine.rings")
    if DISABLED:
        pytest.skip("nothing is compiled")
    return SimpleNamespace(**{name: callable_from_python(getattr(rings, name)) for name in NAMES})


def callable_from_python(kernel: Any) -> Any:
    """A kernel has no wrapper of its own: only kernels call it."""
    import numba

    if kernel.py_func.__code__.co_argcount == 3:
        return numba.njit("(int64, int64, int64)")(lambda a, b, c: kernel(a, b, c))
    return numba.njit("(int64, int64, int64, int64)")(lambda a, b, c, d: kernel(a, b, c, d))


# ------------------------------------------------------------------ by hand


def test_G_I_03_five_at_once_on_a_fresh_ring_are_one_notify(ring):
    assert ring.must_tell(0, 5, 1)
    assert not any(ring.must_tell(old, old + 1, 1) for old in range(5, 50))           # until the consumer asks again


def test_G_I_04_after_the_final_check_the_next_push_notifies(ring):
    assert ring.event_after(5, 1, 0) == 6
    assert ring.must_tell(5, 6, 6) and not ring.must_tell(6, 7, 6)


def test_G_I_06_a_push_over_the_wrap_is_told_of_only_if_it_was_asked_for(ring):
    assert not ring.must_tell(0xFFFFFFFE, 2, 0xFFFFFFF0)
    asked = [event for event in range(0xFFFFFFF0, 0xFFFFFFF0 + 32) if ring.must_tell(0xFFFFFFFE, 2, event % WRAP)]
    assert [event % WRAP for event in asked] == [0xFFFFFFFF, 0, 1, 2]


def test_G_I_07_half_of_the_window_is_silent(ring):
    assert ring.event_after(10, 0, 30 - 10) == 21
    assert [new for new in range(11, 31) if ring.must_tell(new - 1, new, 21)] == [21]


def test_G_I_08_a_push_across_the_event_index_notifies(ring):
    assert ring.must_tell(18, 23, 21)
    assert [(old, old + 5) for old in range(10, 26) if ring.must_tell(old, old + 5, 21)] == [(old, old + 5) for old in range(16, 21)]


def test_G_I_09_too_few_responses_never_notify(ring):
    assert not any(ring.must_tell(old, new, 21) for old, new in combinations(range(10, 16), 2))


def test_G_I_10_sizes_of_rings():
    """The largest power of two of slots of 112 bytes (8 and 12 for a network device) that fit into a page (8.1.2)."""
    fits = {slot: 2**(((4096 - 64) // slot).bit_length() - 1) for slot in (8, 12, 112)}
    net, disk = (SplitDriver("d", kind=kind, driver="dom0", frontend="guest").slots for kind in ("net", "block"))
    assert (net, disk) == (256, 32) and fits == {8: net, 12: net, 112: disk}


def test_G_I_11_a_full_ring(ring):
    assert ring.free_slots(32, 40, 8) == 0 == ring.free_slots(32, 16, WRAP - 16)
    assert ring.free_slots(32, 40, 9) == 1 and ring.free_slots(32, 8, 8) == 32


def orders(producer: list[Any], consumer: list[Any]) -> list[list[Any]]:
    """All ways in which two may take turns."""
    count, found = len(producer) + len(consumer), []
    for places in combinations(range(count), len(producer)):
        ours, theirs = iter(producer), iter(consumer)
        found.append([next(ours) if i in places else next(theirs) for i in range(count)])
    return found


@pytest.mark.parametrize("first", [5, WRAP - 1])
@pytest.mark.parametrize("looks_again", [True, False])
def test_G_I_12_who_looks_again_after_asking_misses_nothing(ring, first, looks_again):
    """Publish, then read whether to tell; look, ask, look again: in every order the message is found or told of. Without the second look it
    is lost in one: published and judged between look and asking."""
    lost = 0
    for order in orders(["publish", "tell"], ["look", "ask", "look"][:3 if looks_again else 2]):
        prod, cons, event, seen = first, first, first, False         # the consumer was told of message `first`, and has taken it
        for step in order:
            if step == "publish":
                prod = (prod + 1) % WRAP
            elif step == "tell":
                seen |= bool(ring.must_tell(first, prod, event))
            elif step == "look":
                seen |= prod != cons
            else:
                event = ring.event_after(cons, 1, 0)
        lost += not seen
    assert lost == (0 if looks_again else 1)


# ------------------------------------------------------------------ against an oracle that counts without bounds

STARTS = st.one_of(st.integers(0, WRAP - 1), st.integers(WRAP - 40, WRAP + 40).map(lambda n: n % WRAP))


@settings(max_examples=100, deadline=None)
@given(STARTS, st.integers(0, 2**15), st.integers(-2**31, 2**31))
def test_a_push_is_told_of_iff_it_brings_the_message_asked_for(ring, old, count, ahead):
    asked = old + ahead
    assert bool(ring.must_tell(old, (old + count) % WRAP, asked % WRAP)) == (old < asked <= old + count)


@settings(max_examples=100, deadline=None)
@given(STARTS, st.integers(1, 2**15 - 1), st.integers(0, 2**15))
def test_a_later_message_or_half_of_what_is_outstanding_is_asked_for(ring, cons, after, outstanding):
    assert ring.event_after(cons, after, outstanding) == (cons + after) % WRAP
    asked = (ring.event_after(cons, 0, outstanding) - cons) % WRAP
    assert 2 * (asked - 1) <= outstanding < 2 * asked


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from([1, 2, 32, 256]), st.lists(st.tuples(st.sampled_from("request take answer reap sleep".split()), st.integers(0, 300)),
                                                         max_size=40))
def test_a_ring_at_work_counts_as_one_without_bounds(ring, first, size, steps):
    """Front end and back end, in a random order; the 32-bit ring beside counts that never wrap."""
    requested = taken = answered = reaped = 0                        # in all
    req_prod = req_cons = rsp_prod = rsp_cons = first                # 32-bit indices
    asked, event = 1, ring.event_after(first, 1, 0)                  # number of the request that the back end wants to be told of
    for what, number in steps:
        if what == "request":
            number = min(number, size - (requested - reaped))
            new = (req_prod + number) % WRAP
            assert bool(ring.must_tell(req_prod, new, event)) == (requested < asked <= requested + number)
            requested, req_prod = requested + number, new
        elif what == "take":
            number = min(number, requested - taken)
            taken, req_cons = taken + number, (req_cons + number) % WRAP
        elif what == "answer":
            number = min(number, taken - answered)
            answered, rsp_prod = answered + number, (rsp_prod + number) % WRAP
        elif what == "reap":
            number = min(number, answered - reaped)
            reaped, rsp_cons = reaped + number, (rsp_cons + number) % WRAP
        else:
            asked, event = taken + 1 + number, ring.event_after(req_cons, 1 + number, 0)
        assert ring.free_slots(size, req_prod, rsp_cons) == size - (requested - reaped)
        assert ring.unconsumed(size, req_prod, req_cons, rsp_prod) == requested - taken


@settings(max_examples=100, deadline=None)
@given(STARTS, st.sampled_from([1, 32, 256]), st.data())
def test_a_front_end_that_lies_fills_no_more_than_the_ring(ring, cons, size, data):
    """Whatever index it writes, the back end sees no more requests than there are slots without one that it still works on (8.1.8)."""
    in_work, claimed = data.draw(st.integers(0, size)), data.draw(st.integers(0, WRAP - 1))
    seen = ring.unconsumed(size, (cons + claimed) % WRAP, cons, (cons - in_work) % WRAP)
    assert seen == min(claimed, size - in_work)
