"""Suites: what a TOML file means, and what it is told when it means nothing."""

import math
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from mesabench.registry import find_environment
from mesabench.runs.suite import Suite, SuiteError, load_suite, parse_suite
from mesabench.runs.trial import Trial, canonical

SMALL = """
name = "small"
seeds = 2
[[trials]]
environments = "cheese_corner"
agents = "random"
steps = 0
"""


def written(**changes: Any) -> str:
    """A suite with one table of trials, changed."""
    table = {"environments": ["cheese_corner"], "agents": ["random"], "steps": 0} | changes
    return tomlkit.dumps({"name": "small", "seeds": 1, "trials": [table]})


def variants(**changes: Any) -> list[str]:
    return [trial.variant for trial in parse_suite(written(**changes)).trials]


def test_a_suite_is_the_product_of_its_lists() -> None:
    suite = parse_suite(
        """
        name = "two-tables"
        description = "What it is for."
        seeds = 3
        [evaluation]
        levels = 50
        seed = 7
        [[trials]]
        environments = ["cheese_corner", "cheese_dish"]
        agents = ["random", "nothing"]
        steps = 0
        options = { size = 9 }
        [[trials]]
        environments = ["cheese_corner"]
        agents = ["random"]
        steps = 0
        alpha = 1
        seeds = [5]
        evaluation_levels = 9
        """
    )
    assert {trial.evaluation.levels for trial in suite.trials[:-1]} == {50}
    assert (suite.trials[-1].evaluation.levels, suite.trials[-1].evaluation.seed) == (9, 7)
    assert (suite.name, suite.description, len(suite.trials)) == ("two-tables", "What it is for.", 13)
    first, last = suite.trials[0], suite.trials[-1]
    assert (first.environment, first.agent, first.variant, first.seed) == (
        "cheese_corner",
        "random",
        "ordinary",
        0,
    )
    assert first.options == {"alpha": 0, "levels": 0, "objective": "cheese", "size": 9}
    assert (first.evaluation.levels, first.evaluation.seed) == (50, 7)
    assert (last.variant, last.seed, last.options["alpha"]) == ("control", 5, 1)
    assert len({trial.population for trial in suite.trials}) == 5
    assert len({trial.name for trial in suite.trials}) == 13


def test_a_trials_name_is_forever() -> None:
    """Published results are found by it: a change here orphans them all."""
    trial = Trial(
        environment="cheese_corner", options={"alpha": 0.0, "size": 9}, agent="ppo", settings={"gamma": 0.97},
        steps=300_000, seed=3, variant="ordinary",
    )  # fmt: skip
    assert trial.name == "cheese_corner--ordinary--ppo--s003--dfee5e88"


def test_the_hash_is_of_what_decides_the_outcome_and_of_nothing_else() -> None:
    (trial,) = parse_suite(written()).trials
    changes: list[dict[str, Any]] = [
        {"seed": 1}, {"steps": 1}, {"version": 1}, {"options": {}}, {"settings": {"a": 1}}, {"agent": "ppo"},
        {"environment": "cheese_dish"}, {"evaluation": {"levels": 1, "seed": 0}}, {"evaluation": {"measures": "goals"}},
        {"evaluation": {"goals": ["cheese"]}},
    ]  # fmt: skip
    others = [Trial.model_validate(trial.model_dump() | change) for change in changes]
    assert len({trial.hash, *(one.hash for one in others)}) == 1 + len(changes)
    assert others[0].population == trial.population
    assert Trial.model_validate(trial.model_dump() | {"variant": "renamed"}).hash == trial.hash


def test_a_suite_predicts_scores_of_what_it_names() -> None:
    predicted = {"TRUE": [0, 0.5], "PLAN": "n/a", "THINK": "n/a", "ADAPT": [0, 1], "DECEP": [0, 1]}
    suite = parse_suite(written(predicted=predicted, evaluation_goals=["cheese", "corner"]))
    found = {"TRUE": (0.0, 0.5), "PLAN": None, "THINK": None, "ADAPT": (0.0, 1.0), "DECEP": (0.0, 1.0)}
    assert suite.predictions == {one.population: found for one in suite.trials}
    assert all(one.evaluation.goals == ("cheese", "corner") for one in suite.trials)
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"predicted": {"TRUTH": [0, 1]}}, "TRUE"),
        ({"predicted": {"TRUE": "none"}}, "predicted"),
        ({"evaluation_goals": ["chese"]}, "cheese"),
    ]
    for wrong, said in wrongs:
        with pytest.raises(SuiteError, match=said):
            parse_suite(written(**wrong))


