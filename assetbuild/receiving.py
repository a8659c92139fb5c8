"""Receives what a vendor makes of a job that it has accepted: poll → ready → fetch, each picture journaled as it lands → DONE with its result. Every arrow
is a place to be killed at; whoever comes next goes on from what the journal says. Sends nothing that can buy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .arriving import plain, takes_of
from .desk import ASK, Desk
from .digest import sha256
from .errors import AssetbuildError, StoreError
from .placing import Ledger
from .polling import learned, waits
from .pricing import bill, usd
from .project import Project
from .providers.base import Done, Image, Kind, Pending, ProviderError, Ready
from .retrying import FREELY, POLL_PATIENCE, rest
from .store import Blob, Take, Written, journal
from .store.journal import Job, Landed, Overbilled

if TYPE_CHECKING:
    from .wire import Wire

Where = Callable[[Sequence[Take]], Sequence[Written]]  # what takes are going to be put where
T = TypeVar("T")
W = TypeVar("W")
LATE = (0.3, 0.7, 1.5)  # seconds between looks at a job that is done and lacks pictures
FETCHES = 3  # tries for a picture that comes damaged
KEPT = 24 * 3600.0  # seconds after which a picture that isn't at its address is taken for deleted


class Wait(AssetbuildError):
    """It needs a person's word. `text` and `hint` are for the asset."""

    exit_code = 5


class GoesOn(Exception):
    """The run ends and the vendor goes on: the next one fetches it."""


class Unkept(Exception):
    """The pictures are here and the store takes them not. `images` are their bytes by digest, as far as the store lacks them."""

    def __init__(self, why: StoreError, takes: Sequence[Take], images: dict[str, bytes]) -> None:
        super().__init__(why.text)
        self.why, self.takes, self.images = why, takes, images


class Bought(NamedTuple):
    """What came, as it is recorded: takes in order, and what is wrong with them ("paid, 3 of 4 came"), "" when nothing is. `cost` in micro-USD, None
    when the vendor didn't say. `noted` are the rows that say where they will lie, recorded with them.
    """

    takes: tuple[Take, ...]
    flaw: str = ""
    cost: int | None = None
    noted: tuple[Written, ...] = ()


def nothing() -> None:
    """For who needn't hear of it."""


def nowhere(_: Sequence[Take]) -> tuple[Written, ...]:
    """For who doesn't know yet where they will lie."""
    return ()


