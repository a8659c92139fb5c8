"""The file for code: every picture and what ships of it, as JSON or as a module, with what a page needs to show it well. Text from records; knows no disk, no
spec and no project.

Every entry has the same fields, so that code needs no question before it reads one; what isn't known is null. Entries are sorted by id, exports by name: an
asset that is moved in the spec changes nothing, and two branches that add assets rarely meet in one line. Members of a set keep their order. `path` is
where a file is, seen from the manifest's folder; `src` and `sources` are URLs (escaped, with `base` before them).

The object of a module is JSON too (one key aside, see `_JS_PROTO`), so that `known` reads both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from .pictures.likeness import Traits, same_ratio

MANIFEST_VERSION = 1
ENDINGS = ("json", "ts", "mts", "js", "mjs")
MEDIA = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ico": "image/x-icon",
    "pdf": "application/pdf",
}  # by the ending of a path
SHOWN = ("image/avif", "image/webp", "image/jpeg", "image/png", "image/gif")  # by a browser, that of fewest bytes first
FALLBACK = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif")  # that of most browsers first

# Invisible in an editor, or a line's end in JavaScript before 2019: a reviewer sees all that is in the file.
_ODD = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]")
_URL_SAFE = "/@~+="  # beside letters, digits and `-._`: the ends of a srcset's parts are spaces and commas
_JSON_PROTO, _JS_PROTO = '"__proto__":', '["__proto__"]:'  # in JavaScript the first would set the prototype, not a field
_HEADER = f"// Made by assetbuild: what is changed here is lost. @generated (manifest version {MANIFEST_VERSION})\n/* eslint-disable */\n"
_START = "export const assets = "
_DIGEST = re.compile(r"sha256-([0-9a-f]{64})").fullmatch
_COLOR = re.compile(r"#[0-9a-f]{6}").fullmatch
_THUMB = re.compile(r"[A-Za-z0-9+/]{7,40}={0,2}").fullmatch
_MOST = 1 << 24  # pixels of a side that are believed


class File(NamedTuple):
    """A file that code may use. `path` is relative to the project with `/`; `width` and `height` in pixels, None for what has none; `digest` is the sha256 of
    its bytes, hex; `media` its type (`MEDIA`).
    """

    path: str
    width: int | None
    height: int | None
    bytes: int
    digest: str
    media: str


class Exported(NamedTuple):
    """An export. Those of one `group` show the same in several sizes and formats: a srcset is made of them. `traits` if it was looked at; else the
    picture's are taken where its sides have the same ratio.
    """

    name: str
    file: File
    group: str | None = None
    traits: Traits | None = None


class Picture(NamedTuple):
    """An output with its exports. `traits` None: it has no pixels, or nobody knows how it looks."""

    file: File
    traits: Traits | None = None
    exports: tuple[Exported, ...] = ()


class Entry(NamedTuple):
    """An asset. `pictures` by member, in their order; one that isn't a set has one, of member ""."""

    id: str
    pictures: Mapping[str, Picture]
    tags: tuple[str, ...] = ()
    axes: Mapping[str, str] = {}
    description: str | None = None


def rendered(entries: Iterable[Entry], path: str, base: str = "") -> bytes:
    """The manifest that lies at `path` (relative to the project with `/`; its ending, one of `ENDINGS`, says which kind): UTF-8, LF, the same for the same
    records in whatever order they come. `base` goes before each URL. Raises ValueError for another ending.
    """
    ending = _ending(path)
    folder = path.split("/")[:-1]
    assets = {entry.id: _entry(entry, folder, base) for entry in sorted(entries, key=lambda entry: entry.id)}
    if ending == "json":
        return (_json({"version": MANIFEST_VERSION, "assets": assets}) + "\n").encode()
    literal = _json(assets).replace(_JSON_PROTO, _JS_PROTO)  # a quote within a text is escaped, so this is a key
    if ending in ("js", "mjs"):
        return f"{_HEADER}\n// prettier-ignore\n{_START}{literal};\n\nexport default assets;\n".encode()
    return f"{_HEADER}\n{_TYPES}\n// prettier-ignore\n{_START}{literal} {_TYPED}".encode()


