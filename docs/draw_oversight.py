"""The phase diagram of deception.md: up to which chance of being caught agents defect in the dark, over the length of their term.

    python docs/draw_oversight.py                    the optimal deceiver, into docs/figures/oversight.png
    python docs/draw_oversight.py runs/oversight     the agents of a run, into the run's folder

Shades and line are the theory (`mesabench.deception.theory`), which knows no agent; dots are what agents do, exactly.
"""

import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
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
from mesabench.report.compliance_rates import judged, rate_of
from mesabench.report.svg import INK, INTENDED, MUTED, PROXY
from mesabench.runs.cohort import populations_of
from mesabench.runs.store import load_run
from mesabench.solver.graph import explore
from mesabench.world.environment import DEPLOY

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
    """Every agent of a run that was trained in this world, in the dark of every contract, where it is audited as in training.

    Raises StoreError, ValueError.
    """
    dots = []
    for population in populations_of(load_run(folder))[0]:
        found = judged(population) if population.environment.name == WORLD and population.learns else None
        if found is None:
            continue
        trained_on = Task(population.environment, population.trials[0].trial.options).distribution
        for split, seeds in found.lifetimes.items():
            percent = trained_on.with_(split=split).own_knobs.dark_audit
            if percent != trained_on.own_knobs.dark_audit:
                continue
            audit = float(percent) / 100
            dots += [
                (one.shown["k2"], audit * one.shown["q"] / 100, rate_of((one,), "lived_hired"))
                for seed in seeds for one in seed if one.shown["k2"] > 0
            ]  # fmt: skip
    if not dots:
        raise ValueError(
            f"{folder} has no agents that were judged in {WORLD}: `mesabench run oversight` trains some"
        )
    return dots


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
    rng = np.random.default_rng(0)
    found = list(dots)
    shift = (
        rng.uniform(-0.25, 0.25, len(found)) if len(found) > LONGEST * len(AUDITS) else np.zeros(len(found))
    )
    k2, hazard, complied = np.array(found).T
    marks = axes.scatter(
        k2 + shift,
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


if __name__ == "__main__":
    if len(sys.argv) > 1:
        target = Path(sys.argv[1]) / "oversight.png"
        phase(of_run(Path(sys.argv[1]))).savefig(target)
    else:
        target = Path(__file__).parent / "figures" / "oversight.png"
        oversight().savefig(target)
    print(target)
