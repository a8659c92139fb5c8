"""One line of the lockfile: what was agreed for one asset, as a record and as JSON text. Knows no file and no other line.

A choice among takes is two fields: `of` says how many takes there were when this one was put there, `chosen` that a person has chosen it since. Both
are left out where there was nothing to choose from, so a line of an older release is a line of today. The one that says yes is stored, not the one
that says "to be chosen": when two branches have the same picture and one of them chose it, a union merge (what is set wins) keeps the choice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import StoreError

_DECIDED = ("chosen_for", "by_hand", "rejected", "approved", "note", "host")
FIELDS = frozenset(("id", "key", "v", "manifest", "outputs", "take", "of", "chosen", "steps", "exports", *_DECIDED))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_USUAL = 6  # id, key, v, manifest, outputs, take: a line without decisions
_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch
_ODD = re.compile(r"/|[A-Za-z]:/|\.\./|\.\.$|.*(?:[\\\0]|/\.\./|/\.\.$)", re.DOTALL).match


class Output(NamedTuple):
    """A file of an asset. `path` is relative to the project with `/`; `member` is "" unless it is a set; `size` in bytes."""

    path: str
    member: str
    digest: str
    size: int


class LockedStep(NamedTuple):
    """An earlier step of a `then` chain: which take of which key the next step was made from, and its digests."""

    key: str
    key_version: int
    digests: tuple[str, ...]
    take: int


class LockedExport(NamedTuple):
    """A file that was made from one of the asset's pictures, here and for nothing: from the picture with the digest `of`, by the recipe `options` (the
    digest of a colour profile in it). `member` is "" unless the asset is a set; `size` in bytes.
    """

    name: str
    member: str
    path: str
    digest: str
    size: int
    of: str
    options: dict[str, Any]


class Manifest(Mapping[str, Any]):
    """A manifest as it stands in the lockfile, decoded when it is first looked at. Raises StoreError then if it is broken."""

    __slots__ = ("_name", "_number", "_text", "_values")

    def __init__(self, text: str, name: str, number: int) -> None:
        self._text, self._name, self._number = text, name, number
        self._values: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._values is None:
            self._values = read_object(self._text, self._name, self._number)
        return self._values

    def __getitem__(self, field: str) -> Any:  # noqa: ANN401 - JSON
        """A field; KeyError if there is none."""
        return self._all()[field]

    def __iter__(self) -> Iterator[str]:
        """The fields' names."""
        return iter(self._all())

    def __len__(self) -> int:
        """How many fields."""
        return len(self._all())

    def __repr__(self) -> str:
        """The text."""
        return f"Manifest({self._text})"


class Line(NamedTuple):
    """What is agreed for one asset. `manifest` is the key's, with prompt and hints as digests.

    `of` is how many takes of this key there were when this one was put there, the rejected ones too (0: nobody was to choose); `chosen`: a person
    has chosen this one. `chosen_for` is the key that `use` chose this picture for; `by_hand`: a person's file; `rejected`: the note; `approved`: the
    picture that was approved last, as `bound` says it (of another picture it counts again when that one comes back), `note`: what was said with it;
    `host`: None for the vendor's own; `exports`: what was made from it to be shipped; `extra`: fields that a newer release wrote, kept as they are.
    """

    id: str
    key: str
    key_version: int
    manifest: Mapping[str, Any]
    outputs: tuple[Output, ...]
    take: int = 1
    steps: tuple[LockedStep, ...] = ()
    chosen_for: str | None = None
    by_hand: bool = False
    rejected: str | None = None
    approved: str | None = None
    host: str | None = None
    extra: dict[str, Any] = {}  # noqa: RUF012 - a NamedTuple default is shared and never written
    of: int = 0
    chosen: bool = False
    note: str | None = None
    exports: tuple[LockedExport, ...] = ()

    @property
    def bound(self) -> str:
        """What an approval of this picture is bound to: its digest; of a set, the digest of its pictures' digests, whatever the members are called."""
        digests = sorted(output.digest for output in self.outputs)
        return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()

    @property
    def is_approved(self) -> bool:
        """Whether a person approved this very picture."""
        return self.approved is not None and self.approved == self.bound

    @property
    def undecided(self) -> bool:
        """Whether there were several takes, this one was put there so that something is seen, and nobody has chosen since."""
        return self.of > 1 and not (self.chosen or self.by_hand or self.chosen_for is not None or self.is_approved)

    @property
    def files(self) -> tuple[Output | LockedExport, ...]:
        """Every file that the line names: the pictures, then what was made from them."""
        return (*self.outputs, *self.exports)

    @property
    def picture(self) -> tuple[tuple[str, str], ...]:
        """Which bytes are agreed: member and digest of each output, by member."""
        return tuple(sorted((output.member, output.digest) for output in self.outputs))


def broken(name: str, number: int, why: str) -> StoreError:
    """What to tell of line `number` of the lockfile `name`."""
    return StoreError(
        f"{name}:{number}: {why}", hint=f"`git checkout -- {name}` brings the last committed one back; nothing was changed"
    )


