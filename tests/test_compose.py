"""Texts laid over a picture: where they stand, how they are broken and shrunk, what is an error, and that nothing else of the picture changes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms

from assetbuild.providers import local
from assetbuild.providers.base import Kind, ProviderError, Request
from assetbuild.providers.local import fonts

from .composing import Studio, font


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def boxes(studio: Studio) -> Path:
    """A font of black boxes: what is measured is exact."""
    return studio.file(font("Boxes", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def box(**more: Any) -> dict[str, Any]:
    return {"text": "AA", "font": "Boxes", "size": "50px", **more}


# The text of two letters is 60 wide (its ink 55, from 2.5) and 35 high; the picture 400 × 600, the margin 20.
@pytest.mark.parametrize(
    ("at", "left", "top"),
    [
        ("top left", 20, 20),
        ("left top", 20, 20),
        ("top", 170, 20),
        ("right top", 320, 20),
        ("left", 20, 282),
        ("center", 170, 282),
        ("right", 320, 282),
        ("bottom left", 20, 545),
        ("bottom", 170, 545),
        ("bottom right", 320, 545),
        ("top start", 20, 20),
        ("top end", 320, 20),
        ("start", 20, 282),
        ("center end", 320, 282),
    ],
)
def test_where_a_text_stands(studio: Studio, boxes: Path, at: str, left: int, top: int) -> None:
    """Capitals touch the margin above, the base line the one below."""
    found = studio.ink(box(at=at, margin="20px"), fonts=(boxes,))
    assert abs(found[0] - (left + 2.5)) <= 1
    assert abs(found[2] - (left + 57.5)) <= 1
    assert abs(found[1] - top) <= 1
    assert abs(found[3] - (top + 35)) <= 1


@pytest.mark.parametrize(
    ("more", "mirrored"),
    [
        ({}, False),
        ({"lang": "ar"}, True),
        ({"lang": "az-Latn"}, False),
        ({"direction": "rtl"}, True),
        ({"lang": "ar", "direction": "ltr"}, False),
        ({"lang": "he", "direction": "auto"}, True),
    ],
)
def test_start_is_on_the_right_where_a_text_runs_from_right_to_left(
    studio: Studio, boxes: Path, more: dict[str, str], mirrored: bool
) -> None:
    left, _, _, _ = studio.ink(box(at="top start", margin="20px", **more), fonts=(boxes,))
    assert left == pytest.approx(322 if mirrored else 22, abs=1)
    left, _, _, _ = studio.ink(box(at="top left", margin="20px", **more), fonts=(boxes,))
    assert left == pytest.approx(22, abs=1), "left is left"


def test_arabic_is_mirrored_by_its_own_letters_and_joined(studio: Studio) -> None:
    arabic = studio.ink({"text": "قهوة", "at": "top start", "size": "60px", "margin": "20px"})
    assert arabic[2] > 370
    assert arabic[0] > 200
    apart = studio.ink({"text": "\u200c".join("قهوة"), "at": "top start", "size": "60px", "margin": "20px"})
    assert abs((apart[2] - apart[0]) - (arabic[2] - arabic[0])) > 5, (
        "joined letters have other shapes than letters that stand alone"
    )
    spaced = studio.ink({"text": "قهوة", "at": "top start", "size": "60px", "margin": "20px", "tracking": 300})
    assert spaced == arabic, "no space tears joined letters apart"


def test_a_logo_goes_with_the_direction_of_the_first_text(studio: Studio, boxes: Path) -> None:
    red = studio.file('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect width="1" height="1" fill="#f00"/></svg>')
    for word, left in (("AA", 16), ("قه", 304)):
        items = [{"text": word, "at": "top"}, {"file": 1, "at": "bottom start"}]
        found = studio.composed(studio.plain(), *items, files=(red,))
        assert _of(found, "#ff0000")[0] == left


def _of(picture: Image.Image, color: str) -> tuple[int, int, int, int]:
    """Where a colour stands."""
    difference = ImageChops.difference(picture.convert("RGB"), Image.new("RGB", picture.size, color)).convert("L")
    found = difference.point(lambda value: 255 if value == 0 else 0).getbbox()
    assert found is not None
    return found


@pytest.mark.parametrize(("size", "height"), [("10%", 28), ("40px", 28), ("40pt", 28), ("60.5px", 42)])
def test_sizes_are_of_the_shorter_side_or_in_pixels(studio: Studio, boxes: Path, size: str, height: int) -> None:
    _, top, _, bottom = studio.ink(box(size=size), fonts=(boxes,))
    assert bottom - top == pytest.approx(height, abs=1)


def test_a_margin_has_two_sides(studio: Studio, boxes: Path) -> None:
    left, top, *_ = studio.ink(box(at="top left", margin=["10%", "60px"]), fonts=(boxes,))
    assert (left, top) == (pytest.approx(62, abs=1), pytest.approx(40, abs=1))


@pytest.mark.parametrize(("turn", "left", "top"), [(0, 22, 20), (90, 20, 22), (180, 22, 20), (270, 20, 22)])
def test_a_turn_keeps_the_corner(studio: Studio, boxes: Path, turn: int, left: int, top: int) -> None:
    found = studio.ink(box(at="top left", margin="20px", rotate=turn), fonts=(boxes,))
    assert found[:2] == (pytest.approx(left, abs=1), pytest.approx(top, abs=1))
    wide, high = found[2] - found[0], found[3] - found[1]
    assert (wide, high) == ((pytest.approx(55, abs=2), 35) if turn in (0, 180) else (35, pytest.approx(55, abs=2)))


def test_a_turn_is_clockwise(studio: Studio) -> None:
    """The foot of an L points down after a quarter turn to the right, and starts on the left."""
    found = studio.composed(studio.plain(), {"text": "L", "size": "200px", "rotate": 90}).convert("L")
    ink = studio.ink({"text": "L", "size": "200px", "rotate": 90})
    upper = found.crop((ink[0], ink[1], ink[2], ink[1] + 12)).point(lambda value: 255 if value < 128 else 0)
    left_half = found.crop((ink[0], ink[3] - 12, ink[0] + 40, ink[3])).point(lambda value: 255 if value < 128 else 0)
    assert upper.getbbox() is not None
    assert upper.histogram()[255] > 12 * 0.9 * (ink[2] - ink[0]), "the stem lies on top"
    assert left_half.histogram()[255] > 150, "the foot hangs at the left"


def test_a_text_wraps_in_its_width_and_its_lines_are_even(studio: Studio, boxes: Path) -> None:
    found = studio.ink(box(text="AA AA AA AA AA", width="55%", leading=1.4), fonts=(boxes,))
    # 55 % are 220: two words of 60 with a space of 30 between them; three lines, the last one short
    assert found[3] - found[1] == pytest.approx(35 + 2 * 70, abs=1)
    even = studio.ink(box(text="AA AA AA AA", width="60%"), fonts=(boxes,), size=(400, 600))
    assert even[2] - even[0] == pytest.approx(145, abs=2), "two and two, not three and one"


def test_own_line_ends_are_kept(studio: Studio, boxes: Path) -> None:
    _, top, _, bottom = studio.ink(box(text="A\nAA\n\nA", leading=1), fonts=(boxes,))
    assert bottom - top == pytest.approx(35 + 3 * 50, abs=1)


@pytest.mark.parametrize(
    ("align", "at", "left"), [("start", "right", 2.5), ("center", "left", 32.5), ("end", "left", 62.5), (None, "right", 62.5)]
)
def test_lines_stand_to_each_other(studio: Studio, boxes: Path, align: str | None, at: str, left: float) -> None:
    item = box(text="AAAA\nAA", at=at, leading=2, **({} if align is None else {"align": align}))
    found = studio.composed(studio.plain(), item, fonts=(boxes,)).convert("L").point(lambda value: 255 if value < 200 else 0)
    whole = found.getbbox()
    assert whole is not None
    lower = found.crop((0, whole[3] - 30, 400, whole[3])).getbbox()
    assert lower is not None
    assert lower[0] - whole[0] + 2.5 == pytest.approx(left, abs=1.1)


def test_shrink_finds_the_largest_size_that_fits(studio: Studio, boxes: Path) -> None:
    item = box(text="AAAAAAAAAA", size="100px", width="50%", fit="shrink", max_lines=1)
    left, top, right, bottom = studio.ink(item, fonts=(boxes,))
    assert 190 < right - left <= 200
    assert bottom - top == pytest.approx(200 / 6 * 0.7, abs=1)
    two = studio.ink(box(text="AAAA AAAA", size="100px", width="50%", fit="shrink", max_lines=2), fonts=(boxes,))
    assert two[3] - two[1] == pytest.approx(0.7 * 83 + 1.2 * 83, abs=4), "set in two lines it may be larger"
    same = studio.ink(box(fit="shrink", max_lines=1), fonts=(boxes,))
    assert same == studio.ink(box(), fonts=(boxes,)), "what fits isn't made smaller"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"text": "AA AA AA AA", "max_lines": 1, "width": "50%"}, "takes 2 lines, and `max_lines` is 1"),
        ({"text": "AAAAAAAAAAAAAAAAAAAAA"}, "has a word that is wider than the 368 px it has"),
        ({"text": "AA " * 90}, "is 1355 px high, and has 568"),
        ({"text": "AA\nAA\nAA", "height": "20%"}, "is 155 px high, and has 120"),
        ({"text": "AA", "size": "2px"}, "would be 2 pixels high, in a picture of 400×600"),
    ],
)
def test_what_does_not_fit_is_an_error_that_names_it(studio: Studio, boxes: Path, more: dict[str, Any], text: str) -> None:
    request = studio.request(studio.plain(), box(**more), fonts=(boxes,))
    with pytest.raises(ProviderError) as caught:
        local.done(request)
    assert caught.value.kind is Kind.INVALID
    assert text in caught.value.text
    assert '"AA' in caught.value.text
    assert caught.value.hint
    assert local.check(request) == [f"{caught.value.text}: {caught.value.hint}"]


def test_shrink_has_an_end(studio: Studio, boxes: Path) -> None:
    with pytest.raises(ProviderError, match=r"at 6 px.*it isn't made smaller than that"):
        studio.composed(studio.plain(), box(text="A" * 200, fit="shrink", max_lines=1), fonts=(boxes,))


def test_no_ink_leaves_the_picture_whatever_the_margin(studio: Studio) -> None:
    for at in ("top", "bottom", "left", "right", "top left", "bottom right"):
        for turn in (0, 90, 180, 270):
            free = studio.ink({"text": "Ågjpq", "size": "80px", "rotate": turn})
            found = studio.ink({"text": "Ågjpq", "size": "80px", "at": at, "margin": "0px", "rotate": turn})
            assert (found[2] - found[0], found[3] - found[1]) == (
                pytest.approx(free[2] - free[0], abs=3),
                pytest.approx(free[3] - free[1], abs=3),
            ), (at, turn)


@pytest.mark.parametrize(
    ("item", "text", "hint"),
    [
        (
            {"text": "Hello", "font": "Fraunces"},
            'there is no font `Fraunces` here, and "Hello" is to be set in it',
            "fonts of the system are never used",
        ),
        ({"text": "Hello", "font": "Noto Sens"}, "there is no font `Noto Sens`", "did you mean `Noto Sans`?"),
        (
            {"text": "ABC ab", "font": "Boxes"},
            "`Boxes` has no glyph for “a” (U+0061), of the text",
            "write `font: Boxes, Noto Sans`",
        ),
        (
            {"text": "قهوة", "font": "Noto Sans"},
            "`Noto Sans` has no glyph for “ق” (U+0642)",
            "write `font: Noto Sans, Noto Sans Arabic`",
        ),
        ({"text": "Yes 😀"}, "no font here has a glyph for “😀” (U+1F600), of the text", "pictograms are no text"),
        ({"text": "x\ue000"}, "no font here has a glyph for U+E000", "take it out"),
        ({"text": "Hello", "weight": 900}, "`Noto Sans` has no weight 900 here", "it has 400 to 700"),
        ({"text": "AB", "font": "Boxes", "weight": "bold"}, "`Boxes` has no weight 700 here", "it has 400"),
        ({"text": "AB", "font": "Boxes", "style": "italic"}, "`Boxes` has no italic face here", "leave `style` out"),
    ],
)
def test_a_font_or_a_glyph_that_is_missing(studio: Studio, boxes: Path, item: dict[str, Any], text: str, hint: str) -> None:
    """Said before anything is made, also where the base isn't there yet."""
    request = studio.request(studio.plain(), item, fonts=(boxes,))
    with pytest.raises(ProviderError) as caught:
        local.done(request)
    assert text in caught.value.text
    assert hint in str(caught.value.hint)
    early = studio.request(None, item, fonts=(boxes,))
    assert local.check(early) == [f"{caught.value.text}: {caught.value.hint}"]


