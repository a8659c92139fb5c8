"""The comp provider: what it draws, that it draws the same everywhere, and that words stay words."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops

from assetbuild.providers import comp
from assetbuild.providers.base import Done, Image, Picture, Price, ProviderError, Request
from assetbuild.providers.comp import change, layout, lexicon, lines, palette, reading, scripts, sizes, spots, wardrobe

GOLDEN = Path(__file__).parent / "golden" / "comp.json"
BRAND = "\n\nFlat vector shapes, palette #2B2D42 #EF8354 #F7F4EA, generous margins."


def asked(
    prompt: str | None, op: str = "generate", *, inputs: tuple[Picture, ...] = (), members: tuple[str, ...] = (), **params: Any
) -> Request:
    """A request as the core makes it, parameters normalised."""
    known: dict[str, Any] = {"upscale": {"scale": 2}, "remove-background": {}}.get(
        op, {"aspect_ratio": "2:3", "quality": "low", "background": "auto", "seed": None}
    )
    return Request("k" * 64, op, "comp-1", prompt, {**known, "output_format": "png", **params}, inputs, members)


def stored(folder: Path, data: bytes, role: str = "base", name: str | None = None) -> Picture:
    """A picture as it lies in the store: named by its digest, without an extension."""
    digest = hashlib.sha256(data).hexdigest()
    path = folder / digest[:2] / digest[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Picture(digest, path, role, name, None)


def drawn(request: Request) -> bytes:
    (image,) = comp.draw(request)
    return image.data


def pixels(data: bytes) -> Pillow.Image:
    return Pillow.open(io.BytesIO(data)).convert("RGBA")


def slug(data: bytes) -> Pillow.Image:
    """The strip at the foot that says DRAFT."""
    whole = pixels(data)
    return whole.crop((0, whole.height - int(sizes.strip(*whole.size)), *whole.size))


def tally(picture: Pillow.Image) -> Counter[tuple[int, int, int]]:
    """How many pixels there are of each colour."""
    raw = picture.convert("RGB").tobytes()
    return Counter(zip(raw[::3], raw[1::3], raw[2::3], strict=True))


def clear(picture: Pillow.Image, *places: tuple[int, int]) -> list[int]:
    """Alpha at some places."""
    raw = picture.getchannel("A").tobytes()
    return [raw[y * picture.width + x] for x, y in places]


def spoken(strip: Pillow.Image) -> float:
    """The share of a strip that isn't its ground: letters and swatches."""
    counts = tally(strip)
    return 1 - counts.most_common(1)[0][1] / (strip.width * strip.height)


def unlike(one: Pillow.Image, other: Pillow.Image) -> float:
    """The share of pixels in which two pictures of one size differ."""
    difference = (
        ImageChops.difference(one.convert("RGB"), other.convert("RGB")).convert("L").point(lambda v: 255 if v > 12 else 0)
    )
    return difference.histogram()[255] / (one.width * one.height)


POSTER = asked('A launch poster for the coffee brand "fika". The headline says "Brewed slowly". A cup.' + BRAND)

KINDS = {
    "poster": 'A poster: "Brewed slowly" and "250 g". A cup.',
    "box": 'A coffee box: brand "fika", product "Brewed slowly".',
    "pouch": 'A stand-up pouch for beans: "fika" "Ethiopia Guji"',
    "label": 'A label for a bottle of "Lemon Cordial"',
    "phone": 'A phone mockup: "Your morning, sorted", button "Order now"',
    "browser": 'A landing page: "Coffee that takes its time", button "Subscribe", logo "fika"',
    "icons": "An icon sheet: heart, coin, bell, cup",
    "icon": "An app icon with a fox",
    "logo": 'Logo "fika" with a bean',
    "character": 'Character sheet of a boy, title "Otto"',
    "book": 'Picture book page: "The lake was still asleep."',
    "product": 'Packshot of "Oat Soap", price "€7.90"',
    "pattern": "A seamless pattern of lemons and bees",
    "panel": "A calm mountain lake at dawn",
}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("ratio", ["2:3", "1:1", "21:9", "1:4"])
def test_each_kind_of_picture_is_drawn_in_each_ratio_with_its_slug(kind: str, ratio: str) -> None:
    request = asked(KINDS[kind] + BRAND, aspect_ratio=ratio)
    assert reading.read(request.prompt).kind in (kind, "panel", "")
    data = drawn(request)
    picture = Pillow.open(io.BytesIO(data))
    across, down = (int(part) for part in ratio.split(":"))
    assert picture.format == "PNG"
    assert max(picture.size) == 512
    assert abs(picture.width / picture.height - across / down) < 0.02
    assert 0.01 < spoken(slug(data)) < 0.5
    assert len(tally(picture)) > 20, "more than a flat field"


def test_quality_is_the_long_side() -> None:
    assert [sizes.size(asked("x", quality=quality)) for quality in ("low", "medium", "high")] == [
        (341, 512),
        (683, 1024),
        (1024, 1536),
    ]


