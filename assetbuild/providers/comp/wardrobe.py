"""How the figure of a character sheet looks: hair, skin, and what a prompt says that it wears, with its colour. Knows prompts,
colours and the figure's field (100 x 200, head at 50 48; a head alone: 100 x 100, at 50 50); no layout.
"""

# ruff: noqa: E501, PLR2004 - a drawing is made of numbers, and its lines are long
from __future__ import annotations

import re
from typing import NamedTuple

from .hues import hues
from .palette import Palette, apart, light, mix
from .reading import FAR, HINT, QUOTES

SKINS = ("#F2C9A4", "#E9B890", "#C98F66", "#9C6644", "#F6D7BC", "#7A4A30")
HAIRS = ("#2B1D1A", "#4A2F22", "#7A4A2A", "#B9743A", "#D8B06A", "#33302F")
_GREY = "#C9C6C2"
_SAID_HAIR = {
    "blond": "#DDB768", "blonde": "#DDB768", "golden": "#DDB768", "red": "#B8522A", "ginger": "#B8522A", "auburn": "#8A3F26",
    "black": "#231A1A", "dark": "#33231D", "brown": "#5E3B26", "grey": _GREY, "gray": _GREY, "white": "#EDE9E3", "silver": _GREY,
    "pink": "#E58FAE", "blue": "#4C78B5", "green": "#5E9A6A",
}  # fmt: skip
_HAIR = re.compile(r"\b(" + "|".join(_SAID_HAIR) + r")(?:[ -](?:long|short|curly|straight|wavy))?[ -]hair(?:ed)?\b")
_OLD = re.compile(r"\b(?:old|elderly|grand(?:pa|ma|father|mother)|oma|opa|farfar|mormor)\b")
_WOMAN = re.compile(
    r"\b(?:girl|woman|lady|she|her|queen|princess|mother|grandma|grandmother|oma|mormor|witch|mädchen|frau|flicka)\b"
)
_MAN = re.compile(
    r"\b(?:boy|man|he|his|king|prince|father|grandpa|grandfather|opa|farfar|wizard|beard|moustache|mustache|junge|mann|pojke)\b"
)
# what can be worn: the words for it; the first that fits wins
_WORN: tuple[tuple[str, str], ...] = (
    ("beanie", r"(?:wool(?:ly|len|en)?|knit(?:ted)?|bobble|pom-?pom|winter) (?:hat|cap)|beanie|mütze|wollmütze|mössa"),
    ("cap", r"(?:baseball |flat |peaked )?cap"),
    ("crown", r"crown|tiara|krone|krona"),
    ("hat", r"(?:sun|straw|top|felt|cowboy|pointed )?\s?hat|hut|hatt"),
    ("scarf", r"scarf|shawl|schal|halsduk"),
    ("glasses", r"glasses|spectacles|goggles|brille|glasögon"),
    ("beard", r"beard|bart|skägg"),
    ("moustache", r"moustache|mustache|schnurrbart"),
    ("apron", r"apron|schürze|förkläde"),
    ("dress", r"dress|gown|skirt|pinafore|kleid|rock|klänning"),
    ("cape", r"cape|cloak|umhang|mantel"),
    ("backpack", r"backpack|rucksack|satchel|knapsack|ryggsäck"),
    ("bow", r"(?:hair )?bow|ribbon|schleife|rosett"),
    ("coat", r"coat|raincoat|jacket|sweater|jumper|pullover|hoodie|shirt|t-shirt|cardigan|jacke|tröja|kappe"),
)
_PATTERNS = tuple((name, re.compile(rf"((?:[\w-]+ ){{0,4}}?)\b(?:{words})\b")) for name, words in _WORN)
_STOP = re.compile(r"\b(?:and|with|an?|the|his|her|their|wears|wearing|in|und|mit|och|med)\b")
_HATS = ("beanie", "cap", "crown", "hat")


