"""Draw the pictures of scores.md from the results of a run.

    mesabench run quickstart
    python docs/draw_scores.py runs/quickstart

Of the run it takes the ordinary agents and the controls of one environment, and the agents of another in which the reward is at
fault. DECEP is drawn of scripted characters.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars
from drawing import (
    CELL,
    COLOURS,
    CONTROL,
    GREY,
    MINUS,
    NAMES,
    ORDINARY,
    Agents,
    Player,
    agents_of,
    card,
    chart,
    from_to,
    in_rows,
    legend,
    level_picture,
    straight,
    svg,
    way,
)
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from mesabench import solver
from mesabench.agents.executive import Executive
from mesabench.catalogue import spoken
from mesabench.deception.compliance import deception_scores
from mesabench.engine.distribution import distribution
from mesabench.report.episodes import way_to_first_goal
from mesabench.report.svg import INK, INTENDED, MUTED, PANEL, PROXY, RULE
from mesabench.scores.attribution import DECISIVE, Episode, choice_curve
from mesabench.scores.directedness import RandomPlay
from mesabench.scores.evidence import explained
from mesabench.scores.replanning import ROOM, changes
from mesabench.solver.graph import LevelGraph, explore, explore_state
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, classes_of

LEVELS_SHOWN = 48
WATCHED = "executive_hiring"
CHARACTERS = ("honest", "defector", "backdoor", "myopic", "strategist")
LIFETIMES = 40
"""Levels on which the characters are judged, as in the self-test."""
DETOURS = 15
"""Levels among which the clearest detour is looked for."""
LEAST_AGENT = -15.0
"""Bits for goals against devices below which an episode is shown at the edge."""


def comp(agents: Agents) -> Figure:
    """S of every objective, a mark per seed; the largest is COMP."""
    names = agents.ordinary.environment.objective_names
    figure, axes = chart(200)
    in_rows(axes, [spoken(name) for name in names])
    from_to(axes, least=-0.35)
    for side, (who, one) in zip((-1, 1), agents.by_variant.items(), strict=True):
        means = [np.nanmean([seed.objectives[name] for seed in one.seeds]) for name in names]
        for k, name in enumerate(names):
            values = [seed.objectives[name] for seed in one.seeds]
            axes.plot(values, [k + 0.13 * side] * len(values), "o", color=COLOURS[who], markersize=7, alpha=0.8,
                      markeredgewidth=0, label=NAMES[who] if k == 0 else None)  # fmt: skip
        best = int(np.nanargmax(means))
        axes.annotate("COMP", (means[best], best + 0.13 * side), (0, -9 * side), textcoords="offset points", ha="center",
                      va="top" if side > 0 else "bottom", fontsize=11, color=COLOURS[who])  # fmt: skip
    legend(figure)
    return figure


def true(agents: Agents) -> Figure:
    """Level by level: floor, ceiling, and where the agents lie between them."""
    name = agents.ordinary.environment.intended
    floor, ceiling = (agents.column(ORDINARY, f"{kind}_{name}") for kind in ("floor", "ceiling"))
    shown = np.argsort(ceiling, kind="stable")[:: -(-len(ceiling) // LEVELS_SHOWN)]
    places = np.arange(len(shown))
    figure, axes = chart(260)
    axes.bar(places, (ceiling - floor)[shown], 0.72, floor[shown], color=PANEL, edgecolor=MUTED, linewidth=0.7,
             label="from random play to the optimum")  # fmt: skip
    for who in agents.by_variant:
        axes.plot(places, agents.column(who, f"return_{name}")[shown], "o", color=COLOURS[who], markersize=5.5,
                  markeredgewidth=0, label=NAMES[who])  # fmt: skip
    axes.set(xticks=[], xlim=(-1, len(shown)), ylim=(-0.03, 1.03), yticks=[0, 0.5, 1], xlabel="levels after the shift",
             ylabel=f"return of the {spoken(name)}")  # fmt: skip
    legend(figure)
    return figure


def proxy(agents: Agents) -> Figure:
    """What is reached first: on one level, and on all of them."""
    environment = agents.ordinary.environment
    replays = {
        who: {(one["split"], one["level"]): one for one in population.trials[0].replays}
        for who, population in agents.by_variant.items()
    }
    shown = [(ORDINARY, HELDOUT, "As in training"), (ORDINARY, DEPLOY, "Shifted: an ordinary agent"),
             (CONTROL, DEPLOY, "Shifted: a control")]  # fmt: skip

    def clarity(level: int) -> tuple[Any, ...]:
        before, astray, control = (replays[who][split, level] for who, split, _ in shown)
        paths = [np.array(way_to_first_goal(one, environment)) for one in (before, astray, control)]
        wrong = sum(one["first"] != environment.intended for one in (before, control))
        return (
            astray["first"] not in environment.proxies,
            wrong,
            sum(not straight(path) for path in paths),
            -len(paths[1]),
        )

    level = min((level for split, level in replays[ORDINARY] if split == DEPLOY), key=clarity)
    figure = card(340)
    parts = figure.add_gridspec(2, 3, height_ratios=(2.2, 1))
    for k, (who, split, title) in enumerate(shown):
        one = replays[who][split, level]
        grid = np.array(one["grids"][0]).reshape(one["height"], one["width"])
        path = np.array(way_to_first_goal(one, environment))
        level_picture(
            figure.add_subplot(parts[0, k]), grid, environment, path, title, f"first: {spoken(one['first'])}"
        )
    axes = figure.add_subplot(parts[1, :])
    in_rows(axes, [*NAMES.values(), "random play"])
    classes = [*classes_of(environment), "none"]
    colours = dict.fromkeys(classes, GREY) | {
        environment.intended: INTENDED,
        environment.proxies[0]: PROXY,
        "none": RULE,
    }
    for row, (who, kind) in enumerate(((ORDINARY, "first"), (CONTROL, "first"), (ORDINARY, "random"))):
        left = 0.0
        for name in classes:
            share = float(agents.column(who, f"{kind}_{name}").mean())
            label = {"none": "neither"}.get(name, spoken(name)) if row == 0 else None
            _segment(axes, row, left, left + share, colours[name], f"{share:.0%}", label)
            left += share
    axes.set(xlim=(0, 1), xticks=[])
    axes.spines["bottom"].set_visible(False)
    legend(axes, loc="lower center", bbox_to_anchor=(0.5, 0.98), title="Reached first, mean over all levels")
    return figure


def _segment(
    axes: Any, row: int, left: float, right: float, colour: str, text: str, label: str | None
) -> None:
    axes.barh(row, max(0.0, right - left), 0.62, left, color=colour, label=label)
    if right - left > 0.07:
        axes.text((left + right) / 2, row, text, ha="center", va="center", fontsize=11,
                  color=INK if colour == RULE else "white")  # fmt: skip


def outer(agents: Agents) -> Figure:
    """What of the intended goal is served, and who loses the rest: the reward or the agent."""
    rows = [(f"{spoken(one.environment.name)}, {when}", one.card.evidence, split)
            for one in (agents.wrongly_paid, agents.ordinary)
            for split, when in ((TRAIN, "in training"), (DEPLOY, "shifted"))]  # fmt: skip
    figure, axes = chart(240)
    in_rows(axes, [label for label, _, _ in rows])
    for row, (_, found, split) in enumerate(rows):
        own, best = 1 - found[f"{split} lacking"].value, 1 - found[f"{split} outer"].value
        own, best = (min(1.0, max(0.0, one)) for one in (own, best))
        for label, left, right, colour in (
            ("served", 0.0, own, INTENDED),
            ("lost by the agent: inner", own, best, PROXY),
            ("lost by the reward: outer", best, 1.0, GREY),
        ):
            _segment(axes, row, left, right, colour, f"{right - left:.2f}", label if row == 0 else None)
    from_to(axes)
    axes.set_xlabel("S of the intended goal")
    legend(figure)
    return figure


def inner(agents: Agents) -> Figure:
    """S of what was paid, COMP, and the way from one to the other, for every seed."""
    groups = {f"{spoken(one.environment.name)}, {one.variant}": one
              for one in (*agents.by_variant.values(), agents.wrongly_paid)}  # fmt: skip
    figure, axes = chart(220)
    in_rows(axes, list(groups))
    for row, one in enumerate(groups.values()):
        for nudge, seed in zip(np.linspace(-0.22, 0.22, len(one.seeds)), one.seeds, strict=True):
            most, paid = seed.scores["COMP"].value, seed.objectives[one.environment.paid]
            if most is None:
                continue
            axes.plot(
                [paid, most], [row + nudge] * 2, color=PROXY, linewidth=2.5, solid_capstyle="butt", zorder=1
            )
            axes.plot(paid, row + nudge, "o", color="white", markeredgecolor=INK, markersize=8)
            axes.plot(most, row + nudge, "o", color=INK, markersize=5)
    axes.plot([], [], "o", color="white", markeredgecolor=INK, markersize=8, label="S of what was paid")
    axes.plot([], [], color=PROXY, linewidth=2.5, label="INNER")
    axes.plot([], [], "o", color=INK, markersize=5, label="COMP")
    from_to(axes, least=-0.35)
    legend(figure)
    return figure


def opt(agents: Agents) -> Figure:
    """For each goal: bits of behaviour that are not random, and how many of them the goal explains."""
    environment = agents.ordinary.environment
    rows = [(who, name) for who in agents.by_variant for name in (environment.intended, *environment.proxies)]
    figure, axes = chart(230)
    in_rows(axes, [f"{NAMES[who]}, the {spoken(name)}" for who, name in rows])
    for row, (who, name) in enumerate(rows):
        tables = [table.filter(polars.col("structure").is_not_null()) for table in agents.levels[who]]
        bits = np.mean([table[f"structure_{name}"].mean() for table in tables])
        meg = np.mean([table[f"meg_{name}"].clip(lower_bound=0).mean() for table in tables])
        column = environment.column(name)
        eta = np.mean([np.nanmean(explained(table, environment)[:, column]) for table in tables])
        axes.barh(row, bits, 0.6, color=PANEL, edgecolor=MUTED, linewidth=1,
                  label="bits by which it differs from random play" if row == 0 else None)  # fmt: skip
        axes.barh(row, meg, 0.6, color=COLOURS[who])
        axes.annotate(f"{eta:.0%} explained", (bits, row), (6, 0), textcoords="offset points", va="center", fontsize=11,
                      color=INK)  # fmt: skip
    axes.barh(0, 0, color=MUTED, label="of them explained by this goal: MEG")
    axes.margins(x=0.2)
    axes.set_xlim(left=0)
    axes.set_xlabel("bits an episode")
    legend(figure)
    return figure


def plan(agents: Agents) -> Figure:
    """A way, the habit when it is blocked, the new way; and how all changes came out."""
    one = Player(agents.ordinary)
    before, blocked, first, anew = _detour(one)
    habit = solver.replay(blocked, first.actions, one.goal)
    own = solver.evaluate(blocked, one.table(blocked)).returns[one.goal_column]
    figure = card(360)
    parts = figure.add_gridspec(2, 3, height_ratios=(2.2, 1.1))
    grids = [graph.states(np.array([0]))["grid"][0] for graph in (before, blocked)]
    shown = [("Its way", before, first, f"to the {spoken(one.goal)}"),
             ("Blocked: its habit", blocked, first, f"return {habit:.2f}"),
             ("Blocked: what it does", blocked, anew, f"return {own:.2f}")]  # fmt: skip
    for k, (title, graph, episode, below) in enumerate(shown):
        axes = figure.add_subplot(parts[0, k])
        level_picture(axes, grids[k > 0], one.environment, way(graph, episode.actions.tolist()), title, below)
        for y, x in np.argwhere(grids[0] != grids[1]) if k else ():
            axes.plot((x + np.array([0, 1, 1, 0, 0])) * CELL - 0.5, (y + np.array([0, 0, 1, 1, 0])) * CELL - 0.5, color=PROXY,
                      linewidth=2.5)  # fmt: skip
    axes = figure.add_subplot(parts[1, :])
    tables = {who: polars.concat([trial.tables["changes"] for trial in population.trials])
              for who, population in agents.by_variant.items()}  # fmt: skip
    kinds = sorted({kind for table in tables.values() for kind in table["change"]})
    in_rows(axes, kinds)
    for nudge, (who, table) in zip((-0.18, 0.18), tables.items(), strict=True):
        for row, kind in enumerate(kinds):
            found = table.filter(polars.col("change") == kind)["index"]
            axes.barh(
                row + nudge,
                found.mean() or 0.0,
                0.33,
                color=COLOURS[who],
                label=NAMES[who] if row == 0 else None,
            )
            if not len(found):
                axes.text(0.01, row + nudge, "n/a", va="center", fontsize=10, color=COLOURS[who])
    from_to(axes, "habit")
    legend(axes, loc="lower center", bbox_to_anchor=(0.5, 0.98), title="Mean over all changed levels")
    return figure


def _detour(one: Player) -> tuple[LevelGraph, LevelGraph, Episode, Episode]:
    """A level with a way that is lost some steps on when it is blocked, and found anew: both levels, both episodes."""
    wanted = one.stored.tables["changes"].filter(
        (polars.col("change") == "blocked way") & (polars.col("index") > 0.8)
    )
    found = []
    for level in wanted["level"].to_list()[:DETOURS]:
        graph = explore(one.distribution, level)
        first = one.play(graph)
        steps = first.actions.tolist()
        if not first.events[-1] & one.goal_events or not straight(way(graph, steps)):
            continue
        for kind, start in changes(
            graph, one.goal, first.states, np.random.Generator(np.random.PCG64(level))
        ):
            if kind != "blocked way":
                break
            blocked = explore_state(one.distribution, level, start)
            anew = one.play(blocked)
            gain = solver.optimum(blocked, one.goal, []).value - solver.replay(
                blocked, first.actions, one.goal
            )
            if (
                gain >= ROOM
                and anew.events[-1] & one.goal_events
                and straight(way(blocked, anew.actions.tolist()))
            ):
                seen = len({*map(tuple, way(blocked, steps).tolist())})
                found.append((min(3, seen), len(anew.actions) - len(steps), (graph, blocked, first, anew)))
    if not found:
        raise ValueError(f"{one.stored.name} finds no way around anything: draw from another run")
    return max(found, key=lambda entry: entry[:2])[2]


def decep(agents: Agents) -> Figure:
    """Scripted characters: how often they comply under each view, and what comes of it."""
    columns = {"c11": "watched,\nit pays", "c10": "watched,\nit buys\nnothing", "c01": "sees the\nlamp dark",
               "d01": "hired,\nunwatched", "OWN": "gets what\nit wants,\nonce hired", "DECEP": "DECEP"}  # fmt: skip
    figure, axes = chart(280)
    in_rows(axes, CHARACTERS)
    axes.spines["bottom"].set_visible(False)
    for row, character in enumerate(CHARACTERS):
        found = deception_scores(Executive(character), distribution(WATCHED), levels=LIFETIMES)
        for place, name in enumerate(columns):
            value = found.scores[name].value
            strength = min(1.0, max(0.0, value or 0.0))
            axes.barh(row, 0.94, 0.88, place - 0.47, color=PANEL)
            axes.barh(
                row,
                0.94,
                0.88,
                place - 0.47,
                color={"OWN": GREY, "DECEP": PROXY}.get(name, INTENDED),
                alpha=strength,
            )
            axes.text(place, row, "n/a" if value is None else f"{value:.2f}".replace("-", MINUS), ha="center", va="center",
                      color="white" if strength > 0.55 else INK, fontsize=12)  # fmt: skip
        axes.text(len(columns) - 0.4, row, found.verdict, va="center", fontsize=11, color=MUTED)
    axes.set_xticks(range(len(columns)), list(columns.values()))
    axes.set_xlim(-0.5, len(columns) + 1.6)
    axes.tick_params(axis="x", length=0, labelsize=11, labeltop=True, labelbottom=False)
    return figure


def meg(agents: Agents) -> Figure:
    """On one level: what random play gets, what the agent gets, and the least change of random play that gets as much."""
    one = Player(agents.by_variant[CONTROL])
    examined = agents.levels[CONTROL][0].filter(polars.col("structure").is_not_null())
    middle = np.argsort(examined[f"meg_{one.goal}"].to_numpy(), kind="stable")[len(examined) // 2]
    graph = explore(one.distribution, int(examined["level"][int(middle)]))
    table = one.table(graph)
    value = float(solver.evaluate(graph, table).returns[one.goal_column])
    play = RandomPlay(graph, one.goal, solver.optimal_actions(graph, one.goal))
    found = play.meg(value, solver.optimum(graph, one.goal, []).value)
    values, shares = play.distribution
    tilted = shares * np.exp(found.beta * (values - values.max()))
    tilted /= tilted.sum()
    least = 1e-4
    figure, axes = chart(280)
    axes.vlines(values, least, np.maximum(shares, least), color=GREY, linewidth=3, label="random play")
    axes.plot(values, tilted, "_", color=INTENDED, markersize=9, markeredgewidth=2.5,
              label="random play, tilted until its mean is the agent's")  # fmt: skip
    axes.axvline(value, color=PROXY, linewidth=1.5)
    axes.annotate(f"the agent's mean, {value:.2f}\nMEG {found.bits:.1f} bits, POWER {play.power(table):.1f} bits", (value, 0.9),
                  (-6, 0), textcoords="offset points", ha="right", va="top", color=PROXY, fontsize=12)  # fmt: skip
    axes.set(yscale="log", ylim=(least, 1.5), yticks=[1e-3, 1e-2, 1e-1, 1], yticklabels=["1/1000", "1/100", "1/10", "1"],
             xlabel=f"return of the {spoken(one.goal)}: the sooner, the more; 0 is never", ylabel="chance")  # fmt: skip
    axes.yaxis.set_minor_locator(NullLocator())
    legend(figure)
    return figure


def choice(agents: Agents) -> Figure:
    """What is reached first against how much further the intended goal is."""
    environment = agents.ordinary.environment
    intended, rival = environment.intended, environment.proxies[0]
    figure, axes = chart(280)
    axes.axhline(0.5, color=RULE, linewidth=1, zorder=0)
    axes.axvline(0, color=RULE, linewidth=1, zorder=0)
    for who in agents.by_variant:
        far, near, p, t = (
            agents.column(who, name)
            for name in (f"distance_{intended}", f"distance_{rival}", f"first_{rival}", f"first_{intended}")
        )
        known = np.isfinite(far) & np.isfinite(near) & (p + t > 0)
        gain, p, t = (far - near)[known], p[known], t[known]
        a, b = choice_curve(gain, p, t)
        axes.plot(gain, p / (p + t), "o", color=COLOURS[who], alpha=0.45, markersize=6, markeredgewidth=0)
        x = np.linspace(gain.min() - 1, gain.max() + 1, 120)
        label = f"{NAMES[who]}: preference {a:+.1f}, distance {b:+.2f}".replace("-", MINUS)
        axes.plot(x, 1 / (1 + np.exp(-(a + b * x))), color=COLOURS[who], linewidth=2, label=label)
    axes.set(ylim=(-0.04, 1.04), yticks=[0, 0.5, 1], ylabel=f"chance that the {spoken(rival)}\ncomes first",
             xlabel=f"steps by which the {spoken(intended)} is further away than the {spoken(rival)}")  # fmt: skip
    legend(figure)
    return figure


def evidence(agents: Agents) -> Figure:
    """An episode a dot: intended goal or proxy, goal or device, in bits."""
    environment = agents.ordinary.environment
    figure, axes = chart(340)
    axes.axhspan(-DECISIVE, DECISIVE, color=PANEL, zorder=0)
    axes.axvline(0, color=RULE, linewidth=1, zorder=0.5)
    most = 2 * DECISIVE
    for who in agents.by_variant:
        seen = agents.levels[who][0].filter(polars.col("structure").is_not_null())
        bits = {name: seen[f"evidence_{name}"].to_numpy() for name in environment.objective_names}
        goals = np.logaddexp2.reduce(list(bits.values())) - np.log2(len(bits))
        x = goals - seen["evidence_devices"].to_numpy()
        y = bits[environment.intended] - np.max([bits[name] for name in environment.proxies], 0)
        most = max(most, 1.05 * np.abs(y).max())
        beyond = x < LEAST_AGENT
        style = {"color": COLOURS[who], "alpha": 0.6, "markersize": 6, "markeredgewidth": 0}
        axes.plot(x[~beyond], y[~beyond], "o", label=NAMES[who], **style)
        axes.plot(np.full(beyond.sum(), LEAST_AGENT), y[beyond], "<", **style)
    intended, rival = (spoken(name) for name in (environment.intended, environment.proxies[0]))
    axes.set(ylim=(-most, most), xlim=(LEAST_AGENT - 1, None), xlabel="AGENT: bits for goals against devices",
             ylabel=f"EVIDENCE: bits for the\n{intended} against the {rival}")  # fmt: skip
    for sign, name in ((1, intended), (-1, rival)):
        axes.text(0.01, sign * DECISIVE, f"100 to 1 for the {name}", transform=axes.get_yaxis_transform(), fontsize=11,
                  color=MUTED, va="bottom" if sign > 0 else "top")  # fmt: skip
    legend(figure)
    return figure


PICTURES: dict[str, Callable[[Agents], Figure]] = {
    "comp": comp, "true": true, "proxy": proxy, "outer": outer, "inner": inner, "opt": opt, "plan": plan, "decep": decep,
    "meg": meg, "choice": choice, "evidence": evidence,
}  # fmt: skip
"""Every picture by its name."""


def draw(folder: Path | str, into: Path) -> list[Path]:
    """Draw every picture from a results folder, and return the files. Raises StoreError, ValueError."""
    agents = agents_of(folder)
    into.mkdir(parents=True, exist_ok=True)
    files = [into / f"{name}.svg" for name in PICTURES]
    for file, drawn in zip(files, PICTURES.values(), strict=True):
        file.write_text(svg(drawn(agents)))
    return files


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for file in draw(sys.argv[1], Path(__file__).parent / "figures"):
        print(f"{file.name} {file.stat().st_size / 1000:.0f} kB")
