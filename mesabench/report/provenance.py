"""Where the numbers come from: what was run, with which versions, and what to type to have it again."""

from collections.abc import Callable, Collection, Sequence
from importlib.resources import files

from mesabench.disk import RUNS
from mesabench.report import words
from mesabench.runs.cohort import Population
from mesabench.runs.suite import Suite


def facts(populations: Sequence[Population]) -> list[tuple[str, str]]:
    """What was run, in a few words each."""
    trials = [trial for one in populations for trial in one.trials]
    if not trials:
        return []
    agents = words.listing(sorted({one.agent for one in populations}))
    seeds = _range({len(one.seeds) for one in populations})
    steps = {trial.trial.steps for one in populations if one.learns for trial in one.trials}
    rows = {count for trial in trials for count in trial.levels["split"].value_counts()["count"].to_list()}
    exact = all(seed.exact for one in populations for seed in one.seeds)
    days = sorted(
        {day.date().isoformat() for one in trials for day in (one.manifest.started, one.manifest.finished)}
    )
    return [
        (
            "Agents",
            f"{words.plural(len(trials), 'agent')} ({agents}), {words.plural(seeds, 'seed')} in each population",
        ),
        ("Training", f"{_range(steps, words.short_count)} steps each" if steps else "none"),
        ("Evaluation", f"{_range(rows)} levels of each split, {'all' if exact else 'not all'} exact"),
        ("When", " to ".join(dict.fromkeys((days[0], days[-1])))),
        ("Computing time", words.duration(sum(trial.manifest.seconds for trial in trials))),
    ]


def _range(numbers: Collection[float], say: Callable[[float], str] = str) -> str:
    low, high = min(numbers), max(numbers)
    return say(low) if low == high else f"{say(low)} to {say(high)}"


def commands(suite: Suite, populations: Sequence[Population]) -> list[tuple[str, str]]:
    """What to type to have it again, and what that does; what needs trials says which command makes them."""
    shipped = files("mesabench.configs").joinpath(f"{suite.name}.toml").is_file()
    run = f"mesabench run {suite.name if shipped else f'{suite.name}.toml'}"
    folder = (RUNS / suite.name).as_posix()
    found = [(run, "train, evaluate and score; what is finished is kept")]
    if populations:
        one = populations[0].trials[0]
        found.append(
            (f"mesabench evaluate {folder}/{one.name}", f"after `{run}`: score one of its agents again")
        )
    return [*found, (f"mesabench report {folder}", f"after `{run}`: write this page again")]


def versions(populations: Sequence[Population]) -> str:
    """The versions, commits and processors that the trials were made with, all of them where they differ."""
    seen: dict[str, set[str]] = {}
    for one in populations:
        for trial in one.trials:
            made = trial.manifest
            known = made.versions | {"commit": made.commit, "processor": made.processor}
            for name, version in known.items():
                if version:
                    seen.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in sorted(seen.items()))
