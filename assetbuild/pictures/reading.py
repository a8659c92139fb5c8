"""What a file says of where it is from: in its XMP, and whether it has a C2PA manifest. A hostile or broken file says less, and is never an error. Knows
no asset and no store, nor where in a file its words lie (`carried`); only `signing` can say whether a signature holds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

from .carried import carried
from .marking import KINDS, OURS, TOOL, as_kind

TEXT_MOST = 200  # characters of anything that is shown

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP, _DC = "{http://ns.adobe.com/xap/1.0/}", "{http://purl.org/dc/elements/1.1/}"
_IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
_CLAIMED = re.compile(rb"digitalsourcetype/(" + b"|".join(k.encode() for k in sorted(KINDS, key=len, reverse=True)) + b")")

State = Literal["valid", "trusted", "expired", "invalid"]


class Origins(NamedTuple):
    """What a file says of itself. Nothing of it is proof, but `state`.

    `media` and `whole` as in `Carried`. From its XMP: `kind` (IPTC's word, or the text as it stands there), `tool`, `title`, `creator` and `rights` (its
    authors and copyright notice, whole), and, if we wrote it, `asset` and `draft`. `manifest`: a C2PA manifest is there; `claimed`: the kind that is named
    in it. `state`: whether its signature holds ("trusted": and its certificate is on a trust list; "expired": but its certificate has run out; None:
    nobody could check); `generator` and `signer`: who made and who signed it, by its own word unless it is trusted.
    """

    media: str = ""
    kind: str | None = None
    tool: str | None = None
    title: str | None = None
    asset: str | None = None
    draft: bool = False
    creator: tuple[str, ...] = ()
    rights: str = ""
    manifest: bool = False
    claimed: str | None = None
    state: State | None = None
    generator: str | None = None
    signer: str | None = None
    whole: bool = True

    @property
    def says(self) -> str | None:
        """The kind, from its XMP or else from its manifest."""
        return self.kind or self.claimed


def origins(source: Path | bytes, *, check: bool = True) -> Origins:
    """What a file says of itself. `check`: also whether its signature holds, if the extra `c2pa` is installed. Never raises."""
    file = carried(source)
    claimed = _CLAIMED.search(file.manifest)
    found = Origins(
        file.media,
        manifest=file.signed,
        claimed=claimed[1].decode() if claimed else None,
        whole=file.whole,
        **_told(file.packet)._asdict(),
    )
    if not (file.signed and check):
        return found
    from .signing import verdict  # c2pa: 60 ms

    told = verdict(source, file.media)
    if told is None:
        return found
    kind = as_kind(told.kind) or found.claimed
    return found._replace(state=told.state, generator=_clean(told.generator), signer=_clean(told.signer), claimed=kind)


class _Told(NamedTuple):
    """What a packet says."""

    kind: str | None = None
    tool: str | None = None
    title: str | None = None
    asset: str | None = None
    draft: bool = False
    creator: tuple[str, ...] = ()
    rights: str = ""


def _told(packet: bytes) -> _Told:
    text = packet.decode("utf-16" if packet[:2] in (b"\xfe\xff", b"\xff\xfe") else "utf-8", "replace").strip("\ufeff\0 \r\n\t")
    if not text or "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        return _Told()  # no packet declares a document type; whoever does wants entities that grow
    from xml.etree import ElementTree  # 15 ms

    try:
        tree = ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities
    except (ElementTree.ParseError, ValueError):
        return _Told()
    values: dict[str, str] = {}
    creator: tuple[str, ...] = ()
    for part in tree.iter(_RDF + "Description"):
        for name, value in part.items():
            values.setdefault(name, value)
        for field in part:
            item = next(field.iter(_RDF + "li"), None)
            text = (item.text if item is not None else field.text) or ""
            if field.tag == _DC + "creator" and not creator:
                creator = tuple(filter(None, (_line(one.text) for one in field.iter(_RDF + "li")))) or tuple(
                    filter(None, [_line(text)])
                )
            values.setdefault(field.tag, text.strip() or field.get(_RDF + "resource", ""))
    kind, tool = values.get(_IPTC + "DigitalSourceType"), _clean(values.get(_XMP + "CreatorTool"))
    ours = tool == TOOL
    return _Told(
        kind=as_kind(kind) or _clean(kind),
        tool=tool,
        title=_clean(values.get(_DC + "title")),
        asset=_clean(values.get(_DC + "identifier")) if ours else None,
        creator=creator,
        rights=_line(values.get(_DC + "rights")),
        draft=values.get(f"{{{OURS}}}Draft") == "True",
    )


def _clean(text: str | None) -> str | None:
    """One short line that a terminal can show: a file's words are a stranger's."""
    line = _line(text)
    return (line if len(line) <= TEXT_MOST else line[: TEXT_MOST - 1] + "…") or None


def _line(text: str | None) -> str:
    """A text in one line, of characters that can be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
