"""JupyterLab in a headless browser: a notebook opens, runs, and shows its pictures; the explorer obeys the keyboard."""

from __future__ import annotations

import pytest
from lab_browser import (
    BOXES,
    CURVES,
    FRONT,
    STACKS,
    TAIL,
    TIMELINE,
    WALK,
    browse,
    drag,
    drop_to_findings,
    fresh_explorer,
    key_to_pictures,
    open_explorer,
    open_notebook,
    serve,
    summary,
    write_notebook,
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
    """A page of the browser that may not ask for anything beyond this machine."""
    with browse(lab[0]) as tab:
        yield tab


@pytest.fixture(scope="module")
def explorer_page(page, lab):
    """The page with the credit explorer on it."""
    open_explorer(page, *lab)
    return page


@pytest.fixture()
def explorer(explorer_page):
    """The same page, the explorer made anew."""
    fresh_explorer(explorer_page)
    return explorer_page


def pixel(page, canvas, x=2, y=2):
    """Colour of a pixel of a canvas: (red, green, blue)."""
    return page.evaluate("([css, x, y]) => [...document.querySelector(css).getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3)",
                         [canvas, x, y])


def test_first_notebook_runs(page, lab):
    open_notebook(page, lab[0], "00-start-here.ipynb", ".jp-OutputArea-output img")
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_timeline_obeys_the_keyboard(page, lab):
    """Zoom and pan happen in the browser, and the notebook does not take the keys for itself."""
    write_notebook(lab[1] / "notebooks/timeline.ipynb",
                   "import rtvirt as rv\nfrom rtvirt.explorers import credit\nrv.explorers.timeline(credit.compute(credit.Params()))")
    open_notebook(page, lab[0], "timeline.ipynb", f"{TIMELINE}[data-frame]")
    page.locator(TIMELINE).focus()

    def shown():
        page.wait_for_timeout(150)
        return page.evaluate(f"(() => {{ const c = document.querySelector('{TIMELINE}'); "
                             "return [Number(c.dataset.from), Number(c.dataset.to), c.toDataURL()]; })()")

    first = shown()
    assert first[:2] == [0, 300e6]
    page.keyboard.press("+")
    zoomed = shown()
    assert zoomed[1] - zoomed[0] == pytest.approx(0.7 * 300e6) and zoomed[2] != first[2]
    page.keyboard.press("ArrowRight")
    panned = shown()
    assert panned[0] > zoomed[0] and panned[1] - panned[0] == pytest.approx(zoomed[1] - zoomed[0]) and panned[2] != zoomed[2]
    page.keyboard.press("Home")
    assert shown()[:2] == [0, 2e9]
    page.keyboard.press("0")
    assert shown() == first
    assert page.locator(TIMELINE).get_attribute("aria-label").startswith("Timeline of 2 s on 1 pCPU.")


def test_flips_obey_the_keyboard(page, lab):
    """Arrow keys in a list belong to the list, not to the notebook; the sheet follows."""
    write_notebook(lab[1] / "notebooks/flip.ipynb", "from rtvirt.explorers import flip\nflip.explorer(opcode='NOP')")
    open_notebook(page, lab[0], "flip.ipynb", ".rtvirt-sheet[data-frame]")
    page.wait_for_selector("select[data-lm-suppress-shortcuts]")
    page.locator(".jupyter-widgets select").nth(1).focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.startsWith('LDI traps')")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.startsWith('NOP traps')")
    page.locator(".jupyter-widgets select").nth(3).focus()
    print("\n" + summary(key_to_pictures(page, 6, {"sheet of theorems": ".rtvirt-sheet"})))
    assert "control-sensitive" in page.locator(".rtvirt-sheet").inner_text()


def test_explorer_obeys_the_keyboard(explorer):
    sentence, tail = explorer.locator(".rtvirt-sentence").inner_text(), explorer.locator(TAIL).get_attribute("aria-label")
    times = key_to_pictures(explorer, 11)
    print("\n" + summary(times))
    assert explorer.locator(".rtvirt-sentence").inner_text() != sentence
    assert explorer.locator(TAIL).get_attribute("aria-label") != tail


