"""Colour for a terminal, or none. Colour never carries a meaning alone."""

from __future__ import annotations

from collections.abc import Mapping

_CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "strike": "9",
}


class Ink:
    """Paints text when `on`. NO_COLOR (https://no-color.org) and a stream that is no terminal turn it off, FORCE_COLOR turns it on."""

    def __init__(self, *, on: bool) -> None:
        self.on = on

    @classmethod
    def of(cls, environ: Mapping[str, str], *, tty: bool) -> Ink:
        """Ink for a stream."""
        if environ.get("NO_COLOR"):
            return cls(on=False)
        return cls(on=bool(environ.get("FORCE_COLOR")) or (tty and environ.get("TERM") != "dumb"))

    def __call__(self, style: str, text: str) -> str:
        """The text in one style, or in several joined by a space."""
        if not self.on or not text:
            return text
        codes = ";".join(_CODES[name] for name in style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"
