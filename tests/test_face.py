"""The face: the public names of mesabench, what they take, and that they cost nothing until they are used."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mesabench

ROOT = Path(__file__).parents[1]
FACE = {
    "distribution": "(environment, /, **options)",
    "evaluate": "(policy, environment, options=None, *, levels=200, seed=0, splits=('train', 'heldout', 'deploy'), "
    "exact=None, episodes=100, replays=6, measures='all', progress=...)",
    "explore": "(distribution, level, *, max_states=1000000, max_outcomes=64)",
    "find_agent": "(name)",
    "find_environment": "(name)",
    "list_agents": "()",
    "list_environments": "()",
    "load_policy": "(name)",
    "load_run": "(folder, suite=None)",
    "load_suite": "(source)",
    "optimum": "(graph, objective, others=None)",
    "run_suite": "(suite, results='runs', *, workers=None, shard=None, on=None, console=None, run=...)",
    "train": "(agent, environment, *, steps=0, seed=0, options=None, progress=None, **settings)",
    "write_report": "(run_folder, out=None)",
}
"""Functions, with what they take: a change here is a change for everybody's programs, and goes into CHANGELOG.md."""
TYPES = {
    "Agent": "train load train_many settings learns adapter pace name story file digest",
    "Distribution": "environment split alpha levels knobs sight",
    "Environment": "layers events agent wall layout step shift settle objectives intended training proxies null ends once "
    "hazards knobs splits fields sight shape glyphs letters actions more_actions discount paired pools first_goals check monitor "
    "bounds version name story file digest sprites",
    "Evaluation": "environment paid tables records numbers",
    "Field": "name high shape says symbols lasts",
    "Knob": "default low high help choices sets",
    "Monitor": "comply defect truth lit dark idle watched unwatched split contracts conditions genuineness once",
    "Objective": "weights description goal",
    "Policy": "args kwargs",
    "Score": "value reason",
    "Sight": "hidden invisible planes radius centred heading opaque pixels",
    "Task": "environment options steps kept",
}
"""Types, with what they are made from, in order."""
MODULES = {"mazes"}
HEAVY = (
    "torch",
    "stable_baselines3",
    "polars",
    "matplotlib",
    "scipy.stats",
    "pydantic",
    "rich",
    "typer",
    "jinja2",
)


def signature(function: Any) -> str:
    """Parameters and defaults, without types; a default that is a function is only said to be there."""

    def shown(default: Any) -> Any:
        if inspect.isfunction(default):
            return Ellipsis
        return str(default) if isinstance(default, Path) else default

    plain = [
        one.replace(annotation=one.empty, default=shown(one.default))
        for one in inspect.signature(function).parameters.values()
    ]
    return str(inspect.Signature(plain)).replace("Ellipsis", "...")


def test_the_names_of_the_face_are_these() -> None:
    assert set(mesabench.__all__) == FACE.keys() | TYPES.keys() | MODULES
    assert set(mesabench.__all__) <= set(dir(mesabench))
    assert all(inspect.isclass(getattr(mesabench, name)) for name in TYPES)


@pytest.mark.parametrize("name", FACE)
def test_a_function_of_the_face_takes_what_it_took(name: str) -> None:
    assert signature(getattr(mesabench, name)) == FACE[name]


@pytest.mark.parametrize("name", TYPES)
def test_a_type_of_the_face_is_made_from_what_it_was_made_from(name: str) -> None:
    assert [*inspect.signature(getattr(mesabench, name)).parameters] == TYPES[name].split()


@pytest.mark.parametrize("name", sorted(FACE.keys() | TYPES.keys()))
def test_a_name_of_the_face_says_what_it_is(name: str) -> None:
    one = getattr(mesabench, name)
    assert inspect.getdoc(one)
    assert not inspect.isfunction(one) or all(
        parameter.annotation is not inspect.Parameter.empty
        for parameter in inspect.signature(one).parameters.values()
    )


def test_type_checkers_are_told_of_the_same_names_from_the_same_places() -> None:
    tree = ast.parse((ROOT / "mesabench" / "__init__.py").read_text("utf-8"))
    told = {
        one.name: node.module
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for one in node.names
    }
    assert told == mesabench._HOME


def test_an_unknown_name_of_the_face_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="trian"):
        mesabench.trian  # noqa: B018
    with pytest.raises(ImportError, match="trian"):
        exec("from mesabench import trian")


