"""What files say of themselves: read from a bounded part of them, without an error, whatever they are."""

from __future__ import annotations

import io
import os
import random
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from assetbuild.pictures.carried import PACKET_MOST, Carried, carried
from assetbuild.pictures.marking import KINDS, NEWSCODES, Mark, into_png, packet
from assetbuild.pictures.reading import Origins, origins

from .test_pictures_marking import picture

RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{}</rdf:RDF></x:xmpmeta>'
)
MANIFEST = (
    b"\0\0\0\x40jumb\0\0\0\x1ejumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"
    + b"\x78\x46"
    + (NEWSCODES + "trainedAlgorithmicMedia").encode()
    + b"fsoft"
)  # CBOR's next letters follow without a gap
BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def with_manifest(kind: str) -> bytes:
    """A picture with something in it that lies where a manifest lies (and is none)."""
    data = picture(kind)
    if kind == "PNG":
        return data[:33] + chunk(b"caBX", MANIFEST) + data[33:]
    if kind == "JPEG":
        half = len(MANIFEST) // 2
        parts = [
            b"JP\0\1" + struct.pack(">I", 1) + MANIFEST[:half],
            b"JP\0\1" + struct.pack(">I", 2) + MANIFEST[:8] + MANIFEST[half:],
        ]
        return data[:2] + b"".join(b"\xff\xeb" + struct.pack(">H", len(p) + 2) + p for p in parts) + data[2:]
    if kind == "WEBP":
        whole = data[8:] + b"C2PA" + struct.pack("<I", len(MANIFEST)) + MANIFEST + b"\0" * (len(MANIFEST) % 2)
        return b"RIFF" + struct.pack("<I", len(whole)) + whole
    if kind == "AVIF":
        size = struct.unpack(">I", data[:4])[0]
        return data[:size] + struct.pack(">I", 24 + len(MANIFEST)) + b"uuid" + BOX + MANIFEST + data[size:]
    return picture("TIFF", tiffinfo={52545: MANIFEST})


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_manifest_is_seen_wherever_it_lies(kind: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(with_manifest(kind))
    for source in (with_manifest(kind), tmp_path / "x"):
        said = origins(source, check=False)
        assert (said.media, said.manifest, said.claimed, said.says) == (
            kind.lower(),
            True,
            "trainedAlgorithmicMedia",
            "trainedAlgorithmicMedia",
        )
        assert (said.kind, said.state, said.whole) == (None, None, True)
    assert origins(picture(kind), check=False) == Origins(kind.lower())


def test_a_manifest_attached_to_a_pdf() -> None:
    body = b"%PDF-1.7\n1 0 obj <</AFRelationship /C2PA_Manifest>> endobj\n" + packet(Mark("algorithmicMedia", "a")) + b"\n%%EOF"
    said = origins(body, check=False)
    assert (said.media, said.manifest, said.kind, said.asset) == ("pdf", True, "algorithmicMedia", "a")


def test_jumbf_of_another_kind_is_no_manifest() -> None:
    data = picture("JPEG")
    part = b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x1ejumdjson\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03360\0"
    assert not origins(data[:2] + b"\xff\xeb" + struct.pack(">H", len(part) + 2) + part + data[2:]).manifest


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (f'<rdf:Description i:DigitalSourceType="{NEWSCODES}digitalCapture"/>', "digitalCapture"),
        (f'<rdf:Description><i:DigitalSourceType rdf:resource="{NEWSCODES}print"/></rdf:Description>', "print"),
        (
            f"<rdf:Description><i:DigitalSourceType> {NEWSCODES.replace('http', 'https')}composite\n</i:DigitalSourceType></rdf:Description>",
            "composite",
        ),
        ("<rdf:Description><i:DigitalSourceType>digsrctype:humanEdits</i:DigitalSourceType></rdf:Description>", "humanEdits"),
        ("<rdf:Description/><rdf:Description i:DigitalSourceType='made  of\ncheese'/>", "made of cheese"),
        ("<rdf:Description i:DigitalSourceType=''/>", None),
    ],
)
def test_the_ways_others_write_it(body: str, kind: str | None) -> None:
    assert origins(RDF.format(body).encode()).kind == kind
    assert origins(RDF.format(body).encode("utf-16")).kind is None  # no media type of its own: only UTF-8 is looked for
    data = picture("JPEG", xmp=RDF.format(body).encode("utf-16"))
    assert origins(data).kind == kind


def test_an_author_written_plainly() -> None:
    said = origins(RDF.format('<rdf:Description dc:rights="© A"><dc:creator>A</dc:creator></rdf:Description>').encode())
    assert (said.creator, said.rights) == (("A",), "© A")


