"""Signatures of derived files: made with a certificate thrown away after, judged, and no one asked over the network."""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from assetbuild.pictures import signing
from assetbuild.pictures.marking import Mark, Nature, packet
from assetbuild.pictures.reading import origins
from assetbuild.pictures.signing import CantSign, signed, verdict

from .certifying import write_chain
from .test_pictures_marking import picture

c2pa = pytest.importorskip("c2pa", reason="the extra `c2pa` isn't installed")

URI = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A PNG as a vendor sends it: signed by somebody else."""
    chain, key = write_chain(tmp_path_factory.mktemp("vendor"), "A Vendor")
    made = {
        "claim_generator_info": [{"name": "gpt-image", "version": "2"}],
        "format": "image/png",
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": URI + "trainedAlgorithmicMedia"}]},
            }
        ],
    }
    out = io.BytesIO()
    with (
        c2pa.Signer.from_info(c2pa.C2paSignerInfo("es256", chain.read_bytes(), key.read_bytes(), None)) as signer,
        c2pa.Builder(made, context=signing._offline()) as builder,
    ):
        builder.sign(signer, "image/png", io.BytesIO(picture()), out)
    return out.getvalue()


def manifests(data: bytes, media: str) -> dict[str, Any]:
    """What the library reads, the file's own manifest under "own"."""
    with c2pa.Reader(media, io.BytesIO(data), context=signing._offline()) as reader:
        told = json.loads(reader.json())
    return {"own": told["manifests"][told["active_manifest"]], **told["manifests"]}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_derived_file_names_its_parent(kind: str, vendor: bytes, tmp_path: Path) -> None:
    chain, key = write_chain(tmp_path)
    master = tmp_path / "master.png"
    master.write_bytes(vendor)
    xmp = packet(Mark("trainedAlgorithmicMedia", "poster"))
    plain = picture(kind, **({"tiffinfo": {700: xmp}} if kind == "TIFF" else {"xmp": xmp} if kind != "PNG" else {}))
    media = kind.lower()
    done = signed(
        plain,
        media,
        parent=master,
        certificate=chain,
        key=key,
        actions=["c2pa.resized", "c2pa.converted"],
        nature=Nature("compositeSynthetic"),
        title="web/poster",
    )
    own = manifests(done, signing.MEDIA[media])["own"]
    actions = next(a["data"]["actions"] for a in own["assertions"] if a["label"].startswith("c2pa.actions"))
    assert [a["action"] for a in actions] == ["c2pa.opened", "c2pa.resized", "c2pa.converted"]
    assert not any("digitalSourceType" in a for a in actions), "no model did the resizing"
    of_all = next(a["data"] for a in own["assertions"] if a["label"] == "c2pa.metadata")
    assert of_all["Iptc4xmpExt:DigitalSourceType"] == URI + "compositeSynthetic"
    assert own["title"] == "web/poster"
    (parent,) = own["ingredients"]
    assert parent["relationship"] == "parentOf"
    assert parent["active_manifest"] in manifests(vendor, "image/png")
    said = origins(done)
    assert (said.state, said.signer, said.claimed) == ("valid", "Fika", "compositeSynthetic")
    assert said.generator is not None
    assert said.generator.startswith("assetbuild")
    if kind != "PNG":
        assert said.asset == "poster"
    assert Image.open(io.BytesIO(done)).tobytes() == Image.open(io.BytesIO(plain)).tobytes()
    assert master.read_bytes() == vendor


@pytest.mark.parametrize("algorithm", ["es384", "ps256", "ed25519"])
def test_other_kinds_of_keys(algorithm: str, vendor: bytes, tmp_path: Path) -> None:
    chain, key = write_chain(tmp_path, algorithm=algorithm)
    done = signed(picture("WEBP"), "webp", parent=vendor, certificate=chain, key=key)
    assert origins(done).state == "valid"


def test_a_parent_without_a_signature(tmp_path: Path) -> None:
    chain, key = write_chain(tmp_path)
    done = signed(picture("JPEG"), "jpeg", parent=picture(), certificate=chain, key=key, actions=["c2pa.converted"])
    assert origins(done).state == "valid"


def test_one_byte_or_one_chunk_more_breaks_it(vendor: bytes, tmp_path: Path) -> None:
    assert origins(vendor).state == "valid"
    hurt = bytearray(vendor)
    hurt[-20] ^= 1
    assert origins(bytes(hurt)).state == "invalid"
    text = struct.pack(">I", 3) + b"tEXta\0b" + b"\0\0\0\0"
    assert origins(vendor[:-12] + text + vendor[-12:]).state == "invalid"
    where = vendor.index(b"caBX") + 300
    for cut in (bytes(40), b"\xff" * 40):
        said = origins(vendor[:where] + cut + vendor[where + 40 :])
        assert (said.manifest, said.state) == (True, "invalid")


