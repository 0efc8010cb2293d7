"""Whole numbers: one rule, and the same answer in Python, in a suite and on the command line."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mesabench.cli import verbs
from mesabench.deception.compliance import deception_scores
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution
from mesabench.evaluation.evaluation import evaluate
from mesabench.registry import find_agent, find_environment
from mesabench.runs.execution import run_trial
from mesabench.runs.runner import run_suite
from mesabench.runs.suite import SuiteError, parse_suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.testing import check
from mesabench.whole_number import MOST, plain, whole, whole_text

WHOLE = [
    (100_000, 100_000),
    (1e5, 100_000),
    (7.0, 7),
    (np.int64(7), 7),
    (np.float32(8), 8),
    (np.uint64(MOST), MOST),
    (0, 0),
]
NOT_WHOLE = [
    True,
    np.True_,
    -1,
    1.5,
    math.nan,
    math.inf,
    -math.inf,
    2**63,
    1e30,
    np.uint64(2**63),
    "x",
    None,
    [1],
    np.arange(2),
]

TABLE = 'name = "s"\n{top}\n[evaluation]\n{evaluation}\n[[trials]]\nenvironments = "cheese_corner"\n{table}\n'


def suite_of(**values: Any) -> Any:
    """A suite with one of its numbers set, as TOML writes it."""
    given_ = {"seeds": "1", "levels": "5", "steps": "10", **values}
    return parse_suite(TABLE.format(
        top=f"seeds = {given_['seeds']}", evaluation=f"levels = {given_['levels']}\nseed = {given_.get('seed', 0)}",
        table=f'agents = "ppo"\nsteps = {given_["steps"]}\n' + given_.get("more", ""),
    ))  # fmt: skip


def trial_of(**changes: Any) -> Trial:
    fields: dict[str, Any] = {
        "environment": "cheese_corner", "options": {}, "agent": "random", "settings": {}, "steps": 0, "seed": 0, "variant": "a",
    }  # fmt: skip
    return Trial(**(fields | changes))


@given(st.integers() | st.floats() | st.integers(-9, 9).map(float))
def test_a_whole_number_is_what_equals_one_and_fits(number: float) -> None:
    fits = math.isfinite(number) and number == int(number) and 0 <= number <= MOST
    if not fits:
        with pytest.raises(ValueError, match=r"must be a whole number from 0 to 2\*\*63 - 1"):
            whole(number)
        return
    found = whole(number)
    assert (type(found), found) == (int, number)
    assert whole_text(repr(number)) == found


@pytest.mark.parametrize(("given_", "number"), WHOLE, ids=repr)
def test_python_takes_every_kind_of_whole_number(given_: Any, number: int) -> None:
    for name in ("seed", "steps", "version"):
        found = getattr(trial_of(**{name: given_}), name)
        assert (type(found), found) == (int, number)
    assert EvaluationSettings(seed=given_).seed == number
    if number < 1000:
        assert Distribution(find_environment("cheese_corner"), levels=given_).levels == number
    assert trial_of(options={"levels": given_}).hash == trial_of(options={"levels": number}).hash
    assert trial_of(settings={"x": given_}).hash == trial_of(settings={"x": number}).hash


@pytest.mark.parametrize("given_", NOT_WHOLE, ids=repr)
def test_python_refuses_what_is_no_whole_number_before_anything_runs(given_: Any) -> None:
    for name in ("seed", "steps", "version"):
        with pytest.raises(ValidationError, match="must be a whole number from 0 to"):
            trial_of(**{name: given_})
    for name, least in (("levels", 1), ("seed", 0)):
        with pytest.raises(ValidationError, match=f"must be a whole number from {least} to"):
            EvaluationSettings(**{name: given_})
    with pytest.raises(ValueError, match=r"must be a whole number from 0 to .* 0 for endless"):
        Distribution(find_environment("cheese_corner"), levels=given_)


@pytest.mark.parametrize("text", ["true", "-1", "1.5", "nan", "inf", "9223372036854775808", "1e30", "'x'"])
def test_a_suite_refuses_it_with_its_place(text: str) -> None:
    for name, where in {
        "seeds": "seeds", "levels": r"\[evaluation\], levels", "seed": r"\[evaluation\], seed",
        "steps": r"number 1, steps",
    }.items():  # fmt: skip
        with pytest.raises(SuiteError, match=f"{where} = .*must be a whole number from"):
            suite_of(**{name: text})
    for more, where in {
        f"seeds = [{text}]": "seeds", f"evaluation_levels = {text}": "evaluation_levels",
        f"options = {{ levels = {text} }}": "options: levels=",
    }.items():  # fmt: skip
        with pytest.raises(SuiteError, match=f"number 1, {where}.*must be a whole number from"):
            suite_of(more=more)


def test_a_suite_takes_1e5_wherever_it_takes_100_000() -> None:
    one, other = (
        suite_of(seeds="1e1", levels="2e1", steps="1e5"),
        suite_of(seeds="10", levels="20", steps="100_000"),
    )
    assert [trial.name for trial in one.trials] == [trial.name for trial in other.trials]


@pytest.mark.parametrize("text", ["-1", "1.5", "nan", "9223372036854775808", "x", "True"])
@pytest.mark.parametrize(
    "command", [("show", "cheese_corner", "--level"), ("evaluate", "oracle", "cheese_corner", "--seed")]
)
def test_the_command_line_refuses_it(
    command: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        verbs.main([*command, text])
    assert end.value.code == 2
    assert "must be a whole number from 0 to 2**63 - 1" in " ".join(capsys.readouterr().err.split())


def test_the_command_line_takes_1e2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        verbs.main(["show", "cheese_corner", "--level", "1e2", "--size", "7.0"])
    assert end.value.code == 0
    assert "Level 100\n" in capsys.readouterr().out


def test_settings_and_options_are_plain_numbers() -> None:
    assert plain({"a": (np.int64(1), np.float64(0.5)), "b": np.arange(2), "c": "x"}) == {
        "a": [1, 0.5],
        "b": [0, 1],
        "c": "x",
    }
    for wrong in (math.nan, np.float32("inf"), 2**64, [[-math.inf]]):
        for fields in ({"settings": {"x": wrong}}, {"options": {"x": wrong}}):
            with pytest.raises(ValidationError, match=r"x=.*must be a"):
                trial_of(**fields)
        with pytest.raises(ValueError, match=r"setting n_envs=.*must be a"):
            find_agent("ppo").parse_settings({"n_envs": wrong})
    with pytest.raises(ValueError, match="setting n_envs=True of ppo: must be a number"):
        find_agent("ppo").parse_settings({"n_envs": True})
    with pytest.raises(ValidationError, match="size=True"):
        trial_of(options={"size": True})


@pytest.mark.parametrize("bounds", ["[nan, 1]", "[0, inf]", "[2, 1]", "[true, 1]", "[0]", "['a', 1]", "0.5"])
def test_predicted_bounds_are_two_finite_numbers_that_ascend(bounds: str) -> None:
    with pytest.raises(SuiteError, match="predicted"):
        suite_of(more=f"predicted = {{ TRUE = {bounds} }}")
    assert suite_of(more="predicted = { TRUE = [0, 1], PLAN = 'n/a' }").predictions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"objective": "chese"}}, "did you mean 'cheese'"),
        ({"options": {"siz": 9}}, "did you mean 'size'"),
        ({"options": {"size": 9.5}}, r"size=9\.5"),
        ({"options": {"levels": -1}}, "levels=-1"),
        ({"evaluation": EvaluationSettings(goals=("chese",))}, "did you mean 'cheese'"),
        ({"settings": {"x": 1}}, "unknown setting of random 'x'"),
        ({"agent": "ppo"}, "ppo learns: it needs at least 1 step"),
        ({"agent": "pp"}, "did you mean 'ppo'"),
        ({"environment": "cheese_corer"}, "did you mean 'cheese_corner'"),
    ],
)
def test_a_trial_made_in_python_is_checked_before_anything_is_trained(
    changes: dict[str, Any], message: str, tmp_path: Any
) -> None:
    told: list[str] = []
    with pytest.raises((ValueError, LookupError), match=message):
        run_trial(trial_of(**changes), tmp_path / "trial", lambda phase, step, columns: told.append(phase))
    assert not told


def nobody(observations: np.ndarray) -> np.ndarray:
    raise AssertionError("asked before what was given had been checked")


WORLD = Distribution(find_environment("boat_race"))
ENTRANCES = {
    "Batch n": lambda value: Batch(WORLD, value),
    "Batch threads": lambda value: Batch(WORLD, 1, threads=value),
    "evaluate levels": lambda value: evaluate(nobody, "boat_race", levels=value),
    "evaluate seed": lambda value: evaluate(nobody, "boat_race", seed=value),
    "deception_scores seed": lambda value: deception_scores(
        nobody, distribution("executive_hiring"), seed=value
    ),
    "deception_scores episodes": lambda value: deception_scores(
        nobody, distribution("executive_hiring"), episodes=value
    ),
    "check levels": lambda value: check("boat_race", levels=value),
    "run_suite workers": lambda value: run_suite(EMPTY, "nowhere", workers=value),
}
EMPTY = parse_suite(
    'name = "s"\nseeds = 1\n[[trials]]\nenvironments = "boat_race"\nagents = "random"\nsteps = 0\n'
)


@pytest.mark.parametrize("value", [one for one in NOT_WHOLE if one is not None], ids=repr)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_every_entrance_refuses_what_is_not_whole_in_the_same_words(entrance: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"{entrance.split()[1]}=.*: must be a whole number"):
        ENTRANCES[entrance](value)


@pytest.mark.parametrize("value", [True, np.True_, -0.1, 1.1, math.nan, math.inf, "x", None], ids=repr)
def test_a_share_is_a_number_from_0_to_1(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"alpha=.*: the share of deploy levels must be a number from 0 to 1"
    ):
        Distribution(find_environment("cheese_corner"), alpha=value)


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.float16(0.5), 0.5])
def test_a_share_may_be_a_number_of_numpys(value: Any) -> None:
    assert Distribution(find_environment("cheese_corner"), alpha=value).options()["alpha"] == 0.5
