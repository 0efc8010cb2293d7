"""Writing files: whole or not at all, by one at a time, and never by way of a link that somebody has planted."""

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mesabench.cli import verbs
from mesabench.disk import (
    PART,
    REPLACED,
    UNFINISHED,
    BusyError,
    new_folder,
    save_file,
    save_files,
    sole_writer,
)
from mesabench.report import write_report
from mesabench.runs.execution import run_trial
from mesabench.runs.store import REPORT, write_suite
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.worker import _printing_to

TOKEN = "0123456789abcdef"
ONE = Trial(environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="random", settings={}, steps=0, seed=0,
            variant="ordinary", evaluation=EvaluationSettings(levels=1))  # fmt: skip


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    file = tmp_path / "precious.txt"
    file.write_text("mine")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    write_suite(folder, Suite(name="run", trials=(ONE,)))
    run_trial(ONE, folder / ONE.name)
    return folder


def test_a_link_at_a_files_own_name_is_replaced_and_what_it_points_to_stays(
    folder: Path, precious: Path
) -> None:
    (folder / "page").symlink_to(precious)
    (folder / ".page.part").symlink_to(precious)  # what a temporary file was once called
    save_files(folder, {"page": b"new"})
    assert (folder / "page").read_bytes() == b"new"
    assert not (folder / "page").is_symlink()
    assert precious.read_text() == "mine"


def test_a_link_at_a_temporary_name_is_not_followed(
    folder: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda n: TOKEN)  # foreseen, as nobody can
    for ending in (PART, UNFINISHED, REPLACED):
        (folder / f".{TOKEN}{ending}").symlink_to(precious)
    with pytest.raises(FileExistsError):
        save_file(folder / "page", b"new")
    with pytest.raises(FileExistsError), new_folder(folder / "trial"):
        pass
    assert precious.read_text() == "mine"
    assert not (folder / "page").exists()
    assert not (folder / "trial").exists()


def test_a_new_folder_replaces_a_link_and_follows_none(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    for target in (elsewhere, tmp_path / "nowhere"):
        (folder / "trial").symlink_to(target)
        with new_folder(folder / "trial") as beside:
            (beside / "file").write_text("new")
        assert [one.name for one in folder.iterdir()] == ["trial"]
        assert not (folder / "trial").is_symlink()
        (folder / "trial" / "file").unlink()
        (folder / "trial").rmdir()
    assert (elsewhere / "precious").read_text() == "mine"


def test_neither_lock_nor_log_nor_clearing_up_follows_a_link(
    folder: Path, precious: Path, tmp_path: Path
) -> None:
    (tmp_path / ".folder.lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"), sole_writer(folder):
        pass
    (tmp_path / ".folder.lock").unlink()
    (folder / "trial.log").symlink_to(precious)
    with _printing_to(folder / "trial.log"):
        os.write(1, b"a trial speaks")
    assert (folder / "trial.log").read_text() == "a trial speaks"
    (folder / f".{TOKEN}{UNFINISHED}").symlink_to(tmp_path)
    (folder / f".{TOKEN}{PART}").symlink_to(precious)
    with sole_writer(folder):
        assert [one.name for one in folder.iterdir()] == ["trial.log"]
    assert precious.read_text() == "mine"


def test_only_what_a_write_of_ours_left_is_cleared(folder: Path) -> None:
    for name in (".mine.part", ".unfinished", "notes.unfinished", f".{TOKEN}.txt"):
        (folder / name).write_text("mine")
    (folder / f".{TOKEN}{PART}").write_text("half")
    (folder / f".{TOKEN}{UNFINISHED}").mkdir()
    with sole_writer(folder):
        assert sorted(one.name for one in folder.iterdir()) == sorted(
            (".mine.part", ".unfinished", "notes.unfinished", f".{TOKEN}.txt")
        )


def test_a_folder_has_one_lock_by_whatever_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    with sole_writer(Path()):
        for way in (folder, tmp_path / "link", Path("../folder"), Path("../link/.")):
            with pytest.raises(BusyError, match="in use by another process"), sole_writer(way):
                pass


REPORTING = """
import sys
from mesabench.report import page, write_report
print("ready", flush=True)
sys.stdin.readline()
write_report(sys.argv[1])
"""


@pytest.mark.slow(reason="two processes that write a report at the same time")
def test_two_reports_at_once_leave_one_whole_page(run: Path) -> None:
    expected = write_report(run).read_bytes()
    before = {one.name for one in run.iterdir()}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", REPORTING, str(run)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in writers:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    for one in writers:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    while any(one.poll() is None for one in writers):
        assert (run / REPORT).read_bytes() == expected  # never half, never gone
        time.sleep(0.005)
    assert [one.wait() for one in writers] == [0, 0]
    for one in writers:
        one.communicate()
    assert {one.name for one in run.iterdir()} == before


def test_a_report_waits_for_no_run_in_its_folder_but_may_go_elsewhere(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesabench.report.PATIENCE", 0.1)
    with sole_writer(run):
        for out in (None, run / "page.html", tmp_path / "run" / ".." / "run" / "page.html"):
            with pytest.raises(BusyError):
                write_report(run, out)
        assert write_report(run, tmp_path / "page.html").exists()
    assert sorted(one.name for one in run.iterdir()) == sorted((ONE.name, "suite.json"))


KILLED = """
import os, sys
from pathlib import Path
from mesabench import disk
os.fsync = lambda descriptor: os.kill(os.getpid(), 9)
disk.save_file(Path(sys.argv[1]), b"new")
"""


def test_a_writer_that_is_killed_leaves_the_old_file_and_what_it_left_is_cleared(folder: Path) -> None:
    save_file(folder / "page", b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder / "page")])
    assert done.returncode == -signal.SIGKILL
    assert (folder / "page").read_bytes() == b"old"
    assert len(list(folder.iterdir())) == 2
    with sole_writer(folder):
        assert [one.name for one in folder.iterdir()] == ["page"]


@pytest.mark.parametrize("verb", ["list", "show"])
def test_what_the_command_line_writes_replaces_a_link(
    verb: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = "<!-- environments -->\n<!-- /environments -->\n"
    precious = tmp_path / "precious"
    precious.write_text(before)
    file = folder / "file"
    file.symlink_to(precious)
    arguments = {"list": ["--write", str(file)], "show": ["cheese_corner", "--png", str(file)]}[verb]
    with pytest.raises(SystemExit) as end:
        verbs.main([verb, *arguments])
    assert end.value.code == 0, capsys.readouterr().err
    assert precious.read_text() == before
    assert len(file.read_bytes()) > len(before)
    assert not file.is_symlink()
    assert [one.name for one in folder.iterdir()] == ["file"]


def test_files_have_the_usual_permissions(folder: Path) -> None:
    usual = folder / "usual"
    usual.touch()
    save_file(folder / "page", b"new")
    assert (folder / "page").stat().st_mode == usual.stat().st_mode
