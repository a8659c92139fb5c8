"""The encoder room: hostile and odd pictures, shapes, colours, each format; the same bytes from any thread."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw

from assetbuild.errors import AssetbuildError
from assetbuild.pictures import opening, shaping
from assetbuild.pictures.encoding import make
from assetbuild.pictures.opening import opened
from assetbuild.pictures.wanted import CantExport, Made, Want
from assetbuild.recipe import Recipe

from . import printing

Picture = Image.Image


def saved(tmp_path: Path, picture: Picture, name: str = "master.png", **options: Any) -> Path:
    path = tmp_path / name
    picture.save(path, **options)
    return path


def scene(width: int = 96, height: int = 64, subject: tuple[int, int] = (70, 20)) -> Picture:
    """A quiet ground with one busy, colourful thing."""
    picture = Image.new("RGB", (width, height), "#d8d4cc")
    draw = ImageDraw.Draw(picture)
    x, y = subject
    for ring, colour in ((10, "#c02020"), (7, "#20a040"), (4, "#2040c0"), (2, "#ffffff")):
        draw.ellipse((x - ring, y - ring, x + ring, y + ring), fill=colour)
    return picture


def busy(width: int, height: int, seed: int = 7) -> Picture:
    """Something that no encoder makes small."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    return Image.frombytes("RGB", (width, height), chance.randbytes(width * height * 3))


def one(path: Path, recipe: Recipe, **want: Any) -> Made:
    found = make(path, [Want(recipe, **want)], shown="poster")[0]
    assert isinstance(found, Made), getattr(found, "text", found)
    return found


def problem(path: Path, recipe: Recipe, **want: Any) -> AssetbuildError:
    found = make(path, [Want(recipe, **want)], shown="poster")[0]
    assert isinstance(found, AssetbuildError)
    return found


def read(made: Made) -> Picture:
    picture = Image.open(io.BytesIO(made.data))
    picture.load()
    assert picture.size == (made.width, made.height)
    return picture


def near(left: Any, right: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(left, right, strict=False))


# ---- opening -----------------------------------------------------------------------------------------------------------------


def test_what_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"hello")
    assert "no picture file" in problem(path, Recipe("png")).text
    path.write_bytes(b"")
    assert "`poster`" in problem(path, Recipe("png")).text
    assert isinstance(problem(tmp_path / "none.png", Recipe("png")), CantExport)
    eps = tmp_path / "b.eps"
    scene().save(eps)
    assert "no picture file" in problem(eps, Recipe("png")).text


def test_a_wrong_ending_is_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, scene(), "a.jpg").rename(tmp_path / "a.png")
    assert read(one(path, Recipe("webp"))).size == (96, 64)


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "a.webp", "a.avif", "a.tiff"):
        path = saved(tmp_path, busy(64, 64), name)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        found = make(path, [Want(Recipe("png")), Want(Recipe("webp"))], shown="poster")
        assert all(isinstance(each, CantExport) for each in found), name


def _bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def test_a_bomb_is_never_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_bomb(60_000, 60_000))
    assert "far more pixels" in problem(path, Recipe("png")).text
    path.write_bytes(_bomb(13_200, 13_000))
    assert "13,200×13,000 pixels" in problem(path, Recipe("png")).text


def test_a_large_picture_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow warns from 89 million pixels on; ours is the only limit."""
    monkeypatch.setattr(opening, "MOST_PIXELS", 100)
    path = saved(tmp_path, scene(12, 9))
    with pytest.raises(CantExport):
        opened(path, shown="poster")
    monkeypatch.setattr(opening, "MOST_PIXELS", 108)
    assert opened(path, shown="poster").size == (12, 9)


@pytest.mark.parametrize("turn", range(1, 9))
def test_it_stands_upright(tmp_path: Path, turn: int) -> None:
    upright = scene(40, 30, (8, 8))
    back: dict[int, Callable[[Picture], Picture]] = {
        1: lambda p: p,
        2: lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda p: p.transpose(Image.Transpose.ROTATE_180),
        4: lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda p: p.transpose(Image.Transpose.TRANSPOSE),
        6: lambda p: p.transpose(Image.Transpose.ROTATE_90),
        7: lambda p: p.transpose(Image.Transpose.TRANSVERSE),
        8: lambda p: p.transpose(Image.Transpose.ROTATE_270),
    }
    exif = Image.Exif()
    exif[0x0112] = turn
    path = saved(tmp_path, back[turn](upright), exif=exif)
    found = opened(path, shown="poster")
    assert found.size == (40, 30)
    assert found.convert("RGB").tobytes() == upright.tobytes()
    assert not dict(read(one(path, Recipe("jpeg"))).getexif())


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    wide = Image.new("I;16", (3, 1))
    for x, value in enumerate((0, 32_896, 65_535)):
        wide.putpixel((x, 0), value)
    for name in ("grey.png", "grey.tiff"):
        found = opened(saved(tmp_path, wide, name), shown="poster").convert("L")
        assert [found.getpixel((x, 0)) for x in range(3)] == [0, 128, 255]


def test_sixteen_bit_colours(tmp_path: Path) -> None:
    """Pillow gives the high byte; half is half."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(">6H", 65_535, 32_768, 0, 300, 65_000, 1)
    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    path = tmp_path / "rgb16.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b""))
    found = opened(path, shown="poster")
    assert near(found.getpixel((0, 0)), (255, 128, 0), 1)
    assert near(found.getpixel((1, 0)), (1, 253, 0), 1)


