"""Write the tables of evolution.md, as `mesabench evolve` prints them: python docs/evolution_tables.py"""

import re
from pathlib import Path

from mesabench.evolution.model import Outcomes, evolve
from mesabench.evolution.models import find_model

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


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    for _, name, _ in MARKERS.findall(text):
        text = with_table(text, evolve(find_model(name)))
    PAGE.write_text(text, "utf-8")
