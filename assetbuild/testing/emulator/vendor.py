"""Everything the emulated vendor is and remembers: its time, accounts, jobs, uploads, pictures, faults, and who came by. Knows no HTTP.

Comps are drawn in two worker threads, from the moment a job is accepted; it isn't COMPLETED before they are there. Other pictures are
made when they are fetched.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import AssetbuildError, UsageError
from . import pictures
from .clock import Clock
from .faults import Faults
from .ledger import Account, Job, Ledger
from .shapes import Asked

UPLOADS_LIVE = 3600  # seconds; the vendor says "about 1-2 h"
_DRAWERS = 2


class Options(NamedTuple):
    """How an emulator is to be. `latency` are the least and the most seconds a job takes; `keys` each an account of its own with
    `credits`; `bills` a file that gets a line for each accepted job.
    """

    latency: tuple[float, float]
    faults: tuple[str, ...]
    credits: int
    seed: int | None
    bills: Path | None
    keys: tuple[str, ...]
    inactive: tuple[str, ...]
    pictures: str
    deterministic: bool


class Upload(NamedTuple):
    """A file that was uploaded. `expires_at` by the emulator's clock."""

    id: str
    token: str
    digest: str
    path: Path
    kind: str
    media: str
    size: int
    expires_at: float


class Vendor:
    """One emulated Apiframe. `cdn` is the address of its pictures, known once it listens; `told` hears of each bill."""

    def __init__(self, options: Options, told: Callable[[dict[str, Any]], None] | None = None) -> None:
        if options.pictures not in pictures.KINDS:
            raise UsageError(
                f"the emulator has no pictures `{options.pictures}`", hint="it has " + ", ".join(f"`{k}`" for k in pictures.KINDS)
            )
        self.options, self._told = options, told
        self.clock = Clock()
        self.cdn = ""
        self.url = ""
        self._chance = random.Random(options.seed)  # noqa: S311 - times and faults, no secret
        self.faults = Faults(options.faults, random.Random(options.seed))  # noqa: S311
        # Without a seed no two runs give the same picture; with one, the same run does.
        self._nonce = secrets.token_hex(8) if options.seed is None else str(options.seed)
        self._taken = 0
        accounts = [_account(key, options.credits, active=True) for key in options.keys]
        accounts += [_account(key, options.credits, active=False) for key in options.inactive]
        self.ledger = Ledger(self.clock, accounts, options.bills)
        self.uploads: dict[str, Upload] = {}
        self.results: dict[str, Job] = {}
        self.calls: list[tuple[str, str, int]] = []
        self.leaks: list[dict[str, str]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="emulator-"))
        self._drawers = ThreadPoolExecutor(_DRAWERS, thread_name_prefix="drawer")

    def close(self) -> None:
        """Lets go of its threads and files."""
        self._drawers.shutdown(cancel_futures=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self) -> None:
        """As new: no jobs, bills, uploads, leaks, calls; all credits; the faults of the start. Its time goes on."""
        self.ledger.reset()
        self.faults = Faults(self.options.faults, self._chance)
        for kept in (self.uploads, self.results, self.calls, self.leaks):
            kept.clear()

    # ── uploads ──

    def keep(self, content: bytes, kind: str, media: str, *, lives: float = UPLOADS_LIVE) -> Upload:
        """A file that was sent; equal ones are kept once."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / f"{digest}.{media.partition('/')[2]}"
        if not path.exists():
            path.write_bytes(content)
        upload = Upload(
            str(uuid.uuid4()), secrets.token_urlsafe(24), digest, path, kind, media, len(content), self.clock.now() + lives
        )
        self.uploads[upload.token] = upload
        return upload

    def input(self, field: str, url: str) -> pictures.Input | None:
        """The picture at an address, None when it isn't there (any more), or isn't ours: the emulator fetches nothing."""
        if not url.startswith(f"{self.cdn}/"):
            return None
        kind, _, rest = url.removeprefix(f"{self.cdn}/").partition("/")
        token = rest.partition("/")[0].partition(".")[0]
        if kind == "u" and token in self.uploads:
            upload = self.uploads[token]
            return pictures.Input(field, upload.digest, upload.path) if self.clock.now() < upload.expires_at else None
        if kind == "r" and token in self.results:
            found = self.fetched(token, rest.partition("/")[2])
            if found is None:
                return None
            digest = hashlib.sha256(found[0]).hexdigest()
            path = self.folder / f"{digest}.{found[1]}"
            path.write_bytes(found[0])
            return pictures.Input(field, digest, path)
        return None

    # ── jobs ──

    def submit(self, account: Account, asked: Asked, *, idempotency_key: str | None, sent: str, body: str) -> Job:
        """A new job, accepted and paid for. Raises NoMoney."""
        self.ledger.afford(account, asked)  # a fault is for jobs: one that isn't accepted isn't counted
        struck = {one.name: one for one in self.faults.at("job", "job", asked.prompt)}
        found = [self.input(field, url) for field, url in asked.inputs]
        inputs = [one for one in found if one is not None]
        self._taken += 1
        mark = self._mark(asked, inputs)
        low, high = self.options.latency
        job = self.ledger.accept(
            account,
            asked,
            struck,
            idempotency_key=idempotency_key,
            sent=sent,
            body=body,
            lasts=self._chance.uniform(low, high),
            token=secrets.token_urlsafe(24),
            mark=mark,
        )
        self.results[job.token] = job
        if len(inputs) < len(asked.inputs):
            job.problem = "Provider returned an error: could not fetch an input image"
        elif self.options.pictures == "comps" and job.pictures and not {"fail", "refuse", "cancel", "stuck"} & struck.keys():
            job.drawn = False
            self._drawers.submit(self._draw, job, inputs)
        if self._told is not None:
            self._told(self.ledger.bills[-1])
        return job

    def _mark(self, asked: Asked, inputs: list[pictures.Input]) -> str:
        """What the pictures of a job follow from: everything asked (inputs by their bytes), and, but where it is to be deterministic,
        which job this is.
        """
        urls = {url for _, url in asked.inputs}
        params = {name: value for name, value in asked.params.items() if not (isinstance(value, str) and value in urls)}
        params = {name: value for name, value in params.items() if not (isinstance(value, list) and urls.issuperset(value))}
        parts: list[object] = [asked.model.name, asked.prompt, params, [(one.field, one.digest) for one in inputs]]
        if not self.options.deterministic:
            parts += [self._nonce, self._taken]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _marks(self, job: Job) -> list[str]:
        return [hashlib.sha256(f"{job.mark} {n}".encode()).hexdigest()[:32] for n in range(job.pictures)]

    def _draw(self, job: Job, inputs: list[pictures.Input]) -> None:
        """In a worker thread: the job's comps, into files."""
        try:
            for n, data in enumerate(pictures.comp(job.asked, job.form, self._marks(job), inputs)):
                (self.folder / f"{job.token}-{n}").write_bytes(data)
        except AssetbuildError as problem:
            job.problem = f"Provider returned an error: {problem}"
        except Exception as problem:  # a bug of the drawing must not leave a job that never ends
            job.problem = f"Provider returned an error: {type(problem).__name__}: {problem}"
        job.drawn = True

    def job_of(self, account: Account, ident: str) -> Job | None:
        """A job of this account."""
        job = self.ledger.jobs.get(ident)
        return job if job is not None and job.account is account and "lost" not in job.faults else None

    # ── what is fetched ──

    def fetched(self, token: str, name: str) -> tuple[bytes, str] | None:
        """The bytes and the format of a job's picture (`0.png`); None when there is none, or it is gone."""
        job, now = self.results.get(token), self.clock.now()
        number = name.partition(".")[0]
        if job is None or job.status(now) != "COMPLETED" or job.expired(now):
            return None
        if not number.isascii() or not number.isdigit() or int(number) >= job.pictures:
            return None
        if self.options.pictures == "comps":
            return (self.folder / f"{token}-{int(number)}").read_bytes(), job.form
        return pictures.picture(self.options.pictures, job.asked, job.form, self._marks(job)[int(number)]), job.form


def _account(key: str, credits: int, *, active: bool) -> Account:
    return Account(key, credits, str(uuid.uuid5(uuid.NAMESPACE_OID, key)), active)
