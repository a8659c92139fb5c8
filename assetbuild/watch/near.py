"""Plans again quickly when only some blocks of the spec's text have changed since the last look. So far a look is always a whole one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .outlook import Outlook


class Near:
    """Knows what has changed since the last whole look."""

    def __init__(self, place: Any) -> None:  # noqa: ANN401
        self.place = place

    def begin(self) -> None:
        """A whole look begins."""

    def learn(self, outline: Any) -> None:  # noqa: ANN401
        """What a whole look found."""

    def changed(self, paths: Iterable[str], *, everything: bool) -> None:
        """These files have changed."""

    def forget(self) -> None:
        """Something else has changed: only a whole look will do."""

    def outlook(self, last: Outlook | None, runs: Iterable[str]) -> Outlook | None:
        """The new outlook, None when a whole look is needed."""
        return None
