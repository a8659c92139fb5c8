"""The exports of a plan as lines and as JSON: what is to be made, grouped by asset, and what is in the way. Reads the records that the build uses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..plan import Verb
from .flow import flow, name_column, row
from .ink import Ink

if TYPE_CHECKING:
    from ..facts import AssetPlan
    from ..leaves import ExportPlan

NAMES = 3  # exports of an asset that are named for one reason
FOLD = 6  # more assets than this with exports for one reason are summed up
ALIKE = 3
ENLARGED = 2.0
_VERB = 10
_WORDS = {Verb.GENERATE: "export", Verb.RESTORE: "restore", Verb.HELD: "waiting", Verb.FAILED: "failed"}
_STYLES = {Verb.GENERATE: "green", Verb.RESTORE: "green", Verb.HELD: "yellow", Verb.FAILED: "red"}


def export_lines(plans: Sequence[AssetPlan], ink: Ink, *, columns: int = 0, everything: bool = False) -> Iterator[str]:
    """A line for each asset and reason; many assets with the same exports for the same reason are summed up."""
    rows = [(plan.asset.id, verb, text, some) for plan in plans for (verb, text), some in _grouped(plan).items()]
    counts: dict[tuple[Verb, str], int] = {}
    for _, verb, text, some in rows:
        key = verb, _sentence(text, some)
        counts[key] = counts.get(key, 0) + 1
    seen: dict[tuple[Verb, str], int] = {}
    column = name_column((name for name, *_ in rows[:200]), columns) if rows else 0
    for name, verb, text, some in rows:
        key = verb, _sentence(text, some)
        seen[key] = seen.get(key, 0) + 1
        folded = not everything and verb in (Verb.GENERATE, Verb.RESTORE) and counts[key] > FOLD
        if folded and seen[key] > ALIKE:
            continue
        head = ink(_STYLES[verb], _WORDS[verb].ljust(_VERB)) + " "
        yield from row(name, column, [("", key[1])], ink, columns, head, _VERB + 1)
        if hint := some[0].decision.hint:
            first, *block = hint.split("\n")  # lines to be written into a spec keep their form
            yield from _below([("dim", "hint:"), ("", first)], ink, columns)
            yield from (" " * (_VERB + 3) + line for line in block)
        if folded and seen[key] == ALIKE:
            yield from _below([("dim", f"… and {counts[key] - ALIKE:,} more: {key[1]}")], ink, columns)


def _grouped(plan: AssetPlan) -> dict[tuple[Verb, str], list[ExportPlan]]:
    found: dict[tuple[Verb, str], list[ExportPlan]] = {}
    for one in plan.exports:
        if one.decision.verb in _WORDS:
            found.setdefault((one.decision.verb, one.decision.text), []).append(one)
    return found


def _sentence(text: str, some: Sequence[ExportPlan]) -> str:
    """`web, print: new`."""
    names = list(dict.fromkeys(one.export.name for one in some))
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{', '.join(names[:NAMES])}{more}: {text}"


def _below(parts: Sequence[tuple[str, str]], ink: Ink, columns: int) -> Iterator[str]:
    return flow(" " * (_VERB + 1), _VERB + 1, parts, ink, columns, _VERB + 1)


def export_counts(plans: Sequence[AssetPlan]) -> dict[str, int]:
    """How many files are to be made, wait or can't be made, in the words of the plan's last line."""
    counts = {"to export": 0, "waiting for you": 0, "failed": 0}
    for plan in plans:
        for one in plan.exports:
            if one.decision.verb in (Verb.GENERATE, Verb.RESTORE, Verb.WAITING):
                counts["to export"] += 1
            elif one.decision.verb is Verb.HELD:
                counts["waiting for you"] += 1
            elif one.decision.verb is Verb.FAILED:
                counts["failed"] += 1
    return counts


def enlarged(plans: Sequence[AssetPlan]) -> str:
    """One line that sums up what is enlarged so much that it shows; "" when nothing is."""
    some = [one for plan in plans for one in plan.exports if one.decision.verb is Verb.GENERATE and one.facts.scale > ENLARGED]
    if not some:
        return ""
    most = sorted(some, key=lambda one: -one.facts.scale)
    names = ", ".join(f"{one.label} {one.facts.scale:.1f}×" for one in most[:NAMES])
    more = f" and {len(some) - NAMES:,} more" if len(some) > NAMES else ""
    what = "1 export enlarges its picture" if len(some) == 1 else f"{len(some):,} exports enlarge their pictures"
    return f"{what} more than twice, which shows: {names}{more} (`then: [{{op: upscale}}]` makes a larger picture)"


def export_json(one: ExportPlan) -> dict[str, Any]:
    """One export in `plan --json`."""
    entry: dict[str, Any] = {
        "name": one.export.name,
        "path": one.export.path,
        "decision": one.decision.verb.value,
        "row": one.decision.row,
        "reason": one.decision.text,
    }
    if one.export.member:
        entry["member"] = one.export.member
    if one.decision.hint:
        entry["hint"] = one.decision.hint
    return entry
