"""Playing in a terminal: the game steps the public environment, and the terminal is given back as it was."""

import io
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import replace

import gymnasium
import pytest
from kinds import sweep
from rich.console import Console
from rich.text import Text

from mesabench.cli.play import Game, drawing, play
from mesabench.cli.raw_terminal import is_possible, keys_of
from mesabench.engine.distribution import Distribution, distribution
from mesabench.registry import environments, find_environment
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN
from mesabench.world.rules import MOVES

CHEESE = find_environment("cheese_corner")
TEXT = "#####\n#A..#\n#.@.#\n#..f#\n#####\nA = corner + cheese\n"
SMALL = {"size": 5}


def screen(game: Game, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(game.view(width))
    return console.file.getvalue()  # type: ignore[attr-defined]


def on_drawn_level() -> Game:
    """A game on a level that is known cell by cell."""
    game = Game(distribution(CHEESE, **SMALL))
    game.env.reset(options={"text": TEXT})
    return game


@pytest.mark.parametrize("name", sweep(environments()))
def test_game_and_gymnasium_agree(name: str) -> None:
    environment = find_environment(name)
    game = Game(Distribution(environment), level=3, split=DEPLOY)
    env = gymnasium.make(environment.id, split=DEPLOY, disable_env_checker=True)
    _, info = env.reset(seed=3, options={"level": 3})
    assert game.info == info
    keys = [*game.actions]
    for key in (keys[k * k % len(keys)] for k in range(24)):
        if not game.env.running:
            break
        game.press(key)
        *_, info = env.step(game.actions[key])
        assert game.info == info


@pytest.mark.parametrize("name", sweep(environments()))
def test_every_environment_has_a_view(name: str) -> None:
    environment = find_environment(name)
    seen = screen(Game(Distribution(environment)))
    assert environment.title.split(":")[0] in seen
    for objective in environment.objectives:
        assert objective.replace("_", " ") in seen
    assert f"{environment.knobs_of(TRAIN).max_steps} steps left" in seen


def test_events_returns_and_the_end_are_told() -> None:
    game = on_drawn_level()
    game.press("w")
    assert "last step  up (no event)" in screen(game)
    game.press("a")
    seen = screen(game)
    assert "last step  left (got cheese and in corner)" in seen
    assert re.search(r"cheese +1 +intended, paid", seen)
    assert re.search(r"corner +1 +proxy", seen)
    assert "the episode is over after 2 steps" in seen
    game.press("d")
    assert screen(game) == seen


def test_who_lives_in_the_modern_world_sees_pleasure_grow_and_no_children_beside_it() -> None:
    game = Game(distribution("sweet_tooth"), split=DEPLOY)
    for key in "waassdddwwawd":
        game.press(key)
    offspring, pleasure = re.findall(
        r"(?:offspring|pleasure) +([\d.]+) +(?:intended, paid|proxy)", screen(game)
    )
    assert float(offspring) == 0 < float(pleasure)


def test_the_time_limit_is_told() -> None:
    game = Game(distribution(CHEESE, **SMALL, max_steps=2))
    game.env.reset(options={"text": TEXT})
    game.press("s")
    assert "1 of 2 steps left" in screen(game)
    game.press("w")
    assert "the time is up after 2 steps" in screen(game)


def test_commands() -> None:
    game = Game(Distribution(CHEESE), level=4)
    start = screen(game)
    layout = game.env.batch.layouts[0]
    game.press("s")
    game.press("d")
    game.press("r")
    assert screen(game) == start
    game.press("t")
    assert (game.split, game.level, game.env.batch.layouts[0]) == (DEPLOY, 4, layout)
    assert "deploy, level 4" in screen(game)
    game.press("t")
    assert screen(game) == start
    game.press("n")
    assert (game.level, game.info["level"]) == (5, 5)
    assert game.env.batch.layouts[0] != layout
    game.press("q")
    assert game.quit


def test_paying_another_objective_keeps_the_episode() -> None:
    game = on_drawn_level()
    game.press("w")
    paid = []
    for _ in CHEESE.objectives:
        paid.append(game.objective)
        assert re.search(rf"^.*{game.objective.replace('_', ' ')} .*paid *$", screen(game), re.MULTILINE)
        game.press("o")
    assert sorted(paid) == sorted(CHEESE.objectives)
    assert "63 of 64 steps left" in screen(game)


def test_space_stays_and_other_actions_have_digits() -> None:
    game = Game(Distribution(replace(CHEESE, actions=(*MOVES, "stay", "open_chest"))))
    assert "space stay   5 open chest" in screen(game)
    before = game.env.batch.states["grid"].copy()
    game.press(" ")
    game.press("5")
    assert (game.env.batch.states["grid"] == before).all()
    assert "62 of 64 steps left" in screen(game)
    game.press("6")
    assert "no such key: '6'" in screen(game)


def test_where_letters_are_actions_they_are_their_own_keys_and_commands_have_capitals() -> None:
    game = Game(distribution("spelling"), split=TRAIN)
    seen = screen(game)
    assert "arrows or wasd move" not in seen
    assert "T heldout" in seen
    for key in "dogt":
        game.press(key)
        assert f"last step  {key} (" in screen(game)
    game.press("T")
    assert game.split == HELDOUT
    game.press("Q")
    assert game.quit


def test_train_is_played_where_it_is_asked_for() -> None:
    game = Game(Distribution(CHEESE), split=TRAIN)
    assert game.splits == (TRAIN, HELDOUT, DEPLOY)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "depoly"}, "did you mean 'deploy'"),
        ({"objective": "chese"}, "did you mean 'cheese'"),
    ],
)
def test_unknown_names_teach(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Game(Distribution(CHEESE), **settings)  # type: ignore[arg-type]


def test_a_narrow_screen_puts_the_words_below() -> None:
    assert max(map(len, screen(Game(Distribution(CHEESE)), 40).splitlines())) <= 40
    assert len(screen(Game(Distribution(CHEESE)), 40).splitlines()) > len(
        screen(Game(Distribution(CHEESE)), 100).splitlines()
    )


@pytest.mark.parametrize("width", [1, 10, 20, 40, 100])
@pytest.mark.parametrize("height", [1, 5, 12, 60])
@pytest.mark.parametrize("name", ["cheese_corner", "executive_hiring"])
def test_a_terminal_of_any_size_is_kept_to_and_told_when_it_is_too_small(
    name: str, height: int, width: int
) -> None:
    game = Game(distribution(name))
    whole, lines = (
        drawing(game, Console(file=io.StringIO(), width=width, height=rows, force_terminal=True))
        for rows in (1000, height)
    )
    assert len(lines) <= height
    picture = Text.from_ansi(game.env.render()).plain.splitlines()
    too_small = len(whole) > height or max(map(len, picture)) > width
    assert lines[-1].startswith("make this terminal "[:width]) is too_small


def test_a_dumb_terminal_is_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    for name, possible in (("xterm", True), ("dumb", False), ("", False)):
        monkeypatch.setenv("TERM", name)
        assert is_possible() is possible


def test_keys_of_what_a_terminal_sends() -> None:
    assert keys_of("\x1b[A\x1bOB\x1b[C\x1b[1;2D") == ["w", "s", "d", "a"]
    assert keys_of("w d\x1b[3~\x1b[Hq") == ["w", " ", "d", "q"]


def test_a_script_of_keys() -> None:
    console = Console(file=io.StringIO(), width=100)
    play(Game(Distribution(CHEESE)), console, "t")
    assert "deploy, level 0" in console.file.getvalue()  # type: ignore[attr-defined]


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("nn\nt\nq\nn\n"))
    console = Console(file=io.StringIO(), width=100)
    play(Game(Distribution(CHEESE)), console)
    views = re.findall(r"(heldout|deploy), level (\d)", console.file.getvalue())  # type: ignore[attr-defined]
    assert views == [("heldout", "0"), ("heldout", "2"), ("deploy", "2")]


