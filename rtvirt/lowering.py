"""What Numba is taught about kernels: how their tables are indexed, which fields can be at one address, and `int.bit_length`.

Only what is compiled without reference counting (``nrt``) is a kernel; other code that Numba compiles in this process is left alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def teach() -> None:
    """Register all of it, once."""
    index_like_c()
    tell_fields_apart()
    know_bit_length()


def in_kernel() -> bool:
    """True while a kernel is compiled."""
    from numba.core.targetconfig import ConfigStack

    return not ConfigStack().top().nrt


def index_like_c() -> None:
    """Let kernels index arrays, and the tables of a struct, by address alone.

    Numba, like Python, lets index -1 mean the last row, and computes what would be meant at every access: a third of the engine's
    time. Kernels never do that; with the JIT off the tables refuse it (`rows.Table`).
    """
    from numba.core import types
    from numba.core.typing import signature
    from numba.extending import lower_builtin
    from numba.np.arrayobj import getitem_array_tuple, getitem_arraynd_intp, setitem_array

    def unsigned(original: Callable[..., Any]) -> Callable[..., Any]:
        def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            table, index, *value = sig.args
            numbers = index.types if isinstance(index, types.BaseTuple) else (index,)
            if not in_kernel() or not all(isinstance(number, types.Integer) for number in numbers):
                return original(context, builder, sig, args)
            plain = types.UniTuple(types.uintp, len(numbers)) if isinstance(index, types.BaseTuple) else types.uintp
            place = context.cast(builder, args[1], index, plain)
            return original(context, builder, signature(sig.return_type, table, plain, *value), (args[0], place, *args[2:]))
        return lower

    for index, get in ((types.Integer, getitem_arraynd_intp), (types.BaseTuple, getitem_array_tuple)):
        lower_builtin(operator.getitem, types.NestedArray, index)(unsigned(get))
        lower_builtin(operator.getitem, types.Array, index)(unsigned(get))
        lower_builtin(operator.setitem, types.NestedArray, index, types.Any)(unsigned(setitem_array))
        lower_builtin(operator.setitem, types.Array, index, types.Any)(unsigned(setitem_array))


def tell_fields_apart() -> None:
    """Tell LLVM that a field of one kind of row is never at the address of another field.

    A C++ compiler takes that from the types. Without it every store might change whatever was loaded before, which is loaded again.
    """
    from llvmlite import ir
    from numba.core import types
    from numba.core.imputils import lower_getattr_generic, lower_setattr_generic
    from numba.np.arrayobj import record_getattr, record_setattr

    def mark(builder: Any, access: Any, row: Any, field: str) -> None:
        if in_kernel() and isinstance(access, (ir.LoadInstr, ir.StoreInstr)) and row.typeof(field) == types.int64:
            know, start = builder.module.add_metadata, ir.Constant(ir.IntType(64), 0)
            place = know([f"{field} of {row.size} bytes", know(["fields"]), start])      # like ones count as one: that is safe
            access.set_metadata("tbaa", know([place, place, start]))

    @lower_getattr_generic(types.Record)
    def read(context: Any, builder: Any, row: Any, address: Any, field: str) -> Any:
        value = record_getattr(context, builder, row, address, field)
        mark(builder, value, row, field)
        return value

    @lower_setattr_generic(types.Record)
    def write(context: Any, builder: Any, sig: Any, args: Any, field: str) -> None:
        record_setattr(context, builder, sig, args, field)
        mark(builder, builder.block.instructions[-1], sig.args[0], field)


def know_bit_length() -> None:
    """Teach Numba ``int.bit_length``: one instruction, where a search would take a dozen and be guessed wrong by the processor."""
    from numba.core import types
    from numba.extending import intrinsic, overload_method

    @intrinsic
    def leading_zeros(typing: Any, number: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.ctlz(args[0], context.get_constant(types.boolean, False))
        return types.int64(types.int64), generate

    @overload_method(types.Integer, "bit_length")
    def bit_length(number):  # type: ignore[no-untyped-def]
        return lambda number: 64 - leading_zeros(number)
