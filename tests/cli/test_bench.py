"""The benchmark measures what it says, and its tables show it."""

import importlib.util
import os
import sys
import time
from pathlib import Path

import gymnasium
import numba
import numpy as np
import pytest
from typer.testing import CliRunner

from mesabench import registry
from mesabench.adapters.env import GridEnv
from mesabench.cli import adapter, bench, evaluation_bench, speed_page, verbs
from mesabench.engine.batch import Batch
from mesabench.registry import UnknownNameError
from mesabench.runs.worker import ONE_THREAD


@pytest.mark.slow(
    reason="compiles an environment from nothing, which is among what is measured; test_cli measures one quickly"
)
def test_everything_is_measured_and_shown(tmp_path: Path) -> None:
    """Of a file of one's own: the processes that it is measured in find it by its path."""
    file = tmp_path / "my_supervisor.py"
    file.write_text((Path(__file__).parents[2] / "envs" / "absent_supervisor.py").read_text())
    told: list[str] = []
    sizes, threads = (1, 2048), (1, 2)
    measured = bench.bench(
        [str(file)], batch_sizes=sizes, threads=threads, size=9, seconds=0.05, progress=told.append
    )
    assert any("compiling" in line for line in told)
    assert any("2048 environments, 2 threads" in line for line in told)

    _, many, _ = rates = measured.rates
    (start,) = measured.starts
    assert [(one.batch, one.threads) for one in rates] == [(1, 1), (2048, 1), (2048, 2)]
    assert {one.case for one in (*rates, start)} == {"my_supervisor 6 x 8"}
    for one in rates:
        assert min(one.steps, one.blind, one.levels, one.share) > 0
        assert one.bytes == pytest.approx(
            one.steps * np.prod(GridEnv("absent_supervisor").observation_space.shape)
        )
    assert min(start.load, start.compile, start.step, start.made) > 0
    assert 0 < measured.imports < 60

    page = speed_page.page(measured)
    assert f"NumPy {np.__version__}" in page
    for table in (*measured.tables(), speed_page.ELSEWHERE):
        assert table.title in page
        assert table.markdown() in page

    throughput, latency = measured.tables()
    assert throughput.title.startswith("Throughput on ")
    assert float(throughput.rows[1][3]) * 1e6 == pytest.approx(many.steps, rel=0.01)
    for table, measurements in ((throughput, rates), (latency, measured.starts)):
        assert len(table.rows) == len(measurements)
        for row in table.rows:
            assert len(row) == len(table.columns)
            assert row[0] == start.case


def test_the_reference_case_regenerates_large_mazes() -> None:
    first, *rest = bench.cases_of(["cheese_corner", "keys_and_chests"])
    assert str(first) == "cheese_corner 13 x 13, maze tree, max_steps 128"
    assert [str(case) for case in rest] == ["cheese_corner 9 x 9", "keys_and_chests 7 x 7"]
    assert [case.environment.name for case in bench.cases_of()][1:] == list(registry.environments())
    with pytest.raises(UnknownNameError, match="did you mean"):
        bench.cases_of(["cheese_cornr"])
    with pytest.raises(ValueError, match="size=2"):
        str(bench.cases_of(["keys_and_chests"], size=2)[0])


def test_episodes_end_all_the_time() -> None:
    """A rate without resets, or with all of them at once, would not be that of training."""
    batch = bench.running(bench.cases_of(["cheese_corner"])[1].distribution, 512, 1, False)
    actions = np.random.default_rng(0).integers(0, 4, (30, 512))
    ended = []
    for row in actions:
        batch.step(row, autoreset=True)
        ended.append(int((batch.terminated | batch.truncated).sum()))
    assert min(ended) > 0
    assert max(ended) < 100


def test_what_an_adapter_costs_is_part_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "STEPS", 8192)
    measured = adapter.measure("ppo", "cheese_corner")
    assert 0 < measured.environment < measured.adapter < 0.5
    assert f"{measured.adapter:.1%} of its training time in cheese_corner" in str(measured)

    def slow(batch: Batch, actions: np.ndarray, **options: bool) -> None:
        end = time.thread_time() + 0.01
        while time.thread_time() < end:
            pass
        step(batch, actions, **options)

    step = Batch.step
    monkeypatch.setattr(Batch, "step", slow)
    slowed = adapter.measure("ppo", "cheese_corner")
    assert slowed.environment > 0.2 + measured.environment
    assert Batch.step is slow, "what was measured is as it was"
    with pytest.raises(ValueError, match="ppo"):
        adapter.measure("oracle", "cheese_corner")


def test_every_moment_of_a_trial_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the innermost part: the floors of levels that are explored meanwhile do not count as exploring."""
    before = [getattr(home, name) for home, name, _ in evaluation_bench.PARTS]
    begin = time.thread_time()
    measured = evaluation_bench.measure("random", "absent_supervisor", levels=2)
    took = time.thread_time() - begin
    assert [getattr(home, name) for home, name, _ in evaluation_bench.PARTS] == before, "all is as it was"
    words = [one[2] for one in evaluation_bench.PARTS]
    for part in (evaluation_bench.TRAINING, words[0], words[1], words[3], words[4], "scores.goals"):
        assert part in measured.parts
    assert all(seconds >= 0 for seconds in measured.parts.values())
    assert sum(measured.parts.values()) < took
    table = measured.table()
    assert {row[0] for row in table.rows} == set(measured.parts)
    assert table.rows[0][0] == evaluation_bench.TRAINING

    def slow(*arguments: object, **options: object) -> object:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        return explore(*arguments, **options)

    explore = before[0]
    monkeypatch.setattr(evaluation_bench.solver, "explore", slow)
    slowed = evaluation_bench.measure("random", "absent_supervisor", levels=2)
    assert slowed.parts[words[0]] > measured.parts[words[0]] + 0.2


def test_a_trial_is_timed_with_one_thread_as_runs_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of PyTorch that wait for each other would count as work on the policy's answers."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "2")
    measured = evaluation_bench.TrialTime("ppo", "boat_race", 1, 1, {evaluation_bench.TRAINING: 1.0})
    found: list[dict[str, str]] = []

    def measure(*arguments: object) -> evaluation_bench.TrialTime:
        found.append({name: os.environ[name] for name in ONE_THREAD})
        return measured

    monkeypatch.setattr(evaluation_bench, "measure", measure)
    assert CliRunner().invoke(verbs.app, ["bench", "boat_race", "--evaluation"]).exit_code == 0
    assert found == [ONE_THREAD]


def test_no_environment_runs_on_a_device_that_is_not_there() -> None:
    """Without CUDA the error says what is missing and names the extra, or the device that was looked for."""
    if importlib.util.find_spec("numba_cuda"):
        pytest.skip("numba-cuda is installed: tests/engine/test_cuda.py asks for the device")
    with pytest.raises(ImportError, match=r"mesabench\[cuda\]"):
        gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=2, device="cuda")


def test_a_device_that_is_not_there_is_one_line_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "mesabench.engine.cuda_kernels", raising=False)
    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    monkeypatch.delattr(numba, "cuda", raising=False)
    with pytest.raises(SystemExit) as end:
        verbs.main(["bench", "cheese_corner", "--device", "cuda"])
    assert end.value.code == 2
    out, told = capsys.readouterr()
    assert not out
    assert len(told.splitlines()) == 1
    for word in (
        "device='cuda'",
        "numba-cuda",
        f"numba {numba.__version__}",
        "pip install 'mesabench[cuda]'",
    ):
        assert word in told
