"""What a comp tells of itself, and what edits make of it: new words in the place of the old ones and nothing else changed."""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops

from assetbuild.providers import comp
from assetbuild.providers.base import Picture
from assetbuild.providers.comp import emblem, layout, lines, palette, pictures, press, record, scripts, seed

from .comping import asked, drawn, pixels, slug, stored, tally, unlike

SAID = {
    "latin": "Tyger snow Ångström sea Årsmöte sommar Été Nancy Träume Jäger gypsy quay Ägg och gryn Slow mornings Éclair",
    "cyrillic": "Музей снов Ёлка зимой Чай для двоих Йогурт Доброе утро",
    "greek": "Ύπνος και όνειρα Ήλιος Καλημέρα φίλε",
    "arabic": "قهوة الصباح متحف الأحلام شاي",
    "hebrew": "מוזיאון החלומות קפה של בוקר",
    "devanagari": "सुबह की कॉफ़ी सपनों का संग्रहालय",
    "thai": "กาแฟยามเช้า พิพิธภัณฑ์ ความฝัน",
}
RATIOS = ("16:9", "2:3", "1:1", "21:9", "3:4")


def _pairs() -> list[tuple[str, str, str, int]]:
    """Old headline, new headline, ratio, seed."""
    chance = random.Random(7)  # noqa: S311 - the same cases in every run

    def headline() -> str:
        words = SAID[chance.choice([*SAID, "latin", "latin"])].split()
        return " ".join(chance.sample(words, chance.choice((1, 2, 2, 3))))

    return [(headline(), headline(), RATIOS[n % len(RATIOS)], n) for n in range(40)]


def told(data: bytes, folder: Path) -> record.Record:
    found = record.read(stored(folder, data).path)
    assert found is not None
    return found


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def inked(data: bytes, one: record.Stand, *, beside: tuple[record.Stand, ...] = ()) -> float:
    """How much ink there is in the field of some words, in square em of theirs."""
    picture = pixels(data).convert("RGB")
    w, h = picture.size
    ground, ink = _rgb(one.ground), _rgb(one.ink)
    channel = max(range(3), key=lambda k: abs(ground[k] - ink[k]))
    value = picture.getchannel(channel)
    em = one.size * w
    (x, y, wide, high), (bx, by, bw, bh) = one.field, one.box
    top, low = max(0, min(y * h, by * h - 0.3 * em)), min(h, max((y + high) * h, (by + bh) * h + 0.26 * em))
    for other in beside:
        if other.box[1] > by:
            low = min(low, other.box[1] * h - 0.3 * other.size * w)
    part = value.crop((int(min(x, bx) * w - 3), int(top), int(max(x + wide, bx + bw) * w + 4), int(low)))
    counts = part.histogram()
    return sum(count * abs(v - ground[channel]) for v, count in enumerate(counts)) / abs(ink[channel] - ground[channel]) / em / em


@pytest.mark.parametrize(("old", "new", "ratio", "number"), _pairs())
def test_no_ink_of_the_old_headline_remains(old: str, new: str, ratio: str, number: int, tmp_path: Path) -> None:
    below = ', below it "Coffee"' if number % 3 == 0 else ""
    prompt = 'A poster for a museum of dreams. The headline is "{}"' + below
    first = drawn(asked(prompt.format(old), aspect_ratio=ratio, seed=number))
    edit = drawn(
        asked(
            f'Set the headline to "{new}". Keep everything else exactly.',
            "edit",
            inputs=(stored(tmp_path, first),),
            aspect_ratio=ratio,
        )
    )
    anew = drawn(asked(prompt.format(new), aspect_ratio=ratio, seed=number))
    was, now, ought = (next(one for one in told(data, tmp_path).words if one.role == "head") for data in (first, edit, anew))
    if new.casefold() == old.casefold():
        assert unlike(pixels(first), pixels(edit)) == 0
        return
    assert now.text == new
    assert (was.ground, was.ink, was.side, was.face) == (now.ground, now.ink, now.side, now.face)
    assert now.size <= was.size * 1.01, "never larger than it was"
    subs = tuple(one for one in told(edit, tmp_path).words if one.role == "sub")
    assert subs == tuple(one for one in told(first, tmp_path).words if one.role == "sub")
    assert inked(edit, now, beside=subs) == pytest.approx(
        inked(anew, ought, beside=tuple(one for one in told(anew, tmp_path).words if one.role == "sub")), rel=0.09
    ), "as much ink as a drawing of these words has"
    one, other = pixels(first), pixels(edit)
    w, h = one.size
    em = was.size * w
    ends = (was.box, now.box)
    box = (
        int(min(b[0] for b in ends) * w - 0.3 * em),
        int(min(b[1] for b in ends) * h - 0.6 * em),
        int(max(b[0] + b[2] for b in ends) * w + 0.3 * em),
        int(max(b[1] + b[3] for b in ends) * h + 0.6 * em),
    )
    for picture in (one, other):
        picture.paste((0, 0, 0, 255), box)
    assert ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None, (
        "all else is as it was, the foot too"
    )


