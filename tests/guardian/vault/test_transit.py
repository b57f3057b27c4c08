"""The transit engine: signatures that OpenSSL and jwcrypto verify with the key that it shows."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import hvac.exceptions
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwcrypto import jwk, jws  # type: ignore[import-untyped]  # it has no types

from tests.guardian.making import base64url
from tests.guardian.vault.served import first_error, openssl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = b"what is to be signed"
INPUT = base64.b64encode(CONTENT).decode()


@pytest.fixture(scope="module")
def transit(client: hvac.Client) -> Any:
    """Give the mounted engine with the keys ``p256``, ``p384`` and ``ed``."""
    client.sys.enable_secrets_engine("transit")
    transit: Any = client.secrets.transit
    for name, kind in (("p256", "ecdsa-p256"), ("p384", "ecdsa-p384"), ("ed", "ed25519")):
        transit.create_key(name, key_type=kind)
    return transit


def public_key(transit: Any, name: str, version: str = "1") -> str:
    """Return what the engine shows of a key."""
    return str(transit.read_key(name)["data"]["keys"][version]["public_key"])


@pytest.mark.parametrize(("name", "digest"), [("p256", "sha256"), ("p384", "sha384")])
def test_openssl_verifies_asn1(transit: Any, tmp_path: Path, name: str, digest: str) -> None:
    """A signature in ASN.1 verifies with the PEM key, by OpenSSL."""
    answer = transit.sign_data(name, INPUT, hash_algorithm=digest.replace("sha", "sha2-"))["data"]
    key, signature = tmp_path / "key.pem", tmp_path / "signature"
    key.write_text(public_key(transit, name))
    signature.write_bytes(base64.b64decode(answer["signature"].removeprefix("vault:v1:")))
    content = tmp_path / "content"
    content.write_bytes(CONTENT)

    assert answer["key_version"] == 1
    assert b"Verified OK" in openssl("dgst", f"-{digest}", "-verify", key, "-signature", signature, content)


def test_jws_marshaling_is_a_jws_signature(transit: Any) -> None:
    """Header and payload with this signature behind them are a JWS that jwcrypto takes."""
    header = base64url(json.dumps({"alg": "ES256"}).encode())
    signed = f"{header}.{base64url(CONTENT)}"
    hash_input = base64.b64encode(signed.encode()).decode()
    answer = transit.sign_data("p256", hash_input, hash_algorithm="sha2-256", marshaling_algorithm="jws")
    token = jws.JWS()
    token.deserialize(f"{signed}.{answer['data']['signature'].removeprefix('vault:v1:')}")

    token.verify(jwk.JWK.from_pem(public_key(transit, "p256").encode()))
    assert token.payload == CONTENT
    with pytest.raises(jws.InvalidJWSSignature):
        token.verify(jwk.JWK.generate(kty="EC", crv="P-256"))


def test_digest_is_signed_as_the_content_is(transit: Any) -> None:
    """With prehashed the digest is the input; the engine verifies it as a signature of the content."""
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    signature = transit.sign_data("p256", digest, prehashed=True)["data"]["signature"]

    assert transit.verify_signed_data("p256", INPUT, signature=signature)["data"] == {"valid": True}
    with pytest.raises(hvac.exceptions.InvalidRequest, match="the input is no digest of sha2-256"):
        transit.sign_data("p256", INPUT, prehashed=True)


def test_ed25519_key_signs(transit: Any) -> None:
    """Its public half is shown as bytes in base64, and verifies the signature."""
    signature = transit.sign_data("ed", INPUT)["data"]["signature"].removeprefix("vault:v1:")

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key(transit, "ed")))
    key.verify(base64.b64decode(signature), CONTENT)
    assert transit.verify_signed_data("ed", INPUT, signature=f"vault:v1:{signature}")["data"]["valid"]


@pytest.mark.parametrize("marshaling", ["asn1", "jws"])
def test_verify_tells_right_from_wrong(transit: Any, marshaling: str) -> None:
    """The engine's own verification takes its signature and no other content, form or version."""
    signature = transit.sign_data("p256", INPUT, marshaling_algorithm=marshaling)["data"]["signature"]
    other = base64.b64encode(b"something else").decode()

    def valid(content: str, given: str) -> bool:
        answer = transit.verify_signed_data("p256", content, signature=given, marshaling_algorithm=marshaling)
        return bool(answer["data"]["valid"])

    assert valid(INPUT, signature)
    assert not valid(other, signature)
    assert not valid(INPUT, "vault:v1:AAAA")
    for given, text in (
        ("vault:v9:AAAA", "invalid signature: version is too new"),
        ("AAAA", "invalid signature: no prefix"),
        ("vault:v1:?", "invalid base64 signature value"),
    ):
        with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
            valid(INPUT, given)
        assert refused.value.errors == [text]


