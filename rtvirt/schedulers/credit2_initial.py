"""Credits to start credit2 from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .contracts import Contracts
from .credit2_accounts import LEAST, MOST
from .initial import check_names, find, whole


def apply_initial(state: Any, initial: Mapping[str, Any], first_vcpu: Mapping[str, int], contracts: Contracts) -> None:
    """Put `initial` into the state (see `simulate`); SpecError for names and values that make no sense."""
    check_names("initial", initial, ("credit",))
    for name, value in check_names("initial.credit", initial.get("credit", {})).items():
        account = state.vcpus[find(name, first_vcpu, contracts, "credit")]
        account.credit, account.opened = whole(f"initial.credit[{name}]", value, LEAST, MOST), 1
