"""What the page is shown, and what it may ask for. The watch is behind it; the page knows only this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol


class Room(Protocol):
    """All of it may be called from any thread."""

    def snapshot(self) -> Mapping[str, Any]:
        """Everything that is shown, as JSON; `rev` grows with every change, `assets` are the cards in the spec's order."""

    def subscribe(self, hear: Callable[[], None]) -> Callable[[], None]:
        """`hear` is called when `rev` has grown; gives what ends that."""

    def act(self, name: str, args: Mapping[str, Any]) -> tuple[bool, str]:
        """Does what a button asks for; whether it was done, and a sentence. May take seconds."""

    def picture(self, digest: str) -> Path | None:
        """A file of exactly these bytes, if they are those of a picture that the page knows of."""

    def detail(self, name: str) -> Mapping[str, Any]:
        """All about one asset, as `assetbuild show ID --json` has it. Raises KeyError. May take seconds."""
