"""Short lines of text of any script, drawn with the bundled fonts. Knows fonts and letters; not what the lines are about, and it breaks no paragraph.

Each letter is drawn with the first font that has it: that of its script, Noto Sans, signs, emoji, and at last the wide fonts for Chinese, Japanese and Korean,
where the extra that has them is installed. A letter that no font has is drawn as an empty box.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from pathlib import Path

from PIL import ImageDraw, ImageFont

WHEELS = ("manimgx_fonts", "manimgx_fonts_cjk")
COMMON = ("NotoSans", "NotoSansSymbols", "NotoEmoji")
NOWHERE = "\uffff"  # no character, so no font has it


class Lettering:
    """The fonts, opened as they are needed. `missing` are the letters that were drawn as boxes so far."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self._files: dict[str, Path] = {}
        for wheel in WHEELS:
            found = importlib.util.find_spec(wheel)
            if found is not None and found.origin is not None:
                for file in sorted(Path(found.origin).parent.glob("*.tt[fc]")):
                    self._files.setdefault(file.name.partition("[")[0].partition("-VF")[0], file)
        self._fonts: dict[tuple[str, int, int], ImageFont.FreeTypeFont] = {}
        self._has: dict[tuple[str, str], bool] = {}
        self._nothing: dict[str, tuple[tuple[int, int], bytes]] = {}

    def width(self, text: str, size: int, weight: int = 400) -> float:
        """How wide a line is, in pixels."""
        return sum(font.getlength(run) for run, font in self._runs(text, size, weight))

    def draw(self, on: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, ink: str, weight: int = 400) -> None:
        """One line; `at` is the left end of its base line, in pixels."""
        x, y = at
        for run, font in self._runs(text, size, weight):
            on.text((x, y), run, ink, font, anchor="ls")
            x += font.getlength(run)

    def middle_out(self, text: str, room: float, size: int, weight: int = 400) -> str:
        """The text, its middle left out where it is wider than there is room: two thirds of the beginning stay."""
        if self.width(text, size, weight) <= room:
            return text
        parts = _letters(text)
        low, high = 0, len(parts)
        while low < high:  # how many letters can stay
            keep = (low + high + 1) // 2
            if self.width(_shortened(parts, keep), size, weight) <= room:
                low = keep
            else:
                high = keep - 1
        return _shortened(parts, low)

    def wrapped(self, text: str, room: float, lines: int, size: int, weight: int = 400) -> list[str]:
        """The text as so many lines at most; of what is left over the middle is left out."""
        words, found = text.split(), list[str]()
        while words and len(found) < lines:
            count = 1
            while count < len(words) and self.width(" ".join(words[: count + 1]), size, weight) <= room:
                count += 1
            if len(found) == lines - 1:
                count = len(words)
            found.append(self.middle_out(" ".join(words[:count]), room, size, weight))
            words = words[count:]
        return found

    def _runs(self, text: str, size: int, weight: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
        """The text in pieces of one font each."""
        runs: list[tuple[str, str]] = []
        for char in unicodedata.normalize("NFC", text):
            before = runs[-1][0] if runs else ""
            name = self._name(char, before)
            if name == before:
                runs[-1] = (name, runs[-1][1] + char)
            else:
                runs.append((name, char))
        return [(run, self._font(name, size, weight)) for name, run in runs]

    def _name(self, char: str, before: str) -> str:
        """Which font a letter is drawn with; `before` is that of the letter before it, which marks and signs share."""
        script = unicodedata.name(char, "").partition(" ")[0]
        own = "NotoSans" + script.capitalize()
        stays = before and (unicodedata.category(char)[0] in "MPZC" or char.isdigit())
        for name in ((before,) if stays else ()) + ((own,) if own in self._files else ()) + (*COMMON, *self._files):
            if name in self._files and self._covers(name, char):
                return name
        self.missing.add(char)
        return before or "NotoSans"

    def _covers(self, name: str, char: str) -> bool:
        key = name, char
        if key not in self._has:
            if name not in self._nothing:
                self._nothing[name] = self._drawn(name, NOWHERE)
            self._has[key] = (
                char.isspace() or unicodedata.category(char) == "Cf" or self._drawn(name, char) != self._nothing[name]
            )
        return self._has[key]

    def _drawn(self, name: str, char: str) -> tuple[tuple[int, int], bytes]:
        mask = self._font(name, 24, 400).getmask(char)
        return mask.size, bytes(mask)

    def _font(self, name: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
        key = name, size, weight
        if key not in self._fonts:
            file = self._files.get(name)
            if file is None:
                raise LookupError(name)
            font = ImageFont.truetype(str(file), size)
            font.set_variation_by_axes([weight])
            self._fonts[key] = font
        return self._fonts[key]


def _letters(text: str) -> list[str]:
    """The text in pieces that must not be taken apart: a letter with its marks."""
    found: list[str] = []
    for char in unicodedata.normalize("NFC", text):
        if found and unicodedata.category(char)[0] in "MC":
            found[-1] += char
        else:
            found.append(char)
    return found


def _shortened(parts: list[str], keep: int) -> str:
    head = (keep * 2 + 2) // 3
    tail = keep - head
    return "".join(parts[:head]).rstrip() + "…" + "".join(parts[len(parts) - tail :] if tail else []).lstrip()
