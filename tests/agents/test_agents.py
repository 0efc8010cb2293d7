"""The agents: their environments step as Gymnasium's do, their training repeats exactly, their policies survive the disk."""

import itertools
import random
import warnings

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from mesabench.agents.sb3.architecture import NetworkSettings
from mesabench.agents.sb3.network import Body
from mesabench.agents.sb3.training import TrainingVecEnv
from mesabench.agents.sb3.vecenv import GridVecEnv
from mesabench.agents.sb3.vector_dqn import VectorDQN
from mesabench.agents.sb3.view import View, _centre
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.policies.agent import Task
from mesabench.policies.loading import load_policy
from mesabench.policies.policy import CheckedPolicy, PolicyError
from mesabench.registry import find_agent, find_environment
from mesabench.streams import stream_seed

OPTIONS = {"size": 5, "max_steps": 7}
TASK = Task("cheese_corner", OPTIONS, 256)
QUICK = {
    "ppo": {"n_envs": 8, "n_steps": 8, "batch_size": 32, "hidden": (16,)},
    "dqn": {"n_envs": 8, "learning_starts": 64, "batch_size": 32, "buffer_size": 512, "hidden": (16,)},
}


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_inputs_are_scaled_to_the_last_bit_and_stay_as_they_are(dtype):
    architecture = NetworkSettings(hidden=(8,)).architecture(distribution_of("executive_hiring", {}))
    body = Body(None, architecture)
    inputs = torch.from_numpy(np.random.default_rng(0).integers(0, 9, (64, architecture.view.size))).to(dtype)
    before = inputs.clone()
    scaled = []
    body.of_scaled = scaled.append
    body(inputs)
    assert torch.equal(scaled[0], inputs * body.scale)
    assert torch.equal(inputs, before)


def actions_of(n, steps, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (steps, n))


