"""Tells when something changes that a watch follows. watchdog brings hints; what is told was seen to differ: every followed file's stamp is compared with the
last one, so that our own reading wakes nobody and one save isn't told twice.

Folders are followed one by one, never a tree. Where the system brings no hints (network and virtual disks), or `poll` is asked for, the followed files are
looked at every second. Knows no plan; a burst is many calls, and what to make of them is for `state`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..files import mount_type
from .following import Following

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

INTERVAL = 1.0  # seconds between two looks where nobody brings hints
MOST_WATCHES = 400  # folders; watchdog has a thread for each. What is above it is looked at like a network disk
SLACK = 0.05  # seconds that a file system's clock may be behind ours
# Disks on which the system doesn't tell, or not of everybody's changes.
_DEAF = re.compile(
    r"9p|drvfs|nfs\d*|cifs|smb\d*|smbfs|afs|ceph|lustre|vboxsf|vmhgfs(-fuse)?|virtiofs|fuse(blk|\..+)?|fakeowner|osxfs|grpcfuse"
)
Stamp = tuple[int, int, int, int]
_IGNORED = ("opened", "closed_no_write")


class Seen(NamedTuple):
    """Something changed: these followed paths, or only the repository's own files (`git`); `everything`: nobody knows what."""

    paths: frozenset[str] = frozenset()
    git: bool = False
    everything: bool = False


class Eyes:
    """`tell` is called from a thread of its own, `said` gets a sentence when something can't be followed as it should. `poll`: True always, False never, None
    where it is needed."""

    def __init__(
        self,
        tell: Callable[[Seen], None],
        *,
        poll: bool | None = None,
        interval: float = INTERVAL,
        said: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._tell, self._poll, self._interval, self._said = tell, poll, interval, said
        self._following: Following | None = None
        self._stamps: dict[str, Stamp | None] = {}
        self._lists: dict[str, frozenset[str]] = {}
        self._aliases: dict[str, str] = {}  # where a followed link leads → the name it is followed by
        self._watched: dict[str, tuple[Any, object]] = {}  # folder → watchdog's watch, and which folder that was
        self._polled: frozenset[str] = frozenset()  # folders
        self._observer: Any = None
        self._ear_for_losses: Any = None
        self._hints: queue.SimpleQueue[tuple[str, ...] | None] = queue.SimpleQueue()
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._work, name="eyes", daemon=True)
        self._started = self._closed = False
        self._complained = False

    @property
    def polls(self) -> bool:
        """Whether anything is looked at every second."""
        return bool(self._polled)

    def start(self) -> None:
        """From now on changes are told."""
        self._started = True
        self._thread.start()

    def close(self) -> None:
        """No thread and no file is left open."""
        if self._closed:
            return
        self._closed = True
        self._hints.put(None)
        if self._started:
            self._thread.join()
        with self._lock:
            if self._observer is not None:
                self._observer.stop()
                self._observer.join()
                self._observer = None
                logging.getLogger("watchdog").removeHandler(self._ear_for_losses)

    def set(self, following: Following, since: float | None = None) -> None:
        """What is followed from now on. `since` (seconds since the epoch) is when the files were last read: what is new here and changed after that is told."""
        with self._lock:
            new = following.files - (self._following.files if self._following is not None else frozenset())
            same = following == self._following
            self._following = following
            if not same:
                self._aliases = _aliases(following.files)
                self._stamps = {path: self._stamps[path] if path in self._stamps else _stamp(path) for path in following.files}
                self._lists = {folder: self._lists.get(folder) or self._listed(folder) for folder in following.globs}
            self._arm()
            late = [] if since is None else [path for path in new if _after(self._stamps.get(path), since)]
        if late:
            self._tell(Seen(frozenset(late)))

    # ── watchdog ──

    def _arm(self) -> None:
        """Every folder is followed as the folder that it is now; one that isn't there is waited for in the nearest one that is."""
        assert self._following is not None  # noqa: S101 - `set` was called
        links = map(os.path.dirname, self._aliases)
        wanted = {_there(folder) for folder in (*self._following.above, *self._following.git, *links)}
        mounts = "" if self._poll is not None else _mounts()
        deaf = {folder for folder in wanted if self._poll or (mounts and _is_deaf(mounts, folder))}
        git = self._following.git
        heard = sorted(wanted - deaf, key=lambda folder: (folder not in git, len(folder), folder))
        deaf |= set(heard[MOST_WATCHES:])
        heard = heard[:MOST_WATCHES]
        for folder, (watch, was) in list(self._watched.items()):
            if folder not in heard or was != _which(folder):
                with contextlib.suppress(KeyError, OSError):
                    self._observer.unschedule(watch)
                del self._watched[folder]
        for folder in heard:
            if folder not in self._watched and not self._follow(folder):
                deaf.add(folder)
        before, self._polled = self._polled, frozenset(deaf)
        if self._polled and not before:
            self._hints.put(())  # the thread looks again how long it may sleep

    def _follow(self, folder: str) -> bool:
        if self._observer is None:
            from watchdog.observers import Observer  # 40 ms

            # It says in its log what it has missed; nothing else of that log is for a person.
            self._ear_for_losses = _Losses(self._hints.put)
            logging.getLogger("watchdog").addHandler(self._ear_for_losses)
            logging.getLogger("watchdog").propagate = False
            self._observer = Observer()
            self._observer.start()
        try:
            which = _which(folder)
            self._watched[folder] = self._observer.schedule(_Ear(self._hints.put), folder, recursive=False), which
        except OSError as problem:
            if not self._complained:
                self._complained = True
                self._said(
                    f"{folder} can't be followed ({problem.strerror or problem}): it is looked at every {self._interval:g} s\n"
                    "  hint: on Linux `sysctl fs.inotify.max_user_watches` and `max_user_instances` say how much may be followed"
                )
            return False
        return True

    # ── what differs ──

    def _work(self) -> None:
        due = time.monotonic() + self._interval
        while not self._closed:
            wait = max(0.0, due - time.monotonic()) if self._polled else None
            try:
                hint = self._hints.get(timeout=wait)
            except queue.Empty:
                hint = ()
            if hint is None:
                return
            paths = set(hint)
            with contextlib.suppress(queue.Empty):
                while (more := self._hints.get_nowait()) is not None:
                    paths.update(more)
                if more is None:
                    return
            if self._polled and time.monotonic() >= due:
                self._look_around()
                due = time.monotonic() + self._interval
            if paths:
                self._heard(paths)

    def _heard(self, paths: Iterable[str]) -> None:
        found, git, everything, folders = set[str](), False, False, False
        with self._lock:
            following = self._following
            if following is None:
                return
            for each in paths:
                if each == "":
                    everything = True
                    continue
                path = self._aliases.get(each, each)
                if following.of_git(path):
                    git = True
                elif path in following.files:
                    if self._differs(path):
                        found.add(path)
                elif path in following.above:
                    folders = True
                elif following.concerns(path):
                    folder = os.path.dirname(path)
                    if self._other_list(folder) or os.path.exists(path):
                        found.add(path)
            if folders or everything:
                self._arm()
                found |= {path for path in following.files if self._differs(path)}
                found |= {folder for folder in following.globs if self._other_list(folder)}
            if any(path in self._aliases.values() for path in found):
                self._aliases = _aliases(following.files)
                self._arm()
        if found or everything:
            self._tell(Seen(frozenset(found), everything=everything))
        elif git:
            self._tell(Seen(git=True))

    def _look_around(self) -> None:
        """Where no hints come from."""
        with self._lock:
            following = self._following
            if following is None:
                return
            polled = self._polled
            files = [
                path
                for path in following.files
                if polled and (_there(os.path.dirname(path)) in polled or path in self._aliases.values())
            ]
            found = {path for path in files if self._differs(path)}
            found |= {folder for folder in following.globs if _there(folder) in polled and self._other_list(folder)}
            git = [folder for folder in following.git if folder in polled]
            moved = [folder for folder in git if self._other_list(folder, times=True)]
            if found:
                self._aliases = _aliases(following.files)
        if found:
            self._tell(Seen(frozenset(found)))
        elif moved:
            self._tell(Seen(git=True))

    def _differs(self, path: str) -> bool:
        now = _stamp(path)
        if now == self._stamps.get(path):
            return False
        self._stamps[path] = now
        return True

    def _other_list(self, folder: str, *, times: bool = False) -> bool:
        now = self._listed(folder, times=times)
        before = self._lists.get(folder)
        self._lists[folder] = now
        return before is not None and now != before

    def _listed(self, folder: str, *, times: bool = False) -> frozenset[str]:
        ours = self._following.ours if self._following is not None else frozenset()
        try:
            with os.scandir(folder) as entries:
                return frozenset(
                    f"{entry.name}{entry.stat(follow_symlinks=False).st_mtime_ns if times else ''}"
                    for entry in entries
                    if entry.path not in ours
                )
        except OSError:
            return frozenset()


