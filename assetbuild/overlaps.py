"""Outputs that can't be what the spec takes them for: two that are one file on this disk, one that is also an input, one where a pipe or a
folder stands. Knows paths, links and inodes; reads no file's bytes and decides nothing.

What the spec says alone is checked in `spec/`; this is the part that only the disk knows, looked at before any work.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from .errors import Problem
from .spec.model import Asset, FileInput, files_of

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)


class Overlaps:
    """The outputs of all `assets` on the disk below `root`. `locked` gives the digest that the lockfile has for an output, if any."""

    def __init__(self, root: Path, assets: Sequence[Asset], locked: Callable[[Asset, int], str | None]) -> None:
        self.root, self.assets, self._locked = str(root), assets, locked
        self._above = os.path.join(self.root, "")
        self._folders: dict[str, str] = {}  # as written → as it is after links

    def problems(self, chosen: Iterable[Asset]) -> Iterator[Problem]:
        """What is wrong with the outputs and inputs of these assets, one problem a pair. Raises OSError only for a disk that can't be read."""
        several: set[str] = set()  # outputs that have other names too
        inputs: dict[str, Asset] = {}
        above, lstat = self._above, os.lstat
        for asset in chosen:
            for path in files_of(asset):
                try:
                    found = lstat(above + path)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                if stat.S_ISREG(found.st_mode):
                    if found.st_nlink > 1:
                        several.add(path)
                    continue
                if stat.S_ISLNK(found.st_mode):
                    several.add(path)
                if (problem := self._odd(asset, path)) is not None:
                    yield problem
            for step in asset.steps:
                for one in step.inputs:
                    if type(one.source) is FileInput:
                        inputs.setdefault(one.source.path, asset)
        yield from self._linked_folders()
        if several:
            yield from self._one_file(several)
        yield from self._inputs(inputs)

    def _odd(self, asset: Asset, path: str) -> Problem | None:
        found = self._stat(path, os.stat)
        kind = next((word for is_it, word in _KINDS if found is not None and is_it(found.st_mode)), None)
        if kind is None:
            return None
        text = f"{path}, where the picture of `{asset.id}` belongs, is {kind}"
        return self._problem(asset, text, f"move the {kind.split()[-1]} away, or give `{asset.id}` another `output`")

    def _linked_folders(self) -> Iterator[Problem]:
        """Two outputs that are one, since a folder on the way is a link to another."""
        folders = {path.rpartition("/")[0] for asset in self.assets for path in files_of(asset)}
        if all(self._real(folder) == os.path.join(self._real(""), folder).rstrip("/") for folder in folders):
            return
        first: dict[str, tuple[Asset, str]] = {}
        for asset in self.assets:
            for path in files_of(asset):
                other, there = first.setdefault(self._real_path(path), (asset, path))
                if there != path:
                    linked = next(p for p in (path, there) if self._real_path(p) != os.path.join(self._real(""), p))
                    folder = linked.rpartition("/")[0]
                    text = (
                        f"{path} is one file with {there}, the picture of `{other.id}`: the folder {folder} leads there by a link"
                    )
                    yield self._problem(asset, text, f"give `{asset.id}` another `output`, or make {folder} a folder of its own")

    def _one_file(self, several: set[str]) -> Iterator[Problem]:
        """Two outputs that are one file by a link, also a hard one: a save in one of them is a save in the other."""
        first: dict[tuple[int, int], tuple[Asset, int]] = {}
        for asset in self.assets:
            for number, path in enumerate(files_of(asset)):
                found = self._stat(path, os.stat)
                if found is None:
                    continue
                other, place = first.setdefault((found.st_dev, found.st_ino), (asset, number))
                there = files_of(other)[place]
                if there == path or not {path, there} & several or self._real_path(path) == self._real_path(there):
                    continue
                link = next((p for p in (path, there) if os.path.islink(os.path.join(self.root, p))), None)
                digest = self._locked(asset, number)
                if link is None and digest is not None and digest == self._locked(other, place):
                    continue  # one picture that two assets have, joined to save room: a new one comes as a file of its own
                whose = f"{there}, the picture of `{other.id}`"
                text = f"{path} is one file with {whose}: {there} is a link" if link == there else f"{path} is a link to {whose}"
                if link is None:
                    text = f"{path} is a hard link to {whose}"
                yield self._problem(asset, text, f"remove {link or path}: the next build puts a file of its own there")

    def _inputs(self, inputs: dict[str, Asset]) -> Iterator[Problem]:
        """A file of the user's that is an output, by a link: the spec would have to name the asset, so that it is made first."""
        linked: dict[str, Asset] = {}
        hard: dict[tuple[int, int], str] = {}
        for path, asset in inputs.items():
            found = self._stat(path, os.lstat)
            if found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
                hard[found.st_dev, found.st_ino] = path
            whole = os.path.normpath(os.path.join(self._real(""), path))
            if (found is not None and stat.S_ISLNK(found.st_mode)) or self._real(path.rpartition("/")[0]) != os.path.dirname(
                whole
            ):
                linked[path] = asset
        if not linked and not hard:
            return
        outputs: dict[str, tuple[Asset, str]] = {}
        for asset in self.assets:
            for path in files_of(asset):
                outputs.setdefault(os.path.realpath(os.path.join(self.root, path)), (asset, path))
        for path, asset in linked.items():
            real = os.path.realpath(os.path.join(self.root, path))
            if real in outputs:
                yield self._is_output(asset, path, *outputs[real], "a link")
        for other, there in outputs.values() if hard else ():
            found = self._stat(there, os.stat)
            file = hard.pop((found.st_dev, found.st_ino), None) if found is not None else None
            if file is not None and file not in linked:
                yield self._is_output(inputs[file], file, other, there, "a hard link")

    def _is_output(self, asset: Asset, path: str, other: Asset, there: str, how: str) -> Problem:
        text = f"the file {path}, from which `{asset.id}` is made, is {how} to {there}, the picture of `{other.id}`"
        return self._problem(asset, text, f"name the asset in its place: `{other.id}`")

    def _problem(self, asset: Asset, text: str, hint: str) -> Problem:
        place = asset.place
        try:
            with open(os.path.join(self.root, place.file), encoding="utf-8-sig", errors="replace") as file:
                source = next((line for number, line in enumerate(file, 1) if number == place.line), None)
        except OSError:
            source = None
        return Problem(text, place, source, hint)

    def _stat(self, path: str, how: Callable[[str], os.stat_result]) -> os.stat_result | None:
        try:
            return how(self._above + path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _real(self, folder: str) -> str:
        """Where a folder of the project is after links."""
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = os.path.realpath(os.path.join(self.root, folder))
        return found

    def _real_path(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        return os.path.join(self._real(folder), name)
