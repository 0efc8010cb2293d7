"""Other people's libraries take the environments as they are. What is not installed is skipped: `pip install ".[compat]"`."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import gymnasium.wrappers as single
import gymnasium.wrappers.vector as several
import numpy as np
import pytest

ID = "mesabench/CheeseCorner-v0"


@pytest.fixture(autouse=True)
def no_warnings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a library has to say against the environment is a fault; the window is drawn nowhere."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*WARN")  # as Gymnasium marks its own
        yield


FLOAT = np.float32
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "AddRenderObservation": single.AddRenderObservation,
    "AddWhiteNoise": lambda env: single.AddWhiteNoise(env, 0.5),
    "Autoreset": single.Autoreset,
    "ClipReward": lambda env: single.ClipReward(env, -1, 1),
    "DelayObservation": lambda env: single.DelayObservation(env, 2),
    "DtypeObservation": lambda env: single.DtypeObservation(env, FLOAT),
    "FlattenObservation": single.FlattenObservation,
    "FrameStackObservation": lambda env: single.FrameStackObservation(env, 4),
    "MaxAndSkipObservation": lambda env: single.MaxAndSkipObservation(env, 2),
    "NormalizeObservation": single.NormalizeObservation,
    "NormalizeReward": single.NormalizeReward,
    "ObstructView": lambda env: single.ObstructView(env, 0.2, 2),
    "OrderEnforcing": single.OrderEnforcing,
    "PassiveEnvChecker": single.PassiveEnvChecker,
    "RecordEpisodeStatistics": single.RecordEpisodeStatistics,
    "RenderCollection": single.RenderCollection,
    "RescaleObservation": lambda env: single.RescaleObservation(
        single.DtypeObservation(env, FLOAT), FLOAT(0), FLOAT(1)
    ),
    "ReshapeObservation": lambda env: single.ReshapeObservation(env, (3 * 9 * 9,)),
    "StickyAction": lambda env: single.StickyAction(env, 0.5),
    "TimeAwareObservation": lambda env: single.TimeAwareObservation(single.FlattenObservation(env)),
    "TimeLimit": lambda env: single.TimeLimit(env, 5),
    "TransformAction": lambda env: single.TransformAction(env, lambda action: action, env.action_space),
    "TransformObservation": lambda env: single.TransformObservation(env, np.copy, env.observation_space),
    "TransformReward": lambda env: single.TransformReward(env, lambda reward: 2 * reward),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_gymnasiums_wrappers_work(name: str) -> None:
    env = WRAPPERS[name](gymnasium.make(ID, render_mode="rgb_array"))
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(100):
        assert env.observation_space.contains(observation)
        observation, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if (terminated or truncated) and name != "Autoreset":
            observation, _ = env.reset()
    env.close()
    env.close()


VECTOR_WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "ClipReward": lambda envs: several.ClipReward(envs, -1, 1),
    "DictInfoToList": several.DictInfoToList,
    "DtypeObservation": lambda envs: several.DtypeObservation(envs, FLOAT),
    "FlattenObservation": several.FlattenObservation,
    "HumanRendering": several.HumanRendering,
    "NormalizeObservation": several.NormalizeObservation,
    "NormalizeReward": several.NormalizeReward,
    "RecordEpisodeStatistics": several.RecordEpisodeStatistics,
    "ReshapeObservation": lambda envs: several.ReshapeObservation(envs, (3 * 9 * 9,)),
    "TransformObservation": lambda envs: several.TransformObservation(envs, np.copy),
    "TransformReward": lambda envs: several.TransformReward(envs, lambda rewards: 2 * rewards),
}


@pytest.mark.parametrize("name", VECTOR_WRAPPERS)
def test_gymnasiums_wrappers_of_vectors_work(name: str) -> None:
    if name == "HumanRendering":
        pytest.importorskip("pygame")
        pytest.importorskip("cv2")
    envs = VECTOR_WRAPPERS[name](gymnasium.make_vec(ID, num_envs=3, render_mode="rgb_array"))
    observations, _ = envs.reset(seed=0)
    envs.action_space.seed(0)
    for _ in range(100):
        assert envs.observation_space.contains(observations)
        observations = envs.step(envs.action_space.sample())[0]
    envs.close()
    envs.close()


def test_gymnasium_records_videos(tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    env = single.RecordVideo(gymnasium.make(ID, render_mode="rgb_array"), str(tmp_path / "one"))
    envs = several.RecordVideo(
        gymnasium.make_vec(ID, num_envs=2, render_mode="rgb_array"), str(tmp_path / "two"), video_length=5
    )
    for each in (env, envs):
        each.reset(seed=0)
        for _ in range(8):
            each.step(each.action_space.sample())
        each.close()
    assert len([*tmp_path.glob("*/*.mp4")]) == 2


@pytest.mark.parametrize("options", [{}, {"vectorization_mode": "sync"}], ids=["native", "sync"])
def test_observations_and_infos_become_tensors(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    envs = several.NumpyToTorch(gymnasium.make_vec(ID, num_envs=3, **options))
    envs.reset(seed=0)
    for _ in range(70):
        observations, *_, infos = envs.step(torch.zeros(3, dtype=torch.int64))
    assert observations.dtype == torch.uint8
    assert infos["digest"].dtype == infos["events"].dtype == torch.int64


def test_asynchronous_vectors_play_as_ours_do() -> None:
    ours = gymnasium.make_vec(ID, num_envs=2)
    theirs = gymnasium.make_vec(
        ID, num_envs=2, vectorization_mode="async", vector_kwargs={"context": "spawn"}
    )
    try:
        for mine, other in [(ours.reset(seed=3), theirs.reset(seed=3))] + [
            (ours.step(a), theirs.step(a)) for a in np.arange(140).reshape(70, 2) % 4
        ]:
            for a, b in zip(mine[:-1], other[:-1], strict=True):
                np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(mine[-1]["digest"], other[-1]["digest"])
    finally:
        theirs.close()


def test_a_loop_as_in_cleanrl_counts_every_episode() -> None:
    """Its way: one file, a vector with RecordEpisodeStatistics, `infos["episode"]` where `_episode` says so."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    n = 8
    envs = several.RecordEpisodeStatistics(gymnasium.make_vec(ID, num_envs=n, corner=1, max_steps=16))
    actor = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 9 * 9, 4))
    optimizer = torch.optim.Adam(actor.parameters(), 3e-3)
    observations, _ = envs.reset(seed=1)
    ended = 0
    returns: list[float] = []
    for _ in range(5):
        losses = []
        for _ in range(32):
            choice = torch.distributions.Categorical(logits=actor(torch.as_tensor(observations).float()))
            actions = choice.sample()
            observations, rewards, terminated, truncated, infos = envs.step(actions.numpy())
            ended += int((terminated | truncated).sum())
            if "episode" in infos:
                over = infos["_episode"]
                returns += infos["episode"]["r"][over].tolist()
                np.testing.assert_array_equal(infos["episode"]["r"][over], infos["return_cheese"][over])
            losses.append(-(choice.log_prob(actions) * torch.as_tensor(rewards)).mean())
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        optimizer.step()
    assert len(returns) == ended > n
    assert 0 < np.mean(returns) <= 1


