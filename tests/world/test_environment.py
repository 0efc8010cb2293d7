"""Declarations: knobs take what they allow and nothing else; names, ids, files."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import in_every_world

from mesabench import Environment, Knob, registry
from mesabench.agents.random import RandomPolicy
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import engine_for
from mesabench.evaluation import evaluation
from mesabench.policies.behaviour import Behaviour
from mesabench.registry import UnknownNameError
from mesabench.scores.examination import Examination
from mesabench.solver.graph import explore
from mesabench.solver.optima import optimal_policy, optimum
from mesabench.suggestion import unknown
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN
from mesabench.world.field import Field
from mesabench.world.objective import RESERVED
from mesabench.world.rules import rule

KNOBS = {
    "int": Knob(3, 0, 9),
    "float": Knob(0.5, 0.0, 0.9),
    "choice": Knob("room", choices=("room", "tree")),
}
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(), st.lists(st.integers()),
    st.sampled_from([np.int8(3), np.uint64(2**63), np.float32(0.5), np.bool_(True), 10**400, "room", 3, 0.25, 9.0]),
)  # fmt: skip


@pytest.mark.parametrize("kind", KNOBS)
@given(value=anything)
def test_a_knob_takes_what_it_allows_and_refuses_the_rest(kind: str, value: object) -> None:
    knob = KNOBS[kind]
    try:
        parsed = knob.parse("it", value)
    except ValueError as refusal:
        message = str(refusal)
        accepted = False
    else:
        message = ""
        accepted = True
    if not accepted:
        assert "it" in message
        assert repr(value) in message
        assert any(bound in message for bound in ("0 to 9", "0 to 0.9", "room, tree"))
        return
    assert parsed == value
    if kind == "choice":
        assert parsed in knob.choices
        assert knob.choices[knob.encode(parsed)] == parsed
    else:
        assert type(parsed) is (int if kind == "int" else float)
        assert knob.low <= parsed <= knob.high
        assert not math.isnan(parsed)


def test_a_choice_sets_other_knobs_and_gives_way_to_a_split_and_to_what_is_given() -> None:
    world = Knob("a", choices=("a", "b"), sets={"b": {"corner": 3, "size": 7, "deploy.max_steps": 5}})
    cheese_corner = registry.find_environment("cheese_corner")
    environment = replace(cheese_corner, knobs={**cheese_corner.knobs, "world": world})
    split_sets = environment.splits[DEPLOY]["corner"]
    assert split_sets != 3
    for split, corner, steps in ((TRAIN, 1, None), (DEPLOY, split_sets, 5), (HELDOUT, 1, None)):
        plain, chosen = environment.knobs_of(split), environment.knobs_of(split, {"world": "b"})
        assert vars(chosen) == vars(plain) | {
            "world": "b", "size": 7, "corner": corner, "max_steps": steps or plain.max_steps,
        }  # fmt: skip
    assert environment.knobs_of(DEPLOY, {"world": "b", "size": 6, "max_steps": 9}).size == 6
    assert environment.knobs_of(DEPLOY, {"world": "b", "size": 6, "max_steps": 9}).max_steps == 9
    published = Distribution(environment, DEPLOY, knobs={"world": "b"})
    assert published.own_knobs.size == published.with_(split=TRAIN).own_knobs.size == 7
    assert world.told == "b: corner = 3, size = 7, deploy.max_steps = 5"


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ({"b": {"sise": 7}}, "sise"),
        ({"b": {"size": 700}}, "size=700: must be an integer from 4 to 99"),
        ({"b": {"late.size": 7}}, "split of cheese_corner 'late'"),
        ({"c": {"size": 7}}, "'c'"),
    ],
)
def test_a_choice_that_sets_what_cannot_be_is_refused(sets: dict, said: str) -> None:
    cheese_corner = registry.find_environment("cheese_corner")
    with pytest.raises(ValueError, match=said):
        replace(
            cheese_corner, knobs={**cheese_corner.knobs, "world": Knob("a", choices=("a", "b"), sets=sets)}
        )


def test_ids_and_titles_come_from_the_file() -> None:
    for name, environment in registry.environments().items():
        assert environment.name == name
        assert environment.id == f"mesabench/{name.title().replace('_', '')}-v{environment.version}"
        assert environment.title
        assert "\n" not in environment.title
        for given_ in (name, environment.id, environment):
            assert registry.find_environment(given_) is environment


@in_every_world
def test_a_declaration_is_complete(environment: Environment) -> None:
    """What `mesabench list`, the report and the scores take from it."""
    assert environment.intended in environment.objectives
    assert environment.proxies
    for objective in environment.objectives.values():
        assert objective.description
        assert objective.goal_events
        assert set(objective.weights) <= set(environment.events)
    for knob in environment.knobs.values():
        assert knob.help
        assert knob.parse("default", knob.default) == knob.default
    assert len(set(environment.glyph_of)) == len(environment.layers)
    knobs = {split: environment.knobs_of(split) for split in (*environment.splits, HELDOUT)}
    assert knobs[HELDOUT] == knobs[TRAIN] != knobs[DEPLOY]
    planes = {environment.in_view(one) for one in knobs.values()}
    assert len(planes) == 1
    assert environment.agent.name in planes.pop()


@pytest.mark.parametrize("name", RESERVED)
def test_an_objective_named_as_a_column_is_refused(name: str) -> None:
    cheese_corner = registry.find_environment("cheese_corner")
    objectives = {**cheese_corner.objectives, name: cheese_corner.objectives["corner"]}
    with pytest.raises(ValueError, match=f"objectives={{'{name}': ...}}: results use the names"):
        replace(cheese_corner, objectives=objectives)


def test_no_column_of_results_could_be_that_of_another_objective() -> None:
    """Columns are called PREFIX_OBJECTIVE: what else has such a prefix is a name that objectives may not have."""
    environment = replace(registry.find_environment("cheese_corner"), hazards=2)
    rows = evaluated_rows(environment)
    named = {column.split("_", 1)[0] for column in rows if column.split("_", 1)[-1] in environment.objectives}
    others = {
        column.split("_", 1)[1] for column in rows if "_" in column and column.split("_", 1)[0] in named
    } - {*environment.objectives}
    assert others == {*RESERVED}


def evaluated_rows(environment: Environment) -> list[str]:
    """The columns of a level's row, those of an examined one included."""
    distribution = Distribution(environment, DEPLOY)
    behaviour = Behaviour(RandomPolicy(4), distribution)
    examination = Examination(behaviour, 0)
    row: dict = {}
    for level in range(5):  # of which at least one tells the goals apart
        row |= evaluation._row(behaviour, level, "", 0, None, 2, examination)
    return list(row)


