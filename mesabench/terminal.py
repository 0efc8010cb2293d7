"""How the command line speaks: options with their help, tables, errors in one line."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum
from traceback import walk_tb
from typing import Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from mesabench import catalogue
from mesabench.environment import Environment
from mesabench.render import filled

NARROW = 60  # columns of a terminal that are too few for tables of more than two
GAP = 3  # columns between pictures


class Status(IntEnum):
    """With what exit status a verb ends. The one place for it; `mesabench --help` prints this."""

    DONE = 0
    FAILED = 1
    MISTAKE = 2
    INTERRUPTED = 130
    UNREAD = 141

    @property
    def meaning(self) -> str:
        return {
            Status.DONE: "done",
            Status.FAILED: "a check, a prediction, a detector or a trial failed",
            Status.MISTAKE: "what was asked for is wrong or not there; nothing was done",
            Status.INTERRUPTED: "interrupted by Ctrl-C",
            Status.UNREAD: "nobody read the output to its end, as in `mesabench list | head -1`",
        }[self]


class Paper(Console):
    """A console; where nobody reads its output any more, the verb ends quietly."""

    def on_broken_pipe(self) -> None:
        leave_pipe()


def leave_pipe() -> None:
    """End with the status for it, and nothing said when Python flushes what nobody is going to read."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(Status.UNREAD)


console = Paper(highlight=False)
errors = Paper(highlight=False, stderr=True)


def option(help: str, *names: str, metavar: str | None = None, **settings: Any) -> Any:
    """An option of a verb."""
    return typer.Option(*names, help=help, metavar=metavar, **settings)


def teaches(error: Exception) -> bool:
    """Whether an error is a message to the user; others are faults of this program and need a traceback."""
    if isinstance(error, OSError):
        return True
    *_, (frame, _) = walk_tb(error.__traceback__)
    ours = str(frame.f_globals.get("__name__")).partition(".")[0] == "mesabench"
    message = isinstance(error, ValueError | LookupError | ImportError)
    return ours and message and not isinstance(error, KeyError | IndexError)


def blamed(error: Exception, words: Iterable[str]) -> str:
    """Where a fault lies in a file that the user named (`my_policy.py:policy`), and what it was given; '' if in none."""
    files = {os.path.abspath(word.rpartition(".py")[0] + ".py") for word in words if ".py" in word}
    place, seen = "", ""
    if isinstance(error, SyntaxError) and os.path.abspath(str(error.filename)) in files:
        place = f"{error.filename}, line {error.lineno}"
    for frame, line in walk_tb(error.__traceback__):
        if os.path.abspath(frame.f_code.co_filename) in files:
            place = f"{frame.f_code.co_filename}, line {line}"
            given = frame.f_locals.get("observations", seen)
            seen = f" (given observations {given.dtype} {given.shape})" if hasattr(given, "dtype") else seen
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (
        place
        and f"{place}: {type(error).__name__}: {' ... '.join(dict.fromkeys([*lines[:1], *lines[-1:]]))}{seen}"
    )


def completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Completes an argument by names that are looked up only then."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


def print_json(found: Mapping[str, Any]) -> None:
    """One object on standard output, the same for every verb: what things are called are keys, what is not a number is null."""
    try:
        typer.echo(json.dumps(_finite(found), indent=2, allow_nan=False))
    except BrokenPipeError:
        leave_pipe()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def warn(lines: Iterable[str]) -> None:
    for line in lines:
        errors.print(Text(f"warning: {line}", style="yellow"), soft_wrap=True)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A count and the time that is left, on standard error where it is a terminal; yields progress(done, of how many)."""
    if not errors.is_terminal:
        yield lambda done, total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=errors, transient=True) as progress:
        line = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(line, completed=done, total=total)


def set_streams() -> None:
    """Let no character stop a verb that the output cannot encode: it becomes a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def print_tables(*tables: catalogue.Table) -> None:
    for table in tables:
        console.print(f"\n[bold]{table.title}[/]")
        # into a file or a pipe a table goes as wide as it is: nobody can widen that window
        paper = console if console.is_terminal else Paper(highlight=False, width=1000)
        if table.rows and len(table.columns) > 2 and paper.width < NARROW:
            for first, *rest in table.rows:
                paper.print(
                    Text(first, style="bold"),
                    Padding(Text("\n").join(map(Text, filter(None, rest))), (0, 0, 0, 2)),
                )
        else:
            paper.print(drawn(table.columns, table.rows) if table.rows else "none")


def print_beside(blocks: Mapping[str, Text]) -> None:
    """Pictures side by side, each below its title, in as many rows as the terminal's width takes; none is cut off."""
    rows: list[dict[str, Text]] = []
    room = 0
    for title, block in blocks.items():
        width = max(len(title), *(line.cell_len for line in block.split("\n"))) + GAP
        if room < width - GAP:
            rows.append({})
            room = console.width
        rows[-1][title] = block
        room -= width
    for row in rows:
        console.print()
        if len(row) == 1:  # however wide it is
            for title, block in row.items():
                console.print(Text(title, style="bold"), block, sep="\n", soft_wrap=True)
            continue
        beside = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
        for title in row:
            beside.add_column(title, no_wrap=True)
        beside.add_row(*row.values())
        console.print(beside)


def entries(words: Iterable[str], width: int) -> Text:
    """Short entries, three blanks between them, on as many lines as they take."""
    lines = filled(((cell_len(one), one) for one in words), width, gap=3)
    return Text("\n".join(lines), style="dim")


def drawn(columns: Sequence[str], rows: Iterable[Sequence[str]], lines: Any = box.SIMPLE_HEAD) -> Table:
    """A table for the terminal, the first column in bold; `lines` is one of rich's boxes, or None."""
    table = Table(box=lines, show_header=any(columns), header_style="dim", padding=(0, 1), pad_edge=False)
    for k, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=k == 0, style="" if k else "bold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def compiling(environment: Environment) -> AbstractContextManager[Any]:
    """Say why the first look at an environment takes a moment."""
    return errors.status(f"compiling the rules of {environment.name} (the first time only)")


def decimal(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"
