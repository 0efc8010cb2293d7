"""Files of one's own: which one is meant, what it may import, and what is told where its code fails."""

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.ownfile import OwnFileError, legal_name, load, named_object, own_file, told

ROOT = Path(__file__).parent.parent


def write(folder: Path, **texts: str) -> Path:
    """Write files, by their names without .py; `a_in_b` is a in the folder b."""
    for name, text in texts.items():
        inner, _, outer = name.partition("_in_")
        file = folder / outer / f"{inner}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder


def test_a_file_imports_what_lies_beside_it_and_no_namesake_of_another_folder(tmp_path: Path) -> None:
    for name in "ab":
        write(
            tmp_path / name,
            main="from helper import word\nimport package.part as part\ndef late():\n    import other\n    return other.word",
            helper=f"word = {name!r}",
            other=f"word = 'late {name}'",
            __init___in_package="",
            part_in_package=f"from helper import word\nfrom . import near\nnear = near.word + {name!r}",
            near_in_package="word = 'near '",
        )
    first, second = (load(str(tmp_path / name / "main.py")) for name in "ab")
    assert [one.word for one in (first, second)] == ["a", "b"]
    assert [one.late() for one in (first, second)] == ["late a", "late b"]
    assert [(one.part.word, one.part.near) for one in (first, second)] == [("a", "near a"), ("b", "near b")]
    assert "helper" not in sys.modules
    assert str(tmp_path / "a") not in sys.path


def test_a_file_takes_mesabench_and_the_standard_library_for_what_they_are(tmp_path: Path) -> None:
    write(tmp_path, main="import mesabench, json\nfrom os import path", oops_in_mesabench="1 / 0")
    module = load(str(tmp_path / "main.py"))
    assert module.mesabench is sys.modules["mesabench"]
    assert (module.json, module.path) == (sys.modules["json"], os.path)


def test_two_files_that_import_each_other_are_run_once_each(tmp_path: Path) -> None:
    write(tmp_path, one="names = []\nimport two\nnames += ['one']", two="import one\none.names += ['two']")
    assert load(str(tmp_path / "one.py")).names == ["two", "one"]


def test_a_file_is_run_as_it_is_now_however_quickly_it_was_edited(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path, main="from helper import number as own", helper=f"number = {number}")
        assert load(str(tmp_path / "main.py")).own == number
    assert {one.suffix for one in tmp_path.rglob("*")} == {".py"}, "nothing is left beside it"


def test_the_digest_is_of_the_file_and_of_what_it_imports_from_beside_it(tmp_path: Path) -> None:
    texts = {
        "main": "import helper\ndef late():\n    from package import part",
        "helper": "import further",
        "further": "",
        "__init___in_package": "",
        "part_in_package": "from . import near",
        "near_in_package": "",
        "alone": "",
    }
    before = own_file(write(tmp_path, **texts) / "main.py")
    for name in texts:
        write(tmp_path, **{name: texts[name] + "\n# edited"})
        changed = own_file(tmp_path / "main.py").digest != before.digest
        assert changed == (name != "alone"), name
        write(tmp_path, **{name: texts[name]})
    assert own_file(tmp_path / "main.py") == before
    copy = own_file(write(tmp_path / "copy", **texts) / "main.py")
    assert (copy.digest, copy.path == before.path) == (before.digest, False)
    (tmp_path / "link.py").symlink_to(tmp_path / "main.py")
    assert own_file(tmp_path / "link.py") == before


def test_the_digest_is_of_the_sprites_beside_the_file_too(tmp_path: Path) -> None:
    before = own_file(write(tmp_path, main="") / "main.py")
    (tmp_path / "sprites.txt").write_text("colour k 000000 ink")
    after = own_file(tmp_path / "main.py")
    assert after.digest != before.digest, "with sight='rgb' an agent sees them"
    (tmp_path / "sprites.txt").write_text("colour k FFFFFF ink")
    assert own_file(tmp_path / "main.py").digest not in (before.digest, after.digest)


