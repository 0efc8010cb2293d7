"""Pictures of levels in pixels, for every environment, from the names of its layers.

Each layer name has a sprite (of a file beside the environment's, or else of the house; a name without art gets its letter on a
disc), a cell is its layers blended in bit order over the floor, and a picture is its cells. Whatever differs between two levels
is seen in their pictures: what others cover is drawn small in a corner of its cell. Nothing here knows an environment.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from mesabench.pictures.path import draw_trail
from mesabench.pictures.sprites import (
    SIZE,
    found,
    is_ground,
    is_light,
    lettering,
    palette,
    sprite,
    sprite_names,
)

__all__ = ["checked", "label", "png", "render_rgb", "sprite", "sprite_atlas", "sprite_names"]

VISIBLE = 24  # pixels; of what shows fewer a small picture lies on top, in a corner of the cell
LARGEST_CELL = 128  # pixels; it bounds what the cache of tiles can hold
NUMBER_WIDTH = 24  # pixels that the status bar keeps for a number, so that its size never depends on values


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of uint8 (height, width, 3) RGB or (height, width, 4) RGBA; ValueError for anything else."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or 0 in pixels.shape:
        raise ValueError(f"png takes uint8 (height, width, 3 or 4), not {pixels.dtype} {pixels.shape}")
    height, width, channels = pixels.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = np.zeros((height, 1 + width * channels), np.uint8)  # a row starts with its filter, 0 for none
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def sprite_atlas(layers: Sequence[str], sprites: str = "") -> bytes:
    """A PNG (RGBA, 16 high and 16 wide per layer) of the layers' sprites side by side. sprites: as for `render_rgb`."""
    if not layers:
        raise ValueError("an atlas needs at least one layer name")
    return png(np.concatenate([sprite(name, sprites) for name in layers], axis=1))


def render_rgb(
    grid: np.ndarray,
    layers: Sequence[str],
    *,
    cell: int = SIZE,
    status: Mapping[str, int] | None = None,
    path: np.ndarray | None = None,
    numbers: Mapping[str, Sequence[Sequence[str]]] | None = None,
    sprites: str = "",
) -> np.ndarray:
    """Draw a level: uint8 (height * cell [+ status bar], width * cell, 3).

    grid    uint8, uint16 or uint64 (height, width), bit k set where layer k is present; later layers lie on top
    layers  the layers' names by bit; '' is not drawn
    cell    pixels along a cell's side, 1 to 128: multiples of 16 repeat the art's pixels, others average them
    status  whole numbers for a bar below, each beside the sprite of its name (`keys`: the key) or the name
            itself, faint at 0; what has a sprite for its dark state (`lamp_dark`) is drawn lit or dark. The bar's
            height is a multiple of `cell` and depends on names and width alone, so the frames of an episode have one
            size
    path    int (n, 2): the (row, column) of the cells visited in turn, drawn as a trail that grows stronger
    numbers what else is written into the cells, by name: rows of short texts, '' for none; up to three, one below the other
    sprites a file of pixel art (`Environment.sprites`) that comes before the house's; '' for none

    Raises ValueError or TypeError for arguments outside of these.
    """
    names = checked(grid, layers, status)
    if not isinstance(cell, int | np.integer) or not 1 <= cell <= LARGEST_CELL:
        raise ValueError(f"cell is a cell's side in pixels, an int from 1 to {LARGEST_CELL}, not {cell!r}")
    cell = int(cell)
    height, width = grid.shape
    checker = np.add.outer(np.arange(height), np.arange(width)) & 1
    kinds, which = np.unique(grid.astype(np.intp) * 2 + checker, return_inverse=True)
    tiles = np.stack([_tile(names, int(kind), cell, sprites) for kind in kinds])
    rows = which.reshape(height, 1, width), np.arange(cell)[:, None]
    picture = tiles[rows].reshape(height * cell, width * cell, 3)
    if path is not None:
        cover = np.stack([_cover(names, int(kind) >> 1, cell, sprites) for kind in kinds])
        hidden = cover[rows].reshape(height * cell, width * cell)
        draw_trail(picture, _checked_path(path, grid), hidden, cell)
    for k, texts in enumerate((numbers or {}).values()):
        for y, row in enumerate(texts):
            for x, text in enumerate(row):
                if text:
                    _lay(
                        picture[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell],
                        _label(text, k, len(numbers or ())),
                    )
    if status:
        picture = np.concatenate([picture, _resample(_status_bar(status, width, sprites), cell)])
    return picture


