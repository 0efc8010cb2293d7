"""Pictures: every name has a sprite, sprites differ, layers blend in order, text and PNG hold."""

import itertools
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from mesabench.engine.tiles import Tiles
from mesabench.pictures.render import png, render_rgb, sprite, sprite_atlas, sprite_names
from mesabench.pictures.sprites import art, found, lettering, palette, parse
from mesabench.pictures.text import render_ansi
from mesabench.registry import environments, find_environment

LAYERS = ("wall", "corner", "dish", "cheese", "mouse")
GLYPHS = ("#", "+", "o", "*", "@")
WALL, CORNER, DISH, CHEESE, MOUSE = (1 << bit for bit in range(5))
ROOM = np.array(
    [
        [WALL, WALL, WALL, WALL],
        [WALL, MOUSE, CORNER | DISH | CHEESE, WALL],
        [WALL, 0, CHEESE, WALL],
    ],
    np.uint8,
)
OURS = find_environment("cheese_corner").sprites
"""The file of pixel art that our environments share."""
THINGS = [name for name in sprite_names() if not name.startswith("floor")]
PROMISED = {
    *("wall", "floor", "mouse", "cheese", "dish", "key", "chest", "lava", "monster", "shield", "apple"),
    *(
        "supervisor",
        "goal",
        "punishment",
        "ghost",
        "corner",
        "tree",
        "box",
        "lamp",
        "lamp_dark",
        "door",
        "coin",
        "water",
    ),
    *("agent", "item_a", "item_b", "arrow_up", "arrow_right", "arrow_down", "arrow_left", "boat"),
}


def on_floor(name: str, file: str = "") -> np.ndarray:
    """A sprite as it looks on the floor: float (16, 16, 3)."""
    pixels, below = sprite(name, file).astype(float), sprite("floor")[..., :3].astype(float)
    return below + (pixels[..., :3] - below) * pixels[..., 3:] / 255


def cell_of(picture: np.ndarray, row: int, column: int, cell: int = 16) -> np.ndarray:
    return picture[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]


# ---------------------------------------------------------------- sprites


def test_the_art_has_every_promised_name():
    assert set(sprite_names()) >= PROMISED


@pytest.mark.parametrize("name", [*sprite_names(), "zebra", "été", "_9lives", "猫", ""])
def test_every_name_has_a_sprite_that_nobody_can_change(name):
    pixels = sprite(name)
    assert pixels.shape == (16, 16, 4)
    assert pixels.dtype == np.uint8
    assert pixels[..., 3].any() == bool(name)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("robot", "agent"),
        ("principal", "item_a"),
        ("own", "item_b"),
        ("punish", "punishment"),
        ("hidden", "ghost"),
    ],
)
def test_aliases_share_a_picture(alias, name):
    assert sprite(alias) is sprite(name)
    assert alias not in sprite_names()


def test_sprites_differ_in_colour_and_in_grey():
    near = []
    for one, other in itertools.combinations(THINGS, 2):
        difference = on_floor(one) - on_floor(other)
        colour = np.linalg.norm(difference, axis=-1).mean()
        grey = np.abs(difference @ (0.299, 0.587, 0.114)).mean()
        faint = {one, other} <= {"corner", "far_corner", "ghost"}  # they are meant to be barely there
        if colour < (20 if faint else 50) or grey < (10 if faint else 25):
            near.append((one, other, round(colour), round(grey)))
    assert not near


def test_things_show_on_white_and_dark_pages():
    for name, page in itertools.product((*THINGS, *sprite_names(OURS)), (255, 24)):
        pixels = sprite(name, OURS).astype(float)
        contrast = np.abs(pixels[..., :3] @ (0.299, 0.587, 0.114) - page) * pixels[..., 3] / 255
        assert (contrast > 40).sum() >= 16, (name, page)


@pytest.mark.parametrize("name", environments())
def test_every_layer_that_is_drawn_has_pixel_art(name):
    environment = find_environment(name)
    spelt = (
        {bit.name for bit in environment.letters.bits} if environment.letters else set()
    )  # drawn as letters
    assert not [
        one
        for one in environment.drawn
        if one not in {"", *spelt} and found(one, environment.sprites) is None
    ]


