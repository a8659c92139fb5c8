"""Logos and drawings laid over a picture: sizes, opacity, and drawings of strangers that want more than to be drawn."""

from __future__ import annotations

import base64
import io
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import assetbuild.pictures
from assetbuild.pictures.wanted import CantExport
from assetbuild.providers import local
from assetbuild.providers.base import Kind, ProviderError

from .composing import SVG, Studio

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def raster(
    studio: Studio, size: tuple[int, int] = (200, 100), color: tuple[int, ...] = (255, 0, 0, 255), form: str = "PNG"
) -> Path:
    out = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(out, form)
    return studio.file(out.getvalue())


@pytest.mark.parametrize("kind", ["svg", "png"])
@pytest.mark.parametrize(
    ("more", "size"),
    [
        ({}, (80, 40)),
        ({"width": "50%"}, (200, 100)),
        ({"width": "50px"}, (50, 25)),
        ({"height": "10%"}, (120, 60)),
        ({"width": "50%", "height": "40px"}, (80, 40)),
        ({"width": "100%"}, (400, 200)),
        ({"width": "100%", "at": "left"}, (368, 184)),
        ({"width": "50%", "rotate": 90}, (100, 200)),
    ],
)
def test_sizes_keep_the_shape(studio: Studio, kind: str, more: dict[str, Any], size: tuple[int, int]) -> None:
    logo = studio.file(SVG) if kind == "svg" else raster(studio)
    left, top, right, bottom = studio.ink({"file": 1, **more}, files=(logo,))
    assert (right - left, bottom - top) == size


@pytest.mark.parametrize("kind", ["svg", "png", "jpeg"])
@pytest.mark.parametrize("at", ["top left", "center", "bottom end"])
def test_both_kinds_stand_in_the_same_place(studio: Studio, kind: str, at: str) -> None:
    logo = studio.file(SVG) if kind == "svg" else raster(studio, color=(255, 0, 0), form=kind)
    found = studio.ink({"file": 1, "at": at, "margin": "5%"}, files=(logo,))
    assert found == {"top left": (20, 20, 100, 60), "center": (160, 280, 240, 320), "bottom end": (300, 540, 380, 580)}[at]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_opacity(studio: Studio, kind: str) -> None:
    logo = studio.file(SVG) if kind == "svg" else raster(studio)
    found = studio.composed(studio.plain(), {"file": 1, "opacity": 0.5}, files=(logo,))
    pixel = found.getpixel((200, 300))
    assert isinstance(pixel, tuple)
    assert all(abs(a - b) <= 1 for a, b in zip(pixel, (255, 128, 128), strict=True))


def test_a_raster_logo_of_the_right_size_is_laid_over_exactly(studio: Studio) -> None:
    noise = Image.merge("RGB", [Image.effect_noise((64, 48), 90) for _ in range(3)])
    out = io.BytesIO()
    noise.save(out, "PNG")
    found = studio.composed(
        studio.plain(), {"file": 1, "width": "64px", "at": "top left", "margin": "8px"}, files=(studio.file(out.getvalue()),)
    )
    assert found.crop((8, 8, 72, 56)).tobytes() == noise.tobytes()


def test_items_lie_over_each_other_in_their_order(studio: Studio) -> None:
    blue = raster(studio, (100, 100), (0, 0, 255))
    red = studio.file(SVG)
    items = [{"file": 1, "width": "40%"}, {"file": 2, "width": "40%"}]
    assert studio.composed(studio.plain(), *items, files=(red, blue)).getpixel((200, 300)) == (0, 0, 255)
    assert studio.composed(studio.plain(), *items, files=(blue, red)).getpixel((200, 300)) == (255, 0, 0)


def test_a_ground_behind_a_logo(studio: Studio) -> None:
    clear = raster(studio, (100, 100), (0, 0, 0, 0))
    for logo in (clear, studio.file(f'<svg {NS} viewBox="0 0 9 9"/>')):
        found = studio.composed(studio.plain(), {"file": 1, "width": "50%", "background": "#00ff00"}, files=(logo,))
        assert found.getpixel((200, 300)) == (0, 255, 0)