def test_the_vecenv_does_what_single_environments_do():
    """SB3's own DummyVecEnv over Monitor over GridEnv is the reference: observations, rewards, ends and infos."""
    n = 5
    ours = GridVecEnv("cheese_corner", n, **OPTIONS)
    theirs = DummyVecEnv(
        [lambda: Monitor(gymnasium.make("mesabench/CheeseCorner-v0", **OPTIONS)) for _ in range(n)]
    )
    for envs in (ours, theirs):
        envs.seed(11)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    begun = {"TimeLimit.truncated": False}
    assert ours.reset_infos == [info | begun for info in theirs.reset_infos]
    ends = 0
    for actions in actions_of(n, 60):
        mine, other = ours.step(actions), theirs.step(actions)
        for a, b in zip(mine[:3], other[:3], strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
        for a, b in zip(mine[3], other[3], strict=True):
            final_a, final_b = a.pop("terminal_observation", None), b.pop("terminal_observation", None)
            np.testing.assert_array_equal(final_a, final_b)
            if "episode" in b:
                ends += 1
                assert a["episode"].pop("t") >= 0
                b["episode"].pop("t")
            assert a == b
            assert [type(value) for value in a.values()] == [type(b[name]) for name in a]
        for i in np.flatnonzero(mine[2]):
            assert ours.reset_infos[i] == theirs.reset_infos[i] | begun
    assert ends > 20


def test_what_a_step_returned_is_never_written_over():
    envs = GridVecEnv("cheese_corner", 3, **OPTIONS)
    envs.seed(0)
    kept = [(envs.reset(),)]
    copies = [tuple(a.copy() for a in kept[0])]
    for actions in actions_of(3, 30):
        kept.append(envs.step(actions)[:3])
        copies.append(tuple(a.copy() for a in kept[-1]))
    for returned, copy in zip(kept, copies, strict=True):
        for a, b in zip(returned, copy, strict=True):
            np.testing.assert_array_equal(a, b)


def test_infos_belong_to_the_caller():
    """What a wrapper adds to one step's infos does not turn up in the next's."""
    envs = GridVecEnv("cheese_corner", 2, **OPTIONS)
    envs.reset()
    for actions in actions_of(2, 10):
        infos = envs.step(actions)[3]
        assert all("added" not in info for info in infos)
        infos[0]["added"] = 1


def test_ppo_trains_on_it_with_no_glue():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = PPO(
            "MlpPolicy",
            GridVecEnv("cheese_corner", 4, **OPTIONS),
            n_steps=16,
            batch_size=32,
            seed=3,
            device="cpu",
        )
        model.learn(64)
        mean, _ = evaluate_policy(model, GridVecEnv("cheese_corner", 4, **OPTIONS), n_eval_episodes=8)
    assert model.ep_info_buffer
    assert 0 <= mean <= 1


def test_no_observation_moves_what_is_written_out_of_its_place() -> None:
    rng = np.random.default_rng(0)
    for height, width in ((3, 3), (5, 8), (7, 7)):
        observations = rng.integers(0, 2, (200, 3, height, width), dtype=np.uint8)
        size = 2 * (2 * height - 3) * (2 * width - 3)
        for one in observations:
            guarded = np.full(3 * size, 7, np.uint8)
            _centre(one[None], 2, np.array([0, 1]), guarded[size : 2 * size].reshape(1, size))
            assert (guarded[:size] == 7).all()
            assert (guarded[2 * size :] == 7).all()


@pytest.mark.filterwarnings("ignore:The environment is already wrapped")
def test_sb3_wrappers_agree_with_the_episode_entry():
    envs = VecMonitor(GridVecEnv("cheese_corner", 4, **OPTIONS))
    envs.seed(0)
    envs.reset()
    inner = GridVecEnv("cheese_corner", 4, **OPTIONS)
    inner.seed(0)
    inner.reset()
    for actions in actions_of(4, 40):
        for a, b in zip(envs.step(actions)[3], inner.step(actions)[3], strict=True):
            assert ("episode" in a) == ("episode" in b)
            if "episode" in a:
                assert (a["episode"]["r"], a["episode"]["l"]) == (b["episode"]["r"], b["episode"]["l"])


def test_single_environments_can_be_looked_at():
    envs = GridVecEnv("cheese_corner", 3, render_mode="rgb_array", **OPTIONS)
    envs.seed(5)
    envs.reset()
    one = gymnasium.make("mesabench/CheeseCorner-v0", render_mode="rgb_array", **OPTIONS).unwrapped
    one.reset(seed=7)
    for action in (0, 1, 2):
        envs.step(np.full(3, action))
        one.step(action)
    assert envs.env_method("text", indices=2) == [one.text()]
    np.testing.assert_array_equal(envs.get_images()[2], one.render())
    assert envs.render().ndim == 3
    assert envs.get_attr("render_mode") == ["rgb_array"] * 3
    assert envs.env_is_wrapped(Monitor, indices=[0, 1]) == [True, True]
    assert envs.env_is_wrapped(gymnasium.wrappers.TimeLimit) == [False] * 3
    assert not envs.has_attr("action_masks")
    with pytest.raises(ValueError, match="all environments at once"):
        envs.env_method("step", 0)
    with pytest.raises(AttributeError, match="make a new GridVecEnv"):
        envs.set_attr("level", 3)


def test_seeds_and_levels_are_chosen_for_the_next_reset():
    envs = GridVecEnv("cheese_corner", 3, **OPTIONS)
    assert envs.seed(4) == [4, 5, 6]
    first = envs.reset()
    assert (envs.reset() != first).any(), "a seed holds for one reset"
    envs.seed(4)
    np.testing.assert_array_equal(envs.reset(), first)
    envs.set_options({"level": 17})
    envs.reset()
    assert [info["level"] for info in envs.reset_infos] == [17, 17, 17]
    envs.reset()
    assert 17 not in [info["level"] for info in envs.reset_infos]
    for options, message in (({"levle": 17}, "did you mean 'level'"), ({"level": -1}, "whole number from 0")):
        envs.set_options(options)
        with pytest.raises(ValueError, match=message):
            envs.reset()


def test_nothing_steps_before_its_first_reset():
    with pytest.raises(gymnasium.error.ResetNeeded):
        GridVecEnv("cheese_corner", 2, **OPTIONS).step(np.zeros(2, int))


def test_unseeded_environments_differ():
    a, b = (GridVecEnv("cheese_corner", 3, **OPTIONS) for _ in range(2))
    a.reset(), b.reset()
    assert [info["level"] for info in a.reset_infos] != [info["level"] for info in b.reset_infos]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GridVecEnv("cheese_corner", 0), "num_envs=0: must be a whole number from 1"),
        (lambda: GridVecEnv("cheese_corner", 2, split="depoly"), "did you mean 'deploy'"),
        (lambda: GridVecEnv("cheese_corner", 2, objective="chese"), "did you mean 'cheese'"),
    ],
)
def test_wrong_options_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def ignore(step, columns):
    """A progress that nobody watches."""


def train(name, *, task=TASK, seed=0, progress=ignore, **settings):
    agent = find_agent(name)
    return agent.train(task, agent.parse_settings(QUICK[name] | settings), seed, progress)