def test_a_held_key_ends_at_its_last_value(explorer):
    """Keys that come faster than pictures: values in between may be left out, the last may not."""
    for _ in range(25):
        explorer.keyboard.press("ArrowRight")
    params = credit.Params(period=credit.Params().period + 25)
    scene = credit.Scene()
    said = scene.update(credit.compute(params))
    explorer.wait_for_function("(said) => document.querySelector('.rtvirt-sentence').innerText.trim() === said", arg=said)
    explorer.wait_for_function(f"(said) => document.querySelector('{TAIL}').getAttribute('aria-label') === said", arg=scene.tail.picture["label"])


def test_explorer_says_what_cannot_be_moved(explorer):
    """Under Xen 3.1 slice and ratelimit are fixed: the handles are off, and words beside them say why."""
    explorer.locator(".jupyter-widgets select >> nth=0").select_option("3.1")
    explorer.wait_for_function("[...document.querySelectorAll('.noUi-target')].filter((n) => n.hasAttribute('disabled')).length === 2")
    said = explorer.locator(".rtvirt-note:visible").all_inner_texts()
    assert len(said) == 2 and "30 ms" in said[0] and "no ratelimit" in said[1]
    explorer.locator(".jupyter-widgets select >> nth=0").select_option("4.17")
    explorer.wait_for_function("!document.querySelector('.noUi-target[disabled]')")
    assert explorer.locator(".rtvirt-note:visible").count() == 0


def test_explorer_says_errors_in_words(explorer):
    """A ratelimit beyond the time slice: words, pictures greyed; and back."""
    explorer.locator(".noUi-handle").nth(6).focus()          # the time slice, down to its least
    explorer.keyboard.press("Home")
    explorer.locator(".noUi-handle").nth(7).focus()          # the ratelimit, up beyond it
    explorer.keyboard.press("End")
    explorer.wait_for_selector(".rtvirt-stale")
    assert "cannot be run" in explorer.locator(".rtvirt-sentence").inner_text()
    explorer.keyboard.press("Home")
    explorer.wait_for_function("!document.querySelector('.rtvirt-stale')")


def test_pictures_follow_the_dark_theme(explorer):
    assert min(pixel(explorer, TAIL)) > 200 and min(pixel(explorer, TIMELINE)) > 200
    explorer.locator("text=Settings >> nth=0").click()
    explorer.locator("text=Theme >> nth=0").hover()
    explorer.locator("text=JupyterLab Dark >> nth=0").click()
    explorer.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    explorer.wait_for_timeout(1500)
    assert max(pixel(explorer, TAIL)) < 60 and max(pixel(explorer, TIMELINE)) < 60


def test_monitor_explorer_obeys_the_keyboard(page, lab):
    """Page down goes to where the monitor comes in; another monitor changes the strip; the slider moves the picture."""
    write_notebook(lab[1] / "notebooks/monitor.ipynb", "from rtvirt.explorers import monitor\nmonitor.explorer(position=100)")
    open_notebook(page, lab[0], "monitor.ipynb", f"{WALK}[data-frame]")
    page.wait_for_timeout(1000)
    page.locator(WALK).focus()
    page.keyboard.press("PageDown")
    page.wait_for_function(f"document.querySelector('{WALK}').dataset.position !== '100'")
    assert "trap" in page.locator(".rtvirt-sentence").inner_text() and "▶" in page.locator(".rtvirt-here").inner_text()
    page.locator(".jupyter-widgets select >> nth=1").select_option("hybrid")       # a run as long as the other: only its colours differ
    page.wait_for_function(f"document.querySelector('{WALK}').dataset.lanes === 'directly reflected interpreted'")
    page.locator(".noUi-handle").last.focus()
    times = key_to_pictures(page, 11, {"walk": WALK})
    print("\n" + summary(times))


def test_two_timelines_move_together(page, lab):
    """A key in one timeline pans the other as well, without the kernel; M goes to the next miss; a list changes one side only."""
    write_notebook(lab[1] / "notebooks/schedulers.ipynb", "from rtvirt.explorers import schedulers\nschedulers.explorer()")
    open_notebook(page, lab[0], "schedulers.ipynb", f"{TIMELINE}[data-frame]")
    page.wait_for_function(f"document.querySelectorAll('{TIMELINE}[data-frame]').length === 2")
    page.wait_for_timeout(1000)

    def views():
        page.wait_for_timeout(150)
        return page.evaluate(f"[...document.querySelectorAll('{TIMELINE}')].map((c) => [Number(c.dataset.from), Number(c.dataset.to)])")

    page.locator(TIMELINE).first.focus()
    before = views()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    after = views()
    assert before[0] == before[1] != after[0] == after[1]
    page.keyboard.press("m")
    missed = views()
    assert missed[0] == missed[1] and missed[0][0] > after[0][0]
    page.locator(".jupyter-widgets select >> nth=0").select_option("fixed priority")
    page.wait_for_function("document.querySelector('.rtvirt-head').innerText.startsWith('fixed priority')")
    assert "RTDS" in page.locator(".rtvirt-head").last.inner_text()
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"two timelines": TIMELINE})))


