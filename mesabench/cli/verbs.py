"""The command line: its verbs, and how a command begins and ends.

Each verb imports what it needs when it runs: `mesabench list` answers at once and needs no extra.
"""

import sys
import warnings
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

import mesabench
from mesabench.cli.experiments import detect, evolve, selftest
from mesabench.cli.options import option
from mesabench.cli.output import Status, console, errors, set_streams, set_suspension, told, warn
from mesabench.cli.runs import evaluate, merge, report, run
from mesabench.cli.worlds import bench, check, list_, play, show

app = typer.Typer(
    epilog="Exit status: " + "; ".join(f"{status.value} {status.meaning}" for status in Status),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends with one of `Status`.

    A mistake of the user's, in a file of theirs too, is one red line; `--debug` gives its traceback.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    set_streams()
    set_suspension()
    warnings.showwarning = lambda message, *where: warn([str(message)])
    try:
        app([one for one in given if one != "--debug"], prog_name="mesabench")
    except Exception as error:  # a fault of this program is raised again
        said = told(error)
        if debug or said is None:
            raise
        errors.print(Text(f"error: {said}", style="bold red"), soft_wrap=True)
        sys.exit(Status.MISTAKE)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(mesabench.__version__)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, option("Print the version.", "--version", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, option("With any command: show the traceback of an error.", "--debug")] = False,
) -> None:
    """Small worlds in which a trained agent may learn the wrong goal, and exact measures of whether it did.

    To begin: [bold]mesabench list[/], then [bold]mesabench show cheese_corner[/], then
    [bold]mesabench play cheese_corner[/].
    """


VERBS = (
    list_,
    show,
    play,
    run,
    merge,
    evaluate,
    report,
    check,
    selftest,
    detect,
    evolve,
    bench,
)
"""In the order of `mesabench --help`."""
for verb in VERBS:
    app.command(verb.__name__.removesuffix("_"))(verb)
