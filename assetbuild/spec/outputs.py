"""The rules of ids and outputs: which are allowed, and that no two are the same file on any disk. Knows paths as text; it looks
at no disk."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Collection

FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}
LONGEST = 200  # characters of an id
LONGEST_NAME = 240  # bytes of a file name

_PLAIN_ID = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*(?:/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)*").fullmatch
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*(?:/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)*").fullmatch


def fold(name: str) -> str:
    """What two names have in common that are one file on a disk that knows no case, or stores NFD."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def id_fault(id: str) -> str | None:
    """What is wrong with an id, None if nothing."""
    if len(id) <= LONGEST and _PLAIN_ID(id):
        return None
    if not id:
        return "an id can't be empty"
    if len(id) > LONGEST:
        return f"an id has at most {LONGEST} characters; this one has {len(id)}"
    shown_id = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in id)
    for char in id:
        if not (char.isalnum() or char in "._-@/" or unicodedata.category(char)[0] == "M"):
            shown = f"`{char}`" if char.isprintable() and not char.isspace() else f"U+{ord(char):04X}"
            return f"the id `{shown_id}` holds {shown if char != ' ' else 'a space'}"
    for segment in id.split("/"):
        if not segment:
            return f"the id `{id}` has an empty part at a `/`"
        if segment[0] == ".":
            return f"the id `{id}` has a part that starts with `.`"
    return None


def plain_output(path: str) -> bool:
    """Whether a path is an output that no rule has anything against."""
    return bool(_PLAIN_PATH(path)) and output_fault(path) is None


ID_HINT = "an id has letters and digits of any script, `.`, `_`, `-`, `@` and single `/`"


def tidy(path: str) -> str:
    """An output path, NFC, without `.` and inner `..`."""
    if _PLAIN_PATH(path):
        return path
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    return posixpath.normpath(path) if path else path


def output_fault(path: str, formats: Collection[str] = FORMATS, what: str = "output") -> tuple[str, str] | None:
    """What is wrong with a tidy path of an output (or of another `what` with other endings), and the way out; None if nothing."""
    if _PLAIN_PATH(path) and "./" not in path:
        pass
    elif path[:1] == "/" or re.match(r"[A-Za-z]:", path):
        return f"the {what} `{path}` is an absolute path", "write it relative to the spec"
    elif path.split("/", 1)[0] == "..":
        return f"the {what} `{path}` lies outside the project", "write it below the folder of the spec"
    elif "\\" in path:
        return f"the {what} `{path}` holds a backslash", "write folders with `/`"
    elif not path.isprintable():
        return f"the {what} holds an invisible character", "write it again"
    elif path.split("/", 1)[0] in (".git", ".assetbuild"):
        return f"the {what} `{path}` lies in a folder that isn't yours", "choose another folder"
    elif any(part[-1:] in " ." or part[:1] == " " for part in path.split("/")):
        return (
            f"the {what} `{path}` has a part that begins or ends with a space, or ends with a dot",
            "such names can't be kept on every disk",
        )
    if any(len(part.encode()) > LONGEST_NAME for part in path.split("/")):
        return f"the {what}'s name is longer than 240 bytes", f"choose a shorter id or {'output' if what == 'output' else 'path'}"
    ending = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
    if ending not in formats:
        kind = "picture format of ours" if "png" in formats else f"form of a {what}"
        text = f"`.{ending}` is no {kind}" if ending else f"the {what} `{path}` has no ending"
        names = [f"`.{each}`" for each in formats]
        return text, f"end it with {', '.join(names[:-1])} or {names[-1]}"
    return None
