"""The durable record of every job we may owe money for: its table, its states and how they follow one another. Knows sqlite and no
provider; sends nothing, and judges no budget (`spending.py` does, and writes the first row of a job).

An INTENT row is on disk before anything is sent (invariant 3) and is the reservation of its price. A job becomes DONE in the
transaction that records its result (invariant 4). Rows are never deleted: the journal is also the ledger. All functions that write
are called inside `Store.transaction()`, which is durable unless told otherwise; only `ready` and `landed` may be told.
"""

from __future__ import annotations

import enum
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class State(enum.StrEnum):
    """Where a job stands. INTENT and SUBMITTED are open; IN_DOUBT still counts at its reserved price until the provider
    answers.
    """

    INTENT = "intent"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"


SKEW = 300.0  # seconds that a clock may be set right by
OPEN = (State.INTENT, State.SUBMITTED)
ENDED = (State.DONE, State.FAILED, State.REFUSED, State.EXPIRED)

REHEARSAL = "loopback"  # `host` of whatever stands in for a vendor on this machine: its money is none

# Money is integer micro-USD, times are seconds since the epoch, JSON is text. One job buys the takes `take` … `take + count - 1` of
# `key` from `host` (NULL: the vendor's own), which is a ledger of its own: an emulator's attempts are none of the vendor's. `images` is
# how many pictures were asked for, `members` the names of a set, `media` the type that was asked for ("image/png").
# `account` is a few digits of the API key's sha256: under another key a replay may be another purchase. `reserved` NULL: the
# price wasn't known. `credits` is the bill as the vendor said it, in its own unit. `path` and `body` are the request as it was sent; the
# body is emptied when the vendor has accepted it.
# `counted_at` is where budgets place the job in time: `intent_at`, but never before an earlier job's, even when the clock went back.
# `project`, `asset`, `step` (from 1), `tags` and `axes` are as they were at the time, so that the ledger needs nothing but itself.
SCHEMA = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    count INTEGER NOT NULL DEFAULT 1,
    attempt INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'submitted', 'done', 'failed', 'refused', 'expired', 'in_doubt')),
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    host TEXT,
    project TEXT NOT NULL,
    asset TEXT NOT NULL,
    step INTEGER NOT NULL DEFAULT 1,
    tags TEXT NOT NULL DEFAULT '[]',
    axes TEXT NOT NULL DEFAULT '{}',
    run TEXT NOT NULL DEFAULT '',
    account TEXT NOT NULL DEFAULT '',
    idempotency_key TEXT NOT NULL,
    path TEXT NOT NULL DEFAULT '',
    body BLOB NOT NULL,
    inputs TEXT NOT NULL DEFAULT '[]',
    images INTEGER NOT NULL DEFAULT 1,
    members TEXT NOT NULL DEFAULT '[]',
    media TEXT NOT NULL DEFAULT '',
    landed TEXT NOT NULL DEFAULT '{}',
    reserved INTEGER,
    cost INTEGER,
    credits REAL,
    remote_id TEXT,
    note TEXT,
    intent_at REAL NOT NULL,
    counted_at REAL NOT NULL DEFAULT 0,
    submitted_at REAL,
    ready_at REAL,
    ended_at REAL
);
CREATE UNIQUE INDEX jobs_once ON jobs (key, take, attempt, coalesce(host, ''));
CREATE INDEX jobs_state ON jobs (state);
CREATE INDEX jobs_time ON jobs (project, counted_at, host, cost, reserved);
CREATE INDEX jobs_run ON jobs (run, cost, reserved);
CREATE INDEX jobs_model ON jobs (provider, model, ready_at);
"""


class Landed(NamedTuple):
    """One picture of a job that is in the CAS already. `place` counts from 0 in the order of the vendor's answer; `member` is "" unless
    it is a set; `size` in bytes.
    """

    place: int
    member: str
    digest: str
    size: int
    media: str


class Job(NamedTuple):
    """One row: what was asked, where it stands; without the body. `reserved` and `cost` in micro-USD."""

    id: int
    key: str
    take: int
    count: int  # type: ignore[assignment]  # instead of the tuple's own, which nobody asks for
    attempt: int
    key_version: int
    state: State
    provider: str
    model: str
    host: str | None
    project: str
    asset: str
    step: int
    tags: tuple[str, ...]
    axes: Mapping[str, str]
    run: str
    account: str
    idempotency_key: str
    inputs: tuple[str, ...]
    images: int
    members: tuple[str, ...]
    media: str
    landed: tuple[Landed, ...]
    reserved: int | None
    cost: int | None
    credits: float | None
    remote_id: str | None
    note: str | None
    intent_at: float
    submitted_at: float | None
    ready_at: float | None
    ended_at: float | None

    @property
    def takes(self) -> range:
        """The take numbers that it buys."""
        return range(self.take, self.take + self.count)

    @property
    def counts(self) -> int:
        """What a budget counts it as, in micro-USD: the bill if the vendor has said one, else what was reserved, also after it failed."""
        return self.cost if self.cost is not None else self.reserved or 0

    def young(self, window: float | None, now: float) -> bool:
        """Whether the vendor still keeps the request, counted from before the first send. A clock that went back says nothing about how long that is ago."""
        return window is not None and -SKEW <= now - self.intent_at < window

    def replayable(self, window: float | None, now: float, account: str) -> bool:
        """Whether the same request would still give the same job: in time, and under the key that it was sent with (who knows whether the vendor tells
        two keys of one account apart).
        """
        return account == self.account and self.young(window, now)


class Overbilled(NamedTuple):
    """The vendor asked for more than was reserved: booked in full, and the price table is wrong. Both in micro-USD."""

    job: Job
    reserved: int
    cost: int


COUNTS = "coalesce(cost, reserved, 0)"  # `Job.counts` as sqlite says it
_COLUMNS = ", ".join(Job._fields)


def _job(row: Sequence[object]) -> Job:
    job = Job._make(row)
    landed = json.loads(str(job.landed))
    return job._replace(
        state=State(job.state),
        tags=tuple(json.loads(str(job.tags))),
        axes=json.loads(str(job.axes)),
        inputs=tuple(json.loads(str(job.inputs))),
        members=tuple(json.loads(str(job.members))),
        landed=tuple(Landed(int(place), *landed[place]) for place in sorted(landed, key=int)),
    )


def _jobs(db: sqlite3.Connection, where: str, values: Sequence[object] = ()) -> list[Job]:
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE {where}"  # noqa: S608 - our own text
    return [_job(row) for row in db.execute(sql, values)]


# ── what is there ──


def has_open(db: sqlite3.Connection) -> bool:
    """Whether any job is INTENT or SUBMITTED: then there is something to do, whatever the spec says."""
    return db.execute("SELECT 1 FROM jobs WHERE state IN ('intent', 'submitted') LIMIT 1").fetchone() is not None


def open_jobs(db: sqlite3.Connection) -> list[Job]:
    """All INTENT and SUBMITTED jobs, oldest first."""
    return _jobs(db, "state IN ('intent', 'submitted') ORDER BY id")


def owed(db: sqlite3.Connection) -> list[Job]:
    """What may be fetched before a build: open jobs, and those that were given up for another purchase and were accepted all the same."""
    return _jobs(db, "state IN ('intent', 'submitted') OR (state = 'in_doubt' AND remote_id IS NOT NULL) ORDER BY id")


def doubtful(db: sqlite3.Connection) -> list[Job]:
    """All IN_DOUBT jobs, oldest first."""
    return _jobs(db, "state = 'in_doubt' ORDER BY id")


def job_of(db: sqlite3.Connection, ident: int) -> Job:
    """One job as it stands now. Raises KeyError."""
    found = _jobs(db, "id = ?", (ident,))
    if not found:
        raise KeyError(ident)
    return found[0]


def jobs_of(db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, list[Job]]:
    """Every job of these action keys, by key, oldest first; a key without jobs is left out."""
    found: dict[str, list[Job]] = {}
    for some in chunks(dict.fromkeys(keys)):
        for job in _jobs(db, f"key IN ({marks(some)}) ORDER BY id", some):
            found.setdefault(job.key, []).append(job)
    return found


def all_jobs(db: sqlite3.Connection, *, project: str | None = None, since: float | None = None) -> list[Job]:
    """The ledger, oldest first: of one project or of all, from a time on (by `intent_at`) or from the beginning."""
    where, values = ["1"], list[object]()
    if project is not None:
        where, values = [*where, "project = ?"], [*values, project]
    if since is not None:
        where, values = [*where, "intent_at >= ?"], [*values, since]
    return _jobs(db, " AND ".join(where) + " ORDER BY intent_at, id", values)


def payload_of(db: sqlite3.Connection, ident: int) -> tuple[str, bytes]:
    """The request of an INTENT as it was sent, path and body, for a replay or to look for it; the body is b"" once the vendor has
    accepted it. It may hold addresses of uploads: it belongs in no message. Raises KeyError.
    """
    row = db.execute("SELECT path, body FROM jobs WHERE id = ?", (ident,)).fetchone()
    if row is None:
        raise KeyError(ident)
    return str(row[0]), bytes(row[1])


def known_ids(db: sqlite3.Connection, provider: str) -> frozenset[str]:
    """The vendor's ids of all jobs of ours, so that a listed job isn't taken for another one."""
    sql = "SELECT remote_id FROM jobs WHERE provider = ? AND remote_id IS NOT NULL"
    return frozenset(row[0] for row in db.execute(sql, (provider,)))


def intervals(db: sqlite3.Connection, provider: str, model: str, most: int = 50) -> list[float]:
    """How long the model took lately, accepted → seen finished, in seconds, the newest first; at most `most` of them."""
    sql = """SELECT ready_at - submitted_at FROM jobs WHERE provider = ? AND model = ? AND ready_at >= submitted_at
        ORDER BY ready_at DESC LIMIT ?"""
    return [row[0] for row in db.execute(sql, (provider, model, most))]


def overbilled(db: sqlite3.Connection, provider: str, model: str, host: str | None, since: float) -> dict[int, int]:
    """What pictures of this model were expected to cost and did cost, where that was more: micro-USD of one picture, the last bill of each."""
    sql = """SELECT reserved / max(images, 1), cost / max(images, 1) FROM jobs WHERE provider = ? AND model = ? AND host IS ? AND counted_at > ?
        AND state = 'done' AND reserved > 0 AND cost > reserved ORDER BY id"""
    return dict(db.execute(sql, (provider, model, host, since)).fetchall())


# ── how a job goes on ──


# What a run's jobs have to say comes in many at once, and each statement costs a worker thread the interpreter's lock, which the loop's thread needs:
# the functions that end in `_all` take rows of what the others take, each job once, and are few statements for all of them.


def submitted(db: sqlite3.Connection, ident: int, remote_id: str, at: float) -> None:
    """The vendor has accepted it, or one that was in doubt was found there. The body goes: it may hold addresses of uploads.

    Saying it twice is nothing new. Raises ValueError when the job has ended, or was accepted under another id.
    """
    submitted_all(db, [(ident, remote_id, at)])


def submitted_all(db: sqlite3.Connection, told: Sequence[tuple[int, str, float]]) -> list[None]:
    """`submitted` of many jobs."""
    sets = """state = 'submitted', remote_id = (SELECT b FROM told WHERE a = id), submitted_at = (SELECT c FROM told WHERE a = id),
        body = x'', note = NULL, ended_at = NULL"""
    if _change(db, told, sets, (State.INTENT, State.IN_DOUBT)) < len(told):
        for ident, remote_id, _ in told:
            row = db.execute("SELECT state, remote_id FROM jobs WHERE id = ?", (ident,)).fetchone()
            if row != (State.SUBMITTED, remote_id):
                raise _cannot(ident, row and row[0], State.SUBMITTED)
    return [None] * len(told)


def ready(db: sqlite3.Connection, ident: int, at: float, credits: float | None, images: int = 0) -> None:
    """The vendor says that it is finished, what it asks for it in its own unit, and how many pictures there are: of no set there may be more
    than were asked for. Only the first time is kept. Needn't be durable: it is asked again.
    """
    ready_all(db, [(ident, at, credits, images)])


def ready_all(db: sqlite3.Connection, told: Sequence[tuple[int, float, float | None, int]]) -> list[None]:
    """`ready` of many jobs."""
    sets = """ready_at = coalesce(ready_at, (SELECT b FROM told WHERE a = id)), credits = coalesce((SELECT c FROM told WHERE a = id), credits),
        images = CASE WHEN members = '[]' THEN max(images, (SELECT d FROM told WHERE a = id)) ELSE images END"""
    _change(db, told, sets, (State.SUBMITTED,))
    return [None] * len(told)


def landed(db: sqlite3.Connection, ident: int, picture: Landed) -> None:
    """One of its pictures is in the CAS now, so that it needn't be fetched again, and `cache gc` leaves it. Raises KeyError."""
    landed_all(db, [(ident, picture)])


