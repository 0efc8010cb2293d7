"""Environments and agents of one's own: the right one, in every process, in every run, and again only where it changed."""

import copy
import json
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import polars
import pytest

from mesabench import registry
from mesabench.cli.arguments import policy_of
from mesabench.envs import boat_race
from mesabench.ownfile import OwnFileError
from mesabench.registry import UnknownNameError, find_agent, find_environment, known_environment
from mesabench.runs.cohort import populations_of
from mesabench.runs.runner import run_suite
from mesabench.runs.store import load_run
from mesabench.runs.suite import SuiteError, load_suite
from mesabench.runs.trial import Trial

ROOT = Path(__file__).parent.parent
BOAT = Path(boat_race.__file__).read_text()
AGENT = '''"""Mine: as random as any."""
from mesabench.policies.agent import Agent
from mesabench.agents.random import RandomPolicy, load
from actions import count

def train(task, settings, seed, progress):
    return RandomPolicy(count(task))

agent = Agent(train=train, load=load, learns=False)
'''
SUITE = """
name = "mine"
seeds = 1
evaluation = { levels = 1, measures = "goals" }
[[trials]]
environments = ["a/world.py", "b/world.py"]
agents = "my agent.py"
steps = 0
"""


def world(steps: int) -> str:
    """A boat race of so many steps, which it reads from the file beside it."""
    text = BOAT.replace("Boat race:", f"World of {steps} steps:", 1)
    before = next(line for line in text.splitlines() if line.strip().startswith('"max_steps": Knob('))
    default = before.split("Knob(")[1].split(",")[0]
    assert steps != int(default)
    return text.replace(before, before.replace(f"Knob({default}", "Knob(STEPS"), 1).replace(
        "\nfrom mesabench", "\nfrom length import STEPS\nfrom mesabench", 1
    )


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with two worlds of one name, each with a file beside it, an agent, and a suite of all of them."""
    for name, steps in (("a", 20), ("b", 30)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "world.py").write_text(world(steps))
        (tmp_path / name / "length.py").write_text(f"STEPS = {steps}\n")
    (tmp_path / "my agent.py").write_text(AGENT)
    (tmp_path / "actions.py").write_text(
        "def count(task): return len(task.distribution.environment.actions)\n"
    )
    (tmp_path / "mine.toml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Forgets all files of one's own, as a new process has."""

    def forget() -> None:
        for table in ("_declared", "_labelled", "_paths"):
            monkeypatch.setattr(registry, table, {})

    forget()
    return forget


def steps_of(environment: Any) -> int:
    return int(environment.knobs["max_steps"].default)


def test_two_files_of_one_name_are_two_environments(mine: Path, forgotten: Any) -> None:
    first, second = (find_environment(str(mine / name / "world.py")) for name in "ab")
    assert [steps_of(one) for one in (first, second)] == [20, 30]
    assert (first.name, second.name) == ("world", "b_world")
    assert len({first.id, second.id, first.reference, second.reference}) == 4
    for one in (first, second):
        assert gymnasium.make(one.id).unwrapped.environment is one
        assert gymnasium.make_vec(one.id, num_envs=2).unwrapped.environment is one
        for reference in (one.reference, one.name, one.id, one.file):
            assert find_environment(reference) is one
        assert pickle.loads(pickle.dumps(one)) is copy.deepcopy(one) is one


def test_a_file_that_was_edited_is_another_environment_under_the_same_name(
    mine: Path, forgotten: Any
) -> None:
    path = mine / "a" / "world.py"
    first = find_environment(str(path))
    assert find_environment(str(path)) is first
    (mine / "a" / "length.py").write_text("STEPS = 25\n")
    second = find_environment(str(path))
    assert (steps_of(first), steps_of(second)) == (20, 25)
    assert (first.name, first.id) == (second.name, second.id)
    assert gymnasium.make(second.id).unwrapped.environment is find_environment("world") is second
    assert find_environment(first.reference) is first
    forgotten()
    with pytest.raises(
        UnknownNameError, match=r"world\.py has changed since this environment was made from it"
    ):
        find_environment(first.reference)


def stepped(pickled: bytes, answers: Any) -> None:
    answers.put([steps_of(one) for one in pickle.loads(pickled)])


