"""The contract between the core and a provider, and nothing else. A provider knows this file, `errors` and httpx."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ..errors import AssetbuildError


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
    """One action, complete. `params` are normalised. `members` are the names of a set (() = one picture). `key` is the action key, hex sha256."""

    key: str
    op: str
    model: str
    prompt: str | None
    params: Mapping[str, Any]
    inputs: tuple[Picture, ...]
    members: tuple[str, ...] = ()
    variant: str | None = None
    take: int = 1


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


class Submitted(NamedTuple):
    """The vendor has accepted the action; it is paid for from here on."""

    remote_id: str


class Pending(NamedTuple):
    """Not finished. `progress` is 0..1 when the vendor says."""

    progress: float | None = None


class Price(NamedTuple):
    """Micro-USD for one purchase; None = unknown. `most` is the most it can become."""

    certain: int | None
    most: int | None


class Kind(enum.Enum):
    """What kind of failure it was; the core's retry reads only this."""

    AUTH = "auth"
    INVALID = "invalid"
    REFUSED = "refused"
    NO_MONEY = "no_money"
    RATE_LIMITED = "rate_limited"
    TEMPORARY = "temporary"
    UNKNOWN_OUTCOME = "unknown_outcome"


class ProviderError(AssetbuildError):
    """A provider couldn't do it. `after` are seconds to wait (RATE_LIMITED)."""

    exit_code = 1

    def __init__(self, kind: Kind, text: str, *, after: float | None = None, hint: str | None = None) -> None:
        super().__init__(text, hint=hint)
        self.kind, self.after = kind, after


class Provider(Protocol):
    """A module with these names is a provider.

    One that makes its pictures on this machine has `done(request) -> Done` as well, which the core calls in a worker thread instead of `submit`. One
    that isn't built in has `MODELS`, its part of the model table in the form of `models.yaml`, and is found by the entry-point group
    `assetbuild.providers`.
    """

    replay_window: float | None  # seconds in which the same idempotency key gives the same job; None = no such promise
    reproducible: bool  # the same request gives the same bytes, always (comp)
    free: bool  # nothing it makes costs money

    def check(self, request: Request) -> list[str]:
        """Problems that can be known offline, each one line with the way out."""

    def estimate(self, request: Request) -> Price:
        """What it will cost."""

    async def submit(self, request: Request, http: Any, idempotency_key: str) -> Submitted | Done:  # noqa: ANN401 - httpx isn't imported here
        """Send it. Raises ProviderError."""

    async def poll(self, remote_id: str, http: Any) -> Pending | Done:  # noqa: ANN401
        """Look once. Raises ProviderError."""
