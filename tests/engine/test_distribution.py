"""Options for several splits at once: whose knob a name sets, and which splits come out alike."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.adapters.env import GridEnv
from mesabench.cli.play import Game
from mesabench.engine.distribution import Distribution, alike, distribution, distribution_of
from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.agent import Task
from mesabench.registry import environments, find_environment
from mesabench.runs.suite import SuiteError, load_suite, parse_suite
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment
from mesabench.world.knob import Knob

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


def knobs_in(environment: Environment, options: dict[str, Any], split: str) -> Any:
    """The knobs of a split, where the options were given for training."""
    return distribution_of(environment, options).with_(split=split).own_knobs


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
    seen = [(environment.shape(one), environment.in_view(one)) for one in (train, turned)]
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
        records = distribution_of(CHEESE, options).with_(split=split).knob_records
        assert records["corner"].tolist() == [3, 3, 2]


def test_another_splits_own_knobs_leave_a_plain_one_shared() -> None:
    monsters = find_environment("monster_world")  # of its splits `calm` alone sets monsters
    told = {split: knobs_in(monsters, {"monsters": 8}, split).monsters for split in monsters.splits}
    assert told == {"train": 8, "deploy": 8, "calm": 0}
    assert (
        distribution_of(monsters, {"monsters": 8, "alpha": 1.0}).knob_records["monsters"].tolist() == [8] * 3
    )


THREE = replace(
    CHEESE,
    knobs=CHEESE.knobs | {name: Knob(0, 0, 9) for name in ("common", "early", "late", "other", "both")},
    splits={
        TRAIN: {"corner": 1, "early": 1},
        DEPLOY: {"corner": 0, "late": 1, "both": 1},
        "calm": {"other": 1, "both": 2},
    },
)
"""Three splits, and a knob for every way in which some of them may set it themselves."""
NAMES = ("corner", "common", "early", "late", "other", "both")
GIVEN = st.dictionaries(
    st.sampled_from([*NAMES, *(f"{split}.{name}" for split in THREE.splits for name in NAMES)]),
    st.integers(2, 9),
)


def by_split(levels: Distribution) -> dict[str, Any]:
    return {split: levels.with_(split=split).own_knobs for split in (*THREE.splits, HELDOUT)}


def meant(given: dict[str, int], split: str) -> dict[str, Any]:
    """The knobs of a split where options were given for training, by the rule in words."""
    known = {name: knob.default for name, knob in THREE.knobs.items()} | THREE.splits[split]
    for name in NAMES:
        shift = name in THREE.splits[TRAIN] or name in THREE.splits[split]
        if name in given and (split == TRAIN or not shift):
            known[name] = given[name]
        known[name] = given.get(f"{split}.{name}", known[name])
    return known


@given(GIVEN)
def test_what_is_given_for_training_holds_in_every_split_by_one_rule(given: dict[str, int]) -> None:
    found = by_split(Distribution(THREE, knobs=given))
    assert {split: vars(knobs) for split, knobs in found.items()} == {
        split: meant(given, TRAIN if split == HELDOUT else split) for split in found
    }


@given(GIVEN, st.lists(st.sampled_from([*THREE.splits, HELDOUT]), min_size=1, max_size=4))
def test_the_way_to_a_split_does_not_matter(given: dict[str, int], way: list[str]) -> None:
    first, *others = way
    there = Distribution(THREE, first, knobs=given)
    known, records = by_split(there), there.knob_records
    for split in others:
        there = there.with_(split=split)
        assert by_split(there) == known
    assert (there.with_(split=first).knob_records == records).all()


def test_a_name_with_its_split_wins_over_a_plain_one_in_whatever_order_they_were_given() -> None:
    for knobs in ({"corner": 3, "train.corner": 2}, {"train.corner": 2, "corner": 3}):
        there = Distribution(CHEESE, knobs=knobs).with_(split=DEPLOY)
        assert there.knob_records["corner"].tolist() == [2, 2, 0]
        assert there.with_(corner=4).knob_records["corner"].tolist() == [2, 2, 4]
    both = distribution(CHEESE, **{"train.size": 7, "deploy.size": 7, "size": 5})
    assert [both.with_(split=split).own_knobs.size for split in (TRAIN, DEPLOY)] == [7, 7]
    assert both.with_(size=9, **{"deploy.size": 9}).with_(split=HELDOUT).own_knobs.size == 9


def test_distributions_are_equal_if_the_same_was_given() -> None:
    one, same, other = (distribution(CHEESE, corner=corner, size=7) for corner in (3, 3, 4))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != one.with_(split=DEPLOY)
    assert one.with_(split=HELDOUT).with_(split=TRAIN) == one


def test_an_evaluation_by_name_and_by_levels_is_the_same() -> None:
    def policy(seen: Any) -> Any:
        return 0 * seen[:, 0, 0, 0].astype(int)

    options = {"size": 5, "corner": 2, "levels": 2, "alpha": 0.5}
    asked: dict[str, Any] = {"levels": 3, "replays": 1, "measures": "goals", "exact": False}
    by_name = evaluate(policy, "cheese_corner", {**options, "objective": "corner"}, **asked)
    by_levels = evaluate(policy, distribution(CHEESE, **options), {"objective": "corner"}, **asked)
    assert by_name.levels.equals(by_levels.levels)
    assert by_name.levels["split"].value_counts(name="n").sort("split")["n"].to_list() == [3, 3, 2]
    assert (by_name.paid, by_name.replays) == ("corner", by_levels.replays)
    deployed = distribution(CHEESE, split=DEPLOY, size=5, corner=2)
    other_way = evaluate(policy, "cheese_corner", {"size": 5, "deploy.corner": 2}, **asked)
    assert evaluate(policy, deployed, **asked).levels.equals(other_way.levels)


def test_the_same_options_mean_the_same_in_play_and_evaluate() -> None:
    options = {"size": 5, "corner": 2}
    game = Game(distribution(CHEESE, **options), split=DEPLOY)
    assert game.env.distribution.own_knobs.corner == 0
    rows = evaluate(lambda seen: 0 * seen[:, 0, 0, 0].astype(int), "cheese_corner", options, levels=1, replays=1,
                    exact=False, measures="goals")  # fmt: skip
    deploy = rows.levels.filter(rows.levels["split"] == DEPLOY)["digest"][0]
    game.restart()
    assert f"{int(game.info['digest']) % 2**64:016x}" == deploy
    assert [one["digest"] for one in rows.replays if one["split"] == DEPLOY] == [deploy]


def test_splits_with_the_same_knobs_are_told() -> None:
    assert alike(distribution(CHEESE)) == alike(distribution(CHEESE, corner=3)) == []
    for options in ({"corner": 0}, {"deploy.corner": 1}):
        assert alike(distribution(CHEESE, **options)) == [(TRAIN, DEPLOY)]
    for environment in environments().values():
        assert not alike(Distribution(environment)), "what is declared to be alike is not told"
    assert alike(distribution("boat_race", **{"deploy.anywhere": 0})) == [(TRAIN, DEPLOY)]


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
        "alpha_budget",
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
            plain = {k: v for k, v in trial.settled().items() if k in environment.knobs}
            knobs = Task(environment, trial.settled()).distribution.with_(split=DEPLOY).own_knobs
            assert all(getattr(knobs, k) == v for k, v in plain.items())
