"""Recurrent PPO: it learns, remembers, repeats exactly, survives the disk, and is evaluated by sampling."""

import numpy as np
import pytest

pytest.importorskip("sb3_contrib")

import torch

from mesabench.agents.sb3.recurrent import RecurrentPolicy
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.agent import Task
from mesabench.policies.loading import load_policy
from mesabench.policies.policy import CheckedPolicy, PolicyError
from mesabench.registry import find_agent

OPTIONS = {"size": 5, "max_steps": 7}
QUICK = {"n_envs": 8, "n_steps": 8, "batch_size": 32, "hidden": (16,), "memory": 8}


def train(task=None, seed=0, **settings) -> RecurrentPolicy:
    agent = find_agent("recurrent_ppo")
    task = task or Task("cheese_corner", OPTIONS, 128)
    return agent.train(task, agent.parse_settings(QUICK | settings), seed, lambda step, columns: None)


@pytest.fixture(scope="module")
def quick() -> RecurrentPolicy:
    return train()


def observations_of(n=20, **options):
    batch = Batch(distribution_of("cheese_corner", OPTIONS | options), n, threads=1)
    batch.reset(levels=np.arange(n))
    return batch.observations


def walk(policy, steps=5, n=6):
    """The probabilities of each step of n episodes that go round in circles: float32 (steps, n, actions)."""
    batch = Batch(distribution_of("cheese_corner", OPTIONS), n, threads=1)
    batch.reset(levels=np.arange(n))
    state, seen = None, []
    for step in range(steps):
        probabilities, state = policy(batch.observations, state)
        seen.append(probabilities)
        batch.step(np.full(n, step % 4))
    return np.array(seen)


def test_the_same_arguments_train_the_same_policy(quick):
    again, other = train(), train(seed=1)
    np.testing.assert_array_equal(walk(again), walk(quick))
    assert (walk(other) != walk(quick)).any()


@pytest.mark.slow(reason="training until it has learned; quickly, PPO learns and a memory is told from none")
def test_it_learns_and_its_evaluation_is_sampled_and_says_so():
    room = {"size": 5, "maze": "room", "max_steps": 16}
    settings = {"n_envs": 64, "n_steps": 16, "batch_size": 512, "hidden": (64,), "memory": 32}
    policy = train(Task("cheese_corner", room, 16_384), **settings)
    levels = evaluate(policy, "cheese_corner", room, levels=10, episodes=20, splits=("train",)).levels
    assert not levels["exact"].any()
    assert (levels["episodes"] == 20).all()
    assert (levels["return_cheese"].mean() - levels["floor_cheese"].mean()) > 0.8 * (
        levels["ceiling_cheese"].mean() - levels["floor_cheese"].mean()
    )


@pytest.mark.parametrize("settings", [{}, {"view": "grid", "network": "cnn", "filters": (4,)}])
def test_a_saved_policy_is_the_same_policy(settings, tmp_path):
    policy = train(**settings)
    policy.save(tmp_path)
    before = torch.get_rng_state()
    again = load_policy(str(tmp_path))
    assert torch.equal(torch.get_rng_state(), before)
    assert CheckedPolicy(again, 4, observations_of()).recurrent
    np.testing.assert_array_equal(walk(again), walk(policy))
    assert walk(again).dtype == np.float32
    assert {file.name for file in tmp_path.iterdir()} == {"policy.json", "weights.safetensors"}


def test_what_it_does_depends_on_what_it_remembers(quick):
    seen = observations_of()
    fresh, state = quick(seen, None)
    later, _ = quick(seen, state)
    assert (fresh != later).all(1).any()
    np.testing.assert_array_equal(quick(seen, tuple(np.zeros_like(one) for one in state))[0], fresh)


def test_every_row_remembers_its_own_episode(quick):
    """Rows do not see each other: alone, picked, or in a batch that passes through the network in parts."""
    seen = observations_of()
    _, state = quick(seen, None)
    whole, after = quick(seen, state)
    picked, own = quick(seen[3:5], tuple(one[3:5] for one in state))
    np.testing.assert_allclose(picked, whole[3:5], atol=1e-6)
    np.testing.assert_allclose(own[1], after[1][3:5], atol=1e-6)
    many = np.tile(seen, (500, 1, 1, 1))
    answers, _ = quick(many, tuple(np.tile(one, (500, 1)) for one in state))
    np.testing.assert_allclose(answers, np.tile(whole, (500, 1)), atol=1e-6)


def test_the_policy_is_what_was_trained():
    """sb3-contrib's own network gives the same probabilities along an episode."""
    from sb3_contrib import RecurrentPPO

    from mesabench.agents.sb3.training import train_model

    task = Task("cheese_corner", OPTIONS, 64)
    architecture = find_agent("recurrent_ppo").parse_settings(QUICK).architecture(task.distribution)
    model = train_model(
        RecurrentPPO, task, architecture, 0, lambda step, columns: None, n_envs=8, n_steps=8, batch_size=32,
        policy="MlpLstmPolicy", policy_kwargs={"lstm_hidden_size": 8},
    )  # fmt: skip
    theirs = model.policy
    ours = RecurrentPolicy(
        "recurrent_ppo", architecture, theirs.features_extractor, theirs.lstm_actor, theirs.action_net
    )

    def as_they_do(observations, state):
        n = len(observations)
        state = (torch.zeros(1, n, 8),) * 2 if state is None else state
        with torch.no_grad():
            distribution, state = theirs.get_distribution(
                torch.from_numpy(architecture.view(observations)), state, torch.zeros(n)
            )
        return distribution.distribution.probs.numpy(), state

    np.testing.assert_allclose(walk(ours), walk(as_they_do), atol=1e-6)


def test_bad_input_is_refused(quick):
    seen = observations_of()
    _, state = quick(seen, None)
    with pytest.raises(
        PolicyError, match=r"trained on observations uint8 \(n, 3, 5, 5\); got uint8 \(2, 3, 6, 6\)"
    ):
        quick(np.zeros((2, 3, 6, 6), np.uint8), None)
    with pytest.raises(PolicyError, match=r"state of 4 environments is two arrays \(4, 8\); got \(20, 8\)"):
        quick(seen[:4], state)
    with pytest.raises(PolicyError, match="no value for an observation alone"):
        quick.values(seen)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"memory": 8', '"memory": 9', "does not fit the architecture"),
        ('"memory": 8', '"memory": 0', "policy.json is damaged: memory: "),
        ('"answer": "softmax"', '"answer": "greedy"', "policy.json is damaged: answer: "),
        ('"agent": "recurrent_ppo"', '"agent": "ppo"', "policy.json is damaged: memory: Extra inputs"),
    ],
)
def test_a_damaged_policy_is_refused(quick, tmp_path, old, new, message):
    quick.save(tmp_path)
    file = tmp_path / "policy.json"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(PolicyError, match=message):
        load_policy(str(tmp_path))


def test_settings_are_those_of_ppo_and_a_memory():
    agent = find_agent("recurrent_ppo")
    assert set(agent.settings.model_fields) == {*find_agent("ppo").settings.model_fields, "memory"}
    with pytest.raises(ValueError, match="did you mean 'memory'"):
        agent.parse_settings({"memroy": 3})
    with pytest.raises(ValueError, match="setting memory=0 of recurrent_ppo"):
        agent.parse_settings({"memory": 0})
