"""What the comp provider does with input pictures: edits of a base, references, boards."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image as Pillow

from assetbuild.providers import comp
from assetbuild.providers.base import ProviderError
from assetbuild.providers.comp import change, layout, lines, palette, press, reading, spots

from .comping import BRAND, KINDS, POSTER, asked, drawn, looked, pixels, slug, spoken, stored, tally, unlike


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
    assert layout.pages(request, cjk=False, base=looked(base)).pages[0]["kind"] == "box"
    assert (
        layout.pages(asked('On the box, set the name to "Fika"', "edit", inputs=(base,)), cjk=False, base=looked(base)).pages[0][
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
        [block for block in lines.blocks(looked(picture).sight) if block.y1 < 248]  # those above the slug
        for picture in (base, stored(tmp_path, edit))
    )
    assert len(old) == len(new), "no plate, no second headline"
    was, now = old[0], new[0]
    assert was.ground == now.ground
    assert palette.apart(was.ink, now.ink) < 12
    assert lines.serif(looked(base).sight, was) == lines.serif(looked(stored(tmp_path, edit)).sight, now), (
        "the same kind of letters"
    )
    assert min(abs(was.x0 - now.x0), abs(was.x0 + was.x1 - now.x0 - now.x1) / 2) <= 4, "the same side"
    assert 0.5 < now.line / was.line < 1.5, "about the same size"
    first, second = pixels(arrangements[arrange]), pixels(edit)
    k = first.width / looked(base).sight.w
    above = first.height - slug(arrangements[arrange]).height - 1  # the slug has the edit's own swatches
    top, foot = int((was.y0 - was.line) * k), min(above - 4, int((was.y1 + was.line) * k))
    for rows in ((0, 0, first.width, max(1, top)), (0, foot, first.width, above)):
        assert unlike(first.crop(rows), second.crop(rows)) < 0.004, "all else is as it was"


@pytest.mark.parametrize("arrange", range(6))
@pytest.mark.parametrize("prompt", ['Write "Now open" on it', 'Add "New" in the top left corner', "Warmer light", "Add a bird"])
def test_what_is_new_cuts_no_words(prompt: str, arrange: int, arrangements: dict[int, bytes], tmp_path: Path) -> None:
    seen = looked(stored(tmp_path, arrangements[arrange]))
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
    spot = layout.pages(asked(prompt, "edit"), cjk=False, base=looked(base)).pages[0]["spot"]
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
    page = layout.pages(request, cjk=False, base=looked(base)).pages[0]
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


@pytest.mark.parametrize("form", ["TIFF", "CMYK", "turned"])
def test_a_damaged_reference_that_has_to_be_converted_is_told_by_its_name(form: str, tmp_path: Path) -> None:
    kept = io.BytesIO()
    noise = Pillow.effect_noise((400, 400), 90)
    if form == "TIFF":
        noise.save(kept, "TIFF")
    elif form == "CMYK":
        noise.convert("CMYK").save(kept, "JPEG")
    else:
        exif = Pillow.Exif()
        exif[0x0112] = 6
        noise.save(kept, "JPEG", exif=exif)
    cut = stored(tmp_path, kept.getvalue()[: len(kept.getvalue()) // 2], "reference", "mood")
    with pytest.raises(ProviderError, match=r"^`mood` can't be read as a picture: it is damaged or cut off"):
        comp.draw(asked("A poster", inputs=(cut,)))


@pytest.mark.parametrize("drives", [1, 2])
def test_a_drawing_of_the_users_own_beside_the_pictures_is_not_run(
    drives: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = asked("Warmer light", "edit", inputs=(stored(tmp_path, drawn(POSTER)),))
    before = drawn(request)
    monkeypatch.setattr(press, "DRAWING", Path(shutil.copytree(press.DRAWING, tmp_path / "site" / "drawing")))
    (tmp_path / "main.typ").write_text("#panic()", "utf-8")
    if drives == 2:  # as on Windows

        def none_common(paths: list[Path]) -> str:
            raise ValueError(paths)

        monkeypatch.setattr("os.path.commonpath", none_common)
    assert drawn(request) == before
