"""The emulator's own time: it goes like ours, and can be moved on. Knows nothing of jobs."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch."""

    def __init__(self) -> None:
        # The wall is read once: a clock that somebody sets back must not bring an expired picture back to life.
        self._ahead = time.time() - time.monotonic()

    def now(self) -> float:
        """What time it is here."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """As if so much time had passed."""
        self._ahead += seconds


def stamp(at: float) -> str:
    """A time as Apiframe writes it: ISO 8601, milliseconds, UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
