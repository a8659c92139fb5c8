"""The lockfile: what was agreed for each asset, one line of JSON each, committed to git. Knows no spec and no store; what lies
on disk it asks through functions it is given.

{"assetbuild.lock":1}
{"id":"poster","key":"…","v":1,"manifest":{…},"outputs":[{"path":"art/poster.png","digest":"…","size":1234}],"take":1}

Lines are sorted by id and hold no time and no cost, so that two branches which change different assets merge without a conflict
(`merge=union`). With a union merge one asset may come to have two lines: see `Lock.doubles` and `resolve`. `manifest` is the
last field of a line, always: most runs never look at it, and so it isn't decoded before somebody asks.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import StoreError, UsageError
from ..files import PRIVATE, Stamp, atomic_write, disk_error, make_folders, private_folder, stamp
from ..oslock import locked
from .line import Line, LockedExport, LockedStep, Manifest, Output, broken, joined, read_line, read_object, render_line

__all__ = [
    "HEADER",
    "VERSION",
    "Line",
    "Lock",
    "LockedExport",
    "LockedStep",
    "Output",
    "merge",
    "parse",
    "read",
    "rename",
    "render",
    "resolve",
]

VERSION = 1
HEADER = f'{{"assetbuild.lock":{VERSION}}}'
_HEADER = re.compile(r'\{\s*"assetbuild\.lock"\s*:\s*(\d{1,9})\s*\}')
_MARKER = re.compile(r"(<{7}|\|{7}|={7}|>{7})( |$)")


class Lock(NamedTuple):
    """All lines by id. `doubles`: the lines of ids that have several which disagree; `lines` has the first of those until it is
    resolved.
    """

    lines: dict[str, Line]
    doubles: dict[str, tuple[Line, ...]]


_CUT = ',"manifest":{'


def read(path: Path) -> Lock:
    """The lockfile at `path`; a missing one is empty. Raises StoreError with file and line when it can't be trusted."""
    return parse(_text(path), path.name) if path.exists() else Lock({}, {})


def parse(text: str, name: str = "assets.lock") -> Lock:
    """`read` of a text. CRLF, a BOM, blank lines and any order are fine; `name` is for messages."""
    lines: dict[str, Line] = {}
    several: dict[str, list[Line]] = {}
    with _no_collector():
        for number, raw in _objects(text, name):
            line = read_line(raw, name, number)
            if line.id in lines:
                several.setdefault(line.id, [lines[line.id]]).append(line)
            else:
                lines[line.id] = line
    doubles: dict[str, tuple[Line, ...]] = {}
    for ident, found in several.items():
        apart = joined(found)
        lines[ident] = apart[0]
        if len(apart) > 1:
            doubles[ident] = tuple(apart)
    return Lock(lines, doubles)


def render(lines: Mapping[str, Line]) -> str:
    """The text of a lockfile: canonical, sorted by id, LF, unset fields left out."""
    return "\n".join([HEADER, *(render_line(lines[ident]) for ident in sorted(lines)), ""])


def resolve(
    lock: Lock,
    *,
    spec_key: Callable[[str], str | None],
    digest_on_disk: Callable[[str], str | None],
    at_hand: Callable[[str], bool],
) -> dict[str, Line]:
    """One line for each doubled id: those with the spec's key first; of these the one on disk, else at hand, else the smaller
    digest.

    `digest_on_disk(path)` and `at_hand(digest)` are asked only for doubled ids.
    """
    chosen: dict[str, Line] = {}
    for ident, found in lock.doubles.items():
        wanted = [line for line in found if line.key == spec_key(ident)] or list(found)

        def rank(line: Line) -> tuple[bool, bool, object, str]:
            on_disk = bool(line.outputs) and all(digest_on_disk(output.path) == output.digest for output in line.outputs)
            here = bool(line.outputs) and all(at_hand(output.digest) for output in line.outputs)
            return not on_disk, not here, line.picture, render_line(line)

        chosen[ident] = min(wanted, key=rank) if len(wanted) > 1 else wanted[0]
    return chosen


