"""The fonts that a text can be set in: what is in a font file, and which faces answer to a family, a weight and a style. Project's files come first, then
those that come with the package; the system's never. Knows typst's way of naming faces, and nothing of texts.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont

BUNDLED = "manimgx_fonts"
WIDE = "manimgx_fonts_cjk"  # the extra `[cjk]`
DEFAULT = "Noto Sans"
NEVER_UNASKED = ("Noto Emoji",)
_ENDINGS = {b"\x00\x01\x00\x00": ".ttf", b"true": ".ttf", b"OTTO": ".otf", b"ttcf": ".ttc"}
_MOST_FACES = 64  # of one collection
_FAMILY_NAMES = (16, 1, 21)  # OpenType `name`: typographic family, family, WWS family
_ITALIC = 0b1 | 0b10_0000_0000  # OS/2 fsSelection: italic, oblique


class Face(NamedTuple):
    """One face. `names` are its families as its file says them. `weights`: from, to (of a variable font; else twice the same). `cap`, `ascender`,
    `descender` in em, the last one positive.
    """

    path: Path
    number: int  # in its file
    names: tuple[str, ...]
    weights: tuple[int, int]
    italic: bool
    cap: float
    ascender: float
    descender: float


class Called(NamedTuple):
    """What typst calls a face. `stretch` 1.0 is normal."""

    family: str
    weight: int
    style: str
    stretch: float


def families(source: Path | str | bytes) -> tuple[str, ...]:
    """The families in a font file (ttf, otf, ttc), in order; () if it is none, or a damaged one. Never raises."""
    try:
        found = _faces(source)
    except Exception:  # fontTools raises anything at a damaged file
        return ()
    return tuple(dict.fromkeys(name for face in found for name in face.names))


def _faces(source: Path | str | bytes) -> list[Face]:
    from fontTools.ttLib import TTCollection, TTFont  # 50 ms

    path = Path() if isinstance(source, bytes) else Path(source)
    with io.BytesIO(source) if isinstance(source, bytes) else path.open("rb") as stream:
        begins = stream.read(4)
        stream.seek(0)
        if begins not in _ENDINGS:
            return []
        fonts = TTCollection(stream, lazy=True).fonts[:_MOST_FACES] if begins == b"ttcf" else [TTFont(stream, lazy=True)]
        return [_face(font, path, index) for index, font in enumerate(fonts)]


def _face(font: TTFont, path: Path, index: int) -> Face:
    records = font["name"].names
    names: dict[str, None] = {}
    for number in _FAMILY_NAMES:
        for record in records:
            if record.nameID == number and (name := " ".join(record.toUnicode(errors="replace").split())):
                names[name] = None
    em = font["head"].unitsPerEm
    style = font.get("OS/2", None)
    weight = int(getattr(style, "usWeightClass", 400) or 400)
    low = high = weight * 100 if weight < 10 else weight  # noqa: PLR2004 - old fonts count from 1 to 9
    if "fvar" in font:
        for axis in font["fvar"].axes:
            if axis.axisTag == "wght":
                low, high = round(axis.minValue), round(axis.maxValue)
    tall, deep = font["hhea"].ascent / em, -font["hhea"].descent / em
    if tall <= 0 and style is not None:
        tall, deep = style.sTypoAscender / em, -style.sTypoDescender / em
    cap = (getattr(style, "sCapHeight", 0) or 0) / em
    if not 0.3 < cap < 1.2:  # noqa: PLR2004 - an old font doesn't say it
        cap = min(0.7, tall) if tall > 0 else 0.7
    italic = bool(getattr(style, "fsSelection", 0) & _ITALIC) or bool(font["head"].macStyle & 0b10)
    return Face(path, index, tuple(names), (low, high), italic, cap, max(tall, cap), max(deep, 0.0))


@functools.lru_cache(maxsize=64)
def letters(path: Path, index: int) -> frozenset[int]:
    """The code points that a face has a glyph for."""
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True, fontNumber=index) as font:
        return frozenset(font.getBestCmap() or ())


def has(char: str, face: Face) -> bool:
    """Whether a face can set a character: as it is, or in the parts that it is composed of."""
    import unicodedata

    found = letters(face.path, face.number)
    if ord(char) in found:
        return True
    if unicodedata.category(char) in ("Cf", "Zs", "Zl", "Zp", "Cc") or 0xFE00 <= ord(char) <= 0xFE0F:  # noqa: PLR2004 - variation
        return True  # spaces, line ends, joiners: nothing that is drawn
    if char == "\u2011":
        return 0x2010 in found  # noqa: PLR2004 - a hyphen by another name, as HarfBuzz takes it
    parts = unicodedata.normalize("NFD", char)
    return len(parts) > 1 and all(ord(part) in found for part in parts)


class Shelf:
    """All faces of one request. Owns the folder in which the project's fonts lie under the endings that typst finds them by."""

    def __init__(self, project: Sequence[tuple[str, Path, str]]) -> None:
        """`project`: digest, file in the store, what its owner calls it."""
        self._held = tempfile.TemporaryDirectory(prefix="assetbuild-fonts-") if project else None
        self._book: tuple[bool, Any, dict[tuple[Path, int], Called]] | None = None
        self.unread: list[str] = []
        self.shown: dict[Path, str] = {}
        self._making = threading.Lock()
        self._own = self._lay_out(project)
        self._taken = {name.casefold() for face in self._own for name in face.names}
        bundled = _bundled(BUNDLED)
        self._rest = [face for face in bundled if self._taken.isdisjoint(name.casefold() for name in face.names)]
        self._shadowed = len(self._rest) < len(bundled)
        if self._shadowed and self._held is not None:  # a family of the project's hides ours of that name, from typst too
            for face in self._rest:
                shutil.copyfile(face.path, Path(self._held.name) / face.path.name)
            self._rest = [face._replace(path=Path(self._held.name) / face.path.name) for face in self._rest]

    def _lay_out(self, project: Sequence[tuple[str, Path, str]]) -> list[Face]:
        if self._held is None:
            return []
        found: list[Face] = []
        for number, (_digest, path, shown) in enumerate(project):
            try:
                data = path.read_bytes()
                ending = _ENDINGS.get(data[:4])
                place = Path(self._held.name) / f"{number:03}{ending}"
                if ending is not None:
                    place.write_bytes(data)
                    found += _faces(place)
            except Exception:  # fontTools raises anything at a damaged file
                ending = None
            if ending is None:
                self.unread.append(shown or str(path.name))
            else:
                self.shown[place] = shown
        return found

    def named(self, family: str) -> list[Face]:
        """The faces of a family, whatever its capitals; [] if there is none here."""
        wanted = " ".join(family.split()).casefold()
        for faces in (self._own, self._rest):
            if found := [face for face in faces if any(name.casefold() == wanted for name in face.names)]:
                return found
        if "cjk" in wanted and wanted not in self._taken:
            return [face for face in _bundled(WIDE) if any(name.casefold() == wanted for name in face.names)]
        return []

    def every(self) -> list[str]:
        """The families that can be named, project's first."""
        faces = [*self._own, *self._rest, *_bundled(WIDE)]
        return list(dict.fromkeys(face.names[0] for face in faces if face.names))

    def covering(self, char: str) -> str | None:
        """A family that comes with the package and has this character; never an emoji."""
        for face in self._rest:
            if not face.italic and face.names[0] not in NEVER_UNASKED and has(char, face):
                return face.names[0]
        return None

    def book(self, faces: Sequence[Face]) -> tuple[Any, dict[tuple[Path, int], Called]]:
        """typst's fonts for a set of faces, and what typst calls each face of them. Chinese, Japanese and Korean are with them only when needed."""
        wide = any(face.path.parent == _package(WIDE) for face in faces)
        with self._making:
            if self._book is None or self._book[0] < wide:
                self._book = (wide, *self._bound(wide))
            return self._book[1], self._book[2]

    def _bound(self, wide: bool) -> tuple[Any, dict[tuple[Path, int], Called]]:
        import typst

        package, extra = _package(BUNDLED), _package(WIDE)
        folders = [Path(self._held.name)] if self._held is not None else []
        folders += [package] if package is not None and not self._shadowed else []
        folders += [extra] if wide and extra is not None else []
        book = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder) for folder in folders]
        )
        called = {
            (Path(one.path), one.index): Called(one.family, one.weight, str(one.style), float(one.stretch))
            for one in book.fonts()
            if one.path
        }
        return book, called


@functools.cache
def _package(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found and found.origin else None


@functools.cache
def _bundled(package: str) -> tuple[Face, ...]:
    folder = _package(package)
    if folder is None:
        return ()
    found: list[Face] = []
    for path in sorted(each for each in folder.iterdir() if each.suffix in (".ttf", ".otf", ".ttc")):
        found += _faces(path)
    return tuple(sorted(found, key=lambda face: (DEFAULT not in face.names, face.names, face.italic)))


@functools.lru_cache(maxsize=4)
def shelf(project: tuple[tuple[str, Path, str], ...]) -> Shelf:
    """The shelf with these fonts of a project (digest, file, name); kept, since many pictures share it."""
    return Shelf(project)
