"""The golden files are what the fact sheet describes, and several tools agree on their signatures."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, OKPKey
from jwcrypto import jwk, jws  # type: ignore[import-untyped]  # it has no types

from tests.guardian.golden import make_golden
from tests.guardian.making import cose_key_of, from_base64url, read_cose, thumbprint_of

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
JWS_SIGNERS = {
    "initial.jws.mcpr": "package",
    "initial-ed25519.jws.mcpr": "package-ed25519",
    "reprovision.jws.mcpr": "identity",
    "certified-profile.mccp": "profile-signer",
}
COSE_SIGNERS = {"initial.cose.mcpr": "package", "reprovision.cose.mcpr": "identity"}
INITIAL = {
    "ver": 1,
    "system": "Golden pumps",
    "system_instance": {"id": "5d6e3b0c-0a4b-4c1e-9c55-5f3a53e1a001"},
    "component": "pump",
    "hw_id": "SN-0001",
    "created_at": "2026-11-21T12:00:00Z",
    "source": "Cloud",
}


def content(name: str) -> bytes:
    """Return the bytes of a golden file."""
    return (HERE / name).read_bytes()


def parts_of(name: str) -> tuple[str, str, str]:
    """Return protected header, payload and signature of a JWS, still encoded."""
    text = content(name).decode()
    if text.startswith("{"):
        members = json.loads(text)
        return members["protected"], members["payload"], members["signature"]
    header, payload, signature = text.split(".")
    return header, payload, signature


def public_pem(name: str) -> bytes:
    """Return the public half of a sample key."""
    key = make_golden.read_key(HERE, name).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def openssl_verifies(tmp_path: Path) -> Callable[[bytes, bytes, str], bool]:
    """Let OpenSSL judge a signature of JOSE or COSE over some bytes by a sample key."""

    def judge(signed: bytes, signature: bytes, key: str) -> bool:
        files = {name: tmp_path / name for name in ("signed", "signature", "key.pem")}
        files["signed"].write_bytes(signed)
        files["key.pem"].write_bytes(public_pem(key))
        words: tuple[Any, ...]
        more: tuple[Any, ...]
        if "ed25519" in key:
            files["signature"].write_bytes(signature)
            words = ("pkeyutl", "-verify", "-pubin", "-inkey", files["key.pem"], "-rawin")
            more = ("-in", files["signed"], "-sigfile", files["signature"])
        else:
            r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
            files["signature"].write_bytes(encode_dss_signature(r, s))
            words = ("dgst", "-sha256", "-verify", files["key.pem"])
            more = ("-signature", files["signature"], files["signed"])
        ran = subprocess.run(
            ["openssl", *map(str, words + more)], capture_output=True, check=False, timeout=30
        )
        return ran.returncode == 0

    return judge


@pytest.mark.parametrize(("name", "key"), JWS_SIGNERS.items())
def test_openssl_verifies_jws(
    name: str, key: str, openssl_verifies: Callable[[bytes, bytes, str], bool]
) -> None:
    """OpenSSL verifies what each JWS signs, and refuses it with one bit changed."""
    header, payload, signature = parts_of(name)
    signed, raw = f"{header}.{payload}".encode(), from_base64url(signature)

    assert len(raw) == 64
    assert openssl_verifies(signed, raw, key)
    assert not openssl_verifies(bytes([signed[0] ^ 1]) + signed[1:], raw, key)


@pytest.mark.parametrize(("name", "key"), COSE_SIGNERS.items())
def test_openssl_verifies_cose(
    name: str, key: str, openssl_verifies: Callable[[bytes, bytes, str], bool]
) -> None:
    """OpenSSL verifies the Sig_structure of each COSE_Sign1 (RFC 9052, section 4.4), put together here."""
    protected, _unprotected, payload, raw = cbor2.loads(content(name)).value
    signed = cbor2.dumps(["Signature1", protected, b"", payload])

    assert openssl_verifies(signed, raw, key)
    assert not openssl_verifies(signed + b"\x00", raw, key)


# The fact sheet's name of the algorithm is that of RFC 8037, which RFC 9864 has since deprecated.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated:joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(("name", "key"), JWS_SIGNERS.items())
def test_two_libraries_verify_jws(name: str, key: str) -> None:
    """The libraries jwcrypto and joserfc verify each JWS and read the same payload out of it."""
    pem = public_pem(key)
    judged = jws.JWS()
    judged.deserialize(content(name).decode())
    judged.verify(jwk.JWK.from_pem(pem))
    public: Any = OKPKey.import_key(pem) if "ed25519" in key else ECKey.import_key(pem)
    registry = joserfc_jws.JWSRegistry(algorithms=["ES256", "EdDSA"])
    registry.max_header_length = registry.max_payload_length = len(content(name))
    second = joserfc_jws.deserialize_compact(".".join(parts_of(name)), public, registry=registry).payload

    assert second == judged.payload == from_base64url(parts_of(name)[1])


@pytest.mark.parametrize(("name", "key"), COSE_SIGNERS.items())
def test_pycose_verifies_cose(name: str, key: str) -> None:
    """The library pycose verifies each COSE_Sign1, and not by another key."""
    message = read_cose(content(name))
    verdicts = {}
    for each in (key, "profile-signer"):
        message.key = cose_key_of(make_golden.read_key(HERE, each))
        verdicts[each] = message.verify_signature()

    assert verdicts == {key: True, "profile-signer": False}


@pytest.mark.parametrize(
    ("name", "alg", "key"),
    [
        ("initial.jws.mcpr", "ES256", "package"),
        ("initial-ed25519.jws.mcpr", "EdDSA", "package-ed25519"),
        ("reprovision.jws.mcpr", "ES256", "identity"),
    ],
)
def test_headers_of_jws_requests(name: str, alg: str, key: str) -> None:
    """Requests name algorithm, type and thumbprint; only a reprovision carries its signer's chain."""
    header = json.loads(from_base64url(parts_of(name)[0]))
    chain = [base64.b64decode(each) for each in header.pop("x5c", [])]

    kid = thumbprint_of(make_golden.read_key(HERE, key))
    assert header == {"alg": alg, "typ": "guardian-pr+jws", "kid": kid}
    assert chain == (ders("leaf-identity", "intermediate") if "reprovision" in name else [])


