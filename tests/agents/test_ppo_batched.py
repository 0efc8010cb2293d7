"""PPO of many seeds at once: step by step what Stable-Baselines3's does, for each seed the same whoever is trained beside it."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3 import PPO

from mesabench.agents import ppo
from mesabench.agents.batched.environments import DeviceView
from mesabench.agents.batched.inputs import DenseInputs, ListedInputs
from mesabench.agents.batched.learner import (
    ACTION,
    ADVANTAGE,
    LOG_ODDS,
    RETURN,
    Learner,
    Part,
    gradient_of_loss,
)
from mesabench.agents.batched.network import Networks, Pass
from mesabench.agents.ppo_batched import Settings, train, train_many
from mesabench.agents.sb3.network import Body
from mesabench.agents.sb3.training import TrainingVecEnv
from mesabench.agents.sb3.vecenv import GridVecEnv
from mesabench.agents.sb3.view import View
from mesabench.engine.batch import Batch
from mesabench.policies.agent import Task
from mesabench.policies.loading import load_policy
from mesabench.registry import find_agent
from mesabench.streams import stream_seed

OPTIONS = {"size": 5, "max_steps": 7}
TASK = Task("cheese_corner", OPTIONS, 512)
QUICK = {"n_envs": 8, "n_steps": 8, "batch_size": 32, "hidden": (16, 16), "ent_coef": 0.02, "anneal": 0.5}
PIXELS = Task("cheese_corner", {**OPTIONS, "sight": "rgb"}, 512)
CONVOLUTIONS = {"network": "cnn", "filters": (4, 4)}
LEARNERS = [
    (TASK, {}),
    (TASK, {"view": "grid"}),
    (TASK, CONVOLUTIONS),
    (TASK, {"hidden": ()}),
    pytest.param(PIXELS, CONVOLUTIONS, id="pixels"),
]


def untold(*_: Any) -> None:
    """Progress that nobody asks for."""


def twin(learner: Learner, own: Settings) -> PPO:
    """Stable-Baselines3's own PPO with the learner's first weights, settings and environments."""
    architecture = own.architecture(learner.task.distribution)
    grids = GridVecEnv("cheese_corner", own.n_envs, **learner.task.options)
    model = PPO(
        "MlpPolicy",
        TrainingVecEnv(grids, architecture.view),
        policy_kwargs={
            "features_extractor_class": Body,
            "features_extractor_kwargs": {"architecture": architecture},
            "net_arch": [],
            "normalize_images": False,
        },
        n_steps=own.n_steps,
        batch_size=own.batch_size,
        n_epochs=own.n_epochs,
        learning_rate=lambda left: own.learning_rate * (1 - own.anneal * (1 - left)),
        gamma=learner.gamma,
        gae_lambda=own.gae_lambda,
        clip_range=own.clip_range,
        vf_coef=own.vf_coef,
        max_grad_norm=own.max_grad_norm,
        device="cpu",
        seed=0,
    )
    grids.seed(stream_seed(learner.seeds[0], "environments"))
    first = learner.networks.policy("ppo_batched", 0)
    model.policy.features_extractor.load_state_dict(first.body.state_dict())
    model.policy.action_net.load_state_dict(first.actor.state_dict())
    model.policy.value_net.load_state_dict(first.critic.state_dict())
    return model


@pytest.mark.parametrize(("task", "network"), LEARNERS)
def test_it_is_the_ppo_of_stable_baselines3_step_by_step(task, network, monkeypatch) -> None:
    """The same first weights, actions and orders of minibatches: the same rollouts, advantages and weights, but for rounding."""
    own = Settings(**{**QUICK, **network}, learning_rate=5e-3)
    with torch.no_grad():
        learner = Learner(task, own, [3])
    model = twin(learner, own)
    _, callback = model._setup_learn(task.steps)
    n_steps, n_envs = own.n_steps, own.n_envs
    orders = np.random.RandomState(1)  # SB3 shuffles with the global one
    for _ in range(3):
        with torch.no_grad():
            learner.roll_out(untold)
        facts = learner.facts[0]
        actions = iter(facts[..., ACTION].long())

        def act(observations: Any, deterministic: bool = False, actions: Any = actions) -> Any:
            chosen = next(actions)
            values, log_odds, _ = model.policy.evaluate_actions(observations, chosen)
            return chosen, values, log_odds

        monkeypatch.setattr(model.policy, "forward", act)
        buffer = model.rollout_buffer
        model.collect_rollouts(model.env, callback, buffer, n_steps)
        for mine, theirs in (
            (learner.rewards[0], buffer.rewards),
            (learner.values[0], buffer.values),
            (facts[..., LOG_ODDS], buffer.log_probs),
            (facts[..., ADVANTAGE], buffer.advantages),
            (facts[..., RETURN], buffer.returns),
        ):
            np.testing.assert_allclose(mine.numpy(), theirs, atol=2e-5)
        assert learner.ended[0, :-1].numpy().tolist() == buffer.episode_starts[1:].astype(bool).tolist()

        shuffled = [orders.permutation(n_steps * n_envs) for _ in range(own.n_epochs)]
        # SB3 counts environment by environment
        mine = iter([torch.from_numpy(p % n_steps * n_envs + p // n_steps)[None] for p in shuffled])
        learner.drawn = lambda *_, mine=mine: next(mine)
        with torch.no_grad():
            learner.learn()
        del learner.drawn
        theirs = iter(shuffled)
        monkeypatch.setattr(np.random, "permutation", lambda n, theirs=theirs: next(theirs))
        model._update_current_progress_remaining(model.num_timesteps, task.steps)
        model.ent_coef = own.ent_coef * (1 - own.anneal * (1 - model._current_progress_remaining))
        model.train()

        after = learner.networks.policy("ppo_batched", 0)
        trained = model.policy
        for one, other in (
            (after.body, trained.features_extractor),
            (after.actor, trained.action_net),
            (after.critic, trained.value_net),
        ):
            for name, weights in one.state_dict().items():
                np.testing.assert_allclose(weights, other.state_dict()[name], atol=1e-4, err_msg=name)
    assert learner.ended.any()


@pytest.mark.parametrize(("task", "network"), LEARNERS)
def test_a_seed_learns_the_same_to_the_last_bit_whoever_is_trained_beside_it(task, network) -> None:
    own, told = Settings(**QUICK | network), {}
    together = train_many(task, own, (1, 3, 7), lambda *row: told.setdefault(row[0], []).append(row[1:]))
    curve: list[Any] = []
    alone = train(task, own, 3, lambda *row: curve.append(row))
    weights = alone.state_dict()
    assert all(torch.equal(weights[name], one) for name, one in together[1].state_dict().items())
    assert not torch.equal(together[0].actor.weight, together[1].actor.weight)
    assert repr(curve) == repr(told[3])
    assert curve[-1][0] == task.steps
    assert sum(columns["episodes"] for _, columns in curve) >= task.steps / 7 - 8


def test_seeds_in_one_operation_as_on_a_gpu_learn_what_each_does_alone() -> None:
    own = Settings(**QUICK)
    with torch.no_grad():
        apart, joint = Learner(TASK, own, (0, 1, 2)), Learner(TASK, own, (0, 1, 2))
        joint.parts = [Part(joint, slice(0, 3))]
        assert isinstance(joint.parts[0].inputs, DenseInputs)
        assert isinstance(apart.parts[0].inputs, ListedInputs)
        for learner in (apart, joint):
            learner.roll_out(untold)
            learner.learn()
    torch.testing.assert_close(apart.facts, joint.facts, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(apart.networks.weights, joint.networks.weights, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("task", "network"), LEARNERS)
def test_gradients_by_hand_are_those_of_autograd(task, network) -> None:
    own = Settings(**QUICK | network)
    architecture = own.architecture(task.distribution)
    seen = Batch(task.distribution, 40)
    seen.reset(levels=np.arange(40))
    generator = torch.Generator().manual_seed(0)
    actions = torch.randint(0, 4, (1, 40), generator=generator)
    others = torch.randn((2, 1, 40), generator=generator)
    odds_before = -torch.rand((1, 40), generator=generator) - 0.9
    facts = torch.stack([others[0], others[1], odds_before, actions.float()], -1)
    with torch.no_grad():
        networks = Networks(architecture, 4, [0])
        scale = torch.from_numpy(architecture.view.scale)
        inputs = DenseInputs(1, 40, scale)
        inputs.write(0, torch.from_numpy(architecture.view(seen.observations))[None])
        passing = Pass(networks, slice(0, 1))
        outputs = passing.forward(inputs, torch.arange(40)[None])
        passing.back(gradient_of_loss(outputs, facts, 0.02, own))
    policy = networks.policy("ppo_batched", 0).requires_grad_(True)
    features = policy.features(seen.observations)
    choice = torch.distributions.Categorical(logits=policy.actor(features))
    advantage = (others[0] - others[0].mean()) / (others[0].std() + 1e-8)
    ratio = (choice.log_prob(actions[0]) - odds_before[0]).exp()
    assert 5 < ((ratio - 1).abs() > own.clip_range).sum() < 35
    clipped = ratio.clamp(1 - own.clip_range, 1 + own.clip_range)
    gain = torch.min(advantage[0] * ratio, advantage[0] * clipped).mean()
    error = torch.nn.functional.mse_loss(others[1][0], policy.critic(features)[:, 0])
    (own.vf_coef * error - gain - 0.02 * choice.entropy().mean()).backward()
    # as weights, gradients take the form of a policy's layers
    networks.weights.copy_(networks.gradients)
    by_hand = networks.policy("ppo_batched", 0)
    for name, weights in policy.named_parameters():
        torch.testing.assert_close(by_hand.state_dict()[name], weights.grad, atol=1e-6, rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 9), size=st.integers(1, 12), units=st.integers(1, 9), seed=st.integers(0, 99))
def test_listed_inputs_give_the_products_of_dense_ones(n, size, units, seed) -> None:
    rng = np.random.default_rng(seed)
    inputs = torch.from_numpy(
        rng.integers(0, 3, (1, n, size), np.uint8) * rng.integers(0, 2, (1, n, size), np.uint8)
    )
    scale = torch.from_numpy(rng.random(size, np.float32))
    rows = torch.from_numpy(rng.integers(0, n, (1, 7)))
    weights, bias, of_product = (
        torch.from_numpy(rng.standard_normal(shape, np.float32))
        for shape in ((1, size, units), (1, 1, units), (1, 7, units))
    )
    found = []
    for one in (ListedInputs(n, scale), DenseInputs(1, n, scale)):
        one.write(0, inputs[:, : n // 2])
        one.write(n // 2, inputs[:, n // 2 :])
        gradient = torch.empty_like(weights)
        product = one.product(rows, weights, bias, torch.empty(1, 7, units))
        one.gradient(of_product, gradient)
        found.append((product, gradient))
    for listed, dense in zip(*found, strict=True):
        torch.testing.assert_close(listed, dense, atol=1e-5, rtol=1e-5)


def test_a_device_shows_networks_what_the_processor_does() -> None:
    rng = np.random.default_rng(0)
    for kind, agent in (("centred", (2,)), ("grid", (2,)), ("grid", ())):
        view = View(kind=kind, shape=(4, 5, 8), highs=(1, 9, 1, 3), scalars=(1,), agent=agent)
        observations = rng.integers(0, 2, (50, 4, 5, 8), np.uint8) * rng.integers(
            0, 2, (50, 4, 1, 1), np.uint8
        )
        shown = DeviceView(view, "cpu")(torch.from_numpy(observations))
        np.testing.assert_array_equal(shown.numpy(), view(observations))


def test_it_takes_the_settings_of_ppo_and_leaves_the_same_kind_of_policy(tmp_path) -> None:
    beside = {"device": "cpu"}
    assert Settings().model_dump() == ppo.Settings().model_dump() | beside
    policy = train(TASK, Settings(**QUICK), 0, untold)
    assert policy.architecture == ppo.Settings(hidden=(16, 16)).architecture(TASK.distribution)
    policy.save(tmp_path)
    loaded = load_policy(tmp_path)
    seen = Batch(TASK.distribution, 5)
    seen.reset()
    assert np.array_equal(policy(seen.observations), loaded(seen.observations))
    assert np.array_equal(policy.values(seen.observations), loaded.values(seen.observations))
    assert loaded.described("0" * 64).agent == "ppo_batched"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a device")
def test_without_a_gpu_its_device_is_refused_in_words() -> None:
    agent = find_agent("ppo_batched")
    with pytest.raises(
        ValueError, match=r"device='cuda' needs an NVIDIA GPU, and PyTorch .* finds none.*'mesabench\[cuda\]'"
    ):
        agent.train_many(TASK, agent.parse_settings({"device": "cuda"}), (0, 1), untold)


def test_other_streams_and_threads_are_as_they_were() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    train(TASK, Settings(**QUICK), 0, untold)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
