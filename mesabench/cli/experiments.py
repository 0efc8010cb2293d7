"""Verbs that hold something to what is expected of it: `mesabench selftest | detect | evolve`.

Scores, detectors, theories of evolution: each ends with status 1 where it does not hold.
"""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from mesabench import registry, tables
from mesabench.cli.arguments import values_of
from mesabench.cli.options import AsJson, Own, completing, option
from mesabench.cli.output import Status, console, counting, errors, print_json, print_tables, warn
from mesabench.disk import RUNS


def selftest(
    workers: Annotated[
        int | None, option("Trials at a time.", min=1, show_default="one for each processor")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the scores: score scripted agents of which it is known beforehand what must come out.

    Exit status 1 if a prediction fails. Example: [bold]mesabench selftest[/]
    """
    from mesabench.runs.selftest import selftest as run_battery

    result, lines = run_battery(workers=workers, console=errors if as_json else console)
    wrong = sum(not line.holds for line in lines)
    status = Status.FAILED if wrong and not result.exit_code else Status(result.exit_code)
    if as_json:
        from mesabench.cli import facts

        print_json(facts.predicted(lines))
        raise typer.Exit(status)
    rows = [
        (line.trial, line.score, line.predicted, line.measured,
         "holds" if line.holds else f"does not hold {line.reason}") for line in lines
    ]  # fmt: skip
    print_tables(
        tables.Table("Predicted and measured", ("agent", "score", "predicted", "measured", ""), rows)
    )
    console.print(f"{len(lines) - wrong} of {len(lines)} predictions hold")
    raise typer.Exit(status)


def _detectors() -> list[str]:
    from mesabench.auditing.detectors import DETECTORS

    return [*DETECTORS]


def detect(
    detectors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DETECTOR",
            help="my_detector.py:detector, package.module:object or a shipped one's name.",
            show_default="all that are shipped",
            autocompletion=completing(_detectors),
        ),
    ] = None,
    organisms: Annotated[Path, option("What `mesabench run organisms` wrote.", metavar="RUN_FOLDER")] = (
        RUNS / "organisms"
    ),
    tuning: Annotated[
        int | None, option("Seeds kept for tuning.", min=1, show_default="a third of them")
    ] = None,
    seed: Annotated[int, option("Of what detectors draw, and of the bootstrap.", min=0)] = 0,
    own: Own = None,
    as_json: Annotated[bool, option("Print the result as JSON.", "--json")] = False,
) -> None:
    """Put detectors to the test: do they tell agents with a planted goal from honest ones?

    Exit status 1 if a detector fails. Example: [bold]mesabench detect my_detector.py:detector flips[/]
    """

    from mesabench.auditing.detection import load_detector
    from mesabench.auditing.detectors import CHECK, DETECTORS
    from mesabench.auditing.findings import investigate, write_findings
    from mesabench.disk import sole_writer
    from mesabench.runs.published import refuse_published
    from mesabench.runs.store import load_run, require_run

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks: more threads wait for each other
    registry.take(own or ())
    # the manipulation check belongs to all others
    chosen = {name: load_detector(name) for name in dict.fromkeys((CHECK, *(detectors or DETECTORS)))}
    refuse_published(organisms)
    require_run(organisms, "organisms")
    with sole_writer(organisms), errors.status("reading organisms") as status:
        run = load_run(organisms)
        found = investigate(run, chosen, tuning=tuning, seed=seed, progress=status.update)
        path = write_findings(organisms, found)
    if as_json:
        typer.echo(found.json(), nl=False)
    else:
        print_tables(*found.tables())
        console.print(str(path), soft_wrap=True, highlight=False)
    for text in (*found.detection.uneven(), *found.detection.missing):
        errors.print(Text(text, style="yellow"), soft_wrap=True)
    if run.missing:
        errors.print(
            Text(f"{len(run.missing)} trials of {organisms} are not there, or damaged", style="yellow")
        )
    for name, reason in found.detection.failures.items():
        errors.print(Text(f"{name} {reason}", style="bold red"), soft_wrap=True)
    raise typer.Exit(Status.FAILED if found.detection.failures else Status.DONE)


def _models() -> list[str]:
    from mesabench.evolution.models import models

    return [*models()]


def evolve(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A population model: a name from `mesabench list`, or the path of your own file.",
            autocompletion=completing(_models),
        ),
    ],
    conditions: Annotated[
        list[str] | None,
        option("Run this condition, and its control. May be repeated.", "--condition", show_default="all"),
    ] = None,
    seeds: Annotated[int, option("Runs of each condition.", min=1)] = 8,
    knobs: Annotated[
        list[str] | None,
        option("Set a knob in every condition: capacity=200. What makes a control one stays. For after the world has changed: "
            "after.width=1.2. May be repeated.",
               "--set", metavar="KNOB=VALUE"),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Evolve a population model: every condition beside its control, on the same seeds.

    Exit status 1 if an exact prediction fails. Example: [bold]mesabench evolve irish_elk[/]
    """
    from mesabench.evolution.model import evolve as evolving
    from mesabench.evolution.models import find_model

    found = find_model(model)
    given = values_of(found.knobs, knobs, f"knob of {found.name}")
    with counting(f"runs of {found.name}") as progress:
        outcomes = evolving(found, conditions or (), seeds=seeds, knobs=given, progress=progress)
    if as_json:
        print_json(outcomes.json())
    else:
        console.print(Text(found.title, style="bold"), soft_wrap=True)
        print_tables(outcomes.table(), outcomes.legend())
    warn(line for lines in outcomes.remarks.values() for line in lines)
    raise typer.Exit(Status.FAILED if outcomes.failed else Status.DONE)
