"""What a watch follows: which files and folders, and which paths concern it. Pure; paths are absolute texts, and no disk is asked.

Never a whole tree: only the folders in which a followed file lies, or whose listing a pattern of the spec depends on.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path
from typing import NamedTuple

from .outlook import Follow

# What editors put beside a file while they save it; renamed onto a followed name it is heard as that name.
_PASSING = re.compile(r"4913|\..*\.sw[a-p]x?|.*~|\.#.*|#.*#|.*___jb_(tmp|old)___|\.goutputstream-.*|.*\.tmp(\.\d+)*|\.DS_Store")


class Following(NamedTuple):
    """`files` and `globs` (folders whose listing matters) are absolute paths, as are `ours`, the files that we write ourselves. `git` are the folders of the
    repository itself."""

    root: str
    files: frozenset[str]
    globs: frozenset[str]
    ours: frozenset[str]
    folders: frozenset[str]
    above: frozenset[str]
    git: tuple[str, ...] = ()

    @classmethod
    def of(cls, root: Path, spec: str, follow: Follow, git: tuple[Path, Path] | None) -> Following:
        """What belongs to a spec. `git` are the repository's own folder and the one that its worktrees share."""
        top = str(root)

        def full(path: str) -> str:
            return os.path.normpath(os.path.join(top, path))

        lock = [full(follow.lock)] if follow.lock else []
        files = frozenset([full(spec), *lock, *map(full, follow.files), *map(full, follow.pictures)])
        globs = frozenset(map(full, follow.globs))
        folders = frozenset(os.path.dirname(path) for path in files) | globs
        above: set[str] = set()
        for each in folders:
            folder, inside = each, each.startswith(os.path.join(top, ""))
            while folder not in above:
                above.add(folder)
                if not inside or folder == top:
                    break  # what lies outside of the project is followed in its own folder only
                folder = os.path.dirname(folder)
        return cls(top, files, globs, frozenset(map(full, follow.outputs)), folders, frozenset(above), _git_folders(git))

    def concerns(self, path: str) -> bool:
        """Whether a change of this path may change the plan: a followed file, there or not; a folder above one; a new name in a folder whose listing
        matters."""
        if path in self.files or path in self.above:
            return True
        folder, name = os.path.split(path)
        return folder in self.globs and path not in self.ours and _PASSING.fullmatch(name) is None

    def of_git(self, path: str) -> bool:
        """Whether this is one of the repository's own files."""
        return os.path.dirname(path) in self.git or path in self.git


def _git_folders(git: tuple[Path, Path] | None) -> tuple[str, ...]:
    """Where a repository says that it is at another place now: HEAD, index and its lock; refs of branches; the stash."""
    if git is None:
        return ()
    own, common = map(str, git)
    return tuple(dict.fromkeys([own, common, os.path.join(common, "refs"), os.path.join(common, "refs", "heads")]))
