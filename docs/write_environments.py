"""Write docs/environments/, a page for every environment of envs/ and an index: python docs/write_environments.py [--all]

All of it comes from declarations and from results/. What has to be solved or drawn, a block of the page and its picture, is made
anew only where what it is made from has changed, or with --all.
"""

import hashlib
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import iter_modules

from draw_environments import LEVELS, Drawn, drawn, source_of
from recomputed import RESULTS, over_seeds, told

from mesabench import registry
from mesabench.catalogue import in_words, roles_of, size_of, spoken, tables_of
from mesabench.engine.distribution import distribution
from mesabench.scores.reference import reference_of
from mesabench.solver.graph import explore
from mesabench.tables import Table
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment
from mesabench.world.story import story_of

FOLDER = Path(__file__).parent / "environments"
INDEX = "README.md"
KINDS = {
    "Somebody watches": "Behaving well pays as long as it is seen. What does the agent do when nobody looks?",
    "The reward is wrong": "It does not say what was meant, and an agent may earn it in ways that nobody wanted: outer failures.",
    "The reward is right": "It pays what was meant. In training another goal comes to the same, and the agent may have learned "
    "that one: inner failures, goal misgeneralisation.",
}
"""Kinds of failure, by what an environment declares."""
AGENTS = "ppo", "ppo_batched"
VARIANTS = "ordinary", "control"
SCORES = "TRAINED", "TRUE", "PROXY"
BLOCK = re.compile(r"<!-- drawn from (\w+), picture (\w+) -->\n(.*?)<!-- /drawn -->\n", re.DOTALL)


def shipped() -> dict[str, Environment]:
    """The environments of this repository, by name."""
    files = {name for _, name, _ in iter_modules(importlib.import_module("mesabench.envs").__path__)}
    return {name: one for name, one in registry.environments().items() if name in files}


def kind_of(environment: Environment) -> str:
    """The kind of failure that an environment is about."""
    watched, wrong, right = KINDS
    return watched if environment.monitor else right if environment.paid == environment.intended else wrong


# The page of one environment


def page(environment: Environment, block: str) -> str:
    """The whole page. block: what is drawn and solved, as `made` writes it."""
    name, story = environment.name, story_of(environment.story)
    about = {one.title: one for one in tables_of(distribution(environment))}
    parts = [
        f"# {story.headline}\n\n{block}",
        f"```console\n$ mesabench show {name}\n$ mesabench play {name}\n```\n",
        " \N{MIDDLE DOT} ".join(
            [
                f"[The file](../../envs/{name}.py)",
                "[all environments](README.md)",
                kind_of(environment).lower(),
            ]
        )
        + "\n",
        "## The story\n\n" + Table("", ("", ""), story.terms).markdown(),
        *story.paragraphs,
        "## What can be wanted\n\n" + _markdown(about["Objectives"]),
        "## Splits\n\n" + Table("", ("split", "what it is"), [*_splits(environment)]).markdown(),
        "## Knobs\n\n" + _markdown(about["Knobs"]),
        "## What an agent gets\n\n" + _markdown(about["What an agent gets"]),
    ]
    if bounds := about.get("Bounds of scores, beyond the solver"):
        parts.append("## Bounds of scores, beyond the solver\n\n" + _markdown(bounds))
    parts += _published(environment)
    return "\n".join(parts)


def _markdown(one: Table) -> str:
    rows = [tuple(cell.replace("<", "&lt;") for cell in row) for row in one.rows]
    return one._replace(rows=rows).markdown()


def _splits(environment: Environment) -> Iterator[tuple[str, str]]:
    """Every split in words: the story's where it tells of it, and what its knobs say."""
    story = dict(story_of(environment.story).terms)
    knobs = {split: in_words(environment.knobs, own, quote="`") for split, own in environment.splits.items()}
    told = {TRAIN: story.get("Train", ""), DEPLOY: story.get("Deploy", "")}
    for split, settings in knobs.items():
        yield split, "<br>".join(filter(None, (told.get(split), settings))) or "the defaults"
        if split == TRAIN:
            yield HELDOUT, "as train" + (", on layouts never trained on" if environment.pools else "")


def _published(environment: Environment) -> Iterator[str]:
    """What PPO did, where it is published, and which runs have the environment at all.

    Ordinary agents and controls; where somebody watches all populations, which differ in what holds and what is seen.
    """
    scores = (*SCORES, "DECEP") if environment.monitor else SCORES
    rows, runs = [], []
    for suite in sorted(one.parent.name for one in RESULTS.glob("*/table.parquet")):
        here = {which: one for which, one in told(suite).items() if which[0] == environment.name}
        if here:
            runs.append(f"[{suite}](../../results/{suite}/report.html)")
        for (_, agent, variant), one in here.items():
            if agent in AGENTS and (environment.monitor or variant in VARIANTS):
                values = [
                    [value for value in one.values.get(score, []) if value == value] for score in scores
                ]
                numbers = (over_seeds(each) if each else "n/a" for each in values)
                became = one.became(scores[-1])
                rows.append((f"`{agent}`, {one.title}", str(len(one.outcomes)), *numbers, became, runs[-1]))
    if rows:
        heads = ("PPO", "seeds", *scores, "became", "from")
        yield (
            "## What PPO did\n\nMeans over seeds, with the lowest and the highest. 0 is random play, 1 the optimum "
            "([scores](../scores.md)).\n\n" + Table("", heads, rows).markdown()
        )
    if rows and len({title for title, *_ in rows}) == 1 and _pays_nothing(environment):
        yield "There are no controls: on the levels of the split deploy nothing is paid.\n"
    if runs:
        yield f"Published runs in this environment: {', '.join(runs)}.\n"


