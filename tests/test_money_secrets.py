"""What may stand nowhere: the key, its header, addresses of uploads and results. After runs through many faults every file and every word of output is
looked through, database pages and all.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import Ran, TestSpace

from .faulting import SOON, asset, holds, journal, spec, states
from .hooking import hook

KEY = "afk_5ecret0f4test5ecret0f4test"
HEADERS = ("x-api-key", "authorization", "idempotency-key:")
FAULTS = (
    "fail@1", "refuse@1", "cancel@1", "lost@1", "expired@1", "truncated@1-9", "html-picture@1-9", "redirect@1-9", "file-url@1", "private-url@1",
    "wrong-format@1", "conflict@1", "cut-after@1", "bad-gateway-after@1", "poll/bad-gateway@1", "download/unavailable@1", "cost:5", "no-cost",
)  # fmt: skip
DOUBTFUL = (
    "conflict@1",
)  # of a request in doubt the body stays, with its uploads' addresses: it is what a job is recognised by later
# As if the vendor were far away, so that an address of a private network is refused, while its own stay good.
PRIVATE = """
import assetbuild.wire as _wire
_fetchable = _wire.fetchable
_wire.fetchable = lambda url, *, local: None if "//10." in url else _fetchable(url, local=local)
"""


def tokens(emulator: Emulator) -> list[str]:
    """The parts of addresses that nobody can guess: of results, and of uploads."""
    return [*emulator.vendor.results, *emulator.vendor.uploads]


def secrets(emulator: Emulator) -> list[bytes]:
    """What must stand nowhere, in lower case."""
    words = [emulator.key, *HEADERS, *tokens(emulator), f"{emulator.cdn}/", "/etc/passwd", "10.0.0.1"]
    return [word.lower().encode() for word in words]


def files(space: TestSpace) -> list[Path]:
    """Every file that a run has left: project, store with its log, home, temporary ones. Not the spec, not this test's own."""
    own = {space.folder / "site"}
    return [p for p in space.folder.rglob("*") if p.is_file() and not own & set(p.parents)]


def found(space: TestSpace, emulator: Emulator, *ran: Ran) -> list[str]:
    """Where a secret stands."""
    places = {str(p.relative_to(space.folder)): p.read_bytes() for p in files(space)}
    places |= {f"output {n}": one.text.encode() for n, one in enumerate(ran)}
    return [
        f"{word.decode()} in {name}" for name, content in places.items() for word in secrets(emulator) if word in content.lower()
    ]


@pytest.fixture
def emulator() -> object:
    """One with a key that is easy to find."""
    from .emulating import emulator as run

    with run(key=KEY) as running:
        yield running


def test_after_many_faults(space: TestSpace, emulator: Emulator) -> None:
    """Bases and edits, with every kind of bad end; then all commands that talk about them."""
    hook(space, SOON + PRIVATE + "\nimport assetbuild.fetching\nassetbuild.fetching.LATE = (0.0,)\n")
    temporary = space.folder / "temporary"
    temporary.mkdir()
    env = {**emulator.env(), "TMPDIR": str(temporary), "ASSETBUILD_PATIENCE": "5"}
    bases = [asset(f"p{n}", f"Poster {n}. [fault:{one}]") for n, one in enumerate(FAULTS)]
    edits = [asset(f"e{n}", f"Headline {n}. [fault:{one}]", "base: cup") for n, one in enumerate(FAULTS) if one not in DOUBTFUL]
    emulator.fault("upload/cut-after@1")
    space.write(
        "assets.yaml",
        spec(asset("cup", "A cup."), *bases, *edits, head="budget: {per_run: 50.00}\n").replace(
            "apiframe: {",
            "apiframe: {prices: {gpt-image-2: 4}, ",
            1,  # else what one fault bills is counted with, and jobs that are open are booked at it
        ),
    )
    commands = [
        ("build", "--yes", "-v"), ("build", "--yes", "--json"), ("plan", "--json"), ("resume", "--scan"), ("doctor",), ("cost", "--json"),
        ("show", "e5", "--json"), ("list", "--json"), ("build", "--yes", "-j", "1", "-v"),
    ]  # fmt: skip
    ran = [space.run(*words, env=env) for words in commands]
    assert not {one.code for one in ran} & {2, 70}, [one.text for one in ran if one.code in (2, 70)]
    assert {"done", "failed", "refused", "submitted", "expired", "in_doubt"} == {row.state for row in journal(space)}
    assert emulator.vendor.uploads, "edits have uploaded their base"
    assert "failed" in ran[0].err, "there was something to tell"
    assert found(space, emulator, *ran) == []
    assert not emulator.leaks
    holds(space, emulator)


@pytest.mark.parametrize("where", ["fetch", "poll", "send", "upload"])
def test_a_crash_report(space: TestSpace, emulator: Emulator, where: str) -> None:
    """Whatever an unforeseen error says of addresses and keys, the report that people paste doesn't."""
    hook(space, SOON + CRASHES[where])
    space.write("assets.yaml", spec(asset("cup", "A cup."), asset("de", "German.", "base: cup")))
    ran = space.run("build", "--yes", env=emulator.env())
    assert ran.code == 70, ran.text
    assert "Traceback" in ran.err
    assert "RuntimeError: something odd" in ran.err
    assert found(space, emulator, ran) == []
    assert not emulator.leaks


