"""Texts name modules and files by their paths. What moves takes its names along: no text names what is not there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mesabench

ROOT = Path(__file__).parents[1]
TEXTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "results").glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(
            file
            for folder in ("mesabench", "agents", "envs", "configs", "docs")
            for kind in ("*.py", "*.toml", "*.html", "*.js")
            for file in (ROOT / folder).rglob(kind)
        ),
        *(ROOT / name for name in ("Makefile", "pyproject.toml", ".ci/run")),
    ]
)
DOTTED = re.compile(r"(?<![\w/.@-])mesabench(?:\.[a-zA-Z]\w*)+(?![\w/-])")
FOLDERS = r"mesabench|agents|envs|configs|docs|tests|results"
WHOLE = re.compile(rf"(?<![\w/.~<>-])(?:{FOLDERS})/[\w/.-]*\w")
SHORT = re.compile(r"(?<![\w/.~<>-])[a-z_]+/[a-z_/]+\.py\b")
"""As docs/architecture.md has them: `engine/batch.py`."""
IN_FILE = re.compile(r"`([\w/]+)\.py`,\s+`([\w.]+)`")
ROOMS = {one.name for one in (ROOT / "mesabench").iterdir() if one.is_dir()}


@cache
def defined_in(module: str) -> frozenset[str] | None:
    """The names that a module of ours defines or imports, packages their modules, too; None where there is none. Nothing runs."""
    place = ROOT.joinpath(*module.split("."))
    place = (
        place
        if place.exists() or place.with_suffix(".py").exists()
        else ROOT.joinpath(*module.split(".")[1:])
    )
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not file.exists():
        return None
    found = {one.stem for one in place.glob("*")} if place.is_dir() else set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.alias(name=name, asname=other):
                found.add(other or name)
    return frozenset(found)


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or what one has."""
    module, parts = "mesabench", name.split(".")[1:]
    while parts and defined_in(f"{module}.{parts[0]}") is not None:
        module = f"{module}.{parts.pop(0)}"
    names = (defined_in(module) or frozenset()) | {*(mesabench.__all__ if module == "mesabench" else ())}
    return all(part in names for part in parts)


def files_of(text: str) -> Iterator[tuple[str, bool]]:
    """The files and folders that a text names, and whether each is there. `my_...` and SUITE are the reader's own,
    and what ends in -v0 is a Gymnasium id."""
    for path in {*WHOLE.findall(text), *SHORT.findall(text)}:
        if path.partition("/")[0] in ROOMS | {*FOLDERS.split("|")} and not re.search(
            r"/my_|/SUITE|-v\d+$", path
        ):
            yield path, any((folder / path).exists() for folder in (ROOT, ROOT / "mesabench"))


def test_every_dotted_name_in_a_text_is_that_of_something() -> None:
    lost = [
        (file.name, name)
        for file in TEXTS
        for name in DOTTED.findall(file.read_text("utf-8"))
        if not is_there(name)
    ]
    assert not lost


def test_every_path_in_a_text_is_that_of_a_file_or_folder() -> None:
    lost = [
        (file.name, path) for file in TEXTS for path, there in files_of(file.read_text("utf-8")) if not there
    ]
    assert not lost


@pytest.mark.parametrize(
    "name", ["mesabench.levels", "mesabench.scores.marginal", "mesabench.catalogue.Table.draw"]
)
def test_a_name_of_what_is_gone_would_be_found(name: str) -> None:
    assert DOTTED.findall(f"see `{name}`.") == [name]
    assert not is_there(name)


def test_a_path_of_what_is_gone_would_be_found() -> None:
    assert dict(files_of("`cli/verb.py`, mesabench/crew.py and docs/architecture.md, docs/rooms.md")) == {
        "cli/verb.py": False, "mesabench/crew.py": False, "docs/architecture.md": True, "docs/rooms.md": False,
    }  # fmt: skip
