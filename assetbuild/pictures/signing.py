"""Signatures (C2PA) of files that ship: made with the user's certificate and key, with the picture they were made from as parent, and judged.
Needs the extra `c2pa`. Asks no one over the network: no time stamp, no OCSP, no manifest from elsewhere. Knows no spec and where no key comes from.

A signature is never the same twice (random identifiers, and with ECDSA a random signature): it is the one step whose bytes can't be made again.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from .marking import NEWSCODES, TOOL, Nature
from .wanted import CantExport

JUDGED_MOST = 256 << 20  # bytes of a file whose signature is judged: the library reads all of it
MEDIA = {  # what can be signed, and its name on the net; the library can't write into a PDF, and an .ico has no place for it
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "heif": "image/heif",
    "tiff": "image/tiff",
}
_READ_ONLY = {"pdf": "application/pdf"}
Action = Literal[  # C2PA specification, "Actions"; c2pa.opened is the library's to write
    "c2pa.resized",
    "c2pa.cropped",
    "c2pa.converted",
    "c2pa.transcoded",
    "c2pa.edited",
    "c2pa.placed",
    "c2pa.color_adjustments",
    "c2pa.removed",
]
_OFFLINE = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},  # and were a host named by mistake, none may be asked
    "builder": {"thumbnail": {"enabled": False}},  # half of the file's size, of a picture that is there
}
_METADATA = "c2pa.metadata"  # C2PA specification, "Metadata assertions"
_CONTEXT = {"Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"}
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


State = Literal["valid", "trusted", "expired", "invalid"]
_RUN_OUT = {"signingCredential.expired", "claimSignature.outsideValidity", "signingCredential.untrusted"}


class CantSign(CantExport):
    """No signature can be made: the extra isn't installed, certificate or key can't be used, or the type of file can't hold one."""


class Verdict(NamedTuple):
    """How it is with a signature. `trusted`: valid, and its certificate is on a trust list; `expired`: nothing else is wrong with it, but its certificate
    has run out, and no time stamp says that it was made before; `generator`: the program that says it made the file,
    `signer`: whom the certificate names; `kind`: the digital source type (a URI) that is named in it, in its own words before its parents'.
    """

    state: State
    generator: str | None = None
    signer: str | None = None
    kind: str | None = None


def can_sign() -> bool:
    """Whether the extra is installed."""
    from importlib.util import find_spec

    return find_spec("c2pa") is not None


def signed(
    data: bytes,
    media: str,
    *,
    parent: Path | bytes,
    certificate: Path,
    key: Path,
    actions: Sequence[Action] = (),
    nature: Nature | None = None,
    title: str = "",
) -> bytes:
    """The file with a manifest in it: signed with the certificate (a PEM chain, its own first), made from `parent` by `actions`, in that order.

    `media` is one of `MEDIA`; `nature` gives the file its digital source type. A parent that is signed itself keeps its signature inside as an
    ingredient. Raises CantSign; never tells what is in the key's file.
    """
    if media not in MEDIA:
        raise CantSign(f"a .{media} file can't hold a signature", hint=f"sign {', '.join(MEDIA)}, or `provenance: sidecar`")
    if not can_sign():
        raise CantSign("signing needs the extra `c2pa`", hint="pip install 'assetbuild[c2pa]'")
    c2pa = _library()

    from .reading import origins

    chain, secret = _bytes(certificate, "certificate"), _bytes(key, "key")
    algorithm = _algorithm(chain, secret, certificate, key)
    said: list[dict[str, Any]] = []
    if actions:
        said.append({"label": "c2pa.actions.v2", "data": {"actions": [{"action": action} for action in actions]}})
    if nature is not None and nature.kind:  # of the whole file: at a resizing it would say that a model did the resizing
        said.append(
            {"label": _METADATA, "data": {"@context": _CONTEXT, "Iptc4xmpExt:DigitalSourceType": NEWSCODES + nature.kind}}
        )
    manifest: dict[str, Any] = {"claim_generator_info": [{"name": TOOL}], "format": MEDIA[media], "assertions": said}
    if title:
        manifest["title"] = title
    above = origins(parent, check=False).media
    whole = parent if isinstance(parent, bytes) else _bytes(parent, "parent picture")
    out = io.BytesIO()
    try:
        with (
            c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm, chain, secret, None)) as signer,
            c2pa.Builder(manifest, context=_offline()) as builder,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)  # writes c2pa.opened, with the parent
            builder.add_ingredient(
                {"title": "master", "relationship": "parentOf"}, (MEDIA | _READ_ONLY).get(above, above), io.BytesIO(whole)
            )
            builder.sign(signer, MEDIA[media], io.BytesIO(data), out)
    except (c2pa.C2paError, ValueError) as problem:
        raise CantSign(f"can't be signed with {certificate}: {_words(problem)}") from None
    return out.getvalue()


