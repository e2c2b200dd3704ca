"""Lines, and room: how long messages stay on a wire or a disk, and whether slots, queues and pools may run out."""

from __future__ import annotations

from ...errors import LimitError
from ...system import Task
from ...system.devices import Path
from ..arrivals import ArrivalCurve
from ..edf import fifo_response_times
from ..limits import NEVER
from .loads import count
from .members import House, Key, State

Stays = dict[Key, int | None]
Found = dict[Key, tuple[int | None, str]]       # stay [ns], and why there is none


def on_lines(house: House, state: State) -> Found:
    """First come, first served: all that came in a busy period goes first (George, Rivierre and Spuri 1996)."""
    found: Found = {}
    for line in house.plumbing.lines:
        mine = [(path, place, stage) for path, place, stage in house.plumbing.stages() if stage.server == line.key]
        curves = {f"s{k}": state.coming(path, place) for k, (path, place, _) in enumerate(mine)}
        tasks = [Task(f"s{k}", wcet=max(1, stage.each), period=1) for k, (_, _, stage) in enumerate(mine) if curves[f"s{k}"] != ()]
        bounds: dict[str, int | None] = {name: 0 if curve == () else None for name, curve in curves.items()}
        if tasks and all(curve is not None for curve in curves.values()):
            stairs = {name: ArrivalCurve(tuple((period, -jitter) for period, jitter in curve)) for name, curve in curves.items() if curve}
            try:
                bounds |= fifo_response_times(tasks, arrivals=stairs, since="release")
            except LimitError:
                pass
        for k, (path, place, _) in enumerate(mine):
            why = "" if curves[f"s{k}"] is None else (f"messages come to {line.name} as fast as it serves them, or faster, or nothing bounds "
                                                      "how many others come")
            found[path.name, place] = bounds[f"s{k}"], why if bounds[f"s{k}"] is None else ""
    return found


def dropping(house: House, state: State, stays: Stays) -> Found:
    """Queues that may be full when a message comes: it is dropped."""
    found: Found = {}
    for path, place, stage in house.plumbing.stages():
        need = within(path, place, place, state, stays)
        if stage.capacity is not None and need is not None and need > stage.capacity:
            reason = f"its queue holds {stage.capacity} messages, and up to {need} may be there: what comes then is dropped"
            found[path.name, place] = None, reason
    return found


def full(house: House, state: State, stays: Stays) -> Found:
    """Rings and pools that may run out: messages wait before them, and nobody knows how many go on together when there is room again."""
    found: Found = {}
    used: dict[str, int] = {}
    for path in house.plumbing.paths:
        need = within(path, path.enter, path.leave, state, stays)
        if path.slots is not None and (need is None or need > path.slots):
            found[path.name, path.enter] = None, "" if need is None else (
                f"the ring has {path.slots} slots, and up to {need} messages may hold one: what comes then waits for a slot, or is dropped "
                "(docs/io-model.md 2.4), and no bound is derived for that. Give more slots, or let fewer come")
        if path.pool is not None:
            inside = within(path, path.enter, path.pool_until, state, stays)
            used[path.pool] = used.get(path.pool, 0) + (inside if inside is not None else NEVER)
    for path in house.plumbing.paths:
        if path.pool is not None and used[path.pool] > (size := house.plumbing.pools[path.pool]):
            found[path.name, path.enter] = None, f"the pool {path.pool} has {size} requests, and more may be in flight"
    return found


def within(path: Path, first: int, last: int, state: State, stays: Stays) -> int | None:
    """Most messages of a path that are anywhere from one place to another, at any time; None if that is not known."""
    longest = [stays[path.name, place] for place in range(first, last + 1)]
    curve = state.coming(path, first)
    return None if curve is None or None in longest else count(curve, sum(stay or 0 for stay in longest)) + state.lying(path, first + 1, last)
