"""The script beside xl's files, and Xen's command line, read as far as they describe: no line is ever executed."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from ...errors import SpecError
from ..board import Scheduler
from ..contract import Reservation, Share
from .common import Source
from .xen_guest import DEFAULT, SCHEDULERS

UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
LONGEST = 2000            # characters of a line
MOST = 5000               # lines
HARMLESS = ("set", "cd", "dtc", "sleep", "echo", "exit")


@dataclass
class Start:
    """What script and command line say."""

    created: list[str] = field(default_factory=list)                      # files of domains, in order; "" is dom0
    contracts: dict[str, Any] = field(default_factory=dict)               # {name of the domain: contract}
    pins: dict[str, tuple[int, ...]] = field(default_factory=dict)
    dom0: str | None = None
    dom0_line: int = 1
    memory: int | None = None                                             # of dom0 [MiB]
    vcpus: int = 1
    scheduler: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    used: str | None = None                                               # the scheduler whose commands are used

    def made_scheduler(self, source: Source) -> Scheduler:
        """The scheduler: of the command line, else of pools or commands, else Xen's default."""
        made = source.made(1, lambda: Scheduler(name=self.scheduler or self.used or DEFAULT, options=self.options))
        source.close()
        assert made is not None
        return made


def read_command_line(source: Source, start: Start) -> None:
    """Xen's command line: scheduler and dom0."""
    for number, line in enumerate(source.text().splitlines(), 1):
        for word in line.split() if not line.lstrip().startswith("#") else ():
            name, _, value = word.partition("=")
            if name == "sched":
                if value not in SCHEDULERS:
                    raise source.refusal(number, name, value, ", ".join(SCHEDULERS), "choose one of these")
                start.scheduler = value
            elif name == "dom0_mem":
                start.memory = dom0_memory(source, number, value, start.memory)
            elif name == "dom0_max_vcpus":
                least, _, most = value.partition("-")
                start.vcpus = source.whole(number, name, most or least, 1, 64)
                source.note("dom0_max_vcpus of Xen's command line is a range: its upper end is taken") if most else None
            elif name != "hmp-unsafe":
                source.note(f"{name} of Xen's command line is not carried")
            start.dom0 = start.dom0 or ("dom0" if name.startswith("dom0") else None)