def observations_of(name="cheese_corner", n=50, **options):
    batch = Batch(distribution_of(name, options), n, threads=1)
    batch.reset(levels=np.arange(n))
    return batch.observations


def weights(policy):
    return {name: tensor.numpy().tobytes() for name, tensor in policy.state_dict().items()}


@pytest.mark.parametrize("name", QUICK)
def test_the_same_seed_trains_the_same_weights(name):
    first = train(name, seed=1)
    assert weights(train(name, seed=1)) == weights(first)
    assert weights(train(name, seed=2)) != weights(first)


@pytest.mark.parametrize("name", QUICK)
def test_training_leaves_the_global_random_streams_alone(name):
    def streams():
        return (
            random.getstate(),
            repr(np.random.get_state()),  # noqa: NPY002
            torch.get_rng_state().tolist(),
            torch.get_num_threads(),
        )

    before = streams()
    train(name)
    assert streams() == before


LEARNS = pytest.mark.slow(reason="training until it has learned; quickly, PPO does")


@pytest.mark.parametrize("name", [pytest.param(one, marks=LEARNS) if one == "dqn" else one for one in QUICK])
def test_training_learns(name):
    """In a small room the cheese is found, and the values tell that it is near."""
    seen = []
    room = {"size": 5, "maze": "room", "max_steps": 16}
    task = Task("cheese_corner", room, 16_384)
    settings = (
        {"learning_starts": 1024, "exploration_fraction": 0.5, "batch_size": 128}
        if name == "dqn"
        else {"n_steps": 32}
    )
    policy = train(
        name, task=task, progress=lambda step, columns: seen.append((step, columns)), hidden=(64,), **settings
    )
    batch = Batch(distribution_of("cheese_corner", room), 200, threads=1)
    batch.reset(levels=np.arange(200))
    values = policy.values(batch.observations)
    assert values.shape == (200,)
    checked, rng = CheckedPolicy(policy, 4), np.random.default_rng(0)
    while (batch.status == 0).any():
        batch.step(checked.act(batch.observations, None, rng)[0])
    assert batch.returns[:, 0].mean() > 0.95
    assert values.mean() > 0.6
    assert seen[-1][1]["success"] > 0.8


def test_the_points_of_a_curve_do_not_depend_on_the_clock(monkeypatch):
    def curve() -> list:
        seen = []
        train("ppo", progress=lambda step, columns: seen.append((step, columns)))
        return seen

    usual = curve()
    ticks = itertools.count(step=100.0)
    for clock in ("perf_counter", "monotonic", "time"):
        monkeypatch.setattr(f"time.{clock}", lambda: next(ticks))
    assert repr(curve()) == repr(usual), "as on a machine that is very busy"
    steps = [step for step, _ in usual]
    assert steps == sorted({*steps})
    assert len(steps) > 1


def test_progress_counts_every_episode_once():
    seen = []
    train("ppo", progress=lambda step, columns: seen.append((step, columns)))
    assert seen[-1][0] == TASK.steps
    assert set(seen[-1][1]) == {"return_mean", "success", "length_mean", "episodes"}
    lengths = sum(columns["length_mean"] * columns["episodes"] for _, columns in seen if columns["episodes"])
    assert TASK.steps - 8 * OPTIONS["max_steps"] < lengths <= TASK.steps
    assert all(0 <= columns["success"] <= 1 for _, columns in seen if columns["episodes"])


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("settings", [{}, {"view": "grid"}, {"network": "cnn", "filters": (4,)}])
def test_a_saved_policy_is_the_same_policy(name, settings, tmp_path):
    policy = train(name, **settings)
    policy.save(tmp_path / "trial")
    before = torch.get_rng_state()
    again = load_policy(str(tmp_path / "trial"))
    assert torch.equal(torch.get_rng_state(), before)
    seen = observations_of(**OPTIONS)
    np.testing.assert_array_equal(again(seen), policy(seen))
    np.testing.assert_array_equal(again.values(seen), policy.values(seen))
    checked = CheckedPolicy(again, 4, seen)
    assert checked.exact
    assert again(seen).dtype == np.float32
    if name == "dqn":
        assert set(np.unique(again(seen))) == {0.0, 1.0}
    assert sorted(file.name for file in (tmp_path / "trial").iterdir()) == [
        "policy.json",
        "weights.safetensors",
    ]


