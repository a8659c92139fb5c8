"""The PDF room: boxes, what lies at the trim edge, crop marks, pixels without loss, inks, transparency, vectors, extreme pictures, the same bytes each time."""

from __future__ import annotations

import io
import random
import struct
import time
from typing import Any

import pypdf
import pypdfium2
import pytest
import typst
from PIL import Image, ImageChops, ImageCms, ImageDraw

from assetbuild.pictures.pdf import pdf
from assetbuild.pictures.wanted import CantExport, Made, Want
from assetbuild.recipe import Recipe

Picture = Image.Image
MM = 72 / 25.4


def noise(width: int, height: int, mode: str = "RGB") -> Picture:
    chance = random.Random(7)  # noqa: S311 - the same each time
    return Image.frombytes(mode, (width, height), chance.randbytes(width * height * len(mode)))


def made(picture: Picture, recipe: Recipe, *, title: str = "", focus: tuple[float, float] = (0.5, 0.5), **want: Any) -> Made:
    return pdf(picture, Want(recipe, **want), focus=focus, title=title)


def leaf(file: Made) -> pypdf.PageObject:
    pages = pypdf.PdfReader(io.BytesIO(file.data), strict=True).pages
    assert len(pages) == 1
    return pages[0]


def embedded(file: Made) -> Any:
    drawn: Any = leaf(file)["/Resources"]["/XObject"]
    return blended(file)["/Resources"]["/XObject"]["/Picture"] if "/Blended" in drawn else drawn["/Picture"]


def blended(file: Made) -> Any:
    return leaf(file)["/Resources"]["/XObject"]["/Blended"]


def box(page: pypdf.PageObject, name: str) -> list[float]:
    return [float(side) for side in page[name]]


def seen(file: Made, dots_per_mm: float = 4.0) -> Picture:
    """As a viewer shows it, so many dots to the millimetre of paper."""
    with pypdfium2.PdfDocument(file.data) as document:
        sheet = document[0]
        scale = dots_per_mm * 25.4 / 72
        wide, high = (max(1, round(side * scale)) for side in sheet.get_size())
        return sheet.render(scale=scale).to_pil().convert("RGB").crop((0, 0, wide, high))  # it rounds up


def unpredicted(stream: Any) -> bytes:
    return bytes(stream.get_data())


