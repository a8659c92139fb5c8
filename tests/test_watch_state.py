"""The watch's state machine without a clock: what it starts, what it leaves for a key, and that no order of events spends more than was agreed to."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from assetbuild.watch import state as machine
from assetbuild.watch.outlook import Free, Offer, Outlook, Part, from_json, to_json
from assetbuild.watch.state import (
    AskGit,
    Broken,
    CallOff,
    Changed,
    Effect,
    Ended,
    Event,
    Finish,
    GitSeen,
    Halt,
    Look,
    Phase,
    Planned,
    Pressed,
    Reply,
    Say,
    Settings,
    Start,
    State,
    Stopped,
    Ticked,
    Wished,
    Withdraw,
    step,
)

CENT = 10_000


def offer(name: str, key: str | None = "", micro: int | None = 9 * CENT, needs: Iterable[str] = ()) -> Offer:
    """Something to buy; `key` None: it is known only once its base is there."""
    own = f"key-{name}" if key == "" else key
    return Offer(name, (Part(0, own, micro, own is None),), tuple(needs), "prompt changed")


def outlook(*offers: Offer, free: Iterable[str] = (), draft: str | None = None, **more: Any) -> Outlook:
    keys = {one.id: tuple(part.key for part in one.parts if part.key) for one in offers}
    cards = {one.id: {"id": one.id, "state": "to buy"} for one in offers}
    return Outlook(
        "fika", None, cards, offers, tuple(Free(name, f"sign-{name}") for name in free), keys=keys, draft=draft, **more
    )


class Driver:
    """Plays events and keeps what came of them."""

    def __init__(self, first: Outlook, **settings: Any) -> None:
        self.at = 100.0
        self.all: list[Effect] = []
        self.state, effects = machine.begin(Settings(**settings), "s", self.at)
        self.all += effects
        self.planned(first)

    def put(self, event: Event) -> list[Effect]:
        self.state, effects = step(self.state, event)
        self.all += effects
        return effects

    def planned(self, now: Outlook) -> list[Effect]:
        self.at += 0.01
        return self.put(Planned(self.at, self.state.serial, now))

    def burst(self, now: Outlook, *, moved: str = "", files: bool = True) -> list[Effect]:
        self.put(Changed(self.at, files))
        self.at += 0.25
        assert AskGit() in self.put(Ticked(self.at))
        effects = self.put(GitSeen(self.at, moved))
        return effects + (self.planned(now) if any(isinstance(one, Look) for one in effects) else [])

    def press(self, key: str) -> list[Effect]:
        self.at += 2
        return self.put(Pressed(self.at, key))

    def ended(self, hand: str, now: Outlook, **what: Any) -> list[Effect]:
        effects = self.put(Ended(self.at, hand, **what))
        return effects + self.planned(now)

    @property
    def bought(self) -> list[Start]:
        return [one for one in self.all if isinstance(one, Start) and one.task.kind == "buy"]


def kinds(effects: list[Effect]) -> list[str]:
    return [one.task.kind for one in effects if isinstance(one, Start)]


def said(effects: list[Effect]) -> str:
    return " ".join(one.text for one in effects if isinstance(one, Say))


def test_free_work_starts_by_itself_and_paid_work_doesn_t() -> None:
    one = Driver(outlook(offer("cup"), free=["note"]))
    assert kinds(one.all) == ["free"]
    assert one.bought == []


def test_a_burst_is_planned_once_when_it_is_quiet() -> None:
    one = Driver(outlook())
    for n in range(20):
        assert one.put(Changed(200 + n * 0.1)) == []
        assert one.put(Ticked(200 + n * 0.1 + 0.09)) == []
    assert machine.deadline(one.state) == pytest.approx(201.9 + 0.25)
    assert one.put(Ticked(202.2)) == [AskGit()]


def test_a_change_during_a_look_calls_it_off_and_it_is_made_again() -> None:
    one = Driver(outlook())
    one.put(Changed(200))
    one.put(Ticked(201))
    (look,) = one.put(GitSeen(201))
    assert isinstance(look, Look)
    assert one.put(Changed(201.1, files=False)) == [CallOff()]
    late = one.put(Planned(201.2, look.serial, outlook(offer("cup"))))
    assert late == []
    assert one.state.outlook is not None
    assert one.state.outlook.offers == ()
    one.put(Ticked(202))
    assert [type(each) for each in one.put(GitSeen(202))] == [Look]


def test_while_git_holds_its_lock_nothing_is_planned_until_it_is_stuck() -> None:
    one = Driver(outlook())
    one.put(Changed(200))
    one.put(Ticked(201))
    assert one.put(GitSeen(201, locked=True)) == []
    assert one.state.phase is Phase.GATHERING
    one.put(Ticked(220))
    assert [type(each) for each in one.put(GitSeen(220, locked=True))] == [Look]
    one.planned(outlook(offer("cup")))
    assert one.state.parked == {"cup"}


def test_git_alone_plans_nothing() -> None:
    one = Driver(outlook())
    assert not any(isinstance(each, Look) for each in one.burst(outlook(), moved="main moved to another commit", files=False))
    assert one.state.phase is Phase.IDLE
    one = Driver(outlook(), auto=True, cap=100 * CENT)
    one.burst(outlook(), moved="main moved to another commit", files=False)
    one.burst(outlook(offer("cup")))  # an edit later: the commit isn't held against it
    assert len(one.bought) == 1


def test_a_key_buys_one_with_what_it_needs_and_b_buys_all() -> None:
    one = Driver(outlook(offer("poster"), offer("poster-de", None, needs=["poster"]), offer("cup")))
    assert one.state.numbers == {"poster": 1, "poster-de": 2, "cup": 3}
    (start,) = one.press("2")
    assert isinstance(start, Start)
    order = start.task.order
    assert order is not None
    assert (order.keys, order.steps, order.most) == (("key-poster",), (("poster-de", 0, ""),), 18 * CENT)
    (start,) = one.press("b")
    assert isinstance(start, Start)
    assert start.task.ids == ("cup",)
    assert "nothing to buy" in said(one.press("b"))


def test_a_number_means_what_stood_there_and_a_list_that_just_changed_isn_t_believed() -> None:
    one = Driver(outlook(offer("a"), offer("b"), offer("c")))
    one.burst(outlook(offer("b"), offer("c"), offer("d")))
    assert one.state.numbers == {"b": 2, "c": 3, "d": 1}
    assert "press 1 again" in said(one.put(Pressed(one.at + 0.1, "1")))
    assert one.bought == []
    one.press("1")
    assert one.bought[0].task.ids == ("d",)


def test_auto_leaves_for_a_key_what_git_brought_and_what_is_too_much() -> None:
    one = Driver(outlook(), auto=True, cap=1000 * CENT, at_most=2)
    one.burst(outlook(offer("a")), moved="the branch changed (main → print)")
    assert one.bought == []
    one.burst(outlook(offer("a"), offer("b")))
    assert [each.task.ids for each in one.bought] == [("b",)]
    one.burst(outlook(offer("a"), offer("b"), offer("c"), offer("d"), offer("e")))
    assert len(one.bought) == 1
    assert one.state.why_parked == "one change made 3 assets stale"
    one.press("b")
    assert one.bought[1].task.ids == ("a", "c", "d", "e")


def test_what_hangs_on_a_parked_base_stays_parked_when_the_base_was_bought() -> None:
    one = Driver(outlook(), auto=True, cap=1000 * CENT)
    one.burst(outlook(offer("a"), offer("a-de", None, needs=["a"])), moved="the stash changed")
    number = one.state.numbers["a"]
    one.press(str(number))
    one.ended(one.bought[0].hand, outlook(offer("a-de")), words={"a": "bought"}, spent=9 * CENT)
    assert len(one.bought) == 1


def test_a_base_that_has_come_is_no_change_that_makes_many_stale() -> None:
    later = [offer(f"e{n}", None, needs=["a"]) for n in range(20)]
    one = Driver(outlook(offer("a"), *later), auto=True, cap=1000 * CENT, at_most=30)
    one.state = one.state._replace(settings=one.state.settings._replace(at_most=2))
    one.ended(one.bought[0].hand, outlook(*(offer(f"e{n}") for n in range(20))), words={"a": "bought"}, interrupted=True)
    assert one.state.parked == frozenset()


def test_a_redrawn_base_that_makes_many_stale_waits() -> None:
    one = Driver(outlook(), auto=True, cap=1000 * CENT, at_most=2)
    one.burst(outlook(free=["base"]))
    one.ended("free", outlook(*(offer(f"e{n}") for n in range(9))), words={"base": "drawn"})
    assert one.bought == []
    assert len(one.state.parked) == 9


def test_what_failed_isn_t_tried_again_until_its_key_changes_but_for_its_number() -> None:
    one = Driver(outlook(), auto=True, cap=1000 * CENT)
    one.burst(outlook(offer("cup")))
    one.ended(one.bought[0].hand, outlook(offer("cup")), failed={"cup": "refused"})
    one.burst(outlook(offer("cup")))
    assert len(one.bought) == 1
    assert "failed before" in said(one.press("b"))
    one.press("1")
    assert len(one.bought) == 2
    one.ended(one.bought[1].hand, outlook(offer("cup")), failed={"cup": "refused"})
    one.burst(outlook(offer("cup", "another")))
    assert len(one.bought) == 3


def test_what_wasn_t_got_for_any_other_reason_isn_t_tried_for_ever() -> None:
    one = Driver(outlook(), auto=True, cap=1000 * CENT)
    one.burst(outlook(offer("cup")))
    for _ in range(5):
        one.ended(one.bought[-1].hand, outlook(offer("cup")), setup="no credit")
    assert len(one.bought) == 1


def test_free_work_that_fails_isn_t_tried_for_ever_and_is_again_when_it_is_another() -> None:
    one = Driver(outlook(free=["note"]))
    one.ended("free", outlook(free=["note"]), failed={"note": "no font"})
    one.burst(outlook(free=["note"]))
    assert kinds(one.all) == ["free"]
    one.burst(outlook(free=["note", "other"]))
    assert kinds(one.all) == ["free", "free"]


def test_free_work_is_done_again_when_it_was_done_and_undone() -> None:
    one = Driver(outlook(free=["note"]))
    one.ended("free", outlook(), words={"note": "restored"})
    one.burst(outlook(free=["note"]))
    assert kinds(one.all) == ["free", "free"]


def test_drafts_are_drawn_for_what_waits_and_again_when_it_changes() -> None:
    one = Driver(outlook(offer("cup"), draft="draft"))
    (start,) = [each for each in one.all if isinstance(each, Start)]
    assert (start.task.kind, start.task.profile, start.task.ids, start.task.order) == ("draft", "draft", ("cup",), None)
    one.burst(outlook(offer("cup", "another"), draft="draft"))
    assert kinds(one.all) == ["draft"]
    one.put(Ended(one.at, "draft", interrupted=True))
    assert kinds(one.all) == ["draft", "draft"]


def test_an_edited_prompt_takes_back_what_wasn_t_sent() -> None:
    one = Driver(outlook(offer("cup")))
    one.press("b")
    effects = one.burst(outlook(offer("cup", "another")))
    assert Withdraw("buy-1", frozenset({"key-cup"})) in effects
    one.press("b")
    assert [each.task.order.keys for each in one.bought if each.task.order] == [("key-cup",), ("another",)]


def test_pause_begins_nothing_and_takes_back_what_wasn_t_sent() -> None:
    one = Driver(outlook(offer("cup"), offer("tea"), free=["note"]), auto=True, cap=1000 * CENT)
    effects = one.press("p")
    assert Halt("free") in effects
    assert any(isinstance(each, Withdraw) for each in effects)
    one.burst(outlook(offer("jug"), free=["other"]))
    assert "paused" in said(one.press("b"))
    assert len(one.bought) == 1
    one.put(Ended(one.at, "free", interrupted=True))
    one.planned(outlook(offer("jug"), free=["other"]))
    assert kinds(one.press("p")) == ["free", "buy"]


def test_nothing_is_bought_while_the_spec_has_a_mistake() -> None:
    one = Driver(outlook(offer("cup")))
    one.put(Changed(200))
    one.put(Ticked(201))
    one.put(GitSeen(201))
    one.put(Broken(201, one.state.serial, "assets.yaml:3:1: no"))
    one.at = 210
    assert "mistake" in said(one.press("b"))
    assert one.state.outlook is not None
    assert one.bought == []


def test_more_than_twenty_dollars_is_typed() -> None:
    one = Driver(outlook(*(offer(f"a{n}", micro=300 * CENT) for n in range(9))))
    assert one.press("b") == []
    for key in "26.99\r":
        effects = one.press(key)
    assert "isn't 27.00" in said(effects)
    one.press("b")
    for key in "27.00\r":
        effects = one.press(key)
    assert len(one.bought) == 1


def test_the_page_s_wish_must_be_for_what_it_was_shown() -> None:
    one = Driver(outlook(offer("cup"), offer("tea")))
    shown = one.state.shown
    heard: list[Any] = []

    def wished(**what: Any) -> bool:
        effects = one.put(Wished(one.at, what.get("ids"), what.get("most", 18 * CENT), what.get("shown", shown), heard.append))
        return next(each.done for each in effects if isinstance(each, Reply))

    assert not wished(shown="old")
    assert not wished(most=17 * CENT)
    assert wished(ids=("cup",), most=9 * CENT)
    assert not wished(ids=("cup",), most=9 * CENT)  # a double click: the list is another one now
    assert len(one.bought) == 1


def test_the_first_interrupt_waits_for_its_hands_the_second_doesn_t() -> None:
    one = Driver(outlook(offer("cup")))
    one.press("b")
    effects = one.put(Stopped(300))
    assert Halt("buy-1") in effects
    assert "stopping" in said(effects)
    assert "nothing more is bought" in said(one.put(Pressed(301, "b")))
    assert Halt("buy-1") in one.put(Stopped(302))
    assert one.put(Ended(303, "buy-1", interrupted=True)) == [Finish()]


def test_a_crashed_hand_counts_with_all_that_it_might_have_spent() -> None:
    one = Driver(outlook(offer("cup")), auto=True, cap=10 * CENT)
    one.ended(one.bought[0].hand, outlook(offer("tea")), crashed="ended from outside")
    assert one.state.room == CENT
    assert len(one.bought) == 1


def test_an_outlook_survives_the_pipe() -> None:
    import json

    one = outlook(offer("cup"), offer("de", None, needs=["cup"]), free=["note"], draft="draft")
    assert from_json(json.loads(json.dumps(to_json(one)))) == one


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_the_limit_holds_and_nothing_is_bought_twice_at_once(seed: int) -> None:
    """Hundreds of random events; the hands bill what they like up to what they were allotted."""
    dice = random.Random(seed)  # noqa: S311 - dice
    cap = dice.randint(1, 80) * CENT
    names = [f"a{n}" for n in range(8)]
    versions = dict.fromkeys(names, 0)

    def now() -> Outlook:
        some = [name for name in names if dice.random() < 0.7]
        return outlook(*(offer(name, f"{name}-{versions[name]}", dice.choice([3, 9, 27]) * CENT) for name in some), free=some[:1])

    one = Driver(now(), auto=dice.random() < 0.7, cap=cap, at_most=dice.choice([0, 2, 10]), settle=0.0)
    billed = 0
    for _ in range(300):
        one.at += dice.random()
        kind = dice.choice(["edit", "git", "key", "end", "plan", "tick", "pause", "broken", "crash"])
        moved = "the branch changed" if kind == "git" else ""
        before = len(one.bought)
        auto_may = one.state.settings.auto
        if kind in ("edit", "git"):
            versions[dice.choice(names)] += 1
            one.put(Changed(one.at))
            one.put(Ticked(one.at + 1))
            one.put(GitSeen(one.at + 1, moved))
            one.planned(now())
            if moved:
                assert len(one.bought) == before
        elif kind == "key":
            one.press(dice.choice("b123456789"))
        elif kind in ("end", "crash") and one.state.hands:
            name = dice.choice(sorted(one.state.hands))
            hand = one.state.hands[name]
            bill = dice.randint(0, hand.allotted)
            billed += bill
            if kind == "crash":
                one.put(Ended(one.at, name, crashed="gone"))
            else:
                open_ = dice.randint(0, bill)
                one.put(Ended(one.at, name, spent=bill - open_, reserved=open_))
            one.planned(now())
        elif kind == "plan":
            one.planned(now())
        elif kind == "tick":
            one.put(Ticked(one.at))
        elif kind == "pause":
            one.press("p")
        elif kind == "broken":
            one.put(Broken(one.at, one.state.serial, "no"))
        if not auto_may and kind not in ("key",):
            assert len(one.bought) == before
        marks = [each for hand in one.state.hands.values() for each in hand.marks]
        assert len(marks) == len(set(marks))
        assert billed + sum(hand.allotted for hand in one.state.hands.values()) <= cap
    assert isinstance(one.state, State)
