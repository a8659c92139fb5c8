"""Texts in a comp: they stay words, whatever stands in them, and each script is set with fonts that have it, or told."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assetbuild.providers import comp
from assetbuild.providers.comp import layout, scripts

from .comping import POSTER, asked, drawn, pixels, stored

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
