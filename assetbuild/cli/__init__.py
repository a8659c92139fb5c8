"""The command line: click, one module a family of commands, loaded when called. Builds the Env, turns errors into exit codes.

This is the only room that ends the process. stdout is data, stderr is talk.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from .. import __version__
from ..errors import AssetbuildError, SpecError
from ..project import Env, Project, find_spec
from ..selection import select
from ..spec.model import files_of

READER_LEFT = 141  # what a shell reports for SIGPIPE

# name → (module, group of --help). Nothing is imported to print the help but the command's own module.
COMMANDS: dict[str, tuple[str, str]] = {
    "build": ("making", "main"),
    "plan": ("making", "main"),
    "watch": ("watching", "main"),
    "show": ("showing", "main"),
    "use": ("choosing", "main"),
    "reroll": ("judging", "main"),
    "approve": ("judging", "main"),
    "cost": ("spending", "main"),
    "init": ("starting", "main"),
    "list": ("showing", "more"),
    "graph": ("showing", "more"),
    "sheet": ("picturing", "more"),
    "takes": ("judging", "more"),
    "reject": ("judging", "more"),
    "resume": ("resuming", "more"),
    "rename": ("choosing", "more"),
    "provenance": ("vouching", "more"),
    "cache": ("keeping", "more"),
    "doctor": ("starting", "more"),
    "providers": ("starting", "more"),
    "presets": ("presetting", "more"),
    "schema": ("starting", "more"),
    "emulator": ("emulating", "more"),
    "completion": ("starting", "more"),
}


class ReaderLeft(Exception):
    """Nobody reads our output any more."""


@contextlib.contextmanager
def _reader() -> Iterator[None]:
    """click would end the process with 1, as if an action had failed."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderLeft from None


class Commands(click.Group):
    """Subcommands that are imported when they are called."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401 - click's own
        """`--help` and `--version` are printed in here."""
        with _reader():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - what the command gives
        """Runs the command."""
        with _reader():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """One command, imported now."""
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"assetbuild.cli.{COMMANDS[name][0]}")
        found: click.Command = getattr(module, name.replace("-", "_") + "_command")
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Says which command was meant when there is none of that name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            import difflib

            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else ""
            raise click.UsageError(f"there is no command `{name}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands one needs every day first, the rest under "more"."""
        for group, title in (("main", "Commands"), ("more", "More")):
            rows = []
            for name, (_, where) in COMMANDS.items():
                command = self.get_command(ctx, name) if where == group else None
                if command is not None:
                    rows.append((name, command.get_short_help_str(limit=80)))
            with formatter.section(title):
                formatter.write_dl(rows)


def make_env(environ: Any = None) -> Env:  # noqa: ANN401 - a mapping of texts
    """The world, as the shell sees it."""
    import shutil

    width = shutil.get_terminal_size((100, 24)).columns
    return Env(Path.cwd(), environ or os.environ, sys.stdout, sys.stderr, tty=sys.stderr.isatty(), width=width)


def open_project(spec: str | None, profile: str | None) -> Project:
    """The project that the command is about. Raises UsageError, SpecError."""
    env = make_env()
    profile = profile or env.environ.get("ASSETBUILD_PROFILE") or None
    return Project(env, find_spec(env.cwd, spec or env.environ.get("ASSETBUILD_SPEC")), profile)


def chosen(
    project: Project, words: Sequence[str], *, exclude: Sequence[str] = (), limit: int | None = None, bases: bool = True
) -> list[str]:
    """The ids that words of the command line mean, see `select`. An output's path may be written from the working directory, from
    the spec's folder, or in full. Raises UsageError.
    """
    outputs = _Outputs(project)
    return select(
        project.graph, [outputs.inner(w) for w in words], exclude=[outputs.inner(w) for w in exclude], limit=limit, bases=bases
    )


