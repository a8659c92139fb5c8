"""The measures that exports are written in, as numbers: sizes in pixels or on paper, lengths, percentages, places in a picture, colours, sizes of files.
Knows texts whose form the schema has accepted.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

UNITS = {"mm": 1.0, "cm": 10.0, "in": 25.4}  # in mm
_SIZE = re.compile(r"([\d.]+) *[xX×*] *([\d.]+) *(px|mm|cm|in)?").fullmatch
_PAPER = re.compile(r"([ab])(\d+)|letter", re.IGNORECASE).match
_WORDS = {"left": (0.0, None), "right": (1.0, None), "top": (None, 0.0), "bottom": (None, 1.0), "center": (0.5, 0.5)}
_BYTES = {"": 1, "k": 1000, "ki": 1024, "m": 1_000_000, "mi": 1 << 20}


class Size(NamedTuple):
    """Width and height: in whole pixels, or in mm on paper."""

    width: float
    height: float
    paper: bool


def size(text: str) -> Size | None:
    """`1200x630`, `50x70cm`, `A2 landscape`; None for what is none, such as half a pixel."""
    text = text.strip()
    found = _SIZE(text)
    if found is not None:
        wide, high, unit = float(found[1]), float(found[2]), found[3]
        if unit in UNITS:
            return Size(round(wide * UNITS[unit], 4), round(high * UNITS[unit], 4), True)
        return Size(wide, high, False) if wide.is_integer() and high.is_integer() else None
    paper = _PAPER(text)
    if paper is None:
        return None
    wide, high = (215.9, 279.4) if paper[1] is None else _iso(paper[1].lower(), int(paper[2]))
    return Size(high, wide, True) if text.lower().endswith("landscape") else Size(wide, high, True)


def _iso(series: str, number: int) -> tuple[float, float]:
    """A sheet of ISO 216, upright, in mm: each is half of the one before, rounded down."""
    wide, high = (841, 1189) if series == "a" else (1000, 1414)
    for _ in range(number):
        wide, high = high // 2, wide
    return float(wide), float(high)


def length(text: str) -> float:
    """`3mm`, `0.125in` in mm."""
    text = text.strip()
    return round(float(text[:-2]) * UNITS[text[-2:]], 4)


def percent(text: str) -> float:
    """`8%` as a fraction."""
    return round(float(text.strip().rstrip("%")) / 100, 6)


def focus(text: str) -> tuple[float, float] | Literal["attention"] | None:
    """`50% 30%`, `top left`, `attention`; None where a percentage is above 100."""
    text = " ".join(text.split())
    if text == "attention":
        return "attention"
    if "%" in text:
        left, top = (percent(each) for each in text.split())
        return (left, top) if left <= 1 and top <= 1 else None
    across, down = 0.5, 0.5
    for word in text.split():
        x, y = _WORDS[word]
        across, down = across if x is None else x, down if y is None else y
    return across, down


def colour(text: str) -> str:
    """`#fff`, `white` as `#rrggbb`."""
    text = text.strip().lower()
    text = {"white": "#ffffff", "black": "#000000"}.get(text, text)
    return "#" + "".join(char * 2 for char in text[1:]) if len(text) == 4 else text  # noqa: PLR2004 - #rgb


def file_size(value: str | float) -> int:
    """`200 kB`, `1.5 MB`, 512000 in bytes."""
    if not isinstance(value, str):
        return int(value)
    found = re.fullmatch(r"([\d.]+) *([kKmM]i?)?B", value.strip())
    return int(float(found[1]) * _BYTES[(found[2] or "").lower()]) if found is not None else int(float(value))
