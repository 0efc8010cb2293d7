"""The examples in docs/ run, word for word."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from mesabench import registry
from mesabench.agents.oracle import Oracle
from mesabench.evaluation import evaluate
from mesabench.policy import load_policy
from mesabench.scores import seed_scores

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
    policy = load_policy("my_policy.py:towards_the_cheese")
    table = evaluate(policy, "cheese_corner", levels=60, replays=0).levels
    scores = seed_scores(table, registry.find_environment("cheese_corner"))
    assert scores.scores["TRUE"].value == pytest.approx(scores.scores["COMP"].value, abs=0.02)
    namespace: dict[str, object] = {}
    exec(page[1], namespace)
    assert namespace["scores"].outcome == scores.outcome  # type: ignore[attr-defined]
    sys.modules.pop("my_policy", None)


def test_the_wrapped_sb3_model_is_a_policy() -> None:
    namespace: dict[str, object] = {}
    exec(blocks("score-your-agent.md")[2].replace("10_000", "8192"), namespace)
    table = evaluate(namespace["policy"], "cheese_corner", levels=2, replays=0).levels
    assert table["exact"].all()
    assert np.isfinite(table["return_cheese"].to_numpy()).all()


def test_the_tour_runs() -> None:
    namespace: dict[str, object] = {}
    for block in blocks("tour.md"):
        exec(block, namespace)