def checked(grid: np.ndarray, layers: Sequence[str], status: Mapping[str, int] | None) -> tuple[str, ...]:
    """The layer names, once the arguments that both renderers take are known to be sound."""
    if not isinstance(grid, np.ndarray) or grid.dtype not in (np.uint8, np.uint16, np.uint64):
        kind = getattr(grid, "dtype", type(grid).__name__)
        raise TypeError(f"grid is a uint8, uint16 or uint64 array, not {kind}")
    if grid.ndim != 2 or grid.size == 0:
        raise ValueError(f"grid has the shape (height, width), neither of them 0, not {grid.shape}")
    if isinstance(layers, str) or not all(isinstance(name, str) for name in layers):
        raise TypeError(f"layers are the names of the grid's bits, a tuple of strings, not {layers!r}")
    if highest := int(grid.max()) >> len(layers):
        bit = len(layers) + highest.bit_length() - 1
        raise ValueError(f"the grid has bit {bit}, but {len(layers)} layers are named: {', '.join(layers)}")
    for name, value in (status or {}).items():
        if not isinstance(value, int | np.integer):
            raise TypeError(f"status shows whole numbers; {name!r} is {value!r}")
    return tuple(layers)


def _checked_path(path: np.ndarray, grid: np.ndarray) -> np.ndarray:
    cells = np.asarray(path)
    if cells.size == 0:
        return np.zeros((0, 2), int)
    if cells.ndim != 2 or cells.shape[1] != 2 or not np.issubdtype(cells.dtype, np.integer):
        raise ValueError(f"path is an int array (n, 2) of rows and columns, not {cells.dtype} {cells.shape}")
    outside = ((cells < 0) | (cells >= grid.shape)).any(axis=1)
    if outside.any():
        first = int(outside.argmax())
        raise ValueError(f"path[{first}] is {tuple(cells[first].tolist())}, outside of the grid {grid.shape}")
    return cells