class Merged(NamedTuple):
    """What a merge did: the ids whose lines stayed as somebody else wrote them, and the file's `stamp` before and after."""

    left: tuple[str, ...] = ()
    before: Stamp | None = None
    after: Stamp | None = None


def merge(
    path: Path, own: Mapping[str, Line | None], based: Mapping[str, Line | None] | None = None, *, differs: bool = False
) -> Merged:
    """Write our own lines into the lockfile (None removes one); every other line stays as it is then, character by character.

    `based` has for an id the line that ours was made from: if the file says something else by now, somebody chose meanwhile, and their line
    stays. With `differs` the caller knows that there is something to write.

    Survives a kill at any point and any number of processes at once. Writes nothing when nothing changes, so that a read-only
    tree is no problem then. Raises StoreError.
    """
    if not differs and _merged(path, own) is None:
        return Merged()
    with _guard(path):
        left: list[str] = []
        before = stamp(path)
        if based:
            now = read(path)
            left = [
                name
                for name in own
                if name in based and name not in now.doubles and _others(now.lines.get(name), based[name], own[name])
            ]
            own = {name: line for name, line in own.items() if name not in left}
        # Look again: another process may have written its lines since. Temp, fsync, rename: a kill leaves the old file or the
        # new one.
        text = _merged(path, own)
        if text is not None:
            atomic_write(path, text.encode("utf-8"), durable=True, staging=path.parent / PRIVATE)
        return Merged(tuple(left), before, stamp(path))


def _others(now: Line | None, based: Line | None, own: Line | None) -> bool:
    """Whether the line of now is neither the one we knew nor the one we want: pictures and decisions, not take numbers, tell."""

    def essence(line: Line | None) -> object:
        if line is None:
            return None
        return line.picture, line.key, line.chosen_for, line.by_hand, line.rejected, line.chosen, line.is_approved

    return now is not None and essence(now) not in (essence(based), essence(own))


def rename(path: Path, pairs: Mapping[str, str]) -> None:
    """Move lines from old ids to new ones, all or none. Raises UsageError for an id without a line or a new id that has one,
    StoreError.
    """
    with _guard(path):
        lock = read(path)
        for old, new in pairs.items():
            if old not in lock.lines:
                raise UsageError(f"`{old}` isn't in `{path.name}`", hint="`assetbuild list` shows what is")
            if old in lock.doubles:
                raise UsageError(
                    f"`{old}` has two lines in `{path.name}` since a merge", hint="run `assetbuild build` first, which settles it"
                )
            if new in lock.lines and new not in pairs:
                raise UsageError(f"`{new}` is in `{path.name}` already", hint="choose another id, or take that line out first")
        if len(set(pairs.values())) < len(pairs):
            raise UsageError("two assets can't get the same id", hint="choose an id for each")
        own: dict[str, Line | None] = {
            **dict.fromkeys(pairs),
            **{new: lock.lines[old]._replace(id=new) for old, new in pairs.items()},
        }
        text = _merged(path, own)
        if text is not None:
            atomic_write(path, text.encode("utf-8"), durable=True, staging=path.parent / PRIVATE)


def _guard(path: Path) -> Any:  # noqa: ANN401 - a context manager
    # In `.assetbuild`, for the tree may hold no files that nobody asked for. A profile's own tree lies in there already.
    if PRIVATE in path.parts:
        folder = path.parent
        try:
            make_folders(folder, durable=False)
        except OSError as error:
            raise disk_error(error, path) from error
    else:
        folder = private_folder(path.parent)
    return locked(folder / f"{path.name}.guard", wait=20.0, busy=f"`{path.name}` is being written by another run")


