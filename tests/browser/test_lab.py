"""JupyterLab in a headless browser: a notebook opens, runs, and shows its pictures; the explorer obeys the keyboard.

Sentence, pictures and notes reach the page as messages of their own, in an order that is nobody's promise. So nothing is claimed of the
page at one instant: `expect` and `until` wait for what must come true.
"""

from __future__ import annotations

import re

import pytest
from lab_browser import (
    BOXES,
    CURVES,
    EXPLORER,
    FRONT,
    SENTENCE,
    STACKS,
    TAIL,
    TIMELINE,
    WALK,
    browse,
    drag,
    drop_to_findings,
    expect,
    key_to_pictures,
    open_notebook,
    open_scratch,
    run_cell,
    serve,
    summary,
    until,
)

from rtvirt.explorers import credit


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Address of a JupyterLab on a copy of the notebooks, and that copy's folder."""
    folder = tmp_path_factory.mktemp("lab")
    with serve(folder) as address:
        yield address, folder


@pytest.fixture(scope="module")
def page(lab):
    """A notebook of one cell in a browser that may not ask for anything beyond this machine."""
    with browse(lab[0]) as tab:
        open_scratch(tab, *lab)
        yield tab


@pytest.fixture()
def explorer(page):
    """The credit explorer, the handle of its period slider focused."""
    run_cell(page, EXPLORER, f"{TAIL}[data-frame]")
    page.wait_for_selector(f"{TIMELINE}[data-frame]")
    page.locator(".noUi-handle").nth(1).focus()
    return page


def shows_corner(page, canvas, condition):
    """Wait until the colour of a canvas's corner, `rgb`, meets a condition in JavaScript."""
    until(page, f"() => {{ const rgb = document.querySelector('{canvas}').getContext('2d').getImageData(2, 2, 1, 1).data.slice(0, 3); "
                f"return {condition}; }}")


def picture(page, canvas):
    """A canvas's pixels, as text."""
    return page.evaluate("(css) => document.querySelector(css).toDataURL()", canvas)


def views(page):
    """From when to when [ns] each timeline shows."""
    return page.evaluate(f"[...document.querySelectorAll('{TIMELINE}')].map((c) => [Number(c.dataset.from), Number(c.dataset.to)])")


def press(page, key):
    """Press a key that moves every timeline; where they show from and to afterwards."""
    before = views(page)
    page.keyboard.press(key)
    until(page, f"(before) => [...document.querySelectorAll('{TIMELINE}')].every((c, at) => "
                "Number(c.dataset.from) !== before[at][0] || Number(c.dataset.to) !== before[at][1])", before)
    return views(page)


def test_first_notebook_runs(page, lab):
    """As a person would: the notebook's address, the menu."""
    tab = page.context.new_page()
    open_notebook(tab, lab[0], "00-start-here.ipynb", ".jp-OutputArea-output img")
    expect(tab.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
    tab.close()


def test_timeline_obeys_the_keyboard(page):
    """Zoom and pan happen in the browser, and the notebook does not take the keys for itself."""
    run_cell(page, "from rtvirt.explorers import credit, timeline\ntimeline(credit.compute(credit.Params()))", f"{TIMELINE}[data-frame]")
    page.locator(TIMELINE).focus()
    first, drawn = views(page), picture(page, TIMELINE)
    assert first == [[0, 300e6]]
    [zoomed], drawn_zoomed = press(page, "+"), picture(page, TIMELINE)
    assert zoomed[1] - zoomed[0] == pytest.approx(0.7 * 300e6) and drawn_zoomed != drawn
    [panned] = press(page, "ArrowRight")
    assert panned[0] > zoomed[0] and panned[1] - panned[0] == pytest.approx(zoomed[1] - zoomed[0]) and picture(page, TIMELINE) != drawn_zoomed
    assert press(page, "Home") == [[0, 2e9]]
    assert press(page, "0") == first and picture(page, TIMELINE) == drawn
    expect(page.locator(TIMELINE)).to_have_attribute("aria-label", re.compile("^Timeline of 2 s on 1 pCPU."))


def test_flips_obey_the_keyboard(page):
    """Arrow keys in a list belong to the list, not to the notebook; the sheet follows."""
    run_cell(page, "from rtvirt.explorers import flip\nflip.explorer(opcode='NOP')", ".rtvirt-sheet[data-frame]")
    page.wait_for_selector("select[data-lm-suppress-shortcuts]")
    page.locator(".jupyter-widgets select").nth(1).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(SENTENCE)).to_have_text(re.compile("^LDI traps"))
    page.keyboard.press("ArrowUp")
    expect(page.locator(SENTENCE)).to_have_text(re.compile("^NOP traps"))
    page.locator(".jupyter-widgets select").nth(3).focus()
    print("\n" + summary(key_to_pictures(page, 6, {"sheet of theorems": ".rtvirt-sheet"})))
    expect(page.locator(".rtvirt-sheet")).to_contain_text("control-sensitive")


