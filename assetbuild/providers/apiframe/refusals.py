"""Every way in which Apiframe says no, in the core's words.

Facts: the vendor's openapi.json @9f9b4641 and its SDK's errors.ts and http.ts. Where they leave it open, the safer reading is taken: on a request that
buys, whatever isn't clearly a refusal may have been accepted. No text of it holds an address or a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..base import Answer, Kind, ProviderError, retry_after
from .reading import number, object_of, tidy

DASHBOARD = "Apiframe's dashboard (apiframe.ai)"


def refuse(answer: Answer, *, buying: bool = False) -> None:
    """Raises ProviderError for whatever isn't 2xx. `buying`: it answers a request that costs money if it was accepted."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004
        return
    found = object_of(answer) or {}
    said = found.get("error")
    said = said if isinstance(said, str) else ""
    text = tidy(said)
    if status == 401:  # noqa: PLR2004
        raise ProviderError(
            Kind.AUTH,
            f"Apiframe doesn't accept the API key{_quoted(text)}",
            hint=f"set APIFRAME_API_KEY to a key from {DASHBOARD}",
        )
    if status == 402:  # noqa: PLR2004
        raise _no_money(found)
    if status == 403:  # noqa: PLR2004
        raise _forbidden(text)
    if status == 409 and buying:  # noqa: PLR2004
        raise ProviderError(Kind.ACCEPTED_BEFORE, f"Apiframe has accepted another request under this one's number{_quoted(text)}")
    if status == 429:  # noqa: PLR2004
        raise ProviderError(Kind.RATE_LIMITED, "Apiframe asks for fewer requests at a time", after=retry_after(answer.headers))
    if status == 503 and (said or not buying):  # noqa: PLR2004
        # Documented as an outage of queue or database: nothing was queued. A 503 that isn't the API's own JSON is some gateway's, behind which the
        # request may have been carried out.
        raise ProviderError(
            Kind.TEMPORARY, f"Apiframe is out of order just now{_quoted(text)}", after=retry_after(answer.headers)
        )
    if status >= 500 or status in (408, 425) or status < 200:  # noqa: PLR2004
        if buying:
            raise ProviderError(
                Kind.UNKNOWN_OUTCOME, f"Apiframe answered {status}: it may have accepted the request{_quoted(text)}"
            )
        raise ProviderError(Kind.TEMPORARY, f"Apiframe answered {status}{_quoted(text)}", after=retry_after(answer.headers))
    if 300 <= status < 400:  # noqa: PLR2004
        raise ProviderError(
            Kind.INVALID,
            f"Apiframe sends us elsewhere ({status}); no request of ours follows",
            hint="look at `providers.apiframe.base_url` and APIFRAME_BASE_URL",
        )
    details = "; ".join(_details(found))
    if status == 404:  # noqa: PLR2004
        raise ProviderError(
            Kind.INVALID,
            f"Apiframe has nothing at this address{_quoted(text)}",
            hint="look at `providers.apiframe.base_url` and APIFRAME_BASE_URL",
        )
    raise ProviderError(
        Kind.INVALID,
        f"Apiframe refuses the request: {details or text or f'it answered {status}'}",
        hint="change what it names; nothing was charged" if details else "nothing was charged",
    )


def _no_money(found: Mapping[str, Any]) -> ProviderError:
    needed, left = number(found.get("creditsRequired")), number(found.get("creditsAvailable"))
    text, missing = "there is no credit left at Apiframe", ""
    if needed is not None and left is not None:
        text = f"there isn't enough credit at Apiframe: this needs {needed:g} credits, {left:g} are left"
        missing = f"{needed - left:g} credits are missing for it: " if needed > left else ""
    return ProviderError(
        Kind.NO_MONEY, text, hint=f"{missing}add credits in {DASHBOARD}, then build again", needed=needed, left=left
    )


def _forbidden(text: str) -> ProviderError:
    """Always about key or account, whatever words it uses: a blocked account's text may speak of a policy, and isn't a refused picture."""
    folded = text.lower()
    if "inactive" in folded or "deactivat" in folded or "revoked" in folded:
        return ProviderError(
            Kind.AUTH,
            f"the Apiframe API key is inactive{_quoted(text)}",
            hint=f"activate it in {DASHBOARD}, or set APIFRAME_API_KEY to another",
        )
    if "modality" in folded or "image" in folded:
        return ProviderError(
            Kind.AUTH,
            f"pictures are switched off for this team at Apiframe{_quoted(text)}",
            hint=f"an admin of the team can switch them on in {DASHBOARD}; or set APIFRAME_API_KEY to another team's",
        )
    return ProviderError(
        Kind.AUTH,
        f"Apiframe doesn't let this account in{_quoted(text)}",
        hint=f"look into {DASHBOARD}, or set APIFRAME_API_KEY to another account's",
    )


def _details(found: Mapping[str, Any]) -> Iterator[str]:
    """`{"gptImage2Params.quality": ["Invalid"]}` → "`quality`: Invalid"."""
    details = found.get("details")
    if isinstance(details, dict):
        for path, texts in list(details.items())[:5]:
            said = [each for each in (texts if isinstance(texts, list) else [texts]) if isinstance(each, str)]
            name = ".".join(part for part in str(path).split(".") if not part.endswith("Params") and not part.isdigit())
            text = tidy(", ".join(said)) or "not accepted"
            yield f"`{tidy(name)}`: {text}" if name else text


def _quoted(text: str) -> str:
    return f": {text}" if text else ""
