"""Sizes, money, times and counts as people say them. Pure but for the clock's zone."""

from __future__ import annotations

import time
import unicodedata

from ..pricing import usd


def size_text(size: int) -> str:
    """Bytes: `412 kB`, `1.2 GB`."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:  # noqa: PLR2004
            return f"{value:.0f} {unit}" if unit != "MB" or value >= 9.95 else f"{value:.1f} {unit}"  # noqa: PLR2004
        value /= 1000
    return f"{value:,.1f} GB"


def money_text(cost: int | None) -> str:
    """Micro-USD: `free`, `$0.07`, `$0.0042` (see `pricing.usd`); None is `cost unknown`."""
    if cost is None:
        return "cost unknown"
    if cost == 0:
        return "free"
    return usd(cost)


def when_text(at: float) -> str:
    """Seconds since the epoch in the reader's zone: `2026-11-22 14:03`."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def stamp_text(at: float) -> str:
    """Seconds since the epoch for machines: `2026-11-22T14:03:05Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def count_text(count: int, one: str, many: str | None = None) -> str:
    """`1 picture`, `1,200 pictures`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def width(text: str) -> int:
    """Columns of a terminal that a text takes: East Asian wide letters are two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, columns: int) -> str:
    """The text with spaces up to so many columns."""
    return text + " " * max(0, columns - width(text))


def cut(text: str, columns: int) -> str:
    """The text, its middle left out if it is wider."""
    if width(text) <= columns:
        return text
    left = (columns - 1) * 2 // 3
    head, tail = text, text
    while width(head) > left:
        head = head[:-1]
    while width(tail) > columns - 1 - left:
        tail = tail[1:]
    return f"{head}…{tail}"
