"""What of a plan's purchases fits into the limits, and which keys are missing for them, before anything is sent. The reservation asks the same question
again, over all processes. Knows quotes, budgets and the journal's sums; asks nobody and spends nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from .plan import Consent
from .project import Project
from .quoting import Quote, refusal
from .store import spending


class Fits(NamedTuple):
    """What fits into the budget: how many of the purchases that are certain, by key why the others don't, and the most that can be spent, in micro-USD."""

    sure: int
    denied: dict[str, Consent]
    most: int


def key_hint(variable: str) -> str:
    """What to do about a key that is missing."""
    return f"`export {variable}=…` with the key from the vendor's dashboard, then run it again"


def lacking_keys(project: Project, found: Quote) -> dict[str, str]:
    """Providers without a key → the variable that it belongs into."""
    names = {one.plan.step.provider for one in found.purchases}
    settings = {name: project.settings(name) for name in names}
    return {name: one.key_variable for name, one in settings.items() if one.key_variable is not None and one.key is None}


def allotted(project: Project, found: Quote, caps: spending.Caps) -> Fits:
    """What fits: purchases go in the spec's order, bases first, then what may follow. The reservation asks again, over all processes."""
    spent: dict[str | None, spending.Spent] = {}  # by host: what an emulator bills is no money
    place = {name: at for at, name in enumerate(project.graph.order)}
    denied: dict[str, Consent] = {}
    sure = most = 0
    for one in sorted(found.purchases, key=lambda one: (one.later, place[one.plan.asset.id], one.plan.number)):
        host = project.settings(one.plan.step.provider).host
        if host not in spent:
            spent[host] = _spent(project, host)
        no = spending.over(caps, spent[host], one.price.cost)
        if no is None:
            sure += not one.later
            most += one.price.cost or 0
            spent[host] = spent[host].plus(one.price.cost or 0)
        elif not one.later and one.plan.action is not None:
            why = refusal(no, one.plan.asset.id, one.plan.step.provider, one.plan.step.model)
            denied[one.plan.action.key] = Consent(False, *why)
    return Fits(sure, denied, most)


def _spent(project: Project, host: str | None) -> spending.Spent:
    """What counts in the last day and month; this run has spent nothing yet."""
    store = project.look_store()
    if store is None:
        return spending.Spent()
    with store.reading() as db:
        return spending.spent(db, project=project.spec.project, run="", now=project.env.now(), host=host)._replace(
            run=0, priced=0
        )