class _Outputs:
    """The outputs of a spec, to recognise paths by."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._all: set[str] | None = None

    def inner(self, word: str) -> str:
        """The word; if it is the path of an output, then as the spec writes it."""
        bare = word.strip("+")
        if not bare or bare in self.project.assets or not ("/" in bare or "." in bare or os.sep in bare):
            return word
        if self._all is None:
            self._all = {path for asset in self.project.assets.values() for path in files_of(asset)}
        for path in inner_paths(self.project, bare):
            if path in self._all:
                return word.replace(bare, path)
        return word


def inner_paths(project: Project, given: str) -> Iterator[str]:
    """What a path of the command line may mean, relative to the project: seen from the working directory, then from the spec's
    folder.
    """
    for folder in (project.env.cwd, project.root):
        whole = os.path.abspath(folder / Path(given).expanduser())
        for path, root in ((whole, project.root), (os.path.realpath(whole), os.path.realpath(project.root))):
            with contextlib.suppress(ValueError):
                yield unicodedata.normalize("NFC", Path(path).relative_to(root).as_posix())


def say(text: str) -> None:
    """A line of talk, to stderr; a hint below it is a line of its own. Fits the terminal, if there is one."""
    tell(text, sys.stderr, err=True)


def tell(text: str, stream: Any, *, err: bool = False) -> None:  # noqa: ANN401 - a text stream
    """Lines that aren't painted, wrapped where the stream is a terminal."""
    if not stream.isatty():
        click.echo(text, err=err)
        return
    import shutil

    from ..report.flow import flow
    from ..report.ink import Ink

    columns = shutil.get_terminal_size((100, 24)).columns
    for line in text.split("\n"):
        left = len(line) - len(line.lstrip())
        for part in flow(" " * left, left, [("", line[left:])], Ink(on=False), columns, left + (0 if left else 2)):
            click.echo(part, err=err)


def spec_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators
    """`--spec` and `--profile`, on every command that reads a spec."""
    from .completing import complete_profile

    command = click.option("--profile", metavar="NAME", shell_complete=complete_profile, help="Use this profile of the spec.")(
        command
    )
    return click.option("--spec", metavar="FILE", help="The spec; otherwise the nearest assets.yaml from here upward.")(command)


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="assetbuild")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Builds the pictures that a spec names: only what changed, bases before the edits that hang on them.

    Without a command: what the state is, and what to do next.
    """
    if ctx.invoked_subcommand is None:
        from .starting import state

        ctx.exit(state())


def main(argv: list[str] | None = None) -> int:
    """Runs a command line; gives the exit code. Everything expected ends in one message, everything else in a report that can be pasted."""
    try:
        code = cli.main(args=argv, prog_name="assetbuild", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.Abort:
        say("interrupted")
        return 130
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except click.ClickException as problem:
        problem.show()
        return 2
    except AssetbuildError as problem:
        text = problem.render()
        placed = re.match(r"[^\s:]+:\d+:", text) is not None  # a problem with a place begins with it, as editors expect
        say(text if placed or isinstance(problem, SpecError) else f"assetbuild: {text}")
        return problem.exit_code
    except (ReaderLeft, BrokenPipeError):
        return READER_LEFT  # nothing more can be said; `__main__` closes the streams
    except OSError as problem:
        say(f"assetbuild: {_os_text(problem)}")
        return 1
    except Exception:
        import platform
        import traceback

        trace = _pasteable(traceback.format_exc())
        say(f"assetbuild: this is a bug of assetbuild, not yours; nothing that was paid for is lost\n\n{trace}")
        say(f"assetbuild {__version__}, Python {platform.python_version()}, {platform.platform()}")
        return 70


def _pasteable(trace: str) -> str:
    """A report without keys and addresses: what an unforeseen error says of them is nobody's business."""
    for name, value in os.environ.items():
        if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")) and len(value) >= 8:  # noqa: PLR2004 - shorter ones are words
            trace = trace.replace(value, f"({name})")
    return re.sub(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"\\]+", "(address)", trace)


def _os_text(problem: OSError) -> str:
    import errno

    where = problem.filename or "a file"
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {where} can't be written\n  hint: make room and run again; nothing that was made is lost"
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where} can't be written here: {problem.strerror}"
    return f"{where}: {problem.strerror or problem}"
