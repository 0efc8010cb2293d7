"""Kernels on disk: found again by other processes, never taken for one another, never out of date."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from mesabench.kernel_cache import fingerprint

SCRIPT = """
import sys
import mesabench
from mesabench.kernel_cache import kernel
from mesabench.rules import rule

def build(factor):
    @rule
    def inner(x):
        return x * factor

    @kernel()
    def outer(x):
        return inner(x) + 1

    return outer

for factor in map(int, sys.argv[1:]):
    outer = build(factor)
    print(factor, outer(10), sum(outer.stats.cache_hits.values()))
"""


@pytest.fixture
def run(tmp_path: Path):
    """Run SCRIPT for some factors in a process of its own; per factor: (result, cache hits)."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environ = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_DISABLE_JIT": "0"}

    def run(*factors: int) -> dict[int, tuple[int, int]]:
        arguments = [sys.executable, str(script), *map(str, factors)]
        done = subprocess.run(arguments, env=environ, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return {
            int(f): (int(result), int(hits)) for f, result, hits in map(str.split, done.stdout.splitlines())
        }

    return run


def test_kernels_compiled_in_different_processes_keep_apart(run, tmp_path: Path) -> None:
    """Numba would give both the same symbol; loaded together, one would be run in the other's place."""
    assert run(2) == {2: (21, 0)}
    assert run(3) == {3: (31, 0)}
    assert run(2, 3) == {2: (21, 1), 3: (31, 1)}
    for file in tmp_path.rglob("*.nbc"):
        file.write_bytes(file.read_bytes()[:100])
    assert run(3) == {3: (31, 0)}, "a damaged file must be compiled again"


def functions(source: str, **names: object) -> dict[str, object]:
    space = dict(names)
    exec(source, space)
    return space


OUTER = "def outer(x, k=1):\n    return inner(x) + LIMIT"


def test_a_fingerprint_changes_with_whatever_the_code_reaches() -> None:
    def of(inner: str = "x + 1", limit: object = 3, outer: str = OUTER) -> str:
        return fingerprint(functions(f"def inner(x):\n    return {inner}\n{outer}", LIMIT=limit)["outer"])

    variants = [
        of(),
        of(inner="x + 2"),
        of(inner="x - 1"),
        of(inner="sum([x + 1 for _ in range(3)])"),
        of(inner="sum([x + 1 for _ in range(4)])"),
        of(inner="sum([x + LIMIT for _ in range(3)])"),
        of(inner="sum([x + LIMIT for _ in range(3)])", limit=4),
        of(limit=4),
        of(limit=np.arange(3)),
        of(limit=np.arange(1, 4)),
        of(outer=OUTER.replace("k=1", "k=2")),
    ]
    assert len(set(variants)) == len(variants)
    assert of() == of()


def test_a_fingerprint_follows_functions_into_modules() -> None:
    """Rules say `mazes.build(...)`: a change in the module's function must be noticed, one of its path must not."""

    def of(body: str, path: str = "here") -> str:
        module = ModuleType("mazes")
        module.__file__ = path
        exec(f"def build(s):\n    return {body}", module.__dict__)
        return fingerprint(functions("def layout(s):\n    return mazes.build(s)", mazes=module)["layout"])

    assert of("s + 1") != of("s + 2")
    assert of("s + 1") == of("s + 1", path="there")


def test_a_fingerprint_follows_closures() -> None:
    def make(k: object):
        return lambda x: (x, k)

    assert fingerprint(make(1)) != fingerprint(make(2))
    assert fingerprint(make(make(1))) != fingerprint(make(make(2))), "the same code with other cells"
    assert fingerprint(make(np.int64)) != fingerprint(make(np.uint64))