def test_rows_of_a_matrix_share_a_layout_and_differ_in_words() -> None:
    one, other = (
        layout.pages(asked(f'Packshot of "{name}", price "{price}"' + BRAND), cjk=False).pages[0]
        for name, price in (("Oat Soap", "€7"), ("Rose Bar", "€19"))
    )
    assert (one["arrange"], one["art"], one["face"]) == (other["arrange"], other["art"], other["face"])
    assert (one["head"]["text"], other["head"]["text"]) == ("Oat Soap", "Rose Bar")
    assert one["price"]["text"] == "€7"


def test_seed_take_and_variant_give_another_picture() -> None:
    pictures = {
        drawn(POSTER),
        drawn(POSTER._replace(take=2)),
        drawn(POSTER._replace(variant="b")),
        drawn(POSTER._replace(params={**POSTER.params, "seed": 7})),
    }
    assert len(pictures) == 4


# ---- words


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ('Poster "fika" with "Brewed slowly" below', [("Brewed slowly", "head"), ("fika", "brand")]),
        ("Plakat „Langsam gebrüht“ und «jeden Morgen frisch»", [("jeden Morgen frisch", "head"), ("Langsam gebrüht", "brand")]),
        ("「ゆっくり淹れた」 on a poster", [("ゆっくり淹れた", "head")]),
        ("It's the dog's bowl, says 'Good dog' on it", [("Good dog", "head")]),
        ('a 12" record and a 7" single', []),
        (
            'Headline "Hi", then "a much longer line of words than that"',
            [("Hi", "head"), ("a much longer line of words than that", "sub")],
        ),
        ('"Save" with the button "Start now" for "€7.90"', [("Save", "head"), ("Start now", "cta"), ("€7.90", "price")]),
        ('Gig poster "LOUD" by "The Velvet Foxes"', [("LOUD", "head"), ("The Velvet Foxes", "sub")]),
        ('The headline "Brewed\n  slowly" runs over a line\'s end', [("Brewed slowly", "head")]),
    ],
)
def test_quoted_words_and_their_roles(prompt: str, words: list[tuple[str, str]]) -> None:
    found = [tuple(quoted) for quoted in reading.read(prompt).words]
    assert found == words


@pytest.mark.parametrize(
    ("prompt", "kind", "things"),
    [
        ("A label for a bottle of lemon cordial", "label", ("bottle", "lemon")),
        ("Phone mockup of the poster for a bakery", "phone", ("shop",)),
        ("Ein Plakat mit Tasse und Berg", "poster", ("cup", "mountain")),
        ("Image 2: a box, take the colours from it\n\nA poster with a hand-drawn fox", "poster", ("fox",)),
        ("Two crisp lines", "", ()),
    ],
)
def test_kind_and_things(prompt: str, kind: str, things: tuple[str, ...]) -> None:
    read = reading.read(prompt)
    assert (read.kind, read.things) == (kind, things)


def test_a_prompt_without_quotes_lends_its_own_words() -> None:
    assert reading.read("A poster about jazz night at the harbour").title == "Jazz night"


def test_colours_by_hex_and_name_are_what_is_drawn() -> None:
    assert reading.read("navy and coral, not black, #abc").colours == ("#1C2A4A", "#F2785C", "#AABBCC")
    five = palette.palette(("#1C2A4A", "#F2785C"), 0)
    assert (five.ink, five.a) == ("#1C2A4A", "#F2785C")
    found = set(tally(pixels(drawn(POSTER))))
    assert {(0x2B, 0x2D, 0x42), (0xEF, 0x83, 0x54), (0xF7, 0xF4, 0xEA)} <= found


@given(st.lists(st.sampled_from(sorted(set(lexicon.COLOURS.values()))), max_size=6, unique=True), st.integers(0, 1 << 30))
def test_words_can_be_read_on_every_ground(colours: list[str], seed: int) -> None:
    five = palette.palette(tuple(colours), seed)
    for bg in five:
        ground = palette.ground(bg, five)
        assert palette.contrast(ground["fg"], bg) >= 40
        assert ground["x"] != bg


HOSTILE = [
    '#panic("x")',
    '#import "@preview/x:1.0.0"',
    "$ x^2 $ ] } ) \\ \\u{41} // /* `raw` *bold* _it_ <label> @ref = - +",
    "#set page(fill: red); #sys.inputs",
    "\x00\x01\x1b[31m\x7f\x85",
    "\ud800 lone \udfff",
    "abc\u202edcba\u2066x\u2069 \u200f",
    "👩‍👩‍👧‍👦🏳️‍🌈 ☕ \U0001f600",
    "</style></svg><script>",
    "e\u0301" * 40,
    "\u0e01\u0e34\u0e49" * 30,
    "W" * 300,
    "\ufffe\uffff\U0010ffff",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_code(text: str, tmp_path: Path) -> None:
    """In a quote, as a whole prompt, as a member's, a reference's name: it is drawn, it isn't read."""
    logo = stored(tmp_path, drawn(asked("logo", aspect_ratio="1:1")), "reference", text)
    quoted = drawn(asked(f'Poster "{text}" and “{text} twice”', inputs=(logo,)))
    assert pixels(quoted).size == (341, 512)
    assert len(comp.draw(asked(text, members=(text, "b")))) == 2
    assert comp.draw(asked(f'Phone "{text}"'))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.sampled_from(["Poster", "Pouch", "Browser", "Box", "Icon"]))
