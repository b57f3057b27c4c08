"""Tokens, KEYGEN output and JWTs to the byte; OpenSSL judges the signatures.

Expected bytes are the vectors of nrfcloud fact sheet, section 4.5, put together by hand in these tests.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness_nordic.virtual import signing, tokens
from harness_nordic.virtual.identity import DeviceIdentity, imei
from harness_nordic.virtual.jwt import make_jwt
from harness_nordic.virtual.kinds import NRF9151

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

POINT = (
    "04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f4536be3a50f318fbf9a5475902a221502bef0d57e0"
    "8c53b2cc0a56f17d9f9354"
)
SPKI = "3059301306072a8648ce3d020106082a8648ce3d030107034200" + POINT
KEY_ID = "f1d59449b727165de732bf283338122b99628a615918fedc67d878fffcf47da7"
NONCE = bytes(range(16))
BODY = (
    "d9d9f78501505036315439314aaa8bbb000102030405065025c95751efa440d48b4a1dcaab81fac950000102030405060708090a0b0c"
    "0d0e0f"
)
SIGNED = f"846a5369676e61747572653143a101265839{BODY}f6"
TOKEN_BODY = "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P"
PAYLOAD = (
    "d9d9f78508505036315439314aaa8bbb000102030405451a010100015820f1d59449b727165de732bf283338122b99628a615918fedc"
    "67d878fffcf47da750000102030405060708090a0b0c0d0e0f"
)
KEYGEN_SIGNED = f"846a5369676e61747572653143a10126585b{SPKI}584f{PAYLOAD}"


@pytest.fixture
def identity() -> DeviceIdentity:
    """The identity of the vectors: its private scalar is the bytes 01 to 20."""
    scalar = int.from_bytes(bytes(range(1, 33)), "big")
    return DeviceIdentity(
        uuid=UUID("50363154-3931-4aaa-8bbb-000102030405"),
        imei="359404230261381",
        key=ec.derive_private_key(scalar, ec.SECP256R1()),
        chip=NRF9151,
    )


def decode(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_key_material(identity: DeviceIdentity) -> None:
    """Point, SubjectPublicKeyInfo and kid of the vectors."""
    assert signing.public_point(identity.key).hex() == POINT
    assert signing.public_key_info(identity.key).hex() == SPKI
    assert signing.key_id(identity.key) == KEY_ID


def test_attestation_token(identity: DeviceIdentity, tmp_path: Path, openssl: Any) -> None:
    """Body and COSE frame are the vector's; the signature is over the bytes that the sheet gives."""
    body, cose = tokens.attestation_token(identity, NONCE).split(".")

    assert body == TOKEN_BODY
    assert decode(body).hex() == BODY
    assert decode(cose)[:13].hex() == "d28443a10126a1044121f65840"
    assert len(decode(cose)) == 77
    assert (len(body), len(cose)) == (76, 103)
    assert openssl.verifies(tmp_path, bytes.fromhex(SPKI), decode(cose)[13:], bytes.fromhex(SIGNED))


def test_forged_attestation_token(identity: DeviceIdentity, tmp_path: Path, openssl: Any) -> None:
    """A token signed by another key has the same frame and does not verify."""
    body, cose = tokens.attestation_token(identity, NONCE, key=signing.new_key()).split(".")

    assert body == TOKEN_BODY
    assert decode(cose)[:13].hex() == "d28443a10126a1044121f65840"
    assert not openssl.verifies(tmp_path, bytes.fromhex(SPKI), decode(cose)[13:], bytes.fromhex(SIGNED))


def test_key_output(identity: DeviceIdentity, tmp_path: Path, openssl: Any) -> None:
    """The public key message of the vectors, with the identity key exported as the sheet does for brevity."""
    output = tokens.key_output(identity, 8, 16842753, bytes.fromhex(SPKI), NONCE)
    body, cose = output.split(".")

    assert decode(body).hex() == SPKI
    frame = f"d28443a10126a1044121584f{PAYLOAD}5840"
    assert decode(cose)[:-64].hex() == frame
    assert openssl.verifies(tmp_path, bytes.fromhex(SPKI), decode(cose)[-64:], bytes.fromhex(KEYGEN_SIGNED))


@pytest.mark.parametrize(
    ("tag", "encoded"), [(17, "4111"), (16, "4110"), (24, "421818"), (16842753, "451a01010001")]
)
def test_security_tag_is_cbor_in_a_byte_string(identity: DeviceIdentity, tag: int, encoded: str) -> None:
    """``41 11`` is what a public sample of a real board has for tag 17."""
    output = tokens.key_output(identity, 9, tag, b"x", NONCE)

    payload = decode(output.split(".")[1]).hex()
    assert f"09505036315439314aaa8bbb000102030405{encoded}5820{hashlib.sha256(b'x').hexdigest()}" in payload


def test_jwt(identity: DeviceIdentity, tmp_path: Path, openssl: Any) -> None:
    """Header and claims are the vector's, compact and in its order; the signature verifies."""
    token = make_jwt(identity, identity.key, life=(1700000000, 1700000300))
    header, claims, signature = token.split(".")

    assert header == (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImYxZDU5NDQ5YjcyNzE2NWRlNzMyYmYyODMzMzgxMjJiOTk2MjhhNjE1OTE4"
        "ZmVkYzY3ZDg3OGZmZmNmNDdkYTcifQ"
    )
    text = decode(claims).decode()
    start = (
        '{"iss":"nRF9151.50363154-3931-4aaa-8bbb-000102030405",'
        '"jti":"nRF9151.25c95751-efa4-40d4-8b4a-1dcaab81fac9.'
    )
    assert text.startswith(start)
    assert text[len(start) + 32 :] == '","iat":1700000000,"exp":1700000300}'
    bytes.fromhex(text[len(start) : len(start) + 32])
    assert openssl.verifies(tmp_path, bytes.fromhex(SPKI), decode(signature), f"{header}.{claims}".encode())


def test_jwt_with_everything(identity: DeviceIdentity) -> None:
    """``sub`` and ``aud`` when given, no times without a life."""
    token = make_jwt(identity, identity.key, life=None, subject="s", audience="a")

    claims = json.loads(decode(token.split(".")[1]))
    assert list(claims) == ["iss", "jti", "sub", "aud"]
    assert (claims["sub"], claims["aud"]) == ("s", "a")


def test_forged_jwt(identity: DeviceIdentity, tmp_path: Path, openssl: Any) -> None:
    """A forged JWT names the identity key and is signed by another."""
    signed, _, signature = make_jwt(identity, identity.key, life=None, forged=True).rpartition(".")

    assert json.loads(decode(signed.split(".")[0]))["kid"] == KEY_ID
    assert not openssl.verifies(tmp_path, bytes.fromhex(SPKI), decode(signature), signed.encode())


@pytest.mark.parametrize(
    ("number", "expected"), [(26138, "359404230261381"), (0, "359404230000003"), (1026138, "359404230261381")]
)
def test_imei(number: int, expected: str) -> None:
    """The IMEI of the fact sheet and others have a correct check digit (weights 1 and 2 by Luhn)."""
    assert imei(number) == expected
