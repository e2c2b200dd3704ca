"""Random devices: they fit, survive a file, run, and nothing is lost but what says so. Damaged files with devices: words, or a system."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from test_bad_input import explained, mutate

import rtvirt as rv
from rtvirt.jit import DISABLED
from rtvirt.system.devices import expanded
from rtvirt.units import ms, us

ROOT = Path(__file__).parents[2]
CAUSES = ("driver_wait", "frontend_wait", "suppression", "moderation", "ring", "batching", "shared")
BY_HAND = """\
cpus: 1
vms:
- {name: modem}
- {name: dom0, vcpus: 2, guest: cbs}
devices:
- kind: custom
  name: z
  off: [batching]
  plumbing:
    threads: [{vm: dom0, name: w, batch: 9, order: oldest, period: 1 ms, budget: 1 us}, {vm: modem, name: f}]
    lines: [{name: bus}]
    pools: {p: 3}
    upcalls: {dom0: [5 us, fifo]}
    paths:
    - name: z.rx
      frontend: modem
      pool: p
      pool_until: 1
      slots: 4
      leave: 2
      arrivals: {period: 1 ms, burst: 3}
      stages:
      - {name: a, server: dom0/w, each: 3 us}
      - {name: b, server: bus, each: 1 us}
      - {name: c, server: modem/f, each: 1 us, port: {handler: 1 us}, after: 0, timeout: 5 us}
- {kind: net, name: n, driver: dom0, frontend: modem, backend: tasklets, abi: fifo, entry: 5 us, budget: 5 us, server_period: 1 ms, off: [shared]}
"""


def arrivals(rnd: random.Random) -> rv.Arrivals:
    """Traffic from outside."""
    return rv.Arrivals(us(rnd.choice([100, 300, 1000])), arrival=rnd.choice(["periodic", "poisson", "sporadic"]), burst=rnd.choice([1, 1, 3]))


def streams(rnd: random.Random, guest: str) -> dict[str, Any]:
    """What a back end's threads may have in such a driver VM."""
    if guest == "cbs":
        return rnd.choice([{}, {"budget": us(50), "server_period": us(500)}])
    by_clock = {"poll": us(rnd.choice([200, 700])), "offset": us(10)}
    return {} if guest == "edf" else rnd.choice([{}, {}, {"priority": rnd.choice([1, 3, "inherit"])}, by_clock, {"vcpu": 1}])


def random_device(rnd: random.Random, name: str, frontend: str, guest: str, shared: dict[str, Any]) -> tuple[Any, str]:
    """A device and the path that its guest's tasks submit to."""
    common = {"frontend": frontend, "handler": us(rnd.choice([0, 1])), "into": rnd.choice([None, "sink"]), "capacity": rnd.choice([None, None, 4]),
              "abi": shared["abi"]}
    moderated = {"moderation": us(rnd.choice([50, 300])), "frames": rnd.choice([2, 8, 64])} if rnd.random() < 0.3 else {}
    kind = rnd.choice(["net", "net", "block", "virtio", "hosted", "passthrough", "polled", "emulated"])
    if kind in ("net", "block"):
        own = streams(rnd, guest)
        told = rnd.choice([{}, {"back_after": rnd.choice([0, 2, 4]), "front_after": rnd.choice([0, 8]), "timeout": us(100)}, {"front_after": 0}])
        kinds = {"backend": shared["backend"], "rx": arrivals(rnd)} if kind == "net" else {"reads": rnd.choice([None, arrivals(rnd)])}
        costs = {"device": us(rnd.choice([0, 2, 50])), "complete": us(rnd.choice([0, 3])), "grant_each": 100, "release_each": 50}
        device = rv.SplitDriver(name, kind=kind, driver="dom0", ring=rnd.choice([None, 1, 4]), batch=shared["batch"],
                                **costs, **({} if "poll" in own else moderated), **common, **own, **told, **kinds)
        return device, f"{name}.{'tx' if kind == 'net' else 'read'}"
    common["rx"] = arrivals(rnd)
    if kind == "virtio":
        return rv.VirtioDevice(name, host="dom0", line="virtio", event_idx=rnd.random() < 0.5, serve=us(2), **common, **moderated), f"{name}.tx"
    if kind == "hosted":
        return rv.HostedDevice(name, host="dom0", **common, **moderated), f"{name}.tx"
    if kind == "passthrough":
        return rv.PassThrough(name, injection=rnd.choice(["direct", "trapped"]), **common, **moderated), f"{name}.tx"
    if kind == "emulated":
        return rv.EmulatedDevice(name, accesses=2, rx_accesses=1, **common, **moderated), f"{name}.tx"
    looks = {key: common[key] for key in ("frontend", "into", "capacity", "rx")}
    return rv.PolledDevice(name, period=us(rnd.choice([200, 900])), **looks), f"{name}.tx"


