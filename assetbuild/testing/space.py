"""A whole project in a temp dir, driven through the real command line: write files, run, count bills, read a line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent.parent

# Ends the process like a kill -9 at the N-th call of one function (`CRASH_AT=os.replace:3`), or counts calls (`COUNT_CALLS`, into `COUNT_FILE`).
# Loaded by the child's Python at its start; the product knows nothing of it.
_CRASH = """
import os

def _find(name):
    import importlib
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            holder = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:-1]:
            holder = getattr(holder, part)
        return holder, parts[-1]
    raise LookupError(name)

def _wrap(name, before):
    holder, function = _find(name)
    real = getattr(holder, function)
    def wrapped(*args, **kwargs):
        before()
        return real(*args, **kwargs)
    setattr(holder, function, wrapped)

_spec = os.environ.get("CRASH_AT")
if _spec:
    _name, _, _count = _spec.rpartition(":")
    _left = [int(_count)]
    def _crash():
        _left[0] -= 1
        if _left[0] == 0:
            os._exit(137)
    _wrap(_name, _crash)
_names = os.environ.get("COUNT_CALLS")
if _names:
    import atexit
    _seen = {}
    def _counter(name):
        def count():
            _seen[name] = _seen.get(name, 0) + 1
        return count
    for _name in _names.split(","):
        _wrap(_name, _counter(_name))
    _open = open
    def _tell():
        with _open(os.environ["COUNT_FILE"], "w") as file:
            file.writelines(f"{n}={c}\\n" for n, c in _seen.items())
    atexit.register(_tell)
"""


class Ran(NamedTuple):
    """What a command did: its exit code, its data and its talk."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams."""
        return self.out + self.err

    @property
    def json(self) -> Any:  # noqa: ANN401 - a JSON value
        """The data."""
        return json.loads(self.out)


class TestSpace:
    """A project at `root`. `counting` is the test provider's name in specs; its calls are in `bills`."""

    __test__ = False  # not a test class of pytest's

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "project"
        self.root.mkdir(parents=True, exist_ok=True)
        self.home = folder / "home"
        self.home.mkdir(exist_ok=True)
        self.bills_file = folder / "bills"
        self._site = folder / "site"
        info = self._site / "counting-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[assetbuild.providers]\ncounting = assetbuild.testing.counting\n")
        (self._site / "sitecustomize.py").write_text(_CRASH)

    # ── files ──

    def write(self, path: str, content: str | bytes) -> Path:
        """A file of the project, with its folders."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def read(self, path: str) -> bytes:
        """The bytes of a file of the project."""
        return (self.root / path).read_bytes()

    def files(self) -> dict[str, bytes]:
        """Every file of the project but git's and our own."""
        return {
            str(p.relative_to(self.root)): p.read_bytes()
            for p in sorted(self.root.rglob("*"))
            if p.is_file() and not {".git", ".assetbuild"} & set(p.relative_to(self.root).parts)
        }

    def lock(self) -> dict[str, Any]:
        """The lockfile's lines by id."""
        rows = [json.loads(line) for line in (self.root / "assets.lock").read_text("utf-8").splitlines()]
        return {row["id"]: row for row in rows if "id" in row}

    # ── money ──

    @property
    def bills(self) -> list[dict[str, Any]]:
        """What the counting provider was called for, in order."""
        if not self.bills_file.exists():
            return []
        return [json.loads(line) for line in self.bills_file.read_text("utf-8").splitlines()]

    # ── commands ──

    def env(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a child: an empty home, nothing of the caller's but PATH."""
        kept = {
            k: v
            for k, v in os.environ.items()
            if k in ("PATH", "SYSTEMROOT", "TMPDIR", "LANG", "LC_ALL", "COVERAGE_PROCESS_START")
        }
        return {
            **kept,
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join((str(self._site), str(PACKAGE))),
            "COUNTING_BILLS": str(self.bills_file),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "COLUMNS": "100",
            **(extra or {}),
        }

    def start(self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> subprocess.Popen[str]:
        """The command in a process of its own, not waited for."""
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "assetbuild", *args],
            cwd=cwd or self.root,
            env=self.env(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 120) -> Ran:
        """The command, to its end."""
        child = self.start(*args, env=env, cwd=cwd)
        try:
            out, err = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            raise AssertionError(f"`{' '.join(args)}` took longer than {timeout} s\n{out}\n{err}") from None
        return Ran(child.returncode, out, err)

    def build(self, *args: str, code: int = 0, env: Mapping[str, str] | None = None) -> Ran:
        """`build`, which must end with this exit code."""
        ran = self.run("build", *args, env=env)
        assert ran.code == code, f"exit {ran.code}, not {code}\n{ran.text}"  # noqa: S101 - this is for tests
        return ran

    def plan(self, *args: str) -> dict[str, Any]:
        """`plan --json`, by id."""
        ran = self.run("plan", "--json", *args)
        assert ran.code in (0, 3), ran.text  # noqa: S101
        return {a["id"]: a for a in ran.json["assets"]}

    def git(self, *args: str, cwd: Path | None = None) -> str:
        """A git command in the project."""
        done = subprocess.run(  # noqa: S603
            ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", *args],  # noqa: S607
            cwd=cwd or self.root,
            env=self.env(),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def clone(self, name: str) -> TestSpace:
        """A fresh clone of the project beside it, with a store of its own and the same bills."""
        other = TestSpace(self.folder / name)
        other.root.rmdir()
        self.git("clone", "-q", str(self.root), str(other.root))
        other.bills_file = self.bills_file
        return other
