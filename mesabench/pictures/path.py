"""The way an agent went: a line through the middles of cells that grows stronger and ends in an arrow."""

import numpy as np

from mesabench.pictures.sprites import palette


def draw_trail(picture: np.ndarray, path: np.ndarray, cover: np.ndarray, cell: int) -> None:
    """Draw a path onto a picture, over the ground and behind things; only the arrow head lies on top.

    picture  uint8 (height, width, 3), changed in place
    path     int (n, 2), rows and columns of cells, all of them inside
    cover    uint8 (height, width), 255 where a thing hides the trail
    cell     pixels along a cell's side
    """
    moved = np.ones(len(path), bool)
    moved[1:] = (path[1:] != path[:-1]).any(axis=1)
    middles = (path[moved] + 0.5) * cell - 0.5
    if len(middles) == 0:
        return
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(middles, axis=0)).max(axis=1))])
    at = np.linspace(0, along[-1], 2 * int(along[-1]) + 1)
    line = np.stack([np.interp(at, along, middles[:, axis]) for axis in (0, 1)], axis=1)
    shades = np.linspace(palette("trail-old"), palette("trail"), len(line))
    rim, wide, margin = np.array(palette("white")), max(1, round(cell / 8)), 2 * max(1, round(cell / 16))
    head = np.zeros((0, 2))
    if len(middles) > 1:
        taken = cover[tuple(np.floor(middles[-1] + 0.5).astype(int))] > 127
        short = cell * (0.3 if taken else -0.15)
        head = _head(middles[-1], middles[-1] - middles[-2], cell, short)
        near = np.hypot(*(line - middles[-1]).T)
        kept = (near > short + 0.25 * cell) | (at < along[-1] - cell)
        line, shades = line[kept], shades[kept]
    clear, behind = np.ones(cover.shape), 1 - cover / 255
    _stroke(picture, line, rim, wide + margin, behind)
    _stroke(picture, line, shades, wide, behind)
    _stroke(picture, head, rim, 1 + margin, clear)
    _stroke(picture, head, np.array(palette("trail")), 1, clear)


def _head(middle: np.ndarray, direction: np.ndarray, cell: int, short: float) -> np.ndarray:
    """The points, float (n, 2), of an arrow head whose tip stops `short` of a cell's middle."""
    ahead = direction / np.hypot(*direction)
    back, aside = np.meshgrid(np.arange(0, 0.3 * cell, 0.5), np.arange(-0.3 * cell, 0.3 * cell + 0.5, 0.5))
    inside = np.abs(aside) <= back * 0.8
    return middle - (short + back[inside])[:, None] * ahead + aside[inside][:, None] * (-ahead[1], ahead[0])


def _stroke(
    picture: np.ndarray, points: np.ndarray, shades: np.ndarray, width: int, opacity: np.ndarray
) -> None:
    """Blend a square brush of `width` pixels in at `points`, float (n, 2): row, column; the last on top."""
    brush = np.arange(width) - (width - 1) / 2
    spots = points[:, None, None] + np.stack(np.meshgrid(brush, brush, indexing="ij"), axis=-1)
    spots = np.floor(spots.reshape(-1, 2) + 0.5).astype(int).clip(0, np.array(opacity.shape) - 1)
    rows, columns = spots.T
    below = picture[rows, columns].astype(float)
    wanted = np.repeat(np.broadcast_to(shades, (len(points), 3)), width * width, axis=0)
    picture[rows, columns] = below + (wanted - below) * opacity[rows, columns, None] + 0.5
