"""Specifications as files: YAML that is data only, read safely, with the line of every mistake."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ..errors import Problem, SpecError
from ..files import atomically
from ..units import format_ns, parse_time
from .costs import Costs
from .spec import FOREVER, Spec, readable
from .system import System

S = TypeVar("S", bound=Spec)

LARGEST = 1_000_000     # bytes
DEEPEST = 20            # levels of nesting
LONGEST_NUMBER = 40     # characters: beyond that no field can hold it, and converting it takes long
OPENS = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken, yaml.BlockSequenceStartToken, yaml.BlockMappingStartToken)
CLOSES = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
DEVICE_TIMES = {"server_period", "handler", "entry", "moderation", "distance", "switch", "frontend_poll", "submit", "serve", "receive", "complete",
                "reap", "penalty", "device", "fixed", "wake", "grant_each", "release_each", "timeout", "reconnect", "poll", "access", "work", "exit",
                "world_switch", "host_work", "entry_back", "interrupt", "trapped", "look", "each"}
TIMES = {"wcet", "period", "deadline", "offset", "jitter", "releases", "start", "budget", "quantum", "at", "low", "high", "mean", "sd",
         "values", "slice", "latency", "every", "duration", "warp_limit", "unwarp", "frame",
         "length", "section", "wakeup", "heartbeat", *Costs.model_fields, *DEVICE_TIMES}


def load(path: str | Path) -> System:
    """Read a system; SpecError with all mistakes, each with its line."""
    return load_as(System, path)[0]


@dataclass(frozen=True)
class Places:
    """Where in a file each field is."""

    name: str
    data: Any
    lines: dict[tuple[Any, ...], int]

    @cached_property
    def known(self) -> dict[str, int]:
        """{field as problems name it: its line}; made once, for files in which everything is wrong."""
        found: dict[str, int] = {}
        for path, line in self.lines.items():
            found.setdefault(readable(list(path), self.data), line)
        return found

    def __call__(self, field: str) -> str:
        """The place of a field, or of the nearest part around it, as ``phone.yaml:12``."""
        nearest = field
        while nearest and nearest not in self.known:
            nearest = nearest[:max(nearest.rfind("."), nearest.rfind("["), 0)]
        return f"{self.name}:{self.known[nearest] if nearest or not field else 1}"


def load_as(kind: type[S], path: str | Path) -> tuple[S, Places]:
    """Read a specification of some kind, and where its fields are in the file."""
    if not isinstance(path, str | PathLike):
        raise SpecError([Problem("file", path, "the path of a file", "name the file")])
    path = Path(path)
    data, lines = read(path)
    place = Places(path.name, data, lines)
    try:
        return kind.model_validate(data), place
    except (ValidationError, SpecError) as error:
        from .spec import problems_of

        problems = error.problems if isinstance(error, SpecError) else problems_of(error, kind.__name__.lower(), data)
        raise SpecError([p._replace(where=place(p.field)) for p in problems]) from None


def read(path: Path) -> tuple[Any, dict[tuple[Any, ...], int]]:
    """The data of a YAML file, and the line of each part."""
    def refuse(value: Any, allowed: str, fix: str, line: int = 1) -> SpecError:
        return SpecError([Problem("file", value, allowed, fix, f"{path.name}:{line}")])

    try:
        if path.stat().st_size > LARGEST:
            raise refuse(f"{path.stat().st_size} bytes", f"at most {LARGEST} bytes", "split the system, or shorten its lists")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise refuse(str(path), "a file that exists", "check the path") from None
    except UnicodeDecodeError as error:
        raise refuse("bytes that are not text", "UTF-8 text", f"save it as UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise refuse(str(path), "a readable file", f"the system says: {error.strerror}") from None
    try:
        depth = 0
        for token in yaml.scan(text, yaml.SafeLoader):
            depth += isinstance(token, OPENS) - isinstance(token, CLOSES)
            if depth > DEEPEST:               # here, while it is scanned: the scanner itself takes the square of the depth
                raise refuse("deep nesting", f"at most {DEEPEST} levels", "flatten it", token.start_mark.line + 1)
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken, yaml.TagToken)):
                raise refuse("an anchor, alias or tag", "plain data", "write it out", token.start_mark.line + 1)
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise refuse(error.problem or "not YAML", "YAML", "correct the punctuation or indentation here", line) from None
    except yaml.YAMLError as error:
        raise refuse(str(error).splitlines()[0], "YAML text", "remove what is not plain text") from None
    except RecursionError:
        raise refuse("deep nesting", f"at most {DEEPEST} levels", "flatten it") from None
    if not isinstance(node, yaml.MappingNode):
        raise refuse("no fields", "fields with their values", "write for example `vms:` and a list of VMs")
    lines: dict[tuple[Any, ...], int] = {}
    problems: list[Problem] = []
    data = build(node, (), lines, problems, path.name)
    if problems:
        raise SpecError(problems)
    return data, lines


def build(node: yaml.Node, path: tuple[Any, ...], lines: dict[tuple[Any, ...], int], problems: list[Problem], name: str) -> Any:
    """Plain data of a node; duplicate keys and deep nesting are noted as problems."""
    line = node.start_mark.line + 1
    lines[path] = line
    if len(path) > DEEPEST:
        problems.append(Problem("file", "deep nesting", f"at most {DEEPEST} levels", "flatten it", f"{name}:{line}"))
        return None
    if isinstance(node, yaml.SequenceNode):
        return [build(child, (*path, i), lines, problems, name) for i, child in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value)
            if key in result:
                problems.append(Problem(key, "given twice", "each field once", "remove one of them",
                                        f"{name}:{key_node.start_mark.line + 1}"))
            result[key] = build(child, (*path, key), lines, problems, name)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return result
    return scalar(node, problems, name)


def scalar(node: yaml.Node, problems: list[Problem], name: str) -> Any:
    """A plain value; dates and other things YAML knows stay text."""
    kinds = {"tag:yaml.org,2002:int": int, "tag:yaml.org,2002:float": float, "tag:yaml.org,2002:bool": bool,
             "tag:yaml.org,2002:null": type(None)}
    if node.tag not in kinds:
        return str(node.value)
    if len(node.value) > LONGEST_NUMBER:
        problems.append(Problem("file", f"{node.value[:20]}... of {len(node.value)} characters", f"a number of {LONGEST_NUMBER} characters at most",
                                "correct it", f"{name}:{node.start_mark.line + 1}"))
        return None
    try:
        loader = yaml.SafeLoader("")
        return loader.construct_object(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        problems.append(Problem("file", node.value, "a number", "correct it", f"{name}:{node.start_mark.line + 1}"))
        return None


def save(system: System, path: str | Path) -> None:
    """Write a system as YAML, times in readable units; the old file stays until the new one is complete."""
    strange = [device for device in system.devices if "kind" not in type(device).model_fields]
    if strange:
        raise SpecError([Problem(f"devices[{device.name}]", type(device).__name__, "a ready-made device, or a CustomDevice",
                                 f"save CustomDevice({device.name!r}, plumbing=device.plumb(system)) in its place") for device in strange])
    save_as(system, path)


def save_as(spec: Spec, path: str | Path) -> None:
    """Write a specification as YAML; the old file stays until the new one is complete."""
    text = yaml.dump(plain(spec), Dumper=Writer, sort_keys=False, allow_unicode=True, width=120)
    atomically(Path(path), lambda file: file.write_text(text, encoding="utf-8"))


class Hexadecimal(int):
    """A number that is written 0x..."""


class Writer(yaml.SafeDumper):
    """YAML's safe writer, which knows hexadecimal numbers."""


