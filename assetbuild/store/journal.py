"""The durable record of every job we may owe money for: its table, its states, and what is open. Knows sqlite and no provider;
sends nothing.

An INTENT row is on disk before anything is sent (invariant 3) and is the reservation of its price. A job becomes DONE in the
transaction that records its result (invariant 4). Rows are never deleted: the journal is also the ledger.
"""

from __future__ import annotations

import enum
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple


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


OPEN = (State.INTENT, State.SUBMITTED)

# Money is integer micro-USD, times are seconds since the epoch, JSON is text. `landed` maps member to digest, as blobs arrive.
SCHEMA = """
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    take INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    key_version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'submitted', 'done', 'failed', 'refused', 'expired', 'in_doubt')),
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    host TEXT,
    project TEXT NOT NULL,
    asset TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body BLOB NOT NULL,
    inputs TEXT NOT NULL DEFAULT '[]',
    landed TEXT NOT NULL DEFAULT '{}',
    reserved INTEGER NOT NULL,
    cost INTEGER,
    remote_id TEXT,
    note TEXT,
    intent_at REAL NOT NULL,
    sent_at REAL,
    submitted_at REAL,
    ended_at REAL,
    UNIQUE (key, take, attempt)
);
CREATE INDEX jobs_open ON jobs (state) WHERE state IN ('intent', 'submitted');
CREATE INDEX jobs_time ON jobs (intent_at);
"""


class Job(NamedTuple):
    """One row: what was asked, where it stands. `reserved` and `cost` in micro-USD; `sent_at` is the first send."""

    id: int
    key: str
    take: int
    attempt: int
    state: State
    provider: str
    model: str
    host: str | None
    project: str
    asset: str
    idempotency_key: str
    reserved: int
    cost: int | None
    remote_id: str | None
    note: str | None
    intent_at: float
    sent_at: float | None


_COLUMNS = ", ".join(Job._fields)


def _job(row: Sequence[object]) -> Job:
    job = Job._make(row)
    return job._replace(state=State(job.state))


def has_open(db: sqlite3.Connection) -> bool:
    """Whether any job is INTENT or SUBMITTED: then there is something to do, whatever the spec says."""
    return db.execute("SELECT 1 FROM jobs WHERE state IN ('intent', 'submitted') LIMIT 1").fetchone() is not None


def open_jobs(db: sqlite3.Connection) -> list[Job]:
    """All INTENT and SUBMITTED jobs, oldest first."""
    sql = f"SELECT {_COLUMNS} FROM jobs WHERE state IN ('intent', 'submitted') ORDER BY id"  # noqa: S608 - our own column names
    return [_job(row) for row in db.execute(sql)]


def jobs_of(db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, list[Job]]:
    """Every job of these action keys, by key, oldest first; a key without jobs is left out."""
    found: dict[str, list[Job]] = {}
    for some in chunks(keys):
        sql = f"SELECT {_COLUMNS} FROM jobs WHERE key IN ({marks(some)}) ORDER BY id"  # noqa: S608 - our own column names
        for row in db.execute(sql, some):
            job = _job(row)
            found.setdefault(job.key, []).append(job)
    return found


def chunks(values: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """Pieces small enough for one statement's parameters."""
    rest = iter(values)
    while piece := list(islice(rest, size)):
        yield piece


def marks(values: Sequence[object]) -> str:
    """`?, ?, ?` for an IN list."""
    return ", ".join("?" * len(values))
