"""What the stories of losses do to a child's Python at its start, as `CRASH_AT` does it, where a story needs a moment that nobody can hit
by hand: a save right before a file is replaced, a disk that fills up. Knows no story.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace
from tests.saying import Story, plain
from tests.test_losses_bytes import gated
from tests.test_scenarios import png, wait_for

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes as POSIX has them")


def hook(space: TestSpace, code: str) -> None:
    """Python that each child of this space runs at its start."""
    with open(space.folder / "site" / "sitecustomize.py", "a", encoding="utf-8") as file:
        file.write(code)


# Somebody saves a file at an output when everything has been looked at and only the name is still to change hands.
LAST_MOMENT = """
import assetbuild.files
_become = assetbuild.files.Temp.become
def _saved_meanwhile(self, target, *args, **kwargs):
    import os, shutil
    if str(target).endswith({path!r}) and os.path.exists({picture!r}):
        if {how!r} == "atomic":
            os.replace({picture!r}, target)
        else:
            with open({picture!r}, "rb") as new, open(target, "wb") as old:
                shutil.copyfileobj(new, old)
            os.unlink({picture!r})
    return _become(self, target, *args, **kwargs)
assetbuild.files.Temp.become = _saved_meanwhile
"""


def save_at_the_last_moment(space: TestSpace, path: str, how: str = "atomic") -> bytes:
    """The picture that a person saves there, right before it is replaced; once."""
    picture = png()
    waiting = space.folder / "just saved.png"
    waiting.write_bytes(picture)
    hook(space, LAST_MOMENT.format(path=path, picture=str(waiting), how=how))
    return picture


# From the moment that a file `full` is there, the CAS refuses pictures as a full disk does, and so do the tree and the record, if it names them.
FULL = """
import assetbuild.store.cas, assetbuild.files, assetbuild.store, errno, os
def _refusing(module, name, word):
    real = getattr(module, name)
    def call(*args, **kwargs):
        if os.path.exists({full!r}) and word in open({full!r}).read().split():
            raise OSError(errno.ENOSPC, "No space left on device", "the disk")
        return real(*args, **kwargs)
    setattr(module, name, call)
_refusing(assetbuild.store.cas, "Temp", "cas")
_refusing(assetbuild.store.cas, "temp_for", "cas")
def _tree(name, folder_of):
    real = getattr(assetbuild.files, name)
    def call(path, *args, **kwargs):
        folder = folder_of(path)
        words = open({full!r}).read().split() if os.path.exists({full!r}) else []
        if ("temporary" if "assetbuild-rescued" in str(folder) else "tree") in words and "cas" not in folder.parts:
            raise OSError(errno.ENOSPC, "No space left on device", str(folder))
        return real(path, *args, **kwargs)
    setattr(assetbuild.files, name, call)
_tree("make_folders", lambda folder: folder)
_tree("temp_for", lambda target: target.parent)
os.environ["TMPDIR"] = {temporary!r}
_real = assetbuild.store.insert_takes
def _record(db, takes):
    if os.path.exists({full!r}) and "record" in open({full!r}).read():
        import sqlite3
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error
    return _real(db, takes)
assetbuild.store.insert_takes = _record
"""


def fills_up(space: TestSpace, spec: str, what: str, *words: str, jobs: int = 4) -> str:
    """Builds, and while the pictures with these words are bought the disk fills up. Gives what was said."""
    full = space.folder / "full"
    hook(space, FULL.format(full=str(full), temporary=str(space.folder)))
    space.write("assets.yaml", spec)
    go_on = gated(space, *words)
    child = space.start("build", "-j", str(jobs))
    wait_for(lambda: len(space.bills) == len(words))
    full.write_text(what)
    for word in words:
        go_on(word)
    _, err = child.communicate(timeout=60)
    full.unlink()
    assert child.returncode == 1, err
    assert "Traceback" not in err
    return err


def rescued(space: TestSpace) -> list[Path]:
    """The pictures that found a place outside of the store."""
    return sorted(p for p in (space.root / ".assetbuild/rescued").glob("*") if p.suffix != ".json")


def told(space: TestSpace, name: str, **said: str) -> None:
    """What was said in each case, held to a golden file."""
    tale = Story(space, name)
    for case, text in said.items():
        tale.note(case.replace("_", " "))
        tale.told.append(re.sub(r"cas/[0-9a-f]{2}/", "cas/<hex>/", plain(text, space)))
    tale.check()


def shared(space: TestSpace) -> dict[str, str]:
    """The environment of a store that several projects share."""
    return {"ASSETBUILD_STORE": str(space.folder / "shared-store")}