def test_another_process_finds_the_file_again(
    mine: Path, forgotten: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    second = find_environment(str(mine / "b" / "world.py"))
    made = gymnasium.make(second.id)
    made.reset(seed=0)
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.SimpleQueue()
    process = spawn.Process(
        target=stepped, args=(pickle.dumps([second, made.unwrapped.environment]), answers)
    )
    process.start()
    process.join()
    assert answers.get() == [30, 30]
    envs = gymnasium.make_vec(
        second.id, num_envs=1, vectorization_mode="async", vector_kwargs={"context": "spawn"}
    )
    assert envs.reset(seed=0)[0].shape == (1, *made.observation_space.shape)
    envs.close()


def test_a_changed_copy_of_an_environment_is_never_taken_for_the_original() -> None:
    from dataclasses import replace

    boat = find_environment("boat_race")
    assert pickle.loads(pickle.dumps(boat)) is boat
    kind, *state = replace(boat, discount=0.5).__reduce__()
    assert kind is not registry.renamed
    assert state[1]["discount"] == 0.5


def scores(folder: Path) -> dict[str, float]:
    """What optimal play earns in the first level, by environment: more with more steps."""
    return {
        one.trial.environment: float(one.levels[f"ceiling_{find_environment('boat_race').intended}"][0])
        for one in load_run(folder).trials
    }


def test_a_suite_of_files_runs_the_right_ones_and_again_what_changed(
    mine: Path, forgotten: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = load_suite(mine / "mine.toml")
    assert [trial.environment for trial in suite.trials] == ["a_world", "b_world"]
    assert {trial.agent for trial in suite.trials} == {"my_agent"}
    assert all(set(trial.code) == {"environment", "agent"} for trial in suite.trials)
    results = mine / "results"
    result = run_suite(suite, results, workers=1)
    assert (result.finished, result.failed, result.stopped) == (2, {}, "")
    before = scores(result.folder)
    assert before["a_world"] < before["b_world"]
    assert str(mine) not in (result.folder / "suite.json").read_text()

    forgotten()  # somebody else's results
    with pytest.raises(UnknownNameError, match=r"is a file of somebody's own.* --with FILE"):
        populations_of(load_run(result.folder))
    folder = str(result.folder / suite.trials[1].name)
    with pytest.raises(UnknownNameError, match="--with FILE"):
        policy_of(folder, None, None, None, None)
    registry.take([str(mine / "b" / "world.py"), str(mine / "my agent.py")])
    (known,), left_out_now = populations_of(load_run(result.folder))
    assert (known.environment.name, steps_of(known.environment), len(left_out_now)) == ("b_world", 30, 1)
    _, task = policy_of(folder, None, None, None, None)
    assert (steps_of(task.environment), task.paid) == (30, task.distribution.environment.paid)

    forgotten()  # a new day, and a file beside the file has changed
    (mine / "a" / "length.py").write_text("STEPS = 40\n")
    again = load_suite(mine / "mine.toml")
    assert again.trials[1] == suite.trials[1]
    assert again.trials[0].hash != suite.trials[0].hash
    with pytest.raises(UnknownNameError, match="not what it was when these results were made"):
        known_environment("a_world", suite.trials[0].code["environment"])
    result = run_suite(again, results, workers=1)
    assert (result.finished, result.kept) == (1, 1)
    after = scores(result.folder)
    assert after["a_world"] > before["a_world"]
    assert after["b_world"] == before["b_world"]


def test_a_file_that_changes_while_a_suite_runs_is_told(mine: Path, forgotten: Any) -> None:
    suite = load_suite(mine / "mine.toml")
    (mine / "a" / "world.py").write_text("oops")
    result = run_suite(suite.model_copy(update={"trials": suite.trials[:1]}), mine / "results", workers=1)
    assert result.exit_code == 1
    assert "world.py, line 1: NameError" in "".join([*result.failed.values(), result.stopped])


def test_names_among_files_follow_from_their_paths_alone(mine: Path, forgotten: Any) -> None:
    paths = [str(mine / name / "world.py") for name in "ab"]
    find_environment(paths[1])
    for order in (paths, paths[::-1]):
        assert [registry.take(order)["environment", path] for path in paths] == ["a_world", "b_world"]
    assert registry.take(paths[1:]) == {("environment", paths[1]): "world"}
    assert known_environment("world", find_environment(paths[1]).digest).knobs["max_steps"].default == 30


@pytest.mark.parametrize("kind", ["environment", "agent"])
def test_what_declares_nothing_or_takes_a_name_is_refused(tmp_path: Path, kind: str) -> None:
    find: Any = {"environment": find_environment, "agent": find_agent}[kind]
    (tmp_path / "empty.py").write_text(f"{kind} = 3")
    with pytest.raises(
        UnknownNameError, match=f"empty.py declares no {kind}: it must say `{kind} = {kind.title()}"
    ):
        find(str(tmp_path / "empty.py"))
    with pytest.raises(UnknownNameError, match=f"no {kind} file .*nowhere.py"):
        find(str(tmp_path / "nowhere.py"))
    shipped = {"environment": "boat_race", "agent": "random"}[kind]
    package = {"environment": "envs", "agent": "agents"}[kind]
    (tmp_path / f"{shipped}.py").write_text(f"from mesabench.{package}.{shipped} import {kind}")
    with pytest.raises(
        UnknownNameError, match=f"there is an {kind} '{shipped}' already; give the file another name"
    ):
        find(str(tmp_path / f"{shipped}.py"))
    (tmp_path / "¿?.py").write_text((tmp_path / f"{shipped}.py").read_text())
    with pytest.raises(OwnFileError, match="give it a name with a letter a-z or a digit"):
        find(str(tmp_path / "¿?.py"))
    assert find(str(ROOT / package / f"{shipped}.py")) is find(shipped)


def test_a_suite_names_the_table_of_a_file_that_is_wrong(mine: Path) -> None:
    for name, text, message in (
        ("a/world.py", "oops", r"number 1, environments: .*a/world\.py, line 1: NameError"),
        ("my agent.py", "agent = 1", r"number 1, agents: .*my agent\.py declares no agent"),
    ):
        before = (mine / name).read_text()
        (mine / name).write_text(text)
        with pytest.raises(SuiteError, match=message):
            load_suite(mine / "mine.toml")
        (mine / name).write_text(before)


@pytest.mark.parametrize("name", [one.parent.name for one in sorted(ROOT.glob("results/*/suite.json"))])
def test_published_trials_keep_their_names(name: str) -> None:
    """Of every suite that is published, each trial that was run has still the name under which its numbers are published."""
    folder = ROOT / "results" / name
    named = [
        Trial.model_validate(one).name for one in json.loads((folder / "suite.json").read_text())["trials"]
    ]
    published = polars.read_parquet(folder / "table.parquet")["trial"].unique()
    assert set(published) <= set(named)


NO_GUARD = """
import sys
from mesabench.runs.runner import run_suite
from mesabench.runs.suite import Suite
from mesabench.runs.execution import run_trial
from mesabench.runs.trial import EvaluationSettings, Trial
def own(trial, folder, report): run_trial(trial, folder, report)
trial = Trial(environment="cheese_corner", options={"size": 5}, agent="random", settings={}, steps=0, seed=0, variant="a",
              evaluation=EvaluationSettings(levels=1, measures="goals"))
result = run_suite(Suite(name="s", trials=(trial,)), sys.argv[1], workers=1, RUN)
print(result.exit_code)
"""


@pytest.mark.slow(reason="scripts that start worker processes of their own")
@pytest.mark.parametrize("from_pipe", [False, True])
@pytest.mark.parametrize("run", ["run=run_trial", "run=own"])
def test_a_script_without_the_guard_runs_or_is_told_so_in_one_line(
    tmp_path: Path, run: str, from_pipe: bool
) -> None:
    script = tmp_path / "script.py"
    script.write_text(NO_GUARD.replace("RUN", run))
    done = subprocess.run(
        [sys.executable, "-" if from_pipe else str(script), str(tmp_path / "results")],
        stdin=script.open() if from_pipe else None, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "BusyError" not in said
    assert ".log" not in said
    if run == "run=run_trial":
        assert done.stdout.splitlines()[-1] == "0", said
    elif from_pipe:
        assert "is in no file, so that workers cannot import it" in done.stderr.splitlines()[-1]
    else:
        assert done.stdout.splitlines()[-1] == "1"
        assert "Traceback" not in said
        (line,) = (line for line in done.stdout.splitlines() if "__main__" in line)
        assert line.startswith("stopped: workers import the script")
