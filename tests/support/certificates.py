"""Certificates for tests: an authority of their own, and what it signs, as PEM files."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = IPv4Address("127.0.0.1")
VALID = timedelta(days=1)
PASSWORD = "key-password"  # noqa: S105 - of keys that live for one test run
"""Of the encrypted form of every key."""


@dataclass(frozen=True)
class Identity:
    """A certificate for 127.0.0.1 and its key.

    Attributes:
        certificate, key: PEM files.
        encrypted_key: the same key, encrypted with `PASSWORD`.
        both: key and certificate in one file, as Kafka's brokers want them.
    """

    certificate: Path
    key: Path
    encrypted_key: Path
    both: Path


class Authority:
    """Signs certificates.

    Attributes:
        certificate: its own, which those who trust it are given.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._name = _name(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = _builder(self._name, self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = self._folder / "ca.pem"
        self.certificate.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def issue(self, name: str) -> Identity:
        """Sign a certificate that serves for a server as well as for a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        certificate = _pem(
            _builder(_name(name), self._name, key.public_key())
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        clear = _pkcs8(key, serialization.NoEncryption())
        encrypted = _pkcs8(key, serialization.BestAvailableEncryption(PASSWORD.encode()))
        return Identity(
            certificate=self._write(f"{name}.pem", certificate),
            key=self._write(f"{name}.key", clear),
            encrypted_key=self._write(f"{name}.encrypted.key", encrypted),
            both=self._write(f"{name}.both.pem", clear + certificate),
        )

    def _write(self, name: str, content: bytes) -> Path:
        file = self._folder / name
        file.write_bytes(content)
        return file


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - VALID,
        not_valid_after=now + VALID,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pkcs8(key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
