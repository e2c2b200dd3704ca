"""Bad input, by the thousand: always a clear error or a valid run; never a crash, a hang or silent nonsense."""

from __future__ import annotations

import gzip
import random
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
from real.binary_writer import write_binary

import rtvirt as rv
from rtvirt import xentrace
from rtvirt.jit import DISABLED
from rtvirt.units import ms, us

ROOT = Path(__file__).parents[2]
NONSENSE = ["-1", "0", "1e400", "99999999999999999999", "999999999999", "null", "true", "[]", "{}", "forever", "5 ms", ".nan"]


def explained(error: rv.SpecError) -> bool:
    """Does every problem say where, what would do, and how to mend it?"""
    return bool(error.problems) and all(p.field and p.allowed and p.fix for p in error.problems)


def mutate(rnd: random.Random, text: str) -> str:
    """A few characters, words or lines changed."""
    for _ in range(rnd.randint(1, 3)):
        kind, lines = rnd.randrange(5), text.splitlines()
        if not text.split():
            return "a"
        if kind == 0:
            at = rnd.randrange(len(text))
            text = text[:at] + rnd.choice("0123456789-:{}[]&*!#'\",\n\t azé\u0000") + text[at + rnd.randint(0, 2):]
        elif kind == 1:
            del lines[rnd.randrange(len(lines))]
            text = "\n".join(lines)
        elif kind == 2:
            lines.insert(rnd.randrange(len(lines)), rnd.choice(lines))
            text = "\n".join(lines)
        elif kind == 3:
            word = rnd.choice(text.split())
            text = text.replace(word, rnd.choice(NONSENSE), 1)
        else:
            at = rnd.randrange(len(text))
            text = text[:at]
    return text or "a"


def test_mutated_files_are_refused_or_run(seed, long, tmp_path):
    rnd = random.Random(seed)
    texts = [(ROOT / f"data/systems/{name}.yaml").read_text() for name in ("phone", "dashboard", "drone")]
    path, valid = tmp_path / "m.yaml", 0
    for _ in range(10_000 if long else 250):
        path.write_text(mutate(rnd, rnd.choice(texts)), encoding="utf-8")
        try:
            spec = rv.System.load(path)
            rv.simulate(spec, rv.Credit(), ms(5)).check()
            valid += 1
        except rv.SpecError as error:
            assert explained(error)
    assert valid > 0


# -------------------------------------------------------------- arguments

VALUES: list[Any] = [None, True, False, -1, 0, 1, 3, 255, 10**6, 10**9, 2**60, 2**63, 10**30, -2**63, 0.5, 1.0, float("nan"), float("inf"), "",
                     "5 ms", "fp", "x", b"x", [], [0], [-1], [1, 2], [ms(1), ms(2)], ["a"], {}, {"a": 1}, (), object(), int, rv.hog()]


def plausible() -> list[tuple[Any, dict[str, Any]]]:
    """(constructor, arguments that are right)."""
    return [
        (rv.Task, dict(name="t", wcet=ms(1), period=ms(10), deadline=ms(5), jitter=ms(1), offset=ms(2), arrival="periodic", priority=1, vcpu=0)),
        (rv.Task, dict(name="t", releases=[0, ms(3)], actions=[rv.run(ms(1)), rv.block(ms(2)), rv.yield_()])),
        (rv.VM, dict(name="v", tasks=[rv.hog()], vcpus=2, guest="fp", weight=256, cap=50, priority=1, period=ms(10), start=ms(1),
                     affinity=[0], soft_affinity=[0], quantum=ms(10))),
        (rv.Costs, {name: 1_000 for name in rv.Costs.model_fields}),
        (rv.Change, dict(at=ms(2), vm="v", weight=512, cap=30)),
        (rv.Change, dict(at=ms(2), vm="v", state="pause")),
        (rv.Credit, dict(timeslice=ms(5), ratelimit=ms(1), xen="4.22")),
        (rv.RoundRobin, dict(quantum=ms(5))),
        (rv.Credit2, dict(ratelimit=ms(1), xen="4.17", runqueue="cpu", max_cpus=4)),
        (rv.RTDS, dict(xen="4.22", replenish_by="deadline")),
        (rv.VM, dict(name="v", sedf={"period": ms(10), "slice": ms(2)}, bvt={"mcu_advance": 5, "warp": True})),
        (rv.BVT, dict(units="intended", ctx_allow=ms(1))),
        (rv.ARINC653, dict(table=[("v", 0, ms(2))], major_frame=ms(5), later=[(ms(3), rv.ARINC653())])),
        (rv.PollingServers, dict(order="edf")), (rv.PeriodicServers, dict(order="fp")), (rv.DeferrableServers, dict(order="edf")),
        (rv.SporadicServers, dict(order="edf", pieces=3)), (rv.CBS, dict(order="edf", hard=True)),
        (rv.Task, dict(name="t", wcet=ms(1), period=ms(10), budget=ms(2), server_period=ms(10))),
        (rv.simulate, dict(duration=ms(5), seed=1, record="jobs", initial={"credit": {("v", 0): 5}})),
        (rv.System, dict(cpus=1)),
    ]