# An error whose text holds all that it shouldn't.
_RAISE = "raise RuntimeError(f'something odd at {url} with key {os.environ[\"APIFRAME_API_KEY\"]}')"
CRASHES = {
    "fetch": f"""
import os, assetbuild.fetching
async def _odd(wire, settings, url, folder, **more):
    {_RAISE}
assetbuild.fetching.fetch = _odd
""",
    "poll": f"""
import os, assetbuild.providers.apiframe.answers as _answers
def _odd(found):
    url = found.get("result") and found["result"]["images"][0]
    {_RAISE}
_answers.state = _odd
""",
    "send": f"""
import os, assetbuild.providers.apiframe as _apiframe
async def _odd(payload, http, key):
    url = http._there.url + payload.path
    {_RAISE}
_apiframe.send = _odd
""",
    "upload": f"""
import os, assetbuild.providers.apiframe.answers as _answers
_uploaded = _answers.uploaded
def _odd(answer):
    url = _uploaded(answer).url
    {_RAISE}
_answers.uploaded = _odd
""",
}


def store_files(space: TestSpace) -> dict[str, bytes]:
    """The database and what sqlite keeps beside it."""
    folder = space.root / ".assetbuild" / "store"
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name.startswith("store.db")}


EDIT = spec(asset("cup", "A cup."), asset("de", "German.", "base: cup"))


@pytest.mark.skipif(sys.platform == "win32", reason="rights as POSIX has them")
def test_the_request_before_it_is_answered(space: TestSpace, emulator: Emulator) -> None:
    """It holds the address of an upload, so that it can be sent again byte for byte: in a file that nobody else may read."""
    space.write("assets.yaml", EDIT)
    ran = space.run("build", "--yes", env={**emulator.env(), "CRASH_AT": "assetbuild.store.journal.submitted_all:2"})
    assert ran.code == 137
    (upload,) = emulator.vendor.uploads
    assert [row.state for row in journal(space)] == ["done", "intent"]
    assert any(upload.encode() in content for content in store_files(space).values())
    folder = space.root / ".assetbuild" / "store"
    others = [p for p in folder.rglob("store.db*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    assert not others
    tree = {p: p.read_bytes() for p in files(space) if not p.name.startswith("store.db")}
    assert not [p for p, content in tree.items() if upload.encode() in content]
    assert not [p for p, content in tree.items() if emulator.key.encode() in content]
    space.build("--yes", env=emulator.env())
    assert len(emulator.bills) == 2
    assert found(space, emulator) == []
    holds(space, emulator)


@pytest.mark.skipif(sys.platform == "win32", reason="rights as POSIX has them")
def test_the_request_after_it_was_accepted(space: TestSpace, emulator: Emulator) -> None:
    """Its row is blank, and no page of the database keeps it; sqlite's log may, to its owner, until the run ends, or the next one if it was killed."""
    space.write("assets.yaml", EDIT)
    ran = space.run("build", "--yes", env={**emulator.env(), "CRASH_AT": "assetbuild.store.journal.ready_all:2"})
    assert ran.code == 137
    (upload,) = emulator.vendor.uploads
    assert [(row.state, row.body) for row in journal(space)] == [("done", 0), ("submitted", 0)]
    left = [name for name, content in store_files(space).items() if upload.encode() in content]
    assert left in ([], ["store.db-wal"])
    assert not stat.S_IMODE((space.root / ".assetbuild/store/store.db").stat().st_mode) & 0o077
    space.run("list", env=emulator.env())
    assert found(space, emulator) == []
    space.build("--yes", env=emulator.env())
    assert states(space, "de") == [(1, 0, "done")]
    assert found(space, emulator) == []
    holds(space, emulator)


def test_a_key_that_is_none(space: TestSpace, emulator: Emulator) -> None:
    """A key with a line break or a letter that no header can hold is refused without being shown."""
    space.write("assets.yaml", EDIT)
    for key in (f"{KEY}ü", f"{KEY}\n{KEY}"):
        ran = space.run("build", "--yes", env={**emulator.env(), "APIFRAME_API_KEY": key})
        assert ran.code in (2, 4), ran.text
        assert "APIFRAME_API_KEY" in ran.err
        assert KEY not in ran.text
        assert not emulator.bills
    assert not [p for p in files(space) if KEY.encode() in p.read_bytes()]


def test_a_key_in_the_base_url(space: TestSpace, emulator: Emulator) -> None:
    """Some vendors have keys in addresses; ours are refused without being shown."""
    space.write("assets.yaml", EDIT)
    address = emulator.url.replace("http://", f"http://user:{KEY}@")
    ran = space.run("build", "--yes", env={**emulator.env(), "APIFRAME_BASE_URL": address})
    assert ran.code not in (0, 70), ran.text
    assert KEY not in ran.text
    assert not emulator.calls
    assert not [p for p in files(space) if KEY.encode() in p.read_bytes()]
    assert os.environ.get("APIFRAME_API_KEY") is None
