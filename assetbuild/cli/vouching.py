"""`provenance`: what the files say of where they are from. It changes nothing."""

from __future__ import annotations

import json

import click

from . import chosen, open_project, say, spec_options
from .completing import complete_what


@click.command("provenance", short_help="Say per file whether it is signed, as bought, marked.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@click.option("--exclude", multiple=True, metavar="WHAT", help="Leave these out (same forms as WHAT).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@spec_options
def provenance_command(
    what: tuple[str, ...], exclude: tuple[str, ...], as_json: bool, spec: str | None, profile: str | None
) -> None:
    """Say of each file whether it is signed (C2PA), whether its bytes are those that were bought, and what it says of how it was made.

    Where a signature is gone, the step that dropped it is named. WHAT takes the forms that `build` takes. Whether a signature
    holds is looked at with the extra `c2pa`; nobody is asked over the network, so `valid` says that nothing was changed since, not who
    it was that signed.
    """
    from ..answers.provenance import provenance
    from ..pictures.signing import can_sign

    project = open_project(spec, profile)
    try:
        rows = provenance(project, chosen(project, what, exclude=exclude, bases=False))
        checked = can_sign()
        if as_json:
            click.echo(json.dumps({"version": 1, "checked": checked, "files": rows}, ensure_ascii=False))
            return
        if not rows:
            say("no files")
            return
        from ..report.ink import Ink
        from ..report.vouched import provenance_lines, summary_lines

        tty = project.env.stdout.isatty()
        ink = Ink.of(project.env.environ, tty=tty)
        columns = project.env.width if tty else 0
        for line in provenance_lines(rows, ink, columns):
            click.echo(line)
        click.echo("")
        for line in summary_lines(rows, ink, columns, checked=checked):
            click.echo(line)
    finally:
        project.close()
