"""What the comp provider makes of a prompt's words: kinds, things and colours as a designer means them; quoted words set or told."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from assetbuild.providers.comp import hues, layout, lexicon, nouns, palette, reading
from assetbuild.testing.space import TestSpace

from .comping import KINDS, POSTER, asked, drawn, looked, pixels, slug, spoken, stored, tally
from .saying import Story

# prompt, kind, things that it names, things that it doesn't, how many colours
PROMPTS: list[tuple[str, str, list[str], list[str], int]] = [
    ('Gig poster "Nobody cares", navy blue and coral', "poster", [], ["car"], 2),
    ("A poster for a jazz night at the harbour, midnight blue and gold", "poster", ["music", "boat"], [], 2),
    ("A tin of sardines on a pale pink background, hard shadows", "", [], [], 1),
    ("Key visual for a spring campaign: a cyclist in the rain, no text or logos", "poster", ["bike", "rain"], ["key"], 0),
    ("Plenty of white space, one red chair", "", ["chair"], ["rocket"], 1),
    ("A forest green tote bag with a printed fox", "pouch", ["fox"], ["fir"], 1),
    ("Poster of a woman holding a phone in a café", "poster", ["person", "cup"], [], 0),
    ("A woman holding a phone in a café, warm light", "", ["person", "cup"], [], 0),
    ("A cat on a soft mint background", "", ["cat"], ["leaf"], 1),
    ("Mint tea box, hand drawn leaves", "box", ["leaf"], ["hand"], 0),
    ("Landing page for a dog hotel, lots of negative space, cream and sage", "browser", ["dog"], ["leaf", "jar", "rocket"], 2),
    ("Bottle label for an olive oil from Crete", "label", ["drop"], [], 0),
    ("A label for cherry jam, cherry red type on cream paper", "label", ["jar"], [], 2),
    ("A birthday card with three balloons", "card", ["balloon"], [], 0),
    ("Ein Plakat für den Weihnachtsmarkt, das Plakat hat eine große Kerze", "poster", ["candle"], ["hat"], 0),
    ("Bright lemon yellow raincoat, product shot", "product", [], ["lemon", "rain"], 1),
    ("App icon: a rocket in electric blue", "icon", ["rocket"], ["bolt"], 1),
    ("Icon set for a weather app: sun, cloud, rain, snow, wind", "icons", ["sun", "cloud", "rain", "snow"], [], 0),
    ("An illustration of a lighthouse at golden hour", "panel", ["house"], ["clock"], 0),
    ("Cover for a novel about bees, black and honey tones", "poster", ["bee", "book"], ["drop"], 2),
    ("A wine label, burgundy on ivory, with a small crown", "label", ["crown"], [], 2),
    ("Place the logo on the stern of the boat", "logo", ["boat"], ["pin", "star"], 0),
    ("Present the new shoe on a plinth, coral pink wall", "", ["shoe"], ["gift"], 1),
    ("A letter-press style business card, big letters in racing green", "card", [], ["mail"], 1),
    ("Book a table: a banner for a bistro with a glass of red wine", "banner", ["glass", "shop"], ["book"], 0),
    ("Seamless pattern of lemons and olives on navy", "pattern", ["lemon"], [], 1),
    ("A photo of a baker pulling bread out of the oven, film grain", "", ["bread"], [], 0),
    ("Album cover for a rock band: dark red moon over the city", "poster", ["moon", "city"], [], 1),
    ("Sticker sheet of cats, dogs and birds", "icons", ["cat", "dog", "bird"], [], 0),
    ("Pouch for oat granola with almonds, oat and caramel colours", "pouch", ["beans"], [], 2),
    ("Menu board for a pizzeria, chalk on slate", "", [], [], 1),
    ("Poster: Orange juice bar, big orange slice", "poster", ["citrus"], [], 0),
    ("A toy car on a wooden floor", "", ["car"], [], 0),
    ("The company cares for its staff: portrait of a nurse", "", ["person"], ["car"], 0),
    ("Storefront of a bookshop on a rainy street", "", ["shop"], [], 0),
    ("Music festival poster, three stages, dusty pink and teal", "poster", ["music"], [], 2),
    ("A social post: buy one, get one free on Black Friday, bold type", "banner", [], [], 0),
    ("Two mountains and a lake, flat shapes, muted blue", "", ["mountain", "lake"], [], 1),
    ("A character sheet of a girl with red hair and a green coat", "character", ["person"], [], 2),
    ("A phone mockup of a banking app with a line chart", "phone", ["chart"], [], 0),
    ("Home screen of a meditation app, a moon and stars, lavender gradient", "phone", ["moon", "star"], ["house"], 1),
    ("A box of chocolates as a gift, rose gold foil", "box", ["cake", "gift"], ["rose"], 1),
    ("Postcard from the sea, no people", "card", ["wave"], ["people"], 0),
    ("A hand holding a cup, close-up, without background", "", ["hand", "cup"], [], 0),
    ("A bag of coffee on a table next to a book", "pouch", ["book"], [], 0),
    ("Three loaves of bread and a knife", "", ["bread"], [], 0),
    ("Cherries, strawberries and tomatoes on white", "", ["berry", "apple"], [], 1),
    ("En affisch för en loppis, en cykel och en lampa, mörkblå", "poster", ["bike", "lamp"], [], 1),
    ("A poster in dark sage green with a fern", "poster", ["sprig"], ["leaf"], 1),
    ("Bus stop advert: one bus, all caps headline", "banner", ["train"], ["hat"], 0),
    ("Bird's eye view of a picnic in the park", "", [], ["bird", "eye"], 0),
    ("Packaging for a candle that smells of fig and cedar", "pouch", ["candle"], [], 0),
    ("A dashboard with a calendar, light grey, one green accent", "browser", ["calendar"], [], 2),
    ("Hot dog stand, retro poster, mustard yellow and ketchup red", "poster", [], ["dog"], 2),
    ("A poster about time: a large clock without hands", "poster", ["clock"], ["hand"], 0),
    ("Water colour of a tulip, loose brush", "", ["rose"], ["drop"], 0),
    ("Salmon on ice with lemon, overhead", "", ["fish", "lemon"], [], 0),
    ("Salmon, navy and cream palette; a sailing boat", "", ["boat"], ["fish", "jar"], 3),
    ("The crest of a wave, ultramarine", "", ["wave"], [], 1),
    ("Red, white and blue stripes behind an eagle", "", [], [], 3),
    ("A logo for a bakery called Brot & Butter, brick red", "logo", ["shop"], [], 1),
    ("Magazine cover: a runner at dawn", "poster", ["person"], [], 0),
]


@pytest.mark.parametrize(("prompt", "kind", "named", "unnamed", "colours"), PROMPTS, ids=[row[0][:40] for row in PROMPTS])
def test_a_prompt_is_read_as_it_is_meant(prompt: str, kind: str, named: list[str], unnamed: list[str], colours: int) -> None:
    read = reading.read(prompt)
    assert read.kind == kind
    assert set(named) <= set(read.things)
    assert not set(unnamed) & set(read.things)
    assert len(read.colours) == colours, read.colours


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("navy blue", ["#1C2A4A"]),
        ("navy-blue", ["#1C2A4A"]),
        ("dark blue and a blue", ["#1F2F5C", "#2F6DB5"]),
        ("cream and sage", ["#F7EED9", "#A7B89A"]),
        ("#abc, #A1B2C3", ["#AABBCC", "#A1B2C3"]),
        ("red-haired", []),
        ("a salmon with lemon", []),
        ("in salmon", ["#F29A86"]),
        ("weiß", ["#FFFFFF"]),
    ],
)
def test_colours_of_one_or_more_words(text: str, values: list[str]) -> None:
    assert [hue.value for hue in hues.hues(text.casefold())] == values


def test_plurals_are_english_ones() -> None:
    assert [hit.entry for hit in nouns.things("cherries leaves loaves boxes buses cares carss berrys")] == [
        "berry",
        "leaf",
        "bread",
        "train",
    ]


def test_colours_in_hex_or_by_name_move_no_layout() -> None:
    one, other = (reading.read(f'A pouch in {colour}. The name is "X"').pattern for colour in ("#3A5A40", "navy blue"))
    assert one == other


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


# ---- every word has a place


def _texts(page: dict[str, Any]) -> list[str]:
    """All that a page sets, without its slug."""
    found = [page[name]["text"] for name in ("brand", "cta", "price") if page[name]]
    found += [page["head"]["text"]] if page["quoted"] else []
    found += [one["text"] for name in ("subs", "body", "rows", "side", "rest") for one in page[name]]
    return [*found, page["member"]["caption"]["text"]] if page["member"] and page["member"]["caption"] else found


def _all_there(made: layout.Pages, quoted: list[str]) -> None:
    """Each quoted text stands on the page once, or is told."""
    left = made.notes.get("left_out", {"texts": [], "more": 0})
    there = _texts(made.pages[0]) + left["texts"]
    assert len(there) == len(set(there))
    assert set(there) <= {" ".join(text.split()) for text in quoted}
    assert len(there) + left["more"] == len(quoted)


MANY = [f"word {n}" for n in range(12)]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    "quoted",
    [
        MANY,
        ["Slow mornings", *MANY[:3], "€7.90"],
        ["A much longer line of words that runs on and on, as prose does " * 2, *MANY[:2]],
    ],
)
def test_quoted_words_are_set_or_told(kind: str, quoted: list[str]) -> None:
    what = KINDS[kind].split('"')[0]
    prompt = f"{what}: the name {', '.join(json.dumps(text, ensure_ascii=False) for text in quoted)}, button {json.dumps('Go')}"
    for ground in ("auto", "transparent"):
        made = layout.pages(asked(prompt, background=ground), cjk=False)
        _all_there(made, [*quoted, "Go"])
        assert ground == "transparent" or not made.notes


@pytest.mark.parametrize("kind", ["coffee box", "pouch", "label on a jar", "phone mockup", "browser", None])
def test_the_words_of_an_edit_are_set_or_told(kind: str | None, tmp_path: Path) -> None:
    seen = looked(stored(tmp_path, drawn(POSTER)))
    prompt = (f"The same design on a {kind}: " if kind else "Add ") + ", ".join(f'"{text}"' for text in MANY)
    made = layout.pages(asked(prompt, "edit"), cjk=False, base=seen)
    _all_there(made, MANY)
    assert not made.notes or kind is None


def test_the_list_at_the_foot_is_drawn() -> None:
    data = drawn(asked('An icon with a fox: "Fox", "small words", "other words"', aspect_ratio="1:1"))
    foot = slug(data).height
    row = pixels(data).crop((0, 512 - 2 * foot, 256, 512 - foot))
    assert 0.03 < spoken(row) < 0.3, "letters on their ground"
    assert spoken(pixels(data).crop((300, 512 - 2 * foot, 512, 512 - foot))) == 0, "and nothing beside them"


def test_what_is_left_out_is_said_by_a_build(space: TestSpace) -> None:
    story = Story(space, "comp-left-out")
    space.write(
        "assets.yaml", 'version: 1\nassets:\n  mark: {prompt: \'Logo "fika" "since 1984" "Oslo"\', background: transparent}\n'
    )
    story.run("build")
    story.check()


def test_words_for_each_member_of_a_set_are_its_caption() -> None:
    made = layout.pages(asked('Three cards: "One", "Twenty", "Three"', members=("a", "b", "c")), cjk=False)
    assert [_texts(page) for page in made.pages] == [["One"], ["Twenty"], ["Three"]]


def test_a_list_on_a_screen_is_what_the_prompt_lists() -> None:
    prompt = 'A phone app screen. Title "Good morning", "Ready in a minute", a list: "Tea", "Toast" and "Jam", button "Go"'
    page = layout.pages(asked(prompt), cjk=False).pages[0]
    assert [one["text"] for one in page["rows"]] == ["Tea", "Toast", "Jam"]
    assert [one["text"] for one in page["subs"]] == ["Ready in a minute"]
    assert page["cta"]["text"] == "Go"


def test_facts_on_a_pack_make_no_headline() -> None:
    words = reading.read(
        'A pouch of granola "Slow mornings", "Tea and toast", "Best before: see the back", "No added sugar"'
    ).words
    assert words[0] == ("Slow mornings", "head")


def test_words_for_the_side_of_a_box_stand_there_only(tmp_path: Path) -> None:
    seen = looked(stored(tmp_path, drawn(POSTER)))
    page = layout.pages(asked('On a coffee box. On the side: "Roasted in Oslo"', "edit"), cjk=False, base=seen).pages[0]
    assert (page["kind"], page["quoted"], [one["text"] for one in page["side"]]) == ("box", False, ["Roasted in Oslo"])


# ---- sizes


@pytest.mark.parametrize("prompt", ["Warmer light", 'Set the headline to "Langsam"', "The same design on a pouch"])
def test_an_edit_of_an_enlarged_comp_stays_as_large(prompt: str, tmp_path: Path) -> None:
    large = stored(tmp_path, drawn(asked(None, "upscale", inputs=(stored(tmp_path, drawn(POSTER)),))))
    edit = pixels(drawn(asked(prompt, "edit", inputs=(large,))))
    assert edit.size == (682, 1024)
    again = pixels(drawn(asked(prompt, "edit", inputs=(large,), aspect_ratio="1:1")))
    assert again.size == (1024, 1024)


def test_an_edit_of_a_photo_has_the_size_of_its_quality(tmp_path: Path) -> None:
    photo = io.BytesIO()
    Pillow.new("RGB", (1500, 1000), "#336699").save(photo, "PNG")
    assert pixels(drawn(asked("Warmer", "edit", inputs=(stored(tmp_path, photo.getvalue()),), aspect_ratio="3:2"))).size == (
        512,
        341,
    )
