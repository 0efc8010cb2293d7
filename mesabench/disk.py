"""Writing that survives: a file or folder appears whole or not at all, one process writes at a time, a full disk is known."""

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

UNFINISHED = (".unfinished", ".replaced")
"""What the names of the hidden folders of a write in progress end in."""


class BusyError(ValueError):
    """Another process is writing into the same folder."""


def save_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, made if need be; in this order, each replaced as a whole or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        beside = folder / f".{name}.part"
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(folder / name)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` to write into; takes its place, durably, if the block ends well, or vanishes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside, before = (folder.with_name(f".{folder.name}.{os.getpid()}{ending}") for ending in UNFINISHED)
    try:
        beside.mkdir()
        yield beside
        for path in (*beside.iterdir(), beside):
            _sync(path)
        if folder.exists():
            folder.rename(before)
        beside.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Make a folder, hold it for this process, and clear away what killed ones have left in it.

    The lock falls when the process ends, however it ends. Raises BusyError if another process holds it, OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0))
        except Timeout as error:
            raise BusyError(
                f"{folder} is in use by another process; wait for it to end, or choose another place for results"
            ) from error
        clear_unfinished(folder)
        yield


def clear_unfinished(folder: Path) -> None:
    """Remove what interrupted writes have left in a folder; for its sole writer, while nothing is being written."""
    for one in folder.glob(".*"):
        if one.name.endswith(UNFINISHED):
            shutil.rmtree(one, ignore_errors=True)


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
