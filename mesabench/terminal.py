"""How the command line speaks: options with their help, tables, errors in one line."""

import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from traceback import walk_tb
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import mesabench
from mesabench import catalogue, ownfile
from mesabench.environment import Environment
from mesabench.whole import whole_text

console = Console(highlight=False)
errors = Console(highlight=False, stderr=True)
_OURS = os.path.dirname(mesabench.__file__) + os.sep


def option(help: str, *names: str, metavar: str | None = None, **settings: Any) -> Any:
    """An option of a verb. One with a whole number as `min` is a whole number, which may be written 1e5, too."""
    if isinstance(settings.get("min"), int):
        least = settings.pop("min")
        settings["parser"] = _whole_from(least)
        metavar = metavar or f"<int from {least}>"
    return typer.Option(*names, help=help, metavar=metavar, **settings)


def _whole_from(least: int) -> Callable[[Any], int]:
    def parse(given: Any) -> int:
        try:
            return whole_text(str(given), least)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse


def told(error: Exception) -> str | None:
    """What an error tells the user in one line; None for a fault of this program, which needs a traceback.

    A message of ours is told as it is. Of an error in a file of the user's own, the file and the line are told, too.
    """
    if isinstance(error, OSError):
        return str(error)
    *_, (frame, _) = walk_tb(error.__traceback__)
    ours = str(frame.f_globals.get("__name__")).partition(".")[0] == "mesabench"
    message = isinstance(error, ValueError | LookupError | ImportError)
    if ours and message and not isinstance(error, KeyError | IndexError):
        return str(error)
    if type(error).__module__.startswith("numba."):
        return _uncompiled(str(error))
    return ownfile.told(error)


def _uncompiled(text: str) -> str | None:
    """Numba's pages on rules that it cannot compile, in one line; None where it names no file that is not ours."""
    places = re.findall(r'File "(.+?)", line (\d+)', text)
    theirs = [(file, line) for file, line in places if not os.path.abspath(file).startswith(_OURS)]
    if not theirs:
        return None
    said = [line.strip() for line in text.splitlines()]
    why = next((line for line in said if line and not line.startswith(("Failed in nopython", "No implementation"))), "")
    file, line = theirs[-1]
    return f"{file}, line {line}: its rules do not compile: {why}"


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
