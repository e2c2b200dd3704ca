"""Kernels are compiled once, as parts of an entry point, and not each by itself before: a third of the compile time.

Numba optimizes every function it compiles and turns it into machine code; then it compiles the caller, takes the function in, and
does the same again. Nobody calls a kernel but an entry point, which takes all of them in, so it is enough to do it there. This uses parts
of Numba that are not public: should a new version lack them, leave ``pipeline_class`` out in jit.py (twice), `quicken` and `compiled_for_types`
too, and all works as before, slower to compile and to run.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def kernel_compiler() -> type:
    """The compiler of kernels: it stops at LLVM's language, and leaves the rest to the entry point's."""
    from numba import _dynfunc
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler_machinery import LoweringPass, register_pass
    from numba.core.typed_passes import NativeLowering

    class Ingredients(JITCodeLibrary):
        """A function and those it calls, as they were written."""

        seldom = False

        def add_ir_module(self, ir_module: Any) -> None:
            if self.seldom:
                for function in ir_module.functions:
                    if not function.is_declaration:
                        function.attributes.add("cold")
                        function.attributes.add("noinline")
            JITCodeLibrary.add_ir_module(self, ir_module)

        def finalize(self) -> None:
            self._raise_if_finalized()
            for library in dict.fromkeys(self._linking_libraries):
                self._reload_init.update(library._reload_init)
                self._final_module.link_in(library._get_module_for_linking(), preserve=True)
            self._final_module.verify()
            self._finalized = True

    @register_pass(mutates_CFG=True, analysis_only=False)
    class LowerOnly(LoweringPass):
        """Numba's lowering, without what comes after it."""

        _name = "lower_only"

        def __init__(self) -> None:
            LoweringPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            state.library = Ingredients(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.seldom = hasattr(state.func_id.func, "seldom")
            state.flags.no_compile = True
            NativeLowering().run_pass(state)
            found, name = state["cr"], state.func_id.func_qualname
            stand_in = _dynfunc.make_function(found.fndesc.lookup_module(), name, "", 0, found.env, (state.library,))
            state.targetctx.insert_user_function(stand_in, found.fndesc, [state.library])
            state["cr"] = found._replace(cfunc=stand_in)
            return True

    return compiler_with(LowerOnly)


@cache
def entry_compiler() -> type:
    """The compiler of entry points: it tells LLVM that nobody else calls the kernels which have been taken in.

    LLVM may then change how they are called: without the error codes that Numba returns and checks, which kernels do not have, and with no
    more arguments than are used; and what is called from one place can become part of it (`jit.large`). With both, loops with devices are
    a third faster (``tests/benchmarks/channels_speed.py --before``).
    """
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler_machinery import LoweringPass, register_pass
    from numba.core.typed_passes import NativeLowering

    class Whole(JITCodeLibrary):
        """An entry point with all its kernels."""

        def _optimize_final_module(self) -> None:
            for function in self._final_module.functions:
                if not function.is_declaration and function.linkage.name == "linkonce_odr":       # Numba's mark of what has been linked in
                    function.linkage = "internal"
            JITCodeLibrary._optimize_final_module(self)

    @register_pass(mutates_CFG=True, analysis_only=False)
    class LowerWhole(LoweringPass):
        """Numba's lowering, into such a library."""

        _name = "lower_whole"

        def __init__(self) -> None:
            LoweringPass.__init__(self)

        def run_pass(self, state: Any) -> bool:
            state.library = Whole(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
            return bool(NativeLowering().run_pass(state))

    return compiler_with(LowerWhole)


def compiler_with(lowering: type) -> type:
    """A compiler of Numba's passes, with another one in place of its lowering."""
    from numba.core.compiler import CompilerBase, DefaultPassBuilder
    from numba.core.typed_passes import NativeLowering

    class Compiler(CompilerBase):
        """Numba's passes, the last one replaced."""

        def define_pipelines(self) -> list[Any]:
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
            passes.passes = [(lowering, text) if one is NativeLowering else (one, text) for one, text in passes.passes]
            passes.finalize()
            return [passes]

    return Compiler


def compiled_for_types(kernel: Any) -> Any:
    """Let a kernel be compiled once for all calls with numbers of a type: where a call names a constant, Numba would compile it for that
    constant alone. As it becomes part of its caller, LLVM sees the constant all the same.
    """
    from numba.core.types import unliteral

    resolve = kernel.get_call_template

    def resolve_types(args: Any, kws: Any) -> Any:
        return resolve(tuple(unliteral(arg) for arg in args), {name: unliteral(kind) for name, kind in kws.items()})

    kernel.get_call_template = resolve_types
    return kernel


@cache
def quicken() -> None:
    """Let Numba not do again and again what takes a tenth of the compile time: compare two sets of options by reading each option of both,
    and spell the type of the engine's state, thousands of characters, for messages that nobody reads.
    """
    from numba.core.targetconfig import TargetConfig
    from numba.core.types import NestedArray, Record

    in_full: Any = TargetConfig.__eq__

    def equal(one: Any, other: Any) -> Any:
        return (type(one) is type(other) and one._values == other._values) or in_full(one, other)

    TargetConfig.__eq__ = equal                                # type: ignore[method-assign]
    TargetConfig.__hash__ = lambda one: hash(type(one))        # type: ignore[method-assign]     # there are a handful of them
    for kind in (Record, NestedArray):
        kind.__repr__ = spelled_once(kind.__repr__)            # type: ignore[method-assign]


def spelled_once(spell: Any) -> Any:
    """A `repr` that remembers; types do not change."""
    known: dict[int, tuple[Any, str]] = {}                     # with the type itself, so that its id stays its own

    def spelled(kind: Any) -> str:
        if id(kind) not in known:
            known[id(kind)] = kind, spell(kind)
        return known[id(kind)][1]

    return spelled
