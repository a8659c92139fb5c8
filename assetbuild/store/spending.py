"""What may be spent, and the one place where money is set aside: a job's first row is written in the transaction that has looked at
every cap. Knows the journal's rows; knows no price table, no provider, no spec beyond its budget, and sends nothing.

Money is integer micro-USD. A job counts with its bill if the vendor has said one, else with what was reserved: open, in doubt or
failed, nothing but the vendor's word frees it. One of unknown price counts 0 until it is billed. `per_day` is any 24 hours, `per_month`
any 30 days, of one project in this store; `per_run`, `--max-cost` and consent are one process's. What an emulator on this machine bills
is no money: it has windows of its own, so that a rehearsal neither eats a budget nor gets out of one.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..spec.model import Budget
from .journal import COUNTS, ENDED, OPEN, REHEARSAL, Job, State, insert_all, jobs_of

PER_RUN = 5_000_000  # of a spec that says nothing: 5.00 USD
DAY = 24 * 3600.0
MONTH = 30 * DAY
MOMENT = 60.0  # seconds within which many are looked at as of one time


class Caps(NamedTuple):
    """Limits in micro-USD, None where there is none. `consent` is the "at most" that somebody said yes to: it binds what has a known price.
    `unpriced`: whether something of unknown price may be bought at all.
    """

    per_run: int | None = PER_RUN
    max_cost: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    consent: int | None = None
    unpriced: bool = False


class Spent(NamedTuple):
    """What counts, in micro-USD: in this run, of it what had a known price, in the last 24 hours, in the last 30 days."""

    run: int = 0
    priced: int = 0
    day: int = 0
    month: int = 0

    def plus(self, cost: int) -> Spent:
        """After one more purchase of known price."""
        return Spent(self.run + cost, self.priced + cost, self.day + cost, self.month + cost)


class Wish(NamedTuple):
    """A purchase before it is made; see the journal's table. `reserved` is its price in micro-USD, None when it isn't known; `at` is now,
    seconds since the epoch; `run` is the same for all purchases of one process.
    """

    key: str
    take: int
    key_version: int
    provider: str
    model: str
    project: str
    asset: str
    path: str
    body: bytes
    reserved: int | None
    run: str
    at: float
    count: int = 1  # type: ignore[assignment]  # instead of the tuple's own, which nobody asks for
    images: int = 1
    host: str | None = None
    step: int = 1
    tags: tuple[str, ...] = ()
    axes: Mapping[str, str] = {}
    inputs: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    media: str = ""
    account: str = ""


class Reserved(NamedTuple):
    """It may be sent, once, under this idempotency key. `job` is its row."""

    id: int
    idempotency_key: str
    job: Job


class Over(NamedTuple):
    """It doesn't fit. `cap` is "per_run", "--max-cost", "per_day", "per_month", "consent"; money in micro-USD. `needed` None: the price
    isn't known, and nothing is left.
    """

    cap: str
    limit: int
    spent: int
    needed: int | None


class Unpriced(NamedTuple):
    """Its price isn't known, and there is a limit that somebody states: `by` is "--max-cost" or "budget"."""

    by: str


class Standing(NamedTuple):
    """Nothing new is bought: this job of the same key is open, or it is in doubt and buys the same take."""

    job: Job


Answer = Reserved | Over | Unpriced | Standing


class Tally(NamedTuple):
    """What one run has bought. `spent` in micro-USD: the bills, or what was set aside where the vendor didn't say; `credits` as the vendor billed
    them. `going` are purchases that aren't settled (still being made, or in doubt), `reserved` what is set aside for them. `unknown` counts those of
    either kind of which no price is known: they are in no sum. `rehearsal`: an emulator's, so that it is no money.
    """

    purchases: int = 0
    spent: int = 0
    credits: float = 0.0
    going: int = 0
    reserved: int = 0
    unknown: int = 0
    rehearsal: bool = False


def tally(db: sqlite3.Connection, run: str) -> Tally:
    """Of one run; what was never accepted is no purchase."""
    rows = db.execute(
        f"""SELECT state IN ('done', 'failed', 'refused', 'expired') AS ended, count(*), sum({COUNTS}), sum(coalesce(credits, 0)),
        sum(cost IS NULL AND reserved IS NULL), max(host IS '{REHEARSAL}')
        FROM jobs WHERE run = ? AND NOT (state IN ('failed', 'refused') AND cost IS 0) GROUP BY ended""",  # noqa: S608 - our own text
        (run,),
    ).fetchall()
    by_end = {bool(row[0]): row[1:] for row in rows}
    done, going = by_end.get(True, (0, 0, 0.0, 0, 0)), by_end.get(False, (0, 0, 0.0, 0, 0))
    return Tally(done[0] + going[0], done[1], float(done[2]), going[0], going[1], done[3] + going[3], bool(done[4] or going[4]))


def caps(budget: Budget, *, max_cost: int | None = None, consent: int | None = None) -> Caps:
    """The caps of a run: the spec's budget, `--max-cost`, and the "at most" that was agreed to. Something of unknown price may be bought
    only where neither the spec nor the command line states a limit.
    """
    stated = budget != Budget() or max_cost is not None
    per_run = PER_RUN if budget.per_run is None else budget.per_run
    return Caps(per_run, max_cost, budget.per_day, budget.per_month, consent, unpriced=not stated)


