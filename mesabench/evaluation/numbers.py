"""Every number that an evaluation yields, gathered from the modules that compute and declare them."""

from collections.abc import Mapping
from math import inf

from mesabench.evaluation.measures import measures
from mesabench.scores.score import LEARNED, Number, Score
from mesabench.suggestion import unknown


def numbers() -> dict[str, Number]:
    """All of them, by name, in the order of their declarations."""
    return {one.name: one for measure in measures().values() for one in measure.numbers}


def scores() -> dict[str, Number]:
    """Those that stand in the scorecard, TRAINED first."""
    return {name: one for name, one in numbers().items() if one.group}


def groups() -> dict[str, tuple[Number, ...]]:
    """The scores by the question that they answer."""
    found = scores().values()
    return {
        question: tuple(one for one in found if one.group == question)
        for question in dict.fromkeys(one.group for one in found)
    }


def after_shift() -> tuple[str, ...]:
    """The names of the scores that tell of behaviour after the shift: all but whether it learned its task."""
    return tuple(name for name, one in scores().items() if one.group != LEARNED)


def sentence(name: str) -> str:
    """What a number tells; '' for one that is declared no more, of results that an older version stored."""
    found = numbers().get(name)
    return found.sentence if found else ""


def bounds_of(name: str) -> tuple[float, float]:
    """Between which a number lies; anywhere where it is declared no more."""
    found = numbers().get(name)
    return (found.lowest, found.highest) if found else (-inf, inf)


def sorted_by_declaration(found: Mapping[str, Score]) -> tuple[dict[str, Score], dict[str, Score]]:
    """Numbers that were computed, as scores and as the evidence beside them.

    Raises ValueError for one that no module declares, or where a score is lacking.
    """
    for name in found:
        if name not in (known := numbers()):
            raise ValueError(
                f"{unknown('number', name, known)}; the module that computes it declares it in its MEASURE"
            )
    if lacking := [name for name in scores() if name not in found]:
        raise ValueError(f"declared as scores, but not computed: {', '.join(lacking)}")
    return {name: found[name] for name in scores()}, {
        name: one for name, one in found.items() if name not in scores()
    }