def cmyk_profile() -> bytes:
    """A press of no make: an ICC v2 table from CMYK to Lab and back that is reckoned, not measured. 2 to 20 kB."""

    def tag_text(kind: bytes, text: bytes) -> bytes:
        if kind == b"desc":
            return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * (4 + 4 + 2 + 1 + 67)
        return b"text\0\0\0\0" + text + b"\0"

    def table(inputs: int, outputs: int, grid: int, values: list[int]) -> bytes:
        head = b"mft1\0\0\0\0" + bytes([inputs, outputs, grid, 0])
        head += struct.pack(">9i", *(65536 if i % 4 == 0 else 0 for i in range(9)))
        return head + bytes(range(256)) * inputs + bytes(values) + bytes(range(256)) * outputs

    lab = ImageCms.createProfile("LAB")
    screen = ImageCms.createProfile("sRGB")
    forth = ImageCms.buildTransform(screen, lab, "RGB", "LAB")
    back = ImageCms.buildTransform(lab, screen, "LAB", "RGB")

    def turned(transform: Any, mode: str, values: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
        strip = Image.frombytes(mode, (len(values), 1), bytes(v for value in values for v in value))
        raw = ImageCms.applyTransform(strip, transform).tobytes()
        return [(raw[i], raw[i + 1], raw[i + 2]) for i in range(0, len(raw), 3)]

    def centred(value: int) -> int:  # Pillow holds a and b as signed bytes, a profile with 128 in the middle
        return value ^ 0x80

    steps = [0, 85, 170, 255]
    rgb = [tuple(255 - min(255, ink + k) for ink in (c, m, y)) for c in steps for m in steps for y in steps for k in steps]
    to_lab = [v for L, a, b in turned(forth, "RGB", rgb) for v in (L, centred(a), centred(b))]  # type: ignore[arg-type]
    grid = 9
    axis = [round(i * 255 / (grid - 1)) for i in range(grid)]
    labs = [(L, centred(a), centred(b)) for L in axis for a in axis for b in axis]
    to_cmyk = []
    for r, g, b in turned(back, "LAB", labs):
        k = 255 - max(r, g, b)
        to_cmyk += [255 - r - k, 255 - g - k, 255 - b - k, k]
    a2b, b2a = table(4, 3, 4, to_lab), table(3, 4, grid, to_cmyk)
    tags = {
        b"desc": tag_text(b"desc", b"Test press"),
        b"cprt": tag_text(b"text", b"none"),
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
        **{f"A2B{i}".encode(): a2b for i in range(3)},
        **{f"B2A{i}".encode(): b2a for i in range(3)},
    }
    body, places, at = b"", {}, 128 + 4 + 12 * len(tags)
    for content in dict.fromkeys(tags.values()):
        places[content] = at + len(body)
        body += content + b"\0" * (-len(content) % 4)
    index = struct.pack(">I", len(tags)) + b"".join(struct.pack(">4sII", n, places[c], len(c)) for n, c in tags.items())
    head = struct.pack(
        ">I4sI4s4s4s6H4s", at + len(body), b"none", 0x02400000, b"prtr", b"CMYK", b"Lab ", 2000, 1, 1, 0, 0, 0, b"acsp"
    )
    head += b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + index + body


def poster(width: float = 200, height: float = 300, body: str = "#text(size: 30pt)[Brewed slowly]") -> bytes:
    source = f'#set page(width: {width}pt, height: {height}pt, margin: 20pt, fill: rgb("#F7F4EA"))\n{body}'
    return bytes(typst.compile(source.encode(), format="pdf"))


# ---- boxes and geometry -----------------------------------------------------------------------------------------------------


def test_the_trim_is_the_page_and_the_bleed_comes_on_top() -> None:
    page = leaf(made(noise(40, 60), Recipe("pdf", page=(210.0, 297.0), bleed=3.0)))
    assert box(page, "/MediaBox") == pytest.approx([0, 0, 216 * MM, 303 * MM], abs=0.01)
    assert box(page, "/CropBox") == box(page, "/BleedBox") == box(page, "/MediaBox")
    assert box(page, "/TrimBox") == pytest.approx([3 * MM, 3 * MM, 213 * MM, 300 * MM], abs=0.01)


@pytest.mark.parametrize(("bleed", "room"), [(0.0, 9.0), (1.0, 8.0), (3.0, 7.0), (10.0, 7.0)])
def test_marks_make_the_sheet_larger(bleed: float, room: float) -> None:
    """A mark starts 3 mm from the trim at least and 1 mm outside the bleed, is 5 mm long, and 1 mm is left."""
    page = leaf(made(noise(40, 60), Recipe("pdf", page=(90.0, 55.0), bleed=bleed, marks=True)))
    media = [0, 0, (90 + 2 * (bleed + room)) * MM, (55 + 2 * (bleed + room)) * MM]
    assert box(page, "/MediaBox") == pytest.approx(media, abs=0.01)
    edge = room * MM
    assert box(page, "/BleedBox") == pytest.approx([edge, edge, media[2] - edge, media[3] - edge], abs=0.01)
    trim = (room + bleed) * MM
    assert box(page, "/TrimBox") == pytest.approx([trim, trim, media[2] - trim, media[3] - trim], abs=0.01)


@pytest.mark.parametrize("dpi", [None, 254.0])
@pytest.mark.parametrize("vector", [False, True])
def test_what_belongs_at_the_trim_edge_is_there(dpi: float | None, vector: bool) -> None:
    """Master 106×66 for 100×60 mm and 3 mm of bleed: a pixel is a millimetre. The frame of the trim is red, the bleed blue."""
    master = Image.new("RGB", (106, 66), "#0000ff")
    ImageDraw.Draw(master).rectangle((3, 3, 102, 62), fill="#ffffff", outline="#ff0000")
    drawn = None
    if vector:
        inner = "#place(top + left, dx: 3pt, dy: 3pt, rect(width: 100pt, height: 60pt, fill: red))"
        inner += "#place(top + left, dx: 4pt, dy: 4pt, rect(width: 98pt, height: 58pt, fill: white))"
        page = '#set page(width: 106pt, height: 66pt, margin: 0pt, fill: rgb("#0000ff"))\n#let red = rgb("#ff0000")\n'
        drawn = bytes(typst.compile((page + inner).encode(), format="pdf"))
    file = made(master, Recipe("pdf", page=(100.0, 60.0), bleed=3.0, dpi=dpi), vector=drawn)
    shown = seen(file, 10)
    assert shown.size == (1060, 660)
    soft = 4 if dpi and not vector else 0  # Lanczos swings at an edge
    for x, y in ((15, 330), (1045, 330), (530, 15), (530, 645)):
        assert shown.getpixel((x, y)) == pytest.approx((0, 0, 255), abs=soft), "in the bleed"
    for x, y in ((35, 330), (1024, 330), (530, 35), (530, 624)):
        assert shown.getpixel((x, y)) == pytest.approx((255, 0, 0), abs=10 * soft), "inside the trim edge"
    for x, y in ((55, 330), (1005, 330), (530, 330)):
        assert shown.getpixel((x, y)) == pytest.approx((255, 255, 255), abs=soft)
    if dpi and not vector:
        assert file[1:3] == (1060, 660)


def test_what_is_cut_follows_the_focus() -> None:
    """A wide master on a square page: the left, the middle or the right third stays, and only that is in the file."""
    master = Image.new("RGB", (300, 100))
    for i, colour in enumerate(("#ff0000", "#00ff00", "#0000ff")):
        master.paste(colour, (i * 100, 0, i * 100 + 100, 100))
    square = Recipe("pdf", page=(50.0, 50.0))
    for focus, colour in (((0.0, 0.5), (255, 0, 0)), ((0.5, 0.5), (0, 255, 0)), ((1.0, 0.5), (0, 0, 255))):
        file = made(master, square._replace(focus=focus))
        assert seen(file).getcolors() == [(200 * 200, colour)]
        assert (file.width, file.height) == (100, 100)
    found = made(master, square._replace(focus="attention"), focus=(1.0, 0.5))
    assert seen(found).getcolors() == [(200 * 200, (0, 0, 255))], "the caller's focus"


def test_a_cut_through_a_pixel_keeps_the_scale() -> None:
    """7×3 on a square: 3 of 7 columns, from 2 to 5; on 100:70 it is 4.286 columns, so 6 are embedded and clipped."""
    master = noise(7, 3)
    file = made(master, Recipe("pdf", page=(100.0, 70.0)))
    assert (file.width, file.height) == (5, 3)
    shown = seen(file, 1)
    assert shown.size == (100, 70)
    assert shown.getpixel((50, 35)) == master.getpixel((3, 1))
    edge = round((3.5 - 4.2857 / 2 - 1) * 70 / 3)  # what of the first column is left out, in mm
    assert shown.getpixel((1, 35)) == master.getpixel((1, 1))
    assert shown.getpixel((24 - edge + 2, 35)) == master.getpixel((2, 1))


@pytest.mark.parametrize("fit", ["contain", "inside"])
@pytest.mark.parametrize(("matte", "ground"), [(None, (255, 255, 255)), ("#88cc99", (0x88, 0xCC, 0x99))])
@pytest.mark.parametrize("dpi", [None, 100.0])
def test_a_contained_picture_is_whole_when_the_bleed_is_cut_off(
    fit: Any, matte: str | None, ground: tuple[int, int, int], dpi: float | None
) -> None:
    """60×30 mm in a trim of 60×60 and 2 mm of bleed: from trim to trim, the matte from bleed to bleed."""
    file = made(Image.new("RGB", (60, 30), "#102030"), Recipe("pdf", page=(60.0, 60.0), bleed=2.0, fit=fit, matte=matte, dpi=dpi))
    shown = seen(file)
    assert shown.size == (256, 256)
    for x, y in ((128, 2), (2, 250), (2, 128), (6, 128), (250, 128), (128, 66), (128, 189)):
        assert shown.getpixel((x, y)) == ground
    for x, y in ((128, 128), (9, 128), (246, 128), (128, 70), (128, 185)):
        assert shown.getpixel((x, y)) == (0x10, 0x20, 0x30)
    if dpi:
        assert file[1:3] == (236, 118), "60×30 mm at 100 dpi"


def test_fill_distorts() -> None:
    master = Image.new("RGB", (100, 10), "#ffffff")
    master.paste("#ff0000", (50, 0, 100, 10))
    shown = seen(made(master, Recipe("pdf", page=(40.0, 40.0), fit="fill")))
    assert shown.getpixel((40, 5)) == (255, 255, 255)
    assert shown.getpixel((120, 155)) == (255, 0, 0)


def test_without_paper_a_pixel_is_a_point_or_what_dpi_says() -> None:
    master = noise(120, 80)
    assert box(leaf(made(master, Recipe("pdf"))), "/MediaBox") == [0, 0, 120, 80]
    assert box(leaf(made(master, Recipe("pdf", dpi=300))), "/MediaBox") == pytest.approx([0, 0, 28.8, 19.2], abs=0.01)
    smaller = made(master, Recipe("pdf", width=60, dpi=144))
    assert smaller[1:3] == (60, 40)
    assert box(leaf(smaller), "/MediaBox") == [0, 0, 30, 20]
    own = made(master, Recipe("pdf", width=60))
    assert own[1:3] == (120, 80), "no dpi, no resampling"
    assert box(leaf(own), "/MediaBox") == [0, 0, 60, 40]


def test_dpi_is_exact() -> None:
    file = made(noise(200, 300), Recipe("pdf", page=(100.0, 150.0), bleed=3.0, dpi=150))
    assert file[1:3] == (round(106 / 25.4 * 150), round(156 / 25.4 * 150))
    assert (embedded(file)["/Width"], embedded(file)["/Height"]) == file[1:3]


def test_resampling_is_one_step_of_lanczos() -> None:
    master = noise(200, 100)
    file = made(master, Recipe("pdf", width=50, height=50, dpi=72))
    wanted = master.resize((50, 50), Image.Resampling.LANCZOS, box=(50, 0, 150, 100))
    assert unpredicted(embedded(file)) == wanted.tobytes()


# ---- crop marks -----------------------------------------------------------------------------------------------------------


def test_crop_marks_stand_at_the_trim_and_leave_the_bleed_alone() -> None:
    file = made(Image.new("RGB", (96, 61), "#ffffff"), Recipe("pdf", page=(90.0, 55.0), bleed=3.0, marks=True))
    shown = seen(file, 20).convert("L")
    wide, high = shown.size
    assert (wide, high) == (110 * 20, 75 * 20)

    def dark(left: float, top: float, right: float, bottom: float) -> bool:
        part = shown.crop((round(left * 20), round(top * 20), round(right * 20), round(bottom * 20)))
        return part.getextrema()[0] < 200  # type: ignore[operator]

    for x in (10.0, 100.0):  # trim edges, in mm of the sheet
        assert dark(x - 0.1, 1.2, x + 0.1, 1.6)
        assert dark(x - 0.1, 5.4, x + 0.1, 5.8)
        assert dark(x - 0.1, 69.2, x + 0.1, 69.6)
    for y in (10.0, 65.0):
        assert dark(1.2, y - 0.1, 1.6, y + 0.1)
        assert dark(104.4, y - 0.1, 104.8, y + 0.1)
    assert not dark(6.1, 6.1, 103.9, 68.9), "outside the bleed"
    assert not dark(0, 0, 110, 0.9)
    assert not dark(11, 0, 99, 6.1), "only at the corners"


def test_crop_marks_are_on_every_plate() -> None:
    page = leaf(made(noise(9, 9), Recipe("pdf", page=(50.0, 50.0), marks=True)))
    space = page["/Resources"]["/ColorSpace"]["/Marks"]
    assert list(space[:3]) == ["/Separation", "/All", "/DeviceCMYK"]
    assert "0.25 w" in page.get_contents().get_data().decode()
    bare = leaf(made(noise(9, 9), Recipe("pdf", page=(50.0, 50.0))))
    assert "/ColorSpace" not in bare["/Resources"]


@pytest.mark.parametrize("vector", [False, True])
def test_what_blends_leaves_the_marks_on_every_plate(vector: bool) -> None:
    """A page that is a group of RGB turns registration colour into RGB and that into a dark brown: a mark of 60 % on some plates."""
    picture = Image.new("RGBA", (200, 300), (200, 100, 50, 128))
    file = made(picture, Recipe("pdf", page=(50.0, 75.0), bleed=3.0, marks=True), vector=poster() if vector else None)
    page = leaf(file)
    assert "/Group" not in page
    assert blended(file)["/Group"]["/CS"][0] == "/ICCBased"
    assert b"/Marks CS" in page.get_contents().get_data()
    assert b"/Marks" not in blended(file).get_data()


# ---- pixels and colours -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("effort", [None, 1, 10])
def test_pixels_are_embedded_without_loss(mode: str, effort: int | None) -> None:
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    master = Image.merge(mode, [noise(61, 47, "L").rotate(90 * i).resize((61, 47)) for i in range(bands)])
    found = embedded(made(master, Recipe("pdf", page=(61.0, 47.0), bleed=0.0, effort=effort)))
    assert found["/Filter"] == "/FlateDecode"
    colours = master.convert({"LA": "L", "RGBA": "RGB"}.get(mode, mode)) if "A" not in mode else None
    wanted = (colours or Image.merge(mode[:-1], master.split()[:-1])).tobytes()
    assert unpredicted(found) == wanted
    if "A" in mode:
        assert unpredicted(found["/SMask"]) == master.getchannel("A").tobytes()
    else:
        assert "/SMask" not in found


def test_rgb_is_named_as_srgb_and_grey_prints_with_black_alone() -> None:
    space = embedded(made(noise(4, 4), Recipe("pdf")))["/ColorSpace"]
    assert space[0] == "/ICCBased"
    profile = ImageCms.ImageCmsProfile(io.BytesIO(space[1].get_object().get_data()))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert embedded(made(noise(4, 4, "L"), Recipe("pdf")))["/ColorSpace"] == "/DeviceGray"
    assert embedded(made(noise(4, 4), Recipe("pdf", strip=True)))["/ColorSpace"] == "/DeviceRGB"


def test_a_profile_that_says_srgb_changes_no_pixel() -> None:
    """Every camera and program has its own bytes for sRGB."""
    master = noise(64, 64)
    master.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert unpredicted(embedded(made(master, Recipe("pdf")))) == master.tobytes()
    kept = embedded(made(master, Recipe("pdf", icc="keep")))
    assert unpredicted(kept) == master.tobytes()
    assert kept["/ColorSpace"][1].get_object().get_data() == master.info["icc_profile"]
    master.info["icc_profile"] = swapped()
    assert unpredicted(embedded(made(master, Recipe("pdf", icc="0" * 64), icc=swapped()))) == master.tobytes()


def swapped() -> bytes:
    """An RGB profile of another colour space: sRGB with red and green changed."""
    raw = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(struct.unpack_from(">I", raw, 128)[0]):
        at = 132 + 12 * i
        name = bytes(raw[at : at + 4])
        if name in (b"rXYZ", b"gXYZ"):
            raw[at : at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
    return bytes(raw)


def test_the_masters_profile_is_turned_into_srgb_or_kept() -> None:
    master = Image.new("RGB", (4, 4), (200, 30, 10))
    master.info["icc_profile"] = swapped()
    turned = unpredicted(embedded(made(master, Recipe("pdf"))))[:3]
    assert turned == pytest.approx((30, 200, 10), abs=2)
    kept = embedded(made(master, Recipe("pdf", icc="keep")))
    assert unpredicted(kept)[:3] == bytes((200, 30, 10))
    assert kept["/ColorSpace"][1].get_object().get_data() == swapped()
    stripped = embedded(made(master, Recipe("pdf", icc="keep", strip=True)))
    assert stripped["/ColorSpace"] == "/DeviceRGB"
    assert unpredicted(stripped)[:3] == turned, "without its profile it would be read as sRGB"
    assert master.info["icc_profile"] == swapped(), "the master is others' too"


def test_a_press_gets_cmyk_and_its_name() -> None:
    press = cmyk_profile()
    master = Image.new("RGB", (60, 40), "#ffffff")
    for i, colour in enumerate(("#ff0000", "#00aa00", "#0000ff", "#000000", "#808080")):
        master.paste(colour, (i * 12, 0, i * 12 + 12, 30))
    recipe = Recipe("pdf", page=(60.0, 40.0), icc="0" * 64, bleed=1.0, marks=True)
    file = made(master, recipe, icc=press)
    found = embedded(file)
    assert found["/ColorSpace"][0] == "/ICCBased"
    stream = found["/ColorSpace"][1].get_object()
    assert stream["/N"] == 4
    assert stream.get_data() == press
    wanted = ImageCms.profileToProfile(
        master,
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(press)),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="CMYK",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert wanted is not None
    assert unpredicted(found) == wanted.crop((0, 0, 60, 40)).tobytes()[: len(unpredicted(found))]
    reader = pypdf.PdfReader(io.BytesIO(file.data))
    (intent,) = reader.root_object["/OutputIntents"]  # type: ignore[misc]
    assert intent.get_object()["/Info"] == "Test press"
    assert intent.get_object()["/DestOutputProfile"].get_object().get_data() == press
    assert b"GTS_PDFXVersion" not in file.data
    shown = seen(file)
    for i, channel in ((0, 0), (2, 2)):  # what a viewer makes of it is near to what was meant
        r, g, b = shown.getpixel((32 + 4 * (i * 12 + 6), 80))  # type: ignore[misc]
        assert (r, g, b)[channel] == max(r, g, b) > 150


def test_cmyk_as_jpeg_is_not_upside_down() -> None:
    press = cmyk_profile()
    master = Image.new("RGB", (40, 40), "#f0d020")
    plain = seen(made(master, Recipe("pdf", icc="0" * 64), icc=press), 1)
    lossy = seen(made(master, Recipe("pdf", icc="0" * 64, quality=95), icc=press), 1)
    assert max(top for _, top in ImageChops.difference(plain, lossy).getextrema()) < 12  # type: ignore[misc,str-unpack]
    r, _, b = plain.getpixel((5, 5))  # type: ignore[misc]
    assert r > b + 50


def test_transparency_on_a_press_and_on_a_matte() -> None:
    press = cmyk_profile()
    master = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    master.paste((0, 0, 255, 255), (0, 0, 20, 40))
    veiled = embedded(made(master, Recipe("pdf", icc="0" * 64), icc=press))
    assert unpredicted(veiled["/SMask"]) == master.getchannel("A").tobytes()
    flat = made(master, Recipe("pdf", icc="0" * 64, matte="#ffff00"), icc=press)
    assert "/SMask" not in embedded(flat)
    raw = unpredicted(embedded(flat))
    yellow = raw[-4:]
    assert yellow[2] > 150 > max(yellow[0], yellow[1])


def test_transparency_stays_or_lies_on_the_matte() -> None:
    master = Image.new("RGBA", (40, 20), (255, 0, 0, 0))
    master.paste((0, 0, 255, 128), (0, 0, 20, 20))
    clear = made(master, Recipe("pdf", page=(40.0, 40.0), fit="contain"))
    assert "/SMask" in embedded(clear)
    assert blended(clear)["/Group"]["/CS"][0] == "/ICCBased"
    assert b" f Q" not in blended(clear).get_data() + leaf(clear).get_contents().get_data(), "nothing is painted below it"
    flat = made(master, Recipe("pdf", page=(40.0, 40.0), fit="contain", matte="#00ff00"))
    assert "/SMask" not in embedded(flat)
    shown = seen(flat)
    assert shown.getpixel((120, 80)) == shown.getpixel((80, 5)) == (0, 255, 0)
    assert shown.getpixel((40, 80)) == pytest.approx((0, 127, 128), abs=1)


def test_shades_at_the_rim_of_transparency_stay_clean() -> None:
    """What is invisible doesn't bleed into what is seen when it is made smaller."""
    master = Image.new("RGBA", (80, 80), (255, 0, 0, 0))
    master.paste((0, 0, 255, 255), (0, 0, 37, 80))
    flat = made(master, Recipe("pdf", width=20, height=20, dpi=72, matte="#ffffff"))
    raw = unpredicted(embedded(flat))
    assert all(raw[i] <= raw[i + 2] for i in range(0, len(raw), 3)), "no red anywhere"


def greys() -> bytes:
    """A profile of greys by the curve 2.2, written by hand (ICC.1:2001)."""
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + b"\0" * 78,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061),
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 563),
    }
    index, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        index += struct.pack(">4sII", name, at + len(body), len(content))
        body += content + b"\0" * (-len(content) % 4)
    head = struct.pack(
        ">I4sI4s4s4s6H4s", at + len(body), b"none", 0x02400000, b"mntr", b"GRAY", b"XYZ ", 2000, 1, 1, 0, 0, 0, b"acsp"
    )
    return (head + b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0") + index + body


def test_a_kept_profile_of_greys_gives_way_to_a_coloured_matte() -> None:
    for mode, fill in (("L", 90), ("LA", (90, 255))):
        master = Image.new(mode, (20, 20), fill)
        master.info["icc_profile"] = greys()
        recipe = Recipe("pdf", page=(20.0, 40.0), fit="contain", icc="keep")
        assert embedded(made(master, recipe))["/ColorSpace"][1].get_object().get_data() == greys()
        shown = seen(made(master, recipe._replace(matte="#ff8000")))
        assert shown.getpixel((40, 5)) == (255, 128, 0)
        r, g, b = shown.getpixel((40, 80))  # type: ignore[misc]
        assert r == g == b


def test_grey_on_a_coloured_matte_becomes_colour() -> None:
    shown = seen(made(Image.new("LA", (20, 20), (90, 0)), Recipe("pdf", matte="#ff8000")))
    assert shown.getpixel((9, 9)) == (255, 128, 0)
    beside = seen(made(Image.new("L", (20, 20), 90), Recipe("pdf", page=(20.0, 40.0), fit="contain", matte="#ff8000")))
    assert beside.getpixel((40, 5)) == (255, 128, 0)
    assert beside.getpixel((40, 80)) == (90, 90, 90)


@pytest.mark.parametrize(
    ("options", "kind"), [({"quality": 80}, "DCT"), ({"lossless": False}, "DCT"), ({"quality": 80, "lossless": True}, "Flate")]
)
def test_a_jpeg_inside_only_when_told(options: dict[str, Any], kind: str) -> None:
    master = noise(64, 64, "L").convert("RGB").resize((256, 256), Image.Resampling.BICUBIC)
    file = made(master, Recipe("pdf", **options))
    assert embedded(file)["/Filter"] == f"/{kind}Decode"
    assert max(top for _, top in ImageChops.difference(seen(file, 72 / 25.4), master).getextrema()) < 60  # type: ignore[misc,str-unpack]


# ---- vectors --------------------------------------------------------------------------------------------------------------


def test_texts_stay_texts() -> None:
    file = made(noise(200, 300), Recipe("pdf", page=(200 / MM, 300 / MM), dpi=72), vector=poster())
    page = leaf(file)
    assert page.extract_text().split() == ["Brewed", "slowly"]
    assert embedded(file)["/Subtype"] == "/Form"
    assert file.notes == ()
    with pypdfium2.PdfDocument(file.data) as document, pypdfium2.PdfDocument(poster()) as before:
        ours, theirs = (one[0].render(scale=2).to_pil().convert("RGB") for one in (document, before))
    assert ours.size == theirs.size
    assert max(top for _, top in ImageChops.difference(ours, theirs).getextrema()) < 40  # type: ignore[misc,str-unpack]


@pytest.mark.parametrize("fit", ["cover", "contain", "fill"])
@pytest.mark.parametrize("focus", [(0.5, 0.5), (0.0, 1.0)])
def test_vectors_are_cut_as_the_pixels_are(fit: Any, focus: tuple[float, float]) -> None:
    body = '#place(center + horizon, circle(radius: 40pt, fill: rgb("#c02020")))#place(bottom, rect(width: 60pt, height: 30pt, fill: blue))'
    drawing = poster(body=body)
    with pypdfium2.PdfDocument(drawing) as document:
        master = document[0].render(scale=2).to_pil().convert("RGB")
    recipe = Recipe("pdf", page=(80.0, 60.0), bleed=4.0, marks=True, fit=fit, focus=focus, matte="#202020")
    lines, dots = seen(made(master, recipe, vector=drawing)), seen(made(master, recipe))
    strange = ImageChops.difference(lines, dots).convert("L").point(lambda v: 255 if v > 60 else 0)
    assert sum(strange.histogram()[200:]) < lines.width * lines.height * 0.005


def test_vectors_whose_colours_must_be_turned_become_pixels_and_it_is_said() -> None:
    file = made(noise(200, 300), Recipe("pdf", page=(50.8, 76.2), icc="0" * 64), vector=poster(), icc=cmyk_profile())
    assert embedded(file)["/Subtype"] == "/Image"
    (note,) = file.notes
    assert note == "its texts and drawings are pixels (100 to the inch): only pixels can be turned into the profile under `icc`"


def test_a_trimmed_picture_is_cut_to_its_object() -> None:
    pytest.importorskip("assetbuild.pictures.cutting")
    master = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    master.paste((200, 30, 30, 255), (200, 120, 260, 180))
    recipe = Recipe("pdf", page=(50.0, 50.0), trim=0.0, focus="attention")
    file = made(master, recipe, vector=poster(300, 200), focus=(0.0, 0.0))
    assert seen(file).getpixel((100, 100)) == (200, 30, 30)
    assert file[1:3] == (60, 60)
    assert file.notes[0].endswith("only pixels can be trimmed")


@pytest.mark.parametrize("broken", [b"", b"no pdf", b"%PDF-1.7\n%%EOF", "two pages", "cut off"])
def test_a_drawing_that_is_none(broken: bytes | str) -> None:
    if broken == "two pages":
        broken = bytes(typst.compile(b"a #pagebreak() b", format="pdf"))
    elif broken == "cut off":
        broken = poster()[:300]
    assert isinstance(broken, bytes)
    with pytest.raises(CantExport, match="the drawing of the picture") as problem:
        made(noise(9, 9), Recipe("pdf"), vector=broken)
    assert problem.value.hint


# ---- the file -------------------------------------------------------------------------------------------------------------


def test_what_the_file_says_of_itself() -> None:
    packet = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="r"?>'
    for title in ("poster-de", "Käfer (画) \\ مرحبا 🫘", "/Name)", ""):
        file = made(noise(4, 4), Recipe("pdf"), title=title, xmp=packet)
        reader = pypdf.PdfReader(io.BytesIO(file.data))
        assert dict(reader.metadata or {}) == {"/Producer": "assetbuild"} | ({"/Title": title} if title else {})
        assert reader.root_object["/Metadata"].get_object().get_data() == packet
        assert packet in file.data, "readable without unpacking"
    bare = pypdf.PdfReader(io.BytesIO(made(noise(4, 4), Recipe("pdf", strip=True), title="x", xmp=packet).data))
    assert "/Metadata" not in bare.root_object
    assert dict(bare.metadata or {}) == {"/Producer": "assetbuild"}


def test_half_a_character_is_no_title() -> None:
    file = made(noise(4, 4), Recipe("pdf"), title="a\ud800b")
    assert (pypdf.PdfReader(io.BytesIO(file.data)).metadata or {})["/Title"] == "a?b"


def test_the_same_bytes_at_any_time() -> None:
    def all_kinds() -> list[bytes]:
        sheet = Recipe("pdf", page=(90.0, 55.0), bleed=3.0, marks=True, matte="#ffcc00", fit="contain")
        return [
            made(noise(40, 30, "RGBA"), sheet, title="a").data,
            made(noise(40, 30), sheet._replace(icc="0" * 64), icc=cmyk_profile()).data,
            made(noise(200, 300), sheet, vector=drawing).data,
            made(noise(40, 30), Recipe("pdf", quality=70)).data,
        ]

    drawing = poster()
    first = all_kinds()
    time.sleep(1.1)  # a clock that gets in shows in seconds
    assert all_kinds() == first
    ids = [str(pypdf.PdfReader(io.BytesIO(data)).trailer["/ID"]) for data in first]
    assert len(set(ids)) == len(ids)
    for data in first:
        assert b"CreationDate" not in data


def test_the_masters_pixels_stay_as_they_are() -> None:
    master = noise(30, 20, "RGBA")
    master.info["dpi"] = (300, 300)
    before = master.tobytes(), dict(master.info)
    made(master, Recipe("pdf", page=(10.0, 10.0), matte="#fff000", quality=50))
    assert (master.tobytes(), master.info) == before


# ---- extremes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("dpi", [None, 20.0])
def test_one_pixel_is_a_picture(mode: str, dpi: float | None) -> None:
    dot = Image.new(mode, (1, 1), {"L": 77, "LA": (77, 255), "RGB": (7, 77, 200), "RGBA": (7, 77, 200, 255)}[mode])
    assert seen(made(dot, Recipe("pdf", dpi=dpi)), 2.8).size >= (1, 1)
    shown = seen(made(dot, Recipe("pdf", page=(841.0, 1189.0), bleed=3.0, dpi=dpi)), 0.2)
    assert shown.getcolors() == [(shown.width * shown.height, dot.convert("RGB").getpixel((0, 0)))]


@pytest.mark.parametrize("size", [(10_000, 10), (10, 10_000)])
@pytest.mark.parametrize("dpi", [None, 30.0])
@pytest.mark.parametrize("fit", ["cover", "contain", "inside"])
def test_a_strip_is_a_picture(size: tuple[int, int], dpi: float | None, fit: Any) -> None:
    master = Image.new("RGB", size, "#c02020")
    file = made(master, Recipe("pdf", page=(210.0, 297.0), bleed=3.0, marks=True, dpi=dpi, fit=fit))
    shown = seen(file, 2)
    assert shown.getpixel((shown.width // 2, shown.height // 2)) != (255, 255, 255)
    assert seen(made(master, Recipe("pdf")), 0.1).size
    assert made(master, Recipe("pdf", width=100, dpi=dpi)).width == (100 if dpi else size[0])


def test_a0_with_bleed() -> None:
    file = made(noise(1024, 1536), Recipe("pdf", page=(841.0, 1189.0), bleed=3.0, marks=True, dpi=100))
    assert file[1:3] == (round(847 / 25.4 * 100), round(1195 / 25.4 * 100))
    assert box(leaf(file), "/TrimBox")[2] - box(leaf(file), "/TrimBox")[0] == pytest.approx(841 * MM, abs=0.01)


def test_a_banner_counts_in_larger_units() -> None:
    """A side of a page has at most 14,400 units; 12 m are 34,016 points."""
    file = made(noise(120, 20), Recipe("pdf", page=(12_000.0, 2_000.0), bleed=10.0, marks=True))
    page = leaf(file)
    unit = page["/UserUnit"]
    assert unit == 3
    trim = box(page, "/TrimBox")
    assert (trim[2] - trim[0]) * 3 == pytest.approx(12_000 * MM, abs=0.01)
    assert max(box(page, "/MediaBox")) <= 14_400


def test_what_cant_be_done_is_said() -> None:
    master = noise(8, 8)
    for recipe, text in (
        (Recipe("pdf", max_bytes=1000), "`max_bytes`"),
        (Recipe("pdf", colors=16), "`colors`"),
        (Recipe("pdf", bleed=3.0), "`bleed` needs a size on paper"),
        (Recipe("pdf", page=(841.0, 1189.0), dpi=10_000), "331,102×468,110 pixels"),
    ):
        with pytest.raises(CantExport, match=text) as problem:
            made(master, recipe)
        assert problem.value.hint
    for profile in (b"", b"no profile", cmyk_profile()[:200]):
        with pytest.raises(CantExport, match="`icc`"):
            made(master, Recipe("pdf", icc="0" * 64), icc=profile)
    with pytest.raises(CantExport, match="65,500 pixels a side"):
        made(Image.new("L", (65_501, 1)), Recipe("pdf", quality=80))
