"""The files of a spec: the root, what it includes, and how any file of the user's becomes text. Knows encodings, folders and
include cycles; what the files say is for others.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from typing import Any, NamedTuple

from ..errors import Place
from . import shape
from .gaps import ALL, HOLE
from .marks import Map, Mark
from .model import Reader
from .phrases import named
from .problems import Problems
from .scalars import Value
from .shape import Path
from .traps import read_yaml

INCLUDES = 50  # levels of files that include files


class Document(NamedTuple):
    """One spec file that could be read. `folder` is what its paths are relative to ("" = the project root)."""

    path: str
    folder: str
    root: Map
    main: bool

    def part(self, name: str) -> Map:
        """A mapping below the root, empty when it isn't there."""
        found = self.root.get(name)
        if isinstance(found, Map):
            return found
        empty = Map()
        empty.at = []
        return empty


class Files:
    """Reads files for one run and remembers each that was asked for, found or not; so that "nothing changed" can be known
    later."""

    def __init__(self, reader: Reader, problems: Problems) -> None:
        self.reader, self.problems = reader, problems
        self.asked: dict[str, None] = {}
        self.folders: dict[str, None] = {}
        self._texts: dict[str, str | None] = {}

    def text(self, path: str, mark: Mark | None, what: str, *, length: int = 0) -> str | None:
        """A file's text as UTF-8 without BOM, None after a problem. `what` names the file in a problem ("prompt file"), which
        stands at `mark`."""
        if path in self._texts:
            found = self._texts[path]
            if found is None and mark is not None:  # told at each place that names it
                self._read(path, mark, what, length)
            return found
        self.asked[path] = None
        found = self._texts[path] = self._read(path, mark, what, length)
        if found is not None:
            self.problems.texts.setdefault(path, found)
        return found

    def _read(self, path: str, mark: Mark | None, what: str, length: int) -> str | None:
        try:
            return self._decode(path, self.reader.read(path))
        except FileNotFoundError:
            sentence, hint = f"the {what} `{path}` isn't there", "a path is relative to the file it is written in"
            if mark is None:
                hint = "`assetbuild init` writes one"
            else:
                sentence += self._near(path)
                hint = self._from_root(path, mark) or hint
                sentence, hint = no_file(path, what) or (sentence, hint)
        except IsADirectoryError:
            sentence, hint = (
                f"`{path}` is a folder, not {'an' if what[0] in 'aeiou' else 'a'} {what}",
                f"name a file, or a pattern like `{path.rstrip('/')}/*.yaml`",
            )
        except PermissionError:
            sentence, hint = f"the {what} `{path}` may not be read", "look at its permissions"
        except ValueError:
            sentence = f"the {what} `{path}` lies outside the project and its git work tree"
            hint = "copy it into the project; links that lead outside count as outside"
        except OverflowError:
            sentence, hint = f"the {what} `{path}` is larger than 64 MiB", "split it into several files, or name the right file"
        except OSError as e:
            sentence, hint = (
                f"the {what} `{path}` can't be read: {(e.strerror or 'input/output error').lower()}",
                "try again, or look at the disk",
            )
        if mark is None:
            self.problems.add(Place(path), sentence, hint)
        else:
            self.problems.at(mark, sentence, hint, length=length, kind=f"no {what}" if self.problems.row is not None else "")
        return None

    def _from_root(self, path: str, mark: Mark) -> str:
        """The way out when a path was written as if the file that names it lay in the root."""
        folder = posixpath.dirname(mark.name)
        meant = posixpath.relpath(path, folder) if folder else path
        try:
            there = meant != path and self.reader.exists(meant)
        except ValueError:
            return ""
        return f"a path is relative to `{mark.name}`: write `{posixpath.relpath(meant, folder)}`" if there else ""

    def _near(self, path: str) -> str:
        """`; did you mean …?` for a file in the same folder with nearly the same name, or with another ending."""
        folder = posixpath.dirname(path)
        try:
            beside = self.reader.glob(posixpath.join(folder, "*"))[0] if not any(c in folder for c in "*?[") else []
        except ValueError:
            return ""
        stems = {posixpath.splitext(posixpath.basename(each))[0]: each for each in beside}
        near = self.problems.near(posixpath.splitext(posixpath.basename(path))[0], stems)
        return f"; did you mean `{stems[near.split('`')[1]]}`?" if near else ""

    def _decode(self, path: str, content: bytes) -> str | None:
        """Bytes as text; a problem for what is no UTF-8 text."""
        if content[:3] == b"\xef\xbb\xbf":
            content = content[3:]
        table = posixpath.splitext(path)[1].lower() in (".csv", ".tsv")
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:4] == b"\0\0\xfe\xff"
        if wide or (content.count(b"\0", 0, 400) * 3 > len(content[:400]) and b"\0" in content):
            bits = 32 if content[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") or b"\0\0\0" in content[:12] else 16
            hint = "save it as `CSV UTF-8` in Excel" if table else "save it as UTF-8 in your editor"
            self.problems.add(Place(path), f"`{path}` is UTF-{bits}, not UTF-8", hint)
            return None
        zero = content.find(b"\0")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as e:
            self.problems.texts.setdefault(path, content.decode("utf-8", "replace"))
            place = self.problems.within(path, len(content[: e.start].decode("utf-8")))
            hint = "save it as `CSV UTF-8` in Excel" if table else "save the file as UTF-8 in your editor"
            self.problems.at(place, f"the byte 0x{content[e.start]:02X} is no UTF-8", hint, length=1)
            return None
        if zero >= 0:
            self.problems.texts.setdefault(path, text.replace("\0", "␀"))
            place = self.problems.within(path, text.index("\0"))
            self.problems.at(
                place, f"`{path}` holds a NUL byte, so it is no text", "name a text file, or delete the NUL", length=1
            )
            return None
        return text


def no_file(path: str, what: str) -> tuple[str, str] | None:
    """Why a path that leads to nothing never will, and the way out; None when it is just not there."""
    found = re.match(r"(https?|ftp|file|data):/*", path)
    if found:
        return f"the {what} `{found[1]}://{path[found.end() :]}` is an address, not a file", "download it into the project"
    if "*" in path or "?" in path:
        return f"`{path}` is a pattern; it names no single {what}", "name one file"
    return None


def plain_text(text: str) -> str:
    """NFC, LF, without white space at the ends of lines and of the text."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if " \n" in text or "\t\n" in text:
        text = re.sub(r"[ \t]+\n", "\n", text)
    return text.rstrip()


def joined(folder: str, path: str) -> str:
    """A path written in a file of `folder`, relative to the project root, NFC and without `.` and inner `..`. May start with
    `../`."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    return posixpath.normpath(posixpath.join(folder, path))


def documents(path: str, files: Files) -> list[Document]:
    """The root and all that it includes, each once: the root first, then depth first in the order written. Problems go to
    `files.problems`."""
    found: list[Document] = []
    root = _document(path, None, files, main=True)
    if root is None:
        return found
    found.append(root)
    state: dict[str, bool] = {path: True}  # True: still being read
    stack = [(root, iter(_included(root, files)))]
    while stack:
        document, rest = stack[-1]
        step = next(rest, None)
        if step is None:
            state[document.path] = False
            stack.pop()
            continue
        name, mark, length = step
        if state.get(name):
            names = [d.path for d, _ in stack]
            loop = [*names[names.index(name) :], name]
            files.problems.at(
                mark, "includes run in a circle: " + " → ".join(f"`{each}`" for each in loop), "remove one of them", length=length
            )
        elif name not in state:
            if len(stack) > INCLUDES:
                files.problems.gaps.unsure = True
                files.problems.at(mark, "includes are nested more than 50 deep", "include files side by side", length=length)
                continue
            state[name] = True
            inner = _document(name, mark, files, main=False, length=length)
            if inner is None:
                state[name] = False
                files.problems.gaps.unsure = True
            else:
                found.append(inner)
                stack.append((inner, iter(_included(inner, files))))
    return found


def _document(path: str, mark: Mark | None, files: Files, *, main: bool, length: int = 0) -> Document | None:
    """One spec file, its parts but for the assets checked for their shape."""
    text = files.text(path, mark, "spec" if main else "included file", length=length)
    if text is None:
        return None
    problems = files.problems
    parsed = read_yaml(text, path, problems)
    if parsed is None:
        return None
    if parsed.mark is None or (parsed.value is None and not text.strip("\n -")):
        problems.add(
            Place(path, 1, 1) if text else Place(path),
            f"`{path}` is empty",
            "start with `version: 1` and `assets:`; `assetbuild init` writes an example",
        )
        return None
    if not isinstance(parsed.value, Map):
        kind = "a list" if isinstance(parsed.value, list) else "a single text" if parsed.value is not None else "nothing"
        problems.at(
            parsed.mark,
            f"`{path}` holds {kind}; a spec is a mapping",
            "start with `version: 1` and `assets:`, each `name: value` with a space after the colon",
        )
        return None
    root: Map = parsed.value
    name = "spec" if main else "include"
    for field, place in problems.gaps.mend(root, parsed, text):
        _tell_stray(name, field, place, problems)
    frame: dict[str, Any] = {key: value for key, value in root.items() if key not in ("assets", "overrides")}
    for part in ("assets", "overrides"):
        if part in root:
            frame[part] = {} if isinstance(root[part], dict) else root[part]
    if not shape.accepts(name, frame):
        for culprit in tell_faults(name, frame, root, parsed.mark, problems):
            if culprit:
                inside = root.get(str(culprit[0]))
                if culprit[0] not in shape.schema()["$defs"][name]["properties"] and isinstance(inside, Map):
                    for each in inside:  # maybe `assets` under another name
                        problems.gaps.lose(each)
                problems.gaps.leave_out_of_spec(root, culprit)
        for part in frame:  # what has a wrong shape even so is left out as a whole
            parted = isinstance(root.get(part), Map) and part in ("assets", "overrides", "profiles", "providers")
            if part in root and not parted and not shape.accepts(name, {"version": 1, part: root[part]}):
                problems.gaps.leave_out_of_spec(root, (part,))
    return Document(path, posixpath.dirname(path), root, main)


def _tell_stray(name: str, field: Path, mark: Mark, problems: Problems) -> None:
    """Says that nothing has a field of this name, though its value was left out already."""
    forms = {"assets": "asset", "overrides": "override", "profiles": "profile", "providers": "service"}
    form = {**forms, "defaults": "defaults", "budget": "budget"}.get(str(field[0]), name)
    form, called = (form, str(field[1])) if field[2:] else (form if field[1:] else name, None)
    key = str(field[-1])
    for fault in shape.explain(form, {key: "x", "version": 1} if form in ("spec", "include") else {key: "x"}, called=called):
        if fault.path == (key,) and fault.on == "key" and fault.text.startswith("unknown"):
            problems.at(mark, fault.text, fault.hint, length=len(key))


def tell_faults(
    name: str, value: object, origin: Value, mark: Mark, problems: Problems, *, resolved: bool = False, called: str | None = None
) -> list[Path]:
    """Says what is wrong with a value's shape, at the places of `origin`, the value as the file has it; gives the paths of what is
    wrong. `called` is the user's name of it."""
    paths: list[Path] = []
    gaps = problems.gaps.of(origin) if isinstance(origin, Map) else frozenset()
    for fault in shape.explain(name, value, resolved=resolved, called=called):
        if not fault.path and gaps & {"prompt", "base", "op", "version", ALL}:
            continue  # it lacks what was left out
        place, length, here = mark, 0, origin
        for index, step in enumerate(fault.path):
            last = index == len(fault.path) - 1
            if isinstance(here, Map) and step in here:
                key = last and fault.on == "key"
                place = here.mark(str(step), "key" if key else "value")
                length = len(str(step)) if key else 0
                here = here[str(step)]
            elif isinstance(here, list) and isinstance(step, int) and step < len(getattr(here, "at", ())):
                place, length, here = here.at[step], 0, here[step]  # type: ignore[attr-defined]
            else:
                break
        if fault.path and here == {} and problems.gaps.of(here):
            continue
        paths.append(fault.path)
        field = shape.meant(name, fault, value)
        if field is not None:
            paths.append(field)
        general = fault.text.replace(f"`{named(called)}`", "") if called else ""
        if resolved:  # one for all rows
            general = " ".join(map(str, ("shape", fault.on, *fault.path)))
        if not problems.told(place, length, general):  # YAML's own traps come first, and say it better
            problems.at(place, fault.text, fault.hint, length=length, kind=general)
    return paths


def _included(document: Document, files: Files) -> list[tuple[str, Mark, int]]:
    """The files that a document includes, in order, patterns resolved."""
    found: list[tuple[str, Mark, int]] = []
    include = document.root.get("include")
    for index, each in enumerate(include if isinstance(include, list) else ()):
        if each is HOLE:
            continue
        mark, pattern = include.at[index], joined(document.folder, str(each))  # type: ignore[union-attr]
        if not any(c in pattern for c in "*?["):
            found.append((pattern, mark, 0))
            continue
        names = matching(pattern, files, mark)
        if names == []:
            files.problems.at(mark, f"no file matches `{pattern}`", "a path is relative to the file it is written in")
        files.problems.gaps.unsure = files.problems.gaps.unsure or not names
        found += [(name, mark, 0) for name in names or () if name != document.path]
    return found


def matching(pattern: str, files: Files, mark: Mark) -> list[str] | None:
    """The files that match a pattern, sorted; None after a problem."""
    try:
        names, folders = files.reader.glob(pattern)
    except ValueError:
        files.problems.at(mark, f"`{pattern}` leads outside the project and its git work tree", "copy the files into the project")
        return None
    files.folders.update(dict.fromkeys(folders))
    return names
