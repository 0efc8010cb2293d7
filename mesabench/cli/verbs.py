"""The command line: `mesabench list | show | play | run | evaluate | report | check | detect | evolve | bench`.

Each verb imports what it needs when it runs: `mesabench list` answers at once and needs no extra.

Longer than other modules: a flat list of verbs, each a few lines with the texts of its options.
"""

import dataclasses
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

import mesabench
from mesabench import catalogue, registry, tables
from mesabench.cli.arguments import options_of, policy_of, values_of
from mesabench.cli.output import (
    Status,
    compiling,
    completing,
    console,
    counting,
    decimal,
    drawn,
    entries,
    errors,
    option,
    print_beside,
    print_json,
    print_tables,
    set_streams,
    set_suspension,
    told,
    warn,
)
from mesabench.disk import RUNS, save_file
from mesabench.engine.distribution import distribution, distribution_of
from mesabench.policies.agent import Task
from mesabench.world.environment import HELDOUT

app = typer.Typer(
    epilog="Exit status: " + "; ".join(f"{status.value} {status.meaning}" for status in Status),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
EnvironmentName = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="An environment: a name from `mesabench list`, or the path of your own file.",
        autocompletion=completing(registry.environments),
    ),
]
Level = Annotated[int, option("Seed of the level: the same seed is the same level on every machine.", min=0)]
Size = Annotated[int | None, option("Cells per side, walls included.", min=1, show_default="as declared")]
Knobs = Annotated[
    list[str] | None,
    option("Set a knob: size=9. A knob in which splits differ is set for train only: corner=3. For deploy: deploy.corner=0. "
           "sight=5x5 or sight=rgb: what the agent sees. May be repeated.", "--set", metavar="KNOB=VALUE"),
]  # fmt: skip
Own = Annotated[
    list[str] | None,
    option(
        "A file of your own that declares an environment or agent which these results name. May be repeated.",
        "--with",
        metavar="FILE",
        show_default=False,
    ),
]


class Device(StrEnum):
    """Where environments run."""

    CPU, CUDA = "cpu", "cuda"


AsJson = Annotated[bool, option("Print the result as JSON.", "--json")]


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


