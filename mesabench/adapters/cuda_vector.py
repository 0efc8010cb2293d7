"""The vector environment whose environments run on an NVIDIA GPU: `gymnasium.make_vec(..., device="cuda")`."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from mesabench.adapters.env import EpisodeOver
from mesabench.adapters.vector import GridVectorEnv
from mesabench.engine.distribution import Distribution


class CudaVectorEnv(GridVectorEnv):
    """A `GridVectorEnv` on the current CUDA device: same seeds, same trajectories, bit for bit.

    What `reset` and `step` return lies on the device, infos too, in arrays with `__dlpack__` and `__cuda_array_interface__`:
    `torch.from_dlpack(array)` takes them without a copy. They are the same arrays at every step, which writes over them: to take
    each once is enough. Infos are those of a `GridVectorEnv`.
    Actions: int64 (n,), on the device (a tensor) or not; reset options may be on either, too.

    autoreset_mode: `NextStep` or `Disabled`. A step does not wait for the device: what an action on the device makes go wrong is
    raised by the next step, but for `Disabled`, which has to look.

    Raises ImportError without the extra `mesabench[cuda]`, DeviceError without a device, BatchTooLargeError, ValueError.
    """

    def _batch_of(self, distribution: Distribution, objective: str | None, threads: int) -> Any:
        from mesabench.engine.cuda import CudaBatch, lent

        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            raise ValueError(
                "autoreset_mode SameStep hands out each ended episode's last observation by itself, and device='cuda' has no "
                "such arrays: choose NextStep or Disabled"
            )
        if threads:
            raise ValueError(
                f"threads={threads}: environments on device='cuda' have no threads of the processor"
            )
        batch = CudaBatch(distribution, self.num_envs, objective=objective)
        self._outcome = tuple(map(lent, batch.outcome[:4]))
        returns = batch.returns
        infos = {
            "events": batch.events, "level": batch.levels, "digest": batch.digests, "is_success": batch.successes,
            **{f"return_{name}": returns[:, k] for k, name in enumerate(distribution.environment.objective_names)},
        }  # fmt: skip
        self._told = {name: lent(array) for name, array in infos.items()}
        self._lent, self._all_there = lent, lent(batch.upload(np.ones(self.num_envs, np.bool_)))
        return batch

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        _, infos = super().reset(seed=seed, options=options)
        return self._outcome[0], infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        self._refuse_unseeded()
        batch: Any = self.batch
        self._follow()
        batch.step(actions, autoreset=self.autoreset_mode == AutoresetMode.NEXT_STEP)
        if self.autoreset_mode == AutoresetMode.DISABLED:
            batch.wait()
            if batch.first_over < self.num_envs:
                raise EpisodeOver(
                    f"the episode of environment {batch.first_over} was over, and autoreset_mode is Disabled: "
                    'call reset(options={"reset_mask": terminated | truncated})'
                )
        return *self._outcome, self._infos(self._all)

    def _infos(self, having: np.ndarray) -> dict[str, Any]:
        batch: Any = self.batch
        mask = self._all_there if having is self._all else self._lent(batch.upload(having))
        return self._told | {f"_{name}": mask for name in self._told}

    def _array(self, value: Any, kinds: str, wanted: str, name: str) -> np.ndarray | None:
        return super()._array(self._here(value), kinds, wanted, name)

    def _here(self, value: Any) -> Any:
        """An array of the device, in the computer's memory; anything else as it is."""
        batch: Any = self.batch
        return batch.download(value) if hasattr(value, "__cuda_array_interface__") else value

    def _shown(self) -> Any:
        batch: Any = self.batch
        return batch.on_host()
