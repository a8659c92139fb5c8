"""The README's promises, on a machine where nothing of us is: `python -m tests.docs_check`. Needs the package registry.

Takes both set-up commands out of the README, runs the first word for word in a fresh clone with an empty home, and looks at the pictures it
promises; checks that `.ci/run` runs the second word for word.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def set_up_commands() -> list[str]:
    """The commands of the README's section on set-up; exactly two."""
    text = (ROOT / "README.md").read_text("utf-8")
    section = text.split("\n## Set up\n", 1)[1].split("\n## ", 1)[0]
    commands = [block.strip() for block in re.findall(r"```sh\n(.*?)```", section, re.S)]
    if len(commands) != 2 or any("\n" in c for c in commands):
        raise SystemExit(f"the README's set-up must be two commands of one line, not {commands}")
    return commands


def main() -> int:
    """0 when every promise holds."""
    first, second = set_up_commands()
    if second not in (ROOT / ".ci" / "run").read_text("utf-8").splitlines():
        print("`.ci/run` doesn't run the README's test command word for word")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        clone, home = Path(folder) / "clone", Path(folder) / "home"
        home.mkdir()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ASSETBUILD_", "VIRTUAL_ENV", "PYTHON"))}
        done = subprocess.run(
            ["bash", "-c", first], cwd=clone, env={**env, "HOME": str(home)}, capture_output=True, text=True, check=False
        )
        print(done.stdout[-2000:], done.stderr[-3000:], sep="\n")
        if done.returncode != 0:
            print(f"the README's first command ended with {done.returncode}")
            return 1
        pictures = sorted((clone / "examples" / "fika" / "art").rglob("*.png"))
        last = done.stdout.strip().splitlines()[-1]
        if len(pictures) < 15 or "examples/fika/art" not in last:
            print(f"{len(pictures)} pictures, and the last line is {last!r}")
            return 1
        for picture in pictures:
            if picture.read_bytes()[:8] != b"\x89PNG\r\n\x1a\n":
                print(f"{picture} isn't a PNG")
                return 1
    print(f"docs: both set-up commands hold, {len(pictures)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
