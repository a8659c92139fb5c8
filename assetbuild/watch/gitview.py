"""What a repository's own files say of where it is: taken at the end of each burst, so that a branch switch, a rebase or a stash is told from an edit. Reads a
few small files; starts no git, writes nothing.

Any change of the index counts, as well one that git makes while it only looks (`git status` may refresh it): a key pressed once too often costs nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from ..files import git_dirs, stamp

_BRANCH = re.compile(r"ref: refs/heads/(.+)")
# What is under way in a repository until somebody ends it.
_UNDER_WAY = {
    "rebase-merge": "a rebase is under way",
    "rebase-apply": "a rebase is under way",
    "MERGE_HEAD": "a merge is under way",
    "CHERRY_PICK_HEAD": "a cherry-pick is under way",
    "REVERT_HEAD": "a revert is under way",
    "BISECT_LOG": "a bisect is under way",
}


class Signature(NamedTuple):
    """`head` is what HEAD says; `staged` (the index), `branch`, `packed` and `stash` change when those files do. `locked`: git writes the index right now;
    `under_way`: the sentence for an operation that isn't finished."""

    head: str
    staged: object
    branch: object
    packed: object
    stash: object
    locked: bool = False
    under_way: str = ""


def dirs(folder: Path) -> tuple[Path, Path] | None:
    """The repository's own folder of this worktree (where HEAD and the index are), and the one that all worktrees share; None outside git."""
    found = git_dirs(folder)
    if found is None:
        return None
    top, common = found
    dot = top / ".git"
    own = re.fullmatch(r"gitdir: (.+)", _text(dot)) if dot.is_file() else None
    return (Path(os.path.normpath(top / own[1])) if own else dot), common


def look(git_dir: Path, common_dir: Path) -> Signature:
    """The signature now. Never raises: what can't be read isn't there."""
    head = _text(git_dir / "HEAD")
    found = re.fullmatch(r"ref: (refs/\S+)", head)
    ref = common_dir / found[1] if found else None
    return Signature(
        head,
        stamp(git_dir / "index"),
        (stamp(ref), _text(ref)) if ref is not None else None,
        (
            stamp(common_dir / "packed-refs"),
            stamp(common_dir / "reftable" / "tables.list"),
            stamp(git_dir / "reftable" / "tables.list"),
        ),
        (_text(common_dir / "refs" / "stash"), stamp(common_dir / "logs" / "refs" / "stash")),
        os.path.lexists(git_dir / "index.lock"),
        next((words for name, words in _UNDER_WAY.items() if os.path.lexists(git_dir / name)), ""),
    )


def moved(before: Signature, now: Signature) -> str:
    """What happened in between, in words; "" if nothing did. An operation under way counts at every look."""
    if before.head != now.head:
        return f"the branch changed ({_name(before.head)} → {_name(now.head)})"
    if now.under_way:
        return now.under_way
    if before.stash != now.stash:
        return "the stash changed"
    if before.branch != now.branch or before.packed != now.packed or before.under_way:
        return f"{_name(now.head)} moved to another commit"
    if before.staged != now.staged:
        return "git changed its index"
    return ""


def _name(head: str) -> str:
    found = _BRANCH.fullmatch(head)
    return found[1] if found else head[:8] or "no branch"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
