"""Whoever types what the documents name, in a clone, and stops some of it halfway, has lost nothing that was published.

Every command that README, docs and the published pages name is run, with what takes long made small: suites of two scripted
trials, a canned result of detectors. What writes files is the real thing. A command that this test cannot try is a failure, not
a gap.
"""

import fnmatch
import html
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesabench import testing
from mesabench.auditing import findings
from mesabench.auditing.detection import Detection
from mesabench.cli import adapter, bench, verbs
from mesabench.runs import runner, suite
from mesabench.runs.execution import run_trial
from mesabench.runs.pool import Begun, Event, Finished
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "results" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
REPORTS = sorted((ROOT / "results").glob("*/report.html"))
COMMAND = re.compile(r"(?:\$ +)?(?:\S*/)?((?:python3? -m )?mesabench|make) +(\S.*)")
TINY = {
    "list": (), "show": (), "run": (), "merge": (), "report": (), "detect": (), "selftest": (),
    "play": ("--keys", "n"), "check": ("--levels", "2"), "evaluate": ("--levels", "2"),
    "evolve": ("--seeds", "1"), "bench": ("--batch", "2", "--threads", "1", "--seconds", "0.01"),
}  # fmt: skip
"""Verb -> what makes it quick."""
NEEDS_MORE = ("evolve", "show", "play", "run", "merge", "check", "evaluate", "report")
"""Verbs that say nothing alone: where a text has one without more, it names the verb and no command."""
STANDS_FOR = {
    "ENV": "cheese_corner", "SUITE": "quickstart", "RUN_FOLDER": "runs/quickstart", "COMMAND": "list",
    "runs/SUITE": "runs/quickstart", "DIR": "runs", "FILE": "my_world.py",
    "FILE:policy": "my_policy.py:policy", "POLICY": "oracle", "DETECTOR": "my_detector.py:detector", "MODEL": "commons",
}  # fmt: skip
"""Placeholder -> an example of it."""
TOOLS = (
    "pip",
    "pytest",
    "ruff",
    "mypy",
    "build",
    "awk",
    "rm",
    "find",
    "echo",
    "touch",
    "venv",
    "sys.exit",
    "@",
)
"""What the Makefile's recipes call that is no command of ours; none of it knows results."""


# What the documents name


def code_of(page: str) -> Iterator[str]:
    """The lines of code blocks and what stands between backticks, of a Markdown text."""
    fenced = block = False
    before = ""
    for line in page.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield line
        else:
            block = line.startswith("    ") and (block or not before.strip())
            if block:
                yield line
            else:
                yield from re.findall(r"`([^`]+)`", line)
        before = line


def commands() -> dict[str, str]:
    """Command -> where it is named; as typed, without what a table or a comment says beside it."""
    lines = [(page, line) for page in PAGES for line in code_of(page.read_text("utf-8"))]
    lines += [
        (page, html.unescape(line))
        for page in REPORTS
        for line in re.findall(r"<code>([^<]+)</code>", page.read_text("utf-8"))
    ]
    found = {}
    for page, line in lines:
        if match := COMMAND.fullmatch(line.strip()):
            typed = re.split(r"\s{2,}|\s+[#|>&;]", match[2])[0]
            found[f"{match[1].split()[-1]} {typed}"] = str(page.relative_to(ROOT))
    return found


NAMED = commands()


def test_the_documents_name_commands() -> None:
    assert {
        "mesabench run quickstart",
        "make quickstart",
        "mesabench list",
        "mesabench report runs/core",
    } <= {*NAMED}
    assert set(PAGES) | set(REPORTS) >= {
        ROOT / name for name in ("README.md", "docs/tour.md", "results/core/report.html")
    }


def test_nothing_tells_to_run_a_trial_that_its_suite_does_not_make() -> None:
    for command, page in NAMED.items():
        if match := re.search(r"runs/(\w+)/(\S+--\S+)", command):
            made = [one.name for one in suite.load_suite(match[1]).trials]
            assert len(fnmatch.filter(made, match[2])) == 1, f"{page}: {command}"


# A clone, in which they are typed


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no git checkout")
    folder = tmp_path / "clone"
    git(ROOT, "clone", "--quiet", str(ROOT), str(folder))
    monkeypatch.chdir(folder)
    return folder


def tiny(name: str) -> Suite:
    trials = tuple(
        Trial(environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="random", settings={}, steps=0, seed=seed,
              variant="ordinary", evaluation=EvaluationSettings(levels=1))
        for seed in range(2)
    )  # fmt: skip
    return Suite(name=name, trials=trials)


class Stops:
    """Runs trials in this process; if told so, Ctrl-C comes after the first."""

    def __init__(self) -> None:
        self.wanted = False

    def work(self, jobs: Any, folder: Path) -> Iterator[list[Event]]:
        for trial in jobs:
            run_trial(trial, folder / trial.name)
            yield [Begun(trial), Finished(trial)]
            if self.wanted:
                raise KeyboardInterrupt

    def close(self) -> None:
        pass


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> Stops:
    """Everything that takes long is made small."""
    from mesabench.runs import selftest

    stops = Stops()
    for module in (suite, selftest):
        monkeypatch.setattr(module, "load_suite", lambda source: tiny(Path(source).stem))
    monkeypatch.setattr(runner, "_pool", lambda *asked: stops)
    monkeypatch.setattr(
        selftest, "erring_oracles", lambda environment: ()
    )  # its trials are those of a tiny suite
    canned = findings.Findings((), (), Detection((0,), (1,), (), {}, {}, {}, ()))
    monkeypatch.setattr(findings, "investigate", lambda *_, **__: canned)
    monkeypatch.setattr(bench, "start", lambda case: bench.Start(str(case), 1.0, 1.0, 1.0, 1.0))
    monkeypatch.setattr(bench, "import_seconds", lambda: 1.0)
    monkeypatch.setattr(adapter, "measure", lambda agent, *_: f"adapter of {agent}")
    monkeypatch.setattr(testing, "CHECKS", dict(list(testing.CHECKS.items())[:1]))
    return stops