def test_a_chain_of_edits_stays_true(tmp_path: Path) -> None:
    data = drawn(asked('A poster for a cup, headline "Ägg och gryn", below it "Since 1888"'))
    size = next(one.size for one in told(data, tmp_path).words if one.role == "head")
    foot = slug(data)
    for prompt, heads, subs in (
        ('Set the headline to "Tea". Keep everything else.', ["Tea"], ["Since 1888"]),
        ('Change the tagline to "Since 1999, gg".', ["Tea"], ["Since 1999, gg"]),
        ('Set the headline to "A much longer one, Ångström".', ["A much longer one, Ångström"], ["Since 1999, gg"]),
        ('Replace "Since 1999, gg" with "Ever".', ["A much longer one, Ångström"], ["Ever"]),
        ('Set the headline to "Tyger".', ["Tyger"], ["Ever"]),
        ('Set the headline to "Fox" and the tagline to "Hen".', ["Fox"], ["Hen"]),
    ):
        data = drawn(asked(prompt, "edit", inputs=(stored(tmp_path, data),)))
        words = told(data, tmp_path).words
        assert [[one.text for one in words if one.role == role] for role in ("head", "sub")] == [heads, subs]
        assert unlike(slug(data), foot) == 0
    assert next(one.size for one in words if one.role == "head") == pytest.approx(size, rel=0.1), (
        "a long one in between shrinks none"
    )
    data = drawn(asked(None, "upscale", inputs=(stored(tmp_path, data),)))
    assert [one.text for one in told(data, tmp_path).words] == ["Fox", "Hen"]


def test_words_that_were_added_can_be_replaced(tmp_path: Path) -> None:
    data = drawn(asked('A poster for a cup, headline "Fika"'))
    added = drawn(asked('Add "NEW" in the top right corner', "edit", inputs=(stored(tmp_path, data),)))
    assert [(one.role, one.text) for one in told(added, tmp_path).words] == [("head", "Fika"), ("added", "NEW")]
    changed = drawn(asked('Replace "NEW" with "Sale"', "edit", inputs=(stored(tmp_path, added),)))
    assert [(one.role, one.text) for one in told(changed, tmp_path).words] == [("head", "Fika"), ("added", "Sale")]


@pytest.mark.parametrize("prompt", ['Write "Wolke" under the cloud', 'Add the word "wolke"', 'Set the word to "Wolke"'])
def test_a_word_that_stands_below_already_puts_no_label_on_the_thing(prompt: str, tmp_path: Path) -> None:
    pages = comp.draw(asked("Icons of a moon, a cloud, a sheep.", members=("stern", "mond", "wolke"), aspect_ratio="1:1"))
    edit = drawn(asked(prompt, "edit", inputs=(stored(tmp_path, pages[2].data),), aspect_ratio="1:1"))
    assert unlike(pixels(pages[2].data), pixels(edit)) == 0
    other = drawn(asked('Set the word to "Regen"', "edit", inputs=(stored(tmp_path, pages[2].data),), aspect_ratio="1:1"))
    box = ImageChops.difference(pixels(pages[2].data).convert("RGB"), pixels(other).convert("RGB")).getbbox()
    assert box is not None
    assert box[1] > 0.8 * 512, "only its name"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_picture_that_was_changed_elsewhere_has_no_record(tmp_path: Path) -> None:
    data = drawn(asked('A poster, headline "Fika"'))
    assert told(data, tmp_path).words
    at = data.index(b"tEXt") - 4
    chunk = data[at : at + 12 + struct.unpack_from(">I", data, at)[0]]
    kept = io.BytesIO()
    Pillow.open(io.BytesIO(data)).transpose(Pillow.Transpose.FLIP_LEFT_RIGHT).save(kept, "PNG")
    moved = kept.getvalue()
    assert record.read(stored(tmp_path, moved[:33] + chunk + moved[33:]).path) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=13) | st.dictionaries(st.sampled_from(["v", "five", "words", "pixels"]), inner),
    max_leaves=30,
)


FIVES = st.lists(st.just("#000000"), max_size=7).map(lambda five: {"v": 1, "five": five, "words": []})
WORDS = st.lists(ANY, min_size=12, max_size=12).map(lambda one: {"v": 1, "five": ["#000000"] * 5, "words": [one]})


