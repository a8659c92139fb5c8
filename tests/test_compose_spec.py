"""What is laid over a picture, as it stands in a spec: every mistake with its way out, and the canonical form that goes into keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.spec.overlays import DIGITS, check_digit, families, faults, items


def test_a_canonical_item_says_only_what_is_said() -> None:
    said = {
        "text": "Straße",
        "at": "start  top",
        "margin": ["4.0%", " 12pt "],
        "font": " Fraunces ,Noto  Sans Arabic",
        "weight": "bold",
        "size": "30.50 pt",
        "width": "080%",
        "color": "#FFF",
        "background": "#11223380",
        "opacity": "0.80",
        "max_lines": "2",
        "tracking": -20.0,
        "lang": "ZH-hant-tw",
        "rotate": "90",
    }
    assert faults([said]) == []
    assert items([said]) == [
        {
            "text": "Straße",
            "at": "top start",
            "margin": ["4%", "12px"],
            "font": "Fraunces, Noto Sans Arabic",
            "weight": 700,
            "size": "30.5px",
            "width": "80%",
            "color": "#ffffff",
            "background": "#11223380",
            "opacity": 0.8,
            "max_lines": 2,
            "tracking": -20,
            "lang": "zh-Hant-TW",
            "rotate": 90,
        }
    ]
    assert items([{"text": "x"}]) == [{"text": "x"}]


def test_what_means_the_same_is_the_same() -> None:
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"at": "start top"}, {"at": "top start"}),
        ({"at": "center top"}, {"at": "top"}),
        ({"at": "center center"}, {"at": "center"}),
        ({"margin": ["4%", "4%"]}, {"margin": "4.00%"}),
        ({"margin": ["4%"]}, {"margin": "4%"}),
        ({"size": "30pt"}, {"size": "30px"}),
        ({"color": "white"}, {"color": "#FFFFFF"}),
        ({"color": "#ffffffff"}, {"color": "#fff"}),
        ({"weight": "regular"}, {"weight": 400}),
        ({"opacity": "1"}, {"opacity": 1.0}),
    ]
    for one, other in pairs:
        assert items([{"text": "x", **one}]) == items([{"text": "x", **other}])
    codes = [
        {"barcode": "ean13", "value": value, "digits": digits}
        for value, digits in (("4 006381-333931", "true"), (4006381333931, True))
    ]
    assert items(codes[:1]) == items(codes[1:]) == [{"barcode": "ean13", "value": "4006381333931", "digits": True}]


EAN = {"barcode": "ean13", "value": "4006381333931"}


@pytest.mark.parametrize(
    ("item", "path", "text", "hint"),
    [
        ({"at": "top"}, (0,), "says where and how, but not what", "give it a `text`, a `file` or a `barcode`"),
        ({"text": "x", "file": 1}, (0, "file"), "has `text` and `file`", "an item of its own"),
        ({"text": "x", "value": "1"}, (0, "value"), "a text in an overlay has no `value`", "`barcode:` with the kind"),
        ({"text": "x", "digits": True}, (0, "digits"), "a text in an overlay has no `digits`", "belongs to barcodes"),
        ({"file": 1, "size": "3%"}, (0, "size"), "a file in an overlay has no `size`", "write `width` or `height`"),
        ({"file": 1, "color": "#fff"}, (0, "color"), "a file in an overlay has no `color`", "colour the drawing itself"),
        ({**EAN, "opacity": 0.5}, (0, "opacity"), "a barcode in an overlay has no `opacity`", "can't be scanned"),
        ({**EAN, "font": "X"}, (0, "font"), "a barcode in an overlay has no `font`", "belongs to texts"),
        ({"text": "x", "sise": "3%"}, (0, "sise"), "has no `sise`", "it has text, font"),
        ({"text": " \n"}, (0, "text"), "this text is empty", "leave the item out"),
        ({"text": "a\x07"}, (0, "text"), "control character ('\\x07')", "take it out"),
        ({"text": "x" * 10_001}, (0, "text"), "has 10,001 characters", "shorter"),
        ({"text": "x", "at": "top bottom"}, (0, "at"), "`top bottom` is two places", "write `at: top` or a corner"),
        ({"text": "x", "at": "left start"}, (0, "at"), "`left start` is two places", "write `at: left`"),
        ({"text": "x", "at": "top top"}, (0, "at"), "says `top` twice", "write `at: top`"),
        ({"text": "x", "at": "middle"}, (0, "at"), "`middle` is no place", "one or two of start"),
        ({"text": "x", "at": "top left center"}, (0, "at"), "is no place", "one or two"),
        ({"text": "x", "width": "101%"}, (0, "width"), "101% is more than the picture has", "at most 100%"),
        ({"text": "x", "width": "0px"}, (0, "width"), "leaves no room", "above 0"),
        ({"text": "x", "margin": "60%"}, (0, "margin"), "60% is more than", "at most 50%"),
        ({"text": "x", "margin": ["1%", "2%", "3%"]}, (0, "margin"), "this has 3", "above and below, left and right"),
        ({"text": "x", "size": 5}, (0, "size"), "`5` is no size", "has a unit"),
        ({"text": "x", "size": "-5%"}, (0, "size"), "is no size", "has a unit"),
        ({"text": "x", "color": "red"}, (0, "color"), "`red` is no colour", "in quotes"),
        ({"text": "x", "weight": "heavy"}, (0, "weight"), "`heavy` is no weight", "100 to 900, or regular"),
        ({"text": "x", "weight": 50}, (0, "weight"), "`50` is no weight", "100 to 900"),
        ({"text": "x", "opacity": "2"}, (0, "opacity"), "isn't a number from 0 to 1", "write 0 to 1"),
        ({"text": "x", "opacity": "nan"}, (0, "opacity"), "isn't a number", "write 0 to 1"),
        ({"text": "x", "max_lines": "1.5"}, (0, "max_lines"), "isn't a whole number from 1 to 100", "1 to 100"),
        ({"text": "x", "fit": "grow"}, (0, "fit"), "`grow` isn't possible here", "`shrink`"),
        ({"text": "x", "rotate": 45}, (0, "rotate"), "45 degrees can't be", "0, 90, 180 or 270"),
        ({"text": "x", "lang": "deutsch!"}, (0, "lang"), "is no language", "`de`"),
        ({"text": "x", "font": " , "}, (0, "font"), "names no family", "Noto Sans"),
        ({"file": "x.png"}, (0, "file"), "can't be laid over", "a file of yours"),
        ({"barcode": "ean13"}, (0, "barcode"), "this EAN-13 has no `value`", "write `value:`"),
        ({"barcode": "ean99", "value": "1"}, (0, "barcode"), "`ean99` isn't possible", "`qr`"),
        ({"barcode": "qr", "value": " "}, (0, "value"), "this QR code says nothing", "fill in"),
        ({"barcode": "qr", "value": "x", "digits": False}, (0, "digits"), "a QR code has no digits", "leave"),
        ({"barcode": "qr", "value": "ß" * 1200}, (0, "value"), "has 2,400 bytes, and a QR code holds 2,331", "an address"),
        ({"barcode": "qr", "value": "1" * 6000}, (0, "value"), "has 6,000 digits, and a QR code holds 5,596", "an address"),
        ({"barcode": "code128", "value": "größe"}, (0, "value"), "a Code 128 has no 'ö'", "`barcode: qr`"),
        ({"barcode": "code128", "value": "x" * 81}, (0, "value"), "81 characters", "`barcode: qr`"),
        (
            {**EAN, "color": "#fff", "background": "#000"},
            (0, "color"),
            "no scanner tells #ffffff bars from #000000",
            "dark bars on a light",
        ),
        ({**EAN, "color": "#ff0000"}, (0, "color"), "no scanner tells #ff0000 bars", "red is as white"),
        ({**EAN, "background": "#333"}, (0, "background"), "bars from #333333", "light ground"),
        ({**EAN, "background": "#ffffff00"}, (0, "background"), "can't be seen through", "six digits"),
    ],
)
def test_a_mistake_and_its_way_out(item: dict[str, Any], path: tuple[str | int, ...], text: str, hint: str) -> None:
    found = faults([item])
    assert [one[0] for one in found] == [path]
    assert text in found[0][1]
    assert hint in found[0][2]
    assert not found[0][1].endswith(".")


@pytest.mark.parametrize(
    ("kind", "value", "text", "hint"),
    [
        ("ean13", "4006381333930", "the check digit of 4006381333930 is 0 and must be 1", "or the number is 4006381333931"),
        (
            "ean13",
            "400638133393",
            "400638133393 lacks its check digit: an EAN-13 has 13 digits",
            'write `value: "4006381333931"`',
        ),
        ("ean8", "9638507", "lacks its check digit", 'write `value: "96385074"`'),
        ("upca", "03600029145", "lacks its check digit", 'write `value: "036000291452"`'),
        ("ean13", "96385074", "an EAN-13 has 13 digits, and 96385074 has 8", "write `barcode: ean8`"),
        ("ean13", "12345", "an EAN-13 has 13 digits, and 12345 has 5", "look it up"),
        ("ean13", "40063813A3931", "an EAN-13 has digits only, and this is `40063813A3931`", "`barcode: code128`"),
        ("ean13", "٤٠٠٦٣٨١٣٣٣٩٣١", "has digits only", "code128"),
    ],
)
def test_a_number_that_is_wrong(kind: str, value: str, text: str, hint: str) -> None:
    ((path, said, way),) = faults([{"barcode": kind, "value": value}])
    assert path == (0, "value")
    assert text in said
    assert hint in way


def test_all_mistakes_are_told_at_once() -> None:
    found = faults([{"text": "", "at": "top top"}, {"text": "x"}, {"barcode": "ean8", "value": "1", "opacity": 1}])
    assert [path for path, _, _ in found] == [(0, "text"), (0, "at"), (2, "opacity"), (2, "value")]


@given(st.sampled_from(sorted(DIGITS)), st.text("0123456789", min_size=12, max_size=12), st.integers(0, 11), st.integers(1, 9))
def test_one_mistyped_digit_never_passes(kind: str, number: str, at: int, by: int) -> None:
    body = number[: DIGITS[kind] - 1]
    right = body + check_digit(body)
    assert faults([{"barcode": kind, "value": right}]) == []
    at %= len(right)
    wrong = right[:at] + str((int(right[at]) + by) % 10) + right[at + 1 :]
    assert faults([{"barcode": kind, "value": wrong}]) != []


@given(
    st.dictionaries(
        st.sampled_from(["text", "file", "barcode", "value", "at", "size", "margin", "color", "weight", "opacity"]),
        st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text(), max_size=3),
    )
)
def test_no_value_makes_it_stumble(item: dict[str, Any]) -> None:
    if not faults([item]):
        first = items([item])
        assert faults(first) == []
        assert items(first) == first, "the canonical form is its own"


def test_families_in_a_list() -> None:
    assert families("Fraunces,  Noto   Sans Arabic ,") == ("Fraunces", "Noto Sans Arabic")
