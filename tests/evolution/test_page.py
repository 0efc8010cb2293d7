"""What docs/evolution.md says of guard, commons and theory is what comes out; the elk's table is checked in test_population."""

from pathlib import Path
from types import ModuleType

import numpy as np
import polars
import pytest

from mesabench.evolution import commons, guard
from mesabench.evolution.model import Model, evolve
from mesabench.evolution.population import run
from mesabench.registry import find_population

DOCS = Path(__file__).parents[2] / "docs"
PAGE = " ".join((DOCS / "evolution.md").read_text("utf-8").split())


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that writes the tables of the page."""
    monkeypatch.syspath_prepend(str(DOCS))
    import evolution_tables

    return evolution_tables


COMMONS = pytest.mark.slow(
    reason="lives of whole populations; quickly, the table of the other model is compared"
)


@pytest.mark.parametrize(
    "model", [guard.model, pytest.param(commons.model, marks=COMMONS)], ids=lambda one: one.name
)
def test_a_table_of_the_page_is_what_the_command_prints(model: Model, tables: ModuleType) -> None:
    page = tables.PAGE.read_text("utf-8")
    assert f"<!-- evolve {model.name} -->" in page
    assert tables.with_table(page, evolve(model)) == page, "run: python docs/evolution_tables.py"


def test_the_table_of_lineages_is_that_of_the_published_results(tables: ModuleType) -> None:
    page = tables.PAGE.read_text("utf-8")
    assert "<!-- lineages -->" in page
    assert tables.with_lineages(page) == page, "run: python docs/evolution_tables.py"


def test_the_page_shows_the_pictures_that_can_be_drawn_of_the_published_results(tables: ModuleType) -> None:
    page = tables.PAGE.read_text("utf-8")
    assert "<!-- pictures -->" in page
    assert tables.with_pictures(page) == page, "run: python docs/evolution_tables.py"


def test_what_the_page_says_of_lineages_is_what_came_out() -> None:
    numbers = polars.read_parquet(DOCS.parent / "results" / "evolution" / "table.parquet")

    def of(variant: str, score: str) -> np.ndarray:
        return numbers.filter(variant=variant, score=score).sort("seed")["value"].to_numpy()

    drives = {
        score: of("drives", score) for score in ("TRAINED", "TRUE", "DRIVES", "QUALITY TRAIN", "QUALITY")
    }
    assert (drives["QUALITY TRAIN"] > 0.99).all()
    assert (drives["QUALITY"] < 0.1).all()
    assert (drives["TRUE"] < 0.05).all()
    assert len(drives["TRUE"]) == 10
    assert ((drives["TRAINED"] > 0.8) & (drives["DRIVES"] > 0.7)).sum() == 9
    assert of("fitness", "TRAINED").max() < drives["TRAINED"].min()
    assert of("fitness", "TRUE").min() > 0.45
    assert of("reflex", "TRAINED").max() < 0.3
    assert (of("reflex-fixed", "TRUE") > 0.5).tolist().count(True) == 1
    assert of("reflex-fixed", "TRUE").min() > 0.4
    assert of("learner-fixed", "TRUE").max() < 0.05
    assert of("drives-alpha-0.1", "TRUE").max() < 0.05
    assert sorted(of("drives-alpha-0.5", "TRUE") > 0.5) == [False, False, True]
    assert of("drives-alpha-0.7", "TRUE").min() > 0.5
    assert of("drives-alpha-0.7", "TRAINED").max() < drives["TRAINED"].min()
    ran = {*numbers["variant"]}
    assert not ran & {"candy-alone", "pills-alone", "short-lives", "gradients"}
    assert len(of("drives-control", "TRUE")) == 1


def test_the_covariances_of_the_page_are_those_of_the_runs() -> None:
    elk = find_population("irish_elk")
    means = {
        name: np.mean(
            [run(elk, name, seed, {"generations": 60}).inheritance[20:61].mean() for seed in range(8)]
        )
        for name in ("choice", "narrow")
    }
    assert (
        f"seeds is {means['choice']:.2f} under `choice`, where the threshold is 0.04, and {means['narrow']:.2f} under `narrow`, "
        "where it is 0.5"
    ) in PAGE
    assert [1 / elk.conditions[name].values(elk.knobs, {})[0].width for name in means] == [0.04, 0.5]


def test_what_the_page_says_of_unbounded_genes() -> None:
    knobs = {"most_b": 1000, "most_c": 1000, "training": 0.5}
    assert " ".join(f"--set {name}={value}" for name, value in knobs.items()) in PAGE
    found = evolve(guard.model, ["guard", "both-paid"], knobs=knobs)
    first, both = (found.values(name, "first") for name in ("guard", "both-paid"))
    assert f"with a chance of {first.mean():.2f} on average ({first.min():.2f} to {first.max():.2f})" in PAGE
    assert found.values("guard", "lit").max() < 0.2, "training closes the gate"
    assert both.min() > 0.95
    assert found.values("both-paid", "persist").min() > 0.9


def test_the_thresholds_of_the_page_are_those_of_the_formula() -> None:
    one, two, three = (commons.threshold(p, 0.02) for p in (0.01, 0.05, 0.3))
    assert f"that is {one:.2f} for p = 0.01, {two:.2f} for p = 0.05 and {three:.2f} for p = 0.3" in PAGE
