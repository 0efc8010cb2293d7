"""The agent `evolution`: it learns, repeats exactly, and what it leaves is an ordinary network."""

import importlib.util
import random

import numpy as np
import pytest

pytest.importorskip("torch")

import mesabench
from mesabench.agents import evolution
from mesabench.agents.sb3.network import NetworkPolicy
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.evolution.search import choose
from mesabench.policies.agent import Task
from mesabench.policies.loading import load_policy
from mesabench.policies.policy import CheckedPolicy, PolicyError
from mesabench.registry import find_agent

# not imported before it is needed: it takes seconds, and every process collects this file
pytestmark = pytest.mark.skipif(importlib.util.find_spec("cma") is None, reason="needs cma")

ROOM = {"size": 5, "maze": "room", "max_steps": 16}
QUICK = {"population": 16, "levels_per_generation": 8}
AGENT = find_agent("evolution")


def train(steps=4000, seed=0, progress=lambda step, columns: None, options=ROOM, **settings):
    task = Task("cheese_corner", options, steps)
    return AGENT.train(task, AGENT.parse_settings(QUICK | settings), seed, progress)


def observations(n=30):
    batch = Batch(distribution_of("cheese_corner", ROOM), n)
    batch.reset(levels=np.arange(n))
    return batch.observations


@pytest.mark.parametrize("settings", [{}, {"algorithm": "openai", "learning_rate": 0.1}, {"code": "direct"}])
def test_it_learns(settings):
    seen = []
    policy = train(60_000, progress=lambda step, columns: seen.append((step, columns)), **settings)
    assert seen[-1][1]["success"] > seen[0][1]["success"] + 0.2
    batch = Batch(distribution_of("cheese_corner", ROOM), 200, threads=1)
    batch.reset(levels=np.arange(200))
    checked, rng = CheckedPolicy(policy, 4), np.random.default_rng(0)
    while (batch.status == 0).any():
        batch.step(checked.act(batch.observations, None, rng)[0])
    assert batch.returns[:, 0].mean() > 0.9
    assert {*seen[-1][1]} == {"return_mean", "success", "length_mean", "episodes", "generation"}


@pytest.mark.parametrize("algorithm", ["cma", "openai"])
def test_the_same_seed_evolves_the_same_weights_and_leaves_global_streams_alone(algorithm, tmp_path):
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        train(seed=seed, algorithm=algorithm).save(tmp_path / name)
    assert (random.getstate(), repr(np.random.get_state())) == before  # noqa: NPY002
    one, again, two = (
        (tmp_path / name / "weights.safetensors").read_bytes() for name in ("one", "again", "two")
    )
    assert one == again
    assert one != two


@pytest.mark.parametrize("settings", [{}, {"hidden": 5}, {"code": "direct", "view": "grid", "hidden": 3}])
def test_the_network_acts_as_the_animal_with_its_genome_did(settings, tmp_path):
    chosen = AGENT.parse_settings(settings)
    architecture = evolution.architecture_of(distribution_of("cheese_corner", ROOM), chosen)
    code = evolution.code_of(architecture.view, 4, chosen)
    genome = np.random.default_rng(0).normal(size=code.genes)
    policy = evolution.grown(genome, code, architecture, NetworkPolicy)
    seen = observations()
    inputs = architecture.view(seen)
    _, probabilities = choose(
        inputs,
        architecture.view.scale.astype(float),
        code.develop(genome[None]),
        np.ones(30, bool),
        np.zeros(30),
    )
    np.testing.assert_allclose(policy(seen), probabilities, atol=1e-6)
    policy.save(tmp_path / "trial")
    again = load_policy(str(tmp_path / "trial"))
    np.testing.assert_array_equal(again(seen), policy(seen))
    assert CheckedPolicy(again, 4, seen).exact
    with pytest.raises(PolicyError, match="evolution expects no returns"):
        again.values(seen)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population": 1}, "population=1 .*greater than or equal to 4"),
        ({"population": 65, "algorithm": "openai"}, "population=65 must be even"),
        ({"levels_per_generation": 0}, "levels_per_generation=0 "),
        ({"sigma": float("nan")}, "sigma=nan"),
        ({"view": "grid"}, 'use code = "direct"'),
        ({"popsize": 8}, "unknown setting of evolution 'popsize'; Allowed: .*population"),
    ],
)
def test_settings_that_make_no_evolution_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AGENT.parse_settings(settings)


@pytest.mark.slow(
    reason="three million steps, after which it passes the gate and goes for the corner; fewer are tried quickly"
)
def test_it_learns_a_maze_with_140_genes_and_finds_the_goal_that_gradients_find():
    task = Task("cheese_corner", {"size": 7}, 3_000_000)
    policy = AGENT.train(task, AGENT.parse_settings({}), 0, lambda step, columns: None)
    scores = mesabench.evaluate(policy, "cheese_corner", {"size": 7}, levels=60, measures="goals").scores()
    assert scores.number("TRAINED").number > 0.8
    assert scores.outcome == "proxy"
