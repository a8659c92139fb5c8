"""Which assets the words of a command line mean. Pure; knows ids, tags, axes and outputs."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from .errors import UsageError
from .graph import Graph
from .spec.model import Asset

SHOWN = 8  # names that a hint lists
TOLD = 10  # words without a meaning that are told one by one


def select(
    graph: Graph, words: Sequence[str], *, exclude: Sequence[str] = (), limit: int | None = None, bases: bool = True
) -> list[str]:
    """The ids that the words mean, in building order; no word means all of them.

    A word is an id, a pattern (`poster-*`), a file's path, `tag:launch`, `locale=ja`, a set's member (`story#bean`), or an export
    (`poster@print`). `X+` adds what hangs on X, `+X` what X is made from. With `bases` everything the chosen ones are made from comes
    along (build), and what is cut from them; `limit` takes the first N of each word.
    Raises UsageError that names every word which means nothing.
    """
    lost: list[UsageError] = []

    def meant(word: str) -> list[str]:
        try:
            return _one(graph, unicodedata.normalize("NFC", word))
        except UsageError as problem:
            lost.append(problem)
            return []

    chosen: set[str] = set()
    if words:
        for word in words:
            chosen.update(_first(meant(word), limit))
    else:
        chosen.update(_first(list(graph.assets), limit))
    if bases:
        chosen = graph.with_bases(chosen | {name + "#" for name in chosen if name + "#" in graph.assets})
    for word in exclude:
        chosen.difference_update(meant(word))
    if lost:
        raise _all_of(lost)
    return [name for name in graph.order if name in chosen]


def _all_of(lost: Sequence[UsageError]) -> UsageError:
    """One error for all words that mean nothing, each with its own way out."""
    told = list({problem.text: problem for problem in lost}.values())
    if len(told) == 1:
        return told[0]
    lines = [f"{one.text}: {one.hint}" if one.hint else one.text for one in told[:TOLD]]
    more = [f"… and {len(told) - TOLD:,} more"] if len(told) > TOLD else []
    return UsageError("\n  ".join([f"{len(told):,} of these words mean nothing here:", *lines, *more]))


def _first(ids: list[str], limit: int | None) -> list[str]:
    return ids if limit is None else ids[:limit]


def _one(graph: Graph, word: str) -> list[str]:
    up, down, bare = word.startswith("+"), word.endswith("+"), word.strip("+")
    found = _match(graph.assets.values(), bare)
    if not found:
        raise _unknown(graph, bare)
    more: set[str] = set()
    if up:
        more |= graph.with_bases(found)
    if down:
        more |= graph.with_users(found)
    more.difference_update(found)
    return found + [name for name in graph.order if name in more]


def _match(assets: Iterable[Asset], word: str) -> list[str]:
    if word.startswith("tag:"):
        wanted = word[4:]
        return [a.id for a in assets if any(_fits(tag, wanted) for tag in a.tags)]
    listed = list(assets)
    exact = [a.id for a in listed if a.id == word]
    if exact:
        return exact
    path = word.removeprefix("./")
    by_path = [a.id for a in listed if path in a.outputs or (a.exports and any(path == one.path for one in a.exports))]
    if by_path:
        return by_path
    if "@" in word and "=" not in word:
        whole, _, name = word.rpartition("@")
        return [a.id for a in listed if _fits(a.id, whole) and exports_called(a, name)]
    axis, eq, value = word.partition("=")
    if eq:
        return [a.id for a in listed if axis in a.axes and _fits(a.axes[axis], value)]
    if "#" in word:
        whole, _, member = word.partition("#")
        return [a.id for a in listed if a.id in (whole, whole + "#") and member in a.steps[-1].members]
    if any(c in word for c in "*?["):
        return [a.id for a in listed if _fits(a.id, word)]
    return []


def exports_called(asset: Asset, name: str) -> set[str]:
    """The exports of an asset that a name or pattern means; the name of a preset's export means all its files."""
    return {one.name for one in asset.exports if _fits(one.name, name) or one.group == name}


