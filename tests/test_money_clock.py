"""Time that went by between a run that was killed and the next one. Numbers are those of the list of scenarios."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace

from .emulating import emulator as running
from .hooking import hook, posix
from .killing import Shop
from .saying import Story, plain

pytestmark = posix

ONE = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2}
assets:
  poster:
    prompt: |
      A poster.
"""
EDIT = f"""{ONE}\
  poster-de:
    base: poster
    prompt: |
      Set the headline to "Langsam".
"""
SET = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2}
assets:
  story:
    set: 4
    prompt: |
      Four panels.
    output: "art/story-${member}.png"
"""
SENT = "after POST /v2/images/generate #1"


@pytest.fixture
def shop(tmp_path: Path, emulator: Emulator) -> Shop:
    """One poster, not bought yet."""
    return Shop(tmp_path, emulator, ONE)


def body_of(shop: Shop, job: int = 0) -> str:
    """The digest of a stored request."""
    return hashlib.sha256(shop.jobs()[job]["body"]).hexdigest()


def fetched_pictures(apiframe: Emulator) -> int:
    """How often a picture was fetched."""
    return sum(path.startswith("/r/") for _, path, _ in apiframe.calls)


def told(space: TestSpace, name: str, said: str) -> None:
    """Held to a golden file."""
    story = Story(space, name)
    story.told.append(plain(said, space))
    story.check()


# ── 26: killed before anybody has answered ──


def test_killed_after_the_claim(shop: Shop) -> None:
    """26: nothing was asked for; the claim's process is dead."""
    shop.killed("after claim #1")
    assert shop.jobs() == []
    shop.build()
    shop.settled(1)


@pytest.mark.parametrize(("at", "bills"), [("after commit of reserve #1", 0), (SENT, 1)])
def test_killed_after_the_intent_or_the_send(shop: Shop, at: str, bills: int) -> None:
    """26: asked again, byte for byte, under the same key and the old reservation; nobody is asked for money again."""
    shop.killed(at)
    assert shop.states() == ["intent"]
    assert len(shop.apiframe.bills) == bills
    stored, name = body_of(shop), shop.jobs()[0]["idempotency_key"]
    assert shop.run("build").code == 0  # without --yes
    assert [(bill["body"], bill["idempotency_key"]) for bill in shop.apiframe.bills] == [(stored, name)]
    shop.settled(1)


def test_resume_looks_for_it_and_leaves_it(shop: Shop) -> None:
    """26: it never arrived, so it isn't in the vendor's list; that puts nothing in doubt as long as it can be asked for again."""
    shop.killed("after commit of reserve #1")
    waits = shop.run("resume")
    assert waits.code == 5
    told(shop.space, "money-clock-resume-intent", waits.err)
    assert shop.states() == ["intent"]
    shop.build()
    shop.settled(1)


def test_another_key_is_no_replay(tmp_path: Path) -> None:
    """26: under another API key the same request may be another purchase: it is looked for there, and asked for again under the first key only."""
    with running(keys=["afk_another"]) as apiframe:
        shop = Shop(tmp_path, apiframe, ONE)
        shop.killed(SENT)
        waits = shop.run("build", APIFRAME_API_KEY="afk_another")
        assert waits.code == 5
        told(shop.space, "money-clock-intent-other-key", waits.err)
        assert shop.states() == ["intent"]
        assert len(apiframe.bills) == 1
        assert shop.run("build").code == 0
        shop.settled(1)


@pytest.mark.parametrize("at", ["after commit of reserve #2", "after POST /v2/images/generate #2"])
def test_a_replay_names_the_old_uploads(tmp_path: Path, emulator: Emulator, at: str) -> None:
    """26: an upload of now has another address, which would be another body: the stored one is sent, and nothing is uploaded again."""
    shop = Shop(tmp_path, emulator, EDIT)
    shop.killed(at)
    assert shop.states() == ["done", "intent"]
    stored = body_of(shop, 1)
    uploads = len(emulator.vendor.uploads)
    shop.build()
    assert emulator.bills[1]["body"] == stored
    assert len(emulator.vendor.uploads) == uploads == 1
    shop.settled(2)


