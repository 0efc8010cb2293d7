"""Writing that survives: a file or folder appears whole or not at all, one process writes at a time, a full disk is known."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

RUNS = Path("runs")
"""Where a user's runs go by default; git ignores it. `results/` is for what the repository publishes."""
PART, UNFINISHED, REPLACED = ".part", ".unfinished", ".replaced"
"""What the hidden names of a write in progress end in: a file's, a new folder's, that of the folder it replaces."""
TEMPORARY = re.compile(rf"\.[0-9a-f]{{16}}({PART}|{UNFINISHED}|{REPLACED})")


class BusyError(ValueError):
    """Another process is writing into the same folder."""


def save_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, made if need be, in this order; each as `save_file` does."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        save_file(folder / name, content)


def save_file(path: Path, content: bytes) -> None:
    """Write a file, replaced as a whole or not at all. A link in its place is replaced, not followed. Raises OSError."""
    beside = _temporary(path.parent, PART)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # O_EXCL follows no link
    descriptor = os.open(beside, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A hidden path beside `path` to write a file to, which takes its place, durably, if the block ends well, or vanishes."""
    beside = _temporary(path.parent, PART)
    try:
        yield beside
        _sync(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder in `folder` to work in, gone after the block."""
    inside = _temporary(folder, UNFINISHED)
    inside.mkdir()
    try:
        yield inside
    finally:
        _remove(inside)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to write into; takes its place, durably, if the block ends well, or vanishes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside, before = (_temporary(folder.parent, ending) for ending in (UNFINISHED, REPLACED))
    beside.mkdir()
    try:
        yield beside
        for path in (*beside.iterdir(), beside):
            _sync(path)
        if os.path.lexists(folder):
            folder.rename(before)
        beside.rename(folder)
        _sync(folder.parent)
    finally:
        _remove(beside)
        _remove(before)


@contextmanager
def sole_writer(folder: Path, patience: float = 0) -> Iterator[None]:
    """Make a folder, hold it for this process, and clear away what killed ones have left in it.

    patience: seconds to wait for another process that holds it. The lock falls when the process ends, however it ends.
    Raises BusyError if another process holds it still, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(_lock_of(folder), timeout=patience))
        except Timeout as error:
            raise BusyError(
                f"{folder} is in use by another process; wait for it to end, or choose another place to write to"
            ) from error
        clear_unfinished(folder)
        yield


def clear_unfinished(folder: Path) -> None:
    """Remove what interrupted writes have left in a folder; for its sole writer, while nothing is being written."""
    for one in folder.iterdir():
        if TEMPORARY.fullmatch(one.name):
            _remove(one)


def _lock_of(folder: Path) -> Path:
    """Beside the folder, by whatever path that is reached."""
    real = Path(os.path.realpath(folder))
    return real.parent / f".{real.name}.lock"


def _temporary(folder: Path, ending: str) -> Path:
    """A name that nobody else writes to, nor can have foreseen."""
    return folder / f".{secrets.token_hex(8)}{ending}"


def _remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, as far as that goes."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def is_full(error: BaseException) -> bool:
    """Whether an error, or what it came from, says that the disk (or the quota on it) is full.

    Libraries in Rust (safetensors, polars) tell it in words only.
    """
    known: BaseException | None = error
    while known is not None:
        if isinstance(known, OSError) and known.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(known):
            return True
        known = known.__cause__ or known.__context__
    return False


def _sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or into a folder where the system lets a folder be opened."""
    with suppress(PermissionError):
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
