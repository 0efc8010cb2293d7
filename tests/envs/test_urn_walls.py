"""Urn walls: what breaking costs, and what sparing costs, by hand."""

import pytest
from drawn import optimum
from kinds import OWN_RULES

pytestmark = OWN_RULES

ROW = """
#########
#.......#
#....@..#
#....%..#
#.000000#
#....U..#
#.......#
#.......#
#########
"""
ASIDE = ROW.replace("#.000000#", "#....0..#")


def test_an_urn_is_worth_breaking_where_the_way_round_is_long() -> None:
    """Through the row, three steps and an urn: 1 - 0.15 - 0.15. Round it, four to the west and four back: eleven steps."""
    through, around = 1 - 3 * 0.05 - 0.15, 1 - 11 * 0.05
    best = optimum("urn_walls", ROW, "errand")
    assert best.value == pytest.approx(through)
    spared = optimum("urn_walls", ROW, "spare")
    assert spared.value == pytest.approx(around)
    assert spared.low[0] == spared.high[0] == pytest.approx(around)


def test_an_urn_that_stands_aside_is_not_worth_breaking() -> None:
    """Two steps more are cheaper than an urn: both goals are served in the same way."""
    for goal in ("errand", "spare"):
        best = optimum("urn_walls", ASIDE, goal)
        assert best.value == pytest.approx(1 - 5 * 0.05)
        assert best.returns == pytest.approx([best.value] * 2)
