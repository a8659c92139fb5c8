"""Buying, beside what it can't be faster than and what one would do otherwise, against the emulator on loopback, all in one run.

python -m tests.bench.buying [--only flight waves bytes many] [--runs 3]

- flight: 1,000 jobs that take 10 s each at the vendor, all open at once, pictures of 64 pixels. Ideal: 10 s. Beside it a bare loop that knows when they
  are done: it sends, asks each once, fetches and writes, through the same HTTP libraries, and keeps no record.
- waves: 100 bases and an edit on each, 50 open at once, 2 s and 0.5 s a job. Ideal: 200 / 50 of these. Beside it `make -j50` with curl in a shell
  script (submit, ask once a second, fetch), and a plain asyncio + httpx script that does the same.
- bytes: 1,000 pictures of 2 MB at no latency, beside a bare loop that fetches, hashes, decodes and writes the same bytes; and the peak of memory
  with 1,000 open.
- many: 10,000 assets, lockfile included: assets a second.

The emulator is a process of its own, so that its time is on another core. We know how long the model takes from jobs before (a warm journal), as
one does after the first five pictures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from . import ground
from .measure import machine

KEY = "afk_bench"
CONCURRENCY = 50


class Took(NamedTuple):
    """One build: wall and CPU seconds, and its peak of resident MiB."""

    wall: float
    cpu: float
    peak: float


@contextmanager
def emulator(python: str, latency: float, pictures: str) -> Iterator[str]:
    """One in a process of its own; gives its address."""
    words = [python, "-m", "assetbuild", "emulator", "--port", "0", "--json", "--key", KEY, "--credits", "100000000"]
    words += ["--latency", str(latency), "--pictures", pictures]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert child.stdout is not None
        yield str(json.loads(child.stdout.readline())["url"])
    finally:
        child.send_signal(signal.SIGINT)
        child.wait()


def spec(bases: int, *, edits: bool, concurrency: int) -> str:
    """So many posters, each with a translation if asked for."""
    rows = "".join(f"  a{i}:\n    prompt: |\n      Poster number {i}.\n" for i in range(bases))
    if edits:
        rows += "".join(f"  b{i}:\n    base: a{i}\n    prompt: |\n      Set the headline to {i}.\n" for i in range(bases))
    return (
        "version: 1\nproject: bench\nbudget: {per_run: 100000}\n"
        f"providers: {{apiframe: {{concurrency: {concurrency}, requests_per_minute: 100000}}}}\n"
        f"defaults: {{provider: apiframe, quality: low}}\nassets:\n{rows}"
    )


def build(command: str, root: Path, url: str) -> Took:
    """One whole build. Raises SystemExit when it fails."""
    environ = {**ground.clean_environ(), "APIFRAME_BASE_URL": url, "APIFRAME_API_KEY": KEY}
    began = time.perf_counter()
    child = subprocess.Popen(
        [command, "build", "--yes"], cwd=root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"the build in {root} ended with {os.waitstatus_to_exitcode(status)}: {said[-500:]!r}")
    return Took(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def warm(command: str, root: Path, url: str, text: str) -> None:
    """Six pictures before, so that the journal knows how long the model takes; then the spec that is measured."""
    root.mkdir(parents=True)
    (root / "assets.yaml").write_text(
        spec(6, edits=False, concurrency=50).replace("Poster number", f"Warm-up of {root.name}"), "utf-8"
    )
    build(command, root, url)
    # Prompts of their own: under the same key the emulator would give the jobs of the run before.
    (root / "assets.yaml").write_text(
        text.replace("Poster number", f"{root.name} number").replace("headline to", f"{root.name} to"), "utf-8"
    )


MAKE = """\
.PHONY: all
all: $(foreach i,$(shell seq 0 99),b$(i).png)
%.png: ; @./buy $*
$(foreach i,$(shell seq 0 99),$(eval b$(i).png: a$(i).png))
"""

CURL = r"""#!/bin/sh
# what one writes by hand: submit, ask once a second, fetch
set -e
name=$1
params='"quality":"low","aspect_ratio":"1:1","output_format":"png"'
case $name in b*)
  up=$(curl -s -H "X-API-Key: $KEY" -F "file=@a${name#b}.png;type=image/png" "$URL/v2/uploads" | sed 's/.*"url": *"\([^"]*\)".*/\1/')
  params="$params,\"input_images\":[\"$up\"]" ;;
esac
job=$(curl -s -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \
  -d "{\"model\":\"gpt-image-2\",\"prompt\":\"Picture $name $SALT\",\"gptImage2Params\":{$params}}" "$URL/v2/images/generate" |
  sed 's/.*"jobId": *"\([^"]*\)".*/\1/')
while :; do
  answer=$(curl -s -H "X-API-Key: $KEY" "$URL/v2/jobs/$job")
  case $answer in *COMPLETED*) break ;; *FAILED*) exit 1 ;; esac
  sleep 1
