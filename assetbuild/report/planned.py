"""A plan as lines, and as JSON. Reads the records that the build uses, so that the explanation can't drift from the decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..plan import Verb
from .ink import Ink
from .words import change_text, word_diff

if TYPE_CHECKING:
    from ..facts import AssetPlan, StepPlan
    from ..project import Project

_WORDS = {
    Verb.UP_TO_DATE: "up to date",
    Verb.RESTORE: "restore",
    Verb.RESUME: "fetch",
    Verb.WAITING: "after",
    Verb.SKIPPED: "skip",
    Verb.HELD: "waiting",
    Verb.FAILED: "failed",
}
_COUNTED = {
    Verb.RESTORE: "to put back",
    Verb.RESUME: "to fetch",
    Verb.WAITING: "to follow",
    Verb.HELD: "waiting for you",
    Verb.SKIPPED: "skipped",
    Verb.FAILED: "failed",
}
_STYLES = {Verb.GENERATE: "green", Verb.RESTORE: "green", Verb.RESUME: "green", Verb.HELD: "yellow", Verb.FAILED: "red"}
FOLD = 6  # more assets than this with one reason are summed up
ALIKE = 3  # of those, this many are shown


def word(plan: AssetPlan, project: Project) -> str:
    """The verb of a plan's line: draw when it is free, buy when it isn't."""
    if plan.verb is Verb.GENERATE:
        return "draw" if project.table.free(plan.leading.step.provider) else "buy"
    return _WORDS[plan.verb]


def reason(one: StepPlan) -> str:
    """Why, in one line."""
    if one.decision.text:
        return one.decision.text
    labels = [fact.label for fact in one.facts.inputs]
    texts = [change_text(change, labels) for change in one.decision.changes]
    return ", ".join(dict.fromkeys(texts))


def plan_lines(plans: Sequence[AssetPlan], project: Project, ink: Ink, *, everything: bool) -> Iterator[str]:
    """A line an asset that isn't up to date, its prompt's word diff below it; many for one reason are summed up."""
    listed = [p for p in plans if everything or p.verb is not Verb.UP_TO_DATE]
    width = min(max((len(p.asset.id) for p in listed), default=0), 40)
    alike: dict[tuple[str, str], list[AssetPlan]] = {}
    for plan in listed:
        alike.setdefault((word(plan, project), _pattern(reason(plan.leading))), []).append(plan)
    folded: dict[str, str] = {}  # id after which the rest is summed up → the line
    hidden: set[str] = set()
    for (verb, why), group in alike.items():
        if everything or len(group) <= FOLD or verb in ("waiting", "failed"):
            continue
        hidden.update(p.asset.id for p in group[ALIKE:])
        folded[group[ALIKE - 1].asset.id] = f"… and {len(group) - ALIKE:,} more: {why}"
    for plan in listed:
        if plan.asset.id in hidden:
            continue
        yield from _asset_lines(plan, project, ink, width)
        if plan.asset.id in folded:
            yield f"{'':10} {ink('dim', folded[plan.asset.id])}"


def _pattern(why: str) -> str:
    """A reason without its names, by which like ones are summed up."""
    parts = why.split("`")
    return "`…`".join(parts[::2]) if len(parts) > 1 else why


def _asset_lines(plan: AssetPlan, project: Project, ink: Ink, width: int) -> Iterator[str]:
    one = plan.leading
    step = f" (step {one.number + 1} of {len(plan.asset.steps)})" if len(plan.asset.steps) > 1 else ""
    head = ink(_STYLES.get(plan.verb, "dim"), word(plan, project).ljust(10))
    yield f"{head} {ink('bold', plan.asset.id.ljust(width))}  {reason(one)}{step}".rstrip()
    yield from _prompt_diff(one, project, ink)
    if one.decision.hint:
        yield f"{'':10} {ink('dim', 'hint:')} {one.decision.hint}"
    for note in plan.asset.notes:
        yield f"{'':10} {ink('dim', note)}"


def plan_summary(plans: Sequence[AssetPlan], project: Project) -> str:
    """`3 to draw, 2 may follow, 12 up to date`."""
    counts: dict[str, int] = {}
    for plan in plans:
        if plan.verb is Verb.UP_TO_DATE:
            name = "not here, not needed" if plan.leading.decision.row == "9" else "up to date"
        else:
            name = "to " + word(plan, project) if plan.verb is Verb.GENERATE else _COUNTED[plan.verb]
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "the spec has no assets"


def _prompt_diff(one: StepPlan, project: Project, ink: Ink) -> Iterator[str]:
    if one.action is None or not any(c.field == "prompt" for c in one.decision.changes):
        return
    old = old_prompt(one, project)
    new = one.action.manifest.get("prompt")
    if old is None or new is None:
        return
    parts = []
    for kind, text in word_diff(old, new):
        if kind == "gone":
            parts.append(ink("red strike", text) if ink.on else f"[-{text}-]")
        elif kind == "new":
            parts.append(ink("green bold", text) if ink.on else f"{{+{text}+}}")
        else:
            parts.append(ink("dim", text))
    yield f"{'':10} {' '.join(parts)}"


def old_prompt(one: StepPlan, project: Project) -> str | None:
    """The prompt that the locked picture was made from, as its manifest in the store has it; None in a clone without a store."""
    store = project.look_store()
    if store is None or one.facts.locked is None or not store.cas.has(one.facts.locked.key):
        return None
    prompt = json.loads(store.cas.read(one.facts.locked.key)).get("prompt")
    return prompt if isinstance(prompt, str) else None


def plan_json(plans: Sequence[AssetPlan], project: Project) -> dict[str, Any]:
    """The shape of `schemas/plan.schema.json`."""
    assets = []
    for plan in plans:
        one = plan.leading
        entry: dict[str, Any] = {
            "id": plan.asset.id,
            "decision": plan.verb.value,
            "row": one.decision.row,
            "reason": reason(one),
            "outputs": list(plan.asset.outputs),
            "steps": len(plan.asset.steps),
            "step": one.number + 1,
            "key": one.action.key if one.action else None,
        }
        if one.decision.hint:
            entry["hint"] = one.decision.hint
        if one.decision.changes:
            entry["changes"] = [c.field for c in one.decision.changes]
            old = old_prompt(one, project)
            if old is not None and one.action is not None:
                entry["prompt"] = {"old": old, "new": one.action.manifest.get("prompt")}
        if plan.asset.notes:
            entry["notes"] = list(plan.asset.notes)
        assets.append(entry)
    counts: dict[str, int] = {}
    for plan in plans:
        counts[plan.verb.value] = counts.get(plan.verb.value, 0) + 1
    return {"version": 1, "assets": assets, "counts": counts}