def test_a_replay_whose_uploads_are_gone(tmp_path: Path, emulator: Emulator) -> None:
    """26: sent only hours later, the vendor can't find the input any more: the job fails, costs nothing, and the next run sends a new attempt."""
    shop = Shop(tmp_path, emulator, EDIT)
    shop.killed("after commit of reserve #2")
    shop.sleep(3)
    failed = shop.build(code=1)
    told(shop.space, "money-clock-uploads-gone", failed.err)
    assert shop.states() == ["done", "failed"]
    shop.build()
    assert shop.states() == ["done", "failed", "done"]
    assert len({job["idempotency_key"] for job in shop.jobs()}) == 3
    assert emulator.spent == 18
    assert [job["cost"] for job in shop.jobs()] == [90_000, 0, 90_000]
    shop.clean()


def test_an_intent_that_nobody_wants_any_more(shop: Shop) -> None:
    """26: its prompt changed meanwhile: it isn't asked for again; once the vendor would have forgotten it, it is looked for."""
    shop.killed(SENT)
    shop.space.write("assets.yaml", ONE.replace("A poster", "Another poster"))
    shop.build()
    assert shop.states() == ["intent", "done"]
    assert len(shop.apiframe.bills) == 2
    shop.sleep(23.5)
    shop.build()
    assert shop.states() == ["done", "done"]
    assert len(shop.apiframe.bills) == 2
    shop.settled(2)


# ── 27-32: killed on the way ──


def test_killed_after_submitted(shop: Shop) -> None:
    """27: fetched, whatever is asked for."""
    shop.killed("after commit of submitted #1")
    posts = shop.posts()
    shop.space.write("assets.yaml", ONE.replace("poster:", "other:").replace("A poster", "Another"))
    ran = shop.run("build", "other")  # nobody agrees to buy the other one
    assert ran.code == 5
    assert "fetched   poster: paid for by an earlier run" in ran.err
    assert shop.states() == ["done"]
    shop.space.write("assets.yaml", ONE)
    assert "poster  art/poster.png" in shop.run("build").err
    assert shop.posts() == posts
    shop.settled(1)


@pytest.mark.parametrize("landed", [1, 2, 3] if os.environ.get("ASSETBUILD_FULL") else [3])
def test_killed_in_the_middle_of_a_set(tmp_path: Path, emulator: Emulator, landed: int) -> None:
    """28: what has landed isn't fetched again."""
    shop = Shop(tmp_path, emulator, SET)
    one_by_one(shop)
    shop.killed(f"after commit of landed #{landed}")
    assert fetched_pictures(emulator) == landed
    shop.build()
    assert fetched_pictures(emulator) == 4
    shop.settled(1)


def one_by_one(shop: Shop) -> None:
    """Pictures land one after the other: two that come together are written down together."""
    hook(
        shop.space,
        """
import os
if os.environ.get("KILL_AT"):
    import asyncio, assetbuild.receiving
    _turn, _picture = asyncio.Lock(), assetbuild.receiving.Receiver._picture
    async def _alone(*args):
        async with _turn:
            return await _picture(*args)
    assetbuild.receiving.Receiver._picture = _alone
""",
    )


def test_gc_leaves_what_has_landed(tmp_path: Path, emulator: Emulator) -> None:
    """28: no result names it yet, and it is paid for all the same."""
    shop = Shop(tmp_path, emulator, SET)
    one_by_one(shop)
    shop.killed("after commit of landed #2")
    gone = shop.run("cache", "gc", "--delete")
    assert gone.code == 0, gone.text
    shop.build()
    assert fetched_pictures(emulator) == 4
    shop.settled(1)


