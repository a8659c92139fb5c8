"""What is laid over a picture, held against what can be known without it: which fields go together, places, sizes, colours, and whether a barcode says what it
should. Gives each item as the canonical parameters that go into the action key. Knows no font and no picture; texts are rendered already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

KINDS = ("text", "file", "barcode")
_PLACED = ("at", "margin", "width", "height", "background", "lang", "direction", "rotate")
FIELDS: dict[str, tuple[str, ...]] = {
    "text": (
        *("text", "font", "weight", "style", "size", "color", "opacity", "align", "fit", "max_lines", "leading", "tracking"),
        *_PLACED,
    ),
    "file": ("file", "opacity", *_PLACED),
    "barcode": ("barcode", "value", "color", "digits", *_PLACED),
}
WEIGHTS = {"regular": 400, "medium": 500, "semibold": 600, "bold": 700, "black": 900}
DIGITS = {"ean13": 13, "ean8": 8, "upca": 12}
NAMES = {"ean13": "EAN-13", "ean8": "EAN-8", "upca": "UPC-A", "code128": "Code 128", "qr": "QR code"}
TEXT_MOST = 10_000  # characters
CODE128_MOST = 80  # characters; a longer one is wider than any scanner
# ISO/IEC 18004, table 7: what version 40 holds at level M, in digits, in letters of the alphanumeric set, in bytes
QR_DIGITS, QR_LETTERS, QR_BYTES = 5596, 3391, 2331
_ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
_CONTRAST = 0.4  # of white, between bars and what is behind them
_BLACK, _WHITE = "#000000", "#ffffff"
_DOWN, _ACROSS = ("top", "bottom"), ("start", "end", "left", "right")
_MEASURE = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?) *(%|px|pt)").fullmatch
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})").fullmatch
_LANG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*").fullmatch

Fault = tuple[tuple[str | int, ...], str, str]


class _Wrong(Exception):
    """A value that can't be: why, and the way out."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.text, self.hint = text, hint


class Code(NamedTuple):
    """A barcode's kind and what it says, complete."""

    kind: str
    value: str


