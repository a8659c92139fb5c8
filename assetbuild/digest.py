"""From a step to its manifest, and from the manifest to its action key. Pure values; knows no file, no store and no vendor.

The manifest is the canonical JSON (RFC 8785) of everything that shapes a result, and of nothing else; the action key is its sha256.
Keys are a public contract: `tests/golden/keys.json` pins them, and a changed key is a price rise for every user.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .spec.model import Step

KEY_VERSION = 1
RECIPE = "~"  # begins what stands for an input that was made here: how it is made, whatever bytes an encoder gives

_PARAGRAPHS = re.compile(r"\n\s*\n")
_text = json.encoder.encode_basestring  # a JSON text with as few escapes as RFC 8785 wants; C


class Action(NamedTuple):
    """A step whose inputs' digests are known. `text` is the manifest as it was hashed; `key` is its sha256 in hex."""

    key: str
    text: str
    key_version: int = KEY_VERSION

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as a value."""
        found: dict[str, Any] = json.loads(self.text)
        return found


def sha256(content: bytes) -> str:
    """The sha256 of bytes in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def fold(text: str) -> str:
    """A prompt as the key sees it: NFC, each run of white space one space, an empty line keeps the paragraphs apart.

    White space is what `str.split` takes for it; `tests/test_digest.py` pins the list of characters.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\n" not in text:
        return " ".join(text.split())
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _PARAGRAPHS.search(text) is None:
        return " ".join(text.split())
    paragraphs: list[list[str]] = [[]]
    for line in text.split("\n"):
        words = line.split()
        if words:
            paragraphs[-1] += words
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join(" ".join(words) for words in paragraphs if words)


def canonical(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """RFC 8785 JSON of a parameter set or any other value. Raises ValueError for what JSON hasn't (NaN, lone surrogates)."""
    import rfc8785  # our own number formatting would be a second truth

    return rfc8785.dumps(value).decode()


class Actions:
    """Makes actions from steps. Remembers the canonical form of what many steps share: their parameters."""

    def __init__(self) -> None:
        self._params: dict[int, tuple[dict[str, Any], str]] = {}
        self._ops: dict[tuple[str, str, str], tuple[str, str]] = {}

    def action(self, step: Step, digests: Sequence[str]) -> Action:
        """The action of a step whose inputs have these digests, in order.

        In the manifest: key version, op, provider, model, the folded prompt, every parameter, the set's size, the variant, and of each
        input its role, hint and digest, or its `recipe` where what stands for it begins with RECIPE (its place is its place in the
        list). Written out by hand in RFC 8785's order of names, which is
        five times quicker than a serialiser; `tests/test_digest.py` compares the two.
        """
        names = (step.op, step.provider, step.model)
        shared = self._ops.get(names)
        if shared is None:
            shared = f'"model":{_text(step.model)},"op":{_text(step.op)},"params":', f'"provider":{_text(step.provider)},'
            self._ops[names] = shared
        kept = self._params.get(id(step.params))
        if kept is None or kept[0] is not step.params:
            kept = self._params[id(step.params)] = (step.params, canonical(step.params))
        parts = ["{"]
        if step.inputs:
            entries = []
            for one, digest in zip(step.inputs, digests, strict=True):
                hint = "" if one.hint is None else f'"hint":{_text(fold(one.hint))},'
                if digest[:1] == RECIPE:
                    entries.append(f'{{{hint}"recipe":"{digest[1:]}","role":"{one.role}"}}')
                else:
                    entries.append(f'{{"digest":"{digest}",{hint}"role":"{one.role}"}}')
            parts += '"inputs":[', ",".join(entries), "],"
        parts += shared[0], kept[1], ","
        if step.prompt is not None:
            parts += '"prompt":', _text(fold(step.prompt)), ","
        parts.append(shared[1])
        if step.members:
            parts.append(f'"set":{len(step.members)},')
        parts.append(f'"v":{KEY_VERSION}')
        if step.variant is not None:
            parts += ',"variant":', _text(step.variant)
        parts.append("}")
        text = "".join(parts)
        return Action(hashlib.sha256(text.encode()).hexdigest(), text)


def recipe(made: Action, place: int | None = None) -> str:
    """What stands in keys for a picture that was made here, in place of its digest: the key of the action that makes it. Of a piece of a sheet, whatever
    the pieces are called and however many are cut, that of its cell (`place`, from 0).
    """
    if place is None:
        return RECIPE + made.key
    manifest = {name: value for name, value in made.manifest.items() if name != "set"}
    return RECIPE + sha256(canonical({**manifest, "cell": place}).encode())


def action(step: Step, digests: Sequence[str]) -> Action:
    """One action by itself; see `Actions.action`."""
    return Actions().action(step, digests)


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as a lock line carries it: prompt and hints as digests, so that a clone can say which field differs."""
    out = dict(manifest)
    if "prompt" in out:
        out["prompt"] = sha256(out["prompt"].encode())
    if "inputs" in out:
        out["inputs"] = [
            {**entry, "hint": sha256(entry["hint"].encode())} if "hint" in entry else entry for entry in out["inputs"]
        ]
    return out


class Change(NamedTuple):
    """One line of a manifest that differs. `field` is "prompt", "model", "params.quality", "inputs.0" …; None = not there."""

    field: str
    old: Any
    new: Any


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Which lines differ between two sealed manifests, in a stable order. Empty only if the keys are equal."""
    found: list[Change] = []
    for name in ("v", "op", "provider", "model", "prompt", "set", "variant"):
        if old.get(name) != new.get(name):
            found.append(Change(name, old.get(name), new.get(name)))
    before, after = old.get("params") or {}, new.get("params") or {}
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            found.append(Change(f"params.{name}", before.get(name), after.get(name)))
    had, have = old.get("inputs") or [], new.get("inputs") or []
    for place in range(max(len(had), len(have))):
        left = had[place] if place < len(had) else None
        right = have[place] if place < len(have) else None
        if left != right:
            found.append(Change(f"inputs.{place}", left, right))
    return tuple(found)
