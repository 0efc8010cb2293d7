"""On a CUDA device levels, steps and observations are those of the processor; what can be shown of it without a device."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesabench import registry

needs_numba_cuda = pytest.mark.skipif(
    importlib.util.find_spec("numba_cuda") is None, reason="needs the extra mesabench[cuda]"
)
SIMULATED = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1", "PYTHONWARNINGS": "ignore"}
"""Kernels as threads of Python, rules as plain Python (which test_uncompiled shows to play as the compiled ones do)."""
N, STEPS = 3, 12


def run(
    code: str, environ: dict[str, str] | None = None, *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=280)


SAME = f"""
import sys
from pathlib import Path
import numpy as np
from mesabench import registry
from mesabench.engine.batch import Batch
from mesabench.engine.cuda import CudaBatch
from mesabench.engine.distribution import distribution

def same(name, **options):
    levels = distribution(name, **options)
    pair = CudaBatch(levels, {N}), Batch(levels, {N})
    for batch in pair:
        for i in range({N}):
            batch.seed(i, 5 + i)
        batch.reset()
    for t in range({STEPS}):
        for batch in pair:
            batch.step((np.arange({N}) + t * t) % len(levels.environment.actions), autoreset=True)
        for what in ("states", "episodes", "observations", "rewards", "terminated", "truncated", "events"):
            there, here = getattr(pair[0], what).copy_to_host(), getattr(pair[1], what)
            assert there.astype(here.dtype).tobytes() == here.tobytes(), (name, options, t, what)

for name in registry.environments():
    for split in ("train", "deploy"):
        same(name, split=split, max_steps=5)
    print(name)
for sight in ("rgb", "5x5 opaque"):
    same("cheese_corner", sight=sight)
"""


@needs_numba_cuda
def test_every_world_plays_the_same_on_a_simulated_device() -> None:
    done = run(SAME, SIMULATED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [*registry.environments()]


VECTOR = """
import gymnasium
import numpy as np
import mesabench
there = gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=3, device="cuda")
here = gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=3)
host = lambda array: array.copy_to_host() if hasattr(array, "copy_to_host") else array
for t in range(4):
    a, b = [env.step(np.array([t, 1, 2])) if t else env.reset(seed=5) for env in (there, here)]
    for mine, theirs in zip(a[:-1], b[:-1]):
        assert np.array_equal(host(mine), theirs)
    assert a[-1].keys() == b[-1].keys()
    for name in a[-1]:
        assert np.array_equal(host(a[-1][name]), b[-1][name]), name
        assert host(a[-1][name]).dtype == b[-1][name].dtype
assert there.call("text") == here.call("text")
seen = there.reset(seed=6)[0]
taken = np.from_dlpack(seen)
before = taken.copy()
moved = [there.step(np.array([k, k, k]))[0] for k in range(4)]
assert all(one is seen for one in moved)
assert not np.array_equal(taken, before) and np.array_equal(taken, host(seen))
for wrong in ({"device": "tpu"}, {"device": "cuda", "autoreset_mode": "SameStep"}, {"device": "cuda", "threads": 2}):
    try:
        gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=3, **wrong)
    except ValueError as error:
        print(error)
there.step(np.array([0, 9, 0]))
try:
    there.batch.wait()
except ValueError as error:
    print(error)
"""


@needs_numba_cuda
def test_a_vector_on_the_device_gives_what_one_on_the_processor_gives() -> None:
    done = run(VECTOR, SIMULATED)
    assert done.returncode == 0, done.stderr
    device, mode, threads, action = done.stdout.splitlines()
    assert "tpu" in device
    assert "SameStep" in mode
    assert "threads" in threads
    assert "environment 1" in action


@needs_numba_cuda
def test_every_world_compiles_for_a_device_that_is_not_there() -> None:
    from mesabench.engine.cuda_kernels import ptx_of
    from mesabench.engine.distribution import distribution

    for name in registry.environments():
        for ptx in ptx_of(distribution(name).engine):
            assert ".target sm_90" in ptx
            assert ".entry" in ptx


@needs_numba_cuda
def test_products_and_sums_are_rounded_as_on_the_processor() -> None:
    """One rounding instead of two would be another number, and sooner or later another trajectory."""
    from numba import cuda, float64, void

    from mesabench.engine.cuda_kernels import HOPPER, _rounding_as_the_processor_does

    def multiply_and_add(x):
        x[0] = x[1] * x[2] + x[3]

    with _rounding_as_the_processor_does():
        exact = cuda.compile_ptx(multiply_and_add, void(float64[:]), cc=HOPPER)[0]
    fused = cuda.compile_ptx(multiply_and_add, void(float64[::1]), cc=HOPPER)[0]
    assert "fma." in fused
    assert "fma." not in exact


def test_without_numba_cuda_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['numba.cuda'] = None\n"
        "import gymnasium, mesabench\n"
        "gymnasium.make_vec('mesabench/CheeseCorner-v0', num_envs=2, device='cuda')"
    )
    done = run(code)
    assert done.returncode
    assert "mesabench[cuda]" in done.stderr


@needs_numba_cuda
def test_without_a_device_what_was_found_is_said() -> None:
    from mesabench.engine.cuda import CudaBatch
    from mesabench.engine.cuda_kernels import DeviceError, cuda
    from mesabench.engine.distribution import distribution

    if cuda.is_available():
        pytest.skip("there is a device")
    with pytest.raises(DeviceError, match=r"numba-cuda .* driver"):
        CudaBatch(distribution("cheese_corner"), 2)


def test_nothing_of_cuda_is_imported_by_those_who_ask_for_no_device() -> None:
    code = (
        "import sys, gymnasium, mesabench\n"
        "gymnasium.make_vec('mesabench/CheeseCorner-v0', num_envs=2).reset(seed=0)\n"
        "print([name for name in sys.modules if 'engine.cuda' in name or name.startswith('numba_cuda')])"
    )
    done = run(code)
    assert done.stdout.strip() == "[]", done.stderr


@needs_numba_cuda
def test_check_names_the_rule_that_cuda_cannot_compile(tmp_path) -> None:
    from mesabench.testing import Broken, check_cuda

    source = (Path(__file__).parents[2] / "envs" / "cheese_corner.py").read_text()
    rule = "def step(s, action):\n"
    source = source.replace(rule, f"{rule}    spare = np.zeros(3)\n    spare[0] = 1\n")
    file = tmp_path / "my_cheese.py"
    file.write_text(source.replace("from mesabench.world", "import numpy as np\nfrom mesabench.world", 1))
    with pytest.raises(Broken, match=r"'step' \(.*my_cheese.py, line \d+\)"):
        check_cuda(registry.find_environment(str(file)), 1)