def test_any_text_is_drawn(text: str, kind: str) -> None:
    assert drawn(asked(f'{kind} "{text}" {text}', aspect_ratio="1:1", quality="low"))[:4] == b"\x89PNG"


def test_a_prompt_of_30000_characters_is_read_at_once() -> None:
    for prompt in (
        "word " * 6000,
        '"' * 30_000,
        '"a ' * 10_000,
        "“" * 30_000,
        "'x " * 10_000,
        "#abc " * 6000,
        "dark " * 6000,
        "no a, " * 5000,
        "add a " * 5000,
        "Image 1: x\n" * 2700,
    ):
        assert drawn(asked(f"Poster {prompt}"))


# ---- scripts and fonts


def cmap(data: bytes) -> set[int]:
    """The characters of a TrueType font, from its cmap (OpenType spec, formats 4 and 12)."""
    tables = {
        data[12 + 16 * n : 16 + 16 * n]: struct.unpack_from(">I", data, 20 + 16 * n)[0]
        for n in range(struct.unpack_from(">H", data, 4)[0])
    }
    start = tables[b"cmap"]
    found: dict[int, int] = {}
    for n in range(struct.unpack_from(">H", data, start + 2)[0]):
        at = start + struct.unpack_from(">I", data, start + 8 + 8 * n)[0]
        found[struct.unpack_from(">H", data, at)[0]] = at
    if 12 in found:
        at = found[12]
        groups = [struct.unpack_from(">III", data, at + 16 + 12 * n) for n in range(struct.unpack_from(">I", data, at + 12)[0])]
        return {code for first, last, _ in groups for code in range(first, last + 1)}
    at = found[4]
    count = struct.unpack_from(">H", data, at + 6)[0] // 2
    ends, starts = struct.unpack_from(f">{count}H", data, at + 14), struct.unpack_from(f">{count}H", data, at + 16 + 2 * count)
    deltas, offsets = (
        struct.unpack_from(f">{count}h", data, at + 16 + 4 * count),
        struct.unpack_from(f">{count}H", data, at + 16 + 6 * count),
    )
    has = set()
    for n in range(count):
        for code in range(starts[n], ends[n] + 1):
            place = at + 16 + 6 * count + 2 * n + offsets[n] + 2 * (code - starts[n])
            if code != 0xFFFF and ((code + deltas[n]) & 0xFFFF if not offsets[n] else struct.unpack_from(">H", data, place)[0]):
                has.add(code)
    return has


def test_the_coverage_table_is_that_of_the_pinned_fonts() -> None:
    fonts = [cmap(path.read_bytes()) for path in sorted(scripts.wheels().base.glob("*.ttf"))]
    assert len(fonts) > 15
    has = set().union(*fonts)
    firsts, lasts = scripts._coverage()
    assert {code for first, last in zip(firsts, lasts, strict=True) for code in range(first, last + 1)} == has


@pytest.fixture
def no_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Called, it takes the [cjk] extra away: None in its place in sys.modules, and to Python it isn't installed."""

    def take_away() -> None:
        monkeypatch.setitem(sys.modules, "manimgx_fonts_cjk", None)
        scripts._folder.cache_clear()
        assert scripts.wheels().cjk is None

    yield take_away
    scripts._folder.cache_clear()


TONGUES = {
    "Latin": ("Långsamt bryggt", "sv", False),
    "Cyrillic": ("Медленный кофе", "ru", False),
    "Greek": ("Αργός καφές", "el", False),
    "Arabic": ("قهوة على مهل", "ar", True),
    "Hebrew": ("קפה לאט לאט", "he", True),
    "Devanagari": ("धीमी कॉफ़ी", "hi", False),
    "Thai": ("กาแฟช้าๆ", "th", False),
}


@pytest.mark.parametrize("script", sorted(TONGUES))
def test_seven_scripts_are_set_out_of_the_box(script: str, no_extra: Callable[[], None]) -> None:
    words, lang, rtl = TONGUES[script]
    one = scripts.setting(words, cjk=False)
    assert (one.lang, one.rtl, one.missing) == (lang, rtl, "")
    no_extra()
    result = comp.done(asked(f'Poster "{words}"'))
    assert not result.notes
    assert result.images[0].data != drawn(asked(f'Poster "{words[:-1]}"')), "the words are in the picture"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ゆっくり淹れた", "Japanese text, 7 characters"),
        ("慢慢冲泡", "Chinese text, 4 characters"),
        ("천천히 내린", "Korean text, 5 characters"),
        ("𒀀𒀁", "Cuneiform text, 2 characters"),
    ],
)
def test_a_missing_script_is_said_and_not_drawn_as_boxes(words: str, said: str, no_extra: Callable[[], None]) -> None:
    no_extra()
    request = asked(f'Poster "{words}"')
    assert layout.pages(request, cjk=False).pages[0]["head"]["missing"] == f"{said}, font not installed"
    result = comp.done(request)
    assert result.notes["missing_fonts"]["texts"] == [words]
    assert pixels(result.images[0].data).size == (341, 512)


