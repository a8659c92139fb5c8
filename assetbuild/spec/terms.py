"""On what terms pictures may be bought: the budget, and what a project says of the providers it buys from. Knows amounts, addresses and
the model table's names of providers, models and prices. It knows no purchase, and of the environment only what to tell users.
"""

from __future__ import annotations

import re
from typing import Any, get_args

from .marks import Map
from .model import Budget, ModelTable, Op, Service
from .problems import Problems
from .scalars import scalar
from .sources import Document

MICRO = 1_000_000  # micro-USD in a USD
DECIMALS = 4  # of an amount in USD
OPS: tuple[Op, ...] = tuple(op for op in get_args(Op) if op not in ("compose", "cut"))  # what providers do


def read_budget(root: Document, problems: Problems) -> Budget:
    """The standing limits of a root spec whose shape is right."""
    held = root.part("budget")
    if not held:
        return Budget()
    from decimal import Decimal  # most specs have none

    found: dict[str, int] = {}
    for name, value in held.items():
        exact = Decimal(
            repr(value) if isinstance(value, float) else int(value)
        )  # as it is written: a float of 64 bits has no 0.1
        if exact != round(exact, DECIMALS):
            said = f"`{name}` in `budget` has more than {DECIMALS} decimals"
            problems.on(held, name, said, "an amount is in USD, such as `5.00` or `0.25`")
            continue
        found[name] = int(exact * MICRO)
    return Budget(**found)


def read_services(root: Document, table: ModelTable, problems: Problems) -> dict[str, Service]:
    """What a root spec whose shape is right says of each provider."""
    held = root.part("providers")
    found: dict[str, Service] = {}
    for name, fields in held.items():
        if not table.knows(name):
            bought = [each for each in table.providers() if not table.free(each)]
            hint = "known: " + ", ".join(f"`{each}`" for each in bought) if bought else "take it out: none here costs money"
            problems.on(held, name, f"no provider is called `{name}`{problems.near(name, table.providers())}", hint, on="key")
        elif table.free(name):
            problems.on(
                held, name, f"`{name}` costs nothing and asks nobody, so there is nothing to set", "take it out", on="key"
            )
        else:
            found[name] = Service(
                base_url=_address(fields, name, problems),
                concurrency=_whole(fields.get("concurrency")),
                requests_per_minute=_whole(fields.get("requests_per_minute")),
                credit_usd=None if "credit_usd" not in fields else float(fields["credit_usd"]),
                prices=_prices(fields, name, table, problems),
            )
    return found


def _whole(value: Any) -> int | None:  # noqa: ANN401 - a number of YAML: 50 or 50.0
    return None if value is None else int(value)


# ---- the address ---------------------------------------------------------------------------------------------------------------


def _address(fields: Map, provider: str, problems: Problems) -> str | None:
    """`base_url`, without a slash at its end; None when there is none, or after a problem."""
    if "base_url" not in fields:
        return None
    written = str(fields["base_url"]).strip()
    fault = _address_fault(written, provider)
    if fault is None:
        return written.rstrip("/")
    problems.on(fields, "base_url", fault[0], fault[1])
    return None


def _address_fault(written: str, provider: str) -> tuple[str, str] | None:
    """What is wrong with an address, and the way out. Names no more of it than the host: it may hold a password."""
    from urllib.parse import urlsplit  # seldom needed

    variable = f"{provider.upper().replace('-', '_')}_BASE_URL"
    if "${" in written:
        return "`${…}` isn't put in here", f"write the address, or set `{variable}` in the environment"
    if not written.isascii() or not written.isprintable() or re.search(r"[\s\\<>{}|^`\"]", written):
        return "`base_url` holds a character that no address has", "write it as `https://HOST`"
    scheme, colon, rest = written.partition("://")
    if not colon:
        host = written.split("/", 1)[0]
        whole = f"https://{host}" if re.fullmatch(r"[\w.-]+(:[0-9]+)?", host) else "https://HOST"
        return "`base_url` has no `https://`", f"write `base_url: {whole}`"
    if scheme.lower() not in ("https", "http"):
        return f"`base_url` starts with `{scheme[:20]}://`", "write it as `https://HOST`"
    try:
        parts = urlsplit(written)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "`base_url` is no address", "write it as `https://HOST` or `https://HOST:PORT`"
    if not host or not rest:
        return "`base_url` names no host", "write it as `https://HOST`"
    if "@" in parts.netloc:
        key = f"{provider.upper().replace('-', '_')}_API_KEY"
        return "`base_url` holds a user name or password", f"take out what stands before the `@`; the key is read from `{key}`"
    if "?" in written or "#" in written:
        return "`base_url` goes on after a `?` or `#`", "end it before that: paths are put behind it"
    if scheme.lower() == "http" and not _loopback(host):
        return (
            f"`http://{host}` isn't encrypted: your key could be read on the way",
            "write `https://`; `http://` is for this machine only: `http://127.0.0.1:8787`",
        )
    return None


def _loopback(host: str) -> bool:
    """Whether a host is this machine, whatever a name server says (`127.evil.example` is a name)."""
    from ipaddress import ip_address  # seldom needed

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


# ---- prices --------------------------------------------------------------------------------------------------------------------


def _prices(fields: Map, provider: str, table: ModelTable, problems: Problems) -> dict[str, dict[str, float]]:
    """The user's own prices: by model, then by value ("" for any)."""
    found: dict[str, dict[str, float]] = {}
    held = fields.get("prices")
    if not isinstance(held, Map):
        return found
    for model, price in held.items():
        models = table.models(provider)
        if model not in models:
            near = problems.near(model, models)
            some = ", ".join(f"`{each}`" for each in models[:8])
            problems.on(
                held, model, f"`{provider}` has no model `{model}`{near}", f"it has {some}{' …' if models[8:] else ''}", on="key"
            )
        elif not isinstance(price, Map):
            found[model] = {"": float(price)}
        else:
            _check_values(price, provider, model, table, problems)
            found[model] = {value: float(each) for value, each in price.items()}
    return found


def _check_values(price: Map, provider: str, model: str, table: ModelTable, problems: Problems) -> None:
    """Says which values of a price by value aren't those that the model's price depends on."""
    by = (table.prices(provider, model) or {}).get("by")
    if by is None:
        return  # then it is whichever parameter has such a value
    for value in price:
        if not any(_has_value(table, provider, model, op, by, value) for op in OPS):
            each = table.prices(provider, model) or {}
            near = problems.near(value, each["each"])
            some = ", ".join(f"`{one}`" for one in each["each"])
            problems.on(price, value, f"`{value}` is no `{by}` of {model}{near}", f"it has {some}", on="key")


def _has_value(table: ModelTable, provider: str, model: str, op: Op, param: str, value: str) -> bool:
    if not table.has(provider, model, op, param):
        return False
    return any(not table.normalise(provider, model, op, {param: each})[1] for each in (value, scalar(value)))