def landed_all(db: sqlite3.Connection, told: Sequence[tuple[int, Landed]]) -> list[None]:
    """`landed` of many pictures, also of one job."""
    by_job: dict[int, dict[str, object]] = {}
    for ident, picture in told:
        by_job.setdefault(ident, {})[str(int(picture.place))] = picture[1:]
    rows = [(ident, _json(pictures)) for ident, pictures in by_job.items()]
    if _change(db, rows, "landed = json_patch(landed, (SELECT b FROM told WHERE a = id))", tuple(State)) < len(rows):
        raise KeyError(*by_job)
    return [None] * len(told)


class Ended(NamedTuple):
    """What `done` takes."""

    id: int
    cost: int | None
    at: float
    credits: float | None = None
    note: str | None = None


def done(
    db: sqlite3.Connection, ident: int, cost: int | None, at: float, *, credits: float | None = None, note: str | None = None
) -> Overbilled | None:
    """Its pictures are recorded in this very transaction. `cost` in micro-USD, None when the vendor doesn't say: then it counts as reserved.
    Raises ValueError when it has ended before.
    """
    return done_all(db, [Ended(ident, cost, at, credits, note)])[0]


def done_all(db: sqlite3.Connection, told: Sequence[Ended]) -> list[Overbilled | None]:
    """`done` of many jobs; nothing has changed when it raises."""
    there: dict[int, tuple[str, int | None]] = {}
    for some in chunks([one.id for one in told]):
        for ident, state, reserved in db.execute(f"SELECT id, state, reserved FROM jobs WHERE id IN ({marks(some)})", some):  # noqa: S608
            there[ident] = state, reserved
    for one in told:
        state, _ = there.get(one.id, (None, None))
        if state not in (State.INTENT, State.SUBMITTED, State.IN_DOUBT):
            raise _cannot(one.id, state, State.DONE)
    sets = """state = 'done', cost = (SELECT b FROM told WHERE a = id), ended_at = (SELECT c FROM told WHERE a = id),
        credits = coalesce((SELECT d FROM told WHERE a = id), credits), note = (SELECT e FROM told WHERE a = id), body = x''"""
    _change(db, told, sets, tuple(State))
    return [_overbilled(db, one.id, there[one.id][1], one.cost) for one in told]


