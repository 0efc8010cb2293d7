"""Compiled kernels kept on disk between processes.

Numba cannot cache a closure over other compiled functions (their identity is new in every process), and where it can, it
does not notice that an inner function changed. A kernel here is stored under a fingerprint of all the code it reaches.
"""

import hashlib
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np
from numba import njit
from numba.core import config
from numba.core.caching import FunctionCache


def fingerprint(*parts: Any) -> str:
    """A digest of functions (with everything they call and every constant they use) and plain values."""
    digest = hashlib.sha256()
    seen: set[int] = set()

    def add(part: Any) -> None:
        function = getattr(part, "py_func", part)
        code = getattr(function, "__code__", None)
        if code is None:
            if isinstance(part, np.ndarray):
                digest.update(part.tobytes())
            elif not callable(part):
                digest.update(repr(part).encode())
        elif id(code) not in seen:
            seen.add(id(code))
            digest.update(code.co_code)
            add_constants(code)
            for name in code.co_names:
                if name in function.__globals__:
                    digest.update(name.encode())
                    add(function.__globals__[name])
            for cell in function.__closure__ or ():
                add(cell.cell_contents)

    def add_constants(code: CodeType) -> None:
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                digest.update(constant.co_code)
                add_constants(constant)
            else:
                digest.update(repr(constant).encode())

    for part in parts:
        add(part)
    return digest.hexdigest()


class _KernelCache(FunctionCache):
    """Numba's cache of one function, indexed by our fingerprint instead of its closure's pickled bytes."""

    def __init__(self, function: Callable[..., Any], key: str) -> None:
        super().__init__(function)
        self.key = key

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return sig, codegen.magic_tuple(), self.key


def kernel(*parts: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a closure, releasing the GIL, and cache it on disk; `parts` is whatever else its code depends on."""

    def compile_(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = njit(nogil=True)(function)
        if not config.DISABLE_JIT:
            compiled._cache = _KernelCache(function, fingerprint(function, *parts))
        return compiled

    return compile_
