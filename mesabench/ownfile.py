"""A Python file of one's own: found by its path, known by its content, run together with the files beside it.

Environments, policies, agents and detectors may all be named by the path of a file. Whoever names one runs its code.
"""

import ast
import builtins
import hashlib
import importlib
import importlib.util
import json
import os
import re
import sys
import sysconfig
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from mesabench.suggestion import unknown

PREFIX = "mesabench_own_"
"""What the names of the packages begin with in which such files are loaded."""
SPRITES = "sprites.txt"
"""A file of this name holds the pixel art of the environments beside it."""
MOST_LETTERS = 60
_DIGITS = 16


class OwnFileError(ValueError):
    """A file, module or object of one's own that is not there, or whose code raises; the message says where."""


@dataclass(frozen=True)
class OwnFile:
    """path: absolute, links followed. digest: 16 hex digits of its text and of the files that it uses from beside it: those
    that it imports, and sprites."""

    path: str
    digest: str

    @property
    def package(self) -> str:
        """The package that it is loaded into: its folder, under a name that no other file shares."""
        return PREFIX + hashlib.sha256(f"{self.path}\0{self.digest}".encode()).hexdigest()[:_DIGITS]

    def run(self) -> ModuleType:
        """Run the file and return its module. Raises OwnFileError."""
        for name in [one for one in sys.modules if one.partition(".")[0] == self.package]:
            del sys.modules[name]  # what it read while it was loaded may have changed since
        importlib.invalidate_caches()
        package = sys.modules[self.package] = ModuleType(self.package)
        package.__path__ = [os.path.dirname(self.path)]
        name = f"{self.package}.{Path(self.path).stem}"
        spec = importlib.util.spec_from_file_location(name, self.path, loader=_Loader(name, self.path))
        assert spec, "a loader is given"
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        _code_of_ones_own.add(self.package)
        try:
            _Loader(name, self.path).exec_module(module)
        except (Exception, SystemExit) as error:  # whatever it is, it is the file's
            raise OwnFileError(told(error) or f"{shown(self.path)}: {_worded(error)}") from error
        return module


def own_file(path: str | Path) -> OwnFile:
    """The file at a path as it is now; its code is read, not run. Raises OwnFileError."""
    given = os.path.realpath(path)
    if not os.path.isfile(given):
        raise OwnFileError(f"no file {str(path)!r}")
    try:
        texts = json.dumps(sorted(_texts(given).items())).encode()
    except OSError as error:
        raise OwnFileError(f"cannot read {str(path)!r}: {error}") from error
    return OwnFile(given, hashlib.sha256(texts).hexdigest()[:_DIGITS])


def sprites_beside(path: str) -> str:
    """The path of the file of pixel art beside a file, or '' where there is none."""
    beside = os.path.join(os.path.dirname(path), SPRITES)
    return beside if os.path.isfile(beside) else ""


def load(where: str) -> ModuleType:
    """The module that a path (`folder/file.py`) or a dotted name means, of the current folder too; its code runs.

    Raises OwnFileError.
    """
    if where.endswith(".py"):
        return own_file(where).run()
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)  # for good: functions import, too
    top = where.partition(".")[0]
    if top != "mesabench":
        _code_of_ones_own.add(top)
    try:
        return importlib.import_module(where)
    except (Exception, SystemExit) as error:
        missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
        if missing and (where == missing or where.startswith(f"{missing}.")):
            raise OwnFileError(
                f"no module {where!r}: {missing!r} is neither installed nor in the current folder"
            ) from error
        raise OwnFileError(told(error) or f"{where}: {_worded(error)}") from error


def named_object(name: str, kind: str) -> tuple[str, Any]:
    """Of `package.module:object` or `path/to/file.py:object`, the place and the object. Raises OwnFileError."""
    where, _, attribute = name.rpartition(":")
    module = load(where)
    if not hasattr(module, attribute):
        names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise OwnFileError(unknown(f"{kind} in {where}", attribute, names))
    return where, getattr(module, attribute)