def test_all_problems_are_told_at_once(studio: Studio) -> None:
    request = studio.request(None, {"text": "A", "font": "X1"}, {"text": "ok"}, {"text": "B", "font": "X2"})
    assert len(local.check(request)) == 2


def test_no_letter_is_set_in_a_font_that_was_not_named(studio: Studio, boxes: Path) -> None:
    """Several families are what is said; each letter is set in the first one that has it."""
    mixed = studio.composed(studio.plain(), {"text": "A", "font": "Boxes, Noto Sans"}, fonts=(boxes,))
    assert mixed.tobytes() == studio.composed(studio.plain(), {"text": "A", "font": "boxes"}, fonts=(boxes,)).tobytes()
    other = studio.composed(studio.plain(), {"text": "A", "font": "Noto Sans, Boxes"}, fonts=(boxes,))
    assert other.tobytes() == studio.composed(studio.plain(), {"text": "A"}).tobytes()


def test_the_fonts_of_the_project_come_first(studio: Studio) -> None:
    own = studio.file(font("Noto Sans", "ABC"))
    ours = studio.composed(studio.plain(), {"text": "ABC"})
    theirs = studio.composed(studio.plain(), {"text": "ABC"}, fonts=(own,))
    assert ours.tobytes() != theirs.tobytes()
    again = studio.composed(studio.plain(), {"text": "قهوة"}, fonts=(own,))
    assert again.tobytes() == studio.composed(studio.plain(), {"text": "قهوة"}).tobytes(), "the other families stay"


