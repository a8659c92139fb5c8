"""What the proofs about money share: a child that dies at a point of the write order, a moved clock, and the sums that must hold in the end.

A point is something that a kill can divide: a commit that changed rows (named by the functions that changed them), an exchange with the vendor, a
picture that becomes a blob or an output, the lockfile's merge. Points are found by running, not listed: a new step is a new point. Knows no story.
"""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from assetbuild.store.journal import State
from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import Ran, TestSpace

from .hooking import hook

CREDIT = 10_000  # micro-USD
HOURS = 3600.0

# `KILL_AT`: dies there like a kill -9. `FULL_AT`: from there on the store's disk is full. `KILL_TRACE`: a file that gets a line for each point.
# Jobs are looked at soon, not after half a second.
POINTS = r"""
import os
import assetbuild.polling as _polling
_polling.UNKNOWN, _polling.STEADY = (0.02, 0.05, 0.1, 0.2, 0.3), 0.1

def _watch(at, full, trace):
    import collections, contextlib, errno, inspect, re, signal, sqlite3, threading
    import assetbuild.fetching, assetbuild.lockfile, assetbuild.wire
    from assetbuild.files import disk_error
    from assetbuild.store import Store, claims, journal, spending
    from assetbuild.store.cas import Cas
    from assetbuild.store.database import Database

    seen, mutex, inside, refusing = collections.Counter(), threading.Lock(), threading.local(), []

    def point(name):
        with mutex:
            seen[name] += 1
            told = f"{name} #{seen[name]}"
            if trace:
                with open(trace, "a") as file:
                    file.write(told + "\n")
            if told == at:
                os.kill(os.getpid(), signal.SIGKILL)
            if told == full:
                refusing.append(True)
        if refusing and name.startswith("before commit"):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        if refusing and name.startswith("before Cas"):
            raise disk_error(OSError(errno.ENOSPC, "No space left on device"), "the disk")

    def around(holder, function, name):
        real = getattr(holder, function)
        if inspect.iscoroutinefunction(real):
            async def wrapped(*args, **kwargs):
                what = name(*args)
                point("before " + what)
                given = await real(*args, **kwargs)
                point("after " + what)
                return given
        else:
            def wrapped(*args, **kwargs):
                what = name(*args)
                point("before " + what)
                given = real(*args, **kwargs)
                point("after " + what)
                return given
        setattr(holder, function, wrapped)

    def writing(holder, function):
        real = getattr(holder, function)
        def wrapped(*args, **kwargs):
            db = next((one for one in args if hasattr(one, "total_changes")), None)
            before = db.total_changes if db is not None else -1
            given = real(*args, **kwargs)
            if db is not None and db.total_changes != before:
                inside.names.append(function.removesuffix("_all"))
            return given
        setattr(holder, function, wrapped)

    for function, one in vars(journal).copy().items():
        if inspect.isfunction(one) and one.__module__ == journal.__name__ and not function.startswith("_"):
            if next(iter(inspect.signature(one).parameters), "") == "db":
                writing(journal, function)
    writing(spending, "reserve_all")
    writing(Store, "record_in")
    transaction = Database.transaction
    @contextlib.contextmanager
    def named(self, *, durable=True):
        inside.names = names = []
        with transaction(self, durable=durable) as db:
            before = db.total_changes
            yield db
            names = [f"commit of {one}" for one in dict.fromkeys(names)] or ["commit of something else"] * (db.total_changes != before)
            for one in names:
                point("before " + one)
        for one in names:
            point("after " + one)
    Database.transaction = named

    def address(_, request, *rest):
        return f"{request.method} " + re.sub("[0-9a-f]{8}-[0-9a-f-]{27}", "ID", request.url.path)

    around(assetbuild.wire.Wire, "exchange", address)
    around(assetbuild.fetching, "fetch", lambda *_: "fetch")
    around(claims.Claims, "claim_all", lambda *_: "claim")
    around(claims.Claims, "release", lambda *_: "release")
    around(assetbuild.lockfile, "merge", lambda *_: "merge of the lock")
    for function in ("put", "put_file", "adopt", "copy_out"):
        around(Cas, function, lambda *_, name=function: f"Cas.{name}")

_told = [os.environ.get(name) for name in ("KILL_AT", "FULL_AT", "KILL_TRACE")]
if any(_told):
    _watch(*_told)
"""

# `CLOCK_AHEAD`: so many seconds.
CLOCK = """
import os, time
if os.environ.get("CLOCK_AHEAD"):
    _time = time.time
    time.time = lambda: _time() + float(os.environ["CLOCK_AHEAD"])
"""


