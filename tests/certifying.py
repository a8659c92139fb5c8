"""Certificates for a test: a root and one leaf, made now, thrown away after. Needs `cryptography`, which comes with the extra `c2pa`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

DAY = datetime.timedelta(days=1)


def write_chain(
    folder: Path, name: str = "Fika", algorithm: str = "es256", *, days: float = 30, self_signed: bool = False
) -> tuple[Path, Path]:
    """`chain.pem` and `key.pem` in a folder, as C2PA wants them (digitalSignature, emailProtection). `days` < 0: it has run out."""
    from cryptography.hazmat.primitives import serialization

    folder.mkdir(parents=True, exist_ok=True)
    root_key, key = _key("es256"), _key(algorithm)
    leaf = _certificate(name, "Test Root", key, root_key, authority=False, days=days)
    if self_signed:
        leaf = _certificate(name, name, key, key, authority=False, days=days)
    root = _certificate("Test Root", "Test Root", root_key, root_key, authority=True, days=300)
    pem = serialization.Encoding.PEM
    (folder / "chain.pem").write_bytes(leaf.public_bytes(pem) + (b"" if self_signed else root.public_bytes(pem)))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "chain.pem", folder / "key.pem"


def _key(algorithm: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "ps256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key({"es256": ec.SECP256R1, "es384": ec.SECP384R1, "koblitz": ec.SECP256K1}[algorithm]())


def _certificate(subject: str, issuer: str, key: Any, signing: Any, *, authority: bool, days: float) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(name: str) -> Any:
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name), x509.NameAttribute(NameOID.COMMON_NAME, name)])

    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"], False
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + min(days, 0) * DAY - DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if not authority:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return built.sign(signing, None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256())
