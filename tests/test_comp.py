"""The comp provider: what it draws of each kind and op, what it says, and that it is a provider."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as Pillow

from assetbuild.providers import comp
from assetbuild.providers.base import Done, Image, ProviderError, Request
from assetbuild.providers.comp import layout, palette, reading, sizes, wardrobe

from .comping import BRAND, KINDS, POSTER, asked, clear, drawn, golden, looked, pixels, slug, spoken, stored, tally, unlike


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("ratio", ["2:3", "1:1", "21:9", "1:4"])
def test_each_kind_of_picture_is_drawn_in_each_ratio_with_its_slug(kind: str, ratio: str) -> None:
    request = asked(KINDS[kind] + BRAND, aspect_ratio=ratio)
    assert reading.read(request.prompt).kind == ("" if kind == "panel" else kind)
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
    assert comp.check(POSTER) == []
    result = comp.done(POSTER)
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
    said = {
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
            base=looked(stored(tmp_path, drawn(POSTER))),
        ).notes,
        "left out of all": layout.pages(
            asked('Logo "fika", ' + ", ".join(f'"a rather long line of words, number {n}"' for n in range(30))), cjk=False
        ).notes,
        "missing letters": layout.pages(asked('Poster "Ur 𒀀"'), cjk=True).notes,
    }
    golden("messages", said)


def test_asking_for_nothing_imports_neither_typst_nor_pillow() -> None:
    code = "import sys, assetbuild.providers.comp; print([m for m in ('typst', 'PIL', 'asyncio', 'httpx') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent
    )
    assert done.stdout.strip() == "[]"
