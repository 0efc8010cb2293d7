"""Agents that see a part of a level, or pixels: trained, stored and evaluated with their sight."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import mesabench
from mesabench.agents.sb3.architecture import Architecture
from mesabench.agents.sb3.distillation import examples
from mesabench.agents.sb3.vecenv import GridVecEnv
from mesabench.agents.sb3.view import View
from mesabench.auditing.audit import watched_levels
from mesabench.cli.arguments import policy_of
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation import evaluate
from mesabench.policies.policy import PolicyError
from mesabench.runs.execution import run_trial
from mesabench.runs.store import load_trial
from mesabench.runs.suite import parse_suite

QUICK: dict[str, Any] = {"n_envs": 8, "n_steps": 8, "batch_size": 32, "hidden": (16,)}
SUITE = """
name = "near"
seeds = [0]
evaluation = { levels = 2, measures = "goals" }
[[trials]]
environments = "cheese_corner"
agents = "ppo"
steps = 128
options = { sight = "5x5" }
settings = { n_envs = 8, n_steps = 8, batch_size = 32, hidden = [16] }
"""


def test_a_stored_trial_is_evaluated_with_the_sight_that_it_was_trained_with(tmp_path: Path) -> None:
    (trial,) = parse_suite(SUITE).trials
    folder = tmp_path / trial.name
    run_trial(trial, folder)
    policy, task = policy_of(str(folder), None, None, None, None)
    assert task.distribution.sight == "5x5"
    assert policy.architecture.view.shape == (3, 5, 5)
    chosen: dict[str, Any] = {"levels": 2, "measures": "goals"}
    assert load_trial(folder).levels.equals(evaluate(policy, task.distribution, **chosen).levels)
    with pytest.raises(PolicyError, match=r"trained on observations uint8 \(n, 3, 5, 5\).*options"):
        evaluate(policy, "cheese_corner", **chosen)


def test_pixels_are_learned_from_as_they_are() -> None:
    policy = mesabench.train("ppo", "cheese_corner", steps=64, options={"sight": "rgb"}, **QUICK)
    distribution = distribution_of("cheese_corner", {"sight": "rgb"})
    answers = policy(distribution.engine.observations(distribution.engine.states(3)))
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("words", ["5x5", "rgb", "5x5 opaque"])
def test_a_network_leaves_a_view_around_the_agent_and_pixels_as_they_are(words: str) -> None:
    distribution = distribution_of("cheese_corner", {"sight": words})
    engine = distribution.engine
    view = View.of(distribution, "centred")
    assert view.kind == "grid"
    seen = np.random.default_rng(0).integers(0, 2, (2, *engine.observation_shape)).astype(np.uint8)
    np.testing.assert_array_equal(view(seen), seen.reshape(2, -1))


def test_a_network_still_centres_a_whole_level_that_walls_hide_parts_of() -> None:
    view = View.of(distribution_of("cheese_corner", {"sight": "opaque"}), "centred")
    assert view.kind == "centred"
    assert view.shape == (4, 9, 9)
    assert view.scalars == (), "which cells are seen is a plane of cells"


def test_what_needs_whole_levels_refuses_a_part_of_them() -> None:
    distribution = distribution_of("cheese_corner", {"sight": "5x5"})
    architecture = Architecture(view=View.of(distribution, "grid"), network="mlp", hidden=(8,), filters=())
    with pytest.raises(ValueError, match=r"sight='5x5': the solver teaches .* leave out sight"):
        examples(distribution, ["cheese"], architecture, levels=range(1), states=4, seed=0)
    with pytest.raises(ValueError, match=r"sight='5x5': an audit"):
        watched_levels(distribution_of("night_porter", {"split": "watched", "sight": "5x5"}), levels=1)


def test_stable_baselines_takes_pixels_for_images() -> None:
    from stable_baselines3.common.preprocessing import is_image_space

    assert is_image_space(GridVecEnv("cheese_corner", 1, sight="rgb").observation_space)
