"""What to say where knobs leave no level: which of those given is to be changed, and to which value."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from mesabench.engine.distribution import Distribution

SEARCHED = 8
"""Levels that must be found before it is said that there are some: one could be found by luck."""

Search = Callable[[Distribution], bool]
"""Whether that many levels of a distribution are found."""


def no_level(distribution: Distribution, level: int, has_levels: Search) -> str:
    """The words for a level that is not found: its seed, all knobs, and what to change."""
    knobs = ", ".join(f"{name}={value}" for name, value in vars(distribution.own_knobs).items())
    return (
        f"{distribution.environment.name}: no {distribution.split} level found for seed {level}: with these knobs everything "
        f"drawn was impossible or belonged to the other pool ({knobs}). {remedy(distribution, has_levels)}"
    )


@lru_cache(maxsize=64)
def remedy(distribution: Distribution, has_levels: Search) -> str:
    """One sentence: the knobs of which each, alone back at its default, leaves levels; or that no single one does.

    has_levels is asked once for each knob that differs from its default, and once more at most. The answer does not depend on the
    level that is missing, so it is looked for once, however many are.
    """
    given: dict[str, dict[str, object]] = {}
    for name, value in distribution.knobs.items():
        given.setdefault(_knob(distribution, name), {})[name] = value
    ways = {knob: _without(distribution, {knob}) for knob in given}
    defaults = {knob: _values(way, given[knob]) for knob, way in ways.items() if way}
    changed = [knob for knob, values in given.items() if defaults.get(knob) != values]
    if not changed:
        return "Every knob has its default here"
    # another shape of grid or form of observations has to be compiled: that is tried where nothing else helps
    for compiled in (True, False):
        found = [
            f"{_told(defaults[knob])} in place of {_told(given[knob])}"
            for knob in changed
            if (way := ways[knob]) and (way.engine is distribution.engine) == compiled and has_levels(way)
        ]
        if found:
            return f"There are levels with {', or with '.join(found)}"
    every = {name: value for knob in changed for name, value in given[knob].items()}
    plain = _without(distribution, changed)
    if len(changed) > 1 and plain and has_levels(plain):
        fitting = _told(_values(plain, every))
        return (
            f"There are levels with {fitting} in place of {_told(every)}; to change one of them is not enough"
        )
    return f"With the defaults in place of {_told(every)} there are none, either"


def _knob(distribution: Distribution, name: str) -> str:
    return distribution.environment.split_and_knob(name)[1]


def _without(distribution: Distribution, knobs: Container[str]) -> Distribution | None:
    """The same with these knobs at their defaults, in every split; None where the others cannot be without them."""
    left = {
        name: value for name, value in distribution.knobs.items() if _knob(distribution, name) not in knobs
    }
    try:
        return replace(distribution, knobs=left)
    except ValueError:
        return None


def _values(distribution: Distribution, names: Iterable[str]) -> dict[str, object]:
    """The values that knobs have, each in the split that its name says or in that of the distribution."""
    found: dict[str, object] = {}
    for name in names:
        split, knob = distribution.environment.split_and_knob(name)
        found[name] = vars(distribution.knobs_in(split or distribution.split))[knob]
    return found


def _told(values: Mapping[str, object]) -> str:
    return " and ".join(f"{name}={value}" for name, value in values.items())
