"""Plans again quickly when nothing but some blocks of the spec's text have changed since the last whole look: only these and what hangs on them are looked at,
in this very process, and take the place of what was known of them. At any doubt it gives way to a whole look.

The same parts as `partial` uses for `plan`, with one difference: what was known need not be up to date, it only has to be unchanged. That nothing else has
changed is vouched for by the eyes and by the watch, which says so here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .outlook import Outlook, bill

if TYPE_CHECKING:
    from ..outline import Outline
    from .running import Place


class Near:
    """One for a watch; used from its loop only."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._spec = os.path.join(str(place.root), place.spec)
        self._old: Outline | None = None
        self._sound = False  # nothing but the spec has changed since the whole look began
        self._touched: set[int] = set()  # blocks that were looked at since

    def begin(self) -> None:
        """A whole look begins."""
        self._old, self._sound = None, True

    def learn(self, outline: str | None) -> None:
        """What the whole look found, as a text of bytes; None: nothing that helps."""
        from ..outline import understood

        self._touched = set()
        self._old = understood(outline.encode("latin-1")) if outline is not None else None

    def changed(self, paths: Iterable[str], *, everything: bool) -> None:
        """These files have changed."""
        if everything or any(path != self._spec for path in paths):
            self._sound = False

    def forget(self) -> None:
        """Something was made: the lockfile, the store and the outputs are others now."""
        self._sound = False

    def outlook(self, last: Outlook | None, runs: Sequence[str], *, shown: bool = True) -> Outlook | None:
        """The new outlook, None when a whole look is needed. `shown`: with all that the page shows."""
        if last is None or self._old is None or not self._sound:
            return None
        try:
            return self._looked(last, self._old, runs, shown)
        except Exception:  # any doubt or mistake of the spec: the whole look says it properly
            return None

    def _looked(self, last: Outlook, old: Outline, runs: Sequence[str], shown: bool) -> Outlook:
        from .. import partial
        from ..facts import Planner
        from ..project import Env, Project
        from ..reader import DiskReader
        from .surveying import outlook

        place = self._place
        text = DiskReader(str(place.root)).read(place.spec)
        fresh, changed = partial.fresh_blocks(old, text)
        hanging = partial.reach(changed | self._touched, old, users=True)
        wanted = partial.reach(hanging | ({old.head.own} if old.head.included else set()), old, users=False)
        entries = [entry for number in sorted(wanted) for entry in old.block(number).entries]
        if not entries:
            return last
        whole = Project(Env(place.root, place.environ, sys.stderr, sys.stderr), place.root / place.spec, place.profile)
        part = partial.Part(whole, partial.reduced(old, fresh, wanted), len(entries))
        try:
            partial.same_frame(part.spec, old.head)
            partial.same_assets(part, entries)
            lines = (place.root / old.head.lock).read_bytes()
            planner = Planner(part)
            planner.known = partial.Looker(part, lines, [entry.id for entry in entries if entry.locked])
            plans = planner.plan(part.graph.order)
            rows = {entry.id: entry.row for entry in entries}
            mine = {entry.id for number in hanging for entry in old.block(number).entries}
            for plan in plans:
                if plan.asset.id not in mine and plan.steps[-1].decision.row != rows[plan.asset.id].rstrip("*"):
                    raise partial.Doubt("what it is made from isn't as it was")
            now = outlook(part, planner, plans, runs=runs, shown=shown)
        finally:
            part.close()
        found = _joined(last, now, {entry.id: entry.place for entry in entries})
        self._touched |= hanging
        return found


_TOLD = ("held", "failed", "skipped")


def _joined(last: Outlook, now: Outlook, places: dict[str, int]) -> Outlook:
    """What was known, with what is known anew of some assets. Raises Doubt when that can't be told without the others."""
    from ..partial import Doubt

    states: Iterable[Any] = (each["state"] for name in places for each in (last.cards[name], now.cards[name]))
    if any(state in _TOLD for state in states):
        raise Doubt("what is said of those that wait is said of all together")
    new = [one._replace(place=places[one.id]) for one in now.offers]
    offers = tuple(sorted([one for one in last.offers if one.id not in places] + new, key=lambda one: one.place))
    if any(one.why_not for one in offers) or (last.room is not None and bill(offers).most > last.room):
        raise Doubt("what fits into the budget depends on the others")
    return last._replace(
        cards={name: now.cards.get(name, card) for name, card in last.cards.items()},
        offers=offers,
        free=(*(one for one in last.free if one.id not in places), *now.free),
        fetch=(*(name for name in last.fetch if name not in places), *now.fetch),
        keys={name: keys for name, keys in last.keys.items() if name not in places} | dict(now.keys),
        setup=last.setup or now.setup,
        money=now.money,
    )
