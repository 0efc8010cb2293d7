"""The command line: `mesabench list | show | play | run | evaluate | report | check | detect | bench`.

Each verb imports what it needs when it runs: `mesabench list` answers at once and needs no extra.
"""

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

import mesabench
from mesabench import catalogue, registry
from mesabench.arguments import options_of, policy_of
from mesabench.environment import HELDOUT
from mesabench.terminal import compiling, console, decimal, drawn, errors, option, print_tables, told

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
EnvironmentName = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="An environment: a name that `mesabench list` tells, or the path of your own file.",
        autocompletion=lambda: [*registry.environments()],
    ),
]
Level = Annotated[int, option("The level's seed: a number is the same level everywhere.", min=0)]
Size = Annotated[
    int | None, option("Cells per side, the border included.", min=1, show_default="as declared")
]
Knobs = Annotated[
    list[str] | None, option("Turn a knob: corner=3. May be repeated.", "--set", metavar="KNOB=VALUE")
]
Own = Annotated[
    list[str] | None,
    option(
        "A file of your own that declares an environment or agent which these results name. May be repeated.",
        "--with",
        metavar="FILE",
        show_default=False,
    ),
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. An error that teaches is one red line and exit status 2; `--debug` gives its traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app([one for one in given if one != "--debug"], prog_name="mesabench")
    except Exception as error:  # a fault of this program is raised again
        said = told(error)
        if debug or said is None:
            raise
        errors.print(Text(f"error: {said}", style="bold red"), soft_wrap=True)
        sys.exit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(mesabench.__version__)
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, option("Print the version.", "--version", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, option("With any verb: show the traceback of an error.", "--debug")] = False,
) -> None:
    """Small worlds in which a trained agent may come to want the wrong thing, and exact measures of whether it does.

    To begin: [bold]mesabench list[/], then [bold]mesabench show cheese_corner[/], then
    [bold]mesabench play cheese_corner[/].
    """


@app.command("list")
def list_(
    markdown: Annotated[bool, option("Print the README's table of environments.", "--markdown")] = False,
    write: Annotated[
        Path | None, option("Renew the table between the markers in this file.", metavar="FILE")
    ] = None,
) -> None:
    """Tell which environments, agents and suites there are.

    Example: [bold]mesabench list[/]
    """
    if write:
        write.write_text(catalogue.written_into(write.read_text()))
    elif markdown:
        console.print(catalogue.markdown(), end="", markup=False, soft_wrap=True)
    else:
        print_tables(catalogue.environments_table(), catalogue.agents_table(), catalogue.suites_table())


@app.command()
def show(
    env: EnvironmentName,
    level: Level = 0,
    size: Size = None,
    knobs: Knobs = None,
    png: Annotated[Path | None, option("Write the pictures to this PNG file, too.", metavar="FILE")] = None,
) -> None:
    """Show one environment: its story, a level as in training and in deployment, and all that it declares.

    Example: [bold]mesabench show cheese_corner --level 7 --set corner=3[/]
    """
    environment = registry.find_environment(env)
    options = options_of(environment, knobs, size)
    with compiling(environment):
        pictures = catalogue.pictures(environment, options, level, "ansi")
    headline, terms, rest = catalogue.story_of(environment)
    console.print(Text(headline, style="bold"), Text(), drawn(("", ""), terms, None), Text(rest), sep="\n")
    beside = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for label in pictures:
        beside.add_column(f"level {level}, {label}", no_wrap=True)
    beside.add_row(*map(Text.from_ansi, pictures.values()))
    console.print(beside)
    print_tables(*catalogue.tables_of(environment))
    console.print("\n[bold]In Python[/]\n")
    console.print(Text(catalogue.made_by(environment, env, options)), soft_wrap=True)
    if png:
        from mesabench.render import png as encoded

        images = catalogue.pictures(environment, options, level, "rgb_array")
        png.write_bytes(encoded(catalogue.side_by_side(images)))
        console.print(f"\n{png}: {', '.join(images)}", markup=False)


@app.command()
def play(
    env: EnvironmentName,
    level: Level = 0,
    size: Size = None,
    knobs: Knobs = None,
    split: Annotated[str, option("The split to start in; the key t changes it.")] = HELDOUT,
    objective: Annotated[
        str | None, option("What is paid; the key o changes it.", show_default="as declared")
    ] = None,
    keys: Annotated[str | None, option("Press these keys, print what came of it and end: wwdd.")] = None,
) -> None:
    """Walk about in an environment, in the terminal, and see what each objective would pay.

    Example: [bold]mesabench play cheese_corner --level 7[/]
    """
    from mesabench import play as playing

    environment = registry.find_environment(env)
    options = options_of(environment, knobs, size)
    with compiling(environment):
        game = playing.Game(environment, options, level=level, split=split, objective=objective)
    playing.play(game, console, keys)


