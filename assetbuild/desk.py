"""One vendor, as one run deals with it: how many jobs may be open, which inputs it has, how long its models take, whether it is still worth asking.
Knows no asset and no journal; sends nothing that can buy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from .errors import AssetbuildError
from .looking import Looks
from .pacing import Hall
from .providers.base import Kind, Picture, ProviderError, Request, Uploaded
from .retrying import FREELY, SUBMIT_PATIENCE, retried
from .settings import Settings
from .store.journal import Job

UPLOAD_REST = 600.0  # seconds that an upload must live on when a job is sent: it may wait for its turn at the vendor
ASK = 3.0  # seconds for a look that isn't needed: at the account, or at jobs that the run will come to later
QUIET = 10.0  # seconds that a vendor is tried again without a word
CLOSING = frozenset({Kind.AUTH, Kind.NO_MONEY})  # no other request would do better


class Desk:
    """`closed` is why no other request would do better; None while there is no such reason. `usual` are the seconds that each model's jobs took, oldest
    first. `slots` is held while a job is open there; `jobs`: at most so many, whatever the spec allows.
    """

    def __init__(
        self,
        module: Any,  # noqa: ANN401 - a provider
        settings: Settings,
        http: Any,  # noqa: ANN401 - the contract's Http, or None
        jobs: int | None,
        stop: asyncio.Event,
        now: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self.module, self.settings, self.http = module, settings, http
        self.slots = Hall(min(settings.concurrency, jobs or settings.concurrency))
        self.usual: dict[str, list[float]] = {}
        self.closed: AssetbuildError | None = None
        self.finding = asyncio.Lock()  # held from looking for a job to writing down that it is found: one job answers one doubt
        self._stop, self._now, self._say = stop, now, say
        self._uploads: dict[str, asyncio.Future[Uploaded]] = {}
        self._looked: asyncio.Future[None] | None = None
        self._complained = False  # it was told that it is being tried again
        self.looks = Looks(module, http, self.freely, stop)
        if settings.key_variable is not None and settings.key is None:
            self.closed = ProviderError(
                Kind.AUTH,
                f"{settings.key_variable} isn't set, and {settings.provider} needs it",
                hint=f"`export {settings.key_variable}=…` with the key from the vendor's dashboard, then run it again",
            )

    @property
    def name(self) -> str:
        """The provider's."""
        return self.settings.provider

    @property
    def stays(self) -> str:
        """The way out where a picture can't be fetched."""
        return f"it is paid for and stays at {self.name} for a day: `assetbuild build` fetches it again"

    def replayable(self, job: Job) -> bool:
        """Whether the same request would still give the same job."""
        return job.replayable(self.module.replay_window, self._now(), self.settings.account)

    def close(self, problem: ProviderError) -> None:
        """Remembers a problem that every other request would meet too."""
        if problem.kind in CLOSING and self.closed is None:
            self.closed = problem

    async def freely(self, call: Callable[[], Any], patience: float) -> Any:  # noqa: ANN401
        """Whatever can't buy is tried again. Raises ProviderError."""
        return await retried(call, again=FREELY, patience=patience, stop=self._stop, told=self.told(patience))

    def told(self, patience: float) -> Callable[[ProviderError, float], None]:
        """For `retried`: says once in a run why nothing seems to happen."""
        clock = asyncio.get_running_loop().time
        began = clock()

        def tell(problem: ProviderError, wait: float) -> None:
            if not self._complained and clock() - began + wait > QUIET:
                self._complained = True
                self._say(f"{problem.text}; trying again, for at most {patience:.0f} s")

        return tell

    async def account(self) -> None:
        """Before the first money is spent: is the key good, is there credit? Closes the desk when not."""
        if self._looked is None:
            self._looked = asyncio.ensure_future(self._look())
        await asyncio.shield(self._looked)

    async def _look(self) -> None:
        ask = getattr(self.module, "account", None)
        if ask is None:
            return
        try:
            account = await self.freely(lambda: ask(self.http), ASK)
        except ProviderError as problem:
            self.close(problem)
            return  # whatever else it is, the purchase will meet it too
        if account.balance is not None and account.balance <= 0:
            self.close(
                ProviderError(
                    Kind.NO_MONEY,
                    f"there is no credit left at {self.name} ({account.name})",
                    hint="add credits in the vendor's dashboard, then build again",
                )
            )

    async def addresses(self, request: Request) -> Mapping[str, str]:
        """Where the vendor has the request's inputs, by digest; those that it hasn't are uploaded. Raises ProviderError."""
        if not request.inputs or getattr(self.module, "upload", None) is None:
            return {}
        pictures = {picture.digest: picture for picture in request.inputs}
        found = await asyncio.gather(*(self._uploaded(picture) for picture in pictures.values()))
        return {digest: one.url for digest, one in zip(pictures, found, strict=True)}

    async def _uploaded(self, picture: Picture) -> Uploaded:
        """Once per picture, for as long as the vendor keeps it."""
        known = self._uploads.get(picture.digest)
        if known is None or (known.done() and (known.exception() or known.result().expires_at < self._now() + UPLOAD_REST)):
            known = asyncio.ensure_future(self.freely(lambda: self.module.upload(picture, self.http), SUBMIT_PATIENCE))
            self._uploads[picture.digest] = known
        try:
            return await asyncio.shield(known)
        except ProviderError as problem:
            self.close(problem)
            raise