class _Ear:
    """watchdog's handler: passes on the paths of what isn't merely reading."""

    def __init__(self, put: Callable[[tuple[str, ...]], None]) -> None:
        self._put = put

    def dispatch(self, event: FileSystemEvent) -> None:
        """One event, in watchdog's thread."""
        if event.event_type in _IGNORED or (event.is_directory and event.event_type == "modified"):
            return  # a folder is modified when something in it is, which is told by itself
        self._put(tuple(os.fsdecode(path) for path in (event.src_path, event.dest_path) if path))


class _Losses(logging.Handler):
    """Hears that the system's queue was full: then everything may have changed."""

    def __init__(self, put: Callable[[tuple[str, ...]], None]) -> None:
        super().__init__(logging.WARNING)
        self._put = put

    def emit(self, record: logging.LogRecord) -> None:
        """One line of watchdog's log."""
        if "overflow" in record.getMessage():
            self._put(("",))


def _aliases(files: Iterable[str]) -> dict[str, str]:
    """Where links lead, with the names that they are followed by."""
    return {real: path for path in files if (real := os.path.realpath(path)) != path}


def _there(folder: str) -> str:
    """The folder, or the nearest above that is there."""
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _which(folder: str) -> object:
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _after(found: Stamp | None, since: float) -> bool:
    return found is not None and max(found[1], found[2]) >= (since - SLACK) * 1e9


def _mounts() -> str:
    """What is mounted where, on Linux; "" elsewhere."""
    try:
        return Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def _is_deaf(mounts: str, folder: str) -> bool:
    return _DEAF.fullmatch(mount_type(mounts, os.path.realpath(folder))) is not None


def _stamp(path: str) -> tuple[int, int, int, int] | None:
    """Changes when the file does, also by `touch -r` and a copy that keeps times; None while there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
