"""`assetbuild emulator` as a process: where it says that it is, how it ends, what it says meanwhile."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import jsonschema

from assetbuild.testing.emulator.faults import ALIASES, KNOWN, PLACES
from assetbuild.testing.space import TestSpace
from assetbuild.verbs.starting import schemas

from .storing import same_words
from .test_emulator import GENERATE, body


@contextmanager
def started(space: TestSpace, *args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and its first line."""
    child = space.start("emulator", *args)
    assert child.stdout is not None
    try:
        first = child.stdout.readline()
        assert first, child.communicate()[1]
        yield child, first.strip()
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


def test_a_session(space: TestSpace) -> None:
    """Where it is, a line for each job, and what it was in all."""
    with started(space, "--port", "0", "--latency", "0", "--key", "afk_test", "--bills", "bills.jsonl", "--pictures", "tiny") as (
        child,
        url,
    ):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert child.stdout is not None
        assert child.stdout.readline().strip() == f"APIFRAME_BASE_URL={url} APIFRAME_API_KEY=afk_test assetbuild build"
        headers = {"X-API-Key": "afk_test"}
        httpx.post(url + GENERATE, headers=headers, json=body("A poster\nfor Fika", number_of_images=3))
        httpx.post(url + GENERATE, headers=headers, json=body("x" * 100, "flux-2-pro"))
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
    assert (child.returncode, out) == (0, "")
    same_words("../emulator/session", err)
    assert [json.loads(line)["credits"] for line in space.read("bills.jsonl").splitlines()] == [12, 5]


def test_who_leaves_in_the_middle_makes_no_noise(space: TestSpace) -> None:
    faults = ["--fault", "oversized@1", "--fault", "slow-body:40@2", "--fault", "slow:20", "--fault", "poll/cut-before@2"]
    with started(space, "--port", "0", "--latency", "0", "--key", "afk_test", "--pictures", "tiny", *faults) as (child, url):
        client = httpx.Client(base_url=url, headers={"X-API-Key": "afk_test"}, timeout=10)
        with suppress(httpx.ReadTimeout):
            client.post(GENERATE, json=body(), timeout=1.5)
        job = httpx.get(f"{url}/emulator/bills").json()["bills"][0]["job"]
        picture = client.get(f"/v2/jobs/{job}").json()["result"]["images"][0]
        with httpx.stream("GET", picture) as endless:
            next(endless.iter_bytes())
        for ask in (lambda: httpx.get(picture, timeout=0.8), lambda: client.get(f"/v2/jobs/{job}")):
            with suppress(httpx.ReadTimeout, httpx.RemoteProtocolError):
                ask()
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as raw:
            raw.sendall(b"NONSENSE\r\n\r\n")
            raw.recv(100)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=10)
    assert err.splitlines() == ["afk_test…  gpt-image-2  4 credits  A poster for Fika", "1 job, 4 credits; nothing was bought"]


def test_it_ends_on_sigterm_too_and_leaves_nothing_behind(space: TestSpace) -> None:
    temporary = space.folder / "tmp"
    temporary.mkdir()
    child = space.start("emulator", "--port", "0", "--json", env={"TMPDIR": str(temporary)})
    assert child.stdout is not None
    told = json.loads(child.stdout.readline())
    jsonschema.validate(told, json.loads(schemas()["emulator"].read_text("utf-8")))
    headers = {"X-API-Key": told["key"]}
    assert httpx.post(told["url"] + GENERATE, headers=headers, json=body()).status_code == 202
    assert told["env"] == {"APIFRAME_BASE_URL": told["url"], "APIFRAME_API_KEY": told["key"]}
    assert (told["version"], told["key"][:4]) == (1, "afk_")
    assert list(temporary.iterdir())
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=10)
    assert child.returncode == 0
    assert list(temporary.iterdir()) == []


def test_options_reach_it(space: TestSpace) -> None:
    options = [
        "--fault",
        "unavailable@1",
        "--credits",
        "4",
        "--inactive-key",
        "afk_old",
        "--seed",
        "1",
        "--deterministic",
        "--key",
        "a",
        "--key",
        "b",
    ]
    with started(space, "--port", "0", "--json", *options) as (_, line):
        told = json.loads(line)

        def buy(key: str) -> int:
            return httpx.post(told["url"] + GENERATE, headers={"X-API-Key": key}, json=body()).status_code

        assert [buy(key) for key in ("a", "a", "a", "b", "afk_old")] == [503, 202, 402, 202, 403]


def test_a_port_that_is_taken(space: TestSpace) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ran = space.run("emulator", "--port", str(port))
    assert (ran.code, ran.out) == (2, "")
    same_words("../emulator/port-taken", ran.err, (str(port), "PORT"))


def test_options_that_mean_nothing(space: TestSpace) -> None:
    for name, args in (("latency", ["--latency", "soon"]), ("fault", ["--fault", "refused"])):
        ran = space.run("emulator", "--port", "0", *args)
        assert (ran.code, ran.out) == (2, "")
        same_words(f"../emulator/option-{name}", ran.err)


def test_it_listens_on_this_machine_only(space: TestSpace) -> None:
    with started(space, "--port", "0") as (child, url):
        ports = {int(url.rpartition(":")[2])}
        listening = [line.split() for line in Path(f"/proc/{child.pid}/net/tcp").read_text().splitlines()[1:]]
        own = [row[1] for row in listening if row[3] == "0A" and int(row[1].partition(":")[2], 16) in ports]
        assert own == [f"0100007F:{next(iter(ports)):04X}"]


def test_help_tells_the_faults_and_the_control_api(space: TestSpace) -> None:
    told = " ".join(space.run("emulator", "--help").out.split())
    for name, known in KNOWN.items():
        assert f"{name}{':ARG' if known.arg is not None else ''} {known.text}" in told
    for name in (*ALIASES, *PLACES, "/emulator/bills", "/leaks", "/clock", "/reset", "[fault:cut-after@1]"):
        assert name in told
