"""Tables in plain Python form refuse what compiled kernels cannot do."""

from __future__ import annotations

import numpy as np
import pytest

from rtvirt import rows


def test_tables_refuse_negative_indices():
    """Compiled kernels would read beyond the table (`lowering.index_like_c`); so the form that tests run without the JIT must say so."""
    line, grid = rows.Table([0] * 3), np.zeros((3, 2), np.int64).view(rows.Grid)
    line[2], grid[2, 1] = 5, 7
    assert line[2] == 5 and grid[2, 1] == 7
    for table, index in ((line, -1), (grid, (2, -1)), (grid, (-1, 0)), (grid, -1)):
        with pytest.raises(IndexError, match="of a table"):
            table[index]
        with pytest.raises(IndexError, match="of a table"):
            table[index] = 1


class Pair(rows.Row):
    """A row of two."""

    left: int
    right: int


class Inner(rows.Struct):
    """A struct in a struct."""

    pair = Pair
    numbers = rows.Many(int, 4)


class Outer(rows.Struct):
    """All kinds of parts."""

    first = Pair
    pairs = rows.Many(Pair, 3)
    grid = rows.Many(int, 3, 2)
    inner = Inner


def test_the_host_reads_what_it_wrote_where_kernels_read_it():
    world = rows.make(Outer, {"pairs": 3, "grid": 3, "inner": {"numbers": 4}})
    world.first.right, world.pairs[1].left, world.grid[2, 1], world.inner.pair.left = 1, 2, 3, 4
    rows.fill(world.pairs, 3, right=[5, 6, 7])
    rows.put(world.inner.numbers, [8, 9], 2)
    seen = rows.handle(world)[0]
    assert [int(x) for x in (seen.first.right, seen.pairs[1].left, seen.grid[2, 1], seen.inner.pair.left)] == [1, 2, 3, 4]
    assert [int(seen.pairs[i].right) for i in range(3)] == [5, 6, 7] and [int(x) for x in seen.inner.numbers[:2]] == [8, 9]
    assert world.pairs[2].right == 7 and rows.copied(world.pairs, Pair, 2).tolist() == [[0, 5], [2, 6]]


def test_a_struct_that_is_used_again_begins_with_zeros():
    sizes = {"pairs": 2, "grid": 1, "inner": {"numbers": 3}}
    for _ in range(2):
        world = rows.make(Outer, sizes)
        found = [world.first.left, world.inner.pair.right, *world.grid[0, :].tolist(), *list(world.inner.numbers[:3])]
        assert found + rows.copied(world.pairs, Pair, 2).ravel().tolist() == [0] * 11
        world.first.left = world.inner.pair.right = 5
        world.grid[0, 1] = world.inner.numbers[2] = world.pairs[1].left = 5
        rows.give_back(world)
