"""Results say which code and which machine they come from, and no number depends on it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars
import pytest

import mesabench
from mesabench.report import write_report
from mesabench.runs import origin
from mesabench.runs.execution import run_trial
from mesabench.runs.store import TABLE, write_suite, write_tables
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial, digest
from mesabench.runs.trial_folder import load_trial

ONE = Trial(environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="random", settings={}, steps=0, seed=0,
            variant="ordinary", evaluation=EvaluationSettings(levels=1))  # fmt: skip


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", *who, "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout of a package that takes the place of this one, as far as `origin` looks."""
    root = tmp_path / "checkout"
    for name in origin.CODE:
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
    git(tmp_path, "init", "--quiet", str(root))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "first")
    monkeypatch.setattr(mesabench, "__file__", str(root / "mesabench" / "__init__.py"))
    origin.commit.cache_clear()
    yield root
    origin.commit.cache_clear()


def test_the_commit_is_that_of_the_code_with_a_word_on_changes(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    (checkout / "runs").mkdir()
    (checkout / "runs" / "notes.txt").write_text("no code")
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a hook
    assert origin.commit() == head
    for change in ("envs/mine.py", "mesabench/__init__.py"):
        origin.commit.cache_clear()
        (checkout / change).write_text("changed = True")
        assert origin.commit() == f"{head}+changes"


def test_an_installed_package_has_no_commit_even_inside_a_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = checkout / ".venv" / "lib" / "mesabench"
    inside.mkdir(parents=True)
    monkeypatch.setattr(mesabench, "__file__", str(inside / "__init__.py"))
    assert origin.commit() is None


def test_without_git_there_is_no_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert origin.commit() is None


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="where the name stands depends on the system"
)
def test_the_processor_has_a_name() -> None:
    assert origin.processor() in Path("/proc/cpuinfo").read_text() or origin.processor()


def test_manifest_and_page_tell_and_the_numbers_do_not_depend_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages, tables, scores = [], [], []
    for name, commit, processor in (
        ("one", "a" * 40, "Fast 1"),
        ("two", "b" * 40 + "+changes", "Slow 2"),
        ("three", None, ""),
    ):
        monkeypatch.setattr(origin, "commit", lambda: commit)  # noqa: B023
        monkeypatch.setattr(origin, "processor", lambda: processor)  # noqa: B023
        folder = tmp_path / name
        folder.mkdir()
        write_suite(folder, Suite(name="small", trials=(ONE,)))
        run_trial(ONE, folder / ONE.name)
        manifest = load_trial(folder / ONE.name).manifest
        assert (manifest.commit, manifest.processor) == (commit, processor)
        write_tables(folder)
        tables.append((folder / TABLE).read_bytes())
        scores.append((folder / ONE.name / "scores.json").read_bytes())
        pages.append(write_report(folder).read_text())
        assert f"commit {commit}" in pages[-1] or commit is None
        assert f"processor {processor}" in pages[-1] or not processor
    assert len({*tables}) == len({*scores}) == 1
    assert len({*pages}) == 3


def test_a_manifest_of_before_is_read_as_it_is(tmp_path: Path) -> None:
    run_trial(ONE, tmp_path / ONE.name)
    file = tmp_path / ONE.name / "manifest.json"
    data = json.loads(file.read_text())
    for later in ("commit", "processor", "seal"):
        del data[later]
    file.write_text(json.dumps(data | {"seal": digest(data)}))
    assert load_trial(file.parent).manifest.commit is None
    assert polars.read_parquet(file.parent / "levels.parquet").height
