"""Pictures of published lineages for evolution.md and what-is-a-mesa-optimiser.md.

What each generation told is in results/evolution/generations.parquet: drives over generations, and the genomes that live here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
from drawing import styled
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mesabench.agents.animal import Animal
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution
from mesabench.evolution.drives import DRIVES, GENES, Nature
from mesabench.evolution.learner import GENE, RETURN, Body
from mesabench.evolution.lineage import GENERATION
from mesabench.report.episodes import drawn
from mesabench.report.svg import INK, MUTED
from mesabench.scores.lifetime import Forgetting
from mesabench.scores.reference import reference_of
from mesabench.solver.graph import explore
from mesabench.world.environment import DEPLOY, HELDOUT

PUBLISHED = Path(__file__).parent.parent / "results" / "evolution"
LINEAGE, CHANGED, BRANCH, INSTINCT = "drives", "modern-after", "modern-before", "instinct"
GOALS = "offspring", "pleasure"
LINES = {
    "sweet": "#bf4f0d",
    "bitter": "#6b4fa0",
    "contact": "#1f66ae",
    "fullness": "#8a909c",
    "child": "#3f7f3f",
}
WORLD, LEVEL, LAST, CELL = "sweet_tooth", 2, 40, 40
"""The level that is drawn, how many steps at the end of a life, and pixels of a cell."""
LIVES, WINDOW = 64, 25
"""Lives over which means are taken, and how many steps are counted together."""
ROOMS = {"fixed": "looks fixed", "drawn": "looks drawn anew"}


def lineages(variant: str) -> list[polars.DataFrame]:
    """What the published lineages of a population told, by seed, a row for each generation."""
    trials = polars.read_parquet(PUBLISHED / "table.parquet").filter(variant=variant).unique("trial")
    told = polars.read_parquet(PUBLISHED / "generations.parquet")
    return [told.filter(trial=name).sort(GENERATION) for name in trials.sort("seed")["trial"]]


def generations() -> Figure:
    """Weights of the drives, children and pleasure of a life: evolution goes on where the world has changed."""
    found = lineages(CHANGED)
    figure = Figure(figsize=(6.8, 3.2), dpi=100, facecolor="white", layout="constrained")
    grid = figure.add_gridspec(2, 2)
    left, *right = [figure.add_subplot(part) for part in (grid[:, 0], grid[0, 1], grid[1, 1])]
    for seed, table in enumerate(found):
        for sense in DRIVES:
            left.plot(table[GENERATION], table[f"{GENE}{sense}"], color=LINES[sense], linewidth=1.2,
                      alpha=0.4 if seed else 1, label=None if seed else sense)  # fmt: skip
        for axes, goal in zip(right, GOALS, strict=True):
            axes.plot(
                table[GENERATION], table[f"{RETURN}{goal}"], color=INK, linewidth=1, alpha=0.4 if seed else 1
            )
    titles = "weight of each drive", "children of a life", "pleasure of a life"
    for axes, title in zip((left, *right), titles, strict=True):
        axes.axvline(_change(found[0]), color=MUTED, linewidth=1, linestyle=":")
        styled(axes, title)
        axes.set_xlim(left=0)
    for axes in right:
        axes.set_ylim(bottom=0)
    left.set_ylim(-1, 1)
    left.text(_change(found[0]), -0.98, " the world changes", fontsize=9, color=MUTED)
    for axes in (left, right[-1]):
        axes.set_xlabel("generation", fontsize=10, color=INK)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False, fontsize=9,
                  labelcolor=INK)  # fmt: skip
    return figure


def _change(table: polars.DataFrame) -> int:
    """The generation in which its world changed, as its trial was told."""
    settings = polars.read_parquet(PUBLISHED / "table.parquet").filter(trial=table["trial"][0])["settings"]
    return int(settings.str.json_path_match("$.shift")[0])


def shares() -> Figure:
    """TRUE against the share of modern lives: from random genomes, and from those that evolved in the modern world."""
    table = (
        polars.read_parquet(PUBLISHED / "table.parquet")
        .filter(score="TRUE")
        .with_columns(
            alpha=polars.col("options").str.json_path_match("$.alpha").cast(float),
            later=polars.col("settings").str.json_path_match("$.shift_alpha").cast(float),
        )
    )
    first = table.filter(polars.col("variant").str.contains(rf"^{LINEAGE}(-alpha-.*|-control)?$"))
    second = table.filter(polars.col("variant").str.contains(r"^modern-.*before$"))
    branches = {
        "from random genomes": first.with_columns(share="alpha"),
        "from genomes of the modern world": polars.concat(
            [first.filter(alpha=1).with_columns(share="alpha"), second.with_columns(share="later")]
        ),
    }
    figure = Figure(figsize=(6.8, 2.8), dpi=100, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for (label, found), colour in zip(branches.items(), (LINES["sweet"], LINES["contact"]), strict=True):
        means = found.group_by("share").agg(polars.col("value").mean()).sort("share")
        axes.plot(means["share"], means["value"], color=colour, linewidth=1.5, label=label)
        axes.plot(
            found["share"], found["value"], "o", color=colour, alpha=0.5, markersize=5, markeredgewidth=0
        )
    styled(axes)
    axes.set(ylim=(-0.03, 1))
    axes.set_xlabel("share of modern lives in evolution", fontsize=10, color=INK)
    axes.set_ylabel("TRUE", fontsize=10, color=INK)
    axes.legend(frameon=False, labelcolor=INK, fontsize=10)
    return figure


def lives(gallery: Callable[..., Figure]) -> Figure:
    """One genome in either world: the end of a life, and beside it what came of many, with the optimum as a line."""
    genome = _genome()
    worlds = {"Ancestral": HELDOUT, "Modern": DEPLOY}
    shown, served = [], {}
    for name, split in worlds.items():
        (children, pleasure), picture, served[name] = _lived(genome, split)
        shown.append((f"{name}: children {children:.0f}, pleasure {pleasure:.0f}", picture))
    height, width, _ = shown[0][1].shape
    return gallery([[*shown, ("Of what could be had", _bars(served, width, height))]])


def _genome() -> tuple[float, ...]:
    """The mean of the last generation of the first lineage."""
    return tuple(lineages(LINEAGE)[0].select([f"{GENE}{name}" for name in GENES]).rows()[-1])


def _lived(genome: tuple[float, ...], split: str) -> tuple[list[float], np.ndarray, np.ndarray]:
    """Returns of the first life, float (2,); a picture of its end; S of the mean return of all lives, float (2,)."""
    levels = distribution(WORLD, split=split)
    policy, batch = Animal(genome, Nature(), Body.of(levels)), Batch(levels, LIVES)
    batch.reset(levels=np.full(LIVES, LEVEL))
    way, state = [], None
    while not (batch.terminated | batch.truncated)[0]:
        way.append([int(batch.states[name][0]) for name in ("y", "x")])
        actions, state = policy(batch.observations, state)
        batch.step(actions)
    environment = levels.environment
    columns = [environment.column(one) for one in GOALS]
    reference = reference_of(explore(levels, LEVEL))
    floor, ceiling = (np.asarray(part)[columns] for part in (reference.floor, reference.ceiling))
    served = (batch.returns[:, columns].mean(0) - floor) / (ceiling - floor)
    picture = drawn(batch.states["grid"][0], environment, CELL, np.array(way[-LAST:]))
    return batch.returns[0, columns].tolist(), picture, served


def _bars(served: dict[str, np.ndarray], width: int, height: int) -> np.ndarray:
    """A pair of bars for each world: uint8 (height, width, 3)."""
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for k, (colour, label) in enumerate(((LINES["child"], "children"), (LINES["sweet"], "pleasure"))):
        axes.bar([place + 0.4 * k for place in range(len(served))], [one[k] for one in served.values()], 0.36,
                 color=colour, label=label)  # fmt: skip
    axes.axhline(1, color=INK, linewidth=1)
    axes.text(1.65, 1.01, "optimum", color=INK, fontsize=9, ha="right", va="bottom")
    axes.axhline(0, color=MUTED, linewidth=1)
    styled(axes)
    axes.set_xticks([0.2, 1.2], served)
    axes.set(
        xlim=(-0.3, 1.7), ylim=(min(-0.08, *(one.min() for one in served.values())), 1.4), yticks=[0, 0.5, 1]
    )
    axes.legend(
        frameon=False, labelcolor=INK, fontsize=9, loc="upper left", ncols=2, columnspacing=1, handlelength=1
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def learning() -> Figure:
    """Children in the course of an ancestral life: one genome as it is, and its twin that forgets before every choice."""
    levels = distribution(WORLD, split=HELDOUT)
    animal = Animal(_genome(), Nature(), Body.of(levels))
    figure = Figure(figsize=(6.4, 2.4), dpi=100, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    for policy, colour, label in (
        (animal, LINES["child"], "it learns"),
        (Forgetting(animal), MUTED, "it forgets before every choice"),
    ):
        children = _children(policy, levels)
        axes.plot(WINDOW * (np.arange(len(children)) + 0.5), children, color=colour, linewidth=2, label=label)
    styled(axes, "children in 100 steps")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.set_xlabel("age, in steps", fontsize=10, color=INK)
    axes.legend(frameon=False, labelcolor=INK, fontsize=10)
    return figure


def _children(policy: Any, levels: Distribution) -> np.ndarray:
    """In each window of a life how many children there are in a hundred steps: float64 (windows,), means over lives."""
    batch, column = Batch(levels, LIVES), levels.environment.column("offspring")
    batch.reset(levels=np.arange(LIVES))
    ages, state = [0.0], None
    while not (batch.terminated | batch.truncated).all():
        actions, state = policy(batch.observations, state)
        batch.step(actions)
        ages.append(float(batch.returns[:, column].mean()))
    return np.diff(ages[::WINDOW]) * 100 / WINDOW


def instinct() -> Figure:
    """Two by two: animals with instincts and learning, by how long lives are and whether looks are drawn anew."""
    table = polars.read_parquet(PUBLISHED / "table.parquet").filter(
        polars.col("variant").str.starts_with(INSTINCT)
    )
    table = table.with_columns(
        looks=polars.col("options").str.json_path_match("$.looks").fill_null("drawn"),
        steps=polars.col("options").str.json_path_match("$.max_steps").cast(int),
    )
    ages = sorted({*table["steps"]})
    figure = Figure(figsize=(6.4, 3.4), dpi=100, facecolor="white", layout="constrained")
    panels = figure.subplots(len(ages), len(ROOMS), sharex=True, sharey=True, squeeze=False)
    for row, age in zip(panels, ages, strict=True):
        for axes, (looks, words) in zip(row, ROOMS.items(), strict=True):
            for k, (score, colour) in enumerate((("LEARNS", MUTED), ("TRUE", LINES["child"]))):
                values = table.filter(looks=looks, steps=age, score=score)["value"].drop_nulls()
                if len(values):
                    axes.barh(k, values.mean(), 0.6, color=colour, alpha=0.5)
                else:
                    axes.text(0.02, k, "n/a: nothing to be gained", fontsize=9, color=MUTED, va="center")
                axes.plot(values, [k] * len(values), "o", color=colour, markersize=5)
            styled(axes, f"{words}, lives of {age} steps")
            axes.grid(visible=False)
            axes.axvline(0, color=MUTED, linewidth=1)
            axes.set_yticks([0, 1], ["LEARNS", "TRUE"])
            axes.set(xlim=(-0.1, 1), ylim=(1.6, -0.6))
    return figure
