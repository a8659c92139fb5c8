"""The pictures that assets had before: lock lines that were replaced on this machine, for `use ID previous` and `show`.

One file in `.assetbuild` for each lockfile, JSON Lines, newest last. It may vanish at any time, and an unreadable one is an
empty one: the pictures themselves are in the store. It knows lock lines; it doesn't know why they were replaced.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..files import PRIVATE, atomic_write, private_folder
from . import HEADER, Line, parse, render

FIRST = '{"assetbuild.former":1}'
COMMITS = 20  # of the lockfile's history that are looked through
MOST = 4 << 20  # bytes; beyond it the older half goes


class Former(NamedTuple):
    """A line that an asset had until `at` (seconds since the epoch)."""

    at: float
    line: Line


def former_path(root: Path, lock: str) -> Path:
    """Where the file of a lockfile (relative to the project) lies."""
    return root / PRIVATE / ("former-" + lock.replace("%", "%25").replace("/", "%2f"))


def note(root: Path, lock: str, lines: Sequence[Line], now: float) -> None:
    """Add lines that are being replaced. Never raises for a disk that refuses: then `previous` isn't known."""
    if not lines:
        return
    path = former_path(root, lock)
    text = "".join(f'{{"at":{now:.3f},"line":{render({line.id: line}).split(chr(10))[1]}}}\n' for line in lines)
    try:
        private_folder(root)
        size = path.stat().st_size if path.exists() else 0
        if size + len(text) > MOST or size == 0:
            old = path.read_text("utf-8").splitlines(keepends=True)[1:] if size else []
            atomic_write(path, (FIRST + "\n" + "".join(old[len(old) // 2 :]) + text).encode(), durable=False)
            return
        with open(path, "ab", buffering=0) as file:  # one write: two runs' lines don't mix
            file.write(text.encode())
    except (OSError, StoreError, ValueError):
        return


def former(root: Path, lock: str, name: str) -> list[Former]:
    """The lines that an asset had before, oldest first; what can't be read is left out."""
    wanted = f'"id":{json.dumps(name, ensure_ascii=False)}'
    return [one for one in _read(former_path(root, lock), wanted) if one.line.id == name]


def everything(root: Path, lock: str) -> list[Former]:
    """All of them, oldest first."""
    return _read(former_path(root, lock), "")


def _read(path: Path, wanted: str) -> list[Former]:
    found = []
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            if file.readline().strip() != FIRST:
                return []
            for text in file:
                if wanted in text:
                    found += _parsed(text)
    except (OSError, UnicodeDecodeError):
        return found
    return found


def _parsed(text: str) -> list[Former]:
    try:
        raw = json.loads(text)
        lines = parse(HEADER + "\n" + json.dumps(raw["line"]), "former").lines
        return [Former(float(raw["at"]), line) for line in lines.values()]
    except (ValueError, KeyError, TypeError, StoreError, RecursionError):
        return []  # cut off by a kill


def committed(top: Path, lock: Path, name: str) -> Iterator[Line]:
    """The lines that an asset had in the last commits of its lockfile, newest first. `top` is git's top level."""
    try:
        path = lock.resolve().relative_to(top).as_posix()
    except ValueError:
        return
    wanted = f'"id":{json.dumps(name, ensure_ascii=False)}'
    for commit in _git(top, "log", f"-n{COMMITS}", "--format=%H", "--", path).decode("ascii", "replace").split():
        for raw in _git(top, "show", f"{commit}:{path}").decode("utf-8", "replace").split("\n"):
            if wanted not in raw:
                continue
            try:
                line = parse(HEADER + "\n" + raw, "history").lines.get(name)
            except StoreError:
                continue
            if line is not None:
                yield line


def _git(top: Path, *words: str) -> bytes:
    call = ["git", "-C", str(top), "-c", "core.fsmonitor=false", *words]
    try:
        done = subprocess.run(call, capture_output=True, check=False, timeout=20)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""