def of_ones_own(word: str, verb: str, place: Path) -> str:
    """A file that its reader is to have, made outside of the clone: a world, a policy or a detector."""
    name, _, attribute = word.partition(":")
    if not name.endswith(".py") or Path(name).exists():
        return word
    file = place / Path(name).name
    if not attribute:
        example = "irish_elk.py" if verb == "evolve" else "cheese_corner.py"
        file.write_text((ROOT / "envs" / example).read_text())
    elif verb == "detect":
        file.write_text(f"def {attribute}(audit):\n    return 0.0\n")
    else:
        file.write_text(
            f"import numpy as np\n\ndef {attribute}(seen):\n    return np.zeros(len(seen), np.int64)\n"
        )
    return f"{file}:{attribute}" if attribute else str(file)


def arguments_of(command: str, place: Path) -> list[str]:
    """What to give to `mesabench`, its placeholders filled in; empty for a verb that is only named."""
    words = [STANDS_FOR.get(word, word) for word in shlex.split(command)[1:]]
    if words[0] == "--debug":  # it stands before the verb
        return ["--debug", *arguments_of(shlex.join(["mesabench", *words[1:]]), place)]
    verb, *rest = words
    if verb.startswith("-"):
        assert {*words} <= {"--help", "--version", "-h"}, f"how is {command!r} to be tried?"
        return words
    assert verb in TINY, f"how is {command!r} to be tried?"
    if (verb in NEEDS_MORE and not rest) or {"--device", "cuda"} <= {
        *rest
    }:  # where there is a device: make test-gpu
        return []
    filled = []
    for word in rest:
        word = of_ones_own(word, verb, place)
        assert not re.search(r"[<>…]|\.\.\.|^[A-Z_]{2,}$", word), (
            f"what does {word!r} stand for in {command!r}?"
        )
        run = re.match(r"runs/[^/]+(?=/)", word)
        filled.append(
            str(next(one for one in Path(run[0]).glob("*--*") if one.is_dir() and one.name[0] != "."))
            if run and not Path(word).exists()
            else word
        )
    if verb == "bench" and not [word for word in filled if not word.startswith("-")]:
        filled.append("cheese_corner")
    return [verb, *filled, *TINY[verb]]


def typed(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        verbs.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def recipe(target: str) -> list[str]:
    """The commands of ours in what `make` would do; what else it does is known."""
    told = subprocess.run(["make", "--dry-run", target], capture_output=True, text=True, check=True).stdout
    ours = [match for line in told.splitlines() if (match := COMMAND.fullmatch(line.strip()))]
    for line in told.splitlines():
        assert COMMAND.fullmatch(line.strip()) or any(tool in line for tool in TOOLS), (
            f"what does make do there: {line}"
        )
    return [f"mesabench {match[2]}" for match in ours]


INTERRUPTED = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from mesabench.cli import main; main()"
)


def stop_a_real_run(name: str) -> None:
    """Type `mesabench run NAME`, as it is, and Ctrl-C once it has begun."""
    path = [str(ROOT), *filter(None, sys.path)]
    code = f"import sys; sys.path[:0] = {path!r}; {INTERRUPTED}"
    run = subprocess.Popen(
        [sys.executable, "-c", code, "run", name, "--workers", "1"], stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300  # a machine may be busy
    while not Path(f"runs/{name}/suite.json").exists():
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=300)
    assert run.returncode == 130, said
    assert "The same command again runs what is missing" in said


@pytest.mark.slow(reason="types every command of README and docs")
def test_typing_what_is_documented_changes_nothing_that_was_published(
    clone: Path, tmp_path: Path, stops: Stops, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    stop_a_real_run("core")
    ours = [command for command in NAMED if command.startswith("mesabench ")]
    if shutil.which("make"):
        for command in NAMED:
            for target in command.split()[1:] if command.startswith("make ") else ():
                ours += [] if "=" in target else recipe(target)
    # runs first: the other commands need what they make
    order = sorted(
        dict.fromkeys(ours), key=lambda command: (command.split()[1] != "run", command.split()[1] != "detect")
    )
    for command in order:
        if arguments := arguments_of(command, own):
            if arguments[0] == "run":
                stops.wanted = True
                assert typed(*arguments) in (0, 130), command
                stops.wanted = False
            assert typed(*arguments) == 0, (command, NAMED.get(command), capsys.readouterr().err)
    # the same by hand, into what is published
    for page in REPORTS:
        name, folder = page.parent.name, f"results/{page.parent.name}"
        for arguments in (
            ["report", folder],
            ["report", folder, "--out", str(tmp_path / "elsewhere.html")],
            ["run", name, "--results", "results"],
            ["detect", "--organisms", folder],
        ):
            capsys.readouterr()
            assert typed(*arguments) == 2
            assert f"{folder} is a published run" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere.html").exists()
    assert Path("runs/quickstart/report.html").exists()
    assert git(clone, "status", "--porcelain") == ""
