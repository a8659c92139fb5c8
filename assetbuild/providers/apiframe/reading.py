"""How the parts of an answer are read: numbers, times, and a vendor's words made fit for a message. Knows no status and no meaning."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

from ..base import Answer

LINE = 300  # characters of the vendor's words in a message
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|data:|\b(?:[\w-]+\.)+[a-z]{2,}/)[^\s\"'<>]+", re.IGNORECASE)
_SECRET = re.compile(
    r"\bafk_\w*|\b(?:bearer|basic)\s+\S+|(?<![\w-])(?![0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)[\w+/=-]{32,}", re.IGNORECASE
)


def object_of(answer: Answer) -> dict[str, Any] | None:
    """An answer's body as a JSON object, None when it is none."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def number(value: object) -> float | None:
    """A number that is none below zero; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def when(value: object) -> float | None:
    """Seconds since the epoch, of an ISO 8601 time (UTC if it doesn't say); None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def tidy(text: str) -> str:
    """A vendor's words for a message: one printable line, no address, no key, at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:10000]).split())
    line = _SECRET.sub("(…)", _ADDRESS.sub("(address)", line)).rstrip(". ")
    return line if len(line) <= LINE else line[: LINE - 1].rstrip() + "…"
