"""Barcodes laid over a picture: read back by a scanner's library, with quiet zones and bars that are wide enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.providers import local
from assetbuild.providers.base import ProviderError

from .composing import Studio

zxingcpp = pytest.importorskip("zxingcpp")

CODES = [
    ("ean13", "4006381333931", "4006381333931"),
    ("ean13", "0000000000000", "0000000000000"),
    ("ean13", "9 783161-484100", "9783161484100"),
    ("ean8", "96385074", "96385074"),
    ("upca", "036000291452", "0036000291452"),  # it is an EAN-13 with a zero before it
    ("code128", "FIKA-250 a~7", "FIKA-250 a~7"),
    ("code128", "123456789012", "123456789012"),
    ("qr", "https://example.org/größe?x=1&y=☕", "https://example.org/größe?x=1&y=☕"),
    ("qr", "12345", "12345"),
    ("qr", "A" * 300, "A" * 300),
]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def read(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture.convert("RGB"))]


@pytest.mark.parametrize(("kind", "value", "text"), CODES)
@pytest.mark.parametrize("more", [{}, {"rotate": 90}, {"rotate": 180}, {"color": "#2b2d42", "background": "#f7f4ea"}], ids=str)
def test_a_scanner_reads_it(studio: Studio, kind: str, value: str, text: str, more: dict[str, Any]) -> None:
    """On a ground of noise, which only the quiet zone keeps away."""
    base = studio.base((700, 700), "RGB")
    assert read(studio.composed(base, {"barcode": kind, "value": value, "width": "60%", **more})) == [text]


def test_without_digits(studio: Studio) -> None:
    found = studio.composed(
        studio.base((700, 700)), {"barcode": "ean13", "value": "4006381333931", "width": "60%", "digits": False}
    )
    assert read(found) == ["4006381333931"]


@pytest.mark.parametrize(
    ("kind", "value", "quiet", "total"),
    [("ean13", "4006381333931", (11, 7), 113), ("ean8", "96385074", (7, 7), 81), ("upca", "036000291452", (9, 9), 113)],
)
def test_quiet_zones_and_whole_pixels(studio: Studio, kind: str, value: str, quiet: tuple[int, int], total: int) -> None:
    """Every bar begins and ends between two pixels; the zones are as wide as the standard wants."""
    found = studio.composed(studio.plain((1000, 1000), "#808080"), {"barcode": kind, "value": value, "width": "500px"}).convert(
        "L"
    )
    module = 500 // total
    row = [found.getpixel((x, 480)) for x in range(1000)]
    assert set(row) == {0, 128, 255}
    left, right = row.index(255), 999 - row[::-1].index(255)
    assert right - left + 1 == module * total
    first, last = row.index(0), 999 - row[::-1].index(0)
    assert (first - left, right - last) == (module * quiet[0], module * quiet[1])
    runs = [x for x in range(first, last) if row[x] != row[x + 1]]
    assert all((x - first + 1) % module == 0 for x in runs)


def test_the_quiet_zone_of_a_square_code(studio: Studio) -> None:
    found = studio.composed(studio.plain((1000, 1000), "#808080"), {"barcode": "qr", "value": "12345", "width": "290px"}).convert(
        "L"
    )
    white = found.point(lambda value: 255 if value == 255 else 0).getbbox()
    black = found.point(lambda value: 255 if value == 0 else 0).getbbox()
    assert white == (355, 355, 645, 645)
    assert black == (395, 395, 605, 605), "four modules of ten pixels"


def test_a_height_is_kept(studio: Studio) -> None:
    for height in (60, 90, 200):
        found = studio.composed(
            studio.plain((600, 600), "#808080"),
            {"barcode": "ean8", "value": "96385074", "width": "200px", "height": f"{height}px"},
        ).convert("L")
        box = found.point(lambda value: 255 if value == 255 else 0).getbbox()
        assert box is not None
        assert box[3] - box[1] == height


@pytest.mark.parametrize(
    ("size", "item", "text", "hint"),
    [
        (
            (600, 600),
            {"width": "25%"},
            "the EAN-13 `4006381333931` has 150 px, which makes bars of 1.3 px",
            "it needs 226 px at least",
        ),
        ((1, 1), {}, "no scanner reads that", "226 px at least"),
        (
            (600, 600),
            {"width": "60%", "height": "30px"},
            "would be 0 px high, in 30: a scanner misses them",
            "a `height` of 84 px at least",
        ),
        ((3000, 60), {"width": "60%"}, "a scanner misses them", "a smaller `width`"),
    ],
)
def test_what_no_scanner_reads_is_an_error(
    studio: Studio, size: tuple[int, int], item: dict[str, Any], text: str, hint: str
) -> None:
    request = studio.request(studio.plain(size), {"barcode": "ean13", "value": "4006381333931", **item})
    with pytest.raises(ProviderError) as caught:
        local.done(request)
    assert text in caught.value.text
    assert hint in str(caught.value.hint)
    assert local.check(request) == [f"{caught.value.text}: {caught.value.hint}"]
