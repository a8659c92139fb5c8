"""What is known of an action key and of bytes, wherever it is written down: takes in the store and in lock lines, jobs in the journal, where a picture
can be had without paying. Decides nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from .lockfile import Line, Lock
from .plan import JobFacts, StoreFacts, TakeFacts
from .project import Project
from .spec.model import Step
from .store.journal import OPEN, Job, State, jobs_of

Pairs = tuple[tuple[str, str], ...]  # (member, digest)


class _Held(NamedTuple):
    """A take that a lock line names."""

    id: str
    take: int
    pairs: Pairs
    by_hand: bool = False
    rejected: str | None = None
    host: str | None = None


def _held(line: Line) -> _Held:
    return _Held(line.id, line.take, pairs_of(line), line.by_hand, line.rejected, line.host)


class Known:
    """For one state of the lockfile; own lines that aren't merged yet are told to it (`learned`)."""

    def __init__(self, project: Project, lock: Lock) -> None:
        self.project, self.lock = project, lock

    def takes(self, step: Step, key: str | None) -> list[TakeFacts]:
        """The recorded takes of a key: the store's results, and what lock lines name (DESIGN §3 row 8)."""
        if key is None:
            return []
        found: dict[tuple[str, ...], TakeFacts] = {}
        store = self.project.look_store()
        if store is not None:
            for take in store.takes(key):
                if take.by_hand or take.host != self.host(step.provider):
                    continue  # a person's, for one asset: `use` and its lock line know it; or an emulator's, which passes for no bought one
                if flaw := take.notes.get("flaw"):
                    here = tuple(b.digest for b in take.blobs)
                    found[here] = TakeFacts(take.take, here, all(map(self.at_hand, here)), take.rejected, flaw=str(flaw))
                    continue
                placed = by_member([(b.member, b.digest) for b in take.blobs], step.members)
                digests = tuple(d for d in placed if d is not None)
                if len(digests) != len(placed):
                    continue
                found[digests] = TakeFacts(take.take, digests, all(self.at_hand(d) for d in digests), take.rejected)
        for name, take_there, pairs, by_hand, rejected, host in self._by_key.get(key, ()):
            if host != self.host(step.provider):
                continue
            placed = by_member(pairs, step.members)
            digests = tuple(d for d in placed if d is not None)
            if rejected is not None and (known := found.get(digests)) is not None and known.rejected is None:
                found[digests] = known._replace(rejected=rejected)  # by somebody who has another store
            if digests in found or len(digests) != len(placed) or (by_hand and name in self.project.assets):
                continue
            taken = {t.take for t in found.values()}  # two machines counted apart
            number_of_take = max(taken) + 1 if take_there in taken else take_there
            found[digests] = TakeFacts(number_of_take, digests, all(self.at_hand(d) for d in digests), rejected, by_hand)
        return list(found.values())

    @cached_property
    def _by_key(self) -> dict[str, list[_Held]]:
        found: dict[str, list[_Held]] = {}
        for name, line in self.lock.lines.items():
            found.setdefault(line.key, []).append(_held(line))
            for step in line.steps:
                digests = tuple(("", d) for d in step.digests)
                found.setdefault(step.key, []).append(_Held(name, step.take, digests, host=line.host))
        return found

    @cached_property
    def _by_digest(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}  # digest → (id, path) of all lock lines
        for name, line in self.lock.lines.items():
            for output in line.outputs:
                found.setdefault(output.digest, []).append((name, output.path))
        return found

    def learned(self, line: Line) -> None:
        """A lock line is new: it counts from now on."""
        self.lock.lines[line.id] = line
        if "_by_digest" in self.__dict__:
            for output in line.outputs:
                self._by_digest.setdefault(output.digest, []).append((line.id, output.path))
        if "_by_key" in self.__dict__:
            self._by_key.setdefault(line.key, []).append(_held(line))

    def at_hand(self, digest: str) -> bool:
        """Whether these bytes can be had without paying: in the store, or in a file that a lock line names."""
        store = self.project.look_store()
        if store is not None and store.cas.has(digest):
            return True
        return self.file_with(digest) is not None

    def file_with(self, digest: str) -> str | None:
        """A file in the project that a lock line names for this digest and that has it."""
        for _, path in self._by_digest.get(digest, ()):
            found = self.project.digests.look(path)
            if found is not None and found.digest == digest and not found.pointer:
                return path
        return None

    def last_job(self, key: str, provider: str) -> Job | None:
        """The latest job of a key at the host that this project talks to."""
        host = self.host(provider)
        return next((job for job in reversed(self.jobs(key)) if job.host == host), None)

    def jobs(self, key: str) -> list[Job]:
        """Every job of a key, oldest first, whatever host it was sent to."""
        store = self.project.look_store()
        if store is None:
            return []
        with store.reading() as db:
            return jobs_of(db, [key]).get(key, [])

    def host(self, provider: str) -> str | None:
        """With which address results of a provider are recorded now; None is the vendor's own."""
        return None if self.project.table.free(provider) else self.project.settings(provider).host

    def with_jobs(self, key: str, provider: str, facts: StoreFacts) -> StoreFacts:
        """What became of the last job of this key: it may go on elsewhere, it may have been refused."""
        host = self.host(provider)
        jobs = [job for job in self.jobs(key) if job.host == host]
        if not jobs:
            return facts
        last, facts = jobs[-1], facts._replace(paid=sum(job.count for job in jobs if job.state is State.DONE))
        if last.state in OPEN or last.state is State.IN_DOUBT:
            module = self.project.provider(provider)
            waits = last.state is State.INTENT
            young = last.replayable(module.replay_window, self.project.env.now(), self.project.settings(provider).account)
            job = JobFacts(last.state.name, waits and young, waits and hasattr(module, "find"))
            return facts._replace(job=job)
        return facts._replace(
            refused=last.note or "" if last.state is State.REFUSED else None,
            expired=last.note or "" if last.state is State.EXPIRED else None,
        )

    def whose(self, name: str, digest: str) -> str:
        """Whose picture these bytes are, by the lock lines of other ids than `name`; "" when nobody's."""
        for other, _ in self._by_digest.get(digest, ()):
            if other != name:
                return f"the picture of `{other}`"
        return ""


def by_member(pairs: Sequence[tuple[str, str]], members: Sequence[str]) -> tuple[str | None, ...]:
    """The digests of a set in the order of its members of now. A member that kept its name keeps its picture; those with new names get
    the pictures whose names are gone, in their order, and None when there are no more.
    """
    if not members:
        return tuple(digest for _, digest in pairs)
    named = dict(pairs)
    left = iter([digest for member, digest in pairs if member not in members])
    return tuple(named[member] if member in named else next(left, None) for member in members)


def pairs_of(line: Line) -> Pairs:
    """Member and digest of each picture of a lock line."""
    return tuple((o.member, o.digest) for o in line.outputs)
