"""Pictures of messages: lanes, arrows and bars are what the table says."""

from __future__ import annotations

import pandas as pd
import pytest

import rtvirt as rv
from rtvirt.system.devices import CAUSES
from rtvirt.units import ms, us

READER = rv.Task("reader", period=ms(10), actions=[rv.request("disk0.read")])


@pytest.fixture(scope="module")
def run():
    """A VM that receives packets and reads blocks."""
    vms = [rv.VM("front", tasks=[rv.Task("react", arrival="channel", wcet=us(50)), READER]), rv.VM("dom0", control=True),
           rv.VM("hog", tasks=[rv.hog()])]
    devices = [rv.SplitDriver("net0", driver="dom0", frontend="front", rx=rv.Arrivals(ms(7)), into="react"),
               rv.SplitDriver("disk0", kind="block", driver="dom0", frontend="front", submit=us(20), serve=us(30), receive=us(40), device=us(200))]
    return rv.simulate(rv.System(vms=vms, devices=devices), rv.Credit(), ms(100))


def drawn(ax, label):
    """Lines of a kind."""
    return [line for line in ax.get_lines() if line.get_label() == label]


@pytest.mark.parametrize(("path", "lanes", "names"), [
    ("net0.rx", ["front", "dom0", "hog"], ["nic", "netback", "netfront", "react"]),
    ("disk0.read", ["dom0.disk0", "front", "dom0", "hog"], ["submit", "blkback", "disk", "done", "blkfront"])])
def test_a_timeline_has_a_lane_for_each_place_and_an_arrow_for_each_change(run, path, lanes, names):
    ax = rv.plots.path_timeline(run, path, 2)
    assert [label.get_text() for label in ax.get_yticklabels()] == lanes
    assert [text.get_text() for text in ax.texts if text.get_text()] == names
    places = [lanes.index(place) for place in {"net0.rx": ["dom0", "dom0", "front", "front"],
                                               "disk0.read": ["front", "dom0", "dom0.disk0", "dom0", "front"]}[path]]
    arrows = [text for text in ax.texts if not text.get_text()]
    assert [int(arrow.xy[1]) for arrow in arrows] == [b for a, b in zip(places, places[1:], strict=False) if a != b]
    assert [line.get_ydata()[0] for line in drawn(ax, "_waits")] == places


def test_a_timeline_is_as_long_as_the_message_took(run):
    row = run.paths["disk0.read"].set_index("message").loc[2]
    ax = rv.plots.path_timeline(run, "disk0.read", 2)
    assert ax.get_xlabel().endswith("[us]")
    assert max(bar.get_x() + bar.get_width() for bar in ax.patches if hasattr(bar, "get_width")) == pytest.approx(row["total"] / 1e3, rel=0.01)
    assert drawn(ax, "_waits")[0].get_xdata()[0] == 0


def test_bars_of_causes_add_up_to_the_mean(run):
    table = run.paths["net0.rx"]
    ax = rv.plots.causes({"all": table, "slowest": table}, slowest=0.2)
    for row in (0, 1):
        length = sum(bar.get_width() for bar in ax.patches if round(bar.get_y() + bar.get_height() / 2) == row)
        assert length == pytest.approx(table["total"].nlargest(3).mean() / 1e3)      # a fifth of 15
    assert len(table[table["total"] >= 0]) == 15


def test_causes_have_different_looks():
    rows = pd.DataFrame([dict.fromkeys(CAUSES, 1_000) | {"total": 8_000}, dict.fromkeys(CAUSES, 9) | {"total": -1}])
    ax = rv.plots.causes({"one of each": rows})
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in ax.patches}) == len(CAUSES)
    assert [text.get_text().strip() for text in ax.texts] == ["8.0"]                  # the message that did not arrive is left out
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [cause.replace("_", " ") for cause in CAUSES]


def test_what_cannot_be_drawn_is_refused(run):
    nothing = run.paths["net0.tx"]
    for draw, words in ((lambda: rv.plots.path_timeline(run, "net0.rx", 999), "a delivered message"),
                        (lambda: rv.plots.causes({"a": nothing}), "a delivered message in each"),
                        (lambda: rv.plots.causes({}, slowest=0), "a share"), (lambda: rv.plots.tradeoff({}, xlabel="x", ylabel="y"), "settings")):
        with pytest.raises(rv.SpecError, match=words):
            draw()
    with pytest.raises(KeyError, match=r"net0\.rx"):
        rv.plots.path_timeline(run, "net9.rx", 0)


def test_a_tradeoff_goes_through_its_settings_in_order():
    ax = rv.plots.tradeoff({"a": [("1", 5.0, 0.1), ("2", 4.0, 1.0)], "b": [("x", 3.0, 2.0)]}, xlabel="x", ylabel="y")
    assert [list(line.get_xdata()) for line in ax.get_lines()] == [[5.0, 4.0], [3.0]]
    assert [text.get_text() for text in ax.texts] == ["1", "2", "x"] and ax.get_yscale() == "log"