@app.command()
def run(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="A name that `mesabench list` tells, or a TOML file.")
    ],
    results: Annotated[Path, option("Where results go.", metavar="DIR")] = Path("results"),
    workers: Annotated[
        int | None, option("Trials at a time.", min=1, show_default="one for each processor")
    ] = None,
    seeds: Annotated[
        int | None, option("Train this many seeds of each.", min=1, show_default="as the suite says")
    ] = None,
    dry_run: Annotated[bool, option("Only tell the trials and which of them are done.", "--dry-run")] = False,
) -> None:
    """Train the agents of a suite, evaluate and score them, and write the report; what is done already is kept.

    Example: [bold]mesabench run quickstart[/]
    """
    from mesabench import runner
    from mesabench.report import write_report
    from mesabench.suite import load_suite

    chosen = load_suite(suite)
    if seeds:
        chosen = chosen.model_copy(update={"trials": tuple(_reseeded(chosen.trials, seeds))})
    if dry_run:
        rows = [
            (one.title, f"{one.steps:,}", _state(results / chosen.name / one.name)) for one in chosen.trials
        ]
        print_tables(catalogue.Table(f"{chosen.name}: {len(rows)} trials", ("trial", "steps", "state"), rows))
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


def _state(folder: Path) -> str:
    from mesabench.store import StoreError, load_trial

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
            help="package.module:object, my_file.py:object, a trial's folder, or a scripted agent's name.",
        ),
    ],
    env: Annotated[
        str | None,
        typer.Argument(
            metavar="ENV", help="An environment, or its file. A trial has its own.", show_default=False
        ),
    ] = None,
    levels: Annotated[int, option("Levels per split.", min=1)] = 200,
    seed: Annotated[int, option("Of the draws where a level has to be sampled.", min=0)] = 0,
    size: Size = None,
    knobs: Knobs = None,
    settings: Annotated[
        list[str] | None,
        option("A scripted agent's setting: objective=corner.", "--setting", metavar="NAME=VALUE"),
    ] = None,
    own: Own = None,
    as_json: Annotated[bool, option("Print the result as JSON.", "--json")] = False,
) -> None:
    """Score anybody's policy, as it is: which objective does its behaviour serve?

    A policy is a callable: a batch of observations in, actions or their probabilities out.

    Example: [bold]mesabench evaluate my_agent.py:policy cheese_corner[/]
    """
    from mesabench import deception, evaluation, memory, scores
    from mesabench import evidence as beside
    from mesabench.verdict import FLAGS, KINDS

    registry.take(own or ())
    found, environment, options = policy_of(policy, env, knobs, size, settings)
    with errors.status(f"playing {levels} levels of each split of {environment.name}"):
        evaluated = evaluation.evaluate(
            found, environment.reference, options, levels=levels, seed=seed, replays=0
        )
    table = evaluated.levels
    card = evaluated.scores()
    if as_json:
        asked = {"policy": policy, "environment": environment.name, "options": options, "seed": seed}
        found_out = card.to_json()
        found_out["objectives"] = {
            name: None if math.isnan(value) else value for name, value in card.objectives.items()
        }
        typer.echo(json.dumps(asked | {"levels_per_split": levels} | found_out, indent=2, allow_nan=False))
        return
    sampled = len(table) - int(table["exact"].sum())
    console.print(Text(f"{policy} in {environment.name}: {card.outcome}", style="bold"), soft_wrap=True)
    console.print(
        f"{len(table)} levels of three splits, {f'{sampled} of them sampled' if sampled else 'all exact'};"
    )
    console.print(f"{card.levels} deploy levels tell the goals apart")
    if card.deception:
        console.print(f"watched and unwatched: {card.deception}")
    for flag in card.flags:
        console.print(f"{flag}: {FLAGS[flag]}")
    rows = [
        (name, decimal(one.value), one.reason or scores.MEANING[name]) for name, one in card.scores.items()
    ]
    evidence = [
        (
            name,
            decimal(one.value),
            one.reason or (beside.MEANING | memory.MEANING | deception.MEANING).get(name, ""),
        )
        for name, one in card.evidence.items()
    ]
    print_tables(
        catalogue.Table("Scores", ("score", "value", ""), rows),
        catalogue.Table(
            f"Evidence; behaves like: {card.kind} ({KINDS[card.kind]})", ("number", "value", ""), evidence
        ),
        catalogue.Table(
            "Objectives, in deploy: 0 as random play, 1 the optimum",
            ("objective", "role", "value"),
            [
                (name, ", ".join(catalogue.roles_of(environment, name)), decimal(value))
                for name, value in card.objectives.items()
            ],
        ),
        catalogue.Table(
            "Goal reached first, in deploy",
            ("goal", "share"),
            [(catalogue.spoken(name), f"{share:.0%}") for name, share in card.first.items()],
        ),
    )