def test_explorer_obeys_the_keyboard(explorer):
    sentence, tail = explorer.locator(SENTENCE).inner_text(), explorer.locator(TAIL).get_attribute("aria-label")
    print("\n" + summary(key_to_pictures(explorer, 11)))
    expect(explorer.locator(SENTENCE)).not_to_have_text(sentence)
    expect(explorer.locator(TAIL)).not_to_have_attribute("aria-label", tail)


def test_a_held_key_ends_at_its_last_value(explorer):
    """Keys that come faster than pictures: values in between may be left out, the last may not."""
    for _ in range(25):
        explorer.keyboard.press("ArrowRight")
    params = credit.Params(period=credit.Params().period + 25)
    scene = credit.Scene()
    said = scene.update(credit.compute(params))
    expect(explorer.locator(SENTENCE)).to_have_text(said)
    expect(explorer.locator(TAIL)).to_have_attribute("aria-label", scene.tail.picture["label"])


def test_explorer_says_what_cannot_be_moved(explorer):
    """Under Xen 3.1 slice and ratelimit are fixed: the handles are off, and words beside them say why."""
    explorer.locator(".jupyter-widgets select >> nth=0").select_option("3.1")
    expect(explorer.locator(".noUi-target[disabled]")).to_have_count(2)
    expect(explorer.locator(".rtvirt-note:visible")).to_have_text([re.compile("30 ms"), re.compile("no ratelimit")])
    explorer.locator(".jupyter-widgets select >> nth=0").select_option("4.17")
    expect(explorer.locator(".noUi-target[disabled]")).to_have_count(0)
    expect(explorer.locator(".rtvirt-note:visible")).to_have_count(0)


def test_explorer_says_errors_in_words(explorer):
    """A ratelimit beyond the time slice: words, pictures greyed; and back."""
    explorer.locator(".noUi-handle").nth(6).focus()          # the time slice, down to its least
    explorer.keyboard.press("Home")
    explorer.locator(".noUi-handle").nth(7).focus()          # the ratelimit, up beyond it
    explorer.keyboard.press("End")
    explorer.wait_for_selector(".rtvirt-stale")
    expect(explorer.locator(SENTENCE)).to_contain_text("cannot be run")
    explorer.keyboard.press("Home")
    expect(explorer.locator(".rtvirt-stale")).to_have_count(0)


def test_pictures_follow_the_dark_theme(explorer):
    for canvas in (TAIL, TIMELINE):
        shows_corner(explorer, canvas, "Math.min(...rgb) > 200")
    explorer.locator("text=Settings >> nth=0").click()
    explorer.locator("text=Theme >> nth=0").hover()
    explorer.locator("text=JupyterLab Dark >> nth=0").click()
    until(explorer, "document.body.dataset.jpThemeLight === 'false'")
    for canvas in (TAIL, TIMELINE):
        shows_corner(explorer, canvas, "Math.max(...rgb) < 60")


def test_monitor_explorer_obeys_the_keyboard(page):
    """Page down goes to where the monitor comes in; another monitor changes the strip; the slider moves the picture."""
    run_cell(page, "from rtvirt.explorers import monitor\nmonitor.explorer(position=100)", f"{WALK}[data-frame]")
    expect(page.locator(WALK)).to_have_attribute("data-position", "100")
    page.locator(WALK).focus()
    page.keyboard.press("PageDown")
    expect(page.locator(WALK)).not_to_have_attribute("data-position", "100")
    expect(page.locator(SENTENCE)).to_contain_text("trap")
    expect(page.locator(".rtvirt-here")).to_contain_text("▶")
    page.locator(".jupyter-widgets select >> nth=1").select_option("hybrid")       # a run as long as the other: only its colours differ
    expect(page.locator(WALK)).to_have_attribute("data-lanes", "directly reflected interpreted")
    page.locator(".noUi-handle").last.focus()
    print("\n" + summary(key_to_pictures(page, 11, {"walk": WALK})))


