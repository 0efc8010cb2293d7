"""`make test-gpu`: the same trajectories on an NVIDIA GPU as on the processor, bit for bit, and then how fast they come.

Not part of the test suite, which needs no device: there the same comparison runs under Numba's simulator of CUDA. Names of
environments may be given; by default all are compared. Takes less than five minutes.
"""

import sys
import time
from typing import Any

import gymnasium
import numba
import numpy as np

from mesabench import registry
from mesabench.engine.batch import Batch
from mesabench.engine.cuda import CudaBatch
from mesabench.engine.cuda_kernels import card, numba_cuda
from mesabench.engine.distribution import Distribution
from mesabench.world.environment import DEPLOY, TRAIN

ENVIRONMENTS, STEPS = 500, 150


def difference(name: str, split: str) -> str:
    """What differs between a run on the device and the same on the processor; '' for nothing."""
    distribution = Distribution(registry.find_environment(name), split)
    rng = np.random.default_rng(0)
    there, here = CudaBatch(distribution, ENVIRONMENTS), Batch(distribution, ENVIRONMENTS)
    for batch in (there, here):
        for i in range(ENVIRONMENTS):
            batch.seed(i, 7 + i)
        batch.reset()
    for step in range(STEPS + 1):
        for what in ("states", "episodes", "observations", "rewards", "terminated", "truncated", "events"):
            mine, theirs = getattr(there, what).copy_to_host(), getattr(here, what)
            if step == 0 and what not in ("states", "episodes", "observations"):
                continue
            if mine.astype(theirs.dtype, copy=False).tobytes() != theirs.tobytes():
                wrong = np.flatnonzero(
                    [a.tobytes() != b.tobytes() for a, b in zip(mine, theirs, strict=True)]
                )
                return f"{what} of {len(wrong)} environments after {step} steps, the first {wrong[:1]}"
        actions = rng.integers(0, len(distribution.environment.actions), ENVIRONMENTS)
        for batch in (there, here):
            batch.step(actions, autoreset=True)
    return ""


def without_a_copy() -> str:
    """Whether PyTorch, if it is here, takes the arrays as they lie."""
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed"
    envs: Any = gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=64, device="cuda")
    observations, infos = envs.reset(seed=0)
    returned = envs.step(torch.zeros(64, dtype=torch.int64, device="cuda"))
    assert returned[0] is observations
    for array in (*returned[:4], *returned[4].values(), *infos.values()):
        there = array.__cuda_array_interface__["data"][0]
        for tensor in (torch.from_dlpack(array), torch.as_tensor(array, device="cuda")):
            assert tensor.is_cuda
            assert tensor.data_ptr() == there
            assert np.array_equal(tensor.cpu().numpy(), array.copy_to_host())
    return f"PyTorch {torch.__version__} takes all arrays without a copy, by DLPack and by the CUDA array interface"


def main(names: list[str]) -> int:
    print(
        f"{card()}; Python {sys.version.split()[0]}, Numba {numba.__version__}, numba-cuda {numba_cuda}",
        flush=True,
    )
    wrong = 0
    for name in names or registry.environments():
        begin = time.perf_counter()
        found = {split: difference(name, split) for split in (TRAIN, DEPLOY)}
        said = "; ".join(f"{split}: {what}" for split, what in found.items() if what)
        wrong += bool(said)
        told = f"DIFFERS {said}" if said else f"equal, {len(found) * ENVIRONMENTS * STEPS:,} steps"
        print(f"{name}: {told} ({time.perf_counter() - begin:.1f} s)", flush=True)
    print(without_a_copy(), flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
