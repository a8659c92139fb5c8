"""Which assets the words of a command line mean. Pure; knows ids, tags, axes and outputs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from .errors import UsageError
from .graph import Graph
from .spec.model import Asset


def select(
    graph: Graph, words: Sequence[str], *, exclude: Sequence[str] = (), limit: int | None = None, bases: bool = True
) -> list[str]:
    """The ids that the words mean, in building order; no word means all of them.

    A word is an id, a pattern (`poster-*`), an output path, `tag:launch`, `locale=ja`, or a set's member (`story#bean`). `X+` adds what hangs on X, `+X`
    what X is made from. With `bases` everything the chosen ones are made from comes along (build); `limit` takes the first N of each word.
    Raises UsageError for a word that means nothing.
    """
    chosen: set[str] = set()
    if words:
        for word in words:
            chosen.update(_first(_one(graph, word), limit))
    else:
        chosen.update(_first(list(graph.assets), limit))
    if bases:
        chosen = graph.with_bases(chosen)
    for word in exclude:
        chosen.difference_update(_one(graph, word))
    return [name for name in graph.order if name in chosen]


def _first(ids: list[str], limit: int | None) -> list[str]:
    return ids if limit is None else ids[:limit]


def _one(graph: Graph, word: str) -> list[str]:
    up, down, bare = word.startswith("+"), word.endswith("+"), word.strip("+")
    found = _match(graph.assets.values(), bare)
    if not found:
        raise UsageError(f"nothing is called `{bare}`", hint=_suggest(graph, bare))
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
    by_path = [a.id for a in listed if path in a.outputs]
    if by_path:
        return by_path
    axis, eq, value = word.partition("=")
    if eq:
        return [a.id for a in listed if axis in a.axes and _fits(a.axes[axis], value)]
    if "#" in word:
        whole, _, member = word.partition("#")
        return [a.id for a in listed if a.id == whole and member in a.steps[-1].members]
    if any(c in word for c in "*?["):
        return [a.id for a in listed if _fits(a.id, word)]
    return []


def _fits(text: str, pattern: str) -> bool:
    if not any(c in pattern for c in "*?["):
        return text == pattern
    import fnmatch  # pulls in os.path's normcase; only for patterns

    return re.match(fnmatch.translate(pattern), text) is not None


def _suggest(graph: Graph, word: str) -> str:
    if word.startswith("tag:"):
        tags = sorted({tag for a in graph.assets.values() for tag in a.tags})
        return ("tags here are " + ", ".join(tags[:8])) if tags else "no asset has a tag"
    near = difflib.get_close_matches(word, list(graph.assets), n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(f"`{n}`" for n in near) + "?"
    return "`assetbuild list` shows what there is"
