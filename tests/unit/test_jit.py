"""Where compiled kernels are kept, and what happens when they cannot be."""

from __future__ import annotations

import pytest

from rtvirt.jit import DISABLED, entry

pytestmark = pytest.mark.skipif(DISABLED, reason="nothing is compiled without the JIT")


def double(x):
    return 2 * x


def test_a_folder_that_cannot_be_made_costs_a_compilation_and_nothing_else(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        compiled = entry(double, tmp_path / "file" / "kernels")
    assert compiled(21) == 42 and compiled.stats.cache_path is None      # not in some other folder either, where schedulers could be mixed up


def test_so_does_a_full_disk(tmp_path, monkeypatch):
    from numba.core.caching import IndexDataCacheFile

    def full(self, key, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    compiled = entry(double, tmp_path / "kernels")
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        assert compiled(21) == 42


def test_otherwise_they_are_kept(tmp_path):
    assert entry(double, tmp_path / "kernels")(21) == 42
    again = entry(double, tmp_path / "kernels")
    assert again(21) == 42 and sum(again.stats.cache_hits.values()) == 1