def test_a_palette_with_a_hole(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255] + [0] * 762)
    picture.putpixel((1, 1), 1)
    found = opened(saved(tmp_path, picture, transparency=0), shown="poster")
    assert found.mode == "RGBA"
    assert found.getpixel((0, 0)) == (255, 0, 0, 0)
    assert found.getpixel((1, 1)) == (0, 0, 255, 255)


def test_one_bit_and_grey_with_transparency(tmp_path: Path) -> None:
    assert opened(saved(tmp_path, Image.new("1", (3, 3), 1), "bit.png"), shown="x").getpixel((0, 0)) == 255
    assert opened(saved(tmp_path, Image.new("LA", (3, 3), (9, 8)), "la.png"), shown="x").mode == "LA"


def test_an_animation_gives_its_first_picture(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#00ff00", "#0000ff")]
    for name in ("a.gif", "a.webp", "a.png", "a.tiff"):
        path = tmp_path / name
        frames[0].save(path, save_all=True, append_images=frames[1:], **({"lossless": True} if name == "a.webp" else {}))
        found = read(one(path, Recipe("png")))
        assert near(found.convert("RGB").getpixel((4, 4)), (255, 0, 0)), name
        assert getattr(found, "n_frames", 1) == 1


def test_cmyk(tmp_path: Path, cmyk: bytes) -> None:
    picture = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert "CMYK without a colour profile" in problem(saved(tmp_path, picture, "bare.jpg"), Recipe("png")).text
    made = read(one(saved(tmp_path, picture, "with.jpg", icc_profile=cmyk), Recipe("png")))
    assert made.mode == "RGB"
    red, green, blue = made.getpixel((4, 4))  # type: ignore[misc]
    assert red > 150
    assert max(green, blue) < 110


def test_a_broken_profile_is_none(tmp_path: Path) -> None:
    path = saved(tmp_path, scene(), icc_profile=b"nonsense" * 40)
    assert "icc_profile" not in opened(path, shown="poster").info
    assert near(read(one(path, Recipe("png"))).getpixel((1, 1)), (0xD8, 0xD4, 0xCC), 0)


# ---- shapes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "size"),
    [
        (Recipe("png"), (96, 64)),
        (Recipe("png", width=48), (48, 32)),
        (Recipe("png", height=16), (24, 16)),
        (Recipe("png", width=40, height=40), (40, 40)),
        (Recipe("png", width=40, height=40, fit="inside"), (40, 27)),
        (Recipe("png", width=40, height=40, fit="contain"), (40, 40)),
        (Recipe("png", width=40, height=50, fit="fill"), (40, 50)),
        (Recipe("tiff", page=(25.4, 25.4), dpi=50), (50, 50)),
        (Recipe("tiff", page=(25.4, 12.7), dpi=100, bleed=2.54), (120, 70)),
        (Recipe("png", width=1, height=1), (1, 1)),
        (Recipe("png", width=1), (1, 1)),
    ],
)
def test_sizes(tmp_path: Path, recipe: Recipe, size: tuple[int, int]) -> None:
    assert read(one(saved(tmp_path, scene()), recipe)).size == size


