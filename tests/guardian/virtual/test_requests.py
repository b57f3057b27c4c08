"""Provisioning requests, judged by jwcrypto, pycose, cbor2 and OpenSSL; and what can be forged in them."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from jwcrypto import jwk, jws  # type: ignore[import-untyped]  # it has no types
from jwcrypto.common import JWException  # type: ignore[import-untyped]  # as above

from harness_guardian.virtual.forging import FORGERIES
from harness_guardian.virtual.request import read_forwarded
from tests.guardian.making import (
    base64url,
    cose_key_of,
    from_base64url,
    make_key,
    pem_of,
    read_cose,
    thumbprint_of,
)
from tests.guardian.virtual.paper_bench import Refused
from tests.guardian.virtual.paper_service import INSTANCE, payload_of

if TYPE_CHECKING:
    from tests.guardian.virtual.paper_bench import BoardInHand
    from tests.guardian.virtual.paper_service import PaperService

GOLDEN = Path(__file__).parents[1] / "golden"
FIELDS = ["ver", "request_id", "system", "component", "hw_id", "reprovision"]


def envelope_of(board: BoardInHand) -> dict[str, str]:
    """Return the members of a request in JSON form."""
    fields: dict[str, str] = json.loads(board.get("request"))
    return fields


def header_of(board: BoardInHand) -> dict[str, Any]:
    """Return the protected header of a request in JSON form."""
    header: dict[str, Any] = json.loads(from_base64url(envelope_of(board)["protected"]))
    return header


def is_signed(content: bytes, key: Any) -> bool:
    """Let jwcrypto judge a request by a key."""
    token = jws.JWS()
    try:
        token.deserialize(content.decode())
        token.verify(jwk.JWK.from_pyca(key.public_key()), "ES256")
    except JWException:
        return False
    return True


def openssl_req(csr: bytes, tmp_path: Path) -> tuple[bool, str]:
    """Let OpenSSL judge a signing request; return whether its proof holds, and its subject."""
    file = tmp_path / "csr.der"
    file.write_bytes(csr)
    words = ["openssl", "req", "-verify", "-inform", "DER", "-in", file, "-noout", "-subject"]
    ran = subprocess.run([*map(str, words)], capture_output=True, check=False, timeout=30)
    told = (ran.stdout + ran.stderr).decode()
    return "verify OK" in told, "".join(line for line in told.splitlines() if line.startswith("subject"))


def test_initial_request(ready: BoardInHand, service: PaperService, tmp_path: Path) -> None:
    """Flattened JWS by the package key, with every field; each CSR proves its key and names the device."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    made = ready.ask("request")["request_id"]
    content = ready.get("request")

    assert is_signed(content, service.signer)
    assert header_of(ready) == {
        "alg": "ES256",
        "typ": "guardian-pr+jws",
        "kid": thumbprint_of(service.signer),
    }
    payload = payload_of(content)
    assert [payload[name] for name in FIELDS] == [1, made, "Paper pumps", "pump", "SN-0001", False]
    assert payload["system_instance"] == INSTANCE
    assert len(from_base64url(payload["nonce"])) == 16
    assert before <= datetime.fromisoformat(payload["created_at"]) <= datetime.now(UTC)
    assert "source" not in payload
    assert "previous" not in payload
    kinds = {}
    for item in payload["csrs"]:
        csr = base64.b64decode(item["csr"])
        assert openssl_req(csr, tmp_path) == (True, "subject=CN = SN-0001")
        kinds[item["slot"]] = x509.load_der_x509_csr(csr).public_key()
    assert list(kinds) == ["identity", "tls", "signing"]
    assert [getattr(getattr(key, "curve", None), "name", "ed25519") for key in kinds.values()] == [
        "secp256r1",
        "secp384r1",
        "ed25519",
    ]


def test_initial_request_as_cose(ready: BoardInHand, service: PaperService) -> None:
    """COSE_Sign1 with its tag; algorithm and key id are protected; pycose verifies; the same fields."""
    made = ready.ask("request format=cose source=Appliance")["request_id"]
    content = ready.get("request")
    message = read_cose(content)
    message.key = cose_key_of(service.signer)

    assert message.verify_signature()
    message.key = cose_key_of(make_key())
    assert not message.verify_signature()
    tag = cbor2.loads(content)
    assert tag.tag == 18
    assert dict(cbor2.loads(tag.value[0])) == {1: -7, 4: thumbprint_of(service.signer).encode()}
    payload = dict(cbor2.loads(tag.value[2]))
    assert [payload[name] for name in FIELDS] == [1, made, "Paper pumps", "pump", "SN-0001", False]
    assert payload["source"] == "Appliance"
    assert len(payload["nonce"]) == 16
    assert all(x509.load_der_x509_csr(item["csr"]).is_signature_valid for item in payload["csrs"])


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_reprovisioning_request(provisioned: BoardInHand, service: PaperService, form: str) -> None:
    """The identity signs, its chain is protected, and the response before is named."""
    provisioned.ask(f"request reprovision format={form}")
    content = provisioned.get("request")
    leaf, between = json.loads(from_base64url(provisioned.get("profile").decode().split(".")[1]))[
        "certificates"
    ][0]["chain"]
    certificate = x509.load_der_x509_certificate(base64.b64decode(leaf))
    key = jwk.JWK.from_pyca(certificate.public_key())

    if form == "jws":
        assert is_signed(content, certificate)
        assert header_of(provisioned)["x5c"] == [leaf, between]
        assert header_of(provisioned)["kid"] == key.thumbprint()
        payload = payload_of(content)
    else:
        protected, _unprotected, raw, _signature = cbor2.loads(content).value
        header = dict(cbor2.loads(protected))
        assert list(header[33]) == [base64.b64decode(leaf), base64.b64decode(between)]
        assert header[4].decode() == key.thumbprint()
        payload = dict(cbor2.loads(raw))
    assert payload["reprovision"] is True
    assert dict(payload["previous"]) == {"response_id": provisioned.status()["response_id"]}


