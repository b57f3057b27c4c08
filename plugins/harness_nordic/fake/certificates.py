"""The fake's TLS: a certificate authority and a server certificate of its own, made when it starts.

The chain is of our own making; on the real service it ends at a public root (nrfcloud fact sheet, section 1).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LIFE = dt.timedelta(days=366)
_SKEW = dt.timedelta(days=1)
_NOT_REFUSED = (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLSyscallError)


class TlsDoor:
    """What the runner of fakes needs to serve over TLS, and what clients need to trust it.

    :ivar context: the server's side; it holds the only copy of the server's key.
    :ivar ca_pem: certificate of the authority.
    :ivar url: where the service is served over TLS; empty until it is. The runner sets it.
    """

    def __init__(self, refused: Callable[[str], None], hosts: Sequence[str] = ()) -> None:
        """Make the authority and the server's certificate.

        :param refused: called with the reason when a handshake fails, for example because the other end does
            not trust the authority.
        :param hosts: names of hosts that the certificate is good for besides ``localhost``.
        """
        self.url = ""
        authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        authority = _authority(authority_key)
        server = _server(server_key, authority, authority_key, hosts)
        self.ca_pem = authority.public_bytes(serialization.Encoding.PEM).decode()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sslobject_class = _noting(refused)
        _load(self.context, server_key, server)


def _noting(refused: Callable[[str], None]) -> type[ssl.SSLObject]:
    class NotingObject(ssl.SSLObject):
        """A connection whose failing handshake is noted: a server says nothing of it by itself."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except _NOT_REFUSED:
                raise
            except ssl.SSLError as error:
                refused(error.reason or str(error))
                raise

    return NotingObject


def _load(context: ssl.SSLContext, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    """Give a context its key by a file, there is no other way: a private one that is gone at once."""
    with tempfile.TemporaryDirectory(prefix="fake-tls-") as directory:
        path = Path(directory) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(path)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("nRF Cloud fake CA")
    return (
        _certificate(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
) -> x509.Certificate:
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in ("localhost", *hosts)]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    return (
        _certificate(_name("localhost"), authority.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
