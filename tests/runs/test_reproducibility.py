"""The same suite gives the same bytes: on one worker or two, in another order, after a resume, in another folder."""

import shutil
from pathlib import Path

import polars
import pytest

from mesabench.runs.runner import run_suite
from mesabench.runs.store import TABLE, load_run
from mesabench.runs.suite import Suite, parse_suite
from mesabench.runs.trial_folder import MANIFEST

SUITE = """
name = "same"
seeds = 2

[evaluation]
levels = 2

[[trials]]
environments = ["cheese_corner", "lava_land"]
agents = "coin_flip"
steps = 0

[[trials]]
environments = "cheese_corner"
agents = "ppo"
steps = 1_000
settings = { hidden = [16] }
"""


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything that trials left, but their manifests, which tell the time; and the table, in the order of trials' names."""
    run = load_run(folder)
    assert not run.broken
    assert not run.missing
    found = {
        f"{one.trial.name}/{file.name}": file.read_bytes()
        for one in run.trials
        for file in sorted(one.folder.iterdir())
        if file.name != MANIFEST
    }
    table = polars.read_parquet(folder / TABLE).sort("trial", maintain_order=True)
    return found | {TABLE: table.write_csv().encode()}


@pytest.fixture(scope="module")
def suite() -> Suite:
    return parse_suite(SUITE)


@pytest.fixture(scope="module")
def first(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_suite(suite, tmp_path_factory.mktemp("one"), workers=1).folder


def differing(one: Path, other: Path) -> list[str]:
    mine, theirs = files_of(one), files_of(other)
    assert mine.keys() == theirs.keys()
    return [name for name in mine if mine[name] != theirs[name]]


@pytest.mark.slow(
    reason="two whole runs in processes of their own; test_merging compares the bytes of shards quickly"
)
def test_two_workers_in_another_order_and_folder_leave_the_same_bytes(
    suite: Suite, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    turned = suite.model_copy(update={"trials": suite.trials[::-1]})
    assert differing(first, run_suite(turned, "elsewhere/deeper", workers=2).folder) == []


@pytest.mark.slow(reason="a third whole run; test_checkpoint goes on with one agent quickly")
def test_a_resumed_run_leaves_the_same_bytes(suite: Suite, first: Path, tmp_path: Path) -> None:
    again = tmp_path / suite.name
    shutil.copytree(first, again)
    for trial in suite.trials[::2]:
        shutil.rmtree(again / trial.name)
    (again / TABLE).unlink()
    result = run_suite(suite, tmp_path, workers=1)
    assert result.finished == len(suite.trials[::2])
    assert differing(first, result.folder) == []
    assert (again / TABLE).read_bytes() == (first / TABLE).read_bytes()
