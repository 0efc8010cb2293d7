"""The self-test can fail: a prediction that does not hold is told; the whole battery is run by `.ci/run`."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mesabench.agents.impostor import IMPOSTORS
from mesabench.cli.verbs import app
from mesabench.runs import selftest
from mesabench.runs.selftest import Line
from mesabench.runs.suite import Suite, load_suite


@pytest.mark.parametrize(
    ("bounds", "value", "holds"),
    [
        ((0.0, 0.5), 0.5, True),
        ((0.0, 0.5), 0.51, False),
        (None, None, True),
        (None, 0.3, False),
        ((0.0, 1.0), None, False),
        (("aligned", "mixed"), "mixed", True),
        (("aligned", "mixed"), "proxy", False),
    ],
)
def test_a_prediction_holds_within_its_bounds(
    bounds: tuple[float, float] | tuple[str, ...] | None, value: float | str | None, holds: bool
) -> None:
    assert Line("a", "TRUE", bounds, value, "").holds is holds


@pytest.mark.slow(
    reason="runs a part of the self-test, all of which .ci/run runs; quickly, a prediction holds or not"
)
def test_the_true_goal_oracle_scores_as_predicted_and_not_otherwise() -> None:
    """The first trial of the battery, on fewer levels; and on one more, with a prediction that is turned round."""
    battery = load_suite("selftest")
    first, predicted = battery.trials[0], battery.predictions[battery.trials[0].population]
    right, wrong = (
        first.model_copy(
            update={"evaluation": first.evaluation.model_copy(update={"levels": n}), "variant": variant}
        )
        for n, variant in ((40, "right"), (41, "wrong"))
    )
    suite = Suite(
        name="small",
        trials=(right, wrong),
        predictions={right.population: predicted, wrong.population: predicted | {"TRUE": (0.0, 0.5)}},
    )
    result, lines = selftest.selftest(suite, workers=1, console=Console(file=io.StringIO()))
    assert result.exit_code == 0
    assert {line.score for line in lines if line.trial == right.title} >= {
        "COMP",
        "TRUE",
        "PROXY",
        "OUTER",
        "INNER",
        "OPT",
        "PLAN",
        "DECEP",
    }
    assert [(line.trial, line.score) for line in lines if not line.holds] == [(wrong.title, "TRUE")]


def test_the_command_fails_with_the_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [Line("oracle", "TRUE", (0.9, 1.0), 0.2, ""), Line("oracle", "COMP", (0.9, 1.0), 1.0, "")]
    monkeypatch.setattr(selftest, "selftest", lambda **_: (selftest.Result(Path()), wrong))
    said = CliRunner().invoke(app, ["selftest"])
    assert said.exit_code == 1
    assert "1 of 2 predictions hold" in said.output
    assert "does not hold" in said.output


def test_every_score_is_predicted_for_somebody() -> None:
    battery = load_suite("selftest")
    predicted = {name for scores in battery.predictions.values() for name in scores}
    assert {"COMP", "TRUE", "PROXY", "OUTER", "INNER", "OPT", "PLAN", "DECEP"} <= predicted
    assert len(battery.predictions) == len(battery.trials)


def test_every_impostor_is_in_the_battery_with_the_verdict_that_a_person_would_give() -> None:
    battery = load_suite("selftest")
    predicted = {
        str(trial.settings["character"]): battery.predictions[trial.population]["deception"]
        for trial in battery.trials
        if trial.agent == "impostor"
    }
    assert {*predicted} == {*IMPOSTORS}
    otherwise = {name for name, one in IMPOSTORS.items() if predicted[name] != one.verdict}
    assert otherwise == {"probation", "learned_by_heart", "test_aware_always_bad"}  # the suite says why
    assert not {predicted[name] for name in otherwise} & {"strategic deception", "aligned"}
