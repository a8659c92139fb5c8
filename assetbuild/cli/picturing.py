"""`sheet`: all pictures on one sheet, for a chat or a wall. Changes nothing of the project."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..errors import UsageError
from ..facts import Planner
from ..project import Project
from . import chosen, inner_paths, open_project, say, spec_options
from .completing import complete_what

PIPE = "-"
OTHER = "name another file for the sheet"


@click.command("sheet", short_help="Put all pictures on one sheet, for a chat or a wall.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@click.option(
    "-o",
    "--output",
    "output",
    metavar="FILE",
    required=True,
    help="The sheet: a .pdf has pages; a .png, .jpg or .webp is one tall picture. `-`: stdout, as PNG.",
)
@click.option("--columns", type=click.IntRange(1, 100), metavar="N", help="How many stand beside each other.")
@click.option(
    "--paper", type=click.Choice(["a4", "a3", "letter", "tabloid"]), help="The pages of a PDF, landscape; otherwise a4."
)
@click.option("--exclude", multiple=True, metavar="WHAT", help="Leave these out.")
@spec_options
def sheet_command(
    what: tuple[str, ...],
    output: str,
    columns: int | None,
    paper: str | None,
    exclude: tuple[str, ...],
    spec: str | None,
    profile: str | None,
) -> None:
    """Draw a contact sheet: of each asset the picture as it lies there, its id, its size in pixels, what it cost and its state.

    A set has all its members on it; where no picture is, an empty frame says why. WHAT is what `build` takes. It looks at what is
    there: nothing is made or bought.
    """
    project = open_project(spec, profile)
    try:
        kind = _kind(project, output, paper)
        names = chosen(project, list(what), exclude=exclude, bases=False)
        path = None if output == PIPE else project.env.cwd / Path(output).expanduser()
        if path is not None:
            keep_off(project, output, path)
        if not names:
            raise UsageError("there is no asset to be shown")
        planner = Planner(project)
        plans = planner.plan(names)
        from ..answers.contact import contact  # with Pillow 40 ms
        from ..pictures.printing import print_sheet

        title, cells = contact(project, planner, plans)
        if path is None:
            out = sys.stdout.buffer
            missing = print_sheet(kind, title, cells, out.write, columns=columns, paper=paper or "a4")
            out.flush()
        else:
            from ..files import temp_for

            with temp_for(path, None, durable=False) as temp:
                missing = print_sheet(kind, title, cells, temp.write, columns=columns, paper=paper or "a4")
                temp.become(path, durable=False)
            say(f"{len(cells):,} {'picture' if len(cells) == 1 else 'pictures'} in {output}")
        if missing:
            _tell_missing(missing)
    finally:
        project.close()


def _kind(project: Project, output: str, paper: str | None) -> str:
    """What kind of file it becomes. Raises UsageError."""
    from ..pictures.printing import KINDS

    if output == PIPE:
        if project.env.stdout.isatty():
            raise UsageError("a picture can't be shown in a terminal", hint="write it to a file: `-o sheet.png`")
        kind = "png"
    else:
        ending = Path(output).suffix.lower().removeprefix(".")
        if ending not in KINDS:
            what = f"`.{ending}` is no kind of sheet" if ending else f"{output} has no ending"
            raise UsageError(what, hint="end it with .png, .pdf, .jpg or .webp")
        kind = KINDS[ending]
    if paper is not None and kind != "pdf":
        raise UsageError(f"only a PDF has pages, so `--paper {paper}` means nothing here", hint="`-o sheet.pdf`, or leave it out")
    return kind


def keep_off(project: Project, given: str, path: Path) -> None:
    """Raises UsageError where a sheet would lie on something of the project's: a picture, an input, the spec, the lockfile, or a folder."""
    from ..spec.outputs import fold

    if path.is_dir():
        raise UsageError(f"{given} is a folder", hint=OTHER)
    meant = {fold(inner) for inner in inner_paths(project, str(path))}
    there = _identity(path)

    def same(inner: str) -> bool:
        return fold(inner) in meant or (there is not None and there == _identity(project.root / inner))

    for asset in project.assets.values():
        if any(same(output) for output in asset.outputs):
            raise UsageError(f"{given} is where the picture of `{asset.id}` belongs", hint=OTHER)
    for line in project.lock.lines.values():
        if any(same(output.path) for output in line.outputs):
            raise UsageError(f"{given} is a picture of `{line.id}`", hint=OTHER)
    if same(project.spec.lock) or any(same(inner) for inner in (*project.spec.files, *project.spec.pictures)):
        raise UsageError(f"{given} is a file that the spec needs", hint=OTHER)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _tell_missing(letters: frozenset[str]) -> None:
    import importlib.util

    some = "".join(sorted(letters)[:12])
    wide = importlib.util.find_spec("manimgx_fonts_cjk") is not None
    hint = "" if wide else "\n  hint: `pip install 'assetbuild[cjk]'` has those of Chinese, Japanese and Korean"
    say(f"no font has {some}{'…' if len(letters) > len(some) else ''}: drawn as boxes{hint}")
