"""Verbs about agents that act: `mesabench run | merge | evaluate | report`."""

from collections.abc import Iterable
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from mesabench import catalogue, registry, tables
from mesabench.cli.arguments import policy_of
from mesabench.cli.options import AsJson, Knobs, Own, Size, completing, option
from mesabench.cli.output import Status, console, counting, errors, print_json, print_tables, warn
from mesabench.disk import RUNS
from mesabench.policies.agent import Task

if TYPE_CHECKING:
    from mesabench.runs.trial import Trial


def run(
    suite: Annotated[
        str,
        typer.Argument(
            metavar="SUITE",
            help="A name from `mesabench list`, or a TOML file.",
            autocompletion=completing(catalogue.suites),
        ),
    ],
    results: Annotated[
        Path, option("Where results go, into a folder of the suite's name.", metavar="DIR")
    ] = RUNS,
    workers: Annotated[
        int | None, option("Trials at a time.", min=1, show_default="one for each processor")
    ] = None,
    seeds: Annotated[
        int | None, option("Train this many seeds of each.", min=1, show_default="as the suite says")
    ] = None,
    on: Annotated[
        str | None,
        option(
            "Run on Ray: `ray` for one of its own on this machine, `auto`, HOST:PORT or ray://HOST:PORT for a cluster.",
            metavar="ADDRESS",
            show_default="processes of this machine",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        option(
            "Run this part of the suite only: 3/16 is the third of sixteen. `mesabench merge` puts them together.",
            metavar="K/N",
            show_default="all of it",
        ),
    ] = None,
    dry_run: Annotated[bool, option("Only list the trials and which of them are done.", "--dry-run")] = False,
    as_json: Annotated[bool, option("With --dry-run: print the list as JSON.", "--json")] = False,
) -> None:
    """Train the agents of a suite, evaluate and score them, and write the report; what is done already is kept.

    Example: [bold]mesabench run quickstart[/]
    """
    from mesabench.report import write_report
    from mesabench.runs import runner
    from mesabench.runs.published import refuse_published
    from mesabench.runs.shard import Shard
    from mesabench.runs.suite import load_suite

    part = None if shard is None else Shard.parse(shard)
    chosen = load_suite(suite)
    if seeds:
        again = [one.model_copy(update={"seed": 0}) for one in chosen.replicates]
        first = {one.name: one for one in again}.values()
        replicates = [one.model_copy(update={"seed": seed}) for one in first for seed in range(seeds)]
        chosen = chosen.model_copy(
            update={"trials": tuple(_reseeded(chosen.trials, seeds)), "replicates": tuple(replicates)}
        )
    if not chosen.jobs:
        raise ValueError(f"the suite {suite} names no trials: there is nothing to run")
    folder = part.folder(results, chosen.name) if part else results / chosen.name
    jobs = part.jobs(chosen.jobs) if part else chosen.jobs
    refuse_published(folder)
    if as_json and not dry_run:
        raise ValueError("--json goes with --dry-run; what a run finds out is in its folder, as files")
    for words in dict.fromkeys(_alike(chosen.trials)):
        warn([words])
    if dry_run and as_json:
        states = {
            one.name: {
                "title": one.title,
                "steps": one.steps,
                "state": _state(folder / one.name),
            }
            for one in jobs
        }
        print_json({"suite": chosen.name, "description": chosen.description, "trials": states})
        return
    if dry_run:
        rows = [(one.title, f"{one.steps:,}", _state(folder / one.name)) for one in jobs]
        title = f"{folder.name}: {len(rows)} trials, {sum(one.steps for one in jobs):,} steps"
        print_tables(tables.Table(title, ("trial", "steps", "state"), rows))
        return
    result = runner.run_suite(chosen, results, workers=workers, shard=part, on=on, console=console)
    if part:
        pattern = part.siblings(results, chosen.name)
        console.print(f"When all shards are done: mesabench merge {pattern}", markup=False, soft_wrap=True)
    elif result.finished + result.kept:
        console.print(f"The report: {write_report(result.folder)}", markup=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


def _reseeded(trials: Iterable["Trial"], seeds: int) -> Iterable["Trial"]:
    """The same populations with the seeds 0 .. seeds - 1."""
    for trial in {trial.population: trial for trial in trials}.values():
        for seed in range(seeds):
            yield type(trial)(**{**trial.model_dump(), "seed": seed})


def _alike(trials: Iterable["Trial"]) -> Iterable[str]:
    """What to warn of before a suite is run."""
    for one in trials:
        environment = registry.find_environment(one.environment)
        for words in catalogue.alike_words(Task(environment, one.settled()).distribution):
            yield f"{one.environment} {one.variant}: {words}"


def _state(folder: Path) -> str:
    from mesabench.runs.replicate import REPLICATE, load_replicate
    from mesabench.runs.trial_folder import StoreError, load_trial

    if not folder.exists():
        return "to do"
    try:
        if (folder / REPLICATE).exists():
            return f"done in {load_replicate(folder).seconds:.1f} s"
        return f"done, {load_trial(folder).scores.outcome}"
    except StoreError as error:
        return f"to do again: {error}"


def merge(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN_FOLDER", help="Folders of one suite's results: runs/core-*-of-16."),
    ],
    results: Annotated[
        Path, option("Where the whole goes, into a folder of the suite's name.", metavar="DIR")
    ] = RUNS,
    own: Own = None,
) -> None:
    """Put the results of a suite's shards together, and write the report.

    Exit status 1 if trials of the suite are missing. Example: [bold]mesabench merge runs/core-*-of-16[/]
    """
    from mesabench.report import write_report
    from mesabench.runs import merging

    registry.take(own or ())
    # not every shell expands patterns
    found = [path for given in runs for path in sorted(glob(str(given))) or [str(given)]]
    with errors.status("reading results"):
        merged = merging.merge(found, results)
    warn(f"damaged, and left out: {folder}: {reason}" for folder, reason in merged.broken)
    for line in merged.lines():
        console.print(line, markup=False, soft_wrap=True)
    if merged.added + merged.kept:
        console.print(f"The report: {write_report(merged.folder)}", markup=False, soft_wrap=True)
    raise typer.Exit(Status.FAILED if merged.missing else Status.DONE)


def evaluate(
    policy: Annotated[
        str,
        typer.Argument(
            metavar="POLICY",
            help="package.module:object, my_file.py:object, a trial's folder, or a scripted agent's name or file.",
            autocompletion=completing(catalogue.scripted),
        ),
    ],
    env: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV",
            help="An environment, or its file. A trial has its own.",
            show_default=False,
            autocompletion=completing(registry.environments),
        ),
    ] = None,
    levels: Annotated[int, option("Levels per split.", min=1)] = 200,
    seed: Annotated[int, option("Seed of the draws where a level has to be sampled.", min=0)] = 0,
    size: Size = None,
    knobs: Knobs = None,
    settings: Annotated[
        list[str] | None,
        option("A scripted agent's setting: objective=corner.", "--setting", metavar="NAME=VALUE"),
    ] = None,
    own: Own = None,
    as_json: AsJson = False,
) -> None:
    """Score any policy: which objective does its behaviour serve?

    A policy is a callable: a batch of observations in, actions or their probabilities out.

    Example: [bold]mesabench evaluate my_agent.py:policy cheese_corner[/]
    """
    from mesabench.cli import card as cards
    from mesabench.evaluation import evaluation

    registry.take(own or ())
    found, task = policy_of(policy, env, knobs, size, settings)
    environment = task.distribution.environment
    warn(catalogue.alike_words(task.distribution))
    with counting(f"levels of {environment.name}") as progress:
        evaluated = evaluation.evaluate(
            found,
            task.distribution,
            {"objective": task.paid},
            levels=levels,
            seed=seed,
            replays=0,
            progress=progress,
        )
    card = evaluated.scores()
    if as_json:
        asked = {"policy": policy, "environment": environment.name, "options": task.options, "seed": seed}
        print_json(asked | {"levels_per_split": levels} | card.to_json())
        return
    console.print(
        Text(f"{policy} in {environment.name}: {cards.headline(card)}", style="bold"), soft_wrap=True
    )
    for remark in cards.remarks(evaluated, card):
        console.print(remark, markup=False)
    print_tables(*cards.tables(evaluated, card))


def report(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN_FOLDER", help="What `mesabench run` wrote: runs/quickstart.")
    ],
    out: Annotated[
        Path | None, option("Where to write it.", metavar="FILE", show_default="report.html in the folder")
    ] = None,
    own: Own = None,
) -> None:
    """Write the report of a run again: one page that opens in any browser, without a network.

    Example: [bold]mesabench report runs/quickstart[/]
    """
    from mesabench.report import write_report

    registry.take(own or ())
    with errors.status(f"writing the report of {run_folder}"):
        page = write_report(run_folder, out)
    console.print(f"The report: {page}", markup=False, soft_wrap=True)
