"""Plans a project and says it as an `Outlook`. Reads disk, lock and store through the ordinary planner; writes nothing, buys nothing, and knows nothing of keys
that are pressed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from ..allotting import allotted, key_hint, lacking_keys
from ..facts import AssetPlan, Planner
from ..plan import Verb
from ..pricing import usd
from ..project import Project
from ..quoting import Quote, images, price_of, quote
from ..report.ink import Ink
from ..report.planned import plan_lines, reason, word
from ..spec.model import Step, files_of
from ..store import spending
from .outlook import Follow, Free, Money, Offer, Outlook, Part

DRAFT = "draft"
_BUSY = (Verb.GENERATE, Verb.WAITING)
_DOES = (Verb.GENERATE, Verb.RESTORE)


def survey(project: Project, *, runs: Sequence[str] = (), shown: bool = True) -> tuple[Outlook, Planner]:
    """The outlook of the whole spec. `runs` are the session's, whose spend is told; `shown`: with all that the page shows. Raises SpecError, StoreError."""
    planner = Planner(project)
    ids = project.graph.order
    planner.check_disk(ids)
    plans = planner.plan(ids)
    return outlook(project, planner, plans, runs=runs, shown=shown), planner


def outlook(
    project: Project, planner: Planner, plans: Sequence[AssetPlan], *, runs: Sequence[str] = (), shown: bool = True
) -> Outlook:
    """What these plans say. They are all of the spec's, or some of them."""
    bought = [plan for plan in plans if any(_to_buy(project, plan, n) for n in range(len(plan.steps)))]
    found = quote(bought, planner) if bought else None
    denied = _denied(project, found) if found is not None else {}
    lacking = lacking_keys(project, found) if found is not None else {}
    offers = _offers(project, planner, bought, denied)
    draft = DRAFT if DRAFT in project.spec.profiles and project.profile != DRAFT else None
    by_id = {plan.asset.id: plan for plan in plans}
    prices = {one.id: one for one in offers}
    every = [by_id[asset.id] for asset in project.spec.assets if asset.id in by_id]
    cards = [card(project, planner, each, prices.get(each.asset.id)) if shown else _slim(each) for each in every]
    setup = "; ".join(f"{name} isn't set: {key_hint(name)}" for name in sorted(set(lacking.values())))
    ink = Ink(on=False)
    lines = tuple(plan_lines([p for p in plans if p.verb in (Verb.HELD, Verb.FAILED)], project, ink, everything=False))
    return Outlook(
        project.spec.project,
        project.profile,
        {each["id"]: each for each in cards},
        tuple(offers),
        tuple(_free(project, plan) for plan in plans if _has_free_work(project, planner, plan)),
        tuple(plan.asset.id for plan in plans if any(one.decision.verb is Verb.RESUME for one in plan.steps)),
        {plan.asset.id: keys for plan in plans if (keys := _keys(plan))},
        setup,
        draft,
        follow(project),
        money(project, runs),
        lines,
        str(project.store_path),
        room(project),
    )


def follow(project: Project) -> Follow:
    """What belongs to the spec."""
    spec = project.spec
    outputs = [path for asset in spec.assets for path in files_of(asset)]
    return Follow(spec.files, spec.pictures, spec.globs, spec.lock, (*outputs, *([spec.manifest] if spec.manifest else [])))


def money(project: Project, runs: Sequence[str]) -> Money:
    """What these runs have spent, and what the budget of a day and a month still has room for."""
    store = project.look_store()
    spent = reserved = 0
    rehearsal = False
    budget = project.spec.budget
    limits = (budget.per_day, budget.per_month)
    used = spending.Spent()
    if store is not None and (runs or limits != (None, None)):
        with store.reading() as db:
            for run in runs:
                one = spending.tally(db, run)
                spent, reserved, rehearsal = spent + one.spent, reserved + one.reserved, rehearsal or one.rehearsal
            used = spending.spent(db, project=project.spec.project, run="", now=project.env.now())
    left = [limit - count for limit, count in zip(limits, (used.day, used.month), strict=True) if limit is not None]
    return Money(spent, reserved, rehearsal, max(0, min(left)) if left else None)


def room(project: Project) -> int | None:
    """What the spec's budget has for one more run, in micro-USD; None where it states no limit."""
    budget = project.spec.budget
    limits = spending.caps(budget)
    used = spending.Spent()
    store = project.look_store()
    if store is not None and (budget.per_day, budget.per_month) != (None, None):
        with store.reading() as db:
            used = spending.spent(db, project=project.spec.project, run="", now=project.env.now())
    left = [(limits.per_run, 0), (limits.per_day, used.day), (limits.per_month, used.month)]
    return min((max(0, limit - count) for limit, count in left if limit is not None), default=None)


def _keys(plan: AssetPlan) -> tuple[str, ...]:
    return tuple(one.action.key for one in plan.steps if one.action is not None and one.decision.verb is not Verb.UP_TO_DATE)


# ── what may be bought ──


def _to_buy(project: Project, plan: AssetPlan, number: int) -> bool:
    one = plan.steps[number]
    return one.decision.verb in _BUSY and not project.table.free(one.step.provider)


