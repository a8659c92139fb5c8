"""Things that may vanish: texts and bytes that are cheap to make again (parsed includes, thumbnails, upload URLs). Never
anything paid for.

diskcache keeps them. It comes into a project's folder, so a cloned repository can bring a prepared one: diskcache unpickles
what it reads (CVE-2025-69872; its `JSONDisk` doesn't stop that) and opens and deletes whatever path a row names. `SafeDisk` has
neither. Whatever is odd about a cache, it is dropped and made anew; nothing here raises, a value that isn't found is made
again. What comes out was still written by whoever had the folder: it is checked by who uses it.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diskcache import Cache

LIMIT = 256 << 20  # bytes
_PLAIN = re.compile(r"[0-9a-f]{2}[/\\][0-9a-f]{2}[/\\][0-9a-f]{28}\.val")
_SCHEMA = re.compile(r"(Settings|Cache|Cache_\w+|sqlite_\w+)")
_TRIGGER = re.compile(r"Settings_(count|size)_(insert|update|delete)")
_RAW, _BINARY, _TEXT = 1, 2, 3  # diskcache's modes; 4 is pickle


class Unsafe(Exception):
    """A row that this program never wrote."""


class Vanishing:
    """A cache in `folder` (made at the first put). Values by name and key; `name` says what kind of thing it is, `key` which one.

    Nothing in it is ever needed: it holds at most 256 MiB, the oldest go first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cache: Cache | None = None

    def get(self, name: str, key: str) -> str | bytes | None:
        """The value, None when it has vanished. Never raises."""
        if self._cache is None and not (self._folder / "cache.db").exists():
            return None
        found = self._try(lambda cache: cache.get(f"{name}\0{key}"))
        return found if isinstance(found, str | bytes) else None

    def put(self, name: str, key: str, value: str | bytes) -> None:
        """Keep a value, perhaps. Never raises."""
        self._try(lambda cache: cache.set(f"{name}\0{key}", value))

    def close(self) -> None:
        """Close the files."""
        cache, self._cache = self._cache, None
        if cache is not None:
            with suppress(Exception):
                cache.close()

    def _try(self, act: Any) -> Any:  # noqa: ANN401 - diskcache has no types
        try:
            if self._cache is None:
                self._cache = _open(self._folder)
            return act(self._cache) if self._cache is not None else None
        except OSError:
            return None  # full, read-only: it isn't broken
        except Exception as error:
            if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                return None  # busy, full, read-only, as sqlite says it
            # Damaged, prepared by somebody, or of another version. Nothing in it is worth a closer look.
            self.close()
            _drop(self._folder)
            return None


def _open(folder: Path) -> Cache | None:
    import os

    if os.path.expandvars(str(folder)) != str(folder) or folder.is_symlink() or folder.parent.is_symlink():
        return None  # diskcache would replace `$NAME` in the path; a link could lead out of the project
    if (folder / "cache.db").is_symlink():
        raise Unsafe
    from diskcache import Cache  # 25 ms

    disk = _safe_disk()
    if (folder / "cache.db").exists():
        _inspect(folder / "cache.db")
    return Cache(
        str(folder.absolute()),
        timeout=1,
        disk=disk,
        eviction_policy="least-recently-stored",
        size_limit=LIMIT,
        cull_limit=10,
        statistics=0,
        tag_index=0,
        disk_min_file_size=1 << 15,
        disk_pickle_protocol=0,
    )


def _inspect(database: Path) -> None:
    """Only diskcache's own tables, triggers and settings: it runs a `sqlite_…` setting as a pragma and gives `disk_…` ones to
    the disk.
    """
    from diskcache.core import DEFAULT_SETTINGS, METADATA

    db = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
    try:
        for kind, name in db.execute("SELECT type, name FROM sqlite_master"):
            allowed = _TRIGGER if kind == "trigger" else _SCHEMA
            if kind == "view" or not allowed.fullmatch(name):
                raise Unsafe(name)
        for name, value in db.execute("SELECT key, value FROM Settings"):
            if name not in DEFAULT_SETTINGS and name not in METADATA:
                raise Unsafe(name)
            if name.startswith("sqlite_") and value != DEFAULT_SETTINGS[name]:
                raise Unsafe(name)
    finally:
        db.close()


def _safe_disk() -> type:
    from diskcache import UNKNOWN, Disk

    class SafeDisk(Disk):  # type: ignore[misc]
        """Texts and bytes only, never a pickle, and no file but those whose names diskcache itself makes."""

        def put(self, key: object) -> tuple[object, bool]:
            if type(key) is not str:
                raise Unsafe("key")
            return key, True

        def get(self, key: object, raw: object) -> object:
            if not raw or type(key) is not str:
                raise Unsafe("key")
            return key

        def store(self, value: object, read: object, key: object = UNKNOWN) -> Any:  # noqa: ANN401
            if read or not isinstance(value, str | bytes):
                raise Unsafe("value")
            return super().store(value, False, key=key)

        def fetch(self, mode: object, filename: str | None, value: object, read: object) -> object:
            if read or mode not in (_RAW, _BINARY, _TEXT) or not isinstance(value, str | bytes | None):
                raise Unsafe("value")
            if mode == _RAW:
                if filename is not None:
                    raise Unsafe("file")
                return value
            self._inside(filename)
            return super().fetch(mode, filename, None, False)

        def remove(self, file_path: str) -> None:
            self._inside(file_path)
            super().remove(file_path)

        def _inside(self, filename: str | None) -> None:
            if filename is None or not _PLAIN.fullmatch(filename):
                raise Unsafe("file")
            place = Path(self._directory, filename)
            if any(step.is_symlink() for step in (place, place.parent, place.parent.parent)):
                raise Unsafe("link")

    return SafeDisk


def _drop(folder: Path) -> None:
    """Remove a cache's own files and nothing else, whatever else somebody has put into the folder."""
    if folder.is_symlink() or folder.parent.is_symlink():
        return
    with suppress(OSError):
        for file in (*folder.glob("cache.db*"), *folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*.val")):
            if file.name.startswith("cache.db") or not (file.parent.is_symlink() or file.parent.parent.is_symlink()):
                file.unlink(missing_ok=True)