Writer.add_representer(Hexadecimal, lambda writer, value: writer.represent_scalar("tag:yaml.org,2002:int", f"{value:#x}"))


def plain(spec: Any, field: str = "") -> Any:
    """Plain data of a specification, without what is at its default."""
    from .task import Step, Task

    if isinstance(spec, Step):
        return "yield" if spec.kind == "yield" else {spec.kind: spec.target if spec.target is not None else readable_time(spec.duration)}
    if isinstance(spec, Spec):
        kinds = type(spec).model_fields
        implied = {"deadline": spec.period} if isinstance(spec, Task) and spec.arrival in ("periodic", "sporadic") else {}
        forms = type(spec).FORMS
        return {name: forms[name](value) if name in forms and value is not None else plain(value, name)
                for name, value in sorted(spec, key=lambda pair: pair[0] != "kind")
                if name == "kind" or (value != kinds[name].default and value != implied.get(name, ...))}
    if is_dataclass(spec):                 # a part of a device's plumbing
        return {part.name: plain(getattr(spec, part.name), part.name) for part in fields(spec)
                if getattr(spec, part.name) != (part.default if part.default_factory is MISSING else part.default_factory())}
    if isinstance(spec, dict):
        return {name: plain(value) for name, value in spec.items()}
    if isinstance(spec, tuple):
        return [plain(item, field) for item in spec]
    if field in TIMES and isinstance(spec, int) and not isinstance(spec, bool):
        return readable_time(spec)
    return spec


def readable_time(value: int | None) -> Any:
    """'5 ms' if that is exact, else the number of ns."""
    if value == FOREVER:
        return "forever"
    text = format_ns(value or 0)
    return text if parse_time(text) == value else value
