"""The sentences of a run: the summary line, a plan's reason, the word diff of a prompt. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..digest import Change
from ..events import Summed

_FIELDS = {
    "prompt": "prompt",
    "op": "op",
    "provider": "provider",
    "model": "model",
    "set": "size of the set",
    "variant": "variant",
    "v": "key version",
}
CONTEXT = 4  # words shown on either side of a changed one


def seconds(value: float) -> str:
    """A time as people say it: `0.4 s`, `12 s`, `3 min 20 s`."""
    if value < 9.95:  # noqa: PLR2004
        return f"{value:.1f} s"
    if value < 119.5:  # noqa: PLR2004
        return f"{value:.0f} s"
    return f"{int(value) // 60} min {int(value) % 60} s"


def summary(done: Summed, paid: str = "") -> str:
    """`12 up to date, 3 bought, 1 restored, $0.27 spent in 0.4 s`; `paid` is the part about money."""
    counts = [
        (done.up_to_date, "up to date"),
        (done.not_needed, "not here, not needed"),
        (done.drawn, "drawn"),
        (done.made, "made here"),
        (done.bought, "bought"),
        (done.fetched, "fetched"),
        (done.restored, "restored"),
        (done.exported, "exported"),
        (done.held, "waiting for you"),
        (done.skipped, "skipped"),
        (done.failed, "failed"),
    ]
    parts = [f"{count:,} {word}" for count, word in counts if count]
    if paid:
        parts.append(paid)
    if done.interrupted:
        return (
            f"stopped after {seconds(done.seconds)}: {', '.join(parts) if parts else 'nothing was done'}; the rest is as it was"
        )
    return f"{', '.join(parts) if parts else 'nothing to do'} in {seconds(done.seconds)}"


def word_diff(old: str, new: str, *, context: int = CONTEXT) -> list[tuple[str, str]]:
    """What changed between two prompts, as ("same" | "gone" | "new" | "cut", text); of white space only what keeps paragraphs
    apart is looked at, and shown as `¶`.
    """
    before, after = _words(old), _words(new)
    out: list[tuple[str, str]] = []
    for op, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if op == "equal":
            words = before[a:b]
            first, end = a == 0, b == len(before)
            keep_left, keep_right = (0 if first else context), (0 if end else context)
            if len(words) > keep_left + keep_right + 2:
                if keep_left:
                    out.append(("same", " ".join(words[:keep_left])))
                out.append(("cut", "…"))
                if keep_right:
                    out.append(("same", " ".join(words[-keep_right:])))
            else:
                out.append(("same", " ".join(words)))
            continue
        if b > a:
            out.append(("gone", " ".join(before[a:b])))
        if d > c:
            out.append(("new", " ".join(after[c:d])))
    return out


def _words(prompt: str) -> list[str]:
    return re.sub(r"\n\s*\n", " ¶ ", prompt.strip()).split()


def paragraphs(manifest: Mapping[str, Any]) -> str | None:
    """The prompt of a full manifest with each hint line a paragraph of its own: folded for the key they run into the prompt."""
    prompt = manifest.get("prompt")
    if not isinstance(prompt, str):
        return None
    lines = []
    for place, entry in enumerate(manifest.get("inputs") or (), 1):
        line = f"Image {place}: {entry.get('hint')}"
        if "hint" in entry and prompt.startswith(line):
            lines.append(line)
            prompt = prompt[len(line) :].lstrip()
    return "\n\n".join([*lines, prompt] if prompt else lines)


def change_texts(found: Sequence[Change], labels: Sequence[str]) -> list[str]:
    """What differs, each once. What another model brings along or hasn't is said with the model: nobody changed that by itself."""
    moved = [change.field for change in found if change.field in ("op", "provider", "model")]
    brought = [change for change in found if moved and change.field.startswith("params.") and None in (change.old, change.new)]
    texts: dict[str, None] = {}
    for change in found:
        if change in brought:
            continue
        texts[change_text(change, labels)] = None
        if brought and change.field == moved[-1]:
            come = [_setting(one.field, one.new) for one in brought if one.old is None]
            gone = [one.field[7:] for one in brought if one.new is None]
            texts |= dict.fromkeys([f"with {', '.join(come)}"] * bool(come) + [f"without {', '.join(gone)}"] * bool(gone))
    return list(texts)


def change_text(change: Change, labels: Sequence[str]) -> str:
    """One manifest line that differs, in the spec's words. `labels` name the inputs of now, in their places."""
    field = change.field
    if field == "prompt":
        return (
            "prompt changed"
            if change.old is not None and change.new is not None
            else ("prompt added" if change.old is None else "prompt removed")
        )
    if field == "then":
        old, new = change.old or 0, change.new or 0
        return "a step was added" if new > old else "a step was taken out"
    if field == "step":
        return "this step changed"
    if field.startswith("params."):
        if change.old is None:
            return f"{_setting(field, change.new)} is new"
        if change.new is None:
            return f"{_setting(field, change.old)} is gone"
        return f"{field[7:]} {_value(change.old)} → {_value(change.new)}"
    if field.startswith("inputs."):
        place = int(field[7:])
        label = f"`{labels[place]}`" if place < len(labels) else f"picture {place + 1}"
        if change.old is None:
            return f"{label} is a new input"
        if change.new is None:
            return f"an input was taken out (picture {place + 1})"
        return _input_text(change.old, change.new, label)
    return f"{_FIELDS.get(field, field)} {_value(change.old)} → {_value(change.new)}"


def _setting(field: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    return f"{field[7:]}: {_value(value)}"


def _input_text(old: dict[str, Any], new: dict[str, Any], label: str) -> str:
    if old.get("digest") != new.get("digest"):
        return f"{label} has other bytes"
    if old.get("recipe") != new.get("recipe"):
        return f"{label} is made otherwise"
    if old.get("hint") != new.get("hint"):
        return f"the hint of {label} changed"
    return f"{label} is now the {new.get('role')}"


def _value(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return "(none)"
    if value is True or value is False:
        return str(value).lower()
    return str(value)