@lru_cache(maxsize=1024)
def _tile(layers: tuple[str, ...], kind: int, cell: int, sprites: str) -> np.ndarray:
    """The picture of a cell, uint8 (cell, cell, 3); `kind` is twice its bits plus its place's parity."""
    pixels = sprite(("floor", "floor_alt")[kind & 1])[..., :3].astype(float)
    there = [name for bit, name in enumerate(layers) if kind >> 1 >> bit & 1 and name]
    for name in there:
        _blend(pixels, sprite(name, sprites))
    covered = [name for k, name in enumerate(there) if _seen(name, there[k + 1 :], sprites) < VISIBLE]
    side = SIZE // 2 if len(covered) == 1 else SIZE * 3 // 8 if len(covered) <= 4 else SIZE // 4
    for k, name in enumerate(covered):  # into the corners, or more of them along the upper and the lower side
        top, left = ((SIZE - side) * place for place in (divmod(k, 2) if len(covered) <= 4 else (k % 2, 0)))
        left += side * (k // 2 % 4) if len(covered) > 4 else 0
        _blend(pixels[top : top + side, left : left + side], _resample(sprite(name, sprites), side))
    return _resample(pixels, cell)


def _blend(pixels: np.ndarray, above: np.ndarray) -> None:
    """Lay an RGBA picture over float RGB pixels, in place."""
    pixels += (above[..., :3] - pixels) * (above[..., 3:] / 255)


def _lay(pixels: np.ndarray, above: np.ndarray) -> None:
    """Lay an RGBA picture of a cell over uint8 RGB pixels (cell, cell, 3), in place."""
    blended = pixels.astype(float)
    _blend(blended, _resample(above, len(pixels)).astype(float))
    pixels[:] = (blended + 0.5).astype(np.uint8)


def label(text: str, place: int, places: int, cell: int) -> np.ndarray:
    """What `numbers` of `render_rgb` lays over a cell, uint8 (cell, cell, 4), RGBA; text: '' for nothing."""
    return _resample(_label(text, place, places) if text else np.zeros((SIZE, SIZE, 4)), cell)


@lru_cache(maxsize=1024)
def _label(text: str, place: int, places: int) -> np.ndarray:
    """A short text on a dark ground, float (16, 16, 4): large where it is alone in its cell, else the place-th of three lines."""
    letters = lettering(text, 2 if places == 1 and len(text) <= 2 else 1)[:, : SIZE - 2]
    height, width = letters.shape
    top = (SIZE - height) // 2 if places == 1 else place % 3 * (height + 1)
    left = (SIZE - width) // 2
    label = np.zeros((SIZE, SIZE, 4))
    label[max(top - 1, 0) : top + height + 1, left - 1 : left + width + 1] = (*palette("ink"), 255)
    label[top : top + height, left : left + width][letters] = (*palette("white"), 255)
    return label


def _seen(name: str, above: Sequence[str], sprites: str) -> float:
    """How many pixels of a sprite are seen beneath the sprites that lie above it."""
    clear = np.prod([1 - sprite(one, sprites)[..., 3] / 255 for one in above], axis=0) if above else 1.0
    return float(((sprite(name, sprites)[..., 3] > 0) * clear).sum())


@lru_cache(maxsize=1024)
def _cover(layers: tuple[str, ...], bits: int, cell: int, sprites: str) -> np.ndarray:
    """Where things stand on the ground of a cell and hide a trail, uint8 (cell, cell) from 0 to 255."""
    clear = np.ones((SIZE, SIZE))
    for bit, name in enumerate(layers):
        if bits >> bit & 1 and not is_ground(name, sprites):
            clear *= 1 - sprite(name, sprites)[..., 3] / 255
    return _resample(255 * (1 - clear)[..., None], cell)[..., 0]


def _resample(pixels: np.ndarray, cell: int) -> np.ndarray:
    """Scale (height, width, channels) by cell / 16 to uint8, each new pixel the mean of the area it covers.

    For multiples of 16 that is exact repetition.
    """

    def weights(length: int) -> np.ndarray:
        edges = np.arange(length * cell // SIZE + 1) * SIZE / cell
        low = np.maximum(edges[:-1, None], np.arange(length))
        high = np.minimum(edges[1:, None], np.arange(length) + 1)
        return np.maximum(high - low, 0) * cell / SIZE

    down, across = weights(pixels.shape[0]), weights(pixels.shape[1])
    scaled = np.einsum("ih,hwc,jw->ijc", down, pixels.astype(float), across, optimize=True)
    return (scaled + 0.5).astype(np.uint8)


def _status_bar(status: Mapping[str, int], width: int, sprites: str) -> np.ndarray:
    """The bar at 16 pixels a cell, float (16 * rows, 16 * width, 3)."""
    rows: list[list[np.ndarray]] = [[]]
    for name, value in status.items():
        entry = _entry(name, int(value), width * SIZE, sprites)
        if rows[-1] and sum(one.shape[1] for one in [*rows[-1], entry]) > width * SIZE:
            rows.append([])
        rows[-1].append(entry)
    bar = np.zeros((SIZE * len(rows), SIZE * width, 3)) + palette("ink")
    for index, row in enumerate(rows):
        strip = np.concatenate(row, axis=1)[:, : width * SIZE]
        part = bar[index * SIZE : (index + 1) * SIZE, : strip.shape[1]]
        part += (strip[..., :3] - part) * strip[..., 3:] / 255
    return bar


def _entry(name: str, value: int, room: int, sprites: str) -> np.ndarray:
    """One scalar of the bar, float (16, width, 4); the name gives way in too little `room` (pixels)."""
    light = is_light(name, value, sprites)
    icon = _icon(name if value or not light else f"{name}_dark", sprites)
    label = icon[:, : max(0, room - 2 - NUMBER_WIDTH)]
    entry = np.zeros((SIZE, label.shape[1] + 2 + NUMBER_WIDTH, 4))
    if light:
        entry[:, : label.shape[1]] = label
        return entry
    entry[:, : label.shape[1]] = label * (1, 1, 1, 1 if value else 0.35)
    digits = str(value) if len(str(value)) <= 6 else f"{value:.0e}"
    _write(entry, lettering(digits, 2 if len(digits) <= 3 else 1), label.shape[1] + 2)
    return entry


def _icon(name: str, sprites: str) -> np.ndarray:
    """The picture that stands for a scalar, float (16, width, 4): its sprite, or else its name in letters."""
    for known in (name, name.removesuffix("s")):
        if (own := found(known, sprites)) is not None:
            return own.astype(float)
    text = lettering(name)
    label = np.zeros((SIZE, text.shape[1] + 3, 4))
    _write(label, text, 2)
    return label


def _write(pixels: np.ndarray, text: np.ndarray, left: int) -> None:
    """Put white letters, bool (height, width), into RGBA `pixels`, centred from top to bottom."""
    top = (pixels.shape[0] - text.shape[0]) // 2
    pixels[top : top + text.shape[0], left : left + text.shape[1]][text] = (*palette("white"), 255)
