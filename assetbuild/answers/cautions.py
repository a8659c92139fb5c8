"""What a person should know before money is spent, that no single asset says: one changed line that makes many pictures new, a model that is
shut down soon, proofs that are other pictures than the finals. Sentences only; decides nothing and buys nothing.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import AssetbuildError
from ..facts import AssetPlan
from ..plan import Verb
from ..project import Project
from ..report.planned import old_prompt
from ..report.words import paragraphs
from ..spec.model import Asset, Spec, Step

if TYPE_CHECKING:
    from ..quoting import Purchase, Quote
    from ..vanish import Vanishing

MANY = 10  # pictures that one change makes stale, above which that is said first
WARN_DAYS = 60  # before a model's last day, from when on it is said
SHOWN = 3  # names
WORDS = 12  # of what changed in all prompts
_ORDER = ("low", "medium", "high")
_TOLD = "proofs and finals"


def cautions(plans: Sequence[AssetPlan], found: Quote | None, project: Project) -> Iterator[str]:
    """All of them, the most costly first. `found` is None when nothing is to be bought."""
    if found is not None:
        yield from bulk(found, project)
    yield from ending(plans, project)
    if found is not None and found.purchases:
        yield from dearer(found)
        yield from two_pictures(project)


def dearer(found: Quote) -> Iterator[str]:
    """Models whose last bills were above our table."""
    models = {(one.plan.step.provider, one.plan.step.model): None for one in found.purchases if one.price.by == "bills"}
    for provider, model in models:
        yield (
            f"{provider} billed more for {model} lately than our table says; its bills are counted with\n"
            f"  hint: `providers: {{{provider}: {{prices: {{{model}: CREDITS}}}}}}` in the spec says it better"
        )


# ── one changed line ──


def bulk(found: Quote, project: Project) -> Iterator[str]:
    """One changed line that makes many pictures stale, with those that are made from them, the price and the way to keep them."""
    groups: dict[tuple[str, ...], list[Purchase]] = {}
    for one in found.purchases:
        changes = one.plan.decision.changes
        if changes and not one.later:
            groups.setdefault(tuple(sorted(change.field for change in changes)), []).append(one)
    for fields, group in groups.items():
        if _count(group) + _count(_after(group, found, project)) <= MANY:
            continue
        alike: dict[str, list[tuple[Purchase, str]]] = {}  # by the words that are new; by those that are gone when none are
        for one in group:
            gone, come = _changed(one, project) if fields == ("prompt",) else ("", "")
            alike.setdefault(come or gone, []).append((one, f"{gone} {come}".strip()))
        for new, some in alike.items():
            changed = [one for one, _ in some]
            after = _after(changed, found, project)
            if _count(changed) + _count(after) > MANY:
                same = len({whole for _, whole in some}) == 1
                yield _bulk(changed, after, some[0][1] if same else new, project)


def _count(group: Sequence[Purchase]) -> int:
    return len({one.plan.asset.id for one in group})


def _after(group: Sequence[Purchase], found: Quote, project: Project) -> list[Purchase]:
    """What may have to be made again after these: pictures made from them, and later steps of their own."""
    names = {one.plan.asset.id for one in group}
    users = project.graph.with_users(names)
    return [
        one
        for one in found.purchases
        if one.later and one.plan.asset.id in users and (one.plan.asset.id in names or one.plan.facts.locked is not None)
    ]


def _bulk(group: Sequence[Purchase], after: Sequence[Purchase], what: str, project: Project) -> str:
    from ..pricing import usd  # only where something is bought

    costs = [one.price.cost for one in (*group, *after)]
    known = usd(sum(cost for cost in costs if cost is not None))
    price = "a price that isn't known" if None in costs else f"at most {known}" if after else known
    changed, users = _count(group), len({one.plan.asset.id for one in after} - {one.plan.asset.id for one in group})
    whole = f"{changed + users:,} pictures that"
    changes = group[0].plan.decision.changes
    old = next((change.old for change in changes if change.field == "provider"), None)
    if old is not None and project.table.free(str(old)):
        return (
            f"{whole} {old} drew would be bought for {price}\n"
            f"  hint: `assetbuild build ID` buys a single one; a profile (`profiles: {{draft: {{provider: {old}}}}}`) goes on with drafts"
        )
    if what:
        why = (
            f"all their prompts changed alike: {what}"
            if changed > 1
            else f"the prompt of `{group[0].plan.asset.id}` changed: {what}"
        )
    else:
        # What another model brings along isn't a change of its own.
        moved = any(change.field in ("op", "provider", "model") for change in changes)
        fields = [c.field.removeprefix("params.") for c in changes if not moved or None not in (c.old, c.new)]
        words = ", ".join(fields)
        why = f"their {words} changed" if changed > 1 else f"{words} of `{group[0].plan.asset.id}` changed"
    more = (
        f"; {users:,} of them {'is' if users == 1 else 'are'} made from {'the others' if changed > 1 else 'it'}" if users else ""
    )
    return (
        f"{whole} you have would be made again for {price}: {why}{more}\n"
        f"  hint: `assetbuild use '*'` keeps all pictures as they are, also for the changed spec"
    )


def _changed(one: Purchase, project: Project) -> tuple[str, str]:
    """What was taken out of a prompt and put into it, between its common beginning and end: a style's text, say."""
    old = old_prompt(one.plan, project)
    new = paragraphs(one.plan.action.manifest) if one.plan.action is not None else None
    if old is None or new is None:
        return "", ""
    before, after = old.split(), new.split()
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    return f"[-{_short(gone)}-]" if gone else "", f"{{+{_short(come)}+}}" if come else ""