def test_large_batches_are_answered_in_parts():
    policy = train("ppo")
    seen = np.tile(observations_of(n=10, **OPTIONS), (1700, 1, 1, 1))
    whole = policy(seen)
    assert whole.shape == (17_000, 4)
    np.testing.assert_allclose(whole, np.tile(policy(seen[:10]), (1700, 1)), atol=1e-6)
    assert policy(seen[:0]).shape == (0, 4)


def test_observations_of_another_shape_are_refused():
    policy = train("ppo")
    with pytest.raises(
        PolicyError, match=r"trained on observations uint8 \(n, 3, 5, 5\); got uint8 \(50, 3, 6, 6\)"
    ):
        policy(np.zeros((50, 3, 6, 6), np.uint8))
    with pytest.raises(PolicyError, match="got float64"):
        policy(observations_of(**OPTIONS).astype(float))


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def truncate(file):
    file.write_bytes(file.read_bytes()[:-7])


DAMAGES = {
    "weights cut off": (lambda f: truncate(f / "weights.safetensors"), "weights.safetensors is damaged"),
    "weights missing": (lambda f: (f / "weights.safetensors").unlink(), "holds no weights"),
    "description cut off": (lambda f: truncate(f / "policy.json"), "policy.json is damaged"),
    "description missing": (lambda f: (f / "policy.json").unlink(), "there is no policy.json"),
    "unknown key": (
        lambda f: edit(f / "policy.json", '"critic"', '"cirtic"'),
        "policy.json is damaged: critic: Field required",
    ),
    "other architecture": (lambda f: edit(f / "policy.json", "16", "17"), "does not fit the architecture"),
    "impossible view": (
        lambda f: edit(f / "policy.json", '"agent": [', '"agent": [9, '),
        "must fit 3 planes",
    ),
    "unknown agent": (lambda f: edit(f / "policy.json", '"ppo"', '"poo"'), "did you mean 'ppo'"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_policy_is_refused(damage, tmp_path):
    train("ppo").save(tmp_path)
    do, message = DAMAGES[damage]
    do(tmp_path)
    with pytest.raises(PolicyError, match=message):
        load_policy(str(tmp_path))


def test_swapped_weights_are_noticed(tmp_path):
    """Tensors of the right shapes and another network."""
    for seed in (0, 1):
        train("ppo", seed=seed).save(tmp_path / str(seed))
    (tmp_path / "1/weights.safetensors").replace(tmp_path / "0/weights.safetensors")
    with pytest.raises(PolicyError, match=r"not the one that policy\.json was"):
        load_policy(str(tmp_path / "0"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rat": 1}, "unknown setting of ppo 'learning_rat'; did you mean 'learning_rate'"),
        ({"n_envs": 0}, "setting n_envs=0 of ppo: .*greater than or equal to 1"),
        ({"gamma": "high"}, "setting gamma='high' of ppo"),
        ({"n_envs": 3, "n_steps": 5}, "settings of ppo: batch_size=1024 must divide n_envs x n_steps = 15"),
        ({"network": "transformer"}, "setting network='transformer' of ppo: .*'mlp' or 'cnn'"),
    ],
)
def test_wrong_settings_are_explained(values, message):
    with pytest.raises(ValueError, match=message):
        find_agent("ppo").parse_settings(values)


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_every_setting_says_what_it_is(name):
    for field in find_agent(name).settings.model_fields.values():
        assert field.description
        assert not field.is_required()


def test_streams_of_neighbouring_seeds_do_not_meet():
    starts = [stream_seed(seed, domain) for seed in range(200) for domain in ("environments", "algorithm")]
    assert all(0 <= start < 2**63 for start in starts)
    assert np.diff(np.sort(np.array(starts))).min() > 10_000, "more than there are parallel environments"
    assert stream_seed(1, "a", "b") != stream_seed(1, "a\0b1"[:1], "b1"[:1] + "c")


@pytest.mark.parametrize("shape", [(5, 5), (4, 7)])
def test_the_centred_view_shows_everything_around_the_agent(shape):
    rng = np.random.default_rng(0)
    height, width = shape
    observations = np.zeros((20, 4, height, width), np.uint8)
    observations[:, 0] = rng.integers(0, 2, (20, height, width))
    observations[:, 2] = rng.integers(0, 2, (20, height, width))
    observations[:, 3] = rng.integers(0, 6, (20, 1, 1))
    ys, xs = rng.integers(1, height - 1, 20), rng.integers(1, width - 1, 20)
    observations[np.arange(20), 1, ys, xs] = 1
    view = View(kind="centred", shape=(4, height, width), highs=(1, 1, 1, 5), scalars=(3,), agent=(1,))
    inputs = view(observations)
    assert inputs.shape == (20, view.size)
    assert view.grid_shape == (2, 2 * height - 3, 2 * width - 3)
    for one, observation, y, x in zip(inputs, observations, ys, xs, strict=True):
        grid, scalar = one[:-1].reshape(view.grid_shape), one[-1]
        assert scalar == observation[3, 0, 0]
        expected = np.zeros(view.grid_shape, np.uint8)
        top, left = height - 2 - y, width - 2 - x
        expected[:, top : top + height, left : left + width] = observation[[0, 2]]
        np.testing.assert_array_equal(grid, expected)
    assert (view.scale * inputs.max(0) <= 1).all()
    assert view.scale[-1] == np.float32(0.2)


def test_the_grid_view_leaves_planes_where_they_are():
    seen = observations_of(**OPTIONS)
    view = View.of(distribution_of("cheese_corner", OPTIONS), "grid")
    np.testing.assert_array_equal(view(seen), seen.reshape(len(seen), -1))


def test_of_pixels_the_first_convolution_takes_one_cell_at_a_time():
    """A pixel changes what is made of its own cell, and of no other; planes have no such layer."""
    networks = {
        sight: NetworkSettings(network="cnn", filters=(3, 4), hidden=(5,)).architecture(
            distribution_of("cheese_corner", {"size": 7, "sight": sight})
        )
        for sight in ("rgb", "rgb16", "planes")
    }
    for sight, side in (("rgb", 8), ("rgb16", 16)):
        body = Body(None, networks[sight])
        assert [tuple(one.weight.shape) for one in body.modules() if isinstance(one, torch.nn.Conv2d)] == [
            (3, 3, side, side),
            (4, 3, 3, 3),
        ]
        black = torch.zeros(1, 3, 7 * side, 7 * side)
        dot = black.clone()
        dot[0, 1, 2 * side + 3, 5 * side + 7] = 1
        first = body.convolutions[0]
        changed = (first(dot) != first(black)).any(1)[0]
        assert changed.nonzero().tolist() == [[2, 5]]
        assert body(black.flatten(1)).shape == (1, 5)
    assert Body(None, networks["planes"]).convolutions[0].stride == (1, 1)


@pytest.mark.parametrize("name", ["cheese_corner"])
def test_the_view_knows_scalars_and_agent_by_the_declaration(name):
    environment = find_environment(name)
    distribution = distribution_of(name, {})
    view, channels = View.of(distribution, "centred"), distribution.engine.channels
    assert [channels[k] for k in view.agent] == [environment.agent.name]
    assert {channels[k] for k in view.scalars} == {field.name for field in environment.shown}


def test_an_agent_out_of_sight_cannot_be_centred():
    with pytest.raises(ValueError, match='use view = "grid"'):
        View(kind="centred", shape=(1, 5, 5), highs=(1,), scalars=(), agent=())


def test_views_apply_to_terminal_observations_too():
    grids = GridVecEnv("cheese_corner", 4, **OPTIONS)
    view = View.of(grids.distribution, "centred")
    viewed, plain = TrainingVecEnv(grids, view), GridVecEnv("cheese_corner", 4, **OPTIONS)
    for envs in (viewed, plain):
        envs.seed(0)
    np.testing.assert_array_equal(viewed.reset(), view(plain.reset()))
    ends = 0
    for actions in actions_of(4, 20):
        mine, other = viewed.step(actions), plain.step(actions)
        np.testing.assert_array_equal(mine[0], view(other[0]))
        for a, b in zip(mine[3], other[3], strict=True):
            assert ("terminal_observation" in a) == ("terminal_observation" in b)
            if "terminal_observation" in b:
                ends += 1
                np.testing.assert_array_equal(
                    a["terminal_observation"], view(b["terminal_observation"][None])[0]
                )
    assert ends > 5


def test_q_learning_explores_environment_by_environment():
    model = VectorDQN(
        "MlpPolicy", GridVecEnv("cheese_corner", 200, **OPTIONS), seed=0, buffer_size=200, device="cpu"
    )
    observations = np.repeat(observations_of(n=1, **OPTIONS), 4000, axis=0)
    greedy = model.predict(observations, deterministic=True)[0]
    assert len(set(greedy.tolist())) == 1
    model.exploration_rate = 0.4
    other = (model.predict(observations)[0] != greedy).mean()
    assert abs(other - 0.4 * 3 / 4) < 0.04
