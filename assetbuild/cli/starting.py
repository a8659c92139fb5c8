"""`init`, `doctor`, `providers`, `schema`, `completion`, and bare `assetbuild`: what one needs before there is anything to
build.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from pathlib import Path

import click

from ..errors import UsageError
from . import make_env, open_project, say, spec_options

EXIT_ILL = 1
NARROW = 80
LEFT_SHOWN = 8  # files that were left out and are named

SHELLS = ("bash", "zsh", "fish")


@click.command("init", short_help="Write a spec to begin with, or take pictures over.")
@click.argument("folder", required=False, metavar="[FOLDER]", type=click.Path(file_okay=False))
@click.option(
    "--from", "source", metavar="DIR", help="Take over the pictures in this folder as they are: nothing is drawn or bought."
)
def init_command(folder: str | None, source: str | None) -> None:
    """Write assets.yaml with an example that builds at once, and the lines that git needs. What is there already isn't changed.

    With --from DIR the spec names every picture in that folder instead, pinned as it is.
    """
    from ..verbs.starting import SPEC_NAME, first_spec, refuse_second, write_around, write_spec

    env = make_env()
    root = Path(os.path.abspath(env.cwd / (folder or ".")))
    refuse_second(root)
    if source is not None:
        from ..verbs.adopting import adopt

        found = adopt(env, root, env.cwd / source)
        _tell_left(found.left)
        around = write_around(root)
        count = len(found.pictures)
        say(f"wrote {', '.join([SPEC_NAME, 'assets.lock', *around])}")
        taken = "1 picture taken over as it is" if count == 1 else f"{count:,} pictures taken over as they are, each"
        say(f"{taken}{', ' if count == 1 else ' '}pinned; nothing was drawn or bought")
        say("next: `assetbuild list` shows them; say in the prompts what they show")
        return
    write_spec(root, first_spec(root.name))
    around = write_around(root)
    say(f"wrote {', '.join([SPEC_NAME, *around])}")
    change = f"cd {shlex.quote(folder)} && " if folder else ""
    say(f"next: `{change}assetbuild build` draws its pictures into art/, free; `provider: apiframe` in {SPEC_NAME} buys them")


def _tell_left(left: dict[str, str]) -> None:
    for path, why in list(left.items())[:LEFT_SHOWN]:
        say(f"left out: {path}: {why}")
    if len(left) > LEFT_SHOWN:
        say(f"left out: {len(left) - LEFT_SHOWN:,} more files")


@click.command("doctor", short_help="Check the machine and the project.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@spec_options
def doctor_command(as_json: bool, spec: str | None, profile: str | None) -> None:
    """Check what a build leans on: Python, packages, fonts, git, the spec, the lockfile, the store. Exit 1 if something is
    broken.
    """
    from ..answers.health import examine
    from ..report.ink import Ink
    from ..report.shown import wrapped

    env = make_env()
    ink = Ink.of(env.environ, tty=env.stdout.isatty())
    columns = shutil.get_terminal_size((NARROW, 24)).columns if env.stdout.isatty() else 0
    styles = {"ok": "green", "warn": "yellow", "bad": "red bold"}
    findings = []
    for one in examine(env, spec or env.environ.get("ASSETBUILD_SPEC"), profile or env.environ.get("ASSETBUILD_PROFILE") or None):
        findings.append(one)
        if as_json:
            continue
        text = f"{one.name}: {one.text}"
        lines = wrapped(text, columns, "      ") if columns else ["      " + text]
        click.echo(ink(styles[one.level], one.level.ljust(6)) + "\n".join(lines)[6:])
        if one.hint:
            hint = f"hint: {one.hint}"
            click.echo("\n".join(wrapped(hint, columns, "      ") if columns else ["      " + hint]))
    bad = sum(one.level == "bad" for one in findings)
    warned = sum(one.level == "warn" for one in findings)
    if as_json:
        rows = [one._asdict() for one in findings]
        click.echo(json.dumps({"version": 1, "healthy": not bad, "findings": rows}, ensure_ascii=False))
    elif bad or warned:
        click.echo(", ".join([f"{bad} broken"] * bool(bad) + [f"{warned} to look at"] * bool(warned)))
    else:
        click.echo("all is well")
    raise click.exceptions.Exit(EXIT_ILL if bad else 0)


@click.command("providers", short_help="List the providers and their models.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
def providers_command(as_json: bool) -> None:
    """List who can make pictures: name, what it costs, where it comes from, and its models with what they can do."""
    from ..answers.installed import lines, providers
    from ..project import installed_tables
    from ..providers.table import builtin

    found = providers(builtin(installed_tables))
    if as_json:
        click.echo(json.dumps({"version": 1, "providers": found}, ensure_ascii=False))
        return
    for one in found:
        price = "free" if one["free"] else "costs money"
        click.echo(
            f"{one['name']}  {one['from']}, {price}" if one["installed"] else f"{one['name']}  can't be used: {one['problem']}"
        )
        for line in lines(one["models"], time.strftime("%Y-%m-%d", time.localtime(time.time()))):
            click.echo(f"  {line}")


@click.command("schema", short_help="Print a JSON Schema.")
@click.argument("name", required=False, default="assetbuild")
@click.option("--list", "listed", is_flag=True, help="List the names.")
@click.option(
    "--install",
    is_flag=True,
    help="Write the spec's schema to .assetbuild/, where the first line of a spec names it for the editor.",
)
@spec_options
def schema_command(name: str, listed: bool, install: bool, spec: str | None, profile: str | None) -> None:
    """Print the JSON Schema of the spec, or of a command's --json (`assetbuild schema plan`)."""
    from ..verbs.starting import SCHEMA, schema_text, schemas, write_schema

    if listed:
        for one in schemas():
            click.echo(one)
        return
    if install:
        project = open_project(spec, profile)
        wrote = write_schema(project.root)
        say(f"wrote .assetbuild/{SCHEMA}" if wrote else f".assetbuild/{SCHEMA} is there already")
        return
    text = schema_text(name)
    if text is None:
        raise UsageError(f"there is no schema `{name}`", hint="there are " + ", ".join(f"`{one}`" for one in schemas()))
    click.echo(text, nl=False)


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    """Print the script that completes commands, options and ids in your shell.

    \b
    bash  eval "$(assetbuild completion bash)"      in ~/.bashrc
    zsh   eval "$(assetbuild completion zsh)"       in ~/.zshrc
    fish  assetbuild completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    from . import cli

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click has all three
    click.echo(found(cli, {}, "assetbuild", "_ASSETBUILD_COMPLETE").source())


def state() -> int:
    """Bare `assetbuild`: the state in at most five lines, and the next command."""
    from ..answers.glance import glance
    from ..report.ink import Ink

    env = make_env()
    tty = env.stdout.isatty()
    columns = shutil.get_terminal_size((NARROW, 24)).columns if tty else 200
    for line in glance(env, Ink.of(env.environ, tty=tty), columns):
        click.echo(line)
    return 0
