"""What a plan costs: for certain, and at most. Adds up the prices of what is to be bought; knows plans and prices, asks nobody and buys nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .facts import AssetPlan, Planner, StepPlan
from .plan import Verb, missing_takes
from .pricing import Price, Total, credits_text, price, total, usd
from .project import Project
from .spec.model import Service, Step
from .store import spending
from .store.journal import State


class Purchase(NamedTuple):
    """One step that is to be bought. `later`: what it is made from isn't there yet, so that it is bought only if that changes. `images` are the pictures
    asked for; `price` is of all of them.
    """

    plan: StepPlan
    price: Price
    images: int
    later: bool


class Quote(NamedTuple):
    """A whole plan's; `unknown` are the ids of purchases whose price isn't known."""

    purchases: tuple[Purchase, ...]
    total: Total
    unknown: tuple[str, ...]

    @property
    def sure(self) -> int:
        """How many purchases are certain."""
        return sum(not one.later for one in self.purchases)

    @property
    def later(self) -> int:
        """How many more may follow."""
        return sum(one.later for one in self.purchases)


def wanted(one: StepPlan) -> int:
    """How many takes of this step are to be bought now."""
    return 1 if one.facts.rebuy or one.facts.reroll else max(1, missing_takes(one.facts))


def still_wanted(planner: Planner, one: StepPlan) -> int:
    """How many takes are to be bought yet once an open job has brought its own."""
    job = planner.known.last_job(one.action.key, one.step.provider) if one.action is not None else None
    return max(0, missing_takes(one.facts) - (job.count if job is not None else 0))


def images(one: StepPlan) -> int:
    """How many pictures that asks for."""
    return wanted(one) * (len(one.step.members) or 1)


def next_take(planner: Planner, one: StepPlan) -> int:
    """The number of the take that would be bought now: a failed attempt didn't use its number up."""
    act = one.action
    assert act is not None  # noqa: S101 - it is to be bought
    takes = [t.take for t in (one.facts.store.takes if one.facts.store else ())]
    if one.facts.locked is not None and one.facts.locked.key == act.key:
        takes.append(one.facts.locked.take)
    takes += [max(job.takes) for job in planner.known.jobs(act.key) if job.state is not State.FAILED]
    return max(takes, default=0) + 1


def price_of(project: Project, step: Step, images: int) -> Price:
    """What one call costs that asks for so many pictures of a step."""
    service = project.spec.services.get(step.provider, Service())
    known = project.catalogue(step.provider), project.overbilled(step.provider, step.model)
    return price(project.table, service, step.provider, step.model, step.params, images, *known)


def quote(plans: Iterable[AssetPlan], planner: Planner) -> Quote:
    """Purchases are counted, not assets: what has one manifest is bought once."""
    found: list[Purchase] = []
    seen: set[str] = set()
    for plan in plans:
        for one in plan.steps:
            verb = one.decision.verb
            if planner.project.table.free(one.step.provider):
                continue
            if verb is Verb.RESUME and (left := still_wanted(planner, one)):  # takes beyond those that are fetched
                count = left * (len(one.step.members) or 1)
                found.append(Purchase(one, price_of(planner.project, one.step, count), count, True))
            if verb not in (Verb.GENERATE, Verb.WAITING):
                continue
            if verb is Verb.GENERATE and one.action is not None:
                if one.action.key in seen:
                    continue
                seen.add(one.action.key)
            count = images(one)
            found.append(Purchase(one, price_of(planner.project, one.step, count), count, verb is Verb.WAITING))
    whole = total([one.price for one in found if not one.later], [one.price for one in found if one.later])
    unknown = tuple(dict.fromkeys(one.plan.asset.id for one in found if one.price.cost is None))
    return Quote(tuple(found), whole, unknown)