def test_the_extra_draws_chinese_japanese_and_korean_and_changes_nothing_else(no_extra: Callable[[], None]) -> None:
    assert scripts.wheels().cjk is not None, "the test extra brings it"
    words = [asked(f'Poster "{text}"') for text in ("ゆっくり淹れた", "慢慢冲泡", "천천히 내린")]
    with_extra = [comp.done(request) for request in [*words, POSTER]]
    no_extra()
    without = [comp.done(request) for request in [*words, POSTER]]
    assert not any(result.notes for result in with_extra)
    assert all(result.notes for result in without[:3])
    assert [one.images == other.images for one, other in zip(with_extra, without, strict=True)] == [False, False, False, True]


# ---- edits and the other ops


def test_an_edit_shows_its_base_with_the_new_words_on_it_and_one_slug(tmp_path: Path) -> None:
    base = drawn(POSTER)
    edit = drawn(
        asked('Set the headline to "Langsam gebrüht". Keep everything else exactly.', "edit", inputs=(stored(tmp_path, base),))
    )
    again = drawn(asked("Add a bird. Keep everything else exactly.", "edit", inputs=(stored(tmp_path, edit),)))
    pictures = [pixels(data) for data in (base, edit, again)]
    assert 0.02 < unlike(pictures[0], pictures[1]) < 0.4
    assert 0.01 < unlike(pictures[1], pictures[2]) < 0.2, "the first edit stays in sight"
    foot = slug(base).height
    for data in (base, edit, again):
        assert 0.01 < spoken(slug(data)) < 0.5
    w, h = pictures[0].size
    above = (0, h - 3 * foot, w // 3, h - foot - 2)
    assert unlike(pictures[0].crop(above), pictures[2].crop(above)) < 0.35, "no second slug grows above the first"


def test_an_edit_that_asks_for_a_thing_puts_the_base_on_it(tmp_path: Path) -> None:
    base = stored(tmp_path, drawn(POSTER))
    request = asked("Show this poster on a coffee box", "edit", inputs=(base,), aspect_ratio="1:1")
    assert layout.pages(request, cjk=False, base=_seen(base)).pages[0]["kind"] == "box"
    assert (
        layout.pages(asked('On the box, set the name to "Fika"', "edit", inputs=(base,)), cjk=False, base=_seen(base)).pages[0][
            "kind"
        ]
        == "change"
    )
    shown = tally(pixels(drawn(request)))
    assert (
        sum(
            count
            for colour, count in tally(pixels(base.path.read_bytes())).most_common(3)
            if any(unlike_by(colour, c) < 24 for c in shown)
        )
        > 1000
    )


def unlike_by(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    return max(abs(p - q) for p, q in zip(one, other, strict=True))


def _seen(picture: Picture) -> Any:
    from assetbuild.providers.comp import pictures

    return pictures.look(picture, closely=True)


@pytest.fixture(scope="module")
def arrangements() -> dict[int, bytes]:
    """A poster of each arrangement."""
    found: dict[int, bytes] = {}
    for seed in range(200):
        request = asked('A poster. The headline is "Brewed slowly", below it "Coffee takes its time". A cup.' + BRAND, seed=seed)
        arrange = layout.pages(request, cjk=False).pages[0]["arrange"]
        if arrange not in found:
            found[arrange] = drawn(request)
        if len(found) == 6:
            return found
    raise AssertionError(found.keys())


@pytest.mark.parametrize("arrange", range(6))
def test_a_new_headline_takes_the_place_of_the_old_one(arrange: int, arrangements: dict[int, bytes], tmp_path: Path) -> None:
    base = stored(tmp_path, arrangements[arrange])
    edit = drawn(asked('Set the headline to "Langsam gebrüht". Keep everything else exactly.', "edit", inputs=(base,)))
    old, new = (
        [block for block in lines.blocks(_seen(picture).sight) if block.y1 < 248]  # those above the slug
        for picture in (base, stored(tmp_path, edit))
    )
    assert len(old) == len(new), "no plate, no second headline"
    was, now = old[0], new[0]
    assert was.ground == now.ground
    assert palette.apart(was.ink, now.ink) < 12
    assert lines.serif(_seen(base).sight, was) == lines.serif(_seen(stored(tmp_path, edit)).sight, now), (
        "the same kind of letters"
    )
    assert min(abs(was.x0 - now.x0), abs(was.x0 + was.x1 - now.x0 - now.x1) / 2) <= 4, "the same side"
    assert 0.5 < now.line / was.line < 1.5, "about the same size"
    first, second = pixels(arrangements[arrange]), pixels(edit)
    k = first.width / _seen(base).sight.w
    above = first.height - slug(arrangements[arrange]).height - 1  # the slug has the edit's own swatches
    top, foot = int((was.y0 - was.line) * k), min(above - 4, int((was.y1 + was.line) * k))
    for rows in ((0, 0, first.width, max(1, top)), (0, foot, first.width, above)):
        assert unlike(first.crop(rows), second.crop(rows)) < 0.004, "all else is as it was"


@pytest.mark.parametrize("arrange", range(6))
@pytest.mark.parametrize("prompt", ['Write "Now open" on it', 'Add "New" in the top left corner', "Warmer light", "Add a bird"])
def test_what_is_new_cuts_no_words(prompt: str, arrange: int, arrangements: dict[int, bytes], tmp_path: Path) -> None:
    seen = _seen(stored(tmp_path, arrangements[arrange]))
    page = layout.pages(asked(prompt, "edit"), cjk=False, base=seen).pages[0]
    assert page["cover"] is None
    kx, ky = page["mount"]["w"] / seen.sight.w, page["mount"]["h"] / seen.sight.h
    for place in [page["spot"], *page["spots"]]:
        for block in lines.blocks(seen.sight):
            across = place["x"] < block.x1 * kx and block.x0 * kx < place["x"] + place["w"]
            down = place["y"] < block.y1 * ky and block.y0 * ky < place["y"] + place["h"]
            assert not (across and down), block


@pytest.mark.parametrize(
    ("prompt", "replaces", "scale", "place"),
    [
        ('Set the headline to "A b". Keep everything else.', "head", "", (None, None)),
        ('Replace the words "A b" with "C d"', "head", "", (None, None)),
        ('Change the tagline to "A b"', "second", "", (None, None)),
        ('Put the words "The end" small into the lower right corner. Keep the left side.', "", "small", (1.0, 1.0)),
        ('Write "Sale" big in the centre', "", "big", (0.5, 0.5)),
        ('Image 2: the logo, bottom right corner\n\nAdd "A b" at the top left', "", "", (0.0, 0.0)),
        ("A brighter light", "", "", (None, None)),
    ],
)
def test_where_how_large_and_instead_of_what(prompt: str, replaces: str, scale: str, place: spots.Wish) -> None:
    assert change.change(prompt, reading.read(prompt).words)[:3] == (replaces, scale, place)


def test_small_words_in_a_corner_need_no_plate(tmp_path: Path) -> None:
    flat = io.BytesIO()
    Pillow.new("RGB", (341, 512), "#F7F4EA").save(flat, "PNG")
    prompt = 'Put the words "The end" small into the lower right corner'
    base = stored(tmp_path, flat.getvalue())
    spot = layout.pages(asked(prompt, "edit"), cjk=False, base=_seen(base)).pages[0]["spot"]
    assert (spot["look"], spot["side"]) == ("bare", "right")
    picture = pixels(drawn(asked(prompt, "edit", inputs=(base,)))).convert("L")
    box = picture.crop((0, 0, 341, 495)).point([255] * 128 + [0] * 128).getbbox()
    assert box is not None
    assert box[0] > 170
    assert box[1] > 400
    assert box[3] - box[1] < 30


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("The same design on a stand-up pouch in #3A5A40", "pouch"),
        ("The same design on a #3A5A40 coffee box", "box"),
        ("The same design as a label on a bottle in #3A5A40", "label"),
    ],
)
def test_a_pack_has_the_colour_that_the_prompt_names(prompt: str, kind: str, tmp_path: Path) -> None:
    base = stored(tmp_path, drawn(POSTER))
    request = asked(prompt, "edit", inputs=(base,), aspect_ratio="3:4")
    page = layout.pages(request, cjk=False, base=_seen(base)).pages[0]
    assert (page["kind"], page["grounds"]["body"]["bg"]) == (kind, "#3A5A40")
    green = sum(count for (r, g, b), count in tally(pixels(drawn(request))).items() if g > r + 12 and g > b + 12)
    assert green > 0.04 * 384 * 512