def failed(
    db: sqlite3.Connection, ident: int, note: str, cost: int | None, at: float, *, credits: float | None = None
) -> Overbilled | None:
    """It ended without a picture. `cost` 0 when it is certain that nothing was accepted, None when nobody knows: then it counts as reserved.
    Raises ValueError when it has ended before.
    """
    return _end(db, ident, (State.INTENT, State.SUBMITTED, State.IN_DOUBT), State.FAILED, note, cost, credits, at)


def refused(
    db: sqlite3.Connection, ident: int, note: str, cost: int | None, at: float, *, credits: float | None = None
) -> Overbilled | None:
    """Moderation refused it: final for its key. Otherwise as `failed`."""
    return _end(db, ident, (State.INTENT, State.SUBMITTED, State.IN_DOUBT), State.REFUSED, note, cost, credits, at)


def expired(
    db: sqlite3.Connection, ident: int, note: str, cost: int | None, at: float, *, credits: float | None = None
) -> Overbilled | None:
    """It was made, and the vendor has deleted it before we fetched it. Otherwise as `failed`."""
    return _end(db, ident, (State.SUBMITTED, State.IN_DOUBT), State.EXPIRED, note, cost, credits, at)


def in_doubt(db: sqlite3.Connection, ident: int, note: str, at: float) -> None:
    """Nobody knows whether it was accepted, or the vendor knows it no more. It counts as reserved until somebody knows better. The body
    stays: what is looked for later is recognised by it. Raises ValueError when it has ended.
    """
    _step(db, ident, (State.INTENT, State.SUBMITTED, State.IN_DOUBT), state=State.IN_DOUBT, note=note, ended_at=at)


