"""How one text is set: its direction and language, the faces that have its letters, its size and lines. What doesn't fit, or has no glyph, is an error with
the way out. Knows fonts and the press; no picture but its size.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..base import Kind, ProviderError
from . import places
from .fonts import DEFAULT, Called, Face, Shelf, has
from .press import Press
from .usual import USUAL

_RTL = frozenset(("ar", "arc", "ckb", "dv", "fa", "he", "iw", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"))
_STEPS = 24  # sizes that are tried at a time
_HAIR = 0.02  # pixels
_SHOWN = 40  # characters of a text in a message
# first and last code point, language, family of the extra package
_WIDE_SCRIPTS = (
    (0x3040, 0x30FF, "ja"),
    (0x31F0, 0x31FF, "ja"),
    (0xFF66, 0xFF9F, "ja"),
    (0x1100, 0x11FF, "ko"),
    (0x3130, 0x318F, "ko"),
    (0xAC00, 0xD7FF, "ko"),
    (0x2E80, 0x303F, "zh"),
    (0x3100, 0x312F, "zh"),
    (0x3200, 0x9FFF, "zh"),
    (0xF900, 0xFAFF, "zh"),
    (0xFF00, 0xFF65, "zh"),
    (0x20000, 0x323AF, "zh"),
)
_WIDE_FAMILY = {"ja": "Noto Sans CJK JP", "ko": "Noto Sans CJK KR", "zh": "Noto Sans CJK SC"}
_PLAIN = (
    "LATIN",
    "GREEK",
    "CYRILLIC",
    "ARMENIAN",
    "GEORGIAN",
    "HEBREW",
    "CHEROKEE",
)  # scripts that stand on a line, capital high
_JOINED = ("ARABIC", "SYRIAC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI")  # letters that hang together
_PAUSES = "、。，．！？；："
_CLOSING = "」』）】〉》〕］｝…"
_IDEOGRAPH = (0.85, 0.06)  # above and below the base line, em
_OTHER = (0.86, 0.30)


class Setting(NamedTuple):
    """A text as the press takes it. `size`: pixels; `room`: where lines end; `block`: its width and height; `hangs`: what stands above and below that."""

    text: dict[str, Any]
    size: float
    room: float
    block: tuple[float, float]
    lines: int
    hangs: tuple[float, float]


def quoted(text: str) -> str:
    """A text as it is named in a message."""
    flat = " ".join(text.split())
    return f'"{flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1].rstrip() + "…"}"'


def first_strong(text: str) -> bool | None:
    """Whether the first letter with a direction runs from right to left; None without any."""
    for char in text:
        way = unicodedata.bidirectional(char)
        if way in ("L", "R", "AL"):
            return way != "L"
    return None


def runs_left(item: Mapping[str, Any], base: bool = False) -> bool:
    """Whether an item is laid out from right to left: as it says, by its language, by its first letter; else `base`."""
    said = item.get("direction", USUAL["direction"])
    if said != "auto":
        return bool(said == "rtl")
    if "lang" in item:
        parts = item["lang"].split("-")
        return parts[0] in _RTL if "Latn" not in parts else False
    found = first_strong(item["text"]) if "text" in item else None
    return base if found is None else found


def _script(char: str) -> str:
    return unicodedata.name(char, "").split(" ")[0].split("-")[0] if unicodedata.category(char)[0] in "LM" else ""


def _wide(char: str) -> str | None:
    at = ord(char)
    return next((lang for first, last, lang in _WIDE_SCRIPTS if first <= at <= last), None) if at >= 0x1100 else None  # noqa: PLR2004


def _language(item: Mapping[str, Any]) -> str:
    if "lang" in item:
        return str(item["lang"])
    wide = {lang for char in item["text"] if (lang := _wide(char))}
    for lang in ("ja", "ko", "zh"):
        if lang in wide:
            return lang
    scripts = {_script(char) for char in item["text"]}
    return "ar" if "ARABIC" in scripts else "he" if "HEBREW" in scripts else "en"


def chosen(item: Mapping[str, Any], shelf: Shelf) -> list[Face]:
    """The faces that set an item's text, the first one first. Raises ProviderError (INVALID): a font, a weight or a glyph is missing."""
    text = str(item["text"])
    named = [name.strip() for name in str(item.get("font", USUAL["font"])).split(",") if name.strip()]
    stack = [_face(item, name, shelf) for name in named] if named else _stack(item, text, shelf)
    used: dict[tuple[Any, int], Face] = {}
    for char in dict.fromkeys(unicodedata.normalize("NFC", text)):
        face = next((face for face in stack if has(char, face)), None)
        if face is None:
            raise _no_glyph(item, char, named, shelf)
        used.setdefault((face.path, face.number), face)
    faces = [face for face in stack if (face.path, face.number) in used]
    for face in faces:
        _check_weight(item, face, shelf)
    return faces


