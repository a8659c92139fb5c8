"""What a file that we make says of itself: whether a model, a program or a camera made it, for which asset, and that it is a draft. Written as an
XMP packet (ISO 16684-1), the same bytes each time: no date, no chance. Knows no file but the PNG into which it can put a packet.

The words are IPTC's Digital Source Type NewsCodes, http://cv.iptc.org/newscodes/digitalsourcetype/ (as of 2024-09-17, 20 concepts).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape

from .wanted import CantExport

NEWSCODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
OURS = "urn:assetbuild:xmp:1#"  # our own namespace: `Draft`
TOOL = "assetbuild"
DRAFT = "DRAFT, not for publication"  # what a viewer shows as the picture's description

Kind = Literal[
    "digitalCapture",
    "computationalCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
    "minorHumanEdits",
    "humanEdits",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicallyEnhanced",
    "softwareImage",
    "digitalArt",
    "digitalCreation",
    "dataDrivenMedia",
    "trainedAlgorithmicMedia",
    "algorithmicMedia",
    "screenCapture",
    "virtualRecording",
    "composite",
    "compositeCapture",
    "compositeSynthetic",
]
KINDS: dict[
    Kind, str
] = {  # and how IPTC calls them; "minorHumanEdits", "softwareImage" and "digitalArt" are retired, but old files have them
    "digitalCapture": "Digital capture sampled from real life",
    "computationalCapture": "Multi-frame computational capture sampled from real life",
    "negativeFilm": "Digitised from a negative on film",
    "positiveFilm": "Digitised from a positive on film",
    "print": "Digitised from a print on non-transparent medium",
    "minorHumanEdits": "Original media with minor human edits",
    "humanEdits": "Human-edited media",
    "compositeWithTrainedAlgorithmicMedia": "Edited using Generative AI",
    "algorithmicallyEnhanced": "Algorithmically-altered media",
    "softwareImage": "Created by software",
    "digitalArt": "Digital art",
    "digitalCreation": "Digital creation",
    "dataDrivenMedia": "Data-driven media",
    "trainedAlgorithmicMedia": "Created using Generative AI",
    "algorithmicMedia": "Pure algorithmic media",
    "screenCapture": "Screen capture",
    "virtualRecording": "Virtual event recording",
    "composite": "Composite of elements",
    "compositeCapture": "Composite of captured elements",
    "compositeSynthetic": "Composite including generative AI elements",
}
GENERATIVE: frozenset[str] = frozenset({"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic"})
EDITED: Kind = "compositeWithTrainedAlgorithmicMedia"  # what is part a model's and part not

Op = Literal["generate", "edit", "upscale", "remove-background", "compose", "cut", "export"]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_XMP_KEYWORD = b"XML:com.adobe.xmp"  # the iTXt keyword of a PNG's packet (XMP specification part 3, 1.1.5)
_PNG = b"\x89PNG\r\n\x1a\n"


class Nature(NamedTuple):
    """What a picture is: IPTC's word for it (None: nothing is claimed), and whether it is a draft."""

    kind: Kind | None = None
    draft: bool = False


class Mark(NamedTuple):
    """What is written into a file. `kind` None: nothing is claimed of how it came to be. `asset` is the id, of any script; "" for a picture that
    several assets may share. Title and description are what viewers show; without a title it is the asset's id. `creator` and `rights`: the author and the
    copyright notice of a picture of the user's, which go along into what is made from it (`reading.Origins` has them).
    """

    kind: Kind | None
    asset: str = ""
    draft: bool = False
    title: str = ""
    description: str = ""
    tool: str = TOOL
    creator: tuple[str, ...] = ()
    rights: str = ""


def as_kind(text: str | None) -> Kind | None:
    """IPTC's word from what a file says: the URI (also with https), the QCode `digsrctype:…` or the bare word. None for anything else."""
    word = (text or "").strip()
    for start in (NEWSCODES, "https" + NEWSCODES.removeprefix("http"), "digsrctype:"):
        word = word.removeprefix(start)
    return word if word in KINDS else None


def users(kind: str | None) -> Nature:
    """A picture of the user's, by what it says of itself (see `reading.Origins.says`). It is believed, and nothing is claimed where it is silent."""
    return Nature(as_kind(kind))


