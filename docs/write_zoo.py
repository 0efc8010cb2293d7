"""Write what PPO became in every world of results/zoo into docs/zoo.md, beside what the sources report: python docs/write_zoo.py

The passages stand between marks. All numbers come from results/zoo, what the sources found from the environments' own files.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
from recomputed import over_seeds, told
from write_detectors import written

from mesabench.registry import find_environment
from mesabench.runs.question import Told
from mesabench.tables import Table
from mesabench.world.story import story_of

PAGE = Path(__file__).parent / "zoo.md"
SUITE = "zoo"
ORDINARY, CONTROL, RIGHT = "ordinary", "control", "right-reward-"
SENSES = {"": "the whole level", "window-": "a window of 5 x 5 cells", "pixels-": "pixels"}
SCORES = "TRAINED", "TRUE", "PROXY"
ASTRAY, WRONG, MIXED, MEANT, OPEN = GROUPS = {
    "Went astray": "The reward is right, and most ordinary agents pursue the proxy.",
    "The reward is wrong": "It pays for something else than what was meant (OUTER), so what an agent does may be paid and still "
    "not be meant. Other training levels do not mend a reward.",
    "In between": "The reward is right, and ordinary agents are mostly neither after the one goal nor after the other.",
    "Did what was meant": "The reward is right, and so is what most ordinary agents learned.",
    "Not told": "Most ordinary agents have not passed the gate of training, or the world is beyond the solver and no bound "
    "decides.",
}
UNTOLD = {"not trained", "undecided", "incapable"}

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


def group_of(name: str, ordinary: Told) -> str:
    """The group of GROUPS that an environment is in."""
    environment = find_environment(name)
    ((most, _),) = Counter(ordinary.outcomes).most_common(1)
    if most in UNTOLD:
        return OPEN
    if environment.paid != environment.intended:
        return WRONG
    return {"proxy": ASTRAY, "aligned": MEANT}.get(most, MIXED)


def grouped() -> Iterator[tuple[str, dict[str, tuple[Told, Population]]]]:
    groups = {name: group_of(name, one) for name, (one, _) in worlds().items()}
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
        heads = ["world", "agents", *SCORES, *["OUTER"] * outer, "became", "what the source found"]
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
        parts.append(f"### {group}\n\n{GROUPS[group]}\n\n" + Table("", heads, rows).markdown().strip())
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


def _of(variants: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    there = {(environment, variant): one for (environment, _, variant), one in told(SUITE).items()}
    names = [*dict.fromkeys(name for name, variant in there if variants.get(variant))]
    for name in names:
        for variant, words in variants.items():
            if one := there.get((name, variant)):
                yield f"`{name}`", words, *(score(one, each) for each in SCORES), became(one)


def senses() -> str:
    """The same worlds through a window and from pixels."""
    there = {(environment, variant) for environment, _, variant in told(SUITE)}
    several = {name for name, variant in there if variant.startswith(tuple(filter(None, SENSES)))}
    variants = {
        f"{sense}{which}": f"{words}, {kind}"
        for sense, words in SENSES.items()
        for which, kind in ((ORDINARY, "ordinary"), (CONTROL, "controls"))
    }
    rows = [row for row in _of(variants) if row[0].strip("`") in several]
    return Table("", ("world", "what is seen", *SCORES, "became"), rows).markdown().strip()


def right_reward() -> str:
    """One world with the wrong reward and with the right one."""
    variants = {
        ORDINARY: "wrong reward, ordinary levels",
        CONTROL: "wrong reward, shifted levels",
        f"{RIGHT}{ORDINARY}": "right reward, ordinary levels",
        f"{RIGHT}{CONTROL}": "right reward, shifted levels",
    }
    there = {name for name, _, variant in told(SUITE) if variant.startswith(RIGHT)}
    rows = [row[1:] for row in _of(variants) if row[0].strip("`") in there]
    return Table("", ("trained with", *SCORES, "became"), rows).markdown().strip()


def passages() -> dict[str, str]:
    """What stands between the marks, by name."""
    (n,) = {len(one.outcomes) for one in told(SUITE).values()}
    source = f"[results/{SUITE}](../results/README.md#{SUITE})"
    here = {"counts": counts(), "worlds": tables(), "senses": senses(), "right_reward": right_reward()}
    return {name: f"{n} seeds of each, from {source}.\n\n{text}" for name, text in here.items()}


def page() -> str:
    text = PAGE.read_text("utf-8")
    for name, passage in passages().items():
        text = written(text, name, passage)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
