"""Accounts, jobs and bills: what was accepted, what it cost, how it ends. Knows time and money; no HTTP, no picture.

A bill is written when a job is accepted, and never taken back: it says what somebody could have been charged for. Credits are given
back when a job ends FAILED or CANCELLED.
"""

from __future__ import annotations

import heapq
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .clock import Clock, stamp
from .faults import Fault
from .shapes import Asked

RETENTION = 24 * 3600  # seconds that results are there, and that an idempotency key is remembered
QUEUED_SHARE = 0.1  # of a job's time

BAD_ENDS = ("FAILED", "CANCELLED")  # nothing is paid for them
_ENDS = {"fail": "FAILED", "refuse": "FAILED", "cancel": "CANCELLED"}


@dataclass(eq=False)
class Account:
    """A key and its team's credits."""

    key: str
    credits: int
    ident: str
    active: bool = True

    @property
    def prefix(self) -> str:
        """What of the key may be shown."""
        return self.key[:8]


@dataclass(eq=False)
class Job:
    """One accepted job. Times by the emulator's clock. `token` is the unguessable part of its pictures' addresses, `mark` what makes
    them unlike any others. `drawn` is False until its pictures can be fetched; `problem` says why they can't be made.
    """

    id: str
    number: int
    account: Account
    asked: Asked
    faults: Mapping[str, Fault]
    idempotency_key: str | None
    at: float
    ends_at: float
    credits: int
    token: str
    mark: str
    pictures: int
    form: str
    drawn: bool = True
    problem: str | None = None

    def status(self, now: float) -> str:
        """QUEUED, PROCESSING, COMPLETED, FAILED or CANCELLED."""
        if now < self.at + QUEUED_SHARE * (self.ends_at - self.at):
            return "QUEUED"
        if now < self.ends_at or "stuck" in self.faults or not self.drawn:
            return "PROCESSING"
        if self.problem is not None:
            return "FAILED"
        return next((end for name, end in _ENDS.items() if name in self.faults), "COMPLETED")

    def progress(self, now: float) -> int:
        """0 to 100."""
        status = self.status(now)
        if status != "PROCESSING":
            return 0 if status == "QUEUED" else 100
        if "stuck" in self.faults:
            return 50
        return min(99, int(100 * (now - self.at) / ((self.ends_at - self.at) or 1)))

    def error(self) -> str:
        """Why it failed, in free text: there is no code."""
        if self.problem is not None:
            return self.problem
        fault = self.faults.get("fail") or self.faults.get("refuse")
        return fault.arg if fault is not None else "Job was cancelled"

    def expired(self, now: float) -> bool:
        """Whether its pictures are gone."""
        return "expired" in self.faults or now >= self.ends_at + RETENTION


class NoMoney(Exception):
    """The account can't pay for it."""

    def __init__(self, needed: int, left: int) -> None:
        super().__init__("insufficient credits")
        self.needed, self.left = needed, left


class OtherBody(Exception):
    """The idempotency key belongs to another request."""


