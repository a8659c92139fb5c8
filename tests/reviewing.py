"""A room for the page that holds what a test puts into it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def card(name: str, **more: Any) -> dict[str, Any]:
    """One asset, up to date unless told otherwise."""
    return {
        "id": name,
        "tags": [],
        "state": "up to date",
        "verb": "up to date",
        "reason": "",
        "hint": "",
        "price": "",
        "micro": None,
        "provider": "apiframe",
        "model": "gpt-image-2",
        "bases": [],
        "outputs": [f"art/{name}.png"],
        "picture": None,
        "members": [],
        "choice": False,
        "approved": False,
        "exports": [],
        "number": None,
        "before": None,
        "draft": None,
        "busy": "",
        **more,
    }


def priced(micro: int) -> dict[str, Any]:
    """What makes a card one that can be bought."""
    text = f"${micro / 1e6:.2f}"
    return {"state": "to buy", "price": text, "micro": micro, "buy": {"most": micro, "price": text, "unknown": 0, "with": 0}}


class FakeRoom:
    """See `assetbuild.review.room`."""

    def __init__(self, cards: list[dict[str, Any]], pictures: Mapping[str, Path] | None = None) -> None:
        self.cards, self.pictures = cards, dict(pictures or {})
        self.details: dict[str, dict[str, Any]] = {}
        self.acts: list[tuple[str, dict[str, Any]]] = []
        self.answer: tuple[bool, str] = (True, "done")
        self.more: dict[str, Any] = {}
        self.rev = 1
        self._hear: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def change(self, **cards: Any) -> None:
        """Cards by id, each with the fields that are others now."""
        with self._lock:
            self.rev += 1
            self.cards = [{**one, **cards.get(one["id"], {})} for one in self.cards]
        for hear in list(self._hear):
            hear()

    def snapshot(self) -> Mapping[str, Any]:
        with self._lock:
            buyable = [one for one in self.cards if one.get("buy")]
            most = sum(one["micro"] for one in buyable)
            return {
                "version": 1,
                "rev": self.rev,
                "now": 0.0,
                "project": "fika",
                "profile": None,
                "spec": "assets.yaml",
                "mode": {"auto": False, "paused": False, "waits": ""},
                "planning": False,
                "broken": "",
                "setup": "",
                "money": {"spent": 0, "reserved": 0, "left": None, "rehearsal": False, "sentence": "$0 spent"},
                "pending": {
                    "count": len(buyable),
                    "most": most,
                    "price": f"${most / 1e6:.2f}",
                    "unknown": 0,
                    "ids": [one["id"] for one in buyable],
                    "token": f"{len(buyable)}-{most}",
                },
                "log": [],
                "assets": list(self.cards),
                **self.more,
            }

    def subscribe(self, hear: Callable[[], None]) -> Callable[[], None]:
        self._hear.append(hear)
        return lambda: self._hear.remove(hear)

    def act(self, name: str, args: Mapping[str, Any]) -> tuple[bool, str]:
        self.acts.append((name, dict(args)))
        return self.answer

    def picture(self, digest: str) -> Path | None:
        return self.pictures.get(digest)

    def detail(self, name: str) -> Mapping[str, Any]:
        if name not in {one["id"] for one in self.cards}:
            raise KeyError(name)
        return {"id": name, "steps": [{"prompt": "A prompt"}], "takes": [], "before": [], **self.details.get(name, {})}
