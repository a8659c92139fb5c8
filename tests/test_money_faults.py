"""Every fault between us and the vendor, met by a whole build: bills, exit code, message, journal and lockfile. Downloads have a file of their own."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.emulator.faults import ALIASES, KNOWN
from assetbuild.testing.space import TestSpace

from .emulating import emulator as run
from .faulting import IMPATIENT, Told, asset, bills_of, holds, journal, locked, spec, states, three
from .hooking import hook

COMP = asset("sketch", "A sketch.", "provider: comp")


def test_every_fault_is_met() -> None:
    """Of the emulator's, here or in a file beside this one: a new one isn't forgotten."""
    told = "".join(file.read_text("utf-8") for file in sorted(Path(__file__).parent.glob("test_money_*.py")))
    assert [name for name in (*KNOWN, *ALIASES) if not re.search(rf"\b{name}(?![\w-])", told)] == []


# ── what heals by itself ──

HEALS = (
    "rate-limit:1@1-2", "rate-limit-date:1@1", "rate-limit:none@1-2", "unavailable@1-2", "bad-gateway@1", "bad-gateway-after@1", "cut-before@1-2",
    "cut-after@1-2", "conflict-after@1", "slow:1", "poll/rate-limit:1@1", "poll/unavailable@1", "poll/bad-gateway@1-2", "drop-poll@1-2",
    "poll/slow:1", "string-result", "list-result", "no-cost", "truncated@1", "garbage@1-2", "html-picture@1", "bomb@1", "cut-body@1-2",
    "slow-body:1", "oversized@1", "download/unavailable@1-2", "download/cut-before@1", "download/rate-limit:1@1",
)  # fmt: skip


def test_what_heals_by_itself(space: TestSpace, emulator: Emulator) -> None:
    """Twenty-eight pictures, each with another fault that passes: all are built, each was paid for once, and nothing of it is told."""
    hook(space, IMPATIENT)
    space.write("assets.yaml", spec(*(asset(f"p{n}", f"Poster {n}. [fault:{one}]") for n, one in enumerate(HEALS))))
    ran = space.build("--yes", env=emulator.env())
    count = len(HEALS)
    assert f"{count} bought" in ran.err
    assert "hint" not in ran.err
    assert len(emulator.bills) == len({bill["prompt"] for bill in emulator.bills}) == count
    assert {row.state for row in journal(space)} == {"done"}
    assert {row.attempt for row in journal(space)} == {0}
    assert len(locked(space)) == count
    holds(space, emulator)
    assert f"{count} up to date" in space.build(env={}).text
    assert len(emulator.bills) == count


def test_a_storm(space: TestSpace, emulator: Emulator) -> None:
    """Thirty pictures, of which each is refused once or twice: 429s aren't attempts, and nothing is sent twice that was accepted."""
    often = "-2" if os.environ.get("ASSETBUILD_FULL") else ""
    faults = [f"rate-limit:1@1{often}", "rate-limit:none@1-2", f"rate-limit-date:1@1{often}"]
    space.write("assets.yaml", spec(*(asset(f"p{n}", f"Poster {n}. [fault:{faults[n % 3]}]") for n in range(30))))
    space.build("--yes", env=emulator.env())
    assert len(emulator.bills) == 30
    assert {(row.state, row.attempt) for row in journal(space)} == {("done", 0)}
    sends = [status for method, path, status in emulator.calls if method == "POST" and path == "/v2/images/generate"]
    assert sends.count(202) == 30
    holds(space, emulator)


def test_uploads_that_fail_at_first(space: TestSpace, emulator: Emulator) -> None:
    """An edit's base gets there in the end, once."""
    for one in ("upload/unavailable@1", "upload/cut-after@2", "upload/bad-gateway@3"):
        emulator.fault(one)
    space.write("assets.yaml", three("list-result"))
    space.build("--yes", env=emulator.env())
    assert [status for _, path, status in emulator.calls if path == "/v2/uploads"] == [503, 0, 502, 201]
    assert len(emulator.bills) == 3
    holds(space, emulator)