def known(text: bytes, path: str) -> dict[str, Traits]:
    """How files look by their digest, as a manifest at `path` says; {} for one that isn't ours, of another version or damaged. Never raises.

    With it a clone without masters keeps its entries, and what hasn't changed isn't looked at again. `hash` isn't in a manifest.
    """
    try:
        assets = _assets(text.decode(), path)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, Traits] = {}
    for asset in _records(assets):
        for picture in _records(asset["members"]) if isinstance(asset.get("members"), dict) else [asset]:
            for file in (*_records(picture.get("exports")), picture):
                if (look := _traits(file)) is not None:
                    found[look[0]] = look[1]
    return found


def media(path: str) -> str:
    """The type of a file by its ending."""
    return MEDIA.get(path.rpartition(".")[2].lower(), "application/octet-stream")


# ── from records to JSON values ──


def _entry(entry: Entry, folder: list[str], base: str) -> dict[str, Any]:
    about = {"tags": list(entry.tags), "axes": dict(entry.axes), "description": entry.description}
    if "" in entry.pictures:
        return {**_picture(entry.pictures[""], folder, base), **about}
    return {"members": {member: _picture(one, folder, base) for member, one in entry.pictures.items()}, **about}


def _picture(picture: Picture, folder: list[str], base: str) -> dict[str, Any]:
    exports = sorted(picture.exports, key=lambda one: one.name)
    looks = {one.name: _look(one, picture) for one in exports}
    groups: dict[str, list[Exported]] = {}
    for one in exports:
        if one.group is not None:
            groups.setdefault(one.group, []).append(one)
    sets = {group: _sources(groups[group], looks, folder, base) for group in sorted(groups)}
    return {
        **_file(picture.file, picture.traits, folder),
        "exports": {one.name: _file(one.file, looks[one.name], folder) for one in exports},
        "srcset": {group: found for group, found in sets.items() if found is not None},
    }


def _look(one: Exported, picture: Picture) -> Traits | None:
    if one.traits is not None or picture.traits is None or one.file.width is None or one.file.height is None:
        return one.traits
    whole = picture.traits.width, picture.traits.height
    return picture.traits if same_ratio((one.file.width, one.file.height), whole) else None


def _file(file: File, look: Traits | None, folder: list[str]) -> dict[str, Any]:
    return {
        "path": _relative(file.path, folder),
        "width": file.width,
        "height": file.height,
        "bytes": file.bytes,
        "digest": f"sha256-{file.digest}",
        "media": file.media,
        "color": None if look is None else look.color,
        "thumbhash": None if look is None else look.thumbhash,
    }