class Figure(NamedTuple):
    """What a figure is drawn with: colours as "#RRGGBB"; `coat` and its `trim` are "" where the page's own colours are worn."""

    skin: str
    hair: str
    style: str
    coat: str
    trim: str
    worn: tuple[tuple[str, str, str], ...]  # name, colour, trim


def figure(prompt: str, five: Palette, seed: int) -> Figure:
    """Reads what a figure looks like and wears; what isn't said follows from the seed."""
    near = " ".join(QUOTES.sub(" ", HINT.sub("", prompt[:FAR])).casefold().split())
    old, woman, man = _OLD.search(near), _WOMAN.search(near), _MAN.search(near)
    said = _HAIR.search(near)
    hair = _SAID_HAIR[said[1]] if said else _GREY if old else HAIRS[seed // 7 % len(HAIRS)]
    female = woman is not None and (man is None or woman.start() < man.start())
    styles = ("long", "bun", "bob") if female else ("short", "curly", "short") if man else ("short", "curly", "bun", "bob")
    style = styles[seed // 53 % len(styles)]
    style = next((word for word in ("curly", "long") if re.search(rf"\b{word}\b[\w ,-]{{0,12}}\bhair", near)), style)
    style = "bald" if re.search(r"\bbald\b", near) else style
    skin = SKINS[seed % len(SKINS)]
    if apart(skin, hair) < 110 and not (said or old):
        hair = HAIRS[0] if light(skin) > 150 else "#1B1312"
    worn: list[tuple[str, str, str]] = []
    coat = set_colour = ""
    for name, pattern in _PATTERNS:
        hit = pattern.search(near)
        if hit is None or (name in _HATS and any(one in _HATS for one, _, _ in worn)):
            continue
        named = _colour(_STOP.split(hit[1])[-1])
        if name == "coat":
            coat = named
            continue
        usual = (
            hair
            if name in ("beard", "moustache")
            else "#E3B23C"
            if name == "crown"
            else five.ink
            if name == "glasses"
            else "#E2BE74"
            if "straw" in hit[0]
            else ""
        )
        colour = named or usual or set_colour or _standing_out(five, skin)
        set_colour = set_colour or named  # a red hat and a scarf: both red
        worn.append((name, colour, mix(colour, "#FFFFFF", 62) if light(colour) < 500 else mix(colour, "#1A1A22", 30)))
    return Figure(skin, hair, style, coat, mix(coat, "#FFFFFF", 45) if coat else "", tuple(worn))


def _standing_out(five: Palette, skin: str) -> str:
    """The accent that is told best from skin and page; not the lightest, which the figure stands before."""
    return max(
        sorted((five.a, five.b, five.c), key=light)[:2], key=lambda one: (min(apart(one, skin), apart(one, five.paper)), one)
    )


def _colour(words: str) -> str:
    """The colour among some words: the last that they name."""
    found = hues(words, trusting=True)
    return found[-1].value if found else ""


def dressed(figure: Figure, view: str, drawn: str) -> str:
    """One view of the figure (kid-front, kid-side, kid-back, head0 …) with its hair and what it wears."""
    side = view.removeprefix("kid-") if view.startswith("kid-") else "head"
    style = (
        "under"
        if any(name in ("beanie", "cap", "hat") for name, _, _ in figure.worn)
        and figure.style in ("short", "curly", "bun", "bald")
        else figure.style
    )
    before, hair = _HAIRDOS.get(style, {}).get(side if side != "head" else "front", ("", None))
    if style == "under" and figure.style == "bald":
        hair = ""
    if hair is not None:
        drawn = re.sub(r'<path class="h"[^>]*/>', _on_head(hair) if side == "head" else hair, drawn, count=1)
    behind, over = _on_head(before) if side == "head" and before else before, ""
    for name, colour, trim in figure.worn:
        parts = _PROPS[name].get(side)
        if parts is None and side == "head":
            parts = ("", _on_head(_PROPS[name]["front"][1]) if name in _FOR_HEADS else "")
        if parts:
            behind += parts[0].replace("COLOUR", colour).replace("TRIM", trim)
            over += parts[1].replace("COLOUR", colour).replace("TRIM", trim)
    return behind + drawn + over


def _on_head(inner: str) -> str:
    """What is drawn for the figure's front, moved to a head that is drawn alone."""
    return f'<g transform="translate(50 50) scale(1.06) translate(-50 -48)">{inner}</g>' if inner else ""


_FOR_HEADS = ("beanie", "cap", "crown", "hat", "glasses", "beard", "moustache", "bow", "scarf")
# hair: view → (behind the figure, in place of the short hair; None leaves that)
_HAIRDOS: dict[str, dict[str, tuple[str, str | None]]] = {
    "under": {
        "front": ("", '<path class="h" d="M15 52c0-10 2-16 6-18h58c4 2 6 8 6 18-4-3-7-7-8-12H23c-1 5-4 9-8 12z"/>'),
        "side": ("", '<path class="h" d="M18 40h36c-2 6-8 8-10 12-5 0-9 4-8 12-2 5-6 8-12 6-6-9-8-20-6-30z"/>'),
        "back": ("", '<path class="h" d="M15 38h70c3 22-10 41-35 41S12 60 15 38z"/>'),
    },
    "curly": {
        "front": ("", '<g class="h"><circle cx="20" cy="32" r="12"/><circle cx="33" cy="19" r="13"/><circle cx="50" cy="14" r="14"/><circle cx="67" cy="19" r="13"/><circle cx="80" cy="32" r="12"/><circle cx="15" cy="44" r="7"/><circle cx="85" cy="44" r="7"/><circle cx="41" cy="25" r="9"/><circle cx="58" cy="26" r="9"/></g>'),
        "side": ("", '<g class="h"><circle cx="24" cy="30" r="14"/><circle cx="37" cy="17" r="14"/><circle cx="54" cy="14" r="13"/><circle cx="69" cy="21" r="11"/><circle cx="20" cy="46" r="12"/><circle cx="22" cy="60" r="10"/><circle cx="36" cy="34" r="14"/><circle cx="56" cy="24" r="10"/></g>'),
        "back": ("", '<g class="h"><circle cx="50" cy="46" r="34"/><circle cx="20" cy="32" r="12"/><circle cx="33" cy="19" r="13"/><circle cx="50" cy="14" r="14"/><circle cx="67" cy="19" r="13"/><circle cx="80" cy="32" r="12"/><circle cx="18" cy="52" r="11"/><circle cx="82" cy="52" r="11"/><circle cx="28" cy="68" r="11"/><circle cx="72" cy="68" r="11"/><circle cx="50" cy="74" r="12"/></g>'),
    },
    "long": {
        "front": ('<path class="h" d="M12 50C6 2 94 2 88 50c4 26 6 46 0 66H72V60H28v56H12c-6-20-4-40 0-66z"/>', '<path class="h" d="M15 48C12 12 40 6 50 8c26-2 38 14 35 40-5-12-11-19-18-22-14 10-36 10-52 22z"/>'),
        "side": ('<path class="h" d="M18 44c-8 24-10 50-4 72h26c8-22 6-50 6-72z"/>', '<path class="h" d="M80 30C72 4 48 2 34 8 14 14 8 44 14 72c8 14 22 10 26-8 0-8 2-14 6-16 2-6 6-14 18-16 6 0 12 0 16-2z"/>'),
        "back": ("", '<path class="h" d="M14 52C6 4 94 4 86 52c4 26 8 44 2 66-24 6-52 6-76 0-6-22-2-40 2-66z"/>'),
    },
    "bob": {
        "front": ('<path class="h" d="M10 52C4 2 96 2 90 52c1 14 1 24-3 32H13c-4-8-4-18-3-32z"/>', '<path class="h" d="M16 44C14 12 38 8 50 8c24 0 36 14 34 36-4-4-6-6-8-8H24c-2 2-4 4-8 8z"/>'),
        "side": ("", '<path class="h" d="M82 40C78 6 50 2 34 8 10 16 6 52 14 82c10 4 24 4 32-2 2-12 0-20 2-28 2-6 4-10 6-12z"/>'),
        "back": ("", '<path class="h" d="M11 54C4 4 96 4 89 54c1 14 1 24-3 32-22 5-50 5-72 0-4-8-4-18-3-32z"/>'),
    },
    "bun": {
        "front": ('<circle class="h" cx="50" cy="2" r="13"/>', '<path class="h" d="M14 46C10 10 40 6 50 8c26-2 40 14 36 38-6-14-14-20-24-22-8-2-16-2-24 0-10 2-18 8-24 22z"/>'),
        "side": ('<circle class="h" cx="22" cy="8" r="13"/>', '<path class="h" d="M81 32C74 4 48 2 34 8 14 14 10 44 20 62c10 4 14-4 16-10 6-10 14-18 26-20 8 0 14 0 19 0z"/>'),
        "back": ('<circle class="h" cx="50" cy="2" r="13"/>', '<path class="h" d="M16 54C8 8 42 6 52 8c28 0 38 24 32 48-4 18-14 25-34 25S20 74 16 54z"/>'),
    },
    "bald": {"front": ("", ""), "side": ("", ""), "back": ("", "")},
}  # fmt: skip
_DOME = '<path fill="COLOUR" d="M12 40C8-6 92-6 88 40z"/>'
_RIB = '<rect fill="TRIM" x="9" y="32" width="82" height="15" rx="7.500"/><path d="M20 34v11M30 34v11M40 34v11M50 34v11M60 34v11M70 34v11M80 34v11" fill="none" stroke="COLOUR" stroke-width="2.500" stroke-linecap="round"/>'
_BEANIE = (
    _DOME
    + '<path d="M30 30C30 18 36 9 44 7M50 30V6M70 30C70 18 64 9 56 7" fill="none" stroke="TRIM" stroke-width="2.500" stroke-linecap="round" opacity=".6"/>'
    + _RIB
    + '<circle fill="TRIM" cx="50" cy="2" r="10"/>'
)
_SCARF = '<path fill="COLOUR" d="M22 80c16 12 40 12 56 0 6 6 6 15 0 19-16 12-40 12-56 0-6-4-6-13 0-19z"/><path d="M33 87l-3 17M46 90l-1 17M60 89l2 17M71 85l4 16" fill="none" stroke="TRIM" stroke-width="4" stroke-linecap="round"/>'
_TAIL = '<path fill="COLOUR" d="M58 100l17-4 5 46-18 3z"/><path d="M61 116l16-3M62 130l17-3" fill="none" stroke="TRIM" stroke-width="5"/><path d="M64 145l1 7M70 144l1 7M76 143l1 7" fill="none" stroke="COLOUR" stroke-width="3" stroke-linecap="round"/>'
_SKIRT = '<path fill="COLOUR" d="M28 118h44l15 54c-24 6-50 6-74 0z"/><path fill="COLOUR" d="M31 91c12-6 26-6 38 0l5 32H26z"/><path d="M15 164c24 6 46 6 70 0" fill="none" stroke="TRIM" stroke-width="5"/><rect fill="TRIM" x="27" y="116" width="46" height="7"/>'
_LENSES = '<g fill="#FFFFFF" fill-opacity=".35" stroke="COLOUR" stroke-width="3.500"><circle cx="37" cy="52" r="11"/><circle cx="63" cy="52" r="11"/><path d="M48 50c1-1 3-1 4 0M26 50l-8-2M74 50l8-2" fill="none"/></g>'
# what is worn: view → (behind the figure, before it). COLOUR and TRIM are filled in
_PROPS: dict[str, dict[str, tuple[str, str]]] = {
    "beanie": {"front": ("", _BEANIE), "side": ("", _BEANIE), "back": ("", _BEANIE)},
    "cap": {
        "front": ("", _DOME + '<path fill="TRIM" d="M16 38c20-8 48-8 68 0 8 8 4 12-6 10-18-5-38-5-56 0-10 2-14-2-6-10z"/><circle fill="TRIM" cx="50" cy="6" r="3.500"/>'),
        "side": ("", _DOME + '<path fill="TRIM" d="M60 36h28c12 2 16 8 12 10-14 0-26-2-40-4z"/><circle fill="TRIM" cx="50" cy="6" r="3.500"/>'),
        "back": ("", _DOME + '<path fill="none" stroke="TRIM" stroke-width="4" d="M34 40c6-9 26-9 32 0"/><circle fill="TRIM" cx="50" cy="6" r="3.500"/>'),
    },
    "crown": dict.fromkeys(("front", "side", "back"), ("", '<path fill="COLOUR" d="M20 28L15-2l19 13L50-8l16 19L85-2l-5 30c-18-6-42-6-60 0z"/><g fill="TRIM"><circle cx="50" cy="16" r="4"/><circle cx="33" cy="18" r="3"/><circle cx="67" cy="18" r="3"/></g>')),
    "hat": dict.fromkeys(("front", "side", "back"), ("", '<path fill="COLOUR" d="M24 32C22-14 78-14 76 32z"/><path fill="TRIM" d="M24 22c16 5 36 5 52 0v12c-16 5-36 5-52 0z"/><ellipse fill="COLOUR" cx="50" cy="35" rx="52" ry="8"/><path fill="TRIM" d="M24 24c16 5 36 5 52 0l1 8c-17 4-37 4-54 0z"/>')),
    "scarf": {
        "front": ("", _TAIL + _SCARF),
        "side": ("", '<path fill="COLOUR" d="M36 96l-16 42 15 6 15-44z"/><path d="M29 114l15 5M24 128l15 5" fill="none" stroke="TRIM" stroke-width="5"/><path fill="COLOUR" d="M30 80c12 10 30 10 42 0 5 5 5 14 0 18-12 9-30 9-42 0-5-4-5-13 0-18z"/><path d="M40 86l-2 16M52 88v16M63 85l3 15" fill="none" stroke="TRIM" stroke-width="4" stroke-linecap="round"/>'),
        "back": ("", _SCARF),
        "head": ("", '<path fill="COLOUR" d="M22 82c16 12 40 12 56 0 7 6 7 12 4 20H18c-3-8-3-14 4-20z"/><path d="M33 90l-3 12M50 93v10M67 90l3 12" fill="none" stroke="TRIM" stroke-width="4"/>'),
    },
    "glasses": {
        "front": ("", _LENSES),
        "side": ("", '<g fill="#FFFFFF" fill-opacity=".35" stroke="COLOUR" stroke-width="3.500"><ellipse cx="71" cy="50" rx="8" ry="11"/><path d="M63 49l-18 1" fill="none"/></g>'),
        "back": ("", ""),
    },
    "beard": {
        "front": ("", '<path fill="COLOUR" d="M17 56c2 28 16 38 33 38s31-10 33-38c-4 7-9 9-15 7-6-5-30-5-36 0-6 2-11 0-15-7z"/><path d="M42 70c4 4 12 4 16 0" fill="none" stroke="#FFFFFF" stroke-width="3" stroke-linecap="round"/>'),
        "side": ("", '<path fill="COLOUR" d="M83 60c2 22-8 34-28 34-10 0-16-6-18-14 6-4 8-10 8-18 8 4 14 2 20 0 6 2 12 2 18-2z"/><path d="M70 69c3 3 6 3 9 0" fill="none" stroke="#FFFFFF" stroke-width="3" stroke-linecap="round"/>'),
        "back": ("", ""),
    },
    "moustache": {
        "front": ("", '<path fill="COLOUR" d="M32 66c4-8 13-8 18-3 5-5 14-5 18 3-6 5-13 4-18 1-5 3-12 4-18-1z"/>'),
        "side": ("", '<path fill="COLOUR" d="M62 66c4-8 14-8 22-2-2 6-14 8-22 2z"/>'),
        "back": ("", ""),
    },
    "apron": {
        "front": ("", '<path d="M36 100L40 86M64 100L60 86" fill="none" stroke="COLOUR" stroke-width="4"/><path fill="COLOUR" d="M34 98h32v22h8l4 40c-18 4-38 4-56 0l4-40h8z"/><path fill="none" stroke="TRIM" stroke-width="3" d="M36 132h28v10c0 6-28 6-28 0z"/>'),
        "side": ("", '<path fill="COLOUR" d="M60 98c5 4 8 34 10 62-6 2-12 2-16 0-2-26-1-46 6-62z"/><path d="M38 122h24" fill="none" stroke="COLOUR" stroke-width="4"/>'),
        "back": ("", '<path d="M42 86L66 122M58 86L34 122M27 122h46" fill="none" stroke="COLOUR" stroke-width="4"/><path fill="COLOUR" d="M50 122l-12-7v14zM50 122l12-7v14z"/>'),
    },
    "dress": {
        "front": ("", _SKIRT),
        "side": ("", '<path fill="COLOUR" d="M34 118h34l15 54c-18 6-40 6-58 0z"/><path fill="COLOUR" d="M39 92c8-5 18-5 25 0l5 30H33z"/><path d="M27 164c18 5 36 5 54 0" fill="none" stroke="TRIM" stroke-width="5"/><path class="s" d="M45 100c-4 14-5 30-2 46l9-1c-1-16 0-30 3-43z"/>'),
        "back": ("", _SKIRT),
    },
    "cape": {
        "front": ('<path fill="COLOUR" d="M24 90L4 176c30 8 62 8 92 0L76 90z"/>', '<path fill="TRIM" d="M28 88c14 8 30 8 44 0l2 8c-16 8-32 8-48 0z"/>'),
        "side": ('<path fill="COLOUR" d="M40 90L10 174c14 8 30 8 42 4l4-88z"/>', '<path fill="TRIM" d="M36 88c10 6 20 6 30 0l1 8c-10 6-22 6-32 0z"/>'),
        "back": ("", '<path fill="COLOUR" d="M26 88L4 176c30 8 62 8 92 0L74 88c-14 8-34 8-48 0z"/><path fill="TRIM" d="M28 86c14 8 30 8 44 0l2 8c-16 8-32 8-48 0z"/>'),
    },
    "backpack": {
        "front": ('<rect fill="COLOUR" x="18" y="92" width="64" height="52" rx="12"/>', '<path d="M34 92c-3 14-3 26 0 40M66 92c3 14 3 26 0 40" fill="none" stroke="COLOUR" stroke-width="6"/>'),
        "side": ('<rect fill="COLOUR" x="8" y="94" width="36" height="56" rx="12"/><rect fill="TRIM" x="8" y="122" width="22" height="22" rx="6"/>', ""),
        "back": ("", '<rect fill="COLOUR" x="24" y="92" width="52" height="58" rx="13"/><rect fill="TRIM" x="32" y="120" width="36" height="22" rx="6"/><path d="M24 108h52" stroke="TRIM" stroke-width="4"/>'),
    },
    "bow": dict.fromkeys(("front", "side", "back"), ("", '<path fill="COLOUR" d="M70 12L52 0c-3 8-3 16 0 24zM70 12L88 0c3 8 3 16 0 24z"/><circle fill="TRIM" cx="70" cy="12" r="5"/>')),
}  # fmt: skip
