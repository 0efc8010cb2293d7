"""A shard: one of several parts of a suite, each run on its own, wherever that is; `mesabench merge` puts them together.

Which jobs are in which shard follows from the suite alone, so that whoever runs a shard needs to know nothing of the others.
"""

import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mesabench.runs.job import Job, work_of
from mesabench.whole_number import whole

MOST_SHARDS = 100_000


@dataclass(frozen=True)
class Shard:
    """Shard `number` of `of`, counted from 1. Raises ValueError where there is no such shard."""

    number: int
    of: int

    def __post_init__(self) -> None:
        whole(self.of, 1, MOST_SHARDS, name="number of shards")
        if not 1 <= self.number <= self.of:
            raise ValueError(
                f"there is no shard {self}: of {self.of} they are 1/{self.of} to {self.of}/{self.of}"
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """The shard that a text such as `3/16` names. Raises ValueError."""
        match = re.fullmatch(r"(\d{1,18})/(\d{1,18})", text, re.ASCII)
        if not match:
            raise ValueError(
                f"{text!r} names no shard: write its number, / and how many there are, as in 3/16"
            )
        return cls(int(match[1]), int(match[2]))

    def folder(self, results: Path, suite: str) -> Path:
        """Where its results go: shards may run at the same time on one file system, and a folder has one writer."""
        return results / f"{suite}-{self.number}-of-{self.of}"

    def siblings(self, results: Path, suite: str) -> Path:
        """The folders of all shards, as a shell's pattern."""
        return results / f"{suite}-*-of-{self.of}"

    def jobs(self, jobs: Iterable[Job]) -> list[Job]:
        """Those of a suite's jobs that are in this shard, in the suite's order.

        The longest first, each job goes to the shard that has least to do (Graham 1969, SIAM J. Appl. Math. 17, 416-429): no
        shard has more than its share and one job.
        """
        every = list(jobs)
        loads = [(0.0, number) for number in range(1, self.of + 1)]
        mine = set()
        for job in sorted(every, key=lambda one: (-work_of(one), one.name)):
            load, number = loads[0]
            heapq.heapreplace(loads, (load + work_of(job), number))
            if number == self.number:
                mine.add(job.name)
        return [job for job in every if job.name in mine]
