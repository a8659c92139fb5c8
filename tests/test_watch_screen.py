"""What a watch shows and says, word for word: tests/golden/watch.txt. ASSETBUILD_UPDATE_GOLDEN=1 rewrites it; read the diff."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from assetbuild.report.ink import Ink
from assetbuild.report.measures import width
from assetbuild.watch import state as machine
from assetbuild.watch.outlook import Money, Outlook
from assetbuild.watch.screen import Plain, picture
from assetbuild.watch.state import Broken, Changed, Ended, Event, GitSeen, Happened, Say, Stopped, Ticked

from .test_watch_state import CENT, Driver, offer, outlook

GOLDEN = Path(__file__).parent / "golden" / "watch.txt"
LINES = (
    "waiting    cup-blue  waiting for a choice of `cup` (3 takes)",
    "           hint: `assetbuild takes cup` lists them, `assetbuild use cup 2` chooses one of them",
)
MISTAKE = "assets.yaml:26:5: unknown field `promt` in asset `bag`; did you mean `prompt`?\n  26 |     promt: A \x1b[31mbag\x1b[0m.\n     |     ~~~~~"


def some(**more: object) -> Outlook:
    """A list with everything on it."""
    offers = (
        offer("poster"),
        offer("poster-de", None, needs=["poster"]),
        offer("cup", micro=None),
        offer("bag")._replace(why_not="over the budget of $0.30 for one run: $0.09 is needed, $0.03 is left", way_out="raise it"),
    )
    found = outlook(*offers, lines=LINES, money=Money(27 * CENT, 0, True, 100 * CENT), **more)
    return found._replace(
        cards={**found.cards, "cup-blue": {"id": "cup-blue", "state": "held"}, "old": {"id": "old", "state": "failed"}}
    )


def mistake(one: Driver) -> None:
    one.put(Changed(200))
    one.put(Ticked(201))
    one.put(GitSeen(201))
    one.put(Broken(201, one.state.serial, MISTAKE))


def scenes() -> dict[str, tuple[Driver, int]]:
    """Title → a watch at that moment, and how wide its terminal is."""
    found: dict[str, tuple[Driver, int]] = {}

    def scene(title: str, first: Outlook, *keys: str, columns: int = 80, **settings: object) -> Driver:
        one = Driver(first, **settings)  # type: ignore[arg-type]
        for key in keys:
            one.press(key)
        found[title] = one, columns
        return one

    scene("everything that may stand on the list", some())
    scene("the same, in 50 columns", some(), columns=50)
    scene("all that waits, and the keys", some(), "a", "?")
    one = scene("a mistake, with the last plan below", some())
    mistake(one)
    one = scene("a mistake from the beginning", some())
    mistake(one)
    one.state = one.state._replace(outlook=None)
    scene("nothing to buy", outlook())
    one = scene("what is being made", outlook(offer("cup"), offer("tea")), "1")
    one.put(Happened(one.at - 12, "buy-1", "Started", "cup", "buy"))
    one = scene("git brought it", outlook(), auto=True, cap=200 * CENT)
    one.burst(outlook(offer("cup")), moved="the branch changed (main → print)")
    one = scene("too much at once", outlook(), auto=True, cap=200 * CENT, at_most=2)
    one.burst(outlook(*(offer(f"a{n}") for n in range(12))))
    one = scene("the limit is spent", outlook(), auto=True, cap=10 * CENT)
    one.burst(outlook(offer("poster", micro=18 * CENT)))
    scene("paused", outlook(offer("cup")), "p")
    scene("an amount is typed", outlook(*(offer(f"a{n}", micro=300 * CENT) for n in range(9))), "b", "2", "7")
    scene(
        "a key is missing",
        outlook(
            offer("cup"), setup="APIFRAME_API_KEY isn't set: `export APIFRAME_API_KEY=…` with the key from the vendor's dashboard"
        ),
    )
    one = scene("one that failed", outlook(offer("cup"), offer("tea")), "1")
    one.ended("buy-1", outlook(offer("cup"), offer("tea")), failed={"cup": "refused by moderation"})
    one = scene("ending", outlook(offer("cup")), "b")
    one.put(Stopped(400))
    return found


def told() -> str:
    text = []
    for title, (one, columns) in scenes().items():
        rows = picture(one.state, Ink(on=False), columns, 30, one.at)
        text.append(f"── {title} ──\n" + "\n".join(rows) + "\n")
    said: dict[str, None] = {}
    for what in answers():
        said |= dict.fromkeys(what)
    return "\n".join(text) + "\n── what it says ──\n" + "\n".join(said) + "\n"


def answers() -> list[list[str]]:
    """Every answer to a key."""
    found = []

    def lines(one: Driver, *keys: str, event: Event | None = None) -> None:
        effects = [effect for key in keys for effect in one.press(key)] + (one.put(event) if event is not None else [])
        found.append([effect.text for effect in effects if isinstance(effect, Say)])

    lines(Driver(outlook()), "b", "7")
    one = Driver(outlook(offer("cup")))
    mistake(one)
    one.at = 300
    lines(one, "b")
    lines(Driver(outlook(offer("cup"))), "p", "b")
    lines(Driver(outlook(offer("cup")), cap=5 * CENT), "b")
    lines(Driver(outlook(offer("cup"), setup="APIFRAME_API_KEY isn't set")), "b")
    lines(Driver(outlook(offer("bag")._replace(why_not="over the budget", way_out="raise it"))), "b")
    lines(Driver(outlook(offer("a", micro=3000 * CENT))), "1", "b", "3", "\r")
    lines(Driver(outlook(offer("a", micro=3000 * CENT))), "b", "\x1b")
    one = Driver(outlook(offer("cup")))
    found.append([e.text for e in one.put(machine.Pressed(one.at, "1")) if isinstance(e, Say)])
    one = Driver(outlook(offer("cup")))
    one.press("b")
    one.ended("buy-1", outlook(offer("cup")), failed={"cup": "no"})
    lines(one, "b")
    one.press("1")
    lines(one, event=Stopped(400))
    lines(one, "b", event=Ended(500, "buy-2", crashed="a child of the watch was ended from outside", setup="no credit"))
    return found


def test_every_word_is_the_golden_one() -> None:
    text = told()
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("columns", [24, 40, 79, 200])
def test_no_line_is_wider_than_the_terminal_and_no_control_character_gets_there(columns: int) -> None:
    for title, (one, _) in scenes().items():
        for row in picture(one.state, Ink(on=False), columns, 20, one.at):
            assert width(row) <= columns, title
            assert row.isprintable(), title


def test_plain_lines_say_what_waits_once() -> None:
    out = io.StringIO()
    view = Plain(out, Ink(on=False), lambda: None)
    one = Driver(some())
    for _ in range(3):
        view.show(one.state)
    mistake(one)
    view.show(one.state)
    view.show(one.state)
    text = out.getvalue()
    assert text.count("waiting   poster  ") == 1
    assert text.count("unknown field") == 1


def test_a_reader_who_left_ends_the_watch() -> None:
    left: list[bool] = []

    def write(_: str) -> None:
        raise BrokenPipeError

    Plain(SimpleNamespace(write=write, flush=lambda: None), Ink(on=False), lambda: left.append(True)).say("anything")  # type: ignore[arg-type]
    assert left == [True]
