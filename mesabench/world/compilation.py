"""How Numba compiles a rule: once, as a part of the kernels that call it."""

from collections.abc import Callable
from typing import Any

from numba import njit, types


def rule(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function of a state as part of an environment's rules, to be compiled into its kernels."""
    compiled = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    if compiled is not function:  # not with NUMBA_DISABLE_JIT=1
        compiled.get_call_template = _of_whole_numbers(compiled.get_call_template)
    return compiled


def _of_whole_numbers(template: Callable[..., Any]) -> Callable[..., Any]:
    """Take constants and narrower integers for int64, so that a rule is compiled once and not for each of them."""

    def whole(kind: Any) -> Any:
        constant = isinstance(kind, types.IntegerLiteral)
        narrow = isinstance(kind, types.Integer) and kind.bitwidth < 64
        return types.int64 if constant or narrow else kind

    def of_whole_numbers(args: Any, kws: Any) -> Any:
        return template(tuple(map(whole, args)), {name: whole(kind) for name, kind in kws.items()})

    return of_whole_numbers
