"""The contract between the core and a provider, and nothing else. A provider knows this file, `errors` and httpx."""

from __future__ import annotations

import email.utils
import enum
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import AssetbuildError

DAY = 86_400.0  # seconds


class Picture(NamedTuple):
    """An input picture, as a file in the store: read it, never write it. `digest` is the sha256 of its bytes, hex. `shown` is what its
    owner calls it in messages: the path of a file, or the id of an asset; "" when it has no name."""

    digest: str
    path: Path
    role: str  # base, reference, style
    name: str | None
    hint: str | None
    shown: str = ""


class Request(NamedTuple):
    """One action, complete. `params` are normalised. `members` are the names of a set (() = one picture). `key` is the action key, hex sha256. `images` is
    how many takes of a single picture are asked for in this one call, the first of them being `take`.
    """

    key: str
    op: str
    model: str
    prompt: str | None
    params: Mapping[str, Any]
    inputs: tuple[Picture, ...]
    members: tuple[str, ...] = ()
    variant: str | None = None
    take: int = 1
    images: int = 1


class Image(NamedTuple):
    """One picture that came back. `member` is "" for a single picture. `data` are the bytes as the vendor gave them, untouched."""

    data: bytes
    media: str  # "image/png", "image/jpeg", "image/webp"
    member: str = ""


class Done(NamedTuple):
    """The action's pictures. `cost` in micro-USD, None when the provider doesn't say. `notes` are the vendor's words worth keeping (JSON)."""

    images: tuple[Image, ...]
    cost: int | None = 0
    notes: Mapping[str, Any] = {}


class Payload(NamedTuple):
    """One request, ready to go: what the journal keeps until the vendor has accepted it, and what a replay sends again, byte for byte. `path` is below
    the base URL, `body` is JSON.
    """

    path: str
    body: bytes


class Uploaded(NamedTuple):
    """An input picture at the vendor: its address, and until when it is there (seconds since the epoch, as the vendor says)."""

    url: str
    expires_at: float


class Submitted(NamedTuple):
    """The vendor has accepted the action; it is paid for from here on."""

    remote_id: str


class Pending(NamedTuple):
    """Not finished. `progress` is 0..1 when the vendor says."""

    progress: float | None = None


class Ready(NamedTuple):
    """Finished at the vendor. `urls` are the pictures' addresses in the order of the request's members (fewer when fewer came), to be fetched at once;
    `cost` in the provider's own unit (credits), None when it doesn't say. `expired`: it was made, and the vendor has deleted it. `notes` are its words
    worth keeping (JSON), without any address. `took` are the seconds from its acceptance to its end, by the vendor's own clock.
    """

    urls: tuple[str, ...]
    cost: float | None = None
    expired: bool = False
    notes: Mapping[str, Any] = {}
    took: float | None = None


class Sent(NamedTuple):
    """What we know of a request whose answer never came: for `find`. `since` is when it was first sent, seconds since the epoch; `known` are the ids of
    jobs that belong to other requests of ours.
    """

    payload: Payload
    model: str
    since: float
    known: frozenset[str] = frozenset()


class Account(NamedTuple):
    """Whose money it is. `balance` in the provider's own unit (credits), None when it doesn't say; `name` is the team's or the user's."""

    name: str
    balance: float | None = None


class Kind(enum.Enum):
    """What kind of failure it was; the core's retry reads only this."""

    AUTH = "auth"  # the key is missing, wrong or inactive, the account is blocked: no other request will do better
    INVALID = "invalid"  # this request can't be carried out as it is
    REFUSED = "refused"  # by moderation: final for this prompt and these pictures
    NO_MONEY = "no_money"  # no credit
    RATE_LIMITED = "rate_limited"  # certainly not accepted; `after` seconds
    TEMPORARY = "temporary"  # certainly not accepted (or nothing was asked for); again later
    UNKNOWN_OUTCOME = "unknown_outcome"  # it may have been accepted
    ACCEPTED_BEFORE = "accepted_before"  # another request was accepted under this idempotency key
    FAILED = "failed"  # accepted, and the vendor couldn't do it: it ended there
    GONE = "gone"  # the vendor knows no such job (under this key)


