"""The chance in a drawing: numbers that follow from an action, the same on every machine. Knows requests and readings; no layout.

What looks alike must come from what is alike: the arrangement is seeded by the prompt without its quoted words, numbers and
colours, so that the rows of a matrix share one layout; the colours' places and the small shapes are seeded by the whole prompt.
"""

from __future__ import annotations

import hashlib
import json

from ..base import Request
from .reading import Reading


class Seed:
    """Numbers that follow from a text, the same on every machine: sha256 in counter mode."""

    def __init__(self, *parts: object) -> None:
        self._bytes = hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).digest()

    def number(self, below: int, use: str = "") -> int:
        """0 ≤ number < below."""
        return int.from_bytes(hashlib.sha256(self._bytes + use.encode()).digest()[:6], "big") % below

    def floats(self, count: int) -> list[float]:
        """`count` numbers from 0 to 0.996."""
        blocks = b"".join(hashlib.sha256(self._bytes + bytes([n])).digest() for n in range((count + 31) // 32))
        return [byte / 256 for byte in blocks[:count]]


def seeds(request: Request, reading: Reading) -> tuple[Seed, Seed]:
    """One for what rows of a matrix share, one for this picture."""
    shared = (request.op, request.params.get("seed"), request.variant, request.take)
    return Seed("layout", *shared, reading.kind, reading.pattern), Seed(
        "picture", *shared, request.prompt, request.params.get("aspect_ratio")
    )
