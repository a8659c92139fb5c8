"""`presets`: the named ways to export that come with assetbuild."""

from __future__ import annotations

import click

from . import make_env


@click.command("presets", short_help="The named ways to export.")
def presets_command() -> None:
    """The named ways to export that come with assetbuild, for `preset: NAME` in a spec: what each is for, and which files it makes."""
    from ..report.flow import name_column, row
    from ..report.ink import Ink
    from ..spec.presets import builtin

    env = make_env()
    tty = env.stdout.isatty()
    ink, columns = Ink.of(env.environ, tty=tty), env.width if tty else 0
    found = builtin()
    column = name_column(found, columns)
    for name, fields in found.items():
        files = ", ".join(fields.get("files", ()))
        after = [("", str(fields["about"]))] + ([("dim", f"({files})")] if files else [])
        for line in row(name, column, after, ink, columns):
            click.echo(line)
