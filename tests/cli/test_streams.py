"""Standard streams as they come in life: closed ones, and a terminal that is left with Ctrl-Z and come back to."""

import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
MAIN = "from mesabench.cli import main; main()"
SLOW = """
import time
from mesabench.cli.output import errors, set_suspension

set_suspension()
with errors.status("at work"):
    for _ in range(600):
        print("working")
        time.sleep(0.1)
"""


BOTH = """
import sys
from mesabench.cli import main

statuses = []
for words in (["play", "cheese_corner"], ["show", "nowhere"]):
    try:
        main(words)
    except SystemExit as ended:
        statuses.append(int(ended.code or 0))
sys.exit(0 if statuses == [0, 2] else f"statuses {statuses}")
"""


ONE_ALONE = pytest.mark.slow(reason="a process for each; quickly, all three are closed at once")


@pytest.mark.parametrize(
    "closed", [*(pytest.param(one, marks=ONE_ALONE) for one in ("<&-", ">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_closed_streams_are_empty_ones(closed: str, tmp_path: Path) -> None:
    script = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-c", BOTH],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr


class Session:
    """A program on a terminal of its own, in a process group of its own, as a shell starts it."""

    def __init__(self, code: str, *verb: str) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (30, 100))
        self.process = subprocess.Popen(
            [sys.executable, "-uc", code, *verb], process_group=0,
            stdin=self.slave, stdout=self.slave, stderr=self.slave, env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        self.shown = ""

    def read(self, seconds: float = 0.1) -> None:
        while select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 65536).decode(errors="replace")

    def wait_for(self, text: str, seconds: float = 90) -> None:
        """Read until a text is shown after what was waited for last."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, f"{text!r} does not appear in {self.shown!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 4096).decode(errors="replace")
        self.shown = self.shown.partition(text)[2]

    def wait_until_stopped(self, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED | os.WNOHANG)[1]):
            assert time.monotonic() < end, "does not stop"
            time.sleep(0.02)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[list[Session]]:
    opened: list[Session] = []
    yield opened
    for one in opened:
        one.close()


HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def test_ctrl_z_leaves_the_game_and_fg_comes_back_to_it(sessions: list[Session]) -> None:
    game = Session(MAIN, "play", "cheese_corner")
    sessions.append(game)
    before = termios.tcgetattr(game.slave)
    game.wait_for("64 of 64 steps left")
    for left in ("63", "62"):
        os.write(game.master, b"\x1a")
        game.wait_until_stopped()
        game.wait_for(f"\x1b[?7h{SHOW}\x1b[?1049l")
        assert termios.tcgetattr(game.slave) == before
        os.kill(game.process.pid, signal.SIGCONT)
        game.wait_for("64" if left == "63" else "63")
        os.write(game.master, b"w")
        game.wait_for(f"{left} of 64 steps left")
    os.write(game.master, b"q")
    assert game.process.wait(30) == 0
    assert termios.tcgetattr(game.slave) == before


def test_what_is_stopped_while_lines_are_drawn_live_gives_the_cursor_back(sessions: list[Session]) -> None:
    program = Session(SLOW)
    sessions.append(program)
    program.wait_for(HIDE)
    program.wait_for("working")
    program.process.send_signal(signal.SIGTSTP)
    program.wait_until_stopped()
    program.read()
    assert SHOW in program.shown
    program.shown = ""
    program.process.send_signal(signal.SIGCONT)
    program.wait_for("working")
