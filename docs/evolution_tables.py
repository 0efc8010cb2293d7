"""Write the tables of evolution.md: python docs/evolution_tables.py

Those of population models as `mesabench evolve` prints them, that of lineages from results/evolution. Pictures of lineages stand
on that page, and on the one for newcomers, as soon as what they show is published.
"""

import json
import re
from collections import Counter
from pathlib import Path

import polars
from draw_generations import published

from mesabench.evolution.model import Outcomes, evolve
from mesabench.evolution.models import find_model
from mesabench.tables import Table

PAGE = Path(__file__).parent / "evolution.md"
MARKERS = re.compile(r"(<!-- evolve (\w+) -->\n).*?(<!-- /evolve -->)", re.DOTALL)


def table(outcomes: Outcomes) -> str:
    """The conditions that have a control, each beside it."""
    whole = outcomes.table()
    rows = [row[:-1] for row in whole.rows if outcomes.model.conditions[row[0]].control]
    return whole._replace(columns=whole.columns[:-1], rows=rows).markdown()


def with_table(page: str, outcomes: Outcomes) -> str:
    """The page with the table of one model as it is now."""
    return MARKERS.sub(
        lambda found: (
            f"{found[1]}{table(outcomes)}{found[3]}" if found[2] == outcomes.model.name else found[0]
        ),
        page,
    )


LINEAGES = re.compile(r"(<!-- lineages -->\n).*?(<!-- /lineages -->)", re.DOTALL)
PUBLISHED = Path(__file__).parent.parent / "results" / "evolution" / "table.parquet"
SHOWN = "TRAINED", "TRUE", "DRIVES", "QUALITY TRAIN", "QUALITY", "LEARNS"


def lineages() -> Table:
    """What was published of sweet_tooth: a row for each population, means over seeds with the lowest and the highest, and
    what did not come out as the suite predicts."""
    predictions = json.loads(PUBLISHED.with_name("suite.json").read_text("utf-8"))["predictions"]
    numbers = polars.read_parquet(PUBLISHED).filter(environment="sweet_tooth")
    rows = []
    for (variant,), one in numbers.group_by(["variant"], maintain_order=True):
        cells = [str(variant), str(one["seed"].n_unique())]
        for score in SHOWN:
            values = one.filter(score=score)["value"].drop_nulls()
            low, high, mean = (
                (f"{value + 0.0:.2f}" for value in _summary(values)) if len(values) else ("", "", "")
            )
            cells.append(f"{mean} ({low} to {high})" if mean else "n/a")
        cells.append(_as_predicted(one, predictions.get(one["population"][0], {})))
        rows.append(tuple(cells))
    return Table("Lineages", ("population", "seeds", *SHOWN, "as predicted"), rows)


def _as_predicted(numbers: polars.DataFrame, predicted: dict[str, tuple[float, float]]) -> str:
    """Whether all seeds lie where they were predicted; else of each score that misses, how many do."""
    missed = []
    for score, (low, high) in predicted.items():
        values = numbers.filter(score=score)["value"]
        held = values.is_between(low, high).fill_null(value=False).sum()
        if values.null_count() == len(values):
            missed.append(f"{score} n/a")
        elif held < len(values):
            missed.append(f"{score} from {low:g} to {high:g}: {held} of {len(values)}")
    return "; ".join(missed) or ("yes" if predicted else "")


def _summary(values: polars.Series) -> tuple[float, ...]:
    found = values.to_numpy()
    return tuple(round(float(one), 2) for one in (found.min(), found.max(), found.mean()))


OPTIMISERS = re.compile(r"(<!-- optimisers -->\n).*?(<!-- /optimisers -->)", re.DOTALL)
COMPARED = "ppo", "dqn", "evolution"


def optimisers() -> Table:
    """What came of base optimisers in each world: outcomes of ordinary agents, and of controls."""
    numbers = polars.read_parquet(PUBLISHED.parents[1] / "base_optimisers" / "table.parquet")
    rows = [
        (environment, variant, *(_became(numbers, environment, agent, variant) for agent in COMPARED))
        for environment in numbers["environment"].unique().sort()
        for variant in ("ordinary", "control")
    ]
    return Table("Base optimisers", ("world", "agents", "PPO", "DQN", "evolution"), rows)


def _became(numbers: polars.DataFrame, environment: str, agent: str, variant: str) -> str:
    """Outcomes, the most frequent first, and the mean of TRAINED."""
    found = numbers.filter(environment=environment, agent=agent, variant=variant)
    became = Counter(found.unique("trial").sort("trial")["outcome"])
    trained = found.filter(score="TRAINED")["value"].to_numpy().mean()
    told = ", ".join(f"{count} {outcome}" for outcome, count in became.most_common())
    return f"{told} (TRAINED {trained:.2f})"


STORY = PAGE.with_name("what-is-a-mesa-optimiser.md")
PICTURES = re.compile(r"(<!-- picture (\w+) -->\n).*?(<!-- /picture -->)", re.DOTALL)
OF_LINEAGES = {
    "generations": """
![Weights of five drives over generations, and children and pleasure of a life, and a change](figures/generations.png)

Lineages of `modern-after`, a line for each seed: evolution goes on where the world has changed. Weights are means.

""",
    "shares": """
![TRUE against the share of modern lives in evolution, in two branches that begin apart](figures/shares.png)

A dot for each lineage, a line through the means. Those of the second branch evolved in the modern world, and then for a hundred
generations with this share of modern lives.

""",
    "lives": """
![The end of a life in an ancestral and a modern room, and bars for children and pleasure](figures/lives.png)

One genome, the mean of the last generation of a lineage of `drives`, in either world: the last steps of a life, and what came
of all of it. The bars are of 64 lives in these rooms: 0 is random play, the line is the optimum. In the report of the run, lives
can be watched step by step.

""",
    "instinct": """
![Two by two, short and long lives, fixed and drawn looks: what is learned, and modern children](figures/instinct.png)

Animals with a gene for each look beside what they learn (`instinct-short`, `instinct-long`, `instinct-drawn`); a dot for each
lineage. LEARNS is how much they gain by what they learned in their lives, TRUE is S of children in the modern world.

""",
    "learning": """
![Children over the course of a life: many soon after birth where it learns, few at any age if it forgets](figures/learning.png)

""",
}
"""By picture, what stands on a page as soon as it can be drawn."""
UNTIL = {
    "learning": """
![An ancestral and a modern room, with the ways of those who want children and of others](environments/sweet_tooth.svg)

"""
}
"""What stands there until then."""


def with_pictures(page: str) -> str:
    """The page with the pictures of lineages that can be drawn of what is published."""
    there = published()
    return PICTURES.sub(
        lambda found: (
            f"{found[1]}{(OF_LINEAGES if found[2] in there else UNTIL).get(found[2], '')}{found[3]}"
        ),
        page,
    )


def with_optimisers(page: str) -> str:
    """The page with the table of base optimisers as it is published."""
    return OPTIMISERS.sub(lambda found: f"{found[1]}{optimisers().markdown()}{found[2]}", page)


def with_lineages(page: str) -> str:
    """The page with the table of lineages as it is published."""
    return LINEAGES.sub(lambda found: f"{found[1]}{lineages().markdown()}{found[2]}", page)


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    for _, name, _ in MARKERS.findall(text):
        text = with_table(text, evolve(find_model(name)))
    PAGE.write_text(with_pictures(with_optimisers(with_lineages(text))), "utf-8")
    STORY.write_text(with_pictures(STORY.read_text("utf-8")), "utf-8")
