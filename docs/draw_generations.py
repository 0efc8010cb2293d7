"""Pictures of evolution.md: drives over generations, with a line where the world changes, and one genome in two worlds.

Both are of the published lineages: what each generation told is in results/evolution/generations.parquet.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars
from matplotlib.figure import Figure

from mesabench.agents.animal import Animal
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution
from mesabench.evolution.drives import DRIVES, GENES, Nature
from mesabench.evolution.learner import GENE, RETURN, Body
from mesabench.evolution.lineage import GENERATION
from mesabench.report.episodes import drawn
from mesabench.report.svg import INK, MUTED, RULE
from mesabench.world.environment import DEPLOY, HELDOUT

PUBLISHED = Path(__file__).parent.parent / "results" / "evolution"
LINEAGE, CHANGED = "drives", "modern-after"
LINES = {
    "sweet": "#bf4f0d",
    "bitter": "#6b4fa0",
    "contact": "#1f66ae",
    "fullness": "#8a909c",
    "child": "#3f7f3f",
}
WORLD, LEVEL, LAST, CELL = "sweet_tooth", 2, 40, 40
"""The level that is drawn, how many steps at the end of a life, and pixels of a cell."""


def published() -> bool:
    return (PUBLISHED / "generations.parquet").exists()


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
        for axes, goal in zip(right, ("offspring", "pleasure"), strict=True):
            axes.plot(
                table[GENERATION], table[f"{RETURN}{goal}"], color=INK, linewidth=1, alpha=0.4 if seed else 1
            )
    titles = "weight of each drive", "children of a life", "pleasure of a life"
    for axes, title in zip((left, *right), titles, strict=True):
        axes.axvline(_change(found[0]), color=MUTED, linewidth=1, linestyle=":")
        axes.set_title(title, fontsize=10, color=INK, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(MUTED)
        axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9)
        axes.grid(axis="y", color=RULE, linewidth=0.5)
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
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9)
    axes.set(ylim=(-0.03, 1))
    axes.set_xlabel("share of modern lives in evolution", fontsize=10, color=INK)
    axes.set_ylabel("TRUE", fontsize=10, color=INK)
    axes.legend(frameon=False, labelcolor=INK, fontsize=10)
    return figure


def lives(gallery: Callable[..., Figure]) -> Figure:
    """One genome, the mean of a lineage's last generation, at the end of a life in either world."""
    genome = tuple(lineages(LINEAGE)[0].select([f"{GENE}{name}" for name in GENES]).rows()[-1])
    shown = [_life(genome, split, name) for split, name in ((HELDOUT, "Ancestral"), (DEPLOY, "Modern"))]
    return gallery([shown])


def _life(genome: tuple[float, ...], split: str, world: str) -> tuple[str, np.ndarray]:
    levels = distribution(WORLD, split=split)
    policy, batch = Animal(genome, Nature(), Body.of(levels)), Batch(levels, 1)
    batch.reset(levels=np.array([LEVEL]))
    way, state = [], None
    while not (batch.terminated | batch.truncated)[0]:
        way.append([int(batch.states[name][0]) for name in ("y", "x")])
        actions, state = policy(batch.observations, state)
        batch.step(actions)
    environment = levels.environment
    children, pleasure = (batch.returns[0, environment.column(one)] for one in ("offspring", "pleasure"))
    picture = drawn(batch.states["grid"][0], environment, CELL, np.array(way[-LAST:]))
    return f"{world}: {children:.0f} children, pleasure {pleasure:.0f}", picture