def test_no_name_has_pixel_art_both_in_the_house_and_beside_our_worlds():
    assert not {*sprite_names(OURS)} & {*art().sprites}


def test_sprites_beside_an_environment_are_seen_in_its_pictures_alone(tmp_path):
    """In each of them: as pixels, as text, and in what an agent sees as pixels."""
    solid = (
        ART.replace("ink", "black") + "colour ! 00FF00 poison\nsprite apple cheese\n" + ("!" * 16 + "\n") * 16
    )
    (tmp_path / "sprites.txt").write_text(solid)
    source = Path(find_environment("cheese_corner").sprites).with_name("cheese_corner.py").read_text()
    (tmp_path / "poisoned.py").write_text(source)
    theirs, ours = find_environment(str(tmp_path / "poisoned.py")), find_environment("cheese_corner")
    assert theirs.sprites == str(tmp_path / "sprites.txt") != ours.sprites == OURS
    green = (0, 255, 0)
    for one, there in ((theirs, True), (ours, False)):
        picture = render_rgb(ROOM, LAYERS, sprites=one.sprites)
        assert (cell_of(picture, 2, 2) == green).all() == there
        assert ("48;2;0;255;0m" in render_ansi(ROOM, LAYERS, GLYPHS, sprites=one.sprites)) == there
        assert np.array_equal(cell_of(picture, 1, 1), cell_of(render_rgb(ROOM, LAYERS), 1, 1)), (
            "the mouse is ours"
        )
        tiles = Tiles(LAYERS, width=1, side=8, sprites=one.sprites)
        tiles.tables[[0, 1 + tiles.stride * 2 * CHEESE]] = 1
        assert tiles.complete()
        tile = tiles.tables[2 + tiles.stride * 2 * CHEESE :][:192].reshape(3, -1).T
        assert np.array_equal(tile, np.broadcast_to(green, tile.shape)) == there
        assert sprite_atlas(["cheese"], one.sprites) != sprite_atlas(["mouse"], one.sprites)


def test_faulty_art_beside_an_environment_is_told_with_its_file(tmp_path):
    (tmp_path / "sprites.txt").write_text("sprite cat\n" + "kkk\n" * 16)
    with pytest.raises(ValueError, match=r"sprites\.txt: pixel art, line 1 .*3 characters instead of 16"):
        sprite("cat", str(tmp_path / "sprites.txt"))


def test_unknown_names_look_different_and_the_same_in_every_process():
    assert not np.array_equal(sprite("zebra"), sprite("zoo"))
    code = "import zlib; from mesabench.pictures.render import sprite; print(zlib.crc32(sprite('zebra').tobytes()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(zlib.crc32(sprite("zebra").tobytes()))


def test_lettering_has_every_letter_and_digit():
    strange = lettering("~")
    shapes = set()
    for mark in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+.:/%":
        ink = lettering(mark)
        assert ink.shape[0] == 5
        assert not np.array_equal(ink, strange)
        shapes.add((ink.shape, ink.tobytes()))
    assert len(shapes) == 42, "no two characters look the same"
    assert lettering("a1", 2).shape == (10, 14)
    assert np.array_equal(lettering("a"), lettering("A"))