def verdict(source: Path | bytes, media: str) -> Verdict | None:
    """How it is with the signature in a file; None when nobody can say: the extra isn't installed, there is none, the file is too large. Never raises."""
    name = (MEDIA | _READ_ONLY).get(media)
    if name is None or not can_sign():
        return None
    c2pa = _library()

    with contextlib.ExitStack() as open_files:
        try:
            if isinstance(source, bytes):
                stream: Any = io.BytesIO(source)
            elif source.stat().st_size > JUDGED_MOST:
                return None
            else:
                stream = open_files.enter_context(open(source, "rb"))
            reader = open_files.enter_context(c2pa.Reader(name, stream, context=_offline()))
            return _judged(json.loads(reader.json()))
        except (c2pa.C2paError.ManifestNotFound, OSError):
            return None
        except Exception as problem:  # a native library and a stranger's bytes: whatever it says, this signature doesn't hold
            return None if str(problem).startswith("Remote") else Verdict("invalid")  # that lies at an address, where we don't go


def _judged(told: dict[str, Any]) -> Verdict:
    manifests: dict[str, Any] = told.get("manifests") or {}
    first = manifests.get(told.get("active_manifest") or "") or {}
    states: dict[str, State] = {"Valid": "valid", "Trusted": "trusted"}
    made = (first.get("claim_generator_info") or [{}])[0]
    generator = " ".join(str(made[part]) for part in ("name", "version") if made.get(part)) or first.get("claim_generator")
    kinds = (kind for one in (first, *manifests.values()) for kind in _kinds(one))
    signer = (first.get("signature_info") or {}).get("issuer")
    state = states.get(str(told.get("validation_state")), "invalid")
    if state == "invalid" and _only_run_out(told.get("validation_results") or {}):
        state = "expired"
    return Verdict(state, generator, signer, next(kinds, None))


def _only_run_out(results: dict[str, Any]) -> bool:
    """Whether time is all that is wrong, in the file's own manifest and in its parents'."""
    all_of = [
        results.get("activeManifest") or {},
        *(one.get("validationDeltas") or {} for one in results.get("ingredientDeltas") or []),
    ]
    codes = {failure.get("code") for one in all_of for failure in one.get("failure") or []}
    return "signingCredential.expired" in codes and codes <= _RUN_OUT


def _kinds(manifest: dict[str, Any]) -> list[str]:
    found = []
    for assertion in manifest.get("assertions") or []:
        label = str(assertion.get("label", ""))
        if label.startswith(_METADATA):
            found += [str(value) for name, value in assertion["data"].items() if name.endswith(":DigitalSourceType")]
        elif label.startswith("c2pa.actions"):
            found += [
                str(action["digitalSourceType"])
                for action in assertion["data"].get("actions", [])
                if "digitalSourceType" in action
            ]
    return found


def _library() -> Any:  # noqa: ANN401 - it has no types
    from importlib import import_module

    return import_module("c2pa")  # 60 ms, 23 MB


def _offline() -> Any:  # noqa: ANN401 - its Context
    return _library().Context.from_dict(_OFFLINE)


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise CantSign(f"can't read the {what} {path}: {problem.strerror or 'unreadable'}") from None


def _algorithm(chain: bytes, secret: bytes, certificate: Path, key: Path) -> str:
    """The algorithm that this key signs with, which must be the certificate's own. Says which file is wrong, never what is in it."""
    from cryptography import x509  # comes with c2pa
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        raise CantSign(f"{certificate} holds no certificate chain in PEM") from None
    try:
        private = serialization.load_pem_private_key(secret, None)
    except TypeError:
        raise CantSign(f"the key {key} is locked with a password", hint="`openssl pkey -in KEY -out OPEN` opens it") from None
    except Exception:  # what it says could be a piece of the key
        raise CantSign(f"{key} holds no private key in PEM") from None
    public = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*public) != leaf.public_key().public_bytes(*public):
        raise CantSign(f"the key {key} isn't that of the first certificate in {certificate}")
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return _CURVES[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256"
    raise CantSign(f"C2PA knows no keys like {key}", hint="ECDSA on P-256, P-384 or P-521, Ed25519, or RSA")


def _words(problem: Exception) -> str:
    """What the library says, without lines of PEM."""
    text = re.sub(r"-----BEGIN.*", "(left out)", str(problem), flags=re.DOTALL)
    return " ".join(text.split())[:300]