def legal_name(path: str, parts: int = 1) -> str:
    """What is called after a file: letters of its name (and of its folders', if more than one part is asked for) without
    their accents, digits, and _ for whatever stands between them; `mein böt (1).py` is `mein_bot_1`. Raises OwnFileError.
    """
    wanted = "_".join(Path(path).with_suffix("").parts[-parts:])
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[-MOST_LETTERS:].strip("_")
    if not name:
        raise OwnFileError(
            f"{path}: an environment or agent is called after its file; give it a name with a letter a-z or a digit in it"
        )
    return name


def told(error: BaseException) -> str | None:
    """An error of code of one's own in one line: file, line, function, error; None where no such code was running."""
    if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):
        return f"{shown(error.filename)}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    last = None
    for frame, line in walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _code_of_ones_own:
            last = frame.f_code, line
    if last is None:
        return None
    code, line = last
    function = "" if code.co_name.startswith("<") else f", in {code.co_name}"
    return f"{shown(code.co_filename)}, line {line}{function}: {_worded(error)}"


def is_any_loaded() -> bool:
    """Whether code of one's own has been run in this process."""
    return bool(_code_of_ones_own)


def shown(path: str) -> str:
    """A path as short as it can be said from here."""
    return os.path.relpath(path) if Path(path).is_relative_to(os.getcwd()) else path


def _worded(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


_code_of_ones_own: set[str] = set()
"""Top-level names of modules that somebody named: an error in them is theirs."""


class _Loader(SourceFileLoader):
    """Runs a file as it is now, not as a cache of bytecode has it, and lets it import what lies beside the file named."""

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        package = module.__name__.partition(".")[0]
        (folder,) = sys.modules[package].__path__

        def importing(
            name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
        ) -> Any:
            top = name.partition(".")[0]
            if level or not _lies_in(folder, top):
                return builtins.__import__(name, globals, locals, fromlist, level)
            found = builtins.__import__(f"{package}.{name}", globals, locals, fromlist)
            return found if fromlist else sys.modules[f"{package}.{top}"]

        # not by way of sys.path: two folders may each have a file `helper.py`, and each file must find its own
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": importing}
        super().exec_module(module)


class _Finder:
    """Has modules beside a file of one's own loaded as that file is."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not name.startswith(PREFIX):
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(name, spec.loader.path)
        return spec


sys.meta_path.insert(0, _Finder)


def _lies_in(folder: str, top: str) -> bool:
    """Whether a top-level name means a file in a folder, as it does in a script that lies there."""
    if top == "mesabench" or folder in sysconfig.get_paths().values():
        return False
    beside = os.path.join(folder, top)
    if os.path.isfile(f"{beside}.py") or os.path.isfile(os.path.join(beside, "__init__.py")):
        return True
    return os.path.isdir(beside) and top not in sys.modules and PathFinder.find_spec(top) is None


def _texts(path: str) -> dict[str, str]:
    """The texts of a file and of all that it uses from its folder, by their paths from there; none of it runs."""
    folder = os.path.dirname(path)
    found: dict[str, str] = {}
    if sprites := sprites_beside(path):
        found[SPRITES] = Path(sprites).read_text("utf-8", "replace")
    todo = [path]
    while todo:
        one = todo.pop()
        name = os.path.relpath(one, folder)
        if name in found:
            continue
        raw = Path(one).read_bytes()
        try:
            found[name] = importlib.util.decode_source(raw)
            tree = ast.parse(found[name])
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            found.setdefault(name, raw.decode("latin-1"))
            continue
        package = Path(name).parent.parts
        for wanted in _imported(tree, package):
            if _lies_in(folder, wanted[0]):
                for k in range(1, len(wanted) + 1):
                    beside = os.path.join(folder, *wanted[:k])
                    todo += filter(os.path.isfile, (f"{beside}.py", os.path.join(beside, "__init__.py")))
    return found


def _imported(tree: ast.AST, package: tuple[str, ...]) -> Iterator[list[str]]:
    """What may be the names of modules in `import` statements, in parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            yield from ([*base, alias.name] for alias in node.names)