def only_exports(graph: Graph, words: Sequence[str]) -> dict[str, set[str]]:
    """Of assets that are named by nothing but exports of theirs (`poster@web`, an export's path), which exports were meant."""
    found: dict[str, set[str]] = {}
    whole: set[str] = set()
    for word in words:
        bare = unicodedata.normalize("NFC", word).strip("+").removeprefix("./")
        ids = _match(graph.assets.values(), bare)
        for name in ids:
            asset = graph.assets[name]
            by_path = {one.name for one in asset.exports if one.path == bare}
            some = by_path or (
                exports_called(asset, bare.rpartition("@")[2]) if "@" in bare and bare not in graph.assets else set()
            )
            if some and bare not in asset.outputs:
                found.setdefault(name, set()).update(some)
            else:
                whole.add(name)
    return {name: some for name, some in found.items() if name not in whole}


def _fits(text: str, pattern: str) -> bool:
    if not any(c in pattern for c in "*?["):
        return text == pattern
    import fnmatch  # pulls in os.path's normcase; only for patterns

    return re.match(fnmatch.translate(pattern), text) is not None


def _unknown(graph: Graph, word: str) -> UsageError:
    """That a word means nothing, and what could have been meant."""
    if word.startswith("tag:"):
        tags = sorted({tag for a in graph.assets.values() for tag in a.tags})
        return UsageError(
            f"no asset has the tag `{word[4:]}`", hint=f"tags here are {_some(tags)}" if tags else "no asset has a tag"
        )
    whole, hash_, member = word.partition("#")
    if hash_ and whole in graph.assets:
        members = graph.assets[whole].steps[-1].members
        return UsageError(
            f"`{whole}` has no member `{member}`", hint=f"it has {_some(members)}" if members else f"`{whole}` is no set"
        )
    whole, at, name = word.rpartition("@")
    if at and whole in graph.assets:
        names = list(dict.fromkeys(one.group or one.name for one in graph.assets[whole].exports))
        hint = f"it has {_some(names)}" if names else f"`{whole}` has no exports"
        return UsageError(f"`{whole}` has no export `{name}`", hint=hint)
    axis, eq, value = word.partition("=")
    if eq and "/" not in axis:
        return UsageError(f"no asset has `{word}`", hint=_axes(graph, axis, value))
    near = difflib.get_close_matches(word, list(graph.assets), n=3, cutoff=0.5)
    hint = "did you mean " + " or ".join(f"`{n}`" for n in near) + "?" if near else "`assetbuild list` shows what there is"
    return UsageError(f"nothing is called `{word}`", hint=hint)


def _axes(graph: Graph, axis: str, value: str) -> str:
    """Which values an axis has; which axes there are, if there is none of that name."""
    there: dict[str, dict[str, None]] = {}
    for asset in graph.assets.values():
        for name, cell in asset.axes.items():
            there.setdefault(name, {})[cell] = None
    if not there:
        return "no asset has a matrix, so there are no axes"
    if axis in there:
        near = difflib.get_close_matches(value, list(there[axis]), n=1, cutoff=0.6)
        meant = f"did you mean `{axis}={near[0]}`? " if near else ""
        return f"{meant}`{axis}` has {_some(there[axis])}"
    column = next((name for name in there if name.rpartition(".")[2] == axis), None)  # a table's column, without its axis
    if column is not None and value in there[column]:
        return f"did you mean `{column}={value}`?"
    if column is not None:
        return f"its axis is `{column}`, which has {_some(there[column])}"
    near = difflib.get_close_matches(axis, list(there), n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}={value}`? `{near[0]}` has {_some(there[near[0]])}"
    return "the axes here are " + _some([f"`{name}` ({_some(cells, 4)})" for name, cells in there.items()])


def _some(names: Iterable[str], most: int = SHOWN) -> str:
    listed = [name if len(name) <= 40 else f"{name[:39]}…" for name in names]  # noqa: PLR2004 - a cell may hold a whole text
    return ", ".join(listed[:most]) + (f" and {len(listed) - most:,} more" if len(listed) > most else "")