def attempt(make: Any, arguments: dict[str, Any]) -> None:
    """Build it, and run a system with it."""
    system, scheduler, options = rv.System(vms=[rv.VM("v", tasks=[rv.hog()])]), rv.Credit(), {"duration": ms(5)}
    if make is rv.simulate:
        options = arguments
    else:
        made = make(**arguments)
        if make is rv.Task:
            system = rv.System(vms=[rv.VM("v", tasks=[made])])
            if DISABLED and made.period and made.period < us(1):          # a job a nanosecond: five millions of them, a minute without the JIT
                options = {"duration": us(20)}
        elif make is rv.VM:
            system = rv.System(vms=[made])
        elif make is rv.Costs:
            system = rv.System(vms=system.vms, costs=made)
        elif make is rv.Change:
            system = rv.System(vms=system.vms, changes=[made])
        elif make is rv.System:
            system = made
        else:
            scheduler = made
    rv.simulate(system, scheduler, **options).check()


def test_arguments_are_refused_or_run(seed, long):
    rnd, valid, refused = random.Random(seed), 0, 0
    for _ in range(10_000 if long else 400):
        make, arguments = rnd.choice(plausible())
        for name in rnd.sample(list(arguments), min(len(arguments), rnd.randint(1, 2))):
            arguments[name] = rnd.choice(VALUES)
        try:
            attempt(make, arguments)
            valid += 1
        except rv.SpecError as error:
            assert explained(error), f"{make.__name__}({arguments}): {error}"
            refused += 1
        except Exception as error:
            error.add_note(f"{make.__name__}({arguments})")
            raise
    assert valid > 0 and refused > 0


# -------------------------------------------------------------- traces

WINDOW, PARTS = "E3b_credit_p7w1_2hogs", ("events", "runs", "wakes")


@pytest.fixture(scope="module")
def short_window(tmp_path_factory):
    """Folder of a real window's first 0.2 s, its files small enough to be damaged and read many times."""
    folder, source = tmp_path_factory.mktemp("window"), rv.data.FOLDER / "xen-traces"
    for part in PARTS:
        with gzip.open(source / f"{WINDOW}.{part}.csv.gz", "rt") as file:
            head, *rows = file.read().splitlines()
        column = next(i for i, name in enumerate(head.split(",")) if name in ("t_ns", "start_ns", "wake_ns"))
        rows = [row for row in rows if int(row.split(",")[column]) < 200_000_000]
        (folder / f"{part}.csv").write_text("\n".join([head, *rows]) + "\n")
    shutil.copy(source / "experiments.csv", folder)
    return folder


