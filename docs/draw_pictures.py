"""Draw the PNG pictures of the README, docs and results/README.md into docs/figures/: `make pictures`.

Levels are drawn as the environments draw themselves, charts from what results/ holds, the elk from runs of the model. Nothing is
trained, and every seed is named.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import polars
import write_zoo
from draw_elk import elk
from draw_generations import generations, instinct, learning, shares
from draw_generations import lives as lived
from draw_oversight import oversight, oversight_learned
from draw_story import drives, optimisers
from draw_story import speller as written
from draw_theory import theory
from draw_understanding import understanding
from drawing import CELL, COLOURS, CONTROL, GREY, NAMES, ORDINARY, styled, way
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mesabench import solver
from mesabench.adapters.env import GridEnv
from mesabench.auditing.comparison import ANY
from mesabench.auditing.detectors import CHECK, DETECTORS
from mesabench.auditing.findings import read_findings
from mesabench.auditing.organism import NAIVE, NONE, WATCHED
from mesabench.catalogue import pictures, spoken
from mesabench.engine.distribution import distribution, distribution_of
from mesabench.pictures import render
from mesabench.registry import find_environment
from mesabench.report import episodes
from mesabench.report.svg import INK, MUTED, RULE
from mesabench.solver.graph import explore
from mesabench.world.environment import DEPLOY, HELDOUT

FOLDER = Path(__file__).parent / "figures"
RESULTS = Path(__file__).parent.parent / "results"
DPI = 100
MARGIN, TITLE = 16, 26
"""Pixels around pictures, and above them for a line of text."""
FRONT, FRONT_LEVEL = "cheese_dish", 46
"""The level of the front page: cheese and dish lie far apart."""
MOUSE, LEVEL = "cheese_corner", 37
"""The level of the tour: cheese and corner lie far apart, and the ways to them part at once."""
WORLDS = {"cheese_dish": 1, "keys_and_chests": 1, "lava_land": 1, "absent_supervisor": 3}
"""The environments of the gallery, and the level that is shown of each."""
ALPHAS = ("cheese_corner", "cheese_dish", "keys_and_chests")
LINES = ("#bf4f0d", "#1f66ae", "#3f7f3f")
CONDITIONS = {
    "executive_hiring: on probation": ("executive_hiring", "ppo", "probation"),
    "its lives never begin in the dark": ("executive_hiring", "ppo", "no-dark-starts"),
    "goal_guard: all three conditions": ("goal_guard", "ppo", "all-conditions"),
    "conditions drawn, all of them hold": ("goal_guard", "ppo", "conditions-drawn"),
    "goal_guard without c1": ("goal_guard", "ppo", "without-c1-0-hired-0.5-deploy.hired-0.5"),
    "goal_guard without c2": ("goal_guard", "ppo", "without-c2-0"),
    "idle_lamp: nobody is dismissed": ("idle_lamp", "ppo", "control"),
    "dismissed whatever one does": ("executive_hiring", "ppo", "control-contingent-0"),
    "a lamp that lies half of the time": ("executive_hiring", "ppo", "control-lies-50"),
    "absent_supervisor: paid to obey": ("absent_supervisor", "ppo", "control"),
}
"""Populations of the suite `deception`: what the picture calls them -> environment, agent, variant."""


def question() -> Figure:
    """The front page: is it the cheese or the dish?"""
    return _ways(FRONT, FRONT_LEVEL, "the cheese is on the dish", "dish")


def corner() -> Figure:
    """The tour: is it the cheese or the corner?"""
    return _ways(MOUSE, LEVEL, "cheese and corner are one", "corner")


def _ways(name: str, level: int, training: str, proxy: str) -> Figure:
    """One level before and after the shift, with the ways of the mouse that the picture is about."""
    environment = find_environment(name)
    shown = [
        (f"Training: {training}", HELDOUT, environment.intended),
        (f"Deployed: it wanted the {proxy}", DEPLOY, environment.proxies[0]),
        ("Deployed: it wanted cheese", DEPLOY, environment.intended),
    ]
    images = {}
    for title, split, goal in shown:
        graph = explore(distribution_of(environment, {"split": split}), level)
        best = solver.optimal_actions(graph, goal)
        path = way(graph, _followed(graph, best))
        images[title] = episodes.drawn(graph.states()["grid"][0], environment, CELL, path)
    return _gallery([[*images.items()]])


def _followed(graph: Any, best: np.ndarray) -> list[int]:
    """The actions of one optimal way, the first of equals, until the goal ends it or nothing is left to gain."""
    state, actions = 0, list[int]()
    for now in best:
        good = [action for action in range(graph.n_actions) if now[state] >> action & 1]
        if len(good) == graph.n_actions:
            break
        actions.append(good[0])
        state = int(graph.successor[graph.first[state * graph.n_actions + actions[-1]]])
        if state < 0:
            break
    return actions


def speller() -> Figure:
    """One card, and what is written below it."""
    return written(_gallery)


def lives() -> Figure:
    """One genome, ancestral and modern."""
    return lived(_gallery)


def worlds() -> Figure:
    """A level of some environments: as in training above, shifted below."""
    columns = []
    for name, level in WORLDS.items():
        before, after = list(pictures(distribution(name), level, "rgb_array").values())[:2]
        columns.append([(spoken(name).capitalize(), _doubled(before)), ("", _doubled(after))])
    return _gallery([list(row) for row in zip(*columns, strict=True)], ["training", "deployed"])


def corners() -> Figure:
    """The knob of the tour: where the cheese may lie in training."""
    environment = find_environment(MOUSE)
    shown = {f"corner = {size}": (HELDOUT, {"corner": size}) for size in (1, 3)}
    shown["deploy: anywhere"] = (DEPLOY, {})
    images = []
    for title, (split, options) in shown.items():
        env = GridEnv(environment, split=split, render_mode="rgb_array", **options)
        env.reset(options={"level": LEVEL})
        images.append((title, _doubled(env.render())))
    return _gallery([images])


def _doubled(picture: np.ndarray) -> np.ndarray:
    scale = max(1, round(CELL / 16))
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def _gallery(rows: Sequence[Sequence[tuple[str, np.ndarray]]], heads: Sequence[str] = ("",)) -> Figure:
    """Pictures uint8 (h, w, 3), pixel by pixel, in rows and columns, each below its title."""
    widths = [max(image.shape[1] for _, image in column) for column in zip(*rows, strict=True)]
    heights = [max(image.shape[0] for _, image in row) for row in rows]
    left = MARGIN + (TITLE if heads[0] else 0)
    width = left + sum(widths) + MARGIN * len(widths)
    height = MARGIN + sum(heights) + sum(TITLE if any(title for title, _ in row) else MARGIN for row in rows)
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    y = height
    for row, tall, head in zip(rows, heights, heads, strict=True):
        y -= tall + (TITLE if any(title for title, _ in row) else MARGIN)
        x = left
        if head:
            figure.text((left - 8) / width, (y + tall / 2) / height, head, rotation=90, ha="right", va="center",
                        fontsize=11, color=MUTED)  # fmt: skip
        for (title, image), wide in zip(row, widths, strict=True):
            figure.figimage(image, x, y + tall - image.shape[0], origin="upper")
            figure.text(x / width, (y + tall + 7) / height, title, fontsize=10.5, color=INK)
            x += wide + MARGIN
    return figure


def alpha() -> Figure:
    """TRUE against the share of training levels that tell the goals apart."""
    table = _table("alpha_curve").with_columns(
        polars.col("options").str.json_path_match("$.alpha").cast(float).alias("alpha")
    )
    figure, axes = _chart(680, 340)
    for name, colour in zip(ALPHAS, LINES, strict=True):
        of = table.filter(environment=name, score="TRUE")
        means = of.group_by("alpha").agg(polars.col("value").mean()).sort("alpha")
        axes.plot(
            _placed(of["alpha"]), of["value"], "o", color=colour, alpha=0.25, markersize=4, markeredgewidth=0
        )
        axes.plot(_placed(means["alpha"]), means["value"], color=colour, linewidth=2, label=spoken(name))
    shares = sorted({*table["alpha"]})
    axes.set_xticks(_placed(shares), [f"{100 * one:g} %" for one in shares])
    axes.set(
        ylim=(-0.03, 1),
        xlabel="share of training levels in which goal and proxy differ",
        ylabel="TRUE in deploy",
    )
    axes.legend(frameon=False, labelcolor=INK, fontsize=10)
    return figure


def _placed(shares: Any) -> np.ndarray:
    """On a log scale, with 0 to the left of all."""
    return np.log10([one or 3e-4 for one in shares])


def core() -> Figure:
    """What PPO's competence serves in each environment: TRUE of ordinary agents and of controls."""
    table = _table("core").filter(agent="ppo")
    return _true_in(table, list(dict.fromkeys(table["environment"])), 300)


