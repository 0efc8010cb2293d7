"""What a node of a cluster does: one job, in a folder of its own; the files go home as bytes, and no disk is shared."""

import os
import pickle
import platform
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from mesabench import registry
from mesabench.disk import save_file, save_files
from mesabench.ownfile import carried
from mesabench.runs import origin
from mesabench.runs.checkpoint import checkpoint_of
from mesabench.runs.execution import Report
from mesabench.runs.job import Job, RunTrial, load_job, packed
from mesabench.runs.trial_folder import StoreError
from mesabench.runs.worker import attempt, log_of, sparing

REPORT_EVERY = 1.0
"""Seconds between two reports of a job: a thousand of them may run at once."""

MOST_OF_A_LOG = 1_000_000
"""Bytes of it that go home, the last."""


class Outcome(NamedTuple):
    """What goes home. kind: "finished", "failed" or "unable" (this node can do no job); files: a finished job's; log: what a
    failed one printed."""

    kind: str
    reason: str = ""
    full: bool = False
    files: Mapping[str, bytes] = {}
    log: bytes = b""


def parcel(dumps: Any, job: Job, run: RunTrial, files: Sequence[str], checkpoint: bytes | None) -> bytes:
    """What a node is sent. dumps: pickles functions of scripts, too; files: of one's own, which bring along what they import."""
    own = pickle.dumps({path: carried(path) for path in files})
    return dumps((origin.versions(), dumps((job, run, own, checkpoint))))


def carry_out(sent: bytes, report: Report) -> Outcome:
    """Do what is in a parcel. It comes from whoever runs the suite, whose code this process runs anyway."""
    here = platform.node()
    versions, content = pickle.loads(sent)
    if differ := origin.differing(versions, origin.versions()):
        return Outcome(
            "unable",
            f"the node {here} has other versions than the machine that asks ({differ} there): scores would not be comparable; "
            "install the same ones",
        )
    job, run, own, checkpoint = pickle.loads(content)
    try:
        _take(own)
    except Exception as error:
        return Outcome("unable", f"the node {here} cannot load files of your own: {error}")
    with tempfile.TemporaryDirectory(prefix="mesabench-") as place:
        folder = Path(place) / job.name
        if checkpoint:
            save_file(checkpoint_of(folder), checkpoint)
        _, *what = attempt(job, folder, sparing(report, REPORT_EVERY), run)
        try:
            if not what:
                return Outcome("finished", files=packed(load_job(job, folder)))
        except StoreError as error:
            what = [f"its results are not right: {error}", False]
        log, (reason, full) = log_of(folder), what
        printed = log.read_bytes()[-MOST_OF_A_LOG:] if log.exists() else b""
        return Outcome("failed", reason, full, log=printed)


@cache
def _take(own: bytes) -> None:
    """Lay files of one's own out as they lie at home, since their names follow from their paths, and make them known."""
    there = pickle.loads(own)
    place = tempfile.mkdtemp(prefix="mesabench-own-") if there else ""
    paths = []
    for path, contents in there.items():
        home = os.path.join(place, os.path.splitdrive(os.path.dirname(path))[1].lstrip(os.sep))
        for name, content in contents.items():
            save_files(Path(home, name).parent, {os.path.basename(name): content})
        paths.append(os.path.join(home, os.path.basename(path)))
    registry.take(paths)
