"""What a provider is asked with: its address, its key, how much at once and what a credit is worth. From the spec, the environment and the provider
itself; knows no request and no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .digest import sha256
from .hosts import host_of
from .pricing import CREDIT_USD
from .providers.base import Provider
from .spec.model import Service

CONCURRENCY = 50  # jobs open at a vendor at once
PER_MINUTE = 300  # requests


class Settings(NamedTuple):
    """One provider's. `host` is None for the vendor's own address, else what results are recorded with (any loopback address is one host). `key` is
    None when there is none; it is in no message and no repr.
    """

    provider: str
    base_url: str | None
    host: str | None
    concurrency: int
    per_minute: int
    credit_usd: float
    prices: Mapping[str, Mapping[str, float]]
    key: str | None
    key_variable: str | None

    @property
    def account(self) -> str:
        """By which the journal knows whether it is still the same key: a few digits of its sha256, "" without a key."""
        return "" if self.key is None else sha256(self.key.encode())[:12]

    def __repr__(self) -> str:
        """Without the key."""
        return f"Settings({self.provider}, {self.base_url})"


def settings(name: str, provider: Provider, service: Service, environ: Mapping[str, str]) -> Settings:
    """`NAME_BASE_URL` of the environment beats the spec, which beats the vendor's own address."""
    own = getattr(provider, "base_url", None)
    given = environ.get(f"{name.upper().replace('-', '_')}_BASE_URL") or service.base_url
    base = (given or own or "").rstrip("/") or None
    host = None
    if base is not None and base != own:
        host = host_of(base)
    variable = getattr(provider, "key_variable", None)
    return Settings(
        name,
        base,
        host,
        service.concurrency or CONCURRENCY,
        service.requests_per_minute or PER_MINUTE,
        service.credit_usd or CREDIT_USD,
        service.prices,
        (environ.get(variable) or "").strip() or None if variable else None,
        variable,
    )
