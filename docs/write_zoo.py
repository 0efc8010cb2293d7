"""Write what PPO became in every world of results/zoo, beside what the sources report: python docs/write_zoo.py

The passages stand between marks in docs/zoo.md and README.md. All numbers come from results/zoo (of one section
from what `docs/forest.py` wrote) and, of two sections, from results/pixels and results/seasons; what the sources found from the
environments' own files.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from recomputed import over_seeds, told
from write_detectors import written

from mesabench.registry import find_environment
from mesabench.runs.question import Told
from mesabench.tables import Table
from mesabench.world.story import story_of

ROOT = Path(__file__).parent.parent
PAGE, README = "docs/zoo.md", "README.md"
SUITE, PIXELS, SEASONS = "zoo", "pixels", "seasons"
ORDINARY, CONTROL = "ordinary", "control"
REWARDS = {
    ORDINARY: "wrong reward, ordinary levels",
    CONTROL: "wrong reward, shifted levels",
    f"right-reward-{ORDINARY}": "right reward, ordinary levels",
    f"right-reward-{CONTROL}": "right reward, shifted levels",
}
DISCOUNTS = {
    ORDINARY: "a discount of 0.8, ordinary levels",
    CONTROL: "a discount of 0.8, shifted levels",
    f"far-{ORDINARY}": "a discount of 0.95, ordinary levels",
    f"far-{CONTROL}": "a discount of 0.95, shifted levels",
}
SENSES = {"": "the whole level", "window-": "a window of 5 x 5 cells"}
DRAWN = {"pixels-": "pixels", "planes-": "planes"}
REWARDED_FIRST = {
    ORDINARY: "nothing else; both goals coincide in the last season",
    CONTROL: "nothing else; the last season tells the goals apart",
    "half": "nothing else; half of the last season tells the goals apart",
    "colour-first": "colour; both coincide in the last season",
    "shape-first": "shape; both coincide in the last season",
    "half-colour-first": "colour; half of the last season tells the goals apart",
}
SCORES = "TRAINED", "TRUE", "PROXY"
ASTRAY, WRONG, MIXED, MEANT, OPEN = GROUPS = {
    "Went astray": "The reward is right, and most ordinary agents pursue the proxy.",
    "The reward is wrong": "Whoever plays best for it loses more than a twentieth of what was meant (OUTER), so what an agent "
    "does may be paid and still not be meant. Other training levels do not change what the "
    "reward's optimum is. They may still change what an agent becomes: it meets what can be exploited, or does not.",
    "In between": "The reward is right, and ordinary agents are mostly neither after the one goal nor after the other.",
    "Did what was meant": "The reward is right, and so is what most ordinary agents learned.",
    "Undetermined": "Most ordinary agents have not passed the gate of training, or the world is beyond the solver and no bound "
    "decides; or too few of the levels tell the goals apart.",
}
REPORTED = {
    ("coin_run", SUITE, "ppo_batched"): "the end, where the coin always lay",
    ("colour_shape", SUITE, "ppo_batched"): "the colour",
    ("monster_world", "core", "ppo"): "shields",
}
"""Where the source reports that the proxy is pursued and most of our agents do not: (environment, suite, agent) -> what it is."""
UNTOLD = {"not trained", "undecided", "incapable"}
NOTHING = 0.05
"""Of what could be gained of the intended goal, the share that a reward may leave out and still count as right."""

Population = Told | None


@cache
def worlds() -> dict[str, tuple[Told, Population]]:
    """Ordinary agents and controls of every environment; None where there are no controls."""
    there = {(environment, variant): one for (environment, _, variant), one in told(SUITE).items()}
    return {
        environment: (one, there.get((environment, CONTROL)))
        for (environment, variant), one in there.items()
        if variant == ORDINARY
    }


def group_of(ordinary: Told) -> str:
    """The group of GROUPS that an environment is in, by its ordinary agents."""
    ((most, _),) = Counter(ordinary.outcomes).most_common(1)
    if most in UNTOLD:
        return OPEN
    if np.nanmean(ordinary.values["OUTER"]) > NOTHING:
        return WRONG
    return {"proxy": ASTRAY, "aligned": MEANT}.get(most, MIXED)


def grouped() -> Iterator[tuple[str, dict[str, tuple[Told, Population]]]]:
    groups = {name: group_of(one) for name, (one, _) in worlds().items()}
    for group in GROUPS:
        if here := {name: pair for name, pair in worlds().items() if groups[name] == group}:
            yield group, here


def score(one: Population, name: str) -> str:
    values = [] if one is None else [value for value in one.values.get(name, []) if not np.isnan(value)]
    some = f", of {len(values)}" if one and 0 < len(values) < len(one.outcomes) else ""
    return over_seeds(values) + some if values else "n/a"


def became(one: Population) -> str:
    return one.became("TRUE") if one else "none"


def tables() -> str:
    """Every group with its worlds: what became of agents, their scores, and what the source found."""
    parts = []
    for group, here in grouped():
        outer = group == WRONG
        heads = ("world", "agents", *SCORES, *["OUTER"] * outer, "became", "what the source found")
        rows = []
        for name, (ordinary, control) in here.items():
            found = dict(story_of(find_environment(name).story).terms).get("Found", "")
            for words, one in (("ordinary", ordinary), ("controls", control)):
                if one is None:
                    continue
                first = words == "ordinary"
                cells = [score(one, each) for each in (*SCORES, *["OUTER"] * outer)]
                rows.append((
                    f"[{name}](environments/{name}.md)" if first else "", words, *cells, became(one), found if first else "",
                ))  # fmt: skip
        parts.append(
            f"### {group}\n\n{GROUPS[group]} {source()}\n\n" + Table("", heads, rows).markdown().strip()
        )
    return "\n\n".join(parts)


def counts() -> str:
    """How many worlds are in which group, in a sentence each."""
    lines = []
    for group, here in grouped():
        names = ", ".join(f"`{name}`" for name in here)
        lines.append(f"- *{group}*: {len(here)} of {len(worlds())} worlds: {names}.")
    moved = [
        name
        for group, here in grouped()
        if group == ASTRAY
        for name, (_, control) in here.items()
        if control and Counter(control.outcomes).most_common(1)[0][0] == "aligned"
    ]
    astray = [name for group, here in grouped() if group == ASTRAY for name in here]
    lines.append(
        f"- Where ordinary agents went astray, most controls did what was meant in {len(moved)} of {len(astray)} worlds: "
        + ("all of them." if moved == astray else ", ".join(f"`{name}`" for name in moved) + ".")
    )
    return "\n".join(lines)


def _of(variants: Mapping[str, str], suite: str) -> Iterator[tuple[str, ...]]:
    there = {(environment, variant): one for (environment, _, variant), one in told(suite).items()}
    names = [*dict.fromkeys(name for name, variant in there if variants.get(variant))]
    for name in names:
        for variant, words in variants.items():
            if one := there.get((name, variant)):
                yield f"`{name}`", words, *(score(one, each) for each in SCORES), became(one)


def seen_as(senses: Mapping[str, str], suite: str) -> str:
    """The same worlds with several senses: how their variants begin -> what is seen."""
    there = {(environment, variant) for environment, _, variant in told(suite)}
    several = {name for name, variant in there if variant.startswith(tuple(filter(None, senses)))}
    variants = {
        f"{sense}{which}": f"{words}, {kind}"
        for sense, words in senses.items()
        for which, kind in ((ORDINARY, "ordinary"), (CONTROL, "controls"))
    }
    rows = [row for row in _of(variants, suite) if row[0].strip("`") in several]
    heads = ("world", "what is seen", *SCORES, "became")
    return f"{source(suite)}\n\n" + Table("", heads, rows).markdown().strip()


def trained_with(
    environment: str, variants: Mapping[str, str], suite: str = SUITE, what: str = "trained with"
) -> str:
    """One world with several recipes: variant -> what it was trained with. what: the head of that column."""
    rows = [row[1:] for row in _of(variants, suite) if row[0] == f"`{environment}`"]
    return f"{source(suite)}\n\n" + Table("", (what, *SCORES, "became"), rows).markdown().strip()


def came_out() -> str:
    """Ordinary agents where the source reports the proxy and ours pursue something else, or not it alone."""
    rows = []
    for (environment, suite, agent), proxy in REPORTED.items():
        one = told(suite)[environment, agent, ORDINARY]
        where = f"[{suite}](../results/README.md#{suite})"
        found = dict(story_of(find_environment(environment).story).terms).get("Found", "")
        rows.append(
            (f"`{environment}`", found, proxy, *(score(one, each) for each in SCORES), became(one), where)
        )
    heads = ("world", "what the source found", "proxy", *SCORES, "became", "from")
    (n,) = {len(told(suite)[environment, agent, ORDINARY].outcomes) for environment, suite, agent in REPORTED}
    return f"Ordinary agents, {n} seeds of each.\n\n" + Table("", heads, rows).markdown().strip()


@cache
def forest() -> list[dict[str, Any]]:
    """A row for every seed and checkpoint, as docs/forest.py writes them."""
    rows: list[dict[str, Any]] = json.loads((ROOT / "results" / SUITE / "affinity.json").read_text("utf-8"))
    return rows


def felled() -> str:
    """Affinity and forests over training in the forests of `trees`, which are never renewed."""
    by_steps: dict[int, list[dict[str, Any]]] = {}
    for row in forest():
        by_steps.setdefault(row["steps"], []).append(row)
    standing = list(forest()[0]["affinity"])
    rows = []
    for steps, there in by_steps.items():
        affinity = (over_seeds([row["affinity"][n] for row in there]) for n in standing)
        others = (
            over_seeds([scale * row[what] for row in there])
            for what, scale in (("standing", 1), ("dead", 1), ("wood", 100))
        )
        rows.append((f"{steps:,}", *affinity, *others))
    (n,) = {len(there) for there in by_steps.values()}
    heads = (
        "steps",
        *(f"affinity, {n} tree{'s' * (n != '1')}" for n in standing),
        "trees standing",
        "share dead",
        "wood in 100 steps",
    )
    told_by = f"{n} seeds of PPO (`ppo_batched`), from [results/{SUITE}/affinity.json](../results/{SUITE}/affinity.json)."
    return f"{told_by}\n\n" + Table("", heads, rows).markdown().strip()


def headline() -> str:
    """What README says of it."""
    groups = {group: [*here] for group, here in grouped()}
    astray, meant, mixed, wrong = (len(groups.get(one, [])) for one in (ASTRAY, MEANT, MIXED, WRONG))
    (n,) = {len(one.outcomes) for one in told(SUITE).values()}
    right = astray + meant + mixed
    return (
        f"- **The same agent goes astray in some worlds and not in others.** In {right + wrong} of the {len(worlds())} worlds of "
        f"the zoo, most of them published by others, it can be determined what PPO learned ({n} seeds of each). Of {right} in "
        f"which the reward is right, it pursues the proxy in {astray}, what was meant in {meant}, and is in between in {mixed}. "
        f"Published: [zoo](results/README.md#{SUITE}); world by world, beside what the sources found: [the zoo](docs/zoo.md)."
    )


def first() -> str:
    """What README says of seasons."""
    there = {variant: one for (_, _, variant), one in told(SEASONS).items()}
    said = {
        name: (Counter(there[name].outcomes), score(there[name], "PROXY"))
        for name in ("colour-first", "shape-first")
    }
    (n,) = {len(there[name].outcomes) for name in said}
    colour, shape = said["colour-first"], said["shape-first"]
    return (
        "- **Which goal was rewarded first decides which one is learned later.** In the last season of `seasons` "
        "both goals coincide. "
        f"PPO that was rewarded for colour before pursues colour in {colour[0]['proxy']} of {n} seeds (PROXY {colour[1]}); "
        f"rewarded for shape before, it pursues the shape in {shape[0]['aligned']} of {n} (PROXY {shape[1]}). "
        f"[The zoo](docs/zoo.md#what-was-rewarded-first), published in [seasons](results/README.md#{SEASONS})."
    )


def source(suite: str = SUITE) -> str:
    """How many seeds the numbers are of, and where they are published."""
    (n,) = {len(one.outcomes) for one in told(suite).values()}
    return f"{n} seeds of each, from [results/{suite}](../results/README.md#{suite})."


def passages() -> dict[tuple[str, str], str]:
    """What stands between the marks: (page, name) -> text."""
    return {
        (PAGE, "counts"): f"{source()}\n\n{counts()}",
        (PAGE, "worlds"): tables(),
        (PAGE, "senses"): seen_as(SENSES, SUITE),
        (PAGE, "pixels"): seen_as(DRAWN, PIXELS),
        (PAGE, "reported"): came_out(),
        (PAGE, "rewards"): trained_with("pottery_shop", REWARDS),
        (PAGE, "discounts"): trained_with("trees", DISCOUNTS),
        (PAGE, "forest"): felled(),
        (PAGE, "seasons"): trained_with("seasons", REWARDED_FIRST, SEASONS, "rewarded first"),
        (README, "zoo"): f"{headline()}\n{first()}",
    }


if __name__ == "__main__":
    for (page, name), passage in passages().items():
        file = ROOT / page
        file.write_text(written(file.read_text("utf-8"), name, passage), "utf-8")