def test_the_account_cant_be_looked_at(space: TestSpace, emulator: Emulator) -> None:
    """It is no condition."""
    emulator.fault("me-down")
    space.write("assets.yaml", three("list-result"))
    assert "3 bought" in space.build("--yes", env=emulator.env()).err
    holds(space, emulator)


# ── jobs that end without a picture ──


@pytest.mark.parametrize(("fault", "name"), [("fail@1", "failed"), ("cancel@1", "cancelled")])
def test_a_job_that_fails(space: TestSpace, emulator: Emulator, fault: str, name: str) -> None:
    """It isn't sent again in that run; what hangs on it waits and nothing else does; the next run sends it under another number."""
    tale = Told(space, emulator, name)
    space.write("assets.yaml", three(fault))
    tale.build(code=1)
    assert len(bills_of(emulator, "A poster.")) == 1
    assert states(space, "poster") == [(1, 0, "failed")]
    assert [row.cost for row in journal(space) if row.asset == "poster"] == [0]
    assert locked(space) == {"cup"}
    holds(space, emulator)
    tale.build()
    assert states(space, "poster") == [(1, 0, "failed"), (1, 1, "done")]
    first, second = bills_of(emulator, "A poster.")
    assert first["idempotency_key"] != second["idempotency_key"]
    assert locked(space) == {"poster", "poster-de", "cup"}
    holds(space, emulator)
    tale.check()


def test_a_job_that_moderation_refuses(space: TestSpace, emulator: Emulator) -> None:
    """Final, and remembered under its key: neither plan nor build send it again, until somebody says so."""
    tale = Told(space, emulator, "refused")
    space.write("assets.yaml", three("refuse@1"))
    tale.build(code=1)
    assert states(space, "poster") == [(1, 0, "refused")]
    tale.build(code=1)
    tale.run("plan")
    assert len(bills_of(emulator, "A poster.")) == 1
    assert locked(space) == {"cup"}
    holds(space, emulator)
    tale.note("again, by mistake of the moderation")
    tale.build("--rebuy", "poster")
    assert states(space, "poster") == [(1, 0, "refused"), (2, 0, "done")]
    tale.build()
    assert len(emulator.bills) == 4
    holds(space, emulator)
    tale.check()


def test_another_prompt_after_a_refusal(space: TestSpace, emulator: Emulator) -> None:
    """Another key has nothing to do with it."""
    space.write("assets.yaml", three("refuse@1"))
    space.build("--yes", env=emulator.env(), code=1)
    space.write("assets.yaml", three("list-result"))
    space.build("--yes", env=emulator.env())
    assert states(space, "poster") == [(1, 0, "refused"), (1, 0, "done")]
    holds(space, emulator)


def test_an_upload_that_was_gone(space: TestSpace, emulator: Emulator) -> None:
    """The vendor couldn't fetch it: a failed job, refunded; the next run uploads it again."""
    tale = Told(space, emulator, "upload-gone")
    emulator.fault("gone-input@1")
    space.write("assets.yaml", three("list-result"))
    tale.build(code=1)
    assert states(space, "poster-de") == [(1, 0, "failed")]
    tale.build()
    assert states(space, "poster-de") == [(1, 0, "failed"), (1, 1, "done")]
    holds(space, emulator)
    tale.check()


# ── nobody can say ──


def test_a_number_that_was_used(space: TestSpace, emulator: Emulator) -> None:
    """409: something was accepted under this number before. It is looked for, and when it isn't there it waits for a person."""
    tale = Told(space, emulator, "conflict")
    space.write("assets.yaml", three("conflict@1"))
    tale.build(code=5)
    assert states(space, "poster") == [(1, 0, "in_doubt")]
    assert not bills_of(emulator, "A poster.")
    tale.build(code=5)
    assert not bills_of(emulator, "A poster.")
    tale.build("--rebuy", "poster")
    assert states(space, "poster") == [(1, 0, "in_doubt"), (2, 0, "done")]
    holds(space, emulator)
    tale.check()


