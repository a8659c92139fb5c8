"""The watch as the page sees it: its state as cards, its buttons as events. Knows the watch and the command line's own words for a choice; serves nothing.

What a person decides about a picture (`use`, `approve`, `reject`) is done by the command of that name, in a process of its own: it has one meaning,
wherever it is said.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..pricing import usd
from .outlook import Offer, with_needs
from .running import Watch, pause, wish
from .state import Phase, State, money, on_b

PATIENCE = 60.0  # seconds for a command
_PROGRAM = "import sys; sys.path.append(sys.argv.pop(1)); from assetbuild.cli import main; sys.exit(main(sys.argv[1:]))"


class Sights:
    """A `review.Room` over a watch."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._state: State | None = None
        self._made: dict[str, Any] | None = None
        self._rev = 0
        self._hear: list[Callable[[], None]] = []
        self._before: dict[str, str] = {}
        self._known: dict[str, str] = {}  # digest → path seen from the project
        self._extra: set[str] = set()  # digests that `detail` told of
        self._last: dict[str, str] = {}
        self._store = ""
        self._lock = threading.RLock()
        watch.hear_state.append(self.changed)

    def changed(self, state: State) -> None:
        """The watch is at another state now; its own thread says so."""
        with self._lock:
            if state is self._state:
                return
            self._state, self._made = state, None
            self._rev += 1
            if state.outlook is not None:
                self._store = state.outlook.store
                for name, card in state.outlook.cards.items():
                    self._learn(name, card)
                for draft in state.drafts.values():
                    self._known[draft["digest"]] = draft["path"]
            hear = list(self._hear)
        for each in hear:
            each()

    def _learn(self, name: str, card: Mapping[str, Any]) -> None:
        pictures = card["members"] or ([card["picture"]] if card["picture"] else [])
        for one in pictures:
            self._known[one["digest"]] = one["path"]
        if pictures:
            digest = pictures[0]["digest"]
            if (last := self._last.get(name)) is not None and last != digest:
                self._before[name] = last
            self._last[name] = digest

    # ── Room ──

    def subscribe(self, hear: Callable[[], None]) -> Callable[[], None]:
        """See `Room`."""
        with self._lock:
            self._hear.append(hear)
        return lambda: self._hear.remove(hear)

    def snapshot(self) -> Mapping[str, Any]:
        """See `Room`."""
        with self._lock:
            if self._made is None:
                self._made = self._drawn_up()
            return self._made

    def picture(self, digest: str) -> Path | None:
        """See `Room`. The store's copy first: a file in the project may be another one by now."""
        with self._lock:
            if digest not in self._known and digest not in self._extra:
                return None
            path = self._known.get(digest)
        place = self.watch.place
        if self._store:
            blob = Path(self._store) / "cas" / digest[:2] / digest[2:]
            if blob.is_file():
                return blob
        file = place.root / path if path is not None else None
        return file if file is not None and file.is_file() else None

    def detail(self, name: str) -> Mapping[str, Any]:
        """See `Room`."""
        with self._lock:
            if self._state is None or self._state.outlook is None or name not in self._state.outlook.cards:
                raise KeyError(name)
        ran = self._command("show", name, "--json")
        try:
            found: dict[str, Any] = json.loads(ran.stdout)["asset"]
        except (ValueError, KeyError, TypeError):
            return {"id": name, "error": _words(ran)}
        diff = found.get("diff")
        if diff:
            from ..report.words import word_diff

            found["words"] = word_diff(diff["old"], diff["new"])
        with self._lock:
            for one in (*found["takes"], *found["before"]):
                self._extra.update(one["digests"])
        return found

    def act(self, name: str, args: Mapping[str, Any]) -> tuple[bool, str]:
        """See `Room`."""
        if name == "buy":
            return self._buy(args)
        if name == "pause":
            pause(self.watch, bool(args.get("paused")))
            return True, "paused" if args.get("paused") else "going on"
        asset, take = args.get("id"), args.get("take")
        with self._lock:
            known = self._state is not None and self._state.outlook is not None and asset in self._state.outlook.cards
        if not known or not isinstance(asset, str):
            return False, "there is no such asset"
        which = [str(take)] if isinstance(take, int) and not isinstance(take, bool) else []
        if name == "choose":
            ran = self._command("use", asset, *which)
        elif name == "approve":
            ran = self._command("approve", asset, *which)
        elif name == "reject":
            ran = self._command("reject", asset, *which, f"--note={str(args.get('note') or '')[:500]}")
        else:
            return False, f"the page can't do `{name}`"
        return ran.returncode == 0, _words(ran)

    def _buy(self, args: Mapping[str, Any]) -> tuple[bool, str]:
        ids, most, shown = args.get("ids"), args.get("most"), args.get("token")
        wanted = ids is None or (isinstance(ids, list) and all(isinstance(one, str) for one in ids))
        if not wanted or not isinstance(most, int) or not isinstance(shown, str):
            return False, "the page asked for something odd: nothing was bought"
        answered = threading.Event()
        found: list[tuple[bool, str]] = []

        def reply(done: bool, text: str) -> None:
            found.append((done, text))
            answered.set()

        wish(self.watch, None if ids is None else tuple(ids), most, shown, reply)
        if not answered.wait(10):
            return False, "the watch doesn't answer; look at its terminal before you press again"
        return found[0]

    def _command(self, *words: str) -> subprocess.CompletedProcess[str]:
        place = self.watch.place
        profile = ["--profile", place.profile] if place.profile else []
        return subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2]), *words, "--spec", place.spec, *profile],
            cwd=place.root,
            env={**place.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    # ── the state as JSON ──

    def _drawn_up(self) -> dict[str, Any]:
        state = self._state or State()
        sum_, told = state.bill(on_b(state)), money(state)
        outlook = state.outlook
        left = state.room if state.settings.cap is not None else told.left
        limit = f", {usd(left)} left" if left is not None else ""
        buyable = {one.id: one for one in state.offers}
        cards = [self._card(state, name, card, buyable) for name, card in (outlook.cards if outlook is not None else {}).items()]
        return {
            "version": 1,
            "rev": self._rev,
            "now": time.time(),
            "project": outlook.project if outlook is not None else self.watch.place.root.name,
            "profile": self.watch.place.profile,
            "spec": self.watch.place.spec,
            "mode": {
                "auto": state.settings.auto,
                "paused": state.paused,
                "waits": f"{state.why_parked}: press b, or buy here" if state.settings.auto and state.parked else state.over,
            },
            "planning": state.phase in (Phase.LOOKING, Phase.ASKING, Phase.GATHERING),
            "broken": state.broken,
            "setup": state.setup,
            "money": {
                "spent": told.spent,
                "reserved": told.reserved,
                "left": left,
                "rehearsal": told.rehearsal,
                "sentence": f"{usd(told.spent)} spent{' at an emulator' if told.rehearsal else ''}{limit}",
            },
            "pending": {
                "count": sum_.sure + sum_.later,
                "most": sum_.most,
                "price": usd(sum_.most),
                "unknown": sum_.unknown,
                "ids": [one.id for one in on_b(state)],
                "token": state.shown,
            },
            "log": [{"at": at, "text": text} for at, text in self.watch.log],
            "assets": cards,
        }

    def _card(self, state: State, name: str, card: Mapping[str, Any], offers: Mapping[str, Offer]) -> dict[str, Any]:
        found = dict(card) | {
            "number": state.numbers.get(name),
            "before": self._before.get(name),
            "draft": state.drafts.get(name),
        }
        under = state.under.get(name)
        found["busy"] = under.word if under is not None else ""
        if under is not None:
            found["state"] = "making"
        offer = offers.get(name)
        if offer is not None:
            whole = state.bill(with_needs(offers, [name]))
            found["buy"] = {
                "most": whole.most,
                "price": usd(whole.most),
                "unknown": whole.unknown,
                "with": whole.sure + whole.later - 1,
            }
            if wrong := state.wrong(offer):
                found["state"], found["reason"] = "failed", wrong
            elif offer.why_not:
                found["hint"] = f"{offer.why_not}. {offer.way_out}"
        return found


def _words(ran: subprocess.CompletedProcess[str]) -> str:
    return (ran.stderr.strip() or ran.stdout.strip() or f"it ended with {ran.returncode}").replace("assetbuild: ", "", 1)
