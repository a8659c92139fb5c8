"""Finds what no project needs any more, and deletes it when told. Knows the store and git; of a lockfile only that it names
digests.

Invariant 7: nothing that a lockfile of any branch, tag, stash, index, worktree or profile of any registered project names is
deleted, nor anything of an open job. What can't be read stops it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..errors import StoreError
from ..files import PRIVATE, git_call, git_dirs, lfs_oid
from . import Store, Take, select_takes
from .rescue import waiting
from .trees import MOVED

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_RAW = re.compile(rb":\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [A-Z]\d*\0([^\0]*)\0")
_HEADER = b'"assetbuild.lock"'


class Garbage(NamedTuple):
    """What nothing needs. `takes`: the results that go, with what they cost; `blobs`: the digests that go, also of inputs and
    replaced files.

    `size` in bytes; `cost` in micro-USD, where known; `leftovers`: temporary files of killed runs.
    """

    takes: tuple[Take, ...]
    blobs: tuple[str, ...]
    size: int
    cost: int
    leftovers: int


def gc(store: Store, *, delete: bool) -> Garbage:
    """What would go, and with `delete` it goes. Raises StoreError if another run uses the store or a registered project can't
    be read.
    """
    # The names are read inside the gate, while nobody else can join: a run that records a picture and then names it in its
    # lockfile would otherwise lose it in between.
    with store.gate():
        if delete and (pids := store.others()):
            raise StoreError(
                f"the store is in use by process {', '.join(map(str, pids))}, so nothing was deleted",
                hint="end that run (a `watch`, perhaps), then try again",
            )
        kept = named(store)
        garbage = _find(store, kept)
        if delete:
            # Rows first, then blobs: a kill in between leaves blobs without a row, which the next gc finds, never a row without
            # its blob.
            with store.transaction() as db:
                for take in garbage.takes:
                    for table in ("results", "result_blobs"):
                        db.execute(f"DELETE FROM {table} WHERE key = ? AND take = ?", (take.key, take.take))  # noqa: S608
            for digest in garbage.blobs:
                store.cas.remove(digest)
            for left in store.cas.leftovers():
                left.unlink(missing_ok=True)
    return garbage


def _find(store: Store, kept: set[str]) -> Garbage:
    with store.reading() as db:
        takes = select_takes(db, "1", [])
    going = tuple(take for take in takes if not any(blob.digest in kept for blob in take.blobs))
    kept = kept | {blob.digest for take in takes if take not in going for blob in take.blobs} if len(going) < len(takes) else kept
    blobs = tuple(digest for digest in store.cas.digests() if digest not in kept)
    size = sum(store.cas.size(digest) or 0 for digest in blobs)
    return Garbage(going, blobs, size, sum(take.cost or 0 for take in going), len(store.cas.leftovers()))


def named(store: Store) -> set[str]:
    """Every digest that anything names: all that look like one in any lockfile, so also those of lines that can't be parsed,
    and in open jobs; and what was made by hand.

    Raises StoreError when a project can't be read.
    """
    texts: list[bytes] = []
    repositories: dict[Path, tuple[Path, set[str]]] = {}
    for project, locks in store.trees().items():
        if MOVED in project:
            raise StoreError(
                f"another project lies at `{project.partition(MOVED)[0]}` now, and the one that was there moved away: can't tell "
                "what that needs, so nothing was deleted",
                hint="run `assetbuild cache stats` in it, wherever it is; if it is gone for good: "
                f"`assetbuild cache gc --forget '{project}'`",
            )
        root = Path(project)
        texts += _working(root, locks)
        if dirs := git_dirs(root):
            repositories.setdefault(dirs[1], (dirs[0], set()))[1].update(Path(lock).name for lock in locks)
    for top, names in repositories.values():
        texts += _Repository(top, names).lockfiles()
    with store.reading() as db:
        for inputs, landed, body in db.execute(
            "SELECT inputs, landed, body FROM jobs WHERE state IN ('intent', 'submitted', 'in_doubt')"
        ):
            texts += [inputs.encode(), landed.encode(), body if isinstance(body, bytes) else str(body).encode()]
        hand_made = (
            "SELECT digest FROM result_blobs JOIN results USING (key, take) WHERE by_hand"  # a person's work is no garbage
        )
        kept = {str(row[0]) for row in db.execute(hand_made)}
    return kept | {found.decode() for text in texts for found in _DIGEST.findall(text)}


def _unreadable(project: Path | str, why: str) -> StoreError:
    return StoreError(
        f"can't tell what `{project}` needs, so nothing was deleted: {why}",
        hint=f"mount or repair it; if it is gone for good: `assetbuild cache gc --forget {project}`",
    )


def _working(root: Path, locks: Iterable[str]) -> list[bytes]:
    """The lockfiles as they lie in a project now, those of its profiles too, and the records of what was laid aside."""
    if not root.is_dir():
        raise _unreadable(root, "the folder isn't there")
    try:
        places = {root / lock for lock in locks} | set(root.glob("*.lock")) | set((root / PRIVATE).glob("*/*.lock"))
        texts = [place.read_bytes() for place in sorted(places) if place.is_file()]
        laid_aside = [record.read_bytes() for record in waiting(root, os.environ)]  # paid for, and not recorded yet
    except OSError as error:
        raise _unreadable(root, f"{error.strerror} ({error.filename})") from error
    if any(lfs_oid(text) for text in texts):
        raise _unreadable(root, "a lockfile is a Git LFS pointer")
    return [text for text in texts if _HEADER in text] + laid_aside


class _Repository:
    """A git repository, asked through `git`."""

    def __init__(self, top: Path, names: set[str]) -> None:
        self.top = top
        self.patterns = ["*.lock", *(f"*{name}" for name in sorted(names))]

    def _git(self, *words: str, at: Path | None = None, text: bytes = b"") -> bytes:
        call, environ = git_call(at or self.top, *words)
        try:
            done = subprocess.run(call, input=text, capture_output=True, env=environ, check=False)  # noqa: S603 - fixed words
        except OSError as error:
            raise _unreadable(self.top, f"`git` can't be started ({error.strerror})") from error
        if done.returncode:
            raise _unreadable(
                self.top, f"`git {words[0]}` says: {done.stderr.decode(errors='replace').strip().splitlines()[-1:]}"
            )
        return done.stdout

    def lockfiles(self) -> list[bytes]:
        """The text of every lockfile that a ref, a stash, an index or a worktree holds."""
        ids: dict[bytes, None] = {}
        worktrees, commits = self._worktrees()
        refs = self._git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        commits += [ref.split()[1] for ref in refs]
        if any(ref.startswith(b"refs/stash ") for ref in refs):
            for line in self._git("log", "-g", "--format=%H %P", "refs/stash", "--").splitlines():
                commits += line.split()  # a stash's parents hold the index and the untracked files
        ids.update(dict.fromkeys(self._in_commits(commits)))
        texts: list[bytes] = []
        for worktree in worktrees:
            if not worktree.is_dir():
                hint = "mount it, or `git worktree prune` if it is gone for good"
                raise StoreError(
                    f"can't tell what the worktree `{worktree}` needs, so nothing was deleted: the folder isn't there", hint=hint
                )
            for entry in self._git("ls-files", "-s", "-z", "--", *self.patterns, at=worktree).split(b"\0"):
                if entry:
                    about, path = entry.split(b"\t", 1)
                    ids[about.split()[1]] = None
                    texts += _working_file(worktree / os.fsdecode(path))
        return texts + self._read(ids)

    def _worktrees(self) -> tuple[list[Path], list[bytes]]:
        folders, heads = [], []
        for entry in self._git("worktree", "list", "--porcelain", "-z").split(b"\0\0"):
            facts = {line.partition(b" ")[0]: line.partition(b" ")[2] for line in entry.split(b"\0") if line}
            if b"HEAD" in facts and facts[b"HEAD"].strip(b"0"):
                heads.append(facts[b"HEAD"])
            if b"worktree" in facts and b"bare" not in facts:
                folders.append(Path(os.fsdecode(facts[b"worktree"])))
        return folders, heads

    def _in_commits(self, commits: list[bytes]) -> list[bytes]:
        """The ids of the lockfiles' blobs in all these commits. Each tree is only compared with the one before, so many like
        refs cost little.
        """
        asked = b"".join(commit + b"^{tree}\n" for commit in dict.fromkeys(commits))
        checked = self._git("cat-file", "--batch-check", text=asked).splitlines()
        trees = sorted({line.split()[0] for line in checked if line.split()[1:2] == [b"tree"]})  # a tag of a blob has no tree
        if not trees:
            return []
        nothing = self._git("hash-object", "-t", "tree", "--stdin").strip()
        pairs = b"".join(before + b" " + after + b"\n" for before, after in zip([nothing, *trees], trees, strict=False))
        found = self._git("diff-tree", "--stdin", "-r", "-z", "--no-commit-id", "--no-renames", "--", *self.patterns, text=pairs)
        return [name for name, _ in _RAW.findall(found) if name.strip(b"0")]

    def _read(self, ids: Iterable[bytes]) -> list[bytes]:
        out, texts, at = self._git("cat-file", "--batch", text=b"".join(name + b"\n" for name in ids)), [], 0
        while at < len(out):
            line = out[at : out.index(b"\n", at)]
            at += len(line) + 1
            if line.endswith(b"missing"):
                raise _unreadable(self.top, "the repository lacks an object of a lockfile (a partial clone?)")
            size = int(line.split()[2])
            texts.append(out[at : at + size])
            at += size + 1
        if any(lfs_oid(text) for text in texts):
            raise _unreadable(self.top, "a lockfile is a Git LFS pointer")
        return [text for text in texts if _HEADER in text]


def _working_file(path: Path) -> list[bytes]:
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return []  # deleted in the worktree, or a submodule
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error
    return [text] if _HEADER in text else []
