"""The examples in docs/ run, word for word."""

import re
import sys
import typing
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

from mesabench import evidence, memory, registry
from mesabench.agents.oracle import Oracle
from mesabench.evaluation import evaluate
from mesabench.policy import load_policy
from mesabench.scores import NAMES, seed_scores
from mesabench.store import write_suite
from mesabench.suite import Suite
from mesabench.trial import EvaluationSettings, Trial, run_trial

DOCS = Path(__file__).parent.parent / "docs"


def blocks(page: str, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)


@pytest.fixture
def coin_run(tmp_path: Path) -> Path:
    file = tmp_path / "coin_run.py"
    file.write_text(blocks("add-an-environment.md")[0])
    return file


def test_the_example_environment_is_one_to_be_proud_of(
    coin_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mesabench.testing import assert_conforms

    environment = registry.find_environment(str(coin_run))
    assert environment.id == "mesabench/CoinRun-v0"
    assert_conforms(environment, levels=60)
    for objective, outcome in (("coin", "aligned"), ("end", "proxy")):
        table = evaluate(Oracle(objective), str(coin_run), levels=60, replays=0).levels
        assert seed_scores(table, environment).outcome == outcome
    monkeypatch.chdir(coin_run.parent)
    exec(blocks("add-an-environment.md")[1], {})


def test_an_environment_file_is_a_hundred_lines_and_tells_its_story_first() -> None:
    source = blocks("add-an-environment.md")[0]
    assert source.startswith('"""')
    assert source.count("\n") < 100


def test_the_example_policy_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = blocks("score-your-agent.md")
    (tmp_path / "my_policy.py").write_text(page[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert callable(load_policy("my_policy.py:towards_the_cheese"))
    namespace: dict[str, typing.Any] = {}
    exec(page[1].replace('{"size": 9})', '{"size": 9}, levels=40)'), namespace)
    scores = namespace["scores"]
    assert scores.scores["TRUE"].value == pytest.approx(scores.scores["COMP"].value, abs=0.02)
    assert scores.kind != "unknown"
    sys.modules.pop("my_policy", None)


def test_the_wrapped_sb3_model_is_a_policy() -> None:
    namespace: dict[str, object] = {}
    exec(blocks("score-your-agent.md")[2].replace("10_000", "8192"), namespace)
    table = evaluate(namespace["policy"], "cheese_corner", levels=2, replays=0, measures="goals").levels
    assert table["exact"].all()
    assert np.isfinite(table["return_cheese"].to_numpy()).all()


def test_the_tour_runs() -> None:
    namespace: dict[str, object] = {}
    for block in blocks("tour.md"):
        exec(block, namespace)


LARGEST = 60_000
"""Bytes of a picture."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that draws the pictures of the page on scores."""
    monkeypatch.syspath_prepend(str(DOCS))
    import draw_scores

    return draw_scores


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all agents that the pictures are of, played by scripted ones on few levels."""
    folder = tmp_path_factory.mktemp("results") / "tiny"
    trials = tuple(
        Trial(environment=environment, options={}, agent="oracle", settings={"objective": goal}, steps=0, seed=0,
              variant=variant, evaluation=EvaluationSettings(levels=26))
        for environment, variant, goal in (("cheese_corner", "ordinary", "corner"), ("cheese_corner", "control", "cheese"),
                                           ("absent_supervisor", "ordinary", "reward"))
    )  # fmt: skip
    folder.mkdir()
    write_suite(folder, Suite(name="tiny", trials=trials))
    for trial in trials:
        run_trial(trial, folder / trial.name)
    return folder


def test_every_picture_of_the_scores_is_drawn_from_a_run(
    script: ModuleType, run: Path, tmp_path: Path
) -> None:
    files = script.draw(run, tmp_path)
    assert {file.stem for file in files} == {*script.PICTURES}
    for file in files:
        words = " ".join(ElementTree.parse(file).getroot().itertext())
        assert len(words.split()) > 10, file.name
        assert file.stat().st_size < LARGEST
    for name in ("comp", "evidence"):
        assert (
            script.svg(script.PICTURES[name](script.agents_of(run))) == (tmp_path / f"{name}.svg").read_text()
        )


def test_a_run_that_lacks_an_agent_is_refused_by_name(script: ModuleType, run: Path, tmp_path: Path) -> None:
    for folder in run.glob("*ordinary*"):
        (tmp_path / folder.name).symlink_to(folder)
    with pytest.raises(ValueError, match="no cheese_corner control: draw from"):
        script.agents_of(tmp_path)


def test_the_page_on_scores_shows_every_picture_and_explains_every_number(script: ModuleType) -> None:
    page = (DOCS / "scores.md").read_text()
    shown = re.findall(r"^!\[.{40,}\]\(figures/(\w+)\.svg\)$", page, re.M)
    assert (
        sorted(shown)
        == sorted(script.PICTURES)
        == sorted(one.stem for one in (DOCS / "figures").glob("*.svg"))
    )
    for name in NAMES:
        assert re.search(rf"^## {name}: ", page, re.M), name
    for name in [*evidence.MEANING, *memory.MEANING]:
        if name.isupper():
            assert f"**{name}**" in page, name
    headings = {
        re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", page, re.M)
    }
    assert {*re.findall(r"\]\(#([^)]+)\)", page)} <= headings


def test_the_page_on_scores_has_the_predictions_of_the_self_test(script: ModuleType) -> None:
    import battery

    page = (DOCS / "scores.md").read_text()
    assert battery.with_table(page) == page, "run: python docs/battery.py"


def test_the_page_on_scores_names_every_column() -> None:
    named = {
        *re.findall(r"`(\w+)`", (DOCS / "scores.md").read_text().partition("## Where the numbers are")[2])
    }
    found = evaluate(Oracle("corner"), "cheese_corner", levels=4, replays=0)

    def general(column: str) -> str:
        """With C for a class of first goals, G for an objective."""
        what = "C" if column.startswith(("first_", "random_", "distance_")) else "G"
        return re.sub("_(far_corner|cheese|corner|ghost|none)$", f"_{what}", column)

    assert {*map(general, found.levels.columns), *found.changes.columns} <= named
