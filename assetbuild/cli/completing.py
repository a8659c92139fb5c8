"""Completion of ids, patterns and tags in the shell. Quick and silent: whatever is wrong with the spec, the shell gets no
word of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

MOST = 500  # more are no help on a screen


def _project(ctx: click.Context) -> Any:  # noqa: ANN401 - a Project; importing it here would cost each start
    import io
    import os

    from ..project import Env, Project, find_spec

    silent = io.StringIO()
    env = Env(Path.cwd(), os.environ, silent, silent)
    spec = ctx.params.get("spec") or os.environ.get("ASSETBUILD_SPEC")
    profile = ctx.params.get("profile") or os.environ.get("ASSETBUILD_PROFILE") or None
    return Project(env, find_spec(env.cwd, spec), profile)


def _ids(ctx: click.Context, start: str) -> list[CompletionItem]:
    try:
        assets = _project(ctx).spec.assets
    except Exception:  # a shell that completes must not be told of it
        return []
    return [CompletionItem(a.id, help=a.description or a.outputs[0]) for a in assets if a.id.startswith(start)][:MOST]


def _files(start: str) -> list[CompletionItem]:
    return [CompletionItem(start, type="file")]


def complete_id(ctx: click.Context, _: click.Parameter, start: str) -> list[CompletionItem]:
    """One asset's id, or a file."""
    found = _ids(ctx, start)
    return found or _files(start)


def complete_what(ctx: click.Context, _: click.Parameter, start: str) -> list[CompletionItem]:
    """The forms of WHAT: ids, `tag:…`, and outputs when a path is begun."""
    if start.startswith("tag:") or (start and "tag:".startswith(start)):
        try:
            tags = sorted({tag for a in _project(ctx).spec.assets for tag in a.tags})
        except Exception:
            tags = []
        found = [CompletionItem(f"tag:{tag}") for tag in tags if f"tag:{tag}".startswith(start)]
        if start.startswith("tag:"):
            return found
        return [*_ids(ctx, start), *found]
    return _ids(ctx, start) or _files(start)


def complete_which(ctx: click.Context, _: click.Parameter, start: str) -> list[CompletionItem]:
    """What can stand after `use ID`."""
    words = [CompletionItem("previous", help="the picture before")] if "previous".startswith(start) else []
    return [*words, *_files(start)]


def complete_profile(ctx: click.Context, _: click.Parameter, start: str) -> list[CompletionItem]:
    """A profile of the spec."""
    try:
        names = _project(ctx).spec.profiles
    except Exception:
        return []
    return [CompletionItem(name) for name in names if name.startswith(start)]
