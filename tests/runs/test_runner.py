"""Running suites: in worker processes that fail, die, fill the disk or are interrupted, without harm to the others."""

import errno
import io
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mesabench.disk import new_folder
from mesabench.runs.execution import EVALUATING, TRAINING, Report, run_trial
from mesabench.runs.progress import Display, clock
from mesabench.runs.runner import Result, run_suite
from mesabench.runs.store import load_run
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import load_trial
from mesabench.runs.worker import ONE_THREAD, PROCESSES, log_of


def trial(seed: int, variant: str = "well", steps: int = 0, agent: str = "random") -> Trial:
    return Trial(
        environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent=agent, settings={}, steps=steps,
        seed=seed, variant=variant, evaluation=EvaluationSettings(levels=1),
    )  # fmt: skip


def as_its_name_says(trial: Trial, folder: Path, report: Report) -> None:
    """Runs a trial; its variant says what happens instead."""
    with (folder.parent / "begun.txt").open("a") as file:
        print(trial.seed, os.getpid(), file=file)
    report(TRAINING, trial.steps, {"return_mean": 0.5})
    match trial.variant:
        case "raises":
            print("before the fault")
            raise ValueError(f"no luck with seed {trial.seed}")
        case "is-killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leaves":
            os._exit(7)
        case "writes-nothing":
            return
        case "fills-the-disk":
            with new_folder(folder) as beside:
                (beside / "half").write_text("half")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case "interrupts" | "hangs":
            with new_folder(folder):
                if trial.variant == "interrupts":
                    os.kill(os.getppid(), signal.SIGINT)
                else:
                    (folder.parent / "hangs.txt").touch()
                time.sleep(60)
        case "looks-about":
            assert {name: os.environ[name] for name in ONE_THREAD} == ONE_THREAD
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            assert "torch" not in sys.modules
            run_trial(trial, folder, report)
        case _:
            run_trial(trial, folder, report)


@pytest.fixture(autouse=True)
def _workers_find_this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


def ran(results: Path, *trials: Trial, workers: int = 2) -> tuple[Result, str]:
    """Run trials as a suite; what became of it, and what was said."""
    said = io.StringIO()
    console = Console(file=said, width=200)
    suite = Suite(name="small", trials=trials)
    return run_suite(suite, results, workers=workers, console=console, run=as_its_name_says), said.getvalue()


def begun(results: Path) -> list[list[int]]:
    """(seed, process) of every trial that was begun, in order."""
    lines = (results / "small" / "begun.txt").read_text().splitlines()
    return [[int(word) for word in line.split()] for line in lines]


def folders(results: Path) -> list[str]:
    """What there is in the run's folder, but for the notes of this module."""
    return sorted(one.name for one in (results / "small").iterdir() if one.suffix != ".txt")


def test_a_run_keeps_what_is_finished_and_repeats_what_is_damaged(tmp_path: Path) -> None:
    before = dict(os.environ)
    trials = [trial(0, steps=10), trial(1, "looks-about", steps=30), trial(2, steps=20)]
    result, said = ran(tmp_path, *trials, workers=1)
    assert (result.finished, result.kept, result.failed, result.exit_code) == (3, 0, {}, 0), said
    assert dict(os.environ) == before
    files = ["origins.parquet", "suite.json", "table.parquet"]
    assert folders(tmp_path) == sorted([*(one.name for one in trials), *files])
    seeds, processes = zip(*begun(tmp_path), strict=True)
    assert seeds == (1, 2, 0), "the longest first"
    assert len(set(processes)) == 1, "one process for all"
    assert "[3/3] cheese_corner well random seed 0: " in said

    (tmp_path / "small" / trials[2].name / "scores.json").write_text("{}")
    result, said = ran(tmp_path, *trials)
    assert (result.finished, result.kept, result.exit_code) == (1, 2, 0)
    assert [seed for seed, _ in begun(tmp_path)[3:]] == [2]
    assert f"damaged: {trials[2].name}: scores.json was changed after it was written" in said
    assert load_trial(tmp_path / "small" / trials[2].name)

    result, _ = ran(tmp_path, *trials)
    assert (result.finished, result.kept, result.exit_code) == (0, 3, 0)
    assert len(begun(tmp_path)) == 4