def test_cut_off_for_good(space: TestSpace, emulator: Emulator) -> None:
    """Every answer is lost: it is told that it may have been accepted, and it was; the next build gets the picture of the one bill."""
    tale = Told(space, emulator, "cut-off")
    space.write("assets.yaml", three("list-result"))
    emulator.fault("cut-after")
    tale.build(code=1, ASSETBUILD_PATIENCE="1")
    assert len(emulator.bills) == 2
    assert {row.state for row in journal(space)} == {"intent"}
    emulator.no_faults()
    tale.build()
    assert {row.state for row in journal(space)} == {"done"}
    assert len(emulator.bills) == 3
    holds(space, emulator)
    tale.check()


def test_a_job_that_the_vendor_doesnt_know(space: TestSpace) -> None:
    """It was bought with another key: with that one it is fetched."""
    with run(keys=["afk_colleague"]) as emulator:
        tale = Told(space, emulator, "other-key")
        space.write("assets.yaml", three("truncated@1-3"))
        tale.build(code=1)
        tale.note("with a colleague's key")
        tale.build(code=5, APIFRAME_API_KEY="afk_colleague")
        assert states(space, "poster") == [(1, 0, "submitted")]
        assert len(emulator.bills) == 2
        tale.note("with the right one")
        tale.build()
        assert len(emulator.bills) == 3
        holds(space, emulator)
        tale.check()


def test_a_job_that_is_lost(space: TestSpace, emulator: Emulator) -> None:
    """404 for ever: it waits for a person, counts on, and isn't bought again before somebody says so."""
    tale = Told(space, emulator, "lost")
    space.write("assets.yaml", three("lost@1"))
    tale.build(code=5)
    tale.build(code=5)
    tale.run("resume", code=5)
    assert states(space, "poster") == [(1, 0, "submitted")]
    assert len(bills_of(emulator, "A poster.")) == 1
    tale.build("--rebuy", "poster")
    assert states(space, "poster") == [(1, 0, "in_doubt"), (2, 0, "done")]
    assert len(bills_of(emulator, "A poster.")) == 2
    tale.build()
    holds(space, emulator)
    tale.check()


def test_a_job_that_takes_for_ever(space: TestSpace) -> None:
    """It is let go on after a while, said so, and fetched when it is done."""
    with run(latency=3600) as emulator:
        tale = Told(space, emulator, "slow-job")
        space.write("assets.yaml", spec(asset("poster", "A poster.")))
        tale.build(code=5, ASSETBUILD_PATIENCE="1")
        assert states(space, "poster") == [(1, 0, "submitted")]
        tale.run("resume", code=5, env={"ASSETBUILD_PATIENCE": "1"})
        emulator.advance(3600)
        tale.build()
        assert len(emulator.bills) == 1
        holds(space, emulator)
        tale.check()


def test_a_job_that_is_stuck(space: TestSpace, emulator: Emulator) -> None:
    """It is never done, and bought again only when somebody says so; what hangs on it waits too."""
    tale = Told(space, emulator, "stuck")
    space.write("assets.yaml", three("stuck@1"))
    tale.build(code=5, ASSETBUILD_PATIENCE="1")
    assert states(space, "poster") == [(1, 0, "submitted")]
    assert locked(space) == {"cup"}
    tale.build("--rebuy", "poster")
    assert states(space, "poster") == [(1, 0, "in_doubt"), (2, 0, "done")]
    assert len(bills_of(emulator, "A poster.")) == 2
    holds(space, emulator)
    tale.check()


# ── keys and credit ──


