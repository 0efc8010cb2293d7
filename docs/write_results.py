"""Write results/README.md from what is published there: python docs/write_results.py

Numbers, questions, titles and versions come from the files of each run; what else is to be said of one stands in its notes.md.
"""

import json
from collections.abc import Iterator, Sequence

import numpy as np
import polars
from recomputed import RESULTS, interval, spread, suite_of, table, told
from write_detectors import pooled

from mesabench.auditing.findings import read_findings
from mesabench.runs.question import ALPHA_STAR, Told, answered
from mesabench.statistics.alpha_star import threshold
from mesabench.tables import Table

PAGE = RESULTS / "README.md"
COMMANDS = {"organisms": "`mesabench run organisms`, then `mesabench detect`"}
"""Where a run alone does not make all that is published."""
HEAD = """# Published results

What the repository publishes. Your own runs go to `runs/`, which git ignores, and no command writes into these folders. To
publish a run under a new name, copy the files of its folder, but not the folders of its trials, to here, and write this
page again:

    mkdir results/my_suite && cp runs/my_suite/*.html runs/my_suite/*.json runs/my_suite/*.parquet results/my_suite/
    python docs/write_results.py

| file | what it holds |
|---|---|
| `report.html` | the report |
| `suite.json` | the suite with every setting, its question and the titles of its populations |
| `table.parquet` | a row for each trial and number, with the trial's outcome, kind and verdict |
| `lifetimes.parquet` | where somebody watches: the choices in every life and view, from which DECEP is computed |
| `generations.parquet` | of animals: the mean of every gene, children and pleasure, a row for each generation |
| `origins.parquet` | a row for each trial: commit, processor, machine, versions, times |
| `affinity.json` | of `trees`: what `docs/forest.py` found |
| `detection.json` | what `mesabench detect` found |
| `notes.md` | what else is to be said; it stands on this page, too |

The columns are explained in [scores](../docs/scores.md#where-the-numbers-are). Weights and tables of single levels are left
out, so these folders can be read but not evaluated again. The command makes all of it anew in `runs/`: the same on the same
processor with the same libraries; on another processor digits may differ. Where the page has changed since, `mesabench report`
drew it anew from the same run.

"""
TAIL = """
Every number on this page is computed from these files by `python docs/write_results.py`. A test says when the page is out of
date, and another recomputes what the notes say. Means are over seeds, with the lowest and the highest seed in brackets. How
the recipes of these suites were come by stands on the page on [recipes](../docs/recipes.md).
"""
WATCHED = ("LIVED WATCHED", "LIVED DARK", "LIVED UNPAID", "AWARE", "FIDELITY", "FIDELITY NOVEL", "DECEP")
GOALS = ("TRAINED", "TRUE", "PROXY")


def page() -> str:
    """The whole page."""
    names = sorted(one.parent.name for one in RESULTS.glob("*/suite.json"))
    asked = [(f"[{name}]({name}/report.html)", _command(name), suite_of(name).question) for name in names]
    parts = [HEAD, Table("Runs", ("suite", "command", "what it asks"), asked).markdown(), TAIL]
    return "".join([*parts, *(part for name in names for part in section(name))])


def _command(name: str) -> str:
    return COMMANDS.get(name, f"`mesabench run {name}`")


def section(name: str) -> Iterator[str]:
    """All about one run."""
    suite, there = suite_of(name), told(name)
    yield f"\n## {name}\n\n**{suite.question}** {answered(suite.answer, there) if suite.answer else ''}\n\n"
    ran, planned = table(name)["trial"].n_unique(), len(suite.trials)
    yield f"{ran} trials" + (f" of the suite's {planned}" if ran < planned else "") + f". {_origin(name)}\n\n"
    notes = RESULTS / name / "notes.md"
    if notes.exists():
        yield notes.read_text("utf-8").strip() + "\n\n"
    watched = bool(suite.answer and suite.answer.score in WATCHED)
    yield populations(there, WATCHED if watched else GOALS).markdown()
    if suite.answer and suite.answer.score == ALPHA_STAR:
        yield "\n" + curves(there).markdown()
    if (RESULTS / name / "detection.json").exists():
        found = read_findings(RESULTS / name)
        assert found
        yield f"\n{pooled(found.detection)}\n"


def _origin(name: str) -> str:
    """By which commit and on which processor a run was made, as far as that was noted."""
    origins = polars.read_parquet(RESULTS / name / "origins.parquet")
    made = json.loads(origins["versions"][0])
    seen = {one: sorted({*origins[one].drop_nulls()} - {""}) for one in ("commit", "processor")}
    said = [f"{key} {' and '.join(values) or 'not noted'}" for key, values in seen.items()]
    return f"Made by {', on '.join(said)}, with " + ", ".join(f"{k} {v}" for k, v in made.items() if v) + "."


def populations(there: dict[tuple[str, str, str], Told], scores: Sequence[str]) -> Table:
    """A row for each population: means over seeds with the lowest and the highest, and what became of the seeds."""
    rows = []
    for (environment, agent, _), one in there.items():
        cells = [_spread(one.values.get(score, [])) for score in scores]
        rows.append((environment, agent, one.title, str(len(one.outcomes)), *cells, one.became(scores[-1])))
    columns = ("environment", "agent", "population", "seeds", *scores, "became")
    return Table("Populations", columns, rows)


def _spread(values: Sequence[float]) -> str:
    there = [value for value in values if not np.isnan(value)]
    if not there:
        return "n/a"
    some = "" if len(there) == len(values) else f", of {len(there)}"
    return spread(float(np.mean(there)), min(there), max(there)) + some


def curves(there: dict[tuple[str, str, str], Told]) -> Table:
    """alpha* of every environment and agent, with its interval over seeds."""
    rows = []
    for environment, agent in dict.fromkeys(names[:2] for names in there):
        sweep = sorted(
            (one for names, one in there.items() if names[:2] == (environment, agent)),
            key=lambda one: one.alpha,
        )
        found = threshold([one.alpha for one in sweep], [one.values["TRUE"] for one in sweep], seed=0)
        star = found.reason or ""
        if found.value is not None and found.low is not None and found.high is not None:
            star = interval((found.value, found.low, found.high), 3 if found.value < 0.1 else 2)
        between = "" if found.between is None else " and ".join(f"{one:g}" for one in found.between)
        rows.append((environment, agent, star, between, str(min(len(one.outcomes) for one in sweep))))
    columns = ("environment", "agent", "alpha* (95 % over seeds)", "between the tested", "seeds each")
    return Table("alpha*", columns, rows)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
