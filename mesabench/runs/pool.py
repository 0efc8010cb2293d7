"""A pool: where the jobs of a run are done. A run hands them over and hears what becomes of them, and knows no more of it.

There are two: worker processes of this machine (`mesabench.runs.processes`) and a Ray cluster (`mesabench.runs.cluster`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mesabench.runs.job import Job


@dataclass(frozen=True)
class Begun:
    job: Job


@dataclass(frozen=True)
class Progressed:
    """As `mesabench.runs.execution.Report` was told."""

    job: Job
    phase: str
    step: int
    columns: Mapping[str, float]


@dataclass(frozen=True)
class Finished:
    """Its results are in its folder."""

    job: Job


@dataclass(frozen=True)
class Failed:
    """It will not be tried again. full: because a disk is full."""

    job: Job
    reason: str
    full: bool = False


@dataclass(frozen=True)
class Retried:
    """Whoever did it is no more; it is begun anew elsewhere."""

    job: Job
    reason: str


@dataclass(frozen=True)
class Unable:
    """No job can be done in this pool."""

    reason: str


Event = Begun | Progressed | Finished | Failed | Retried | Unable


class Pool(Protocol):
    """Each job is told of as Begun before all else, and as Finished or Failed at last; unless the pool is Unable."""

    def work(self, jobs: Sequence[Job], folder: Path) -> Iterator[Sequence[Event]]:
        """Do jobs, in this order as far as there is a choice; results go to the folders of their names in `folder`.

        Yields what happened since last, a few times a second, be it nothing.
        """

    def close(self) -> None:
        """End what is still being done, in the middle if need be; may be called twice."""
