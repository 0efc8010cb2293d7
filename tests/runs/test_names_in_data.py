"""Whoever unpacks somebody's results runs nothing of theirs: a name in a stored file is looked up by name alone."""

import copy
import hashlib
import itertools
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mesabench.auditing.cohorts import organisms_of
from mesabench.auditing.findings import FINDINGS, read_findings
from mesabench.cli import verbs
from mesabench.cli.arguments import policy_of
from mesabench.ownfile import own_file
from mesabench.policies.loading import load_policy
from mesabench.policies.policy import PolicyError
from mesabench.registry import UnknownNameError, known_agent, known_environment
from mesabench.runs.cohort import populations_of
from mesabench.runs.execution import run_trial
from mesabench.runs.runner import run_suite
from mesabench.runs.store import SUITE, load_run, write_suite
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial, digest
from mesabench.runs.trial_folder import MANIFEST

ROOT = Path(__file__).parents[2]
EVIL = """
import pathlib
(pathlib.Path(__file__).parent / "it-ran").touch()
from mesabench.envs.cheese_corner import environment
from mesabench.agents.random import agent
def policy(observations): raise SystemExit
"""
TRIAL = Trial(
    environment="cheese_corner", options={"objective": "cheese", "size": 5}, agent="random", settings={}, steps=0, seed=0,
    variant="ordinary", evaluation=EvaluationSettings(levels=2, measures="goals"),
)  # fmt: skip


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "small"
    folder.mkdir()
    write_suite(folder, Suite(name="small", trials=(TRIAL,)))
    run_trial(TRIAL, folder / TRIAL.name)
    return folder