@pytest.mark.parametrize("how", ["blocked", "bad-key", "inactive", "no-key"])
def test_who_isnt_let_in(space: TestSpace, how: str) -> None:
    """What is free is done first; nothing is sent any more; exit 4."""
    with run(inactive=["afk_inactive"], faults=["blocked", "me/blocked"] if how == "blocked" else []) as emulator:
        tale = Told(space, emulator, how)
        key = {"bad-key": "afk_wrong", "inactive": "afk_inactive", "no-key": "", "blocked": emulator.key}[how]
        space.write(
            "assets.yaml", spec(COMP, *(asset(f"p{n}", f"Poster {n}.") for n in range(3)), asset("de", "German.", "base: p0"))
        )
        tale.build("-j", "1", code=4, APIFRAME_API_KEY=key)
        assert locked(space) == {"sketch"}
        assert not emulator.bills
        assert all(method != "POST" for method, _, _ in emulator.calls)
        assert not journal(space)
        tale.check()


def test_an_account_that_is_blocked_in_the_middle(space: TestSpace, emulator: Emulator) -> None:
    """Told from a refused picture: nothing is remembered of it, and the next run buys."""
    tale = Told(space, emulator, "blocked-later")
    emulator.fault("submit/blocked@2+")
    space.write("assets.yaml", spec(COMP, *(asset(f"p{n}", f"Poster {n}.") for n in range(3))))
    tale.build("-j", "1", code=4)
    assert [row.state for row in journal(space)] == ["done", "failed"]
    emulator.no_faults()
    tale.build()
    assert len(emulator.bills) == 3
    holds(space, emulator)
    tale.check()


def test_no_credit(space: TestSpace) -> None:
    """Nothing is sent."""
    with run(credits=0) as emulator:
        tale = Told(space, emulator, "no-credit")
        space.write("assets.yaml", spec(COMP, asset("poster", "A poster."), asset("cup", "A cup.")))
        tale.build("-j", "1", code=4)
        assert locked(space) == {"sketch"}
        assert all(method != "POST" for method, _, _ in emulator.calls)
        tale.check()


def test_credits_that_run_out(space: TestSpace) -> None:
    """What was bought stays, what is missing is said, nothing is sent any more, exit 4; paid in, the rest is bought."""
    with run(credits=10) as emulator:
        tale = Told(space, emulator, "credit-runs-out")
        space.write(
            "assets.yaml", spec(COMP, *(asset(f"p{n}", f"Poster {n}.") for n in range(4)), asset("de", "German.", "base: p0"))
        )
        tale.build("-j", "1", code=4)
        assert locked(space) == {"sketch", "p0", "p1"}
        sends = [status for method, path, status in emulator.calls if method == "POST"]
        assert sends == [202, 202, 402]
        assert len(emulator.bills) == 2
        holds(space, emulator)
        emulator.pay(100)
        tale.build()
        assert len(emulator.bills) == 5
        holds(space, emulator)
        tale.check()


# ── prices ──


def test_a_bill_above_the_price(space: TestSpace, emulator: Emulator) -> None:
    """It is booked in full, nothing more is bought, the price table is named; the picture is kept."""
    tale = Told(space, emulator, "overbilled")
    space.write(
        "assets.yaml", spec(COMP, asset("poster", "A poster. [fault:cost:100]"), asset("cup", "A cup."), asset("mug", "A mug."))
    )
    tale.build("-j", "1", code=5)
    assert [(row.asset, row.reserved, row.cost) for row in journal(space)] == [("poster", 40_000, 1_000_000)]
    assert locked(space) == {"sketch", "poster"}
    holds(space, emulator)
    tale.run("cost")
    tale.run("plan")
    tale.run("build", "--max-cost", "1.50", code=5)  # room for one at what was billed, for all of them at what the table says
    assert len(emulator.bills) == 2
    tale.build()
    assert len(emulator.bills) == 3
    holds(space, emulator)
    tale.check()


def test_a_bill_above_the_price_is_known_before_its_turn_is_given_up(space: TestSpace, emulator: Emulator) -> None:
    """One place at the vendor: the next one takes it as soon as this job is done, and isn't asked for, although this one's picture is still fetched."""
    rows = [asset("poster", "A poster. [fault:cost:100]"), asset("cup", "A cup."), asset("mug", "A mug.")]
    space.write("assets.yaml", spec(*rows).replace("apiframe: {", "apiframe: {concurrency: 1, ", 1))
    assert space.run("build", "--yes", env=emulator.env()).code == 5
    assert [(row.asset, row.cost) for row in journal(space)] == [("poster", 1_000_000)]
    holds(space, emulator)


