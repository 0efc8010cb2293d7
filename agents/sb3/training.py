"""A training run on Stable-Baselines3: its environments, its random streams, its progress."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import torch
from gymnasium.spaces import Box
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnvWrapper

from mesabench.agents.sb3.architecture import Architecture
from mesabench.agents.sb3.network import Body
from mesabench.agents.sb3.vecenv import GridVecEnv
from mesabench.agents.sb3.view import View
from mesabench.policies.agent import Progress, Task
from mesabench.streams import stream_seed

Algorithm = TypeVar("Algorithm", bound=BaseAlgorithm)
POINTS = 50
"""Points of a learning curve, evenly over the steps of training: the same on a busy machine as on an idle one."""


def train_model(
    algorithm: type[Algorithm],
    task: Task,
    architecture: Architecture,
    seed: int,
    progress: Progress,
    *,
    n_envs: int,
    policy: str = "MlpPolicy",
    policy_kwargs: Mapping[str, Any] = MappingProxyType({}),
    before: Sequence[Task] = (),
    **settings: Any,
) -> Algorithm:
    """Train a model of an SB3 algorithm, with settings as it takes them, for the task's steps on `n_envs` environments.

    policy: SB3's name of the policy that stands on the `Body`; policy_kwargs: what it takes beside that.
    before: tasks that the same model is trained on first, one after another, with levels of the same shape and planes.
        Each begins with the learning rate and the bonus that training begins with.
    """
    with _own_random_state():
        tasks = (*before, task)
        grids = [_grids(one, n_envs) for one in tasks]
        model = algorithm(
            policy=policy,
            env=TrainingVecEnv(grids[0], architecture.view),
            policy_kwargs={
                "features_extractor_class": Body,
                "features_extractor_kwargs": {"architecture": architecture},
                "net_arch": [],  # the heads stand on the body: what decides and what values share it
                "normalize_images": False,
                **policy_kwargs,
            },
            seed=stream_seed(seed, "algorithm") >> 31,  # SB3 takes 32 bits
            device="cpu",
            **settings,
        )
        model.set_logger(Logger(folder=None, output_formats=[]))
        done = 0
        for k, one in enumerate(tasks):
            if k:
                model.set_env(TrainingVecEnv(grids[k], architecture.view))
            # whatever came before, the last task is met with the same levels
            grids[k].seed(stream_seed(seed, "environments", *[f"before {k}"] * (k < len(before))))
            reporter = _Reporter(progress, one.steps, done)
            model.learn(one.steps, callback=reporter, log_interval=None)  # type: ignore[arg-type]  # None logs nothing
            done += model.num_timesteps
    return model


def _grids(task: Task, n_envs: int) -> GridVecEnv:
    levels = task.distribution
    return GridVecEnv(levels.environment, n_envs, objective=task.paid, **dict[str, Any](levels.options()))


@contextmanager
def _own_random_state() -> Iterator[None]:
    """SB3 seeds and draws from the global random streams (hence `noqa`); outside they stay as they were.

    PyTorch runs on one thread meanwhile: networks as small as these gain nothing from more, and trials run side by side.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


class TrainingVecEnv(VecEnvWrapper):
    """Environments as a learner sees them: observations as a view shows them, uint8 (n, view.size), rewards of one scale.

    The view is applied here, once for each observation; in the network it would be again in every epoch. Rewards are divided
    by the largest weight of the paid objective, so that one step size serves goals worth 1 and goals worth 50.
    """

    def __init__(self, environments: GridVecEnv, view: View) -> None:
        super().__init__(environments, Box(0, 255, (view.size,), np.uint8))
        self.view = view
        batch = environments.batch
        self.scale = np.float32(1 / (batch.distribution.environment.largest[batch.paid] or 1))

    def reset(self) -> np.ndarray:
        return self.view(np.asarray(self.venv.reset()))

    def step_wait(self) -> Any:
        observations, rewards, dones, infos = self.venv.step_wait()
        ended = np.flatnonzero(dones).tolist()
        if ended:
            final = self.view(np.stack([infos[i]["terminal_observation"] for i in ended]))
            for i, one in zip(ended, final, strict=True):
                infos[i]["terminal_observation"] = one
        return self.view(np.asarray(observations)), rewards * self.scale, dones, infos


class _Reporter(BaseCallback):
    """Reports the episodes that have ended, each time another `POINTS`-th of the steps is done and at the end.

    done: steps of earlier tasks, which are told along.
    """

    def __init__(self, progress: Progress, steps: int, done: int = 0) -> None:
        super().__init__()
        self.progress, self.steps, self.done = progress, steps, done
        self.episodes: list[tuple[float, float, float]] = []
        self.reported = 0

    def _on_step(self) -> bool:
        for i in np.flatnonzero(self.locals["dones"]).tolist():
            info = self.locals["infos"][i]
            self.episodes.append((info["episode"]["r"], info["is_success"], info["episode"]["l"]))
        if self.num_timesteps * POINTS // self.steps > self.reported * POINTS // self.steps:
            self._report()
        return True

    def _on_training_end(self) -> None:
        if self.reported < self.num_timesteps:
            self._report()

    def _report(self) -> None:
        means = np.mean(self.episodes, axis=0).tolist() if self.episodes else [float("nan")] * 3
        columns = dict(zip(("return_mean", "success", "length_mean"), means, strict=True))
        self.progress(self.done + self.num_timesteps, {**columns, "episodes": float(len(self.episodes))})
        self.episodes, self.reported = [], self.num_timesteps