def test_weights_and_italics_are_faces(studio: Studio) -> None:
    light, heavy = studio.file(font("Pair", "A", weight=300, width=300)), studio.file(font("Pair", "A", weight=800, width=900))
    for weight, width in ((300, 40), (800, 160)):
        left, _, right, _ = studio.ink({"text": "A", "font": "Pair", "size": "200px", "weight": weight}, fonts=(heavy, light))
        assert right - left == pytest.approx(width, abs=1)
    slanted = studio.file(font("Pair", "A", italic=True, width=500))
    left, _, right, _ = studio.ink(
        {"text": "A", "font": "Pair", "size": "200px", "style": "italic"}, fonts=(heavy, slanted, light)
    )
    assert right - left == pytest.approx(80, abs=1)


def test_a_damaged_font_is_named(studio: Studio) -> None:
    broken = studio.file(font("Boxes", "A")[:300])
    with pytest.raises(ProviderError, match=r"no font `Boxes` here.*`brand/blob\d+` can't be read as a font"):
        studio.composed(studio.plain(), {"text": "A", "font": "Boxes"}, fonts=(broken,))


def test_families_of_a_font_file(tmp_path: Path) -> None:
    whole = font("My Font", "AB")
    (tmp_path / "a.ttf").write_bytes(whole)
    assert fonts.families(whole) == fonts.families(tmp_path / "a.ttf") == ("My Font",)
    for broken in (
        b"",
        b"OTTO",
        b"no font",
        whole[:50],
        whole[:-40] * 2,
        b"ttcf" + b"\xff" * 60,
        tmp_path / "none.ttf",
        tmp_path,
    ):
        assert isinstance(fonts.families(broken), tuple)
    assert fonts.families(b"wOF2" + whole) == ()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_nothing_else_of_the_picture_changes(studio: Studio, mode: str) -> None:
    base = studio.base((300, 200), mode)
    before = Image.open(base)
    after = studio.composed(base, {"text": "gÅ", "at": "top left", "size": "40px", "margin": "10px", "color": "#ff0000"})
    assert after.size == before.size
    assert after.mode == ("RGBA" if mode == "RGBA" else "RGB")
    before = before.convert(after.mode)
    changed = [ImageChops.difference(a, b).getbbox() for a, b in zip(before.split(), after.split(), strict=True)]
    boxes = [box for box in changed if box]
    assert boxes
    for box_ in boxes:
        assert box_[2] < 90
        assert box_[3] < 70


