"""`provenance` as lines: a file each, with its signature, its bytes and what it says of itself; then what that means, summed up. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .flow import flow, name_column
from .ink import Ink
from .measures import count_text, pad, width
from .shown import Record

_SAYS = {
    "trainedAlgorithmicMedia": "made with AI",
    "compositeWithTrainedAlgorithmicMedia": "edited with AI",
    "compositeSynthetic": "partly made with AI",
    "algorithmicMedia": "drawn by a program",
    "digitalCapture": "a photo",
    "computationalCapture": "a photo",
}
_SIGNATURE = {
    "valid": ("green", "valid"),
    "trusted": ("green", "trusted"),
    "expired": ("yellow", "expired"),
    "invalid": ("red", "broken"),
    "unchecked": ("", "unchecked"),
    "none": ("dim", "none"),
}
_BYTES = {
    "changed": ("yellow", "changed"),
    "missing": ("yellow", "missing"),
    "not here": ("dim", "in Git LFS"),
    "not made": ("dim", "not made"),
    "not ours": ("yellow", "not ours"),
}
_INTACT = {"bought": "as bought", "comp": "as drawn", "hand": "as chosen", "here": "as made"}
ELSEWHERE = "another program"  # as `answers.provenance` names it
_HEAD = ("FILE", "SIGNATURE", "BYTES", "SAYS")


def provenance_lines(rows: Sequence[Record], ink: Ink, columns: int) -> Iterator[str]:
    """The table. `columns` 0: no terminal, nothing is wrapped."""
    if not rows:
        return
    cells = [(_signature(one), _bytes(one)) for one in rows]
    names = [one["path"] for one in rows]
    column = max(name_column(names, columns), len(_HEAD[0]))
    first = max(len(_HEAD[1]), *(width(text) for (_, text), _ in cells))
    second = max(len(_HEAD[2]), *(width(text) for _, (_, text) in cells))
    gap = "  "
    yield ink("dim", gap.join((pad(_HEAD[0], column), pad(_HEAD[1], first), pad(_HEAD[2], second), _HEAD[3])))
    for one, name, ((tint, signature), (shade, state)) in zip(rows, names, cells, strict=True):
        indent = column + first + second + 6
        head = ink("bold", name) + gap + " " * max(0, column - width(name))
        taken = indent + max(0, width(name) - column)
        if width(name) > column and columns:
            yield ink("bold", name)
            head, taken = " " * (column + 2), indent
        head += (ink(tint, signature) if tint else signature) + gap + " " * (first - width(signature))
        head += (ink(shade, state) if shade else state) + gap + " " * (second - width(state))
        says = _says(one)
        yield from flow(head, taken, says, ink, columns, indent)


def summary_lines(rows: Sequence[Record], ink: Ink, columns: int, *, checked: bool) -> Iterator[str]:
    """What the table comes to, and what can be done about it."""
    signed = [one for one in rows if one["signature"] != "none"]
    parts = [count_text(len(rows), "file")]
    parts += [f"{len(signed):,} signed"] if signed else ["none signed"]
    broken = sum(one["signature"] == "invalid" for one in rows)
    parts += [f"{broken:,} with a broken signature"] if broken else []
    for state, words in (
        ("changed", "changed since"),
        ("not ours", "not ours"),
        ("missing", "missing"),
        ("not made", "not made yet"),
    ):
        count = sum(one["bytes"] == state for one in rows)
        parts += [f"{count:,} {words}"] if count else []
    drafts = sum(one["draft"] for one in rows)
    parts += [count_text(drafts, "draft")] if drafts else []
    yield from flow("", 0, [("", " · ".join(parts))], ink, columns, 2)
    for text in _dropped_texts([one["dropped_by"] for one in rows if one["dropped_by"]]):
        yield from flow("  ", 2, [("", text)], ink, columns, 4)
    if signed and not checked:
        hint = "whether a signature holds is looked at with the extra: `pip install 'assetbuild[c2pa]'`"
        yield from flow("  ", 2, [("dim", "hint:"), ("", hint)], ink, columns, 4)


def _dropped_texts(steps: Sequence[str]) -> Iterator[str]:
    """Who dropped how many signatures: steps of ours, whose new pixels can't have the old signature; other programs."""
    ours = [step for step in steps if step != ELSEWHERE]
    counts = [
        f"{ours.count(step):,} by {step.replace(' ', ' `', 1) + '`' if ' ' in step else f'`{step}`'}"
        for step in dict.fromkeys(ours)
    ]
    if counts:
        yield f"signatures dropped: {', '.join(counts)}: new pixels can't keep the old one; the bought picture has its own still"
    if len(ours) < len(steps):
        files = count_text(len(steps) - len(ours), "file")
        yield f"{ELSEWHERE} dropped the signature of {files}: `assetbuild build --replace ID` puts the bought picture back"


def _signature(one: Record) -> tuple[str, str]:
    if one["bytes"] in ("missing", "not made", "not here"):
        return "dim", "-"
    return ("yellow", "dropped") if one["dropped_by"] else _SIGNATURE[one["signature"]]


def _bytes(one: Record) -> tuple[str, str]:
    return _BYTES.get(one["bytes"]) or ("", _INTACT[one["by"]])


def _says(one: Record) -> list[tuple[str, str]]:
    """How it was made, by its own word; who signed; that it is a draft."""
    if one["bytes"] in ("missing", "not made", "not here"):
        return [("", "")]
    said: list[str] = [_SAYS.get(one["kind"]) or one["called"]] if one["kind"] else []
    # a certificate that is on no trust list says whatever its maker likes
    said += [f"signed {'by' if one['signature'] == 'trusted' else 'as'} {one['signer']}"] if one["signer"] else []
    said += ["a draft" if one["marked_draft"] else "an unmarked draft"] if one["draft"] else []
    said += [f"dropped by {one['dropped_by']}"] if one["dropped_by"] else []
    said += ["the file is damaged"] if not one["whole"] else []
    if not said:
        return [("dim", "nothing")]
    return [("", text + ("," if number < len(said) else "")) for number, text in enumerate(said, 1)]