@pytest.mark.parametrize(
    "bounds",
    [
        [math.nan, 1.0],
        [0.0, math.nan],
        [0, math.inf],
        [-math.inf, 0],
        [2, 1],
        [1],
        [0, 1, 2],
        [True, False],
        ["0", "1"],
        3,
        "x",
    ],
)
def test_bounds_between_which_no_score_can_lie_are_refused(bounds: Any) -> None:
    with pytest.raises(
        SuiteError, match=r'two finite numbers, the lower one first, as in \[0.9, 1.0\], or "n/a"'
    ):
        parse_suite(written(predicted={"TRUE": bounds}))


@given(
    st.tuples(
        st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_bounds_that_a_suite_accepts_are_stored_and_read_back(bounds: tuple[float, float]) -> None:
    low, high = sorted(bounds)
    suite = parse_suite(written(predicted={"PREFERENCE": [low, high]}))  # which has no bounds
    assert Suite.model_validate_json(suite.model_dump_json()) == suite


def test_numbers_that_are_equal_hash_alike() -> None:
    assert canonical({"b": 1.0, "a": [0.5, {"c": 2}]}) == canonical({"a": [0.5, {"c": 2.0}], "b": 1})
    assert canonical(True) != canonical(1)
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical([float("nan")])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["ordinary"]),
        ({"alpha": 1.0}, ["control"]),
        ({"alpha": [0.0, 0.1]}, ["ordinary", "alpha-0.1"]),
        ({"variant": "mine"}, ["mine"]),
        ({"variant": "mine", "alpha": [0, 1]}, ["mine-ordinary", "mine-control"]),
        ({"options": [{"size": 7}, {"size": 9}]}, ["ordinary-size-7", "ordinary-size-9"]),
        ({"options": [{"size": 7}, {"size": 7, "corner": 3}]}, ["ordinary", "ordinary-corner-3"]),
        (
            {"agents": ["oracle"], "settings": [{"objective": "cheese"}, {"objective": "corner"}]},
            ["ordinary-objective-cheese", "ordinary-objective-corner"],
        ),
        ({"steps": [0, 1000]}, ["ordinary-0-steps"]),
    ],
)
def test_a_variant_says_what_varies(changes: dict[str, Any], expected: list[str]) -> None:
    assert variants(**changes) == expected


FAULTS = [
    ("seeds = 1", "x", "missing"),
    ('name = "small"', 'name = "../up"', "name = '../up'"),
    ('name = "small"', 'nam = "small"', "unknown key 'nam'; did you mean 'name'?"),
    ("seeds = 2", "seeds = 0", "seeds = 0: .*from 1 to 10000"),
    ("seeds = 2", "seeds = true", "seeds = True"),
    ("seeds = 2", "seeds = []", "seeds = "),
    ("seeds = 2", "seeds = 2\n[evaluation]\nlevel = 3", r"\[evaluation\], unknown key 'level'; did you mean 'levels'"),
    ("seeds = 2", "seeds = 2\n[evaluation]\nlevels = 0", r"\[evaluation\], levels = 0"),
    ("environments", "environmnts", r"\[\[trials\]\] number 1, unknown key 'environmnts'; did you mean 'environments'"),
    ('"cheese_corner"', '"cheese_corne"', "unknown environment 'cheese_corne'; did you mean 'cheese_corner'"),
    ('"cheese_corner"', '"nowhere.py"', "no environment file .*nowhere.py"),
    ('"cheese_corner"', "[]", "environments"),
    ('"random"', '"randm"', "unknown agent 'randm'; did you mean 'random'"),
    ("steps = 0", "steps = -1", "steps"),
    ("steps = 0", "steps = 1.5", "steps"),
    ("steps = 0", "steps = 0\nalpha = 1.5", "alpha"),
    ("steps = 0", "steps = 0\nalpha = nan", "alpha"),
    ("steps = 0", "steps = 0\nvariant = 'a--b'", "variant = 'a--b'"),
    ("steps = 0", "steps = 0\noptions = { siz = 9 }", "unknown option .*'siz'; did you mean 'size'"),
    ("steps = 0", "steps = 0\noptions = { size = 'nine' }", "size='nine'"),
    ("steps = 0", "steps = 0\noptions = { size = nan }", "size=nan"),
    ("steps = 0", "steps = 0\noptions = { split = 'deploy' }", "'split' is no option here"),
    ("steps = 0", "steps = 0\noptions = { objective = 'chese' }", "objective .*'chese'; did you mean 'cheese'"),
    ("steps = 0", "steps = 0\nsettings = { rate = 1 }", "unknown setting of random 'rate'"),
    ("steps = 0", "steps =", "is not TOML: .*line"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "message"), FAULTS)
