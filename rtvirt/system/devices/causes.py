"""What makes a message wait, switched off one cause at a time: the plumbing of any device, without it (docs/io-model.md 8)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from .plumbing import Line, Path, Plumbing, Port, Stage, Thread


def switched_off(plumbing: Plumbing, causes: Collection[str]) -> Plumbing:
    """The plumbing without these causes of waiting."""
    for cause, switch in SWITCHES.items():
        if cause in causes:
            plumbing = switch(plumbing)
    return plumbing


def without_batching(plumbing: Plumbing) -> Plumbing:
    """A message is passed on when it is done, not when the others of its batch are."""
    return replace(plumbing, threads=tuple(replace(thread, batch=1) for thread in plumbing.threads))


def without_suppression(plumbing: Plumbing) -> Plumbing:
    """Threads and tasks tell of every message at once; who looked every so often is woken."""
    return told_at_once(plumbing, by_hardware=False)


def without_moderation(plumbing: Plumbing) -> Plumbing:
    """Hardware interrupts for every message at once; who looked every so often is woken."""
    return told_at_once(plumbing, by_hardware=True)


def told_at_once(plumbing: Plumbing, by_hardware: bool) -> Plumbing:
    """No waiting from entering a queue to being known, for the queues that hardware fills or for the others (8.1)."""
    threads = {thread.key: thread for thread in plumbing.threads}
    concerned = {(path.name, i) for path, i, stage in plumbing.stages()
                 if stage.server in threads and fed_by_hardware(plumbing, path, i) == by_hardware}
    woken = {stage.server for path, i, stage in plumbing.stages() if (path.name, i) in concerned and threads[stage.server].period is not None}

    def tell(path: Path, i: int, stage: Stage) -> Stage:
        if stage.server in woken and stage.port is None and feeder(plumbing, path, i) != threads[stage.server].vm:
            stage = replace(stage, port=Port())
        return replace(stage, after=1, timeout=None, always=not by_hardware) if (path.name, i) in concerned else stage

    return replace(each_stage(plumbing, tell), threads=tuple(wake(thread) if thread.key in woken else thread for thread in plumbing.threads))


def wake(thread: Thread) -> Thread:
    """A thread that looked every so often, as one that is woken; its server keeps its period."""
    server = thread.server_period if thread.budget is None or thread.server_period is not None else thread.period
    return replace(thread, period=None, offset=0, server_period=server)


def feeder(plumbing: Plumbing, path: Path, i: int) -> str | None:
    """VM whose threads or tasks fill the queue of a path's stage; None: a line, or arrivals."""
    if i == 0:
        return None if path.arrivals else path.frontend
    return next((thread.vm for thread in plumbing.threads if thread.key == path.stages[i - 1].server), None)


def fed_by_hardware(plumbing: Plumbing, path: Path, i: int) -> bool:
    """Is the queue filled by a line or by arrivals?"""
    return feeder(plumbing, path, i) is None


def each_stage(plumbing: Plumbing, change: Callable[[Path, int, Stage], Stage]) -> Plumbing:
    """The plumbing with every stage changed."""
    return replace(plumbing, paths=tuple(replace(path, stages=tuple(change(path, i, stage) for i, stage in enumerate(path.stages)))
                                         for path in plumbing.paths))


def without_ring(plumbing: Plumbing) -> Plumbing:
    """Rings never fill up. Who asked to be told of half of what is outstanding is told of each."""
    plumbing = each_stage(plumbing, lambda path, i, stage: replace(stage, after=1) if stage.after == 0 else stage)
    return replace(plumbing, paths=tuple(replace(path, slots=None) for path in plumbing.paths))


def without_sharing(plumbing: Plumbing) -> Plumbing:
    """Each front end has threads, lines and pools of its own in the driver VM; their vCPU is still one."""
    threads = {thread.key: thread for thread in plumbing.threads}
    lines = {line.name: line for line in plumbing.lines}
    own: dict[str, dict[str, Thread | Line]] = {}                 # {server: {front end: its own}}
    for path, _, stage in plumbing.stages():
        if stage.server in lines:
            own.setdefault(stage.server, {})[path.frontend] = Line(f"{stage.server}.{path.frontend}")
        elif threads[stage.server].vm != path.frontend:
            mine = replace(threads[stage.server], name=f"{threads[stage.server].name}.{path.frontend}")
            own.setdefault(stage.server, {})[path.frontend] = mine

    def serve(path: Path, i: int, stage: Stage) -> Stage:
        mine = own.get(stage.server, {}).get(path.frontend)
        return replace(stage, server=mine.key) if mine else stage

    def all_own(key: str) -> list:
        return list(own.get(key, {}).values())

    done = each_stage(plumbing, serve)
    used = {stage.server for _, _, stage in done.stages()}
    return replace(
        done, threads=tuple(mine for thread in plumbing.threads for mine in (*([thread] if thread.key in used else []), *all_own(thread.key))),
        lines=tuple(mine for line in plumbing.lines for mine in all_own(line.name)),
        paths=tuple(replace(path, pool=path.pool and f"{path.pool}.{path.frontend}") for path in done.paths),
        pools={f"{path.pool}.{path.frontend}": plumbing.pools[path.pool] for path in plumbing.paths if path.pool})


def without_driver_wait(plumbing: Plumbing) -> Plumbing:
    """What other VMs than the front end do needs no vCPU."""
    return into_lines(plumbing, of_frontend=False)


def without_frontend_wait(plumbing: Plumbing) -> Plumbing:
    """What the front end's threads do needs no vCPU. Its tasks, which submit and receive, do."""
    return into_lines(plumbing, of_frontend=True)


def into_lines(plumbing: Plumbing, of_frontend: bool) -> Plumbing:
    """Stages served by threads of one side, served by lines: nobody is told, woken or interrupted, a batch is one message."""
    threads = {thread.key: thread for thread in plumbing.threads}
    lines = {line.name: line for line in plumbing.lines}

    def serve(path: Path, i: int, stage: Stage) -> Stage:
        thread = threads.get(stage.server)
        if thread is None or (thread.vm == path.frontend) != of_frontend:
            return stage
        line = Line(f"{thread.key}.line")
        lines[line.name] = line
        return Stage(stage.name, line.name, each=stage.each + thread.fixed, capacity=stage.capacity)

    done = each_stage(plumbing, serve)
    used = {stage.server for _, _, stage in done.stages()}
    return replace(done, threads=tuple(thread for thread in plumbing.threads if thread.key in used), lines=tuple(lines.values()),
                   paths=tuple(path if path.stages[path.enter].server in threads else replace(path, pool=None, pool_until=0) for path in done.paths))


SWITCHES: dict[str, Callable[[Plumbing], Plumbing]] = {
    "batching": without_batching, "suppression": without_suppression, "moderation": without_moderation, "ring": without_ring,
    "shared": without_sharing, "driver_wait": without_driver_wait, "frontend_wait": without_frontend_wait,
}
"""In this order: what concerns threads before they become lines."""
