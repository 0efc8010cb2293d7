"""Seasoned: what it learned before is what it goes on from, and without an earlier season it is PPO."""

from typing import Any

import numpy as np
import pytest

from mesabench.agents.seasoned import earlier
from mesabench.engine.distribution import distribution_of
from mesabench.policies.agent import Task
from mesabench.registry import find_agent

pytest.importorskip("stable_baselines3")
TASK = Task("seasons", {}, 256)
TINY = {"n_envs": 8, "n_steps": 8, "batch_size": 32, "hidden": (16,)}
SPRING = {"splits": ("spring",), "objectives": ("colour",)}


def trained(name: str, **settings: Any) -> tuple[Any, list[int]]:
    agent: Any = find_agent(name)
    told: list[int] = []
    policy = agent.train(
        TASK, agent.parse_settings(TINY | settings), 3, lambda steps, columns: told.append(steps)
    )
    return {key: one.numpy() for key, one in policy.state_dict().items()}, told


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(one[key], other[key]) for key in one)


def test_without_an_earlier_season_it_is_ppo_number_for_number() -> None:
    plain, told = trained("ppo")
    unseasoned, alike = trained("seasoned")
    assert same(plain, unseasoned)
    assert told == alike


def test_an_earlier_season_is_gone_on_from_and_its_steps_come_first() -> None:
    """Other goals, more seasons and other lengths end in other networks; the same ones in the same network."""
    spring, told = trained("seasoned", **SPRING)
    assert told == sorted(told)
    assert told[-1] == 2 * 256
    again, _ = trained("seasoned", **SPRING)
    assert same(spring, again)
    others = [
        trained("ppo"),
        trained("seasoned", **SPRING | {"objectives": ("shape",)}),
        trained("seasoned", splits=("spring", "autumn"), objectives=("colour", "shape")),
        trained("seasoned", **SPRING, season_steps=(64,)),
    ]
    assert not any(same(spring, other) for other, _ in others)
    assert [told[-1] for _, told in others] == [256, 512, 768, 320]


def test_an_earlier_season_has_the_levels_of_its_split_and_none_that_is_held_out() -> None:
    seasoned: Any = find_agent("seasoned")
    shifted = Task("seasons", {"alpha": 0.5, "max_steps": 30}, 256)
    (spring,) = earlier(shifted, seasoned.parse_settings(SPRING))
    levels = spring.distribution
    assert levels.own_knobs == distribution_of("seasons", {"split": "spring", "max_steps": 30}).own_knobs
    assert (levels.split, levels.alpha, spring.paid, spring.steps) == ("train", 0.0, "colour", 256)
    assert levels.pool == shifted.distribution.pool != shifted.distribution.with_(split="heldout").pool


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"splits": ("sprung",)}, "unknown split of seasons 'sprung'.*spring"),
        ({"splits": ("spring",), "objectives": ("color",)}, "unknown objective of seasons 'color'.*colour"),
        ({"splits": ("spring",), "season_steps": (64, 64)}, "1 earlier seasons and season_steps 2"),
        ({"objectives": ("colour",)}, "0 earlier seasons and objectives 1"),
    ],
)
def test_a_season_that_cannot_be_is_refused_with_what_there_is(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trained("seasoned", **wrong)
