"""Whose picture a strange file is, if the lockfile of another branch, tag or stash knows it. Asks git; knows lock lines, no spec and no
store.

The work is bounded: one pass over the newest refs, one read of each lockfile that differs, and each of its lines once, however
many files are asked about. Whatever git can't answer is not known.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..files import git_call

MOST_REFS = 1000
MOST_BYTES = 256 << 20  # of lockfiles
SECONDS = 20
_ID = re.compile(rb'\{"id":("(?:[^"\\]|\\.)*")')
_OUTPUT = re.compile(rb'"digest":"([0-9a-f]{64})"')
_SHOWN = (("refs/heads/", "branch "), ("refs/remotes/", "branch "), ("refs/tags/", "tag "), ("refs/stash", "the stash"))


class Branches:
    """The lockfile `lock` (relative to the work tree's top, with `/`) as the refs of the repository at `top` have it; read at the first
    question.
    """

    def __init__(self, top: Path, lock: str) -> None:
        self.top, self.lock = top, lock
        self._known: dict[bytes, tuple[str, str]] | None = None  # digest → id and place
        self._seen: set[int] = set()  # lines, by their hash: branches have most in common

    def whose(self, digest: str) -> str:
        """ "`poster` of branch print", "" if no ref knows these bytes."""
        if self._known is None:
            self._known = {}
            for place, text in self._texts():
                self._learn(place, text)
            self._seen.clear()
        found = self._known.get(bytes.fromhex(digest))
        return f"`{found[0]}` of {found[1]}" if found is not None else ""

    def _learn(self, place: str, text: bytes) -> None:
        assert self._known is not None  # noqa: S101 - made by the caller
        for raw in text.split(b"\n"):
            mark = hash(raw)
            if mark in self._seen:
                continue
            self._seen.add(mark)
            if (head := _ID.match(raw)) is None:
                continue
            outputs = raw[: raw.find(b"]", raw.find(b'"outputs":['))]
            try:
                name = str(json.loads(head[1]))
            except ValueError:
                continue  # damaged there; here it isn't read
            for digest in _OUTPUT.findall(outputs):
                self._known.setdefault(bytes.fromhex(digest.decode()), (name, place))

    def _texts(self) -> Iterator[tuple[str, bytes]]:
        """Each lockfile that differs, once, with the first ref that has it: branches here before those elsewhere, tags and stashes."""
        refs = self._git("for-each-ref", "--sort=-committerdate", f"--count={MOST_REFS}", "--format=%(refname)").decode().split()
        order = [ref for start, _ in _SHOWN for ref in refs if ref.startswith(start) and not ref.endswith("/HEAD")]
        asked = "".join(f"{ref}:{self.lock}\n" for ref in order)
        found: dict[str, str] = {}  # blob → ref
        left = MOST_BYTES
        for ref, answer in zip(order, self._git("cat-file", "--batch-check", text=asked.encode()).splitlines(), strict=False):
            words = answer.decode(errors="replace").split()
            if len(words) == 3 and words[1] == "blob" and words[0] not in found and int(words[2]) <= left:  # noqa: PLR2004 - id, kind, size
                found[words[0]] = ref
                left -= int(words[2])
        out, at = self._git("cat-file", "--batch", text="".join(f"{blob}\n" for blob in found).encode()), 0
        for ref in found.values():
            end = out.find(b"\n", at)
            words = out[at:end].decode(errors="replace").split()
            if len(words) != 3:  # noqa: PLR2004 - as above; a partial clone lacks it, say
                at = end + 1
                continue
            at = end + 1 + int(words[2]) + 1
            yield _shown(ref), out[end + 1 : at - 1]

    def _git(self, *words: str, text: bytes = b"") -> bytes:
        call, environ = git_call(self.top, *words)
        try:
            done = subprocess.run(call, input=text, capture_output=True, env=environ, check=False, timeout=SECONDS)  # noqa: S603 - fixed words
        except (OSError, subprocess.SubprocessError):
            return b""
        return done.stdout if done.returncode == 0 else b""


def _shown(ref: str) -> str:
    return next((word + ref[len(start) :] for start, word in _SHOWN if ref.startswith(start)), ref)