def test_sb3_makes_wraps_and_evaluates_them() -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.vec_env import SubprocVecEnv, VecFrameStack, VecMonitor, VecNormalize

    from mesabench.agents.sb3.vecenv import GridVecEnv

    made: list[Callable[[], Any]] = [
        lambda: GridVecEnv("cheese_corner", 2),
        lambda: make_vec_env(ID, 2, seed=1),
    ]
    for make in made:
        for wrap in (VecMonitor, VecNormalize, lambda envs: VecFrameStack(envs, 4, channels_order="first")):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".*already wrapped")  # with Monitor, which ours are
                envs = wrap(make())
            model = sb3.PPO("MlpPolicy", envs, n_steps=16, batch_size=32, n_epochs=1, seed=3).learn(64)
            assert evaluate_policy(model, envs, 2, warn=False)[0] >= 0
    # with the module in front of the id, new processes import what registers it
    far = make_vec_env(
        f"mesabench:{ID}", 2, vec_env_cls=SubprocVecEnv, env_kwargs={"split": "deploy", "max_steps": 9}
    )
    try:
        assert far.reset().shape == (2, 3, 9, 9)
        assert [spec.max_episode_steps for spec in far.get_attr("spec")] == [9, 9]
        assert far.env_method("text")[0].startswith("####")
    finally:
        far.close()