def _face(item: Mapping[str, Any], name: str, shelf: Shelf) -> Face:
    """The face of a family that comes nearest to the item's weight and style."""
    faces = shelf.named(name)
    if not faces:
        raise _no_font(item, name, shelf)
    italic = item.get("style", USUAL["style"]) == "italic"
    fitting = [face for face in faces if face.italic == italic]
    if not fitting and "style" in item:
        has_it = "italic" if italic else "upright"
        text = f"`{name}` has no {has_it} face here, and {quoted(item['text'])} is to be set in it"
        raise ProviderError(
            Kind.INVALID, text, hint=f"put its {has_it} font file into a folder of `fonts:`, or leave `style` out"
        )
    weight = int(item.get("weight", USUAL["weight"]))

    def away(face: Face) -> tuple[int, int, str, int]:
        low, high = face.weights
        return (max(low - weight, weight - high, 0), high - low, str(face.path), face.number)

    return min(fitting or faces, key=away)


def _check_weight(item: Mapping[str, Any], face: Face, shelf: Shelf) -> None:
    weight = int(item.get("weight", USUAL["weight"]))
    if "weight" not in item or face.weights[0] <= weight <= face.weights[1]:
        return
    name = face.names[0]
    there = sorted({one.weights for one in shelf.named(name) if one.italic == face.italic})
    each = ", ".join(f"{low}" if low == high else f"{low} to {high}" for low, high in there)
    text = f"`{name}` has no weight {weight} here, and {quoted(item['text'])} is to be set in it"
    raise ProviderError(Kind.INVALID, text, hint=f"it has {each}; or put that font file into a folder of `fonts:`")


def _stack(item: Mapping[str, Any], text: str, shelf: Shelf) -> list[Face]:
    """Where no font is said: Noto Sans, with the Noto Sans of each script that it lacks."""
    names = [DEFAULT]
    langs = [lang for char in text if (lang := _wide(char))]
    if langs:
        lang = _language(item)
        family = _WIDE_FAMILY.get(lang.split("-")[0], _WIDE_FAMILY["zh"])
        if "TW" in lang or "HK" in lang or "Hant" in lang:
            family = "Noto Sans CJK HK" if "HK" in lang else "Noto Sans CJK TC"
        if not shelf.named(family):
            name = {"ja": "Japanese", "ko": "Korean"}.get(lang, "Chinese")
            raise ProviderError(
                Kind.INVALID,
                f"no font here has the {name} letters of {quoted(text)}",
                hint="`pip install 'assetbuild[cjk]'`, or name a `font` of yours from a folder of `fonts:`",
            )
        names.insert(0, family)
    stack = [_face(item, name, shelf) for name in names]
    for char in dict.fromkeys(text):
        if not any(has(char, face) for face in stack):
            family_name = shelf.covering(char)
            if family_name is not None:
                plain = {name: value for name, value in item.items() if name != "style"}  # few scripts have an italic
                stack.append(_face(plain, family_name, shelf))
    return stack


def _no_font(item: Mapping[str, Any], name: str, shelf: Shelf) -> ProviderError:
    import difflib

    every = shelf.every()
    near = difflib.get_close_matches(name, every, 1, 0.75)
    text = f"there is no font `{name}` here, and {quoted(item['text'])} is to be set in it"
    if shelf.unread:
        text += f" (`{shelf.unread[0]}` can't be read as a font)"
    hint = "put its .ttf or .otf into a folder that `fonts:` names; fonts of the system are never used"
    if near:
        hint = f"did you mean `{near[0]}`? Else {hint}"
    return ProviderError(Kind.INVALID, text, hint=hint)


def _no_glyph(item: Mapping[str, Any], char: str, named: Sequence[str], shelf: Shelf) -> ProviderError:
    code = f"U+{ord(char):04X}"
    shown = f"“{char}” ({code})" if unicodedata.category(char)[0] not in "MC" else code
    fonts = " and ".join(f"`{name}`" for name in named) or "no font here"
    text = f"{fonts} {'have' if len(named) > 1 else 'has'} no glyph for {shown}, of the text {quoted(item['text'])}"
    if not named:
        text = f"no font here has a glyph for {shown}, of the text {quoted(item['text'])}"
    other = shelf.covering(char)
    if other is None and _wide(char) is not None:
        family = _WIDE_FAMILY.get(_language(item).split("-")[0], _WIDE_FAMILY["zh"])
        other = family if shelf.named(family) else None
    if named and other is not None:
        return ProviderError(Kind.INVALID, text, hint=f"write `font: {', '.join(named)}, {other}`, or take the character out")
    hint = "take it out, or name a `font` that has it, from a folder of `fonts:`"
    if unicodedata.category(char) == "So":
        hint = "take it out, or lay a picture of it over with `file:`; pictograms are no text"
    return ProviderError(Kind.INVALID, text, hint=hint)


