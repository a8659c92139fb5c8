"""What we write into files: the same bytes each time, true, and readable by others."""

from __future__ import annotations

import io
import struct
from xml.etree import ElementTree

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from assetbuild.pictures import marking
from assetbuild.pictures.carried import carried
from assetbuild.pictures.marking import EDITED, KINDS, Mark, Nature, into_png, packet, sidecar, sidecar_path, users, which
from assetbuild.pictures.reading import origins
from assetbuild.pictures.wanted import CantExport

AI = Nature("trainedAlgorithmicMedia")
PART = Nature(EDITED)
COMP = Nature("algorithmicMedia", draft=True)
PHOTO, SILENT = users("digitalCapture"), users(None)


def picture(kind: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((40, 30)).save(out, kind, **how)
    return out.getvalue()


def test_the_packet_of_a_poster() -> None:
    """Golden: a packet that changes makes every export of everybody anew."""
    assert packet(Mark("trainedAlgorithmicMedia", "poster-de", draft=True)).decode() == (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        '    xmlns:xmp="http://ns.adobe.com/xap/1.0/"\n'
        '    xmlns:dc="http://purl.org/dc/elements/1.1/"\n'
        '    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"\n'
        '    xmlns:assetbuild="urn:assetbuild:xmp:1#">\n'
        "   <xmp:CreatorTool>assetbuild</xmp:CreatorTool>\n"
        "   <Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>\n"
        "   <dc:identifier>poster-de</dc:identifier>\n"
        '   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">poster-de</rdf:li></rdf:Alt></dc:title>\n'
        '   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">DRAFT, not for publication</rdf:li></rdf:Alt></dc:description>\n'
        "   <assetbuild:Draft>True</assetbuild:Draft>\n"
        "  </rdf:Description>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    )


def test_nothing_is_claimed_where_nothing_is_known() -> None:
    text = packet(Mark(None, "photo")).decode()
    assert "DigitalSourceType" not in text.replace("xmlns:", "")
    assert "Draft" not in text
    assert "description" not in text
    assert "dc:identifier" not in packet(Mark("algorithmicMedia", draft=True)).decode()


@pytest.mark.parametrize(
    "name",
    [
        "poster",
        "プレス/ポスター",
        "ملصق-عربي",
        "a<b>&\"c'",
        "]]>",
        "a\x00b\x1bc\ud800\uffff",
        "tab\tand\r\nlines",
        "🎈" * 90,
        "-->",
        "<!DOCTYPE x>",
        "&amp;",
    ],
)
@pytest.mark.parametrize("field", ["asset", "title", "description", "tool", "rights"])
def test_any_text_stands_there_as_it_is(name: str, field: str) -> None:
    """XML's own characters are escaped; what XML can't hold becomes U+FFFD, and nothing else of the packet is hurt."""
    xmp = packet(Mark("trainedAlgorithmicMedia", "id", draft=True)._replace(**{field: name}))
    tree = ElementTree.fromstring(xmp)  # noqa: S314 - ours
    wanted = "".join("\ufffd" if c in "\x00\x1b\ud800\uffff" else c for c in name)
    assert any((part.text or "").removeprefix("DRAFT, not for publication: ") == wanted for part in tree.iter())
    said = origins(xmp)
    assert (said.kind, said.draft) == ("trainedAlgorithmicMedia", True)


def test_a_photographers_name_and_rights_go_along() -> None:
    photo = picture(
        "JPEG", xmp=packet(Mark("digitalCapture", creator=("Åsa Öst", "B & B"), rights="© 2026 <Öst>" + "x" * 900, tool="Camera"))
    )
    said = origins(photo)
    assert (said.creator, said.rights) == (("Åsa Öst", "B & B"), "© 2026 <Öst>" + "x" * 900)
    child = origins(packet(Mark(users(said.says).kind, "hero", creator=said.creator, rights=said.rights)))
    assert (child.kind, child.asset, child.creator, child.rights) == ("digitalCapture", "hero", said.creator, said.rights)


def test_one_mark_is_one_packet() -> None:
    mark = Mark("compositeWithTrainedAlgorithmicMedia", "a", title="A", description="B")
    assert packet(mark) == packet(mark)
    assert sidecar(mark) == packet(mark) + b"\n"
    assert sidecar_path("web/poster.webp") == "web/poster.webp.xmp"


@pytest.mark.parametrize(
    ("op", "sources", "drawn", "is_"),
    [
        ("generate", [], False, AI),
        ("generate", [PHOTO], False, AI),  # it looks at a photo, and draws all of it
        ("edit", [AI], False, AI),
        ("edit", [PHOTO], False, PART),
        ("edit", [SILENT], False, PART),
        ("edit", [PART], False, PART),
        ("edit", [COMP], False, PART),
        ("upscale", [AI], False, AI),
        ("upscale", [PHOTO], False, PART),
        ("remove-background", [AI], False, AI),
        ("remove-background", [PHOTO], False, PHOTO),
        ("remove-background", [SILENT], False, SILENT),
        ("compose", [AI], False, PART),
        ("compose", [PHOTO, AI], False, PART),
        ("compose", [SILENT], False, SILENT),
        ("compose", [PHOTO], False, SILENT),  # a photo with a text on it is no capture any more, and nothing else that we know
        ("compose", [COMP], False, COMP),
        ("compose", [AI, COMP], False, Nature(EDITED, draft=True)),
        ("cut", [AI], False, AI),
        ("cut", [COMP], False, COMP),
        ("export", [AI], False, AI),
        ("export", [PART], False, PART),
        ("export", [PHOTO], False, PHOTO),
        ("export", [SILENT], False, SILENT),
        ("export", [users("trainedAlgorithmicMedia")], False, AI),
        ("export", [COMP], False, COMP),
        ("generate", [], True, COMP),
        ("generate", [AI], True, Nature(EDITED, draft=True)),
        ("edit", [COMP], True, COMP),
        ("upscale", [PHOTO], True, COMP),
    ],
)
def test_what_a_picture_is(op: marking.Op, sources: list[Nature], drawn: bool, is_: Nature) -> None:
    """A truth table: AI is never left out, and never claimed of what isn't."""
    assert which(op, sources, drawn=drawn) == is_


def test_a_users_word_is_kept_if_it_is_one() -> None:
    assert users("http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm") == Nature("negativeFilm")
    assert users("https://cv.iptc.org/newscodes/digitalsourcetype/print") == Nature("print")
    assert users("digsrctype:composite") == Nature("composite")
    assert users("something else") == users("") == Nature()
    assert len(KINDS) == 20


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_pillow_puts_it_into_a_file_and_reads_it(kind: str) -> None:
    xmp = packet(Mark("trainedAlgorithmicMedia", "プ&", draft=True))
    data = picture(kind, xmp=xmp)
    assert Image.open(io.BytesIO(data)).info["xmp"] == xmp
    said = origins(data)
    assert (said.media, said.kind, said.tool, said.asset, said.draft) == (
        kind.lower(),
        "trainedAlgorithmicMedia",
        "assetbuild",
        "プ&",
        True,
    )


def test_a_tiff_takes_it_as_a_tag() -> None:
    """Pillow leaves `xmp=` out of a TIFF without a word."""
    xmp = packet(Mark("trainedAlgorithmicMedia", "poster"))
    assert origins(picture("TIFF", xmp=xmp)).kind is None
    data = picture("TIFF", tiffinfo={700: xmp})
    assert origins(data).asset == "poster"
    assert carried(data).packet == xmp


def test_into_a_png_in_front_of_its_pixels() -> None:
    plain = picture()
    marked = into_png(plain, packet(Mark("algorithmicMedia", "a", draft=True)))
    assert origins(marked).draft
    assert Image.open(io.BytesIO(marked)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()
    again = into_png(marked, packet(Mark("trainedAlgorithmicMedia", "b")))
    assert again.count(b"XML:com.adobe.xmp") == 1
    assert (origins(again).asset, origins(again).draft) == ("b", False)
    other = PngInfo()
    other.add_itxt("Comment", "kept")
    assert b"kept" in into_png(picture(pnginfo=other), packet(Mark(None)))


@pytest.mark.parametrize("cut", [0, 5, 20, 60, -1, -12])
def test_half_a_png_isnt_marked(cut: int) -> None:
    with pytest.raises(CantExport, match="mark can be put"):
        into_png(picture()[:cut], packet(Mark(None)))


def test_a_signed_png_isnt_touched() -> None:
    """One more chunk, and its signature is invalid: worse than none."""
    plain = picture()
    signed = plain[:33] + struct.pack(">I", 4) + b"caBXabcd" + b"\0\0\0\0" + plain[33:]
    with pytest.raises(CantExport, match="signed"):
        into_png(signed, packet(Mark(None)))
