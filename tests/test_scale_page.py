"""The recipes of docs/scale.md: what a reader types runs every part of a suite once."""

import io
import os
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars
import pytest
import scale_overhead
from rich.console import Console

from mesabench.cli import verbs
from mesabench.runs import runner, store
from mesabench.runs.job import Job
from mesabench.runs.pool import Begun, Event, Finished
from mesabench.runs.runner import Result
from mesabench.runs.shard import Shard
from mesabench.runs.suite import Suite
from mesabench.runs.trial import Trial
from mesabench.runs.trial_folder import load_trial

PAGE = (Path(__file__).parent.parent / "docs" / "scale.md").read_text("utf-8")


def test_the_script_for_slurm_runs_each_shard_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (script,) = re.findall(r"^```bash\n(.*?)^```", PAGE, re.M | re.S)
    first, last = (int(one) for one in re.findall(r"--array=(\d+)-(\d+)", script)[0])
    for name, does in (("srun", 'exec "$@"'), ("mesabench", f'echo "$@" >> {tmp_path}/typed')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    for task in range(first, last + 1):
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_CPUS_PER_TASK": "4"}
        subprocess.run(
            ["bash", "-c", script], env=environment | {"SLURM_ARRAY_TASK_ID": str(task)}, check=True
        )
    asked: list[dict[str, Any]] = []

    def run_suite(suite: Any, results: Path, **options: Any) -> Result:
        asked.append(options)
        return Result(Path(results))

    monkeypatch.setattr(runner, "run_suite", run_suite)
    for line in (tmp_path / "typed").read_text().splitlines()[:1]:
        with pytest.raises(SystemExit) as end:
            verbs.main(line.split())
        assert end.value.code == 0
    assert asked[0]["workers"] == 4
    typed = re.findall(r"--shard (\S+)", (tmp_path / "typed").read_text())
    assert [Shard.parse(one) for one in typed] == [Shard(k, last) for k in range(1, last + 1)]
    assert asked[0]["shard"] == Shard(1, last)


def test_the_table_of_what_a_run_costs_is_that_of_its_script() -> None:
    passage = PAGE.partition("<!-- overhead -->")[2].partition("<!-- /overhead -->")[0]
    header, _, *rows = passage.strip().splitlines()
    assert header == scale_overhead.HEADER
    told = [row.split("|")[1].strip() for row in rows]
    assert told == [pool for pool in scale_overhead.POOLS if pool in told]
    assert told
    missing = {*scale_overhead.POOLS} - {*told}
    assert ("not measured yet" in PAGE) == bool(missing)


def test_a_dummy_trial_is_a_whole_one(tmp_path: Path) -> None:
    for seed in range(2):
        one = scale_overhead.trial(seed)
        scale_overhead.dummy(one, tmp_path / one.name, lambda *told: None)
        assert load_trial(tmp_path / one.name).trial == one


def test_a_run_keeps_next_to_nothing_of_a_trial_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Here:
        """Does jobs in this process."""

        def work(self, jobs: Sequence[Job], folder: Path) -> Iterator[Sequence[Event]]:
            for job in jobs:
                assert isinstance(job, Trial)
                scale_overhead.dummy(job, folder / job.name, lambda *told: None)
                yield [Begun(job), Finished(job)]

        def close(self) -> None:
            pass

    class Terminal(io.StringIO):
        """Keeps nothing of what is printed."""

        def write(self, text: str) -> int:
            return len(text)

    monkeypatch.setattr(runner, "_pool", lambda *what: Here())
    monkeypatch.setattr(store, "PART", 5)
    peaks = {}
    for trials in (10, 10, 40):  # the first one is to have everything loaded that is loaded but once
        suite = Suite(name=f"dummies-{trials}", trials=tuple(map(scale_overhead.trial, range(trials))))
        tracemalloc.start()
        for _ in range(2):  # the second time all are there
            result = runner.run_suite(suite, tmp_path, console=Console(file=Terminal()))
            assert (result.finished + result.kept, result.exit_code) == (trials, 0)
        peaks[trials] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (peaks[40] - peaks[10]) / 30 < 4_000


JOINING = """
import re, sys
from pathlib import Path
import scale_overhead
from mesabench.runs import store
from mesabench.runs.suite import Suite
from mesabench.runs.table import table_of

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

def write(trials):
    def in_parts(folder, suite, there):
        for number in range(trials // store.PART):
            there.add(number)
            yield ()

    store._in_parts = in_parts
    store.write_tables(sys.argv[1], Suite(name="dummies"))
    return peak()

scores = scale_overhead.once()[-1]
part = table_of((scale_overhead.trial(seed), "", scores) for seed in range(store.PART))
store._published = lambda run: {store.TABLE: part}
few = write(100)
print(len(part), write(3_000) - few)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux what a process took at most")
def test_the_tables_of_many_trials_are_written_with_the_memory_of_few(tmp_path: Path) -> None:
    """In a process of its own, whose memory is nobody else's, polars' included."""
    done = subprocess.run(
        [sys.executable, "-c", JOINING, str(tmp_path)], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "2"},
    )  # fmt: skip
    rows, more = map(float, done.stdout.split())
    assert (
        polars.scan_parquet(tmp_path / "table.parquet").select(polars.len()).collect().item()
        == 3_000 / store.PART * rows
    )
    assert more < 25, f"{more} MB more for 3,000 trials than for 100"