class Ledger:
    """All accounts, jobs and bills of one emulator."""

    def __init__(self, clock: Clock, accounts: list[Account], bills_file: Path | None) -> None:
        self.clock, self._file = clock, bills_file
        self.accounts = {one.key: one for one in accounts}
        self._start = {one.key: one.credits for one in accounts}
        self.reset()

    def reset(self) -> None:
        """As at the start: no jobs, no bills, all credits. The file of bills is left as it is."""
        self.jobs: dict[str, Job] = {}
        self.order: list[Job] = []
        self.bills: list[dict[str, Any]] = []
        self._keys: dict[tuple[str, str], tuple[str, Job]] = {}
        self._running: list[tuple[float, int, Job]] = []
        for key, account in self.accounts.items():
            account.credits = self._start[key]

    @property
    def spent(self) -> int:
        """Credits that all accounts paid, less what they got back by now. Changes nothing: any thread may ask."""
        now = self.clock.now()
        return sum(job.credits for job in tuple(self.order) if job.status(now) not in BAD_ENDS)

    def replayed(self, account: Account, idempotency_key: str, sent: str) -> Job | None:
        """The job that this key already gave, None when there is none (any more). Raises OtherBody. `sent` is a digest of what was
        asked, path included.
        """
        found = self._keys.get((account.key, idempotency_key))
        if found is None or self.clock.now() >= found[1].at + RETENTION:
            return None
        if found[0] != sent:
            raise OtherBody
        return found[1]

    def afford(self, account: Account, asked: Asked) -> None:
        """Raises NoMoney when the account can't pay for it."""
        self.settle()
        if account.credits < asked.credits:
            raise NoMoney(asked.credits, account.credits)

    def accept(
        self,
        account: Account,
        asked: Asked,
        faults: Mapping[str, Fault],
        *,
        idempotency_key: str | None,
        sent: str,
        body: str,
        lasts: float,
        token: str,
        mark: str,
    ) -> Job:
        """A new job, paid for, its bill written (in the file too, and synced, before anybody hears of the job). `body` is the sha256 of
        the body as it came, `lasts` seconds.
        """
        cost = int(float(faults["cost"].arg)) if "cost" in faults else asked.credits
        account.credits = max(0, account.credits - cost)
        now = self.clock.now()
        form = asked.form
        if "wrong-format" in faults:
            form = "png" if asked.form == "webp" else "webp"
        pictures = max(0, asked.images - ("fewer" in faults))
        job = Job(
            str(uuid.uuid4()), len(self.order), account, asked, faults, idempotency_key, now, now + lasts, cost, token, mark, pictures, form
        )  # fmt: skip
        self._bill(job, body)
        self.jobs[job.id] = job
        self.order.append(job)
        if idempotency_key is not None:
            self._keys[account.key, idempotency_key] = (sent, job)
        if "stuck" not in faults:
            heapq.heappush(self._running, (job.ends_at, job.number, job))
        return job

    def _bill(self, job: Job, body: str) -> None:
        bill = {
            "job": job.id,
            "model": job.asked.model.name,
            "prompt": job.asked.prompt,
            "images": job.asked.images,
            "credits": job.credits,
            "key": job.account.prefix,
            "idempotency_key": job.idempotency_key,
            "body": body,
            "at": stamp(job.at),
        }
        if self._file is not None:
            with self._file.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(json.dumps(bill, ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        self.bills.append(bill)

    def settle(self) -> None:
        """Gives back what ended badly by now."""
        now = self.clock.now()
        late = []
        while self._running and self._running[0][0] <= now:
            entry = heapq.heappop(self._running)
            job = entry[2]
            if not job.drawn:
                late.append(entry)
                continue
            if job.status(now) in BAD_ENDS:
                job.account.credits += job.credits
        for entry in late:
            heapq.heappush(self._running, entry)

    # ── what the API tells ──

    def told(self, job: Job, cdn: str, *, whole: bool) -> dict[str, Any]:
        """A job as Apiframe shows it; `whole` with its input, as only GET /v2/jobs/{id} does."""
        now = self.clock.now()
        status = job.status(now)
        done = status in ("COMPLETED", *BAD_ENDS)
        cost: int | None = None
        if done and "no-cost" not in job.faults:
            cost = job.credits if status == "COMPLETED" else 0
        told: dict[str, Any] = {
            "id": job.id,
            "status": status,
            "model": job.asked.model.name,
            "progress": job.progress(now),
            "error": job.error() if status in BAD_ENDS else None,
            "creditCost": cost,
            "webhookStatus": "pending" if job.asked.webhook else None,
            "createdAt": stamp(job.at),
            "completedAt": stamp(job.ends_at) if done else None,
            "expired": status == "COMPLETED" and job.expired(now),
        }
        if status == "COMPLETED":
            told["result"] = result(job, cdn)
        if whole:
            told["input"] = {"prompt": job.asked.prompt, **job.asked.params}
        return told


def result(job: Job, cdn: str) -> Any:  # noqa: ANN401 - the vendor's own schema leaves it open
    """What a finished job gives."""
    ending = {"jpeg": "jpg"}.get(job.form, job.form)
    urls = [f"{cdn}/r/{job.token}/{n}.{ending}" for n in range(job.pictures)]
    if "file-url" in job.faults:
        urls = ["file:///etc/passwd"] * len(urls)
    if "private-url" in job.faults:
        urls = [f"http://10.0.0.1/{job.token}/{n}.{ending}" for n in range(len(urls))]
    if "string-result" in job.faults:
        return urls[0] if urls else ""
    return urls if "list-result" in job.faults else {"images": urls}
