"""What an agent sees of a state: which layers and fields, how far and from where, past what, and as planes or as pixels."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from mesabench.suggestion import unknown
from mesabench.world.bits import Bit
from mesabench.world.rules import MOVES

IN_SIGHT = "in_sight"
"""The last plane where cells of a view can be out of sight: 1 where one is seen, and so told from an empty one."""
PIXELS = 8
"""Pixels along a cell's side where nobody says how many."""
LEAST_PIXELS, MOST_PIXELS, WIDEST = 8, 64, 99
WHOLE, PLANES, OPAQUE, RGB = "whole", "planes", "opaque", "rgb"
SIGHTS = {
    "5x5": "the cells around the agent",
    OPAQUE: "walls hide what is behind them",
    RGB: "pixels",
    WHOLE: "the whole level",
    PLANES: "no pixels",
}
"""Words for a sight, each with what it means; they may be joined."""
OFFERED = ", ".join(f"{words!r} ({meaning})" for words, meaning in SIGHTS.items()) + ", or '5x5 opaque rgb'"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What an agent sees. By default the whole level: a plane for every layer, and one for every field.

    hidden: layers, and names of fields, that the agent never sees and people do. invisible: layers that nobody sees, so that
        no picture draws them either (a ghost).
    planes: of the knobs, which of the others there are, by name, in order; a name that comes twice fills two planes.
    radius: how many cells far the agent sees, in rows and columns alike or as (rows, columns); None: all of the level.
    centred: where there is a radius, whether the view moves with the agent, (2 radius + 1) cells high and wide, with wall where
        the level ends; if not, the level stands still and all beyond the radius is out of sight.
    heading: a field that says where the agent looks, 0 to 3 as the moves up, left, down, right: ahead is up in a centred view.
    opaque: layers behind which nothing is seen, joined by `|`. They themselves are seen. What counts is the straight line
        between the agent's cell and another: at each step along its longer side the cell nearest to it; where it passes between
        two cells, it is stopped only if both are opaque.
    pixels: 0 for planes; else the view is a picture, 3 planes of colour, each cell so many pixels high and wide.

    Raises ValueError.
    """

    hidden: tuple[Bit | str, ...] = ()
    invisible: tuple[Bit, ...] = ()
    planes: Callable[[Any], Sequence[str]] | None = None
    radius: int | tuple[int, int] | None = None
    centred: bool = True
    heading: str = ""
    opaque: int = 0
    pixels: int = 0

    def __post_init__(self) -> None:
        for radius in self.reach or ():
            if isinstance(radius, bool) or not isinstance(radius, int) or not 0 <= radius <= WIDEST // 2:
                raise ValueError(
                    f"sight=Sight(radius={self.radius!r}): must be a whole number from 0 to {WIDEST // 2}, or two of them, "
                    "(rows, columns); radius=2 is a view of 5 x 5 cells"
                )
        if self.pixels and not LEAST_PIXELS <= self.pixels <= MOST_PIXELS:
            raise ValueError(
                f"sight=Sight(pixels={self.pixels!r}): must be 0, for planes, or from {LEAST_PIXELS} to {MOST_PIXELS}"
            )
        if self.heading and not self.follows:
            raise ValueError(
                f"sight=Sight(heading={self.heading!r}): only a centred view turns with the agent; give it a radius"
            )

    @property
    def reach(self) -> tuple[int, int] | None:
        """The radius in rows and in columns."""
        if self.radius is None or isinstance(self.radius, tuple):
            return self.radius
        return self.radius, self.radius

    @property
    def follows(self) -> bool:
        """Whether the agent is always in the middle of what it sees."""
        return self.radius is not None and self.centred

    @property
    def partial(self) -> bool:
        """Whether there can be cells of the level that are not seen."""
        return self.radius is not None or bool(self.opaque)

    @property
    def patchy(self) -> bool:
        """Whether there can be cells of the view that are not seen."""
        return self.partial and bool(self.opaque or not self.centred)

    @cached_property
    def unseen(self) -> frozenset[str]:
        """The names of what is never in view."""
        return frozenset(one.name if isinstance(one, Bit) else one for one in (*self.hidden, *self.invisible))

    def told(self, layers: Sequence[Bit]) -> str:
        """What is seen, in words. layers: all that the environment declares."""
        reach = self.reach
        if reach is None:
            view = "the whole level"
        elif self.centred:
            view = "{} x {} cells around the agent".format(*self.view_of(reach))
        else:
            view = "cells at most {} rows and {} columns from the agent, in their places".format(*reach)
        ahead = f"ahead, as {self.heading} says, is up" if self.heading else ""
        behind = " or ".join(layer.name for layer in layers if layer & self.opaque)
        form = f"in pixels, {self.pixels} x {self.pixels} a cell" if self.pixels else "in planes"
        return "; ".join(filter(None, (view, ahead, behind and f"nothing behind {behind}", form)))

    def view_of(self, level: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns, in cells, of what is seen of a level so large."""
        if not self.follows or self.reach is None:
            return level
        return 2 * self.reach[0] + 1, 2 * self.reach[1] + 1

    def names(self, declared: Sequence[str], knobs: Any) -> tuple[str, ...]:
        """What of the declared layers and fields is in view under these knobs, in order. Raises ValueError."""
        can_be_seen = [name for name in declared if name not in self.unseen]
        if self.planes is None:
            return tuple(can_be_seen)
        names = tuple(self.planes(knobs))
        for name in names:
            if name in self.unseen:
                raise ValueError(
                    f"sight=Sight(planes=...) shows {name!r}, which sight=Sight(hidden=...) or invisible=... hides: "
                    "take it out of one of them"
                )
            if name not in can_be_seen:
                raise ValueError(f"sight=Sight(planes=...): {unknown('layer or field', name, can_be_seen)}")
        return names

    def check(self, layers: Sequence[Bit], declared: Sequence[Any]) -> None:
        """Raises ValueError for what an environment, of these layers and `Field`s, does not declare."""
        names = [layer.name for layer in layers]
        fields = {one.name: 0 if one.shape else one.high for one in declared}
        visible = {one.name for one in declared if one.can_be_seen}
        for argument, given, known in (
            ("hidden", [one if isinstance(one, str) else one.name for one in self.hidden], [*names, *fields]),
            ("invisible", [one.name for one in self.invisible], names),
        ):
            for name in given:
                if name not in known:
                    raise ValueError(f"sight=Sight({argument}=...): {unknown('layer or field', name, known)}")
        for name in fields:
            if name not in self.unseen | visible:
                raise ValueError(
                    f"field {name!r} is in view, and what is seen is a single number, or with shape=GRID one for each cell, with "
                    f"high between 1 and 255; hide it: sight=Sight(hidden=({name!r},))"
                )
        if self.heading:
            if self.heading not in fields:
                raise ValueError(f"sight=Sight(heading=...): {unknown('field', self.heading, fields)}")
            if not 1 <= fields[self.heading] < len(MOVES):
                raise ValueError(
                    f"sight=Sight(heading={self.heading!r}): must be a single number with high=3 at most: "
                    + ", ".join(f"{k} {name}" for k, name in enumerate(MOVES))
                )
        if self.opaque & ~sum(map(int, layers)):
            raise ValueError(
                f"sight=Sight(opaque={self.opaque!r}): must be layers, joined by `|`, of {', '.join(names)}"
            )
        if self.patchy and IN_SIGHT in (*names, *fields):
            raise ValueError(
                f"{IN_SIGHT!r} is the plane that tells which cells are seen: rename the layer or field"
            )

    def check_agent(self, agent: str, in_view: Sequence[str], words: str = "") -> None:
        """Raises ValueError where a view is centred on an agent that is not in it. words: that asked for it, if any did."""
        if self.follows and agent not in in_view:
            asked = f"sight={words!r}" if words else f"sight=Sight(radius={self.radius!r})"
            where = "hidden=... or invisible=" if agent in self.unseen else "planes="
            raise ValueError(
                f"{asked} centres the view on the agent, which is not in view: let sight=Sight({where}...) show {agent!r}, "
                "or say centred=False"
            )

    def given(self, words: str, wall: Bit) -> "Sight":
        """This sight as somebody's words have it, who makes the environment: see `parsed`. Raises ValueError."""
        changes: dict[str, Any] = {}
        for word in parsed(words):
            if word == WHOLE:
                changes |= {"radius": None, "opaque": 0, "heading": ""}
            elif word == PLANES:
                changes["pixels"] = 0
            elif word == OPAQUE:
                changes["opaque"] = int(wall)
            elif word.startswith(RGB):
                changes["pixels"] = int(word.removeprefix(RGB) or PIXELS)
            else:
                rows, columns = map(int, word.split("x"))
                changes |= {"radius": (rows // 2, columns // 2), "centred": True}
        return replace(self, **changes)


def parsed(words: str) -> list[str]:
    """The words for a sight, each once and in one order: a view (`5x5`, `whole`), `opaque`, and `rgb`, `rgb16` or `planes`.

    Raises ValueError: what is allowed.
    """
    if not isinstance(words, str):
        raise ValueError(f"sight={words!r}: must be words, of {OFFERED}")
    found: dict[int, str] = {}
    for word in words.replace(",", " ").split():
        if match := re.fullmatch(r"(\d{1,4})x(\d{1,4})", word):
            sides = [int(side) for side in match.groups()]
            if any(side % 2 == 0 or side > WIDEST for side in sides):
                odd = "x".join(str(min(side | 1, WIDEST)) for side in sides)
                raise ValueError(
                    f"sight={words!r}: both sides of a view must be odd, from 1 to {WIDEST}, for the agent stands in the "
                    f"middle; try {odd!r}"
                )
            rank, word = 0, "x".join(map(str, sides))
        elif match := re.fullmatch(rf"{RGB}(\d{{0,4}})", word):
            if match[1] and not LEAST_PIXELS <= int(match[1]) <= MOST_PIXELS:
                raise ValueError(
                    f"sight={words!r}: a cell must be {LEAST_PIXELS} to {MOST_PIXELS} pixels wide, as in 'rgb16'; "
                    f"'rgb' is {PIXELS}"
                )
            rank, word = 2, RGB if match[1] and int(match[1]) == PIXELS else word
        elif word in (WHOLE, OPAQUE, PLANES):
            rank = (WHOLE, OPAQUE, PLANES).index(word)
        else:
            raise ValueError(
                f"sight={words!r}: {unknown('word', word, ('5x5', RGB, OPAQUE, WHOLE, PLANES))}. A sight is {OFFERED}"
            )
        if found.setdefault(rank, word) != word:
            raise ValueError(f"sight={words!r}: {found[rank]!r} and {word!r} exclude each other")
    return [found[rank] for rank in sorted(found)]