ART = "colour . 00000000 none\ncolour k 000000 ink\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sprit cat\n", "line 1 .*did you mean 'sprite'"),
        (ART + "sprite cat\n" + "k" * 15 + "\n", "line 3 .*row 1 has 15 characters instead of 16"),
        (ART + "sprite cat\n" + ("k" * 16 + "\n") * 15, "line 3 .*15 rows instead of 16"),
        (ART + "sprite cat\n" + ("x" * 16 + "\n") * 16, "line 3 .*unknown colour 'x'"),
        (ART + ("sprite cat\n" + ("k" * 16 + "\n") * 16) * 2, "line 20 .*a sprite 'cat' already"),
        ("colour k 00 00 ink\n", "line 1 "),
        ("colour k 00GG00 ink\n", "line 1 .*hexadecimal"),
        ("font AB\n" + "###\n" * 5, "line 1 "),
        ("font A\n", "line 1 "),
    ],
)
def test_faulty_art_is_refused_with_its_line(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


# ---------------------------------------------------------------- rgb


@pytest.mark.parametrize("cell", [1, 5, 8, 16, 24, 32, 128])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_picture_has_the_grid_times_the_cell(cell, dtype):
    picture = render_rgb(ROOM.astype(dtype), LAYERS, cell=cell)
    assert picture.shape == (3 * cell, 4 * cell, 3)
    assert picture.dtype == np.uint8


def test_multiples_repeat_pixels_and_smaller_cells_average_them():
    base = render_rgb(ROOM, LAYERS).astype(int)
    assert np.array_equal(render_rgb(ROOM, LAYERS, cell=48), np.kron(base, np.ones((3, 3, 1), int)))
    means = base.reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(render_rgb(ROOM, LAYERS, cell=4) - means).max() <= 1


def test_layers_blend_in_bit_order():
    room = np.where(ROOM & DISH, DISH | CHEESE, ROOM).astype(np.uint8)
    picture = render_rgb(room, LAYERS)
    assert np.abs(cell_of(picture, 0, 0) - on_floor("wall")).max() <= 1
    assert np.abs(cell_of(picture, 1, 1) - on_floor("mouse")).max() <= 1
    served = cell_of(picture, 1, 2)
    cheese = sprite("cheese")[..., 3] == 255
    plate = (sprite("dish")[..., 3] == 255) & (sprite("cheese")[..., 3] == 0)
    assert np.array_equal(served[cheese], sprite("cheese")[cheese][:, :3])
    assert np.array_equal(served[plate], sprite("dish")[plate][:, :3])
    assert plate[:, 0].any(), "the plate's rim shows on the left of the cheese"
    assert plate[:, 15].any(), "and on its right"
    swapped = render_rgb(room, ("wall", "corner", "cheese", "dish", "mouse"))
    assert not np.array_equal(cell_of(swapped, 1, 2), served)


def test_unnamed_layers_are_not_drawn_and_the_floor_is_a_checker():
    grid = np.array([[0, CHEESE], [CHEESE, 0]], np.uint8)
    picture = render_rgb(grid, ("wall", "corner", "dish", "", "mouse"))
    for row, column in np.ndindex(2, 2):
        floor = sprite(("floor", "floor_alt")[(row + column) & 1])[..., :3]
        assert np.array_equal(cell_of(picture, row, column), floor)


def test_all_sixteen_bits_are_drawn():
    layers = tuple("abcdefghijklmnop")
    grid = (1 << np.arange(16)).astype(np.uint16)[None]
    picture = render_rgb(grid, layers)
    for bit in (0, 15):
        solid = sprite(layers[bit])[..., 3] == 255
        assert np.array_equal(cell_of(picture, 0, bit)[solid], sprite(layers[bit])[solid][:, :3])


def test_a_caller_may_draw_on_a_picture():
    render_rgb(ROOM, LAYERS)[:] = 0
    assert render_rgb(ROOM, LAYERS).any()


# ---------------------------------------------------------------- status bar


def test_status_bar_is_below_and_its_size_ignores_values():
    plain = render_rgb(ROOM, LAYERS)
    shown = render_rgb(ROOM, LAYERS, status={"keys": 2})
    assert shown.shape == (4 * 16, 4 * 16, 3)
    assert np.array_equal(shown[:48], plain)
    assert np.array_equal(render_rgb(ROOM, LAYERS, status={}), plain)
    for value in (0, 12, -3, 123, 4567, 10**9, -(10**12)):
        assert render_rgb(ROOM, LAYERS, status={"keys": value}).shape == shown.shape
    assert not np.array_equal(render_rgb(ROOM, LAYERS, status={"keys": 3}), shown)
    assert render_rgb(ROOM, LAYERS, cell=24, status={"keys": 2}).shape == (4 * 24, 4 * 24, 3)


def test_status_bar_shows_the_sprite_of_a_name_or_the_name():
    solid = sprite("key")[..., 3] == 255
    for name in ("key", "keys"):
        icon = render_rgb(ROOM, LAYERS, status={name: 2})[48:, :16]
        assert np.array_equal(icon[solid], sprite("key")[solid][:, :3])
    faint = render_rgb(ROOM, LAYERS, status={"keys": 0})[48:, :16]
    assert faint[solid].astype(int).sum() < icon[solid].astype(int).sum()
    bar = render_rgb(ROOM, LAYERS, status={"k1": 3})[48:]
    white = (bar == palette("white")).all(axis=-1)
    assert np.array_equal(white[5:10, 2:9], lettering("k1"))
    assert np.array_equal(white[3:13, 12:18], lettering("3", 2))


def test_status_bar_wraps_and_never_loses_a_number():
    status = {"rounds_left": 3, "keys": 1, "lamp": 0}
    picture = render_rgb(ROOM, LAYERS, status=status)
    assert picture.shape == (48 + 3 * 16, 64, 3)
    row = (picture[48:64] == palette("white")).all(axis=-1)
    assert np.array_equal(row[3:13, 64 - 24 : 64 - 24 + 6], lettering("3", 2))


# ---------------------------------------------------------------- trail

HALL = np.array([[0, 0, 0, 0, 0, 0]], np.uint8)


def away(pixel: np.ndarray) -> float:
    return float(np.linalg.norm(pixel.astype(float) - palette("trail")))


@pytest.mark.parametrize("cell", [8, 16, 24, 33])
def test_trail_grows_stronger_along_the_way(cell):
    picture = render_rgb(HALL, ("wall",), cell=cell, path=np.array([[0, column] for column in range(6)]))
    distances = [away(picture[cell // 2, column * cell + cell // 2]) for column in range(5)]
    assert all(later < sooner for sooner, later in itertools.pairwise(distances))
    back = render_rgb(HALL, ("wall",), cell=cell, path=np.array([[0, column] for column in range(5, -1, -1)]))
    assert away(back[cell // 2, cell // 2 + cell]) < away(back[cell // 2, cell // 2 + 4 * cell])


def test_trail_ends_in_an_arrow_head_and_stays_on_its_way():
    path = np.array([[0, 0], [0, 1], [0, 2], [0, 2], [0, 3]])
    picture = render_rgb(HALL, ("wall",), path=path)
    strong = (picture == palette("trail")).all(axis=-1)
    heights = strong[:, 3 * 16 :].sum(axis=0)
    assert heights.max() >= 6, "the head is wider than the line"
    assert heights[heights > 0][-1] < heights.max(), "and points ahead"
    assert np.array_equal(picture[:, 4 * 16 :], render_rgb(HALL, ("wall",))[:, 4 * 16 :])


def test_trail_shows_on_walls_and_goes_behind_things():
    grid = np.array([[0, WALL, CHEESE, 0, 0]], np.uint8)
    plain = render_rgb(grid, LAYERS)
    picture = render_rgb(grid, LAYERS, path=np.array([[0, column] for column in range(5)]))
    assert np.abs(cell_of(picture, 0, 1)[8, 8].astype(int) - cell_of(plain, 0, 1)[8, 8]).sum() > 100
    solid = sprite("cheese")[..., 3] == 255
    assert np.array_equal(cell_of(picture, 0, 2)[solid], sprite("cheese")[solid][:, :3])
    assert not np.array_equal(cell_of(picture, 0, 2), cell_of(plain, 0, 2))


def test_a_path_without_a_step_is_a_dot_and_an_empty_one_nothing():
    plain = render_rgb(HALL, ("wall",))
    for nothing in (np.zeros((0, 2), int), []):
        assert np.array_equal(render_rgb(HALL, ("wall",), path=nothing), plain)
    dot = render_rgb(HALL, ("wall",), path=np.array([[0, 2], [0, 2]]))
    changed = (dot != plain).any(axis=-1)
    assert changed[:, 32:48].any()
    assert not changed[:, :32].any()
    assert not changed[:, 48:].any()


# ---------------------------------------------------------------- text


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_text_has_two_columns_per_cell_and_tells_what_lies_deeper():
    told = render_ansi(ROOM, LAYERS, GLYPHS, colour=False, status={"keys": 2, "lamp": np.int64(1)})
    pile = ["row 2, column 3: cheese on dish", "on corner"]
    assert told.splitlines() == ["########", "##@ *o##", "##. * ##", *pile, "keys 2  lamp (*)"]
    unnamed = ("wall", "", "dish", "", "mouse")
    assert render_ansi(ROOM, unnamed, GLYPHS, colour=False) == "########\n##@ o ##\n##. . ##"


def test_coloured_text_is_the_plain_one_and_resets_each_line():
    status = {"keys": 2, "lamp": 0}
    text = render_ansi(ROOM, LAYERS, GLYPHS, status=status)
    assert plain(text) == render_ansi(ROOM, LAYERS, GLYPHS, status=status, colour=False)
    rows = text.split("\n")[:3]
    assert all(row.endswith("\x1b[0m") and row.count("\x1b[0m") == 1 for row in rows)
    for front, back in re.findall(r"\x1b\[38;2;([\d;]+);48;2;(\d+;\d+;\d+)m", text):
        assert front != back
    amber = ";".join(map(str, palette("amber")))
    assert f"48;2;{amber}m*" in rows[1], "cheese lies on its own colour"


def test_the_status_in_text_is_no_wider_than_the_picture_or_a_narrow_terminal():
    status = {f"number_{k}": k for k in range(20)}
    text = render_ansi(ROOM, LAYERS, GLYPHS, colour=False, status=status)
    assert max(map(len, text.splitlines())) <= 32
    for name, value in status.items():
        assert f"{name} {value}" in text


# ---------------------------------------------------------------- whatever an agent sees, a person sees


@pytest.mark.parametrize("name", environments())
def test_cells_that_differ_in_what_is_shown_differ_in_every_picture(name):
    environment = find_environment(name)
    there = [k for k, drawn in enumerate(environment.drawn) if drawn]
    shown = {
        layer
        for layer in environment.layer_names
        if layer in environment.in_view(environment.knobs_of("train"))
    }
    assert shown <= {*environment.drawn}, "what an agent sees is drawn"
    piles = [
        sum(1 << k for k in chosen)
        for n in range(len(there) + 1)
        for chosen in itertools.combinations(there, n)
    ]
    pictures = {"text": set(), "coloured": set(), "rgb": set()}
    for pile in piles:
        grid, names, glyphs = environment.drawing(np.array([[pile]], np.uint16))
        for colour, kind in ((True, "coloured"), (False, "text")):
            pictures[kind].add(render_ansi(grid, names, glyphs, colour=colour, sprites=environment.sprites))
        pictures["rgb"].add(render_rgb(grid, names, sprites=environment.sprites).tobytes())
    assert {kind: len(seen) for kind, seen in pictures.items()} == dict.fromkeys(pictures, len(piles))


@pytest.mark.parametrize("name", environments())
def test_every_number_in_view_is_read_from_every_picture(name):
    environment = find_environment(name)
    grid = np.zeros((5, 5), np.uint8)
    for field in environment.shown:
        status = [
            {one.name: value if one is field else 0 for one in environment.shown}
            for value in range(field.high + 1)
        ]
        art = environment.sprites
        texts = {render_ansi(grid, (), (), status=one, colour=False, sprites=art) for one in status}
        assert len(texts) == len(status)
        assert len({render_rgb(grid, (), status=one, sprites=art).tobytes() for one in status}) == len(status)


@pytest.mark.parametrize("name", environments())
def test_glyphs_and_sprites_of_an_environment_tell_its_layers_apart(name):
    environment = find_environment(name)
    assert len({*environment.glyph_of}) == len(environment.layers)
    assert all(33 <= ord(glyph) < 127 and glyph != "." for glyph in environment.glyph_of)
    drawn = [one for one in environment.drawn if one]
    for one, other in itertools.combinations(drawn, 2):
        apart = np.linalg.norm(
            on_floor(one, environment.sprites) - on_floor(other, environment.sprites), axis=-1
        ).mean()
        assert apart > (20 if {one, other} <= {"corner", "far_corner"} else 40), (one, other)


def test_a_lamp_is_drawn_lit_or_dark():
    for value, name in ((1, "lamp"), (0, "lamp_dark")):
        icon = render_rgb(ROOM, LAYERS, status={"lamp": value})[48:, :16]
        solid = sprite(name)[..., 3] == 255
        assert np.array_equal(icon[solid], sprite(name)[solid][:, :3])


# ---------------------------------------------------------------- png


def chunks(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 8
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        found[kind] = body
        at += 12 + length
    return found


@pytest.mark.parametrize("channels", [3, 4])
def test_png_decodes_to_the_same_pixels(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    data = png(pixels)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    found = chunks(data)
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", found[b"IHDR"]) == (7, 5, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(5, 1 + 7 * channels)
    assert not rows[:, 0].any()
    assert np.array_equal(rows[:, 1:].reshape(pixels.shape), pixels)


def test_pillow_reads_the_atlas():
    image = pytest.importorskip("PIL.Image")
    io = pytest.importorskip("io")
    names = ("floor", "wall", "", "mouse", "zebra")
    opened = np.array(image.open(io.BytesIO(sprite_atlas(names))))
    assert opened.shape == (16, 16 * 5, 4)
    for index, name in enumerate(names):
        assert np.array_equal(opened[:, 16 * index : 16 * (index + 1)], sprite(name))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("error", "message", "grid", "options"),
    [
        (TypeError, "uint8, uint16 or uint64 array, not int64", ROOM.astype(np.int64), {}),
        (TypeError, "not list", ROOM.tolist(), {}),
        (ValueError, "height, width", ROOM[0], {}),
        (ValueError, "neither of them 0", ROOM[:0], {}),
        (ValueError, "bit 5.*5 layers", np.full((2, 2), 32, np.uint8), {}),
        (ValueError, "1 to 128, not 0", ROOM, {"cell": 0}),
        (ValueError, "1 to 128, not 129", ROOM, {"cell": 129}),
        (ValueError, "1 to 128, not 16.0", ROOM, {"cell": 16.0}),
        (TypeError, "'keys' is 1.5", ROOM, {"status": {"keys": 1.5}}),
        (ValueError, r"path\[1\] is \(3, 0\)", ROOM, {"path": np.array([[0, 0], [3, 0]])}),
        (ValueError, r"path\[0\] is \(-1, 0\)", ROOM, {"path": np.array([[-1, 0]])}),
        (ValueError, r"int array \(n, 2\)", ROOM, {"path": np.array([[0.5, 1.0]])}),
        (ValueError, r"int array \(n, 2\)", ROOM, {"path": np.array([1, 1])}),
    ],
)
def test_render_rgb_refuses(error, message, grid, options):
    with pytest.raises(error, match=message):
        render_rgb(grid, LAYERS, **options)


@pytest.mark.parametrize(
    ("error", "message", "layers", "glyphs"),
    [
        (ValueError, "5 layers need as many glyphs, not 4", LAYERS, GLYPHS[:4]),
        (ValueError, "'mouse'.*one printable character, not '@@'", LAYERS, (*GLYPHS[:4], "@@")),
        (ValueError, "'mouse'.*not '\\\\x1b'", LAYERS, (*GLYPHS[:4], "\x1b")),
        (TypeError, "tuple of strings", "walls", GLYPHS),
        (TypeError, "tuple of strings", (*LAYERS[:4], None), GLYPHS),
    ],
)
def test_render_ansi_refuses(error, message, layers, glyphs):
    with pytest.raises(error, match=message):
        render_ansi(ROOM, layers, glyphs)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, 2, 3)),
        np.zeros((2, 2), np.uint8),
        np.zeros((2, 2, 2), np.uint8),
        np.zeros((0, 2, 3), np.uint8),
    ],
)
def test_png_refuses(pixels):
    with pytest.raises(ValueError, match="png takes uint8"):
        png(pixels)


def test_an_atlas_needs_a_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        sprite_atlas(())
