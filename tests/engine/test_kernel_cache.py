"""Kernels on disk: found again by other processes, never taken for one another, never out of date."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import mesabench
from mesabench.engine.kernel_cache import fingerprint

SCRIPT = """
import sys
import mesabench
from mesabench.engine.kernel_cache import kernel
from mesabench.world.rules import rule

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
def start(tmp_path: Path):
    """Start SCRIPT for some factors in a process of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environ = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_DISABLE_JIT": "0"}

    def start(*factors: int) -> subprocess.Popen[str]:
        arguments = [sys.executable, str(script), *map(str, factors)]
        return subprocess.Popen(
            arguments, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start


@pytest.fixture
def run(start):
    """The same to its end; per factor: (result, cache hits)."""

    def run(*factors: int) -> dict[int, tuple[int, int]]:
        process = start(*factors)
        said, trouble = process.communicate(timeout=100)
        assert process.returncode == 0, trouble
        return {int(f): (int(result), int(hits)) for f, result, hits in map(str.split, said.splitlines())}

    return run


def test_kernels_compiled_in_different_processes_keep_apart(run, tmp_path: Path) -> None:
    """Numba would give both the same symbol; loaded together, one would be run in the other's place."""
    assert run(2) == {2: (21, 0)}
    assert run(3) == {3: (31, 0)}
    assert run(2, 3) == {2: (21, 1), 3: (31, 1)}


def middle_changed(content: bytes) -> bytes:
    half = len(content) // 2
    return content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]


@pytest.mark.slow(reason="compiles in a process for every kind of damage")
def test_a_damaged_file_is_compiled_again_and_replaced(run, tmp_path: Path) -> None:
    """LLVM ends the process where it is given half an object."""
    damages = [*(lambda content, k=k: content[:k] for k in (0, 1, 31, 32, 100, -1)), middle_changed,
               lambda content: content + b"\0", lambda content: bytes(len(content)), lambda content: last]  # fmt: skip
    factors = range(2, 4 + len(damages))
    run(*factors)
    *files, folder, untouched = sorted(tmp_path.rglob("*.nbc"))
    last = untouched.read_bytes()
    for file, damaged in zip(files, damages, strict=True):
        file.write_bytes(damaged(file.read_bytes()))
    folder.unlink()
    folder.mkdir()
    found = run(*factors)
    assert {factor: result for factor, (result, _) in found.items()} == {k: 10 * k + 1 for k in factors}
    assert sum(hits for _, hits in found.values()) == 1, "only one file was as it should be"
    assert sum(hits for _, hits in run(*factors).values()) == 1 + len(files), (
        "all but the folder were replaced"
    )
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow(reason="several processes that compile the same")
def test_any_number_of_processes_may_compile_the_same_at_once(start, run) -> None:
    started = [start(2, 3) for _ in range(4)]
    for process in started:
        said, trouble = process.communicate(timeout=100)
        assert process.returncode == 0, trouble
        assert [line.split()[:2] for line in said.splitlines()] == [["2", "21"], ["3", "31"]]
    assert run(2, 3) == {2: (21, 1), 3: (31, 1)}


def test_where_nothing_can_be_written_everything_is_compiled_in_memory(tmp_path: Path) -> None:
    """A read-only installation without a home, where Numba itself refuses to define a function that asks for its cache."""
    script = tmp_path / "script.py"
    script.write_text("""
from numba.core import caching
caching.CacheImpl._locator_classes = []
import numpy as np
from mesabench import solver
from mesabench.cli import verbs
from mesabench.deception import choices
from mesabench.scores import directedness, structure
from mesabench.solver.kinds import kinds_of
assert kinds_of(np.ones(3), np.array([1, 2, 1], np.uint32)).of.tolist() == [0, 1, 0]
""")
    environ = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, str(script)], env=environ, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr


def test_every_kernel_on_disk_is_sealed() -> None:
    """Numba's own cache trusts whatever lies there."""
    for package in mesabench.__path__:
        for file in Path(package).rglob("*.py"):
            if "tests" not in file.parts and ".venv" not in file.parts:
                assert "cache=True" not in file.read_text("utf-8"), file


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