def _merged(path: Path, own: Mapping[str, Line | None]) -> str | None:
    """The new text, None when it would say the same."""
    if not path.exists():
        here = {ident: line for ident, line in own.items() if line is not None}
        return render(here) if here else None
    there: dict[str, list[Line]] = {}
    kept: list[tuple[str, str]] = []
    text = _text(path)
    lines = _split(text)
    for number, raw in _objects(text, path.name):
        ident = raw.get("id")
        if type(ident) is not str or ident in own:
            line = read_line(raw, path.name, number)
            there.setdefault(line.id, []).append(line)
        else:
            kept.append((ident, lines[number - 1].strip()))
    changed = False
    for ident, wanted in own.items():
        before = there.get(ident, [])
        after = [] if wanted is None else [wanted._replace(extra={**(before[0].extra if before else {}), **wanted.extra})]
        kept += [(ident, render_line(line)) for line in after]
        changed |= before != after
    if not changed:
        return None
    return "\n".join([HEADER, *(raw for _, raw in sorted(kept, key=lambda entry: entry[0])), ""])


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"can't read `{path}`: {error.strerror or error}", hint="check who owns the file, and that it is one"
        ) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise broken(path.name, number, "this isn't UTF-8 text") from error


def _split(text: str) -> list[str]:
    return text.removeprefix("\ufeff").split("\n")  # never splitlines: a prompt may hold U+2028


def _objects(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    """Line number and JSON object of each line but the header. Raises StoreError."""
    numbered = [(number, line) for number, line in enumerate(_split(text), 1) if line and not line.isspace()]
    if not numbered:
        raise StoreError(
            f"`{name}` is empty", hint=f"`git checkout -- {name}` brings it back; if there never was one, delete the empty file"
        )
    for number, line in numbered:
        if marker := _MARKER.match(line):
            raise StoreError(
                f"{name}:{number}: a merge left its conflict marker `{marker[1]}` here",
                hint="keep the lines of both sides and delete only the marker lines (and what stands between `|||||||` and "
                "`=======`), then run `assetbuild build`, which settles doubled lines; `merge=union` in .gitattributes "
                "(see `assetbuild init`) lets git do this by itself",
            )
    headers = [(number, int(found[1])) for number, line in numbered if (found := _HEADER.fullmatch(line.strip()))]
    if not headers:
        raise broken(name, numbered[0][0], "this isn't a lockfile of assetbuild: its first line is missing")
    for number, version in headers:
        if version > VERSION:
            raise StoreError(
                f"{name}:{number}: written by a newer assetbuild (lockfile version {version}, this one reads up to {VERSION})",
                hint="upgrade with `pip install -U assetbuild`; nothing was changed",
            )
    skip = {number for number, _ in headers}
    rest = [(number, line) for number, line in numbered if number not in skip]
    # All at once, and without the manifests, is three times as fast as one by one. A quote inside a JSON string is escaped, so
    # this cut can't be in one.
    cut = [line.partition(_CUT) for _, line in rest]
    try:
        objects = json.loads(f"[{','.join([head + '}' if tail else head for head, _, tail in cut])}]")
    except (ValueError, RecursionError):
        objects = None
    if objects is None or len(objects) != len(rest) or not all(type(found) is dict for found in objects):
        return [(number, read_object(line, name, number)) for number, line in rest]
    for place, ((number, line), (_, _, tail)) in enumerate(zip(rest, cut, strict=True)):
        if tail:
            tail = tail.rstrip()  # noqa: PLW2901
            if tail[-2:] != "}}" or _CUT in tail:  # also two lines that lost the line end between them
                objects[place] = read_object(line, name, number)
            else:
                objects[place]["manifest"] = Manifest("{" + tail[:-1], name, number)
    return [(number, found) for (number, _), found in zip(rest, objects, strict=True)]


@contextmanager
def _no_collector() -> Iterator[None]:
    """Python's cycle collector looks at every new dict again and again, which doubles the time; there are no cycles in JSON."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