def test_what_stays_when_it_is_cut(tmp_path: Path) -> None:
    """The subject is on the right: in the middle it is lost, with the right focus or attention it stays."""

    def reds(recipe: Recipe, where: tuple[int, int]) -> int:
        path = saved(tmp_path, scene(subject=where))
        picture = read(one(path, recipe)).convert("RGB")
        return sum(1 for r, g, _ in picture.get_flattened_data() if r > 150 and g < 90)

    square = Recipe("png", width=32, height=32)
    for where in ((84, 32), (12, 30), (48, 32)):
        whole = reds(Recipe("png", height=32), where)
        assert reds(square._replace(focus="attention"), where) > whole * 0.9
    assert reds(square, (88, 32)) < 20
    assert reds(square._replace(focus=(1.0, 0.5)), (84, 32)) > 25
    assert reds(square, (84, 32)) < 15
    tall = Recipe("png", width=90, height=20, focus="attention")
    for where in ((48, 12), (48, 52)):
        assert reds(tall, where) > 60


def test_no_fringe_around_what_is_clear(tmp_path: Path) -> None:
    """What is transparent is black in most files; it must not darken the edge."""
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=(255, 255, 255, 255))
    small = read(one(saved(tmp_path, picture), Recipe("png", width=16)))
    edge = [pixel for pixel in small.get_flattened_data() if 20 < pixel[3] < 235]
    assert edge
    assert all(min(pixel[:3]) > 235 for pixel in edge)


