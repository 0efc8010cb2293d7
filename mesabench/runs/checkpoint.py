"""How far a trial's training got: one file beside the trial's folder while it is not there, from which the same trial goes on.

Nothing in it is executed: arrays of numbers and text, as NumPy stores them (`allow_pickle` is off).
"""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from mesabench.disk import save_files
from mesabench.policies.agent import Note
from mesabench.runs import origin
from mesabench.runs.trial import Trial

PLAIN = "plain"
EVERY = 5.0
"""Seconds between two notes: what is lost with a killed process, beside one generation. No outcome depends on it."""


class Checkpoint:
    """Of one trial, as of `mesabench.policies.agent.Kept`.

    folder: the trial's. A note of another trial, or by other versions or other code, is none; neither is a damaged one.
    """

    def __init__(
        self,
        trial: Trial,
        folder: Path,
        every: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.file = checkpoint_of(folder)
        self.every, self.now = EVERY if every is None else every, now
        self.last = now()
        self.of = {"trial": trial.name, "versions": origin.versions(), "commit": origin.commit()}

    def read(self) -> Note | None:
        try:
            with np.load(io.BytesIO(self.file.read_bytes()), allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            plain = json.loads(str(arrays.pop(PLAIN)))
            if plain.pop("of") != self.of:
                return None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, BadZipFile) as error:
            print(f"{self.file.name} is damaged, so training begins anew: {error}")  # into the trial's log
            return None
        return Note(arrays, plain)

    def write(self, note: Note) -> None:
        """Unless that was done a moment ago. Raises OSError."""
        if self.now() - self.last < self.every:
            return
        buffer = io.BytesIO()
        plain = np.array(json.dumps({**note.plain, "of": self.of}))
        np.savez(buffer, allow_pickle=False, **note.arrays, **{PLAIN: plain})
        save_files(self.file.parent, {self.file.name: buffer.getvalue()})
        self.last = self.now()

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)


def checkpoint_of(folder: Path) -> Path:
    """The file beside a trial's folder."""
    return folder.with_name(f"{folder.name}.checkpoint.npz")
