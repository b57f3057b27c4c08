"""The judge of boards' output, held against published vectors and OpenSSL."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from typing import TYPE_CHECKING

import cbor2
import pytest

from harness.errors import BoardFault
from harness_nordic.judging import jwt_is_signed_by, read_generated_key

if TYPE_CHECKING:
    from pathlib import Path

# The synthetic vectors of the nrfcloud fact sheet, section 4.5.
SPKI = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375d"
    "ca515ad0a6c3b4035f4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354"
)
KEYGEN = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0_7Kf1T9zQzB6Ze_N13KUVrQpsO0A19FNr46UPMY-_mlR1kCoiFQK-8NV-"
    "CMU7LMClbxfZ-TVA.0oRDoQEmoQRBIVhP2dn3hQhQUDYxVDkxSqqLuwABAgMEBUUaAQEAAVgg8dWUSbcnFl3nMr8oMzgSK5liimFZGP7cZ"
    "9h4__z0fadQAAECAwQFBgcICQoLDA0OD1hAAyxOOw8NAire8KleeqM6XOi8V9QZi15xhCyQO3RejTJfILdspF9z9YBn7TjYOsTakbxhHRK"
    "ADDWI6AMOLeracQ"
)
JWT = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImYxZDU5NDQ5YjcyNzE2NWRlNzMyYmYyODMzMzgxMjJiOTk2MjhhNjE1OTE4Zm"
    "VkYzY3ZDg3OGZmZmNmNDdkYTcifQ.eyJpc3MiOiJuUkY5MTUxLjUwMzYzMTU0LTM5MzEtNGFhYS04YmJiLTAwMDEwMjAzMDQwNSIsImp0aS"
    "I6Im5SRjkxNTEuMjVjOTU3NTEtZWZhNC00MGQ0LThiNGEtMWRjYWFiODFmYWM5LjAwMDEwMjAzMDQwNTA2MDcwODA5MGEwYjBjMGQwZTBmI"
    "iwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.Uckp7Y5K0p40sFTBq7hcS4VFaoTe3U-GL4YuGcuTb-sEWdF5E15ZfhTsI8X"
    "mzLUA_nZA1Ffccwyzj9OYtuRSRg"
)


def test_published_public_key_output_is_read() -> None:
    """The published KEYGEN output of a public key is read as it is described."""
    key = read_generated_key(KEYGEN)

    assert key.form == "public key"
    assert key.public_key == SPKI
    assert key.sec_tag == 16842753
    assert key.device_uuid == "50363154-3931-4aaa-8bbb-000102030405"


def test_published_jwt_verifies_with_its_key_only() -> None:
    """The published JWT verifies with the published key, and not after a change."""
    header, claims, signature = JWT.split(".")

    assert jwt_is_signed_by(JWT, SPKI)
    assert not jwt_is_signed_by(f"{header}.{claims[:-1]}A.{signature}", SPKI)


def test_jwt_of_a_key_that_is_no_elliptic_curve_key(tmp_path: Path) -> None:
    """A key of another kind verifies nothing."""
    key = tmp_path / "rsa.der"
    subprocess.run(
        ["openssl", "genrsa", "-out", tmp_path / "rsa.pem", "2048"], check=True, capture_output=True
    )
    subprocess.run(
        ["openssl", "rsa", "-in", tmp_path / "rsa.pem", "-pubout", "-outform", "DER", "-out", key],
        check=True,
        capture_output=True,
    )

    assert not jwt_is_signed_by(JWT, key.read_bytes())


@pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", KEYGEN.split(".", maxsplit=1)[0] + ".oA"])
def test_unreadable_output_is_the_boards_fault(text: str) -> None:
    """What is no KEYGEN output is refused as the board's fault."""
    with pytest.raises(BoardFault, match="cannot read"):
        read_generated_key(text)


def test_digest_of_another_body_is_the_boards_fault() -> None:
    """A body that is not the one that was signed is refused."""
    body, cose = KEYGEN.split(".")

    with pytest.raises(BoardFault, match="digest"):
        read_generated_key(f"{body[:-2]}AA.{cose}")


@pytest.fixture
def openssl_csr(tmp_path: Path) -> bytes:
    """A CSR (DER) made by OpenSSL."""
    configuration = tmp_path / "csr.cnf"
    configuration.write_text(
        "[req]\ndistinguished_name=dn\nreq_extensions=v3\nprompt=no\n[dn]\nO=Harness\nCN=board-1\n"
        "[v3]\nkeyUsage=digitalSignature,keyEncipherment,keyAgreement,decipherOnly\n"
    )
    result = subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-new",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", tmp_path / "key.pem", "-config", configuration, "-outform", "DER"),
        ],
        check=True,
        capture_output=True,
    )
    return result.stdout


def _keygen_output(csr: bytes) -> str:
    # The envelope is laid out by hand from section 4.2; its signature is not judged here.
    payload = cbor2.CBORTag(
        55799, [9, bytes(range(16)), b"\x18\x2a", hashlib.sha256(csr).digest(), bytes(16)]
    )
    cose = cbor2.dumps(cbor2.CBORTag(18, [b"\xa1\x01\x26", {4: b"\x21"}, cbor2.dumps(payload), bytes(64)]))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (csr, cose))


def test_csr_of_openssl_is_read(openssl_csr: bytes) -> None:
    """Subject, key usage and tag of a CSR made by OpenSSL are read right."""
    key = read_generated_key(_keygen_output(openssl_csr))

    assert key.form == "csr"
    assert key.subject == "CN=board-1,O=Harness"
    assert key.key_usage == "101010001"
    assert key.sec_tag == 42
    assert key.device_uuid == "00010203-0405-0607-0809-0a0b0c0d0e0f"


def test_csr_with_a_broken_signature_is_the_boards_fault(openssl_csr: bytes) -> None:
    """A CSR whose own signature does not verify is refused."""
    broken = openssl_csr[:-1] + bytes([openssl_csr[-1] ^ 1])

    with pytest.raises(BoardFault, match=r"does not verify"):
        read_generated_key(_keygen_output(broken))
