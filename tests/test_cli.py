"""The command line: every verb's help, what the verbs print, and errors in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from mesabench import catalogue, cli
from mesabench.registry import environments, find_environment

ROOT = Path(__file__).parent.parent
VERBS = ("list", "show", "play", "run", "evaluate", "report", "check", "bench")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What the command prints, once it has ended with this status."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == status, err
    return out + err


def test_without_a_verb_the_help_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    help = said(capsys, status=2)
    for verb in VERBS:
        assert f" {verb} " in help


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"Example: mesabench {verb}" in said(capsys, verb, "--help")


def test_list_tells_everything_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "list")
    agents = {file.stem for file in (ROOT / "agents").glob("*.py")} - {"__init__"}
    suites = {file.stem for file in (ROOT / "configs").glob("*.toml")}
    for name in {*environments(), *agents, *suites}:
        assert f" {name} " in out


def test_list_needs_neither_pytorch_nor_matplotlib() -> None:
    code = "import sys; from mesabench import catalogue, cli; catalogue.agents_table(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "stable_baselines3", "matplotlib", "polars", "jinja2"} & {*done.stdout.split()}


def test_readme_is_up_to_date() -> None:
    text = (ROOT / "README.md").read_text()
    assert catalogue.written_into(text) == text, "run: mesabench list --markdown --write README.md"


def test_list_writes_the_table_between_the_markers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "README.md"
    before, after = catalogue.MARKERS
    file.write_text(f"a\n{before}\nold\n{after}\nb\n")
    said(capsys, "list", "--markdown", "--write", str(file))
    assert file.read_text() == f"a\n{before}\n{catalogue.markdown()}{after}\nb\n"
    file.write_text(f"{after}\n{before}\n")
    assert "no place for the table" in said(capsys, "list", "--write", str(file), status=2)


@pytest.mark.parametrize("name", environments())
def test_show_tells_what_is_declared(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, environment = said(capsys, "show", name), find_environment(name)
    assert environment.id in out
    for declared in (environment.layer_names, environment.event_names):
        for one in declared:
            assert catalogue.spoken(one) in out
    for one in (*environment.objectives, *environment.knobs, *environment.splits):
        assert f" {one} " in out
    assert "level 0, as in training" in out
    assert "level 0, deploy" in out


def test_show_turns_knobs_and_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "show", "cheese_corner", "--size", "7", "--set", "corner=3", "--set", "maze=tree")
    line = next(line for line in out.splitlines() if line.startswith("env = "))
    names = dict.fromkeys(("gymnasium", "mesabench"))
    exec("import gymnasium, mesabench\n" + line, names)  # our own line: it must work as it stands
    assert names["env"].observation_space.shape == (3, 7, 7)
    assert names["env"].unwrapped.distribution.knobs == {"size": 7, "corner": 3, "maze": "tree"}


def test_show_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cheese.png"
    said(capsys, "show", "cheese_corner", "--size", "7", "--png", str(file))
    header = file.read_bytes()[:24]
    side, margin = 7 * 16 * 2, 16 * 2
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(header[16:20]) == 2 * side + 3 * margin
    assert int.from_bytes(header[20:24]) == side + 2 * margin


def test_the_story_keeps_its_parts() -> None:
    headline, terms, rest = catalogue.story_of(
        find_environment("cheese_corner").named(
            "x", "One: two\nthree\n\nTrain  a\n       b\nDeploy  c\n\nMore.\n"
        )
    )
    assert (headline, terms, rest) == ("One: two three", [("Train", "a b"), ("Deploy", "c")], "More.")


def test_play_presses_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert "as in training, level 5" in said(capsys, "play", "cheese_corner", "--level", "4", "--keys", "n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "cheese_corer"), "did you mean 'cheese_corner'?"),
        (("show", "nowhere.py"), "no environment file"),
        (("show", "cheese_corner", "--set", "cornr=1"), "did you mean 'corner'?"),
        (("show", "cheese_corner", "--set", "corner=x"), "must be an integer from 0 to 99"),
        (("show", "cheese_corner", "--set", "maze=tre"), "did you mean 'tree'?"),
        (("show", "cheese_corner", "--set", "corner"), "write a name, = and a value"),
        (("show", "cheese_corner", "--png", "no/such/folder/x.png"), "No such file or directory"),
        (("play", "cheese_corner", "--split", "tain"), "did you mean 'train'?"),
        (("play", "cheese_corner", "--objective", "gost"), "did you mean 'ghost'?"),
    ],
)
def test_errors_are_one_line_that_teaches(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    last = said(capsys, *arguments, status=2).splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last


def test_debug_shows_where_an_error_arose() -> None:
    with pytest.raises(LookupError, match="cheese_corer"):
        cli.main(["show", "cheese_corer", "--debug"])


def test_faults_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        int("not ours to explain")

    monkeypatch.setattr(catalogue, "environments_table", broken)
    with pytest.raises(ValueError, match="invalid literal"):
        cli.main(["list"])
