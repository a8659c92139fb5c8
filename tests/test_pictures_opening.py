"""Strangers' pictures: each gives what it looks like or says what is wrong with it, and nothing that a reader stumbles over comes through as it is."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from assetbuild.pictures.encoding import make
from assetbuild.pictures.opening import opened
from assetbuild.pictures.wanted import CantExport, Made, Want
from assetbuild.recipe import Recipe

from . import printing

ENDINGS = ("png", "jpg", "webp", "avif", "tiff", "gif", "bmp")


def saved(tmp_path: Path, picture: Image.Image, name: str = "master.png", **options: Any) -> Path:
    path = tmp_path / name
    picture.save(path, **options)
    return path


def grain(mode: str = "RGB") -> Image.Image:
    chance = random.Random(3)  # noqa: S311 - the same each time
    return Image.frombytes("RGB", (48, 32), chance.randbytes(48 * 32 * 3)).convert(mode)


def cut_short(profile: bytes, length: int) -> bytes:
    """A profile that opens, and whose tables are missing."""
    return struct.pack(">I", length) + profile[4:length]


def screen() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# ---- what is broken ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_cut_off_anywhere(tmp_path: Path, ending: str) -> None:
    path = saved(tmp_path, grain(), f"a.{ending}")
    whole = path.read_bytes()
    for part in (0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 0.99):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(CantExport, match="`poster`"):
            opened(path, shown="poster")


def _seeds(tmp_path: Path) -> Iterator[bytes]:
    turned = Image.Exif()
    turned[0x0112] = 6
    for ending in ENDINGS:
        yield saved(tmp_path, grain(), f"a.{ending}").read_bytes()
    for ending in ("jpg", "png", "tiff"):
        yield saved(tmp_path, grain(), f"b.{ending}", exif=turned, icc_profile=screen()).read_bytes()
    yield saved(tmp_path, grain("CMYK"), "c.jpg", icc_profile=printing.cmyk_profile()).read_bytes()
    yield saved(tmp_path, grain().quantize(16), "d.png", transparency=3).read_bytes()


def test_bytes_that_were_changed_give_a_picture_or_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """AVIF says RuntimeError, lcms an error of its own, others whatever it was that they stumbled over."""
    chance, path, refused = random.Random(11), tmp_path / "strange", 0  # noqa: S311 - the same each time
    for seed in _seeds(tmp_path):
        for _ in range(60):
            data = bytearray(seed)
            for _ in range(chance.choice((1, 4, 16))):
                data[chance.randrange(min(len(data), chance.choice((300, len(data)))))] = chance.choice((0, 255, 127, 128))
            path.write_bytes(data)
            found = make(path, [Want(Recipe("png", width=9))], shown="poster")[0]
            assert isinstance(found, (Made, CantExport))
            refused += isinstance(found, CantExport)
    assert refused > 50
    assert "Warning" not in capfd.readouterr().err


def test_a_broken_avif(tmp_path: Path) -> None:
    path = saved(tmp_path, grain(), "a.avif")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[data.index(b"mdat") + 4 : middle] = bytes(middle - data.index(b"mdat") - 4)
    path.write_bytes(data)
    with pytest.raises(CantExport, match="damaged or cut off"):
        opened(path, shown="poster")


def test_what_a_reader_grumbles_about_isnt_shown(tmp_path: Path) -> None:
    path = saved(tmp_path, grain(), "a.tiff")
    data = bytearray(path.read_bytes())
    at = struct.unpack("<I", data[4:8])[0]
    data[at + 2 + 12 * 3 + 4 : at + 2 + 12 * 3 + 8] = struct.pack("<I", 1_000_000)  # so many values, says the fourth entry
    path.write_bytes(data)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        make(path, [Want(Recipe("png"))], shown="poster")
    assert said == []


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(CantExport, match="can't be read") as found:
            opened(path, shown="poster")
        assert str(tmp_path) not in found.value.text


# ---- colours -----------------------------------------------------------------------------------------------------------------


def test_a_profile_without_its_tables_counts_as_none(tmp_path: Path) -> None:
    """It says that it is for RGB, and no colour can be turned with it: the user named no `icc`, so no message may speak of one."""
    path = saved(tmp_path, Image.new("RGB", (8, 8), (200, 40, 10)), icc_profile=cut_short(screen(), 300))
    assert "icc_profile" not in opened(path, shown="poster").info
    made = make(path, [Want(Recipe("png"))], shown="poster")[0]
    assert isinstance(made, Made)
    assert Image.open(io.BytesIO(made.data)).getpixel((4, 4)) == (200, 40, 10)


def test_cmyk_with_a_broken_profile(tmp_path: Path) -> None:
    broken = cut_short(printing.cmyk_profile(), 200)
    path = saved(tmp_path, Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.jpg", icc_profile=broken)
    with pytest.raises(CantExport, match="a broken colour profile"):
        opened(path, shown="poster")


def test_cmyk_as_photoshop_writes_it(tmp_path: Path) -> None:
    """YCCK: three of the inks as luma and chroma, all upside down. Red stays red."""
    inks = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    cyan, magenta, yellow, black = inks.split()
    luma = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    upside_down = [plane.point(lambda value: 255 - value) for plane in luma]
    path = saved(
        tmp_path,
        Image.merge("CMYK", (*upside_down, black)),
        "a.jpg",
        quality=100,
        subsampling=0,
        icc_profile=printing.cmyk_profile(),
    )
    data = bytearray(path.read_bytes())
    marker = data.index(b"Adobe")
    assert data[marker + 11] == 0
    data[marker + 11] = 2  # the colour transform: YCCK
    path.write_bytes(data)
    assert Image.open(path).convert("CMYK").getpixel((8, 8))[0] < 8  # type: ignore[index]
    red, green, blue = opened(path, shown="poster").getpixel((8, 8))  # type: ignore[misc]
    assert red > 150
    assert max(green, blue) < 110


def test_lab_and_ycbcr(tmp_path: Path) -> None:
    lab = opened(saved(tmp_path, Image.new("LAB", (4, 4), (128, 128, 128)), "a.tiff"), shown="x")
    assert lab.mode == "RGB"
    assert all(110 < value < 128 for value in lab.getpixel((0, 0)))  # type: ignore[union-attr]
    assert opened(saved(tmp_path, Image.new("YCbCr", (4, 4), (128, 128, 128)), "b.tiff"), shown="x").mode == "RGB"


# ---- depths ------------------------------------------------------------------------------------------------------------------


def _greys(mode: str, *values: float) -> Image.Image:
    picture = Image.new(mode, (len(values), 1))
    for x, value in enumerate(values):
        picture.putpixel((x, 0), value)
    return picture


@pytest.mark.parametrize(
    ("mode", "values", "seen"),
    [
        ("F", (0.0, 0.5, 1.0), [0, 128, 255]),
        ("F", (-10.0, 0.0, 10.0), [0, 128, 255]),
        ("F", (0.0, 0.25, 0.25), [0, 64, 64]),
        ("I", (0, 2**30, 2**31 - 1), [0, 128, 255]),
        ("I", (0, 128, 255), [0, 128, 255]),
        ("I", (0, 32_896, 65_535), [0, 128, 255]),
        ("I", (-1000, 0, 1000), [0, 128, 255]),
        ("I;16", (0, 300, 65_535), [0, 1, 255]),
        ("I;16", (0, 255, 255), [0, 1, 1]),  # nearly black, whatever its largest value is
    ],
)
def test_numbers_are_scaled_never_cut(tmp_path: Path, mode: str, values: tuple[float, ...], seen: list[int]) -> None:
    found = opened(saved(tmp_path, _greys(mode, *values), "a.tiff"), shown="poster")
    assert found.mode == "L"
    assert list(found.tobytes()) == seen


def test_numbers_that_are_no_brightness(tmp_path: Path) -> None:
    with pytest.raises(CantExport, match="no brightness"):
        opened(saved(tmp_path, _greys("F", 0.0, float("inf")), "a.tiff"), shown="poster")


def test_a_hole_in_one_bit_and_in_sixteen(tmp_path: Path) -> None:
    bit = opened(saved(tmp_path, Image.new("1", (4, 4), 1), transparency=1), shown="x")
    assert bit.getpixel((0, 0)) == (255, 255, 255, 0)
    wide = opened(saved(tmp_path, _greys("I;16", 65_535, 65_534, 0), transparency=65_535), shown="x")
    assert [wide.getpixel((x, 0)) for x in range(3)] == [(255, 0), (255, 255), (0, 255)]


def test_a_hole_in_sixteen_bit_colours(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(">6H", 65_535, 32_768, 0, 300, 65_000, 1)
    head, hole = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0), struct.pack(">3H", 65_535, 32_768, 0)
    parts = ((b"IHDR", head), (b"tRNS", hole), (b"IDAT", zlib.compress(row)), (b"IEND", b""))
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    found = opened(path, shown="x")
    assert found.getpixel((0, 0)) == (255, 128, 0, 0)
    assert found.getpixel((1, 0))[3] == 255  # type: ignore[index]


# ---- several in one ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tiff", "a.avif"])
def test_that_only_the_first_was_taken_is_said(tmp_path: Path, name: str) -> None:
    first, *others = (Image.new("RGB", (8, 8), colour) for colour in ("#ff0000", "#00ff00"))
    path = saved(tmp_path, first, name, save_all=True, append_images=others)
    for recipe in (Recipe("png"), Recipe("jpeg", width=4)):
        made = make(path, [Want(recipe)], shown="poster")[0]
        assert isinstance(made, Made)
        assert made.notes == ("made from the first picture of the file, which has several",)
    alone = make(saved(tmp_path, first, name), [Want(Recipe("png"))], shown="poster")[0]
    assert isinstance(alone, Made)
    assert alone.notes == ()


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "avif", "tiff"])
@pytest.mark.parametrize(("turn", "corner"), [(6, (1, 0)), (7, (1, 1)), (5, (0, 0)), (8, (0, 1))])
def test_upright_in_every_format(tmp_path: Path, ending: str, turn: int, corner: tuple[int, int]) -> None:
    """Each writes the turn elsewhere: EXIF, a tag of TIFF, AVIF's own boxes. Never turned twice."""
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste("red", (0, 0, 10, 10))
    found = opened(saved(tmp_path, picture, f"a.{ending}", exif=exif), shown="x").convert("RGB")
    assert found.size == (20, 40)
    red = [(x, y) for x in (0, 1) for y in (0, 1) if found.getpixel((3 + 13 * x, 3 + 33 * y))[1] < 90]  # type: ignore[index]
    assert red == [corner]
