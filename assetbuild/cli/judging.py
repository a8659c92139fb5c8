"""`approve`, `reject`, `takes` and `reroll`: choosing among what was made. Only `reroll` makes anything, by the way of `build`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError
from ..facts import Planner
from ..project import Project
from ..verbs.rejecting import Rejection
from . import chosen, open_project, say, spec_options
from .choosing import MOST, tell
from .completing import complete_id, complete_what, complete_which
from .making import Asked, Dollars, build_with

NARROW = 80  # columns when there is no terminal
Record = dict[str, Any]


@click.command("approve", short_help="Approve the picture of an asset, so that its edits are made.")
@click.argument("what", metavar="ID", shell_complete=complete_what)
@click.argument("which", required=False, shell_complete=complete_which)
@click.option("--note", metavar="TEXT", help="What is said with it; it stands in the lockfile.")
@spec_options
def approve_command(what: str, which: str | None, note: str | None, spec: str | None, profile: str | None) -> None:
    """Say "this is the picture, and it is right": `use` and approval in one.

    WHICH is what `use` takes: a take (`2`, or the first letters of a digest), `previous`, or a file; without it, what lies
    there now. ID may be a pattern or `tag:launch`. The approval is of these very pixels: it stays when the asset is renamed or
    moved, and another picture needs its own. Edits of an asset with `approve: required` wait for it.
    """
    from ..verbs.choosing import Approval, use

    project = open_project(spec, profile)
    try:
        ids, member = meant(project, what, which, "approve")
        if which is None:
            _one_each(project, ids)
        tell(use(project, ids, which, member=member, approval=Approval(note)), approved=True)
    finally:
        project.close()


def _one_each(project: Project, ids: list[str]) -> None:
    """What lies there is only the newest, as long as nobody has chosen: which one is approved must be said. Raises UsageError."""
    store = project.look_store()
    for name in ids:
        line = project.lock.lines.get(name)
        if line is None or not line.undecided:
            continue
        left = line.of if store is None else sum(t.rejected is None and not t.by_hand for t in store.takes(line.key))
        if left > 1:
            raise UsageError(
                f"`{name}` has {left} takes and none is chosen",
                hint=f"`assetbuild takes {name}` lists them, `assetbuild approve {name} {line.take}` approves the one that lies there",
            )


def meant(project: Project, what: str, which: str | None, command: str) -> tuple[list[str], str]:
    """The assets that a command is about, and the member of a set that was named. Raises UsageError, also for one file and several assets."""
    ids = chosen(project, [what], bases=False)
    if which is not None and len(ids) > 1 and ("/" in which or "." in which):
        raise UsageError(
            f"`{what}` means {len(ids)} assets, and {which} is one picture",
            hint=f"name one asset: `assetbuild {command} ID FILE`",
        )
    return ids, what.partition("#")[2] if what not in project.assets else ""


@click.command("reject", short_help="Say that a picture isn't to be used.")
@click.argument("what", metavar="ID", shell_complete=complete_what)
@click.argument("which", required=False)
@click.option("--note", metavar="TEXT", default="", help="Why: it is shown wherever the picture is named.")
@spec_options
def reject_command(what: str, which: str | None, note: str, spec: str | None, profile: str | None) -> None:
    """Say that a picture isn't to be used: the asset's own, or another of its takes (`2`, or the first letters of its digest).

    Nothing is deleted. The asset waits until another picture is chosen or made, and what is made from it waits too; a rejected
    take never comes back by itself. `use ID WHICH` takes the word back.
    """
    from ..verbs.rejecting import reject

    project = open_project(spec, profile)
    try:
        ids, _ = meant(project, what, which, "reject")
        _tell_rejected(project, reject(project, ids, which, note.strip()))
    finally:
        project.close()


def _tell_rejected(project: Project, found: list[Rejection]) -> None:
    gap = " " * 9
    for one in found[:MOST]:
        if not one.changes:
            say(
                f"{one.word} of `{one.id}` was rejected before"
                if one.word != "its picture"
                else f"`{one.id}` was rejected before"
            )
            continue
        say(f"{'rejected':9}{one.id}: {one.word}" + (f" ({one.note})" if one.note else ""))
        if one.locked:
            free = project.table.reproducible(project.assets[one.id].steps[-1].provider)
            more = "" if free else f"`assetbuild reroll {one.id}` makes one more, "
            say(f"{gap}hint: {more}`assetbuild use {one.id} …` takes another, or change the prompt")
    if len(found) > MOST:
        say(f"… and {len(found) - MOST:,} more")
    bare = next((one for one in found if one.changes and not one.note), None)
    if bare is not None:
        say(f'{gap}hint: `assetbuild reject {bare.id} --note "six fingers"` tells the others why')


@click.command("takes", short_help="List the takes of an asset, to choose from.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@click.option("--sheet", metavar="FILE", help="Write all of them side by side into one PNG, with their numbers.")
@spec_options
def takes_command(what: tuple[str, ...], as_json: bool, sheet: str | None, spec: str | None, profile: str | None) -> None:
    """List the takes of an asset's present text: number, digest, date, cost, size in pixels, and which is chosen, approved or rejected.

    Without WHAT, every asset for which a take is still to be chosen or approved; with --sheet, every asset that has several takes.
    """
    from ..answers.describing import takes_of
    from ..report.planned import remark

    project = open_project(spec, profile)
    try:
        names = chosen(project, list(what), bases=False)
        planner = Planner(project)
        plans = [plan for plan in planner.plan(names) if what or sheet is not None or remark(plan)]
        lines = planner.lock.lines
        rows: list[Record] = [
            {"id": p.asset.id, "note": remark(p), "takes": takes_of(project, planner, p, lines.get(p.asset.id))} for p in plans
        ]
        if sheet is not None and not what:
            rows = [row for row in rows if len(row["takes"]) > 1]
            if not rows:
                raise UsageError(
                    "no asset has more than one take of its present text",
                    hint=f"`assetbuild takes ID --sheet {sheet}` shows the one of an asset; `takes: 3` in the spec asks for three",
                )
        if sheet is not None:
            _sheet(project, planner, rows, sheet)
        if as_json:
            click.echo(json.dumps({"version": 1, "assets": rows}, ensure_ascii=False))
            return
        if not rows:
            say("nothing is to be chosen")
            return
        from ..report.ink import Ink
        from ..report.taken import taken_lines

        tty = project.env.stdout.isatty()
        ink = Ink.of(project.env.environ, tty=tty)
        for text in taken_lines(rows, ink, project.env.width if tty else NARROW):
            click.echo(text)
    finally:
        project.close()


def _sheet(project: Project, planner: Planner, rows: list[Record], file: str) -> None:
    from ..answers.sheet import write_sheet
    from .picturing import keep_off

    path = project.env.cwd / Path(file).expanduser()
    keep_off(project, file, path)
    count = write_sheet(project, planner, rows, path)
    say(f"{count} takes in {file}")


@click.command("reroll", short_help="Make one more take of a picture, to choose from.")
@click.argument("what", metavar="ID", shell_complete=complete_id)
@click.option("--step", type=click.IntRange(1), metavar="N", help="Of this step of its chain; otherwise the last.")
@click.option("-y", "--yes", is_flag=True, help="Agree to what it costs: don't ask.")
@click.option("--max-cost", type=Dollars(), metavar="USD", help="Agree to buy, up to this sum in this run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout, as `build --json` does.")
@spec_options
def reroll_command(
    what: str, step: int | None, yes: bool, max_cost: int | None, as_json: bool, spec: str | None, profile: str | None
) -> None:
    """Make one more take of the same text, at the price of one. The older ones stay, and nothing that is made from it goes on until one
    is chosen: `assetbuild takes ID` lists them, `assetbuild use ID 2` chooses.
    """
    project = open_project(spec, profile)
    try:
        ids = chosen(project, [what], bases=False)
        steps = tuple(again(project, name, step) for name in ids)
        asked = Asked(tuple(ids), None, (), as_json, None, False, False, (), (), False, yes, max_cost, reroll=steps)
        raise click.exceptions.Exit(build_with(project, asked))
    finally:
        project.close()


def again(project: Project, name: str, step: int | None) -> tuple[str, int]:
    """The step, from 0, of which one more take is to be made. Raises UsageError where none can be."""
    asset = project.assets[name]
    count = len(asset.steps)
    if step is not None and step > count:
        steps = "has one step" if count == 1 else f"has {count} steps"
        raise UsageError(f"`{name}` {steps}, there is no step {step}", hint=f"`assetbuild show {name}` lists them")
    number = count - 1 if step is None else step - 1
    provider = asset.steps[number].provider
    if asset.pin and name in project.lock.lines:
        raise UsageError(
            f"`{name}` is pinned, so its picture stays", hint="take `pin: true` out of the spec to have one more take made"
        )
    if project.table.reproducible(provider):
        raise UsageError(
            f"{provider} would draw the same picture of `{name}` again",
            hint="change its prompt; takes differ where a model is asked that never gives the same picture twice",
        )
    return name, number
