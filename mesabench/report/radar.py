"""The scorecard as a figure: eight axes, the mean of a population, its interval as a band, its seeds as dots."""

from math import cos, pi, sin

from markupsafe import Markup

from mesabench.evaluation.numbers import after_shift
from mesabench.report import words
from mesabench.report.svg import INK, MUTED, RULE, figure_of, ink, svg
from mesabench.runs.cohort import Population

WIDTH, HEIGHT = 300, 258
"""CSS pixels."""
HALF = 1.72
"""Half the width in units of an axis: room for the labels."""
HUB = 0.16
"""Where 0 stands, in the same units: away from the middle, or axes at 0 would be one point."""
RINGS = 0, 0.25, 0.5, 0.75, 1


LEAST = 3
"""Numbers below which axes make no figure."""


def drawable(one: Population) -> bool:
    """Whether there are numbers enough for a figure."""
    return sum(one.card.scores[name].n > 0 for name in after_shift()) >= LEAST


def radar(one: Population, index: int, name: str) -> Markup:
    """Eight axes from 0 at the inner ring to 1 at the outer one.

    An axis without a number is dashed, and neither line nor band crosses it. Areas mislead: none is filled but the intervals'.

    index: of the population's colour; name: of the figure, unique in the page.
    """
    names = after_shift()
    figure = figure_of(WIDTH, HEIGHT)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(-HALF, HALF), ylim=(-HALF * HEIGHT / WIDTH, HALF * HEIGHT / WIDTH), aspect="equal")
    for ring in RINGS:
        corners = [_place(k, ring) for k in range(len(names) + 1)]
        axes.plot(*zip(*corners, strict=True), color=RULE, linewidth=0.8)
    intervals = [one.card.scores[score] for score in names]
    for k, (score, interval) in enumerate(zip(names, intervals, strict=True)):
        axes.plot(*zip(_place(k, 0), _place(k, 1), strict=True), color=RULE, linewidth=0.8,
                  linestyle="-" if interval.n else (0, (2, 3)))  # fmt: skip
        x, y = (1.13 * coordinate for coordinate in _place(k, 1))
        said = words.number(interval.value) if interval.n else "n/a"
        axes.text(x, y, f"{score}\n{said}", ha=_side(x, ("right", "center", "left")), va=_side(y, ("top", "center", "bottom")),
                  color=INK if interval.n else MUTED, fontsize=12, linespacing=1.15)  # fmt: skip
    for k, here in enumerate(intervals):
        after = (k + 1) % len(names)
        there = intervals[after]
        if here.low is not None and there.low is not None:
            ends = (k, here.low), (k, here.high), (after, there.high), (after, there.low)
            corners = [_place(*end) for end in ends]
            axes.fill(*zip(*corners, strict=True), color=ink(index), alpha=0.25, linewidth=0)
        if here.n and there.n:
            line = _place(k, here.value), _place(after, there.value)
            axes.plot(*zip(*line, strict=True), color=ink(index), linewidth=1.8)
        if here.n:
            seeds = [seed.scores[names[k]].value for seed in one.seeds]
            dots = [_place(k, value) for value in seeds if value is not None]
            axes.plot(
                *zip(*dots, strict=True), "o", color=ink(index), markersize=4.5, alpha=0.4, markeredgewidth=0
            )
            axes.plot(*_place(k, here.value), "o", color=ink(index), markersize=6, markeredgewidth=0)
    return svg(figure, name, spoken(one))


def spoken(one: Population) -> str:
    """The eight numbers in words, for those who do not see the figure."""
    said = []
    for name in after_shift():
        interval = one.card.scores[name]
        value = words.interval(interval) if interval.n else "n/a"
        said.append(f"{name} {value}")
    return f"{one.environment.title.partition(':')[0]}, {one.label}: {', '.join(said)}"


def _place(axis: int, value: float | None) -> tuple[float, float]:
    """Where a value stands on an axis; the first points up, the others follow clockwise."""
    angle = pi / 2 - 2 * pi * axis / len(after_shift())
    distance = HUB + (1 - HUB) * min(1.0, max(0.0, value or 0.0))
    return distance * cos(angle), distance * sin(angle)


def _side(coordinate: float, names: tuple[str, str, str]) -> str:
    return names[1 + (coordinate > 0.2) - (coordinate < -0.2)]
