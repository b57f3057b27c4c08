"""Certificates that are read, revoked, listed and forgotten; revocation lists are judged by OpenSSL."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import hvac.exceptions
import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from harness_guardian.vault.serials import colon_serial, parse_serial, same_serial
from tests.guardian.vault.served import openssl, openssl_says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.guardian.vault.authority import Mounted


@pytest.fixture(scope="module")
def http(mounted: Mounted) -> Iterator[httpx.Client]:
    """Give a client of HTTP alone, without a token, at the mount."""
    with httpx.Client(base_url=f"{mounted.vault.url}/v1/{mounted.mount}/", timeout=20) as client:
        yield client


def test_certificate_is_read_by_its_serial(mounted: Mounted) -> None:
    """Colons (which hvac sends as %3A), hyphens, capitals: one certificate, not revoked, with its chain."""
    data = mounted.issued()
    serial = data["serial_number"]

    for spelled in (serial, serial.replace(":", "-"), serial.upper(), serial.replace(":", "")):
        read = mounted.read(spelled)
        assert read["certificate"].strip() == data["certificate"]
        assert (read["revocation_time"], read["revocation_time_rfc3339"]) == (0, "")
        assert mounted.intermediate in read["ca_chain"]


def test_unknown_certificate_is_an_empty_404(mounted: Mounted, http: httpx.Client) -> None:
    """What Vault answers about a serial number that it does not know: 404 without a word."""
    answer = http.get("cert/01:02")

    assert (answer.status_code, answer.json()) == (404, {"errors": []})
    with pytest.raises(hvac.exceptions.InvalidPath):
        mounted.read("01:02")


def test_revoked_certificate_is_on_the_list_that_openssl_checks(mounted: Mounted, tmp_path: Path) -> None:
    """After a revocation the read says when, and OpenSSL refuses that certificate and no other."""
    kept, gone = mounted.issued(), mounted.issued()
    pki = mounted.client.secrets.pki
    before = pki.read_crl(mount_point=mounted.mount)
    revoked = pki.revoke_certificate(gone["serial_number"], mount_point=mounted.mount)["data"]
    root, intermediate = mounted.write_chain(tmp_path)
    crl, files = tmp_path / "crl.pem", {}
    crl.write_text(pki.read_crl(mount_point=mounted.mount))
    for name, data in (("kept", kept), ("gone", gone)):
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_text(data["certificate"])

    assert mounted.read(gone["serial_number"])["revocation_time"] == revoked["revocation_time"] > 0
    assert mounted.read(kept["serial_number"])["revocation_time"] == 0
    assert "verify OK" in openssl_says("crl", "-in", crl, "-CAfile", intermediate, "-noout")
    check = ("verify", "-crl_check", "-CRLfile", crl, "-CAfile", root, "-untrusted", intermediate)
    openssl(*check, files["kept"])
    assert "certificate revoked" in openssl_says(*check, files["gone"])
    numbers = [
        x509.load_pem_x509_crl(text.encode()).extensions.get_extension_for_class(x509.CRLNumber).value
        for text in (before, crl.read_text())
    ]
    assert numbers[0].crl_number < numbers[1].crl_number


def test_second_revocation_changes_nothing(mounted: Mounted) -> None:
    """Revoking again gives the first time, also by the certificate instead of its number."""
    data = mounted.issued()
    pki = mounted.client.secrets.pki
    first = pki.revoke_certificate(data["serial_number"], mount_point=mounted.mount)["data"]
    again = mounted.client.write_data(f"{mounted.mount}/revoke", data={"certificate": data["certificate"]})

    assert again["data"]["revocation_time"] == first["revocation_time"]
    assert again["data"]["state"] == "revoked"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "The serial number or certificate to revoke must be provided."),
        (
            {"serial_number": "01", "certificate": "x"},
            "must provide either the certificate or the serial to revoke; not both.",
        ),
        ({"serial_number": "0a:0b"}, "certificate with serial 0a:0b not found."),
        ({"serial_number": "no serial"}, "certificate with serial no serial not found."),
        ({"certificate": "x"}, "certificate contains no data or bad data"),
    ],
)
def test_what_cannot_be_revoked(mounted: Mounted, body: dict[str, str], text: str) -> None:
    """Each mistake has its own words."""
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        mounted.client.write_data(f"{mounted.mount}/revoke", data=body)
    assert refused.value.errors == [text]


def test_forgotten_certificate_is_unknown(mounted: Mounted) -> None:
    """What the session lets the Vault forget is read and revoked no more; the others stay."""
    kept, gone = mounted.issued()["serial_number"], mounted.issued()["serial_number"]
    service = mounted.vault.service

    assert mounted.vault.on_its_loop(lambda: service.forget(mounted.mount, gone))
    assert not mounted.vault.on_its_loop(lambda: service.forget(mounted.mount, gone))
    assert not mounted.vault.on_its_loop(lambda: service.forget("nowhere", kept))
    with pytest.raises(hvac.exceptions.InvalidPath):
        mounted.read(gone)
    keys = mounted.listed()
    assert kept.replace(":", "-") in keys
    assert gone.replace(":", "-") not in keys


def test_certificate_revoked_behind_everybodys_back(mounted: Mounted) -> None:
    """What the session revokes is revoked for every reader; an unknown one is told as such."""
    serial = mounted.issued()["serial_number"]
    service = mounted.vault.service

    assert mounted.vault.on_its_loop(lambda: service.revoke(mounted.mount, serial.upper()))
    assert mounted.read(serial)["revocation_time"] > 0
    assert not mounted.vault.on_its_loop(lambda: service.revoke(mounted.mount, "01"))
    assert not mounted.vault.on_its_loop(lambda: service.revoke("nowhere", serial))


def test_anybody_reads_authority_and_list(mounted: Mounted, http: httpx.Client) -> None:
    """Certificates of the authority, chain and list need no token, in PEM and in DER."""
    pem = mounted.client.secrets.pki

    assert pem.read_ca_certificate(mount_point=mounted.mount) == mounted.intermediate
    chain = pem.read_ca_certificate_chain(mount_point=mounted.mount)
    assert chain == f"{mounted.intermediate}\n{mounted.root}"
    der = http.get("ca")
    assert der.headers["content-type"] == "application/pkix-cert"
    assert x509.load_der_x509_certificate(der.content) == x509.load_pem_x509_certificate(
        mounted.intermediate.encode()
    )
    crl = http.get("crl")
    assert crl.headers["content-type"] == "application/pkix-crl"
    issuer = x509.load_der_x509_crl(crl.content).issuer
    assert issuer == x509.load_pem_x509_certificate(mounted.intermediate.encode()).subject
    for name, content in (
        ("ca", mounted.intermediate),
        ("ca_chain", f"{mounted.intermediate}\n{mounted.root}"),
    ):
        assert http.get(f"cert/{name}").json()["data"]["certificate"] == content
    text = http.get("cert/crl").json()["data"]["certificate"]
    assert x509.load_pem_x509_crl(text.encode()).issuer == issuer


def test_empty_mount_has_nothing_to_read(mounted: Mounted) -> None:
    """Lists of an empty mount are 404 without a word; authority and list are not there."""
    mount = f"pki-{uuid.uuid4().hex}"
    mounted.client.sys.enable_secrets_engine("pki", path=mount)
    pki = mounted.client.secrets.pki
    for read in (
        pki.list_certificates,
        pki.list_issuers,
        pki.list_roles,
        pki.read_ca_certificate,
        pki.read_crl,
    ):
        with pytest.raises(hvac.exceptions.InvalidPath):
            read(mount_point=mount)


@settings(max_examples=40, deadline=None)
@given(number=st.integers(min_value=1, max_value=(1 << 160) - 1))
def test_serial_numbers_survive_being_written(number: int) -> None:
    """What is written as pairs of hex digits is read as the same number, with any sign in between."""
    text = colon_serial(number)

    assert all(len(pair) == 2 for pair in text.split(":"))
    for spelled in (text, text.replace(":", "-"), text.upper()):
        assert parse_serial(spelled) == number
        assert same_serial(spelled, text)


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet="0123456789abcdefABCDEF:-% g\x00é", max_size=250))
def test_no_text_breaks_the_reading_of_serials(text: str) -> None:
    """Whatever is asked for is a number or none, never an exception."""
    number = parse_serial(text)
    assert number is None or number >= 0
    assert same_serial(text, text) is (number is not None)