class ProviderError(AssetbuildError):
    """A provider couldn't do it. `after` are seconds to wait (RATE_LIMITED). `cost` in the provider's own unit, when the vendor says what a failed job
    cost. `needed` and `left` are the credits of NO_MONEY, when the vendor says.
    """

    exit_code = 1

    def __init__(
        self,
        kind: Kind,
        text: str,
        *,
        after: float | None = None,
        hint: str | None = None,
        cost: float | None = None,
        needed: float | None = None,
        left: float | None = None,
    ) -> None:
        super().__init__(text, hint=hint)
        self.kind, self.after, self.cost, self.needed, self.left = kind, after, cost, needed, left


class Answer(NamedTuple):
    """What came back over HTTP. `headers` have lower-case names; `body` is whole, at most 8 MiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer asks to wait (RFC 9110, 10.2.3): a number, or a date, which is held against the sender's own clock if it tells it; a day
    at most. None when it doesn't ask. Header names in lower case.
    """
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.replace(".", "", 1).isdigit():
        return min(DAY, float(said))
    until, now = _date(said), _date(headers.get("date", ""))
    if until is None:
        return None
    return min(DAY, max(0.0, until - (time.time() if now is None else now)))


def _date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None


class Http(Protocol):
    """The vendor's API as a provider sees it: base URL, key and patience are the core's. Never follows a redirect."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        file: tuple[str, Path, str] | None = None,
    ) -> Answer:
        """One exchange. `body` is sent as application/json; `file` as multipart/form-data: field, file, media type. Gives every status. Raises
        ProviderError: TEMPORARY when nothing was sent, UNKNOWN_OUTCOME when something may have been.
        """


class Provider(Protocol):
    """A module with these names is a provider.

    One that makes its pictures on this machine has `done(request) -> Done`, which the core calls in a worker thread, and nothing below `prepare`.
    One that asks a vendor has `prepare` and `send`, and `poll` when `send` gives Submitted. What only some have: `polls` (many jobs at a time),
    `upload` (inputs travel as addresses), `find` (the vendor's jobs can be listed), `jobs`, `account`, `catalogue`. One that isn't built in has
    `MODELS`, its part of the model table in the form of `models.yaml`, and is found by the entry-point group `assetbuild.providers`.
    """

    replay_window: float | None  # seconds in which the same idempotency key gives the same job; None = no such promise
    reproducible: bool  # the same request gives the same bytes, always (comp)
    free: bool  # nothing it makes costs money
    base_url: str | None  # of the vendor's API, without a slash at the end; None = it needs no network
    key_variable: str | None  # the environment variable with the key

    def headers(self, key: str) -> Mapping[str, str]:
        """What every request to the vendor carries."""

    def check(self, request: Request) -> list[str]:
        """Problems that can be known offline, each one line with the way out."""

    def prepare(self, request: Request, urls: Mapping[str, str]) -> Payload:
        """The request as the vendor wants it; `urls` are the inputs' addresses by digest. Pure: the same arguments give the same bytes."""

    async def send(self, payload: Payload, http: Http, idempotency_key: str) -> Submitted | Done:
        """Send it, once. Raises ProviderError."""

    async def poll(self, remote_id: str, http: Http) -> Pending | Ready:
        """Look once. Raises ProviderError: FAILED, REFUSED, GONE, or what `Http.request` raises."""

    async def polls(self, open_: Collection[str], due: int, http: Http) -> Mapping[str, Ready | None]:
        """Which of these jobs are done, in as few exchanges as can be; about `due` of them should be by now. None: only `poll` can tell. Raises
        ProviderError.
        """

    async def upload(self, picture: Picture, http: Http) -> Uploaded:
        """Give the vendor an input picture. Raises ProviderError."""

    async def find(self, sent: Sent, http: Http) -> str | None:
        """The id of the job that a request became, if the vendor lists one; never one of `known`. Raises ProviderError."""

    async def jobs(self, http: Http, since: float) -> list[tuple[str, str, str, float]]:
        """The vendor's jobs since then, newest first: id, status, model, when (seconds since the epoch). Raises ProviderError."""

    async def account(self, http: Http) -> Account:
        """Whose money it is and how much is left. Raises ProviderError."""

    async def catalogue(self, http: Http) -> Mapping[str, float]:
        """The most that one picture of each model costs, in the provider's own unit. Raises ProviderError."""
