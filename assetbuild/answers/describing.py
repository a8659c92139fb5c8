"""Everything that is known of one asset, as the JSON of `show`; the text of `show` is made from the same record. Reads,
decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..facts import AssetPlan, Planner, StepPlan
from ..forms import form
from ..lockfile import Line, former
from ..plan import Decision, Verb
from ..project import Project
from ..report.measures import stamp_text
from ..report.planned import old_prompt, reason
from ..report.words import change_texts, paragraphs
from ..spec.model import Asset, AssetInput, FileInput, called
from ..store import Take
from ..verbs.picking import manifest_of

Record = dict[str, Any]


def describe(project: Project, planner: Planner, name: str) -> Record:
    """The asset as `schemas/show.schema.json` has it under `asset`. The planner must have planned it."""
    plan = planner.plans[name]
    asset, one = plan.asset, plan.leading
    line = planner.lock.lines.get(name)
    found: Record = {
        "id": name,
        "state": plan.verb.value,
        "row": one.decision.row,
        "reason": sentence(plan, line),
        "hint": one.decision.hint,
        "place": {"file": asset.place.file, "line": asset.place.line},
        "tags": list(asset.tags),
        "axes": dict(asset.axes),
        "pin": asset.pin,
        "description": asset.description,
        "notes": list(asset.notes),
        "outputs": list(_outputs(project, planner, plan)),
        "exports": list(_exports(project, plan)),
        "made": None if line is None else _made(project, line),
        "steps": [_step(project, planner, asset, number) for number in range(len(asset.steps))],
        "changes": change_texts(one.decision.changes, [fact.label for fact in one.facts.inputs]),
        "diff": None,
        "takes": takes_of(project, planner, plan, line),
        "before": _before(project, planner, asset, line),
        "used_by": list(project.graph.users.get(name, ())),
    }
    last = plan.steps[-1]
    waived = (
        line is not None
        and not line.by_hand
        and last.action is not None
        and line.key != last.action.key
        and last.facts.key is not None
    )
    told = one if any(c.field == "prompt" for c in one.decision.changes) else last if waived else None
    if told is not None and told.action is not None:
        old, new = old_prompt(told, project), paragraphs(told.action.manifest) or ""
        if old is not None and old != new:
            found["diff"] = {"old": old, "new": new}
    return found


def describe_left(project: Project, line: Line) -> Record:
    """What is still known of an asset whose id left the spec, as `schemas/show.schema.json` has it under `left`."""
    manifest = manifest_of(project, line.key)
    store = project.look_store()
    outputs = []
    for output in line.outputs:
        look = project.digests.look(output.path)
        owner = next((a.id for a in project.assets.values() if output.path in a.outputs), None)
        outputs.append(
            {
                "path": output.path,
                "member": output.member or None,
                "locked": output.digest,
                "found": None if look is None else look.digest,
                "size": output.size,
                "in_store": store is not None and store.cas.has(output.digest),
                "now_of": owner,
            }
        )
    return {
        "id": line.id,
        "lock": project.spec.lock,
        "outputs": outputs,
        "made": _made(project, line),
        "prompt": None if manifest is None else paragraphs(manifest),
    }


def sentence(plan: AssetPlan, line: Line | None) -> str:
    """Why the asset's state is what it is, by the row of the table that decided; also where a plan has nothing to say."""
    one = plan.leading
    text = reason(one)
    if plan.verb is Verb.GENERATE and one.decision.text.startswith("new"):
        return "it has no picture yet" + one.decision.text.removeprefix("new")
    if plan.verb is not Verb.UP_TO_DATE or text:
        return text
    return _quiet(plan, line, one.decision)


def _quiet(plan: AssetPlan, line: Line | None, decision: Decision) -> str:
    if plan.asset.pin:
        return "pinned: its picture stays, whatever changes"
    if line is not None and line.by_hand:
        return "made by hand, and chosen for the spec as it is now"
    if line is not None and decision.accepted and plan.steps[-1].facts.key not in (None, line.key):
        return "not made from the spec and inputs of now, but chosen for them"
    return "its picture is the one for the spec as it is now"


def _outputs(project: Project, planner: Planner, plan: AssetPlan) -> Iterator[Record]:
    last = plan.steps[-1]
    for path, fact, member in zip(plan.asset.outputs, last.facts.outputs, last.step.members or ("",), strict=True):
        look = project.digests.look(path)
        shape = form(project.root / path) if look is not None and not look.pointer else None
        yield {
            "path": path,
            "member": member or None,
            "found": fact.found,
            "locked": fact.locked,
            "size": None if look is None else look.size,
            "pointer": look is not None and look.pointer,
            "width": None if shape is None else shape.width,
            "height": None if shape is None else shape.height,
        }


def _exports(project: Project, plan: AssetPlan) -> Iterator[Record]:
    for one in plan.exports:
        path = one.export.path
        look = project.digests.look(path)
        flat = one.export.recipe.format == "pdf" or look is None or look.pointer
        shape = None if flat else form(project.root / path)
        yield {
            "name": one.export.name,
            "path": path,
            "member": one.export.member or None,
            "state": one.decision.verb.value,
            "reason": one.decision.text,
            "hint": one.decision.hint,
            "found": one.facts.found,
            "locked": one.facts.locked,
            "size": None if look is None else look.size,
            "width": None if shape is None else shape.width,
            "height": None if shape is None else shape.height,
        }