@pytest.fixture(scope="module")
def audited_run(whole_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with findings: they take longer to read than all the rest."""
    folder = Path(shutil.copytree(whole_run, tmp_path_factory.mktemp("audited") / "small"))
    shutil.copy(ROOT / "results" / "organisms" / FINDINGS, folder / FINDINGS)
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with code that must not run under every name by which it could be found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "evil.py").write_text(EVIL)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "evil.py").write_text(EVIL)
    yield tmp_path
    assert not [*tmp_path.rglob("it-ran")]
    assert not {"evil", "package", "package.evil"} & {*sys.modules}


def evil_names(place: Path) -> list[str]:
    path = str(place / "evil.py")
    return [
        "evil.py", "./evil.py", path, f"{path}@{own_file(path).digest}", "evil", "evil:policy", "evil.py:policy",
        f"{path}:policy", "package.evil", "package.evil:agent", "package/evil.py",
    ]  # fmt: skip


def places_of_names(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in JSON a text stands, a key too; of what has many parts alike, in the first."""
    if isinstance(value, dict):
        for key, item in [*value.items()][: 12 if len(value) < 40 else 2]:
            yield (*at, key, None)
            yield from places_of_names(item, (*at, key))
    elif isinstance(value, list):
        for k, item in enumerate(value[:2]):
            yield from places_of_names(item, (*at, k))
    elif isinstance(value, str):
        yield at


def planted(value: Any, at: tuple[Any, ...], name: str) -> Any:
    """A copy of JSON with a name at a place."""
    value = copy.deepcopy(value)
    inner = value
    *way, last = at
    if last is None:  # a key
        *way, last = way
        for key in way:
            inner = inner[key]
        inner[name] = inner.pop(last)
        return value
    for key in way:
        inner = inner[key]
    inner[last] = name
    return value


def sealed(trial: Path, manifest: Any = None) -> Path:
    """Seal a trial's folder again, as an attacker would, under the name that its manifest gives it; where it is then."""
    file = trial / MANIFEST
    manifest = json.loads(file.read_text()) if manifest is None else manifest
    if isinstance(manifest.get("files"), dict):
        for name in manifest["files"]:
            if (trial / name).is_file():
                manifest["files"][name] = hashlib.sha256((trial / name).read_bytes()).hexdigest()
    manifest["seal"] = digest({key: value for key, value in manifest.items() if key != "seal"})
    file.write_text(json.dumps(manifest))
    with suppress(LookupError, ValueError):  # what is no trial is refused
        return trial.rename(trial.with_name(Trial.model_validate(manifest["spec"]).name))
    return trial


def looked_into(folder: Path) -> None:
    """All that verbs do with a run before they draw it."""
    with suppress(ValueError, LookupError):
        run = load_run(folder)
        populations_of(run)
        organisms_of(run)
    with suppress(ValueError, LookupError):
        read_findings(folder)
    for trial in folder.iterdir():
        if trial.is_dir():
            with suppress(ValueError, LookupError):
                policy_of(str(trial), None, None, None, None)
            with suppress(ValueError, LookupError):
                load_policy(str(trial))


EVERYWHERE = pytest.mark.slow(
    reason="every name at every place; quickly a few at each place, and all of them by turns"
)


@pytest.mark.parametrize(
    ("stored", "each"),
    [
        (MANIFEST, 3),
        pytest.param(MANIFEST, 11, marks=EVERYWHERE),
        ("policy.json", 11),
        ("scores.json", 2),
        ("replays.json", 2),
        (SUITE, 2),
        pytest.param(FINDINGS, 2, marks=EVERYWHERE),
    ],
)
def test_a_name_planted_anywhere_in_stored_files_runs_nothing(
    stored: str, each: int, whole_run: Path, audited_run: Path, place: Path
) -> None:
    """each: names at each place; the next place gets the next ones."""
    outer = stored in (SUITE, FINDINGS)
    whole_run = audited_run if stored == FINDINGS else whole_run
    before = json.loads((whole_run / ("" if outer else TRIAL.name) / stored).read_text())
    names = evil_names(place) if stored in (MANIFEST, "policy.json") else ["evil.py", str(place / "evil.py")]
    turn = itertools.cycle(names)
    tried = 0
    for at in places_of_names(before):
        for name in itertools.islice(turn, each):
            folder = Path(shutil.copytree(whole_run, place / "run"))
            after = planted(before, at, name)
            if outer:
                (folder / stored).write_text(json.dumps(after))
            elif stored == MANIFEST:
                sealed(folder / TRIAL.name, after)
            else:
                (folder / TRIAL.name / stored).write_text(json.dumps(after))
                sealed(folder / TRIAL.name)
            looked_into(folder)
            assert not [*place.glob("**/it-ran")], (at, name)
            shutil.rmtree(folder)
            tried += 1
    assert tried >= 11


def test_the_verbs_run_nothing_of_somebodys_results(
    audited_run: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the command line: a run with an environment, an agent and a policy that name a file."""
    folder = Path(shutil.copytree(audited_run, place / "run"))
    before = json.loads((folder / TRIAL.name / MANIFEST).read_text())
    for k, (field, name) in enumerate(
        (("environment", "evil.py"), ("agent", str(place / "evil.py")), ("agent", "evil"))
    ):
        trial = Path(shutil.copytree(folder / TRIAL.name, folder / f"trial-{k}"))
        spec = before["spec"] | {
            field: name,
            "seed": k + 1,
            "settings": {"trigger": "evil.py", "watched": "evil.py"},
        }
        sealed(trial, before | {"spec": spec})
    trial = Path(shutil.copytree(folder / TRIAL.name, folder / "trial-policy"))
    (trial / "policy.json").write_text('{"agent": "evil.py", "n_actions": 4}')
    trial = sealed(trial, before | {"spec": before["spec"] | {"seed": 9}})
    (folder / SUITE).write_text(json.dumps({"name": "run", "files": [str(place / "evil.py")]}))
    for command in (
        ["report", str(folder), "--out", str(place / "page.html")],
        ["detect", "--organisms", str(folder)],
        ["evaluate", str(trial), "--levels", "2"],
        ["evaluate", str(folder / "trial-0"), "--levels", "2"],
    ):
        with pytest.raises(SystemExit):
            verbs.main(command)
        assert "Traceback" not in capsys.readouterr().err
    assert (place / "page.html").is_file()
    folder = folder.rename(folder.with_name("small"))
    result = run_suite(Suite(name="small", trials=(TRIAL,)), place, workers=1)
    assert (result.kept, result.finished, result.exit_code) == (1, 0, 0)


def test_a_stored_name_is_no_path_even_where_the_file_is_there(place: Path) -> None:
    for name in evil_names(place):
        for known in (known_environment, known_agent):
            for content in ("", own_file(place / "evil.py").digest):
                with pytest.raises(UnknownNameError):
                    known(name, content)
    for field in ("environment", "agent"):
        with pytest.raises(ValidationError, match=field):
            Trial.model_validate(TRIAL.model_dump() | {field: "evil.py"})
    (place / "policy.json").write_text('{"agent": "evil.py"}')
    with pytest.raises(PolicyError, match=r"unknown agent 'evil\.py'"):
        load_policy(str(place))