def test_new_words_have_the_colour_that_the_prompt_names(tmp_path: Path) -> None:
    base = stored(tmp_path, drawn(POSTER))
    red = tally(pixels(drawn(asked('Set the headline in red to "Langsam"', "edit", inputs=(base,)))))
    assert red[0xD1, 0x3B, 0x34] > 500


@pytest.mark.parametrize("kind", ["phone", "browser", "book", "poster"])
@pytest.mark.parametrize("hint", ["hero picture at the top", "hang it on the wall", None])
def test_a_reference_becomes_the_hero_picture(kind: str, hint: str | None, tmp_path: Path) -> None:
    green = io.BytesIO()
    Pillow.new("RGB", (300, 200), "#00FF00").save(green, "PNG")
    picture = stored(tmp_path, green.getvalue(), "reference", "beans")._replace(hint=hint)
    said = "" if hint else " image 1 is the hero picture."
    shown = tally(pixels(drawn(asked(KINDS[kind] + "." + said, inputs=(picture,)))))
    assert shown[0, 255, 0] > (0.02 if hint and "wall" in hint else 0.05) * 341 * 512


def test_a_logo_goes_into_its_corner_without_its_ground(tmp_path: Path) -> None:
    base = Pillow.new("RGB", (400, 600), "#F7F4EA")
    mark = Pillow.new("RGB", (200, 100), "#FF00FF")
    mark.paste("#204060", (60, 30, 140, 70))
    kept = [io.BytesIO(), io.BytesIO()]
    base.save(kept[0], "PNG")
    mark.save(kept[1], "PNG")
    logo = stored(tmp_path, kept[1].getvalue(), "reference", "mark")._replace(hint="the logo, top left corner")
    picture = pixels(drawn(asked("Warmer light", "edit", inputs=(stored(tmp_path, kept[0].getvalue()), logo))))
    assert tally(picture)[0xFF, 0x00, 0xFF] == 0
    assert tally(picture.crop((0, 0, 150, 120)))[0x20, 0x40, 0x60] > 500


