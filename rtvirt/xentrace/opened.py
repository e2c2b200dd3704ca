"""A scheduler as it stands when a trace's window opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Opened:
    """Put before a scheduler class: its tables begin as the window's opening says. `opening` is what `simulate` takes as `initial`."""

    opening: Any = field(kw_only=True, repr=False, compare=False)

    def initial(self) -> dict[str, Any]:
        """The opening, as the scheduler's `set_initial` reads it."""
        return dict(self.opening)

    def make_state(self, cpus: int, contracts: Any) -> Any:
        """The scheduler's tables, with the opening in them."""
        state = super().make_state(cpus, contracts)  # type: ignore[misc]
        first = {name: int(np.argmax(contracts.vcpu_vm == i)) for i, name in enumerate(contracts.names)}
        super().set_initial(state, self.initial(), first, contracts)  # type: ignore[misc]
        return state
