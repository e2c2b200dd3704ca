"""What must hold for the messages of every run, whoever made it: nothing is lost or duplicated, times go forward, causes add up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rtvirt.system.devices import CAUSES, Path, Plumbing

FIRST_STAMP = 3 + len(CAUSES)
NEVER = 2**63 - 1


def check_messages(plumbing: Plumbing, paths: dict[str, list[tuple[int, ...]]]) -> None:
    """Rows of each path: number, dropped (stage or -1), total, causes, four stamps of each stage, app.in, app.taken, app.out.

    Raises
    ------
    AssertionError
        Names the rule, the path and the message.
    """
    for path in plumbing.paths:
        rows = paths[path.name]
        numbers = sorted(row[0] for row in rows)
        assert numbers == list(range(len(rows))), f"{path.name}: a message is lost or there twice: {numbers}"
        for row in rows:
            check_message(plumbing, path, row)
        check_slots(path, rows)


def stamps_of(path: Path, row: Sequence[int]) -> list[tuple[int, ...]]:
    """(in, known, taken, out) of each stage; then (in, taken, out) of the application."""
    at = FIRST_STAMP
    stages = [tuple(row[at + 4 * i:at + 4 * i + 4]) for i in range(len(path.stages))]
    return [*stages, tuple(row[at + 4 * len(path.stages):at + 4 * len(path.stages) + 3])]


def check_message(plumbing: Plumbing, path: Path, row: Sequence[int]) -> None:
    """One message: delivered, dropped or unfinished; its stamps in order, its causes the total."""
    who, (dropped, total), causes = f"{path.name}, message {row[0]}", row[1:3], row[3:FIRST_STAMP]
    assert dropped < 0 or total < 0, f"{who} is both dropped and delivered"
    assert min(causes) >= 0, f"{who}: a negative cause {causes}"
    if total >= 0:
        assert sum(causes) == total, f"{who}: causes add up to {sum(causes)}, not {total}"
    untold = {line.name for line in plumbing.lines}
    stages = [one if one[1] >= 0 or not (stage.server in untold or stage.distance is not None) else (one[0], *one[2:])
              for stage, one in zip(path.stages, stamps_of(path, row), strict=False)]    # lines and the hypervisor need not be told
    flat = [stamp for one in [*stages, *stamps_of(path, row)[-1:] * (path.into is not None)] for stamp in one]
    reached = [stamp for stamp in flat if stamp >= 0]
    assert reached == sorted(reached), f"{who}: stamps go backwards {flat}"
    assert flat[:len(reached)] == reached, f"{who}: a stamp is left out {flat}"
    if total >= 0 and path.ends is None:
        assert len(reached) == len(flat), f"{who} is delivered, but has not been everywhere {flat}"
    if total >= 0 and path.ends is not None:
        assert stages[path.ends][-1] >= 0, f"{who} is delivered, but has not come to the end of stage {path.ends} {flat}"


def check_slots(path: Path, rows: Iterable[Sequence[int]]) -> None:
    """Never more messages in the ring than it has slots. Those that were dropped are left out: their end has no stamp."""
    if path.slots is None:
        return
    thread = path.stages[path.leave].server
    steps = []
    for row in rows:
        stamps = stamps_of(path, row)
        entered, left = stamps[path.enter][0], stamps[path.leave][2]
        if row[1] < 0 and entered >= 0 and (left >= 0 or row[2] < 0):     # a crash may have taken one after its delivery
            steps += [(entered, 1), (left if left >= 0 else NEVER, -1)]
    held = 0
    for at, step in sorted(steps):           # at one instant slots are left before they are taken
        held += step
        assert held <= path.slots, f"{path.name}: {held} messages in a ring of {path.slots} slots at {at} (left at {thread})"