def read_object(line: str, name: str, number: int) -> dict[str, Any]:
    """A line's JSON object. Raises StoreError."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise broken(name, number, "this line is broken or cut off") from error
    if not isinstance(found, dict):
        raise broken(name, number, "this line is broken or cut off")
    return found


def read_line(raw: dict[str, Any], name: str, number: int) -> Line:
    """The record of a line's JSON object. Raises StoreError."""
    try:
        line = Line(
            raw["id"],
            _digest(raw["key"]),
            _count(raw["v"]),
            raw["manifest"],
            tuple(map(_output, raw["outputs"])),
            _count(raw["take"]),
        )
        if type(line.id) is not str or not line.id or not isinstance(line.manifest, (Manifest, dict)):
            raise ValueError("id")
        if len(raw) == _USUAL:
            return line
        chosen, approved, rejected, host = raw.get("chosen_for"), raw.get("approved"), raw.get("rejected"), raw.get("host")
        note = raw.get("note")
        return line._replace(
            steps=tuple(map(_step, raw.get("steps", ()))),
            chosen_for=None if chosen is None else _digest(chosen),
            by_hand=bool(raw.get("by_hand")),
            rejected=None if rejected is None else _words(rejected),
            approved=None if approved is None else _digest(approved),
            host=None if host is None else _words(host),
            extra={field: raw[field] for field in raw.keys() - FIELDS},
            of=_count(raw.get("of", 0)),
            chosen=bool(raw.get("chosen")),
            note=None if note is None else _words(note),
            exports=tuple(map(_export, raw.get("exports", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise broken(name, number, f"this line can't be understood ({_what(error)})") from error


def _output(raw: dict[str, Any]) -> Output:
    return Output(
        _plain(raw["path"]), _words(raw["member"]) if "member" in raw else "", _digest(raw["digest"]), _count(raw["size"])
    )


def _export(raw: dict[str, Any]) -> LockedExport:
    options = raw["as"]
    if type(options) is not dict:
        raise ValueError("as")
    member = _words(raw["member"]) if "member" in raw else ""
    made = _plain(raw["path"]), _digest(raw["digest"]), _count(raw["size"]), _digest(raw["of"])
    return LockedExport(_words(raw["name"]), member, *made, options)


def _step(raw: dict[str, Any]) -> LockedStep:
    return LockedStep(_digest(raw["key"]), _count(raw["v"]), tuple(map(_digest, raw["digests"])), _count(raw["take"]))


def _what(error: Exception) -> str:
    return (
        f"no {error}".replace("'", "`")
        if isinstance(error, KeyError)
        else f"wrong {error}"
        if isinstance(error, ValueError)
        else "wrong type"
    )


def _digest(value: object) -> str:
    if type(value) is not str or not _DIGEST(value):
        raise ValueError("digest")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("number")
    return value


def _words(value: object) -> str:
    if type(value) is not str:
        raise ValueError("text")
    return value


def _plain(path: object) -> str:
    """A path that stays inside the project: a lockfile comes with a clone, and its paths are read."""
    if type(path) is not str or not path or _ODD(path):
        raise ValueError("path")
    return path


def render_line(line: Line) -> str:
    """The line as text: canonical, id first, unset fields left out, manifest last."""
    whole: dict[str, Any] = {"id": line.id, "key": line.key, "v": line.key_version}
    whole["outputs"] = [
        {"path": out.path, **({"member": out.member} if out.member else {}), "digest": out.digest, "size": out.size}
        for out in line.outputs
    ]
    whole["take"] = line.take
    whole |= {"of": line.of} if line.of else {}
    whole |= {"chosen": True} if line.chosen else {}
    if line.steps:
        whole["steps"] = [{"key": s.key, "v": s.key_version, "digests": s.digests, "take": s.take} for s in line.steps]
    if line.exports:
        whole["exports"] = [
            {
                "name": one.name,
                **({"member": one.member} if one.member else {}),
                "path": one.path,
                "digest": one.digest,
                "size": one.size,
                "of": one.of,
                "as": _sorted(one.options),
            }
            for one in line.exports
        ]
    decided = {"chosen_for": line.chosen_for, "rejected": line.rejected, "approved": line.approved, "note": line.note}
    whole |= {field: value for field, value in {**decided, "host": line.host}.items() if value is not None}
    if line.by_hand:
        whole["by_hand"] = True
    whole |= {field: _sorted(line.extra[field]) for field in sorted(line.extra)}
    whole["manifest"] = _sorted(line.manifest)
    return _encode(whole)


def _sorted(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(entry) for entry in value] if isinstance(value, list | tuple) else value


def joined(found: Sequence[Line]) -> list[Line]:
    """Lines of one id, those with the same key and the same picture made one: what is set wins over what isn't.

    Where both sides set a field to different values the greater wins, so that every clone comes to the same line; the path is
    the first's.
    """
    apart: dict[tuple[str, object], Line] = {}
    for line in found:
        same = (line.key, line.picture)
        first = apart.get(same)
        if first is None or first == line:
            apart[same] = line
            continue
        low, high = sorted((first, line), key=render_line)
        apart[same] = low._replace(
            take=min(low.take, high.take),
            steps=max(low.steps, high.steps),
            chosen_for=_set(low.chosen_for, high.chosen_for),
            by_hand=low.by_hand or high.by_hand,
            rejected=_set(low.rejected, high.rejected),
            approved=first.bound if first.is_approved or line.is_approved else _set(low.approved, high.approved),
            host=_set(low.host, high.host),
            extra={**low.extra, **high.extra},
            of=max(low.of, high.of),
            chosen=low.chosen or high.chosen,
            note=_set(low.note, high.note),
            exports=_both(low.exports, high.exports),
        )
    return list(apart.values())


def _both(low: tuple[LockedExport, ...], high: tuple[LockedExport, ...]) -> tuple[LockedExport, ...]:
    """The exports of two lines: of those that both have, the second's."""
    found = {(one.name, one.member): one for one in (*low, *high)}
    return tuple(found[name] for name in sorted(found)) if low and high and low != high else low or high


def _set(one: str | None, other: str | None) -> str | None:
    return max((value for value in (one, other) if value is not None), default=None)