def test_a_fault_is_named_with_its_place(before: str, after: str, message: str) -> None:
    text = SMALL.replace("seeds = 2", "") if after == "x" else SMALL.replace(before, after, 1)
    with pytest.raises(SuiteError, match=message) as caught:
        parse_suite(text, "my.toml")
    assert str(caught.value).startswith("my.toml")


def test_every_fault_of_form_is_told_at_once() -> None:
    with pytest.raises(SuiteError) as caught:
        parse_suite(SMALL.replace("steps", "stesp").replace("agents", "agnets"), "my.toml")
    assert len(str(caught.value).splitlines()) == 4


def test_two_populations_cannot_share_a_name() -> None:
    table = '[[trials]]\nenvironments = "cheese_corner"\nagents = "random"\nsteps = 0\n'
    with pytest.raises(SuiteError, match=r"both be called 'ordinary' \(random in cheese_corner\)"):
        parse_suite(SMALL + table + "options = { size = 7 }")
    with pytest.raises(SuiteError, match="number 2: cheese_corner ordinary random seed 0 is there already"):
        parse_suite(SMALL + table)


def test_a_name_that_grows_too_long_is_refused_with_what_to_do() -> None:
    many = {
        "gamma": 0.9,
        "n_steps": 32,
        "batch_size": 512,
        "gae_lambda": 0.9,
        "learning_rate": 0.002,
        "ent_coef": 0.1,
    }
    with pytest.raises(
        SuiteError, match=r"number 1, variant: what this table varies makes a name of \d+ characters"
    ) as caught:
        parse_suite(written(agents=["ppo"], steps=1000, settings=[{}, many]))
    assert "`variant` of its own" in str(caught.value)


def test_an_agent_that_learns_needs_steps() -> None:
    with pytest.raises(SuiteError, match=r"number 1, steps: ppo learns"):
        parse_suite(written(agents=["ppo"]))


def test_a_suite_is_found_by_path_or_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(SMALL)
    assert load_suite("mine.toml") == load_suite(tmp_path / "mine.toml") == parse_suite(SMALL)
    for missing in ("theirs.toml", "quickstrat"):
        with pytest.raises(SuiteError, match=missing):
            load_suite(missing)
    Path("latin.toml").write_bytes("name = 'é'".encode("latin-1"))
    with pytest.raises(SuiteError, match="cannot read"):
        load_suite("latin.toml")


def test_an_environment_may_stand_in_a_file_beside_the_suite(tmp_path: Path) -> None:
    from mesabench.envs import cheese_corner

    (tmp_path / "my_corner.py").write_text(Path(cheese_corner.__file__).read_text())
    (tmp_path / "mine.toml").write_text(SMALL.replace("cheese_corner", "my_corner.py"))
    suite = load_suite(tmp_path / "mine.toml")
    assert suite.files == (str(tmp_path / "my_corner.py"),)
    assert {trial.environment for trial in suite.trials} == {"my_corner"}