def test_a_certificate_that_has_run_out_since(tmp_path: Path) -> None:
    """Without a time stamp nobody can say any more when it was signed; that isn't the same as broken."""
    chain, key = write_chain(tmp_path, days=3 / 86400)
    done = signed(picture(), "png", parent=picture(), certificate=chain, key=key, actions=["c2pa.resized"])
    child = signed(picture(), "png", parent=done, certificate=chain, key=key)
    until = time.monotonic() + 20
    while origins(done).state == "valid" and time.monotonic() < until:
        time.sleep(0.2)
    hurt = bytearray(done)
    hurt[-20] ^= 1
    assert [origins(bytes(one)).state for one in (done, child, hurt)] == ["expired", "expired", "invalid"]


def test_nothing_to_judge(vendor: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(picture(), "png") is None
    assert verdict(vendor, "ico") is None
    assert verdict(tmp_path / "nothing.png", "png") is None
    (tmp_path / "large.png").write_bytes(vendor)
    monkeypatch.setattr(signing, "JUDGED_MOST", 100)
    assert verdict(tmp_path / "large.png", "png") is None
    monkeypatch.setattr(signing, "can_sign", lambda: False)
    said = origins(vendor)
    assert (said.manifest, said.state, said.claimed) == (True, None, "trainedAlgorithmicMedia")


def test_messages_of_what_cant_be_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, key = write_chain(tmp_path / "a")
    other_chain, other_key = write_chain(tmp_path / "b")
    old_chain, old_key = write_chain(tmp_path / "old", days=-5)
    odd_chain, odd_key = write_chain(tmp_path / "odd", algorithm="koblitz")
    words = tmp_path / "words.pem"
    words.write_text("hello")
    told = {}
    for name, (media, certificate, secret) in {
        "type": ("ico", chain, key),
        "no certificate": ("png", tmp_path / "none.pem", key),
        "no key": ("png", chain, tmp_path / "none.pem"),
        "words for a certificate": ("png", words, key),
        "words for a key": ("png", chain, words),
        "another's key": ("png", chain, other_key),
        "run out": ("png", old_chain, old_key),
        "odd curve": ("png", odd_chain, odd_key),
    }.items():
        with pytest.raises(CantSign) as caught:
            signed(picture(), media, parent=picture(), certificate=certificate, key=secret)
        told[name] = caught.value.text.replace(str(tmp_path), "TMP")
    assert told["type"] == "a .ico file can't hold a signature"
    assert told["no certificate"] == "can't read the certificate TMP/none.pem: No such file or directory"
    assert told["no key"] == "can't read the key TMP/none.pem: No such file or directory"
    assert told["words for a certificate"] == "TMP/words.pem holds no certificate chain in PEM"
    assert told["words for a key"] == "TMP/words.pem holds no private key in PEM"
    assert told["another's key"] == "the key TMP/b/key.pem isn't that of the first certificate in TMP/a/chain.pem"
    assert "TMP/odd/key.pem" in told["odd curve"]
    assert told["run out"].startswith("can't be signed with TMP/old/chain.pem: ")
    assert "not valid at time of signing" in told["run out"]
    monkeypatch.setattr(signing, "can_sign", lambda: False)
    with pytest.raises(CantSign, match="extra `c2pa`"):
        signed(picture(), "png", parent=picture(), certificate=other_chain, key=other_key)


def test_the_key_is_told_to_nobody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Not in a message, not in what hangs on it, not on stderr, not in the file."""
    chain, key = write_chain(tmp_path)
    secret = "".join(key.read_text().splitlines()[1:-1])
    half = tmp_path / "half.pem"
    half.write_text(key.read_text().replace(secret[20:40], "?" * 20))
    for wrong in (half, key):
        with pytest.raises(CantSign) as caught:
            signed(b"no picture" if wrong is key else picture(), "png", parent=picture(), certificate=chain, key=wrong)
        assert not any(secret[n : n + 12] in caught.value.render() for n in range(0, len(secret) - 12, 12))
    done = signed(picture(), "png", parent=picture(), certificate=chain, key=key)
    assert secret[:16].encode() not in done
    out = capfd.readouterr()
    assert not any(secret[n : n + 12] in out.out + out.err for n in range(0, len(secret) - 12, 12))


def test_a_key_with_a_password_is_said(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    chain, key = write_chain(tmp_path)
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"x")
    key.write_bytes(loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    with pytest.raises(CantSign, match="password"):
        signed(picture(), "png", parent=picture(), certificate=chain, key=key)


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback that writes down who asks, and gives nothing."""
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(2)
                asked.append(peer.recv(200))
                peer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/manifest.c2pa", asked
    server.close()


def test_nobody_is_asked_over_the_network(listener: tuple[str, list[bytes]], tmp_path: Path) -> None:
    """A picture that says its manifest lies at an address: the library would go there by itself, we don't, neither for it nor for its child."""
    address, asked = listener
    far = RDF_FAR.format(address).encode()
    data = picture("JPEG", xmp=far)
    with pytest.raises(c2pa.C2paError):
        c2pa.Reader("image/jpeg", io.BytesIO(data))
    assert asked, "the library as it comes asks, so this test can see it"
    asked.clear()
    assert verdict(data, "jpeg") is None
    assert origins(data).state is None
    chain, key = write_chain(tmp_path)
    done = signed(data, "jpeg", parent=data, certificate=chain, key=key, actions=["c2pa.resized"])
    assert origins(done).manifest
    assert asked == []


RDF_FAR = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' dcterms:provenance="{}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