def test_contained(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    clear = read(one(path, Recipe("png", width=40, height=40, fit="contain")))
    assert clear.getpixel((0, 0)) == (0, 0, 0, 0)
    matte = read(one(path, Recipe("png", width=40, height=40, fit="contain", matte="#102030")))
    assert matte.getpixel((0, 0)) == (0x10, 0x20, 0x30)
    assert near(matte.getpixel((3, 20)), (0xD8, 0xD4, 0xCC))


def test_a_jpeg_stands_on_a_ground(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGBA", (16, 16), (0, 0, 0, 0)))
    assert near(read(one(path, Recipe("jpeg"))).getpixel((8, 8)), (255, 255, 255))
    assert near(read(one(path, Recipe("jpeg", matte="#ff0000"))).getpixel((8, 8)), (255, 0, 0))


def test_sharpening_is_for_what_was_made_smaller(tmp_path: Path) -> None:
    path = saved(tmp_path, busy(64, 64))
    plain, sharp = (one(path, Recipe("png", width=32, sharpen=value)).data for value in (0, 80))
    assert plain != sharp
    same, still = (one(path, Recipe("png", width=64, sharpen=value)).data for value in (0, 80))
    assert same == still


def test_the_size_that_it_has_is_kept_to_the_pixel(tmp_path: Path) -> None:
    picture = busy(37, 23)
    assert read(one(saved(tmp_path, picture), Recipe("png", width=37))).tobytes() == picture.tobytes()
    assert read(one(saved(tmp_path, picture), Recipe("webp", lossless=True))).convert("RGB").tobytes() == picture.tobytes()


# ---- formats -----------------------------------------------------------------------------------------------------------------


def test_every_format(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    for kind in ("png", "jpeg", "webp", "avif", "tiff"):
        made = read(one(path, Recipe(kind, width=48)))  # type: ignore[arg-type]
        assert (made.format or "").lower() == kind
        assert near(made.convert("RGB").getpixel((2, 2)), (0xD8, 0xD4, 0xCC))


def test_transparency_goes_along(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGBA", (16, 16), (200, 10, 10, 90)))
    for kind in ("png", "webp", "avif", "tiff"):
        made = read(one(path, Recipe(kind)))  # type: ignore[arg-type]
        assert made.mode == "RGBA", kind
        assert near(made.getpixel((8, 8)), (200, 10, 10, 90), 16), kind


def test_an_ico_has_all_its_sizes(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    made = one(path, Recipe("ico", sizes=(16, 32, 64)))
    icon = Image.open(io.BytesIO(made.data))
    assert icon.info["sizes"] == {(16, 16), (32, 32), (64, 64)}
    icon.size = (16, 16)
    icon.load()
    assert icon.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index] # a wide picture, contained


def test_a_palette(tmp_path: Path) -> None:
    path = saved(tmp_path, scene(200, 100))
    made = read(one(path, Recipe("png", colors=8)))
    assert made.mode == "P"
    assert len(made.getcolors() or ()) <= 8
    clear = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((8, 8, 24, 24), fill=(250, 20, 20, 255))
    made = read(one(saved(tmp_path, clear), Recipe("png", colors=4))).convert("RGBA")
    assert made.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert near(made.getpixel((16, 16)), (250, 20, 20, 255))


def test_max_bytes(tmp_path: Path) -> None:
    path = saved(tmp_path, busy(128, 128))
    for kind in ("jpeg", "webp", "avif"):
        whole = len(one(path, Recipe(kind)).data)  # type: ignore[arg-type]
        made = one(path, Recipe(kind, max_bytes=whole * 6 // 10))  # type: ignore[arg-type]
        assert len(made.data) <= whole * 6 // 10
        assert "quality lowered to" in made.notes[0]
        assert "can't be reached" in problem(path, Recipe(kind, max_bytes=40)).text  # type: ignore[arg-type]
    assert one(path, Recipe("jpeg", max_bytes=1_000_000)).notes == ()
    flat = saved(tmp_path, scene(300, 200))
    whole = len(one(flat, Recipe("png", effort=1)).data)
    made = one(flat, Recipe("png", effort=1, max_bytes=whole * 9 // 10))
    assert "colours" in made.notes[0]
    assert "`max_bytes: 10`" in problem(flat, Recipe("png", max_bytes=10)).text


def test_quality_and_effort_count(tmp_path: Path) -> None:
    path = saved(tmp_path, scene(300, 200))
    for kind in ("jpeg", "webp", "avif"):
        low, high = (len(one(path, Recipe(kind, quality=quality)).data) for quality in (20, 95))  # type: ignore[arg-type]
        assert low < high
    quick, slow = (len(one(path, Recipe("png", effort=effort)).data) for effort in (1, 10))
    assert slow <= quick


def test_limits_of_formats(tmp_path: Path) -> None:
    path = saved(tmp_path, scene(400, 2))
    assert "16,383" in problem(path, Recipe("webp", width=17_000)).text
    assert "without loss" in problem(path, Recipe("avif", lossless=True)).text


def test_resolution_is_written(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    for kind in ("png", "jpeg", "tiff"):
        found = read(one(path, Recipe(kind, dpi=144))).info["dpi"]  # type: ignore[arg-type]
        assert all(abs(float(each) - 144) < 0.5 for each in found), kind


def test_the_words_in_it(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    xmp = b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>poster</x:xmpmeta><?xpacket end='w'?>"
    for kind in ("png", "jpeg", "webp", "avif", "tiff"):
        assert b">poster<" in one(path, Recipe(kind), xmp=xmp).data, kind  # type: ignore[arg-type]
        assert b">poster<" not in one(path, Recipe(kind, strip=True), xmp=xmp).data  # type: ignore[arg-type]


def test_nothing_of_the_master_is_carried_over_unasked(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    path = saved(tmp_path, scene(), "a.jpg", exif=exif, comment=b"secret words")
    for kind in ("png", "jpeg", "webp", "avif", "tiff"):
        data = one(path, Recipe(kind)).data  # type: ignore[arg-type]
        assert b"secret" not in data, kind


# ---- colours ------------------------------------------------------------------------------------------------------------------


def test_a_profile_of_its_own(tmp_path: Path) -> None:
    """A picture in another space looks the same on a screen that knows only sRGB; `keep` leaves pixels and profile."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = _swapped()
    path = saved(tmp_path, Image.new("RGB", (8, 8), (200, 40, 10)), icc_profile=swapped)
    made = read(one(path, Recipe("png")))
    assert "icc_profile" not in made.info
    red, _, blue = made.getpixel((4, 4))  # type: ignore[misc]
    assert blue > red  # its red primary is blue
    kept = read(one(path, Recipe("png", icc="keep")))
    assert kept.info["icc_profile"] == swapped
    assert kept.getpixel((4, 4)) == (200, 40, 10)
    assert lab


def test_into_a_given_profile(tmp_path: Path, cmyk: bytes) -> None:
    path = saved(tmp_path, Image.new("RGB", (8, 8), (220, 30, 30)))
    swapped = _swapped()
    made = read(one(path, Recipe("png", icc="x"), icc=swapped))
    assert made.info["icc_profile"] == swapped
    assert made.getpixel((4, 4))[2] > made.getpixel((4, 4))[0]  # type: ignore[index]
    for kind in ("jpeg", "tiff"):
        printed = read(one(path, Recipe(kind, icc="x"), icc=cmyk))  # type: ignore[arg-type]
        assert printed.mode == "CMYK"
        assert printed.info["icc_profile"] == cmyk
    assert "can't hold CMYK" in problem(path, Recipe("webp", icc="x"), icc=cmyk).text
    assert "no colour profile" in problem(path, Recipe("png", icc="x"), icc=b"nonsense").text


def test_neighbours_change_nothing(tmp_path: Path) -> None:
    """Files of one shape are made from one picture: what is done for the first must not be seen in the next."""
    path = saved(tmp_path, Image.new("RGB", (16, 16), (200, 40, 10)), icc_profile=_swapped())
    for width in (None, 8):
        wants = [
            Want(Recipe(kind, width=width, icc=icc))  # type: ignore[arg-type]
            for icc in ("keep", "")
            for kind in ("png", "jpeg", "webp", "avif", "tiff")
        ]
        alone = [make(path, [want], shown="poster")[0] for want in wants]
        assert make(path, wants, shown="poster") == alone
        assert make(path, wants[::-1], shown="poster") == alone[::-1]
        assert all("icc_profile" in read(each).info for each in alone[:5] if isinstance(each, Made))
        assert not any("icc_profile" in read(each).info for each in alone[5:] if isinstance(each, Made))


def test_a_matte_is_the_colour_that_was_written(tmp_path: Path) -> None:
    """Whatever profile the master has: the brand's colour, to the number."""
    path = saved(tmp_path, Image.new("RGB", (16, 16), (200, 40, 10)), icc_profile=_swapped())
    beside = Recipe("png", width=8, height=16, fit="contain", matte="#c0280a")
    assert read(one(path, beside)).getpixel((0, 0)) == (0xC0, 0x28, 0x0A)
    kept = read(one(path, beside._replace(icc="keep"))).getpixel((0, 0))
    assert near(kept, (0x0A, 0x28, 0xC0), 2)  # the same colour, said in the master's way
    assert near(read(one(path, beside._replace(icc="x"), icc=_swapped())).getpixel((0, 0)), (0x0A, 0x28, 0xC0), 2)
    hole = saved(tmp_path, Image.new("RGBA", (16, 16), (0, 0, 0, 0)), "hole.png", icc_profile=_swapped())
    assert read(one(hole, Recipe("png", matte="#c0280a"))).getpixel((8, 8)) == (0xC0, 0x28, 0x0A)


def test_what_is_clear_is_paper(tmp_path: Path, cmyk: bytes) -> None:
    """No ink where nothing is: transparent pixels are black in most files, and would print as such."""
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((12, 12, 20, 20), fill=(220, 30, 30, 255))
    path = saved(tmp_path, picture)
    for kind in ("tiff", "jpeg"):
        printed = read(one(path, Recipe(kind, icc="x"), icc=cmyk))  # type: ignore[arg-type]
        assert printed.mode == "CMYK"
        assert near(printed.getpixel((2, 2)), (0, 0, 0, 0), 4)
        assert printed.getpixel((16, 16))[1] > 150  # type: ignore[index]
    beside = read(
        one(saved(tmp_path, scene(), "scene.png"), Recipe("tiff", width=20, height=40, fit="contain", icc="x"), icc=cmyk)
    )
    assert near(beside.getpixel((0, 0)), (0, 0, 0, 0), 4)
    red = read(one(path, Recipe("tiff", matte="#ff0000", icc="x"), icc=cmyk)).getpixel((2, 2))
    assert near(
        red,
        read(one(saved(tmp_path, Image.new("RGB", (4, 4), "#ff0000"), "r.png"), Recipe("tiff", icc="x"), icc=cmyk)).getpixel(
            (1, 1)
        ),
    )


def test_grey_with_a_profile_of_its_own(tmp_path: Path) -> None:
    grey = printing.grey_profile()
    for mode, value in (("L", 128), ("LA", (128, 255))):
        path = saved(tmp_path, Image.new(mode, (16, 16), value), f"{mode}.png", icc_profile=grey)
        for recipe in (
            Recipe("png"),
            Recipe("png", width=8, height=16, fit="contain"),
            Recipe("webp", icc="keep"),
            Recipe("avif", icc="keep"),
        ):
            made = one(path, recipe)
            assert near(
                read(made).convert("RGB").getpixel((read(made).width // 2, 8)), (188, 188, 188), 3
            )  # linear light, as sRGB shows it
            assert "icc_profile" not in read(made).info
            assert bool(made.notes) == (recipe.icc == "keep")
        for kind in ("png", "jpeg", "tiff"):
            kept = read(one(path, Recipe(kind, icc="keep")))  # type: ignore[arg-type]
            assert kept.info["icc_profile"] == grey
            assert kept.mode in ("L", "LA")
    colour = saved(tmp_path, scene())
    assert read(one(colour, Recipe("tiff", icc="x"), icc=grey)).mode == "L"
    assert "can't hold a profile for grey" in problem(colour, Recipe("webp", icc="x"), icc=grey).text
    assert "with a palette" in problem(colour, Recipe("png", colors=8, icc="x"), icc=grey).text


def test_sharpening_leaves_the_colour_at_an_edge_alone(tmp_path: Path) -> None:
    """A thing of one colour on nothing has nothing to sharpen; the black of what is transparent must not make its edge brighter. What making it smaller
    does to an edge (12) may be doubled, no more.
    """
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=(120, 90, 60, 255))
    sharp = read(one(saved(tmp_path, picture), Recipe("png", width=24, sharpen=150)))
    assert all(near(pixel, (120, 90, 60), 28) for pixel in sharp.get_flattened_data() if pixel[3] > 10)


def test_an_ico_whatever_the_order_of_its_sizes(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    made = one(path, Recipe("ico", sizes=(64, 16, 16)))
    assert (made.width, made.height) == (64, 64)
    assert Image.open(io.BytesIO(made.data)).info["sizes"] == {(16, 16), (64, 64)}
    assert "at most 256" in problem(path, Recipe("ico", sizes=(16, 512))).text


def test_max_bytes_where_nothing_can_be_lowered(tmp_path: Path) -> None:
    path = saved(tmp_path, busy(64, 64))
    for recipe in (Recipe("tiff"), Recipe("ico"), Recipe("webp", lossless=True)):
        assert "can't be reached" in problem(path, recipe._replace(max_bytes=300)).text
    assert "at quality 15 " in problem(path, Recipe("jpeg", quality=15, max_bytes=40)).text


def test_more_pixels_than_anybody_has_memory_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wide matte around a small picture isn't enlarging, so nothing else asks."""
    path = saved(tmp_path, scene())
    monkeypatch.setattr(shaping, "MOST_PIXELS", 3_000_000)
    assert isinstance(make(path, [Want(Recipe("png", width=3000, height=1000, fit="contain"))], shown="poster")[0], Made)
    assert "3,001×1,000" in problem(path, Recipe("png", width=3001, height=1000, fit="contain")).text


def test_one_decode_serves_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from assetbuild.pictures import encoding

    count = 0
    real = opening.opened

    def counting(path: Path, *, shown: str) -> Picture:
        nonlocal count
        count += 1
        return real(path, shown=shown)

    monkeypatch.setattr(encoding, "opened", counting)
    path = saved(tmp_path, scene())
    wants = [Want(Recipe(kind, width=48)) for kind in ("png", "jpeg", "webp", "avif")]  # type: ignore[arg-type]
    assert all(isinstance(each, Made) for each in make(path, wants, shown="poster"))
    assert count == 1


def test_one_that_fails_leaves_the_others(tmp_path: Path) -> None:
    path = saved(tmp_path, scene())
    good, bad, other = make(
        path, [Want(Recipe("png")), Want(Recipe("avif", lossless=True)), Want(Recipe("jpeg", width=9))], shown="poster"
    )
    assert isinstance(good, Made)
    assert isinstance(bad, CantExport)
    assert isinstance(other, Made)


def test_any_thread_gives_the_same_bytes(tmp_path: Path) -> None:
    path = saved(tmp_path, scene(300, 200))
    wants = [Want(Recipe(kind, width=200)) for kind in ("png", "jpeg", "webp", "avif", "tiff")]  # type: ignore[arg-type]
    wants += [Want(Recipe("png", width=50, height=50, focus="attention", colors=16)), Want(Recipe("ico"))]
    first = make(path, wants, shown="poster")
    with ThreadPoolExecutor(4) as threads:
        for again in threads.map(lambda _: make(path, wants, shown="poster"), range(8)):
            assert again == first


def _swapped() -> bytes:
    """sRGB with its red and blue primaries changed over: whoever looks at the profile can't overlook it."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    places = {bytes(data[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


@pytest.fixture
def cmyk() -> bytes:
    """A small profile of a printer that is no real one: white paper, and each ink takes away its part of the light."""
    return printing.cmyk_profile()
