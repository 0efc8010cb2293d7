"""Values that print as tables: in a notebook as HTML, elsewhere as text."""

from collections.abc import Sequence
from html import escape
from itertools import zip_longest

Rows = Sequence[tuple[str, ...]]


class Tabular:
    """A value that is shown as a headline and a table; `repr` still tells everything."""

    def headline(self) -> str:
        """What it amounts to, in a line."""
        raise NotImplementedError

    def rows(self) -> Rows:
        """Rows of text: first those of the heads of the columns."""
        raise NotImplementedError

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows
        )
        return "\n".join([self.headline(), *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        def cells(row: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"

        heads, *rows = self.rows()
        body = "".join(cells(row, "td") for row in rows)
        return f"<p><b>{escape(self.headline())}</b></p><table>{cells(heads, 'th')}{body}</table>"


def decimal(value: float | None) -> str:
    """Two digits; - where there is no number."""
    return "-" if value is None or value != value else f"{value:.2f}"


def interval(value: float, low: float | None, high: float | None) -> str:
    """A mean, and its interval where there is one: `0.81 [0.70, 0.92]`."""
    return decimal(value) if low is None or high is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
