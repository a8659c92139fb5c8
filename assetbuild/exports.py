"""What happens to an export: one pure function from facts to a decision, as `plan.decide` is for pictures. Exports are decided by themselves: they cost
nothing, and nothing is made from them.

| # | facts | decision |
|---|---|---|
| X1 | made from the locked picture's digest by these options, and the file has the locked digest, whatever encoder made it | UP TO DATE |
| X2 | its picture isn't known until it is built | WAITING |
| X3 | its picture was rejected, failed, or isn't known at all | SKIPPED |
| X4 | the colour profile that it names isn't there | HELD |
| X5 | `written` says that we put this file there from this picture by these options | UP TO DATE, to be noted in the lock line |
| X6 | the file isn't ours | HELD: edited by hand → `build --replace ID` |
| X7 | the lock line fits, and its bytes are in the store | RESTORE |
| X8 | the picture isn't at hand | SKIPPED (its own row says why) |
| X9 | it would be enlarged more than four times | FAILED |
| X10 | else | GENERATE: made here, free; reason = the options that differ, "another picture", "new" |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .plan import Verb

MOST_ENLARGED = 4.0  # times, of either side


class ExportFacts(NamedTuple):
    """One export. `master` is the digest of the picture it is made from (None: not known); `options` what is said of it, None while the colour profile
    `lacks` isn't there. `locked_*`: what the lock line says; `found`: the digest of what lies there. `coming`: the picture is known once it is built;
    `refused`: nothing is to be made from it now. What follows only the store and the picture know (`looked`).
    """

    id: str
    name: str
    path: str
    master: str | None
    options: Mapping[str, Any] | None
    locked: str | None = None
    locked_of: str | None = None
    locked_options: Mapping[str, Any] | None = None
    found: str | None = None
    lacks: str = ""
    coming: bool = False
    refused: str = ""
    again: bool = False  # `--re-export`
    replace: bool = False  # `--replace`
    looked: bool = False
    ours: bool = False
    noted: bool = False  # `written` says that this file was made from this picture by these options
    blob: bool = False
    at_hand: bool = False
    scale: float = 1.0
    size: tuple[int, int] = (0, 0)  # of the picture, in pixels
    bare: bool = False  # the file beside it that says where it comes from isn't there

    @property
    def fits(self) -> bool:
        """Whether the lock line speaks of this picture and these options."""
        return self.locked is not None and self.locked_of == self.master and self.locked_options == self.options


class ExportDecision(NamedTuple):
    """What is to be done with an export, and the sentence that says why."""

    row: str
    verb: Verb
    text: str = ""
    hint: str = ""


class Look:
    """The answer "look into the store first"."""


LOOK = Look()


def decide(f: ExportFacts) -> ExportDecision | Look:
    """The table above, first match wins."""
    if f.fits and f.found == f.locked and f.found is not None and not (f.again or f.bare):
        return ExportDecision("X1", Verb.UP_TO_DATE)
    if f.refused:
        return ExportDecision("X3", Verb.SKIPPED, f.refused)
    if f.master is None:
        if f.coming:
            return ExportDecision("X2", Verb.WAITING, f"after `{f.id}`")
        return ExportDecision("X3", Verb.SKIPPED, f"`{f.id}` has no picture yet")
    if f.lacks:
        return ExportDecision("X4", Verb.HELD, f"waiting for {f.lacks}", "put the file there, or take the profile out")
    if not f.looked:
        return LOOK
    if f.noted and not (f.again or f.bare):
        return ExportDecision("X5", Verb.UP_TO_DATE)
    if f.found is not None and f.found != f.locked and not f.ours and not f.replace:
        what = "was edited by hand" if f.locked is not None else "was there before and isn't ours"
        way = f"`assetbuild build --replace {f.id}` puts ours there (yours is kept in the store); to keep yours give `{f.name}` another path"
        return ExportDecision("X6", Verb.HELD, f"{f.path} {what}", way)
    if f.fits and f.blob and not f.again:
        return ExportDecision("X7", Verb.RESTORE, "put back, free")
    if not f.at_hand:
        return ExportDecision("X8", Verb.SKIPPED, f"the picture of `{f.id}` isn't here")
    if f.scale > MOST_ENLARGED:
        wide, high = f.size
        text = f"{f.path} would enlarge {wide}×{high} {f.scale:.1f} times, and more than {MOST_ENLARGED:.0f} is visibly blurred"
        return ExportDecision("X9", Verb.FAILED, text, f"let a step enlarge it:\n{f.id}:\n  then:\n    - op: upscale")
    return ExportDecision("X10", Verb.GENERATE, _why(f))


def _why(f: ExportFacts) -> str:
    if f.again:
        return "asked for again"
    if f.locked is None:
        return "new"
    if f.locked_of != f.master:
        return "another picture"
    if f.locked_options == f.options:
        return "missing" if f.found is None else "not as it was locked"
    old, new = dict(f.locked_options or {}), dict(f.options or {})
    changed = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    return ", ".join(_change(name, old.get(name), new.get(name)) for name in changed)


def _change(name: str, old: object, new: object) -> str:
    if name == "icc":
        return "another colour profile"
    if old is None:
        return f"{name} {_plain(new)}"
    return f"no {name}" if new is None else f"{name} {_plain(old)} → {_plain(new)}"


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(_plain(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def frozen_allows(f: ExportFacts, decision: ExportDecision) -> bool:
    """Under `--frozen` what the lockfile says is put back or made from bytes at hand; anything that would change the lockfile is stale."""
    if decision.verb is Verb.UP_TO_DATE:
        return f.fits
    return decision.verb in (Verb.RESTORE, Verb.GENERATE) and f.fits
