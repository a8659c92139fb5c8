"""What a picture looks like: its colour, its placeholder, and whether another file is a copy of it.

Measured with 500 pictures of `likening.drawn`'s kind and 1,000 comps of two layouts (the catalogue example), each against copies at 2, 1/2, 1/4, 160 pixels,
as WebP 30 to 90 and JPEG 30 to 90, and both at half size. Hash: copies differ by at most 6 bits (8 are allowed), and so do 45 pairs of other drawn pictures and
thousands of comps of one layout: it finds what to look at and decides nothing. Brightness: copies differ by at most 15 levels in one part (24 are allowed),
other comps of the same layout by 40 and more, mostly above 70. No false positive in either. A picture cut to
16:9 is 20 to 44 bits away from the whole: it isn't found.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from assetbuild.pictures import likeness
from assetbuild.pictures.likeness import differences, distance, is_copy, same_ratio, traits
from assetbuild.pictures.thumbhash import thumbhash
from assetbuild.pictures.wanted import CantExport

from .likening import copies, drawn, encoded

COUNT, EACH = 120, 6  # pictures, and of which one in so many copies are made


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def saved(folder: Path, picture: Image.Image, name: str = "a.png", **options: object) -> Path:
    return put(folder / name, encoded(picture, {"jpg": "JPEG"}.get(name[-3:], name.rpartition(".")[2]), **options))


def formula(name: str) -> tuple[int, int, bytes]:
    """The pictures of tests/golden/thumbhash.json, of which Evan Wallace's JavaScript (npm `thumbhash` 0.1.1) made the hashes."""
    kind, _, size = name.partition(" ")
    width, height = map(int, size.split("x"))
    out = bytearray()
    for y in range(height):
        for x in range(width):
            if kind == "ramp":
                out += bytes((x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), (x * 7 + y * 13) % 256, 255))
            elif kind == "checks":
                out += bytes((239, 131, 84, 255) if (x // 9 + y // 7) % 2 else (43, 45, 66, 255))
            elif kind == "hole":
                out += bytes((x * 5 % 256, 200 - y % 200, 90, min(255, ((x - width // 2) ** 2 + (y - height // 2) ** 2) * 4)))
            else:
                v = (x * 2654435761 + y * 40503 * 65537) & 0xFFFFFFFF
                out += bytes((v >> 24, v >> 16 & 255, v >> 8 & 255, 255 if x % 3 else v & 255))
    return width, height, bytes(out)


REFERENCE = json.loads((Path(__file__).parent / "golden" / "thumbhash.json").read_text("utf-8"))


@pytest.mark.parametrize("name", REFERENCE)
def test_thumbhash_is_the_reference(name: str) -> None:
    assert thumbhash(*formula(name)).hex() == REFERENCE[name]


def test_thumbhash_of_one_colour_has_no_noise_in_it() -> None:
    flat = thumbhash(60, 60, b"\x20\x80\xe0\xff" * 3600)
    assert flat[:5].hex() == "a043010700"
    assert not any(flat[5:])
    assert thumbhash(1, 1, bytes(4)) == thumbhash(1, 1, bytes(4))
    with pytest.raises(ValueError, match="101×1"):
        thumbhash(101, 1, bytes(404))


def test_copies_are_found_and_nothing_else_is(tmp_path: Path) -> None:
    pictures = [saved(tmp_path, drawn(n), f"{n}.png") for n in range(COUNT)]
    hashes = []
    for path in pictures:
        found = traits(path)
        assert found is not None
        hashes.append(found.hash)
    asked = 0
    for number in range(0, COUNT, EACH):
        for what, content in copies(drawn(number)):
            copy = put(tmp_path / "copy", content)
            found = traits(copy)
            assert found is not None
            near = [n for n in range(COUNT) if distance(found.hash, hashes[n]) <= likeness.NEAR]
            same = [n for n, one in zip(near, differences(copy, [pictures[n] for n in near]), strict=True) if is_copy(one)]
            assert same == [number], f"{what} of {number} is taken for {same}"
            asked += 1
    assert asked == 12 * COUNT // EACH


def test_hashes_alone_are_no_proof(tmp_path: Path) -> None:
    """Two flat pictures have one hash: the colours tell them apart."""
    red = saved(tmp_path, Image.new("RGB", (90, 60), "#ef8354"), "red.png")
    blue = saved(tmp_path, Image.new("RGB", (90, 60), "#2b2d42"), "blue.png")
    one, other = traits(red), traits(blue)
    assert one is not None
    assert other is not None
    assert distance(one.hash, other.hash) <= likeness.NEAR
    assert [is_copy(d) for d in differences(red, [red, blue])] == [True, False]


def test_another_headline_is_another_picture(tmp_path: Path) -> None:
    from PIL import ImageFont

    def poster(text: str) -> Image.Image:
        picture = drawn(7, (512, 768))
        ImageDraw.Draw(picture).text((40, 40), text, "black", ImageFont.load_default(90), stroke_width=4, stroke_fill="white")
        return picture

    fika, kaffe = saved(tmp_path, poster("Fika"), "fika.png"), saved(tmp_path, poster("Kaffe"), "kaffe.png")
    copy = saved(tmp_path, poster("Kaffe").resize((256, 384)), "copy.jpg", quality=70)
    far, near = differences(copy, [fika, kaffe])
    assert is_copy(near)
    assert not is_copy(far)


def test_a_cut_picture_is_another_one(tmp_path: Path) -> None:
    picture = drawn(3, (480, 480))
    whole = saved(tmp_path, picture, "whole.png")
    cut = saved(tmp_path, picture.crop((0, 105, 480, 375)), "cut.png")
    assert not any(map(is_copy, differences(cut, [whole])))
    assert not same_ratio((480, 270), (480, 480))
    assert same_ratio((1024, 1536), (107, 160))
    assert same_ratio((1, 1), (2, 1))  # of a pixel nothing can be said


def test_a_cut_out_saved_on_white_is_its_copy(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (300, 200))
    ImageDraw.Draw(picture).ellipse((60, 20, 240, 180), "#2f7d4f")
    ImageDraw.Draw(picture).rectangle((100, 60, 130, 150), "#ef8354")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    cut_out, copy = saved(tmp_path, picture, "cut-out.png"), saved(tmp_path, white.convert("RGB"), "copy.jpg", quality=80)
    own, others = likeness.hashes(copy), likeness.hashes(cut_out)
    assert own is not None
    assert others is not None
    assert len(others[2]) == 2
    assert min(distance(own[2][0], other) for other in others[2]) <= likeness.NEAR
    assert [is_copy(d) for d in differences(copy, [cut_out])] == [True]


def colour(folder: Path, picture: Image.Image, name: str = "a.png", **options: object) -> str | None:
    found = traits(saved(folder, picture, name, **options))
    assert found is not None
    return found.color


def test_the_colour_of_a_flat_picture_is_exact(tmp_path: Path) -> None:
    poster = Image.new("RGB", (400, 600), "#ef8354")
    draw = ImageDraw.Draw(poster)
    draw.rectangle((0, 420, 400, 600), "#f7f4ea")
    draw.ellipse((60, 60, 200, 200), "#2b2d42")
    assert colour(tmp_path, poster) == "#ef8354"
    assert colour(tmp_path, poster.resize((133, 200))) == "#ef8354"
    close = colour(tmp_path, poster, "a.jpg", quality=80)
    assert close is not None
    assert all(abs(int(close[at : at + 2], 16) - int("#ef8354"[at : at + 2], 16)) <= 3 for at in (1, 3, 5))


def test_the_colour_that_a_person_would_name(tmp_path: Path) -> None:
    def apple(radius: int) -> Image.Image:
        picture = Image.new("RGB", (400, 400), "white")
        ImageDraw.Draw(picture).ellipse((200 - radius, 200 - radius, 200 + radius, 200 + radius), "#c8102e")
        return picture

    assert colour(tmp_path, apple(150)) == "#c8102e"
    assert colour(tmp_path, apple(30)) == "#ffffff"
    cut_out = Image.new("RGBA", (400, 400))
    ImageDraw.Draw(cut_out).ellipse((180, 180, 220, 220), "#2f7d4f")
    assert colour(tmp_path, cut_out) == "#2f7d4f"
    assert colour(tmp_path, Image.new("RGBA", (9, 9), (10, 200, 30, 0))) is None
    faint = colour(tmp_path, Image.new("RGBA", (9, 9), (10, 200, 30, 40)))
    assert faint is not None
    assert all(abs(int(faint[at : at + 2], 16) - level) <= 4 for at, level in ((1, 10), (3, 200), (5, 30)))
    ramp = colour(tmp_path, Image.linear_gradient("L").convert("RGB"))
    assert ramp is not None
    assert ramp[1:3] == ramp[3:5] == ramp[5:7]  # a grey one


def test_a_picture_is_looked_at_as_it_is_shown(tmp_path: Path) -> None:
    picture = drawn(11, (300, 200))
    upright = traits(saved(tmp_path, picture))
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by a quarter
    lying = traits(saved(tmp_path, picture.transpose(Image.Transpose.ROTATE_90), "b.png", exif=turned))
    assert lying == upright
    assert upright is not None
    assert (upright.width, upright.height) == (300, 200)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_a_picture(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        deep = Image.frombytes("I;16", (40, 30), b"\x00\x80" * 1200)
        found = traits(saved(tmp_path, deep, "a.png"))
        assert found is not None
        assert found.color == "#7f7f7f"
        return
    kind = "a.tiff" if mode == "CMYK" else "a.png"
    found = traits(saved(tmp_path, drawn(4, (60, 40)).convert(mode), kind))
    assert found is not None
    assert (found.width, found.height) == (60, 40)
    assert found.color is not None


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (1, 5000), (5000, 1), (3, 2), (101, 100)])
def test_extreme_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    found = traits(saved(tmp_path, Image.new("RGB", size, "#123456")))
    assert found is not None
    assert found.color == "#123456"
    assert 5 < len(base64.b64decode(found.thumbhash)) < 30
    assert len(found.hash) == 16


def test_a_profile_is_heeded(tmp_path: Path) -> None:
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert colour(tmp_path, Image.new("RGB", (20, 20), "#ef8354"), icc_profile=lab) == "#ef8354"
    assert colour(tmp_path, Image.new("RGB", (20, 20), "#ef8354"), icc_profile=b"no profile") == "#ef8354"
    grey = Image.new("RGBA", (20, 20), (239, 131, 84, 200))
    assert colour(tmp_path, grey, icc_profile=lab) == "#ef8354"


def test_what_has_no_pixels_has_no_traits(tmp_path: Path) -> None:
    assert (
        traits(put(tmp_path / "a.svg", b'\xef\xbb\xbf<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>')) is None
    )
    assert traits(put(tmp_path / "b.svg", b"<svg/>")) is None
    assert traits(put(tmp_path / "c.pdf", b"%PDF-1.7\n")) is None


def test_what_cant_be_opened_is_said(tmp_path: Path) -> None:
    whole = encoded(drawn(5))
    for name, content in {
        "cut.png": whole[: len(whole) // 2],
        "empty.png": b"",
        "text.png": b"version https://git-lfs.github.com/spec/v1\n",
        "bomb.png": whole[:16] + (60000).to_bytes(4, "big") * 2 + whole[24:],
        "eps.png": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    }.items():
        with pytest.raises(CantExport, match=re.escape(name)):
            traits(put(tmp_path / name, content))
    with pytest.raises(OSError, match=r"no\.png"):
        traits(tmp_path / "no.png")
    with pytest.raises(ValueError, match="hashes"):
        distance("", "0" * 16)


def test_the_same_file_has_the_same_traits(tmp_path: Path) -> None:
    path = saved(tmp_path, drawn(9))
    assert traits(path) == traits(path)