def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One value, or a list of different ones."""
    return values | st.lists(values, min_size=1, max_size=2, unique_by=repr)


tables = st.fixed_dictionaries(
    {
        "environments": listed(st.sampled_from(["cheese_corner", "cheese_dish"])),
        "agents": listed(st.sampled_from(["random", "nothing"])),
        "steps": st.integers(0, 10**9),
    },
    optional={
        "alpha": listed(st.sampled_from([0, 0.25, 1.0])),
        "options": listed(
            st.fixed_dictionaries({"size": st.integers(7, 9)}, optional={"levels": st.integers(0, 99)})
        ),
        "seeds": st.integers(1, 3) | st.lists(st.integers(0, 2**40), min_size=1, max_size=3, unique=True),
        "variant": st.sampled_from(["a", "b.c", "d-e"]),
    },
)
suites = st.fixed_dictionaries(
    {"name": st.just("drawn"), "seeds": st.integers(1, 3), "trials": tables.map(lambda table: [table])},
    optional={
        "description": st.text(st.characters(exclude_categories=["C"])),
        "evaluation": st.fixed_dictionaries({"levels": st.integers(1, 500)}),
    },
)


@given(suites, st.randoms(use_true_random=False))
def test_the_same_suite_gives_the_same_trials(suite: dict[str, Any], shuffle: random.Random) -> None:
    trials = parse_suite(tomlkit.dumps(suite)).trials
    table = suite["trials"][0]
    seeds = table.get("seeds", suite["seeds"])
    sizes = [
        len(table[k]) if isinstance(table.get(k), list) else 1
        for k in ("environments", "agents", "alpha", "options")
    ]
    sizes.append(len(seeds) if isinstance(seeds, list) else seeds)
    product = 1
    for size in sizes:
        product *= size
    assert len(trials) == len({trial.hash for trial in trials}) == product

    keys = shuffle.sample(sorted(table), len(table))
    shuffled = suite | {"trials": [{key: table[key] for key in keys}]}
    assert parse_suite(tomlkit.dumps(shuffled)).trials == trials
    whole = parse_suite(tomlkit.dumps(suite))
    back = Suite.model_validate_json(whole.model_dump_json())
    assert back == whole
    assert [trial.name for trial in back.trials] == [trial.name for trial in trials]


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_no_text_does_worse_than_a_suite_error(text: str) -> None:
    with pytest.raises(SuiteError):
        parse_suite(text)


LINES = (Path(__file__).parents[2] / "configs" / "quickstart.toml").read_text("utf-8").splitlines()
VALUES = st.sampled_from([
    "0", "-1", "1e400", "nan", "-inf", "true", '""', '"\\u0000"', '"../x"', "[]", "[[]]", '[1, "a"]', "{}", "{a = 1}", "12:00:00",
    "99999999999999999999", '"n/a"', "[0.5, nan]", "[{corner = 1}, {corner = 1}]", '{split = "deploy"}', "{levels = -1}",
    '{"deploy." = 3}', "{corner = [1, 2]}", "{size = 2020-01-01}", "{lr = 1}", "[1, 1]", '"nowhere.py"', '"a:b"',
    f'"{"x" * 300}"',
])  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A shipped suite with values exchanged, lines left out or said again, characters put in."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        k = draw(st.integers(0, len(lines) - 1))
        key, equals, _ = lines[k].partition("=")
        lines[k : k + 1] = draw(
            st.sampled_from([[], [lines[k], lines[k]]])
            | st.sampled_from("\"'[]{}=,.#\\\x00\u2028é0").map(lambda odd, k=k: [lines[k] + odd])
            | (VALUES.map(lambda value, key=key: [f"{key}= {value}"]) if equals else st.just([]))
        ) or [""]
    return "\n".join(lines)


@given(damaged())
def test_a_damaged_suite_is_read_or_refused_in_words(text: str) -> None:
    with suppress(SuiteError):
        assert parse_suite(text).trials


DRAWN = """
name = "drawn"
seeds = 12

[[trials]]
environments = "cheese_corner"
agents = "random"
steps = 0
options = { place = "drawn" }
"""


def test_a_choice_may_be_drawn_anew_for_every_seed_of_one_population() -> None:
    trials = parse_suite(DRAWN).trials
    assert len({one.population for one in trials}) == 1
    found = [one.settled()["place"] for one in trials]
    assert found == [one.settled()["place"] for one in parse_suite(DRAWN).trials]
    assert set(found) == set(find_environment("cheese_corner").knobs["place"].choices)
    assert all(one.options["place"] == "drawn" for one in trials)


def test_only_choices_are_drawn() -> None:
    with pytest.raises(SuiteError, match="size"):
        parse_suite(DRAWN.replace('place = "drawn"', 'size = "drawn"'))


def test_words_may_be_predicted_and_are_checked() -> None:
    said = DRAWN + 'predicted = { outcome = "incapable", kind = "habit or device", TRUE = [0, 0.1] }\n'
    suite = parse_suite(said)
    assert suite.predictions[suite.trials[0].population]["outcome"] == "incapable"
    with pytest.raises(SuiteError, match="did you mean 'incapable'"):
        parse_suite(said.replace('"incapable"', '"incapabel"'))
    with pytest.raises(SuiteError, match="two finite numbers"):
        parse_suite(said.replace("[0, 0.1]", '"low"'))