def dom0_memory(source: Source, number: int, value: str, before: int | None) -> int | None:
    """Memory of dom0 [MiB]: what it begins with, of ``min:SIZE``, ``max:SIZE`` and ``SIZE``; sizes without a unit are in KiB."""
    amounts: dict[str, int] = {}
    for part in value.split(","):
        kind, _, size = part.rpartition(":")
        unit = size[-1:].upper() if size[-1:].isalpha() else "K"
        if kind not in ("", "min", "max") or unit not in UNITS:
            raise source.refusal(number, "dom0_mem", value, "SIZE, min:SIZE, max:SIZE, with units B, K, M, G, T", "write for example 1024M")
        amounts[kind] = source.whole(number, "dom0_mem", size.rstrip("bBkKmMgGtT"), 1, 2**52 // UNITS[unit]) * UNITS[unit]
    chosen = amounts.get("", amounts.get("max", amounts.get("min", 0)))
    if len(amounts) > 1:
        source.note("dom0_mem of Xen's command line gives bounds, too: one amount of memory is taken")
    return -(-chosen // UNITS["M"]) if chosen else before


def read_script(source: Source, start: Start) -> None:
    """The script, command by command; what is no command of xl is noted."""
    lines = source.text().splitlines()
    if len(lines) > MOST:
        raise source.refusal(MOST, "file", f"{len(lines)} lines", f"at most {MOST} lines", "split it")
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            raise source.refusal(number, "file", f"{len(line)} characters", f"lines of {LONGEST} characters at most", "split it")
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise source.refusal(number, "file", line, "commands, one a line", f"correct it: {error}") from None
        if words[:1] == ["xl"] and len(words) > 1 and words[1] in COMMANDS:
            COMMANDS[words[1]](source, start, number, words[1:])
        elif words and words[0] not in HARMLESS:
            source.note(f"line {number} of {source.path.name} is not read: {' '.join(words)[:60]}")


LONG = {"domain": "d", "weight": "w", "cap": "c", "schedparam": "s", "tslice_ms": "t", "ratelimit_us": "r", "cpupool": "", "vcpuid": "v",
        "period": "p", "budget": "b", "extratime": "e"}
"""Long names of flags, as of xl(1)."""


def flags(source: Source, number: int, words: list[str], known: str, repeated: str = "") -> list[dict[str, str]]:
    """{flag: value} of a command; -s has none. With a `repeated` flag one more for each time that it is there, all with what is before the first."""
    found: list[dict[str, str]] = [{}]
    waiting = [part for word in words[1:] for part in (word.split("=", 1) if word.startswith("--") else [word])]
    while waiting:
        word = waiting.pop(0)
        letter = LONG.get(word[2:], "") if word.startswith("--") else word[1:]
        if letter == repeated and letter in found[-1]:
            found.append({name: value for name, value in found[0].items() if name == "d"})
        wrong = not word.startswith("-") or not letter or letter not in known or letter in found[-1]
        if wrong or (letter != "s" and not waiting):
            raise source.refusal(number, words[0], word, ", ".join(f"-{one}" for one in known), "correct the command")
        found[-1][letter] = "" if letter == "s" else waiting.pop(0)
    return found


def create(source: Source, start: Start, number: int, words: list[str]) -> None:
    """xl create FILE."""
    if len(words) != 2:
        raise source.refusal(number, "create", " ".join(words), "xl create FILE", "write the file alone")
    start.created.append(str(PurePosixPath(words[1])))             # ./a.cfg is a.cfg


def rename(source: Source, start: Start, number: int, words: list[str]) -> None:
    """xl rename 0 NAME: dom0's name."""
    if len(words) != 3 or words[1] not in ("0", "Domain-0"):
        raise source.refusal(number, "rename", " ".join(words), "xl rename 0 NAME", "give other domains their names in their files")
    start.dom0, start.dom0_line = source.name(words[2], set()), number
    start.created.append("")


def vcpu_pin(source: Source, start: Start, number: int, words: list[str]) -> None:
    """xl vcpu-pin DOMAIN all PCPUS."""
    if len(words) < 4 or words[2] != "all":
        source.note(f"line {number} of {source.path.name} is not read: vCPUs of a VM have one affinity")
        return
    start.pins[words[1]] = source.cpus(number, "vcpu-pin", words[3])


def sched_share(source: Source, start: Start, number: int, words: list[str]) -> None:
    """xl sched-credit and sched-credit2: -d DOMAIN -w WEIGHT -c CAP, or -s -t MS -r US."""
    scheduler = words[0].removeprefix("sched-")
    (found,) = flags(source, number, words, "dwcstr" if scheduler == "credit" else "dwcsr")
    start.used = start.used or scheduler
    if "s" in found:
        start.options |= {"timeslice": f"{source.whole(number, 't', found['t'], 1, 1000)} ms"} if "t" in found else {}
        start.options |= {"ratelimit": f"{source.whole(number, 'r', found['r'], 0, 500_000)} us"} if "r" in found else {}
    elif "d" in found:
        start.contracts[found["d"]] = made(source, number, lambda: Share(
            weight=source.whole(number, "w", found.get("w", "256"), 1, 65535), cap=source.whole(number, "c", found.get("c", "0"), 0, 6400)))


def sched_rtds(source: Source, start: Start, number: int, words: list[str]) -> None:
    """xl sched-rtds -d DOMAIN -v VCPU|all -p US -b US -e 0|1; extratime is on unless it is turned off."""
    start.used = start.used or "rtds"
    for found in flags(source, number, words, "dvpbe", repeated="v"):
        if "d" not in found or "p" not in found or "b" not in found:
            source.note(f"line {number} of {source.path.name} sets nothing")
            continue
        period, budget = (1000 * source.whole(number, flag, found[flag], 10, 2**32 - 1) for flag in "pb")
        extra = source.whole(number, "e", found.get("e", "1"), 0, 1) == 1
        contract = made(source, number, partial(Reservation, budget=budget, period=period, extratime=extra))
        if start.contracts.setdefault(found["d"], contract) != contract:
            source.note(f"vCPUs of {found['d']} have different budgets or periods, which a contract does not say: the first is taken")


def made(source: Source, number: int, make: Callable[[], Any]) -> Any:
    """What `make` makes; what it complains about is wrong in a line."""
    try:
        return make()
    except SpecError as error:
        raise SpecError([problem._replace(where=problem.where or f"{source.path.name}:{number}") for problem in error.problems]) from None


def nothing(source: Source, start: Start, number: int, words: list[str]) -> None:
    """A command that says nothing which pools do not say."""


COMMANDS: dict[str, Callable[[Source, Start, int, list[str]], None]] = {
    "create": create, "rename": rename, "vcpu-pin": vcpu_pin, "sched-credit": sched_share, "sched-credit2": sched_share, "sched-rtds": sched_rtds,
    "cpupool-cpu-remove": nothing, "cpupool-create": nothing}
