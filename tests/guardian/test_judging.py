"""What OpenSSL is asked about certificates and signatures, with the golden files of another tool."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from harness.errors import BoardFault, RigFault
from harness_guardian.enums import KeyType
from harness_guardian.judging import chain_problem, proof_problem, read_certificate

GOLDEN = Path(__file__).parent / "golden"
CHALLENGE = b"prove it"


def _text(name: str) -> str:
    return (GOLDEN / name).read_text()


def _sign(name: str, data: bytes) -> bytes:
    key = load_pem_private_key((GOLDEN / name).read_bytes(), None)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("slot", ["identity", "tls", "signing"])
def test_chain_and_proof(slot: str) -> None:
    """A chain to its root, and what the key of its leaf signed."""
    leaf, key = _text(f"leaf-{slot}.pem"), f"{slot}.sample.pem"

    assert chain_problem([leaf, _text("intermediate.pem")], _text("root.pem")) == ""
    assert proof_problem(leaf, CHALLENGE, _sign(key, CHALLENGE)) == ""
    assert proof_problem(leaf, b"something else", _sign(key, CHALLENGE)) != ""
    assert proof_problem(leaf, CHALLENGE, b"no signature") != ""


def test_chain_with_a_gap() -> None:
    """Without the intermediate, or to another root, it is none; OpenSSL says why."""
    leaf, intermediate = _text("leaf-identity.pem"), _text("intermediate.pem")

    assert "unable to get local issuer" in chain_problem([leaf], _text("root.pem"))
    assert chain_problem([leaf, intermediate], _text("leaf-tls.pem")) != ""


@pytest.mark.parametrize(
    ("slot", "kind"), [("identity", KeyType.P256), ("tls", KeyType.P384), ("signing", KeyType.ED25519)]
)
def test_facts(slot: str, kind: KeyType) -> None:
    """Which kind of key a certificate has, and whose it says that it is."""
    facts = read_certificate(_text(f"leaf-{slot}.pem"))

    assert facts.key is kind
    assert facts.common_name
    assert read_certificate(_text("root.pem")).usages == frozenset()


def test_no_certificate() -> None:
    """What cannot be read is the board's fault."""
    with pytest.raises(BoardFault, match="a certificate cannot be read"):
        read_certificate("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")


def test_host_without_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that cannot judge is told so; nothing is taken for good."""
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(RigFault, match="openssl, which judges certificates, cannot be run"):
        chain_problem([_text("leaf-tls.pem")], _text("root.pem"))