def test_two_timelines_move_together(page):
    """A key in one timeline pans the other as well, without the kernel; M goes to the next miss; a list changes one side only."""
    run_cell(page, "from rtvirt.explorers import schedulers\nschedulers.explorer()", f"{TIMELINE}[data-frame]")
    expect(page.locator(f"{TIMELINE}[data-frame]")).to_have_count(2)
    page.locator(TIMELINE).first.focus()
    before = views(page)
    press(page, "+")
    after = press(page, "ArrowRight")
    assert before[0] == before[1] != after[0] == after[1]
    missed = press(page, "m")
    assert missed[0] == missed[1] and missed[0][0] > after[0][0]
    page.locator(".jupyter-widgets select >> nth=0").select_option("fixed priority")
    expect(page.locator(".rtvirt-head")).to_have_text([re.compile("^fixed priority"), re.compile("RTDS")])
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"two timelines": TIMELINE})))


def test_supply_and_demand_obey_the_keyboard(page):
    """The budget, held up to where it suffices: the sentence and the picture change."""
    run_cell(page, "from rtvirt.explorers import supply_demand\nsupply_demand.explorer(budget=1.9)", f"{CURVES}[data-frame]")
    expect(page.locator(SENTENCE)).to_contain_text("may be missed")
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"supply and demand": CURVES})))
    expect(page.locator(SENTENCE)).to_contain_text("Every deadline is met")
    expect(page.locator(CURVES)).to_have_attribute("aria-label", re.compile("Every deadline is met"))
    value = "Number(document.querySelector('.noUi-handle').getAttribute('aria-valuetext'))"
    before = page.evaluate(value)
    for _ in range(8):                                       # steps of 0.05, without waiting for pictures: every key counts
        page.keyboard.press("ArrowRight")
    until(page, f"(before) => Math.abs({value} - before - 0.4) < 1e-6", before)


def test_the_shop_obeys_the_keyboard(page):
    """Two customers, two pictures, one bar."""
    run_cell(page, "from rtvirt.explorers import admission\nadmission.explorer(car_budget=0.9, radio_budget=0.6)", f"{CURVES}[data-frame]")
    expect(page.locator(f"{CURVES}[data-frame]")).to_have_count(2)
    bar = page.locator(".rtvirt-bar").get_attribute("aria-label")
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".rtvirt-bar")).not_to_have_attribute("aria-label", bar)
    expect(page.locator(".rtvirt-head")).to_have_count(2)


def test_costs_of_traps_obey_the_keyboard(page):
    """More system calls: longer bars, another side of the border; then a machine where the map is not known."""
    bars, border = ".rtvirt-stacks > canvas", ".rtvirt-border > canvas"
    run_cell(page, "from rtvirt.explorers import traps\ntraps.explorer(system_call=52)", f"{border}[data-frame]")
    expect(page.locator(SENTENCE)).to_contain_text("Binary translation is cheaper")
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 11, {"bars": bars, "border": border})))
    expect(page.locator(SENTENCE)).to_contain_text("Hardware assist (control block) is cheaper")
    expect(page.locator(border)).to_have_attribute("aria-label", re.compile("Hardware assist"))
    page.locator(".jupyter-widgets select >> nth=0").select_option("dell-2650")
    expect(page.locator(bars)).to_have_attribute("aria-label", re.compile("paravirtual"))


def test_a_guests_clock_obeys_the_keyboard(page):
    """Without hogs the guest's clock is right; with each of them it loses more."""
    run_cell(page, "from rtvirt.explorers import clock\nclock.explorer(hogs=0)", f"{TIMELINE}[data-frame]")
    expect(page.locator(SENTENCE)).to_contain_text("has lost 0 ns")
    page.locator(".noUi-handle").first.focus()
    for lost in ("1.51", "1.99", "2.22"):
        page.keyboard.press("ArrowRight")
        expect(page.locator(SENTENCE)).to_contain_text(f"has lost {lost} s")


