"""Apiframe v2 on this machine, for people who test their pipelines: nothing is bought, everything else is as strict as the real one.

`with Emulator(credits=100) as apiframe:` runs it in a thread of this process; `assetbuild emulator` is the same as a command. It keeps
a bill for each accepted job, and can be told what goes wrong (`faults`), and that time has passed (`clock`). Rooms: `server` (the API),
`cdn` (where pictures are fetched), `control` (the emulator's own API, /emulator/…), `vendor` (all that is remembered), `ledger` (jobs,
credits, bills), `shapes` (what a request must look like), `exchange`, `faults`, `pictures`, `clock`. Listens on 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import errno
import re
import secrets
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import UsageError
from .ledger import Job
from .vendor import Options, Vendor

HOST = "127.0.0.1"
_LATENCY = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?")


def seconds(written: str) -> tuple[float, float]:
    """`2` or `1-4`: the least and the most seconds a job takes. Raises UsageError."""
    found = _LATENCY.fullmatch(written)
    low, high = (float(found[1]), float(found[2] or found[1])) if found else (1.0, 0.0)
    if low > high:
        raise UsageError(f"`{written}` is no latency", hint="write seconds, `2`, or a range, `1-4`")
    return low, high


class Emulator:
    """An emulated Apiframe. Starts with `start` (or `with`), in a thread of its own; all else may be asked from any thread.

    `port` 0 takes a free one. `keys` are further API keys, each an account of its own; without `key` one is made up. `told` hears of
    each bill, in the emulator's thread. Raises UsageError for options without a meaning.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        latency: str | float = 0,
        faults: Iterable[str] = (),
        credits: int = 1000,
        seed: int | None = None,
        bills: Path | str | None = None,
        key: str | None = None,
        keys: Iterable[str] = (),
        inactive: Iterable[str] = (),
        pictures: str = "comps",
        deterministic: bool = False,
        told: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.key = key or f"afk_{secrets.token_hex(16)}"
        self._port = port
        options = Options(
            seconds(str(latency)),
            tuple(faults),
            credits,
            seed,
            None if bills is None else Path(bills),
            (self.key, *keys),
            tuple(inactive),
            pictures,
            deterministic,
        )
        self.vendor = Vendor(options, told)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._end: asyncio.Event | None = None

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> Emulator:
        """Begins to listen. Raises UsageError when the port is taken."""
        ready: list[BaseException | None] = []
        listening = threading.Event()

        def run() -> None:
            try:
                asyncio.run(self._serve(ready, listening))
            except BaseException as problem:
                ready.append(problem)
                listening.set()

        self._thread = threading.Thread(target=run, name="emulator", daemon=True)
        self._thread.start()
        listening.wait()
        if ready and ready[0] is not None:
            self.vendor.close()
            if isinstance(ready[0], OSError) and ready[0].errno in (errno.EADDRINUSE, errno.EACCES):
                text = "taken" if ready[0].errno == errno.EADDRINUSE else "not yours to open"
                raise UsageError(
                    f"port {self._port} of {HOST} is {text}", hint="`--port 0` takes any free one, `--port N` the one you name"
                ) from ready[0]
            raise ready[0]
        return self

    def stop(self) -> None:
        """Ends it; open connections are closed."""
        if self._loop is not None and self._end is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
        self.vendor.close()

    async def _serve(self, ready: list[BaseException | None], listening: threading.Event) -> None:
        from aiohttp import web

        from .cdn import cdn
        from .control import add_control
        from .server import api

        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        front = api(self.vendor)
        add_control(front, self.vendor)
        runners = [web.AppRunner(app, access_log=None, shutdown_timeout=0.1) for app in (front, cdn(self.vendor))]
        try:
            for runner, port in zip(runners, (self._port, 0), strict=True):
                await runner.setup()
                await web.TCPSite(runner, HOST, port, backlog=2048).start()
            self.vendor.url, self.vendor.cdn = (f"http://{HOST}:{runner.addresses[0][1]}" for runner in runners)
            ready.append(None)
            listening.set()
            await self._end.wait()
        finally:
            for runner in runners:
                await runner.cleanup()

    # ── what it is, and has seen ──

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return self.vendor.url

    @property
    def cdn(self) -> str:
        """Where its pictures are fetched."""
        return self.vendor.cdn

    def env(self) -> dict[str, str]:
        """What a client needs to find it."""
        return {"APIFRAME_BASE_URL": self.url, "APIFRAME_API_KEY": self.key}

    @property
    def bills(self) -> list[dict[str, Any]]:
        """One for each accepted job: job, model, prompt, images, credits, key (its first letters), idempotency_key, body (sha256), at."""
        return list(self.vendor.ledger.bills)

    @property
    def spent(self) -> int:
        """Credits, less what came back for jobs that FAILED or were CANCELLED by now."""
        return self.vendor.ledger.spent

    @property
    def jobs(self) -> list[Job]:
        """All jobs, oldest first."""
        return list(self.vendor.ledger.order)

    def job(self, ident: str) -> Job:
        """One job. Raises KeyError."""
        return self.vendor.ledger.jobs[ident]

    @property
    def leaks(self) -> list[dict[str, str]]:
        """Requests that brought a key where none belongs."""
        return list(self.vendor.leaks)

    @property
    def calls(self) -> list[tuple[str, str, int]]:
        """(method, path, status) of every request, to the CDN too (/r/…, /u/…); status 0: the connection was cut."""
        return list(self.vendor.calls)

    # ── what it shall do ──

    def fault(self, written: str) -> None:
        """One fault more, from now on. Raises UsageError."""
        self.vendor.faults.add(written)

    def no_faults(self) -> None:
        """No faults any more, but those that prompts ask for."""
        self.vendor.faults.clear()

    def advance(self, seconds: float) -> None:
        """As if so much time had passed here."""
        self.vendor.clock.advance(seconds)

    def pay(self, credits: int) -> None:
        """Sets the credits of every key."""
        for account in self.vendor.ledger.accounts.values():
            account.credits = credits
