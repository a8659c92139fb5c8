"""`cost`: what was spent, on what, and what of it came to nothing. It changes nothing."""

from __future__ import annotations

import json
from typing import Any

import click

from ..project import Project
from . import open_project, say, spec_options


def _complete_by(_ctx: click.Context, _param: click.Parameter, start: str) -> list[str]:
    return [word for word in ("asset", "model", "day", "tag") if word.startswith(start)]


@click.command("cost", short_help="Say what was spent, and on what.")
@click.option(
    "--by",
    default="asset",
    show_default=True,
    metavar="asset|model|day|tag|AXIS",
    shell_complete=_complete_by,
    help="What a line stands for.",
)
@click.option("--since", metavar="DATE|DAYS", help="Only from a day on (2026-11-01), or the last days (30d).")
@click.option("--all-projects", "everywhere", is_flag=True, help="Of every project that uses this store.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@spec_options
def cost_command(by: str, since: str | None, everywhere: bool, as_json: bool, spec: str | None, profile: str | None) -> None:
    """Say what was spent on this machine: by asset, model, day, tag or an axis of a matrix, and what of it came to nothing.

    Every purchase that this project's store has a record of, also those whose asset or picture is gone. What colleagues bought is in
    their records. Days are this machine's.
    """
    from ..answers.spend import since_of, spend

    project = open_project(spec, profile)
    try:
        start = None if since is None else since_of(since, project.env.now())
        answer = _record(spend(project, by, start, everywhere=everywhere))
        if as_json:
            del answer["since_at"]
            click.echo(json.dumps({"version": 1, **answer}, ensure_ascii=False))
            return
        _tell(project, answer)
    finally:
        project.close()


def _tell(project: Project, answer: dict[str, Any]) -> None:
    from ..report.ink import Ink
    from ..report.spent import notes, nothing_line, spend_lines

    if not answer["rows"] and not answer["pending"]:
        say(nothing_line(answer))
        return
    tty = project.env.stdout.isatty()
    ink = Ink.of(project.env.environ, tty=tty)
    for line in spend_lines(answer, ink, project.env.width if tty else 0):
        click.echo(line)
    for note in notes(answer):
        say(f"  {note}")


def _record(spent: Any) -> dict[str, Any]:  # noqa: ANN401 - a Spend
    from ..report.measures import stamp_text

    answer: dict[str, Any] = spent._asdict()
    for part in ("rows", "waste", "waiting", "pending"):
        answer[part] = [one._asdict() for one in answer[part]]
    total = answer["total"]._asdict()
    del total["name"]
    return answer | {
        "total": total,
        "credits": None if spent.credits is None else float(spent.credits),
        "since_at": spent.since,
        "since": None if spent.since is None else stamp_text(spent.since),
        "unread": list(spent.unread),
    }