def test_what_is_clear_in_the_base_stays_clear(studio: Studio) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (200, 100), (10, 20, 30, 0)).save(out, "PNG")
    after = studio.composed(studio.file(out.getvalue()), {"text": "l", "size": "60px", "color": "#ff0000"})
    assert after.getpixel((0, 0)) == (10, 20, 30, 0), "the colour of what can't be seen is kept too"
    assert (255, 0, 0, 255) in [pixel for _, pixel in after.getcolors(10_000) or []]


def test_opacity_and_colours(studio: Studio, boxes: Path) -> None:
    def middle(**more: Any) -> tuple[int, ...]:
        found = studio.composed(studio.plain(color="#000"), box(text="A", size="200px", **more), fonts=(boxes,))
        pixel = found.getpixel((200, 300))
        assert isinstance(pixel, tuple)
        return pixel

    assert middle(color="#fff") == (255, 255, 255)
    assert middle(color="#ffffff80") == (128, 128, 128)
    assert middle(color="#f00", opacity=0.5) == (128, 0, 0)
    assert middle(color="#f00", opacity=0) == (0, 0, 0)


def test_a_background_is_a_label_and_across_the_picture_a_band(studio: Studio, boxes: Path) -> None:
    label = box(background="#00ff00", at="bottom", margin="0px")
    small = _of(studio.composed(studio.plain(), label, fonts=(boxes,)), "#00ff00")
    assert small == (146, 529, 254, 600), "48 % and 36 % of the size around the letters"
    band = _of(studio.composed(studio.plain(), {**label, "width": "100%"}, fonts=(boxes,)), "#00ff00")
    assert band == (0, 529, 400, 600)
    left = studio.composed(studio.plain(), {**label, "width": "100%", "at": "bottom left"}, fonts=(boxes,))
    assert max(left.getpixel((35, 565))) <= 2, "the letters stand at its left"  # type: ignore[type-var, arg-type]