done
curl -s -o "$name.png" "$(printf %s "$answer" | sed 's/.*"images": *\["\([^"]*\)".*/\1/')"
"""

PLAIN = """
import asyncio, os, sys, uuid
import httpx

URL, KEY, SALT = os.environ["URL"], os.environ["KEY"], os.environ["SALT"]

async def buy(http, slots, name, base=None):
    async with slots:
        params = {"quality": "low", "aspect_ratio": "1:1", "output_format": "png"}
        if base is not None:
            up = await http.post("/v2/uploads", files={"file": ("a.png", open(f"{base}.png", "rb"), "image/png")})
            params["input_images"] = [up.json()["url"]]
        body = {"model": "gpt-image-2", "prompt": f"Picture {name} {SALT}", "gptImage2Params": params}
        job = (await http.post("/v2/images/generate", json=body)).json()["jobId"]
        while True:
            answer = (await http.get(f"/v2/jobs/{job}")).json()
            if answer["status"] == "COMPLETED":
                break
            await asyncio.sleep(1)
        async with httpx.AsyncClient() as cdn:
            picture = await cdn.get(answer["result"]["images"][0])
        with open(f"{name}.png", "wb") as file:
            file.write(picture.content)

async def pair(http, slots, i):
    await buy(http, slots, f"a{i}")
    await buy(http, slots, f"b{i}", f"a{i}")

async def main():
    slots = asyncio.Semaphore(50)
    async with httpx.AsyncClient(base_url=URL, headers={"X-API-Key": KEY}, timeout=60) as http:
        await asyncio.gather(*(pair(http, slots, i) for i in range(100)))

asyncio.run(main())
"""

BARE = """
import asyncio, json, os
import aiohttp, httpx
from httpx_aiohttp import AiohttpTransport

URL, SALT = os.environ["URL"], os.environ["SALT"]
HEADERS = {"X-API-Key": os.environ["KEY"], "Content-Type": "application/json"}

async def main(count, seconds):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        transport, exchanges, downloads = AiohttpTransport(client=lambda: http), asyncio.Semaphore(64), asyncio.Semaphore(32)

        async def call(method, path, body=None):
            async with exchanges:
                answer = await transport.handle_async_request(httpx.Request(method, URL + path, headers=HEADERS, content=body))
                data = await answer.aread()
                await answer.aclose()
                return json.loads(data)

        async def one(number):
            params = {"quality": "low", "aspect_ratio": "1:1", "output_format": "png"}
            body = {"model": "gpt-image-2", "prompt": f"Picture {number} {SALT}", "gptImage2Params": params}
            job = (await call("POST", "/v2/images/generate", json.dumps(body).encode()))["jobId"]
            await asyncio.sleep(seconds)
            while (answer := await call("GET", f"/v2/jobs/{job}"))["status"] != "COMPLETED":
                await asyncio.sleep(0.01)
            async with downloads, http.get(answer["result"]["images"][0]) as picture:
                data = await picture.read()
            with open(f"{number}.png", "wb") as file:
                file.write(data)

        await asyncio.gather(*(one(number) for number in range(count)))

asyncio.run(main(1000, 10))
"""

LOOP = """
import asyncio, hashlib, io, os, sys, time
import aiohttp
from concurrent.futures import ThreadPoolExecutor
from PIL import Image

async def main(urls):
    threads = ThreadPoolExecutor(2)
    loop = asyncio.get_running_loop()
    slots = asyncio.Semaphore(32)
    def keep(number, data):
        hashlib.sha256(data).hexdigest()
        Image.open(io.BytesIO(data)).load()
        with open(f"{number}.png", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with open(f"{number}-out.png", "wb") as file:
            file.write(data)
    async with aiohttp.ClientSession() as http:
        async def one(number, url):
            async with slots:
                async with http.get(url) as answer:
                    data = await answer.read()
                await loop.run_in_executor(threads, keep, number, data)
        await asyncio.gather(*(one(*pair) for pair in enumerate(urls)))

asyncio.run(main(sys.stdin.read().split()))
"""


def other(words: list[str], root: Path, environ: Mapping[str, str]) -> float:
    """Wall seconds of what one would do otherwise."""
    began = time.perf_counter()
    done = subprocess.run(words, cwd=root, env={**os.environ, **environ}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
    return time.perf_counter() - began


def flight(command: str, python: str, folder: Path, runs: int) -> None:
    """1,000 jobs of 10 s, all open."""
    with emulator(python, 10, "tiny") as url:
        took, bare = [], []
        for run in range(runs):
            root = folder / f"flight{run}"
            warm(command, root, url, spec(1000, edits=False, concurrency=1000))
            took.append(build(command, root, url))
            other_root = folder / f"bare-flight{run}"
            other_root.mkdir()
            (other_root / "bare.py").write_text(BARE)
            bare.append(other([python, "bare.py"], other_root, {"URL": url, "KEY": KEY, "SALT": f"flight {run}"}))
    wall, cpu, peak = (median(one[i] for one in took) for i in range(3))
    beside = f"a bare loop {median(bare) / 10:.2f} x"
    print(f"flight: {wall / 10:.2f} x ideal ({wall:.1f} s), {cpu:.2f} ms CPU a job, {peak:.0f} MiB; {beside}")


def waves(command: str, python: str, folder: Path, runs: int) -> None:
    """100 bases, 100 edits, 50 open."""
    for latency in (2.0, 0.5):
        ideal = 200 / CONCURRENCY * latency
        ours, makes, plains = [], [], []
        with emulator(python, latency, "tiny") as url:
            for run in range(runs):
                root = folder / f"waves{latency}-{run}"
                warm(command, root, url, spec(100, edits=True, concurrency=CONCURRENCY))
                ours.append(build(command, root, url).wall)
                environ = {"URL": url, "KEY": KEY, "SALT": f"{latency} {run}"}
                if shutil.which("make") and shutil.which("curl"):
                    other_root = folder / f"make{latency}-{run}"
                    other_root.mkdir()
                    (other_root / "Makefile").write_text(MAKE)
                    (other_root / "buy").write_text(CURL)
                    (other_root / "buy").chmod(0o755)
                    makes.append(other(["make", "-s", "-j50"], other_root, environ))
                other_root = folder / f"plain{latency}-{run}"
                other_root.mkdir()
                (other_root / "plain.py").write_text(PLAIN)
                plains.append(other([python, "plain.py"], other_root, {**environ, "SALT": f"p {latency} {run}"}))
        beside = f"make -j50 with curl {median(makes) / ideal:.2f} x, " if makes else ""
        beside += f"asyncio + httpx {median(plains) / ideal:.2f} x"
        print(f"waves of {latency} s: {median(ours) / ideal:.2f} x ideal ({median(ours):.2f} s of {ideal:.0f} s); {beside}")


def heavy(command: str, python: str, folder: Path, runs: int) -> None:
    """2 MB pictures beside a bare loop; memory with 1,000 open."""
    ratios = []
    with emulator(python, 0, "2mb") as url:
        for run in range(runs):
            root = folder / f"bytes{run}"
            warm(command, root, url, spec(1000, edits=False, concurrency=200))
            took = build(command, root, url)
            urls = _results(url, 1000)
            bare = folder / f"bare{run}"
            bare.mkdir()
            (bare / "loop.py").write_text(LOOP)
            began = time.perf_counter()
            subprocess.run([python, "loop.py"], cwd=bare, input="\n".join(urls), text=True, check=True)
            alone = time.perf_counter() - began
            ratios.append((took.wall / alone, took.wall, alone))
            shutil.rmtree(bare)
            shutil.rmtree(root)
        ratio, wall, alone = (median(one[i] for one in ratios) for i in range(3))
        print(f"bytes: {ratio:.2f} x a bare loop ({wall:.1f} s, {alone:.1f} s)")
    with emulator(python, 10, "2mb") as url:
        root = folder / "memory"
        warm(command, root, url, spec(1000, edits=False, concurrency=1000))
        print(f"memory with 1,000 open, 2 MB each: {build(command, root, url).peak:.0f} MiB")


def _results(url: str, count: int) -> list[str]:
    """The addresses of the last pictures that the emulator made."""
    import httpx

    with httpx.Client(base_url=url, headers={"X-API-Key": KEY}) as http:
        found: list[str] = []
        cursor: dict[str, str] = {}
        while len(found) < count:
            answer = http.get("/v2/jobs", params={"limit": "100", **cursor}).json()
            found += [address for job in answer["jobs"] if job["result"] for address in job["result"]["images"]]
            if not answer["hasMore"]:
                break
            cursor = {"cursor": answer["nextCursor"]}
    return found[:count]


def many(command: str, python: str, folder: Path, runs: int) -> None:
    """10,000 assets."""
    with emulator(python, 0, "tiny") as url:
        root = folder / "many"
        warm(command, root, url, spec(10_000, edits=False, concurrency=1000))
        took = build(command, root, url)
    print(
        f"many: {10_000 / took.wall:.0f} assets/s ({took.wall:.0f} s), {took.cpu / 10:.2f} ms CPU an asset, {took.peak:.0f} MiB"
    )


PARTS = {"flight": flight, "waves": waves, "bytes": heavy, "many": many}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--runs", default=3, type=int)
    parser.add_argument("--here", action="store_true", help="this Python as it is, instead of an environment of its own")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="assetbuild-bench-") as folder:
        if given.here:
            python = sys.executable
            command = str(Path(python).with_name("assetbuild"))
        else:
            installed = ground.Installed(Path(folder) / "env")
            command, python = installed.assetbuild, installed.python
        for name in given.only:
            PARTS[name](command, python, Path(folder), given.runs)


if __name__ == "__main__":
    main()
