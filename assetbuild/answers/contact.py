"""What stands on a contact sheet of assets: for each picture its name, size, price and state, and which words are on top. Reads plans, lockfile, store and the
heads of files; draws nothing and writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..facts import AssetPlan, Planner
from ..forms import form
from ..lockfile import Line
from ..pictures.contact import Cell, Title, Tone
from ..plan import Verb
from ..pricing import share
from ..project import Project
from ..report.measures import count_text, money_text
from ..report.planned import reason, remark
from ..report.shown import HERE, state_word
from ..spec.model import AssetInput, called
from ..store import Take

_TONES: dict[Verb, Tone] = {
    Verb.UP_TO_DATE: "good",
    Verb.GENERATE: "todo",
    Verb.RESTORE: "todo",
    Verb.RESUME: "todo",
    Verb.WAITING: "todo",
    Verb.SKIPPED: "calm",
    Verb.HELD: "wait",
    Verb.FAILED: "bad",
}
UNKNOWN = "—"


class Price(NamedTuple):
    """What the picture of an asset cost, in micro-USD (None: nobody knows), and the word where a sum says too little."""

    cost: int | None
    word: str = ""


def contact(project: Project, planner: Planner, plans: Sequence[AssetPlan]) -> tuple[Title, list[Cell]]:
    """The title and the cells, in the order of `plans`; a set has a cell for each of its members. Raises StoreError."""
    prices = _prices(project, planner, plans)
    cells = [cell for plan in plans for cell in _cells(project, plan, prices[plan.asset.id])]
    return _title(project, plans, cells, prices), cells


def _cells(project: Project, plan: AssetPlan, price: Price) -> Iterable[Cell]:
    last = plan.steps[-1]
    members = last.step.members or ("",)
    parts: Sequence[int | None] = [None] * len(members) if price.cost is None else share(price.cost, len(members))
    state, why, tone = _state(plan)
    for path, fact, member, part in zip(plan.asset.outputs, last.facts.outputs, members, parts, strict=True):
        name = called(AssetInput(plan.asset.id, member))
        look = None if fact.found is None else project.digests.look(path)
        if look is None or look.pointer:
            said, more = (state, why) if plan.verb is not Verb.UP_TO_DATE else ("not here", why)
            if look is not None:
                said, more = "not here", "its bytes are in Git LFS"
            yield Cell(name, _priced(price, part) if plan.verb is Verb.UP_TO_DATE else "", said, tone, more)
            continue
        file = project.root / path
        shape = form(file)
        if shape is None:
            yield Cell(name, UNKNOWN, state, "bad", why, file)
            continue
        paid = _priced(price, part) if fact.found == fact.locked else UNKNOWN
        yield Cell(name, f"{shape.width} × {shape.height}  ·  {paid}", state, tone, why, file, (shape.width, shape.height))


def _state(plan: AssetPlan) -> tuple[str, str, Tone]:
    """State, why, and how it is to be seen. A picture that is up to date may still want a word."""
    left = remark(plan)
    why = left if plan.verb is Verb.UP_TO_DATE else reason(plan.leading)
    if plan.verb is Verb.UP_TO_DATE and not left and plan.leading.decision.row != "4":
        why = plan.leading.decision.text
    elif plan.verb is Verb.GENERATE and plan.leading.decision.text.startswith("new"):
        why = ""
    return state_word(plan.verb.value), why.replace("`", ""), "wait" if left else _TONES[plan.verb]


def _priced(price: Price, part: int | None) -> str:
    if price.word:
        return price.word
    return UNKNOWN if part is None else money_text(part)


def _prices(project: Project, planner: Planner, plans: Sequence[AssetPlan]) -> dict[str, Price]:
    """What the locked picture of each asset cost, with the steps before it."""
    lines = {plan.asset.id: planner.lock.lines.get(plan.asset.id) for plan in plans}
    store = project.look_store()
    takes: Mapping[str, list[Take]] = {}
    if store is not None:
        keys = [key for line in lines.values() if line is not None for key in (line.key, *(step.key for step in line.steps))]
        takes = store.takes_many(keys)
    return {plan.asset.id: _price(project, plan, lines[plan.asset.id], takes) for plan in plans}


def _price(project: Project, plan: AssetPlan, line: Line | None, takes: Mapping[str, list[Take]]) -> Price:
    if line is None:
        return Price(None)
    if line.by_hand:
        return Price(None, "made by hand")
    wanted = [(step.key, step.digests) for step in line.steps] + [(line.key, tuple(o.digest for o in line.outputs))]
    found = [next((t for t in takes.get(key, ()) if _same(t, digests)), None) for key, digests in wanted]
    providers = {str(line.manifest.get("provider"))} | {take.made_by.partition("/")[0] for take in found if take is not None}
    if None in found:
        providers |= {step.provider for step in plan.asset.steps}
    if all(project.table.free(provider) for provider in providers):
        return Price(0, "drawn, free")
    costs = [take.cost for take in found if take is not None and take.cost is not None]
    if len(costs) < len(wanted):
        return Price(None)
    if line.host is not None:
        return Price(None, "rehearsed, not paid" if line.host == HERE else UNKNOWN)
    return Price(sum(costs))


def _same(take: Take, digests: Sequence[str]) -> bool:
    """Whether a take has these pictures; a set's members may have been put into another order since."""
    return sorted(blob.digest for blob in take.blobs) == sorted(digests)


def _title(project: Project, plans: Sequence[AssetPlan], cells: Sequence[Cell], prices: Mapping[str, Price]) -> Title:
    pictures = count_text(len(cells), "picture")
    if len(cells) != len(plans):
        pictures += f" of {count_text(len(plans), 'asset')}"
    paid = sum(price.cost or 0 for price in prices.values())
    said = [f"profile {project.profile}"] if project.profile else []
    said += [pictures] + ([money_text(paid)] if paid else [])
    tally: Counter[tuple[str, Tone]] = Counter()
    for plan in plans:
        state, _, tone = _state(plan)
        tally[state, _TONES[plan.verb] if tone == "wait" else tone] += 1
    order = list(_TONES.values())
    counts = sorted(tally.items(), key=lambda each: (order.index(each[0][1]), -each[1], each[0][0]))
    return Title(
        project.spec.project or project.root.name,
        "  ·  ".join(said),
        tuple((f"{count:,} {state}", tone) for (state, tone), count in counts),
    )
