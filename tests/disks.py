"""Disks that refuse: read-only ones and full ones. Real mounts where this process may mount, permissions where root wouldn't obey them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def _mounted(*arguments: str | Path) -> bool:
    return not subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False).returncode


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in the folder can be written. Root obeys no permissions, so for root it is a mount. Skipped only for a root that may not mount, which has
    no way at all to make a folder read-only; anybody else runs it.
    """
    if not ROOT:
        modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")] if not path.is_symlink()}
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
        try:
            yield
        finally:
            for path, mode in modes.items():
                path.chmod(mode)
        return
    if not _mounted("--bind", folder, folder):
        pytest.skip("root that may not mount (a container): neither permissions nor a mount make a folder read-only")
    try:
        assert _mounted("-o", "remount,bind,ro", folder)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def small(folder: Path, size: str) -> Iterator[None]:
    """The folder is a disk of its own, of this size (`64k`). Who may not mount has the tests that limit the size of a file, or let a
    write fail, instead."""
    if not ROOT or not _mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder):
        pytest.skip("a small disk has to be mounted, which needs root; the tests beside this one refuse bytes without it")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def remount(folder: Path, options: str) -> None:
    """Change a disk that `small` made: `size=64m`, `ro`."""
    assert _mounted("-o", f"remount,{options}", folder)