def described(
    item: Mapping[str, Any], faces: Sequence[Face], called: Mapping[tuple[Any, int], Called], align: str
) -> dict[str, Any]:
    """The text as the press takes it, but for its size."""
    text = unicodedata.normalize("NFC", str(item["text"])).replace("\t", " ")
    scripts = {script for char in text if (script := _script(char))}
    wide = any(_wide(char) for char in text)
    plain = scripts.issubset(_PLAIN) and not wide
    first = faces[0]
    top, bottom = (first.cap, 0.0) if plain else _IDEOGRAPH if wide else _OTHER
    joined = not scripts.isdisjoint(_JOINED)
    named = []
    for face in faces:
        if (face.path, face.number) not in called:
            raise ProviderError(
                Kind.INVALID, f"the font file of `{face.names[0]}` is damaged: typst can't read it", hint="get the file again"
            )
        named.append(called[face.path, face.number])
    weight = min(max(int(item.get("weight", USUAL["weight"])), first.weights[0]), first.weights[1])
    lang, *rest = _language(item).split("-")
    region = next((part for part in rest if len(part) == 2), None)  # noqa: PLR2004 - not a script
    return {
        "lines": text.split("\n"),
        "families": list(dict.fromkeys(one.family for one in named)),
        "weight": weight,
        "style": named[0].style,
        "stretch": named[0].stretch,
        "color": faded(item.get("color", USUAL["color"]), float(item.get("opacity", USUAL["opacity"]))),
        "lang": lang,
        "region": region,
        "rtl": runs_left(item),
        "tracking": 0.0 if joined else float(item.get("tracking", USUAL["tracking"])) / 1000,
        "top": top,
        "bottom": bottom,
        "leading": float(item.get("leading", USUAL["leading"] if plain else USUAL["leading_tall"])),
        "align": align,
    }


def faded(colour: str, opacity: float) -> str:
    """A colour as it is seen through: `#rrggbbaa`."""
    alpha = int(colour[7:9], 16) if len(colour) > 7 else 255  # noqa: PLR2004 - #rrggbb
    return f"{colour[:7]}{math.floor(alpha * opacity + 0.5):02x}"