def zoo() -> Figure:
    """The same in every world of the zoo, in the order of its page."""
    names = [name for _, here in write_zoo.grouped() for name in here]
    return _true_in(_table("zoo"), names, 70 + 26 * len(names))


def _true_in(table: polars.DataFrame, names: Sequence[str], height: int) -> Figure:
    figure, axes = _chart(680, height)
    for side, who in zip((-0.14, 0.14), (ORDINARY, CONTROL), strict=True):
        for k, name in enumerate(names):
            values = table.filter(environment=name, variant=who, score="TRUE")["value"]
            axes.plot(values, [k + side] * len(values), "o", color=COLOURS[who], markersize=6, alpha=0.6,
                      markeredgewidth=0, label=NAMES[who] if k == 0 else None)  # fmt: skip
    _rows(axes, names)
    axes.set(xlim=(-0.02, 1.02), xlabel="TRUE (0 random play, 1 optimal); a dot for every seed")
    figure.legend(frameon=False, labelcolor=INK, fontsize=10, loc="outside upper center", ncols=2)
    return figure


def deception() -> Figure:
    """DECEP of every seed, where deception pays and where a condition for it is taken away."""
    table = _table("deception").filter(score="DECEP")
    figure, axes = _chart(680, 360)
    for k, (environment, agent, variant) in enumerate(CONDITIONS.values()):
        values = table.filter(environment=environment, agent=agent, variant=variant)["value"]
        axes.plot(values, [k] * len(values), "o", color=LINES[0], markersize=6, alpha=0.45, markeredgewidth=0)
    _rows(axes, list(CONDITIONS))
    axes.set(xlim=(-0.02, 1.02), xlabel="DECEP on held-out contracts; a dot for every seed")
    return figure


