"""The page in a real browser: what one sees, what a button does, and that what a project says stays text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.review.server import Served
from assetbuild.testing.emulator import Emulator

from .browsing import chromium
from .hooking import posix
from .reviewing import FakeRoom, card, priced
from .test_watch import Desk
from .watching import wait_for

__all__ = ["chromium"]
pytestmark = posix
PHONE = {"width": 390, "height": 844}


def digest(number: int) -> str:
    return f"{number:064x}"


class Page:
    """A served room, and a browser's page of it."""

    def __init__(self, browser: Any, room: FakeRoom, folder: Path, *, token: bool = True, **options: Any) -> None:
        self.room = room
        self.served = Served(room, folder / "cache")
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("response", lambda answer: self.errors.append(answer.url) if answer.status >= 400 else None)
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        self.page.goto(self.served.url if token else self.served.url.partition("#")[0])
        self.page.wait_for_selector("#cards > li", state="attached")

    def close(self) -> None:
        self.context.close()
        self.served.close()


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Any]:
    pages: list[Page] = []

    def open_page(cards: list[dict[str, Any]], *, token: bool = True, count: int = 0, **options: Any) -> Page:
        pictures = {}
        for n in range(count):
            path = tmp_path / f"{n}.png"
            Image.new("RGB", (60, 40), ((n * 40) % 255, 90, 160)).save(path)
            pictures[digest(n)] = path
        pages.append(Page(chromium, FakeRoom(cards, pictures), tmp_path, token=token, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()
        assert page.errors == []


def until(page: Any, true: str) -> None:
    """Until it is so in the page; asked from outside, since the page forbids evaluating texts."""
    wait_for(lambda: page.evaluate(true), true)


def ids(page: Any) -> list[str]:
    found: list[str] = page.locator("#cards > li:not([hidden]) .id").all_inner_texts()
    return found


def test_a_card_changes_where_it_is_and_scroll_and_choice_stay(opened: Any) -> None:
    one = opened([card(f"a{n:03}") for n in range(120)])
    page = one.page
    page.locator('[data-id="a060"]').scroll_into_view_if_needed()
    page.locator('[data-id="a060"]').focus()
    page.evaluate("new Promise(done => setTimeout(done, 300))")  # what was scrolled to is laid out
    before = page.evaluate("scrollY")
    assert before > 0
    one.room.change(a061={"state": "held", "reason": "edited by hand"})
    until(page, "document.querySelector('[data-id=a061]').textContent.includes('edited by hand')")
    assert page.evaluate("scrollY") == before
    one.room.change(a060={"state": "to draw", "reason": "prompt changed"})
    until(page, "document.querySelector('[data-id=a060]').textContent.includes('prompt changed')")
    assert page.evaluate("document.activeElement.dataset.id") == "a060"
    assert page.evaluate("scrollY") == before


def test_buying_asks_first_and_is_asked_for_once(opened: Any) -> None:
    one = opened([card("poster", **priced(90_000)), card("cup", **priced(270_000))])
    page = one.page
    assert page.locator("#buy").inner_text() == "Buy all · $0.36"
    page.locator("#buy").click()
    page.locator("#sure-no").click()
    assert one.room.acts == []
    page.locator("#buy").click()
    page.locator("#sure-yes").dblclick(no_wait_after=True)
    wait_for(lambda: len(one.room.acts) == 1, "the wish")
    page.wait_for_selector("#toast:not([hidden])")
    assert one.room.acts == [("buy", {"ids": None, "most": 360_000, "token": "2-360000"})]
    page.locator('[data-id="cup"]').click()
    page.locator('[data-does="buy"]').click()
    page.locator("#sure-yes").click()
    wait_for(lambda: len(one.room.acts) == 2, "the second wish")
    assert one.room.acts[1] == ("buy", {"ids": ["cup"], "most": 270_000, "token": "2-360000"})


def test_what_a_project_says_is_text(opened: Any) -> None:
    evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    one = opened([card('a"b', reason=evil, tags=[evil], state="held", hint=evil, outputs=[evil])])
    one.room.details['a"b'] = {"steps": [{"prompt": evil}], "words": [["new", evil]]}
    page = one.page
    page.locator("#cards button").first.click()
    page.wait_for_selector(".prompt ins")
    assert evil in page.locator(".prompt").inner_text()
    assert evil in page.locator("#cards").inner_text()
    assert page.locator("#cards script, .panel script, img[src=x]").count() == 0


def test_search_and_filters(opened: Any) -> None:
    one = opened(
        [
            card("poster-de", tags=["launch"], **priced(90_000)),
            card("poster-fr", tags=["print"]),
            card("cup", state="failed", reason="refused"),
        ]
    )
    page = one.page
    page.keyboard.press("/")
    page.keyboard.type("tag:launch")
    assert ids(page) == ["poster-de"]
    page.locator("#search").fill("POSTER")
    assert ids(page) == ["poster-de", "poster-fr"]
    page.locator("#search").fill("")
    page.locator('#filters [data-name="failed"]').click()
    assert ids(page) == ["cup"]
    page.locator("#search").fill("nothing like it")
    assert page.locator("#empty").inner_text() == "Nothing fits this search."


def test_before_and_after_with_slider_and_blink(opened: Any) -> None:
    one = opened([card("cup", picture={"digest": digest(1), "path": "art/cup.png"}, before=digest(0))], count=2)
    page = one.page
    page.locator('[data-id="cup"]').click()
    page.wait_for_selector(".prompt")
    slider = page.locator('[data-does="slide"]')
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator(".pair").evaluate("each => getComputedStyle(each).getPropertyValue('--at')") == "0%"
    assert page.locator(".pair .after").evaluate("each => each.naturalWidth") == 60
    page.locator('[data-does="blink"]').click()
    page.wait_for_selector(".pair.blinks.now")
    page.wait_for_selector(".pair.blinks:not(.now)")


def test_takes_are_judged_with_keys(opened: Any) -> None:
    one = opened([card("tea"), card("cup", choice=True)], count=3)
    rows = [
        {"take": n + 1, "digests": [digest(n)], "here": True, "rejected": None, "chosen": False, "approved": False}
        for n in range(3)
    ]
    one.room.details["cup"] = {"takes": rows}
    page = one.page
    page.keyboard.press("n")
    page.wait_for_selector(".take")
    assert page.locator("#panel-title").inner_text() == "cup"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    wait_for(lambda: len(one.room.acts) == 1, "approval")
    until(page, "!document.querySelector('#toast').hidden")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("r")
    page.locator("#note").fill("six fingers")
    page.keyboard.press("Enter")
    wait_for(lambda: len(one.room.acts) == 2, "rejection")
    assert one.room.acts == [("approve", {"id": "cup", "take": 2}), ("reject", {"id": "cup", "take": 3, "note": "six fingers"})]
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate("document.activeElement.dataset.id") == "cup"


def test_the_graph_is_walked_with_arrows(opened: Any) -> None:
    one = opened([card("base"), card("de", bases=["base"]), card("fr", bases=["base"]), card("alone")])
    page = one.page
    page.keyboard.press("g")
    assert page.locator(".node").count() == 3
    assert page.locator(".edge").count() == 2
    page.locator("#graph").focus()
    page.locator('[data-node="base"]').click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.locator(".node.chosen").get_attribute("data-node") == "fr"
    page.keyboard.press("ArrowLeft")
    assert page.locator(".node.chosen").get_attribute("data-node") == "base"


def test_without_the_token_it_only_shows(opened: Any) -> None:
    one = opened([card("cup", **priced(90_000))], token=False)
    assert one.page.locator("#buy").is_hidden()
    assert "only shows" in one.page.locator("#notice").inner_text()
    one.page.locator('[data-id="cup"]').click()
    assert one.page.locator('[data-does="buy"]').count() == 0


def test_the_token_doesn_t_stay_in_the_address(opened: Any) -> None:
    one = opened([card("cup")])
    assert "#" not in one.page.url
    one.page.reload()
    one.page.wait_for_selector("#cards > li")
    assert one.page.locator("#pause").is_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(opened: Any) -> None:
    one = opened([card("a-rather-long-name-without-any-space" * 2, **priced(90_000)), card("cup")], viewport=PHONE)
    for act in ("", "panel", "graph"):
        if act == "panel":
            one.page.locator("#cards button").first.click()
        if act == "graph":
            one.page.locator("#panel-close").click()
            one.page.locator("#as-graph").click()
        assert one.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], act


def test_of_two_thousand_assets_only_what_is_seen_is_loaded(opened: Any) -> None:
    one = opened([card(f"a{n:04}", picture={"digest": digest(n % 4), "path": "x"}) for n in range(2000)], count=4)
    page = one.page
    until(page, "document.querySelectorAll('#cards > li').length === 2000")
    until(page, "[...document.querySelectorAll('.card img')].slice(0, 4).every(each => each.complete && each.naturalWidth)")
    complete = page.evaluate(
        "[...document.querySelectorAll('.card img')].filter(each => each.complete && each.naturalWidth).length"
    )
    assert complete < 200
    one.room.change(a1999={"state": "held"})
    until(page, "document.querySelector('[data-id=a1999]').textContent.includes('waiting for you')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened: Any, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    states = ["up to date", "to draw", "held", "failed", "waiting", "making", "skipped", "not needed"]
    cards = [
        card(f"a{n}", state=state, reason="because", tags=["launch"], bases=["a0"] if n else []) for n, state in enumerate(states)
    ]
    cards.append(card("cup", picture={"digest": digest(1), "path": "x"}, before=digest(0), **priced(90_000)))
    one = opened(cards, count=2, color_scheme=scheme)
    one.room.details["cup"] = {
        "words": [["same", "a"], ["gone", "red"], ["new", "blue"]],
        "takes": [{"take": 1, "digests": [digest(1)], "here": True, "rejected": None}],
    }
    for act in ("cards", "graph", "panel", "dialog"):
        if act == "graph":
            one.page.keyboard.press("g")
        elif act == "panel":
            one.page.keyboard.press("g")
            one.page.locator('[data-id="cup"]').click()
            one.page.wait_for_selector(".prompt ins")
        elif act == "dialog":
            one.page.locator('[data-does="buy"]').click()
        found = Axe().run(one.page).response["violations"]
        serious = [
            (each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"][:300])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], act


def test_a_watch_that_has_ended_is_said_and_one_that_is_back_is_taken_up(chromium: Any, tmp_path: Path) -> None:
    room = FakeRoom([card("cup")])
    one = Page(chromium, room, tmp_path)
    port = one.served.port
    one.served.close()
    one.page.wait_for_selector("#notice:not([hidden])")
    assert "doesn't answer any more" in one.page.locator("#notice").inner_text()
    room.change(cup={"state": "held", "reason": "back"})
    again = Served(room, tmp_path / "cache", port=port)
    until(one.page, "document.querySelector('[data-id=cup]').textContent.includes('back')")
    assert one.page.locator("#notice").is_hidden()
    one.context.close()
    again.close()


def test_the_whole_way_an_edit_changes_its_card_and_the_button_is_billed_once(
    chromium: Any, tmp_path: Path, emulator: Emulator
) -> None:
    desk = Desk(tmp_path, emulator)
    with desk.watch("--serve", columns=140) as watch:
        watch.says("#t=")
        found = re.search(r"http://127\S+", watch.text)
        assert found is not None
        context = chromium.new_context()
        page = context.new_page()
        page.goto(found[0])
        page.wait_for_selector('[data-id="cup"]')
        watch.settled()
        desk.edit("prompt: A cup.", "prompt: <script>alert(1)</script> a cup")
        page.locator('[data-id="cup"]').click()
        until(page, "document.querySelector('.prompt')?.textContent.includes('<script>alert(1)</script>')")
        watch.settled()  # the prompt is read by another process than the plan: what is bought is what the plan has shown
        page.locator('[data-does="buy"]').click()
        page.locator("#sure-yes").dblclick(no_wait_after=True)
        watch.says("bought    cup")
        until(page, "document.querySelector('[data-id=cup]').textContent.includes('up to date')")
        assert desk.bills == 1
        watch.settled()
        context.close()
    assert desk.bills == 1


def test_a_take_is_chosen_approved_and_rejected_from_the_page(chromium: Any, tmp_path: Path, emulator: Emulator) -> None:
    desk = Desk(tmp_path, emulator)
    desk.edit("    prompt: A cup.", "    takes: 2\n    prompt: A cup.")
    desk.space.run("build", "--yes", env=emulator.env())
    bills = desk.bills
    first = desk.space.read("art/cup.png")
    with desk.watch("--serve", columns=140) as watch:
        watch.says("#t=")
        found = re.search(r"http://127\S+", watch.text)
        assert found is not None
        context = chromium.new_context()
        page = context.new_page()
        page.goto(found[0])
        page.wait_for_selector('[data-id="cup"]')
        watch.settled()
        page.keyboard.press("n")
        page.wait_for_selector(".take")
        lies = page.locator(".take").filter(has_text="lies there").locator("p").inner_text()
        other = 2 if "Take 1" in lies else 1
        page.locator(f'[data-does="choose {other}"]').click()
        wait_for(lambda: desk.space.read("art/cup.png") != first, "the other take")
        until(page, "document.querySelector('.takes').textContent.includes('chosen')")
        watch.settled()
        until(page, "document.querySelector('.pair') !== null")  # before and now
        page.locator(f'[data-does="reject {other}"]').click()
        page.locator("#note").fill("six fingers")
        page.locator("#sure-yes").click()
        until(page, "document.querySelector('.takes').textContent.includes('rejected: six fingers')")
        watch.sees("1 waits for a person")
        page.locator("#panel-close").click()
        page.locator("#pause").click()
        watch.sees("paused: p goes on")
        context.close()
    assert desk.bills == bills
