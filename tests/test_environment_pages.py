"""docs/environments/: a page and a picture for every environment, as its declaration has it today."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import write_environments as pages
from draw_environments import files_of, source_of, way

from mesabench import registry
from mesabench.catalogue import in_words
from mesabench.engine.distribution import distribution
from mesabench.solver.graph import explore
from mesabench.world.knob import Knob, Value

LARGEST, TOGETHER = 60_000, 3_000_000
"""Bytes of a picture, and of the folder."""
STALE = "run: python docs/write_environments.py"


def test_every_environment_has_a_page_and_nothing_else_has() -> None:
    files = {f"{name}.{end}" for name in pages.shipped() for end in ("md", "svg")}
    assert {one.name for one in pages.FOLDER.iterdir()} == {*files, pages.INDEX}, STALE
    assert (pages.FOLDER / pages.INDEX).read_text("utf-8") == pages.index(), STALE


@pytest.mark.parametrize("name", registry.environments())
def test_a_page_is_what_the_declaration_and_the_results_say_today(name: str) -> None:
    """What is drawn and solved on it is known by digests: of the rules and of the picture."""
    environment = registry.find_environment(name)
    block = pages.block_of(environment)
    assert block, f"the rules, the sprites or the picture have changed: {STALE}"
    assert (pages.FOLDER / f"{name}.md").read_text("utf-8") == pages.page(environment, block), STALE


def test_the_script_alone_writes_the_page_of_a_new_environment_and_removes_that_of_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = pages.FOLDER
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    monkeypatch.setattr(
        pages, "shipped", lambda: {"cheese_corner": registry.find_environment("cheese_corner")}
    )
    (tmp_path / "no_more.md").write_text("# No more")
    pages.write()
    assert {one.name for one in tmp_path.iterdir()} == {"cheese_corner.md", "cheese_corner.svg", pages.INDEX}
    for file in ("cheese_corner.md", "cheese_corner.svg"):
        assert (tmp_path / file).read_text("utf-8") == (published / file).read_text("utf-8"), f"{STALE} --all"
    assert "(cheese_corner.md)" in (tmp_path / pages.INDEX).read_text("utf-8")
    (tmp_path / "cheese_corner.svg").write_text("<svg/>")
    assert not pages.block_of(registry.find_environment("cheese_corner")), (
        "the picture is not the one that was drawn"
    )


def test_ways_are_shortest_and_part_only_where_goals_do() -> None:
    for level in range(6):
        ordinary, shifted = (
            explore(distribution("cheese_corner", split=one), level) for one in ("heldout", "deploy")
        )
        assert way(ordinary, "cheese", ["corner"]) == way(ordinary, "corner", ["cheese"])
        for goal, other, layer in (("cheese", "corner", "cheese"), ("corner", "cheese", "corner")):
            cells = way(shifted, goal, [other])
            bit = 1 << shifted.environment.layer_names.index(layer)
            assert shifted.states()["grid"][0][cells[-1]] & bit
            assert all(abs(y - b) + abs(x - a) == 1 for (y, x), (b, a) in pairwise(cells))


def test_pictures_follow_from_the_files_of_all_rules_that_an_environment_uses() -> None:
    terms = registry.find_environment("hiring_terms")
    assert [one.name for one in files_of(terms)] == [
        "draw_environments.py",
        "executive_hiring.py",
        "hiring_terms.py",
    ]
    assert len({source_of(one) for one in registry.environments().values()}) == len(registry.environments())


def test_pictures_are_small_and_show_both_splits_and_both_ways() -> None:
    sizes = {one.name: one.stat().st_size for one in pages.FOLDER.iterdir()}
    assert max(sizes.values()) < LARGEST, max(sizes, key=sizes.__getitem__)
    assert sum(sizes.values()) < TOGETHER
    for name, environment in pages.shipped().items():
        picture = (pages.FOLDER / f"{name}.svg").read_text("utf-8")
        ElementTree.fromstring(picture)
        assert picture.count("<image ") == 2
        assert {"As in training", "After the shift"} <= {*re.findall(r">([^<]+)</text>", picture)}
        assert picture.count("<polygon ") >= 2 * len({environment.intended, *environment.proxies[:1]}) - 1, (
            name
        )


def test_the_index_has_every_environment_once_below_its_kind_of_failure() -> None:
    index = (pages.FOLDER / pages.INDEX).read_text("utf-8")
    listed = {kind: re.findall(r"\*\*\[(\w+)\]", part) for kind, part in zip(
        pages.KINDS, re.split(r"^## ", index, flags=re.M)[1:], strict=False)}  # fmt: skip
    assert sorted(name for names in listed.values() for name in names) == sorted(pages.shipped())
    assert all(listed.values())
    for kind, one in (
        ("Somebody watches", "goal_guard"),
        ("The reward is wrong", "boat_race"),
        ("The reward is right", "coin_run"),
    ):
        assert one in listed[kind]


@pytest.mark.parametrize(
    ("knob", "value", "said"),
    [
        (Knob(0, 0, 1, "1: the coin lies anywhere, 0: at the far end"), 1, "`w = 1`: the coin lies anywhere"),
        (Knob(0, 0, 1, "1: the coin lies anywhere, 0: at the far end"), 0, "`w = 0`: at the far end"),
        (Knob(1, 0, 1, "0: w is not in view"), 1, "`w = 1`"),
        (
            Knob("a", choices=("a", "any"), help="where it lies; any: by chance"),
            "a",
            "`w = a`: where it lies",
        ),
        (
            Knob("a", choices=("a", "any"), help="where it lies; any: by chance"),
            "any",
            "`w = any`: by chance",
        ),
        (Knob(8, 0, 9, "steps of a walk; 0 = no lava"), 0, "`w = 0`: no lava"),
        (Knob(8, 0, 9, "steps of a walk; 0 = no lava"), 8, "`w = 8`: steps of a walk"),
        (Knob(5, 1, 9), 7, "`w = 7`"),
    ],
)
def test_a_split_is_told_in_the_words_of_its_knobs(knob: Knob, value: Value, said: str) -> None:
    assert in_words({"w": knob}, {"w": value}, quote="`") == said
    assert in_words({"w": knob}, {"w": value}) == said.replace("`", "")


@pytest.mark.parametrize("name", registry.environments())
def test_each_choice_of_a_map_has_words_of_its_own(name: str) -> None:
    """Or else a split would be told as all that there is: `map = level_1`: a maze drawn at random, or a published map."""
    knob = registry.find_environment(name).knobs.get("map")
    if knob and knob.choices:
        words = [knob.meaning(choice) for choice in knob.choices]
        assert all(words)
        assert len({*words}) == len(words), words
