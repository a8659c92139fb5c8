"""The real command on a terminal of so many columns, without colours: what it wrote there, control sequences and all."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from assetbuild.testing.space import TestSpace

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(space: TestSpace, *args: str, columns: int = 80, cwd: Path | None = None) -> str:
    """Everything that the command wrote, its talk too. Asserts that it ended well."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = space.env({"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"})
    command = [sys.executable, "-m", "assetbuild", *args]
    with subprocess.Popen(command, cwd=cwd or space.root, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        written = b""
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:  # Linux' way to say that the other side is closed
                break
            if not some:
                break
            written += some
    os.close(ours)
    text = written.decode().replace("\r\n", "\n")
    assert child.returncode in (0, 5), text
    return text


def lines_of(text: str) -> list[str]:
    """The lines, without control sequences."""
    return CONTROL.sub("", text).replace("\r", "").splitlines()
