"""What the stories of faults share: a small project whose poster meets one, the journal as it stands, what must be true after every story, and
its text made plain. Knows no fault.

A fault stands in a prompt (`[fault:truncated@1-3]`), so that it befalls this picture and no other, however many are bought at once.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from typing import Any, NamedTuple

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import Ran, TestSpace
from tests.hooking import hook
from tests.saying import Story

HEAD = """\
version: 1
project: fika
providers: {apiframe: {requests_per_minute: 60000}}
defaults: {provider: apiframe, model: gpt-image-2, quality: low}
"""
MICRO = 10_000  # micro-USD of a credit


def asset(name: str, prompt: str, *more: str) -> str:
    """One asset of a spec."""
    return "".join(f"  {line}\n" for line in (f"{name}:", *(f"  {one}" for one in more), "  prompt: |", f"    {prompt}"))


def spec(*assets: str, head: str = "") -> str:
    """A spec of these."""
    return HEAD + head + "assets:\n" + "".join(assets)


def three(fault: str) -> str:
    """A poster that meets a fault, an edit of it, and a cup that has nothing to do with either."""
    return spec(
        asset("poster", f"A poster. [fault:{fault}]"),
        asset("poster-de", "Set the headline to Langsam.", "base: poster"),
        asset("cup", "A cup."),
    )


class Row(NamedTuple):
    """A job of the journal. Money in micro-USD, `body` its length."""

    key: str
    asset: str
    take: int
    attempt: int
    state: str
    reserved: int | None
    cost: int | None
    note: str | None
    remote: str | None
    body: int


def journal(space: TestSpace) -> list[Row]:
    """The journal, oldest first."""
    file = space.root / ".assetbuild" / "store" / "store.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
        sql = "SELECT key, asset, take, attempt, state, reserved, cost, note, remote_id, length(body) FROM jobs ORDER BY id"
        return [Row(*row) for row in db.execute(sql)]


def states(space: TestSpace, name: str) -> list[tuple[int, int, str]]:
    """The jobs of one asset: take, attempt, state."""
    return [(row.take, row.attempt, row.state) for row in journal(space) if row.asset == name]


def bills_of(emulator: Emulator, words: str) -> list[dict[str, Any]]:
    """The bills for prompts that begin like this."""
    return [bill for bill in emulator.bills if bill["prompt"].startswith(words)]


def holds(space: TestSpace, emulator: Emulator, *, unseen: int = 0) -> None:
    """What must be true after every story: each bill is in the journal and no more, the books are the vendor's, files are what the lock says, nothing
    open holds a body, no key went astray. `unseen`: bills for requests whose answer never came.
    """
    rows = journal(space)
    known = [row.remote for row in rows if row.remote is not None]
    assert len(known) == len(set(known))
    billed = {bill["job"] for bill in emulator.bills}
    assert set(known) <= billed
    assert len(billed) - len(known) == unseen
    assert len({(row.key, row.take, row.attempt) for row in rows}) == len(rows)
    booked = sum(row.cost if row.cost is not None else row.reserved or 0 for row in rows if row.remote is not None)
    assert booked == emulator.spent * MICRO or unseen, "the books are the vendor's"
    assert all(row.body == 0 for row in rows if row.state not in ("intent", "in_doubt"))
    assert not emulator.leaks
    for line in space.lock().values() if (space.root / "assets.lock").exists() else ():
        for output in line["outputs"]:
            assert hashlib.sha256(space.read(output["path"])).hexdigest() == output["digest"].removeprefix("sha256:"), output


def locked(space: TestSpace) -> set[str]:
    """The ids that the lockfile has a line for."""
    return set(space.lock()) if (space.root / "assets.lock").exists() else set()


# Jobs are looked at soon, not after half a second: what is waited for here is never the vendor's own time.
SOON = """
import assetbuild.polling as _polling
_polling.UNKNOWN, _polling.STEADY = (0.02, 0.1, 0.3), 0.3
"""

# A picture may have a mebibyte, and nobody waits seconds for a CDN that is late.
IMPATIENT = """
import assetbuild.fetching
assetbuild.fetching.LATE = (0.0,)
assetbuild.fetching.fetch.__kwdefaults__["most"] = 1 << 20
"""


class Told(Story):
    """A story whose lines come in whatever order the pictures did: each piece of talk is sorted, and times are made plain."""

    def __init__(self, space: TestSpace, emulator: Emulator, name: str) -> None:
        super().__init__(space, f"money/{name}")
        self.emulator = emulator
        hook(space, SOON)

    def run(self, *args: str, code: int = 0, env: dict[str, str] | None = None, **more: Any) -> Ran:
        """A command of the emulator's client."""
        return super().run(*args, code=code, env={**self.emulator.env(), **(env or {})}, **more)

    def build(self, *args: str, code: int = 0, **env: str) -> Ran:
        """`build --yes`."""
        return self.run("build", "--yes", *args, code=code, env=env)

    def check(self) -> None:
        """Against the golden one."""
        self.told = [_plain(piece) for piece in self.told]
        super().check()


def _plain(piece: str) -> str:
    text = re.sub(r"\(tried \d+ times in \d+ s\)", "(tried <n> times)", piece)
    text = re.sub(r"\b\d+(\.\d)? s\b", "<time>", text)
    text = re.sub(r"`?127\.0\.0\.1(:\d+)?`?", "<loopback>", text)
    text = re.sub(r"cas/[0-9a-f]{2}/", "cas/<hex>/", text)
    command, _, rest = text.partition("\n")
    entries = list(_joined(_entries(rest.splitlines())))
    if command.startswith("$ assetbuild build"):
        groups = groupby(entries, lambda one: re.match(r"\d|\[", one) is None)
        entries = [one for several, some in groups for one in (sorted(some) if several else some)]
    return "\n".join([command, *entries]) + "\n"


_ALIKE = re.compile(r"(waiting|skipped|failed)   (\S+(?:, \S+)*)(  .*)", re.DOTALL)


def _joined(entries: Iterable[str]) -> Iterator[str]:
    """Assets of which the same is told within a moment share a line, and which moment is chance: here they all do."""
    alike: dict[tuple[str, str], set[str]] = {}
    for one in entries:
        if (found := _ALIKE.fullmatch(one)) is not None and "more  " not in one:
            alike.setdefault((found[1], found[3]), set()).update(found[2].split(", "))
        else:
            yield from (f"{word}   {', '.join(sorted(names))}{rest}" for (word, rest), names in alike.items())
            alike.clear()
            yield one
    yield from (f"{word}   {', '.join(sorted(names))}{rest}" for (word, rest), names in alike.items())


def _entries(lines: list[str]) -> Iterator[str]:
    """Lines with those that belong to them."""
    entry: list[str] = []
    for line in lines:
        if entry and not line.startswith(" "):
            yield "\n".join(entry)
            entry = []
        entry.append(line)
    if entry:
        yield "\n".join(entry)
