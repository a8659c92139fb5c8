"""What stays of a picture when it is cut and nobody said what: the thing in it, whole, with room around it."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from assetbuild.pictures.attention import busiest
from assetbuild.pictures.encoding import make
from assetbuild.pictures.wanted import Made, Want
from assetbuild.recipe import Recipe

WIDTH, HEIGHT = 480, 320
R = 40
PLACES = {"left": (60, 160), "right": (420, 160), "top": (240, 45), "bottom": (240, 270), "corner": (425, 50)}
Box = tuple[int, int, int, int]


def red_wall(at: tuple[int, int]) -> Image.Image:
    """Pale on a strong colour: the ground is more colourful than the thing."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#b5202a")
    ImageDraw.Draw(picture).ellipse(_around(at), fill="#f4f1ea")
    return picture


def meadow(at: tuple[int, int]) -> Image.Image:
    """A ground that is never still."""
    chance = random.Random(5)  # noqa: S311 - the same each time
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#5c7d3a")
    draw = ImageDraw.Draw(picture)
    for _ in range(4000):
        x, y = chance.randrange(WIDTH), chance.randrange(HEIGHT)
        draw.line((x, y, x + chance.randrange(-4, 5), y - 9), fill=(70 + chance.randrange(50), 110 + chance.randrange(50), 60))
    draw.ellipse(_around(at), fill="#f7f7f7")
    draw.pieslice(_around(at), 0, 120, fill="#d22222")
    return picture


def table(at: tuple[int, int]) -> Image.Image:
    """Wood, which has the tone of skin."""
    chance = random.Random(2)  # noqa: S311 - the same each time
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#8a5a34")
    draw = ImageDraw.Draw(picture)
    for y in range(0, HEIGHT, 6):
        draw.line(
            (0, y, WIDTH, y + chance.randrange(-6, 6)), fill=(110 + chance.randrange(40), 70 + chance.randrange(20), 45), width=3
        )
    draw.ellipse(_around(at), fill="#f2efe8")
    draw.ellipse(_around(at, R - 8), fill="#3a2114")
    return picture


def night(at: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#101018")
    ImageDraw.Draw(picture).ellipse(_around(at), fill="#34343f")
    return picture


def sticker(at: tuple[int, int]) -> Image.Image:
    """Middle grey on nothing: only its transparency tells."""
    picture = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse(_around(at), fill=(128, 128, 128, 255))
    return picture


def _around(at: tuple[int, int], by: int = R) -> Box:
    return at[0] - by, at[1] - by, at[0] + by, at[1] + by


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("scene", [red_wall, meadow, table, night, sticker])
@pytest.mark.parametrize("window", [(2 / 3, 1.0), (0.3, 1.0), (1.0, 0.4), (0.4, 0.4)])
def test_the_thing_stays_whole(scene: object, place: str, window: tuple[float, float]) -> None:
    at = PLACES[place]
    x, y = busiest(scene(at), *window)  # type: ignore[operator]
    left, right = (x - window[0] / 2) * WIDTH, (x + window[0] / 2) * WIDTH
    top, bottom = (y - window[1] / 2) * HEIGHT, (y + window[1] / 2) * HEIGHT
    loose = 5  # of the grid's 5 pixels
    assert left - loose <= at[0] - R
    assert right + loose >= at[0] + R
    assert top - loose <= at[1] - R
    assert bottom + loose >= at[1] + R


def test_it_has_room_where_there_is_room() -> None:
    """Not pushed against the frame: the window's middle is the thing's, to an eighth of the window."""
    for scene in (red_wall, table, sticker):
        for x in (150, 240, 330):
            found = busiest(scene((x, 160)), 0.4, 1.0)[0] * WIDTH
            assert abs(found - x) <= 0.4 * WIDTH / 8, (scene.__name__, x, found)


def test_a_face_is_worth_more_than_a_striped_jumper() -> None:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#8899a6")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((190, 130, 290, 300), fill="#274690")
    for y in range(140, 300, 14):
        draw.line((190, y, 290, y), fill="#f2c14e", width=3)
    draw.ellipse((205, 40, 275, 128), fill="#e0ac86")
    y = busiest(picture, 1.0, 0.3)[1] * HEIGHT
    assert y - 0.15 * HEIGHT < 52
    assert y + 0.15 * HEIGHT > 115


def test_where_nothing_is_it_is_the_middle() -> None:
    for picture in (
        Image.new("RGB", (300, 200), "#888888"),
        Image.new("RGBA", (300, 200), (0, 0, 0, 0)),
        Image.new("L", (300, 200), 0),
        Image.new("RGB", (1, 300), "red"),
        Image.new("RGB", (1, 1), "red"),
        Image.new("RGB", (20_000, 3), "red"),
    ):
        x, y = busiest(picture, 0.5, 1.0)
        assert abs(x - 0.5) <= 0.26
        assert abs(y - 0.5) <= 0.26


def test_grey_and_clear_grey_are_looked_at_as_well() -> None:
    for mode in ("L", "LA"):
        assert busiest(red_wall(PLACES["right"]).convert(mode), 0.4, 1.0)[0] > 0.7


def test_the_same_place_each_time() -> None:
    picture = meadow(PLACES["left"])
    assert len({busiest(picture.copy(), 0.4, 0.7) for _ in range(3)}) == 1


def test_mirrored_pictures_are_cut_alike() -> None:
    for scene in (red_wall, table):
        picture = scene(PLACES["right"])
        there = busiest(picture, 0.5, 1.0)[0]
        mirrored = busiest(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 0.5, 1.0)[0]
        assert abs(there + mirrored - 1) < 0.03


def test_the_export_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    night(PLACES["corner"]).save(path)
    made = make(path, [Want(Recipe("png", width=100, height=100, focus="attention"))], shown="poster")[0]
    assert isinstance(made, Made)
    seen = Image.open(io.BytesIO(made.data)).convert("RGB")
    ground = Image.new("RGB", seen.size, "#101018")
    things = ImageChops.difference(seen, ground).convert("L").point([0 if value < 12 else 255 for value in range(256)])
    left, top, right, bottom = things.getbbox() or (0, 0, 0, 0)
    assert abs((right - left) - 25) <= 2  # 80 of 320 pixels, brought to 100: all of it
    assert abs((bottom - top) - 25) <= 2