def random_system(rnd: random.Random) -> rv.System:
    """Up to three guests, each with a device; some causes switched off."""
    guest = rnd.choice(["fp", "fp", "cbs", "edf"])
    shared = {"backend": rnd.choice(["tasklets", "kthread", "napi"]), "batch": rnd.choice([None, 1, 4]), "abi": rnd.choice(["2l-2006", "2l", "fifo"])}
    off = rnd.sample(CAUSES, rnd.choice([0, 0, 1, 2]))          # of all devices: what they share they must agree on
    vms, devices = [], []
    for i in range(rnd.randint(1, 3)):
        device, path = random_device(rnd, f"d{i}", f"g{i}", guest, shared)
        send = (rv.request if rnd.random() < 0.3 else rv.submit)(path)
        vms.append(rv.VM(f"g{i}", priority=i + 1, weight=rnd.choice([128, 256, 512]), tasks=[
            rv.Task("sink", arrival="channel", wcet=us(rnd.choice([1, 30])), priority=1),
            rv.Task("io", period=ms(rnd.choice([1, 2])), priority=2, actions=[rv.run(us(5)), send])]))
        devices.append(device.without(*off))
    vms.append(rv.VM("dom0", control=True, vcpus=2, guest=guest, tasks=rnd.choice([[], [rv.hog()]])))
    costs = rv.Costs(hypercall=rnd.choice([0, 220]), interrupt=rnd.choice([0, 300]))
    return rv.System(cpus=rnd.choice([1, 2]), vms=vms, devices=devices, costs=costs)


def test_random_devices_run(seed, long, tmp_path):
    finished = 0
    for i in range(1500 if long else 4 if DISABLED else 12):
        system = random_system(random.Random(f"{seed}/{i}"))
        system.save(tmp_path / "s.yaml")
        assert rv.System.load(tmp_path / "s.yaml") == system, i
        run = rv.simulate(system, rv.Credit(), duration=ms(20))
        run.check()
        for name, messages in run.paths.items():
            assert sorted(messages["message"]) == list(range(len(messages))), (i, name)   # each once, none missing
            done = messages[(messages["total"] >= 0) & (messages["dropped"] == "")]
            stamps = done.filter(regex=r"\.(in|taken|out)$").to_numpy()
            assert (np.diff(stamps, axis=1) >= 0).all(), (i, name)                                # from stage to stage
            finished += len(done)
    assert finished > (100_000 if long else 200)


def test_damaged_files_are_refused_or_read(seed, long, tmp_path):
    texts, path, valid = [(ROOT / "data/systems/gateway.yaml").read_text(), BY_HAND], tmp_path / "m.yaml", 0
    for i in range(10_000 if long else 40):
        rnd = random.Random(f"{seed}/{i}")
        path.write_text(mutate(rnd, rnd.choice(texts)), encoding="utf-8")
        try:
            system = rv.System.load(path)
        except rv.SpecError as error:
            assert explained(error), i
            continue
        valid += 1
        system.save(path)
        assert rv.System.load(path) == system, i
        expanded(system)
    assert valid > (200 if long else 0)
