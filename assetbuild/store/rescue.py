"""A second place for pictures that were paid for and that the store doesn't take: the disk is full, say. Knows takes and files; decides
nothing about assets.

First `.assetbuild/rescued` in the tree, else a folder of ours where the system keeps temporary files. A picture lies there under its digest,
and a record beside it says what it is, so that the next build brings it in by itself.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ..digest import sha256
from ..errors import StoreError
from ..files import PRIVATE, atomic_write, private_folder, sha256_file
from . import Blob, Store, Take
from .journal import settle

FOLDER = "rescued"
ENDING = ".json"
VERSION = 1  # of a record
_DIGEST = re.compile(r"[0-9a-f]{64}")


class UnreadableRecord(StoreError):
    """What lies here was paid for, and nobody can tell for what."""


def lay_aside(root: Path, environ: Mapping[str, str], name: str, take: Take, images: Mapping[str, bytes]) -> list[Path]:
    """Writes the pictures of the asset `name` that the store refused, by digest, and the record of the whole take; gives the pictures' files (of
    a take whose pictures are all in the store: the record's).

    Pictures first, then the record: a kill in between leaves pictures for `use`. Raises StoreError when no place takes them.
    """
    problem: StoreError | None = None
    for folder in _places(root, environ):
        try:
            if folder.parent.name == PRIVATE:
                private_folder(root)
            else:
                _own(folder)
            for digest, content in images.items():
                atomic_write(folder / digest, content, durable=True)
            record = folder / f"{take.key}-{take.take}{ENDING}"
            atomic_write(record, _text(name, take).encode(), durable=True)
        except (OSError, StoreError) as error:
            problem = error if isinstance(error, StoreError) else StoreError(f"{folder}: {error.strerror}")
            continue
        return [folder / digest for digest in images] or [record]
    raise problem if problem is not None else StoreError("there is no folder for temporary files")


def bring_in(root: Path, environ: Mapping[str, str], store: Store) -> list[tuple[str, Take | list[Path]]]:
    """Moves everything that was laid aside into the store: the asset's id and the take; if pictures of it are gone, the files of those that
    are left, which stay where they are.

    Blobs, then the result, then the files go: a kill anywhere leaves something that the next call goes on with. Raises StoreError
    while the store still takes nothing, and for a record that can't be read.
    """
    done: list[tuple[str, Take | list[Path]]] = []
    for record in waiting(root, environ):
        try:
            name, take = _read(record)
        except FileNotFoundError:
            continue  # another run brought it in just now
        here = [record.with_name(blob.digest) for blob in take.blobs]
        for file in here:
            with suppress(FileNotFoundError):
                store.cas.put_file(file, durable=True)
        if not all(store.cas.size(blob.digest) == blob.size for blob in take.blobs):
            record.unlink(missing_ok=True)
            done.append((name, [file for file in here if file.is_file() and sha256_file(file)[0] == file.name]))
            continue
        with store.transaction() as db:
            kept = store.record_in(db, [take])[0]
            settle(db, take.key, take.take, take.cost, take.made_at)
        done.append((name, kept))
        for file in (record, *here):
            file.unlink(missing_ok=True)
    return done


def waiting(root: Path, environ: Mapping[str, str]) -> list[Path]:
    """The records of what was laid aside, and of nobody else's files."""
    found: list[Path] = []
    for folder in _places(root, environ):
        if folder.is_dir() and not folder.is_symlink() and (folder.parent.name == PRIVATE or _ours(folder)):
            found += sorted(folder.glob("*" + ENDING))
    return found


def _places(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    yield root / PRIVATE / FOLDER
    default = "C:\\Windows\\Temp" if sys.platform == "win32" else "/tmp"  # noqa: S108 - a folder of our own in it, by owner and mode
    temporary = next((environ[name] for name in ("TMPDIR", "TEMP", "TMP") if environ.get(name)), default)
    yield Path(temporary) / f"assetbuild-{FOLDER}-{sha256(os.fsencode(root))[:16]}"


def _own(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or not _ours(folder):
        raise StoreError(f"`{folder}` belongs to somebody else")


def _ours(folder: Path) -> bool:
    return sys.platform == "win32" or folder.stat().st_uid == os.getuid()


def _text(name: str, take: Take) -> str:
    fields = {**take._asdict(), "blobs": [list(blob) for blob in take.blobs]}
    return json.dumps({"assetbuild.rescued": VERSION, "id": name, **fields}, ensure_ascii=False)


def _read(record: Path) -> tuple[str, Take]:
    """The id and the take that a record tells of. Raises FileNotFoundError, and StoreError for one that can't be read: it stands for money."""
    try:
        fields = json.loads(record.read_text("utf-8"))
        version = fields.pop("assetbuild.rescued")
        if version == VERSION:
            name = str(fields.pop("id"))
            blobs = tuple(Blob(str(m), str(digest), int(size), str(media)) for m, digest, size, media in fields.pop("blobs"))
            take = Take(**fields, blobs=blobs)
            if _sound(take):
                return name, take
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        version = None
    newer = isinstance(version, int) and version > VERSION
    why = "was written by a newer assetbuild" if newer else "is damaged"
    hint = "upgrade with `pip install -U assetbuild`" if newer else "the pictures lie beside it: `assetbuild use ID FILE`"
    text = f"the record of what was paid for when the store was full {why}, so nothing was bought: {record}"
    raise UnreadableRecord(text, hint=hint if newer else f"{hint} takes one; then move the record away")


def _sound(take: Take) -> bool:
    names = [take.key, *(blob.digest for blob in take.blobs)]
    return (
        all(isinstance(name, str) and _DIGEST.fullmatch(name) for name in names)
        and all(type(number) is int for number in (take.take, take.key_version))
        and all(value is None or isinstance(value, str) for value in (take.host, take.rejected))
        and (take.cost is None or type(take.cost) is int)
        and isinstance(take.made_at, (int, float))
        and isinstance(take.made_by, str)
        and isinstance(take.notes, dict)
        and isinstance(take.by_hand, bool)
    )
