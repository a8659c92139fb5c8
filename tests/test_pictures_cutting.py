"""A sheet cut into its cells, and a picture cut to its object."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import pairwise

import pytest
from PIL import Image, ImageDraw

from assetbuild.pictures.cutting import boxes, cut, empty, object_box, trim
from assetbuild.pictures.wanted import CantExport

GROUNDS = {
    "white": ("RGB", (255, 255, 255)),
    "coloured": ("RGB", (247, 196, 170)),
    "dark": ("RGB", (12, 18, 40)),
    "transparent": ("RGBA", (0, 0, 0, 0)),
    "grey": ("L", 230),
}
INK = {"RGB": (200, 40, 40), "RGBA": (200, 40, 40, 255), "L": 30}
JITTER = (0, 17, -13, 9, -19, 14, -7, 19, -16, 5, 11, -11)  # pixels an object is away from the middle of its cell


def sheet(ground: str, columns: int = 4, rows: int = 3, cell: int = 100, *, spare: int = 0, size: int = 56) -> Image.Image:
    """Discs, each off the middle of its cell; the n-th has n small holes in its row, so that it can be told."""
    mode, colour = GROUNDS[ground]
    picture = Image.new(mode, (columns * cell + spare, rows * cell + spare), colour)
    draw = ImageDraw.Draw(picture)
    for n in range(columns * rows):
        x = n % columns * cell + cell // 2 + JITTER[n % 12]
        y = n // columns * cell + cell // 2 + JITTER[(n * 5 + 3) % 12]
        draw.ellipse((x - size // 2, y - size // 2, x + size // 2 - 1, y + size // 2 - 1), INK[mode])
    return picture


def noisy(picture: Image.Image, quality: int = 80) -> Image.Image:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue()))


def together(picture: Image.Image, found: list[tuple[int, int, int, int]]) -> int:
    """How many pixels of the sheet are in exactly one cell."""
    seen = Image.new("L", picture.size, 0)
    for box in found:
        assert box[0] < box[2]
        assert box[1] < box[3]
        seen.paste(seen.crop(box).point([min(v + 1, 255) for v in range(256)]), box[:2])
    return seen.histogram()[1]


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_sheet_with_strayed_things_is_cut_beside_them(ground: str) -> None:
    picture = sheet(ground)
    cells = cut(picture, {"columns": 4, "rows": 3}, 12)
    assert len(cells) == 12
    for cell in cells:
        box = object_box(cell)
        assert box is not None
        assert (box[2] - box[0], box[3] - box[1]) == (56, 56)
    assert together(picture, boxes(picture, 4, 3)) == picture.width * picture.height


def test_a_thing_over_its_line_stays_whole() -> None:
    picture = Image.new("RGB", (400, 100), "white")
    draw = ImageDraw.Draw(picture)
    for left, right in ((10, 112), (122, 190), (220, 280), (305, 390)):  # the first is 12 pixels over the line
        draw.rectangle((left, 20, right - 1, 80), "navy")
    found = boxes(picture, 4, 1)
    assert [box[0] for box in found] == [0, 117, 205, 292]
    assert [object_box(picture.crop(box))[2] - object_box(picture.crop(box))[0] for box in found] == [102, 68, 60, 85]  # type: ignore[index]


def test_lines_step_where_no_way_goes_through_the_whole_sheet() -> None:
    picture = Image.new("RGB", (200, 200), "white")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((10, 10, 114, 84), "navy")  # over the middle to the right
    draw.rectangle((130, 10, 190, 84), "navy")
    draw.rectangle((10, 112, 70, 190), "navy")
    draw.rectangle((86, 112, 190, 190), "navy")  # over it to the left
    assert [box[0] for box in boxes(picture, 2, 2)] == [0, 122, 0, 78]
    turned = picture.transpose(Image.Transpose.TRANSPOSE)
    assert [box[1] for box in boxes(turned, 2, 2)] == [0, 0, 122, 78]


def test_without_a_gap_the_ideal_line_is_taken_and_no_pixel_is_lost() -> None:
    picture = Image.linear_gradient("L").resize((403, 307))  # all of it is object
    found = boxes(picture, 4, 3)
    assert [box[0] for box in found[:4]] == [0, 101, 202, 302]
    assert [box[1] for box in found[::4]] == [0, 102, 205]
    assert together(picture, found) == 403 * 307
    solid = Image.new("RGB", (7, 5), "red")
    assert together(solid, boxes(solid, 7, 5)) == 35


@pytest.mark.parametrize(
    ("columns", "rows", "width", "height"), [(3, 2, 100, 101), (7, 5, 123, 77), (5, 5, 5, 5), (1, 1, 1, 1), (9, 1, 10, 1)]
)
def test_sizes_that_are_no_multiple(columns: int, rows: int, width: int, height: int) -> None:
    picture = Image.effect_noise((width, height), 90)
    found = boxes(picture, columns, rows)
    assert len(found) == columns * rows
    assert together(picture, found) == width * height


def test_lines_that_were_drawn_between_the_cells_are_where_it_is_cut() -> None:
    picture = sheet("white", size=40)
    draw = ImageDraw.Draw(picture)
    for at in (104, 198, 303):
        draw.line((at, 0, at, 299), "black", 2)
    for at in (103, 205):
        draw.line((0, at, 399, at), "black", 2)
    draw.rectangle((0, 0, 399, 299), outline="black", width=2)
    for box, cell in zip(
        boxes(picture, 4, 3), cut(picture, {"columns": 4, "rows": 3, "margin": 0.04, "trim": 0}, 12), strict=True
    ):
        assert 88 <= box[2] - box[0] <= 112
        assert cell.size == (40, 40)


def test_jpeg_noise_and_a_slight_gradient_are_ground() -> None:
    light = Image.linear_gradient("L").resize((400, 300)).point([225 + v // 12 for v in range(256)])
    picture = Image.merge("RGB", (light, light, light.transpose(Image.Transpose.ROTATE_180)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((120, 60, 279, 219), (40, 90, 60))
    box = object_box(noisy(picture, 75))
    assert box is not None
    assert all(
        abs(found - drawn) <= 8 for found, drawn in zip(box, (120, 60, 280, 220), strict=True)
    )  # a block of JPEG is 8 pixels


def test_a_sheet_as_jpeg_is_cut_like_the_sheet() -> None:
    for ground in ("white", "coloured", "dark"):
        cells = cut(noisy(sheet(ground)), {"columns": 4, "rows": 3}, 12)
        for cell in cells:
            box = object_box(cell)
            assert box is not None
            assert 54 <= box[2] - box[0] <= 72


def test_cutting_is_the_same_every_time_and_gives_the_first_cells() -> None:
    picture = sheet("coloured", spare=3)
    once, again = (cut(picture, {"columns": 4, "rows": 3, "margin": 0.03, "trim": 0.08}, 5) for _ in range(2))
    assert len(once) == 5
    assert [c.tobytes() for c in once] == [c.tobytes() for c in again]
    assert (
        cut(picture, {"columns": 4, "rows": 3, "trim": None, "margin": None}, 5)[4].size
        == cut(picture, {"columns": 4, "rows": 3}, 12)[4].size
    )
    for count in (0, 13):
        with pytest.raises(ValueError, match="of 12 cells"):
            cut(picture, {"columns": 4, "rows": 3}, count)


def test_margin_is_taken_off_every_side_of_a_cell() -> None:
    picture = Image.new("L", (200, 100), 90)
    assert [cell.size for cell in cut(picture, {"columns": 2, "rows": 1, "margin": 0.1}, 2)] == [(80, 80), (80, 80)]
    assert [cell.size for cell in cut(picture, {"columns": 200, "rows": 100, "margin": 0.49}, 1)] == [(1, 1)]


def test_fewer_pixels_than_cells_is_told() -> None:
    with pytest.raises(CantExport, match="3 × 2 pixels can't be cut into 4 columns and 2 rows") as told:
        cut(Image.new("RGB", (3, 2)), {"columns": 4, "rows": 2}, 1)
    assert told.value.hint


def test_an_empty_cell_comes_as_it_is_and_is_known() -> None:
    for ground in ("white", "transparent"):
        picture = sheet(ground)
        picture.paste(GROUNDS[ground][1], (300, 200, 400, 300))
        cells = cut(picture, {"columns": 4, "rows": 3, "trim": 0.1}, 12)
        assert [empty(cell) for cell in cells] == [False] * 11 + [True]
        assert object_box(cells[11]) is None
        assert min(cells[11].size) >= 75


@pytest.mark.parametrize("ground", GROUNDS)
def test_trim_leaves_an_even_margin(ground: str) -> None:
    mode, colour = GROUNDS[ground]
    picture = Image.new(mode, (300, 200), colour)
    ImageDraw.Draw(picture).rectangle((100, 60, 199, 109), INK[mode])
    trimmed = trim(picture, 0.08)
    assert trimmed.size == (116, 66)
    assert object_box(trimmed) == (8, 8, 108, 58)
    assert trimmed.crop((8, 8, 108, 58)).tobytes() == picture.crop((100, 60, 200, 110)).tobytes()
    assert trim(picture, 0).size == (100, 50)


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_margin_over_the_edge_is_filled_with_the_ground(ground: str) -> None:
    mode, colour = GROUNDS[ground]
    picture = Image.new(mode, (100, 100), colour)
    ImageDraw.Draw(picture).rectangle((2, 40, 61, 59), INK[mode])
    picture.info["icc_profile"] = b"kept"
    trimmed = trim(picture, 0.5)
    assert trimmed.size == (120, 80)
    assert object_box(trimmed) == (30, 30, 90, 50)
    assert trimmed.getpixel((0, 0)) == trimmed.getpixel((119, 79)) == colour
    assert trimmed.info["icc_profile"] == b"kept"


def test_transparency_decides_where_there_is_any() -> None:
    picture = Image.new("RGBA", (60, 60), (255, 255, 255, 0))
    ImageDraw.Draw(picture).rectangle((10, 20, 29, 49), (255, 255, 255, 255))  # white on clear white
    picture.putpixel((55, 55), (0, 0, 0, 3))  # what nobody can see
    assert object_box(picture) == (10, 20, 30, 50)
    opaque = Image.new("RGBA", (60, 60), (255, 255, 255, 255))
    ImageDraw.Draw(opaque).rectangle((10, 20, 29, 49), (0, 0, 90, 255))
    assert object_box(opaque) == (10, 20, 30, 50)
    assert trim(opaque, 0.5).getpixel((0, 0)) == (255, 255, 255, 255)


def _palette() -> Image.Image:
    picture = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((10, 10, 19, 29), (255, 0, 0, 255))
    made = picture.convert("P")
    made.info["transparency"] = made.getpixel((0, 0))
    return made


def _keyed() -> Image.Image:
    picture = Image.new("RGB", (50, 50), (0, 255, 0))
    ImageDraw.Draw(picture).rectangle((10, 10, 19, 29), (255, 0, 0))
    picture.info["transparency"] = (0, 255, 0)
    return picture


def _deep() -> Image.Image:
    picture = Image.new("I;16", (50, 50), 65000)
    picture.paste(1000, (10, 10, 20, 30))
    return picture


def _cmyk() -> Image.Image:
    picture = Image.new("CMYK", (50, 50), (0, 0, 0, 0))
    picture.paste((200, 10, 10, 40), (10, 10, 20, 30))
    return picture


def _bits() -> Image.Image:
    picture = Image.new("1", (50, 50), 1)
    picture.paste(0, (10, 10, 20, 30))
    return picture


@pytest.mark.parametrize("draw", [_palette, _keyed, _deep, _cmyk, _bits], ids=lambda f: f.__name__)
def test_every_mode_is_trimmed(draw: Callable[[], Image.Image]) -> None:
    picture = draw()
    assert object_box(picture) == (10, 10, 20, 30)
    trimmed = trim(picture, 0.75)
    assert trimmed.size == (40, 50)
    assert object_box(trimmed) == (15, 15, 25, 35)
    assert [cell.mode for cell in cut(picture, {"columns": 2, "rows": 1}, 2)] == [picture.mode] * 2


def test_what_has_no_object_or_no_ground_comes_as_it_is() -> None:
    for nothing in (Image.new("RGB", (40, 30), "beige"), Image.new("RGBA", (40, 30)), Image.new("L", (1, 1), 7)):
        assert trim(nothing, 0.1) is nothing
        assert object_box(nothing) is None
    photograph = Image.effect_noise((200, 150), 120)
    assert trim(photograph, 0.1) is photograph
    assert object_box(photograph) == (0, 0, 200, 150)


def test_a_thin_line_is_object_and_a_speck_of_noise_is_not() -> None:
    picture = Image.new("RGB", (200, 200), (240, 240, 235))
    ImageDraw.Draw(picture).line((20, 100, 180, 100), (30, 30, 30), 1)
    picture.putpixel((5, 5), (226, 226, 222))
    assert object_box(picture) == (20, 100, 181, 101)


def test_a_pale_object_on_a_clean_ground_is_found() -> None:
    picture = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(picture).ellipse((50, 60, 149, 139), (242, 240, 236))
    assert object_box(picture) == (50, 60, 150, 140)


def test_lines_come_in_order_however_small_the_cells() -> None:
    for width in range(12, 40):
        picture = Image.new("L", (width, 1), 255)
        for x in range(0, width, 3):
            picture.putpixel((x, 0), 0)
        edges = [0, *(box[2] for box in boxes(picture, 12, 1))]
        assert all(left < right for left, right in pairwise(edges))
        assert edges[-1] == width
