"""`init --from DIR`: a folder of pictures gets a spec that names each, as it is. Makes, buys and touches no picture.

Every asset is pinned, and its lock line says that the picture was made by hand: `build` has nothing to do, and nothing that
is written into the spec afterwards changes that, until somebody takes the `pin` away.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import UsageError
from ..files import lfs_oid
from ..project import Env, Project
from ..spec.outputs import FORMATS, LONGEST, fold, id_fault, output_fault
from .choosing import use
from .starting import SPEC_NAME, refuse_second, write_spec

PLACEHOLDER = "(nobody has written down yet what this picture shows)"
_USUAL = [
    Fraction(w, h) for w, h in ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (4, 5), (5, 4), (9, 16), (16, 9), (21, 9), (1, 2), (2, 1))
]
_ALIKE = Fraction(1, 100)  # a ratio this near a usual one is meant as that
_LONGEST_TEXT = 2000
_OTHER = frozenset("gif svg tif tiff bmp avif heic psd ai eps pdf ico jxl".split())  # noqa: SIM905 - reads better
_SKIPPED = ("node_modules", "__pycache__")


class Found(NamedTuple):
    """A picture that is taken over. `path` is relative to the project; `text` is what the file says about itself."""

    path: str
    width: int
    height: int
    text: str = ""


class Survey(NamedTuple):
    """What lies in a folder. `left` are files that aren't taken over: path → why."""

    pictures: tuple[Found, ...]
    left: dict[str, str]


def survey(root: Path, folder: Path) -> Survey:
    """Looks at every file below `folder`, which lies in the project `root`. Raises UsageError when it doesn't, or has no
    picture.
    """
    root, folder = Path(os.path.realpath(root)), Path(os.path.realpath(folder))
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}",
            hint="`assetbuild init --from pictures` takes over the pictures in the folder `pictures`",
        )
    if root != folder and root not in folder.parents:
        raise UsageError(
            f"{folder} isn't inside {root}",
            hint="run `assetbuild init` in a folder that holds it: a spec and its pictures lie in one project",
        )
    pictures: list[Found] = []
    left: dict[str, str] = {}
    names: dict[str, str] = {}
    for file in _files(folder):
        path = file.relative_to(root).as_posix()
        ending = file.suffix[1:].lower()
        if ending in _OTHER:
            left[path] = f"{ending} files aren't made here"
        elif ending in FORMATS:
            found = _look(root, file, path)
            twin = names.setdefault(fold(path), path)
            if isinstance(found, str):
                left[path] = found
            elif twin != path:
                left[path] = f"on other machines it is the same file as {twin}"
            else:
                pictures.append(found)
    if not pictures:
        raise UsageError(
            f"there is no picture to take over in {folder}",
            hint="png, jpg and webp files are; `assetbuild init` alone begins with an example",
        )
    return Survey(tuple(pictures), left)


def _files(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[:1] != "." and name not in _SKIPPED)
        for name in sorted(files):
            if name[:1] != ".":
                yield Path(here, name)


def _look(root: Path, file: Path, path: str) -> Found | str:
    """A picture, or why it can't be taken over."""
    from PIL import Image  # 40 ms

    if file.is_symlink():
        return "it is a link"
    if unicodedata.normalize("NFC", path) != path:
        return "its name is written in a way (NFD) that not every disk keeps; rename it"
    fault = output_fault(path)
    if fault is not None:
        return fault[0]
    if not file.is_file():
        return "it is no file"  # a pipe would be waited for
    try:
        with open(file, "rb") as opened:
            if lfs_oid(opened.read(1024)) is not None:
                return "it is a Git LFS pointer; `git lfs pull` fetches the picture"
        with Image.open(file) as picture:
            width, height = picture.size
            text = _text(picture.info, picture.getexif().get(0x010E))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "it can't be opened as a picture"
    return Found(path, width, height, text)


