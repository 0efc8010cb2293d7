"""Verbs about worlds: `mesabench list | show | play | check | bench`."""

import dataclasses
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from mesabench import catalogue, registry, tables
from mesabench.cli.arguments import options_of
from mesabench.cli.options import AsJson, EnvironmentName, Knobs, Level, Size, completing, option
from mesabench.cli.output import (
    Status,
    compiling,
    console,
    drawn,
    entries,
    errors,
    print_beside,
    print_json,
    print_tables,
    warn,
)
from mesabench.disk import save_file
from mesabench.engine.distribution import distribution, distribution_of
from mesabench.world.environment import HELDOUT
from mesabench.world.story import story_of


class Device(StrEnum):
    """Where environments run."""

    CPU, CUDA = "cpu", "cuda"


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
    title, terms, paragraphs = story_of(environment.story)
    rest = Text("\n\n".join(paragraphs))
    console.print(Text(title, style="bold"), Text(), drawn(("", ""), terms, None), rest, sep="\n")
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
    evaluation: Annotated[
        bool,
        option("Measure where the time of a trial goes instead: of `--agent`, by default ppo, in the first environment.",
               "--evaluation"),
    ] = False,
    markdown: Annotated[
        bool, option("Print the tables in Markdown, with machine, versions and what others publish.", "--markdown")
    ] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Measure speed on this machine: steps, levels and observations per second, compilation, and what adapters cost.

    Example: [bold]mesabench bench cheese_corner --batch 1024 --agent ppo[/]
    """
    if evaluation:
        if threads or batches or markdown or device == Device.CUDA:
            raise ValueError(
                "--evaluation measures a trial: leave out --threads, --batch, --markdown and --device"
            )
        from mesabench.runs.worker import ONE_THREAD

        os.environ.update(ONE_THREAD)  # as a trial runs; before PyTorch is imported
        from mesabench.cli import evaluation_bench

        sized = {} if size is None else {"size": size}
        with errors.status("measuring") as status:
            times = []
            for agent in agents or ["ppo"]:
                status.update(f"{agent}: a trial")
                times.append(evaluation_bench.measure(agent, (envs or ["cheese_corner"])[0], sized))
        if as_json:
            print_json({"trials": [dataclasses.asdict(one) for one in times]})
        else:
            print_tables(*(one.table() for one in times))
        return
    if device == Device.CUDA:
        if threads or agents or markdown:
            raise ValueError(
                "--threads, --agent and --markdown are about the processor: leave them out with --device cuda"
            )
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
    if markdown:
        from mesabench.cli import speed_page

        print(speed_page.page(measured))
        return
    print_tables(*measured.tables())
    for training in measured.trainings:
        console.print(str(training), soft_wrap=True)