class Typesetter:
    """Sets texts with one shelf of fonts."""

    def __init__(self, shelf: Shelf, fonts: Any, called: Mapping[tuple[Any, int], Called]) -> None:  # noqa: ANN401 - typst's
        self.shelf, self.called, self.press = shelf, called, Press(fonts)

    def set(self, item: Mapping[str, Any], faces: Sequence[Face], picture: tuple[int, int]) -> Setting:
        """The text at its size and in its lines. Raises ProviderError (INVALID) when it doesn't fit."""
        rtl = runs_left(item)
        side, margin = places.sides(item, rtl=rtl), places.margins(item, *picture)
        starts = {"start": -1, "center": 0, "end": 1}
        way = starts[item["align"]] * (-1 if rtl else 1) if "align" in item else side[0]
        text = described(item, faces, self.called, {-1: "left", 0: "center", 1: "right"}[way])
        most = places.room(item, picture, margin, side)
        size = places.pixels(item.get("size", USUAL["size"]), min(picture))
        if size < USUAL["least_readable"]:
            raise ProviderError(
                Kind.INVALID,
                f"{quoted(item['text'])} would be {size:.3g} pixels high, in a picture of {picture[0]}×{picture[1]}",
                hint=f"give it a `size` of {USUAL['least_readable']:g}px at least, or a larger picture",
            )
        ground = "background" in item
        found = self._tried(text, [size], most, ground)[0]
        if not self._fits(item, found, most):
            if item.get("fit") != "shrink":
                raise self._overflow(item, faces, found, most, size)
            found = self._shrunk(item, faces, text, size, most, ground)
        return self._evened(text, found)

    def _tried(
        self, text: Mapping[str, Any], sizes: Sequence[float], most: tuple[float, float], ground: bool
    ) -> list[tuple[Setting, bool]]:
        """The text at each of these sizes, and whether a word of it is wider than its room."""
        pads = USUAL["padding"] if ground else (0.0, 0.0)
        rooms = [max(1.0, most[0] - 2 * pads[1] * size) for size in sizes]
        asked = [
            {"text": text, "size": size, "room": room + more}
            for size, room in zip(sizes, rooms, strict=True)
            for more in (0.0, 0.5)
        ]
        answers = self.press.measure(asked)
        found = []
        for number, (size, room) in enumerate(zip(sizes, rooms, strict=True)):
            (width, height), (again, _) = answers[2 * number : 2 * number + 2]
            broad = width > room - _HAIR and again > room + 0.5 - _HAIR  # a line that just fits would be shorter in a wider room
            found.append((self._setting(text, size, room, width, height), broad))
        return found

    @staticmethod
    def _setting(text: Mapping[str, Any], size: float, room: float, width: float, height: float) -> Setting:
        lines = round((height / size - text["top"] - text["bottom"]) / text["leading"]) + 1
        return Setting(dict(text), size, room, (width, height), lines, (0.0, 0.0))

    @staticmethod
    def _fits(item: Mapping[str, Any], tried: tuple[Setting, bool], most: tuple[float, float]) -> bool:
        setting, broad = tried
        pad = 2 * USUAL["padding"][0] * setting.size if "background" in item else 0.0
        return not broad and setting.lines <= int(item.get("max_lines", 10_000)) and setting.block[1] + pad <= most[1] + _HAIR

    def _shrunk(
        self,
        item: Mapping[str, Any],
        faces: Sequence[Face],
        text: Mapping[str, Any],
        size: float,
        most: tuple[float, float],
        ground: bool,
    ) -> tuple[Setting, bool]:
        """The largest size that fits, found in two ladders of sizes."""
        least = min(size, USUAL["least_size"])
        low, high, best = least, size, None
        for _ in range(2):
            sizes = [low + (high - low) * step / _STEPS for step in range(_STEPS + 1)]
            tried = self._tried(text, sizes, most, ground)
            fitting = [number for number, one in enumerate(tried) if self._fits(item, one, most)]
            if not fitting:
                break
            best = tried[fitting[-1]]
            low, high = sizes[fitting[-1]], sizes[min(fitting[-1] + 1, _STEPS)]
        if best is None:
            smallest = self._tried(text, [least], most, ground)[0]
            raise self._overflow(item, faces, smallest, most, least)
        return best

    def _evened(self, text: Mapping[str, Any], tried: tuple[Setting, bool]) -> Setting:
        """A few lines get as even as they can be: the narrowest room that gives as many."""
        setting = tried[0]
        if setting.lines == 2 and len(text["lines"]) == 1 and (parted := self._parted(text, setting)) is not None:  # noqa: PLR2004
            return parted
        if 1 < setting.lines <= USUAL["balanced"] and len(text["lines"]) == 1:
            low, high = setting.block[0] / setting.lines, setting.room
            for _ in range(2):
                rooms = [low + (high - low) * step / _STEPS for step in range(1, _STEPS + 1)]
                asked = [{"text": text, "size": setting.size, "room": room + more} for room in rooms for more in (0.0, 0.5)]
                answers = self.press.measure(asked)
                for number, room in enumerate(rooms):
                    (width, height), (again, _) = answers[2 * number : 2 * number + 2]
                    broad = width > room - _HAIR and again > room + 0.5 - _HAIR
                    if not broad and height <= setting.block[1] + _HAIR:
                        setting = self._setting(text, setting.size, room, width, height)
                        low, high = (rooms[number - 1] if number else low), room
                        break
        return setting

    def _parted(self, text: Mapping[str, Any], setting: Setting) -> Setting | None:
        """Two lines of Chinese or Japanese, whose words nothing parts, end where the sentence pauses, if it does."""
        line = text["lines"][0]
        pauses = [at for at in range(1, len(line)) if line[at - 1] in _PAUSES and line[at] not in _PAUSES + _CLOSING]
        asked = [{**text, "lines": [line[:at], line[at:]]} for at in pauses[:_STEPS]]
        found = [self._tried(one, [setting.size], (setting.room, 0.0), False)[0] for one in asked]
        fitting = [one for one, broad in found if not broad and one.lines == setting.lines]
        return min(fitting, key=lambda one: one.block[0]) if fitting else None

    def _overflow(
        self, item: Mapping[str, Any], faces: Sequence[Face], tried: tuple[Setting, bool], most: tuple[float, float], size: float
    ) -> ProviderError:
        setting, broad = tried
        what = f"{quoted(item['text'])}, set in {faces[0].names[0]} at {size:.4g} px,"
        shrunk = item.get("fit") == "shrink"
        if broad:
            text = f"{what} has a word that is wider than the {setting.room:.0f} px it has"
        elif setting.lines > int(item.get("max_lines", 10_000)):
            text = f"{what} takes {setting.lines} lines, and `max_lines` is {item['max_lines']}"
        else:
            text = f"{what} is {setting.block[1]:.0f} px high, and has {most[1]:.0f}"
        hint = (
            "make the text shorter, or its `width` larger"
            if shrunk
            else "write `fit: shrink`, a smaller `size`, a larger `width` or fewer words"
        )
        if shrunk:
            text += "; it isn't made smaller than that"
        return ProviderError(Kind.INVALID, text, hint=hint)
