"""`show`, `list` and `graph`: what there is. They change nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..errors import UsageError
from ..facts import AssetPlan, Planner
from ..project import Project
from ..selection import select
from . import open_project, spec_options
from .completing import complete_id, complete_what

EXIT_UNKNOWN = 1
NARROW = 80  # columns when there is no terminal


def _out(project: Project) -> tuple[Any, int]:
    """Ink for stdout and its columns."""
    import shutil

    from ..report.ink import Ink

    tty = project.env.stdout.isatty()
    return Ink.of(project.env.environ, tty=tty), shutil.get_terminal_size((NARROW, 24)).columns if tty else NARROW


@click.command("show", short_help="Say all about one asset, or which asset made a file.")
@click.argument("what", metavar="ID|FILE", shell_complete=complete_id)
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@spec_options
def show_command(what: str, as_json: bool, spec: str | None, profile: str | None) -> None:
    """Say all about one asset: its prompt as it is sent, its pictures, what is to be done and why.

    With a FILE, say which asset, prompt, model, date and cost made it: it is found by its bytes, whatever it is called and
    wherever it lies.
    """
    project = open_project(spec, profile)
    try:
        name = _asset_of(project, what)
        if name is not None:
            _show_asset(project, name, as_json)
        elif _path_of(project, what) is not None:
            raise click.exceptions.Exit(_show_file(project, what, as_json))
        else:
            select(project.graph, [what])  # words what isn't there
            raise UsageError(
                f"`{what}` is more than one asset", hint="`assetbuild list` takes patterns, `show` takes one id or file"
            )
    finally:
        project.close()


def _asset_of(project: Project, what: str) -> str | None:
    name = what.partition("#")[0]
    return name if name in project.assets else None


def _path_of(project: Project, what: str) -> Path | None:
    for folder in (project.env.cwd, project.root):
        if (folder / what).is_file():
            return folder / what
    return None


def _show_asset(project: Project, name: str, as_json: bool) -> None:
    from ..describing import describe

    planner = Planner(project)
    planner.plan([name])
    asset = describe(project, planner, name)
    if as_json:
        click.echo(json.dumps({"version": 1, "asset": asset, "file": None}, ensure_ascii=False))
        return
    from ..report.shown import asset_lines

    ink, columns = _out(project)
    for line in asset_lines(asset, ink, columns):
        click.echo(line)


def _show_file(project: Project, what: str, as_json: bool) -> int:
    from ..describing import describe
    from ..origin import origin

    path = _path_of(project, what)
    assert path is not None  # noqa: S101 - looked a moment ago
    planner = Planner(project)
    file = origin(project, planner, path, what)
    name = next((one["id"] for one in file["pictures"] if one["in_spec"] and one["lock"] == project.spec.lock), None)
    asset = None
    if name is not None:
        planner.plan([name])
        asset = describe(project, planner, name)
        written = {step["key"]: step["prompt"] for step in asset["steps"]}
        for take in file["takes"]:  # a manifest has the prompt folded; the spec has it as it was written
            take["prompt"] = written.get(take["key"], take["prompt"])
    if as_json:
        click.echo(json.dumps({"version": 1, "asset": asset, "file": file}, ensure_ascii=False))
        return 0 if file["known"] else EXIT_UNKNOWN
    if not file["known"]:
        at = _output_at(project, path)
        hint = (
            f"it lies where `{at}` belongs: `assetbuild show {at}`"
            if at
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
    if name is not None:
        click.echo(f"\n  {ink('dim', 'hint:')} `assetbuild show {name}` says all about the asset")
    return 0


def _output_at(project: Project, path: Path) -> str | None:
    try:
        inner = Path(os.path.abspath(path)).relative_to(project.root).as_posix()
    except ValueError:
        return None
    return next((a.id for a in project.assets.values() if inner in a.outputs), None)


@click.command("list", short_help="List the assets with their state.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@click.option("--exclude", multiple=True, metavar="WHAT", help="Leave these out (same forms as WHAT).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@click.option("-q", "--ids", is_flag=True, help="Only the ids, one a line; nothing is looked at but the spec.")
@click.option("-0", "nul", is_flag=True, help="Only the ids, each ended by a NUL, for `xargs -0`.")
@spec_options
def list_command(
    what: tuple[str, ...], exclude: tuple[str, ...], as_json: bool, ids: bool, nul: bool, spec: str | None, profile: str | None
) -> None:
    """List the assets: id, state, output, tags. WHAT takes the forms that `build` takes, and `+X`: what X is made from."""
    project = open_project(spec, profile)
    try:
        names = select(project.graph, what, exclude=exclude, bases=False)
        if ids or nul:
            click.echo("".join(name + ("\0" if nul else "\n") for name in names), nl=False)
            return
        plans = Planner(project).plan(names)
        if as_json:
            click.echo(json.dumps(_list_json(plans), ensure_ascii=False))
            return
        for line in _list_lines(project, plans):
            click.echo(line)
    finally:
        project.close()


def _list_json(plans: Sequence[AssetPlan]) -> dict[str, Any]:
    assets = [
        {
            "id": p.asset.id,
            "state": p.verb.value,
            "outputs": list(p.asset.outputs),
            "tags": list(p.asset.tags),
            "axes": dict(p.asset.axes),
            "pin": p.asset.pin,
            "description": p.asset.description,
        }
        for p in plans
    ]
    return {"version": 1, "assets": assets}


def _list_lines(project: Project, plans: Sequence[AssetPlan]) -> list[str]:
    from ..report.measures import cut, pad, width
    from ..report.shown import state_style, state_word

    ink, columns = _out(project)
    tty = project.env.stdout.isatty()
    rows = []
    for plan in plans:
        outputs = plan.asset.outputs
        where = outputs[0] + (f" and {len(outputs) - 1} more" if len(outputs) > 1 else "")
        rows.append((plan.asset.id, plan.verb.value, where, " ".join(plan.asset.tags)))
    first = max((width(row[0]) for row in rows), default=0)
    second = max((len(state_word(row[1])) for row in rows), default=0)
    third = max((width(row[2]) for row in rows), default=0)
    if tty:  # a pipe gets everything
        first = min(first, max(20, columns * 2 // 5))
        third = min(third, max(20, columns - first - second - 4))
    lines = []
    for name, state, where, tags in rows:
        shown = ink("bold", name if width(name) <= first else cut(name, first)) + " " * max(0, first - width(name))
        place = cut(where, third) if tty else where
        left = columns - first - second - third - 6
        end = ("  " + ink("dim", cut(tags, left) if tty else tags)) if tags and (not tty or left > 3) else ""  # noqa: PLR2004 - room for a word
        lines.append(
            f"{shown}  {ink(state_style(state), pad(state_word(state), second))}  {pad(place, third) if end else place}{end}"
        )
    return lines


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

        names = select(project.graph, what, bases=True)
        for line in graph_lines([project.assets[name] for name in names]):
            click.echo(line)
    finally:
        project.close()
