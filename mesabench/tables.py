"""A table of text, as a terminal or a page shows it."""

from collections.abc import Sequence
from typing import NamedTuple


class Table(NamedTuple):
    """A title, column heads and rows of text; how it is drawn is the reader's business."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table in GitHub's Markdown, without its title."""
        lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in (self.columns, *self.rows)]
        lines.insert(1, " | ".join("---" for _ in self.columns))
        return "".join(f"| {line} |\n" for line in lines)