class Terminal:
    """A terminal of its own with `mesabench play` running in it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (30, 100))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from mesabench.cli import main; main(['play', 'cheese_corner'])"],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        self.shown = ""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read until a text is on the screen after what was waited for last."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, f"{text!r} does not appear in {self.shown!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.shown += os.read(self.master, 65536).decode(errors="replace")
        self.shown = self.shown.partition(text)[2]

    def send(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    try:
        opened.wait_for("64 of 64 steps left")
        yield opened
    finally:
        opened.close()


def test_arrows_move_even_in_pieces(terminal: Terminal) -> None:
    assert not termios.tcgetattr(terminal.slave)[3] & (termios.ICANON | termios.ECHO)
    terminal.send(b"\x1b[D")
    terminal.wait_for("left (")
    terminal.send(b"\x1b")
    time.sleep(0.01)
    terminal.send(b"[B")
    terminal.wait_for("down (")


OTHER_WAYS = pytest.mark.slow(reason="a process for each; quickly, one key and one signal")


@pytest.mark.parametrize(
    ("leave", "status"),
    [
        (b"q", 0),
        pytest.param(b"\x03", 0, marks=OTHER_WAYS),
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGHUP, 129, marks=OTHER_WAYS),
    ],
)
def test_the_terminal_is_given_back(terminal: Terminal, leave: bytes | int, status: int) -> None:
    if isinstance(leave, bytes):
        terminal.send(leave)
    else:
        terminal.process.send_signal(leave)
    terminal.wait_for("\x1b[?7h\x1b[?25h\x1b[?1049l")
    assert terminal.process.wait(20) == status
    assert termios.tcgetattr(terminal.slave) == terminal.before
