"""The children of a watch: starts them, passes on what they say, and ends them. Knows pipes and processes; what the lines mean is for who reads them.

Each child is in a process group of its own, so that the terminal's ^C reaches the watch alone, which says what is to be done. A child whose watch is gone ends
by itself, since its stdin ends.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

PATIENCE = 5.0  # seconds that a child has to end by itself once nothing is wanted from it any more
LAST_WORDS = 20  # lines of a crash that are shown
# -P and not -m: a project's folder may hold files with the names of modules. Ours is found where it was found here.
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from assetbuild.watch.worker import main; sys.exit(main())"


class Child:
    """One process. `hear(kind, what)` gets every line, in a thread of its own; at last ("gone", words of a crash or "")."""

    def __init__(
        self, request: Mapping[str, Any], hear: Callable[[str, Any], None], environ: Mapping[str, str], *, name: str
    ) -> None:
        self._hear = hear
        self.halted = False
        apart: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if sys.platform == "win32"
            else {"process_group": 0}
        )
        self.process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _PROGRAM, str(Path(__file__).parents[2])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            cwd=request["root"],
            **apart,
        )
        self._errors: list[bytes] = []
        self._writing = threading.Lock()
        self._threads = [
            threading.Thread(target=self._read_errors, name=f"{name} errors", daemon=True),
            threading.Thread(target=self._read, name=name, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.tell(request)

    def tell(self, what: Mapping[str, Any]) -> None:
        """One line for the child. One that is gone doesn't hear it."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        with self._writing, contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(json.dumps(what).encode() + b"\n")
            self.process.stdin.flush()

    def halt(self) -> None:
        """^C."""
        self.halted = True
        self.tell({"stop": 1})

    def kill(self) -> None:
        """At once. Only for a child that writes nothing, or that doesn't listen."""
        self.halted = True
        with contextlib.suppress(OSError):
            self.process.kill()

    def join(self, patience: float = PATIENCE) -> None:
        """Waits until it is gone and everything that it said is heard; kills it when that takes too long."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            self.process.wait()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(PATIENCE)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - it is a pipe
        with self.process.stderr as stream:
            for line in stream:
                self._errors.append(line)
                del self._errors[:-LAST_WORDS]

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        said_end = False
        with self.process.stdout as stream:
            for line in stream:
                try:
                    kind, what = json.loads(line)
                except ValueError:
                    continue  # it was killed in the middle of a line
                said_end = said_end or kind in ("end", "outlook", "broken", "bug")
                self._hear(kind, what)
        code = self.process.wait()
        self._threads[0].join(PATIENCE)
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        words = (
            ""
            if said_end or self.halted
            else b"".join(self._errors).decode("utf-8", "replace").strip() or f"it ended with {code}"
        )
        self._hear("gone", words)
