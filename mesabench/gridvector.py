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


class GridVectorEnv(VectorEnv[Array, Array, Array]):
    """n mesabench environments; made by `gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=1024)`.

    Options are those of `mesabench.gridenv.GridEnv`, and:

    autoreset_mode: `NextStep` (default), `SameStep` or `Disabled`, as `gymnasium.vector.AutoresetMode` explains them.
    copy: if False, `step` writes over the arrays it returned two calls ago, which saves memory traffic in large batches.
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
        if num_envs < 1:
            raise ValueError(f"num_envs={num_envs}: must be at least 1")
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
        self._copy = copy
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
        if seed is None and not self._seeded:
            super().reset(seed=None)
            seed = int(self.np_random.integers(1 << 62))
        if seed is not None:
            if isinstance(seed, int | np.integer):
                self._np_random, self._np_random_seed = gymnasium.utils.seeding.np_random(int(seed))
            seeds = (
                [int(seed) + i for i in range(self.num_envs)]
                if isinstance(seed, int | np.integer)
                else list(seed)
            )
            if len(seeds) != self.num_envs:
                raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
            for i, one in enumerate(seeds):
                if one is not None and (mask is None or mask[i]):
                    self.batch.seed(i, one)
            self._seeded = True
        kept = None if mask is None else self.batch.observations
        self._renew()
        if kept is not None:
            self.batch.observations[:] = kept
        self.batch.reset(mask, levels)
        return self.batch.observations, self._infos()

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        batch = self.batch
        self._renew()
        batch.step(np.asarray(actions), autoreset=self.autoreset_mode == AutoresetMode.NEXT_STEP)
        infos = self._infos()
        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            ended = batch.status != RUNNING
            if ended.any():
                outcome = batch.rewards, batch.terminated, batch.truncated, batch.events
                final = np.empty(self.num_envs, object)
                final[ended] = list(batch.observations[ended])
                before = {**infos, "events": batch.events}
                batch.rewards, batch.terminated, batch.truncated, batch.events = (
                    np.empty_like(a) for a in outcome
                )
                batch.reset(ended)
                batch.rewards, batch.terminated, batch.truncated, batch.events = outcome
                infos = {
                    **self._infos(),
                    "final_obs": final,
                    "_final_obs": ended,
                    "final_info": before,
                    "_final_info": ended,
                }
        return batch.observations, batch.rewards, batch.terminated, batch.truncated, infos

    def _infos(self) -> dict[str, Any]:
        infos = info_arrays(self.batch)
        return infos | {f"_{name}": self._all for name in infos}

    def _renew(self) -> None:
        batch = self.batch
        if self._copy:
            batch.renew()
            return
        spare = getattr(self, "_spare", None)
        self._spare = batch.observations
        batch.observations = np.empty_like(batch.observations) if spare is None else spare

    def _array(self, value: Any, dtype: Any, name: str) -> Array | None:
        if value is None:
            return None
        array = np.asarray(value)
        if array.shape != (self.num_envs,) or not np.can_cast(array.dtype, dtype, "same_kind"):
            raise ValueError(
                f"reset option {name}: must be {np.dtype(dtype).name} of shape ({self.num_envs},); got {array.dtype} {array.shape}"
            )
        return array.astype(dtype)
