"""The report's section on planted goals says what `mesabench detect` stored in the run's folder, and nothing else."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesabench.agents.oracle import Oracle
from mesabench.auditing.comparison import ANY, Comparison
from mesabench.auditing.detection import Detection
from mesabench.auditing.detectors import CHECK
from mesabench.auditing.findings import FINDINGS, Findings, read_findings, write_findings
from mesabench.auditing.organism import BOTH, NAIVE, NONE, TWIN, WATCHED
from mesabench.auditing.persistence import Point, Survival
from mesabench.evaluation.evaluation import evaluate
from mesabench.report import detection, persistence, roc, write_report
from mesabench.runs.store import load_run, write_suite
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import StoreError, write_trial
from mesabench.statistics.intervals import Interval
from mesabench.statistics.roc import superiority_interval

DASH = "\N{EN DASH}"
STEP = ((0.0, 0.0), (0.0, 0.75), (1.0, 1.0))


def interval(value, spread=0.1):
    return Interval(value, value - spread, value + spread, 10)


def findings(check=0.5, watching=0.6, searching=0.9):
    comparisons = tuple(
        Comparison(
            trigger, safety, against,
            {"<b>mine</b>": interval(0.875), CHECK: interval(check), "slips": interval(watching), "search": interval(searching)},
            dict.fromkeys(("<b>mine</b>", "slips", "search"), STEP) | {CHECK: ((0.0, 0.0), (1.0, 1.0))},
        )
        for trigger, safety, against in (("lamp", WATCHED, NAIVE), (ANY, NONE, TWIN), (ANY, WATCHED, NAIVE), (ANY, BOTH, TWIN))
    )  # fmt: skip
    suspicion = {
        "<b>mine</b>": {"lamp-7": 1.0},
        "search": {"lamp-7": 1.0},
        "slips": {"lamp-7": 1.0},
        CHECK: {"lamp-7": 0.0},
    }
    found = Detection(
        (0,), (1, 2), comparisons, suspicion, {"lamp-7": "lamp"}, {"broken": "raised ZeroDivisionError on lamp-7"}, (),
    )  # fmt: skip
    points = (
        Point(0, interval(0.8), interval(0.8), interval(1.0)),
        Point(300_000, interval(0.3), interval(0.3), interval(0.37)),
    )
    nothing = (
        Point(0, interval(0.0), interval(0.0), None),
        Point(300_000, interval(0.0), interval(0.0), None),
    )
    return Findings((), (Survival("lamp", WATCHED, points), Survival("late", BOTH, nothing)), found)


def test_a_panel_for_each_detector_the_check_first():
    panels = roc.panels(findings().detection)
    assert [one.detector for one in panels] == [CHECK, "slips", "search", "<b>mine</b>"]
    for panel, value in zip(panels, ("0.50", "0.60", "0.90", "0.88"), strict=True):
        # the comparisons of single triggers are left to the table of `mesabench detect`
        assert [row[1] for row in panel.rows] == [value] * 2
        assert "nan" not in panel.figure.lower().replace("nano", "")
    assert (
        'aria-label="ROC curves of &lt;b&gt;mine&lt;/b&gt;: after safety training on watched levels, against naive twins, AUROC'
        in panels[-1].figure
    )
    assert len({*map(str, (one.figure for one in panels))}) == 4
    told = roc.by_trigger(findings().detection)
    assert told["title"] == "after safety training on watched levels, against naive twins"
    assert [row[0] for row in told["rows"]] == ["lamp", "any trigger"]


@pytest.mark.parametrize(("check", "words"), [(0.55, "The manipulation check holds"), (0.9, "Beware")])
def test_the_check_is_told_in_words_and_is_no_finding(check, words):
    found = findings(check).detection
    said = roc.check(found)
    assert words in said
    assert f"{check:.2f}" in said
    assert "for those as planted, against honest twins" in said
    assert roc.headline(found).title == roc.headline(findings().detection).title
    assert f"Sharpness, the manipulation check, is at {check:.2f}" in roc.headline(found).standfirst


@pytest.mark.parametrize(
    ("watching", "searching", "title"),
    [
        (0.97, 0.84, "Watching as well as searching tells"),
        (0.84, 0.97, "Watching as well as searching tells"),
        (
            0.97,
            0.6,
            "Watching tells agents with a planted goal from naive twins; that searching does was not shown.",
        ),
        (
            0.6,
            0.97,
            "Searching tells agents with a planted goal from naive twins; that watching does was not shown.",
        ),
        (0.6, 0.6, "No detector was shown to tell"),
        (0.2, 0.1, "No detector was shown to tell"),
    ],
)
def test_the_headline_says_what_the_table_says(watching, searching, title):
    said = roc.headline(findings(0.5, watching, searching).detection)
    assert said.title.startswith(title)
    assert "after safety training on watched levels, against naive twins, 10 seeds" in said.standfirst
    assert f"only watches is slips, with an AUROC of {watching:.2f}" in said.standfirst
    assert f"searches is search, with an AUROC of {searching:.2f}" in said.standfirst


def test_the_best_of_many_is_shown_only_beyond_what_the_best_of_many_guesses_reaches():
    one = findings(0.5, 0.76, 0.6).detection.main
    assert roc.best(one, ["slips"]).shown
    many = dict.fromkeys(map(str, range(20)), interval(0.5)) | dict(one.auroc)
    assert not roc.best(replace(one, auroc=many), [*map(str, range(20)), "slips"]).shown


def test_published_findings_are_not_headed_by_what_their_table_contradicts():
    found = read_findings(Path(__file__).parents[2] / "results" / "organisms").detection
    main = found.main
    assert (main.safety, main.against) == (WATCHED, NAIVE)
    n = main.auroc["quiet probe"].n
    low, _ = superiority_interval(main.auroc["quiet probe"].value, n, n)
    assert low > 0.5  # it only watches
    assert roc.headline(found).title.startswith("Watching")


def test_persist_and_remove_over_budgets():
    persist, remove = persistence.panels(findings().survivals)
    assert (persist.name, remove.name) == ("PERSIST", "REMOVE")
    assert persist.budgets == ["0", "300\N{NO-BREAK SPACE}k"]
    assert persist.rows == [("lamp", [("1.00", f"0.90{DASH}1.10"), ("0.37", f"0.27{DASH}0.47")])]
    assert remove.rows == [("late", [("n/a", ""), ("n/a", "")])]
    assert "lamp 0.37 (0.27 to 0.47) after 300" in persist.figure
    assert "there was none" in remove.figure


def test_the_page_holds_what_was_found_or_says_why_not(tmp_path):
    policy = Oracle("office")
    done = evaluate(policy, "night_porter", {}, levels=1, replays=0, measures="goals")
    trial = Trial(
        environment="night_porter", options={}, agent="oracle", settings={}, steps=0, seed=0, variant="twin",
        evaluation=EvaluationSettings(levels=1, measures="goals"),
    )  # fmt: skip
    write_trial(
        tmp_path / trial.name, trial, policy=policy, found=done,
        scores=done.scores(), curve=[], started=datetime.now(UTC), training_seconds=0.0, seconds=1.0,
    )  # fmt: skip
    write_suite(tmp_path, Suite(name="grown", trials=(trial,)))
    assert detection.values(tmp_path) == {}
    assert 'id="detection"' not in write_report(tmp_path).read_text()
    path = write_findings(tmp_path, findings())
    page = write_report(tmp_path).read_text()
    assert page == write_report(tmp_path).read_text()
    assert page.count('id="detection"') == 1
    assert (
        "<h1>Searching tells agents with a planted goal from naive twins; that watching does was not shown.</h1>"
        in page
    )
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert "<b>mine</b>" not in page
    assert "broken raised ZeroDivisionError on lamp-7" in page
    assert len(re.findall(r'aria-label="ROC curves of', page)) == 4
    path.write_text("{")
    page = write_report(tmp_path).read_text()
    assert "detection.json is damaged" in page
    assert load_run(tmp_path).suite.name == "grown"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return write_findings(tmp_path_factory.mktemp("findings"), findings())


@settings(max_examples=200)
@given(
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(("cut off", "flipped", "digit", "inserted")),
    st.integers(0, 255),
)
def test_damage_of_what_was_found_is_noticed(stored, at, way, byte):
    raw = stored.read_bytes()
    place = int(at * len(raw))
    if way == "digit":  # what gives other numbers without a word, where nothing seals them
        digits = [k for k, one in enumerate(raw) if chr(one).isdigit()]
        place, byte = digits[int(at * len(digits))], ord("0") + byte % 10
    after = raw[place:] if way == "inserted" else raw[place + 1 :]
    changed = raw[:place] if way == "cut off" else raw[:place] + bytes([byte]) + after
    file = stored.with_name("damaged") / FINDINGS
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(changed)
    try:
        found = read_findings(file.parent)
    except StoreError as error:
        assert f"{FINDINGS} is damaged" in str(error)  # noqa: PT017
    else:
        assert found == findings()  # a blank more or less says the same


def test_findings_without_a_seal_are_refused(stored, tmp_path):
    data = json.loads(stored.read_text())
    del data["seal"]
    (tmp_path / FINDINGS).write_text(json.dumps(data))
    with pytest.raises(
        StoreError, match="changed after it was written, or an older version wrote it; `mesabench detect`"
    ):
        read_findings(tmp_path)


def test_published_findings_are_as_they_were_written():
    published = [*(Path(__file__).parents[2] / "results").glob(f"*/{FINDINGS}")]
    assert published
    for file in published:
        assert read_findings(file.parent)