def test_supply_and_demand_obey_the_keyboard(page, lab):
    """The budget, held up to where it suffices: the sentence and the picture change."""
    write_notebook(lab[1] / "notebooks/supply.ipynb", "from rtvirt.explorers import supply_demand\nsupply_demand.explorer(budget=1.9)")
    open_notebook(page, lab[0], "supply.ipynb", f"{CURVES}[data-frame]")
    page.wait_for_timeout(1000)
    assert "may be missed" in page.locator(".rtvirt-sentence").inner_text()
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"supply and demand": CURVES})))
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.includes('Every deadline is met')")
    assert "Every deadline is met" in page.locator(CURVES).get_attribute("aria-label")


def test_the_shop_obeys_the_keyboard(page, lab):
    """Two customers, two pictures, one bar."""
    write_notebook(lab[1] / "notebooks/shop.ipynb", "from rtvirt.explorers import admission\nadmission.explorer(car_budget=0.9, radio_budget=0.6)")
    open_notebook(page, lab[0], "shop.ipynb", f"{CURVES}[data-frame]")
    page.wait_for_function(f"document.querySelectorAll('{CURVES}[data-frame]').length === 2")
    page.wait_for_timeout(1000)
    bar = page.locator(".rtvirt-bar").get_attribute("aria-label")
    page.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(before) => document.querySelector('.rtvirt-bar').getAttribute('aria-label') !== before", arg=bar)
    assert page.locator(".rtvirt-head").count() == 2


def test_costs_of_traps_obey_the_keyboard(page, lab):
    """More system calls: longer bars, another side of the border; then a machine where the map is not known."""
    bars, border = ".rtvirt-stacks > canvas", ".rtvirt-border > canvas"
    write_notebook(lab[1] / "notebooks/costs.ipynb", "from rtvirt.explorers import traps\ntraps.explorer(system_call=52)")
    open_notebook(page, lab[0], "costs.ipynb", f"{border}[data-frame]")
    page.wait_for_timeout(1000)
    assert "Binary translation is cheaper" in page.locator(".rtvirt-sentence").inner_text()
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 11, {"bars": bars, "border": border})))
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.includes('Hardware assist (control block) is cheaper')")
    assert "Hardware assist" in page.locator(border).get_attribute("aria-label")
    page.locator(".jupyter-widgets select >> nth=0").select_option("dell-2650")
    page.wait_for_function(f"document.querySelector('{bars}').getAttribute('aria-label').includes('paravirtual')")


def test_a_guests_clock_obeys_the_keyboard(page, lab):
    """Without hogs the guest's clock is right; with each of them it loses more."""
    write_notebook(lab[1] / "notebooks/clock.ipynb", "from rtvirt.explorers import clock\nclock.explorer(hogs=0)")
    open_notebook(page, lab[0], "clock.ipynb", f"{TIMELINE}[data-frame]")
    page.wait_for_timeout(1000)
    assert "has lost 0 ns" in page.locator(".rtvirt-sentence").inner_text()
    page.locator(".noUi-handle").first.focus()
    for lost in ("1.51", "1.99", "2.22"):
        page.keyboard.press("ArrowRight")
        page.wait_for_function("(lost) => document.querySelector('.rtvirt-sentence').innerText.includes(`has lost ${lost} s`)", arg=lost)


