"""Pixel art: a picture for every layer name, and a tiny font.

The house's own is `sprites.txt` here. A file of that name beside an environment's file adds to it, and comes first where both
have a name.
"""

import colorsys
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mesabench.suggestion import unknown

SIZE = 16  # pixels along a sprite's side
FONT_HEIGHT = 5


class Art(NamedTuple):
    marks: dict[str, tuple[int, ...]]  # palette character -> red, green, blue, alpha
    palette: dict[str, tuple[int, ...]]  # colour word -> the same
    sprites: dict[str, np.ndarray]  # name or alias -> uint8 (16, 16, 4)
    names: tuple[str, ...]  # without the aliases, in the file's order
    font: dict[str, np.ndarray]  # character -> bool (5, width)


def parse(text: str, marks: Mapping[str, tuple[int, ...]] | None = None) -> Art:
    """Read art in the format that the head of `sprites.txt` describes; a ValueError names the line.

    marks: the palette's characters that are known before the first line.
    """
    art = Art(dict(marks or {}), {}, {}, (), {})
    names: list[str] = []
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if not line or line.startswith("#"):
            continue
        word, *rest = line.split()
        try:
            if word == "colour":
                mark, code, name = rest
                art.marks[mark] = art.palette[name] = tuple(bytes.fromhex(code.ljust(8, "F")))
            elif word == "sprite":
                if taken := [name for name in rest if name in art.sprites]:
                    raise ValueError(f"there is a sprite {taken[0]!r} already")
                names.append(rest[0])
                art.sprites.update(dict.fromkeys(rest, _pixels(_block(lines, SIZE, SIZE), art.marks)))
            elif word == "font":
                rows = np.array([list(row) for row in _block(lines, FONT_HEIGHT)])
                edges = [-1, *np.flatnonzero(rows[0] == " "), rows.shape[1]]
                for mark, left, right in zip(*rest, edges[:-1], edges[1:], strict=True):
                    art.font[mark] = rows[:, left + 1 : right] == "#"
            else:
                raise ValueError(unknown("block", word, ("colour", "sprite", "font")))
        except (ValueError, TypeError, IndexError) as error:
            raise ValueError(f"pixel art, line {number} ({line}): {error}") from error
    return art._replace(names=tuple(names))


def _block(lines: Iterator[tuple[int, str]], height: int, width: int | None = None) -> list[str]:
    """The next `height` lines, all of one width."""
    rows = [row for _, (_, row) in zip(range(height), lines, strict=False)]
    width = width or len(rows[0])
    for index, row in enumerate(rows, 1):
        if len(row) != width:
            raise ValueError(f"its row {index} has {len(row)} characters instead of {width}: {row!r}")
    if len(rows) != height:
        raise ValueError(f"it has {len(rows)} rows instead of {height}")
    return rows


def _pixels(rows: list[str], marks: dict[str, tuple[int, ...]]) -> np.ndarray:
    if strange := sorted(set("".join(rows)) - set(marks)):
        raise ValueError(unknown("colour", strange[0], marks))
    return _frozen(np.array([[marks[mark] for mark in row] for row in rows], np.uint8))


def _frozen(pixels: np.ndarray) -> np.ndarray:
    pixels.flags.writeable = False
    return pixels


@cache
def art(file: str = "") -> Art:
    """The house's own art, or that of a file (`Environment.sprites`), which knows the house's colours; each is read once.

    Raises ValueError with the file and the line.
    """
    if not file:
        return parse(files("mesabench.pictures").joinpath("sprites.txt").read_text("utf-8"))
    try:
        return parse(Path(file).read_text("utf-8"), art().marks)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def found(name: str, file: str = "") -> np.ndarray | None:
    """The pixel art of a name in a file, or else in the house's; None where neither has any."""
    return art(file).sprites.get(name, art().sprites.get(name))


def palette(word: str) -> tuple[int, ...]:
    """Red, green and blue (0 to 255) of a colour by its word in `sprites.txt`."""
    return art().palette[word][:3]


def sprite_names(file: str = "") -> tuple[str, ...]:
    """The names that have pixel art in the house's file or another, without aliases."""
    return art(file).names


@cache
def sprite(name: str, file: str = "") -> np.ndarray:
    """The picture of a layer: read-only uint8 (16, 16, 4), RGBA with straight alpha. file: of sprites beside the house's.

    Every name works: one without pixel art gets two of its letters on a disc whose colour follows from the
    name, a single character stands on a card, and the empty name, which marks a layer that is not drawn, is transparent.
    """
    if (own := found(name, file)) is not None:
        return own
    pixels = np.zeros((SIZE, SIZE, 4), np.uint8)
    if len(name) == 1:
        pixels[1:-1, 1:-1] = (*palette("grey"), 255)
        pixels[2:-2, 2:-2] = (*palette("white"), 255)
        _stamp(pixels, lettering(name, 2), "ink")
    elif name:
        code = zlib.crc32(name.encode())  # the same on every machine, unlike hash()
        lightness = (0.34, 0.48)[code // 24 % 2]
        body = [round(255 * value) for value in colorsys.hls_to_rgb(code % 24 / 24, lightness, 0.5)]
        from_centre = np.hypot(*(np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2))
        pixels[from_centre < 8] = (*palette("ink"), 255)
        pixels[from_centre < 7] = (*body, 255)
        _stamp(pixels, lettering(initials(name)), "white")
    return _frozen(pixels)


def _stamp(pixels: np.ndarray, letters: np.ndarray, colour: str) -> None:
    """Put letters, bool (height, width), into the middle of RGBA `pixels`."""
    top, left = (np.array(pixels.shape[:2]) - letters.shape) // 2
    pixels[top : top + letters.shape[0], left : left + letters.shape[1]][letters] = (*palette(colour), 255)


def initials(name: str) -> str:
    """Two letters for a name: `back_door` is bd, `zebra` ze."""
    words = re.findall(r"[^\W_]+", name) or ["?"]
    return "".join(word[0] for word in words[:2]) if len(words) > 1 else words[0][:2]


def lettering(text: str, scale: int = 1) -> np.ndarray:
    """`text` in the tiny font, in capitals: bool (5 * scale, width), a pixel of `scale` between characters.

    An underscore is a blank and a character outside of the font a question mark.
    """
    font = art().font
    gap = np.zeros((FONT_HEIGHT, 1), bool)
    pieces = [gap[:, :0]]
    for mark in text.upper():
        pieces += [np.zeros((FONT_HEIGHT, 2), bool) if mark in " _" else font.get(mark, font["?"]), gap]
    return np.kron(np.concatenate(pieces, axis=1)[:, :-1], np.ones((scale, scale), bool))


def is_ground(name: str, file: str = "") -> bool:
    """Whether a sprite fills its cell, as walls do and things do not."""
    return bool((sprite(name, file)[..., 3] == 255).all())


def is_light(name: str, value: int, file: str = "") -> bool:
    """Whether a number is shown as a lamp, lit or dark: there is a sprite for it when it is dark."""
    return value in (0, 1) and found(f"{name}_dark", file) is not None
