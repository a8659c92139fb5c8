"""Where the pictures of an asset go: the output that counts, with its names put in. Knows layers and sets; whether a path is
allowed is asked of `outputs`.
"""

from __future__ import annotations

import posixpath

from .drafts import BUILTIN_OUTPUT, Draft
from .interpolate import BROKEN, Scope, render, words
from .marks import Mark
from .names import tell_at
from .outputs import output_fault, tidy
from .problems import Problems
from .sources import plain_text
from .templates import Bad, names_in, template

SHORT = 150  # characters of an id that can't make a name too long


def place_outputs(draft: Draft, scope: Scope, problems: Problems) -> None:
    """Where the pictures of an asset go: the profile's word, its own, its file's, the root's, `art/${id}.png`."""
    gaps = draft.gaps or draft.home.gaps
    if gaps and draft.unknown("output"):
        return
    own, members = draft.own, draft.sketches[-1].members
    simple = draft.home.simple
    if simple is not None and not members and not gaps and "output" not in own and len(draft.id) < SHORT and draft.id.isascii():
        draft.output = draft.home.output or draft.mark
        draft.outputs = (simple[0] + draft.id + simple[1],)
        return
    holder = draft.strongest("output")
    written = BUILTIN_OUTPUT if holder is None else holder["output"]
    if written.__class__ is not str:
        written = words(written)
    mark = draft.mark if holder is None else holder.mark("output")
    draft.output = mark
    try:
        template(written)
    except Bad as e:
        tell_at(problems, mark, e)
        return
    if gaps and draft.unknown("set") and not members:
        return
    if len(members) > 1 and "member" not in names_in(written):
        if not any(holder is layer for layer in draft.home.above):
            shown = posixpath.splitext(written.replace("${id}", draft.id))
            problems.at(
                mark,
                f"`{draft.id}` is a set of {len(members)} pictures; its output must hold `${{member}}`",
                f'write `output: "{shown[0]}-${{member}}{shown[1]}"` on the asset',
                length=len(draft.key) if holder is None else 0,
                kind=f"member {draft.id}",
            )
            return
        stem, ending = posixpath.splitext(written)  # a profile's output is for all assets, so a set adds what it needs
        written = stem + "-${member}" + ending
    found: list[str] = []
    try:
        id = BROKEN if draft.ghost else draft.id
        for member in members or ("",):
            names: Scope = ({"member": member, "id": id}, *scope) if members else ({"id": id}, *scope)
            path = plain_text(words(render(written, names))).strip()
            found.append(_checked(path, draft, mark, problems))
    except Bad as e:
        tell_at(problems, mark, e, "" if holder is draft.own or draft.ghost else draft.id)
        return
    draft.outputs = tuple(found)


def _checked(path: str, draft: Draft, mark: Mark, problems: Problems) -> str:
    """A tidy path, its faults told."""
    path = tidy(path)
    fault = output_fault(path)
    if fault is not None:
        problems.at(mark, *fault, length=len(draft.key) if mark is draft.mark else 0, kind="output")
    return path
