"""The Stable-Baselines3 VecEnv: many mesabench environments, no wrapper needed."""

import time
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv

from mesabench import registry
from mesabench.adapters.env import GridEnv, checked_render_mode, info_arrays, spaces_of, with_time_limit
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.engine.kernels import RUNNING, TRUNCATED
from mesabench.suggestion import UnknownOption
from mesabench.whole_number import MOST, whole
from mesabench.world.environment import Environment


class GridVecEnv(VecEnv):
    """n mesabench environments for Stable-Baselines3: `PPO("MlpPolicy", GridVecEnv("cheese_corner", 64)).learn(100_000)`.

    environment: its name; n: the number of parallel environments, at least 1. Further options are those of
    `mesabench.adapters.env.GridEnv`: split, alpha, levels, objective, sight, render_mode and the environment's knobs.

    Infos carry at every step what `mesabench.adapters.env.info_arrays` lists, and `TimeLimit.truncated`; where an episode
    ends also `terminal_observation` and Monitor's `episode`: return `r` of the paid objective, length `l` in steps,
    time `t` in seconds since this object was made.

    `seed(7)` gives environment i the seed 7 + i at the next reset (SB3's convention; `PPO(..., seed=7)` does it), and
    then it does what `GridEnv` does with that seed. `set_options({"level": 17})` chooses the next reset's level.
    """

    def __init__(
        self,
        environment: str | Environment,
        n: int = 1,
        *,
        objective: str | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        threads: int = 0,
        **options: Any,
    ) -> None:
        n = whole(n, 1, name="num_envs")
        checked_render_mode(render_mode, '.render("human")')
        self.environment = registry.find_environment(environment)
        options = with_time_limit(self.environment, options, max_episode_steps)
        self.distribution = distribution_of(self.environment, options)
        self.batch = Batch(self.distribution, n, objective=objective, threads=threads)
        self._view = GridEnv(self.environment, objective=objective, render_mode=render_mode, **options)
        self._started = time.perf_counter()
        self._seeded = False
        self._infos: list[dict[str, Any]] = [{} for _ in range(n)]
        super().__init__(n, *spaces_of(self.distribution))

    def reset(self) -> np.ndarray:
        """Start every environment anew. Observations: uint8 (n, planes, height, width), the caller's own."""
        batch = self.batch
        levels = np.array([_level_asked(options) for options in self._options])
        if not self._seeded and None in self._seeds:
            self.seed()
        for i, seed in enumerate(self._seeds):
            if seed is not None:
                batch.seed(i, seed)
        self._seeded = True
        self._reset_seeds()
        self._reset_options()
        batch.renew()
        batch.reset(levels=levels)
        self._describe(np.arange(self.num_envs))
        self._eventful: list[int] = []
        self.reset_infos = [info.copy() for info in self._infos]
        self._begun = self._infos[0]  # in which nothing has happened yet, whatever the level
        return batch.observations

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = np.asarray(actions)

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Observations as in `reset`, rewards float32 (n,), dones bool (n,), infos; ended episodes have begun anew."""
        if not self._seeded:
            raise gymnasium.error.ResetNeeded("call reset() before the first step()")
        batch = self.batch
        batch.renew()
        batch.step(self._actions)
        rewards, dones = batch.rewards.astype(np.float32), batch.status != RUNNING
        # where nothing happens an info stays as it was: making only the others anew saves half of a step's time
        for i in self._eventful:
            self._infos[i]["events"] = 0
        eventful = np.flatnonzero((batch.events != 0) | dones)
        self._eventful = eventful.tolist()
        self._describe(eventful)
        infos = list(map(dict.copy, self._infos))
        if dones.any():
            ended = np.flatnonzero(dones)
            seconds = round(time.perf_counter() - self._started, 6)
            returns, lengths = (
                batch.returns[ended, batch.paid].tolist(),
                batch.states["_clock"][ended].tolist(),
            )
            for i, *what in zip(ended.tolist(), batch.observations[ended], returns, lengths, strict=True):
                infos[i]["terminal_observation"] = what[0]
                infos[i]["episode"] = {"r": what[1], "l": what[2], "t": seconds}
            batch.reset(dones)
            levels, digests = batch.levels[ended].tolist(), batch.digests[ended].astype(np.int64).tolist()
            for i, level, digest in zip(ended.tolist(), levels, digests, strict=True):
                self._infos[i] = self._begun | {"level": level, "digest": digest}
                self.reset_infos[i] = self._infos[i].copy()
        return batch.observations, rewards, dones, infos

    def _describe(self, chosen: np.ndarray) -> None:
        """Make the infos of the chosen environments anew."""
        arrays = info_arrays(self.batch, chosen)
        arrays["TimeLimit.truncated"] = self.batch.status[chosen] == TRUNCATED
        columns = (a.tolist() for a in arrays.values())  # Python's own numbers, as in GridEnv
        for i, row in zip(chosen.tolist(), zip(*columns, strict=True), strict=True):
            self._infos[i] = dict(zip(arrays, row, strict=True))

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Give environment i the seed `seed + i` at the next reset; None takes fresh entropy. Returns the seeds."""
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0]) >> 2
        first = whole(seed, 0, MOST - self.num_envs + 1, name="seed")
        self._seeds = [first + i for i in range(self.num_envs)]
        return self._seeds

    def close(self) -> None:
        """Nothing is held that needs closing."""

    def get_images(self) -> list[np.ndarray | None]:
        return self.env_method("render")

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute that `GridEnv` has, for all environments or those chosen."""
        return [getattr(self._view.look_at(self.batch, i), attr_name) for i in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(
            f"cannot set {attr_name!r}: these environments are one batch; make a new GridVecEnv with other options"
        )

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """What a method of `GridEnv` that only looks (`render`, `text`) returns, for all environments or those chosen."""
        if method_name in ("reset", "step"):
            raise ValueError(f"{method_name}() works on all environments at once: call it on the GridVecEnv")
        return [
            getattr(self._view.look_at(self.batch, i), method_name)(*method_args, **method_kwargs)
            for i in self._get_indices(indices)
        ]

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """True for `Monitor`, whose `episode` entry the infos have; no other wrapper is there."""
        return [issubclass(Monitor, wrapper_class) for _ in self._get_indices(indices)]


def _level_asked(options: dict[str, Any]) -> int:
    for name in options:
        if name != "level":
            raise UnknownOption.named("reset option", name, ("level",))
    return whole(options["level"], name="reset option level") if options else -1
