"""A split network driver: the lives of a packet received and of one sent (docs/xen-rules.md 8.6, 8.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plumbing import NET_SLOTS, Line, Path, Plumbing, Stage, Thread
from .split_threads import hardware_thread, network_threads

if TYPE_CHECKING:
    from ..system import System
    from .split import SplitDriver

SENT_BY = {("tasklets", "flip"): "map", ("tasklets", "copy"): "map", ("kthread", "copy"): "copy", ("napi", "map"): "map", ("napi", "copy"): "copy"}
"""What is done with pages of packets sent (8.2.1)."""


def network(device: SplitDriver, system: System) -> Plumbing:
    """Threads, the wire, and a path for each direction."""
    nic = device.line or "nic"
    back = network_threads(device, system)
    from_wire, to_wire = hardware_thread(device, nic), hardware_thread(device, nic, sends=True)
    front = device.frontend_thread()
    paths = (*([received(device, from_wire, back["rx"], front)] if device.rx else []), sent(device, f"{device.driver}.{nic}", to_wire, back, front))
    used = {stage.server for path in paths for stage in path.stages}
    threads = {thread.key: thread for thread in (from_wire, to_wire, back["rx"], back["tx"], back["release"], front) if thread.key in used}
    pools = {path.pool: device.pool or NET_SLOTS for path in paths if path.pool}
    return Plumbing(tuple(threads.values()), (Line(f"{device.driver}.{nic}"),), paths, pools, device.upcalls(device.driver, device.frontend))


def received(device: SplitDriver, nic: Thread, back: Thread, front: Thread) -> Path:
    """From the NIC's interrupt (R1) through the bridge (R4) and the back end (R5, R6) to the guest's stack (R9)."""
    flip = device.release_each if device.pages == "flip" else 0       # the guest offers a new page for the one it gets
    after = 1 if device.front_after is None else device.front_after
    return Path(f"{device.name}.rx", device.frontend, (
        device.hardware("nic", nic, device.complete),
        Stage("netback", back.key, each=device.cost("serve") + device.grant_each),
        Stage("netfront", front.key, each=device.cost("receive") + flip, port=device.ring_port(front, device.era == "napi"),
              after=after, timeout=device.timeout if after != 1 else None),
    ), arrivals=device.rx, slots=device.slots, enter=1, leave=2, full=device.full or ("drop" if device.era == "tasklets" else "wait"),
        backlog=device.backlog, into=device.receiver(), crash=device.crash or "drop", reconnect=device.reconnect)


def sent(device: SplitDriver, wire: str, nic: Thread, back: dict[str, Thread], front: Thread) -> Path:
    """From the guest's ring (T2) through the back end (T8) to the wire (T10): delivered; then its slot and page come back (T11 to T14)."""
    mapped = SENT_BY[device.era, device.pages] == "map"
    after = device.front_after if device.front_after is not None else 0 if device.era == "tasklets" else 1     # 8.4.5
    bridge = [Stage("bridge", nic.key, each=device.complete)] if device.era != "napi" else []                 # another softirq (8.4.1)
    out = 0 if bridge else device.complete                                                                   # the poll passes it on itself
    release = [Stage("release", back["release"].key, each=device.release_each)] if mapped else []
    stages = (
        Stage("netback", back["tx"].key, each=device.cost("serve") + device.grant_each + out, port=device.ring_port(back["tx"], device.era == "napi"),
              after=device.back_after, timeout=device.timeout if device.back_after != 1 else None),
        *bridge,
        Stage("wire", wire, each=device.device),
        device.hardware("sent", nic, device.complete),
        *release,
        Stage("netfront", front.key, each=device.reap, port=device.ring_port(front, device.era == "napi"),
              after=after, timeout=device.timeout if after != 1 else None),
    )
    last = len(stages) - 1
    pool = f"{device.driver}/netback" if device.era == "tasklets" or device.pool else None
    return Path(f"{device.name}.tx", device.frontend, stages, arrivals=device.tx, submit=device.cost("submit"), slots=device.slots,
                enter=0, leave=last, backlog=device.backlog, pool=pool, pool_until=last - 1 if pool else 0, ends=1 + len(bridge),
                crash=device.crash or "drop", reconnect=device.reconnect)


__all__ = ["network"]
