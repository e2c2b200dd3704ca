"""What all specifications share: frozen, checked when made, every mistake reported at once."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ..errors import Problem, SpecError
from ..units import LONGEST, format_ns, parse_time

FOREVER = 2**62
"""Execution time of work that never ends `int [ns]`."""


def to_ns(value: Any) -> int:
    """A time as the user may write it."""
    try:
        return parse_time(value)
    except SpecError as error:
        raise PydanticCustomError("time", "{allowed}", {"allowed": error.problems[0].allowed}) from None


Time = Annotated[int, BeforeValidator(to_ns), Field(ge=0, le=LONGEST)]
Duration = Annotated[int, BeforeValidator(to_ns), Field(ge=1, le=LONGEST)]
Whole = Annotated[int, Field(strict=True)]
Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_.\-]*$", max_length=64)]


class Spec(BaseModel):
    """Base of all specifications."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

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

    def replace(self, **fields: Any) -> Any:
        """A copy with other values, checked anew."""
        return type(self)(**(dict(self) | fields))


def wrong(problems: list[Problem]) -> None:
    """Raise the problems that a check of several fields has found, if any."""
    if problems:
        raise PydanticCustomError("problems", "several fields", {"problems": problems})


def problems_of(error: ValidationError, root: str, data: Any) -> list[Problem]:
    """Our words for pydantic's findings."""
    found: list[Problem] = []
    for item in error.errors(include_url=False):
        path = [part for part in item["loc"] if not (isinstance(part, str) and UNION_TAG.search(part))]
        field = readable(path, data) or root
        context = item.get("ctx", {})
        inner = context.get("problems") or getattr(context.get("error"), "problems", None)
        if inner:        # a part of the whole has checked itself
            found += [p._replace(field=join(field if path else "", p.field if p.field != p_root(item) else "")) for p in inner]
        else:
            allowed, fix = explain(item, context)
            found.append(Problem(field, item.get("input"), allowed, fix))
    return one_per_field(found)


def one_per_field(found: list[Problem]) -> list[Problem]:
    """Where a value may be a number or a list, pydantic complains about both readings: keep the one that was meant."""
    kept: dict[str, Problem] = {}
    for problem in found:
        listed = isinstance(problem.value, (list, tuple))
        if problem.field not in kept or listed or kept[problem.field].allowed.startswith("input should be"):
            kept[problem.field] = problem
    return list(kept.values())


def p_root(item: Any) -> str:
    """Name that a part without a name of its own goes by in its problems."""
    return type(item.get("input")).__name__


UNION_TAG = re.compile(r"[\[(]|^(int|bool|constrained-int|Uniform|Exponential|Normal|Empirical|uniform|exponential|normal|empirical)$")
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
    if kind == "time":
        return context["allowed"], "write for example ms(5), or '5 ms' in a file"
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        sign, bound = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le"),
                       "greater_than": ("more than", "gt"), "less_than": ("less than", "lt")}[kind]
        limit = context[bound]
        shown = f"{limit} ns ({format_ns(limit)})" if limit == LONGEST else str(limit)
        return f"{sign} {shown}", f"choose a value of {sign} {shown}"
    if kind == "missing":
        return "a value", f"add `{item['loc'][-1]}`"
    if kind == "extra_forbidden":
        return "nothing: there is no such field", "remove it, or correct its name" + nearest(str(item["loc"][-1]))
    if kind == "literal_error":
        return context["expected"], "choose one of these"
    if kind == "string_pattern_mismatch":
        return "a letter, then letters, digits, . _ -", "choose a plain name"
    return item["msg"][0].lower() + item["msg"][1:], "give a value of that kind"


ALL_FIELDS: set[str] = set()


def nearest(name: str) -> str:
    """' (did you mean weight?)', when a known field is close."""
    close = difflib.get_close_matches(name, sorted(ALL_FIELDS), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def know_fields(*kinds: type[Spec]) -> None:
    """Remember field names, for suggestions."""
    for kind in kinds:
        ALL_FIELDS.update(kind.model_fields)