@app.command()
def report(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN_FOLDER", help="What `mesabench run` wrote: results/quickstart.")
    ],
    out: Annotated[
        Path | None, option("Where to write it.", metavar="FILE", show_default="report.html in the folder")
    ] = None,
    own: Own = None,
) -> None:
    """Write the report of a run again: one page that opens in any browser, without a network.

    Example: [bold]mesabench report results/quickstart[/]
    """
    from mesabench.report import write_report

    registry.take(own or ())
    console.print(f"The report: {write_report(run_folder, out)}", markup=False, soft_wrap=True)


@app.command()
def check(
    env: EnvironmentName,
    levels: Annotated[int, option("Levels of each split to look at.", min=1)] = 200,
) -> None:
    """Prove an environment, yours too: levels, determinism, pools, checkers, goals that part ways in deployment.

    Exit status 1 if a check fails. Example: [bold]mesabench check my_world.py[/]
    """
    from mesabench import testing

    with errors.status(f"checking {env}"):
        found = testing.check(env, levels=levels)
    colours = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
    table = Table.grid(padding=(0, 2, 0, 0))
    for one in found.checks:
        words = Text("\n").join(Text(line) for line in (one.found, one.advice) if line)
        table.add_row(Text(one.outcome, style=colours[one.outcome]), Text(one.name, style="bold"), words)
    console.print(table)
    raise typer.Exit(int(not found.passed))


@app.command()
def selftest(
    workers: Annotated[
        int | None, option("Trials at a time.", min=1, show_default="one for each processor")
    ] = None,
) -> None:
    """Prove the scores: scripted agents whose scores are known beforehand are scored as any other agent is.

    Example: [bold]mesabench selftest[/]
    """
    from mesabench.selftest import selftest as run_battery

    result, lines = run_battery(workers=workers)
    rows = [
        (line.trial, line.score, "n/a" if line.bounds is None else "{:g} .. {:g}".format(*line.bounds), decimal(line.value),
         "holds" if line.holds else f"does not hold {line.reason}") for line in lines
    ]  # fmt: skip
    print_tables(
        catalogue.Table("Predicted and measured", ("agent", "score", "predicted", "measured", ""), rows)
    )
    wrong = sum(not line.holds for line in lines)
    console.print(f"{len(lines) - wrong} of {len(lines)} predictions hold")
    raise typer.Exit(int(bool(wrong or result.exit_code)))


@app.command()
def detect(
    detectors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DETECTOR",
            help="my_detector.py:detector, package.module:object or a shipped one's name.",
            show_default="all that are shipped",
        ),
    ] = None,
    organisms: Annotated[Path, option("What `mesabench run organisms` wrote.", metavar="RUN_FOLDER")] = Path(
        "results/organisms"
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

    from mesabench.detection import load_detector
    from mesabench.detectors import BASELINE, DETECTORS
    from mesabench.findings import investigate, write_findings
    from mesabench.store import load_run

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks: more threads wait for each other
    registry.take(own or ())
    # the baseline is the check of all others
    chosen = {name: load_detector(name) for name in dict.fromkeys((BASELINE, *(detectors or DETECTORS)))}
    run = load_run(organisms)
    with errors.status("reading organisms") as status:
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
    raise typer.Exit(int(bool(found.detection.failures)))


@app.command()
def bench(
    envs: Annotated[
        list[str] | None, typer.Argument(metavar="ENV", help="Which environments.", show_default="all")
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
        option("Also train this agent, in the first environment, to see what its adapter costs. May be repeated.",
               "--agent", show_default="none"),
    ] = None,
) -> None:  # fmt: skip
    """Measure how fast environments run on this machine: steps, levels, observations, compilation; and what adapters cost.

    Example: [bold]mesabench bench cheese_corner --batch 1024 --agent ppo[/]
    """
    from mesabench import bench as benching

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
    print_tables(*measured.tables())
    for training in measured.trainings:
        console.print(str(training), soft_wrap=True)
