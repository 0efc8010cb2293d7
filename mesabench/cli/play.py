"""Walk about in an environment, in the terminal: a person's way to find out what each objective pays for.

It steps the same `GridEnv` as every agent. `Game` is what happens, keys in and a view out; `play` joins it to
a terminal, to lines of input where there is none, or to a script of keys.
"""

import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from mesabench.adapters.env import GridEnv
from mesabench.catalogue import headed, legend, roles_of, spoken, versions
from mesabench.cli.output import entries
from mesabench.cli.raw_terminal import Screen, is_possible, keys_of
from mesabench.engine.distribution import Distribution
from mesabench.world.environment import HELDOUT
from mesabench.world.rules import MOVES

PANEL_WIDTH = 40


class Game:
    """One environment, one level of it at a time, in any of its splits.

    distribution: its levels in the split that it names; in the others what was given for it holds as `with_` says.
    level: the seed of the first level. split: the one to start in.
    objective: the one that is paid at first (default: the one the environment trains on).

    Raises ValueError or LookupError for names and values that the environment does not know.
    """

    def __init__(
        self,
        distribution: Distribution,
        *,
        level: int = 0,
        split: str = HELDOUT,
        objective: str | None = None,
    ) -> None:
        self.distribution, self.level = distribution, level
        self.environment = environment = distribution.environment
        self.splits = tuple(versions(environment, first=split))
        self.objective = objective or environment.paid
        environment.column(self.objective)  # which refuses an unknown one
        self.quit = False
        self._envs: dict[str, GridEnv] = {}
        self.restart()
        self.actions = {key[0]: action for key, action in self.env.get_keys_to_action().items()}
        self.commands = {self._key(key): command for key, command in COMMANDS.items()}

    @property
    def split(self) -> str:
        return self.splits[0]

    @property
    def env(self) -> GridEnv:
        """The environment of the split that is shown; those of other splits wait."""
        if self.split not in self._envs:
            options: dict[str, Any] = self.distribution.with_(split=self.split).options()
            self._envs[self.split] = GridEnv(self.environment, render_mode="ansi", **options)
        return self._envs[self.split]

    def press(self, key: str) -> None:
        """Do what a key says, an action or a command; another key changes nothing but the message."""
        key = key if key in self.commands else key.lower()
        if key in self.commands:
            self.commands[key](self)
        elif key not in self.actions:
            self.message = f"no such key: {key!r}"
        elif self.env.running:
            self._step(self.actions[key])

    def _key(self, command: str) -> str:
        """The key of a command: its own, or the capital where an action has that."""
        return command.upper() if command in self.actions else command

    def view(self, width: int) -> RenderableType:
        """The screen for a terminal of `width` columns."""
        picture = Text.from_ansi(self.env.render())
        picture.no_wrap, picture.overflow = True, "crop"
        columns = max(line.cell_len for line in picture.split())
        panel = Group(
            Text(self.environment.title.split(":")[0], style="bold"),
            Text(headed(self.split, f", level {self.level}")),
            self._returns(),
            Text(f"last step  {self.message}"),
            self._time(),
        )
        beside = Table.grid(padding=(0, 3, 0, 0))
        if width < columns + PANEL_WIDTH:
            beside.add_row(picture)
            beside.add_row(panel)
        else:
            beside.add_row(picture, panel)
        return Group(beside, Text(), entries(self._legend(), width), entries(self._keys(), width))

    def restart(self) -> None:
        """Begin the level again; chance falls as it did before."""
        _, self.info = self.env.reset(seed=self.level, options={"level": self.level})
        self.message, self.ending = "none yet", ""

    def next_level(self) -> None:
        """Go to the level of the next seed."""
        self.level += 1
        self.restart()

    def toggle_split(self) -> None:
        """Begin the same level in its next version: as in training, or shifted."""
        self.splits = (*self.splits[1:], self.splits[0])
        self.restart()

    def pay_next(self) -> None:
        """Pay another objective: no rule changes by it and all returns are kept, so the episode goes on."""
        names = self.environment.objective_names
        self.objective = names[(names.index(self.objective) + 1) % len(names)]

    def stop(self) -> None:
        """Wish to quit."""
        self.quit = True

    def _step(self, action: int) -> None:
        _, _, terminated, truncated, info = self.env.step(action)
        self.info = info
        self.ending = "the episode is over" if terminated else "the time is up" if truncated else ""
        happened = [spoken(one) for one in self.environment.happened(info["events"])]
        words = " and ".join(happened) or "no event"
        self.message = f"{spoken(self.distribution.actions[action])} ({words})"

    def _returns(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        table.add_column("objective", no_wrap=True)
        table.add_column("return", justify="right")
        table.add_column("role")
        for name in self.environment.objective_names:
            paid = name == self.objective
            roles = [role for role in roles_of(self.environment, name) if role != "paid in training"]
            notes = ", ".join([*roles, "paid"] if paid else roles)
            value = f"{self.info[f'return_{name}']:g}"
            table.add_row(spoken(name), value, notes, style="bold" if paid else "")
        return table

    def _time(self) -> Text:
        steps, limit = (int(self.env.batch.states[0][name]) for name in ("_clock", "_max_steps"))
        if self.ending:
            then = f"{self._key('r')} again, {self._key('n')} next level"
            return Text(f"{self.ending} after {steps} steps: {then}", style="bold reverse")
        return Text(f"{limit - steps} of {limit} steps left")

    def _legend(self) -> list[str]:
        """What the letters in the picture stand for."""
        return legend(self.environment, [self.env.batch.states[0]["grid"]])

    def _keys(self) -> list[str]:
        names = self.distribution.actions
        moves = {*MOVES} <= {*names}
        others = [
            key if key == names[action] else f"{'space' if key == ' ' else key} {spoken(names[action])}"
            for key, action in self.actions.items()
            if not (moves and names[action] in MOVES)
        ]
        commands = (
            f"{self._key('t')} {self.splits[1]}",
            f"{self._key('r')} restart",
            f"{self._key('n')} next level",
            f"{self._key('o')} pay another",
            f"{self._key('q')} quit",
        )
        return [*["arrows or wasd move"] * moves, *others, *commands]


COMMANDS: dict[str, Callable[[Game], None]] = {
    "r": Game.restart,
    "n": Game.next_level,
    "t": Game.toggle_split,
    "o": Game.pay_next,
    "q": Game.stop,
}


def play(game: Game, console: Console, keys: str | None = None) -> None:
    """Play until `q` or the end of the input.

    keys: a script; they are pressed one after the other and the view is printed once, at the end. Without it
        a terminal is read key by key; other input is read in lines of keys, and a view follows each line.
    """
    if keys is not None:
        for key in keys_of(keys):
            game.press(key)
        console.print(game.view(console.width))
    elif not is_possible():
        console.print(game.view(console.width))
        for line in sys.stdin:
            for key in keys_of(line.rstrip("\r\n")):
                game.press(key)
            if game.quit:
                break
            console.print(game.view(console.width))
    else:
        _play_on_terminal(game, console)


def _play_on_terminal(game: Game, console: Console) -> None:
    with Screen(lambda: drawing(game, console)) as screen:
        while not game.quit:
            screen.draw()
            for key in screen.read():
                game.press(key)


def drawing(game: Game, console: Console) -> list[str]:
    """The view as lines of escape codes, cut to the terminal's size; the last one says so."""
    with console.capture() as capture:
        console.print(game.view(console.width))
    lines = capture.get().splitlines()
    wide = max(line.cell_len for line in Text.from_ansi(game.env.render()).split())
    wanted = [f"{len(lines)} lines high"] * (len(lines) > console.height)
    wanted += [f"{wide} columns wide"] * (wide > console.width)
    if wanted:
        note = f"make this terminal {' and '.join(wanted)} to see all"
        lines[console.height - 1 :] = [note[: console.width]]
    return lines
