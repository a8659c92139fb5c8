"""Barcodes as bars: rectangles in whole pixels, with their quiet zones, so that nothing between black and white stands at an edge. Knows no picture; what a
code says was verified when the spec was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..base import Kind, ProviderError
from .usual import USUAL

# Quiet zones in modules, left and right (GS1 General Specifications 5.2.3.4; ISO/IEC 15417; ISO/IEC 18004).
_QUIET = {"ean13": (11, 7), "ean8": (7, 7), "upca": (9, 9), "code128": (10, 10), "qr": (4, 4)}
_BORDER = 3  # modules of ground above and below bars
_LONG = 5  # modules by which guard bars are longer
_ZONE = 10  # modules of height for the digits
_FIGURE = 10.8  # modules: the size of the digits, which are then 8 high and 6 wide
_FEWEST = 12  # modules: lower bars aren't hit by a scanner
_NAMES = {"ean13": "EAN-13", "ean8": "EAN-8", "upca": "UPC-A", "code128": "Code 128", "qr": "QR code"}

Rect = tuple[int, int, int, int]


class Figures(NamedTuple):
    """Digits below the bars: left edge, top, width of the room they stand in the middle of, size; in pixels."""

    text: str
    x: float
    y: float
    w: float
    size: float


class Code(NamedTuple):
    """A code of `w` × `h` pixels, quiet zones within."""

    w: int
    h: int
    bars: tuple[Rect, ...]
    figures: tuple[Figures, ...]


def code(item: Mapping[str, Any], width: float, height: float) -> Code:
    """The code in at most `width` × `height` pixels. Raises ProviderError (INVALID) when its bars would be too narrow or too low."""
    kind, value = str(item["barcode"]), str(item["value"])
    digits = bool(item.get("digits", USUAL["digits"]))
    rows = _rows(kind, value)
    before, behind = _QUIET[kind]
    total = before + len(rows[0]) + behind
    most = min(width, height) if kind == "qr" else width
    module = int((most + 1e-6) // total)
    if module < USUAL["least_module"]:
        need = total * int(USUAL["least_module"])
        raise ProviderError(
            Kind.INVALID,
            f"the {_NAMES[kind]} {_short(value)} has {most:.0f} px, which makes bars of {most / total:.2g} px: no scanner reads that",
            hint=f"it needs {need} px at least: a larger `width`, or a larger picture",
        )
    if kind == "qr":
        return _square(rows, module, total, before)
    return _lines(kind, value, rows[0], module, total, digits, height, fill="height" in item)


def _short(value: str) -> str:
    return f"`{value if len(value) <= 30 else value[:29] + '…'}`"  # noqa: PLR2004


def _rows(kind: str, value: str) -> list[list[bool]]:
    if kind == "qr":
        import segno

        encoding = None if value.isascii() else "utf-8"
        made = segno.make(value, error="m", micro=False, boost_error=False, encoding=encoding)
        return [[bool(cell) for cell in row] for row in made.matrix]
    import barcode as linear

    build = {"ean13": linear.EAN13, "ean8": linear.EAN8, "upca": linear.UPCA, "code128": linear.Code128}[kind]
    built: str = build(value).build()[0]
    return [[char != "0" for char in built]]


def _square(rows: list[list[bool]], module: int, total: int, quiet: int) -> Code:
    bars: list[Rect] = []
    for down, row in enumerate(rows):
        bars += [((quiet + at) * module, (quiet + down) * module, length * module, module) for at, length in _runs(row)]
    return Code(total * module, total * module, tuple(bars), ())


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """Where dark modules begin, and how many there are."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(row):
        if dark and found and found[-1][0] + found[-1][1] == at:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif dark:
            found.append((at, 1))
    return found


def _lines(kind: str, value: str, row: list[bool], m: int, total: int, digits: bool, most: float, *, fill: bool) -> Code:
    wide = total * m
    high = int(most) if fill else min(int(most), round(wide * USUAL["code_ratio"]))
    foot = (_ZONE if digits else 0) * m
    top, length = _BORDER * m, high - 2 * _BORDER * m - foot
    if length < _FEWEST * m:
        raise ProviderError(
            Kind.INVALID,
            f"the bars of the {_NAMES[kind]} {_short(value)} would be {max(length, 0)} px high, in {high}: a scanner misses them",
            hint=f"it needs a `height` of {(_FEWEST + 2 * _BORDER) * m + foot} px at least at this width, or a smaller `width`",
        )
    before, _ = _QUIET[kind]
    longer = _guards(kind) if digits else frozenset()
    bars: list[Rect] = []
    for at, run in _runs(row):
        tall = length + (_LONG * m if at in longer else 0)
        bars.append(((before + at) * m, top, run * m, tall))
    figures = _figures(kind, value, m, before, len(row), top + length + 1.6 * m, wide) if digits else ()
    return Code(wide, high, tuple(bars), tuple(figures))


def _guards(kind: str) -> frozenset[int]:
    """Modules at which a longer bar begins."""
    found = {
        "ean13": (0, 2, 46, 48, 92, 94),
        "ean8": (0, 2, 32, 34, 64, 66),
        "upca": (*range(10), 46, 48, *range(85, 95)),
    }
    return frozenset(found.get(kind, ()))


def _figures(kind: str, value: str, m: int, before: int, modules: int, y: float, wide: int) -> list[Figures]:
    """Each digit stands in the middle of the seven modules that say it."""
    if kind == "code128":
        return [Figures(value, 0, y, wide, min(_FIGURE * m, 1.55 * modules * m / max(1, len(value))))]
    size = _FIGURE * m
    if kind == "ean13":
        cells = [(value[0], -8.5)] + [(digit, 3 + 7 * n + (5 if n > 5 else 0)) for n, digit in enumerate(value[1:])]  # noqa: PLR2004
    elif kind == "ean8":
        cells = [(digit, 3 + 7 * n + (5 if n > 3 else 0)) for n, digit in enumerate(value)]  # noqa: PLR2004
    else:
        inner = [(digit, 10 + 7 * n + (5 if n > 4 else 0)) for n, digit in enumerate(value[1:-1])]  # noqa: PLR2004
        cells = [(value[0], -7.8), *inner, (value[-1], modules + 0.8)]
    return [Figures(digit, (before + at) * m, y, 7 * m, size) for digit, at in cells]