def test_a_set_of_which_two_came_and_the_rest_is_gone(tmp_path: Path, emulator: Emulator) -> None:
    """28: a day later the vendor has deleted the others: recorded with its gaps, and a person decides."""
    shop = Shop(tmp_path, emulator, SET)
    one_by_one(shop)
    shop.killed("after commit of landed #2")
    shop.sleep(25)
    held = shop.build(code=5)
    told(shop.space, "money-clock-two-of-four", held.err)
    assert shop.states() == ["done"]
    assert "paid, 2 of 4 came" in shop.build(code=5).err
    assert len(emulator.bills) == 1
    shop.run("build", "--yes", "--rebuy", "story")
    assert len(emulator.bills) == 2
    assert shop.states() == ["done", "done"]
    assert shop.run("build").code == 0
    shop.clean()


@pytest.mark.parametrize("spec", [ONE, SET], ids=["one", "set"])
def test_all_landed_and_a_day_goes_by(tmp_path: Path, emulator: Emulator, spec: str) -> None:
    """29: the journaled digests and their blobs are the result; nobody is asked, nothing is paid."""
    shop = Shop(tmp_path, emulator, spec)
    shop.killed("before commit of done #1")
    assert shop.states() == ["submitted"]
    calls = len(emulator.calls)
    shop.sleep(25)
    shop.build()
    assert len(emulator.calls) == calls
    shop.settled(1)


@pytest.mark.parametrize(("at", "state", "results"), [("before", "submitted", 0), ("after", "done", 1)])
def test_done_and_its_result_are_one(shop: Shop, at: str, state: str, results: int) -> None:
    """30: there is no moment between them."""
    shop.killed(f"{at} commit of done #1")
    assert shop.states() == [state]
    with sqlite3.connect(shop.store / "store.db") as db:
        assert db.execute("SELECT count(*) FROM results").fetchone()[0] == results
    shop.build()
    shop.settled(1)


def test_killed_between_the_output_and_the_lock(shop: Shop) -> None:
    """31: the file is ours by its key: only the line is written."""
    shop.killed("before merge of the lock #1")
    assert not (shop.space.root / "assets.lock").exists()
    before = (shop.space.root / "art/poster.png").stat()
    posts = shop.posts()
    assert shop.run("build").code == 0
    after = (shop.space.root / "art/poster.png").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert shop.posts() == posts
    shop.settled(1)


# ── 33: an INTENT that is too old to be asked for again ──


def test_nobody_can_say_any_more(shop: Shop) -> None:
    """33: the vendor lists no such job: in doubt, counted as paid, and never sent again unasked."""
    shop.killed("after commit of reserve #1")
    shop.sleep(23.1)
    held = shop.build(code=5)
    told(shop.space, "money-clock-in-doubt", held.err)
    assert shop.posts() == 0
    assert shop.states() == ["in_doubt"]
    assert shop.run("resume").code == 5
    assert shop.posts() == 0
    assert "$0.09" in shop.run("cost").out  # it counts until somebody knows better
    shop.run("build", "--yes", "--rebuy", "poster")
    assert shop.posts() == len(shop.apiframe.bills) == 1
    assert shop.states() == ["in_doubt", "done"]
    shop.clean()


def test_it_is_found_in_the_vendors_list(shop: Shop) -> None:
    """33: sent, accepted and forgotten there; its pictures aren't. Looked for, found, fetched: never a POST."""
    shop.killed(SENT)
    shop.sleep(23.5)
    shop.build()
    assert shop.posts() == 1
    shop.settled(1)


def test_it_is_found_and_its_picture_is_gone(shop: Shop) -> None:
    """33 and 36: found too late."""
    shop.killed(SENT)
    shop.sleep(25)
    held = shop.build(code=5)
    assert "it was paid for and is lost" in held.err
    assert shop.states() == ["expired"]
    assert shop.jobs()[0]["cost"] == 90_000
    assert shop.posts() == 1
    shop.clean()


