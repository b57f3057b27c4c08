"""The authorities of the two servers: what devices trust, and what they are given at bootstrap.

The bootstrap authority looks like the published one (pelion fact sheet, section 3). Nothing public says what
the LwM2M authority looks like: ours signs the LwM2M server's certificate and those of the devices [design].
Both are made when the fake starts; their keys never leave this process.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BEGIN = dt.datetime(2017, 1, 1, tzinfo=dt.UTC)
_END = dt.datetime(2052, 1, 1, tzinfo=dt.UTC)
"""The authorities live to 2052, and our servers with them: a shifted clock must not end them."""

_DEVICE_LIFE = dt.timedelta(days=3652)
_SKEW = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A certificate and the key that belongs to it.

    :ivar certificate: DER.
    :ivar key: PKCS#8 in DER; a secret.
    """

    certificate: bytes
    key: bytes = field(repr=False)


class Authority:
    """Somebody who signs certificates.

    :ivar der: its own certificate in DER.
    :ivar pem: the same in PEM.
    """

    def __init__(self, common_name: str) -> None:
        """Make its key, and its certificate that it signs itself.

        :param common_name: its name.
        """
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(common_name)
        usage = _usage(signs_certificates=True)
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key(), _BEGIN, _END)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.der = self._certificate.public_bytes(serialization.Encoding.DER)
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue_server(self, common_name: str) -> Credential:
        """Issue a certificate for a server on this machine."""
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(common_name), self._name, key.public_key(), _BEGIN, _END).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        return self._sign(builder, key, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))

    def issue_device(self, device_id: str, account_id: str, now: dt.datetime) -> Credential:
        """Issue the certificate by which a device is known at the LwM2M server.

        :param device_id: becomes the CN: the internal endpoint name (pelion fact sheet, section 6.2).
        :param account_id: becomes the OU.
        :param now: valid from a day before that on, for ten years.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(device_id, unit=account_id)
        builder = _builder(subject, self._name, key.public_key(), now - _SKEW, now + _DEVICE_LIFE)
        return self._sign(builder, key, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))

    def _sign(
        self,
        builder: x509.CertificateBuilder,
        key: ec.EllipticCurvePrivateKey,
        purpose: x509.ExtendedKeyUsage,
    ) -> Credential:
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(purpose, critical=False)
            .add_extension(authority_key, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return Credential(
            certificate=certificate.public_bytes(serialization.Encoding.DER),
            key=key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )


class Issuing:
    """Everybody who signs in the fake, and what the two servers show.

    :ivar bootstrap: signs the bootstrap server's certificate; devices trust it by the C file.
    :ivar lwm2m: signs the LwM2M server's certificate and the devices'; devices trust it by bootstrap.
    :ivar bootstrap_server: what the bootstrap server shows.
    :ivar lwm2m_server: what the LwM2M server shows.
    :ivar stranger: nobody has reason to trust it; devices are told to when a fault asks for that.
    """

    def __init__(self) -> None:
        """Make all keys and certificates."""
        self.bootstrap = Authority("ARM Bootstrap CA")
        self.lwm2m = Authority("ARM LwM2M CA")
        self.bootstrap_server = self.bootstrap.issue_server("bootstrap")
        self.lwm2m_server = self.lwm2m.issue_server("lwm2m")
        self.stranger = Authority("Somebody Else CA")


def _name(common_name: str, *, unit: str = "") -> x509.Name:
    """Return a name as the service writes them (pelion fact sheet, section 3)."""
    attributes = [
        (NameOID.COUNTRY_NAME, "GB"),
        (NameOID.STATE_OR_PROVINCE_NAME, "Cambridgeshire"),
        (NameOID.LOCALITY_NAME, "Cambridge"),
        (NameOID.ORGANIZATION_NAME, "ARM Ltd"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, common_name),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes if value])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begin: dt.datetime,
    end: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