def settle(db: sqlite3.Connection, key: str, take: int, cost: int | None, at: float) -> None:
    """The answer to an INTENT had come and was laid aside while the store took nothing; it is recorded in this transaction."""
    for job in _jobs(db, "key = ? AND state IN ('intent', 'in_doubt') AND take <= ? ORDER BY id", (key, take)):
        if take in job.takes:
            done(db, job.id, cost, at)


def _end(
    db: sqlite3.Connection,
    ident: int,
    before: tuple[State, ...],
    state: State,
    note: str | None,
    cost: int | None,
    credits: float | None,
    at: float,
) -> Overbilled | None:
    fields = {} if credits is None else {"credits": credits}
    _step(db, ident, before, state=state, note=note, cost=cost, ended_at=at, body=b"", **fields)
    reserved = db.execute("SELECT reserved FROM jobs WHERE id = ?", (ident,)).fetchone()[0]
    return _overbilled(db, ident, reserved, cost)


def _overbilled(db: sqlite3.Connection, ident: int, reserved: int | None, cost: int | None) -> Overbilled | None:
    return None if reserved is None or cost is None or cost <= reserved else Overbilled(job_of(db, ident), reserved, cost)


def _step(db: sqlite3.Connection, ident: int, before: tuple[State, ...], *, state: State, **fields: object) -> None:
    """Change a row that stands where it must; else somebody else was here first, and nothing is changed."""
    sets = ", ".join(f"{name} = ?" for name in ("state", *fields))
    sql = f"UPDATE jobs SET {sets} WHERE id = ? AND state IN ({marks(before)})"  # noqa: S608 - our own column names
    if db.execute(sql, (state, *fields.values(), ident, *before)).rowcount != 1:
        row = db.execute("SELECT state FROM jobs WHERE id = ?", (ident,)).fetchone()
        raise _cannot(ident, row and row[0], state)


