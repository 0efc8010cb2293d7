"""Pictures of what-is-a-mesa-optimiser.md: the speller on one level, the goals that base optimisers find, and the animals'
children and drives in two worlds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars
from drawing import COLOURS, CONTROL, GREY, NAMES, ORDINARY, styled
from matplotlib.figure import Figure

from mesabench import solver
from mesabench.adapters.env import GridEnv
from mesabench.catalogue import spoken
from mesabench.engine.distribution import distribution_of
from mesabench.registry import find_environment
from mesabench.report.svg import INK, INTENDED, PROXY
from mesabench.solver.graph import explore
from mesabench.world.environment import DEPLOY, HELDOUT

PUBLISHED = Path(__file__).parent.parent / "results"
CARD = 59
"""The level whose card is shown."""
WORLDS = {
    "children, ancestral world": "TRAINED",
    "children, modern world": "TRUE",
    "own drives, modern world": "DRIVES",
}
NAMED = {"ppo": "PPO", "dqn": "DQN"}
"""Agents whose names are abbreviations."""
LINEAGES = {"drives": ("what evolved as drives", PROXY), "fitness": ("children as the only drive", INTENDED)}


def speller(gallery: Callable[..., Figure]) -> Figure:
    """The card of training and what is written below it; another card, and the two things that may be written then."""
    shown = {
        "Training: the card says dog": (HELDOUT, "card"),
        "Deployed: it learned to write dog": (DEPLOY, "dog"),
        "Deployed: it learned to read": (DEPLOY, "card"),
    }
    return gallery([[(title, _written(*what)) for title, what in shown.items()]])


def _written(split: str, goal: str) -> np.ndarray:
    """The level after an optimal agent for `goal` has written, uint8 (height, width, 3)."""
    environment = find_environment("spelling")
    graph = explore(distribution_of(environment, {"split": split}), CARD)
    env = GridEnv(environment, split=split, render_mode="rgb_array")
    env.reset(options={"level": CARD})
    state = 0
    for now in solver.optimal_actions(graph, goal):
        action = (int(now[state]) & -int(now[state])).bit_length() - 1  # the first of equally good ones
        env.step(action)
        state = int(graph.successor[graph.first[state * graph.n_actions + action]])
        if state < 0:
            break
    return np.asarray(env.render()).repeat(3, axis=0).repeat(3, axis=1)


def optimisers() -> Figure:
    """A dot for every agent: the share of the proxy among the goals that it pursues, by world and base optimiser."""
    table = polars.read_parquet(PUBLISHED / "base_optimisers" / "table.parquet").filter(score="PROXY")
    rows = [*dict.fromkeys(table.select("environment", "agent").sort("environment", "agent").iter_rows())]
    figure = Figure(figsize=(6.8, 1.2 + 0.32 * len(rows)), dpi=100, facecolor="white", layout="constrained")
    axes: Any = figure.add_subplot()
    weak = polars.col("outcome") == "not trained"
    for side, who in zip((-0.14, 0.14), (ORDINARY, CONTROL), strict=True):
        named = {False: NAMES[who], True: f"{NAMES[who]}, too weak to be judged"}
        for k, (environment, agent) in enumerate(rows):
            found = table.filter(environment=environment, agent=agent, variant=who)
            for hollow, chosen in ((False, found.filter(~weak)), (True, found.filter(weak))):
                if len(values := chosen["value"].drop_nulls()):
                    axes.plot(values, [k + side] * len(values), "o", color=COLOURS[who], alpha=0.5, markersize=6,
                              fillstyle="none" if hollow else "full", markeredgewidth=float(hollow),
                              label=named.pop(hollow, None))  # fmt: skip
    _rows(axes, [f"{spoken(environment)}: {NAMED.get(agent, agent)}" for environment, agent in rows])
    axes.set(xlim=(-0.05, 1.05))
    axes.set_xlabel("PROXY: 0 the intended goal, 1 the proxy; a dot for every agent", color=INK, fontsize=10)
    figure.legend(frameon=False, labelcolor=INK, fontsize=10, loc="outside upper center", ncols=2)
    return figure


def drives() -> Figure:
    """A dot for every lineage of results/evolution: what its animals achieve for children and for their own drives."""
    table = polars.read_parquet(PUBLISHED / "evolution" / "table.parquet")
    figure = Figure(figsize=(6.8, 2.4), dpi=100, facecolor="white", layout="constrained")
    axes: Any = figure.add_subplot()
    for side, (variant, (label, colour)) in zip((-0.14, 0.14), LINEAGES.items(), strict=True):
        for row, score in enumerate(WORLDS.values()):
            values = table.filter(variant=variant, score=score)["value"]
            axes.plot(values, [row + side] * len(values), "o", color=colour, alpha=0.6, markersize=6,
                      markeredgewidth=0, label=None if row else label)  # fmt: skip
    axes.axvline(1, color=GREY, linewidth=1, linestyle=":")
    _rows(axes, list(WORLDS))
    axes.set(xlim=(-0.05, 1.03))
    axes.set_xlabel("0 random play, 1 optimal; a dot for every lineage", color=INK, fontsize=10)
    axes.legend(frameon=False, labelcolor=INK, fontsize=10, loc="lower left")
    return figure


def _rows(axes: Any, labels: Sequence[str]) -> None:
    """Rows from the top, named on the left."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    styled(axes, size=10, grid="x")
