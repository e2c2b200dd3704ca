"""What a structure is: a table from operations to integer counts of parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ...errors import Problem, SpecError
from ..parts import NATIVE

Table = Mapping[str, Mapping[str, int]]


class Structure:
    """A way to build a hypervisor. What its table does not name runs directly: the native operation and nothing else."""

    def __post_init__(self) -> None:
        """Options that are switches must be switches: "no" would count as yes."""
        wrong = [Problem(f"{type(self).__name__}.{name}", value, "True or False", "choose one of these")
                 for name, value in vars(self).items() if isinstance(getattr(type(self), name), bool) and not isinstance(value, bool)]
        if wrong:
            raise SpecError(wrong)

    name: ClassVar[str]
    what: ClassVar[str]
    who: ClassVar[str]

    @property
    def label(self) -> str:
        """The name, with the options that are not the usual ones."""
        usual = type(self)()
        options = [f"{name}={value}" for name, value in vars(self).items() if value != getattr(usual, name)]
        return f"{self.name}({', '.join(options)})" if options else self.name

    def table(self) -> Table:
        """{operation: {part: count}} for one operation; ``native: 0`` where the parts replace the operation."""
        raise NotImplementedError

    def count(self, operation: str, times: int = 1) -> dict[str, int]:
        """Parts of an elementary operation done `times` in a row."""
        parts = {NATIVE: 1, **self.table().get(operation, {})}
        return {part: n * times for part, n in parts.items() if n}