def _text(info: dict[str | tuple[int, int], object], exif: object) -> str:
    """What a picture says of itself: a description, or the prompt that a generator left in it."""
    for value in (info.get("Description"), info.get("parameters"), exif, info.get("Title"), info.get("Comment")):
        if isinstance(value, str):
            with contextlib.suppress(
                UnicodeError
            ):  # Exif is ASCII by its standard and UTF-8 by habit; Pillow reads it as Latin-1
                value = value.encode("latin-1").decode("utf-8")  # noqa: PLW2901
            lines = [" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in value.splitlines()]
            text = "\n".join(lines).strip()
            if 0 < len(text) <= _LONGEST_TEXT:
                return text
    return ""


def ids(folder: str, pictures: Sequence[Found]) -> dict[str, str]:
    """Path → id: the path within the folder without its ending, in the characters an id may have; each one once."""
    taken: set[str] = set()
    found: dict[str, str] = {}
    for one in pictures:
        inner = PurePosixPath(one.path).relative_to(folder) if folder else PurePosixPath(one.path)
        name = _plain(inner.with_suffix("").as_posix())
        for other in (
            name,
            _plain(f"{name}-{inner.suffix[1:]}"),
            *(f"{name[: LONGEST - 6]}-{n}" for n in range(2, len(pictures) + 3)),
        ):
            if fold(other) not in taken:
                taken.add(fold(other))
                found[one.path] = other
                break
    return found


def _plain(name: str) -> str:
    parts = []
    for part in name.split("/"):
        kept = "".join(c if c.isalnum() or c in "._-@" or unicodedata.category(c)[0] == "M" else "-" for c in part)
        parts.append(re.sub(r"-{2,}", "-", kept).strip(".-") or "picture")
    plain = "/".join(parts)[:LONGEST].rstrip("/.-")
    return plain if id_fault(plain) is None else "picture"


def spec_text(project: str, folder: str, pictures: Sequence[Found]) -> str:
    """The spec: one pinned asset a picture. `folder` is relative to the project, "" for all of it."""
    named = ids(folder, pictures)
    usual = Counter(PurePosixPath(one.path).suffix for one in pictures).most_common(1)[0][0]
    where = (folder + "/" if folder else "").replace("${", "$${")
    lines = [
        "# yaml-language-server: $schema=.assetbuild/assetbuild.schema.json",
        "#",
        f"# The pictures in {folder + '/' if folder else 'this folder'}, taken over as they were. Each is pinned:",
        "# nothing is made, bought or replaced, whatever is written below. Say in the prompts what the pictures",
        "# show. To have one made from its prompt, take its `pin` away: `assetbuild plan` says what would happen.",
        "",
        "version: 1",
        f"project: {_quoted(project)}",
        "",
        "defaults:",
        "  provider: comp",
        f"  output: {_quoted(where + '${id}' + usual)}",
        "",
        "assets:",
    ]
    for one in pictures:
        name = named[one.path]
        lines.append(
            f"  {_quoted(name)}:"
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]*", name) or name.lower() in _WORDS
            else f"  {name}:"
        )
        if one.path != (folder + "/" if folder else "") + name + usual:
            lines.append(f"    output: {_quoted(one.path.replace('${', '$${'))}")
        ratio = _ratio(one)
        if ratio:
            lines.append(f'    aspect_ratio: "{ratio}"')
        lines += ["    pin: true", "    prompt: |"]
        lines += [f"      {line}".rstrip() for line in (one.text or PLACEHOLDER).replace("${", "$${").split("\n")]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


_WORDS = frozenset("y n yes no on off true false null".split())  # noqa: SIM905 - reads better


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _ratio(one: Found) -> str | None:
    exact = Fraction(one.width, one.height)
    near = min(_USUAL, key=lambda usual: abs(usual / exact - 1))
    ratio = near if abs(near / exact - 1) <= _ALIKE else exact
    if not Fraction(1, 8) <= ratio <= 8 or max(ratio.numerator, ratio.denominator) > 99999:  # noqa: PLR2004 - what every model's table can say
        return None
    return f"{ratio.numerator}:{ratio.denominator}"


def adopt(env: Env, root: Path, folder: Path) -> Survey:
    """Takes a folder over: writes the spec, puts the pictures' bytes into the store, and lock lines for them as they are.

    The spec is written first: a kill after it leaves pictures that `build` won't touch ("was there before and isn't ours"),
    and `assetbuild use '*'` goes on. Raises UsageError, SpecError, StoreError.
    """
    refuse_second(root)
    found = survey(root, folder)
    inner = Path(os.path.realpath(folder)).relative_to(os.path.realpath(root)).as_posix()
    write_spec(root, spec_text(root.name, "" if inner == "." else inner, found.pictures))
    project = Project(env, root / SPEC_NAME)
    try:
        use(project, project.graph.order)
    finally:
        project.close()
    return found
