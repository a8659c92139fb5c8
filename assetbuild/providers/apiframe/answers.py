"""What Apiframe answers, in the core's words: jobs, uploads, the account, prices. Of what it asks and when it asks again it knows nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..base import Account, Answer, Kind, Pending, ProviderError, Ready, Submitted, Uploaded
from .reading import number, object_of, tidy, when
from .refusals import refuse

# What a moderation's refusal says; the vendor has no code for it (PROVIDERS: "content policy violation" is the one text its docs quote).
_MODERATED = re.compile(
    r"content[ _-]?(?:policy|filter|moderat|violat)|moderat|safety(?!_)|nsfw|\bflagged\b|violat|sensitive content|inappropriate|prohibited content"
    r"|disallowed|usage polic|responsible ai|not allowed by our",
    re.IGNORECASE,
)
_PLACES = (
    "images",
    "image",
    "urls",
    "output",
    "imageUrl",
    "image_url",
    "url",
)  # where a result's addresses may stand, in this order


def submitted(answer: Answer) -> Submitted:
    """The job a request became. A replay's answer may say that it has ended already; polling tells. Raises ProviderError."""
    refuse(answer, buying=True)
    found = object_of(answer)
    remote = found.get("jobId", found.get("id")) if found is not None else None
    if not isinstance(remote, str) or not remote.strip(".") or len(remote) > 200 or not remote.isprintable():  # noqa: PLR2004
        raise ProviderError(Kind.UNKNOWN_OUTCOME, f"Apiframe answered {answer.status} without the job's number")
    return Submitted(remote)


def job(answer: Answer) -> dict[str, Any]:
    """One job, as the vendor describes it. Raises ProviderError."""
    if answer.status in (400, 404):  # 400: "`id` is not a valid UUID", so no job of theirs has it
        raise ProviderError(
            Kind.GONE,
            "Apiframe knows no such job under this API key",
            hint="it may belong to another key: set APIFRAME_API_KEY to the one it was sent with",
        )
    refuse(answer)
    found = object_of(answer)
    if found is None or not isinstance(found.get("status"), str):
        raise _unreadable(answer)
    return found


def state(found: Mapping[str, Any]) -> Pending | Ready:
    """Where a job stands. Raises ProviderError: REFUSED or FAILED, with what it cost."""
    status = str(found["status"]).upper()
    cost = number(found.get("creditCost"))
    urls = tuple(addresses(found.get("result")))
    ended = found.get("completedAt") is not None
    if status not in ("QUEUED", "PROCESSING", "COMPLETED", "FAILED", "CANCELLED"):
        # A word of a later API. A job that has pictures is finished and one with an error has failed, if it has ended at all; anything else is waited
        # for: looking again costs nothing, giving up would lose what was paid for.
        status = ("COMPLETED" if urls else "FAILED" if found.get("error") else "PROCESSING") if ended else "PROCESSING"
    if status in ("QUEUED", "PROCESSING"):
        progress = number(found.get("progress"))
        return Pending(None if progress is None else min(1.0, progress / 100))
    if status == "COMPLETED":
        begun, end = when(found.get("createdAt")), when(found.get("completedAt"))
        took = end - begun if begun is not None and end is not None and end > begun else None
        return Ready(urls, cost, found.get("expired") is True, _notes(found), took)
    if status == "CANCELLED":
        raise ProviderError(Kind.FAILED, "the job was cancelled at Apiframe", cost=cost, hint="build again to send it anew")
    said = found.get("error")
    text = tidy(said) if isinstance(said, str) else ""
    if isinstance(said, str) and _MODERATED.search(said):
        raise ProviderError(
            Kind.REFUSED, f"refused by moderation: {text}", cost=cost, hint="change the prompt or the pictures it is given"
        )
    raise ProviderError(
        Kind.FAILED, f"Apiframe couldn't do it: {text or 'it gives no reason'}", cost=cost, hint="build again to try anew"
    )


def addresses(result: object) -> Iterator[str]:
    """The pictures of a result: an object with `images`, a list, or one address (the vendor's schema leaves it open, its documents show all)."""
    if isinstance(result, str):
        if result.strip():
            yield result.strip()
    elif isinstance(result, list):
        for each in result:
            yield from addresses(each)
    elif isinstance(result, dict):
        for place in _PLACES:
            found = list(addresses(result.get(place)))
            if found:
                yield from found
                return
        yield from addresses(result.get("gridUrl"))  # all in one picture, when nothing else came


def uploaded(answer: Answer) -> Uploaded:
    """An input's address. Raises ProviderError."""
    refuse(answer)
    found = object_of(answer)
    url = found.get("url") if found is not None else None
    if not isinstance(url, str) or not url:
        raise _unreadable(answer)
    until = when(found.get("expiresAt")) if found is not None else None
    return Uploaded(url, 0.0 if until is None else until)  # never used again, when it isn't said until when it could be


def listed(answer: Answer) -> tuple[list[dict[str, Any]], str | None]:
    """A page of jobs, newest first, and the cursor of the next one. Raises ProviderError."""
    refuse(answer)
    found = object_of(answer)
    jobs = found.get("jobs") if found is not None else None
    if found is None or not isinstance(jobs, list):
        raise _unreadable(answer)
    cursor = found.get("nextCursor") if found.get("hasMore") is not False else None
    whole = [each for each in jobs if isinstance(each, dict) and isinstance(each.get("id"), str)]
    return whole, cursor if isinstance(cursor, str) and cursor else None


def account(answer: Answer) -> Account:
    """Whose money it is. Raises ProviderError."""
    refuse(answer)
    found = object_of(answer)
    if found is None:
        raise _unreadable(answer)
    team, user = found.get("team"), found.get("user")
    if isinstance(team, dict):
        return Account(tidy(str(team.get("name") or "")) or "your team", number(team.get("credits")))
    return Account(tidy(str(user.get("email") or "")) if isinstance(user, dict) else "", None)


def catalogue(answer: Answer) -> dict[str, float]:
    """`costMax` of each model that has one. Raises ProviderError."""
    refuse(answer)
    found = object_of(answer)
    models = found.get("models") if found is not None else None
    if not isinstance(models, list):
        raise _unreadable(answer)
    prices = {}
    for each in models:
        most = number(each.get("costMax")) if isinstance(each, dict) else None
        if most is not None and isinstance(each.get("id"), str):
            prices[each["id"]] = most
    return prices


def _notes(found: Mapping[str, Any]) -> dict[str, Any]:
    """What is worth keeping of a finished job: no address is among it."""
    kept = {name: found[name] for name in ("creditCost", "createdAt", "completedAt") if isinstance(found.get(name), (str, int))}
    return {name: tidy(value) if isinstance(value, str) else value for name, value in kept.items()}


def _unreadable(answer: Answer) -> ProviderError:
    return ProviderError(Kind.TEMPORARY, f"Apiframe answered {answer.status} with something that can't be read")
