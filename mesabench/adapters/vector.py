"""The native Gymnasium VectorEnv: all environments stepped by one compiled call."""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from mesabench import registry
from mesabench.adapters.env import (
    RENDER_MODES,
    EpisodeOver,
    GridEnv,
    checked_render_mode,
    info_arrays,
    picture,
    spaces_of,
    with_limit_told,
    with_time_limit,
)
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.engine.kernels import RUNNING
from mesabench.suggestion import UnknownOption, unknown
from mesabench.whole_number import MOST, whole
from mesabench.world.environment import Environment

OF_VECTORS = ("num_envs", "vectorization_mode", "autoreset_mode", "copy", "threads", "device")
"""Arguments of a vector that a single environment does not have."""
RESET_OPTIONS = ("reset_mask", "levels", "starts")


class UnfitArray(ValueError, TypeError):
    """A reset option that is not the array it should be. Gymnasium's own vectors raise one or the other."""


class GridVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """n mesabench environments; made by `gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=1024)`.

    Options are those of `mesabench.adapters.env.GridEnv`, and:

    autoreset_mode: `NextStep` (default), `SameStep` or `Disabled`, as `gymnasium.vector.AutoresetMode` explains them. In
        `Disabled`, `step` raises EpisodeOver while an environment's episode is over.
    copy: if False, `step` writes over what it returned two calls ago (infos apart), which saves memory traffic in large
        batches.
    threads: 0 chooses by the number of environments and the processors that this process may use; results do not depend on it.

    `reset(seed=7)` gives environment i the seed 7 + i (Gymnasium's convention), and then it does what `GridEnv` does with that
    seed; a generator assigned to `np_random` seeds every environment's next episodes. `reset(options={"reset_mask": bool (n,)})`
    restarts some, at least one, `{"levels": int (n,)}` sets the levels' seeds (-1 = any), `{"starts": state records (n,)}` the
    states to begin in (see `mesabench.engine.batch.Batch.reset`).
    Infos are arrays (n,), see `mesabench.adapters.env.info_arrays`; beside every array `x` a mask `_x` says whose it is.
    """

    metadata: dict[str, Any] = {
        "render_modes": [*RENDER_MODES], "render_fps": 8, "autoreset_mode": AutoresetMode.NEXT_STEP
    }  # fmt: skip

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
        self.render_mode = checked_render_mode(render_mode, "gymnasium.wrappers.vector.HumanRendering")
        found = registry.find_environment(environment)
        options = with_time_limit(found, options, max_episode_steps)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.distribution = distribution_of(found, options)
        self.environment = found
        self.num_envs = num_envs
        self.batch = self._batch_of(self.distribution, objective, threads)
        self.single_observation_space, self.single_action_space = spaces_of(self.distribution)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._renew = self.batch.renew if copy else self.batch.alternate
        self._seeded = False
        self._followed: np.random.Generator | None = None
        self._view = GridEnv(found, objective=objective, render_mode=render_mode, **options)
        self._all = np.ones(num_envs, np.bool_)

    def _batch_of(self, distribution: Distribution, objective: str | None, threads: int) -> Batch:
        return Batch(distribution, self.num_envs, objective=objective, threads=threads)

    def _shown(self) -> Batch:
        """The batch with its records where they can be looked at one by one."""
        return self.batch

    def _refuse_unseeded(self) -> None:
        if not self._seeded:
            raise gymnasium.error.ResetNeeded("call reset() before the first step()")

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        options = options or {}
        for name in options:
            if name not in RESET_OPTIONS:
                raise UnknownOption.named("reset option", name, RESET_OPTIONS)
        mask = self._array(options.get("reset_mask"), "b", "bool", "reset_mask")
        if mask is not None and not mask.any():
            raise ValueError("reset option reset_mask: at least one must be True, or nothing is reset")
        levels = self._array(options.get("levels"), "iu", "int64", "levels")
        if levels is not None and (wrong := levels[(levels < -1) | (levels > MOST)]).size:
            raise ValueError(f"reset option levels: {wrong[0]} is neither -1 (any) nor from 0 to 2**63 - 1")
        if (starts := options.get("starts")) is not None:
            starts = self.batch.checked_starts(starts, levels, mask)
        if not self._seeded and mask is not None and not mask.all():
            raise gymnasium.error.ResetNeeded(
                "the first reset must be one of all environments, without reset_mask"
            )
        seeds = self._seeds(seed)
        self._follow()
        self._seeded = True
        for i, one in enumerate(seeds):
            if one is not None and (mask is None or mask[i]):
                self.batch.seed(i, one)
        kept = self.batch.observations
        self._renew()
        if mask is not None and self.batch.observations is not kept:
            self.batch.observations[:] = kept
        self.batch.reset(mask, levels, starts)
        return self.batch.observations, self._infos(self._all if mask is None else mask)

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self._refuse_unseeded()
        batch = self.batch
        if self.autoreset_mode == AutoresetMode.DISABLED and batch.status.any():
            over = np.flatnonzero(batch.status).tolist()
            raise EpisodeOver(
                f"the episodes of environments {over} are over, and autoreset_mode is Disabled: "
                'call reset(options={"reset_mask": terminated | truncated})'
            )
        self._follow()
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
        outcome = {name: getattr(batch, name).copy() for name in ("rewards", "terminated", "truncated")}
        observations = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(ended):
            observations[i] = batch.observations[i].copy()
        final = {"final_obs": observations, "final_info": self._infos(ended)}
        batch.reset(ended)
        batch.outcome = batch.outcome._replace(**outcome)
        infos = self._infos(self._all) | final | {f"_{name}": ended for name in final}
        return *batch.outcome[:4], infos

    def render(self) -> tuple[Any, ...] | None:
        """Every environment drawn as `GridEnv.render` draws one; None without a render mode."""
        if self.render_mode is None:
            return self._view.render()  # which says what is missing
        if not self._seeded:
            raise gymnasium.error.ResetNeeded("call reset() before the first render()")
        return tuple(picture(self.environment, state, self.render_mode) for state in self._shown().states)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """For every environment, what a method of `GridEnv` that only looks (`text`, `render`) returns, or an attribute."""
        if name in ("reset", "step"):
            raise ValueError(f"{name}() works on all environments at once: call it on the vector")
        batch = self._shown()
        found = (getattr(self._view.look_at(batch, i), name) for i in range(self.num_envs))
        return tuple(one(*args, **kwargs) if callable(one) else one for one in found)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """An attribute that `GridEnv` has, of every environment."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        raise AttributeError(
            f"cannot set {name!r}: these environments are one batch; make a new vector with other options"
        )

    @property
    def spec(self) -> EnvSpec | None:
        """What `gymnasium.make_vec` was told, with the time limit that holds; None for what it did not make."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        spec = with_limit_told(spec, self.distribution)
        if spec is not None and spec is not self._spec:
            # the limit among the arguments, as Gymnasium's own have it: so what is made again tells the same
            spec = replace(spec, kwargs={**spec.kwargs, "max_episode_steps": spec.max_episode_steps})
            own = {key: value for key, value in spec.kwargs.items() if key not in OF_VECTORS}
            self._view.spec = replace(spec, kwargs=own)
        self._spec = spec

    _spec: EnvSpec | None = None

    def _seeds(self, seed: int | list[int | None] | None) -> list[int | None]:
        """Each environment's seed, None to go on with its stream."""
        if seed is None:
            return [None] * self.num_envs
        if not isinstance(seed, list | tuple | np.ndarray):
            first = whole(seed, 0, MOST - self.num_envs + 1, name="seed")
            self._np_random, self._np_random_seed = gymnasium.utils.seeding.np_random(first)
            self._followed = self._np_random
            return [first + i for i in range(self.num_envs)]
        seeds = list(seed)
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
        return [None if one is None else whole(one, name=f"seed[{i}]") for i, one in enumerate(seeds)]

    def _follow(self) -> None:
        """Seed every environment's next episodes from `np_random`, if that is new: at first, or when somebody assigned it."""
        if (generator := self.np_random) is not self._followed:
            base = int(generator.integers(1 << 62))
            for i in range(self.num_envs):
                self.batch.seed(i, base + i)
        self._followed = generator

    def _infos(self, having: np.ndarray) -> dict[str, Any]:
        """All infos as Gymnasium has them: beside every array `x` the mask `_x` of the environments that it speaks of."""
        infos = info_arrays(self.batch)
        having = having.copy()  # the caller's own, as everything else is
        return infos | {f"_{name}": having for name in infos}

    def _array(self, value: Any, kinds: str, wanted: str, name: str) -> np.ndarray | None:
        if value is None:
            return None
        array = np.asarray(value)
        if array.shape != (self.num_envs,) or array.dtype.kind not in kinds:
            raise UnfitArray(
                f"reset option {name}: must be {wanted} of shape ({self.num_envs},); got {array.dtype} {array.shape}"
            )
        return array


DEVICES = "cpu", "cuda"


def make_vector(
    environment: str | Environment, num_envs: int = 1, *, device: str = "cpu", **options: Any
) -> GridVectorEnv:
    """What `gymnasium.make_vec` calls. device: `cpu` for a `GridVectorEnv`; `cuda` for one on an NVIDIA GPU, see
    `mesabench.adapters.cuda_vector.CudaVectorEnv`, with the same options. Raises ValueError."""
    if device not in DEVICES:
        raise ValueError(unknown("device", device, DEVICES))
    if device == "cpu":
        return GridVectorEnv(environment, num_envs, **options)
    from mesabench.adapters.cuda_vector import CudaVectorEnv

    return CudaVectorEnv(environment, num_envs, **options)