class Books:
    """The store, as a purchase writes to it and asks it; never on the loop's thread."""

    def __init__(self, project: Project, ledger: Ledger) -> None:
        self.project, self.ledger = project, ledger

    @property
    def patience(self) -> float:
        """Seconds that one job is waited for."""
        return self.project.env.patience

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.project.env.now()

    async def write(self, act: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        """Carries this out in a durable transaction: `act(db, *args)`."""
        return await self.ledger.write(lambda db, _: [act(db, *args)], None, durable=True)

    async def tell(self, act: Callable[[Any, list[W]], Sequence[T]], wish: W) -> T:
        """The same for what many say at once: `act(db, wishes)`."""
        return await self.ledger.write(act, wish, durable=True)

    async def in_store(self, ask: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        """What the store answers: `ask(db, *args)`."""

        def asked() -> Any:  # noqa: ANN401
            with self.project.store.reading() as db:
                return ask(db, *args)

        return await self.in_files(asked)

    async def in_files(self, work: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        """Work on files, in a thread."""
        return await self.ledger.loop.run_in_executor(self.ledger.files, work, *args)


class Receiver:
    """The pictures of one run's jobs. `goes_on` are the ids whose pictures are being made elsewhere when the run ends, with the provider's name;
    `exceeded` is why nothing more may be bought: a bill above what was reserved.
    """

    def __init__(
        self, books: Books, say: Callable[[str], None], stop: asyncio.Event, quiet: Callable[[], Awaitable[None]]
    ) -> None:
        self.books, self.say, self.stop, self._quiet = books, say, stop, quiet
        self.goes_on: dict[str, str] = {}  # id → provider
        self.exceeded = ""
        self.wire: Wire | None = None

    async def follow(
        self,
        desk: Desk,
        job: Job,
        *,
        wait: bool = True,
        fresh: bool = False,
        ended: Callable[[], None] = nothing,
        put: Where = nowhere,
    ) -> Bought:
        """Waits for a job that was accepted, fetches its pictures and records them, and where they are going to be `put`. Raises GoesOn when the run
        ends first.
        """
        self.goes_on[job.asset] = desk.name
        try:
            return await self._fetched(desk, job, wait=wait, fresh=fresh, ended=ended, put=put)
        except (ProviderError, Wait, StoreError) as problem:
            if self.stop.is_set() and isinstance(problem, ProviderError) and problem.kind in FREELY:
                raise GoesOn from problem
            self.goes_on.pop(job.asset, None)
            raise

    async def _fetched(self, desk: Desk, job: Job, *, wait: bool, fresh: bool, ended: Callable[[], None], put: Where) -> Bought:
        if not fresh:
            job = await self.books.in_store(journal.job_of, job.id)
        landed = {one.place: Blob(*one[1:]) for one in job.landed}
        if self._complete(job, landed):  # killed between the last picture and its record
            return await self._record(desk, job, landed, Ready((), job.credits), put)
        for late in (*LATE, None):
            ready = await self._ready(desk, job, wait=wait, alone=late != LATE[0], trust=fresh and wait)
            cost = bill(ready.cost, desk.settings.credit_usd) or 0
            if job.reserved is not None and cost > job.reserved:
                self._over(desk, Overbilled(job, job.reserved, cost))
            ended()  # only now: nobody takes its turn before it is known what it cost
            if late is not None and not ready.expired and len(ready.urls) < job.images:
                await rest(late, self.stop)  # a vendor may say "done" a moment before it has all pictures
                continue
            # More than was asked for (midjourney always gives four) is paid for as well: each is a take.
            count = min(len(ready.urls), len(job.members)) if job.members else len(ready.urls)
            missing = [place for place in range(count) if place not in landed]
            if not ready.urls and not ready.expired and not landed and self._fresh(job):
                raise ProviderError(Kind.TEMPORARY, f"{desk.name} says that it is done, and sent no picture", hint=desk.stays)
            if ready.expired or not missing:
                break
            noted = asyncio.ensure_future(
                self.books.tell(journal.ready_all, (job.id, self._done_at(job, ready), ready.cost, count))
            )
            try:
                job = job._replace(images=max(job.images, count))
                whole = await self._fetch(desk, job, ready, missing, landed)
            finally:
                await noted
            if whole:
                break
        else:
            if self._fresh(job):  # the vendor's word is that it is there: it isn't given up
                text = f"{desk.name} says that it is done, and it isn't at its address"
                raise ProviderError(Kind.TEMPORARY, text, hint=desk.stays)
            ready = ready._replace(expired=True)
        return await self._record(desk, job, landed, ready, put)

    async def _ready(self, desk: Desk, job: Job, *, wait: bool, alone: bool, trust: bool) -> Ready:
        assert job.remote_id is not None  # noqa: S101 - it was accepted
        remote, began, patience = job.remote_id, job.submitted_at or self.books.now(), self.books.patience
        if job.model not in desk.usual:
            desk.usual[job.model] = (await self.books.in_store(journal.intervals, job.provider, job.model))[::-1]
        start = self.books.now()
        with desk.looks.watching(remote):
            for looks, pause in enumerate(waits(desk.usual[job.model], max(0.0, start - began)), 1):
                try:
                    answer: Pending | Ready | None = await desk.looks.rest(remote, pause) if wait else None
                    if wait and answer is None and self.stop.is_set():
                        raise GoesOn
                    if answer is None:
                        most = min(POLL_PATIENCE, patience) if wait else ASK
                        answer = await desk.looks.look(remote, most, alone=alone, trust=trust)
                except ProviderError as problem:
                    if not wait and problem.kind in FREELY:
                        raise GoesOn from problem
                    await self._poll_failed(desk, job, problem)
                    raise
                if isinstance(answer, Ready):
                    if start - began < 1:  # else it may have been done for long
                        if answer.took is None:
                            answer = answer._replace(took=learned(self.books.now() - began, looks, job.id))
                        desk.usual[job.model].append(self._done_at(job, answer) - began)
                    return answer
                if not wait:
                    raise GoesOn
                if self.books.now() - start > patience:
                    break
        minutes = max(1, round((self.books.now() - began) / 60))
        raise Wait(
            f"{desk.name} has been making it for {minutes} minute{'s' * (minutes != 1)}",
            hint="`assetbuild resume` fetches it when it is done; it is paid for once",
        )

    def _done_at(self, job: Job, ready: Ready) -> float:
        """When it was done: now, or before, as far as it is known how long it took."""
        now = self.books.now()
        return now if ready.took is None or job.submitted_at is None else min(now, job.submitted_at + ready.took)

    async def _poll_failed(self, desk: Desk, job: Job, problem: ProviderError) -> None:
        desk.close(problem)
        if problem.kind in (Kind.FAILED, Kind.REFUSED):
            cost = bill(problem.cost, desk.settings.credit_usd)
            await self.ended(desk, job, ended_as(problem), problem.text, cost)
        elif problem.kind is Kind.GONE:
            variable = desk.settings.key_variable or "the key"
            raise Wait(
                f"{desk.name} doesn't know its job under this API key",
                hint=f"set the {variable} that it was bought with, or pay again with `assetbuild build --rebuy {job.asset}`",
            ) from problem
        elif problem.kind in FREELY:
            raise ProviderError(
                problem.kind,
                problem.text,
                after=problem.after,
                hint=f"it is paid for and goes on at {desk.name}: `assetbuild build` fetches it",
            ) from problem

    async def _fetch(self, desk: Desk, job: Job, ready: Ready, missing: Sequence[int], landed: dict[int, Blob]) -> bool:
        """Fetches pictures; False when the vendor has deleted one. Raises ProviderError for one that comes damaged each time."""
        from .fetching import Expired

        assert self.wire is not None  # noqa: S101 - it has answered
        tasks = [asyncio.ensure_future(self._picture(desk, job, place, ready.urls[place], landed)) for place in missing]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        problems = [one for one in done if isinstance(one, BaseException)]
        for problem in problems:
            if not isinstance(problem, Expired):
                raise problem
        return not problems

    async def _picture(self, desk: Desk, job: Job, place: int, url: str, landed: dict[int, Blob]) -> None:
        from .fetching import Spoiled, fetch

        assert self.wire is not None  # noqa: S101
        folder, cas = self.books.ledger.placer.fetching_folder(), self.books.ledger.placer.cas
        await self._quiet()
        for left in reversed(range(FETCHES)):
            try:
                came = await fetch(self.wire, desk.settings, url, folder, keep=cas.adopt, stop=self.stop)
            except Spoiled as problem:
                if left:
                    continue
                raise ProviderError(Kind.TEMPORARY, f"{problem.text}, {FETCHES} times", hint=desk.stays) from problem
            except ProviderError as problem:
                raise ProviderError(problem.kind, problem.text, after=problem.after, hint=desk.stays) from problem
            break
        member = job.members[place] if job.members else ""
        blob = Blob(member, came.digest, came.size, came.media)
        await self.books.tell(journal.landed_all, (job.id, Landed(place, *blob)))
        landed[place] = blob

    # ── the record ──

    async def at_once(self, desk: Desk, job: Job, done: Done, put: Where = nowhere) -> Bought:
        """The answer was the pictures themselves."""
        landed: dict[int, Blob] = {}
        refused: dict[str, bytes] = {}
        why: StoreError | None = None
        by_member = {image.member: image for image in done.images}
        wanted: Sequence[Image | None] = [by_member.get(member) for member in job.members] if job.members else done.images
        for place, image in enumerate(wanted):
            if image is not None:
                try:
                    digest = await self.books.in_files(self._put, image.data)
                except StoreError as problem:
                    digest, why = sha256(image.data), problem
                    refused[digest] = image.data
                landed[place] = Blob(job.members[place] if job.members else "", digest, len(image.data), image.media)
        ready = Ready((), done.cost, notes=plain(done.notes))
        try:
            if why is None:
                return await self._record(desk, job, landed, ready, put)
        except StoreError as problem:
            why = problem
        self.goes_on.pop(job.asset, None)
        raise Unkept(
            why, takes_of(job, landed, bill(ready.cost, desk.settings.credit_usd), ready.notes, self.books.now())[0], refused
        )

    def _fresh(self, job: Job) -> bool:
        """Whether the vendor still keeps what it made."""
        return self.books.now() - (job.submitted_at or job.intent_at) < KEPT

    def _put(self, data: bytes) -> str:
        return self.books.ledger.placer.cas.put(data, durable=True)

    def _complete(self, job: Job, landed: Mapping[int, Blob]) -> bool:
        cas = self.books.ledger.placer.cas
        return len(landed) >= job.images and all(cas.intact(blob.digest) for blob in landed.values())

    async def _record(self, desk: Desk, job: Job, landed: Mapping[int, Blob], ready: Ready, put: Where) -> Bought:
        """DONE and its result in one transaction (invariant 4)."""
        cost = bill(ready.cost, desk.settings.credit_usd)
        if not landed:
            why = f"{desk.name} had deleted it before it was fetched" if ready.expired else f"{desk.name} sent no picture"
            await self.ended(desk, job, journal.expired, why, cost)
            raise Wait(
                f"it was paid for and is lost: {why}",
                hint=f"`assetbuild build --rebuy {job.asset}` pays again",
            )
        takes, flaw = takes_of(job, landed, cost, plain(ready.notes), self.books.now())
        ended = journal.Ended(job.id, cost, self.books.now(), ready.cost, flaw or None)
        noted = tuple(put(takes))
        recorded, over = await self.books.tell(self._done, (takes, noted, ended))
        self._over(desk, over)
        self.goes_on.pop(job.asset, None)
        return Bought(tuple(recorded), flaw, cost, noted)

    def _done(
        self,
        db: Any,  # noqa: ANN401 - a connection
        asked: list[tuple[list[Take], tuple[Written, ...], journal.Ended]],
    ) -> list[tuple[list[Take], Overbilled | None]]:
        takes, rows = [take for one in asked for take in one[0]], [row for one in asked for row in one[1]]
        recorded = iter(self.books.project.store.record_in(db, takes, rows))
        overs = journal.done_all(db, [ended for _, _, ended in asked])
        return [([next(recorded) for _ in one[0]], over) for one, over in zip(asked, overs, strict=True)]

    def _over(self, desk: Desk, over: Overbilled | None) -> None:
        """A bill above the reservation: it is booked in full, and buying stops."""
        if over is None or self.exceeded:
            return
        job = over.job
        self.exceeded = f"{desk.name} billed {usd(over.cost)} for `{job.asset}` where {usd(over.reserved)} was expected, so nothing more is bought"
        self.say(
            f"{self.exceeded}\n  hint: the price of {job.model} is wrong in our table: "
            f"write the right one under `providers: {{{desk.name}: {{prices: …}}}}`"
        )

    async def ended(self, desk: Desk, job: Job, end: Callable[..., Overbilled | None], note: str, cost: int | None) -> None:
        """It ended without a picture: books what it cost."""
        self._over(desk, await self.books.write(end, job.id, note, cost, self.books.now()))
        self.goes_on.pop(job.asset, None)


def ended_as(problem: ProviderError) -> Callable[..., Overbilled | None]:
    """The journal's word for it."""
    return journal.refused if problem.kind is Kind.REFUSED else journal.failed
