"""Buys one step's pictures, so that nothing is paid for twice and nothing that was paid for is forgotten.

inputs → uploads → INTENT → send → SUBMITTED → poll → ready → fetch, each picture journaled as it lands → DONE with its result. Every arrow is
a place to be killed at; `resume` goes on from what the journal says. It decides nothing about assets: who calls has decided, holds the
claim of the key, and puts the pictures in place.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .arriving import plain, takes_of
from .desk import ASK, CLOSING, Desk
from .digest import KEY_VERSION, sha256
from .errors import AssetbuildError, ProviderSetupError, StoreError
from .pacing import Hall, Place
from .placing import Ledger
from .polling import waits
from .pricing import bill, usd
from .project import Project
from .providers.base import Done, Image, Kind, Payload, Pending, Picture, ProviderError, Ready, Request, Sent, Submitted
from .quoting import refusal
from .retrying import FREELY, POLL_PATIENCE, SUBMIT_PATIENCE, rest, retried, submit_again
from .store import Blob, Take, journal, spending
from .store.journal import Job, Landed, Overbilled, State

if TYPE_CHECKING:
    from .wire import Wire

LATE = (0.3, 0.7, 1.5)  # seconds between looks at a job that is done and lacks pictures
ENTERING = 8  # pictures made ready to be asked for, at once: the first are on their way while the last are still looked at
FETCHES = 3  # tries for a picture that comes damaged
ASIDE = 0.25  # seconds that a picture waits at the vendor for others that are being asked for
KEPT = 24 * 3600.0  # seconds after which a picture that isn't at its address is taken for deleted


class Wait(AssetbuildError):
    """It needs a person's word. `text` and `hint` are for the asset."""

    exit_code = 5


class Again(Exception):
    """Another run was here meanwhile: it must be decided anew."""


class GoesOn(Exception):
    """The run ends and the vendor goes on: the next one fetches it."""


class Unkept(Exception):
    """The pictures are here and the store takes them not. `images` are their bytes by digest, as far as the store lacks them."""

    def __init__(self, why: StoreError, takes: Sequence[Take], images: dict[str, bytes]) -> None:
        super().__init__(why.text)
        self.why, self.takes, self.images = why, takes, images


class Order(NamedTuple):
    """What is to be bought: the takes `request.take` … in one call. `reserve` is the price in micro-USD, None when it isn't known.
    `instead_of` is an open job that `--rebuy`, the word of a person, doesn't want to wait for.
    """

    asset: str
    step: int
    request: Request
    provider: str
    reserve: int | None
    tags: tuple[str, ...] = ()
    axes: Mapping[str, str] = {}
    instead_of: Job | None = None


def nothing() -> None:
    """For who needn't hear of it."""


class Told(NamedTuple):
    """Who hears of a purchase on its way: when all that is to be done here is done, when the vendor has accepted it, when it has ended there."""

    ready: Callable[[], None] = nothing
    accepted: Callable[[], None] = nothing
    ended: Callable[[], None] = nothing


NOBODY = Told()


class Bought(NamedTuple):
    """What came, as it is recorded: takes in order, and what is wrong with them ("paid, 3 of 4 came"), "" when nothing is. `cost` in micro-USD, None
    when the vendor didn't say.
    """

    takes: tuple[Take, ...]
    flaw: str = ""
    cost: int | None = None


