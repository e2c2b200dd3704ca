"""What all specifications share: frozen, checked when made, every mistake reported at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import Problem, SpecError
from ..units import LONGEST, parse_time

MOST_PROBLEMS = 1000      # that are told of one specification: nobody reads more, and a hostile file has a million
FOREVER = 2**62
"""Execution time of work that never ends `int [ns]`."""


def refusal(allowed: str, fix: str) -> PydanticCustomError:
    """A complaint in our words: what is allowed, and what to do."""
    return PydanticCustomError("refused", "{allowed}", {"allowed": allowed, "fix": fix})


def to_ns(value: Any) -> int:
    """A time as the user may write it."""
    try:
        return parse_time(value)
    except SpecError as error:
        raise refusal(error.problems[0].allowed, "write for example ms(5), or '5 ms' in a file") from None


def time_from(least: int) -> Callable[[Any], int]:
    """Check of times within [least, LONGEST]."""
    def check(value: Any) -> int:
        t = to_ns(value)
        if not least <= t <= LONGEST:
            raise refusal(f"{least} ns to 2^53 ns (104 days)", "choose a time of that range")
        return t
    return check


def within(low: int, high: int, allowed: str = "") -> Callable[[Any], int]:
    """Check of whole numbers within [low, high]; `allowed` says it better where there is more to say."""
    def check(value: Any) -> int:
        if not isinstance(value, Integral) or isinstance(value, bool) or not low <= value <= high:
            raise refusal(f"a whole number, {allowed or f'{low} to {high}'}", "choose one of these")
        return int(value)
    return check


def listed(value: Any) -> Any:
    """Check of lists: anything that can be walked through, but not one thing alone."""
    if value is None or isinstance(value, (str, bytes, Mapping, BaseModel)) or not isinstance(value, Iterable):
        raise refusal("a list", "write it in brackets: [...]")
    return tuple(value.tolist()) if hasattr(value, "tolist") else tuple(value)


def one_or_each(value: Any) -> str:
    """Is this one value, or a list with one value for each vCPU?"""
    return "none" if value is None else "each" if isinstance(value, (list, tuple)) or getattr(value, "ndim", 0) else "one"


def time_schema(least: int, words: str = "") -> dict[str, Any]:
    """JSON Schema of a time from `least` ns on, with or without its unit; `words` are further texts, as ``|forever``."""
    text = r"^(\s*\+?[0-9]{1,20}(\.[0-9]{1,20})?\s*(ns|us|µs|μs|ms|s|min|h)\s*" + words + ")$"
    return {"anyOf": [{"type": "integer", "minimum": least, "maximum": LONGEST}, {"type": "string", "pattern": text}]}


Time = Annotated[int, BeforeValidator(time_from(0)), Field(ge=0, le=LONGEST), WithJsonSchema(time_schema(0))]
Duration = Annotated[int, BeforeValidator(time_from(1)), Field(ge=1, le=LONGEST), WithJsonSchema(time_schema(1))]
List = BeforeValidator(listed)
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_.\-]*$", max_length=64)]


class Spec(BaseModel):
    """Base of all specifications."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    FORMS: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """How files write some of the fields."""

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise SpecError(problems_of(error, type(self).__name__, data)) from None

    def __repr__(self) -> str:
        shown = [f"{name}={value!r}" for name, value in self if name != "name" and value != type(self).model_fields[name].default]
        name = [repr(self.name)] if "name" in type(self).model_fields else []
        return f"{type(self).__name__}({', '.join(name + shown)})"

    __str__ = __repr__

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a {type(self).__name__} never changes: make another one with .replace({name}=...)")

    def replace(self, **fields: Any) -> Any:
        """A copy with other values, checked anew."""
        return type(self)(**(dict(self) | fields))

    def unchecked(self, **fields: Any) -> Any:
        """A copy with other values that are known to be right, in the form in which they are kept (ns, tuples): for searches that make thousands."""
        return self.model_copy(update=fields)


def wrong(problems: list[Problem]) -> None:
    """Raise the problems that a check of several fields has found, if any."""
    if problems:
        raise PydanticCustomError("problems", "several fields", {"problems": problems})


def problems_of(error: ValidationError, root: str, data: Any) -> list[Problem]:
    """Our words for pydantic's findings."""
    found: list[Problem] = []
    items = error.errors(include_url=False)
    for item in items[:MOST_PROBLEMS]:
        path = [part for part in item["loc"] if not (isinstance(part, str) and UNION_TAG.search(part))]
        field = readable(path, data) or root
        context = item.get("ctx", {})
        inner = context.get("problems") or getattr(context.get("error"), "problems", None)
        if inner:        # a part of the whole has checked itself
            found += [p._replace(field=join(field if path else "", p.field if p.field != p_root(item) else "")) for p in inner]
        else:
            allowed, fix = explain(item, context)
            found.append(Problem(field, None if item["type"] == "missing" else item.get("input"), allowed, fix))
    if len(items) > MOST_PROBLEMS:
        found.append(Problem(root, f"{len(items) - MOST_PROBLEMS} mistakes more", "what is said of those before", "mend those first"))
    return one_per_field(found)


