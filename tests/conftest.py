"""What all tests share: how much to do, and from which seed."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

WITHOUT_KERNELS = [f"unit/test_{name}.py" for name in (
    "availability", "classes", "classes_by_hand", "commands", "contributing", "interop", "notice", "partitioning", "platform", "platform_check",
    "platform_cli", "platform_create", "platform_isolation", "formats_xen", "project", "studies", "sweeps", "sweeps_cluster", "sweeps_parquet",
    "textbooks", "throughput")] + [f"property/test_{name}.py" for name in ("formats_round_trip", "hostile_files", "partitioned_boards")]
"""Files, formats, processes, and long runs of kernels that others have without the JIT: the compiled lane tells all there is to know."""
collect_ignore = WITHOUT_KERNELS if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0") else []

LONG = os.environ.get("RTVIRT_LONG", "0") not in ("", "0")
SEED = int(os.environ.get("RTVIRT_SEED", time.time() // 86400))


def pytest_report_header() -> str:
    """Say how to repeat this run."""
    return f"rtvirt: RTVIRT_SEED={SEED}{', full counts' if LONG else ''}"


@pytest.fixture(scope="session")
def seed() -> int:
    """Seed of today's shard of random systems; RTVIRT_SEED fixes it."""
    return SEED


@pytest.fixture(scope="session")
def long() -> bool:
    """True when the full counts are wanted."""
    return LONG