def test_references_are_shown_small_with_their_names(tmp_path: Path) -> None:
    base = stored(tmp_path, drawn(POSTER))
    green = io.BytesIO()
    Pillow.new("RGB", (300, 200), "#00FF00").save(green, "JPEG", quality=95)
    named = stored(tmp_path, green.getvalue(), "reference", "logo")
    picture = pixels(drawn(asked("Use image 2 as the logo", "edit", inputs=(base, named)))).convert("RGB")
    share = sum(count for (red, grn, blue), count in tally(picture).items() if grn > 240 and red < 30 and blue < 30) / (
        picture.width * picture.height
    )
    assert 0.003 < share < 0.05


def test_a_board_lends_its_colours(tmp_path: Path) -> None:
    board = io.BytesIO()
    Pillow.new("RGB", (90, 90), "#123456").save(board, "PNG")
    prompt = 'Poster "Brewed slowly"'
    inputs = (stored(tmp_path, board.getvalue(), "style", "board"),)
    found = set(tally(pixels(drawn(asked(prompt, inputs=inputs)))))
    assert (0x10, 0x31, 0x52) in found, "to a thirty-second"


@pytest.mark.parametrize("kind", ["box", "pouch", "label on a jar", "phone mockup", "browser window"])
def test_a_drawing_in_vectors_or_a_strange_format_is_a_print_too(kind: str, tmp_path: Path) -> None:
    """Nothing is known of how it looks, or its ratio fits nothing."""
    vectors = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 60"><rect width="40" height="60" fill="#c00000"/></svg>'
    strange = io.BytesIO()
    Pillow.new("RGB", (1200, 60), "#c00000").save(strange, "PNG")
    for data in (vectors, strange.getvalue()):
        base = stored(tmp_path, data)
        counts = tally(pixels(drawn(asked(f'Put it on a {kind}: "One", "Two", "Three"', "edit", inputs=(base,)))))
        assert sum(count for (r, g, b), count in counts.items() if r > 120 and g < 60 and b < 60) > 500


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "svg", "CMYK", "turned"])
def test_inputs_of_all_formats(form: str, tmp_path: Path) -> None:
    kept = io.BytesIO()
    if form == "svg":
        kept.write(
            b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 60">'
            b'<rect width="40" height="60" fill="#c00000"/></svg>'
        )
    elif form == "CMYK":
        Pillow.new("CMYK", (40, 60), (0, 255, 255, 60)).save(kept, "JPEG")
    elif form == "turned":
        exif = Pillow.Exif()
        exif[0x0112] = 6
        Pillow.new("RGB", (60, 40), "#c00000").save(kept, "JPEG", exif=exif)
    else:
        Pillow.new("RGB", (40, 60), "#c00000").save(kept, form)
    request = asked("Warmer light", "edit", inputs=(stored(tmp_path, kept.getvalue()),))
    picture = pixels(drawn(request)).convert("RGB")
    red = sum(count for (r, g, b), count in tally(picture).items() if r > 140 and g < 70 and b < 70) / (
        picture.width * picture.height
    )
    assert red > 0.75, "it fills the page: upright, in its colour"


def test_upscale_gives_the_base_twice_as_large(tmp_path: Path) -> None:
    base = drawn(POSTER)
    large = pixels(drawn(asked(None, "upscale", inputs=(stored(tmp_path, base),))))
    assert large.size == (682, 1024)
    small = pixels(base)
    assert unlike(large.resize(small.size, Pillow.Resampling.BOX).crop((0, 0, 341, 480)), small.crop((0, 0, 341, 480))) < 0.05
    assert large.size == pixels(drawn(asked(None, "upscale", inputs=(stored(tmp_path, base),), scale=2))).size
    assert pixels(drawn(asked(None, "upscale", inputs=(stored(tmp_path, base),), scale=4))).size == (1364, 2048)


def test_remove_background_leaves_the_thing(tmp_path: Path) -> None:
    flat = Pillow.new("RGB", (300, 300), "#F7F4EA")
    flat.paste("#204060", (90, 90, 210, 210))
    kept = io.BytesIO()
    flat.save(kept, "PNG")
    cut = pixels(drawn(asked(None, "remove-background", inputs=(stored(tmp_path, kept.getvalue()),))))
    assert cut.size == (300, 300)
    assert clear(cut, (5, 5), (80, 150), (150, 150), (100, 100), (290, 200)) == [0, 0, 255, 255, 0]
    assert tally(cut.crop((100, 100, 200, 200))) == {(0x20, 0x40, 0x60): 10_000}


