"""A plan as lines, and as JSON. Reads the records that the build uses, so that the explanation can't drift from the decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..plan import Verb
from ..spec.model import HERE
from .exported import export_counts, export_json, export_lines
from .flow import ALIKE, flow, for_all, likeness, name_column, nameless, row
from .ink import Ink
from .words import change_texts, paragraphs, word_diff

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
FOLD = 6  # more assets than this that are made for one reason are summed up
_VERB = 10  # columns of what is to be done


def word(plan: AssetPlan, project: Project) -> str:
    """The verb of a plan's line: draw when it is free, buy when it isn't; compose or cut what is made here."""
    if plan.verb is Verb.GENERATE and plan.leading.step.provider == HERE:
        return plan.leading.step.op
    if plan.verb is Verb.GENERATE:
        return "draw" if project.table.free(plan.leading.step.provider) else "buy"
    return _WORDS[plan.verb]


def remark(plan: AssetPlan) -> str:
    """What a person may still want to do about a picture that is up to date: `3 takes, none chosen`."""
    one = plan.leading.decision
    return one.text if plan.verb is Verb.UP_TO_DATE and one.row == "4" else ""


def reason(one: StepPlan) -> str:
    """Why, in one line."""
    if one.decision.text:
        return one.decision.text
    labels = [fact.label for fact in one.facts.inputs]
    return ", ".join(change_texts(one.decision.changes, labels))


def plan_lines(
    plans: Sequence[AssetPlan],
    project: Project,
    ink: Ink,
    *,
    everything: bool,
    columns: int = 0,
    prices: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """A line an asset that isn't up to date, its prompt's word diff below it; many for one reason are summed up. `columns` is the
    terminal's width (0: no terminal, nothing is wrapped). `prices` are what the purchases of an asset cost, by id.
    """
    listed = [p for p in plans if everything or p.verb is not Verb.UP_TO_DATE or remark(p)]
    alike: dict[tuple[str, str], list[AssetPlan]] = {}
    for plan in listed:
        alike.setdefault((word(plan, project), _pattern(plan)), []).append(plan)
    held = [group for group in alike.values() if group[0].verb is Verb.HELD]
    folded: dict[str, tuple[str, str]] = {}  # id after which the rest is summed up → the line, and the way out for all
    hidden: set[str] = set()
    quiet: set[str] = set()  # their way out is told with the others'
    for (verb, why), group in alike.items():
        waits = group[0].verb is Verb.HELD
        if everything or verb == "failed" or len(group) <= (ALIKE if waits else FOLD):
            continue
        names = [p.asset.id for p in group]
        hidden.update(names[ALIKE:])
        quiet.update(names)
        whole = len(plans) >= len(project.assets)  # `'*'` means all of them
        every = whole and len(held) == 1 and all(p.verb in (Verb.HELD, Verb.SKIPPED) for p in plans)
        way = for_all(group[0].leading.decision.hint, names[0], every=every)
        folded[names[ALIKE - 1]] = f"… and {len(group) - ALIKE:,} more: {why}", way
    column = name_column((p.asset.id for p in listed if p.asset.id not in hidden), columns)
    told: set[str] = set()  # hints and notes: each is said once
    for plan in listed:
        if plan.asset.id in hidden:
            continue
        price = (prices or {}).get(plan.asset.id, "")
        yield from _asset_lines(plan, project, ink, columns, column, price=price)
        below = [("hint:", plan.leading.decision.hint)] if plan.asset.id not in quiet and plan.leading.decision.hint else []
        for label, text in (*below, *(("", note) for note in plan.asset.notes)):
            if text not in told:
                told.add(text)
                yield from _below([("dim", label), ("", text)] if label else [("dim", text)], ink, columns)
        if plan.asset.id in folded:
            more, way = folded[plan.asset.id]
            yield from _below([("dim", more)], ink, columns)
            if way:
                yield from _below([("dim", "hint:"), ("", way)], ink, columns)
    yield from export_lines(plans, ink, columns=columns, everything=everything)


def _pattern(plan: AssetPlan) -> str:
    """A reason without its names, by which like ones are summed up."""
    like = likeness if plan.verb in (Verb.HELD, Verb.SKIPPED) else nameless
    return like(reason(plan.leading))


def _asset_lines(plan: AssetPlan, project: Project, ink: Ink, columns: int, column: int, *, price: str) -> Iterator[str]:
    one = plan.leading
    step = f" (step {one.number + 1} of {len(plan.asset.steps)})" if len(plan.asset.steps) > 1 else ""
    head = ink(_STYLES.get(plan.verb, "dim"), word(plan, project).ljust(_VERB)) + " "
    cost = [("", f"{price} ")] if price else []
    yield from row(plan.asset.id, column, [*cost, ("", reason(one) + step)], ink, columns, head, _VERB + 1)
    yield from _prompt_diff(one, project, ink, columns)


def _below(parts: Sequence[tuple[str, str]], ink: Ink, columns: int) -> Iterator[str]:
    """Lines that belong to the asset above."""
    return flow(" " * (_VERB + 1), _VERB + 1, parts, ink, columns, _VERB + 1)


def plan_summary(plans: Sequence[AssetPlan], project: Project, *, priced: bool = False) -> str:
    """`3 to draw, 2 to follow, 12 up to date`. `priced`: those that are to be bought are told of elsewhere, with their price; "" if that is all."""
    counts: dict[str, int] = {}
    for plan in plans:
        if priced and any(_bought(one, project) for one in plan.steps):
            continue
        if plan.verb is Verb.UP_TO_DATE:
            name = "not here, not needed" if plan.leading.decision.row == "9" else "up to date"
        else:
            name = "to " + word(plan, project) if plan.verb is Verb.GENERATE else _COUNTED[plan.verb]
        counts[name] = counts.get(name, 0) + 1
    for name, count in export_counts(plans).items():
        if count:
            counts[name] = counts.get(name, 0) + count
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or ("" if plans else "the spec has no assets")


def _bought(one: StepPlan, project: Project) -> bool:
    return one.decision.verb in (Verb.GENERATE, Verb.WAITING) and not project.table.free(one.step.provider)


def _prompt_diff(one: StepPlan, project: Project, ink: Ink, columns: int) -> Iterator[str]:
    if one.action is None or not any(c.field == "prompt" for c in one.decision.changes):
        return
    old, new = old_prompt(one, project), paragraphs(one.action.manifest)
    if old is None or new is None:
        return
    parts = []
    for kind, text in word_diff(old, new):
        if kind == "gone":
            parts.append(("red", f"[-{text}-]"))
        elif kind == "new":
            parts.append(("green", f"{{+{text}+}}"))
        else:
            parts.append(("dim", text))
    yield from _below(parts, ink, columns)


def old_prompt(one: StepPlan, project: Project) -> str | None:
    """The prompt that the locked picture was made from, as its manifest in the store has it; None in a clone without a store."""
    store = project.look_store()
    if store is None or one.facts.locked is None or not store.cas.has(one.facts.locked.key):
        return None
    return paragraphs(json.loads(store.cas.read(one.facts.locked.key)))


def plan_json(plans: Sequence[AssetPlan], project: Project, money: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The shape of `schemas/plan.schema.json`. `money` is what it costs, when something is to be bought."""
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
                entry["prompt"] = {"old": old, "new": paragraphs(one.action.manifest)}
        if plan.asset.notes:
            entry["notes"] = list(plan.asset.notes)
        if plan.exports:
            entry["exports"] = [export_json(each) for each in plan.exports]
        assets.append(entry)
    counts: dict[str, int] = {}
    for plan in plans:
        counts[plan.verb.value] = counts.get(plan.verb.value, 0) + 1
    return {"version": 1, "assets": assets, "counts": counts, **({"money": dict(money)} if money else {})}
