"""The report in a real browser: it fits a phone and a desk, its viewer plays, and it asks the network for nothing."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mesabench import registry
from mesabench.agents.oracle import Oracle
from mesabench.evaluation.evaluation import evaluate
from mesabench.evaluation.scorecard import seed_scores
from mesabench.report import write_report
from mesabench.runs.store import write_suite
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import write_trial

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    not Path(CHROMIUM).exists() and not os.environ.get("CI"), reason="needs Chromium (apt install chromium)"
)


class Scripted(Oracle):
    """An oracle that stands in for a trained agent."""

    def save(self, folder):
        (folder / "policy.json").write_text("{}")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The page of a run with everything on it: a sweep over alpha of enough seeds for intervals, which at 0 want the corner."""
    environment = registry.find_environment("cheese_corner")
    folder = tmp_path_factory.mktemp("results") / "scripted"
    folder.mkdir()
    evaluated = {
        goal: evaluate(Scripted(goal), "cheese_corner", {}, levels=24) for goal in ("corner", "cheese")
    }
    scores = {
        goal: seed_scores(one.levels, environment, beside=one.tables) for goal, one in evaluated.items()
    }
    trials = [
        Trial(
            environment="cheese_corner", options={"alpha": alpha}, agent="ppo", settings={}, steps=1000, seed=seed,
            variant=f"alpha-{alpha}", evaluation=EvaluationSettings(levels=24),
        )
        for alpha in (0.0, 0.01, 0.03, 1.0)
        for seed in range(5)
    ]  # fmt: skip
    write_suite(folder, Suite(name="scripted", trials=tuple(trials)))
    for trial in trials:
        goal = "cheese" if trial.options["alpha"] > 0.01 else "corner"
        write_trial(
            folder / trial.name, trial, policy=Scripted(goal), found=evaluated[goal], scores=scores[goal],
            curve=[{"step": step, "return_mean": step / 1000} for step in (0, 500, 1000)],
            started=datetime.now(UTC), training_seconds=1.0, seconds=2.0,
        )  # fmt: skip
    (folder / "cheese_corner--a_long_name_that_was_not_stored--oracle--s000--01234567").mkdir()
    return write_report(folder)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, report):
    """Open the page: visit(width, **context options) -> (page, troubles)."""
    contexts = []

    def open_page(width=1440, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 844}, **options))
        page, troubles = contexts[-1].new_page(), []
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith(("file:", "data:")) or troubles.append(request.url),
        )
        page.goto(report.as_uri())
        page.wait_for_function("document.querySelector('.now').textContent !== ''")
        return page, troubles

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_fits_and_is_quiet(visit, width, scheme):
    page, troubles = visit(width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut_off = page.evaluate(
        """(width) => [...document.querySelectorAll("main *, header *")]
            .filter((one) => one.getClientRects().length && getComputedStyle(one).clipPath === "none")
            .filter((one) => !one.closest("thead") && one.getBoundingClientRect().right > width + 1)
            .map((one) => one.outerHTML.slice(0, 80))""",
        width,
    )
    assert cut_off == []
    assert page.evaluate("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert troubles == []


@pytest.mark.parametrize("width", [360, 1280])
def test_no_text_of_a_figure_is_cut_off_or_covers_another(visit, width):
    page, _ = visit(width)
    assert page.locator("svg[role=img]").count() >= 6
    cut_off = page.evaluate(
        """() => [...document.querySelectorAll("svg[role=img] text")].filter((one) => {
            const text = one.getBoundingClientRect(), figure = one.closest("svg").getBoundingClientRect();
            return text.left < figure.left - 1 || text.right > figure.right + 1 || text.top < figure.top - 1
                || text.bottom > figure.bottom + 1;
        }).map((one) => one.textContent)"""
    )
    assert cut_off == []
    covered = page.evaluate(
        """() => [...document.querySelectorAll(".radars svg, #alpha svg[role=img]")].flatMap((figure) => {
            const boxes = [...figure.querySelectorAll("text")].map((one) => [one.textContent, one.getBoundingClientRect()]);
            return boxes.flatMap(([name, a], k) => boxes.slice(k + 1).filter(([, b]) =>
                a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
                .map(([other]) => `${name} and ${other}`));
        })"""
    )
    assert covered == []


def test_on_paper_no_heading_is_parted_from_what_it_heads_and_no_legend_or_introduction_is_cut(visit):
    page, _ = visit()
    page.emulate_media(media="print")
    breaks = "(name) => [...document.querySelectorAll(name)].map((one) => getComputedStyle(one)[%s])"
    for name, rule in (("h2, h3, h4", "'breakAfter'"), (".intro, ul.keys, .commands div", "'breakInside'")):
        assert {*page.evaluate(breaks % rule, name)} == {"avoid"}, name


def test_the_words_of_a_table_of_numbers_are_not_broken(visit):
    page, _ = visit()
    wrap = "(name) => [...document.querySelectorAll(name)].map((one) => getComputedStyle(one).overflowWrap)"
    assert {*page.evaluate(wrap, ".numbers th")} == {"normal"}


def test_a_command_within_a_sentence_stays_in_its_line(visit):
    page, _ = visit()
    shown = "(name) => [...document.querySelectorAll(name)].map((one) => getComputedStyle(one).display)"
    assert {*page.evaluate(shown, ".commands dt code")} == {"inline"}
    assert {*page.evaluate(shown, ".commands dd code")} == {"block"}


def test_details_open_and_notes_are_found(visit):
    page, _ = visit(390)
    summary = page.locator("#numbers summary").first
    table = page.locator("#numbers table").first
    assert not table.is_visible()
    summary.click()
    assert table.is_visible()
    page.locator(".scorecard sup a").first.click()
    assert page.locator(".notes li:target").is_visible()


def test_dark_and_light_differ(visit):
    colours = [
        visit(color_scheme=scheme)[0].evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert colours[0] != colours[1]


def test_the_viewer_plays_to_the_end(visit):
    page, troubles = visit()
    now, play = page.locator(".now").first, page.locator("[data-do=play]").first
    picture = "document.querySelector('canvas').toDataURL()"
    start = page.evaluate(picture)
    assert now.text_content().startswith("Step 0 of ")
    length = int(page.locator(".scrub input").first.get_attribute("max"))
    page.locator(".controls select").first.select_option("30")
    play.click()
    assert play.text_content() == "Pause"
    page.wait_for_function(
        "(length) => document.querySelector('.now').textContent.startsWith(`Step ${length} of`)", arg=length
    )
    page.wait_for_function("document.querySelector('[data-do=play]').textContent === 'Play'")
    assert page.evaluate(picture) != start
    assert troubles == []


def test_the_viewer_scrubs_and_steps(visit):
    page, _ = visit()
    now, slider = page.locator(".now").first, page.locator(".scrub input").first
    slider.fill("5")
    assert now.text_content().startswith("Step 5 of ")
    page.locator("[data-do=forward]").first.click()
    assert now.text_content().startswith("Step 6 of ")
    page.locator("[data-do=back]").first.click()
    page.locator("[data-do=back]").first.click()
    assert now.text_content().startswith("Step 4 of ")


def test_the_viewer_obeys_the_keyboard(visit):
    page, _ = visit()
    now, canvas = page.locator(".now").first, page.locator("canvas").first
    length = page.locator(".scrub input").first.get_attribute("max")
    canvas.focus()
    for key, step in (
        ("ArrowRight", "1"),
        ("End", length),
        ("ArrowRight", length),
        ("Home", "0"),
        ("ArrowLeft", "0"),
    ):
        page.keyboard.press(key)
        assert now.text_content().startswith(f"Step {step} of {length}")
    title = canvas.get_attribute("aria-label")
    page.keyboard.press("ArrowDown")
    assert canvas.get_attribute("aria-label") != title
    assert page.locator("[aria-current=true]").get_attribute("data-replay") == "1"
    page.keyboard.press("ArrowUp")
    assert canvas.get_attribute("aria-label") == title
    page.keyboard.press(" ")
    assert page.locator("[data-do=play]").first.text_content() == "Pause"


def test_a_replay_is_chosen_from_the_list_and_names_what_happens(visit):
    page, _ = visit(390, reduced_motion="reduce")
    entry, canvas = page.locator("[data-replay]").nth(2), page.locator("canvas").first
    entry.click()
    assert -1 <= canvas.bounding_box()["y"] < 422  # the player comes into view
    assert entry.get_attribute("aria-current") == "true"
    assert entry.text_content() in canvas.get_attribute("aria-label")
    step, names = page.evaluate(
        "JSON.parse(document.querySelector('.viewer script').textContent).replays[2].events[0]"
    )
    page.locator(".scrub input").first.fill(str(step))
    assert page.locator(".now").first.text_content().endswith(", ".join(names))


def test_on_paper_the_scorecard_is_a_table_and_nothing_is_hidden_or_empty(visit):
    page, _ = visit(700)  # as wide as A4
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    shown = "(one) => getComputedStyle(document.querySelector(one)).display"
    assert page.evaluate(shown, ".scorecard") == "table"
    assert page.evaluate(shown, ".scorecard td.score") == "table-cell"
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator("canvas").first.is_visible()
    assert page.locator(".strip img").first.is_visible()
    assert page.locator("#numbers summary").first.is_visible()  # it names the environment
    empty = page.evaluate(
        """() => [...document.querySelectorAll("main h2, main h3")].filter((one) => one.getClientRects().length)
            .filter((one) => !(one.nextElementSibling && one.parentElement.getBoundingClientRect().bottom
                > one.getBoundingClientRect().bottom + 8)).map((one) => one.textContent)"""
    )
    assert empty == []
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0


def test_without_script_the_page_still_tells_it(visit, report, browser):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator(".picture img").count() > 0
    assert page.locator("h1").is_visible()
    context.close()
