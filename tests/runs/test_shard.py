"""Shards: all of a suite, nothing twice, none much longer than the others; the same wherever and whenever they are asked for."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesabench.cli import verbs
from mesabench.runs.job import STEPS_PER_LEVEL, Job, training_work, work_of
from mesabench.runs.replicate import WORK, Replicate
from mesabench.runs.runner import run_suite
from mesabench.runs.shard import Shard
from mesabench.runs.store import load_run
from mesabench.runs.suite import Suite, load_suite
from mesabench.runs.trial import EvaluationSettings, Trial


def trial(seed: int, steps: int = 0, levels: int = 1, agent: str = "random") -> Trial:
    return Trial(
        environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent=agent, settings={}, steps=steps,
        seed=seed, variant="ordinary", evaluation=EvaluationSettings(levels=levels),
    )  # fmt: skip


jobs_of_any_length = st.lists(
    st.tuples(st.sampled_from([0, 3_000, 200_000, 10_000_000]), st.integers(1, 3), st.booleans()), max_size=40
)


@settings(max_examples=25)
@given(jobs_of_any_length, st.integers(1, 50))
def test_each_job_is_in_one_shard_and_no_shard_has_more_than_its_share_and_one_job(
    lengths: list[tuple[int, int, bool]], of: int
) -> None:
    jobs: list[Job] = [
        Replicate(population="irish_elk", condition="random", seed=seed)
        if elk
        else trial(seed, steps, levels)
        for seed, (steps, levels, elk) in enumerate(lengths)
    ]
    shards = [Shard(number, of).jobs(jobs) for number in range(1, of + 1)]
    assert sorted(one.name for shard in shards for one in shard) == sorted(one.name for one in jobs)
    loads = [sum(map(work_of, shard)) for shard in shards]
    longest = max(map(work_of, jobs), default=0)
    assert max(loads) <= sum(loads) / of + longest
    turned = [Shard(number, of).jobs(jobs[::-1])[::-1] for number in range(1, of + 1)]
    assert turned == shards, "the order of a suite decides nothing"


@pytest.mark.parametrize("name", ["quickstart", "core"])
def test_shards_of_a_shipped_suite_are_balanced(name: str) -> None:
    jobs = load_suite(name).jobs
    loads = [sum(map(work_of, Shard(number, 4).jobs(jobs))) for number in range(1, 5)]
    assert max(loads) < 1.2 * sum(loads) / 4


def test_a_shard_is_the_same_in_every_process() -> None:
    code = "from mesabench.runs.shard import Shard; from mesabench.runs.suite import load_suite\n"
    code += "print(*(one.name for one in Shard(3, 16).jobs(load_suite('quickstart').jobs)))"
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(told) == 1
    assert told != {"\n"}


def test_work_counts_training_at_the_agents_pace_and_evaluation() -> None:
    assert work_of(trial(0, steps=1000, levels=2)) == 1000 + 2 * 3 * STEPS_PER_LEVEL
    assert training_work(trial(0, steps=1000, agent="evolution"), 1000) == 1000 / 50
    assert work_of(trial(0, steps=1000, agent="nobody")) > 1000
    assert work_of(Replicate(population="irish_elk", condition="random", seed=0)) == WORK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("17/16", "no shard 17/16: of 16 they are 1/16 to 16/16"),
        ("0/16", "no shard 0/16: of 16 they are 1/16 to 16/16"),
        ("1/0", "shards=0: must be a whole number from 1"),
        ("1/100001", "number of shards=100001"),
        ("3", "'3' names no shard: write its number, / and how many there are, as in 3/16"),
        ("-1/4", "names no shard"),
        ("a/b", "names no shard"),
        ("1/4/5", "names no shard"),
        ("", "names no shard"),
        ("\u0661/4", "names no shard"),
    ],
)
def test_a_shard_that_is_none_is_refused_in_one_line(
    text: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="shard"):
        Shard.parse(text)
    with pytest.raises(SystemExit) as end:
        verbs.main(["run", "quickstart", f"--shard={text}"])
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_shard_runs_its_part_in_a_folder_of_its_own_and_one_without_jobs_is_done_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = Suite(name="small", trials=tuple(map(trial, range(2))))
    for number in (1, 3):
        result = run_suite(suite, tmp_path, workers=1, shard=f"{number}/3")
        mine = Shard(number, 3).jobs(suite.jobs)
        assert (result.exit_code, result.finished, result.folder.name) == (
            0,
            len(mine),
            f"small-{number}-of-3",
        )
        assert f"small-{number}-of-3: {len(mine)} of {len(mine)} trials are in" in " ".join(
            capsys.readouterr().out.split()
        )
        run = load_run(result.folder)
        assert run.suite == suite, "each shard knows the whole suite"
        assert [one.trial for one in run.trials] == mine
    assert run_suite(suite, tmp_path, workers=1, shard=Shard(1, 3)).kept == 1
