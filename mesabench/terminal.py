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
    return ownfile.told(error) or _uncompiled(error)


def _uncompiled(error: Exception) -> str | None:
    """What Numba says of rules of the user's own that it cannot compile, in one line; None for any other error."""
    modules = {
        str(frame.f_globals.get("__name__")).partition(".")[0] for frame, _ in walk_tb(error.__traceback__)
    }
    if "numba" not in modules or not ownfile.is_any_loaded():
        return None
    lines = [line.strip() for line in str(error).splitlines()]
    places = (re.fullmatch(r'File "(.+)", line (\d+):', line) for line in lines)
    theirs = [one for one in places if one and not os.path.abspath(one[1]).startswith(_OURS)]
    place = f"{theirs[-1][1]}, line {theirs[-1][2]}: " if theirs else ""
    said = [line for line in lines if line and not line.startswith("Failed in")] or [type(error).__name__]
    why = " ".join(said[: 2 if said[0].endswith(":") else 1])
    return f"{place}the rules do not compile: {why}; with NUMBA_DISABLE_JIT=1 they run as plain Python and say more"


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