def faults(value: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Every mistake in the items: where (number of the item, field), what, and the way out. The texts are rendered; values may be numbers or texts."""
    found: list[Fault] = []
    for index, item in enumerate(value):
        kinds = [kind for kind in KINDS if kind in item]
        if len(kinds) != 1:
            if kinds:
                text = f"an item of `overlay` is one thing, and this one has {' and '.join(f'`{kind}`' for kind in kinds)}"
                found.append(((index, kinds[1]), text, "give each an item of its own"))
            else:
                text = "this item of `overlay` says where and how, but not what"
                found.append(((index,), text, "give it a `text`, a `file` or a `barcode`"))
            continue
        kind = kinds[0]
        for field in item:
            if field not in FIELDS[kind]:
                found.append(((index, field), *_foreign(field, kind, item)))
                continue
            try:
                _READ[field](item[field])
            except _Wrong as wrong:
                found.append(((index, field), wrong.text, wrong.hint))
        if kind == "barcode":
            found += [((index, field), text, hint) for field, text, hint in _code_faults(item)]
    return found


def items(value: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same as canonical parameters: only what is said, numbers as numbers, colours `#rrggbb` (`#rrggbbaa` where one can see through), sizes in `%` and
    `px`. Only for values without faults.
    """
    found = []
    for item in value:
        plain = {field: _READ[field](item[field]) for field in item}
        if "barcode" in plain:
            plain["value"] = code(plain["barcode"], str(item["value"])).value
        found.append(plain)
    return found


def families(font: str) -> tuple[str, ...]:
    """The families that `font:` names, the first one first: `Fraunces, Noto Sans Arabic`."""
    return tuple(name for part in font.split(",") if (name := " ".join(part.split())))


def check_digit(digits: str) -> str:
    """The check digit of an EAN or UPC, from the digits before it (GS1 General Specifications, 7.9.1)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def code(kind: str, value: str) -> Code:
    """What a barcode says, as it is encoded: an EAN without spaces and hyphens. Raises `_Wrong`."""
    name = NAMES[kind]
    if not value.strip():
        raise _Wrong(f"this {name} says nothing", "fill in its `value`")
    if kind == "qr":
        return Code(kind, _qr(value))
    if kind == "code128":
        for char in value:
            if not " " <= char <= "~":
                raise _Wrong(f"a Code 128 has no {char!r}", "it holds printable ASCII; `barcode: qr` holds any text")
        if len(value) > CODE128_MOST:
            text = f"this Code 128 has {len(value)} characters, and no scanner is wide enough for more than {CODE128_MOST}"
            raise _Wrong(text, "`barcode: qr` holds more")
        return Code(kind, value)
    whole = re.sub("[ \u00a0-]", "", value)
    if not (whole.isascii() and whole.isdigit()):
        raise _Wrong(f"an {name} has digits only, and this is `{value}`", "`barcode: code128` holds letters too")
    length = DIGITS[kind]
    if len(whole) == length - 1:
        full = whole + check_digit(whole)
        raise _Wrong(f"{whole} lacks its check digit: an {name} has {length} digits", f'write `value: "{full}"`')
    if len(whole) != length:
        other = next((other for other, digits in DIGITS.items() if digits == len(whole)), None)
        hint = "look it up on the order, or in the list the number comes from"
        if other is not None and check_digit(whole[:-1]) == whole[-1]:
            hint = f"an {NAMES[other]} has {len(whole)}: write `barcode: {other}`"
        raise _Wrong(f"an {name} has {length} digits, and {whole} has {len(whole)}", hint)
    right = check_digit(whole[:-1])
    if whole[-1] != right:
        text = f"the check digit of {whole} is {whole[-1]} and must be {right}"
        raise _Wrong(text, f"one of its digits is mistyped, or the number is {whole[:-1]}{right}")
    return Code(kind, whole)


def _qr(value: str) -> str:
    length = len(value.encode("utf-8", "surrogatepass"))
    most, unit = QR_BYTES, "bytes"
    if value.isascii() and value.isdigit():
        most, unit = QR_DIGITS, "digits"
    elif _ALPHANUMERIC.issuperset(value):
        most, unit = QR_LETTERS, "characters"
    if length > most:
        raise _Wrong(f"this text has {length:,} {unit}, and a QR code holds {most:,}", "let it hold an address where the text is")
    return value


def _code_faults(item: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    kind = str(item["barcode"]).strip()
    if kind not in NAMES:
        return []
    if "value" not in item:
        return [("barcode", f"this {NAMES[kind]} has no `value`", "write `value:` with what it is to say")]
    found = []
    try:
        code(kind, str(item["value"]))
    except _Wrong as wrong:
        found.append(("value", wrong.text, wrong.hint))
    if kind == "qr" and "digits" in item:
        found.append(("digits", "a QR code has no digits below it", "leave `digits` out"))
    try:
        bars, ground = colour(item.get("color", _BLACK)), colour(item.get("background", _WHITE))
    except _Wrong:
        return found
    field = "color" if "color" in item else "background"
    for name, shade in (("color", bars), ("background", ground)):
        if len(shade) > len(_BLACK):
            found.append((name, f"a barcode's `{name}` can't be seen through", "write it with six digits, `#rrggbb`"))
            return found
    if _light(ground, kind) - _light(bars, kind) < _CONTRAST:
        text = f"no scanner tells {bars} bars from {ground}"
        hint = "it needs dark bars on a light ground, as black on white"
        if kind != "qr":
            hint += "; scanners see in red light, where red is as white"
        found.append((field, text, hint))
    return found


def _light(shade: str, kind: str) -> float:
    """How light a scanner sees a colour, 0 to 1: a camera sees all colours, a laser is red."""
    red, green, blue = (int(shade[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue if kind == "qr" else red


def _foreign(field: str, kind: str, item: Mapping[str, Any]) -> tuple[str, str]:
    """A field that belongs to another kind of item."""
    thing = {"text": "a text", "file": "a file", "barcode": "a barcode"}[kind]
    owners = [other for other in KINDS if field in FIELDS[other]]
    if not owners:
        return f"{thing} in an overlay has no `{field}`", f"it has {', '.join(FIELDS[kind])}"
    way = f"leave it out: `{field}` belongs to {' and '.join({'text': 'texts', 'file': 'files', 'barcode': 'barcodes'}[o] for o in owners)}"
    if field == "size":
        way = "write `width` or `height`"
    elif field == "value" and kind == "text":
        way = "write `barcode:` with the kind of code, in place of `text:`"
    elif field == "opacity":
        way = "leave it out: bars that can be seen through can't be scanned"
    elif field == "color" and kind == "file":
        way = "colour the drawing itself"
    return f"{thing} in an overlay has no `{field}`", way


def place(value: object) -> str:
    """`top start` from `start top`, `center` from `center center`. Raises `_Wrong`."""
    words = str(value).split()
    down = [word for word in words if word in _DOWN]
    across = [word for word in words if word in _ACROSS]
    if len(words) not in (1, 2) or any(word not in (*_DOWN, *_ACROSS, "center") for word in words):
        raise _Wrong(f"`{value}` is no place", "a place is one or two of start, end, left, right, top, bottom, center")
    for both in (down, across):
        if len(both) > 1:
            text = f"`{' '.join(words)}` is two places" if both[0] != both[1] else f"`{' '.join(words)}` says `{both[0]}` twice"
            raise _Wrong(text, f"write `at: {both[0]}` or a corner, as in `at: top start`")
    return " ".join(down + across) or "center"


def measure(value: object, most: float = 100) -> str:
    """`5%`, `24px`; a point is a pixel. Raises `_Wrong`."""
    found = _MEASURE(str(value).strip())
    if found is None:
        raise _Wrong(f"`{value}` is no size", "a size has a unit: `5%`, `24px` or `30pt`")
    number, unit = float(found[1]), found[2]
    if unit == "%" and number > most:
        raise _Wrong(f"{found[1]}% is more than the picture has", f"write at most {most:g}%")
    return f"{number:.3f}".rstrip("0").rstrip(".") + ("%" if unit == "%" else "px")


def _some(value: object) -> str:
    found = measure(value)
    if found in ("0%", "0px"):
        raise _Wrong(f"`{value}` leaves no room", "write a size above 0")
    return found


def _margin(value: object) -> str | list[str]:
    each = [value] if not isinstance(value, list | tuple) else list(value)
    if len(each) not in (1, 2):
        raise _Wrong(
            f"a margin has one or two sizes, and this has {len(each)}", "write `[4%, 6%]`: above and below, left and right"
        )
    found = [measure(one, 50) for one in each]
    return found[0] if len(set(found)) == 1 else found


def colour(value: object) -> str:
    """`#rrggbb` in small letters, `#rrggbbaa` where one can see through. Raises `_Wrong`."""
    text = str(value).strip().lower()
    text = {"white": _WHITE, "black": _BLACK}.get(text, text)
    if _COLOUR(text) is None:
        raise _Wrong(f"`{value}` is no colour", 'a colour is `"#rrggbb"`, in quotes, or `white` or `black`')
    if len(text) == 4:  # noqa: PLR2004 - #rgb
        text = "#" + "".join(char * 2 for char in text[1:])
    return text[:7] if text.endswith("ff") else text


def _number(low: float, high: float, *, whole: bool = False) -> Callable[[object], float | int]:
    def read(value: object) -> float | int:
        try:
            number = float("nan") if isinstance(value, bool) else float(str(value).strip())
        except ValueError:
            number = float("nan")
        if not low <= number <= high or (whole and not number.is_integer()):
            raise _Wrong(
                f"`{value}` isn't {'a whole number' if whole else 'a number'} from {low:g} to {high:g}",
                f"write {low:g} to {high:g}",
            )
        return int(number) if number.is_integer() else round(number, 4)

    return read


def _weight(value: object) -> int:
    word = str(value).strip().lower()
    if word in WEIGHTS:
        return WEIGHTS[word]
    try:
        return int(_number(100, 900, whole=True)(value))
    except _Wrong:
        raise _Wrong(f"`{value}` is no weight", f"write 100 to 900, or {', '.join(WEIGHTS)}") from None


def _one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if str(value).strip() not in words:
            raise _Wrong(f"`{value}` isn't possible here", f"write {' or '.join(f'`{word}`' for word in words)}")
        return str(value).strip()

    return read


def _flag(value: object) -> bool:
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        raise _Wrong(f"`{value}` is neither true nor false", "write `true` or `false`")
    return word == "true"


def _turn(value: object) -> int:
    if str(value).strip() not in ("0", "90", "180", "270"):
        raise _Wrong(f"{value} degrees can't be", "write 0, 90, 180 or 270")
    return int(str(value).strip())


def _text(value: object) -> str:
    text = str(value)
    if not text.strip():
        raise _Wrong("this text is empty", "fill in what it is to say, or leave the item out")
    if len(text) > TEXT_MOST:
        raise _Wrong(
            f"this text has {len(text):,} characters, and at most {TEXT_MOST:,} can be laid over a picture", "make it shorter"
        )
    for char in text:
        if (char < " " and char not in "\n\t") or char == "\x7f" or "\ud800" <= char <= "\udfff":
            raise _Wrong(f"this text has a control character ({char!r})", "take it out")
    return text


def _font(value: object) -> str:
    found = ", ".join(families(str(value)))
    if not found:
        raise _Wrong("`font` names no family", "leave it out for Noto Sans")
    return found


def _file(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _Wrong(f"`{value}` can't be laid over the picture", "name a file of yours, as in `file: brand/logo.svg`")


def _lang(value: object) -> str:
    text = str(value).strip()
    if _LANG(text) is None:
        raise _Wrong(f"`{value}` is no language", "write its code, as in `de`, `ar` or `zh-TW`")
    first, *rest = text.split("-")
    return "-".join((first.lower(), *(part.title() if len(part) == 4 else part.upper() for part in rest)))  # noqa: PLR2004 - a script


_READ: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "file": _file,
    "barcode": _one_of(*NAMES),
    "value": str,
    "at": place,
    "margin": _margin,
    "font": _font,
    "weight": _weight,
    "style": _one_of("normal", "italic"),
    "size": _some,
    "width": _some,
    "height": _some,
    "color": colour,
    "background": colour,
    "opacity": _number(0, 1),
    "align": _one_of("start", "center", "end"),
    "fit": _one_of("shrink"),
    "max_lines": _number(1, 100, whole=True),
    "leading": _number(0.5, 5),
    "tracking": _number(-200, 1000),
    "lang": _lang,
    "direction": _one_of("ltr", "rtl", "auto"),
    "digits": _flag,
    "rotate": _turn,
}
