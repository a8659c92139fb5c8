"""What a plain scalar means: YAML 1.2's core types, and the spellings that mean something else to other tools. It knows one word
at a time."""

from __future__ import annotations

import re
from typing import Any

Value = Any  # whatever YAML can say


class WrittenInt(int):
    """A whole number that was written in another way than Python prints it. `text` is what stands in the file."""

    text: str


class WrittenFloat(float):
    """A number with a point or an exponent; `text` is what stands in the file."""

    __slots__ = ("text",)
    text: str


# First characters of plain scalars that may be no text, or no text that was meant; any other first letter says "text" at once.
ODD = frozenset("0123456789+-.~tfnTFNyYoO<“„«»‘‚‹›”’「『")
_DIGITS = 40  # a longer number is text
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9](?:_?[0-9])*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0x[0-9a-fA-F]+|0o[0-7]+")
RATIO = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?::[0-9]+(?:\.[0-9]+)?)+")
OLD_BOOLEANS = frozenset(("no", "No", "NO", "yes", "Yes", "YES", "on", "On", "ON", "off", "Off", "OFF"))
CONSTANTS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
CONSTANTS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
CURLY = {
    "“": "”“",
    "„": "“”",
    "«": "»",
    "»": "«",
    "‘": "’‘",
    "‚": "‘’",
    "‹": "›",
    "›": "‹",
    "”": "”",
    "’": "’",
    "「": "」",
    "『": "』",
}


def scalar(text: str) -> Value:
    """What a plain scalar means in YAML's core schema. Leading zeros (`0401`), dates and infinities are text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if _NUMBER.fullmatch(text) is None:
        return text
    digits = text.lstrip("+-")
    if len(digits) > _DIGITS or (len(digits) > 1 and digits[0] == "0" and digits[1] in "0123456789_"):
        return text
    if digits[:2] in ("0x", "0o"):
        whole = WrittenInt(int(text, 0))
        whole.text = text
        return whole
    if digits.replace("_", "").isdigit():
        if str(int(text)) == text:
            return int(text)
        whole = WrittenInt(int(text))
        whole.text = text
        return whole
    number = float(text.replace("_", ""))
    if number in (float("inf"), float("-inf")):
        return text
    if repr(number) == text:
        return number
    written = WrittenFloat(number)
    written.text = text
    return written