def _sources(group: list[Exported], looks: Mapping[str, Traits | None], folder: list[str], base: str) -> dict[str, Any] | None:
    """What a `<picture>` is written from; None when no browser shows any of it. `src` is the middle size of the type that most browsers show, of two middle
    ones the smaller: of 1x and 2x that is 1x.
    """
    by_type: dict[str, dict[int, Exported]] = {}
    for one in sorted(group, key=lambda one: one.file.path):
        if one.file.media in SHOWN and one.file.width is not None:
            by_type.setdefault(one.file.media, {}).setdefault(one.file.width, one)
    if not by_type:
        return None
    sizes = by_type[next(kind for kind in FALLBACK if kind in by_type)]
    plain = sizes[sorted(sizes)[(len(sizes) - 1) // 2]]
    look = looks[plain.name]
    return {
        "src": _url(plain.file, folder, base),
        "width": plain.file.width,
        "height": plain.file.height,
        "color": None if look is None else look.color,
        "thumbhash": None if look is None else look.thumbhash,
        "sources": {
            kind: ", ".join(f"{_url(one.file, folder, base)} {width}w" for width, one in sorted(by_type[kind].items()))
            for kind in SHOWN
            if kind in by_type
        },
    }


def _url(file: File, folder: list[str], base: str) -> str:
    return base + quote(_relative(file.path, folder).encode("utf-8", "surrogatepass"), safe=_URL_SAFE)


def _relative(path: str, folder: list[str]) -> str:
    """The path seen from a folder."""
    parts = path.split("/")
    same = 0
    while same < min(len(folder), len(parts) - 1) and folder[same] == parts[same]:
        same += 1
    return "/".join([".."] * (len(folder) - same) + parts[same:])


def _json(value: object) -> str:
    return _ODD.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def _ending(path: str) -> str:
    ending = path.rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise ValueError(f"a manifest ends with one of {', '.join(ENDINGS)}: {path}")
    return ending


# ── and back ──


def _assets(text: str, path: str) -> object:
    """The assets of a manifest's text. Raises ValueError when it isn't ours."""
    if _ending(path) == "json":
        whole = json.loads(text)
        if not isinstance(whole, dict) or whole.get("version") != MANIFEST_VERSION:
            raise ValueError("version")
        return whole.get("assets")
    text = text.replace("\r\n", "\n")
    if not text.startswith(_HEADER):
        raise ValueError("header")
    start = text.index("\n" + _START) + 1 + len(_START)
    found: object = json.JSONDecoder().raw_decode(text[start:].replace(_JS_PROTO, _JSON_PROTO))[0]
    return found


def _records(value: object) -> list[dict[str, Any]]:
    return [one for one in value.values() if isinstance(one, dict)] if isinstance(value, dict) else []


def _traits(file: dict[str, Any]) -> tuple[str, Traits] | None:
    digest, width, height, color, thumb = (file.get(name) for name in ("digest", "width", "height", "color", "thumbhash"))
    if type(digest) is not str or (named := _DIGEST(digest)) is None or type(thumb) is not str or not _THUMB(thumb):
        return None
    if type(width) is not int or type(height) is not int or not (0 < width < _MOST and 0 < height < _MOST):
        return None
    if color is not None and (type(color) is not str or not _COLOR(color)):
        return None
    return named[1], Traits(width, height, color, thumb)


_TYPES = """\
/** A file; `path` is seen from this file's folder. What isn't known is null. */
export interface AssetFile {
  readonly path: string;
  /** Pixels. */
  readonly width: number | null;
  /** Pixels. */
  readonly height: number | null;
  readonly bytes: number;
  /** `sha256-` and 64 hex digits. */
  readonly digest: string;
  /** Such as `image/webp`. */
  readonly media: string;
  /** Its dominant colour, `#rrggbb`. */
  readonly color: string | null;
  /** A placeholder, base64: https://evanw.github.io/thumbhash/ */
  readonly thumbhash: string | null;
}

/** What a `<picture>` needs: `sources` are srcsets by media type, best first; `src` is for `<img>`, `width` and `height` are its pixels. */
export interface AssetSources {
  readonly src: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly color: string | null;
  readonly thumbhash: string | null;
  readonly sources: { readonly [media: string]: string };
}

/** A picture with what ships of it. */
export interface AssetPicture extends AssetFile {
  readonly exports: { readonly [name: string]: AssetFile };
  readonly srcset: { readonly [group: string]: AssetSources };
}

export interface AssetAbout {
  readonly tags: readonly string[];
  readonly axes: { readonly [axis: string]: string };
  readonly description: string | null;
}

export interface AssetSingle extends AssetPicture, AssetAbout {
  readonly members?: undefined;
}

export interface AssetSet extends AssetAbout {
  readonly members: { readonly [member: string]: AssetPicture };
}

export type Asset = AssetSingle | AssetSet;
"""
_TYPED = """\
as const satisfies { readonly [id: string]: Asset };

export type AssetId = keyof typeof assets;

/** Ids of assets that are one picture. */
export type PictureId = { [Id in AssetId]: (typeof assets)[Id] extends AssetPicture ? Id : never }[AssetId];

/** Ids of sets, whose pictures are `members`. */
export type SetId = Exclude<AssetId, PictureId>;

export default assets;
"""
