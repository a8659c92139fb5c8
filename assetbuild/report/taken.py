"""`takes` as text: the takes of each asset, a line each, and the way to choose one. Knows no store and no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .ink import Ink
from .measures import money_text, pad
from .shown import LETTERS, Record, take_word, when, wrapped


def taken_lines(rows: Sequence[Record], ink: Ink, columns: int) -> Iterator[str]:
    """The takes of these assets, each with number, digest's first letters, size in pixels, date, cost, and what was said of it."""
    for place, row in enumerate(rows):
        if place:
            yield ""
        rejected = sum(one["rejected"] is not None for one in row["takes"])
        said = f"{row['note']}, {rejected} rejected" if row["note"] and rejected else row["note"]
        note = f"  {ink('yellow', said)}" if said else ""
        yield f"{ink('bold', row['id'])}{note}"
        if not row["takes"]:
            yield from wrapped("no take of its present text yet", columns, "  ")
        for one in row["takes"]:
            yield _take(one)
        hint = _hint(row)
        if hint:
            yield from wrapped(f"hint: {hint}", columns, "  ")


def _take(one: Record) -> str:
    size = f"{one['width']}×{one['height']}" if one["width"] else ""
    at = when(one["at"]) if one["at"] else ""
    by = "by hand" if one["by_hand"] else money_text(one["cost"]) if one["at"] else ""
    text = f"  {one['take']:>3}  {one['digests'][0][:LETTERS]}  {pad(size, 9)}  {pad(at, 16)}  {pad(by, 8)}  {take_word(one)}"
    return text.rstrip()


def _hint(row: Record) -> str:
    """The way to choose one of those that aren't chosen yet, nor rejected."""
    word = "approve" if "approved" in row["note"] else "use"
    left = [one for one in row["takes"] if one["here"] and one["rejected"] is None and not (one["chosen"] and one["lies_there"])]
    name = row["id"]
    if row["note"] and len(row["takes"]) == 1:
        return f"`assetbuild {word} {name}`"
    if not left:
        return ""
    number = left[0]["take"]
    if len(left) == 1 and row["note"]:
        return f"only take {number} is left: `assetbuild {word} {name} {number}` {word}s it".replace(" uses it", " chooses it")
    return f"`assetbuild {word} {name} {number}` takes that one"