def over(limits: Caps, spent: Spent, needed: int | None) -> Over | Unpriced | None:
    """The first cap that a purchase would break, if any: the plan and the reservation ask the same question."""
    if needed is None and not limits.unpriced:
        return Unpriced("budget" if limits.max_cost is None else "--max-cost")
    for cap, limit, used in (
        ("--max-cost", limits.max_cost, spent.run),
        ("per_run", limits.per_run, spent.run),
        ("consent", limits.consent if needed is not None else None, spent.priced),
        ("per_day", limits.per_day, spent.day),
        ("per_month", limits.per_month, spent.month),
    ):
        # What has no known price may take the last micro-dollar, never one that isn't there.
        if limit is not None and used + (1 if needed is None else needed) > limit:
            return Over(cap, limit, used, needed)
    return None


def spent(db: sqlite3.Connection, *, project: str, run: str, now: float, host: str | None = None) -> Spent:
    """What counts now for a purchase from `host`. A job exactly 24 hours old doesn't count for the day any more; one that a wrong clock put
    into the future does.
    """
    in_run = f"""SELECT coalesce(sum({COUNTS}), 0) AS whole, coalesce(sum(CASE WHEN reserved IS NULL THEN 0 ELSE {COUNTS} END), 0) AS priced
        FROM jobs WHERE run = ?"""  # noqa: S608 - our own text
    lately = f"""SELECT coalesce(sum({COUNTS}), 0) AS month, coalesce(sum(CASE WHEN counted_at > ? THEN {COUNTS} ELSE 0 END), 0) AS day
        FROM jobs WHERE project = ? AND counted_at > ? AND (host IS '{REHEARSAL}') = ?"""  # noqa: S608
    values = (run, now - DAY, project, now - MONTH, host == REHEARSAL)
    row = db.execute(f"SELECT whole, priced, day, month FROM ({in_run}), ({lately})", values).fetchone()  # noqa: S608
    return Spent(*map(int, row))


def reserve(db: sqlite3.Connection, wish: Wish, limits: Caps) -> Answer:
    """`reserve_all` of one."""
    return reserve_all(db, [wish], limits)[0]


def reserve_all(db: sqlite3.Connection, wishes: Sequence[Wish], limits: Caps) -> list[Answer]:
    """Set the money aside and write down what is about to be sent, or say why not; for that wish nothing has changed then. First come, first served.

    To be called inside a durable `Store.transaction()`, which is one `BEGIN IMMEDIATE`: of many processes, one at a time looks and writes.
    A kill before the commit leaves nothing, and nothing was sent; after it the row counts until the vendor has answered.
    """
    if not db.in_transaction:
        raise ValueError("the caps and the reservation belong in one transaction")
    first = wishes[0]
    purse = [(wish.project, wish.run, wish.host) for wish in wishes]
    times = [wish.at for wish in wishes]
    steady = times == sorted(times) and times[-1] - times[0] < MOMENT  # else a clock was set meanwhile
    # What isn't alike counts for each other in ways of its own.
    if len(wishes) > 1 and (len({wish.key for wish in wishes}) < len(wishes) or len(set(purse)) > 1 or not steady):
        return [answer for wish in wishes for answer in reserve_all(db, [wish], limits)]
    before = jobs_of(db, [wish.key for wish in wishes])
    now = _later(db, first)
    used = spent(db, project=first.project, run=first.run, now=now, host=first.host)
    answers: list[Answer | None] = []
    rows: list[dict[str, object]] = []
    for wish in wishes:
        jobs = before.get(wish.key, [])
        now = max(now, wish.at)
        no = _standing(wish, jobs) or over(limits, used, wish.reserved)
        answers.append(no)
        if no is not None:
            continue
        used = used.plus(wish.reserved or 0)
        attempt = sum(job.host == wish.host and job.take == wish.take and job.state in ENDED for job in jobs)
        fields = wish._asdict()
        at = fields.pop("at")
        name = idempotency_key(wish.key, wish.take, attempt, wish.count)
        rows.append(
            fields | {"state": State.INTENT, "attempt": attempt, "idempotency_key": name, "intent_at": at, "counted_at": now}
        )
    got = iter(zip(insert_all(db, rows), rows, strict=True))
    return [_reserved(*next(got)) if answer is None else answer for answer in answers]


def _standing(wish: Wish, jobs: Sequence[Job]) -> Standing | None:
    for job in jobs:
        shared = job.take < wish.take + wish.count and wish.take < job.take + job.count
        if job.host == wish.host and (job.state in OPEN or (job.state is State.IN_DOUBT and shared)):
            return Standing(job)
    return None


def _reserved(ident: int, fields: Mapping[str, object]) -> Reserved:
    told = {field: fields.get(field) for field in Job._fields}
    job = Job(**told | {"id": ident, "landed": ()})  # type: ignore[arg-type]
    return Reserved(ident, job.idempotency_key, job)


def idempotency_key(key: str, take: int, attempt: int, count: int) -> str:
    """By which the vendor recognises the same purchase: sha256, hex. A job that ended gets another one, and so does another take."""
    return hashlib.sha256(f"{key} {take} {attempt} {count}".encode()).hexdigest()


def _later(db: sqlite3.Connection, wish: Wish) -> float:
    """Now, but never before the project's last purchase: a clock that goes back must not open a new day. One that was more than a month
    ahead was plainly wrong and holds nobody up (what was bought then counts all the same).
    """
    sql = "SELECT max(counted_at) FROM jobs WHERE project = ? AND counted_at <= ?"
    last = db.execute(sql, (wish.project, wish.at + MONTH)).fetchone()[0]
    return wish.at if last is None else max(wish.at, float(last))
