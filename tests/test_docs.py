"""The examples in docs/ run, word for word."""

import re
import shlex
import sys
import tomllib
import typing
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from matplotlib.image import imread
from pydantic import BaseModel
from typer.core import TyperGroup

from mesabench import registry, testing
from mesabench.agents.oracle import Oracle
from mesabench.catalogue import SPLITS_IN_WORDS
from mesabench.cli.output import Status
from mesabench.cli.verbs import app, main
from mesabench.evaluation.evaluation import evaluate
from mesabench.evaluation.measures import tables
from mesabench.evaluation.numbers import after_shift, numbers
from mesabench.evaluation.scorecard import seed_scores
from mesabench.evaluation.verdict import KINDS, OUTCOMES
from mesabench.pictures.sprites import art, parse
from mesabench.policies.loading import load_policy
from mesabench.runs.execution import run_trial
from mesabench.runs.runner import Result
from mesabench.runs.store import write_suite
from mesabench.runs.suite import Suite, parse_suite
from mesabench.runs.suite_file import PopulationTable, SuiteFile, TrialsTable
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.scores.schema import Each
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN
from mesabench.world.story import story_of

DOCS = Path(__file__).parent.parent / "docs"
SPLITS = TRAIN, HELDOUT, DEPLOY


def blocks(page: str, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.M | re.S)


@pytest.fixture
def coin_end(tmp_path: Path) -> Path:
    file = tmp_path / "coin_end.py"
    file.write_text(blocks("add-an-environment.md")[0])
    return file


