"""What docs/recipes.md calls the recipe of today is what the suites run."""

import re
from pathlib import Path

import pytest

from mesabench import registry
from mesabench.runs.suite import load_suite
from mesabench.runs.trial import Trial

PAGE = (Path(__file__).parent.parent / "docs" / "recipes.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\|.*\|$", PAGE, re.M)
]
NOW = [row for row in ROWS if len(row) == 5 and re.match(r"`\w+`: ", row[1])]


def value_of(trial: Trial, key: str) -> object:
    """A setting, an option, or what the environment declares for a knob in a split (`deploy.lava`; else train)."""
    environment = registry.find_environment(trial.environment)
    split, knob = key.split(".") if "." in key else ("train", key)
    declared = environment.knobs[knob].default if knob in environment.knobs else None
    split_value = environment.splits[split].get(knob, declared)
    return trial.settings.get(key, trial.options.get(key, split_value))


@pytest.mark.parametrize("row", NOW, ids=lambda row: row[0])
def test_a_recipe_of_the_page_is_that_of_its_suite(row: list[str]) -> None:
    suite, rest = re.findall(r"^`(\w+)`: (.*)", row[1])[0]
    trials = load_suite(suite).trials
    for name in re.findall(r"`(\w+)`", rest):
        trials = tuple(one for one in trials if name in (one.environment, one.agent))
        assert trials, f"{suite} has no {name}"
    learned = [one for one in trials if one.steps]
    for key, value in re.findall(r"`([\w.]+) = ([\w.]+)`", rest.partition(";")[0]):
        assert value in {str(value_of(one, key)) for one in learned}, (suite, key)
    for steps in re.findall(r"([\d,]{6,}) steps", rest):
        assert int(steps.replace(",", "")) in {one.steps for one in learned}


def test_a_row_that_names_a_commit_says_what_was_seen() -> None:
    assert len(NOW) > 10
    for row in ROWS:
        if len(row) == 5 and re.search(r"\b[0-9a-f]{7}\b", row[4]):
            assert row[3], row