class Shop:
    """A project, and the vendor that it buys from."""

    def __init__(self, folder: Path, apiframe: Emulator, spec: str) -> None:
        self.space, self.apiframe = TestSpace(folder), apiframe
        hook(self.space, POINTS + CLOCK)
        self.space.write("assets.yaml", spec)
        self.said: list[str] = []
        self.ahead = 0.0

    def env(self, at: str | None = None, **more: str) -> dict[str, str]:
        """A child's environment, which dies `at` a point."""
        died = {"KILL_AT": at} if at is not None else {}
        return {**self.apiframe.env(), "CLOCK_AHEAD": str(self.ahead) if self.ahead else "", **died, **more}

    def run(self, *args: str, at: str | None = None, **more: str) -> Ran:
        """A command to its end; what it says is kept for `clean`."""
        ran = self.space.run(*args, env=self.env(at, **more))
        assert "Traceback" not in ran.text, ran.text
        self.said.append(ran.text)
        return ran

    def build(self, *args: str, code: int = 0, at: str | None = None) -> Ran:
        """`build --yes`, which must end with this exit code."""
        ran = self.run("build", "--yes", *args, at=at)
        assert ran.code == code, f"exit {ran.code}, not {code}\n{ran.text}"
        return ran

    def killed(self, at: str, *args: str) -> None:
        """`build --yes`, which must die there."""
        ran = self.run("build", "--yes", *args, at=at)
        assert ran.code == -9, f"{at} wasn't reached: exit {ran.code}\n{ran.text}"

    def sleep(self, hours: float) -> None:
        """The lid is closed: time goes on here and at the vendor."""
        self.ahead += hours * HOURS
        self.apiframe.advance(hours * HOURS)

    # ── the books ──

    @property
    def store(self) -> Path:
        """Where the store of a project without git is."""
        return self.space.root / ".assetbuild" / "store"

    def jobs(self) -> list[dict[str, Any]]:
        """The journal, oldest first."""
        return rows(self.store, "SELECT * FROM jobs ORDER BY id")

    def states(self) -> list[str]:
        """Of every job, oldest first."""
        return [job["state"] for job in self.jobs()]

    def posts(self) -> int:
        """How often something was sent that can buy."""
        return sum(method == "POST" and "/images/" in path for method, path, _ in self.apiframe.calls)

    def settled(self, takes: int) -> None:
        """Nothing is open or in doubt; each bill is a job of ours, and so many takes came of them all; not a micro-dollar is missing."""
        balanced(self.store, self.apiframe, takes)
        for line in self.space.lock().values():
            for output in line["outputs"]:
                assert (self.space.root / output["path"]).stat().st_size == output["size"], line["id"]
        self.clean()

    def clean(self) -> None:
        """No key and no address of an upload or a result is left in any file or text."""
        no_secrets(self.apiframe, self.space.folder, *self.said)


def rows(store: Path, sql: str) -> list[dict[str, Any]]:
    """Rows of a store's database, by column; none before there is one."""
    if not (store / "store.db").exists():
        return []
    db = sqlite3.connect(store / "store.db")
    try:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql)]
    finally:
        db.close()


def balanced(store: Path, apiframe: Emulator, takes: int) -> None:
    """The journal's and the vendor's books agree, job by job."""
    jobs = rows(store, "SELECT * FROM jobs ORDER BY id")
    assert {job["state"] for job in jobs} == {State.DONE}, [(job["asset"], job["state"], job["note"]) for job in jobs]
    assert sorted(bill["job"] for bill in apiframe.bills) == sorted(job["remote_id"] for job in jobs), "bills that no job knows"
    assert sum(job["count"] for job in jobs) == takes == len(rows(store, "SELECT 1 FROM results"))
    assert sum(job["cost"] for job in jobs) == sum(job["reserved"] for job in jobs) == apiframe.spent * CREDIT
    assert sum(row["cost"] for row in rows(store, "SELECT cost FROM results")) == apiframe.spent * CREDIT
    assert not [job for job in jobs if job["body"]], "a request that wasn't blanked"
    billed = {bill["job"]: bill["images"] for bill in apiframe.bills}
    for job in jobs:
        assert len(json.loads(job["landed"])) == job["images"] == billed[job["remote_id"]], job["asset"]


def no_secrets(apiframe: Emulator, folder: Path, *texts: str) -> None:
    """No key, no header that held one, no address of an upload or a result."""
    words = [apiframe.key, "X-API-Key", apiframe.cdn, *(job.token for job in apiframe.jobs)]
    words += list(apiframe.vendor.uploads)
    secret = re.compile("|".join(map(re.escape, words)).encode(), re.IGNORECASE)
    for file in folder.rglob("*"):
        if file.is_file() and folder / "site" not in file.parents:
            assert not (found := secret.search(file.read_bytes())), f"{found[0]!r} in {file}"
    for text in texts:
        assert not (found := secret.search(text.encode())), f"{found[0]!r} was said"
    assert apiframe.leaks == []