def test_a_byte_order_mark_and_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    write(tmp_path, main="'''Said.'''\nword = 'ä'\n")
    before = own_file(tmp_path / "main.py")
    (tmp_path / "main.py").write_bytes("\ufeff'''Said.'''\r\nword = 'ä'\r\n".encode())
    module = load(str(tmp_path / "main.py"))
    assert (module.__doc__, module.word) == ("Said.", "ä")
    assert own_file(tmp_path / "main.py") == before


FAULTS = [
    ("\n1 / 0", r"main.py, line 2: ZeroDivisionError: division by zero"),
    ("def f():\n    raise ValueError('no\\nluck')\nf()", r"main.py, line 2, in f: ValueError: no luck"),
    ("def f(:\n    pass", r"main.py, line 1: SyntaxError: "),
    ("\tx = 1\n  y = 2", r"main.py, line \d: (Indentation|Tab)Error: "),
    ("import nobody_has_this", r"main.py, line 1: ModuleNotFoundError: No module named 'nobody_has_this'"),
    ("from os import nothing", r"main.py, line 1: ImportError: cannot import name 'nothing'"),
    ("import os\nos.nothing", r"main.py, line 2: AttributeError: "),
    ("import beside", r"beside.py, line 1: NameError: name 'oops' is not defined"),
    ("import json\njson.loads('{')", r"main.py, line 2: JSONDecodeError: "),
    ("raise SystemExit(3)", r"main.py, line 1: SystemExit: 3"),
    ("assert False", r"main.py, line 1: AssertionError$"),
    ("x = '\0'", r"(main.py|null bytes)"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_while_it_is_loaded_is_one_line_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, main=text, beside="oops")
    with pytest.raises(OwnFileError, match=message) as caught:
        load(str(tmp_path / "main.py"))
    assert "\n" not in str(caught.value)
    assert not [name for name in sys.modules if name.endswith("nobody_has_this")]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OwnFileError, match=r"no file .*nothing\.py"):
        load(str(tmp_path / "nothing.py"))
    write(tmp_path, main="def right(): pass")
    with pytest.raises(OwnFileError, match=r"unknown detector in .*main.py 'rihgt'; did you mean 'right'"):
        named_object(f"{tmp_path}/main.py:rihgt", "detector")
    with pytest.raises(OwnFileError, match=r"no module 'no_such\.part': 'no_such' is neither installed nor"):
        load("no_such.part")


def test_an_error_of_ours_is_no_error_of_theirs() -> None:
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("x")
    assert told(caught.value) is None


@pytest.mark.parametrize(
    ("path", "parts", "name"),
    [
        ("world.py", 1, "world"),
        ("my boat.py", 1, "my_boat"),
        ("mein_böt.py", 1, "mein_bot"),
        ("my_boat (1).py", 1, "my_boat_1"),
        ("a.b.py", 1, "a_b"),
        ("/x/left/world.py", 2, "left_world"),
        ("x" * 99 + ".py", 1, "x" * 60),
    ],
)
def test_a_name_is_made_of_a_files_letters(path: str, parts: int, name: str) -> None:
    assert legal_name(path, parts) == name


@given(st.text(min_size=1))
def test_every_name_of_a_file_is_legal_or_refused_in_one_sentence(text: str) -> None:
    if not any(
        one.isascii() and one.isalnum() for one in unicodedata.normalize("NFKD", Path(f"{text}.py").stem)
    ):
        with pytest.raises(OwnFileError, match="a letter a-z or a digit"):
            legal_name(f"{text}.py")
        return
    name = legal_name(f"{text}.py").replace("_", "a")
    assert name.isascii()
    assert name.isalnum()
    assert len(name) <= 60


def test_python_m_mesabench_is_mesabench() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mesabench", "--version"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0.1.0")