def test_the_example_environment_is_one_to_be_proud_of(
    coin_end: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mesabench.testing import assert_conforms

    environment = registry.find_environment(str(coin_end))
    assert environment.id.endswith("CoinEnd-v0")  # longer where this process knows another file of that name
    assert_conforms(environment, levels=40)
    for objective, outcome in (("coin", "aligned"), ("end", "proxy")):
        table = evaluate(Oracle(objective), str(coin_end), levels=40, replays=0, measures="goals").levels
        assert seed_scores(table, environment).outcome == outcome
    monkeypatch.chdir(coin_end.parent)
    exec(shorter(blocks("add-an-environment.md")[1]), {})


def test_the_sprite_on_the_page_is_one() -> None:
    (puddle,) = blocks("add-an-environment.md", "text")
    assert parse(puddle, art().marks).names == ("puddle",)


def test_an_environment_file_is_a_hundred_lines_and_tells_its_story_first() -> None:
    source = blocks("add-an-environment.md")[0]
    assert source.startswith('"""')
    assert source.count("\n") < 100


def test_the_pieces_of_the_vocabulary_are_one_environment(tmp_path: Path) -> None:
    pieces = blocks("add-an-environment.md")[2:]
    file = tmp_path / "meadow.py"
    file.write_text('"""Meadow."""\n\n' + "\n".join(pieces))
    found = {one.name: one.outcome for one in testing.check(str(file), levels=10).checks}
    assert len(found) == len(testing.CHECKS)
    assert "failed" not in found.values(), found
    assert found["exact"] == found["lasting fields"] == "passed"


@pytest.mark.slow(
    reason="two whole evaluations of 40 levels; quickly, a stranger's policy is scored on the command line"
)
def test_the_example_policies_pass_the_gate_and_differ_in_their_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (DOCS / "score-your-agent.md").read_text()
    (tmp_path / "my_policy.py").write_text(blocks("score-your-agent.md")[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {}
    for name, outcome in (("cheese", "aligned"), ("corner", "proxy")):
        one = evaluate(
            load_policy(f"my_policy.py:{name}"), "cheese_corner", {"size": 9}, levels=40, replays=0
        )
        found[name] = one.scores()
        assert one.levels["exact"].all()
        assert found[name].outcome == outcome
        assert found[name].kind == "goal-directed, reactive"
        assert found[name].scores["TRAINED"].value == pytest.approx(1)
    for score in ("TRAINED", "COMP", "TRUE", "PROXY"):
        told = [float(cell) for cell in re.findall(rf"^\| {score} \| ([\d.]+) \| ([\d.]+) \|", page, re.M)[0]]
        measured = [one.scores[score].value for one in found.values()]
        assert told == pytest.approx(measured, abs=0.06), score  # fewer levels here
    namespace: dict[str, typing.Any] = {}
    exec(
        blocks("score-your-agent.md")[1].replace('{"size": 9})', '{"size": 9}, levels=24, measures="goals")'),
        namespace,
    )
    assert namespace["scores"].outcome == "proxy"
    sys.modules.pop("my_policy", None)


def test_the_wrapped_sb3_model_is_a_policy() -> None:
    namespace: dict[str, object] = {}
    exec(blocks("score-your-agent.md")[2].replace("10_000", "8192"), namespace)
    table = evaluate(namespace["policy"], "cheese_corner", levels=2, replays=0, measures="goals").levels
    assert table["exact"].all()
    assert np.isfinite(table["return_cheese"].to_numpy()).all()


def shorter(block: str) -> str:
    """The same with little training and few levels."""
    block = block.replace("steps=200_000", "steps=2_048")
    return re.sub(r"(mesabench\.evaluate\([^()]*)\)", r'\1, levels=4, measures="goals")', block)


@pytest.mark.parametrize("page", ["tour.md", "../README.md", "deception.md", "evolution.md"])
def test_the_lines_of_python_on_a_page_run(page: str) -> None:
    assert blocks(page)
    namespace: dict[str, object] = {}
    for block in blocks(page):
        exec(shorter(block), namespace)


PAGES = DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md", DOCS.parent / "results" / "README.md"
COMMAND = re.compile(r"^(?:\$ |    )(mesabench .*?)(?:   .*)?$|`(mesabench [^`]+?)`", re.M)


def commands() -> list[tuple[str, str]]:
    """The command lines that pages tell a reader to type, by page."""
    pages = [*PAGES, *DOCS.glob("*.md")]
    found = [(page.name, "".join(one)) for page in pages for one in COMMAND.findall(page.read_text())]
    return [(page, line) for page, line in found if not re.search(r"mesabench (-|COMMAND)", line)]


def test_every_command_on_a_page_is_one_that_the_program_takes() -> None:
    program = typer.main.get_command(app)
    assert isinstance(program, TyperGroup)
    assert len(commands()) > 25
    for page, line in commands():
        name, *arguments = shlex.split(line)[1:]
        assert name in program.commands, (page, line)
        assert not any("results/" in one for one in arguments), f"{page}: {line}: a clone lacks the weights"
        if not arguments:  # a mere name, or a command that needs none
            continue
        try:  # options and their values are read, nothing is run
            program.commands[name].make_context(name, arguments)
        except Exception as error:
            raise AssertionError(f"{page}: {line}") from error


def test_the_page_on_the_command_line_says_what_the_code_says_of_every_exit_status() -> None:
    page = (DOCS / "command-line.md").read_text()
    told = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.M)
    assert {int(status): words.replace("\\|", "|") for status, words in told} == {
        status.value: status.meaning for status in Status
    }
    folder = Path("runs/any")
    outcomes = Result(folder), Result(folder, failed={"a": "b"}), Result(folder, interrupted=True)
    assert {one.exit_code for one in outcomes} < {*Status}
    with pytest.raises(SystemExit) as mistaken:
        main(["show", "chese_corner"])
    assert mistaken.value.code == Status.MISTAKE


def test_the_page_on_environments_names_every_check() -> None:
    page = (DOCS / "add-an-environment.md").read_text()
    told = page.partition("## What is checked")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \|", told, re.M) == [*testing.CHECKS]


def test_every_link_leads_somewhere() -> None:
    for page in [*PAGES, *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), (page.name, target)
            if anchor:
                headings = re.findall(r"^#+ (.+)$", file.read_text(), re.M)
                assert anchor in {anchor_of(heading) for heading in headings}, (page.name, target)


def anchor_of(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_page_on_deception_has_the_contracts_of_the_environments() -> None:
    page = (DOCS / "deception.md").read_text()
    monitors = [registry.find_environment(name).monitor for name in ("executive_hiring", "goal_guard")]
    for split in ("train", "between", "beyond"):
        grids = [one.contracts[split] for one in monitors if one]
        q, guard_q, *rest = [
            ", ".join(map(str, sorted({one[knob] for one in grid})))
            for knob, grid in (("q", grids[0]), ("q", grids[1]), ("k1", grids[0]), ("k2", grids[0]))
        ]
        assert f"| `{split}` | {q} | {guard_q} | {' | '.join(rest)} |" in page
        assert all(
            {one[knob] for one in grids[0]} == {one[knob] for one in grids[1]} for knob in ("k1", "k2")
        )


def test_no_text_refers_to_a_page_that_the_repository_lacks() -> None:
    """Sources are papers and pages of docs/, which a reader has; "measures 3.3" was a page that nobody could open."""
    files = [
        *PAGES,
        *DOCS.glob("*.md"),
        *(one for room in ("mesabench", "agents", "envs") for one in (DOCS.parent / room).rglob("*.py")),
    ]
    for file in files:
        text = file.read_text("utf-8")
        assert not re.search(r"\bmeasures,? (section )?\d", text), file
        for page in re.findall(r"`(docs/[\w.-]+)`", text):
            assert (DOCS.parent / page).exists(), (file, page)


ROWS = "Train", "Deploy", "Intended", "Paid", "Proxies", "Null", "Source", "Found", "Hidden", "Quirks"


def test_every_story_is_a_table_of_the_same_words_and_says_what_is_paid_where_that_is_not_intended() -> None:
    for environment in registry.environments().values():
        if environment.file:
            continue  # somebody's own
        _, terms, paragraphs = story_of(environment.story)
        told = [word for word, _ in terms]
        assert not paragraphs, environment.name
        assert told == [word for word in ROWS if word in told], (environment.name, told)
        assert {"Train", "Deploy", "Intended", "Proxies", "Source"} <= {*told}, environment.name
        assert ("Paid" in told) == (environment.paid != environment.intended), environment.name
        assert ("Null" in told) == bool(environment.null), environment.name


def test_the_commented_suite_is_one(coin_end: Path) -> None:
    text = blocks("suites.md", "toml")[0]
    suite = parse_suite(text, folder=coin_end.parent)
    n = {trial.variant: 0 for trial in suite.trials}
    for trial in suite.trials:
        n[trial.variant] += 1
    assert sum(n[one] for one in ("ordinary", "alpha-0.1", "control")) == 2 * 3 * 5 + 5
    assert sum(k for variant, k in n.items() if variant.startswith("wide-")) == 2 * 2 * 3
    assert "wide-corner-3-ent_coef-0.05" in n
    assert suite.files == (str(coin_end.resolve()),)


def test_the_page_on_suites_names_every_key_and_no_other() -> None:
    page = (DOCS / "suites.md").read_text()
    headings = "At the top of the file:", "In `[evaluation]`:", "In `[[trials]]`."
    starts = [page.index(heading) for heading in headings]
    starts.append(page.index("A [population model]", starts[-1]))
    models: tuple[type[BaseModel], ...] = (SuiteFile, EvaluationSettings, TrialsTable, PopulationTable)
    for model, start, end in zip(models, starts, [*starts[1:], page.index("## The question")], strict=True):
        assert sorted(re.findall(r"^\| `(\w+)` \|", page[start:end], re.M)) == sorted(model.model_fields)
    text = blocks("suites.md", "toml")[0]
    written = tomllib.loads(text)
    assert {*written} == {*SuiteFile.model_fields}
    assert {*written["evaluation"]} == {*EvaluationSettings.model_fields}
    assert {key for one in written["trials"] for key in one} == {*TrialsTable.model_fields}


def test_the_glossary_has_the_words_of_the_code() -> None:
    page = (DOCS / "glossary.md").read_text()
    words = dict(re.findall(r"^\| `?([^|`]+?)`? \| (.+) \|$", page, re.M))
    assert [*SPLITS] == [one for one in words if one in SPLITS]
    for split, said in SPLITS_IN_WORDS.items():
        assert f"(*{said}*)" in words[split], split
    assert all(one in words["outcome"] for one in OUTCOMES)
    for one in KINDS:
        assert one.partition(",")[0] in words["kind"], one
    assert all(one in words["score"] for one in after_shift())


LARGEST = 90_000
"""Bytes of a picture."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that draws the pictures of the page on scores."""
    monkeypatch.syspath_prepend(str(DOCS))
    import draw_scores

    return draw_scores


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all agents that the pictures are of, played by scripted ones on few levels."""
    folder = tmp_path_factory.mktemp("results") / "tiny"
    trials = tuple(
        Trial(environment=environment, options={}, agent="oracle", settings={"objective": goal}, steps=0, seed=0,
              variant=variant, evaluation=EvaluationSettings(levels=26))
        for environment, variant, goal in (("cheese_corner", "ordinary", "corner"), ("cheese_corner", "control", "cheese"),
                                           ("absent_supervisor", "ordinary", "reward"))
    )  # fmt: skip
    folder.mkdir()
    write_suite(folder, Suite(name="tiny", trials=trials))
    for trial in trials:
        run_trial(trial, folder / trial.name)
    return folder


@pytest.mark.slow(reason="a run of every agent that is in a picture")
def test_every_picture_of_the_scores_is_drawn_from_a_run(
    script: ModuleType, run: Path, tmp_path: Path
) -> None:
    files = script.draw(run, tmp_path)
    assert {file.stem for file in files} == {*script.PICTURES}
    for file in files:
        words = " ".join(ElementTree.parse(file).getroot().itertext())
        assert len(words.split()) > 10, file.name
        assert file.stat().st_size < LARGEST
    for name in ("comp", "evidence"):
        assert (
            script.svg(script.PICTURES[name](script.agents_of(run))) == (tmp_path / f"{name}.svg").read_text()
        )


def test_a_run_that_lacks_an_agent_is_refused_by_name(script: ModuleType, run: Path, tmp_path: Path) -> None:
    for folder in run.glob("*ordinary*"):
        (tmp_path / folder.name).symlink_to(folder)
    with pytest.raises(ValueError, match="no cheese_corner control: draw from"):
        script.agents_of(tmp_path)


def test_the_page_on_scores_shows_every_picture_and_explains_every_number(script: ModuleType) -> None:
    page = (DOCS / "scores.md").read_text()
    shown = re.findall(r"^!\[.{40,}\]\(figures/(\w+)\.svg\)$", page, re.M)
    assert (
        sorted(shown)
        == sorted(script.PICTURES)
        == sorted(one.stem for one in (DOCS / "figures").glob("*.svg"))
    )
    elsewhere = (DOCS / "deception.md").read_text()
    for name, one in numbers().items():
        if name in after_shift():
            assert re.search(rf"^## {name}: ", page, re.M), name
        elif one.name.isupper() and not one.group:
            assert f"**{name}**" in page + elsewhere, name


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that draws the pictures of README, the tour and results/README."""
    monkeypatch.syspath_prepend(str(DOCS))
    import draw_pictures

    return draw_pictures


@pytest.mark.slow(
    reason="draws levels of several worlds; quickly, pages of environments know their pictures by digests"
)
def test_every_png_is_what_its_script_draws_today(pictures: ModuleType) -> None:
    files = {one.stem: one for one in (DOCS / "figures").glob("*.png")}
    assert {*files} == {*pictures.PICTURES}
    shown = {
        one
        for page in [*PAGES, *DOCS.glob("*.md")]
        for one in re.findall(r"figures/(\w+)\.png", page.read_text())
    }
    assert shown == {*files}, "a picture that no page shows, or a page that shows none"
    for name, file in files.items():
        assert file.stat().st_size < LARGEST, name
        there = np.round(255 * imread(file)[..., :3]).astype(int)
        drawn = pictures.drawn(name).astype(int)
        assert there.shape == drawn.shape, f"{name}: run `make pictures`"
        differ = (np.abs(there - drawn).max(-1) > TOLERANCE).mean()
        assert differ < 1e-3, f"{name} differs in {differ:.1%} of its pixels: run `make pictures`"


TOLERANCE = 16
"""Of 255, by which pixels may differ between machines."""


def test_the_page_on_scores_has_the_predictions_of_the_self_test(script: ModuleType) -> None:
    import battery

    page = (DOCS / "scores.md").read_text()
    assert battery.with_table(page) == page, "run: python docs/battery.py"


def test_pages_quote_the_published_findings_on_detectors(script: ModuleType) -> None:
    import write_detectors

    for (page, name), passage in write_detectors.passages().items():
        text = (DOCS.parent / page).read_text("utf-8")
        assert write_detectors.written(text, name, passage) == text, "run: python docs/write_detectors.py"


def test_pages_quote_the_published_zoo(script: ModuleType) -> None:
    import write_zoo

    for (page, name), passage in write_zoo.passages().items():
        text = (DOCS.parent / page).read_text("utf-8")
        assert write_zoo.written(text, name, passage) == text, "run: python docs/write_zoo.py"


@pytest.mark.parametrize(
    ("outcomes", "outer", "group"),
    [
        (["proxy"] * 9 + ["not trained"], 0.0, "Went astray"),
        (["as paid"] * 10, 0.4, "The reward is wrong"),
        (["mixed"] * 6 + ["proxy"] * 4, 0.0, "In between"),
        (["aligned"] * 10, 0.04, "Did what was meant"),
        (["not trained"] * 6 + ["proxy"] * 4, 0.4, "Undetermined"),
        (["undecided"] * 10, 0.0, "Undetermined"),
    ],
)
def test_a_world_of_the_zoo_is_in_the_group_that_its_ordinary_agents_say(
    script: ModuleType, outcomes: list[str], outer: float, group: str
) -> None:
    import write_zoo

    from mesabench.runs.question import Told

    assert write_zoo.group_of(Told("", 0.0, {"OUTER": [outer, float("nan")]}, outcomes, [])) == group


@pytest.mark.slow(reason="solves levels of two worlds; quickly, the other tables of the page are compared")
def test_the_page_on_scores_has_how_much_the_discount_decides(script: ModuleType) -> None:
    import discounts

    page = (DOCS / "scores.md").read_text()
    assert discounts.with_table(page) == page, "run: python docs/discounts.py"


def test_the_page_on_public_names_is_what_the_docstrings_say(script: ModuleType) -> None:
    import write_api

    assert write_api.page() == (DOCS / "api.md").read_text("utf-8"), "run: python docs/write_api.py"


def test_the_page_on_scores_names_every_column() -> None:
    part = (DOCS / "scores.md").read_text().partition("## Where the numbers are")[2]
    named = {*re.findall(r"`(\w+)`", part.partition("## Add a measure")[0])}
    for table in tables().values():
        assert f"`{table.name}.parquet`" in part
        assert {
            one.of(one.letter) if isinstance(one, Each) else one.name for one in table.columns
        } <= named, table.name
