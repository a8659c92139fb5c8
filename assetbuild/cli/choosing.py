"""`use` and `rename`: a person's word, written into the lockfile. Neither makes nor buys anything."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ..choosing import Choice, use
from ..errors import Place, UsageError
from ..renaming import Renamed, rename
from ..selection import select
from . import open_project, say, spec_options
from .completing import complete_id, complete_profile, complete_what, complete_which

MOST = 10  # assets that get a line of their own


@click.command("use", short_help="Choose the picture of an asset: a take, an older one, a file.")
@click.argument("what", metavar="ID", shell_complete=complete_what)
@click.argument("which", required=False, shell_complete=complete_which)
@click.option(
    "--from",
    "from_profile",
    metavar="PROFILE",
    shell_complete=complete_profile,
    help="The picture that it has under another profile.",
)
@spec_options
def use_command(what: str, which: str | None, from_profile: str | None, spec: str | None, profile: str | None) -> None:
    """Say "this is the picture I want" for the spec as it is now.

    WHICH is a take (`2`, or the first letters of a digest), `previous`, or a file; without it, what lies there now. ID may be
    a pattern or `tag:launch`. What lay there before stays in the store, and `assetbuild use ID previous` brings it back. The
    picture stays until the spec changes again.
    """
    if which is not None and from_profile is not None:
        raise UsageError(f"`{which}` and `--from {from_profile}` are two pictures", hint="name one of them")
    project = open_project(spec, profile)
    try:
        ids = select(project.graph, [what], bases=False)
        member = what.partition("#")[2] if what not in project.assets else ""
        if which is not None and len(ids) > 1 and ("/" in which or "." in which):
            raise UsageError(
                f"`{what}` means {len(ids)} assets, and {which} is one picture", hint="name one asset: `assetbuild use ID FILE`"
            )
        choices = use(project, ids, which, member=member, from_profile=from_profile)
        _tell(choices)
    finally:
        project.close()


def _tell(choices: list[Choice]) -> None:
    done = [one for one in choices if one.changes]
    for one in done[:MOST]:
        for line in _lines(one):
            say(line)
    if len(done) > MOST:
        say(f"… and {len(done) - MOST:,} more")
    same = len(choices) - len(done)
    if same and not done:
        first = choices[0]
        name = first.line.id
        say(f"`{name}` has that picture already" if same == 1 else f"all {same:,} have these pictures already")
        for note in dict.fromkeys(note for one in choices for note in one.notes):
            say(f"{'':8} {note}")
    elif same:
        say(f"{same:,} had theirs already")


def _lines(one: Choice) -> list[str]:
    name, paths = one.line.id, one.touched or one.plan.asset.outputs
    where = paths[0]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    gap = " " * 8
    lines = [f"{'chosen':8}{name}: {one.pick.word}" + ("" if one.pick.word == where else f", at {where}{more}")]
    if one.waives:
        lines.append(f"{gap}not made from the spec and inputs of now; it stays until they change")
    elif one.line.by_hand:
        lines.append(f"{gap}made by hand; it stays, and is never replaced unasked")
    lines += [gap + note for note in one.notes]
    if one.replaces:
        lines.append(f"{gap}what lay there is kept: `assetbuild use {name} previous` brings it back")
    return lines


@click.command("rename", short_help="Give an asset another id; its picture stays.")
@click.argument("old", shell_complete=complete_id)
@click.argument("new")
@spec_options
def rename_command(old: str, new: str, spec: str | None, profile: str | None) -> None:
    """Give an asset another id without making its picture again: moves its line in the lockfile, and its file if nothing is
    in the way.

    Both may be patterns: `rename 'poster-*' 'poster/*'`. The spec is yours: what has to be changed there is said. Before or
    after, the order doesn't matter.
    """
    project = open_project(spec, profile)
    try:
        done = rename(project, old, new)
        for one in done[:MOST]:
            say(f"{'renamed':8} {one.old} → {one.new}")
            for before, after in one.moves:
                say(f"{'':8} {before} → {after}")
            for text in one.left:
                say(f"{'':8} {text}")
        if len(done) > MOST:
            say(f"… and {len(done) - MOST:,} more")
        _spec_words(done)
    finally:
        project.close()


def _spec_words(done: list[Renamed]) -> None:
    """What is still to be changed in the spec."""
    places = _listed(one.place for one in done if one.place is not None)
    if not places:
        return
    users = _listed(place for one in done for place in one.users)
    say(f"now write the new id in the spec: {places}" + (f"; its name is used at {users}" if users else ""))


def _listed(places: Iterable[Place]) -> str:
    """`assets.yaml:4, assets.yaml:11`"""
    found = list(dict.fromkeys(f"{place.file}:{place.line}" for place in places))
    return ", ".join(found[:MOST]) + (f" and {len(found) - MOST:,} more" if len(found) > MOST else "")
