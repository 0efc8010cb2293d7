"""The native Gymnasium VectorEnv: all environments stepped by one compiled call."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from mesabench.batch import Batch
from mesabench.engine import RUNNING, Array
from mesabench.environment import Environment
from mesabench.gridenv import distribution_of, info_arrays, spaces_of
from mesabench.suggestion import unknown
from mesabench.whole import whole


class GridVectorEnv(VectorEnv[Array, Array, Array]):
    """n mesabench environments; made by `gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=1024)`.

    Options are those of `mesabench.gridenv.GridEnv`, and:

    autoreset_mode: `NextStep` (default), `SameStep` or `Disabled`, as `gymnasium.vector.AutoresetMode` explains them.
    copy: if False, `step` writes over what it returned two calls ago (infos apart), which saves memory traffic in large
        batches.
    threads: 0 chooses by the number of environments and the processor; results do not depend on it.

    `reset(seed=7)` gives environment i the seed 7 + i (Gymnasium's convention), and then it does what `GridEnv` does with that
    seed. `reset(options={"reset_mask": bool (n,)})` restarts some, `{"levels": int (n,)}` sets the levels' seeds (-1 = any).
    """

    metadata: dict[str, Any] = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(
        self,
        environment: str | Environment,
        num_envs: int = 1,
        *,
        objective: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        threads: int = 0,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        num_envs = whole(num_envs, 1, name="num_envs")
        if render_mode is not None:
            raise ValueError(
                "a vector of environments does not render; make a single one with gymnasium.make"
            )
        if max_episode_steps is not None:  # the name Gymnasium has for our knob
            options["max_steps"] = max_episode_steps
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.distribution = distribution_of(environment, options)
        self.environment = self.distribution.environment
        self.num_envs = num_envs
        self.batch = Batch(self.distribution, num_envs, objective=objective, threads=threads)
        self.single_observation_space, self.single_action_space = spaces_of(self.distribution)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._renew = self.batch.renew if copy else self.batch.alternate
        self._seeded = False
        self._all = np.ones(num_envs, np.bool_)
        self._all.flags.writeable = False

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        options = options or {}
        for name in options:
            if name not in ("reset_mask", "levels"):
                raise ValueError(unknown("reset option", name, ("reset_mask", "levels")))
        mask = self._array(options.get("reset_mask"), np.bool_, "reset_mask")
        levels = self._array(options.get("levels"), np.int64, "levels")
        seeds = self._seeds(seed)
        if not self._seeded:
            if mask is not None and not mask.all():
                raise gymnasium.error.ResetNeeded(
                    "the first reset must be one of all environments, without reset_mask"
                )
            seeds = [
                fresh if one is None else one for fresh, one in zip(self._fresh_seeds(), seeds, strict=True)
            ]
            self._seeded = True
        for i, one in enumerate(seeds):
            if one is not None and (mask is None or mask[i]):
                self.batch.seed(i, one)
        kept = self.batch.observations
        self._renew()
        if mask is not None:
            self.batch.observations[:] = kept
        self.batch.reset(mask, levels)
        return self.batch.observations, self._infos(self._all)

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        if not self._seeded:
            raise gymnasium.error.ResetNeeded("call reset() before the first step()")
        batch = self.batch
        self._renew()
        batch.step(np.asarray(actions), autoreset=self.autoreset_mode == AutoresetMode.NEXT_STEP)
        ended = batch.status != RUNNING
        if self.autoreset_mode != AutoresetMode.SAME_STEP or not ended.any():
            return (
                batch.observations,
                batch.rewards,
                batch.terminated,
                batch.truncated,
                self._infos(self._all),
            )
        outcome = batch.rewards.copy(), batch.terminated.copy(), batch.truncated.copy()
        observations = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(ended):
            observations[i] = batch.observations[i].copy()
        final = {"final_obs": observations, "final_info": self._infos(ended)}
        batch.reset(ended)
        batch.rewards, batch.terminated, batch.truncated = outcome
        infos = self._infos(self._all) | final | {f"_{name}": ended for name in final}
        return batch.observations, *outcome, infos

    def _seeds(self, seed: int | list[int | None] | None) -> list[int | None]:
        """Each environment's seed, None to go on with its stream."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            self._np_random, self._np_random_seed = gymnasium.utils.seeding.np_random(int(seed))
            return [int(seed) + i for i in range(self.num_envs)]
        seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
        if not all(one is None or (isinstance(one, int | np.integer) and one >= 0) for one in seeds):
            raise ValueError(f"seeds must be integers from 0, or None; got {seeds}")
        return [None if one is None else int(one) for one in seeds]

    def _fresh_seeds(self) -> list[int]:
        """A seed for every environment, from the generator that Gymnasium seeds with fresh entropy."""
        base = int(self.np_random.integers(1 << 62))
        return [base + i for i in range(self.num_envs)]

    def _infos(self, having: Array) -> dict[str, Any]:
        """All infos as Gymnasium has them: beside every array `x` the mask `_x` of the environments that it speaks of."""
        infos = info_arrays(self.batch)
        infos["events"] = infos["events"].copy()
        return infos | {f"_{name}": having for name in infos}

    def _array(self, value: Any, dtype: Any, name: str) -> Array | None:
        if value is None:
            return None
        array = np.asarray(value)
        if array.shape != (self.num_envs,) or not np.can_cast(array.dtype, dtype, "same_kind"):
            wanted = f"{np.dtype(dtype).name} of shape ({self.num_envs},)"
            raise ValueError(f"reset option {name}: must be {wanted}; got {array.dtype} {array.shape}")
        return array.astype(dtype)