def test_a_packets_way_obeys_the_keyboard(page, lab):
    """The curve, by arrow keys, picks a slower packet: way, bars and sentence follow; so they do for the slider of ranks."""
    write_notebook(lab[1] / "notebooks/way.ipynb", "from rtvirt.explorers import packet_path\npacket_path.explorer(rank=50.0)")
    open_notebook(page, lab[0], "way.ipynb", f"{TAIL}[data-frame]")
    page.wait_for_selector(f"{TIMELINE}[data-frame]")
    page.wait_for_timeout(1000)
    sentence, way = page.locator(".rtvirt-sentence").inner_text(), page.evaluate(f"document.querySelector('{TIMELINE}').toDataURL()")
    page.locator(TAIL).focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.includes('longer than 99.9 %')")
    page.wait_for_function(f"(way) => document.querySelector('{TIMELINE}').toDataURL() !== way", arg=way)
    assert page.locator(".rtvirt-sentence").inner_text() != sentence and "4 app" in page.locator(".rtvirt-head").inner_text()
    assert page.locator(TAIL).evaluate("(canvas) => canvas === document.activeElement")
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"way": TIMELINE, "bars": STACKS}, key="ArrowLeft")))


def test_a_bound_obeys_the_keyboard(page, lab):
    """A larger budget, a lower bound; under credit none, and words why."""
    write_notebook(lab[1] / "notebooks/bound.ipynb", "from rtvirt.explorers import io_bound\nio_bound.explorer()")
    open_notebook(page, lab[0], "bound.ipynb", f"{TAIL}[data-frame]")
    page.wait_for_timeout(1000)
    label = page.locator(TAIL).get_attribute("aria-label")
    page.locator(".noUi-handle").first.focus()
    print("\n" + summary(key_to_pictures(page, 6, {"bound": TAIL})))
    page.wait_for_function(f"(before) => document.querySelector('{TAIL}').getAttribute('aria-label') !== before", arg=label)
    assert "bound" in page.locator(TAIL).get_attribute("aria-label")
    page.locator(".jupyter-widgets select >> nth=0").select_option("credit")
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.startsWith('No bound: dom0')")
    assert "bound" not in page.locator(TAIL).get_attribute("aria-label")


def test_a_front_obeys_the_keyboard(page, lab):
    """More share, and a contract that promised nothing promises something: sentence and picture change."""
    write_notebook(lab[1] / "notebooks/front.ipynb", "from rtvirt.explorers import pareto\npareto.explorer(share=10.5)")
    open_notebook(page, lab[0], "front.ipynb", f"{FRONT}[data-frame]")
    page.wait_for_timeout(1000)
    assert "promises no response" in page.locator(".rtvirt-sentence").inner_text()
    page.locator(".noUi-handle").nth(1).focus()
    print("\n" + summary(key_to_pictures(page, 12, {"front": FRONT})))
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.includes('promises a response within')")
    assert "promises a response within" in page.locator(FRONT).get_attribute("aria-label")


def test_a_board_obeys_mouse_and_keyboard(page, lab):
    """A disk is dragged to another VM: findings beside it. Then the keyboard moves it on; the tile keeps the focus; undo puts it back."""
    write_notebook(lab[1] / "notebooks/board.ipynb", "from rtvirt.explorers import board\nboard.explorer()")
    open_notebook(page, lab[0], "board.ipynb", f"{BOXES}[data-frame]")
    page.wait_for_timeout(500)
    assert page.locator(".rtvirt-findings li").count() == 0
    drag(page, "drivers/ufs", "android")
    page.wait_for_selector('button[data-key="android/ufs"].rtvirt-found')
    found = page.locator(".rtvirt-findings li").all_inner_texts()
    assert len(found) == 2 and "there is no IOMMU" in found[0] and "→ pass it through to this VM" in found[1]
    assert page.locator('button[data-key="drivers/disk0"]').get_attribute("aria-label").endswith("Finding 2. Left and right give it to another box")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelectorAll('.rtvirt-findings li').length === 0")
    assert page.evaluate("document.activeElement.dataset.key") == "drivers/ufs"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.key") == "drivers/console"
    print("\n" + summary(drop_to_findings(page, 6, "ufs", ("drivers", "android")), "drop"))
    page.locator("text='as it comes'").click()
    page.wait_for_selector('button[data-key="drivers/ufs"]')
    page.locator(".jupyter-widgets select").nth(0).focus()
    page.keyboard.press("Home")                              # the first board of the list, without the mouse
    page.wait_for_function("document.querySelector('.rtvirt-sentence').innerText.startsWith('automotive')")
    assert page.locator("[data-box]").count() == 5