def one_per_field(found: list[Problem]) -> list[Problem]:
    """The first complaint about each field."""
    kept: dict[str, Problem] = {}
    for problem in found:
        kept.setdefault(problem.field, problem)
    return list(kept.values())


def p_root(item: Any) -> str:
    """Name that a part without a name of its own goes by in its problems."""
    return type(item.get("input")).__name__


UNION_TAG = re.compile(r"[\[(]|^(one|each|none|time|times|distribution|uniform|exponential|normal|empirical"
                       r"|made|split|emulated|hosted|passthrough|polled|virtio|custom)$")
"""Parts of pydantic's locations that name the branch of a union, not a field."""


def join(prefix: str, field: str) -> str:
    """Field name below a prefix."""
    return f"{prefix}.{field}" if prefix and field else prefix or field


def readable(path: list[Any], data: Any) -> str:
    """('vms', 0, 'weight') as vms[modem].weight, with names where the data have them."""
    text = ""
    for part in path:
        if isinstance(part, int):
            try:
                data = data[part]
            except (TypeError, KeyError, IndexError):
                data = None
            name = data.get("name") if isinstance(data, dict) else getattr(data, "name", None)
            text += f"[{name if isinstance(name, str) else part}]"
        else:
            data = data.get(part) if isinstance(data, dict) else getattr(data, part, None)
            text = join(text, str(part))
    return text


def explain(item: Any, context: dict[str, Any]) -> tuple[str, str]:
    """What is allowed in place of what pydantic refused, and what to do."""
    kind = item["type"]
    if kind == "refused":
        return context["allowed"], context["fix"]
    if kind in WORDS:
        return WORDS[kind]
    if kind == "union_tag_invalid":
        return f"one of the kinds {context['expected_tags']}", "choose one of these"
    if kind == "too_short":
        return f"at least {context['min_length']} of them", "give some, or leave the field out"
    if kind == "missing":
        return "a value", f"add `{item['loc'][-1]}`"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return "nothing: there is no such field", "remove it, or correct its name" + nearest(str(item["loc"][-1]))
    if kind == "literal_error":
        return context["expected"], "choose one of these"
    if kind == "string_pattern_mismatch":
        return "a letter, then letters, digits, . _ -", "choose a plain name"
    return item["msg"][0].lower() + item["msg"][1:], "give a value of that kind"


WORDS = {
    "string_type": ("text", "put it in quotes"),
    "bool_type": ("true or false", "choose one of these"),
    "model_type": ("fields with their values", "write for example name: ..."),
    "model_attributes_type": ("fields with their values", "write for example name: ..."),
    "dataclass_type": ("fields with their values", "write for example name: ..."),
    "dict_type": ("fields with their values", "write for example name: ..."),
    "union_tag_not_found": ("a distribution with its kind", "add for example kind: uniform"),
    "string_too_long": ("at most 64 characters", "choose a shorter name"),
}
"""What is allowed, and what to do, for pydantic's commonest complaints."""

ALL_FIELDS: set[str] = set()


def nearest(name: str) -> str:
    """' (did you mean weight?)', when a known field is close."""
    close = difflib.get_close_matches(name, sorted(ALL_FIELDS), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def know_fields(*kinds: type[Spec]) -> None:
    """Remember field names, for suggestions."""
    for kind in kinds:
        ALL_FIELDS.update(kind.model_fields)


BOUNDS = {"ge": "minimum", "le": "maximum"}
"""Names that pydantic gives to bounds, and JSON Schema's."""


def published(schema: Any) -> Any:
    """A JSON Schema in JSON Schema's own words, where pydantic leaves its own: a bound that nobody knows bounds nothing.

    Of docstrings the first lines: the rest is for readers of the code.
    """
    if isinstance(schema, list):
        return [published(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    made = {BOUNDS.get(name, name): value.split("\n")[0] if name == "description" and isinstance(value, str) else published(value)
            for name, value in schema.items()}
    if made.get("type") == "array" and "minLength" in made:
        made["minItems"] = made.pop("minLength")
    if "patternProperties" in made:
        made["additionalProperties"] = False
    kind = made.get("properties", {}).get("kind", {})
    if kind.get("const", "none") != "none":                 # which kind it is must be said, but for a contract that promises nothing
        made["required"] = ["kind", *(name for name in made.get("required", []) if name != "kind")]
    return made
