"""Levels as text, in colour or without: the picture that `mesabench.pictures.render` draws, in glyphs."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from textwrap import wrap

import numpy as np

from mesabench.pictures.render import checked
from mesabench.pictures.sprites import is_ground, is_light, palette, sprite

RESET = "\x1b[0m"
STATUS_COLUMNS = 32  # of the status, below a picture that is narrower


def render_ansi(
    grid: np.ndarray,
    layers: Sequence[str],
    glyphs: Sequence[str],
    *,
    status: Mapping[str, int] | None = None,
    numbers: Mapping[str, Sequence[str]] | None = None,
    colour: bool = True,
    sprites: str = "",
) -> str:
    """Write a level as text, without a newline at the end: the grid, then whatever does not show in it, then the status.

    A cell has two columns: its topmost layer and the one beneath it. Of a cell with more, a line below tells all.
    No two levels that differ in a layer with a name, or in the status, have the same text, in colour or without.

    grid, layers, status, sprites   as for `render_rgb`
    glyphs  one printable character per layer, by bit
    numbers what else there is in the cells, by name: a text for each row, written below the grid
    colour  whether to write on the sprites' colours (24-bit, reset at line ends)

    Raises ValueError or TypeError for arguments outside of these.
    """
    names = checked(grid, layers, status)
    if len(glyphs) != len(names):
        raise ValueError(f"{len(names)} layers need as many glyphs, not {len(glyphs)}")
    for name, glyph in zip(names, glyphs, strict=True):
        if len(glyph) != 1 or not glyph.isprintable():
            raise ValueError(f"the glyph of layer {name!r} is one printable character, not {glyph!r}")
    columns = max(2 * grid.shape[1], STATUS_COLUMNS)
    lines, below = [], []
    for index, row in enumerate(grid.tolist()):
        # The topmost layer first.
        cells = [[k for k in reversed(range(len(names))) if bits >> k & 1 and names[k]] for bits in row]
        lines.append(_row([[(names[k], glyphs[k]) for k in cell] for cell in cells], index, colour, sprites))
        for column, cell in enumerate(cells):
            if len(cell) > 2:
                pile = " on ".join(names[k].replace("_", " ") for k in cell)
                below += wrap(f"row {index + 1}, column {column + 1}: {pile}", columns)
    for name, rows in (numbers or {}).items():
        below += [f"{name.replace('_', ' ')}:", *rows]
    entries = [_said(name, int(value), colour, sprites) for name, value in (status or {}).items()]
    return "\n".join(lines + below + filled(entries, columns))


def _said(name: str, value: int, colour: bool, sprites: str) -> tuple[int, str]:
    """A number of the status and its columns: `keys 2`. What has a sprite for its dark state is lit (*) or dark ( )."""
    text, style = f"{name} {value}", ""
    if is_light(name, value, sprites):
        text = f"{name} {'(*)' if value else '( )'}"
        style = _style(name if value else f"{name}_dark", sprites)
    return len(text), f"{style}{text}{RESET}" if style and colour else text


def filled(entries: Iterable[tuple[int, str]], columns: int, gap: int = 2) -> list[str]:
    """Entries, each with the columns it takes, on lines of at most so many columns; a longer one has a line of its own."""
    lines: list[str] = []
    taken = columns
    for length, text in entries:
        if taken + gap + length > columns:
            lines.append(text)
            taken = length
        else:
            lines[-1] += " " * gap + text
            taken += gap + length
    return lines


def _row(row: list[list[tuple[str, str]]], index: int, colour: bool, sprites: str) -> str:
    """A row of cells, each a list of (name, glyph) with the topmost first, in two columns per cell."""
    line, style = "", ""
    for column, cell in enumerate(row):
        match cell:
            case []:
                pair = [(("floor", "floor_alt")[(index + column) & 1], mark) for mark in ". "]
            case [(name, glyph)]:
                pair = [(name, glyph), (name, glyph if is_ground(name, sprites) else " ")]
            case _:
                pair = cell[:2]
        for name, glyph in pair:
            if colour and _style(name, sprites) != style:
                style = _style(name, sprites)
                line += style
            line += glyph
    return line + RESET * colour


@lru_cache(maxsize=256)
def _style(name: str, sprites: str) -> str:
    """The escape code of a layer: its sprite's commonest colour but ink, and letters that stand out on it."""
    picture = sprite(name, sprites)
    pixels = picture[picture[..., 3] > 0][:, :3]
    seen, counts = np.unique(pixels[(pixels != palette("ink")).any(axis=1)], axis=0, return_counts=True)
    back = seen[counts.argmax()].astype(int)
    dark = back @ (0.299, 0.587, 0.114) < 128
    front = np.array(palette("white" if dark else "ink"))
    if is_ground(name, sprites):  # the colour tells it, the letter only whispers
        front = (front + 2 * back) // 3
    return "\x1b[38;2;{};{};{};48;2;{};{};{}m".format(*front, *back)
