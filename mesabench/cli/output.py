"""How the command line speaks: tables, JSON, errors in one line."""

import json
import math
import os
import re
import signal
import sys
import threading
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

import mesabench
from mesabench import ownfile, tables
from mesabench.pictures.text import filled
from mesabench.world.environment import Environment

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
            Status.MISTAKE: "what was asked for is wrong or does not exist; nothing was done",
            Status.INTERRUPTED: "interrupted by Ctrl-C",
            Status.UNREAD: "the program that reads the output ended first, as `head` does",
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
_OURS = os.path.dirname(mesabench.__file__) + os.sep


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
    """Let no character stop a verb that the output cannot encode: it becomes a question mark. What was closed is empty."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:  # whoever started us closed it, as `<&-` does
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, most likely its own
            os.set_inheritable(opened, opened == number)  # so that worker processes have it, too
            setattr(sys, name, os.fdopen(opened, mode))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def set_suspension() -> None:
    """Ctrl-Z while lines are drawn live, which hides the cursor: the shell gets it back."""
    if not hasattr(signal, "SIGTSTP") or threading.current_thread() is not threading.main_thread():
        return
    if (
        signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL
    ):  # whoever ignores it, as some shells do, goes on ignoring it
        signal.signal(signal.SIGTSTP, _suspend)


def _suspend(number: int, _: object) -> None:
    for one in (console, errors):
        one.show_cursor(True)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.signal(number, _suspend)  # reached when the shell goes on with us


def print_tables(*tables: tables.Table) -> None:
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