@pytest.mark.parametrize("name", ["ARS", "QRDQN", "RecurrentPPO", "MaskablePPO", "TRPO"])
def test_sb3_contrib_trains_on_them(name: str) -> None:
    contrib = pytest.importorskip("sb3_contrib")
    from mesabench.agents.sb3.vecenv import GridVecEnv

    settings: dict[str, dict[str, Any]] = {
        "QRDQN": {"learning_starts": 20, "buffer_size": 100}, "RecurrentPPO": {"n_steps": 32},
        "MaskablePPO": {"n_steps": 32}, "TRPO": {"n_steps": 64},
    }  # fmt: skip
    learn = {"MaskablePPO": {"use_masking": False}}  # every action is possible everywhere
    policy = "MlpLstmPolicy" if name == "RecurrentPPO" else "MlpPolicy"
    envs = GridVecEnv("cheese_corner", 2)
    getattr(contrib, name)(policy, envs, **settings.get(name, {})).learn(64, **learn.get(name, {}))


def test_torchrl_makes_checks_and_collects_them() -> None:
    """Its GymEnv tries a keyword that no environment has; its vectors reset themselves in the same step or are told to."""
    pytest.importorskip("torchrl")
    import torch
    from torchrl.envs import GymEnv, GymWrapper, check_env_specs

    env = GymEnv(ID, split="deploy")
    check_env_specs(env)
    assert env.rollout(200, break_when_any_done=False).shape == (200,)
    for mode in ("SameStep", "Disabled"):
        envs = GymWrapper(gymnasium.make_vec(ID, num_envs=3, autoreset_mode=mode))
        envs.set_seed(1)
        if mode == "Disabled":
            envs.auto_register_info_dict()
        rollout = envs.rollout(150, break_when_any_done=False)
        assert rollout.shape == (3, 150)
        assert rollout["next", "done"].sum() >= 6
    assert rollout["next", "digest"].dtype == torch.int64


def test_tianshou_trains_on_them() -> None:
    pytest.importorskip("tianshou")
    import torch
    from tianshou.algorithm import PPO
    from tianshou.algorithm.modelfree.reinforce import ProbabilisticActorPolicy
    from tianshou.algorithm.optim import AdamOptimizerFactory
    from tianshou.data import Collector, VectorReplayBuffer
    from tianshou.env import DummyVectorEnv
    from tianshou.trainer import OnPolicyTrainerParams
    from tianshou.utils.net.common import Net
    from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic

    envs, unseen = (DummyVectorEnv([lambda: gymnasium.make(ID)] * 2) for _ in range(2))
    shape, actions = envs.observation_space[0].shape, envs.action_space[0]
    actor, critic = (Net(state_shape=shape, hidden_sizes=[32]) for _ in range(2))
    policy = ProbabilisticActorPolicy(
        actor=DiscreteActor(preprocess_net=actor, action_shape=actions.n, softmax_output=False),
        dist_fn=lambda logits: torch.distributions.Categorical(logits=logits),
        action_space=actions,
        action_scaling=False,
    )
    algorithm = PPO(
        policy=policy, critic=DiscreteCritic(preprocess_net=critic), optim=AdamOptimizerFactory(lr=1e-3)
    )
    result = algorithm.run_training(
        OnPolicyTrainerParams(
            training_collector=Collector(algorithm, envs, VectorReplayBuffer(512, 2)),
            test_collector=Collector(algorithm, unseen),
            max_epochs=1,
            epoch_num_steps=256,
            collection_step_num_env_steps=128,
            update_step_num_repetitions=1,
            batch_size=64,
            test_step_num_episodes=2,
            show_progress=False,
            verbose=False,
        )
    )
    assert result.train_step == 256
