"""Compiled kernels kept on disk between processes.

Numba cannot cache a closure over other compiled functions (their identity is new in every process), and where it can, it
does not notice that an inner function changed. A kernel here is stored under a fingerprint of all the code it reaches.
"""

import contextlib
import hashlib
import hmac
import itertools
import os
import pickle
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core import config
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import FunctionCache
from numba.core.serialize import dumps


def _number_symbols_anew() -> None:
    """Let the names of compiled functions differ from those of every other process.

    Numba names a function by a counter that begins at 1 in every process. Two kernels from the cache, compiled in different
    processes, may then contain functions of the same name, and where both are loaded the linker takes one for the other.
    """
    FunctionIdentity._unique_ids = itertools.count(int.from_bytes(os.urandom(7), "big") << 32)


_number_symbols_anew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_number_symbols_anew)


def fingerprint(*parts: Any) -> str:
    """A digest of functions (with everything they call and every constant they use) and plain values."""
    digest = hashlib.sha256()
    seen: set[int] = set()

    def add(part: Any, attributes: list[str]) -> None:
        """Add a value; of a module, add what the code may take from it: the attributes that it names."""
        function = getattr(part, "py_func", part)
        if isinstance(part, ModuleType):
            for name in attributes:
                if hasattr(part, name):
                    add(getattr(part, name), attributes)
        elif isinstance(part, np.ndarray):
            digest.update(part.tobytes())
        elif hasattr(function, "__code__"):
            add_function(function)
        else:
            digest.update((getattr(part, "__qualname__", "") if callable(part) else repr(part)).encode())

    def add_function(function: Any) -> None:
        if id(function) in seen:
            return
        seen.add(id(function))
        digest.update(repr((function.__defaults__, function.__kwdefaults__)).encode())
        for code in codes_of(function.__code__):
            digest.update(code.co_code)
            for constant in code.co_consts:
                if not isinstance(constant, CodeType):
                    digest.update(repr(constant).encode())
            for name in code.co_names:
                digest.update(name.encode())
                if name in function.__globals__:
                    add(function.__globals__[name], list(code.co_names))
        for cell in function.__closure__ or ():
            add(cell.cell_contents, [])

    for part in parts:
        add(part, [])
    return digest.hexdigest()


def codes_of(code: CodeType) -> Iterator[CodeType]:
    """A code object and those of the functions and comprehensions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


class _SealedFiles:
    """The compiled code of one kernel on disk, a file for each signature and processor.

    LLVM ends the process where a file is damaged, so each begins with a digest of what it holds and of what it was made for;
    what does not match is as good as none. Files are exchanged as a whole: any number of processes may write at once.
    """

    def __init__(self, folder: str, name: str, stamp: Callable[[], str]) -> None:
        self.folder, self.name, self.stamp = Path(folder), name, stamp

    def _asked(self, key: Any) -> str:
        return hashlib.sha256(f"{self.stamp()} {key}".encode()).hexdigest()

    def _path(self, asked: str) -> Path:
        return self.folder / f"{self.name}-{asked[:24]}.{sys.implementation.cache_tag}.nbc"

    def load(self, key: Any) -> Any:
        asked = self._asked(key)
        content = self._path(asked).read_bytes()
        if not hmac.compare_digest(_seal(asked, content[_SEAL:]), content[:_SEAL]):
            return None
        return pickle.loads(content[_SEAL:])

    def save(self, key: Any, data: Any) -> None:
        asked, content = self._asked(key), dumps(data)
        path = self._path(asked)
        beside = path.with_name(f".{uuid.uuid4().hex}.part")
        try:
            beside.write_bytes(_seal(asked, content) + content)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def flush(self) -> None:
        """Nothing: other code has another name, and what is damaged is written anew."""


_SEAL = 32
"""Bytes of the digest that a file begins with."""


def _seal(asked: str, content: bytes) -> bytes:
    return hashlib.sha256(asked.encode() + content).digest()


class _KernelCache(FunctionCache):
    """Numba's cache of one function, in files of its own for each fingerprint.

    Numba keeps one index for all kernels of a source line and numbers their files, so processes that compile different
    environments at the same time would overwrite each other's, and load the wrong one later.
    """

    def __init__(self, function: Callable[..., Any], parts: tuple[Any, ...]) -> None:
        super().__init__(function)

        @cache  # when it is first asked for: by then the module that holds the function is complete
        def stamp() -> str:
            return fingerprint(function, numba.__version__, config.BOUNDSCHECK, *parts)

        self._cache_file = _SealedFiles(self._cache_path, f"{function.__module__}.{function.__name__}", stamp)

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return sig, codegen.magic_tuple()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        with contextlib.suppress(Exception):  # missing, unreadable, or of another version: compile it
            return super().load_overload(sig, target_context)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # a full or read-only disk costs time, not the run
            super().save_overload(sig, data)


def kernel(*parts: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a function, releasing the GIL, and cache it on disk; `parts` is whatever else its code depends on.

    Where nothing can be written it is compiled in every process.
    """

    def compile_(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = njit(nogil=True)(function)
        if not config.DISABLE_JIT:
            with contextlib.suppress(RuntimeError, OSError):  # nowhere to write to
                compiled._cache = _KernelCache(function, parts)
        return compiled

    return compile_
