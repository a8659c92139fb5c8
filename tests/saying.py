"""What commands say, held to golden transcripts: `$ assetbuild …`, then its output and talk, with times, sizes and digests
made plain.

ASSETBUILD_UPDATE_GOLDEN=1 rewrites tests/golden/cli; read the diff.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from assetbuild.testing.space import Ran, TestSpace

GOLDEN = Path(__file__).parent / "golden" / "cli"


def plain(text: str, space: TestSpace) -> str:
    """A text without what differs from run to run and machine to machine."""
    for folder, name in ((space.root, "PROJECT"), (space.folder, "TMP")):
        text = text.replace(str(folder), name)
    text = re.sub(r"\b[0-9a-f]{8,64}\b", "<hex>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "<when>", text)
    text = re.sub(r"\d+(\.\d)? (k|M|G)?B\b", "<size>", text)
    text = re.sub(r"\d+\.\d s\b", "<time>", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    # Pictures are made side by side: which is done first is chance.
    return re.sub(
        r"(?:^(?:drawn|bought|restored) .*\n){2,}", lambda m: "".join(sorted(m[0].splitlines(True))), text, flags=re.MULTILINE
    )


class Story:
    """Commands in one project, told one after the other. `check` holds them to `tests/golden/cli/NAME.txt`."""

    def __init__(self, space: TestSpace, name: str) -> None:
        self.space, self.name = space, name
        self.told: list[str] = []

    def run(
        self, *args: str, code: int = 0, env: dict[str, str] | None = None, cwd: Path | None = None, told: bool = True
    ) -> Ran:
        """A command, which must end with this exit code. Its output comes first in the story, then its talk."""
        ran = self.space.run(*args, env=env, cwd=cwd)
        assert ran.code == code, f"`{shlex.join(args)}`: exit {ran.code}, not {code}\n{ran.text}"
        assert "Traceback" not in ran.text, ran.text
        if told:
            end = f"[exit {code}]\n" if code else ""
            self.told.append(plain(f"$ assetbuild {shlex.join(args)}\n{ran.out}{ran.err}{end}", self.space))
        return ran

    def note(self, text: str) -> None:
        """What the user does in between."""
        self.told.append(f"# {text}\n")

    def check(self) -> None:
        """The whole story, against the golden one."""
        text = "\n".join(self.told)
        golden = GOLDEN / f"{self.name}.txt"
        if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text, "utf-8")
        assert text == golden.read_text("utf-8")
