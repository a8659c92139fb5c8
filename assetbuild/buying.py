"""Buys one step's pictures, so that nothing is paid for twice and nothing that was paid for is forgotten.

inputs → uploads → INTENT → send → SUBMITTED, and then it is `receiving.py`'s. Every arrow is a place to be killed at; `resume` goes on from what the
journal says. It decides nothing about assets: who calls has decided, holds the claim of the key, and puts the pictures in place.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from .desk import CLOSING, Desk
from .digest import KEY_VERSION
from .errors import ProviderSetupError
from .pacing import Hall, Place
from .placing import Ledger
from .project import Project
from .providers.base import Done, Kind, Payload, Picture, ProviderError, Request, Sent, Submitted
from .quoting import refusal
from .receiving import Books, Bought, GoesOn, Receiver, Wait, Where, ended_as, nothing, nowhere
from .retrying import FREELY, SUBMIT_PATIENCE, retried, submit_again
from .store import journal, spending
from .store.journal import Job, State

ENTERING = 8  # pictures made ready to be asked for, at once: the first are on their way while the last are still looked at
ASIDE = 0.25  # seconds that a picture waits at the vendor for others that are being asked for


class Again(Exception):
    """Another run was here meanwhile: it must be decided anew."""


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


class Told(NamedTuple):
    """Who hears of a purchase on its way: when all that is to be done here is done, when the vendor has accepted it, when it has ended there. `put` is
    asked what is going to lie where, so that it is recorded with the takes.
    """

    ready: Callable[[], None] = nothing
    accepted: Callable[[], None] = nothing
    ended: Callable[[], None] = nothing
    put: Where = nowhere


NOBODY = Told()


class Buyer:
    """The purchases of one run. When `stop` is set, nothing new is sent."""

    def __init__(
        self,
        project: Project,
        ledger: Ledger,
        caps: spending.Caps,
        say: Callable[[str], None],
        jobs: int | None = None,
        run: str = "",
    ) -> None:
        """`jobs`: at most so many at a vendor at once, whatever the spec allows. `run`: the name of this run in the journal ("": a new one)."""
        self.jobs = jobs
        self.project, self.ledger, self.caps, self.say = project, ledger, caps, say
        self.run = run or f"{os.getpid()}-{os.urandom(6).hex()}"
        self.stop = asyncio.Event()
        self.books = Books(project, ledger)
        self.receiver = Receiver(self.books, say, self.stop, self.quiet)
        self.arrived: set[str] = set()  # ids of which something came that isn't written down yet
        self._entering = Hall(ENTERING)
        self._desks: dict[str, Desk] = {}

    async def close(self) -> None:
        """Ends all connections."""
        if self.receiver.wire is not None:
            await self.receiver.wire.close()

    @property
    def goes_on(self) -> Mapping[str, str]:
        """Whose pictures are being made elsewhere when the run ends, by id, with the provider's name."""
        return self.receiver.goes_on

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
        request = order.request._replace(inputs=await self.books.in_files(inputs) if inputs is not None else ())
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
            return await self.receiver.follow(desk, job, wait=wait)
        if desk.closed is not None:
            raise desk.closed
        payload = await self.books.in_store(_payload, job.id)
        if desk.replayable(job):
            self._open(desk)
            return await self._carry_through(desk, job, payload, doubt=True)
        return await self.receiver.follow(desk, await self._find(desk, job, payload))

    async def look_for(self, job: Job, *, wait: bool = True) -> Bought:
        """What was asked for and never answered is only looked for, and never asked for again."""
        desk = await self._desk(job.provider)
        self._lets_in(desk)
        if job.remote_id is None:
            job = await self._find(desk, job, await self.books.in_store(_payload, job.id), later=True)
        return await self.receiver.follow(desk, job, wait=wait)

    async def _carry_through(
        self,
        desk: Desk,
        job: Job,
        payload: Payload,
        *,
        doubt: bool = False,
        told: Told = NOBODY,
    ) -> Bought:
        self.receiver.goes_on[job.asset] = desk.name
        try:
            sent = await self._send(desk, job, payload, doubt)
        except (ProviderError, Wait):  # told as what it is; whoever is stopped in the middle of it goes on
            self.receiver.goes_on.pop(job.asset, None)
            raise
        self.arrived.add(job.asset)
        try:
            told.accepted()
            if isinstance(sent, Done):
                return await self.receiver.at_once(desk, job, sent, told.put)
            await self.books.tell(journal.submitted_all, (job.id, sent.remote_id, self.books.now()))
        finally:
            self.arrived.discard(job.asset)
        job = job._replace(state=State.SUBMITTED, remote_id=sent.remote_id, submitted_at=self.books.now())
        return await self.receiver.follow(desk, job, fresh=True, ended=told.ended, put=told.put)

    # ── before it is sent ──

    async def _desk(self, provider: str) -> Desk:
        desk = self._desks.get(provider)
        if desk is None:
            module, settings = self.project.provider(provider), self.project.settings(provider)
            http, closed = None, None
            if settings.base_url is not None:
                if self.receiver.wire is None:
                    from .wire import Wire  # httpx and aiohttp: 150 ms

                    self.receiver.wire = Wire(self.stop)
                try:
                    http = self.receiver.wire.api(settings, module.headers)
                except ProviderSetupError as problem:
                    closed = ProviderError(Kind.AUTH, problem.text, hint=problem.hint)
            desk = Desk(module, settings, http, self.jobs, self.stop, self.books.now, self.say)
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
        if self.receiver.exceeded:
            raise Wait(self.receiver.exceeded, hint="correct the price, then run `assetbuild build` again")

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
            self.books.now(),
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

        if order.instead_of is None:
            got = await self.books.tell(self._reserved, wish)
        else:
            got = await self.books.write(self._instead, order.instead_of, wish)
        if isinstance(got, spending.Standing):
            raise Again
        if not isinstance(got, spending.Reserved):
            text, hint = refusal(got, order.asset, desk.name, request.model)
            raise Wait(text, hint=hint)
        return got.job

    def _reserved(self, db: Any, wishes: list[spending.Wish]) -> list[spending.Answer]:  # noqa: ANN401 - a connection
        return spending.reserve_all(db, wishes, self.caps)

    def _instead(self, db: Any, old: Job, wish: spending.Wish) -> spending.Answer:  # noqa: ANN401
        """The old one is given up with the new one's first row or not at all: it counts on, and `assetbuild resume` still looks for it."""
        db.execute("SAVEPOINT instead")
        journal.in_doubt(db, old.id, old.note or "it was bought again", wish.at)
        got = spending.reserve(db, wish, self.caps)
        if not isinstance(got, spending.Reserved):
            db.execute("ROLLBACK TO instead")
        db.execute("RELEASE instead")
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

        patience = min(SUBMIT_PATIENCE, self.books.patience)
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
            await self.receiver.ended(desk, job, ended_as(problem), problem.text, 0)
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
            return job._replace(state=State.SUBMITTED, remote_id=remote, submitted_at=self.books.now())
        if later and job.state is State.INTENT and desk.replayable(job):
            raise Wait(
                f"it was asked for, and {desk.name} lists no such job",
                hint="`assetbuild build` asks again; it isn't paid for twice",
            )
        if job.state is State.INTENT and job.young(desk.module.replay_window, self.books.now()) and not desk.replayable(job):
            raise Wait(
                f"it was asked for with another API key, and under this one {desk.name} lists no such job",
                hint=f"set {desk.settings.key_variable} to that key, or pay again with `assetbuild build --rebuy {job.asset}`",
            )
        await self.books.write(journal.in_doubt, job.id, "no answer came", self.books.now())
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
        known: frozenset[str] = await self.books.in_store(journal.known_ids, job.provider)
        while find is not None:
            sent = Sent(payload, job.model, job.intent_at, known)
            remote: str | None = await desk.freely(partial(find, sent, desk.http), 60.0)
            if remote is None:
                return None
            at = self.books.now()

            def take(db: Any, remote: str = remote, at: float = at) -> frozenset[str]:  # noqa: ANN401 - a connection
                taken = journal.known_ids(db, job.provider)
                if remote not in taken:
                    journal.submitted(db, job.id, remote, at)
                return taken

            taken: frozenset[str] = await self.books.write(take)
            if remote not in taken:
                return remote
            if taken <= known:  # it lists nothing else
                return None
            known = taken
        return None


def _payload(db: Any, ident: int) -> Payload:  # noqa: ANN401 - a connection
    return Payload(*journal.payload_of(db, ident))


def _media(request: Request) -> str:
    asked = request.params.get("output_format")
    return f"image/{asked}" if asked else ""
