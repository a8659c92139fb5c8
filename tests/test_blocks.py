"""A spec's text taken apart into its blocks, and what is remembered of them."""

from __future__ import annotations

import random

import pytest

from assetbuild import blocks, outline

# ── the pieces ──


def test_sections() -> None:
    text = b"a: 1\nassets:  # all\n\n  # note\n  x: {}\n  y:\n    z: 1\n# end\n\nb: 2\n"
    section = blocks.section(text, "assets")
    assert section is not None
    assert text[section.first :].startswith(b"  x:")
    assert text[section.end :] == b"b: 2\n"
    assert blocks.starts(text, section.first, section.end, section.indent) == [text.index(b"  x"), text.index(b"  y")]
    for other in (
        b"assets: {a: b}\n",
        b"assets:\n",
        b"assets:\nb: 1\n",
        b"assets:\n\tx: 1\n",
        text + text,
        b"assets: &a\n  x: 1\n",
    ):
        assert blocks.section(other, "assets") is None


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ("  x:\n    y: 1\n", "x"),
        ("  'x y': |\n    text\n\n", "x y"),
        ("  x: {}", "x"),
        ("  x:\n# note\n", "x"),
        ('  x: "open\n', None),
        ("  x: [open\n", None),
        ("  x: 1\n  y: 2\n", None),
        ("  - x\n", None),
        ("  x\n", None),
        ("   x: 1\n", None),
        ("  ? x\n  : y\n", None),
        ("  x: *y\n", None),
        ("  x: 1\n---\n", None),
        ("  x: 1\n", "x"),
    ],
)
def test_a_block_that_can_be_read_by_itself(block: str, key: str | None) -> None:
    assert blocks.key_of(block.encode(), 2) == key


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("a: &b c", True),
        ("&b c", True),
        ("a:\n  &b c", True),
        ("- &b", True),
        ('{"a":&b c}', True),
        ("\ufeffa", False),
        ("a\ufeff", True),
        ("[&a b]", True),
        ("R&D, Salt & Pepper, a=1&b=2", False),
        ("a\rb", True),
        ("a\r\nb", False),
    ],
)
def test_what_reaches_into_other_blocks(text: str, odd: bool) -> None:
    assert blocks.odd(text.encode()) is odd


def test_where_texts_differ() -> None:
    chance = random.Random(1)  # noqa: S311 - trials
    for _ in range(300):
        old = bytes(chance.choices(b"ab", k=chance.randrange(12)))
        new = bytes(chance.choices(b"ab", k=chance.randrange(12)))
        begins, ends = blocks.differing(old, new)
        tail = len(old) - ends
        assert old[:begins] == new[:begins]
        assert old[ends:] == new[len(new) - tail :]
        assert begins <= ends
        assert begins + tail <= len(new)
        if begins < min(len(old), len(new)):
            assert old[begins] != new[begins]


def test_an_outline_of_a_newer_form_is_no_outline() -> None:
    with pytest.raises(ValueError, match="first line"):
        outline.understood(b"assetbuild outline 2\n[]\n")