def test_markup_is_only_text(studio: Studio) -> None:
    """typst's own signs, quotes, escapes: set as they are."""
    words = "#panic() *bold* _it_ $x$ `raw` <a> @b \\ // /* \"q\" 'q' -- ... ~ [x] {y} = z"
    found = studio.request(studio.plain((1600, 200)), {"text": words, "size": "30px"})
    text = " ".join(_extracted(local.vector(found)).split())
    assert text == words


def _extracted(pdf: bytes) -> str:
    import pypdf

    return str(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text())


def test_the_same_request_gives_the_same_bytes(studio: Studio, boxes: Path) -> None:
    items = [
        {"text": "Straße über Größe", "fit": "shrink", "size": "20%", "max_lines": 2},
        {"text": "قهوة مختمرة", "at": "top"},
        box(at="bottom"),
    ]
    request = studio.request(studio.base(), *items, fonts=(boxes,))
    first = local.done(request).images[0].data
    fonts.shelf.cache_clear()
    assert local.done(request).images[0].data == first
    assert local.vector(request) == local.vector(request)


def test_threads_share_fonts_and_not_pictures(studio: Studio, boxes: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    base = studio.base()
    requests = [
        studio.request(base, {"text": f"Nr. {n} قهوة"}, box(text="AB" * (n % 3 + 1), at="top"), fonts=(boxes,)) for n in range(6)
    ]
    alone = [local.done(one).images[0].data for one in requests]
    fonts.shelf.cache_clear()
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(lambda one: local.done(one).images[0].data, requests)) == alone


