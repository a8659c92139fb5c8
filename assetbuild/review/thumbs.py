"""Small pictures for the page, made by a child process and kept where things may vanish. A picture that can't be opened has none.

The child opens every picture with the same care as an export's (`pictures.opening`); it ends when nothing was asked for a while, so that the watch stays small.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from ..vanish import Vanishing

SIZES = (320, 640)
IDLE = 30.0  # seconds after which the child ends
PATIENCE = 30.0  # seconds for one picture
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from assetbuild.review.thumbs import serve; serve()"


class Thumbs:
    """`made` may be called from any thread; one picture is made at a time."""

    def __init__(self, cache: Path) -> None:
        self._cache = Vanishing(cache)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._used = 0.0
        self._timer: threading.Timer | None = None
        self._closed = False

    def made(self, digest: str, path: Path, size: int) -> bytes | None:
        """The picture as WebP, at most `size` pixels wide and high; None if it can't be opened."""
        with self._lock:
            if self._closed:
                return None
            key = f"{digest} {size}"
            kept = self._cache.get("thumb", key)
            if kept is None:
                kept = self._asked(path, size)
                self._cache.put("thumb", key, kept)
            return kept if isinstance(kept, bytes) and kept else None

    def close(self) -> None:
        """Ends the child."""
        with self._lock:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            self._end()
            self._cache.close()

    def _asked(self, path: Path, size: int) -> bytes:
        for _ in range(2):  # a child that one picture has ended is no reason not to make the next
            child = self._started()
            assert child.stdin is not None  # noqa: S101 - it is a pipe
            assert child.stdout is not None  # noqa: S101
            watchdog = threading.Timer(PATIENCE, child.kill)
            watchdog.start()
            try:
                child.stdin.write(json.dumps([str(path), size]).encode() + b"\n")
                child.stdin.flush()
                line = child.stdout.readline()
            except OSError:
                line = b""
            finally:
                watchdog.cancel()
            if line.endswith(b"\n"):
                return base64.b64decode(line)
            self._end()
        return b""

    def _started(self) -> subprocess.Popen[bytes]:
        self._used = time.monotonic()
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=None if sys.platform == "win32" else 0,
            )
            self._later()
        return self._child

    def _later(self) -> None:
        self._timer = threading.Timer(IDLE, self._if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _if_idle(self) -> None:
        with self._lock:
            if self._closed or self._child is None:
                return
            if time.monotonic() - self._used >= IDLE:
                self._end()
            else:
                self._later()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with contextlib.suppress(OSError):
            if child.stdin is not None:
                child.stdin.close()
        try:
            child.wait(1)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout is not None:
            child.stdout.close()


def serve() -> None:
    """The child: a line with path and size in, a line with the picture (base64) out, empty when it can't be opened. Ends with its stdin."""
    for line in sys.stdin:
        path, size = json.loads(line)
        sys.stdout.write(base64.b64encode(_small(Path(path), int(size))).decode() + "\n")
        sys.stdout.flush()


def _small(path: Path, size: int) -> bytes:
    import io

    from ..pictures.opening import opened

    try:
        picture = opened(path, shown=path.name)
        picture.thumbnail((size, size))
        out = io.BytesIO()
        picture.convert("RGBA" if "A" in picture.mode else "RGB").save(out, "WEBP", quality=82, method=4)
        return out.getvalue()
    except Exception:  # hostile, truncated, no picture, too large: the page shows that there is none
        return b""
