"""`cost`: every micro-dollar of the journal stands in one line of each table, and what came to nothing is called by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assetbuild.answers.spend import since_of
from assetbuild.errors import UsageError
from assetbuild.store import Blob, Store, Take, journal, store_root
from assetbuild.store.journal import Landed
from assetbuild.store.spending import Caps, Reserved, Wish, reserve
from assetbuild.testing.space import TestSpace

from .emulating import emulator
from .saying import Story
from .storing import digest, same_words
from .terminal import lines_of, on_terminal
from .test_cli_schemas import holds
from .test_cli_use import write

HOUR = 3600.0
NOON = 1_793_534_400.0  # 2026-11-01 12:00 UTC
SPEC = """\
version: 1
project: fika
defaults: {provider: counting}
assets:
  poster:
    tags: [launch]
    prompt: |
      A poster.
  poster-${locale}:
    matrix: {locale: [de, ja]}
    base: poster
    tags: [launch, "${locale}"]
    prompt: |
      In ${locale}.
"""


class Books:
    """A project with three pictures, and a journal written as buying writes it."""

    def __init__(self, space: TestSpace) -> None:
        self.space = space
        space.write("assets.yaml", SPEC)
        space.build()
        self.lock = space.lock()
        self.store = Store.open(store_root(space.root, spec_store=None, environ={}))
        with self.store.transaction() as db:  # only what a test buys itself
            db.execute("DELETE FROM jobs")

    def buy(self, asset: str, key: str = "", *, at: float = NOON, reserved: int | None = 90_000, **fields: Any) -> int:
        locale = asset.partition("-")[2]
        wish = Wish(
            key or self.lock[asset]["key"], 1, 1, "apiframe", "gpt-image-2", "fika", asset, "/v2/images/generate", b"{}", reserved,
            "run", at, tags=("launch", locale) if locale else ("launch",), axes={"locale": locale} if locale else {},
        )  # fmt: skip
        with self.store.transaction() as db:
            got = reserve(db, wish._replace(**fields), Caps(per_run=None, unpriced=True))
        assert isinstance(got, Reserved), got
        return got.id

    def do(self, act: Any, *words: Any, **named: Any) -> Any:
        with self.store.transaction() as db:
            return act(db, *words, **named)

    def done(self, ident: int, cost: int | None = 90_000) -> None:
        self.do(journal.done, ident, cost, NOON, credits=None if cost is None else cost / 10_000)

    def rewrite(self, name: str, **fields: Any) -> None:
        """The lockfile, with other fields in one line."""
        path = self.space.root / "assets.lock"
        line, new = (
            json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in (self.lock[name], {**self.lock[name], **fields})
        )
        assert line in path.read_text()
        path.write_text(path.read_text().replace(line, new))

    def record(self, key: str, content: str, take: int = 1, rejected: str | None = None) -> None:
        name = self.store.cas.put(content.encode(), durable=False)
        row = Take(
            key, take, 1, (Blob("", name, len(content), "image/png"),), "apiframe/gpt-image-2", None, 1, NOON, {}, rejected
        )
        self.store.record([row])


@pytest.fixture
def books(space: TestSpace) -> Any:
    one = Books(space)
    yield one
    one.store.close()


def full(books: Books) -> None:
    """Everything that can become of a purchase."""
    for name in ("poster", "poster-de", "poster-ja"):  # what the lockfile names
        books.done(books.buy(name))
    old = digest("the poster before")
    books.done(books.buy("poster", old, at=NOON - 30 * HOUR, count=2, images=2, reserved=180_001), 180_001)
    books.record(old, "take 1")
    books.record(old, "take 2", 2, rejected="six fingers")
    for name, end, cost in (
        ("refused", journal.refused, 0),
        ("failed for nothing", journal.failed, 0),
        ("failed and billed", journal.failed, 40_000),
        ("lost", journal.expired, 90_000),
    ):
        ident = books.buy("poster-de", digest(name))
        books.do(journal.submitted, ident, name, NOON)
        books.do(end, ident, "said so", cost, NOON, credits=cost / 10_000)
    running = books.buy("poster-ja", digest("running"))
    books.do(journal.submitted, running, "job-9", NOON)
    books.buy("poster-ja", digest("unpriced"), reserved=None)
    books.do(journal.in_doubt, books.buy("poster-ja", digest("doubt"), reserved=38_000), "no answer came", NOON)


def test_what_was_spent_and_what_came_to_nothing(books: Books) -> None:
    story = Story(books.space, "cost")
    zone = {"TZ": "UTC"}
    full(books)
    story.run("cost", env=zone)
    story.run("cost", "--by", "model", env=zone)
    story.run("cost", "--by", "day", env=zone)
    story.run("cost", "--by", "tag", env=zone)
    story.run("cost", "--by", "locale", "--since", "2026-11-01", env=zone)
    story.run("cost", "--since", "2026-11-02", env=zone)
    story.run("cost", "--by", "local", code=2)
    story.run("cost", "--since", "yesterday", code=2)
    story.check()


def test_every_table_has_the_whole_of_it(books: Books) -> None:
    full(books)
    for by in ("asset", "model", "day", "locale"):
        answer = books.space.run("cost", "--by", by, "--json").json
        holds("cost", answer)
        for field in ("cost", "pictures", "purchases"):
            assert sum(row[field] for row in answer["rows"]) == answer["total"][field], (by, field)
    assert answer["total"] == {"pictures": 5, "purchases": 8, "cost": 580_001}
    assert answer["credits"] == 58.0001
    waste = {one["kind"]: (one["count"], one["cost"]) for one in answer["waste"]}
    assert waste == {
        "superseded": (1, 90_001),
        "rejected": (1, 90_000),
        "refused": (1, 0),
        "failed": (1, 40_000),
        "lost": (1, 90_000),
    }
    assert answer["pending"] == [
        {"kind": "running", "count": 2, "reserved": 90_000, "unknown": 1},
        {"kind": "in doubt", "count": 1, "reserved": 38_000, "unknown": 0},
    ]
    tags = {row["name"]: row["cost"] for row in books.space.run("cost", "--by", "tag", "--json").json["rows"]}
    assert tags == {"launch": 580_001, "de": 220_000, "ja": 90_000}


def test_nothing_bought_yet(space: TestSpace) -> None:
    story = Story(space, "cost-nothing")
    write(space, provider="comp")
    story.run("cost")
    holds("cost", space.run("cost", "--json").json)
    space.build()
    story.run("cost")
    story.run("cost", "--all-projects")
    story.check()


def test_a_day_is_the_readers_own(books: Books) -> None:
    books.done(books.buy("poster", at=NOON + 11.5 * HOUR))
    for zone, day in (("UTC", "2026-11-01"), ("Europe/Berlin", "2026-11-02"), ("America/New_York", "2026-11-01")):
        answer = books.space.run("cost", "--by", "day", "--json", env={"TZ": zone}).json
        assert [row["name"] for row in answer["rows"]] == [day]
        assert bool(books.space.run("cost", "--since", "2026-11-02", "--json", env={"TZ": zone}).json["rows"]) == (
            day == "2026-11-02"
        )
    assert "time zone (CE" in books.space.run("cost", "--by", "day", env={"TZ": "Europe/Berlin"}).err


def test_a_take_that_may_still_be_chosen_isnt_wasted(books: Books) -> None:
    key = books.lock["poster"]["key"]
    books.done(books.buy("poster", count=3, images=3, reserved=270_000), 270_000)
    for number in (2, 3):
        books.record(key, f"take {number}", number)
    waste = books.space.run("cost", "--json").json["waste"]
    assert [(one["kind"], one["count"], one["cost"]) for one in waste] == [("superseded", 2, 180_000)]
    books.rewrite("poster", of=3)
    assert books.space.run("cost", "--json").json["waste"] == []


def test_what_is_not_chosen_yet_has_a_word_of_its_own(space: TestSpace) -> None:
    """Candidates that were fetched, then put in their place, then chosen from: they are waste when one of them was chosen."""
    story = Story(space, "cost-candidates")
    space.write(
        "assets.yaml",
        "version: 1\nproject: tea\ndefaults: {provider: apiframe, quality: low}\n"
        "assets:\n  poster:\n    takes: 3\n    prompt: |\n      A poster.\n",
    )
    with emulator(latency=3600) as running:
        env = {**running.env(), "ASSETBUILD_PATIENCE": "0.5"}
        space.build("--yes", env=env, code=5)
        running.advance(3700)
        story.run("resume", env=env)
        story.run("cost", env=env)
        story.run("build", env=env)
        story.run("cost", env=env)
        answer = space.run("cost", "--json", env=env).json
        holds("cost", answer)
        assert (answer["waste"], answer["waiting"]) == ([], [{"kind": "not chosen", "count": 3, "cost": 120_000}])
        story.run("use", "poster", "2", env=env)
        story.run("cost", env=env)
    story.check()


def test_what_an_edit_was_made_from_is_in_use(books: Books) -> None:
    """The base has gone on to another picture; the edits that are in use were made from the old one."""
    old = books.lock["poster"]
    books.done(books.buy("poster"))
    books.space.write(
        "assets.yaml", SPEC.replace("A poster.", "A better poster.").replace("base: poster", "base: poster\n    pin: true")
    )
    books.space.build()
    assert books.space.lock()["poster"]["outputs"] != old["outputs"]
    assert books.space.run("cost", "--json").json["waste"] == []


def test_what_a_colleague_rejected_and_what_a_later_step_was_made_from(books: Books) -> None:
    books.done(books.buy("poster"))
    books.rewrite("poster", rejected="six fingers")
    assert [one["kind"] for one in books.space.run("cost", "--json").json["waste"]] == ["rejected"]
    first = digest("the first step")
    books.done(books.buy("poster-de", first))
    books.record(first, "step 1")
    assert [one["kind"] for one in books.space.run("cost", "--json").json["waste"]] == ["superseded", "rejected"]
    books.rewrite("poster-de", steps=[{"key": first, "v": 1, "digests": [digest("step 1")], "take": 1}])
    assert [one["kind"] for one in books.space.run("cost", "--json").json["waste"]] == ["rejected"]


def test_without_results_the_journal_knows_what_landed(books: Books) -> None:
    ident = books.buy("poster", digest("another key"))
    books.do(journal.submitted, ident, "job-1", NOON)
    output = books.lock["poster"]["outputs"][0]
    books.do(journal.landed, ident, Landed(0, "", output["digest"], 1, "image/png"))
    books.done(ident)
    assert books.space.run("cost", "--json").json["waste"] == []


def test_bills_that_nobody_said_count_as_planned(books: Books) -> None:
    books.done(books.buy("poster"), None)
    books.done(books.buy("poster-de", reserved=None), None)
    ran = books.space.run("cost")
    assert "$0.09, 2 pictures\n" in ran.out
    assert "1 purchase without a bill: counted as planned" in ran.err
    assert "1 purchase of unknown price, without a bill: counted as nothing" in ran.err
    assert books.space.run("cost", "--json").json["credits"] is None


def test_all_projects_of_a_store(books: Books, tmp_path: Path) -> None:
    books.done(books.buy("poster"))
    books.done(books.buy("card", digest("card"), project="otto"), 50_000)
    books.record(digest("card"), "a card")
    other = tmp_path / "otto"
    lock = books.space.root / "assets.lock"
    other.mkdir()
    text = lock.read_text().replace(books.lock["poster"]["outputs"][0]["digest"], digest("a card"))
    (other / "assets.lock").write_text(text)
    books.store.register_tree(str(other), ["assets.lock"])
    answer = books.space.run("cost", "--json").json
    assert (answer["project"], answer["total"]["cost"], answer["waste"]) == ("fika", 90_000, [])
    answer = books.space.run("cost", "--all-projects", "--json").json
    assert (answer["project"], answer["total"]["cost"], answer["waste"], answer["unread"]) == (None, 140_000, [], [])
    assert "spent on this machine, all projects: $0.14" in books.space.run("cost", "--all-projects").out
    (other / "assets.lock").write_text("<<<<<<< HEAD\n")
    ran = books.space.run("cost", "--all-projects")
    assert "$0.05  1 picture or set that no asset uses any more" in ran.out
    assert f"can't read {other / 'assets.lock'}" in ran.err


def test_a_rehearsal_is_no_money(books: Books) -> None:
    books.done(books.buy("poster"))
    books.done(books.buy("poster-de", host="loopback", count=1, images=4))
    out = books.space.run("cost").out
    assert out.startswith(
        "spent on this machine for fika: $0.09 (9 credits), 1 picture (and 4 pictures from an emulator, for nothing)\n"
    )
    assert "poster-de" not in out


def test_who_talks_to_an_emulator_sees_what_it_billed(books: Books) -> None:
    books.done(books.buy("poster"))
    books.done(books.buy("poster-de", host="loopback", images=4))
    env = {"APIFRAME_BASE_URL": "http://127.0.0.1:9"}
    out = books.space.run("cost", env=env).out
    assert out.startswith("billed by an emulator for fika: $0.09 (9 credits), 4 pictures; no money (and 1 picture for money)\n")
    answer = books.space.run("cost", "--json", env=env).json
    assert (answer["rehearsal"], answer["apart"], [row["name"] for row in answer["rows"]]) == (True, 1, ["poster-de"])


def test_lines_fit_a_narrow_terminal(books: Books) -> None:
    full(books)
    long = "a-very-long-id/of-an-asset/that-nobody-would/write-by-hand-but-a-table-would-give-it"
    books.done(books.buy(long, digest("long")), 12_345_678_900)
    for by in ("asset", "model"):
        lines = lines_of(on_terminal(books.space, "cost", "--by", by))
        assert [line for line in lines if len(line) > 80] == ([f"  {long}"] if by == "asset" else [])
    piped = books.space.run("cost").out
    assert f"\n  {long}  1 picture   $12,345.6789\n" in piped, "for `grep` and `awk`, a line is a line"
    assert "\x1b" not in piped


@given(some.integers(1, 9999))
def test_days_back(days: int) -> None:
    assert since_of(f"{days}d", 2e9) == 2e9 - days * 86400


@pytest.mark.parametrize("word", ["", "d", "0d", "30", "2026-13-01", "2026-1-1", "01.11.2026", "-3d", "30 d", "1e3d"])
def test_what_is_no_day(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        since_of(word, 2e9)
    same_words("cost-since", caught.value, (f"--since {word}`", "--since WORD`"))
