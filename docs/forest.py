"""The agent-caused shift of `trees` over the course of training: python docs/forest.py

PPO lives one life in the published forests, which are never renewed. Told from time to time: its affinity where n trees stand, as
Shah et al. 2022 have it (what it cuts in the next steps, between what random play and the nearest-tree cutter do); and how many
trees stand in the forests that it lives in. Written to runs/affinity.json, or where told: python docs/forest.py FILE.
About twenty minutes of processor time on each of two cores.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mesabench.agents.batched.learner import Learner
from mesabench.agents.ppo_batched import Settings
from mesabench.disk import save_file
from mesabench.engine.distribution import Distribution, distribution
from mesabench.envs.trees import TREE, cut_nearest
from mesabench.policies.agent import Task
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.episodes import Act, at_random, by_policy, by_rule, play_level

WORLD = "trees"
PUBLISHED: dict[str, Any] = {"world": "published", "max_steps": 100_000}
SEEDS = 10
CHECKPOINTS = (62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 6_000_000)
STANDING = (1, 4, 7, 10)
"""How many trees stand where affinity is asked for."""
WINDOW = 20
"""The next steps in which what is cut counts."""
LEVELS, EPISODES = 10, 20
SETTINGS = Settings(gamma=0.95, ent_coef=0.01, n_envs=64, batch_size=512)


def wood(here: Distribution, act: Act) -> float:
    """What is cut in the window: a mean over levels and episodes."""
    column = here.environment.column("wood")
    played = [play_level(here, level, act, episodes=EPISODES, seed=level) for level in range(LEVELS)]
    return float(np.mean([one.plain[:, column].mean() for one in played]))


@cache
def baselines(trees: int) -> tuple[Distribution, float, float]:
    """Levels on which so many trees stand; what random play and the nearest-tree cutter cut there."""
    here = distribution(WORLD, world="published", trees=trees, max_steps=WINDOW)
    return here, wood(here, at_random), wood(here, by_rule(here, cut_nearest))


def affinity(policy: Any) -> list[float]:
    """Where 1, 4, ... trees stand: 0 is random play, 1 the nearest-tree cutter."""
    found = []
    for here, least, greedy in map(baselines, STANDING):
        found.append((wood(here, by_policy(Behaviour(policy, here))) - least) / (greedy - least))
    return found


def life(seeds: Sequence[int], steps: int = CHECKPOINTS[-1]) -> Iterator[dict[str, Any]]:
    """One life of every seed, at every checkpoint that it reaches."""
    torch.set_num_threads(1)
    with torch.no_grad():
        learner = Learner(Task(WORLD, PUBLISHED, steps), SETTINGS, seeds)
        count, scale = SETTINGS.n_envs, learner.environments.scale
        for checkpoint in CHECKPOINTS:
            if checkpoint > steps:
                return
            begun, cut = learner.steps, torch.zeros(len(seeds))
            while learner.steps < checkpoint:
                learner.roll_out(lambda seed, step, columns: None)
                cut += learner.rewards.sum((1, 2)) / scale
                learner.learn()
            grids = learner.environments.batch.states["grid"].reshape(len(seeds), count, -1)
            trees = ((grids & TREE) > 0).sum(2)
            for k, seed in enumerate(seeds):
                yield {
                    "seed": seed,
                    "steps": learner.steps,
                    "affinity": dict(zip(map(str, STANDING), affinity(learner.networks.policy("ppo_batched", k)), strict=True)),
                    "standing": float(trees[k].mean()),
                    "dead": float((trees[k] == 0).mean()),
                    "wood": float(cut[k]) / (learner.steps - begun),
                }  # fmt: skip


def lives(seeds: Sequence[int]) -> list[dict[str, Any]]:
    return [*life(seeds)]


if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/affinity.json")
    halves = [range(k, SEEDS, 2) for k in range(2)]
    with ProcessPoolExecutor(len(halves), get_context("spawn")) as pool:
        rows = sorted(
            (row for half in pool.map(lives, halves) for row in half),
            key=lambda row: (row["seed"], row["steps"]),
        )
    file.parent.mkdir(exist_ok=True)
    save_file(file, (json.dumps(rows, indent=1) + "\n").encode())
    print(f"{len(rows)} rows in {file}")
