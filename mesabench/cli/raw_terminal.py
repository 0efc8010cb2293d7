"""A terminal taken over for a while: keys come in one by one, and lines of text fill its second screen."""

import os
import re
import signal
import sys
from collections.abc import Callable
from select import select
from typing import Self

try:
    import termios
    import tty
except ImportError:  # a system without them has other terminals
    termios = None  # type: ignore[assignment]

ARROWS = {"A": "w", "B": "s", "C": "d", "D": "a"}
"""The last character of an arrow key's escape sequence, and the letter that does the same."""
INTERRUPT, SUSPEND = "\x03", "\x1a"
_KEY = re.compile(r"\x1b[\[O][0-9;]*([A-Za-z~])|\x1b|.", re.DOTALL)


def is_possible() -> bool:
    """Whether standard input and output are a terminal that can be taken over; a dumb one cannot."""
    dumb = os.environ.get("TERM", "") in ("", "dumb")
    return termios is not None and sys.stdin.isatty() and sys.stdout.isatty() and not dumb


def keys_of(text: str) -> list[str]:
    """The keys in what a terminal sent: letters as they are, an arrow as the letter that does the same."""
    keys = []
    for match in _KEY.finditer(text):
        key = ARROWS.get(match[1], "") if match[1] else match[0]
        if key not in ("", "\x1b"):
            keys.append(key)
    return keys


class Screen:
    """A terminal in raw mode, on its second screen; restored however the block ends, signals too."""

    def __init__(self, drawing: Callable[[], list[str]]) -> None:
        self.drawing = drawing
        self.keyboard = sys.stdin.fileno()

    def __enter__(self) -> Self:
        self.handlers = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._stop),
            signal.SIGHUP: signal.signal(signal.SIGHUP, self._stop),
            signal.SIGWINCH: signal.signal(signal.SIGWINCH, lambda *_: self.draw()),
        }
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def draw(self) -> None:
        # Clear before a line is written: after one as wide as the screen, that would take its last character.
        self._write("\x1b[H" + "\r\n".join(f"\x1b[J{line}" for line in self.drawing()))

    def read(self) -> list[str]:
        """Wait for keys. Ctrl-C and the end of input are `q`; Ctrl-Z suspends."""
        received = os.read(self.keyboard, 1024)
        # Over a slow line an arrow key's sequence can arrive in pieces.
        while received.endswith((b"\x1b", b"\x1b[", b"\x1bO")) and select([self.keyboard], [], [], 0.05)[0]:
            received += os.read(self.keyboard, 1024)
        keys = keys_of(received.decode(errors="ignore"))
        if SUSPEND in keys:
            self._give_back()
            os.kill(0, signal.SIGTSTP)
            self._take()
        if not received or INTERRUPT in keys:
            return ["q"]
        return [key for key in keys if key != SUSPEND]

    def _take(self) -> None:
        self.settings = termios.tcgetattr(self.keyboard)
        tty.setraw(self.keyboard)
        self._write("\x1b[?1049h\x1b[?25l\x1b[?7l")  # second screen, no cursor, no wrapping of lines

    def _give_back(self) -> None:
        self._write("\x1b[?7h\x1b[?25h\x1b[?1049l")
        termios.tcsetattr(self.keyboard, termios.TCSAFLUSH, self.settings)

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _stop(self, number: int, _: object) -> None:
        sys.exit(128 + number)
