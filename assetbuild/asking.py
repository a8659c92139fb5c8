"""Questions to a vendor that buy nothing: what its models cost, whose money it is, which jobs it has. One question, one connection; for commands, not
for the inside of a build.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from .errors import AssetbuildError, ProviderSetupError
from .project import Project
from .providers.base import Account, Kind, ProviderError
from .retrying import FREELY, retried

T = TypeVar("T")
PATIENCE = 20.0  # seconds


def ask(project: Project, provider: str, question: Callable[[Any, Any], Awaitable[T]]) -> T:
    """`question(module, http)`, asked again while the vendor is busy. Raises ProviderError, ProviderSetupError."""
    return asyncio.run(_ask(project, provider, question))


async def _ask(project: Project, provider: str, question: Callable[[Any, Any], Awaitable[T]]) -> T:
    from .wire import Wire  # httpx and aiohttp: 150 ms

    module, settings = project.provider(provider), project.settings(provider)
    if settings.key_variable is not None and settings.key is None:
        raise ProviderSetupError(f"{settings.key_variable} isn't set", hint="it is the key from the vendor's dashboard")
    async with Wire() as wire:
        http = wire.api(settings, module.headers)
        return await retried(lambda: question(module, http), again=FREELY, patience=min(PATIENCE, project.env.patience))


def catalogue(project: Project, provider: str) -> bool:
    """Learns what the provider's models cost at most, for this run. False when it can't say."""
    module = project.provider(provider)
    if getattr(module, "catalogue", None) is None:
        return False
    try:
        project.learn_catalogue(provider, ask(project, provider, lambda one, http: one.catalogue(http)))
    except AssetbuildError:
        return False
    return True


def account(project: Project, provider: str) -> Account | None:
    """Whose money it is; None when the provider can't say. Raises ProviderError, ProviderSetupError."""
    module = project.provider(provider)
    if getattr(module, "account", None) is None:
        return None
    try:
        found: Account = ask(project, provider, lambda one, http: one.account(http))
    except ProviderError as problem:
        if problem.kind in (Kind.AUTH, Kind.NO_MONEY):
            raise
        return None
    return found
