"""A split block driver: the life of a request (docs/xen-rules.md 8.5, 8.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plumbing import MOST_BATCH, Line, Path, Plumbing, Stage
from .split_threads import back_end, hardware_thread

if TYPE_CHECKING:
    from ..system import System
    from .split import SplitDriver

POOL = 64       # requests in flight in a driver VM, for all of its disks (8.5.1)


def block(device: SplitDriver, system: System) -> Plumbing:
    """From the guest's ring (B2) to the kthread (B5, B6), the disk (B7), its interrupt (B8, B9), and the guest (B11)."""
    disk = device.line or device.name
    mapped = device.pages == "map"
    batch = min(device.slots, MOST_BATCH)
    back = back_end(device, system, "blkback", batch=batch, hypercall=mapped)            # drains the ring, submits at the end of the batch
    unmap = device.release_each if mapped else 0
    done = hardware_thread(device, f"{disk}.done", batch=1, fixed=system.costs.hypercall if mapped else 0)     # each request by itself (8.5.2)
    front = device.frontend_thread(batch=batch)                           # completes all there are (8.5.3)
    late = device.upcalls(device.driver)[device.driver][1] == "fifo"
    after = 1 if device.front_after is None else device.front_after
    stages = (
        Stage("blkback", back.key, each=device.cost("serve") + device.grant_each, port=device.ring_port(back, late),
              after=device.back_after, timeout=device.timeout if device.back_after != 1 else None),
        Stage("disk", f"{device.driver}.{disk}", each=device.device),
        device.hardware("done", done, device.complete + unmap),
        Stage("blkfront", front.key, each=device.cost("receive"), port=device.ring_port(front, late),
              after=after, timeout=device.timeout if after != 1 else None),
    )
    pool = f"{device.driver}/blkback"
    path = Path(f"{device.name}.read", device.frontend, stages, arrivals=device.reads, submit=device.cost("submit"), slots=device.slots,
                enter=0, leave=3, backlog=device.backlog, pool=pool, pool_until=2, into=device.receiver(),
                crash=device.crash or "reissue", reconnect=device.reconnect)
    return Plumbing((done, back, front), (Line(f"{device.driver}.{disk}"),), (path,), {pool: device.pool or POOL},
                    device.upcalls(device.driver, device.frontend))


__all__ = ["block"]