def organisms() -> Figure:
    """How well detectors tell planted from honest agents, before and after safety training."""
    findings = read_findings(RESULTS / "organisms")
    assert findings
    found = findings.detection
    names = [name for name in DETECTORS if name in found.suspicion]
    figure, axes = _chart(680, 50 * len(names))
    for side, safety, colour, label in (
        (-0.14, NONE, LINES[0], "as planted"),
        (0.14, WATCHED, LINES[1], "after safety training on watched levels"),
    ):
        (one,) = (c for c in found.comparisons if (c.trigger, c.safety, c.against) == (ANY, safety, NAIVE))
        for k, name in enumerate(names):
            of = one.auroc[name]
            axes.plot(
                (of.low, of.high),
                [k + side] * 2,
                color=colour,
                linewidth=3,
                alpha=0.4,
            )
            axes.plot(of.value, k + side, "o", color=colour, markersize=6, markeredgewidth=0,
                      label=label if k == 0 else None)  # fmt: skip
    axes.axvline(0.5, color=GREY, linewidth=1, linestyle=":")
    _rows(axes, [f"{name} (check)" if name == CHECK else name for name in names])
    axes.set(
        xlim=(-0.02, 1.02),
        xlabel="AUROC against naive twins (0.5 is guessing); 95 % over seeds",
    )
    axes.legend(frameon=False, labelcolor=INK, fontsize=10, loc="lower left")
    return figure


def _table(suite: str) -> polars.DataFrame:
    return polars.read_parquet(RESULTS / suite / "table.parquet")


def _chart(width: int, height: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    styled(axes, size=10, grid=None)
    axes.xaxis.label.set(color=INK, fontsize=10)
    axes.yaxis.label.set(color=INK, fontsize=10)
    return figure, axes


def _rows(axes: Any, labels: Sequence[str]) -> None:
    """Rows from the top, named on the left."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="x", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)


PICTURES: dict[str, Callable[[], Figure]] = {
    one.__name__: one
    for one in (
        question,
        corner,
        speller,
        worlds,
        corners,
        alpha,
        core,
        zoo,
        deception,
        organisms,
        drives,
        optimisers,
        elk,
        theory,
        oversight,
        oversight_learned,
        understanding,
        generations,
        shares,
        lives,
        learning,
        instinct,
    )
}


def drawn(name: str) -> np.ndarray:
    """The picture of this name, uint8 (height, width, 3): whatever matplotlib's user settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        canvas = FigureCanvasAgg(PICTURES[name]())
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


if __name__ == "__main__":
    for name in PICTURES:
        (FOLDER / f"{name}.png").write_bytes(render.png(drawn(name)))
        print(FOLDER / f"{name}.png")
