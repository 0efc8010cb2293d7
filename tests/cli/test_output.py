"""What verbs do with any terminal and any mistake: nothing is cut off, no traceback, one JSON object, one exit status."""

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from kinds import sweep
from rich.text import Text

from mesabench import catalogue
from mesabench.cli import options, output, verbs
from mesabench.cli.output import Status
from mesabench.engine.distribution import Distribution
from mesabench.registry import environments, find_environment

MAIN = "from mesabench.cli import main; main()"
ONE_AFTER_ANOTHER = """
import sys
from mesabench.cli import main

words, statuses = sys.argv[1:], []
while words:
    end = words.index("then")
    try:
        main(words[:end])
    except SystemExit as ended:
        statuses.append(int(ended.code or 0))
    words = words[end + 1:]
print(statuses, file=sys.stderr)
"""
"""Several commands in one process, each followed by the word `then`; the last line on standard error has their statuses."""


def end(*arguments: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        verbs.main(arguments)
    return int(ended.value.code or 0)


def spawned(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, errors="replace")


# ---------------------------------------------------------------- mistakes

BROKEN = {
    "syntax.py": "environment = (\n",
    "raises.py": "raise RuntimeError('of its author')\n",
    "imports.py": "import no_such_module\n",
    "empty.py": "",
}
NUMBERS = ("", "x", "-1", "1e400", "nan", "9" * 5000, "0x9", "1,5")
KNOBS = ("split=deploy", "objective=x", "render_mode=human", "level=1", "seed=1", "corner", "=1", "", "=", "deploy=1",
         "deploy.=1", ".corner=1", "depoly.corner=1", "deploy.cornr=1", "heldout.corner=1", "a.b.c=1", "size=0", "deploy.size=11",
         "corner=x", "maze=3", "maze=", *(f"corner={one}" for one in NUMBERS), "alpha=2", "alpha=x")  # fmt: skip
PATHS = (
    "",
    ".",
    "no/such",
    "no/such.py",
    "syntax.py",
    "raises.py",
    "imports.py",
    "empty.py",
    "folder.py",
    "cheese corner",
)
MISTAKES = [
    *(("show", "cheese_corner", "--set", knob) for knob in KNOBS),
    *(("play", "cheese_corner", "--keys", "q", "--set", knob) for knob in KNOBS),
    *(("show", "cheese_corner", "--set", "levels=3"), ("play", "cheese_corner", "--set", "levels=3")),
    *(("evaluate", "oracle", "cheese_corner", "--levels", "1", "--set", knob) for knob in (*KNOBS, "levels=-1", "levels=x")),
    *((verb, "cheese_corner", "--size", size) for verb in ("show", "play", "bench") for size in ("0", "-1", "x", "3", "1e9", "")),
    *((verb, path) for verb in ("show", "play", "check", "bench") for path in PATHS),
    *(("evaluate", "oracle", path) for path in PATHS),
    *(("evaluate", f"{path}:policy", "cheese_corner") for path in PATHS if path),
    *(("evaluate", path, "cheese_corner") for path in PATHS),
    *(("evaluate", "oracle", "cheese_corner", "--setting", one) for one in ("", "objective", "objective=x", "x=1", "=")),
    ("evaluate", "random", "cheese_corner", "--setting", "objective=corner"),
    ("evaluate", "raises.py:x", "cheese_corner", "--setting", "objective=corner"),
    ("evaluate", "oracle", "cheese_corner", "--levels", "0"),
    ("evaluate", "oracle", "cheese_corner", "--seed", "-1"),
    ("show", "absent_supervisor", "--size", "7"),
    ("show", "cheese_corner", "--level", "-1"),
    ("show", "cheese_corner", "--level", "9" * 30),
    ("play", "cheese_corner", "--keys", "q", "--level", "9" * 30),
    ("show", "cheese_corner", "--png", "no/such/folder/x.png"),
    ("show", "cheese_corner", "--png", "."),
    ("show", "cheese_corner", "--png", "folder.py"),
    ("play", "cheese_corner", "--split", "calm"),
    ("play", "cheese_corner", "--split", ""),
    ("play", "cheese_corner", "--objective", "chese"),
    *(("run", path) for path in (*PATHS, "folder.toml", "empty.py", "syntax.py")),
    ("run", "quickstart", "--json"),
    ("run", "quickstart", "--seeds", "0"),
    ("check", "cheese_corner", "--levels", "0"),
    ("detect", "nobody"),
    ("detect", "raises.py:x"),
    *(("evolve", path) for path in (*PATHS, "cheese_corner")),
    ("evolve", "irish_elk", "--condition", "choise"),
    ("evolve", "irish_elk", "--seeds", "0"),
    *(("evolve", "irish_elk", "--set", one) for one in ("capacity=1", "widht=1", "after.widht=1", "width", "width=x")),
    ("evolve", "guard", "--set", "paid_dark=0"),
    ("bench", "cheese_corner", "--seconds", "0"),
    ("bench", "cheese_corner", "--agent", "nobody"),
    ("bench", "cheese_corner", "--agent", "oracle"),
    ("list", "--write", "no/such.md"),
    ("list", "--write", "."),
    ("lst",),
    ("show",),
    ("show", "cheese_corner", "--lvel", "1"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", MISTAKES, ids=lambda words: " ".join(words)[:60])
def test_a_mistake_is_status_2_and_a_line_that_says_what_is_wrong(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, text in BROKEN.items():
        (tmp_path / name).write_text(text)
    for name in ("folder.py", "folder.toml"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert end(*arguments) == Status.MISTAKE
    told = capsys.readouterr().err
    assert "Traceback" not in told
    lines = [line for line in told.splitlines() if line.strip()]
    if lines[0].startswith("Usage"):
        assert "Error" in told  # what the parser refuses it frames
    else:
        errors = [line for line in lines if not line.startswith("warning: ")]
        assert errors[0].startswith("error: "), told
        assert len(errors[0]) > len("error: x")
        assert len(errors) == 1 or arguments[0] == "run", told  # of a suite's mistakes each has a line


def test_nothing_was_written_by_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (("show", "cheese_corner", "--png", "no/such/x.png"), ("run", "no_such_suite")):
        assert end(*arguments) == Status.MISTAKE
    assert not [*tmp_path.iterdir()]


# ---------------------------------------------------------------- JSON

JSON = {
    ("list",): {"environments", "agents", "suites", "population models"},
    ("evolve", "guard", "--condition", "no-cue", "--seeds", "1"): {"model", "measures", "conditions"},
    ("show", "cheese_corner"): {"environment", "knobs", "splits", "levels", "objectives", "warnings"},
    ("check", "cheese_corner", "--levels", "20"): {"environment", "passed", "checks"},
    ("run", "quickstart", "--dry-run"): {"suite", "description", "trials"},
    ("evaluate", "oracle", "cheese_corner", "--levels", "2"): {
        "policy",
        "environment",
        "scores",
        "objectives",
    },
}


@pytest.mark.parametrize("arguments", JSON, ids=" ".join)
def test_json_is_one_object_on_standard_output(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert end(*arguments, "--json") == Status.DONE
    found = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found.keys() >= JSON[arguments]


def test_json_of_show_holds_the_knobs_of_every_split(capsys: pytest.CaptureFixture[str]) -> None:
    end("show", "cheese_corner", "--json", "--set", "corner=3", "--set", "deploy.corner=3")
    found = json.loads(capsys.readouterr().out)
    assert [found["splits"][split]["knobs"]["corner"] for split in ("train", "deploy")] == [3, 3]
    assert len(found["warnings"]) == 1
    assert found["levels"].keys() == {"heldout", "deploy"}


def test_what_is_no_number_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"a": [float("nan"), 1.5, (float("inf"),)], "b": {"c": -float("inf")}})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5, [None]], "b": {"c": None}}


# ---------------------------------------------------------------- exit status


def test_the_help_tells_every_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    assert end("--help") == Status.DONE
    told = " ".join(capsys.readouterr().out.split())
    for status in Status:
        assert f"{status.value} {status.meaning}" in told


def test_ctrl_c_is_its_own_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalogue, "environments_table", interrupted)
    assert end("list") == Status.INTERRUPTED


# ---------------------------------------------------------------- completion


def test_names_are_completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: dict[str, str] = {"_MESABENCH_COMPLETE": "complete_bash"}
    for words, wanted in {"run qui": "quickstart", "evaluate ora": "oracle", "show cheese_c": "cheese_corner",
                          "detect fli": "flips", "bench --agent pp": "ppo"}.items():  # fmt: skip
        asked |= {"COMP_WORDS": f"mesabench {words}", "COMP_CWORD": str(len(words.split()))}
        for name, value in asked.items():
            monkeypatch.setenv(name, value)
        end()
        assert wanted in capsys.readouterr().out.split(), words
    assert wanted in spawned(**asked).stdout.split(), "as the shell asks"


# ---------------------------------------------------------------- terminals


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("name", sweep(environments()))
def test_show_fits_the_terminal_and_cuts_nothing_off(
    name: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in (output.console, output.errors):
        monkeypatch.setattr(one, "_width", width)
    monkeypatch.setattr(output.console, "_force_terminal", True)
    assert end("show", name) == Status.DONE
    out = Text.from_ansi(capsys.readouterr().out).plain
    assert "…" not in out
    drawn, _, snippet = out.partition("In Python")
    assert max(map(len, drawn.splitlines())) <= width
    assert "gymnasium.make" in snippet
    environment = find_environment(name)
    for split, env in catalogue.beginnings(Distribution(environment), 0).items():
        assert split in out
        for line in Text.from_ansi(env.render()).plain.splitlines():
            assert line in out
    words = "".join(out.split())
    for knob in environment.knobs.values():
        assert all(word in words for word in knob.help.split())


def test_a_picture_wider_than_the_terminal_is_all_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output.console, "_width", 16)
    end("show", "cheese_corner")
    assert "#" * 18 in capsys.readouterr().out


def test_no_colour_where_none_is_wanted() -> None:
    done = spawned("show", "follow_me", NO_COLOR="1", FORCE_COLOR="1")
    assert done.returncode == Status.DONE
    assert not re.search(r"\x1b\[[0-9;]*(3|4|9|10)[0-9][;m]", done.stdout)


@pytest.mark.parametrize(
    "environ", [{"PYTHONIOENCODING": "ascii", "TERM": "dumb"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_any_encoding_and_a_dumb_terminal_do(environ: dict[str, str]) -> None:
    verbs = (
        ("show", "tomato_watering"),
        ("play", "follow_me", "--keys", "dd"),
        ("--help",),
        ("show", "überall"),
    )
    words = itertools.chain.from_iterable((*one, "then") for one in verbs)
    command = [sys.executable, "-c", ONE_AFTER_ANOTHER, *words]
    done = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, errors="replace")
    *_, statuses = done.stderr.splitlines()
    assert statuses == str([*map(int, (Status.DONE, Status.DONE, Status.DONE, Status.MISTAKE))]), done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_ends_the_verb_quietly() -> None:
    for arguments in (("list",), ("show", "cheese_corner", "--json")):
        reader, writer = os.pipe()
        os.close(reader)
        command = [sys.executable, "-c", MAIN, *arguments]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
        os.close(writer)
        assert (done.returncode, done.stderr) == (Status.UNREAD, "")


def test_completion_asks_only_when_it_is_asked() -> None:
    asked = itertools.count()

    def names() -> list[str]:
        next(asked)
        return ["aa", "ab", "b"]

    complete = options.completing(names)
    assert next(asked) == 0
    assert complete("a") == ["aa", "ab"]
