"""Pictures that notebook 2 needs: what is drawn is what was given, and what cannot be drawn is refused in words."""

from __future__ import annotations

import pytest

import rtvirt as rv


def test_bars_are_as_long_as_their_numbers():
    ax = rv.plots.bars({"a": 2.0, "b": 40.0}, xlabel="us", marked=["b"], log=True)
    assert [bar.get_width() for bar in ax.patches] == [2.0, 40.0]
    assert [bar.get_hatch() or "" for bar in ax.patches] == ["", "//"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]                      # the first is on top


def test_the_border_is_where_both_cost_the_same():
    found = rv.traps.crossover("hardware_assist", "binary_translation", "p4-672", x="page_fault", y="system_call", points=50)
    line = rv.plots.crossover(found, others={"twice": found}).get_lines()[0]
    x, y = (values[-1] for values in line.get_data())
    assert found.per_x * x + found.per_y * y == pytest.approx(0, abs=1e-3)


def test_where_one_is_never_dearer_there_is_no_border():
    found = rv.traps.crossover("trap_and_emulate", "binary_translation", "p4-672", x="interrupt_mask", y="register_read", points=50)
    ax = rv.plots.crossover(found)
    assert not ax.get_lines() and [text.get_text() for text in ax.texts] == ["binary translation\nis cheaper"]


def test_two_numbers_multiply_to_the_cost():
    costs = {name: rv.traps.cost(*where, "hypercall") for name, where in
             {"Xen": ("paravirtual", "xeon-5540"), "seL4": ("microkernel", "sel4-a57"), "nested": ("nested", "turtles")}.items()}
    points = [line for line in rv.plots.two_numbers(costs).get_lines() if line.get_marker() in ("o", "s")]
    assert [float(line.get_xdata()[0] * line.get_ydata()[0]) for line in points] == pytest.approx([one.cycles for one in costs.values()])
    assert [line.get_marker() for line in points] == ["o", "s", "o"]


def test_points_lie_where_they_were_measured():
    ax = rv.plots.held_against([1, 10], {"f": [2, 20]}, {"f": [2, 21]}, xlabel="n", ylabel="cycles")
    assert [list(line.get_ydata()) for line in ax.get_lines()] == [[2, 20], [2, 21]]


@pytest.mark.parametrize(("draw", "words"), [
    (lambda: rv.plots.bars({}, xlabel="x"), "one value or more"),
    (lambda: rv.plots.bars({"a": -1.0}, xlabel="x"), "at least 0"),
    (lambda: rv.plots.bars({"a": 0.0}, xlabel="x", log=True), "above 0"),
    (lambda: rv.plots.bars({"a": 1.0}, xlabel="x", marked=["b"]), "mark bars that are there"),
    (lambda: rv.plots.two_numbers({}), "one cost or more"),
    (lambda: rv.plots.two_numbers({"n": rv.traps.cost("static_partitioning", "rocket", "interrupt")}), "costs nothing"),
    (lambda: rv.plots.held_against([1, 2], {"f": [1]}, {}, xlabel="x", ylabel="y"), "2 values each"),
    (lambda: rv.plots.held_against([1], {"f": [1]}, {"g": [1]}, xlabel="x", ylabel="y"), "a formula for each"),
])
def test_what_cannot_be_drawn_is_refused(draw, words):
    with pytest.raises(rv.SpecError, match=words):
        draw()
