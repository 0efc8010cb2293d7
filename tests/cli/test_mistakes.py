"""A user's mistake in a file of one's own is one line that names the file and the line in it; `--debug` has the traceback."""

from pathlib import Path

import pytest

from mesabench.auditing.detection import DetectorError, _asked, load_detector
from mesabench.cli import verbs
from mesabench.envs import cheese_corner
from mesabench.runs.runner import run_suite
from mesabench.runs.suite import load_suite

WORLD = Path(cheese_corner.__file__).read_text()
AGENT = """
from mesabench.policies.agent import Agent
from mesabench.agents.random import load
def train(task, settings, seed, progress):
    return {}["nothing"]
agent = Agent(train=train, load=load, learns=False)
"""
HAPPENED = "    happened = 0\n"
DECLARED = "environment = Environment("
WORLDS = [
    ("oops", "", ", line 1: NameError: name 'oops'"),
    (DECLARED, "oops = Environment(", " declares no environment"),
    ('"max_steps": Knob', '"max_stps": Knob', ": ValueError: knobs must include 'max_steps'"),
    (
        DECLARED,
        "def f(knobs):\n    return knobs.oops\n\n" + DECLARED + "\n    check=f,",
        ", in f: AttributeError: ",
    ),
    (
        HAPPENED,
        HAPPENED.replace("0", "oops"),
        "the rules do not compile: NameError: name 'oops' is not defined",
    ),
    (
        HAPPENED,
        HAPPENED.replace("0", "mazes.oops(s)"),
        "the rules do not compile: module 'mesabench.world.mazes' has no",
    ),
    (HAPPENED, HAPPENED.replace("0", "[1, 'a']"), ": the rules do not compile: "),
]


@pytest.mark.parametrize(("before", "after", "message"), WORLDS)
def test_a_world_that_is_wrong(
    before: str, after: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken_world.py"
    file.write_text(WORLD.replace(before, after, 1) if before in WORLD else before)
    command = ["play", str(file), "--keys", "w"]
    with pytest.raises(SystemExit) as end:
        verbs.main(command)
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert "Traceback" not in error
    last = error.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    if "compile" not in message:
        assert "broken_world.py" in last
    with pytest.raises(Exception):  # noqa: B017, PT011
        verbs.main([*command, "--debug"])


def test_an_agent_that_raises_in_training_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(AGENT)
    (tmp_path / "s.toml").write_text(
        'name = "s"\nseeds = 1\n[[trials]]\nenvironments = "cheese_corner"\nagents = "mine.py"\nsteps = 0\n'
    )
    result = run_suite(load_suite(tmp_path / "s.toml"), tmp_path, workers=1)
    (reason,) = result.failed.values()
    assert reason.endswith("mine.py, line 5, in train: KeyError: 'nothing'")
    (log,) = (tmp_path / "s").glob("*.log")
    assert "Traceback" in log.read_text()


def test_a_detector_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    from types import SimpleNamespace
    from typing import Any

    (tmp_path / "mine.py").write_text("def detector(audit):\n    return audit.oops\n")
    organism: Any = SimpleNamespace(name="one")
    with pytest.raises(DetectorError, match=r"raised AttributeError on one: .*mine\.py, line 2, in detector"):
        _asked(load_detector(f"{tmp_path}/mine.py:detector"), SimpleNamespace(), organism)  # type: ignore[arg-type]
    (tmp_path / "mine.py").write_text("oops")
    with pytest.raises(ValueError, match=r"mine\.py, line 1: NameError"):
        load_detector(f"{tmp_path}/mine.py:detector")