def test_rotated_key_signs_with_the_new_version(transit: Any) -> None:
    """After a rotation the new version signs, and what the old one signed still verifies."""
    name = f"k{uuid.uuid4().hex[:8]}"
    transit.create_key(name, key_type="ecdsa-p256")
    old = transit.sign_data(name, INPUT)["data"]["signature"]
    transit.rotate_key(name)
    new = transit.sign_data(name, INPUT)["data"]

    assert (old[:9], new["signature"][:9], new["key_version"]) == ("vault:v1:", "vault:v2:", 2)
    assert public_key(transit, name, "1") != public_key(transit, name, "2")
    for signature in (old, new["signature"]):
        assert transit.verify_signed_data(name, INPUT, signature=signature)["data"]["valid"]


def test_key_is_deleted_only_when_that_is_allowed(transit: Any) -> None:
    """Vault's own guard; afterwards the key is unknown, and its private half was never shown."""
    name = f"k{uuid.uuid4().hex[:8]}"
    transit.create_key(name, key_type="ecdsa-p256")
    with pytest.raises(hvac.exceptions.InvalidRequest, match="deletion is not allowed for this key"):
        transit.delete_key(name)
    shown = transit.update_key_configuration(name, deletion_allowed=True)["data"]
    assert "PRIVATE" not in str(shown)
    transit.delete_key(name)

    assert name not in transit.list_keys()["data"]["keys"]
    with pytest.raises(hvac.exceptions.InvalidPath):
        transit.read_key(name)
    refusals: list[tuple[Callable[[], Any], str]] = [
        (lambda: transit.sign_data(name, INPUT), "signing key not found"),
        (
            lambda: transit.verify_signed_data(name, INPUT, signature="x"),
            "signature verification key not found",
        ),
        (lambda: transit.rotate_key(name), "key not found"),
        (lambda: transit.delete_key(name), "could not delete key; not found"),
        (
            lambda: transit.update_key_configuration(name, deletion_allowed=True),
            f"no existing key named {name} could be found",
        ),
    ]
    for call, text in refusals:
        with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
            call()
        assert refused.value.errors == [text]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("sign/p256", {"input": "?"}, "unable to decode input as base64: "),
        ("sign/p256/md5", {"input": INPUT}, "invalid hash algorithm 'md5'"),
        ("sign/p256", {"input": INPUT, "marshaling_algorithm": "xml"}, "invalid marshaling type 'xml'"),
        ("keys/new", {}, "unknown key type aes256-gcm96: this service signs only"),
        ("keys/p256", {"type": "ed25519"}, "requested key type does not match existing key type"),
    ],
)
def test_what_it_does_not_sign(
    transit: Any, client: hvac.Client, path: str, body: dict[str, str], text: str
) -> None:
    """Each mistake has its own words."""
    with pytest.raises(hvac.exceptions.InvalidRequest) as refused:
        client.write_data(f"transit/{path}", data=body)
    assert first_error(refused.value).startswith(text)


def test_creating_a_key_again_keeps_it(transit: Any) -> None:
    """A key that is there is not replaced."""
    before = public_key(transit, "p256")
    transit.create_key("p256", key_type="ecdsa-p256")
    assert public_key(transit, "p256") == before