def _made(project: Project, line: Line) -> Record:
    """What made the locked picture."""
    store = project.look_store()
    digests = tuple(o.digest for o in line.outputs)
    take = (  # a set's members may have been reordered since
        next((t for t in store.takes(line.key) if sorted(b.digest for b in t.blobs) == sorted(digests)), None)
        if store is not None
        else None
    )
    if line.by_hand and line.chosen_for == line.key:
        take = None  # nothing of ours made it, even if a take of that key has the same bytes
    return {
        "by": "hand" if line.by_hand else (take.made_by if take is not None else made_by(line)),
        "at": stamp_text(take.made_at) if take is not None else None,
        "cost": take.cost if take is not None else None,
        "take": line.take,
        "by_hand": line.by_hand,
        "key": line.key,
        "chosen_for": line.chosen_for,
        "rejected": line.rejected,
        "chosen": not line.undecided,
        "approved": line.is_approved,
        "note": line.note if line.is_approved else None,
        "host": line.host,
        "digests": list(digests),
    }


def made_by(line: Line) -> str:
    """`provider/model` of a lock line."""
    return f"{line.manifest.get('provider', '?')}/{line.manifest.get('model', '?')}"


def _step(project: Project, planner: Planner, asset: Asset, number: int) -> Record:
    step = asset.steps[number]
    plan = planner.steps.get((asset.id, number))
    inputs = []
    for place, one in enumerate(step.inputs):
        fact = plan.facts.inputs[place] if plan is not None and place < len(plan.facts.inputs) else None
        source = one.source
        if type(source) is FileInput:
            label, path = source.path, source.path
        elif type(source) is AssetInput:
            other = project.assets[source.asset]
            label = called(source)
            path = other.outputs[other.steps[-1].members.index(source.member) if source.member else 0]
        else:
            label, path = f"step {number}", None
        kind = "file" if type(source) is FileInput else "asset" if type(source) is AssetInput else "step"
        inputs.append(
            {
                "role": one.role,
                "kind": kind,
                "label": label,
                "path": path,
                "name": one.name,
                "hint": one.hint,
                "digest": None if fact is None else fact.digest,
                "state": None if fact is None else fact.seen.value,
            }
        )
    return {
        "number": number + 1,
        "op": step.op,
        "provider": step.provider,
        "model": step.model,
        "prompt": step.prompt,
        "params": {name: list(value) if isinstance(value, tuple) else value for name, value in step.params.items()},
        "members": list(step.members),
        "variant": step.variant,
        "inputs": inputs,
        "key": plan.action.key if plan is not None and plan.action is not None else None,
        "key_version": plan.action.key_version if plan is not None and plan.action is not None else None,
    }


def takes_of(project: Project, planner: Planner, plan: AssetPlan, line: Line | None) -> list[Record]:
    """The takes of the present key, by number; the size in pixels is that of the first picture."""
    last: StepPlan = plan.steps[-1]
    act = planner.action_of(last)
    if act is None:
        return []
    store = project.look_store()
    known = {tuple(sorted(b.digest for b in t.blobs)): t for t in (store.takes(act.key) if store is not None else ())}
    locked = [] if line is None else sorted(o.digest for o in line.outputs)
    there = tuple(o.found for o in last.facts.outputs)
    found = []
    for take in sorted(planner.known.takes(last.step, act.key), key=lambda t: t.take):
        record = known.get(tuple(sorted(take.digests)))
        mine = line is not None and sorted(take.digests) == locked
        path = picture_file(project, planner, take.digests[0])
        shape = None if path is None else form(path)
        found.append(
            {
                "take": take.take,
                "digests": list(take.digests),
                "at": stamp_text(record.made_at) if record is not None else None,
                "by": record.made_by if record is not None else None,
                "cost": record.cost if record is not None else None,
                "rejected": take.rejected,
                "by_hand": record.by_hand if record is not None else False,
                "here": take.at_hand,
                "chosen": line is not None and mine and not line.undecided and line.rejected is None,
                "approved": line is not None and mine and line.is_approved,
                "lies_there": take.digests == there,
                "width": None if shape is None else shape.width,
                "height": None if shape is None else shape.height,
            }
        )
    return found


def picture_file(project: Project, planner: Planner, digest: str) -> Path | None:
    """A file that has these bytes: the store's, or one that a lock line names; None when they aren't here."""
    store = project.look_store()
    if store is not None and store.cas.has(digest):
        return store.cas.path(digest)
    path = planner.known.file_with(digest)
    return None if path is None else project.root / path


def _before(project: Project, planner: Planner, asset: Asset, line: Line | None) -> list[Record]:
    """The pictures that the asset had before, newest first, each once."""
    now = None if line is None else tuple(o.digest for o in line.outputs)
    found: dict[Sequence[str], Record] = {}
    for one in reversed(former.former(project.root, project.spec.lock, asset.id)):
        digests = tuple(o.digest for o in one.line.outputs)
        if digests == now or digests in found:
            continue
        found[digests] = {
            "digests": list(digests),
            "until": stamp_text(one.at),
            "by": "hand" if one.line.by_hand else made_by(one.line),
            "take": one.line.take,
            "here": all(planner.known.at_hand(d) for d in digests),
        }
    return list(found.values())


def take_record(project: Project, take: Take) -> Record:
    """A result of the store, with the prompt that made it if the store has it."""
    manifest = manifest_of(project, take.key)
    return {
        "key": take.key,
        "take": take.take,
        "by": "hand" if take.by_hand else take.made_by,
        "at": stamp_text(take.made_at),
        "cost": take.cost,
        "rejected": take.rejected,
        "host": take.host,
        "prompt": None if manifest is None else paragraphs(manifest),
        "op": None if manifest is None else manifest.get("op"),
        "params": {} if manifest is None else manifest.get("params") or {},
        "inputs": [] if manifest is None else [entry.get("digest") for entry in manifest.get("inputs") or []],
    }