def _change(db: sqlite3.Connection, told: Sequence[tuple[object, ...]], sets: str, before: Sequence[State]) -> int:
    """Change rows that stand where they must, each with its own values, which `sets` knows as the table `told`: a is the id, then b, c, d, e. Gives how many
    were changed.
    """
    begun = db.total_changes  # a statement that begins with WITH has no `rowcount` in Python
    for some in chunks(told, 50):
        table = f"told({', '.join('abcde'[: len(some[0])])}) AS (VALUES {values_of(some)})"
        sql = f"WITH {table} UPDATE jobs SET {sets} WHERE id IN (SELECT a FROM told) AND state IN ({marks(before)})"  # noqa: S608 - our own text
        db.execute(sql, (*chain.from_iterable(some), *before))
    return db.total_changes - begun


def _cannot(ident: int, state: str | None, wanted: State) -> ValueError:
    return ValueError(f"job {ident} is {state or 'unknown'} and can't become {wanted}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def insert_all(db: sqlite3.Connection, rows: Sequence[Mapping[str, object]]) -> list[int]:
    """Add jobs' first rows, all with the same fields; gives their ids. JSON fields as values. Only `spending.reserve_all` calls it, after it has looked at
    the caps.
    """
    ids: list[int] = []
    for some in chunks(rows, 20):
        each = [
            tuple(_json(v) if name in ("tags", "axes", "inputs", "members") else v for name, v in row.items()) for row in some
        ]
        sql = f"INSERT INTO jobs ({', '.join(some[0])}) VALUES {values_of(each)}"  # noqa: S608 - our own column names
        last = db.execute(sql, [*chain.from_iterable(each)]).lastrowid
        assert last is not None  # noqa: S101 - an INSERT has one
        ids += range(last - len(some) + 1, last + 1)  # in one statement they follow each other
    return ids


def chunks(values: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """Pieces small enough for one statement's parameters."""
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield piece


def values_of(rows: Sequence[Sequence[object]]) -> str:
    """`(?, ?), (?, ?)`: what VALUES gets."""
    return ", ".join([f"({marks(rows[0])})"] * len(rows))


def marks(values: Sequence[object]) -> str:
    """`?, ?, ?` for an IN list."""
    return ", ".join("?" * len(values))