def test_anothers_id_isnt_an_asset_of_ours() -> None:
    said = origins(RDF.format('<rdf:Description xmp:CreatorTool="Adobe Photoshop" dc:identifier="stock-17"/>').encode())
    assert (said.tool, said.asset, said.draft) == ("Adobe Photoshop", None, False)


def test_a_strangers_words_cant_paint_the_terminal() -> None:
    said = origins(
        RDF.format(
            f'<rdf:Description xmp:CreatorTool="\u202eabc {"x" * 5000}"><dc:title>a&#10;b\u009b31m</dc:title></rdf:Description>'
        ).encode()
    )
    assert said.tool is not None
    assert len(said.tool) == 200
    assert said.tool.startswith("abc")
    assert said.title == "a b 31m"


def test_entities_that_grow_arent_expanded() -> None:
    bomb = (
        '<!DOCTYPE x [<!ENTITY a "'
        + "a" * 1000
        + '">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 20}">' for n in range(8))
    )
    text = RDF.format('<rdf:Description xmp:CreatorTool="&i;"/>')
    started = time.perf_counter()
    said = origins(picture("JPEG", xmp=(bomb + "]>" + text).encode()[:60000]))
    assert said == Origins("jpeg")
    assert time.perf_counter() - started < 1
    deep = "<a>" * 100_000 + "</a>" * 100_000
    assert origins(into_png(picture(), RDF.format(deep).encode())).media == "png"


def test_a_compressed_packet_that_grows_is_cut() -> None:
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 300_000_000, 9)
    data = picture()
    found = carried(data[:33] + chunk(b"iTXt", text) + data[33:]).packet
    assert 0 < len(found) <= PACKET_MOST
    small = b"XML:com.adobe.xmp\0\1\0en\0keyword\0" + zlib.compress(packet(Mark("composite")))
    assert origins(data[:33] + chunk(b"iTXt", small) + data[33:]).kind == "composite"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_cut_anywhere_and_gnawed_at(kind: str) -> None:
    """Never an error; the native library judges them too, where it is installed."""
    whole = with_manifest(kind)
    chance = random.Random(kind)  # noqa: S311 - the same each time
    for cut in range(0, min(len(whole), 1200), 3):
        assert isinstance(origins(whole[:cut], check=cut % 30 == 0), Origins)
    for _ in range(400):
        hurt = bytearray(whole)
        for _ in range(chance.randint(1, 12)):
            hurt[chance.randrange(min(len(hurt), 900))] = chance.randrange(256)
        assert isinstance(origins(bytes(hurt), check=False), Origins)
    assert not origins(picture("PNG")[:60], check=False).whole


def test_a_million_chunks_and_a_giant() -> None:
    started = time.perf_counter()
    said = origins(picture()[:33] + chunk(b"teSt", b"") * 1_000_000, check=False)
    assert (said.media, said.whole) == ("png", False)
    assert not origins(b"\xff\xd8" + b"\xff\xe2\0\2" * 1_000_000, check=False).whole
    assert not origins(b"II*\0\x08\0\0\0\xff\xff", check=False).whole
    assert not origins(b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" + b"\xff" * 8, check=False).whole
    assert not origins(b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x01free" + b"\0" * 8, check=False).whole
    assert time.perf_counter() - started < 5


def test_of_a_huge_file_little_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.pdf"
    with open(huge, "wb") as out:
        out.write(b"%PDF-1.7\n")
        out.truncate(3 << 30)
        out.seek(0, io.SEEK_END)
        out.write(packet(Mark("trainedAlgorithmicMedia", "at-the-end")))
    started = time.perf_counter()
    assert origins(huge, check=False).asset == "at-the-end"
    assert time.perf_counter() - started < 2


def test_what_is_no_picture(tmp_path: Path) -> None:
    assert origins(b"") == Origins()
    assert origins(b"hello") == Origins()
    assert origins(tmp_path / "nothing") == Origins(whole=False)
    assert origins(tmp_path) == Origins(whole=False)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert origins(tmp_path / "pipe") == Origins(whole=False)
        assert carried(tmp_path / "pipe") == Carried(whole=False)


def test_words_of_the_vocabulary_that_begin_alike() -> None:
    """In a manifest no end stands behind them: the longest is meant."""
    for kind in KINDS:
        body = picture()[:33] + chunk(b"caBX", (NEWSCODES + kind).encode() + b"\x6bdescription") + picture()[33:]
        assert origins(body, check=False).claimed == kind


def test_an_animated_webp_and_an_icon() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], xmp=packet(Mark("composite", "film")))
    assert origins(out.getvalue()).asset == "film"
    assert origins(picture("ICO")) == Origins()