def which(op: Op, sources: Sequence[Nature] = (), *, drawn: bool = False) -> Nature:
    """What a picture is, by the step that made it and what it was made from.

    `sources`: the base first; of `compose` also every picture that was laid on it, of the other ops nothing else counts (a model that looks at a photo
    still draws all of its picture itself). `drawn`: a layout draft of the provider `comp` instead of a model's picture.
    """
    base = sources[0] if sources else Nature()
    part = any(one.kind in GENERATIVE for one in sources)
    if drawn:
        return Nature(EDITED if part else "algorithmicMedia", draft=True)
    if op == "generate":
        return Nature("trainedAlgorithmicMedia")
    if op in ("edit", "upscale"):  # the model draws in it: of a photo that is more than a photo, of a model's picture nothing new
        return Nature(base.kind if base.kind in GENERATIVE else EDITED)
    if op == "compose":
        draft = any(one.draft for one in sources)
        algorithmic = any(one.kind == "algorithmicMedia" for one in sources)
        return Nature(EDITED if part else "algorithmicMedia" if algorithmic else None, draft)
    return base  # cut out, cut up, resized: it stays what it was


def packet(mark: Mark) -> bytes:
    """The mark as an XMP packet in UTF-8, without padding (nobody edits it in place). What XML can't hold becomes U+FFFD."""
    lines = [
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
        '  <rdf:Description rdf:about=""',
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"',
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"',
        '    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
        f'    xmlns:assetbuild="{OURS}">',
        _simple("xmp:CreatorTool", mark.tool),
        _simple("Iptc4xmpExt:DigitalSourceType", NEWSCODES + mark.kind if mark.kind else ""),
        _simple("dc:identifier", mark.asset),
        _told("dc:title", mark.title or mark.asset),
        _told("dc:description", ": ".join(filter(None, (DRAFT if mark.draft else "", mark.description)))),
        _listed("dc:creator", mark.creator),
        _told("dc:rights", mark.rights),
        _simple("assetbuild:Draft", "True" if mark.draft else ""),
        "  </rdf:Description>",
        " </rdf:RDF>",
        "</x:xmpmeta>",
        '<?xpacket end="r"?>',
    ]
    return "\n".join(filter(None, lines)).encode()


def sidecar(mark: Mark) -> bytes:
    """The mark as a file beside the picture, `poster.webp.xmp`: the packet, and a line's end."""
    return packet(mark) + b"\n"


def sidecar_path(path: str) -> str:
    """Where the sidecar of a file lies: its whole name and `.xmp`, so that poster.webp and poster.png don't share one."""
    return path + ".xmp"


def into_png(data: bytes, xmp: bytes) -> bytes:
    """A PNG with this packet in front of its pixels and without the one it had; not a pixel is touched. For a PNG that wasn't written by our encoder.

    Raises CantExport when it is no whole PNG, or is C2PA-signed: one added chunk turns a valid signature invalid, which is worse than none.
    """
    chunks: list[bytes] = []
    placed, at = False, len(_PNG)
    if not data.startswith(_PNG):
        raise CantExport("this is no PNG, so no mark can be put into it")
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        chunk = data[at : at + 12 + length]
        if name == b"caBX":
            raise CantExport("this PNG is signed, and a mark would make its signature invalid", hint="`provenance: sidecar`")
        if name == b"IDAT" and not placed:
            body = b"iTXt" + _XMP_KEYWORD + b"\0\0\0\0\0" + xmp
            chunks.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
            placed = True
        if not (name == b"iTXt" and chunk[8:].startswith(_XMP_KEYWORD + b"\0")):
            chunks.append(chunk)
        at += 12 + length
        if name == b"IEND" and at <= len(data) and placed:
            return _PNG + b"".join(chunks)
    raise CantExport("this PNG ends before its end, so no mark can be put into it")


def _simple(name: str, value: str) -> str:
    return f"   <{name}>{_text(value)}</{name}>" if value else ""


def _told(name: str, value: str) -> str:
    """A text in a language: "x-default" is the one that viewers show."""
    return f'   <{name}><rdf:Alt><rdf:li xml:lang="x-default">{_text(value)}</rdf:li></rdf:Alt></{name}>' if value else ""


def _listed(name: str, values: Sequence[str]) -> str:
    """Texts whose order says something."""
    items = "".join(f"<rdf:li>{_text(value)}</rdf:li>" for value in values if value)
    return f"   <{name}><rdf:Seq>{items}</rdf:Seq></{name}>" if items else ""


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value), {"\r": "&#13;"})