UNPRICED = asset("poster", "A poster.", "model: seedream-4.5") + asset("cup", "A cup.")


def test_a_price_that_nobody_knows(space: TestSpace, emulator: Emulator) -> None:
    """Under a stated budget it waits, and so it does under `--max-cost`; the vendor's own list helps; with `--yes` and no budget it is bought, and its
    bill counts.
    """
    tale = Told(space, emulator, "unpriced")
    emulator.fault("models/unavailable")
    space.write("assets.yaml", spec(UNPRICED, head="budget: {per_run: 1.00}\n"))
    tale.build(code=5, ASSETBUILD_PATIENCE="1")
    assert locked(space) == {"cup"}
    space.write("assets.yaml", spec(UNPRICED))
    tale.run("build", "--max-cost", "1.00", code=5, env={"ASSETBUILD_PATIENCE": "1"})
    assert len(emulator.bills) == 1
    tale.build(ASSETBUILD_PATIENCE="1")
    assert [(row.asset, row.reserved, row.cost) for row in journal(space)][1:] == [("poster", None, 50_000)]
    holds(space, emulator)
    tale.check()


def test_a_price_that_the_vendor_lists(space: TestSpace, emulator: Emulator) -> None:
    """`costMax` is what it may cost at most, under a budget too."""
    tale = Told(space, emulator, "listed-price")
    space.write("assets.yaml", spec(UNPRICED, head="budget: {per_run: 1.00}\n"))
    tale.run("plan")
    tale.build()
    assert {row.reserved for row in journal(space)} == {40_000, 50_000}
    holds(space, emulator)
    tale.check()


# ── no way there ──


def test_nobody_answers(space: TestSpace, emulator: Emulator) -> None:
    """A closed port: certainly not accepted, so the attempt is over and nothing is in doubt."""
    hook(space, "\nimport assetbuild.desk\nassetbuild.desk.QUIET = 0.0\n")  # so long it takes until something is said of it
    tale = Told(space, emulator, "unreachable")
    space.write("assets.yaml", three("list-result").replace("assets:\n", "assets:\n" + COMP))
    tale.build(code=1, APIFRAME_BASE_URL="http://127.0.0.1:9", ASSETBUILD_PATIENCE="1")
    assert {(row.state, row.cost) for row in journal(space)} == {("failed", 0)}
    assert locked(space) == {"sketch"}
    tale.build()
    assert len(emulator.bills) == 3
    holds(space, emulator)
    tale.check()


def test_a_name_that_isnt_known(space: TestSpace, emulator: Emulator) -> None:
    """And a host that isn't this machine has books of its own."""
    tale = Told(space, emulator, "unknown-name")
    space.write("assets.yaml", spec(asset("poster", "A poster.")))
    tale.build(code=1, APIFRAME_BASE_URL="https://apiframe.invalid", ASSETBUILD_PATIENCE="1")
    assert [(row.state, row.cost) for row in journal(space)] == [("failed", 0)]
    tale.check()


@contextmanager
def _impostor(folder: Path) -> Iterator[str]:
    """A server on this machine whose certificate nobody trusts; what it hears is a mistake."""
    if which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    loop = asyncio.new_event_loop()

    async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError(await reader.read(1000))

    server = loop.run_until_complete(asyncio.start_server(heard, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


def test_a_certificate_that_isnt_trusted(space: TestSpace, emulator: Emulator) -> None:
    """No key goes there."""
    tale = Told(space, emulator, "certificate")
    space.write("assets.yaml", spec(asset("poster", "A poster.")))
    with _impostor(space.folder) as url:
        tale.build(code=1, APIFRAME_BASE_URL=url, ASSETBUILD_PATIENCE="1")
    assert [(row.state, row.cost) for row in journal(space)] == [("failed", 0)]
    tale.check()
