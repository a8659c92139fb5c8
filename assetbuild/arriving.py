"""What came of a job, as results: takes with their blobs, their share of the bill, and what is wrong with them. Pure; knows no vendor and no store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .pricing import share
from .store import Blob, Take
from .store.journal import Job


def takes_of(
    job: Job, landed: Mapping[int, Blob], cost: int | None, notes: Mapping[str, Any], now: float
) -> tuple[list[Take], str]:
    """A job's pictures as results: one take of a set, or a take for each picture; and what is wrong with them. What is wrong stands in the take's notes
    under `flaw`, so that it is never served unasked.
    """
    blobs = [landed[place] for place in sorted(landed)]
    other = sorted({blob.media for blob in blobs if job.media and blob.media != job.media})
    flaw = f"sent {', '.join(_short(one) for one in other)}, asked {_short(job.media)}" if other else ""
    short = len(blobs) < job.images
    if short:
        flaw = f"paid, {len(blobs)} of {job.images} came" + (f"; {flaw}" if flaw else "")
    made_by = f"{job.provider}/{job.model}"

    def take(number: int, some: Sequence[Blob], part: int | None, wrong: str) -> Take:
        words = {**notes, **({"flaw": wrong} if wrong else {})}
        return Take(job.key, number, job.key_version, tuple(some), made_by, job.host, part, now, words)

    if job.members:
        return [take(job.take, blobs, cost, flaw)], flaw
    shares: list[int | None] = [None] * len(blobs) if cost is None else [*share(cost, len(blobs))]
    wrong = [f"sent {_short(b.media)}, asked {_short(job.media)}" if job.media and b.media != job.media else "" for b in blobs]
    return [take(job.take + n, [blob], shares[n], wrong[n]) for n, blob in enumerate(blobs)], flaw


def plain(notes: object) -> dict[str, Any]:
    """A provider's notes as JSON can say them: a slip there must not cost the picture that they came with."""
    try:
        text = json.dumps(dict(notes), default=str, skipkeys=True, ensure_ascii=False)  # type: ignore[call-overload]
        found: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
    except (TypeError, ValueError, RecursionError):
        return {"unreadable": ascii(notes)[:1000]}
    return found


def _short(media: str) -> str:
    return media.removeprefix("image/")