def sentence(found: Quote) -> str:
    """`3 to buy $0.69 (69 credits) · 5 more may follow `poster`, at most $1.14 (114 credits)`"""
    total = found.total
    now_unknown = sum(one.price.cost is None for one in found.purchases if not one.later)
    parts = []
    if found.sure:
        known = f" {usd(total.certain)} ({credits_text(total.credits)})" if now_unknown < found.sure else ""
        more = f"{' and' if known else ','} {now_unknown} of unknown price" if now_unknown else ""
        parts.append(f"{found.sure:,} to buy{known}{more}")
    if found.later:
        after = _after(found)
        which = f"{found.later:,} {'more ' if found.sure else ''}may follow {after}"
        unknown = total.unknown - now_unknown
        known = f", at most {usd(total.most)} ({credits_text(total.most_credits)})" if unknown < found.later else ""
        parts.append(which + known + (f", {unknown} of unknown price" if unknown else ""))
    return " · ".join(parts)


def _after(found: Quote) -> str:
    """What the later ones wait for."""
    names = list(
        dict.fromkeys(
            fact.label
            for one in found.purchases
            if one.later and one.plan.number == 0  # a step that follows the one before it follows what that follows
            for fact in one.plan.facts.inputs
            if fact.stands is None
        )
    ) or list(dict.fromkeys(one.plan.asset.id for one in found.purchases if one.later))
    shown = ", ".join(f"`{name}`" for name in names[:3])
    return shown + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")  # noqa: PLR2004 - as shown


def prices(found: Quote) -> dict[str, str]:
    """What each asset's purchases cost, for the lines of a plan."""
    costs: dict[str, list[int | None]] = {}
    for one in found.purchases:
        costs.setdefault(one.plan.asset.id, []).append(one.price.cost)
    return {name: "price unknown" if None in some else usd(sum(c for c in some if c is not None)) for name, some in costs.items()}


def quote_json(found: Quote) -> dict[str, Any]:
    """The `money` of a plan: USD as numbers, credits of the vendor, how many prices aren't known."""
    total = found.total
    return {
        "purchases": found.sure,
        "later": found.later,
        "certain_usd": total.certain / 1_000_000,
        "most_usd": total.most / 1_000_000,
        "certain_credits": float(total.credits),
        "most_credits": float(total.most_credits),
        "unknown": list(found.unknown),
    }


def refusal(no: spending.Over | spending.Unpriced, asset: str, provider: str, model: str) -> tuple[str, str]:
    """Why a purchase may not be made, and the way out."""
    if isinstance(no, spending.Unpriced):
        limit = "there is a budget" if no.by == "budget" else f"there is {no.by}"
        return (
            f"the price of {model} at {provider} isn't known, and {limit}",
            f"write it under `providers: {{{provider}: {{prices: {{{model}: CREDITS}}}}}}`",
        )
    left = max(0, no.limit - no.spent)
    needs = f"{usd(no.needed)} is needed" if no.needed is not None else "its price isn't known"
    what, way, alone = _CAPS[no.cap]
    if (no.needed or 0) > no.limit:  # neither another run nor another day would help
        way = alone
    return f"over {what.format(usd(no.limit))}: {needs}, {usd(left)} is left", way


_RAISE = {cap: f"raise `budget: {{{cap}: …}}` in the spec" for cap in ("per_run", "per_day", "per_month")}
_AGAIN = "run it again: the plan shows the price anew"
_CAPS = {  # what it is, the ways out, and those of a purchase that is above the limit by itself
    "per_run": ("the budget of {} for one run", f"run it again for the rest, or {_RAISE['per_run']}", _RAISE["per_run"]),
    "--max-cost": ("--max-cost {}", "raise --max-cost, or run it again for the rest", "raise --max-cost"),
    "consent": ("what was agreed to, {}", _AGAIN, _AGAIN),
    "per_day": ("the budget of {} for 24 hours", f"wait, or {_RAISE['per_day']}", _RAISE["per_day"]),
    "per_month": ("the budget of {} for 30 days", f"wait, or {_RAISE['per_month']}", _RAISE["per_month"]),
}
