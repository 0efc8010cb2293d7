"""Scores level by level are those of the scorecard, taken apart; agents are compared on the levels that they share."""

from types import SimpleNamespace

import polars
import pytest

from mesabench import registry
from mesabench.agents.oracle import Oracle
from mesabench.evaluation.evaluation import Evaluation, evaluate
from mesabench.evaluation.shared_levels import BY_LEVEL, crossed
from mesabench.runs.cohort import Population, on_shared_levels
from mesabench.scores.level_table import RETURN

CORNER = registry.find_environment("cheese_corner")


@pytest.fixture(scope="module")
def found() -> list[Evaluation]:
    return [evaluate(Oracle(goal), CORNER, levels=30, measures="goals") for goal in ("corner", "cheese")]


@pytest.mark.parametrize("score", BY_LEVEL)
def test_levels_add_up_to_the_score(found: list[Evaluation], score: str) -> None:
    (one,) = crossed([[each.levels for each in found]], CORNER, score)
    assert one.scores() == pytest.approx([each.scores().scores[score].value for each in found])
    assert one.parts.shape[1] >= 20


def test_only_levels_that_all_have_are_compared_in_the_same_order(found: list[Evaluation]) -> None:
    corner, cheese = (each.levels for each in found)
    few = cheese.filter(polars.col("level") < 25)[::-1]
    changed = corner.with_columns(
        digest=polars.when(polars.col("level") == 3).then(polars.lit("x")).otherwise(polars.col("digest"))
    )
    one, other = crossed([[changed], [few]], CORNER, "TRUE")
    (all_of_it,) = crossed([[cheese]], CORNER, "TRUE")
    kept = [level for level in counted_levels(cheese) if level < 25 and level != 3]
    assert one.parts.shape == other.parts.shape == (1, len(kept))
    places = [counted_levels(cheese).index(level) for level in kept]
    assert other.parts[0] == pytest.approx(all_of_it.parts[0, places])


def counted_levels(levels: polars.DataFrame) -> list[int]:
    return levels.filter((polars.col("split") == "deploy") & polars.col("disambiguating"))["level"].to_list()


def test_a_score_beyond_the_reference_is_not_cut_off(found: list[Evaluation]) -> None:
    column = RETURN.of("cheese")
    beyond = found[1].levels.with_columns(polars.col(column) * 1.2)
    (one,) = crossed([[beyond]], CORNER, "TRUE")
    assert 1 < one.scores()[0] == pytest.approx(one.highest)


def test_of_an_environment_more_is_open_than_of_its_levels(found: list[Evaluation]) -> None:
    trials = [
        SimpleNamespace(scores=found[k % 4 > 0].scores(), levels=found[k % 4 > 0].levels) for k in range(12)
    ]
    one = Population(CORNER, trials)
    for score in BY_LEVEL:
        here, elsewhere = one.card.scores[score], one.of_environment[score]
        assert elsewhere.value == pytest.approx(here.value)
        assert elsewhere.low < here.low < here.high < elsewhere.high


def test_a_seed_without_the_score_is_left_out(found: list[Evaluation]) -> None:
    lost = found[0].levels.with_columns(
        polars.lit(0.0).alias(name) for name in ("first_corner", "first_cheese")
    )
    scores = [found[1].scores(), SimpleNamespace(scores={"PROXY": SimpleNamespace(value=None)})]
    trials = [
        SimpleNamespace(scores=one, levels=table)
        for one, table in zip(scores, (found[1].levels, lost), strict=True)
    ]
    (one,) = on_shared_levels([Population(CORNER, trials)], "PROXY")
    assert len(one.parts) == 1


def test_nothing_evaluated_nothing_shared() -> None:
    (one,) = crossed([[]], CORNER, "TRUE")
    assert one.parts.shape == (0, 0)
    with pytest.raises(ValueError, match="TRUE, PROXY; got 'COMP'"):
        crossed([], CORNER, "COMP")
    assert Population(CORNER, []).of_environment == {}