def test_keys_are_fresh(ready: BoardInHand, service: PaperService) -> None:
    """No request asks for a certificate of a key that another one had."""
    seen: set[bytes] = set()
    for line in ("request", "request format=cose", "request source=Cloud format=jws"):
        ready.ask(line)
        for item in service.read(ready.get("request"))[1]["csrs"]:
            request = x509.load_der_x509_csr(base64.b64decode(item["csr"]))
            public = request.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            assert public not in seen
            seen.add(public)
    assert len(seen) == 9


def test_slots_of_the_component(ready: BoardInHand, service: PaperService) -> None:
    """The package says which slots a component has; where it does not, the firmware has its own."""
    slots = {}
    for component in ("sensor", "unheard-of"):
        ready.ask(f"init {component} SN-0001")
        ready.ask("request")
        slots[component] = [item["slot"] for item in service.read(ready.get("request"))[1]["csrs"]]

    assert slots == {"sensor": ["identity"], "unheard-of": ["identity", "tls", "signing"]}


def test_instance_of_ones_own(ready: BoardInHand, service: PaperService) -> None:
    """A component that was told another instance says that one, and no name for it."""
    ready.ask("init pump SN-0001 ward-9")
    ready.ask("request")

    assert service.read(ready.get("request"))[1]["system_instance"] == {"id": "ward-9"}


@pytest.mark.parametrize("kind", ["P-384", "Ed25519"])
def test_other_keys_of_a_package(ready: BoardInHand, service: PaperService, kind: str) -> None:
    """A package may have another kind of key; the algorithm is that of the key."""
    key = make_key(kind)
    ready.put("package", service.package(signer=key))
    ready.ask("request")
    token = jws.JWS()
    token.allowed_algs = ["ES384", "EdDSA"]
    token.deserialize(ready.get("request").decode())

    token.verify(jwk.JWK.from_pem(pem_of(key).encode()))

    assert header_of(ready)["alg"] == {"P-384": "ES384", "Ed25519": "EdDSA"}[kind]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("request reprovision", "no identity that could sign"),
        ("provision reprovision", "it is not provisioned"),
    ],
)
def test_nothing_to_reprovision(ready: BoardInHand, line: str, text: str) -> None:
    """A board without an identity cannot reprovision."""
    with pytest.raises(Refused, match=text):
        ready.ask(line)


def test_without_a_name(board: BoardInHand, service: PaperService) -> None:
    """A board that was not initialised makes no request."""
    board.put("package", service.package())

    assert board.say("request") == "ERROR 1 FAIL: the component is not initialised\n"
    assert board.status()["state"] == "blank"


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.parametrize("what", ["signature", "signature-length", "no-signature", "algorithm"])
def test_forged_signature(ready: BoardInHand, service: PaperService, what: str, form: str) -> None:
    """A forged envelope does not verify, in the way that was ordered; the next request is good again."""
    ready.call("forge", what=what)
    ready.ask(f"request format={form}")
    content = ready.get("request")
    if form == "jws":
        envelope = envelope_of(ready)
        size = len(from_base64url(envelope.get("signature", "")))
        algorithm = header_of(ready)["alg"]
        assert not is_signed(content, service.signer)
    else:
        protected, _unprotected, _payload, signature = cbor2.loads(content).value
        size, algorithm = len(signature), dict(cbor2.loads(protected))[1]
    assert size == {"signature-length": 63, "no-signature": 0}.get(what, 64)
    assert (algorithm in {"ES256", -7}) is (what != "algorithm")
    if form == "cose" and what == "signature":
        message = read_cose(content)
        message.key = cose_key_of(service.signer)
        assert not message.verify_signature()

    ready.ask("drop request")
    ready.ask(f"request format={form}")
    service.read(ready.get("request"))


def test_forged_signing_requests(ready: BoardInHand, service: PaperService, tmp_path: Path) -> None:
    """A proof of possession that does not hold, and a key that is the signer's."""
    proofs = {}
    for what in ("csr-signature", "csr-key-of-signer"):
        ready.call("forge", what=what)
        ready.ask("request")
        proofs[what] = [base64.b64decode(item["csr"]) for item in payload_of(ready.get("request"))["csrs"]]
        ready.ask("drop request")

    assert [openssl_req(csr, tmp_path)[0] for csr in proofs["csr-signature"]] == [False, True, True]
    assert [openssl_req(csr, tmp_path)[0] for csr in proofs["csr-key-of-signer"]] == [True, True, True]
    keys = [x509.load_der_x509_csr(csr).public_key() for csr in proofs["csr-key-of-signer"]]
    assert [key == service.signer.public_key() for key in keys] == [True, False, False]