@given(body=ANY | FIVES | WORDS)
@settings(max_examples=150, deadline=None)
def test_what_we_did_not_write_is_no_record(body: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = io.BytesIO()
    Pillow.new("RGB", (9, 9)).save(kept, "PNG")
    data = kept.getvalue()
    if isinstance(body, dict) and "v" in body:
        body |= {"pixels": record._sum(data, "png")}
    folder = tmp_path_factory.mktemp("png")
    chunk = _chunk(b"tEXt", b"assetbuild-comp\0" + json.dumps(body).encode())
    found = record.read(stored(folder, data[:33] + chunk + data[33:]).path)
    assert found is None or len(found.five) == 5
    assert record.read(stored(folder, data[:33] + chunk[:-9]).path) is None


@pytest.mark.parametrize("form", ["jpeg", "webp"])
def test_other_file_types_tell_it_too(form: str, tmp_path: Path) -> None:
    png = drawn(asked('A poster for a cup, headline "Tyger snow", below it "Coffee"'))
    data = drawn(asked('A poster for a cup, headline "Tyger snow", below it "Coffee"', output_format=form))
    assert told(data, tmp_path) == told(png, tmp_path)
    picture = Pillow.open(io.BytesIO(data))
    picture.load()
    assert (picture.format, picture.size) == (form.upper(), pixels(png).size)
    edit = drawn(asked('Set the headline to "Fox".', "edit", inputs=(stored(tmp_path, data),), output_format=form))
    assert [one.text for one in told(edit, tmp_path).words] == ["Coffee", "Fox"]
    kept = io.BytesIO()
    picture.rotate(180).save(kept, form)
    assert record.read(stored(tmp_path, kept.getvalue()).path) is None
    for end in (3, 30, len(data) // 2, len(data) - 5):
        assert record.read(stored(tmp_path, data[:end]).path) is None
    bare = drawn(asked('A logo "fika"', output_format=form, background="transparent"))
    assert told(bare, tmp_path).five


@pytest.mark.parametrize("form", ["jpeg", "webp"])
@pytest.mark.parametrize("old", ["Tyger snow", "Музей снов", "Årsmöte sommar", "Ångström sea"])
def test_lines_of_unequal_height_are_one_headline_where_no_record_tells(old: str, form: str, tmp_path: Path) -> None:
    (image,) = comp.draw(
        asked(f'A poster for a museum of dreams. The headline is "{old}"', aspect_ratio="16:9", output_format=form)
    )
    kept = io.BytesIO()
    Pillow.open(io.BytesIO(image.data)).save(kept, form)  # by somebody else
    base = stored(tmp_path, kept.getvalue())
    seen = pictures.look(base, closely=True)
    assert seen.told is None
    assert seen.sight is not None
    found = lines.blocks(seen.sight)
    assert len(found[0].rows) >= 2, [block.rows for block in found]
    assert not [block for block in found[1:] if block.line > 0.4 * found[0].line and block.y1 < 0.9 * seen.sight.h]


def _panel(tmp_path: Path) -> Picture:
    pages = comp.draw(
        asked("Icons of a moon, a cloud, a sheep.", members=("stern", "mond", "wolke"), aspect_ratio="1:1", quality="medium")
    )
    return stored(tmp_path, pages[2].data)


def test_removing_the_background_of_a_comp_takes_nothing_else(tmp_path: Path) -> None:
    base = _panel(tmp_path)
    whole, cut = pixels(base.path.read_bytes()), pixels(drawn(asked(None, "remove-background", inputs=(base,))))
    band = int(0.027 * 1024) - 2
    assert (
        ImageChops.difference(whole.crop((0, 1024 - band, 1024, 1024)), cut.crop((0, 1024 - band, 1024, 1024))).getbbox() is None
    )
    ground = whole.getpixel((2, 2))
    assert cut.getpixel((2, 2))[3] == 0  # type: ignore[index]
    dots = (int(0.8 * 1024), int(0.86 * 1024), 1020, int(0.93 * 1024))
    was, now = (
        tally(whole.crop(dots)),
        tally(Pillow.composite(cut, Pillow.new("RGBA", cut.size, ground), cut.getchannel("A")).crop(dots)),
    )
    flat = [colour for colour, count in was.most_common(3) if count > 60]
    assert len(flat) == 3, "paper, two pale dots, one that is meant"
    assert all(now[colour] >= 0.97 * was[colour] for colour in flat)


def _cornered() -> tuple[bytes, tuple[tuple[int, int, int], ...]]:
    """A picture with a colour in each corner."""
    picture = Pillow.new("RGB", (400, 600), "#FFFFFF")
    colours = ((250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 0, 250))
    for colour, (x, y) in zip(colours, ((0, 0), (360, 0), (0, 560), (360, 560)), strict=True):
        picture.paste(colour, (x, y, x + 40, y + 40))
    kept = io.BytesIO()
    picture.save(kept, "PNG")
    return kept.getvalue(), colours


def _visible(colours: tuple[tuple[int, int, int], ...], data: bytes) -> int:
    """How many of some colours a picture shows."""
    there = tally(pixels(data))
    return sum(
        sum(n for other, n in there.items() if max(abs(p - q) for p, q in zip(colour, other, strict=True)) < 40) > 12
        for colour in colours
    )


def test_a_reference_is_shown_whole(tmp_path: Path) -> None:
    picture, colours = _cornered()
    shown = stored(tmp_path, picture, "reference", "brand")
    assert _visible(colours, drawn(asked('A poster "Fest"', inputs=(shown,), quality="high"))) == 4


def test_the_words_of_a_logo_are_not_cut(tmp_path: Path) -> None:
    picture, colours = _cornered()
    box = (0.0, 0.0, 1.0, 1.0)
    words = record.Stand("head", "fika", box, box, 0.2, 0.2, 1.0, "#FFFFFF", "#000000", "left", "sans", "top")
    shown = []
    for data in (picture, record.write(picture, record.Record(("#FFFFFF",) * 5, (words,)))):
        hero = stored(tmp_path, data, "reference", "brand")._replace(hint="the hero picture")
        shown.append(
            _visible(colours, drawn(asked('A poster "Fest" with a cake', inputs=(hero,), aspect_ratio="21:9", quality="medium")))
        )
    assert shown == [0, 4], "a picture fills its field, one with words is shown whole"


def test_the_thing_after_icon_of_leads_and_unknown_ones_get_signs_of_their_own() -> None:
    def page(name: str) -> dict[str, Any]:
        return layout.pages(asked(f"A game shop icon of {name} in #44CB63.", aspect_ratio="1:1"), cjk=False).pages[0]

    for name, thing in (
        ('"Schwert 4"', "sword"),
        ('"Trank 5"', "potion"),
        ('"Schild 6"', "shield"),
        ('"Krone 7"', "crown"),
        ("a key", "key"),
    ):
        assert page(name)["things"][0] == thing
    unknown = [page(f'"Zorp {n}"') for n in range(40)]
    assert {one["things"][0] for one in unknown} == {"abstract-own"}
    assert len({one["symbols"]["abstract-own"] for one in unknown}) >= 38
    assert page('"Zorp 1"')["symbols"] == unknown[1]["symbols"]


@given(number=st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_every_sign_is_a_drawing_within_its_field(number: int) -> None:
    from xml.etree import ElementTree as Tree

    drawn_sign = Tree.fromstring(f"<svg>{emblem.emblem(seed.Seed(number))}</svg>")  # noqa: S314 - our own
    shapes = list(drawn_sign.iter())
    assert len(shapes) > 2
    for circle in drawn_sign.iter("circle"):
        x, y, r = (float(circle.get(name, "nan")) for name in ("cx", "cy", "r"))
        assert min(x - r, y - r) >= 0
        assert max(x + r, y + r) <= 100


def test_a_thing_has_no_colour_of_what_is_behind_it() -> None:
    """In each house palette, before all grounds that the pictures put behind things."""
    import typst

    cases = []
    for five in palette._HOUSE:
        grounds = {name: palette.ground(value, five) for name, value in five._asdict().items()}
        cases += [{"grounds": grounds, "g": on} for on in grounds.values()]
    told = """
        #let cases = json(bytes(sys.inputs.cases))
        #metadata(cases.map(p => {
          let g = p.g
          for near in ((g.x, g.y, g.z, g.bg), (g.x, g.soft, g.bg), (g.bg, g.x), (g.y, g.bg)) {
            let s = stand(p, colours(g), near)
            ((near, s.raw.x, s.raw.y, s.raw.fg, s.raw.bg, s.halo),)
          }
        })) <stands>"""
    fonts = press._book((scripts.wheels().base,))
    compiler = typst.Compiler(
        ((press.DRAWING / "kit.typ").read_text("utf-8") + told).encode(),
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"cases": json.dumps(cases)},
    )
    (found,) = json.loads(compiler.query("<stands>", field="value"))
    seen = [one for case in found for one in case]
    assert len(seen) == len(cases) * 4
    halos = 0
    for near, x, y, fg, bg, halo in seen:
        own = [colour.upper()[:7] for colour in (x, y, fg)]
        far = min(palette.apart(one, other.upper()) for one in own for other in near)
        halos += halo is not None
        assert far >= 88 or halo is not None, (near, own)
        assert all(palette.apart(one, other) >= 85 for n, one in enumerate(own) for other in own[:n]) or halo is not None
        assert max(palette.apart(bg.upper()[:7], one) for one in own) >= 85
        if halo:
            assert min(palette.apart(halo.upper()[:7], one) for one in own) >= 60
    assert halos < len(seen) / 3, "seldom needed"