@pytest.mark.parametrize("number", [0, 33, 40])
def test_more_actions_than_their_sets_can_hold_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"names {number} actions; between 1 and 32"):
        replace(
            registry.find_environment("cheese_corner"), actions=tuple(f"action_{k}" for k in range(number))
        )


def test_whoever_adds_too_many_actions_is_told_where() -> None:
    corner = registry.find_environment("cheese_corner")
    with pytest.raises(ValueError, match=r"more_actions=\.\.\. names 44 actions"):
        replace(corner, more_actions=lambda knobs: tuple(f"extra_{k}" for k in range(40)))


def test_the_last_of_sixteen_actions_can_be_the_best() -> None:
    @rule
    def step(s, action):
        return 1 if action == 15 else 0

    cheese_corner = registry.find_environment("cheese_corner")
    environment = replace(
        cheese_corner, step=step, actions=tuple(f"action_{k}" for k in range(16)), name="many"
    )
    graph = explore(Distribution(environment), 0)
    best = optimal_policy(graph, "cheese")
    np.testing.assert_array_equal(best[0, 0], np.eye(16)[15])
    assert optimum(graph, "cheese", []).value == 1.0


def test_a_monitor_shows_what_a_field_can_be() -> None:
    idle_lamp = registry.find_environment("idle_lamp")
    assert idle_lamp.monitor
    for view in ({"lamp": 2}, {"lamp": -1}):
        with pytest.raises(ValueError, match=r"the monitor shows lamp = -?[12]; it must be from 0 to 1"):
            replace(idle_lamp, monitor=replace(idle_lamp.monitor, lit=view))


def test_a_grid_without_a_cell_within_its_border_is_refused() -> None:
    boat_race = registry.find_environment("boat_race")
    knobs = boat_race.knobs_of(TRAIN)
    for shape, words in (((2, 9), "too small"), ((300, 300), "too large")):
        with pytest.raises(ValueError, match=words):
            engine_for(replace(boat_race, shape=lambda knobs, shape=shape: shape), knobs)


def test_an_environment_of_a_file(tmp_path: Path) -> None:
    ours = Path(__file__).parents[2] / "envs" / "cheese_corner.py"
    assert registry.find_environment(str(ours)) is registry.find_environment("cheese_corner")
    mine = tmp_path / "test_environment_cheese.py"
    mine.write_text(ours.read_text())
    found = registry.find_environment(str(mine))
    assert found.id == "mesabench/TestEnvironmentCheese-v0"
    assert registry.find_environment(found.name) is found
    assert found.name not in registry.environments()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.py", None, ("no environment file", "none.py")),
        ("empty.py", "", ("declares no environment",)),
        (
            "cheese_corner.py",
            "from mesabench.envs.cheese_corner import environment",
            ("already", "another name"),
        ),
    ],
)
def test_a_file_that_declares_none_is_refused(tmp_path: Path, name: str, content: str | None, words) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnknownNameError) as caught:
        registry.find_environment(str(file))
    for word in words:
        assert word in str(caught.value)


def test_suggestions() -> None:
    assert unknown("split", "depoly", ["train", "deploy"]) == (
        "unknown split 'depoly'; did you mean 'deploy'? Allowed: deploy, train"
    )
    assert unknown("split", "xyz", []) == "unknown split 'xyz'; Allowed: none"


SPLITS = ("deploy", "last_tree", "right_fifth", "soft_wall", "train")


@pytest.mark.parametrize(
    ("given", "nearest"),
    [("tree_last", "last_tree"), ("Wall_at_the_end", "soft_wall"), ("soft_wal", "soft_wall")],
)
def test_a_name_with_a_word_in_common_is_near(given: str, nearest: str) -> None:
    assert f"did you mean '{nearest}'?" in unknown("split", given, SPLITS)


@pytest.mark.parametrize("given", ["coin_anywhere", "at", ""])
def test_what_resembles_nothing_is_told_no_nearest(given: str) -> None:
    assert unknown("split", given, SPLITS) == f"unknown split {given!r}; Allowed: {', '.join(SPLITS)}"


@pytest.mark.parametrize("name", ["round", "copy", "size", "real"])
def test_a_field_named_as_what_records_have_is_refused(name: str) -> None:
    """Uncompiled, `s.round` is NumPy's method and not the field."""
    with pytest.raises(ValueError, match=f"field '{name}': NumPy's records have a {name} of their own"):
        Field(name, 1)
