"""How a text is set: language, direction, fonts, where its lines may break, and whether the fonts have its letters. Knows no
layout and no typst.

The pinned wheel `manimgx-fonts` has every script but Chinese, Japanese and Korean; those are in `manimgx-fonts-cjk`, which a
user adds with the `[cjk]` extra. A text without such characters is drawn with the first wheel alone, whatever else is
installed, so its bytes are the same everywhere. A text that needs the second wheel is set with it where it is installed;
elsewhere a line says what is missing (never boxes), and `Done.notes` names the extra. So exactly these pictures differ
between a machine with and one without the extra, and both are exact.
"""

# ruff: noqa: PLR2004 - a drawing is made of numbers
from __future__ import annotations

import bisect
import functools
import importlib.util
import unicodedata
from pathlib import Path
from typing import NamedTuple

from .lexicon import TELLTALE

EXTRA = "assetbuild[cjk]"
_SANS = ("Noto Sans",)
_REST = (
    "Noto Sans Symbols",
    "Noto Emoji",
)
# first and last code point, font, language, is it set from right to left, room a line needs (em)
_SCRIPTS: tuple[tuple[int, int, str, str, bool, float], ...] = (
    (0x0370, 0x03FF, "Noto Sans", "el", False, 1.0),
    (0x1F00, 0x1FFF, "Noto Sans", "el", False, 1.0),
    (0x0400, 0x052F, "Noto Sans", "ru", False, 1.0),
    (0x0530, 0x058F, "Noto Sans Armenian", "hy", False, 1.08),
    (0x0590, 0x05FF, "Noto Sans Hebrew", "he", True, 1.05),
    (0xFB1D, 0xFB4F, "Noto Sans Hebrew", "he", True, 1.05),
    (0x0600, 0x077F, "Noto Sans Arabic", "ar", True, 1.32),
    (0x08A0, 0x08FF, "Noto Sans Arabic", "ar", True, 1.32),
    (0xFB50, 0xFDFF, "Noto Sans Arabic", "ar", True, 1.32),
    (0xFE70, 0xFEFE, "Noto Sans Arabic", "ar", True, 1.32),
    (0x0900, 0x097F, "Noto Sans Devanagari", "hi", False, 1.3),
    (0x0980, 0x09FF, "Noto Sans Bengali", "bn", False, 1.3),
    (0x0A00, 0x0A7F, "Noto Sans Gurmukhi", "pa", False, 1.3),
    (0x0A80, 0x0AFF, "Noto Sans Gujarati", "gu", False, 1.3),
    (0x0B00, 0x0B7F, "Noto Sans Oriya", "or", False, 1.3),
    (0x0B80, 0x0BFF, "Noto Sans Tamil", "ta", False, 1.3),
    (0x0C00, 0x0C7F, "Noto Sans Telugu", "te", False, 1.35),
    (0x0C80, 0x0CFF, "Noto Sans Kannada", "kn", False, 1.35),
    (0x0D00, 0x0D7F, "Noto Sans Malayalam", "ml", False, 1.3),
    (0x0D80, 0x0DFF, "Noto Sans Sinhala", "si", False, 1.3),
    (0x0E00, 0x0E7F, "Noto Sans Thai", "th", False, 1.4),
    (0x0E80, 0x0EFF, "Noto Sans Lao", "lo", False, 1.4),
    (0x1000, 0x109F, "Noto Sans Myanmar", "my", False, 1.5),
    (0x10A0, 0x10FF, "Noto Sans Georgian", "ka", False, 1.05),
    (0x1200, 0x139F, "Noto Sans Ethiopic", "am", False, 1.08),
    (0x1780, 0x17FF, "Noto Sans Khmer", "km", False, 1.55),
    (0x1100, 0x11FF, "", "ko", False, 1.06),
    (0x2E80, 0x303F, "", "zh", False, 1.06),
    (0x3040, 0x30FF, "", "ja", False, 1.06),
    (0x3100, 0x312F, "", "zh", False, 1.06),
    (0x3130, 0x318F, "", "ko", False, 1.06),
    (0x31A0, 0x31BF, "", "zh", False, 1.06),
    (0x31F0, 0x31FF, "", "ja", False, 1.06),
    (0x3200, 0x9FFF, "", "zh", False, 1.06),
    (0xAC00, 0xD7FF, "", "ko", False, 1.06),
    (0xF900, 0xFAFF, "", "zh", False, 1.06),
    (0xFF00, 0xFFEF, "", "ja", False, 1.06),
    (0x20000, 0x323AF, "", "zh", False, 1.06),
)
_STARTS = sorted(range(len(_SCRIPTS)), key=lambda n: _SCRIPTS[n][0])
_FIRSTS = [_SCRIPTS[n][0] for n in _STARTS]
_CJK_FONT = {"ja": "Noto Sans CJK JP", "zh": "Noto Sans CJK SC", "ko": "Noto Sans CJK KR"}
_CJK_NAME = {"ja": "Japanese", "zh": "Chinese", "ko": "Korean"}
_NEVER_FIRST = "、。，．・：；？！」』）】〉》〕］｝ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々…,.!?:;)"
_NEVER_LAST = "「『（【〈《〔［｛(¥$€"


