"""The authorities and what they issue, read by OpenSSL."""

from __future__ import annotations

import datetime as dt
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness_pelion.fake.issuing import Credential, Issuing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def issuing() -> Issuing:
    """All that a fake makes when it starts."""
    return Issuing()


def openssl(*arguments: str, given: bytes = b"") -> str:
    """Run OpenSSL and return what it says."""
    ended = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=20, check=False)
    return (ended.stdout + ended.stderr).decode()


def text_of(der: bytes) -> str:
    """Return a certificate as OpenSSL shows it."""
    return openssl("x509", "-inform", "DER", "-noout", "-text", given=der)


def test_the_bootstrap_authority_has_the_published_shape(issuing: Issuing) -> None:
    """Name, curve, usage and end are those of the pelion fact sheet, section 3; PEM and DER are the same."""
    shown = text_of(issuing.bootstrap.der)
    assert "CN = ARM Bootstrap CA" in shown
    assert "ASN1 OID: prime256v1" in shown
    assert "CA:TRUE" in shown
    assert "Digital Signature, Certificate Sign, CRL Sign" in shown
    assert "2052 GMT" in shown
    assert ssl.PEM_cert_to_DER_cert(issuing.bootstrap.pem) == issuing.bootstrap.der


def test_everything_verifies_by_its_own_authority_and_no_other(issuing: Issuing, tmp_path: Path) -> None:
    """Servers for serving, devices for being served."""
    now = dt.datetime.now(dt.UTC)
    device = issuing.lwm2m.issue_device("d" * 32, "a" * 32, now)
    cases = [
        (issuing.bootstrap.pem, issuing.bootstrap_server, "sslserver", True),
        (issuing.lwm2m.pem, issuing.lwm2m_server, "sslserver", True),
        (issuing.lwm2m.pem, device, "sslclient", True),
        (issuing.bootstrap.pem, issuing.lwm2m_server, "sslserver", False),
        (issuing.bootstrap.pem, device, "sslclient", False),
        (issuing.stranger.pem, device, "sslclient", False),
        (issuing.lwm2m.pem, device, "sslserver", False),
        (issuing.lwm2m.pem, issuing.lwm2m_server, "sslclient", False),
    ]
    for authority, credential, purpose, good in cases:
        trusted, shown = tmp_path / "ca.pem", tmp_path / "leaf.pem"
        trusted.write_text(authority)
        shown.write_text(ssl.DER_cert_to_PEM_cert(credential.certificate))
        said = openssl(
            "verify", "-x509_strict", "-purpose", purpose, "-CAfile", str(trusted), "-no-CApath", str(shown)
        )
        assert said.strip().endswith(": OK") is good, said


def test_a_device_is_named_by_its_id_and_its_account(issuing: Issuing) -> None:
    """The CN is the internal endpoint name, the OU the account; ten years from now."""
    now = dt.datetime(2030, 3, 1, tzinfo=dt.UTC)
    device = issuing.lwm2m.issue_device("d" * 32, "a" * 32, now)
    shown = text_of(device.certificate)
    assert f"OU = {'a' * 32}, CN = {'d' * 32}" in shown
    assert "CN = ARM LwM2M CA" in shown
    assert "Not Before: Feb 28 00:00:00 2030 GMT" in shown
    assert "2040 GMT" in shown
    assert "CA:FALSE" in shown
    assert "TLS Web Client Authentication" in shown


def test_the_key_is_pkcs8_and_belongs_to_the_certificate(issuing: Issuing) -> None:
    """As OpenSSL reads both."""
    device = issuing.lwm2m.issue_device("d" * 32, "a" * 32, dt.datetime.now(dt.UTC))
    public = openssl("pkey", "-inform", "DER", "-pubout", given=device.key)
    assert "BEGIN PUBLIC KEY" in public
    assert public == openssl("x509", "-inform", "DER", "-noout", "-pubkey", given=device.certificate)
    assert openssl("pkcs8", "-inform", "DER", "-nocrypt", given=device.key).startswith(
        "-----BEGIN PRIVATE KEY"
    )


def test_a_key_is_in_no_text(issuing: Issuing) -> None:
    """Whoever logs a credential logs no secret."""
    credential = Credential(certificate=b"certificate", key=b"very secret")
    assert "secret" not in repr(credential)


def test_no_two_fakes_have_the_same_authorities(issuing: Issuing) -> None:
    """Keys are made at every start."""
    other = Issuing()
    assert other.bootstrap.der != issuing.bootstrap.der
    assert other.lwm2m.der != issuing.lwm2m.der