def test_a_packets_way_obeys_the_keyboard(page):
    """The curve, by arrow keys, picks a slower packet: way, bars and sentence follow; so they do for the slider of ranks."""
    run_cell(page, "from rtvirt.explorers import packet_path\npacket_path.explorer(rank=50.0)", f"{TAIL}[data-frame]")
    page.wait_for_selector(f"{TIMELINE}[data-frame]")
    expect(page.locator(SENTENCE)).not_to_contain_text("longer than 99.9 %")
    way = picture(page, TIMELINE)
    page.locator(TAIL).focus()
    page.keyboard.press("End")
    expect(page.locator(SENTENCE)).to_contain_text("longer than 99.9 %")
    until(page, f"(way) => document.querySelector('{TIMELINE}').toDataURL() !== way", way)
    expect(page.locator(".rtvirt-head")).to_contain_text("4 app")
    expect(page.locator(TAIL)).to_be_focused()
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"way": TIMELINE, "bars": STACKS}, key="ArrowLeft")))


def test_a_bound_obeys_the_keyboard(page):
    """A larger budget, a lower bound; under credit none, and words why."""
    run_cell(page, "from rtvirt.explorers import io_bound\nio_bound.explorer()", f"{TAIL}[data-frame]")
    label = page.locator(TAIL).get_attribute("aria-label")
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"bound": TAIL})))
    expect(page.locator(TAIL)).not_to_have_attribute("aria-label", label)
    expect(page.locator(TAIL)).to_have_attribute("aria-label", re.compile("bound"))
    page.locator(".jupyter-widgets select >> nth=0").select_option("credit")
    expect(page.locator(SENTENCE)).to_have_text(re.compile("^No bound: dom0"))
    expect(page.locator(TAIL)).not_to_have_attribute("aria-label", re.compile("bound"))


def test_a_front_obeys_the_keyboard(page):
    """More share, and a contract that promised nothing promises something: sentence and picture change."""
    run_cell(page, "from rtvirt.explorers import pareto\npareto.explorer(share=10.5)", f"{FRONT}[data-frame]")
    expect(page.locator(SENTENCE)).to_contain_text("promises no response")
    page.locator(".noUi-handle").nth(1).focus()
    print("\n" + summary(key_to_pictures(page, 12, {"front": FRONT})))
    expect(page.locator(SENTENCE)).to_contain_text("promises a response within")
    expect(page.locator(FRONT)).to_have_attribute("aria-label", re.compile("promises a response within"))


def test_a_board_obeys_mouse_and_keyboard(page):
    """A disk is dragged to another VM: findings beside it. Then the keyboard moves it on; the tile keeps the focus; undo puts it back."""
    run_cell(page, "from rtvirt.explorers import board\nboard.explorer()", f"{BOXES}[data-frame]")
    found, focused = page.locator(".rtvirt-findings li"), page.locator("button[data-key]:focus")
    expect(found).to_have_count(0)
    drag(page, "drivers/ufs", "android")
    page.wait_for_selector('button[data-key="android/ufs"].rtvirt-found')
    expect(found).to_have_text([re.compile("there is no IOMMU"), re.compile("→ pass it through to this VM")])
    expect(page.locator('button[data-key="drivers/disk0"]')).to_have_attribute(
        "aria-label", re.compile("Finding 2. Left and right give it to another box$"))
    page.keyboard.press("ArrowRight")
    expect(found).to_have_count(0)
    expect(focused).to_have_attribute("data-key", "drivers/ufs")
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("data-key", "drivers/console")
    print("\n" + summary(drop_to_findings(page, 6, "ufs", ("drivers", "android")), "drop"))
    page.locator("text='as it comes'").click()
    page.wait_for_selector('button[data-key="drivers/ufs"]')
    page.locator(".jupyter-widgets select").nth(0).focus()
    page.keyboard.press("Home")                              # the first board of the list, without the mouse
    expect(page.locator(SENTENCE)).to_have_text(re.compile("^automotive"))
    expect(page.locator("[data-box]")).to_have_count(5)