class Buyer:
    """The purchases of one run. `stopping` says that nothing new may be sent; `goes_on` are the ids whose pictures are being made elsewhere when the run
    ends.
    """

    def __init__(
        self, project: Project, ledger: Ledger, caps: spending.Caps, say: Callable[[str], None], jobs: int | None = None
    ) -> None:
        """`jobs`: at most so many at a vendor at once, whatever the spec allows."""
        self.jobs = jobs
        self.project, self.ledger, self.caps, self.say = project, ledger, caps, say
        self.run = f"{os.getpid()}-{os.urandom(6).hex()}"
        self.stop = asyncio.Event()
        self.goes_on: dict[str, str] = {}  # id → provider
        self.arrived: set[str] = set()  # ids of which something came that isn't written down yet
        self._entering = Hall(ENTERING)
        self._desks: dict[str, Desk] = {}
        self._wire: Wire | None = None
        self._exceeded = ""

    async def close(self) -> None:
        """Ends all connections."""
        if self._wire is not None:
            await self._wire.close()

    # ── the whole way ──

    async def turn(self, provider: str) -> Place:
        """To be held while a job is open at a provider."""
        return Place((await self._desk(provider)).slots)

    def entering(self) -> Place:
        """To be held on the way to a vendor: see ENTERING."""
        return Place(self._entering)

    async def quiet(self) -> None:
        """Waits a moment while others are on their way to a vendor: they go first, since it is the vendor's time that a build waits for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ASIDE):
                await self._entering.empty.wait()

    async def buy(self, order: Order, inputs: Callable[[], tuple[Picture, ...]] | None, told: Told = NOBODY) -> Bought:
        """Raises ProviderError, Wait, Again, GoesOn, Unkept, StoreError, and what `inputs` raises."""
        desk = await self._desk(order.provider)
        self._open(desk)
        if disk := self.project.store.network:
            raise Wait(
                f"the store is on a disk that other machines share ({disk}), where a purchase can't be written down safely",
                hint="name a folder on this machine with `store:` or ASSETBUILD_STORE",
            )
        request = order.request._replace(inputs=await self._in_files(inputs) if inputs is not None else ())
        for problem in desk.module.check(request):
            raise ProviderError(Kind.INVALID, problem)
        told.ready()
        await desk.account()
        self._open(desk)
        payload = desk.module.prepare(request, await desk.addresses(request))
        self._open(desk)
        job = await self._reserve(desk, order, request, payload)
        return await self._carry_through(desk, job, payload, told=told)

    async def resume(self, job: Job, *, wait: bool = True) -> Bought:
        """Goes on with an open job; one that was never answered is asked for again, byte for byte, or looked for. Raises as `buy`; GoesOn too when it isn't
        finished and `wait` is False.
        """
        desk = await self._desk(job.provider)
        if job.state is State.SUBMITTED:
            self._lets_in(desk)
            return await self._follow(desk, job, wait=wait)
        if desk.closed is not None:
            raise desk.closed
        payload = await self._in_store(_payload, job.id)
        if desk.replayable(job):
            self._open(desk)
            return await self._carry_through(desk, job, payload, doubt=True)
        return await self._follow(desk, await self._find(desk, job, payload))

    async def look_for(self, job: Job, *, wait: bool = True) -> Bought:
        """What was asked for and never answered is only looked for, and never asked for again."""
        desk = await self._desk(job.provider)
        self._lets_in(desk)
        if job.remote_id is None:
            job = await self._find(desk, job, await self._in_store(_payload, job.id), later=True)
        return await self._follow(desk, job, wait=wait)

    async def _carry_through(
        self,
        desk: Desk,
        job: Job,
        payload: Payload,
        *,
        doubt: bool = False,
        told: Told = NOBODY,
    ) -> Bought:
        self.goes_on[job.asset] = desk.name
        try:
            sent = await self._send(desk, job, payload, doubt)
        except (ProviderError, Wait):  # told as what it is; whoever is stopped in the middle of it goes on
            self.goes_on.pop(job.asset, None)
            raise
        self.arrived.add(job.asset)
        try:
            told.accepted()
            if isinstance(sent, Done):
                return await self._at_once(desk, job, sent)
            await self._write(journal.submitted, job.id, sent.remote_id, self._now())
        finally:
            self.arrived.discard(job.asset)
        job = job._replace(state=State.SUBMITTED, remote_id=sent.remote_id, submitted_at=self._now())
        return await self._follow(desk, job, fresh=True, ended=told.ended)

    # ── before it is sent ──

    async def _desk(self, provider: str) -> Desk:
        desk = self._desks.get(provider)
        if desk is None:
            module, settings = self.project.provider(provider), self.project.settings(provider)
            http, closed = None, None
            if settings.base_url is not None:
                if self._wire is None:
                    from .wire import Wire  # httpx and aiohttp: 150 ms

                    self._wire = Wire(self.stop)
                try:
                    http = self._wire.api(settings, module.headers)
                except ProviderSetupError as problem:
                    closed = ProviderError(Kind.AUTH, problem.text, hint=problem.hint)
            desk = Desk(module, settings, http, self.jobs, self.stop, self._now, self.say)
            desk.closed = desk.closed or closed
            self._desks[provider] = desk
        return desk

    def _lets_in(self, desk: Desk) -> None:
        """Whether something that was paid for may be fetched: that needs no credit."""
        if desk.closed is not None and not (isinstance(desk.closed, ProviderError) and desk.closed.kind is Kind.NO_MONEY):
            raise desk.closed

    def _open(self, desk: Desk) -> None:
        """Whether anything may be sent now."""
        if self.stop.is_set():
            raise GoesOn
        if desk.closed is not None:
            raise desk.closed
        if self._exceeded:
            raise Wait(self._exceeded, hint="correct the price, then run `assetbuild build` again")

    async def _reserve(self, desk: Desk, order: Order, request: Request, payload: Payload) -> Job:
        """The row that says it may have been sent, and that its price is spoken for; on disk before anything is sent (invariant 3)."""
        wish = spending.Wish(
            request.key,
            request.take,
            KEY_VERSION,
            desk.name,
            request.model,
            self.project.spec.project,
            order.asset,
            payload.path,
            payload.body,
            order.reserve,
            self.run,
            self._now(),
            1 if request.members else request.images,
            len(request.members) or request.images,
            desk.settings.host,
            order.step,
            order.tags,
            order.axes,
            tuple(picture.digest for picture in request.inputs),
            request.members,
            _media(request),
            desk.settings.account,
        )

        def asked(db: Any) -> Job | spending.Over | spending.Unpriced | spending.Standing:  # noqa: ANN401 - a connection
            if (old := order.instead_of) is None:
                got = spending.reserve(db, wish, self.caps)
            else:  # given up with the new one's first row or not at all: it counts on, and `assetbuild resume` still looks for it
                db.execute("SAVEPOINT instead")
                journal.in_doubt(db, old.id, old.note or "it was bought again", wish.at)
                got = spending.reserve(db, wish, self.caps)
                if not isinstance(got, spending.Reserved):
                    db.execute("ROLLBACK TO instead")
                db.execute("RELEASE instead")
            return got.job if isinstance(got, spending.Reserved) else got

        got = await self.ledger.write(asked, durable=True)
        if isinstance(got, spending.Standing):
            raise Again
        if not isinstance(got, Job):
            text, hint = refusal(got, order.asset, desk.name, request.model)
            raise Wait(text, hint=hint)
        return got

    # ── sending ──

    async def _send(self, desk: Desk, job: Job, payload: Payload, doubt: bool) -> Submitted | Done:
        """Sent again only if nothing can have been accepted, or as a replay: the same bytes under the same key."""

        async def once() -> Submitted | Done:
            nonlocal doubt
            if doubt and not desk.replayable(job):  # a laptop slept before it could ask again: the key may be forgotten
                raise ProviderError(Kind.UNKNOWN_OUTCOME, "no answer came")
            try:
                found: Submitted | Done = await desk.module.send(payload, desk.http, job.idempotency_key)
                return found
            except ProviderError as problem:
                doubt = doubt or problem.kind is Kind.UNKNOWN_OUTCOME
                raise

        def again(problem: ProviderError) -> bool:
            return submit_again(problem.kind, replayable=desk.replayable(job))

        patience = min(SUBMIT_PATIENCE, self._patience())
        try:
            return await retried(once, again=again, patience=patience, stop=self.stop, told=desk.told(patience))
        except ProviderError as problem:
            desk.close(problem)
            if problem.kind is Kind.ACCEPTED_BEFORE or (doubt and not desk.replayable(job)):
                found = await self._find(desk, job, payload, other=problem.kind is Kind.ACCEPTED_BEFORE and not doubt)
                assert found.remote_id is not None  # noqa: S101 - found
                return Submitted(found.remote_id)
            if doubt:  # it stays open: the next build asks again, and doesn't pay twice
                if self.stop.is_set():
                    raise GoesOn from problem
                way = problem.hint if problem.kind in CLOSING and problem.hint else "run `assetbuild build` again"
                raise ProviderError(
                    problem.kind,
                    f"{problem.text}; it may have been accepted",
                    hint=f"{way}: it asks for the same job, and it isn't paid for twice",
                ) from problem
            await self._ended(desk, job, _ends(problem), problem.text, 0)
            if self.stop.is_set() and problem.kind in FREELY:
                raise GoesOn from problem
            raise

    async def _find(self, desk: Desk, job: Job, payload: Payload, *, later: bool = False, other: bool = False) -> Job:
        """The job that a request became, among those that the vendor lists; else nobody can say. `later`: somebody may ask again, as long as it can be
        asked again; `other`: the number was taken when it was sent for the first time. Raises Wait.
        """
        async with desk.finding:
            remote = await self._listed(desk, job, payload)
        if remote is not None:
            return job._replace(state=State.SUBMITTED, remote_id=remote, submitted_at=self._now())
        if later and job.state is State.INTENT and desk.replayable(job):
            raise Wait(
                f"it was asked for, and {desk.name} lists no such job",
                hint="`assetbuild build` asks again; it isn't paid for twice",
            )
        if job.state is State.INTENT and job.young(desk.module.replay_window, self._now()) and not desk.replayable(job):
            raise Wait(
                f"it was asked for with another API key, and under this one {desk.name} lists no such job",
                hint=f"set {desk.settings.key_variable} to that key, or pay again with `assetbuild build --rebuy {job.asset}`",
            )
        await self._write(journal.in_doubt, job.id, "no answer came", self._now())
        if other:
            raise Wait(
                "it was bought under this API key within the last day, by another machine or by a store that is gone",
                hint=f"get it from there (`git pull`, a shared store); `assetbuild build --rebuy {job.asset}` buys one more",
            )
        raise Wait(
            f"it was asked for, and {desk.name} can't say any more whether it was made and paid for",
            hint=f"`assetbuild build --rebuy {job.asset}` pays again",
        )

    async def _listed(self, desk: Desk, job: Job, payload: Payload) -> str | None:
        """Looks through the vendor's jobs, and writes down which one it is, if no other request of ours took it meanwhile."""
        find = getattr(desk.module, "find", None)
        known: frozenset[str] = await self._in_store(journal.known_ids, job.provider)
        while find is not None:
            sent = Sent(payload, job.model, job.intent_at, known)
            remote: str | None = await desk.freely(partial(find, sent, desk.http), 60.0)
            if remote is None:
                return None
            at = self._now()

            def take(db: Any, remote: str = remote, at: float = at) -> frozenset[str]:  # noqa: ANN401 - a connection
                taken = journal.known_ids(db, job.provider)
                if remote not in taken:
                    journal.submitted(db, job.id, remote, at)
                return taken

            taken: frozenset[str] = await self.ledger.write(take, durable=True)
            if remote not in taken:
                return remote
            if taken <= known:  # it lists nothing else
                return None
            known = taken
        return None

    # ── what the vendor makes of it ──

    async def _follow(
        self, desk: Desk, job: Job, *, wait: bool = True, fresh: bool = False, ended: Callable[[], None] = nothing
    ) -> Bought:
        """Waits for a job that was accepted, fetches its pictures and records them. Raises GoesOn when the run ends first."""
        self.goes_on[job.asset] = desk.name
        try:
            return await self._fetched(desk, job, wait=wait, fresh=fresh, ended=ended)
        except (ProviderError, Wait, StoreError) as problem:
            if self.stop.is_set() and isinstance(problem, ProviderError) and problem.kind in FREELY:
                raise GoesOn from problem
            self.goes_on.pop(job.asset, None)
            raise

    async def _fetched(self, desk: Desk, job: Job, *, wait: bool, fresh: bool, ended: Callable[[], None]) -> Bought:
        if not fresh:
            job = await self._in_store(journal.job_of, job.id)
        landed = {one.place: Blob(*one[1:]) for one in job.landed}
        if self._complete(job, landed):  # killed between the last picture and its record
            return await self._record(desk, job, landed, Ready((), job.credits))
        for late in (*LATE, None):
            ready = await self._ready(desk, job, wait=wait, alone=late != LATE[0])
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
            noted = asyncio.ensure_future(self._write(journal.ready, job.id, self._done_at(job, ready), ready.cost, count))
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
        return await self._record(desk, job, landed, ready)

    async def _ready(self, desk: Desk, job: Job, *, wait: bool, alone: bool = False) -> Ready:
        assert job.remote_id is not None  # noqa: S101 - it was accepted
        remote, began, patience = job.remote_id, job.submitted_at or self._now(), self._patience()
        if job.model not in desk.usual:
            desk.usual[job.model] = (await self._in_store(journal.intervals, job.provider, job.model))[::-1]
        start = self._now()
        with desk.looks.watching(remote):
            for pause in waits(desk.usual[job.model], max(0.0, start - began), nth=job.id):
                try:
                    answer: Pending | Ready | None = await desk.looks.rest(remote, pause) if wait else None
                    if wait and answer is None and self.stop.is_set():
                        raise GoesOn
                    if answer is None:
                        most = min(POLL_PATIENCE, patience) if wait else ASK
                        answer = await desk.looks.look(remote, most, alone=alone)
                except ProviderError as problem:
                    if not wait and problem.kind in FREELY:
                        raise GoesOn from problem
                    await self._poll_failed(desk, job, problem)
                    raise
                if isinstance(answer, Ready):
                    if start - began < 1:  # else it may have been done for long
                        desk.usual[job.model].append(self._done_at(job, answer) - began)
                    return answer
                if not wait:
                    raise GoesOn
                if self._now() - start > patience:
                    break
        minutes = max(1, round((self._now() - began) / 60))
        raise Wait(
            f"{desk.name} has been making it for {minutes} minute{'s' * (minutes != 1)}",
            hint="`assetbuild resume` fetches it when it is done; it is paid for once",
        )

    def _done_at(self, job: Job, ready: Ready) -> float:
        """When it was done: now, or before, if the vendor says how long it took."""
        now = self._now()
        return now if ready.took is None or job.submitted_at is None else min(now, job.submitted_at + ready.took)

    async def _poll_failed(self, desk: Desk, job: Job, problem: ProviderError) -> None:
        desk.close(problem)
        if problem.kind in (Kind.FAILED, Kind.REFUSED):
            cost = bill(problem.cost, desk.settings.credit_usd)
            await self._ended(desk, job, _ends(problem), problem.text, cost)
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

        assert self._wire is not None  # noqa: S101 - it has answered
        tasks = [asyncio.ensure_future(self._picture(desk, job, place, ready.urls[place], landed)) for place in missing]
        done = await asyncio.gather(*tasks, return_exceptions=True)
        problems = [one for one in done if isinstance(one, BaseException)]
        for problem in problems:
            if not isinstance(problem, Expired):
                raise problem
        return not problems

    async def _picture(self, desk: Desk, job: Job, place: int, url: str, landed: dict[int, Blob]) -> None:
        from .fetching import Spoiled, fetch

        assert self._wire is not None  # noqa: S101
        folder, cas = self.ledger.placer.fetching_folder(), self.ledger.placer.cas
        await self.quiet()
        for left in reversed(range(FETCHES)):
            try:
                came = await fetch(self._wire, desk.settings, url, folder, keep=cas.adopt, stop=self.stop)
            except Spoiled as problem:
                if left:
                    continue
                raise ProviderError(Kind.TEMPORARY, f"{problem.text}, {FETCHES} times", hint=desk.stays) from problem
            except ProviderError as problem:
                raise ProviderError(problem.kind, problem.text, after=problem.after, hint=desk.stays) from problem
            break
        member = job.members[place] if job.members else ""
        blob = Blob(member, came.digest, came.size, came.media)
        await self._write(journal.landed, job.id, Landed(place, *blob))
        landed[place] = blob

    # ── the record ──

    async def _at_once(self, desk: Desk, job: Job, done: Done) -> Bought:
        """The answer was the pictures themselves."""
        landed: dict[int, Blob] = {}
        refused: dict[str, bytes] = {}
        why: StoreError | None = None
        by_member = {image.member: image for image in done.images}
        wanted: Sequence[Image | None] = [by_member.get(member) for member in job.members] if job.members else done.images
        for place, image in enumerate(wanted):
            if image is not None:
                try:
                    digest = await self._in_files(self._put, image.data)
                except StoreError as problem:
                    digest, why = sha256(image.data), problem
                    refused[digest] = image.data
                landed[place] = Blob(job.members[place] if job.members else "", digest, len(image.data), image.media)
        ready = Ready((), done.cost, notes=plain(done.notes))
        try:
            if why is None:
                return await self._record(desk, job, landed, ready)
        except StoreError as problem:
            why = problem
        self.goes_on.pop(job.asset, None)
        raise Unkept(why, takes_of(job, landed, bill(ready.cost, desk.settings.credit_usd), ready.notes, self._now())[0], refused)

    def _fresh(self, job: Job) -> bool:
        """Whether the vendor still keeps what it made."""
        return self._now() - (job.submitted_at or job.intent_at) < KEPT

    def _put(self, data: bytes) -> str:
        return self.ledger.placer.cas.put(data, durable=True)

    def _complete(self, job: Job, landed: Mapping[int, Blob]) -> bool:
        cas = self.ledger.placer.cas
        return len(landed) >= job.images and all(cas.intact(blob.digest) for blob in landed.values())

    async def _record(self, desk: Desk, job: Job, landed: Mapping[int, Blob], ready: Ready) -> Bought:
        """DONE and its result in one transaction (invariant 4)."""
        cost = bill(ready.cost, desk.settings.credit_usd)
        if not landed:
            why = f"{desk.name} had deleted it before it was fetched" if ready.expired else f"{desk.name} sent no picture"
            await self._ended(desk, job, journal.expired, why, cost)
            raise Wait(
                f"it was paid for and is lost: {why}",
                hint=f"`assetbuild build --rebuy {job.asset}` pays again",
            )
        takes, flaw = takes_of(job, landed, cost, plain(ready.notes), self._now())
        store = self.project.store

        def end(db: Any) -> tuple[list[Take], Overbilled | None]:  # noqa: ANN401 - a connection
            recorded = store.record_in(db, takes)
            return recorded, journal.done(db, job.id, cost, self._now(), credits=ready.cost, note=flaw or None)

        recorded, over = await self.ledger.write(end, durable=True)
        self._over(desk, over)
        self.goes_on.pop(job.asset, None)
        return Bought(tuple(recorded), flaw, cost)

    def _over(self, desk: Desk, over: Overbilled | None) -> None:
        """A bill above the reservation: it is booked in full, and buying stops."""
        if over is None or self._exceeded:
            return
        job = over.job
        self._exceeded = f"{desk.name} billed {usd(over.cost)} for `{job.asset}` where {usd(over.reserved)} was expected, so nothing more is bought"
        self.say(
            f"{self._exceeded}\n  hint: the price of {job.model} is wrong in our table: "
            f"write the right one under `providers: {{{desk.name}: {{prices: …}}}}`"
        )

    async def _ended(self, desk: Desk, job: Job, end: Callable[..., Overbilled | None], note: str, cost: int | None) -> None:
        self._over(desk, await self._write(end, job.id, note, cost, self._now()))
        self.goes_on.pop(job.asset, None)

    # ── small things ──

    def _patience(self) -> float:
        """Seconds that one job is waited for."""
        return self.project.env.patience

    def _now(self) -> float:
        return self.project.env.now()

    async def _write(self, act: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        return await self.ledger.write(lambda db: act(db, *args), durable=True)

    async def _in_store(self, ask: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        def asked() -> Any:  # noqa: ANN401
            with self.project.store.reading() as db:
                return ask(db, *args)

        return await self._in_files(asked)

    async def _in_files(self, work: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        return await self.ledger.loop.run_in_executor(self.ledger.files, work, *args)


def _payload(db: Any, ident: int) -> Payload:  # noqa: ANN401 - a connection
    return Payload(*journal.payload_of(db, ident))


def _ends(problem: ProviderError) -> Callable[..., Overbilled | None]:
    return journal.refused if problem.kind is Kind.REFUSED else journal.failed


def _media(request: Request) -> str:
    asked = request.params.get("output_format")
    return f"image/{asked}" if asked else ""
