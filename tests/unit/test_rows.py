"""Tables in plain Python form refuse what compiled kernels cannot do."""

from __future__ import annotations

import pytest

from rtvirt.xentrace.interpreted import interpreted


def test_tables_refuse_negative_indices():
    """Compiled kernels would read beyond the table (`jit.index_like_c`); so the form that tests run without the JIT must say so."""
    rows = interpreted("rows")

    class World(rows.Struct):
        line = rows.Many(int, 3)
        grid = rows.Many(int, 3, 2)

    world = rows.make(World)
    world.line[2], world.grid[2, 1] = 5, 7
    assert world.line[2] == 5 and world.grid[2, 1] == 7
    for table, index in ((world.line, -1), (world.grid, (2, -1)), (world.grid, (-1, 0)), (world.grid, -1)):
        with pytest.raises(IndexError, match="of a table"):
            table[index]
        with pytest.raises(IndexError, match="of a table"):
            table[index] = 1