BOMB = "".join(f'<g id="g{n}"><use href="#g{n - 1}"/><use href="#g{n - 1}"/></g>' for n in range(1, 40))
EMBEDDED = base64.b64encode(b"no picture").decode()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (f'<svg {NS} viewBox="0 0 9 9"><image href="secret.png" width="9" height="9"/></svg>', "another place (`secret.png`)"),
        (
            f'<svg {NS} viewBox="0 0 9 9"><image xlink:href="file:///etc/hostname" width="9" height="9"/></svg>',
            "`file:///etc/hostname`",
        ),
        (f'<svg {NS} viewBox="0 0 9 9"><image href="/overlay.typ" width="9" height="9"/></svg>', "`/overlay.typ`"),
        (f'<svg {NS} viewBox="0 0 9 9"><image href="http://127.0.0.1:9/x.png" width="9" height="9"/></svg>', "another place"),
        (f'<svg {NS} viewBox="0 0 9 9"><use href="other.svg#a"/></svg>', "another place"),
        (f'<svg {NS} viewBox="0 0 9 9"><style>@import "x.css";</style></svg>', "`@import`"),
        (f'<svg {NS} viewBox="0 0 9 9"><rect width="9" height="9" fill="url(x.svg#a)"/></svg>', "`x.svg#a`"),
        (f'<svg {NS} viewBox="0 0 9 9"><rect width="9" height="9" style="fill:url( \'http://x/y\' )"/></svg>', "`http://x/y`"),
        (
            f'<svg {NS} viewBox="0 0 9 9"><image href="data:image/svg+xml;base64,AAAA" width="9" height="9"/></svg>',
            "another place",
        ),
        (
            f'<svg {NS} viewBox="0 0 9 9"><image href="data:image/png;base64,{EMBEDDED}" width="9" height="9"/></svg>',
            "that is damaged",
        ),
        (f'<svg {NS} viewBox="0 0 9 9"><text x="1" y="5">Fika</text></svg>', "letters as text, which need a font"),
        (f'<svg {NS} viewBox="0 0 9 9"><foreignObject><p/></foreignObject></svg>', "a piece of a web page"),
        (f'<svg {NS} viewBox="0 0 9 9"><g id="a"><use href="#a"/></g></svg>', "repeats itself without end"),
        (f'<svg {NS} viewBox="0 0 9 9"><g id="g0"><rect width="9" height="9"/></g>{BOMB}</svg>', "repeats itself without end"),
        (f'<svg {NS} viewBox="0 0 9 9">{"<g>" * 5000}{"</g>" * 5000}</svg>', "too deep or too large"),
        (f'<svg {NS}><rect width="9" height="9"/></svg>', "doesn't say how large it is"),
        (f'<svg {NS} width="1e30" height="1"/>', "has a size of 1e+30×1"),
        (f'<svg {NS} width="nan" height="0" viewBox="0 0 0 -1"/>', "doesn't say how large it is"),
        (f'<svg {NS} viewBox="0 0 9 9"><rect>', "can't be read as a drawing"),
        (
            f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]><svg {NS} viewBox="0 0 9 9"><desc>&x;</desc></svg>',
            "can't be read as a drawing",
        ),
        ("\x1f\x8b packed", "packed drawing"),
        ("<html><svg/></html>", "is no SVG drawing"),
        ("%PDF-1.4", "is no picture file"),
        ("", "is no picture file"),
    ],
)
def test_a_drawing_that_wants_more_than_to_be_drawn(studio: Studio, source: str, text: str) -> None:
    """Refused by name, also before the base is there; nothing is opened."""
    data = source.encode("latin-1" if source.startswith("\x1f") else "utf-8")
    logo = studio.file(data)
    with pytest.raises(ProviderError) as caught:
        local.done(studio.request(studio.plain(), {"file": 1}, files=(logo,)))
    assert text in caught.value.text
    assert f"`brand/{logo.name}`" in caught.value.text
    assert caught.value.kind is Kind.INVALID
    assert caught.value.hint
    request = studio.request(studio.plain(), {"file": 1}, files=(logo,))
    request.inputs[0].path.unlink()
    assert local.check(request) == [f"{caught.value.text}: {caught.value.hint}"]


def test_entities_that_multiply_are_stopped(studio: Studio) -> None:
    entities = '<!ENTITY a0 "' + "x" * 1000 + '">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 20}">' for n in range(1, 8))
    bomb = studio.file(f'<!DOCTYPE svg [{entities}]><svg {NS} viewBox="0 0 9 9"><desc>&a7;</desc></svg>')
    with pytest.raises(ProviderError, match="can't be read as a drawing"):
        studio.composed(studio.plain(), {"file": 1}, files=(bomb,))


def test_what_a_drawing_program_writes_is_fine(studio: Studio) -> None:
    """Links to home pages, metadata, entities of its own names, scripts that nobody runs, embedded pictures, styles."""
    out = io.BytesIO()
    Image.new("RGB", (4, 4), "#ff0000").save(out, "PNG")
    inner = base64.b64encode(out.getvalue()).decode()
    source = f"""<?xml version="1.0" encoding="UTF-8"?><!-- made elsewhere -->
    <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [<!ENTITY ns "http://www.w3.org/2000/svg">]>
    <svg xmlns="&ns;" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:i="http://ns.adobe.com/x" width="40mm" height="20mm" viewBox="0 0 200 100">
    <metadata><i:x/></metadata><script>alert(1)</script><title>t</title><style>.a {{ fill: url(#g) }}</style>
    <defs><linearGradient id="g"><stop stop-color="#f00"/></linearGradient><rect id="r" class="a" width="100" height="100"/></defs>
    <a href="https://example.org"><use xlink:href="#r"/></a><image x="100" width="100" height="100" href="data:image/png;base64,{inner}"/></svg>"""
    left, top, right, bottom = studio.ink({"file": 1, "width": "50%"}, files=(studio.file(source),))
    assert (right - left, bottom - top) == (200, 100)


