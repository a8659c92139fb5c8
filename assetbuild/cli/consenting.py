"""Before money is spent: what it costs is said, and somebody agrees, on a terminal with a key, elsewhere with `--yes` or `--max-cost`. Free work needs
nobody's word. Decides nothing about assets: it tells the planner which purchases may be made.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import click

from ..allotting import Fits, allotted, key_hint, lacking_keys
from ..answers.cautions import cautions
from ..facts import AssetPlan, Planner
from ..plan import Consent
from ..pricing import usd
from ..project import Project
from ..quoting import Purchase, Quote, quote, sentence
from ..spec.model import Asset
from ..store import spending
from . import say

NAMED = 3  # assets that don't fit and are named
TYPED = 20_000_000  # micro-USD above which the amount is typed, not `y`


class Agreed(NamedTuple):
    """What may be spent, and the plans as they are then. `setup` is the sentence when a key is missing."""

    plans: list[AssetPlan]
    caps: spending.Caps
    setup: str = ""


def agree(
    project: Project, planner: Planner, plans: list[AssetPlan], ids: Sequence[str], *, yes: bool, max_cost: int | None
) -> Agreed:
    """Asks, if there is something to be bought."""
    budget = project.spec.budget
    found = quote(plans, planner)
    if not found.purchases:
        for line in cautions(plans, None, project):
            say(line)
        planner.consent = _shown(found, max_cost)
        return Agreed(plans, spending.caps(budget, max_cost=max_cost, consent=0 if max_cost is None else None))
    if found.unknown and _ask_prices(project, found):
        found = quote(plans, planner)
    for line in cautions(plans, found, project):
        say(line)
    lacking = lacking_keys(project, found)
    consent = None if max_cost is not None and not yes else found.total.most
    caps = spending.caps(budget, max_cost=max_cost, consent=consent)
    fits = allotted(project, found, caps)
    if len(lacking) < len({one.plan.step.provider for one in found.purchases}):
        agreed, no = yes or max_cost is not None, Consent()
        if not agreed and project.env.tty and sys.stdin.isatty():
            _show(project, plans, found)
        say(sentence(found))
        if not agreed and (fits.sure or found.later):  # else there is nothing to agree to, and why is told of each
            agreed, no = _asked(project, found, fits)
            if not agreed:
                planner.consent = lambda *_: no
                return Agreed(planner.plan(ids), spending.caps(budget, max_cost=max_cost, consent=0))

    shown = _shown(found, max_cost)

    def allowed(asset: Asset, number: int, key: str | None) -> Consent:
        provider = asset.steps[number].provider
        if provider in lacking:
            return Consent(False, f"{lacking[provider]} isn't set", key_hint(lacking[provider]))
        return fits.denied.get(key or "") or shown(asset, number, key)

    planner.consent = allowed
    if fits.denied or lacking:
        plans = planner.plan(ids)
    setup = ""
    if lacking:
        name = min(lacking.values())
        setup = f"{name} isn't set\n  hint: {key_hint(name)}"
    return Agreed(plans, caps, setup)


def _shown(found: Quote, max_cost: int | None) -> Callable[[Asset, int, str | None], Consent]:
    """Agreed to is what the plan showed, or a sum. What turns out later to be needed as well (a base that was drawn again came out otherwise) waits."""
    steps = {(one.plan.asset.id, one.plan.number) for one in found.purchases}
    keys = {one.plan.action.key for one in found.purchases if one.plan.action is not None}

    def allowed(asset: Asset, number: int, key: str | None) -> Consent:
        if max_cost is not None or (asset.id, number) in steps or key in keys:
            return Consent()
        return Consent(False, "it wasn't in the plan that was agreed to", "run it again: the plan shows it now, with its price")

    return allowed


def _show(project: Project, plans: Sequence[AssetPlan], found: Quote) -> None:
    """What is to be bought, before it is asked whether it shall be."""
    from ..quoting import prices
    from ..report.ink import Ink
    from ..report.planned import plan_lines

    names = {one.plan.asset.id for one in found.purchases}
    ink = Ink.of(project.env.environ, tty=project.env.tty)
    bought = [plan for plan in plans if plan.asset.id in names]
    for line in plan_lines(bought, project, ink, everything=False, columns=project.env.width, prices=prices(found)):
        click.echo(line, err=True)


def _ask_prices(project: Project, found: Quote) -> bool:
    """Prices that our table doesn't know, as the vendor lists them now. False if nothing was learnt."""
    from ..asking import catalogue

    names = {one.plan.step.provider for one in found.purchases if one.price.cost is None}
    learnt = [catalogue(project, name) for name in sorted(names)]  # each of them is asked
    return any(learnt)