@app.command("list")
def list_(
    markdown: Annotated[bool, option("Print the README's table of environments.", "--markdown")] = False,
    write: Annotated[
        Path | None, option("Renew the table between the markers in this file.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List all environments, agents, suites and population models.

    Example: [bold]mesabench list[/]
    """
    if as_json:
        from mesabench.cli import facts

        print_json(facts.listed())
    elif write:
        save_file(write, catalogue.written_into(write.read_text("utf-8")).encode())
    elif markdown:
        console.print(catalogue.markdown(), end="", markup=False, soft_wrap=True)
    else:
        from mesabench.evolution.models import models

        rows = [(one.name, one.title) for one in models().values()]
        print_tables(catalogue.environments_table(), catalogue.agents_table(), catalogue.suites_table(),
                     tables.Table("Population models", ("model", "in a sentence"), rows))  # fmt: skip


@app.command()
def show(
    env: EnvironmentName,
    level: Level = 0,
    size: Size = None,
    knobs: Knobs = None,
    png: Annotated[Path | None, option("Write the pictures to this PNG file, too.", metavar="FILE")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one environment: its story, one level before and after the shift, and everything that it declares.

    Example: [bold]mesabench show cheese_corner --level 7 --set corner=3[/]
    """
    environment = registry.find_environment(env)
    levels = distribution_of(environment, options_of(environment, knobs, size))
    if png and (png.is_dir() or not png.parent.is_dir()):
        raise ValueError(
            f"--png {png}: must be a file in a folder that is there, as in --png {environment.name}.png"
        )
    with compiling(environment):
        starts = catalogue.beginnings(levels, level)
    if png:
        from mesabench.pictures.render import png as encoded

        images = catalogue.pictures(levels, level, "rgb_array")
        save_file(png, encoded(catalogue.side_by_side(images)))
    warn(catalogue.alike_words(levels))
    if as_json:
        from mesabench.cli import facts

        print_json(facts.declared(levels, level))
        return
    title, terms, rest = catalogue.story_of(environment)
    console.print(Text(title, style="bold"), Text(), drawn(("", ""), terms, None), Text(rest), sep="\n")
    console.print(f"[bold]Level {level}[/]")
    print_beside({catalogue.headed(split): Text.from_ansi(one.render()) for split, one in starts.items()})
    console.print()
    console.print(
        entries(
            catalogue.legend(environment, [one.batch.states[0]["grid"] for one in starts.values()]),
            console.width,
        )
    )
    print_tables(*catalogue.tables_of(levels))
    console.print("\n[bold]In Python[/]\n")
    console.print(Text(catalogue.made_by(levels, env)), soft_wrap=True)
    if png:
        console.print(f"\n{png}: {', '.join(images)}", markup=False, soft_wrap=True)


@app.command()
def play(
    env: EnvironmentName,
    level: Level = 0,
    size: Size = None,
    knobs: Knobs = None,
    split: Annotated[str, option("The split to begin in; the key t changes it.")] = HELDOUT,
    objective: Annotated[
        str | None, option("What is paid; the key o changes it.", show_default="as declared")
    ] = None,
    keys: Annotated[str | None, option("Press these keys, print the outcome and end: wwdd.")] = None,
) -> None:
    """Play an environment in the terminal, and see what each objective pays for what you do.

    Example: [bold]mesabench play cheese_corner --level 7[/]
    """
    from mesabench.cli import play as playing

    environment = registry.find_environment(env)
    levels = distribution_of(environment, options_of(environment, knobs, size))
    with compiling(environment):
        game = playing.Game(levels, level=level, split=split, objective=objective)
    playing.play(game, console, keys)


@app.command()
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
    dry_run: Annotated[bool, option("Only list the trials and which of them are done.", "--dry-run")] = False,
    as_json: Annotated[bool, option("With --dry-run: print the list as JSON.", "--json")] = False,
) -> None:
    """Train the agents of a suite, evaluate and score them, and write the report; what is done already is kept.

    Example: [bold]mesabench run quickstart[/]
    """
    from mesabench.report import write_report
    from mesabench.runs import runner
    from mesabench.runs.published import refuse_published
    from mesabench.runs.suite import load_suite

    chosen = load_suite(suite)
    if seeds:
        chosen = chosen.model_copy(update={"trials": tuple(_reseeded(chosen.trials, seeds))})
    if not chosen.trials:
        raise ValueError(f"the suite {suite} names no trials: there is nothing to run")
    refuse_published(results / chosen.name)
    if as_json and not dry_run:
        raise ValueError("--json goes with --dry-run; what a run finds out is in its folder, as files")
    for words in dict.fromkeys(_alike(chosen.trials)):
        warn([words])
    if dry_run and as_json:
        states = {
            one.name: {
                "title": one.title,
                "steps": one.steps,
                "state": _state(results / chosen.name / one.name),
            }
            for one in chosen.trials
        }
        print_json({"suite": chosen.name, "description": chosen.description, "trials": states})
        return
    if dry_run:
        rows = [
            (one.title, f"{one.steps:,}", _state(results / chosen.name / one.name)) for one in chosen.trials
        ]
        title = f"{chosen.name}: {len(rows)} trials, {sum(one.steps for one in chosen.trials):,} steps"
        print_tables(tables.Table(title, ("trial", "steps", "state"), rows))
        return
    result = runner.run_suite(chosen, results, workers=workers, console=console)
    if result.finished + result.kept:
        console.print(f"The report: {write_report(result.folder)}", markup=False, soft_wrap=True)
    raise typer.Exit(result.exit_code)


def _reseeded(trials: Iterable[Any], seeds: int) -> Iterable[Any]:
    """The same populations with the seeds 0 .. seeds - 1."""
    for trial in {trial.population: trial for trial in trials}.values():
        for seed in range(seeds):
            yield type(trial)(**{**trial.model_dump(), "seed": seed})


def _alike(trials: Iterable[Any]) -> Iterable[str]:
    """What to warn of before a suite is run."""
    for one in trials:
        environment = registry.find_environment(one.environment)
        for words in catalogue.alike_words(Task(environment, one.options).distribution):
            yield f"{one.environment} {one.variant}: {words}"


def _state(folder: Path) -> str:
    from mesabench.runs.trial_folder import StoreError, load_trial

    if not folder.exists():
        return "to do"
    try:
        return f"done, {load_trial(folder).scores.outcome}"
    except StoreError as error:
        return f"to do again: {error}"


@app.command()
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


@app.command()
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


@app.command()
def check(
    env: EnvironmentName,
    levels: Annotated[int, option("Levels of each split to look at.", min=1)] = 200,
    as_json: AsJson = False,
) -> None:
    """Check an environment, yours too: levels, determinism, disjoint pools, Gymnasium's checker, goals that conflict in deploy.

    Exit status 1 if a check fails. Example: [bold]mesabench check my_world.py[/]
    """
    from mesabench import testing

    with errors.status(f"checking {env}"):
        found = testing.check(env, levels=levels)
    warn(catalogue.alike_words(distribution(env)))
    if as_json:
        from mesabench.cli import facts

        print_json(facts.checked(found, levels))
        raise typer.Exit(Status.DONE if found.passed else Status.FAILED)
    colours = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
    table = Table.grid(padding=(0, 2, 0, 0))
    for one in found.checks:
        words = Text("\n").join(Text(line) for line in (one.found, one.advice) if line)
        table.add_row(Text(one.outcome, style=colours[one.outcome]), Text(one.name, style="bold"), words)
    console.print(table)
    raise typer.Exit(Status.DONE if found.passed else Status.FAILED)


@app.command()
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
        (line.trial, line.score, "n/a" if line.bounds is None else "{:g} .. {:g}".format(*line.bounds), decimal(line.value),
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


@app.command()
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


@app.command()
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


@app.command()
def bench(
    envs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ENV",
            help="Which environments.",
            show_default="all",
            autocompletion=completing(registry.environments),
        ),
    ] = None,
    size: Size = None,
    batches: Annotated[
        list[int] | None,
        option(
            "Environments at a time. May be repeated.", "--batch", min=1, show_default="1, 64, 1024, 8192"
        ),
    ] = None,
    threads: Annotated[
        list[int] | None, option("Threads. May be repeated.", min=1, show_default="1 and 2")
    ] = None,
    seconds: Annotated[float, option("How long to measure each batch size.", min=0.01)] = 1.0,
    agents: Annotated[
        list[str] | None,
        option("Also train this agent, in the first environment, and measure what its adapter costs. May be repeated.",
               "--agent", show_default="none", autocompletion=completing(registry.agents)),
    ] = None,
    device: Annotated[
        Device, option("Where environments run; `cuda`, an NVIDIA GPU, needs the extra mesabench[cuda].")
    ] = Device.CPU,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Measure speed on this machine: steps, levels and observations per second, compilation, and what adapters cost.

    Example: [bold]mesabench bench cheese_corner --batch 1024 --agent ppo[/]
    """
    if device == Device.CUDA:
        if threads or agents:
            raise ValueError("--threads and --agent measure the processor: leave them out with --device cuda")
        from mesabench.cli import cuda_bench

        with errors.status("measuring") as status:
            on_device = cuda_bench.bench(
                envs or (),
                batch_sizes=batches or cuda_bench.BATCH_SIZES,
                size=size,
                seconds=seconds,
                progress=status.update,
            )
        if as_json:
            print_json(dataclasses.asdict(on_device))
        else:
            print_tables(on_device.table())
        return
    from mesabench.cli import bench as benching

    with errors.status("measuring") as status:
        measured = benching.bench(
            envs or (),
            batch_sizes=batches or benching.BATCH_SIZES,
            threads=threads or benching.THREADS,
            size=size,
            seconds=seconds,
            agents=agents or (),
            progress=status.update,
        )
    if as_json:
        from mesabench.cli import facts

        print_json(facts.measured(measured))
        return
    print_tables(*measured.tables())
    for training in measured.trainings:
        console.print(str(training), soft_wrap=True)
