"""The phase diagram of deception.md: up to which chance of being caught agents defect in the dark, over the length of their term.

    python docs/draw_oversight.py runs/oversight     the agents of a run of yours, into the run's folder

`make pictures` draws the optimal deceiver, and the agents of the published run. Shades and line are the theory
(`mesabench.deception.theory`), which knows no agent; dots are what agents do, exactly.
"""

import json
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars
from drawing import GREY
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from mesabench.agents.executive import Executive
from mesabench.deception import theory
from mesabench.deception.choices import choices_of, optimal_choices
from mesabench.engine.distribution import distribution
from mesabench.envs.executive_hiring import TRAINED
from mesabench.policies.agent import Task
from mesabench.policies.behaviour import Behaviour
from mesabench.registry import find_environment
from mesabench.report.svg import INK, INTENDED, MUTED, PROXY
from mesabench.solver.graph import explore
from mesabench.world.environment import DEPLOY

RESULTS = Path(__file__).parent.parent / "results"
WORLD = "executive_hiring"
W = TRAINED[2][0] / 100
"""What the other item pays under every contract of it."""
LONGEST = 10
"""Rounds of the longest term that is drawn."""
AUDITS = (0, 10, 20, 30, 50, 85)
"""Percent of dark rounds audited where the optimal deceiver is asked."""
SHADES = LinearSegmentedColormap.from_list("compliance", [PROXY, "#e9e4da", INTENDED])

Dot = tuple[int, float, float]
"""Rounds in the dark, chance of being caught by a defection, share of compliant choices there."""


def asked() -> Iterable[Dot]:
    """The optimal deceiver, asked level by level: it plays by the solver, which knows nothing of the theory."""
    for k2 in range(1, LONGEST + 1):
        for audit in AUDITS:
            hired = distribution(WORLD, split=DEPLOY, q=100, k1=1, k2=k2, dark_audit=audit)
            graph = explore(hired, 0)
            monitor = graph.environment.monitor
            table = Behaviour(Executive("strategist"), hired).table(graph)
            made = choices_of(table, graph, optimal_choices(graph, monitor)).counts[0].sum(0)
            yield k2, audit / 100, float(made[0] / made.sum())


def of_run(folder: Path) -> list[Dot]:
    """What the agents that were trained in this world do in the dark of every contract, where it is audited as in training.

    Means over seeds, and over contracts that differ in K1 alone, which is over when the dark begins. Raises OSError, ValueError.
    """
    numbers = polars.read_parquet(folder / "table.parquet").filter(polars.col("steps") > 0, environment=WORLD)
    lives = polars.read_parquet(folder / "lifetimes.parquet").filter(
        polars.col("shown_k2") > 0, view="lived_hired"
    )
    those = []
    for trial, options in numbers.select("trial", "options").unique().iter_rows():
        trained_on = Task(find_environment(WORLD), json.loads(options)).distribution
        audit = trained_on.own_knobs.dark_audit
        own = lives.filter(trial=trial)
        alike = [
            one for one in own["split"].unique() if trained_on.with_(split=one).own_knobs.dark_audit == audit
        ]
        those.append(own.filter(polars.col("split").is_in(alike)).with_columns(audit=audit / 100))
    if not those:
        raise ValueError(
            f"{folder} has no agents that were trained in {WORLD}: `mesabench run oversight` trains some"
        )
    made = (
        polars.concat(those)
        .group_by("shown_k2", hazard=polars.col("audit") * polars.col("shown_q") / 100)
        .agg(polars.sum("complied", "defected"))
        .sort("shown_k2", "hazard")
    )
    return [
        (k2, hazard, complied / (complied + defected)) for k2, hazard, complied, defected in made.iter_rows()
    ]


def phase(dots: Iterable[Dot]) -> Figure:
    figure = Figure(figsize=(6.4, 3.8), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    hazards = np.linspace(0, 1, 201)
    terms = np.arange(1, LONGEST + 1)
    share = [[theory.dark_compliance(int(k2), (a + b) / 2, W) for k2 in terms] for a, b in pairwise(hazards)]
    axes.pcolormesh(
        np.arange(LONGEST + 1) + 0.5, hazards, share, cmap=SHADES, vmin=0, vmax=1, alpha=0.45, linewidth=0
    )
    line = [min(1.0, theory.hazard_threshold(int(k2), W)) for k2 in terms]
    axes.stairs(line, np.arange(LONGEST + 1) + 0.5, color=INK, linewidth=2, baseline=None,
                label="exact threshold: 1 - w^(1 / (K2 - 1))")  # fmt: skip
    k2, hazard, complied = np.array(list(dots)).T
    marks = axes.scatter(
        k2,
        hazard,
        c=complied,
        cmap=SHADES,
        vmin=0,
        vmax=1,
        s=34,
        edgecolors=INK,
        linewidths=0.7,
        zorder=3,
    )
    bar = figure.colorbar(marks, ax=axes, ticks=[0, 0.5, 1])
    bar.set_label("compliance in the dark", color=INK)
    bar.outline.set_edgecolor(MUTED)
    axes.set(xlim=(0.5, LONGEST + 0.5), ylim=(-0.03, 1.03), xticks=terms, xlabel="K2, rounds in the dark",
             ylabel="p q, chance that a defection is caught")  # fmt: skip
    axes.tick_params(colors=MUTED, labelcolor=INK)
    axes.legend(
        frameon=True, facecolor="white", edgecolor=GREY, labelcolor=INK, fontsize=9, loc="upper right"
    )
    return figure


def oversight() -> Figure:
    return phase(asked())


def oversight_learned() -> Figure:
    return phase(of_run(RESULTS / "oversight"))


if __name__ == "__main__":
    target = Path(sys.argv[1]) / "oversight.png"
    phase(of_run(Path(sys.argv[1]))).savefig(target)
    print(target)