def _offers(project: Project, planner: Planner, plans: Sequence[AssetPlan], denied: dict[str, tuple[str, str]]) -> list[Offer]:
    ids = {plan.asset.id for plan in plans}
    place = {plan.asset.id: number for number, plan in enumerate(plans)}
    places = {name: number for number, name in enumerate(project.graph.order)}
    found = []
    for plan in plans:
        name = plan.asset.id
        parts = tuple(
            Part(
                one.number,
                one.action.key if one.action is not None and one.decision.verb is Verb.GENERATE else None,
                price_of(project, one.step, images(one)).cost,
                one.decision.verb is Verb.WAITING,
                images(one),
                sign(one.step),
            )
            for number, one in enumerate(plan.steps)
            if _to_buy(project, plan, number)
        )
        bases = project.graph.with_bases([name]) if project.graph.bases[name] else set()
        needs = tuple(sorted((base for base in bases if base in ids and base != name), key=place.__getitem__))
        why = next((denied[part.key] for part in parts if part.key in denied), ("", ""))
        found.append(Offer(name, parts, needs, told(plan), *why, places[name]))
    return found


def sign(step: Step) -> str:
    """What the spec says of a step, in short: what is agreed to while its key isn't known yet."""
    said = (step.op, step.provider, step.model, step.prompt, sorted(step.params.items()), step.members, step.variant, step.inputs)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _denied(project: Project, found: Quote) -> dict[str, tuple[str, str]]:
    """By action key, why it doesn't fit into the spec's budget and the way out."""
    asked = [one for one in found.purchases if one.price.cost is not None or not _can_be_asked(project, one.plan.step.provider)]
    fits = allotted(project, found._replace(purchases=tuple(asked)), spending.caps(project.spec.budget))
    return {key: (no.why, no.hint) for key, no in fits.denied.items()}


def _can_be_asked(project: Project, provider: str) -> bool:
    return getattr(project.provider(provider), "catalogue", None) is not None


# ── what is free ──


def _has_free_work(project: Project, planner: Planner, plan: AssetPlan) -> bool:
    for one in plan.steps:
        if one.decision.verb is Verb.GENERATE and project.table.free(one.step.provider):
            return True
        if one.last and one.decision.verb is Verb.RESTORE:
            return True
    if plan.asset.id in planner.resolved:
        return True
    line = planner.lock.lines.get(plan.asset.id)
    moved = line is not None and tuple(o.path for o in line.outputs) != plan.asset.outputs
    if plan.verb is Verb.UP_TO_DATE and plan.leading.decision.row == "4" and moved:
        return True
    return any(each.decision.verb in _DOES or each.to_note for each in plan.exports)


def _free(project: Project, plan: AssetPlan) -> Free:
    said: list[object] = [
        (one.action.key if one.action else None, one.decision.row, one.decision.verb.value) for one in plan.steps
    ]
    said += [(each.export.path, each.facts.master, each.facts.options, each.decision.verb.value) for each in plan.exports]
    return Free(plan.asset.id, hashlib.sha256(repr(said).encode()).hexdigest()[:16])


# ── cards ──

_STATES = {
    Verb.UP_TO_DATE: "up to date",
    Verb.RESTORE: "to draw",
    Verb.RESUME: "making",
    Verb.WAITING: "waiting",
    Verb.HELD: "held",
    Verb.SKIPPED: "skipped",
    Verb.FAILED: "failed",
}


def _state(plan: AssetPlan, verb: str) -> str:
    if plan.verb is Verb.UP_TO_DATE and plan.leading.decision.row == "9":
        return "not needed"
    return {"buy": "to buy"}.get(verb, "to draw") if plan.verb is Verb.GENERATE else _STATES[plan.verb]


def _slim(plan: AssetPlan) -> dict[str, Any]:
    """What a watch without a page needs of an asset: a spec of ten thousand is held in memory all day."""
    return {"id": plan.asset.id, "state": _state(plan, "")}


def card(project: Project, planner: Planner, plan: AssetPlan, offer: Offer | None) -> dict[str, Any]:
    """One asset as the live page has it."""
    asset, one = plan.asset, plan.leading
    verb = word(plan, project)
    micro = sum(part.micro for part in offer.parts if part.micro is not None) if offer is not None else None
    known = offer is not None and all(part.micro is not None for part in offer.parts)
    line = planner.lock.lines.get(asset.id)
    members = [
        {"name": output.member, "path": output.path, "digest": output.digest, "bytes": output.size}
        for output in (line.outputs if line is not None else ())
    ]
    there = {output.found for output in plan.steps[-1].facts.outputs}
    pictures = [member for member in members if member["digest"] in there]
    return {
        "id": asset.id,
        "tags": list(asset.tags),
        "state": _state(plan, verb),
        "verb": verb,
        "reason": told(plan),
        "hint": one.decision.hint,
        "price": usd(micro) if known and micro is not None else "price unknown" if offer is not None else "",
        "micro": micro if known else None,
        "provider": one.step.provider,
        "model": one.step.model,
        "bases": list(project.graph.bases[asset.id]),
        "outputs": list(asset.outputs),
        "picture": pictures[0] if pictures else None,
        "members": pictures if len(pictures) > 1 else [],
        "choice": bool(plan.verb is Verb.UP_TO_DATE and one.decision.text),
        "approved": bool(line is not None and line.is_approved),
        "exports": [{"name": each.label, "path": each.export.path, "state": each.decision.verb.value} for each in plan.exports],
    }


def told(plan: AssetPlan) -> str:
    """Why, in one line, with the step if there are several."""
    step = f" (step {plan.leading.number + 1} of {len(plan.asset.steps)})" if len(plan.asset.steps) > 1 else ""
    text = reason(plan.leading)
    return f"{text}{step}" if text else ""