def test_transparent_background() -> None:
    picture = pixels(drawn(asked('Logo "fika"', aspect_ratio="1:1", background="transparent")))
    assert clear(picture, (2, 2)) == [0]
    assert clear(pixels(drawn(asked('Logo "fika"', aspect_ratio="1:1", background="opaque"))), (2, 2)) == [255]


def test_a_set_is_one_family_labelled_by_member() -> None:
    members = ("bean", "roast", "grind", "cup")
    images = comp.draw(asked("Four panels: bean, roast, grind, cup." + BRAND, members=members, aspect_ratio="1:1"))
    assert tuple(image.member for image in images) == members
    assert len({image.data for image in images}) == 4
    main = [{colour for colour, count in tally(pixels(image.data)).items() if count > 2000} for image in images]
    assert len(set.intersection(*main)) >= 2, "one palette"
    pages = layout.pages(asked("Four panels", members=members), cjk=False).pages
    assert [page["member"]["name"]["text"] for page in pages] == ["Bean", "Roast", "Grind", "Cup"]
    assert [page["things"][0] for page in pages] == ["bean", "flame", "grinder", "cup"]


def test_a_character_wears_what_the_prompt_says() -> None:
    figure = wardrobe.figure("Otto, a boy with a red woolly hat and a big scarf", palette.palette((), 1), 5)
    assert [(name, colour) for name, colour, _ in figure.worn] == [("beanie", "#D13B34"), ("scarf", "#D13B34")]
    king = wardrobe.figure("a king with a crown, a grey beard and a dark green cape", palette.palette((), 1), 5)
    assert {name: colour for name, colour, _ in king.worn} == {"crown": "#E3B23C", "beard": "#8A8D91", "cape": "#1F4D3A"}
    sheet = "Character sheet of Otto, a boy"
    red = [tally(pixels(drawn(asked(sheet + worn, aspect_ratio="3:2"))))[0xD1, 0x3B, 0x34] for worn in ("", " with a red hat")]
    assert red[1] > red[0] + 2000
    assert len({wardrobe.figure(sheet, palette.palette((), 1), 101 * n)[:3] for n in range(40)}) > 15, "hair and skin vary"


@pytest.mark.parametrize("name", [name for name, _ in wardrobe._WORN if name != "coat"])
def test_everything_that_can_be_worn_is_drawn(name: str) -> None:
    views = wardrobe._PROPS[name]
    assert views.keys() >= {"front", "side", "back"}
    assert any("COLOUR" in part for part in views["front"])


