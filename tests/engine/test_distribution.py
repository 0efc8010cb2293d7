"""Options for several splits at once: whose knob a name sets, and which splits come out alike."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.adapters.env import GridEnv
from mesabench.cli.play import Game
from mesabench.engine.distribution import Distribution, alike, distribution_of, in_split, knobs_in
from mesabench.evaluation.evaluation import evaluate
from mesabench.registry import environments, find_environment
from mesabench.runs.suite import SuiteError, load_suite, parse_suite
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment

CHEESE = find_environment("cheese_corner")
SUITE = """
name = "knobs"
seeds = 1
[[trials]]
environments = "cheese_corner"
agents = "oracle"
steps = 0
options = {options}
"""


def corners(options: dict[str, Any]) -> list[Any]:
    return [knobs_in(CHEESE, options, split).corner for split in (TRAIN, HELDOUT, DEPLOY)]


def values_of(environment: Environment, name: str) -> Any:
    knob = environment.knobs[name]
    if knob.choices:
        return st.sampled_from(knob.choices)
    kind = st.floats if isinstance(knob.default, float) else st.integers
    return kind(knob.low, knob.high)  # type: ignore[operator]


@given(st.data())
def test_a_plain_name_sets_the_shift_of_train_alone_and_every_other_knob_in_all_splits(data: Any) -> None:
    environment = find_environment(data.draw(st.sampled_from(sorted(environments()))))
    if environment.check:
        return  # it has rules of its own about which values go together
    split = data.draw(st.sampled_from([name for name in environment.splits if name != TRAIN]))
    name = data.draw(st.sampled_from(sorted(environment.knobs)))
    value = data.draw(values_of(environment, name))
    before, after = environment.knobs_of(split), knobs_in(environment, {name: value}, split)
    shifts = name in environment.splits[TRAIN] or name in environment.splits[split]
    assert getattr(after, name) == (getattr(before, name) if shifts else value)
    assert getattr(knobs_in(environment, {name: value}, HELDOUT), name) == value
    train = environment.knobs_of(TRAIN)
    turned = environment.knobs_of(TRAIN, {name: value})
    seen = [(environment.shape(one), environment.channels_of(one)) for one in (train, turned)]
    if seen[0] == seen[1]:  # some decide what is observed, which splits share
        dotted = {f"{split}.{name}": value}
        assert getattr(knobs_in(environment, dotted, split), name) == value
        assert knobs_in(environment, dotted, HELDOUT) == environment.knobs_of(TRAIN)


def test_a_dotted_name_sets_one_split_and_wins_over_a_plain_one() -> None:
    assert corners({"corner": 3}) == [3, 3, 0]
    assert corners({"deploy.corner": 4}) == [1, 1, 4]
    assert corners({"corner": 3, "deploy.corner": 4, "train.corner": 2}) == [2, 2, 4]
    assert distribution_of(CHEESE, {"split": DEPLOY, "corner": 3}).own_knobs.corner == 3
    mixed = distribution_of(CHEESE, {"alpha": 0.5, "corner": 3, "deploy.corner": 4})
    assert mixed.knob_records["corner"].tolist() == [3, 3, 4]


def test_both_members_of_a_pair_know_each_others_knobs() -> None:
    options = {"corner": 3, "deploy.corner": 2}
    for split in (HELDOUT, DEPLOY):
        records = distribution_of(CHEESE, in_split(CHEESE, options, split)).knob_records
        assert records["corner"].tolist() == [3, 3, 2]


def test_another_splits_own_knobs_leave_a_plain_one_shared() -> None:
    monsters = find_environment("monster_world")  # of its splits `calm` alone sets monsters
    told = {split: knobs_in(monsters, {"monsters": 8}, split).monsters for split in monsters.splits}
    assert told == {"train": 8, "deploy": 8, "calm": 0}
    assert (
        distribution_of(monsters, {"monsters": 8, "alpha": 1.0}).knob_records["monsters"].tolist() == [8] * 3
    )


def test_the_same_options_mean_the_same_in_play_and_evaluate() -> None:
    options = {"size": 5, "corner": 2}
    game = Game(CHEESE, options, split=DEPLOY)
    assert game.env.distribution.own_knobs.corner == 0
    rows = evaluate(lambda seen: 0 * seen[:, 0, 0, 0].astype(int), "cheese_corner", options, levels=1, replays=1,
                    exact=False, measures="goals")  # fmt: skip
    deploy = rows.levels.filter(rows.levels["split"] == DEPLOY)["digest"][0]
    game.restart()
    assert f"{int(game.info['digest']) % 2**64:016x}" == deploy
    assert [one["digest"] for one in rows.replays if one["split"] == DEPLOY] == [deploy]


def test_splits_with_the_same_knobs_are_told() -> None:
    assert alike(CHEESE, {}) == alike(CHEESE, {"corner": 3}) == []
    assert alike(CHEESE, {"corner": 0}) == alike(CHEESE, {"deploy.corner": 1}) == [(TRAIN, DEPLOY)]
    for environment in environments().values():
        assert not alike(environment, {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depoly.corner": 1}, "did you mean 'deploy'"),
        ({"heldout.corner": 1}, "unknown split of cheese_corner 'heldout'"),
        ({"deploy.cornr": 1}, "did you mean 'corner'"),
        ({"deploy.corner": 100}, "must be an integer from 0 to 99"),
        ({"deploy.": 1}, "unknown knob"),
        ({".corner": 1}, "unknown split"),
        ({"deploy.size": 11}, "differ in shape"),
    ],
)
def test_a_wrong_dotted_name_teaches(options: dict[str, Any], message: str) -> None:
    for asked in (lambda: GridEnv(CHEESE, **options), lambda: Distribution(CHEESE, knobs=options)):
        with pytest.raises(ValueError, match=message):
            asked()
    text = ", ".join(f'"{name}" = {value}' for name, value in options.items())
    with pytest.raises(SuiteError, match=message):
        parse_suite(SUITE.replace("{options}", f"{{ {text} }}"))


def test_a_suite_hashes_dotted_names() -> None:
    plain, dotted = (
        parse_suite(SUITE.replace("{options}", options)).trials[0]
        for options in ("{ corner = 3 }", '{ corner = 3, "deploy.corner" = 2.0 }')
    )
    assert dotted.options == plain.options | {"deploy.corner": 2}
    assert dotted.hash != plain.hash


def test_shipped_suites_set_a_splits_own_knob_by_its_name() -> None:
    """In evaluation every option of theirs holds in deploy, as it did when a plain name set it there."""
    for name in (
        "base_optimisers",
        "core",
        "deception",
        "deception_quick",
        "monster_pace",
        "quickstart",
        "alpha_curve",
        "organisms",
        "selftest",
    ):
        for trial in load_suite(name).trials:
            environment = find_environment(trial.environment)
            plain = {k: v for k, v in trial.options.items() if k in environment.knobs}
            knobs = knobs_in(environment, trial.options | {"alpha": 0.0}, DEPLOY) if plain else None
            assert all(getattr(knobs, k) == v for k, v in plain.items())