def _asked(project: Project, found: Quote, fits: Fits) -> tuple[bool, Consent]:
    if not (project.env.tty and sys.stdin.isatty()):
        text, most = "it costs money, and nobody has agreed to it", found.total.most
        way = "`--yes` agrees to the plan" + (f", `--max-cost {_dollars(most)}` to a sum" if most else "")
        return False, Consent(False, text, way)
    question = "Buy?"
    if fits.denied:
        say(f"{len(fits.denied):,} of them must wait: {next(iter(fits.denied.values())).why}")
        question = f"Buy the other {fits.sure:,} for {usd(fits.most)}?" if fits.sure else "Buy what may follow?"
    if fits.most > TYPED:
        wanted = _dollars(fits.most)
        given = click.prompt(f"{question} Type the amount, {wanted}, to agree", default="", show_default=False, err=True)
        good = _amount(given) == _amount(wanted)
    else:
        good = click.confirm(question, default=False, err=True)
    return good, Consent(False, "not agreed to")


def foot(project: Project, found: Quote) -> Iterator[str]:
    """What `build` would say of a plan's money, as far as it is known here: what the budget has no room for, and which prices it would ask for."""
    fits = budgeted(project, found)
    if waiting := no_room(found, fits):
        first = next(iter(fits.denied.values()))
        more = f" and {len(waiting) - NAMED:,} more" if len(waiting) > NAMED else ""
        yield f"{', '.join(f'`{name}`' for name in waiting[:NAMED])}{more} must wait: {first.why}\n  hint: {first.hint}"
    asked: dict[str, dict[str, None]] = {}
    for one in found.purchases:
        if _asked_for(project, one):
            asked.setdefault(one.plan.step.provider, {})[one.plan.step.model] = None
    for provider, models in asked.items():
        yield f"`build` asks {provider} what {', '.join(models)} costs; our table doesn't say"


def budgeted(project: Project, found: Quote) -> Fits:
    """What fits into the spec's budget, as far as that is known without asking a vendor."""
    known = tuple(one for one in found.purchases if not _asked_for(project, one))
    return allotted(project, found._replace(purchases=known), spending.caps(project.spec.budget))


def no_room(found: Quote, fits: Fits) -> list[str]:
    """The ids of what doesn't fit, each once."""
    denied = (one for one in found.purchases if one.plan.action is not None and one.plan.action.key in fits.denied)
    return list(dict.fromkeys(one.plan.asset.id for one in denied))


def _asked_for(project: Project, one: Purchase) -> bool:
    """Whether `build` asks the vendor for its price."""
    return one.price.cost is None and getattr(project.provider(one.plan.step.provider), "catalogue", None) is not None


def _amount(text: str) -> int | None:
    """Micro-USD, as somebody types them: `21`, `$21.00`, `1,204.50`."""
    found = re.fullmatch(r"\$?([0-9]{1,9})(?:\.([0-9]{1,6}))?", text.strip().replace(",", ""))
    return None if found is None else int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def _dollars(micro: int) -> str:
    """As `--max-cost` takes it."""
    return usd(micro).lstrip("$").replace(",", "")
