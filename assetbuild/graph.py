"""What hangs on what: the order of assets, bases before edits. Pure; knows ids and edges, nothing of keys, files or money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import Problem, SpecError
from .spec.model import Asset, AssetInput


class Graph:
    """The assets of a spec with their edges, in an order in which every base comes before its edits.

    `order` keeps the order of the spec wherever the edges allow it. `bases[id]` and `users[id]` are direct neighbours, each once.
    Built without recursion: a chain of tens of thousands of edits is fine.
    """

    def __init__(self, assets: Iterable[Asset]) -> None:
        self.assets: dict[str, Asset] = {asset.id: asset for asset in assets}
        self.bases: dict[str, tuple[str, ...]] = {}
        self.users: dict[str, list[str]] = {}
        for asset in self.assets.values():
            found = dict.fromkeys(
                one.source.asset
                for step in asset.steps
                for one in step.inputs
                if type(one.source) is AssetInput and one.source.asset in self.assets
            )
            self.bases[asset.id] = tuple(found)
            for base in found:
                self.users.setdefault(base, []).append(asset.id)
        self.order: list[str] = _order(self.bases)

    def with_bases(self, ids: Iterable[str]) -> set[str]:
        """These ids and everything they are made from."""
        return _reach(ids, self.bases)

    def with_users(self, ids: Iterable[str]) -> set[str]:
        """These ids and everything that hangs on them."""
        return _reach(ids, self.users)


def _reach(start: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found = set(start)
    todo = list(found)
    while todo:
        for other in edges.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def _order(bases: Mapping[str, tuple[str, ...]]) -> list[str]:
    done: dict[str, None] = {}
    for root in bases:
        if root in done:
            continue
        if not bases[root]:
            done[root] = None
            continue
        path: list[str] = [root]
        on_path = {root: 0}
        places = [0]
        while path:
            here, place = path[-1], places[-1]
            if place < len(bases[here]):
                places[-1] += 1
                base = bases[here][place]
                if base in done:
                    continue
                if base in on_path:
                    raise SpecError([Problem(cycle_text(path[on_path[base] :]))])
                on_path[base] = len(path)
                path.append(base)
                places.append(0)
            else:
                path.pop()
                places.pop()
                del on_path[here]
                done[here] = None
    return list(done)


def cycle_text(ids: list[str]) -> str:
    """A cycle as it is printed: `a → b → a`. Long ones keep their first and last members."""
    shown = [*ids, ids[0]]
    if len(shown) > 12:  # noqa: PLR2004 - what fits on a screen
        shown = [*shown[:6], f"… {len(shown) - 11} more …", *shown[-5:]]
    return "assets wait for each other in a circle: " + " → ".join(shown)
