"""The threads that share out one batch's work.

To wake a thread takes 20 µs and more, as long as a thousand environments take to step. So a helper that has nothing left to
do watches for the next piece of work in compiled code, without the GIL, for some microseconds before it goes to sleep. And
nobody waits for a helper that comes late: each has a part of its own, and who is done with it goes on with what others left.

What a second thread buys on two cores, as the ratio of times of steps with observations in `cheese_corner` at 9 x 9 and 13 x 13
cells (medians of 15 paired turns on a machine that had other work, too): 0.8 and 0.9 for 256 environments, so it loses; 1.2 and
1.3 for 1,024; 1.5 and 1.8 for 2,048; 1.8 and 2.0 for 4,096; 1.6 to 1.8 for more. One thread goes past all of this.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic, overload

from mesabench.world.rules import rule

UNFINISHED = -1
"""What a kernel returns if another thread is still at its last piece of the work."""
PIECE = 64
"""Environments that a thread takes at a time."""
SPINS = 8000
"""How often a thread looks whether there is news before it goes to sleep: some 40 µs."""
_LINE = 8
"""Words of one cache line: what different threads count in must not share one."""


def processors() -> int:
    """How many processors this process may use: affinity, cpusets and job schedulers may allow fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fetch_add(array: np.ndarray, k: int, n: int) -> int:
    """Add n to array[k] (int64) and return what was there before: at once, and in the same order for all threads."""
    before = int(array[k])
    array[k] += n
    return before


@intrinsic
def _fetch_add(typing: Any, array: Any, k: Any, n: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(array)(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", builder.gep(data, [arguments[1]]), arguments[2], "seq_cst")

    return types.int64(array, types.int64, types.int64), generate


@overload(fetch_add)
def _compiled_fetch_add(array, k, n):
    return lambda array, k, n: _fetch_add(array, np.int64(k), np.int64(n))


@rule
def start(me, turn, started):
    """The calling thread (0) lets the others know that this turn's work has begun."""
    if me == 0:
        fetch_add(started, 0, turn - fetch_add(started, 0, 0))


@rule
def claim(claims, me, n):
    """The next piece of 0 .. n-1 that thread `me` is to do, as (first, behind the last); the two are equal if nothing is left.

    Pieces behind a failure are left out: whatever comes first is found, and nothing more, as with one thread.
    """
    threads = len(claims) // _LINE - 1
    for k in range(threads):
        part = (me + k) % threads
        end = n * (part + 1) // threads
        first = n * part // threads + PIECE * fetch_add(claims, part * _LINE, 1)
        while first < end:
            behind = min(first + PIECE, end)
            if first < failed(claims, n):
                return first, behind
            finish(claims, behind - first)
            first = n * part // threads + PIECE * fetch_add(claims, part * _LINE, 1)
    return n, n


@rule
def fail(claims, me, i, n):
    """Note that thread `me` could not do its work on i."""
    claims[me * _LINE + 1] = max(claims[me * _LINE + 1], n - i)


@rule
def failed(claims, n):
    """The first of 0 .. n-1 that is noted as failed; n if none is."""
    last = 0
    for at in range(1, len(claims) - _LINE, _LINE):
        last = max(last, claims[at])
    return n - last


@rule
def finish(claims, number):
    """So many more have been done."""
    fetch_add(claims, len(claims) - _LINE, number)


@rule
def settle(claims, me, turn, started, n):
    """Nothing is left to begin. The calling thread waits for what others are at, and returns `failed`.

    Another waits for the next turn. Both do so for a moment only, and return UNFINISHED when it is over.
    """
    for _ in range(SPINS):
        if me:
            if fetch_add(started, 0, 0) != turn:
                break
        elif fetch_add(claims, len(claims) - _LINE, 0) == n:
            return failed(claims, n)
    return UNFINISHED


Work = Callable[..., int]
"""(me, turn, claims, started, *arguments) -> what `settle` returns; goes through `start`, `claim` and `finish` before."""


class Crew:
    """The calling thread and as many helpers as it takes, which sleep unless there is something to do."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.turn = 0
        self.started = np.zeros(_LINE, np.int64)
        self.alone = np.zeros(2 * _LINE, np.int64)  # the claims of one thread, which has nobody to share with
        self.helpers: list[_Helper] = []
        if threads > 1:
            _crews.add(self)
            weakref.finalize(self, _dismiss, self.helpers).atexit = False

    def __reduce__(self) -> tuple[Any, ...]:
        return Crew, (self.threads,)  # threads cannot be copied

    def share(self, work: Work, arguments: tuple[Any, ...] = ()) -> int:
        """Do the work, all of it, whoever comes. What an exception in any thread interrupts is raised here."""
        if self.threads == 1:
            self.alone.fill(0)
            return work(0, 0, self.alone, self.started, *arguments)
        self.turn += 1
        turn, started = self.turn, self.started
        # of its own: who comes late finds nothing left in it
        claims = np.zeros((self.threads + 1) * _LINE, np.int64)
        while len(self.helpers) < self.threads - 1:
            self.helpers.append(_Helper(len(self.helpers) + 1))

        def do(me: int) -> int:
            return work(me, turn, claims, started, *arguments)

        try:
            for helper in self.helpers:
                helper.offer(do)
            while (
                failed := do(0)
            ) == UNFINISHED:  # seldom: the system has put a helper aside in the middle of a piece
                for helper in self.helpers:
                    if helper.error:
                        raise helper.error
                time.sleep(2e-5)
        except BaseException:
            claims[:] = np.iinfo(np.int32).max  # nobody begins another piece
            while any(helper.doing is do for helper in self.helpers):
                time.sleep(2e-5)
            for helper in self.helpers:
                helper.error = None
            raise
        return failed


class _Helper:
    """A thread that does the last thing that it is offered."""

    def __init__(self, me: int) -> None:
        self.me = me
        self.next: Callable[[int], int] | None = None
        self.doing: Callable[[int], int] | None = None
        self.error: BaseException | None = None
        self.awake = True
        self.dismissed = False
        self.bell: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._serve, daemon=True, name="mesabench helper").start()

    def offer(self, work: Callable[[int], int]) -> None:
        self.next = work
        if not self.awake:
            self.awake = True
            self.bell.put(None)

    def _serve(self) -> None:
        while not self.dismissed:
            self.doing, self.next = self.next, None
            if self.doing is None:
                self.awake = False
                self.bell.get()
                continue
            try:
                self.doing(self.me)
            except BaseException as error:  # the caller's to deal with
                self.error = error


def _dismiss(helpers: list[_Helper]) -> None:
    for helper in helpers:
        helper.dismissed = True
        helper.bell.put(None)


_crews: weakref.WeakSet[Crew] = weakref.WeakSet()


def _alone() -> None:
    """A fork copies the objects, but not their threads."""
    for crew in _crews:
        crew.helpers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)