def test_forged_payload(ready: BoardInHand) -> None:
    """Time, flag, missing fields and nonsense, each in a request that is signed well."""
    payloads = {}
    for what, value in (("created-at", -3600), ("reprovision-flag", None), ("payload", None)):
        ready.call("forge", what=what, value=value)
        ready.ask("request")
        payloads[what] = payload_of(ready.get("request"))
        ready.ask("drop request")

    behind = datetime.now(UTC) - datetime.fromisoformat(payloads["created-at"]["created_at"])
    assert timedelta(minutes=59) < behind < timedelta(minutes=61)
    assert payloads["reprovision-flag"]["reprovision"] is True
    assert "csrs" not in payloads["payload"]
    assert "csrs" in payloads["created-at"]


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_undecodable_payload(ready: BoardInHand, service: PaperService, form: str) -> None:
    """A payload that is none, under a good signature."""
    ready.call("forge", what="undecodable")
    ready.ask(f"request format={form}")
    content = ready.get("request")

    if form == "jws":
        assert is_signed(content, service.signer)
        assert from_base64url(envelope_of(ready)["payload"]) == b"no payload"
    else:
        assert cbor2.loads(content).value[2] == b"no payload"


def test_repeated_id_and_nonce(ready: BoardInHand) -> None:
    """A replay repeats id or nonce of the request before, or what it is given."""
    assert "expected one of" in refused(ready, what="everything")
    ready.call("forge", what="request-id")
    with pytest.raises(Refused, match="no request before this one"):
        ready.ask("request")
    ready.ask("request")
    first = payload_of(ready.get("request"))
    ready.ask("drop request")
    replays = []
    nonce = base64url(b"n" * 16)
    for what, value in (("request-id", None), ("nonce", None), ("request-id", "my-own"), ("nonce", nonce)):
        ready.call("forge", what=what, value=value)
        ready.ask("request")
        replays.append(payload_of(ready.get("request")))
        ready.ask("drop request")

    assert replays[0]["request_id"] == first["request_id"]
    assert replays[0]["nonce"] != first["nonce"]
    assert replays[1]["nonce"] == replays[0]["nonce"]
    assert (replays[2]["request_id"], replays[3]["nonce"]) == ("my-own", nonce)


def test_forgeries_are_counted(ready: BoardInHand) -> None:
    """A forgery meets as many requests as were ordered, several may meet one, and all end with the test."""
    ready.call("forge", what="reprovision-flag", times=2)
    ready.call("forge", what="payload")
    seen = []
    for _number in range(3):
        ready.ask("request")
        payload = payload_of(ready.get("request"))
        seen.append((payload["reprovision"], "csrs" in payload))
        ready.ask("drop request")
    ready.call("forge", what="payload")
    ready.call("clear_faults")
    ready.ask("request")

    assert seen == [(True, False), (True, True), (False, True)]
    assert "csrs" in payload_of(ready.get("request"))


@pytest.mark.parametrize(
    "params",
    [
        {"what": "weather"},
        {"what": "payload", "times": 0},
        {"what": "payload", "times": True},
        {"what": "payload", "value": 1},
        {"what": "created-at"},
        {"what": "created-at", "value": True},
        {"what": "nonce", "value": 7},
    ],
)
def test_unfit_forgeries(board: BoardInHand, params: dict[str, Any]) -> None:
    """What cannot be forged is refused."""
    assert "expected" in refused(board, **params)


def refused(board: BoardInHand, **params: Any) -> str:
    """Return why a forgery is refused."""
    with pytest.raises(ValueError, match="expected") as refusal:
        board.call("forge", **params)
    return str(refusal.value)


def test_all_forgeries_are_tried() -> None:
    """Every forgery that there is has its test here."""
    tried = Path(__file__).read_text(encoding="utf-8")

    assert [what for what in FORGERIES if tried.count(f'"{what}"') == 0] == []


@pytest.mark.parametrize(
    ("name", "request_id", "nonce"),
    [
        ("initial.jws", "11111111-1111-4111-8111-111111111111", b"1"),
        ("initial.cose", "22222222-2222-4222-8222-222222222222", b"2"),
        ("reprovision.jws", "44444444-4444-4444-8444-444444444444", b"4"),
        ("reprovision.cose", "55555555-5555-4555-8555-555555555555", b"5"),
    ],
)
def test_golden_requests_are_forwarded(name: str, request_id: str, nonce: bytes) -> None:
    """A board reads id and nonce out of the golden requests that others made."""
    forwarded = read_forwarded((GOLDEN / f"{name}.mcpr").read_bytes())

    assert (forwarded.request_id, forwarded.nonce) == (request_id, base64url(nonce * 16))