def read_or_refuse(read: Any) -> bool:
    """Could a trace be read and replayed? If not, the error must be explained."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            window = read()
            rv.simulate(window.system(), rv.Credit(), min(window.duration, ms(200))).check()
            return True
        except rv.SpecError as error:
            assert explained(error)
            return False


def test_damaged_windows_are_refused_or_read(seed, long, short_window, tmp_path):
    rnd, read = random.Random(seed), 0
    texts = {part: (short_window / f"{part}.csv").read_text() for part in PARTS}
    shutil.copy(short_window / "experiments.csv", tmp_path)
    for _ in range(1_000 if long else 25):
        hit = rnd.choice(PARTS)
        for part in PARTS:
            text = mutate(rnd, texts[part]) if part == hit else texts[part]
            (tmp_path / f"{WINDOW}.{part}.csv.gz").write_bytes(gzip.compress(text.encode(), 1))
        read += read_or_refuse(lambda: xentrace.load(tmp_path, WINDOW))
    assert read > 0


def test_damaged_binary_traces_are_refused_or_read(seed, long, short_window, tmp_path):
    import pandas as pd

    rnd, read, path = random.Random(seed), 0, tmp_path / "own.bin"
    write_binary(path, pd.read_csv(short_window / "events.csv", keep_default_na=False), 2_394_230_000)
    whole = path.read_bytes()
    for _ in range(1_000 if long else 25):
        damaged = bytearray(whole)
        for _ in range(rnd.randint(1, 4)):
            damaged[rnd.randrange(len(damaged))] = rnd.choice([0, 1, 0x7F, 0x80, 0xFF, rnd.randrange(256)])
        path.write_bytes(bytes(damaged[:rnd.randrange(len(damaged))] if rnd.random() < 0.3 else damaged))
        read += read_or_refuse(lambda: xentrace.read_binary(path, hz=2_394_230_000))
    assert read > 0


HEAD = """name: b
clusters: [{name: c, core: A53, isa: aarch64, cpus: [0]}]
irqchip: {name: g, model: gic-v2, lines: 64}
"""
VM = HEAD + "vms: [{name: a, id: 1, architecture: aarch64, %s}]\n"
ATTACKS = {         # each took from half a minute to hours, or ended in a traceback
    "brackets": (HEAD + "vms: " + "[" * 50_000, "deep nesting"),
    "digits": (HEAD + "revision: " + "9" * 900_000, "characters at most"),
    "hexadecimal digits": (HEAD + "revision: 0x" + "f" * 900_000, "characters at most"),
    "sexagesimal digits": (HEAD + "revision: 1" + ":1" * 400_000, "characters at most"),
    "unknown fields": (HEAD + "".join(f"x{k}: 1\n" for k in range(20_000)), "19000 mistakes more"),
    "wrong lines": (VM % f"irqs: [{'{line: 9999},' * 20_000}]", "19000 mistakes more"),
    "windows": (VM % f"memory: [{','.join(f'{{name: m{k}, guest: {k}, phys: 0, size: 1}}' for k in range(9_000))}]", "at most 2000"),
    "tasks": (VM % f"tasks: [{','.join(f'{{name: t{k}, wcet: 1, period: {k + 9}}}' for k in range(9_000))}]", "at most 2000"),
    "VMs": (HEAD + "vms:\n" + "".join(f"- {{name: v{k}, id: {k}, architecture: aarch64}}\n" for k in range(9_000)), "at most 128"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_boards_are_refused(attack, tmp_path):
    text, said = ATTACKS[attack]
    (tmp_path / "b.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(rv.SpecError, match=said) as error:
        rv.platform.load(tmp_path / "b.yaml")
    assert explained(error.value) and all(problem.where for problem in error.value.problems)


def test_as_much_as_a_board_may_have_is_checked(tmp_path):
    windows = ",".join(f"{{name: m{k}, guest: 0, phys: 0, size: 4096}}" for k in range(2_000))
    (tmp_path / "b.yaml").write_text(VM % f"memory: [{windows}]", encoding="utf-8")
    found = rv.platform.check(rv.platform.load(tmp_path / "b.yaml"))
    assert {"memory-guest", "memory-overlap", "memory-place"} <= found.rules and len(found) < 10_000
