"""What `init` puts into a folder: a spec to begin with, and the lines that git and prettier need. Never changes what is
there, only adds to it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ...errors import UsageError
from ...files import PRIVATE, atomic_write, git_dirs, private_folder

SPEC_NAME = "assets.yaml"
SCHEMA = "assetbuild.schema.json"
ATTRIBUTES = "assets.lock text eol=lf merge=union"


def refuse_second(root: Path) -> None:
    """Raises UsageError if there is a spec in this folder."""
    if (root / SPEC_NAME).exists():
        raise UsageError(
            f"{SPEC_NAME} is here already, and is left as it is",
            hint="`assetbuild` says what its state is; to begin another project, name another folder: `assetbuild init FOLDER`",
        )


def first_spec(name: str) -> str:
    """The text of the spec to begin with, for a project of this name."""
    template = (Path(__file__).parent / SPEC_NAME).read_text("utf-8")
    return template.replace("project: PROJECT", f"project: {json.dumps(name, ensure_ascii=False)}")


def write_spec(root: Path, text: str) -> None:
    """Puts the spec there, if there is none yet. Raises UsageError, StoreError."""
    root.mkdir(parents=True, exist_ok=True)
    refuse_second(root)
    atomic_write(root / SPEC_NAME, text.encode(), durable=True)


def write_around(root: Path) -> list[str]:
    """The lines that belong beside a spec; gives the names of the files that got one.

    `.gitattributes` keeps the lockfile's line ends and joins two branches' lines; prettier leaves it alone. `.assetbuild`
    ignores itself; `.gitignore` gets a line only where it would hide the lockfile.
    """
    done = []
    if add_line(root / ".gitattributes", ATTRIBUTES):
        done.append(".gitattributes")
    if add_line(root / ".prettierignore", "assets.lock"):
        done.append(".prettierignore")
    if hidden(root, "assets.lock") and add_line(root / ".gitignore", "!assets.lock"):
        done.append(".gitignore")
    write_schema(root)
    return done


def add_line(path: Path, line: str) -> bool:
    """Appends a line, in the line ends of the file, unless it has it. What is there keeps its bytes. False if it was there.
    Raises OSError.
    """
    old = path.read_bytes() if path.exists() else b""
    wanted = line.encode().split()
    if any(there.split() == wanted for there in old.removeprefix(b"\xef\xbb\xbf").splitlines()):
        return False
    end = b"\r\n" if b"\r\n" in old else b"\n"
    with open(path, "ab") as file:
        file.write((end if old and not old.endswith((b"\n", b"\r")) else b"") + line.encode() + end)
    return True


def hidden(root: Path, name: str) -> bool:
    """Whether git would ignore this file of the project (also by the user's own rules elsewhere)."""
    if git_dirs(root) is None:
        return False
    try:
        call = ["git", "-C", str(root), "check-ignore", "-q", "--no-index", name]
        asked = subprocess.run(call, capture_output=True, check=False, timeout=20)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return False
    return asked.returncode == 0


def unioned(lock: Path) -> bool:
    """Whether git joins the lines of two branches in this lockfile by itself; also True where git can't be asked."""
    try:
        call = ["git", "-C", str(lock.parent), "check-attr", "merge", "--", lock.name]
        asked = subprocess.run(call, capture_output=True, check=False, timeout=20)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return True
    return asked.returncode != 0 or asked.stdout.rstrip().endswith(b": union")


def schema_text(name: str) -> str | None:
    """A schema of ours by name (`plan`), None if there is none."""
    file = schemas().get(name)
    return None if file is None else file.read_text("utf-8")


def schemas() -> dict[str, Path]:
    """All schemas, by name."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "schemas", package.parent / "schemas"):  # in a wheel, in a checkout
        found = {file.name.removesuffix(".schema.json"): file for file in sorted(folder.glob("*.schema.json"))}
        if found:
            return found
    return {}


def write_schema(root: Path) -> bool:
    """The spec's schema where the first line of a spec names it, for the editor. False if it was there as it is."""
    text = schema_text("assetbuild")
    target = root / PRIVATE / SCHEMA
    if text is None or (target.exists() and target.read_text("utf-8", "replace") == text):
        return False
    private_folder(root)
    atomic_write(target, text.encode(), durable=False)
    return True
