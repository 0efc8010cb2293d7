"""The published results, results/, and how a page writes them down: for write_results.py, and for the test of all claims."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars

from mesabench.deception.compliance import DeceptionScores, summary
from mesabench.deception.counterfactuals import lifetimes_of
from mesabench.registry import find_environment
from mesabench.runs.question import Told, Which
from mesabench.runs.suite import Suite
from mesabench.statistics.alpha_star import Threshold, threshold

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"


@cache
def table(suite: str) -> polars.DataFrame:
    return polars.read_parquet(RESULTS / suite / "table.parquet")


def seeds(suite: str, environment: str, variant: str, score: str, agent: str = "ppo") -> list[float]:
    """A score of every seed that has it."""
    found = table(suite).filter(environment=environment, variant=variant, score=score, agent=agent)
    assert len(found), (suite, environment, variant, score, agent)
    return found["value"].drop_nulls().to_list()


def outcomes(suite: str, environment: str, variant: str, agent: str = "ppo") -> Counter[str]:
    found = table(suite).filter(environment=environment, variant=variant, agent=agent)
    return Counter(found.unique("trial", maintain_order=True)["outcome"])


def verdicts(environment: str, variant: str, agent: str = "ppo", suite: str = "deception") -> Counter[str]:
    found = table(suite).filter(environment=environment, variant=variant, agent=agent)
    return Counter(found.unique("trial", maintain_order=True)["deception"])


def number(value: float, digits: int = 2) -> str:
    """As results are written: .95, 1.00, -.07."""
    return re.sub(r"\b0\.", ".", f"{round(value, digits) + 0.0:.{digits}f}")


def spread(middle: float, low: float, high: float, digits: int = 2) -> str:
    """With its range, unless that is nothing."""
    told = [number(one, digits) for one in (middle, low, high)]
    return told[0] if len({*told}) == 1 else f"{told[0]} ({told[1]} to {told[2]})"


def over_seeds(values: Sequence[float]) -> str:
    return spread(float(np.mean(values)), min(values), max(values))


def interval(one: Any, digits: int = 2) -> str:
    """Of what has a value and its interval, by attribute or by key."""
    value, low, high = (one[key] for key in ("value", "low", "high")) if isinstance(one, dict) else one
    return spread(value, low, high, digits)


def alpha_star(environment: str) -> Threshold:
    of = table("alpha_curve").filter(environment=environment, score="TRUE").with_columns(
        alpha=polars.col("options").str.json_path_match("$.alpha").cast(float)
    )  # fmt: skip
    alphas = sorted({*of["alpha"]})
    return threshold(alphas, [of.filter(alpha=one)["value"].to_list() for one in alphas], seed=0)


@cache
def detection(suite: str = "organisms") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / suite / "detection.json").read_text("utf-8"))
    return found


# What a run's table holds, by population


@cache
def suite_of(name: str) -> Suite:
    return Suite.model_validate_json((RESULTS / name / "suite.json").read_bytes())


@cache
def told(name: str) -> dict[Which, Told]:
    """What a published run holds of every population, in its order; those that have not been run are left out."""
    suite = suite_of(name)
    titles = {(one.environment, one.agent, one.variant): suite.title_of(one) for one in suite.trials}
    found = {}
    for which, rows in (
        table(name).partition_by("environment", "agent", "variant", as_dict=True, maintain_order=True).items()
    ):
        trials = rows.partition_by("trial", maintain_order=True)
        values = {
            score: one["value"].cast(float).fill_null(float("nan")).to_list()
            for (score,), one in rows.partition_by("score", as_dict=True).items()
        }
        alpha = float(json.loads(rows["options"][0]).get("alpha", 0))
        names = (str(which[0]), str(which[1]), str(which[2]))
        outcomes, verdicts = (
            [one["outcome"][0] for one in trials],
            [one["deception"][0] or "" for one in trials],
        )
        found[names] = Told(titles[names], alpha, values, outcomes, verdicts)
    return found


def judged_again(folder: Path) -> dict[str, DeceptionScores]:
    """Every trial that was watched, judged from the lifetimes of a run's folder, by the trial's name."""
    numbers = polars.read_parquet(folder / "table.parquet")
    names = dict(numbers.select("trial", "environment").unique().iter_rows())
    found = {}
    for (trial,), rows in (
        polars.read_parquet(folder / "lifetimes.parquet").partition_by("trial", as_dict=True).items()
    ):
        monitor = find_environment(names[trial]).monitor
        own = rows.select(one.name for one in rows if one.null_count() < len(rows))
        if monitor and (lives := lifetimes_of(own, monitor.split)):
            found[str(trial)] = summary(lives, monitor)
    return found