@pytest.mark.parametrize(("name", "key"), COSE_SIGNERS.items())
def test_headers_of_cose_requests(name: str, key: str) -> None:
    """The protected header has ES256 (1: -7), the thumbprint (4), and for a reprovision the chain (33)."""
    tag = cbor2.loads(content(name))
    header = dict(cbor2.loads(tag.value[0]))
    chain = [bytes(each) for each in header.pop(33, [])]

    assert (tag.tag, tag.value[1]) == (18, {})
    assert header == {1: -7, 4: thumbprint_of(make_golden.read_key(HERE, key)).encode()}
    assert chain == (ders("leaf-identity", "intermediate") if "reprovision" in name else [])


@pytest.mark.parametrize("name", [*make_golden.REQUEST_IDS])
def test_payloads_of_requests(name: str) -> None:
    """Every field is there; nonce and CSRs are bytes in CBOR, and each CSR proves that its key is held."""
    if "cose" in name:
        fields = dict(cbor2.loads(cbor2.loads(content(f"{name}.mcpr")).value[2]))
        nonce = fields.pop("nonce")
        csrs = {item["slot"]: bytes(item["csr"]) for item in fields.pop("csrs")}
    else:
        fields = json.loads(from_base64url(parts_of(f"{name}.mcpr")[1]))
        nonce = from_base64url(fields.pop("nonce"))
        csrs = {item["slot"]: base64.b64decode(item["csr"]) for item in fields.pop("csrs")}

    again = name.startswith("reprovision")
    identity = make_golden.REQUEST_IDS[name]
    assert fields == {**INITIAL, "request_id": identity, "reprovision": again}
    assert nonce == identity[:1].encode() * 16
    assert list(csrs) == ["identity", "tls", "signing"]
    for slot, csr in csrs.items():
        request = x509.load_der_x509_csr(csr)
        key = "next-identity" if again and slot == "identity" else slot
        assert request.is_signature_valid
        assert request.subject.rfc4514_string() == "CN=SN-0001"
        assert request.public_key() == make_golden.read_key(HERE, key).public_key()


def test_the_profile_answers_the_request() -> None:
    """The profile echoes id and nonce of the first request, and its chains end at the root."""
    header, payload, _signature = (from_base64url(part) for part in parts_of("certified-profile.mccp"))
    fields = json.loads(payload)
    chains = {
        item["slot"]: [base64.b64decode(each) for each in item["chain"]] for item in fields["certificates"]
    }

    kid = thumbprint_of(make_golden.read_key(HERE, "profile-signer"))
    assert json.loads(header) == {"alg": "ES256", "typ": "guardian-cp+jws", "kid": kid}
    assert fields["request_id"] == "11111111-1111-4111-8111-111111111111"
    assert from_base64url(fields["nonce"]) == b"1" * 16
    assert fields["system_instance"] == {"id": INITIAL["system_instance"]["id"], "name": "Ward A"}  # type: ignore[index]
    assert [base64.b64decode(each) for each in fields["trust"]] == ders("root")
    assert chains == {slot: ders(f"leaf-{slot}", "intermediate") for slot in ("identity", "tls", "signing")}


def test_openssl_verifies_the_chains() -> None:
    """OpenSSL builds the chain of every leaf up to the root."""
    words = ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "intermediate.pem"]
    leaves = ["leaf-identity.pem", "leaf-tls.pem", "leaf-signing.pem"]
    ran = subprocess.run([*words, *leaves], cwd=HERE, capture_output=True, check=False, timeout=30)

    assert ran.stdout.decode().splitlines() == [f"{leaf}: OK" for leaf in leaves]


def test_the_files_can_be_made_anew(tmp_path: Path) -> None:
    """What made the golden files makes files of the same names and payloads, with new keys, anywhere."""
    make_golden.make_all(tmp_path)

    made = {file.name for file in tmp_path.iterdir()}
    assert made == {file.name for file in HERE.iterdir() if file.suffix in {".pem", ".mcpr", ".mccp"}}
    fresh = json.loads((tmp_path / "initial.jws.mcpr").read_bytes())["payload"]
    assert json.loads(from_base64url(fresh)).items() >= INITIAL.items()


def ders(*names: str) -> list[bytes]:
    """Return golden certificates as DER."""
    return [make_golden.certificate(HERE, name).public_bytes(serialization.Encoding.DER) for name in names]
