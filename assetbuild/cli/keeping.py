"""`cache stats`, `verify` and `gc`: what the store holds, whether it is whole, and what nothing needs any more."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import click

from ..errors import StoreError, UsageError
from ..project import BUILT_IN, Project
from ..report.measures import count_text, money_text, size_text
from ..store import Store
from . import open_project, say, spec_options

EXIT_DAMAGED = 1
LISTED = 12  # pictures that gc names one by one

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")


@click.group("cache", short_help="Look into the store: stats, verify, gc.")
def cache_command() -> None:
    """The store: every picture that was made or bought here, and the record of what it cost.

    Nothing in it is deleted unless `gc --delete` is asked to, and never what a lockfile of any branch, stash or worktree names.
    """


def _print(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def _store(project: Project) -> Store:
    store = project.look_store()
    if store is None:
        raise UsageError(f"there is no store yet at {project.store_path}", hint="the first `assetbuild build` makes it")
    return store


@cache_command.command("stats", short_help="Say what the store holds.")
@_json
@spec_options
def stats_command(as_json: bool, spec: str | None, profile: str | None) -> None:
    """Say where the store is, what it holds, what that cost, and which projects live from it."""
    project = open_project(spec, profile)
    try:
        store = _store(project)
        stats, trees = store.stats(), store.trees()
        if as_json:
            _print(
                {
                    "version": 1,
                    "store": str(store.root),
                    "files": stats.blobs,
                    "bytes": stats.size,
                    "results": stats.results,
                    "cost": stats.cost,
                    "open_jobs": stats.open_jobs,
                    "damaged": stats.damaged,
                    "network": store.network,
                    "read_only": store.read_only,
                    "projects": [
                        {"path": path, "locks": list(locks), "here": os.path.isdir(path)} for path, locks in trees.items()
                    ],
                }
            )
            return
        rows = [
            ("store", str(store.root)),
            ("holds", f"{count_text(stats.blobs, 'file')}, {size_text(stats.size)}"),
            (
                "results",
                f"{count_text(stats.results, 'picture or set', 'pictures and sets')}, "
                + ("nothing was paid" if stats.cost == 0 else money_text(stats.cost)),
            ),
        ]
        if stats.open_jobs:
            rows.append(("open", f"{count_text(stats.open_jobs, 'job')} that may still cost money"))
        if stats.damaged:
            rows.append(("damaged", f"{count_text(stats.damaged, 'file')} set aside in {store.root / 'cas' / 'corrupt'}"))
        if store.network:
            rows.append(("disk", f"a network disk ({store.network}): nothing may be bought with this store"))
        for number, path in enumerate(trees):
            rows.append(("used by" if number == 0 else "", path + ("" if os.path.isdir(path) else "  (isn't there)")))
        for name, text in rows:
            click.echo(f"{name:<9}{text}")
    finally:
        project.close()


@cache_command.command("verify", short_help="Read every picture of the store and check it.")
@click.option(
    "--repair", is_flag=True, help="Set a damaged record (store.db) aside and keep what can be read of it. Deletes nothing."
)
@_json
@spec_options
def verify_command(repair: bool, as_json: bool, spec: str | None, profile: str | None) -> None:
    """Read every file of the store, compare it with its name, and check the record. Exit 1 if something is damaged or missing.

    Damaged files are set aside, not deleted; the next build that has the right bytes puts them back.
    """
    project = open_project(spec, profile)
    try:
        if repair:
            _repair(project)
        store = _store(project)
        report = store.verify()
        fine = not (report.corrupt or report.missing or report.database)
        if as_json:
            _print(
                {
                    "version": 1,
                    "store": str(store.root),
                    "intact": fine,
                    "files": report.blobs,
                    "bytes": report.size,
                    "damaged": [{"digest": d, "assets": _assets(project, d)} for d in report.corrupt],
                    "missing": [{"digest": d, "assets": _assets(project, d)} for d in report.missing],
                    "record": list(report.database),
                }
            )
        else:
            _verify_lines(project, store, report)
        raise click.exceptions.Exit(0 if fine else EXIT_DAMAGED)
    finally:
        project.close()


def _repair(project: Project) -> None:
    from ..store.salvage import set_aside

    try:
        Store.open(project.store_path, create=False).close()
        store = Store.open(project.store_path)
        try:
            whole = not store.verify().database
        finally:
            store.close()
    except StoreError:
        whole = False
    if whole:
        say("the record is whole; nothing to repair")
        return
    done = set_aside(project.store_path)
    say(
        f"the damaged record is {done.aside} now; kept of it: "
        + ", ".join(f"{count} {table}" for table, count in done.rows.items())
    )


def _assets(project: Project, digest: str) -> list[str]:
    return [line.id for line in project.lock.lines.values() if any(o.digest == digest for o in line.outputs)]


def _verify_lines(project: Project, store: Store, report: Any) -> None:  # noqa: ANN401 - store.Report
    for words, digests in (("damaged, and set aside", report.corrupt), ("missing", report.missing)):
        for digest in digests:
            names = _assets(project, digest)
            whose = f", the picture of {', '.join(f'`{n}`' for n in names)}" if names else ""
            click.echo(f"{digest[:16]}  {words}{whose}")
    for line in report.database:
        click.echo(f"store.db  {line}")
    said = [f"{len(report.corrupt):,} damaged"] * bool(report.corrupt) + [f"{len(report.missing):,} missing"] * bool(
        report.missing
    )
    click.echo(f"{count_text(report.blobs, 'file')} intact, {size_text(report.size)}" + "".join(", " + text for text in said))
    if report.database:
        say("  hint: `assetbuild cache verify --repair` sets the damaged record aside and keeps what can be read of it")
    elif report.corrupt or report.missing:
        say(
            "  hint: `assetbuild plan` says what follows for the assets; "
            "a copy of the picture anywhere can be given back with `assetbuild use ID FILE`"
        )


@cache_command.command("gc", short_help="List what nothing needs any more; delete it when told.")
@click.option("--delete", is_flag=True, help="Delete what is listed.")
@click.option("--forget", multiple=True, metavar="PATH", help="This project is gone for good: keep nothing for it.")
@_json
@spec_options
def gc_command(delete: bool, forget: tuple[str, ...], as_json: bool, spec: str | None, profile: str | None) -> None:
    """List what no lockfile of any branch, stash, worktree or profile of any project names, and what it cost; with --delete,
    delete it.
    """
    project = open_project(spec, profile)
    try:
        from ..store.gc import gc

        store = _store(project)
        _forget(store, project, forget)
        store.register_tree(str(project.root), [project.spec.lock])
        found = gc(store, delete=delete)
        takes = [
            {
                "key": t.key,
                "take": t.take,
                "by": t.made_by,
                "cost": t.cost,
                "digests": [b.digest for b in t.blobs],
                "bytes": sum(b.size for b in t.blobs),
            }
            for t in found.takes
        ]
        if as_json:
            _print(
                {
                    "version": 1,
                    "store": str(store.root),
                    "deleted": delete,
                    "files": len(found.blobs),
                    "bytes": found.size,
                    "cost": found.cost,
                    "leftovers": found.leftovers,
                    "results": takes,
                }
            )
            return
        _gc_lines(takes, found, delete)
    finally:
        project.close()


def _forget(store: Store, project: Project, paths: tuple[str, ...]) -> None:
    for given in paths:
        known = store.trees()
        path = next((p for p in (given, os.path.abspath(project.env.cwd / given)) if p in known), None)
        if path is None:
            raise UsageError(f"the store knows no project at {given}", hint="`assetbuild cache stats` lists those that use it")
        if path == str(project.root):
            raise UsageError(
                "that is this very project, which is here", hint="`--forget` is for a project whose folder is gone for good"
            )
        store.forget_tree(path)
        say(f"forgotten: {path}")


def _gc_lines(takes: list[dict[str, Any]], found: Any, delete: bool) -> None:  # noqa: ANN401 - gc.Garbage
    if not found.blobs and not found.takes and not found.leftovers:
        click.echo("everything in the store is needed")
        return
    paid = [t for t in takes if t["cost"]]
    for take in sorted(paid, key=lambda t: -t["cost"])[:LISTED]:
        digest = take["digests"][0][:16] if take["digests"] else "(no picture)"
        click.echo(f"{digest:16}  {money_text(take['cost']):>8}  {size_text(take['bytes']):>7}  {take['by']}")
    if len(paid) > LISTED:
        click.echo(f"… and {len(paid) - LISTED:,} more that were paid for")
    free = Counter((t["by"], t["cost"] is None) for t in takes if not t["cost"])
    for (name, unknown), count in free.most_common():
        drawn = name.partition("/")[0] in BUILT_IN
        price = "whose cost isn't known" if unknown else "drawn here, free" if drawn else "free"
        click.echo(f"{count_text(count, 'picture or set', 'pictures and sets')} by {name}, {price}")
    words = f"{count_text(len(found.blobs), 'file')}, {size_text(found.size)}" + (
        f", paid {money_text(found.cost)}" if found.cost else ""
    )
    if found.leftovers:
        words += f", {count_text(found.leftovers, 'leftover')} of killed runs"
    if delete:
        click.echo(f"deleted {words}")
    else:
        click.echo(f"nothing needs {words}")
        say(
            "  hint: nothing was deleted; `assetbuild cache gc --delete` deletes it"
            + (", and what was paid for is paid again if it is wanted again" if found.cost else "")
        )
