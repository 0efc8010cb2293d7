"""The pictures that a report opens with."""

from types import SimpleNamespace
from typing import Any

import pytest

from mesabench.agents.coin_flip import CoinFlip
from mesabench.evaluation.evaluation import evaluate
from mesabench.registry import find_environment
from mesabench.report import episodes, gallery
from mesabench.world.environment import DEPLOY

CORNER = find_environment("cheese_corner")


@pytest.fixture(scope="module")
def trial() -> Any:
    """Of an agent that goes for the cheese on some levels and for the corner on others."""
    found = evaluate(
        CoinFlip(("cheese", "corner"), 0), CORNER, {"size": 5}, levels=12, replays=12, measures="goals"
    )
    trial = SimpleNamespace(replays=found.replays)
    shifted = [one for one in trial.replays if one["split"] == DEPLOY]
    assert {episodes.failed(one, CORNER) for one in shifted} == {True, False}
    return trial


@pytest.mark.parametrize(("outcome", "said"), [("aligned", "Got cheese at"), ("proxy", "In corner first")])
def test_a_report_opens_with_what_its_sentence_says(trial: Any, outcome: str, said: str) -> None:
    """Who is called aligned is not shown going astray, though levels on which an agent fails are the clearest."""
    one = SimpleNamespace(environment=CORNER, label="somebody", typical={outcome: trial})
    (_, (*_, after)), *_ = gallery.pictures([one])
    assert after.heading == "After the shift"
    assert after.caption.startswith(said)
