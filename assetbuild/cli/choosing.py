"""`use` and `rename`: a person's word, written into the lockfile. Neither makes nor buys anything."""

from __future__ import annotations

from collections.abc import Iterable

import click

from ..errors import Place, UsageError
from ..project import Project
from ..verbs.choosing import Choice, use
from ..verbs.renaming import Renamed, rename
from . import chosen, open_project, say, spec_options
from .completing import complete_id, complete_profile, complete_what, complete_which

ALIKE = 3  # more choices than this share what is to be said of all of them
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
        ids = chosen(project, [what], bases=False)
        member = what.partition("#")[2] if what not in project.assets else ""
        if which is not None and len(ids) > 1 and ("/" in which or "." in which):
            raise UsageError(
                f"`{what}` means {len(ids)} assets, and {which} is one picture", hint="name one asset: `assetbuild use ID FILE`"
            )
        tell(use(project, ids, which, member=member, from_profile=from_profile))
    finally:
        project.close()


def tell(choices: list[Choice], *, approved: bool = False) -> None:
    """Says what was chosen, or approved, and what else is worth knowing of it."""
    done = [one for one in choices if one.changes]
    said = [_lines(one, "approved" if approved else "chosen") for one in done]
    of_all = set[str]() if len(done) <= ALIKE else set(said[0][1:]).intersection(*(lines[1:] for lines in said))
    for lines in said[:MOST]:
        for line in lines:
            if line not in of_all:
                say(line)
    if len(done) > MOST:
        say(f"… and {len(done) - MOST:,} more")
    for line in sorted(of_all):  # what holds for each of many is said once
        say(f"each of them: {line.lstrip()}")
    same = len(choices) - len(done)
    if same and not done:
        first = choices[0]
        name = first.line.id
        if approved:
            say(f"`{name}` is approved already" if same == 1 else f"all {same:,} are approved already")
        else:
            say(f"`{name}` has that picture already" if same == 1 else f"all {same:,} have these pictures already")
        if same == 1 and first.plan.asset.approve and not first.line.is_approved:
            say(f"{'':8} not approved yet: `assetbuild approve {name}`")
        for note in dict.fromkeys(note for one in choices for note in one.notes):
            say(f"{'':8} {note}")
    elif same:
        say(f"{same:,} {'were approved' if approved else 'had theirs'} already")


def _lines(one: Choice, word: str) -> list[str]:
    name, paths = one.line.id, one.touched or one.plan.asset.outputs
    where = paths[0]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    gap = " " * max(8, len(word) + 1)
    lines = [f"{word:{len(gap)}}{name}: {one.pick.word}" + ("" if one.pick.word == where else f", at {where}{more}")]
    if one.plan.asset.pin and not one.line.by_hand:
        lines.append(f"{gap}pinned: it stays, whatever changes")
    elif one.waives:
        lines.append(f"{gap}not made from the spec and inputs of now; it stays until they change")
    elif one.line.by_hand:
        lines.append(f"{gap}made by hand; it stays, and is never replaced unasked")
    if one.takes_back:
        lines.append(f"{gap}it was rejected, and isn't any more")
    elif not one.line.is_approved and one.plan.asset.approve:
        lines.append(f"{gap}not approved yet: `assetbuild approve {name}`")
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

    The spec isn't edited: what has to be changed there is said, before or after, the order doesn't matter. Both may be
    patterns: `rename 'poster-*' 'poster/*'`. A set's members are renamed in its `set:` alone.
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
        _spec_words(project, done)
    finally:
        project.close()


def _spec_words(project: Project, done: list[Renamed]) -> None:
    """What is still to be changed in the spec."""
    left = [one for one in done if one.place is not None]
    if not left:
        return
    say("the spec isn't edited by this; now change it:")
    keys = [one for one in left if not project.assets[one.old].axes]
    if keys:
        ids = f"`{keys[0].new}`" if len(keys) == 1 else "the new ids"
        say(f"{'':8} write {ids} at {_listed(one.place for one in keys if one.place is not None)}")
    rows = list(dict.fromkeys(_in_matrix(project, one) for one in left if project.assets[one.old].axes))
    for text in rows[:MOST]:
        say(f"{'':8} {text}")
    if len(rows) > MOST:
        say(f"{'':8} … and {len(rows) - MOST:,} more rows")
    users = _listed(place for one in left for place in one.users)
    if users:
        say(f"{'':8} the old id is used at {users}")


def _in_matrix(project: Project, one: Renamed) -> str:
    """Where a matrix has what is to be changed for the new id: a table's row, a value of a list, or the pattern of its ids."""
    assert one.place is not None  # noqa: S101 - it is in the spec
    told: list[tuple[str, str]] = []
    for axis, value in sorted(project.assets[one.old].axes.items(), key=lambda cell: -len(cell[1])):
        if value and value in one.old and value not in one.new and not any(value in longer for _, longer in told):
            told.append((axis, value))
    at = f"the matrix at {one.place.file}:{one.place.line}"
    if not told:
        return f"its ids come from {at}: write the new pattern there"
    parts = []
    for axis, value in told:
        table, dot, column = axis.rpartition(".")
        parts.append(
            f"the cell in the row of `{table}` whose {column} is `{value}`" if dot else f"`{value}` on the axis `{axis}`"
        )
    return f"`{one.old}` comes from {at}: change {' and '.join(parts)}"


def _listed(places: Iterable[Place]) -> str:
    """`assets.yaml:4, assets.yaml:11`"""
    found = list(dict.fromkeys(f"{place.file}:{place.line}" for place in places))
    return ", ".join(found[:MOST]) + (f" and {len(found) - MOST:,} more" if len(found) > MOST else "")