class Setting(NamedTuple):
    """A text as it goes to the press. `parts` are the pieces a line may be broken between, joined with `join`."""

    text: str
    lang: str
    rtl: bool
    fonts: tuple[str, ...]
    plain: bool  # only Latin, Greek and Cyrillic: may be set in a serif, in capitals, with tight lines
    tall: float  # room a line needs, in em
    parts: tuple[str, ...]
    join: str
    missing: str  # "" or the placeholder line that stands for the text
    lost: str = ""  # letters that no font has; they are left out


class Fonts(NamedTuple):
    """Where the fonts are. `cjk` is None when the extra isn't installed."""

    base: Path
    cjk: Path | None


@functools.cache
def _coverage() -> tuple[list[int], list[int]]:
    firsts, lasts = [], []
    for line in (Path(__file__).parent / "drawing" / "coverage.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        for item in line.split():
            first, _, last = item.partition("-")
            firsts.append(int(first, 16))
            lasts.append(int(last or first, 16))
    return firsts, lasts


def covered(char: str) -> bool:
    """Whether the pinned wheel has the character."""
    firsts, lasts = _coverage()
    place = bisect.bisect_right(firsts, ord(char)) - 1
    return place >= 0 and ord(char) <= lasts[place]


def _script(char: str) -> tuple[int, int, str, str, bool, float] | None:
    place = bisect.bisect_right(_FIRSTS, ord(char)) - 1
    if place < 0:
        return None
    row = _SCRIPTS[_STARTS[place]]
    return row if ord(char) <= row[1] else None


def needs_extra(text: str) -> bool:
    """Whether the text has characters of the second wheel."""
    return any((row := _script(char)) and not row[2] for char in text)


def wheels() -> Fonts:
    """Finds the installed font wheels without importing them. Raises LookupError when the first one isn't there."""
    base = _folder("manimgx_fonts")
    if base is None:
        raise LookupError("manimgx_fonts")
    return Fonts(base, _folder("manimgx_fonts_cjk"))


@functools.cache  # a look through sys.path takes as long as reading the prompt
def _folder(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found and found.origin else None


def setting(text: str, *, cjk: bool, near: str = "") -> Setting:
    """How `text` (cleaned) is set. `cjk`: the extra's fonts may be used. `near` is the whole prompt: kana there makes Han
    characters Japanese.
    """
    rows = [row for char in text if (row := _script(char))]
    wide = [row for row in rows if not row[2]]
    others = dict.fromkeys(row[2] for row in rows if row[2])
    lost = [char for char in text if not covered(char) and not char.isspace() and not ((row := _script(char)) and not row[2])]
    if wide and not cjk:
        return _placeholder(text, _cjk_language(wide, near), sum(1 for char in text if (row := _script(char)) and not row[2]))
    if lost:
        text = "".join(char for char in text if char not in lost).strip()
        if not any(char.isalnum() for char in text):
            return _placeholder(text, "", len(lost), unicodedata.name(lost[0], "unknown").split()[0].capitalize())
    rtl = bool(rows) and sum(1 for row in rows if row[4]) * 2 > sum(1 for char in text if char.isalpha())
    lang = _cjk_language(wide, near) if wide else rows[0][3] if rows else _latin_language(text)
    fonts = [*_SANS, *(name for name in others if name not in _SANS), *([_CJK_FONT[lang]] if wide else ()), *_REST]
    plain = not wide and not any(name not in _SANS for name in others)
    parts, join = _parts(text, bool(wide) and lang != "ko")
    tall = max((row[5] for row in rows), default=1.0)
    return Setting(text, lang, rtl, tuple(fonts), plain, tall, parts, join, "", "".join(lost))


def _placeholder(text: str, lang: str, count: int, name: str = "") -> Setting:
    said = f"{_CJK_NAME.get(lang, name)} text, {count} character{'' if count == 1 else 's'}, font not installed"
    return Setting("", lang or "en", False, (*_SANS, *_REST), True, 1.0, tuple(said.split()), " ", said)


def _cjk_language(rows: list[tuple[int, int, str, str, bool, float]], near: str) -> str:
    languages = {row[3] for row in rows}
    if "ja" in languages or any(0x3040 <= ord(char) <= 0x30FF for char in near[:4000]):
        return "ja"
    return "ko" if "ko" in languages else "zh"


def _latin_language(text: str) -> str:
    words = {word.strip(".,!?:;").casefold() for word in text.split()}
    best = max(TELLTALE, key=lambda lang: (len(words & TELLTALE[lang]), lang))
    if words & TELLTALE[best]:
        return best
    if any(char in "äöüßÄÖÜ" for char in text):
        return "sv" if "å" in text else "de"
    return "sv" if any(char in "åÅ" for char in text) else "en"


def _parts(text: str, wide: bool) -> tuple[tuple[str, ...], str]:
    if not wide or " " in text:
        return tuple(text.split(" ")), " "
    parts: list[str] = []
    for char in text:
        if parts and (char in _NEVER_FIRST or parts[-1][-1] in _NEVER_LAST or (char.isascii() and parts[-1][-1].isascii())):
            parts[-1] += char
        else:
            parts.append(char)
    return tuple(parts), ""