def test_a_listed_job_is_taken_once(tmp_path: Path, emulator: Emulator) -> None:
    """33: of two requests that say the same, one never arrived: the job that did isn't taken for both."""
    shop = Shop(tmp_path, emulator, ONE)
    shop.killed(SENT)
    shop.build("--rebuy", "poster")  # nobody wants to wait for the first: it stays in doubt
    assert shop.states() == ["in_doubt", "done"]
    assert len(emulator.bills) == 2
    shop.sleep(23.5)
    assert shop.run("resume").code == 0
    assert shop.states() == ["done", "done"]
    assert {job["remote_id"] for job in shop.jobs()} == {bill["job"] for bill in emulator.bills}
    shop.clean()


# ── 36-38 ──


def test_deleted_before_it_was_fetched(shop: Shop) -> None:
    """36: lost, its cost booked; only `--rebuy` pays again, for another take."""
    shop.killed("after commit of submitted #1")
    shop.sleep(25)
    held = shop.build(code=5)
    told(shop.space, "money-clock-expired", held.err)
    assert shop.states() == ["expired"]
    assert shop.build(code=5).err.count("is lost") == 1
    assert len(shop.apiframe.bills) == 1
    assert "$0.09" in shop.run("cost").out
    shop.build("--rebuy", "poster")
    assert [(job["take"], job["cost"]) for job in shop.jobs()] == [(1, 90_000), (2, 90_000)]
    assert len(shop.apiframe.bills) == 2
    assert shop.run("build").code == 0
    shop.clean()


def test_another_key_doesnt_know_the_job(tmp_path: Path) -> None:
    """37: told, kept, not bought again; with the right key it is fetched."""
    with running(key="afk_first", keys=["afk_second"]) as apiframe:
        shop = Shop(tmp_path, apiframe, ONE)
        shop.killed("after commit of submitted #1")
        held = shop.run("build", "--yes", APIFRAME_API_KEY="afk_second")
        assert held.code == 5, held.text
        told(shop.space, "money-clock-other-key", held.err)
        assert shop.states() == ["submitted"]
        assert len(apiframe.bills) == 1
        shop.build()
        assert len(apiframe.bills) == 1
        shop.settled(1)


def test_a_reservation_outlives_its_run(tmp_path: Path, emulator: Emulator) -> None:
    """38: reserved and killed: another asset can't have the same money; the replay has it, and needs no more."""
    budget = "budget: {per_day: 0.10}\n"
    two = ONE.replace("assets:\n", f"{budget}assets:\n") + "  other:\n    prompt: |\n      Another.\n"
    shop = Shop(tmp_path, emulator, two)
    shop.killed("after commit of reserve #1", "poster")
    held = shop.build("other", code=5)
    told(shop.space, "money-clock-reserved", held.err)
    assert emulator.bills == []
    shop.build("poster")
    assert emulator.spent == 9
    assert shop.build("other", code=5)
    shop.sleep(24.1)
    shop.build("other")
    shop.settled(2)


ORDER = """
import assetbuild.pacing, assetbuild.placing
_enter, _claim = assetbuild.pacing.Place.__aenter__, assetbuild.placing.Ledger.claim
async def _entered(self):
    found = await _enter(self)
    open({file!r}, "a").write("turn\\n")
    return found
async def _claimed(self, key):
    open({file!r}, "a").write("claim\\n")
    return await _claim(self, key)
assetbuild.pacing.Place.__aenter__, assetbuild.placing.Ledger.claim = _entered, _claimed
"""


def test_a_turn_is_taken_before_a_claim(shop: Shop, tmp_path: Path) -> None:
    """By who buys and by who goes on with what was asked for: two runs, each with what the other one waits for, would wait for ever."""
    file = tmp_path / "order"
    hook(shop.space, ORDER.format(file=str(file)))
    shop.killed("after commit of reserve #1")
    assert file.read_text().split() == ["turn", "turn", "claim"], "its turn at the vendor, then its turn to be made ready"
    file.unlink()
    shop.build()
    assert file.read_text().split() == ["turn", "claim"]
    shop.settled(1)