def test_what_fails_is_named_and_stops_nobody(tmp_path: Path) -> None:
    reasons = {
        "raises": "ValueError: no luck with seed 0",
        "is-killed": "its process was killed; the usual reason is too little memory: try fewer workers",
        "leaves": "its process ended by itself, with exit code 7",
        "writes-nothing": "its results are not right: manifest.json is missing",
    }
    bad = [trial(k, variant, steps=100) for k, variant in enumerate(reasons)]
    good = [trial(8), trial(9)]
    result, said = ran(tmp_path, *good, *bad)
    assert result.failed == dict(zip((one.name for one in bad), reasons.values(), strict=True))
    assert (result.finished, result.exit_code, result.stopped) == (2, 1, "")
    for reason in reasons.values():
        assert f"FAILED: {reason}" in said
    assert "The same command again" in said
    log = log_of(tmp_path / "small" / bad[0].name).read_text()
    assert "before the fault" in log
    assert "Traceback" in log
    assert "in as_its_name_says" in log
    run = load_run(tmp_path / "small")
    assert [one.seed for one in run.trials] == [8, 9]
    assert not run.broken
    assert not log_of(tmp_path / "small" / good[0].name).exists()


def test_a_full_disk_ends_the_run_and_costs_nothing_that_was_finished(tmp_path: Path) -> None:
    result, said = ran(
        tmp_path, trial(0), trial(1, "fills-the-disk", steps=10), trial(2, steps=20), workers=1
    )
    assert [seed for seed, _ in begun(tmp_path)] == [2, 1]
    assert (result.finished, result.exit_code) == (1, 1)
    assert "stopped: the disk is full" in said
    assert [one.seed for one in load_run(tmp_path / "small").trials] == [2]
    assert not [name for name in folders(tmp_path) if name.startswith(".")]


@pytest.fixture
def answers_ctrl_c() -> Iterator[None]:
    """Ctrl-C interrupts, even if the tests were started in the background, where a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("answers_ctrl_c")
def test_ctrl_c_ends_the_workers_and_says_how_to_go_on(tmp_path: Path) -> None:
    start = time.monotonic()
    result, said = ran(tmp_path, trial(0, "interrupts"), workers=1)
    assert time.monotonic() - start < 30
    assert (result.exit_code, result.stopped, result.interrupted) == (130, "interrupted", True)
    assert "The same command again runs what is missing" in said
    assert not [name for name in folders(tmp_path) if name.startswith(".")]
    ((_, worker),) = begun(tmp_path)
    assert not alive(worker)


def run_that_hangs(results: Path) -> None:
    ran(results, trial(0, "hangs"), workers=1)


def test_a_killed_run_takes_its_workers_along_and_leaves_nothing_for_long(tmp_path: Path) -> None:
    run = PROCESSES.Process(target=run_that_hangs, args=(tmp_path,))
    run.start()
    wait_until(lambda: (tmp_path / "small" / "hangs.txt").exists())
    ((_, worker),) = begun(tmp_path)
    assert alive(worker)
    run.kill()
    run.join()
    wait_until(lambda: not alive(worker))
    assert [name for name in folders(tmp_path) if name.endswith(".unfinished")]
    result, _ = ran(tmp_path, workers=1)
    assert result.exit_code == 0
    assert not [name for name in folders(tmp_path) if name.startswith(".")]


def wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_no_workers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers=0"):
        ran(tmp_path, workers=0)
    assert not list(tmp_path.iterdir())


class Clock:
    time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize("terminal", [False, True])
def test_the_display_says_who_is_where(tmp_path: Path, terminal: bool) -> None:
    said, now = io.StringIO(), Clock()
    console = Console(file=said, force_terminal=terminal, width=160, color_system=None)
    learner, scripted = trial(3, steps=100_000), trial(4)
    run_trial(trial(5), tmp_path / trial(5).name)
    with Display(console, "small", (learner, scripted, trial(5)), 2, now) as display:
        display.start(learner)
        display.start(scripted)
        display.start(trial(5))
        now.time = 5.0
        display.progress(learner, TRAINING, 0, {})
        display.progress(scripted, EVALUATING, 0, {})
        now.time = 35.0
        display.progress(learner, TRAINING, 30_000, {"return_mean": 0.25, "episodes": 9})
        display.tick()
        display.bars.refresh()
        display.finish(load_trial(tmp_path / trial(5).name))
        now.time = 36.0
        display.fail(scripted, "no luck [bold]")
        display.tick()
        display.bars.refresh()
    text = said.getvalue()
    for part in (
        "cheese_corner well random seed 3", "1,000 steps/s", "return 0.25", "1:10 min left", "evaluating",
        "[3/5] cheese_corner well random seed 5: ", " s, not trained", "FAILED: no luck [bold]", "2 of 5",
    ):  # fmt: skip
        assert part in text, part
    assert ("30%" in text) != terminal
    assert ("\x1b" in text) == terminal


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (125, "2:05 min"),
        (3599.6, "1:00 h"),
        (5400, "1:30 h"),
    ],
)
def test_durations_are_said_as_people_do(seconds: float, said: str) -> None:
    assert clock(seconds) == said
