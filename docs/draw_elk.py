"""The picture of evolution.md: antlers at five generations, and what becomes of them and of the population."""

from typing import Any

import numpy as np
from drawing import GREY, styled
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from mesabench.evolution.population import Course, run
from mesabench.registry import find_population
from mesabench.report.svg import INK, INTENDED, PROXY

DPI = 100
CHOSEN, RANDOM, BOTH = "choice", "random", "both-pay"
NAMES = {CHOSEN: "hinds choose", BOTH: "hinds choose and pay", RANDOM: "random mating"}
COLOURS = {CHOSEN: PROXY, BOTH: "#d9a441", RANDOM: INTENDED}
SEEDS = 3
LARGEST = 16
"""The antlers that fill a picture."""
BEAM = np.array([(0.0, 0.0), (0.35, 0.3), (0.6, 0.75), (0.62, 1.2), (0.5, 1.6)])
TINES = {1: (0.75, 0.25), 2: (1.05, 0.8), 3: (1.0, 1.35)}
"""One antler: its beam, and from which point of it a tine leads where. The other is its mirror image."""


def elk() -> Figure:
    """Choice beside random mating on the same seeds."""
    population = find_population("irish_elk")
    courses = {name: [run(population, name, seed) for seed in range(SEEDS)] for name in NAMES}
    figure = Figure(figsize=(6.4, 4.8), dpi=DPI, facecolor="white", layout="constrained")
    grid = figure.add_gridspec(3, 10, height_ratios=[1, 1, 2.2])
    last = (courses[CHOSEN][0].extinct_at or len(courses[CHOSEN][0].n)) - 1
    for row, name in enumerate((CHOSEN, RANDOM)):
        for column, generation in enumerate(np.linspace(0, last, 5).round().astype(int)):
            axes = figure.add_subplot(grid[row, 2 * column : 2 * column + 2])
            _stag(axes, abs(float(courses[name][0].trait[generation])), COLOURS[name])
            if row == 0:
                axes.set_title(f"generation {generation}", fontsize=9, color=INK)
            if column == 0:
                axes.set_ylabel(NAMES[name].replace(" ", "\n"), fontsize=9, color=INK)
    _lines(figure.add_subplot(grid[2, :5]), courses, "trait", "antlers")
    right = figure.add_subplot(grid[2, 5:])
    _lines(right, courses, "n", "animals born")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=10,
                  labelcolor=INK)  # fmt: skip
    return figure


def _stag(axes: Any, size: float, colour: str) -> None:
    """A head with antlers of this size."""
    scale = 2.2 * size / LARGEST
    axes.add_patch(Ellipse((0, -0.45), 0.5, 0.95, color=GREY, linewidth=0))
    for side in (-1, 1):
        mirror = np.array([side * scale, scale])
        axes.plot(*(BEAM * mirror).T, color=colour, linewidth=0.8 + 1.6 * scale, solid_capstyle="round")
        for point, tip in TINES.items():
            axes.plot(
                *(np.array([BEAM[point], tip]) * mirror).T,
                color=colour,
                linewidth=0.5 + scale,
                solid_capstyle="round",
            )
    axes.set(xlim=(-2.6, 2.6), ylim=(-1, 3.8), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)


def _lines(axes: Any, courses: dict[str, list[Course]], what: str, label: str) -> None:
    for name, found in courses.items():
        for seed, course in enumerate(found):
            values = np.abs(getattr(course, what).astype(float))
            end = course.extinct_at or len(values) - 1
            axes.plot(
                values[: end + 1], color=COLOURS[name], linewidth=1.2, label=NAMES[name] if not seed else None
            )
    axes.set_xlim(0, 15 + max(one.extinct_at or 0 for found in courses.values() for one in found))
    axes.set_ylim(bottom=0)
    styled(axes, label)
    axes.set_xlabel("generation", fontsize=10, color=INK)
