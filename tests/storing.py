"""What the tests of the stores share: pictures and takes to put there, golden messages, and child processes that are killed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from assetbuild.errors import AssetbuildError
from assetbuild.lockfile import Line, Output
from assetbuild.store import Blob, Store, Take
from assetbuild.store.journal import State

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden" / "stores"


def digest(content: bytes | str) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def same_words(name: str, error: AssetbuildError | str, *places: tuple[Path | str, str]) -> None:
    """The message's exact text stands in a golden file; `places` are put in words first."""
    text = error if isinstance(error, str) else error.render()
    for place, word in places:
        text = text.replace(str(place), word)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


def kept(
    store: Store, key: str, content: bytes, *, take: int = 1, member: str = "", cost: int | None = 40_000, durable: bool = True
) -> Take:
    """A take of one picture, its blob in the CAS, not recorded yet."""
    name = store.cas.put(content, durable=durable)
    return Take(
        digest(key), take, 1, (Blob(member, name, len(content), "image/png"),), "apiframe/gpt-image-2", None, cost, 1000.0, {}
    )


def line(ident: str, content: str = "", *, key: str = "", **fields: object) -> Line:
    """A lock line for one picture."""
    content = content or f"bytes of {ident}"
    output = Output(f"art/{ident}.png", "", digest(content), len(content))
    return Line(ident, digest(key or ident), 1, {"op": "generate", "prompt": digest("p")}, (output,))._replace(**fields)  # type: ignore[arg-type]


# A child that dies, as if by `kill -9`, at its n-th call of those that change a disk: before the call, or (writes) after half
# of it.
_DYING = """
import os, sys
from contextlib import suppress
step, here, half = 0, int(sys.argv[1]), sys.argv[2] == "half"
def dying(real, name):
    def call(*args, **kwargs):
        global step
        step += 1
        if step == here:
            if half and name == "write":
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            elif half:
                with suppress(OSError):
                    real(*args, **kwargs)
            os._exit(9)
        return real(*args, **kwargs)
    return call
def arm():
    for name in ("open", "write", "fsync", "replace", "mkdir", "unlink", "close"):
        setattr(os, name, dying(getattr(os, name), name))
"""


def run(code: str, *words: object, wait: float = 60) -> subprocess.CompletedProcess[str]:
    """Run Python text in a child."""
    return subprocess.run(
        [sys.executable, "-B", "-c", textwrap.dedent(code), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=wait,
        cwd=ROOT,
        check=False,
    )


def die_at(step: int, half: str, code: str, *words: object) -> bool:
    """Run code that calls `arm()` and then does something; True if it was killed at that step, False if it came to its end."""
    done = run(_DYING + textwrap.dedent(code), step, half, *words)
    if done.returncode not in (0, 9):
        pytest.fail(done.stderr)
    return done.returncode == 9


def start(code: str, *words: object) -> subprocess.Popen[str]:
    """Start Python text in a child that says a line when it is ready."""
    command = [sys.executable, "-B", "-c", textwrap.dedent(code), *map(str, words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def send(store: Store, key: str, *, state: State = State.SUBMITTED, take: int = 1, attempt: int = 1, **fields: object) -> None:
    """A journal row, as buying will write it."""
    row: dict[str, object] = {
        "key": key,
        "take": take,
        "attempt": attempt,
        "key_version": 1,
        "state": state,
        "provider": "apiframe",
        "model": "gpt-image-2",
        "project": "fika",
        "asset": "poster",
        "idempotency_key": digest(f"{key}{take}{attempt}"),
        "body": b"{}",
        "reserved": 250_000,
        "intent_at": 1000.0,
    } | fields
    with store.transaction() as db:
        db.execute(f"INSERT INTO jobs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))  # noqa: S608