def test_importing_mesabench_loads_nothing_heavy() -> None:
    code = "import sys, mesabench; dir(mesabench); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    loaded = done.stdout.split()
    assert "mesabench.registry" in loaded, done.stderr
    assert not set(HEAVY) & {*loaded}
    assert len(loaded) < 800


def test_nothing_in_the_house_goes_through_its_face() -> None:
    """Else a lower room could reach an upper one by it, unseen by the table of rooms."""
    files = [file for folder in ("mesabench", "envs", "agents") for file in (ROOT / folder).rglob("*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "mesabench":
                assert not {one.name for one in node.names} & set(mesabench.__all__), file


def test_the_lists_name_what_can_be_found() -> None:
    for name in mesabench.list_environments():
        assert mesabench.find_environment(name).name == name
    for name in mesabench.list_agents():
        assert mesabench.find_agent(name).name == name
    assert {"cheese_corner", "boat_race"} <= {*mesabench.list_environments()}
    assert {"ppo", "oracle"} <= {*mesabench.list_agents()}


def test_training_is_one_call_and_gives_what_the_agent_gives() -> None:
    told = []
    asked = {"options": {"size": 7}, "n_envs": 8, "n_steps": 64, "batch_size": 128}
    one, two = (
        mesabench.train("ppo", "cheese_corner", steps=2048, seed=3, progress=heard, **asked)  # type: ignore[arg-type]
        for heard in (lambda step, columns: told.append((step, columns)), None)
    )
    agent = mesabench.find_agent("ppo")
    task = mesabench.Task("cheese_corner", {"size": 7}, 2048)
    same = agent.train(
        task,
        agent.parse_settings({"n_envs": 8, "n_steps": 64, "batch_size": 128}),
        3,
        lambda step, columns: None,
    )
    seen = np.random.default_rng(0).integers(0, 2, (5, 3, 7, 7), dtype=np.uint8)
    np.testing.assert_array_equal(one(seen), two(seen))
    np.testing.assert_array_equal(one(seen), same(seen))
    assert told[-1][0] >= 2048
    assert "return_mean" in told[-1][1]


def test_a_scripted_agent_needs_no_steps_and_an_environment_may_be_given_itself() -> None:
    cheese = mesabench.find_environment("cheese_corner")
    for agent in ("oracle", mesabench.find_agent("oracle")):
        policy = mesabench.train(agent, cheese)
        found = mesabench.evaluate(policy, cheese, levels=3, replays=0, measures="goals")
        assert found.scores().scores["TRAINED"].value == 1


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"agent": "pppo"}, LookupError, "unknown agent 'pppo'; did you mean 'ppo'"),
        ({"environment": "chese_corner"}, LookupError, "did you mean 'cheese_corner'"),
        ({"learning_rat": 1}, ValueError, "unknown setting of ppo 'learning_rat'; did you mean 'learning_rate'"),
        ({"learning_rate": "fast"}, ValueError, "setting learning_rate='fast' of ppo"),
        ({"size": 7}, ValueError, "'size' is no setting of ppo but an option of cheese_corner; give it so: options={'size': 7}"),
        ({"objective": "cheese"}, ValueError, "options={'objective': 'cheese'}"),
        ({"options": {"sise": 7}}, ValueError, "did you mean 'size'"),
        ({"options": {"size": 700}}, ValueError, "size"),
        ({"options": {"objective": "chese"}}, ValueError, "did you mean 'cheese'"),
        ({"steps": 0}, ValueError, "ppo learns: it needs at least 1 step"),
        ({"steps": 1.5}, ValueError, "steps=1.5: must be a whole number"),
        ({"seed": -1}, ValueError, "seed=-1: must be a whole number"),
    ],
)  # fmt: skip
def test_a_mistaken_training_is_refused_before_it_begins(
    asked: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error) as refused:
        mesabench.train(**{"agent": "ppo", "environment": "cheese_corner", "steps": 1000, **asked})
    assert told in str(refused.value)


def test_no_setting_of_an_agent_has_the_name_of_something_else_that_train_takes() -> None:
    taken = inspect.signature(mesabench.train).parameters.keys() - {"settings"}
    for name in mesabench.list_agents():
        assert not taken & mesabench.find_agent(name).settings.model_fields.keys()


def test_a_distribution_is_solved_by_name() -> None:
    levels = mesabench.distribution("cheese_corner", split="deploy", size=7)
    graph = mesabench.explore(levels, 3)
    assert 0 < mesabench.optimum(graph, "cheese", others=()).value <= 1
    with pytest.raises(ValueError, match="did you mean 'size'"):
        mesabench.distribution("cheese_corner", sise=7)
