"""What pictures of the docs share: how they are drawn, and whom those of scores.md are of.

Pictures are white cards, so that they read on any page, and the same bytes for the same results.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import polars
from matplotlib.figure import Figure

from mesabench.engine.distribution import distribution_of
from mesabench.policies.behaviour import Behaviour
from mesabench.report.episodes import drawn
from mesabench.report.svg import INK, INTENDED, MUTED, PROXY, RULE, axes_of, figure_of
from mesabench.runs.cohort import Population, populations_of
from mesabench.runs.store import load_run
from mesabench.scores.attribution import Episode, sample_episode
from mesabench.scores.reference import counts
from mesabench.solver.graph import LevelGraph
from mesabench.world.environment import DEPLOY
from mesabench.world.rules import DOWN, LEFT, RIGHT, UP

RIGHT_REWARD, WRONG_REWARD = "cheese_corner", "absent_supervisor"
"""The environments that the pictures are of."""
ORDINARY, CONTROL = "ordinary", "control"
COLOURS = {ORDINARY: PROXY, CONTROL: INTENDED}
NAMES = {ORDINARY: "ordinary agents", CONTROL: "controls"}
GREY = "#8a909c"
WIDTH = 640
MARGIN = 10
"""Pixels around what is drawn."""
CELL = 32
"""Pixels of a cell in pictures of levels."""
AHEAD = {UP: (-1, 0), LEFT: (0, -1), DOWN: (1, 0), RIGHT: (0, 1)}
MINUS = "\N{MINUS SIGN}"


def styled(axes: Any, title: str = "", *, size: int = 9, grid: Literal["x", "y"] | None = "y") -> None:
    """Axes that stand on the left and below, thin lines behind what is drawn. size: of the labels of ticks, in points."""
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=size)
    if grid:
        axes.grid(axis=grid, color=RULE, linewidth=0.5)


@dataclass(frozen=True)
class Agents:
    """Whom the pictures are of: populations by variant in `RIGHT_REWARD`, and one in `WRONG_REWARD`."""

    by_variant: Mapping[str, Population]
    wrongly_paid: Population

    @property
    def ordinary(self) -> Population:
        return self.by_variant[ORDINARY]

    @cached_property
    def levels(self) -> dict[str, list[polars.DataFrame]]:
        """By variant, for each seed, the deploy levels that tell the goals apart."""
        wanted = (polars.col("split") == DEPLOY) & counts(
            polars.col("disambiguating"), self.ordinary.environment
        )
        return {
            who: [trial.levels.filter(wanted) for trial in one.trials] for who, one in self.by_variant.items()
        }

    def column(self, who: str, name: str) -> np.ndarray:
        """A column's mean over seeds, level by level: float (levels,)."""
        return np.mean([table[name].to_numpy().astype(float) for table in self.levels[who]], 0)


def agents_of(folder: Path | str) -> Agents:
    """Those of a results folder. Raises StoreError without results there, ValueError where they lack somebody."""
    found = {(one.environment.name, one.variant): one for one in populations_of(load_run(folder))[0]}
    needed = [(RIGHT_REWARD, ORDINARY), (RIGHT_REWARD, CONTROL), (WRONG_REWARD, ORDINARY)]
    if missing := [" ".join(one) for one in needed if one not in found]:
        raise ValueError(
            f"{folder} has no {', no '.join(missing)}: draw from what `mesabench run quickstart` leaves"
        )
    ordinary, control, wrongly_paid = (found[one] for one in needed)
    return Agents({ORDINARY: ordinary, CONTROL: control}, wrongly_paid)


class Player:
    """The first seed of a population, put back into its shifted world."""

    def __init__(self, population: Population) -> None:
        self.stored, self.environment = population.trials[0], population.environment
        self.goal = self.stored.scores.goal
        own = {
            name: one for name, one in self.stored.trial.settled().items() if name in self.environment.knobs
        }
        self.distribution = distribution_of(self.environment, own).with_(split=DEPLOY)
        self.policy = self.stored.policy()
        self.behaviour = Behaviour(self.policy, self.distribution)

    @property
    def goal_column(self) -> int:
        return self.environment.column(self.goal)

    def table(self, graph: LevelGraph) -> np.ndarray:
        """Its probabilities on a level."""
        return self.behaviour.table(graph)

    def play(self, graph: LevelGraph) -> Episode:
        """An episode, up to its goal."""
        rng = np.random.Generator(np.random.PCG64(graph.level))
        return sample_episode(graph, self.table(graph), rng).up_to(self.goal_events)

    @property
    def goal_events(self) -> int:
        return self.environment.objectives[self.goal].goal_events


def way(graph: LevelGraph, actions: Sequence[int]) -> np.ndarray:
    """The cells, int (steps + 1, 2), that actions lead through on a level without chance."""
    cells = graph.states()[["y", "x"]].tolist()
    state, found = 0, [cells[0]]
    for action in actions:
        (y, x), (dy, dx) = cells[state], AHEAD[action]
        state = int(graph.successor[graph.first[state * graph.n_actions + action]])
        found.append((y + dy, x + dx) if state < 0 else cells[state])
        if state < 0:
            break
    return np.array(found)


def straight(path: np.ndarray) -> bool:
    """Whether no cell comes twice, as it does where somebody dithers."""
    return len(path) == len({*map(tuple, path.tolist())})


def chart(height: float) -> tuple[Figure, Any]:
    """A card with axes that stand on the left and below."""
    return axes_of(WIDTH, height)


def card(height: float) -> Figure:
    """An empty one."""
    return figure_of(WIDTH, height, layout="constrained")


def in_rows(axes: Any, labels: Sequence[str]) -> None:
    """Rows from the top, named on the left."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=12, length=3)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)


def from_to(axes: Any, low: str = "random play", high: str = "optimum", least: float = 0.0) -> None:
    """The scale of a score along the horizontal axis, and what its ends stand for."""
    axes.axvline(0, color=MUTED, linewidth=0.5, zorder=0)
    axes.axvline(1, color=MUTED, linewidth=0.5, zorder=0)
    axes.set(xlim=(least, 1.02), xticks=[0, 0.5, 1], xticklabels=[f"0\n{low}", "0.5", f"1\n{high}"])


def legend(target: Any, **options: Any) -> None:
    options = {"loc": "outside upper center", "ncols": 3} | options
    target.legend(frameon=False, fontsize=11, labelcolor=INK, title_fontsize=11, **options)


def level_picture(
    axes: Any, grid: np.ndarray, environment: Any, path: np.ndarray, title: str, below: str
) -> None:
    """A level with a way drawn in."""
    axes.imshow(drawn(grid, environment, CELL, path), interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=12, color=INK, loc="left")
    axes.set_xlabel(below, fontsize=11, color=MUTED, loc="left")


def svg(figure: Figure) -> str:
    """The same text for the same figure."""
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "mesabench", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", facecolor="white", bbox_inches=figure.bbox_inches.padded(MARGIN / 72),
                       metadata={"Date": None, "Creator": None})  # fmt: skip
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
