"""How the command line speaks: options with their help, tables, errors in one line."""

import math
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from traceback import walk_tb
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mesabench import catalogue
from mesabench.environment import Environment

console = Console(highlight=False)
errors = Console(highlight=False, stderr=True)


def option(help: str, *names: str, metavar: str | None = None, **settings: Any) -> Any:
    """An option of a verb."""
    return typer.Option(*names, help=help, metavar=metavar, **settings)


def teaches(error: Exception) -> bool:
    """Whether an error is a message to the user; others are faults, in this program or in a policy, and need a traceback."""
    if isinstance(error, OSError):
        return True
    *_, (frame, _) = walk_tb(error.__traceback__)
    ours = str(frame.f_globals.get("__name__")).partition(".")[0] == "mesabench"
    message = isinstance(error, ValueError | LookupError | ImportError)
    return ours and message and not isinstance(error, KeyError | IndexError)


def print_tables(*tables: catalogue.Table) -> None:
    for table in tables:
        console.print(f"\n[bold]{table.title}[/]")
        # into a file or a pipe a table goes as wide as it is: nobody can widen that window
        paper = console if console.is_terminal else Console(highlight=False, width=1000)
        paper.print(drawn(table.columns, table.rows) if table.rows else "none")


def drawn(columns: Sequence[str], rows: Iterable[Sequence[str]], lines: Any = box.SIMPLE_HEAD) -> Table:
    """A table for the terminal, the first column in bold; `lines` is one of rich's boxes, or None."""
    table = Table(box=lines, show_header=any(columns), header_style="dim", padding=(0, 1), pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, no_wrap=k == 0, style="" if k else "bold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def compiling(environment: Environment) -> AbstractContextManager[Any]:
    """Say why the first look at an environment takes a moment."""
    return errors.status(f"compiling the rules of {environment.name} (the first time only)")


def decimal(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"
