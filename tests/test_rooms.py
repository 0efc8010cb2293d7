"""The rooms of the house: who may import whom, and that the page on the architecture knows them all."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = (
    {"suggestion", "streams"},
    {"disk", "tables", "notebook", "whole_number", "ownfile", "statistics"},
    {"world", "pictures"},
    {"registry"},
    {"engine"},
    {"solver", "adapters"},
    {"policies", "catalogue"},
    {"scores"},
    {"deception", "testing", "evolution"},
    {"evaluation"},
    {"runs"},
    {"auditing"},
    {"report"},
    {"cli"},
    {"__main__"},
)
"""A room may import rooms of lower floors only; rooms of one floor do not know each other."""
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FOR_AUTHORS = {"world", "suggestion"}
"""What an environment's file may import."""
FOR_AGENTS = {room for floor in FLOORS[:7] for room in floor} | {"auditing", "deception", "evolution"}
"""What an agent's file may import: an organism is planted by the room that audits it, evolution searches in its own, and what is
right under a contract is known where watching is judged."""
LIBRARIES = {
    "gymnasium": {"adapters", "testing", "cli"},
    "polars": {"scores", "deception", "evaluation", "runs", "auditing", "report"},
    "multiprocessing": {"runs"},
    "ray": {"runs"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "torch": {"agents"},
    "stable_baselines3": {"agents", "testing"},
    "sb3_contrib": {"agents"},
    "cma": {"agents"},
}
"""Libraries that stay in their rooms. `testing` asks Gymnasium's and SB3's own checkers."""


def room_of(module: str) -> str:
    """`engine` for `mesabench.engine.batch`, `envs` for `mesabench.envs.cheese_corner`."""
    return f"{module}.".split(".")[1]


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def imports(file: Path) -> tuple[str, ...]:
    """Every module that a file imports, at its top or within a function."""
    found: list[str] = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "mesabench":
            found += [f"mesabench.{one.name}" for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return tuple(found)


def named(file: Path) -> Iterator[str]:
    """The rooms of mesabench that a file imports from."""
    for module in imports(file):
        if module.startswith("mesabench."):
            yield room_of(module)


def rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for file in files("mesabench"):
        place = file.relative_to(ROOT / "mesabench")
        found.setdefault(place.parts[0].removesuffix(".py"), []).append(file)
    return {room: inside for room, inside in found.items() if room != "__init__"}


def test_every_room_has_its_floor() -> None:
    assert rooms().keys() == FLOOR.keys()


@pytest.mark.parametrize("room", rooms())
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    for file in rooms()[room]:
        for other in {*named(file)} & FLOOR.keys() - {room}:
            assert FLOOR[other] < FLOOR[room], f"{file.relative_to(ROOT)} imports mesabench.{other}"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_stays_in_its_rooms(library: str) -> None:
    places = {**rooms(), "envs": files("envs"), "agents": files("agents")}
    users = {
        room
        for room, inside in places.items()
        for file in inside
        for module in imports(file)
        if module.split(".")[0] == library
    }
    assert users <= LIBRARIES[library] | {"agents"}


@pytest.mark.parametrize(("folder", "allowed"), [("envs", FOR_AUTHORS), ("agents", FOR_AGENTS)])
def test_environments_and_agents_import_what_is_for_them(folder: str, allowed: set[str]) -> None:
    for file in files(folder):
        assert {*named(file)} & FLOOR.keys() <= allowed, file.name


def test_no_module_imports_another_in_a_circle() -> None:
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files("mesabench")
    }
    del modules["mesabench"]  # the package's face imports what it shows
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in {*at_the_top(modules[name])} & modules.keys() - {name}:
                visit(other, (*path, name))
            done.add(name)

    for name in modules:
        visit(name, ())


def at_the_top(file: Path) -> Iterator[str]:
    """Modules that importing a file imports, the modules that `from package import module` names among them."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def test_the_page_on_the_architecture_has_every_room_on_its_floor() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    told: dict[str, int] = {}
    for floor, room, folder in re.findall(r"^\| *(\d*) \| `(\w+)(/?)` \|", page, re.M):
        told[room] = int(floor) if floor else [*told.values()][-1]
        assert (ROOT / "mesabench" / room).is_dir() == bool(folder), room
    assert told == FLOOR


def test_the_tests_mirror_the_rooms() -> None:
    folders = {
        file.parent.relative_to(ROOT / "tests").parts[0] for file in (ROOT / "tests").glob("*/test_*.py")
    }
    assert folders == {one for one in rooms() if (ROOT / "mesabench" / one).is_dir()} | {"envs", "agents"}


EDGES = {"agents/sb3/vecenv.py"}
"""Adapters are made by name."""


def test_within_levels_are_passed_and_names_are_resolved_at_the_edge() -> None:
    """Who measures a policy is given a `Distribution`; what options mean is known to `Task` and to `distribution_of` alone."""
    rooms_within = ("solver", "scores", "deception", "evaluation", "auditing")
    within = [file for room in rooms_within for file in rooms()[room]] + files("agents")
    for file in within:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(file.relative_to(ROOT)) not in EDGES:
                taken = {one.name for one in node.names} & {"find_environment", "distribution_of"}
                assert not taken, f"{file.relative_to(ROOT)} resolves names: {taken}"


MOST_LINES, REASON = 300, "Longer than other modules: "


def test_a_long_module_says_in_its_first_lines_why() -> None:
    """And a short one does not: a reason that has become void goes."""
    for file in sorted(
        file for folder in ("mesabench", "agents", "envs") for file in (ROOT / folder).rglob("*.py")
    ):
        text = file.read_text()
        told = REASON in re.split(r"^(?:from|import) ", text, maxsplit=1, flags=re.M)[0]
        assert told == (text.count("\n") > MOST_LINES), (
            f"{file.relative_to(ROOT)}: {text.count(chr(10))} lines"
        )
