"""Write the tables of evolution.md: python docs/evolution_tables.py

Those of population models as `mesabench evolve` prints them, those of lineages and of base optimisers from results/.
"""

import json
import re
from collections import Counter
from pathlib import Path

import polars

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
    PAGE.write_text(with_optimisers(with_lineages(text)), "utf-8")
