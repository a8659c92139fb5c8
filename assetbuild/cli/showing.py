"""`show`, `list` and `graph`: what there is. They change nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError
from ..facts import AssetPlan, Planner
from ..lockfile import Line
from ..project import Project
from ..spec.model import files_of
from . import chosen, inner_paths, open_project, say, spec_options
from .completing import complete_id, complete_what

EXIT_UNKNOWN = 1
NARROW = 80  # columns when there is no terminal


def _out(project: Project) -> tuple[Any, int]:
    """Ink for stdout and its columns."""
    from ..report.ink import Ink

    tty = project.env.stdout.isatty()
    return Ink.of(project.env.environ, tty=tty), project.env.width if tty else NARROW


@click.command("show", short_help="Say all about one asset, or which asset made a file.")
@click.argument("what", metavar="ID|FILE", shell_complete=complete_id)
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@spec_options
def show_command(what: str, as_json: bool, spec: str | None, profile: str | None) -> None:
    """Say all about one asset: its prompt as it is sent, its pictures, what is to be done and why.

    With a FILE, say which asset, prompt, model, date and cost made it: it is found by its bytes, whatever it is called and
    wherever it lies. A copy that was saved again or made smaller has other bytes: it is found by its looks, and that is said.
    """
    from ..verbs.picking import file_of

    project = open_project(spec, profile)
    try:
        name = _asset_of(project, what)
        if name is not None:
            _show_asset(project, name, as_json)
        elif (path := file_of(project, what)) is not None:
            raise click.exceptions.Exit(_show_file(project, path, what, as_json))
        elif (line := _left(project, what)) is not None:
            _show_left(project, line, as_json)
        else:
            names = chosen(project, [what], bases=False)  # words what isn't there
            if len(names) > 1:
                raise UsageError(
                    f"`{what}` is more than one asset", hint="`assetbuild list` takes patterns, `show` takes one id or file"
                )
            _show_asset(project, names[0], as_json)
    finally:
        project.close()


def _asset_of(project: Project, what: str) -> str | None:
    name = what.partition("#")[0]
    return name if name in project.assets else None


def _left(project: Project, what: str) -> Line | None:
    """The lock line of an id that left the spec, by the id or by a path where its picture was."""
    from ..answers.orphans import line_of

    return next((line for word in (what, *inner_paths(project, what)) if (line := line_of(project, word)) is not None), None)


def _show_left(project: Project, line: Line, as_json: bool) -> None:
    from ..answers.describing import describe_left

    left = describe_left(project, line)
    if as_json:
        click.echo(json.dumps({"version": 1, "asset": None, "file": None, "left": left}, ensure_ascii=False))
        return
    from ..report.shown import left_lines

    for text in left_lines(left, *_out(project)):
        click.echo(text)


def _show_asset(project: Project, name: str, as_json: bool) -> None:
    from ..answers.describing import describe

    planner = Planner(project)
    planner.plan([name])
    asset = describe(project, planner, name)
    if as_json:
        click.echo(json.dumps({"version": 1, "asset": asset, "file": None, "left": None}, ensure_ascii=False))
        return
    from ..report.shown import asset_lines

    ink, columns = _out(project)
    for line in asset_lines(asset, ink, columns):
        click.echo(line)


def _show_file(project: Project, path: Path, what: str, as_json: bool) -> int:
    from ..answers.describing import describe
    from ..answers.origin import origin

    planner = Planner(project)
    file = origin(project, planner, path, what, say)
    owners = (*file["pictures"], *file["exports"])
    name = next((one["id"] for one in owners if one["in_spec"] and one["lock"] == project.spec.lock), None)
    asset = None
    if name is not None:
        planner.plan([name])
        asset = describe(project, planner, name)
        written = {step["key"]: step["prompt"] for step in asset["steps"]}
        for take in file["takes"]:  # a manifest has the prompt folded; the spec has it as it was written
            take["prompt"] = written.get(take["key"], take["prompt"])
    if as_json:
        click.echo(json.dumps({"version": 1, "asset": asset, "file": file, "left": None}, ensure_ascii=False))
        return 0 if file["known"] or file["alike"] else EXIT_UNKNOWN
    at = None if file["known"] else _output_at(project, path)
    if not file["known"] and not file["alike"]:
        hint = (
            f"it lies where `{at}` belongs: `assetbuild show {at}`"
            if at
            else "it looks like no picture here either; a part that was cut out of one isn't found"
            if file["width"]
            else "a picture that was saved again by another program has other bytes"
        )
        click.echo(f"nothing here made {what}: its bytes are in no lockfile and not in the store\n  hint: {hint}", err=True)
        return EXIT_UNKNOWN
    from ..report.shown import file_lines

    ink, columns = _out(project)
    lines = list(file_lines(file, ink, columns, project.spec.project or project.root.name))
    while lines and not lines[-1]:
        lines.pop()
    for line in lines:
        click.echo(line)
    name = (
        name or at or next((one["id"] for one in file["alike"] if one["what"] != "input" and one["id"] in project.assets), None)
    )
    if name is not None:
        place = f"it lies where `{at}` belongs: " if at else ""
        click.echo(f"\n  {ink('dim', 'hint:')} {place}`assetbuild show {name}` says all about the asset")
    return 0


def _output_at(project: Project, path: Path) -> str | None:
    inner = set(inner_paths(project, str(path)))
    return next((a.id for a in project.assets.values() if not inner.isdisjoint(files_of(a))), None)


@click.command("list", short_help="List the assets with their state.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@click.option("--exclude", multiple=True, metavar="WHAT", help="Leave these out (same forms as WHAT).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@click.option("--orphans", "left", is_flag=True, help="List the pictures that belong to no asset any more instead.")
@click.option("-q", "--ids", is_flag=True, help="Only the ids, one a line; nothing is looked at but the spec.")
@click.option("-0", "nul", is_flag=True, help="Only the ids, each ended by a NUL, for `xargs -0`.")
@spec_options
def list_command(
    what: tuple[str, ...],
    exclude: tuple[str, ...],
    as_json: bool,
    left: bool,
    ids: bool,
    nul: bool,
    spec: str | None,
    profile: str | None,
) -> None:
    """List the assets: id, state, output, tags. WHAT takes the forms that `build` takes, and `+X`: what X is made from.

    With --orphans, list what assets have left behind: lines of the lockfile whose id isn't in the spec any more, and pictures
    that we put where no asset has an output now. Nothing is deleted.
    """
    if left and (what or exclude or ids or nul):
        raise UsageError("--orphans lists what belongs to no asset, so it can't be joined with WHAT, --exclude, --ids or -0")
    project = open_project(spec, profile)
    try:
        if left:
            _list_orphans(project, as_json)
            return
        names = chosen(project, what, exclude=exclude, bases=False)
        if ids or nul:
            click.echo("".join(name + ("\0" if nul else "\n") for name in names), nl=False)
            return
        plans = Planner(project).plan(names)
        if as_json:
            click.echo(json.dumps(_list_json(plans), ensure_ascii=False))
            return
        from ..report.listed import list_lines

        ink, columns = _out(project)
        for line in list_lines([_row(plan) for plan in plans], ink, columns if project.env.stdout.isatty() else 0):
            click.echo(line)
    finally:
        project.close()


def _row(plan: AssetPlan) -> tuple[str, str, str, str]:
    outputs = plan.asset.outputs
    from ..report.planned import remark

    where = outputs[0] + (f" and {len(outputs) - 1} more" if len(outputs) > 1 else "")
    where += f" ({note})" if (note := remark(plan)) else ""
    return plan.asset.id, plan.verb.value, where, " ".join(plan.asset.tags)


def _list_orphans(project: Project, as_json: bool) -> None:
    from ..answers.orphans import orphans

    rows = [one._asdict() for one in orphans(project)]
    for one in rows:
        one["member"] = one["member"] or None
    if as_json:
        click.echo(json.dumps({"version": 1, "assets": [], "orphans": rows}, ensure_ascii=False))
        return
    if not rows:
        click.echo("every picture belongs to an asset", err=True)
        return
    from ..report.listed import orphan_lines

    ink, columns = _out(project)
    for line in orphan_lines(rows, ink, columns if project.env.stdout.isatty() else 0):
        click.echo(line)
    click.echo(
        "  hint: the old id in the spec brings one back, `assetbuild rename OLD NEW` gives it to another id; a file that nobody\n"
        f"  wants may be deleted, and its line taken out of {project.spec.lock}: assetbuild itself deletes nothing",
        err=True,
    )


def _list_json(plans: Sequence[AssetPlan]) -> dict[str, Any]:
    from ..report.planned import remark

    assets = [
        {
            "id": p.asset.id,
            "state": p.verb.value,
            "outputs": list(p.asset.outputs),
            "tags": list(p.asset.tags),
            "axes": dict(p.asset.axes),
            "pin": p.asset.pin,
            "description": p.asset.description,
            "note": remark(p),
        }
        for p in plans
    ]
    return {"version": 1, "assets": assets}


@click.command("graph", short_help="Draw what hangs on what (Mermaid).")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@spec_options
def graph_command(what: tuple[str, ...], spec: str | None, profile: str | None) -> None:
    """Draw what hangs on what, as a Mermaid flowchart: paste it into a README or an issue on GitHub.

    Full arrows lead from a base to its edits, dotted ones from references; the steps of a `then:` stand in a frame, a set is
    one box.
    """
    project = open_project(spec, profile)
    try:
        from ..report.graphed import graph_lines

        names = chosen(project, what, bases=True)
        for line in graph_lines([project.assets[name] for name in names]):
            click.echo(line)
    finally:
        project.close()
