"""FIDELITY over the number of contracts of training: of PPO, of a lookup of the same contracts, and of a line between them."""

import json
from pathlib import Path

import polars
from drawing import GREY, styled
from matplotlib.figure import Figure

from mesabench.report.svg import INK, INTENDED, PROXY

TABLE = Path(__file__).parent.parent / "results" / "understanding" / "table.parquet"
WORLDS = {
    "executive_hiring": "executive_hiring: contracts between",
    "hiring_terms": "hiring_terms: rows never seen",
}
"""What is judged: the split that counts first in each."""
AGENT = "PPO"
CURVES = {
    AGENT: ("FIDELITY", PROXY, "o"),
    "lookup of the same contracts": ("FIDELITY LOOKUP", INTENDED, "s"),
    "line between them": ("FIDELITY LINEAR", GREY, "^"),
}
"""What the picture calls them -> score, colour, mark."""
LEARNED, ALL = "contracts", "all"


def fidelities(environment: str) -> polars.DataFrame:
    """A row for each number of contracts and score: `taught` (0 for all of them), `score`, `mean`, `low`, `high` over seeds."""
    return (
        polars.read_parquet(TABLE)
        .filter(
            polars.col("variant").str.starts_with(LEARNED),
            polars.col("value").is_not_null(),
            environment=environment,
            agent="ppo",
        )
        .with_columns(
            taught=polars.col("options").map_elements(lambda one: json.loads(one)["taught"], polars.Int64)
        )
        .group_by("taught", "score")
        .agg(
            mean=polars.col("value").mean(),
            low=polars.col("value").min(),
            high=polars.col("value").max(),
            seeds=polars.len(),
        )
        .sort(polars.col("taught") == 0, "taught")
    )


def understanding() -> Figure:
    figure = Figure(figsize=(6.8, 3.2), dpi=100, facecolor="white", layout="constrained")
    for axes, (environment, title) in zip(figure.subplots(1, 2, sharey=True), WORLDS.items(), strict=True):
        found = fidelities(environment)
        for label, (score, colour, mark) in CURVES.items():
            own = found.filter(score=score)
            if label == AGENT:
                axes.fill_between(
                    range(len(own)), own["low"], own["high"], color=colour, alpha=0.15, linewidth=0
                )
            axes.plot(own["mean"], color=colour, marker=mark, markersize=5, label=label)
        styled(axes, title)
        axes.set_xticks(range(len(own)), [str(one or ALL) for one in own["taught"]])
        axes.set_xlabel("contracts in training", color=INK, fontsize=9)
    figure.axes[0].set(ylim=(-0.05, 1.03))
    figure.axes[0].set_ylabel("FIDELITY", color=INK, fontsize=9)
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(), frameon=False, labelcolor=INK, fontsize=9,
        loc="outside upper center", ncols=3,
    )  # fmt: skip
    return figure