def _short(words: Sequence[str]) -> str:
    return " ".join(words[:WORDS]) + (" …" if len(words) > WORDS else "")


# ── models that end ──


def ending(plans: Sequence[AssetPlan], project: Project) -> Iterator[str]:
    """Models that are to be bought from and soon won't be there any more."""
    today = datetime.date.fromtimestamp(project.env.now())
    seen: dict[tuple[str, str], list[str]] = {}
    for plan in plans:
        for one in plan.steps:
            if one.decision.verb in (Verb.GENERATE, Verb.WAITING):
                seen.setdefault((one.step.provider, one.step.model), []).append(plan.asset.id)
    for (provider, model), names in seen.items():
        last = project.table.ends(provider, model)
        if last is None or ((day := datetime.date.fromisoformat(last[0])) - today).days > WARN_DAYS:
            continue
        some = list(dict.fromkeys(names))
        shown = ", ".join(f"`{name}`" for name in some[:SHOWN]) + (
            f" and {len(some) - SHOWN:,} more" if len(some) > SHOWN else ""
        )
        when = f"ends on {day}" if day >= today else f"ended on {day}"
        use = "uses it" if len(some) == 1 else "use it"
        yield f"{model} on {provider} {when} ({last[1]}): {shown} {use}\n  hint: name another model; a picture that you have stays"


# ── proofs and finals ──


def two_pictures(project: Project) -> Iterator[str]:
    """A low proof and a high final are two different pictures, since nothing gives the same one back. Said once in a project."""
    if not project.spec.profiles or not _may_differ(project):
        return
    from ..vanish import Vanishing

    cache = Vanishing(project.root / ".assetbuild" / "cache")
    try:
        if cache.get(_TOLD, "1") is not None:
            return
        pair = _pair(project)
        if pair is None:
            return
        _keep(project, cache)
    finally:
        cache.close()
    asset, profile, low, high = pair
    yield (
        f"profile {profile} buys `{asset}` in {low} quality and the final in {high}: they will be two different pictures, since no model "
        f"draws the same one twice\n"
        f"  hint: `assetbuild use {asset} --from {profile}` takes the proof as the picture; a step like "
        f"`then: [{{prompt: …, quality: {high}}}]` makes a final from it"
    )


def _keep(project: Project, cache: Vanishing) -> None:
    from ..files import private_folder

    with suppress(AssetbuildError, OSError):  # a tree that can't be written is told again
        private_folder(project.root)
        cache.put(_TOLD, "1", "told")


def _may_differ(project: Project) -> bool:
    """Whether any profile says a word about quality, without reading the spec again under each of them."""
    try:
        text = (project.root / project.spec_name).read_text("utf-8", "replace")
    except OSError:
        return False
    part = re.search(r"^profiles:(.*?)(?=^\S|\Z)", text, re.M | re.S)
    return part is not None and "quality" in part[1]


def _pair(project: Project) -> tuple[str, str, str, str] | None:
    """An asset that is bought in two qualities, with the profile of the lower one, and both."""
    here = project.spec
    for name in [None] if here.profile is not None else here.profiles:
        try:
            there = Project(project.env, project.root / project.spec_name, name).spec
        except AssetbuildError:
            continue
        proof, final = (here, there) if here.profile is not None else (there, here)
        if proof.profile is not None and (found := _lower(project, proof, final)) is not None:
            return found[0], proof.profile, found[1], found[2]
    return None


def _lower(project: Project, proof: Spec, final: Spec) -> tuple[str, str, str] | None:
    others = {asset.id: asset for asset in final.assets}
    for asset in proof.assets:
        other = others.get(asset.id)
        if other is None:
            continue
        low, high = (_quality(project, one) for one in (asset, other))
        if low is not None and high is not None and _ORDER.index(low) < _ORDER.index(high):
            return asset.id, low, high
    return None


def _quality(project: Project, asset: Asset) -> str | None:
    """Of its last step, if that is bought."""
    step: Step = asset.steps[-1]
    value = step.params.get("quality")
    value = "high" if value == "auto" else value
    return str(value) if value in _ORDER and not project.table.free(step.provider) else None