def test_logos_that_are_no_pictures_of_ours(studio: Studio) -> None:
    damaged = raster(studio)
    damaged.write_bytes(damaged.read_bytes()[:-30])
    with pytest.raises(ProviderError, match="damaged or cut off"):
        studio.composed(studio.plain(), {"file": 1}, files=(damaged,))


def test_the_page_of_vectors_is_the_same_picture(studio: Studio) -> None:
    """One page, a pixel is a point; texts are text, the base keeps every pixel."""
    import pypdf

    base = studio.base((300, 200))
    items: list[dict[str, Any]] = [
        {"text": "Straße *süß*", "at": "top", "color": "#fff"},
        {"text": "turned", "at": "left", "rotate": 90, "background": "#fff"},
        {"file": 1, "at": "right", "opacity": 0.5},
        {"file": 2, "at": "bottom", "rotate": 270},
        {"barcode": "ean8", "value": "96385074", "at": "bottom left", "width": "60%"},
    ]
    request = studio.request(base, *items, files=(studio.file(SVG), raster(studio, (30, 20))))
    pdf = local.vector(request)
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    (page,) = reader.pages
    assert [float(side) for side in page.mediabox] == [0, 0, 300, 200]
    text = page.extract_text()
    assert "Straße *süß*" in text
    assert "turned" in text
    assert "9638" in text
    embedded = next(image.image for image in page.images if image.image is not None and image.image.size == (300, 200))
    assert embedded.convert("RGB").tobytes() == Image.open(base).tobytes()
    assert all(b"/Date" not in str(key).encode() for key in (reader.metadata or {}))

    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        shown = document[0].render(scale=1).to_pil().convert("RGB")
    drawn = Image.open(io.BytesIO(local.done(request).images[0].data)).convert("RGB")
    assert _apart(shown, drawn) < 4
    assert _apart(shown, Image.open(base).convert("RGB")) > 20


def _apart(one: Image.Image, other: Image.Image) -> float:
    from PIL import ImageChops, ImageStat

    return float(sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3)


def test_a_trimmed_picture_has_no_vectors(studio: Studio) -> None:
    with pytest.raises(ProviderError, match="a picture that is trimmed has no vectors"):
        local.vector(studio.request(studio.plain(), {"text": "x"}, trim=0.1))


def test_a_sheet_is_cut_into_named_pieces(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cutting itself is a room of its own; here its pieces get their names."""
    asked: list[tuple[tuple[int, int], dict[str, Any], int]] = []

    def cut(picture: Image.Image, params: dict[str, Any], count: int) -> list[Image.Image]:
        asked.append((picture.size, dict(params), count))
        return [picture.crop((10 * n, 0, 10 * n + 10, 10)) for n in range(count)]

    _cutting(monkeypatch, cut=cut)
    base = studio.base((40, 10))
    request = studio.request(base)._replace(op="cut", model="cut-1", params={"columns": 4, "rows": 1}, members=("heart", "coin"))
    made = local.done(request).images
    assert asked == [((40, 10), {"columns": 4, "rows": 1}, 2)]
    assert [(one.member, one.media) for one in made] == [("heart", "image/png"), ("coin", "image/png")]
    assert Image.open(io.BytesIO(made[1].data)).tobytes() == Image.open(base).crop((10, 0, 20, 10)).tobytes()
    assert local.check(request) == []
    with pytest.raises(ProviderError, match="`cut` needs a base picture"):
        local.done(request._replace(inputs=()))


def test_a_composed_picture_is_trimmed_at_the_end(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def trim(picture: Image.Image, margin: float) -> Image.Image:
        if margin > 1:
            raise CantExport("nothing is left", hint="trim less")
        return picture.crop((0, 0, 50, 60))

    _cutting(monkeypatch, trim=trim)
    assert studio.composed(studio.plain(), {"text": "x"}, trim=0.08).size == (50, 60)
    with pytest.raises(ProviderError, match="nothing is left") as caught:
        studio.composed(studio.plain(), trim=2)
    assert (caught.value.kind, caught.value.hint) == (Kind.INVALID, "trim less")


def _cutting(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    module = types.ModuleType("assetbuild.pictures.cutting")
    for name, function in functions.items():
        setattr(module, name, function)
    monkeypatch.setitem(sys.modules, "assetbuild.pictures.cutting", module)
    monkeypatch.setattr(assetbuild.pictures, "cutting", module, raising=False)