def test_letters_in_parts_and_spaces_are_no_missing_glyphs(studio: Studio) -> None:
    text = "e\u0301 \u00a0\u202f\u2009 a\u00adb \u200b\u2060 1\u20112"
    assert local.check(studio.request(None, {"text": text, "font": "Noto Sans"})) == []
    one = studio.composed(studio.plain(), {"text": "e\u0301"})
    assert one.tobytes() == studio.composed(studio.plain(), {"text": "é"}).tobytes()


def test_chinese_japanese_and_korean(studio: Studio) -> None:
    pytest.importorskip("manimgx_fonts_cjk")
    for text in ("ゆっくり淹れた", "慢煮咖啡", "천천히 내린"):
        left, _, right, _ = studio.ink({"text": text, "size": "40px"})
        assert right - left > 100
    chinese = studio.composed(studio.plain(), {"text": "直骨", "size": "90px", "lang": "zh"})
    japanese = studio.composed(studio.plain(), {"text": "直骨", "size": "90px", "lang": "ja"})
    assert chinese.tobytes() != japanese.tobytes(), "the same characters are written differently"


def test_two_lines_of_japanese_part_where_the_sentence_pauses(studio: Studio) -> None:
    pytest.importorskip("manimgx_fonts_cjk")
    said, meant = "ゆっくり淹れた、夏の一杯。", "ゆっくり淹れた、\n夏の一杯。"
    for more in ({"at": "left"}, {"background": "#eeeeee"}):
        item = {"size": "38px", **more}
        assert (
            studio.composed(studio.plain(), {"text": said, **item}).tobytes()
            == studio.composed(studio.plain(), {"text": meant, **item}).tobytes()
        )


def test_without_the_extra_the_way_to_it_is_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fonts._bundled
    monkeypatch.setattr(fonts, "_bundled", lambda package: () if package == fonts.WIDE else found(package))
    (problem,) = local.check(studio.request(None, {"text": "ゆっくり"}))
    assert problem.startswith('no font here has the Japanese letters of "ゆっくり"')
    assert "pip install 'assetbuild[cjk]'" in problem


def test_a_colour_profile_of_the_base_is_kept_and_meant(studio: Studio, boxes: Path) -> None:
    """A base keeps its numbers and its profile; a red text looks as red as on a screen."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    base = studio.base((200, 200), "RGB", icc_profile=profile)
    after = studio.composed(base, box(size="60px", color="#ff0000"), fonts=(boxes,))
    assert after.info["icc_profile"] == profile
    assert max(abs(a - b) for a, b in zip(after.getpixel((90, 100)), (255, 0, 0), strict=True)) <= 1  # type: ignore[arg-type]


def test_a_picture_of_one_pixel(studio: Studio) -> None:
    base = studio.plain((1, 1))
    with pytest.raises(ProviderError, match=r"would be 0\.05 pixels high, in a picture of 1×1"):
        studio.composed(base, {"text": "x"})
    square = studio.file(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="#f00"/></svg>'
    )
    assert studio.composed(base, {"file": 1, "margin": "0px"}, files=(square,)).getpixel((0, 0)) == (255, 0, 0)


def test_nothing_to_lay_over_gives_the_picture(studio: Studio) -> None:
    base = studio.base()
    assert studio.composed(base).tobytes() == Image.open(base).tobytes()


def test_a_request_it_cannot_do(studio: Studio) -> None:
    wrong: list[tuple[Request, str]] = [
        (studio.request(None, {"text": "x"}), "`compose` needs a base picture"),
        (studio.request(studio.file(b"no picture"), {"text": "x"}), "is no picture file"),
        (studio.request(studio.plain())._replace(op="edit"), "local can't do `edit`"),
        (studio.request(studio.plain())._replace(model="x"), "local has no model `x`"),
        (studio.request(studio.plain())._replace(params={"overlay": [{"file": 7}]}), "is missing"),
    ]
    for request, text in wrong:
        with pytest.raises(ProviderError, match=text) as caught:
            local.done(request)
        assert caught.value.kind is Kind.INVALID
