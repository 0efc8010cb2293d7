"""What an agent gets to see of a state: the form of its observations, and the compiled function that writes one.

There are three such functions, chosen when kernels are compiled: planes of the whole level (loops over bytes, for speed), planes
of the cells that a `Sight` leaves, and the same cells as pixels.

Longer than other modules: the three writers stand side by side, since what one shows the others must show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesabench.engine.dynamics import inlined
from mesabench.engine.tiles import Box, Tiles
from mesabench.world.environment import Environment
from mesabench.world.rules import rule
from mesabench.world.sight import IN_SIGHT, Sight

COLOURS = "red", "green", "blue"
_UNSEEN = -1


@dataclass(frozen=True, eq=False)
class Observation:
    """The observations of one environment, for one grid shape, list of what is in view, and sight.

    in_view: the names of the layers and fields that can be seen. shape: (planes, height, width); channels: what each plane shows;
    highs: uint8 (planes,), the largest value in each. scalars: the planes that have one value everywhere; agent: those that
    show the agent and nothing else.
    write(raw, row, out, slot, tiles): the states' bytes, flat -> out, uint8 (slots * planes * height * width), flat. tiles: as in
    `painter`, whose `tables` are empty where nothing is painted. share(raw, row, out, slot, first, step): of `write`, every
    step-th cell of each plane from the first on, for threads that write one together; None where they cannot.
    """

    sight: Sight
    in_view: frozenset[str]
    shape: tuple[int, int, int]
    channels: tuple[str, ...]
    highs: np.ndarray
    scalars: tuple[int, ...]
    agent: tuple[int, ...]
    write: Any
    painter: Tiles
    share: Any = None


def observation_of(
    environment: Environment, sight: Sight, names: Sequence[str], dtype: np.dtype[Any]
) -> Observation:
    """The observations in which these layers and fields are in view, for one layout of the record."""
    height, width = sight.view_of(dtype["grid"].shape)
    if sight.pixels:
        seen = [one for one in environment.fields if one.name in names]
        drawn = tuple(name if name in names else "" for name in environment.layer_names)
        highs = {one.name: one.high for one in seen if not one.by_cell}
        painter = Tiles(
            drawn,
            highs,
            {one.name: one for one in seen if one.by_cell},
            width,
            sight.pixels,
            _drawing(environment),
            environment.sprites,
        )
        shape = 3, height * sight.pixels + painter.bar, width * sight.pixels
        write = _pixels(environment, sight, painter, shape, dtype)
        return Observation(
            sight, frozenset(names), shape, COLOURS, np.full(3, 255, np.uint8), (), (), write, painter
        )
    channels = (*names, IN_SIGHT) if sight.patchy else tuple(names)
    high_of = {one.name: one.high for one in environment.fields}
    write, share = (_some if sight.partial else _whole)(environment, sight, channels, dtype)
    return Observation(
        sight,
        frozenset(names),
        (len(channels), height, width),
        channels,
        np.array([high_of.get(name, 1) for name in channels], np.uint8),
        tuple(k for k, name in enumerate(channels) if name in environment.numbers),
        tuple(k for k, name in enumerate(channels) if name == environment.agent.name),
        write,
        Tiles(),
        share,
    )


def _drawing(environment: Environment) -> Any:
    """What pictures show of a grid and the names of its layers: letters that bits spell are written out."""

    def drawing(grid: np.ndarray, layers: tuple[str, ...]) -> tuple[np.ndarray, Sequence[str]]:
        plain = grid, layers, environment.glyph_of
        shown = environment.letters.written(plain, environment.wall) if environment.letters else plain
        return shown[0], shown[1]

    return drawing


def _whole(
    environment: Environment, sight: Sight, channels: Sequence[str], dtype: np.dtype[Any]
) -> tuple[Any, Any]:
    """`Observation.write` and `share` for planes of the whole level."""
    itemsize, cell_bytes = dtype.itemsize, np.uint64(dtype["grid"].base.itemsize)
    cells, n_planes = np.uint64(np.prod(dtype["grid"].shape)), len(channels)
    offsets = {name: spec[1] for name, spec in (dtype.fields or {}).items()}
    plane_is_layer = np.array([name in environment.layer_names for name in channels])
    bits = [
        environment.layer_names.index(name) if name in environment.layer_names else 0 for name in channels
    ]
    plane_byte = np.array([
        offsets["grid"] + bit // 8 if layer else offsets[name]
        for name, bit, layer in zip(channels, bits, plane_is_layer, strict=True)
    ])  # fmt: skip
    plane_mask = np.array([1 << bit % 8 for bit in bits], np.uint8)
    plane_stride = np.array([_stride(environment, name, dtype) for name in channels])
    # planes of one and the same number that lie side by side are written at once: most of a short loop's time is its beginning
    plane_run = np.ones(n_planes, np.int64)
    for plane in range(n_planes - 2, -1, -1):
        if channels[plane] == channels[plane + 1] and not plane_is_layer[plane] and not plane_stride[plane]:
            plane_run[plane] += plane_run[plane + 1]

    @inlined
    def share(raw, row, out, slot, first, step):
        # unsigned indices spare the check for negative ones, without which the loops become vector instructions
        source = np.uint64(row * itemsize)
        target = np.uint64(slot * n_planes) * cells
        turns = (np.int64(cells) - first + step - 1) // step
        plane = 0
        while plane < n_planes:
            at = source + np.uint64(plane_byte[plane])
            mask = plane_mask[plane]
            turn = 0  # counted by hand: of `range` numba-cuda makes twice as many instructions
            if plane_is_layer[plane]:
                while turn < turns:
                    j = np.uint64(first + turn * step)
                    present = raw[at + j * cell_bytes] & mask
                    out[target + j] = np.uint8(1) if present else np.uint8(0)
                    turn += 1
            elif plane_stride[plane]:
                stride = np.uint64(plane_stride[plane])
                while turn < turns:
                    j = np.uint64(first + turn * step)
                    out[target + j] = raw[at + j * stride]
                    turn += 1
            else:
                number = raw[at]
                turns_of_run = (np.int64(cells) * plane_run[plane] - first + step - 1) // step
                while turn < turns_of_run:
                    out[target + np.uint64(first + turn * step)] = number
                    turn += 1
            target += cells * np.uint64(plane_run[plane])
            plane += plane_run[plane]

    @rule
    def write(raw, row, out, slot, tiles):
        share(raw, row, out, slot, 0, 1)

    return write, share


def _stride(environment: Environment, name: str, dtype: np.dtype[Any]) -> int:
    """Bytes from the number of one cell to that of the next; 0 of what has one number for all cells, or is no field."""
    by_cell = {one.name for one in environment.fields if one.by_cell}
    return dtype[name].base.itemsize if name in by_cell else 0


def _some(
    environment: Environment, sight: Sight, channels: Sequence[str], dtype: np.dtype[Any]
) -> tuple[Any, Any]:
    """`Observation.write` for planes of the cells that are seen; what is in view but no layer or cell is seen from anywhere."""
    locate, look = _looking(environment, sight, dtype)
    itemsize, n_planes = dtype.itemsize, len(channels)
    rows, columns = sight.view_of(dtype["grid"].shape)
    cells = rows * columns
    offsets = {name: spec[1] for name, spec in (dtype.fields or {}).items()}
    layers = environment.layer_names
    plane_mask = np.array([1 << layers.index(name) if name in layers else 0 for name in channels])
    plane_byte = np.array([-1 if name in (*layers, IN_SIGHT) else offsets[name] for name in channels])
    plane_stride = np.array([_stride(environment, name, dtype) for name in channels])
    height, width = dtype["grid"].shape

    @rule
    def write(raw, row, out, slot, tiles):
        source, target = row * itemsize, slot * n_planes * cells
        for j in range(rows):
            for k in range(columns):
                y, x = locate(raw, source, j, k)
                bits = look(raw, source, y, x)
                place = target + j * columns + k
                for plane in range(n_planes):
                    if plane_stride[plane]:
                        within = bits != _UNSEEN and 0 <= y < height and 0 <= x < width
                        cell = plane_stride[plane] * (y * width + x)
                        out[place] = raw[source + plane_byte[plane] + cell] if within else 0
                    elif plane_byte[plane] >= 0:
                        out[place] = raw[source + plane_byte[plane]]
                    elif bits == _UNSEEN:
                        out[place] = 0
                    else:
                        out[place] = 1 if plane_mask[plane] == 0 or bits & plane_mask[plane] else 0
                    place += cells

    return write, None


def _pixels(
    environment: Environment, sight: Sight, painter: Tiles, shape: tuple[int, int, int], dtype: np.dtype[Any]
) -> Any:
    """`Observation.write` for a picture: the tiles of the cells that are seen, black where none is, and the bar of numbers."""
    locate, look = _looking(environment, sight, dtype)
    itemsize, side, visible = dtype.itemsize, sight.pixels, painter.visible
    rows, columns = sight.view_of(dtype["grid"].shape)
    _, tall, wide = shape
    area, stride = side * side, painter.stride
    picture, bar, bar_start = tall * wide, painter.bar, painter.bar_start
    boxes = painter.boxes
    offsets = {name: spec[1] for name, spec in (dtype.fields or {}).items()}
    n_boxes = len(boxes)
    # numba closes over arrays, which must not be empty
    box_at, box_top, box_left, box_tall, box_wide, box_high = (
        np.array([getattr(one, name) for one in boxes] or [0]) for name in Box._fields[1:]
    )
    box_byte = np.array([offsets[one.name] for one in boxes] or [0])
    labels = painter.labels
    n_labels, label_size = len(labels), 4 * area
    label_at, label_high = (
        np.array([getattr(one, name) for one in labels] or [0]) for name in ("at", "high")
    )
    label_byte = np.array([offsets[one.name] for one in labels] or [0])
    label_stride = np.array([_stride(environment, one.name, dtype) for one in labels] or [0])
    height, width = dtype["grid"].shape

    @rule
    def write_label(tiles, label, out, corner):
        """Lay a label, (side, side, 4) with its opacity last, over a tile, with the very arithmetic of `pictures.render`."""
        for r in range(side):
            for c in range(side):
                opacity = tiles[label + 3] / 255
                for colour in range(3):
                    place = corner + colour * picture + r * wide + c
                    below = float(out[place])
                    out[place] = np.uint8(below + (float(tiles[label + colour]) - below) * opacity + 0.5)
                label += 4

    @rule
    def write(raw, row, out, slot, tiles):
        source, target = row * itemsize, slot * 3 * picture
        for j in range(rows):
            for k in range(columns):
                y, x = locate(raw, source, j, k)
                bits = look(raw, source, y, x)
                tile = 1 + ((bits & visible) * 2 + (y + x & 1)) * stride
                drawn = bits != _UNSEEN
                if (
                    drawn and tiles[tile] != 2
                ):  # not drawn yet: `Tiles.complete` does it, and then all is written again
                    tiles[tile] = tiles[0] = 1
                    drawn = False
                for colour in range(3):
                    corner = np.uint64(target + colour * picture + j * side * wide + k * side)
                    if drawn:
                        at = np.uint64(tile + 1 + colour * area)
                        for _ in range(side):
                            for c in range(side):
                                out[corner + np.uint64(c)] = tiles[at + np.uint64(c)]
                            corner += np.uint64(wide)
                            at += np.uint64(side)
                    else:
                        for _ in range(side):
                            for c in range(side):
                                out[corner + np.uint64(c)] = 0
                            corner += np.uint64(wide)
                if drawn and 0 <= y < height and 0 <= x < width:
                    for n in range(n_labels):
                        at_cell = source + label_byte[n] + label_stride[n] * (y * width + x)
                        value = min(np.int64(raw[at_cell]), label_high[n])
                        if value:
                            start = target + j * side * wide + k * side
                            write_label(tiles, label_at[n] + value * label_size, out, start)
        if bar:
            below = rows * side * wide
            for colour in range(3):
                for p in range(bar * wide):
                    out[target + colour * picture + below + p] = tiles[bar_start + colour * bar * wide + p]
            for b in range(n_boxes):
                value = min(np.int64(raw[source + box_byte[b]]), box_high[b])
                at = box_at[b] + value * 3 * box_tall[b] * box_wide[b]
                for colour in range(3):
                    for r in range(box_tall[b]):
                        start = target + colour * picture + below + (box_top[b] + r) * wide + box_left[b]
                        for c in range(box_wide[b]):
                            out[start + c] = tiles[at]
                            at += 1

    return write


def _looking(
    environment: Environment, sight: Sight, dtype: np.dtype[Any]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Rules for a view's cells: where in the level one is, locate(raw, source, j, k) -> (y, x), and what is seen there,
    look(raw, source, y, x) -> its layers as bits, the wall beyond the level, or `_UNSEEN`. source: where the record begins."""
    offsets = {name: spec[1] for name, spec in (dtype.fields or {}).items()}
    height, width = dtype["grid"].shape
    wide_cells = dtype["grid"].base.itemsize == 2
    grid, at_y, at_x = offsets["grid"], offsets["y"], offsets["x"]
    turns, at_heading = bool(sight.heading), offsets.get(sight.heading, 0)
    wall, opaque, centred = int(environment.wall), int(sight.opaque), sight.follows
    limited = sight.radius is not None
    far_y, far_x = sight.reach or (0, 0)

    @rule
    def agent_at(raw, source):
        """Rows and columns are below 2**15, so two bytes hold them."""
        y = np.int64(raw[source + at_y]) | np.int64(raw[source + at_y + 1]) << 8
        return y, np.int64(raw[source + at_x]) | np.int64(raw[source + at_x + 1]) << 8

    @rule
    def locate(raw, source, j, k):
        if not centred:
            return j, k
        y, x = agent_at(raw, source)
        down, right = j - far_y, k - far_x
        if turns:
            heading = raw[source + at_heading] & 3
            if heading == 1:
                down, right = -right, down
            elif heading == 2:
                down, right = -down, -right
            elif heading == 3:
                down, right = right, -down
        return y + down, x + right

    @rule
    def layers_at(raw, source, y, x):
        if y < 0 or x < 0 or y >= height or x >= width:
            return np.int64(wall)
        if wide_cells:
            at = source + grid + 2 * (y * width + x)
            return np.int64(raw[at]) | np.int64(raw[at + 1]) << 8
        return np.int64(raw[source + grid + y * width + x])

    @rule
    def stopped(raw, source, y, x, along_y, along_x, steps, step):
        """Whether a line of so many steps, along (along_y, along_x) from (y, x), is stopped at one of its steps."""
        open_ = False
        for side in range(
            2
        ):  # the two cells nearest to the line, which are one unless it passes right between two
            down, right = 2 * along_y * step + steps - side, 2 * along_x * step + steps - side
            there = layers_at(raw, source, y + down // (2 * steps), x + right // (2 * steps))
            open_ = open_ or there & opaque == 0
        return not open_

    @rule
    def look(raw, source, y, x):
        if limited or opaque:
            from_y, from_x = agent_at(raw, source)
            down, right = y - from_y, x - from_x
            if limited and not centred and (abs(down) > far_y or abs(right) > far_x):
                return np.int64(_UNSEEN)
            if opaque:
                steps = max(abs(down), abs(right))
                for step in range(1, steps):
                    if stopped(raw, source, from_y, from_x, down, right, steps, step):
                        return np.int64(_UNSEEN)
        return layers_at(raw, source, y, x)

    return locate, look