@pytest.mark.parametrize("ratio", ["1:1", "2:3", "16:9"])
def test_the_slug_can_be_read(ratio: str) -> None:
    strip = slug(drawn(asked("A lake", aspect_ratio=ratio, quality="medium"))).convert("L")
    box = strip.crop((0, 4, strip.width // 4, strip.height - 2)).point([255] * 128 + [0] * 128).getbbox()
    if box is None:  # light letters on a dark strip
        box = strip.crop((0, 4, strip.width // 4, strip.height - 2)).point([0] * 160 + [255] * 96).getbbox()
    assert box is not None
    assert box[3] - box[1] >= 11, "pixels from the top of D to the foot of g"


@pytest.mark.parametrize(("form", "name"), [("jpeg", "JPEG"), ("webp", "WEBP")])
def test_other_file_types(form: str, name: str) -> None:
    (image,) = comp.draw(POSTER._replace(params={**POSTER.params, "output_format": form}))
    assert (image.media, Pillow.open(io.BytesIO(image.data)).format) == (f"image/{form}", name)


# ---- the contract


def test_the_module_is_a_provider() -> None:
    assert (comp.replay_window, comp.reproducible, comp.free) == (None, True, True)
    assert comp.estimate(POSTER) == Price(0, 0)
    assert comp.check(POSTER) == []
    result = asyncio.run(comp.submit(POSTER, None, "key"))
    assert isinstance(result, Done)
    assert (result.cost, result.images) == (0, comp.draw(POSTER))
    assert isinstance(result.images[0], Image)


def test_what_it_says(tmp_path: Path) -> None:
    """Every message, word for word, in the golden file."""

    def refused(request: Request) -> str:
        with pytest.raises(ProviderError) as told:
            comp.draw(request)
        return f"{told.value.kind.value}: {told.value.render()}"

    nothing = stored(tmp_path, b"no picture at all")
    huge = io.BytesIO()
    Pillow.new("1", (9000, 8000)).save(huge, "PNG")
    cut = stored(tmp_path, drawn(POSTER)[:3000])
    with pytest.raises(ProviderError) as polled:
        asyncio.run(comp.poll("job-1", None))
    said = {
        "poll": polled.value.render(),
        "check": comp.check(Request("k", "paint", "comp-9", None, {"output_format": "tiff"}, ())),
        "no base": refused(asked("x", "edit")),
        "no picture": refused(asked("x", "edit", inputs=(nothing,))),
        "no reference": refused(asked("x", inputs=(nothing._replace(role="reference", name="logo"),))),
        "gone": refused(asked("x", "edit", inputs=(nothing._replace(path=tmp_path / "gone"),))),
        "cut off reference": refused(asked("x", inputs=(cut._replace(role="reference", name="logo"),))),
        "cut off": refused(asked("x", "edit", inputs=(cut,))),
        "too large": refused(asked(None, "upscale", inputs=(stored(tmp_path, huge.getvalue()),))),
        "missing fonts": layout.pages(asked('Poster "毎朝"'), cjk=False).notes,
        "left out": layout.pages(asked('Logo "fika" "since 1984" "Oslo"', background="transparent"), cjk=False).notes,
        "left out of an edit": layout.pages(
            asked("Add " + ", ".join(f'"word {n}"' for n in range(20)), "edit"),
            cjk=False,
            base=_seen(stored(tmp_path, drawn(POSTER))),
        ).notes,
        "left out of all": layout.pages(
            asked('Logo "fika", ' + ", ".join(f'"a rather long line of words, number {n}"' for n in range(30))), cjk=False
        ).notes,
        "missing letters": layout.pages(asked('Poster "Ur 𒀀"'), cjk=True).notes,
    }
    golden("messages", said)


# ---- the same bytes


def golden(part: str, value: Any) -> None:
    kept = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps({**kept, part: value}, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
        return
    assert value == kept[part]


def known_requests(folder: Path) -> dict[str, Request]:
    """The pictures whose bytes are pinned. Their inputs are files of typst's making, so that Pillow has no part in them."""
    base = stored(folder, drawn(POSTER))
    logo = stored(folder, drawn(asked('Logo "fika" with a bean' + BRAND, aspect_ratio="1:1")), "reference", "logo")
    return {
        "poster": POSTER._replace(params={**POSTER.params, "quality": "medium"}),
        "box": asked(KINDS["box"], aspect_ratio="1:1"),
        "browser": asked(KINDS["browser"], aspect_ratio="3:2"),
        "character": asked(KINDS["character"], aspect_ratio="3:2", seed=3),
        "scripts": asked('Poster "Медленный кофе" "قهوة على مهل" "धीमी कॉफ़ी" "กาแฟช้าๆ"'),
        "missing": asked('Poster "𒀀𒀁"'),
        "cjk": asked('Poster "ゆっくり淹れた" "慢慢冲泡" "천천히 내린"'),
        "foot": asked('A pouch "Oat", "Honey", "Nuts", "500 g", "See back", "No sugar", "Since 1984"'),
        "set": asked("Panels: bean, cup" + BRAND, members=("bean", "cup"), aspect_ratio="1:1"),
        "edit": asked('Set the headline to "Langsam gebrüht".', "edit", inputs=(base, logo)),
        "upscale": asked(None, "upscale", inputs=(base,)),
    }


def digests(folder: Path) -> dict[str, list[str]]:
    return {
        name: [hashlib.sha256(image.data).hexdigest() for image in comp.draw(request)]
        for name, request in known_requests(folder).items()
    }


def test_the_bytes_are_the_golden_ones(tmp_path: Path) -> None:
    golden("digests", digests(tmp_path))


def test_another_process_hash_seed_locale_and_time_zone_give_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import json, pathlib, sys; sys.path[:0] = sys.argv[2:]; import test_comp; "
        "print(json.dumps(test_comp.digests(pathlib.Path(sys.argv[1]))))"
    )
    env = {
        **os.environ,
        "PYTHONHASHSEED": "4242",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "SOURCE_DATE_EPOCH": "1",
        "TYPST_FONT_PATHS": "/",
    }
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "other"), str(here), str(here.parent)],
        env=env,
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout) == digests(tmp_path / "one")


def test_two_threads_at_once_give_the_same_bytes() -> None:
    requests = [asked(f'Poster "Brewed slowly" no. {"abcdefgh"[n]}') for n in range(8)]
    alone = [drawn(request) for request in requests]
    together: dict[int, list[bytes]] = {}
    threads = [
        threading.Thread(target=lambda n=n: together.__setitem__(n, [drawn(request) for request in requests])) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == {0: alone, 1: alone}


def test_a_png_holds_no_time_or_path_and_no_text_but_its_record() -> None:
    data = drawn(POSTER)
    chunks, text, at = [], [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append(kind)
        if kind == b"tEXt":
            text.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    assert set(chunks) <= {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"tEXt"}
    (one,) = text
    keyword, _, body = one.partition(b"\0")
    assert keyword == b"assetbuild-comp"
    assert json.loads(body).keys() == {"v", "pixels", "five", "words"}
    assert len(one) < 2000


def test_asking_for_nothing_imports_neither_typst_nor_pillow() -> None:
    code = "import sys, assetbuild.providers.comp; print([m for m in ('typst', 'PIL', 'asyncio', 'httpx') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent
    )
    assert done.stdout.strip() == "[]"
