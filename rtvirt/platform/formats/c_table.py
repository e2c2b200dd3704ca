"""Tables of C as values: entries with names or places, numbers that are known, names that are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .c_tokens import refuse


@dataclass(frozen=True)
class Unknown:
    """A value that only a compiler knows, as it is written."""

    text: str


@dataclass(frozen=True)
class Call:
    """A macro with arguments: ``VM_IMAGE_SIZE(linux)``."""

    name: str
    arguments: tuple[Any, ...]
    text: str


@dataclass(frozen=True)
class Entry:
    """One entry of a table: its name or place, if written, its value, its line and the comment before it."""

    key: str | None
    value: Any
    line: int
    label: str


@dataclass(frozen=True)
class Table:
    """What is between two braces."""

    file: str
    line: int
    entries: tuple[Entry, ...] = ()

    def get(self, name: str) -> Any:
        """The last entry of that name, as C has it; None without one. A path has dots: ``gic.gicd_addr``."""
        first, _, rest = name.partition(".")
        found = next((entry.value for entry in reversed(self.entries) if entry.key == name), None)
        if found is not None or not rest:
            return found
        inner = self.get(first)
        return inner.get(rest) if isinstance(inner, Table) else None

    def where(self, name: str = "") -> str:
        """Place of an entry, or of the table."""
        first = name.partition(".")[0]
        line = next((entry.line for entry in reversed(self.entries) if entry.key in (name, first)), self.line)
        return f"{self.file}:{line}"

    def number(self, name: str, default: int = 0, bits: int = 64) -> int:
        """A number that must be known, cut to so many bits."""
        value = self.get(name)
        if value is None:
            return default
        return known(value, self.where(name), name) & (2**bits - 1)

    def table(self, name: str) -> Table:
        """A table within; an empty one if there is none."""
        value = self.get(name)
        if value is None or isinstance(value, int) and value == 0 or isinstance(value, Unknown) and value.text == "NULL":
            return Table(self.file, self.line)
        if not isinstance(value, Table):
            refuse(self.where(name), getattr(value, "text", value), f"a table in braces for {name}", "write .. = { ... }")
        return value

    def rows(self) -> Iterator[tuple[Entry, Table]]:
        """Entries that are tables themselves."""
        for entry in self.entries:
            if not isinstance(entry.value, Table):
                refuse(f"{self.file}:{entry.line}", getattr(entry.value, "text", entry.value), "a table in braces", "write { ... }")
            yield entry, entry.value

    def numbers(self) -> list[int]:
        """Entries that are numbers."""
        return [known(entry.value, f"{self.file}:{entry.line}", "entry") for entry in self.entries]


def known(value: Any, where: str, name: str) -> int:
    """The value as a number, or a complaint."""
    if isinstance(value, Table) and len(value.entries) == 1 and value.entries[0].key is None:        # braces around a number are allowed
        value = value.entries[0].value
    if not isinstance(value, int):
        refuse(where, getattr(value, "text", value if isinstance(value, str) else "{...}"), f"a number for {name}", "write the number itself")
    return value


def shown(value: Any) -> str:
    """As it could be written."""
    return value.text if isinstance(value, Unknown | Call) else "{...}" if isinstance(value, Table) else str(value)
