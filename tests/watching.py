"""The real `assetbuild watch` on a real pseudo-terminal: what stands on its screen, what has scrolled by, and keys."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pyte

from assetbuild.testing.space import TestSpace

PATIENCE = 60.0  # seconds; nothing here takes that long


class Watching:
    """A context: on leaving, the watch has ended (asserted, with nothing of it left)."""

    def __init__(
        self, space: TestSpace, *args: str, env: Mapping[str, str] | None = None, columns: int = 100, rows: int = 40
    ) -> None:
        self.space, self.columns, self.rows = space, columns, rows
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environ = space.env({"TERM": "xterm", "NO_COLOR": "1", **(env or {})})
        environ.pop("COLUMNS")
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self.child = subprocess.Popen(
            [sys.executable, "-m", "assetbuild", "watch", *args],
            cwd=space.root,
            env=environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        self._screen = pyte.HistoryScreen(columns, rows, history=100_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.code: int | None = None

    def __enter__(self) -> Watching:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.child.poll() is None:
            children = self.processes()
            if kind is not None:
                self.child.kill()
            else:
                self.press("q")
            self.ended()
            wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "children that outlive the watch")
        os.close(self._theirs)
        self._reader.join(5)
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._ours, 65536)
            except OSError:
                return
            if not some:
                return
            with self._lock:
                self._stream.feed(some)

    # ── what one sees ──

    @property
    def screen(self) -> list[str]:
        """The lines that stand there now."""
        with self._lock:
            return [line.rstrip() for line in self._screen.display]

    @property
    def below(self) -> str:
        """What doesn't scroll: everything below the rule."""
        lines = self.screen
        rule = max((n for n, line in enumerate(lines) if line.startswith("────")), default=None)
        return "" if rule is None else "\n".join(lines[rule + 1 :]).rstrip()

    @property
    def text(self) -> str:
        """Everything: what has scrolled by, and the screen."""
        with self._lock:
            top = ["".join(line[n].data for n in range(self.columns)).rstrip() for line in self._screen.history.top]
            return "\n".join([*top, *(line.rstrip() for line in self._screen.display)])

    def sees(self, words: str) -> None:
        """Waits until these words stand below the rule."""
        self._until(lambda: words in self.below, words)

    def sees_not(self, words: str) -> None:
        """Waits until they don't, and something does."""
        self._until(lambda: bool(self.below) and words not in self.below, f"no {words}")

    def says(self, words: str, times: int = 1) -> None:
        """Waits until these words were said anywhere, so many times."""
        self._until(lambda: self.text.count(words) >= times, words)

    def settled(self) -> None:
        """Waits until nothing is planned or made any more."""
        calm = 0

        def at_rest() -> bool:
            nonlocal calm
            busy = [pid for pid in self.processes() if b"review.thumbs" not in _command(pid)]
            calm = calm + 1 if "planning" not in self.below and not busy and self.below else 0
            return calm > 12

        self._until(at_rest, "rest")

    def _until(self, true: Callable[[], bool], what: str) -> None:
        wait_for(
            true, f"{what}\n--- instead ---\n", lambda: self.text[-6000:] + f"\n--- ended with {self.child.poll()}", self.child
        )

    # ── what one does ──

    def press(self, keys: str) -> None:
        """Keys, one after the other."""
        for key in keys:
            os.write(self._ours, key.encode())

    def processes(self) -> list[int]:
        """The watch's children now."""
        try:
            found = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
            for task in Path(f"/proc/{self.child.pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    found += (task / "children").read_text().split()
        except OSError:
            return []
        return sorted({int(pid) for pid in found})

    def kill(self) -> None:
        """kill -9."""
        children = self.processes()
        self.child.kill()
        self.ended()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), "children that outlive a killed watch")

    def interrupt(self) -> None:
        """^C, as the terminal sends it."""
        os.kill(self.child.pid, signal.SIGINT)

    def ended(self) -> int:
        """Waits for the end; gives the exit code."""
        self.code = self.child.wait(PATIENCE)
        return self.code


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_for(
    true: Callable[[], bool], what: str, more: Callable[[], str] = str, child: subprocess.Popen[bytes] | None = None
) -> None:
    """Until it is so. Raises AssertionError with what is seen instead."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end or (child is not None and child.poll() is not None and not true()):
            raise AssertionError(f"waited for {what}{more()}")
        time.sleep(0.03)
