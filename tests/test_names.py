"""Modules and files that prose names are there: in the pages, in docstrings and in comments."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = [one.name for one in (ROOT / "mesabench").iterdir() if one.is_dir() and not one.name.startswith("_")]
FOLDERS = "mesabench", "envs", "agents", "configs", "tests", "docs", "results"
PROSE = [
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
    *ROOT.glob("*.md"),
    *(ROOT / "results").rglob("*.md"),
    *(
        file
        for folder in ("docs", "mesabench", "envs", "agents", "configs")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".md", ".py", ".toml", ".txt", ".html", ".css", ".js")
    ),
]
BEFORE = r"(?<![\w./-])"
MODULE = re.compile(BEFORE + r"mesabench(?:\.[a-zA-Z]\w*)+")
FILE = re.compile(BEFORE + rf"(?:{'|'.join(FOLDERS)})/[\w./-]*\.(?:py|toml|md|html|css|js|svg|png)\b")
FILE_OF_A_ROOM = re.compile(BEFORE + rf"(?:{'|'.join(ROOMS)})/[\w/]*\.py\b")
IN_FILE = re.compile(r"`([\w/]+)\.py`,\s+`([\w.]+)`")
"""As in docs/architecture.md: `engine/kernels.py`, `advance`."""
YOURS = "my_"
"""How the file of a reader's own begins: `agents/my_agent.py`."""


def is_there(name: str) -> bool:
    """Whether a dotted name is that of a module, or of something in one."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        except ImportError:  # it needs a library that is not there: the module itself is
            return importlib.util.find_spec(".".join(parts[:n])) is not None
        for part in parts[n:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("file", PROSE, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_module_and_every_file_that_is_named_is_there(file: Path) -> None:
    text = file.read_text("utf-8")
    modules = {name for name in MODULE.findall(text) if not is_there(name)}
    files = {name for name in FILE.findall(text) if not (ROOT / name).exists()}
    files |= {name for name in FILE_OF_A_ROOM.findall(text) if not (ROOT / "mesabench" / name).exists()}
    assert not modules
    assert not {name for name in files if not Path(name).name.startswith(YOURS)}


def test_what_a_page_says_to_be_in_a_file_is_there() -> None:
    told = IN_FILE.findall((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    assert ("engine/batch", "Batch.step") in told
    for file, name in told:
        defined = (ROOT / "mesabench" / f"{file}.py").read_text("utf-8")
        for part in name.split("."):
            assert re.search(rf"(def|class) {part}\b", defined), (file, name)


def test_a_name_of_nothing_is_found_out() -> None:
    assert is_there("mesabench.runs.store.load_run")
    assert not is_there("mesabench.store.load_run")
    assert not is_there("mesabench.runs.store.load_runs")
    assert MODULE.findall("`mesabench.runs.store.load_run(...)`, see mesabench.runs.store.") == [
        "mesabench.runs.store.load_run",
        "mesabench.runs.store",
    ]
    assert FILE.findall("(`tests/test_fuzzy_border.py`); runs/x/report.html") == [
        "tests/test_fuzzy_border.py"
    ]
