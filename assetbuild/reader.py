"""How the spec room sees the disk: reads files below one boundary, after symlinks. It knows folders and links; it knows nothing
of what is in a file.

The boundary is the top level of the git work tree around the project (found by its `.git`, no git is run), or the project without
git.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import MutableMapping

MOST = 64 * 1024 * 1024  # bytes of one file


class DiskReader:
    """Reads for the project in the folder `root`. Implements `spec.model.Reader`: its paths are relative to `root`, with `/`."""

    def __init__(self, root: str, sizes: MutableMapping[str, list[int]] | None = None) -> None:
        """`sizes` remembers pixel sizes of pictures by their stat, so that 2,000 photos aren't opened at each run."""
        self.sizes = sizes
        self.root = os.path.abspath(root)
        self.boundary = git_top(self.root) or os.path.realpath(self.root)
        self._folders: dict[str, str] = {}

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises FileNotFoundError, IsADirectoryError, PermissionError, OSError; ValueError outside the
        boundary; OverflowError above 64 MiB."""
        with open(self._inside(path), "rb", opener=_no_wait) as file:
            mode = os.fstat(file.fileno())
            if stat.S_ISDIR(mode.st_mode):
                raise IsADirectoryError(path)
            if not stat.S_ISREG(mode.st_mode):
                raise PermissionError(f"{path} is no plain file")
            if mode.st_size > MOST:
                raise OverflowError(path)
            found = file.read(MOST + 1)
        if len(found) > MOST:  # it grew while we read
            raise OverflowError(path)
        return found

    def exists(self, path: str) -> bool:
        """Whether a file is there (a symlink to a file counts). Raises ValueError outside the boundary."""
        try:
            return stat.S_ISREG(os.stat(self._inside(path)).st_mode)
        except OSError:
            return False

    def glob(self, pattern: str) -> tuple[list[str], list[str]]:
        """The files that match, sorted, and the folders whose listings were looked at. `*` and `?` stay in one folder, `**`
        doesn't; names that start with a dot match only a pattern that does. Raises ValueError outside the boundary."""
        looked: set[str] = set()
        found: set[str] = set()
        pieces = [piece for piece in pattern.split("/") if piece not in ("", ".")]
        seen: set[tuple[str, int]] = set()
        todo = [("", 0)]
        while todo:
            folder, place = todo.pop()
            if (folder, place) in seen or place >= len(pieces):
                continue
            seen.add((folder, place))
            piece, last = pieces[place], place == len(pieces) - 1
            if not any(c in piece for c in "*?["):
                path = _join(folder, piece)
                if not last:
                    todo.append((path, place + 1))
                elif self.exists(path):
                    found.add(path)
                continue
            looked.add(folder or ".")
            names = self._names(folder)
            if piece == "**":
                todo.append((folder, place + 1))
                todo += [
                    (_join(folder, name), place) for name, is_folder, link in names if is_folder and not link and name[:1] != "."
                ]
                if last:
                    found |= {_join(folder, name) for name, is_folder, _ in names if not is_folder and name[:1] != "."}
                continue
            try:
                match = re.compile(_translate(piece)).fullmatch
            except re.error:  # `[z-a]` matches nothing
                continue
            for name, is_folder, _ in names:
                if match(name) is None or (name[:1] == "." and piece[:1] != "."):
                    continue
                if is_folder and not last:
                    todo.append((_join(folder, name), place + 1))
                elif last and not is_folder:
                    found.add(_join(folder, name))
        return sorted(found), sorted(looked)

    def font_families(self, path: str) -> tuple[str, ...]:
        """The families of the faces in a font file, () when it isn't there or is none."""
        from .providers.local.fonts import families  # fontTools; only where a text is set

        try:
            return families(self.read(path))
        except (OSError, ValueError, OverflowError):
            return ()

    def picture_size(self, path: str) -> tuple[int, int] | None:
        """Width and height in pixels as they are shown (after EXIF rotation), None when it isn't there or is no picture."""
        try:
            stats = os.stat(self._inside(path))
        except (OSError, ValueError):
            return None
        stamp = f"{stats.st_size} {stats.st_mtime_ns} {stats.st_ctime_ns} {stats.st_ino} {path}"
        if self.sizes is not None and stamp in self.sizes:
            width, height = self.sizes[stamp]
            return width, height
        found = self._measure(path)
        if found is not None and self.sizes is not None:
            self.sizes[stamp] = list(found)
        return found

    def _measure(self, path: str) -> tuple[int, int] | None:
        from PIL import Image  # 40 ms

        try:
            with Image.open(self._inside(path)) as picture:
                width, height = picture.size
                turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        return (height, width) if turned else (width, height)

    def _names(self, folder: str) -> list[tuple[str, bool, bool]]:
        """Name, is it a folder, is it a link, of each entry; [] for a folder that can't be listed."""
        try:
            with os.scandir(self._inside(folder or ".")) as entries:
                return [(entry.name, entry.is_dir(), entry.is_symlink()) for entry in entries]
        except OSError:
            return []

    def _inside(self, path: str) -> str:
        """The real path on disk. Raises ValueError when it lies outside the boundary after symlinks, or can be no path."""
        if "\0" in path or path[:1] in ("/", "\\") or re.match(r"[A-Za-z]:", path):
            raise ValueError(path)
        folder, name = os.path.split(os.path.join(self.root, path))
        if name in ("", ".", ".."):
            folder, name = os.path.join(folder, name), ""
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = os.path.realpath(folder)
        whole = os.path.join(real, name) if name else real
        if name and os.path.islink(whole):
            whole = os.path.realpath(whole)
        if whole != self.boundary and not whole.startswith(self.boundary.rstrip(os.sep) + os.sep):
            raise ValueError(path)
        return whole


def git_top(folder: str) -> str | None:
    """The top level of the git work tree that holds a folder, after symlinks; None outside git."""
    here = os.path.realpath(folder)
    while True:
        if os.path.lexists(os.path.join(here, ".git")):
            return here
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def _no_wait(path: str, flags: int) -> int:
    """Opens without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _translate(piece: str) -> str:
    """One segment of a pattern as a regular expression."""
    out, place = "", 0
    while place < len(piece):
        char = piece[place]
        close = piece.find("]", place + 2) if char == "[" else -1
        if char == "*":
            out += ".*"
        elif char == "?":
            out += "."
        elif close > 0:
            inner = piece[place + 1 : close].replace("\\", r"\\").replace("[", r"\[")
            out += "[" + ("^" + inner[1:] if inner[:1] in "!^" else inner) + "]"
            place = close
        else:
            out += re.escape(char)
        place += 1
    return "(?s:" + out + ")"
