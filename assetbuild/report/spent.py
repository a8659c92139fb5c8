"""`cost` as lines: the table, what came to nothing, what isn't settled. Knows no store and no journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..pricing import credits_text, usd
from .flow import flow, name_column, row
from .ink import Ink
from .measures import count_text, pad, when_text

Record = dict[str, Any]
_WASTE = {
    "superseded": ("picture or set that no asset uses any more", "pictures and sets that no asset uses any more"),
    "rejected": ("rejected", "rejected"),
    "refused": ("refused by moderation", "refused by moderation"),
    "failed": ("failed, and billed all the same", "failed, and billed all the same"),
    "lost": ("deleted by the vendor before it was fetched", "deleted by the vendor before they were fetched"),
}
_WAITING = {
    "not chosen": (
        "picture or set not chosen yet: `assetbuild takes` lists it",
        "pictures and sets not chosen yet: `assetbuild takes` lists them",
    ),
    "not placed": (
        "picture or set that the next `assetbuild build` puts in its place",
        "pictures and sets that the next `assetbuild build` puts in their places",
    ),
}
_PENDING = {
    "running": (
        "still running: the next `assetbuild build` fetches it",
        "still running: the next `assetbuild build` fetches them",
    ),
    "in doubt": ("in doubt: it may have been made and paid for", "in doubt: they may have been made and paid for"),
}


def nothing_line(answer: Record) -> str:
    """When the table is empty."""
    whose = f" for {answer['project']}" if answer["project"] else ""
    since = f" since {_day(answer['since_at'])}" if answer["since_at"] is not None else " yet"
    what = "nothing was rehearsed" if answer["rehearsal"] else "nothing was bought"
    return f"{what} on this machine{whose}{since}" + _apart(answer)


def spend_lines(answer: Record, ink: Ink, columns: int) -> Iterator[str]:
    """The answer of `cost`, as in its schema, with `since_at` in seconds. `columns` 0: no terminal, nothing is wrapped."""
    yield from flow("", 0, [("", _head(answer))], ink, columns, 2)
    rows, total = answer["rows"], answer["total"]
    if rows:
        yield ""
        names = [one["name"] or f"(no {answer['by']})" for one in rows]
        shown = [*rows, total] if len(rows) > 1 and answer["by"] != "tag" else rows
        names += ["in all"] if len(shown) > len(rows) else []
        column = name_column(names, columns)
        money = _aligned([one["cost"] for one in shown])
        counts = [count_text(one["pictures"], "picture") for one in shown]
        second = max(map(len, counts))
        for name, count, cost in zip(names, counts, money, strict=True):
            yield from row(name, column, [("", pad(count, second) + "  " + cost)], ink, columns, "  ", 2)
    yield from _block("paid, and not in use", answer["waste"], _WASTE, "cost", ink, columns)
    yield from _block("paid, and not in use yet", answer["waiting"], _WAITING, "cost", ink, columns)
    yield from _block("not settled", answer["pending"], _PENDING, "reserved", ink, columns)


def notes(answer: Record) -> Iterator[str]:
    """What has to be known to read the table right."""
    if answer["by"] == "tag" and any(one["name"] for one in answer["rows"]):
        yield "a picture with several tags stands under each of them"
    if answer["by"] == "day":
        yield f"days in this machine's time zone ({answer['zone']})"
    if answer["assumed"]:
        yield f"{count_text(answer['assumed'], 'purchase')} without a bill: counted as planned"
    if answer["unknown"]:
        yield f"{count_text(answer['unknown'], 'purchase')} of unknown price, without a bill: counted as nothing"
    for path in answer["unread"]:
        yield f"can't read {path}: what only that uses counts as not in use"


def _head(answer: Record) -> str:
    total = answer["total"]
    whose = f" for {answer['project']}" if answer["project"] else ", all projects"
    since = f" since {_day(answer['since_at'])}" if answer["since_at"] is not None else ""
    credits = f" ({credits_text(answer['credits'])})" if answer["credits"] else ""
    what = f"{usd(total['cost'])}{credits}, {count_text(total['pictures'], 'picture')}"
    if answer["rehearsal"]:
        return f"billed by an emulator{whose}{since}: {what}; no money" + _apart(answer)
    return f"spent on this machine{whose}{since}: {what}" + _apart(answer)


def _day(at: float) -> str:
    """The day, with the time unless it begins there."""
    return when_text(at).removesuffix(" 00:00")


def _apart(answer: Record) -> str:
    if not answer["apart"]:
        return ""
    pictures = count_text(answer["apart"], "picture")
    return f" (and {pictures} for money)" if answer["rehearsal"] else f" (and {pictures} from an emulator, for nothing)"


def _block(
    title: str, some: Sequence[Record], words: dict[str, tuple[str, str]], money: str, ink: Ink, columns: int
) -> Iterator[str]:
    if not some:
        return
    yield ""
    yield f"{title}: {usd(sum(one[money] for one in some))}"
    texts = _aligned([one[money] for one in some])
    for one, text in zip(some, texts, strict=True):
        count = one["count"]
        said = f"{count:,} {words[one['kind']][count != 1]}"
        if unknown := one.get("unknown"):
            said += f" ({unknown:,} of unknown price)"
        yield from row(text, len(text), [("", said)], ink, columns, "  ", 2)


def _aligned(costs: Sequence[int]) -> list[str]:
    """Amounts of money, one below the other by their points."""
    parts = [usd(cost).partition(".") for cost in costs]
    left, right = (max(len(part[side]) for part in parts) for side in (0, 2))
    return [f"{whole:>{left}}{point or ' '}{rest:<{right}}" if right else f"{whole:>{left}}" for whole, point, rest in parts]