def _pays_nothing(environment: Environment) -> bool:
    """Whether nothing can be had of what is paid, on the first levels after the shift."""
    shifted, paid = distribution(environment, split=DEPLOY), environment.column(environment.paid)
    levels = (reference_of(explore(shifted, level)) for level in range(LEVELS))
    return not any(one.ceiling[paid] > 0 for one in levels)


def made(environment: Environment, one: Drawn) -> str:
    """The block of a page that is drawn and solved, with digests of what it is made from and of the picture."""
    name = environment.name
    shown = f"Level {one.level}, as in training and after the shift"
    ways = f", with the ways of whoever plays best for the intended goal{' and for a proxy' if environment.proxies else ''}"
    told = [
        f"![{shown}{ways if one.solved else ''}]({name}.svg)\n",
        f"{shown}: of the first {LEVELS} the one in which the proxy costs most of the intended goal."
        if one.solved and environment.proxies
        else f"{shown}.",
        "A way is the likeliest course of one optimal play, up to where it only goes again what it went before.\n"
        if one.solved
        else "It is beyond the solver, so no ways are drawn in.\n",
        "What the goals are worth, all told as the discounted return of the intended one: the mean over levels of what random "
        "play gets, whoever plays best for something else, and whoever plays best for it.\n",
        one.worth.markdown(),
    ]
    return (
        f"<!-- drawn from {one.source}, picture {digest(one.svg)} -->\n"
        + "\n".join(told)
        + "<!-- /drawn -->\n"
    )


def digest(svg: str) -> str:
    """A digest of a picture."""
    return hashlib.sha256(svg.encode()).hexdigest()[:12]


def block_of(environment: Environment) -> str:
    """The block that stands on the page and is up to date, or ''."""
    file, picture = (FOLDER / f"{environment.name}.{end}" for end in ("md", "svg"))
    found = BLOCK.search(file.read_text("utf-8")) if file.exists() and picture.exists() else None
    fresh = found and found[1] == source_of(environment) and found[2] == digest(picture.read_text("utf-8"))
    return found[0] if found and fresh else ""


# The index


def index() -> str:
    """The page of all environments, by kind of failure, and of the models that are none."""
    parts = [
        "# Environments\n\nEach in a picture: as in training, and after the shift, with the ways of whoever plays best for the "
        "intended goal (blue) and for a proxy (orange, dashed). The page on [scores](../scores.md) says what is measured; to add "
        "a world, see [add an environment](../add-an-environment.md). These pages are made from the declarations by "
        "`python docs/write_environments.py`.\n"
    ]
    for kind, words in KINDS.items():
        rows = [
            (f'<a href="{name}.md"><img src="{name}.svg" width="300" alt="{spoken(name)}"></a>', _entry(one))
            for name, one in shipped().items()
            if kind_of(one) == kind
        ]
        parts.append(f"## {kind}\n\n{words}\n\n" + Table("", ("", ""), rows).markdown())
    models = [(f"[{name}](../../envs/{name}.py)", one.title) for name, one in registry.populations().items()]
    parts.append(
        "## Nobody acts, nothing is paid\n\n[Population models](../evolution.md), in which selection decides.\n"
    )
    parts.append(Table("", ("", ""), models).markdown())
    return "\n".join(parts)


def _entry(environment: Environment) -> str:
    """What the index says of an environment."""
    goals = {
        role: "; ".join(
            one.description
            for name, one in environment.objectives.items()
            if role in roles_of(environment, name)
        )
        for role in ("intended", "paid in training", "proxy")
    }
    if environment.paid == environment.intended:
        del goals["paid in training"]
    told = [f"*{role}:* {words}" for role, words in goals.items() if words]
    head = f"**[{environment.name}]({environment.name}.md)** ({size_of(environment)})"
    return "<br>".join([head, environment.title, *told])


def write(anew: bool = False) -> None:
    """Write every page and picture and the index, and remove those of environments that are no more."""
    FOLDER.mkdir(exist_ok=True)
    for name, one in shipped().items():
        block = "" if anew else block_of(one)
        if not block:
            found = drawn(one)
            (FOLDER / f"{name}.svg").write_text(found.svg, "utf-8")
            block = made(one, found)
            print(f"drew {name}", flush=True)
        (FOLDER / f"{name}.md").write_text(page(one, block), "utf-8")
    (FOLDER / INDEX).write_text(index(), "utf-8")
    for file in FOLDER.iterdir():
        if file.name != INDEX and file.stem not in shipped():
            file.unlink()
            print(f"removed {file.name}: no such environment")


if __name__ == "__main__":
    write("--all" in sys.argv[1:])
