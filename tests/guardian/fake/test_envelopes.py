"""Requests as jwcrypto and pycose write them, and as nobody should: read, undecodable, or malformed."""

from __future__ import annotations

import base64
import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness_guardian.fake.envelopes import (
    COSE_TYPE,
    JWS_TYPE,
    LARGEST_REQUEST,
    Envelope,
    PublicKey,
    read_envelope,
)
from harness_guardian.fake.refusals import Refused
from harness_guardian.fake.submitting import read
from tests.guardian.making import PaperDevice, base64url, make_key, sign_cose, sign_jws, thumbprint_of
from tests.guardian.making_profiles import make_authority

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = make_key()
ED_KEY = make_key("Ed25519")
AUTHORITY = make_authority()
LEAF = AUTHORITY.issue(KEY.public_key(), hw_id="SN-1").public_bytes(Encoding.DER)
MADE = {
    form: PaperDevice(system="Wards", signer=KEY, slots={"identity": "P-256"}).request(form)
    for form in ("jws", "cose")
}
TYPES = {"jws": JWS_TYPE, "cose": COSE_TYPE}


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.parametrize("key", [KEY, ED_KEY], ids=["ES256", "EdDSA"])
@pytest.mark.parametrize("said", [True, False], ids=["type said", "type unsaid"])
def test_what_other_libraries_write_is_read_and_verifies(form: str, key: Any, *, said: bool) -> None:
    """Both forms with both algorithms: signer, payload and signature are those that were put in."""
    made = PaperDevice(system="Wards", signer=key, slots={"identity": "P-256"}).request(form)
    envelope = read_envelope(made.content, TYPES[form] if said else "application/octet-stream")
    assert envelope.fault is None
    assert envelope.kid == thumbprint_of(key)
    assert envelope.chain == ()
    assert envelope.payload["hw_id"] == made.payload["hw_id"]
    assert envelope.is_signed_by(key.public_key())
    other: PublicKey = make_key("P-256" if key is KEY else "Ed25519").public_key()
    assert not envelope.is_signed_by(other)
    assert not envelope.is_signed_by((ED_KEY if key is KEY else KEY).public_key())


@pytest.mark.parametrize("form", ["jws", "cose"])
@pytest.mark.parametrize("length", [1, 2])
def test_the_chain_of_a_signer_is_read(form: str, length: int) -> None:
    """A request of a device that has an identity says so by its chain, leaf first."""
    chain = (LEAF, AUTHORITY.intermediate.public_bytes(Encoding.DER))[:length]
    device = PaperDevice(system="Wards", signer=KEY, slots={"identity": "P-256"}, chain=chain)
    envelope = read_envelope(device.request(form).content, TYPES[form])
    assert envelope.fault is None
    assert tuple(each.public_bytes(Encoding.DER) for each in envelope.chain) == chain


@pytest.mark.parametrize("form", ["jws", "cose"])
def test_the_payload_is_the_same_in_both_forms(form: str) -> None:
    """Texts of JSON and bytes of CBOR become the same nonce and the same CSRs."""
    made = MADE[form]
    payload = read(made.content, made.media_type).payload
    assert payload is not None
    assert payload.nonce == made.nonce
    assert payload.csr("identity") == base64.b64decode(made.payload["csrs"][0]["csr"])
    assert payload.csr("tls") is None
    assert x509.load_der_x509_csr(payload.csrs[0].csr).is_signature_valid


def jws_with(**changes: Any) -> bytes:
    """Change members of a JWS; ``None`` leaves one out."""
    document = {**json.loads(MADE["jws"].content), **changes}
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


def header_with(**changes: Any) -> bytes:
    """Change the protected header of a JWS; ``None`` leaves a parameter out."""
    document = json.loads(MADE["jws"].content)
    header = json.loads(base64.urlsafe_b64decode(document["protected"] + "=="))
    header = {name: value for name, value in {**header, **changes}.items() if value is not None}
    return jws_with(protected=base64url(json.dumps(header).encode()))


def cose_with(index: int, value: Any, tag: int | None = 18) -> bytes:
    """Change a part of a COSE_Sign1."""
    parts = list(cbor2.loads(MADE["cose"].content).value)
    parts[index] = value
    return cbor2.dumps(parts if tag is None else cbor2.CBORTag(tag, parts))


def protected_with(changes: dict[Any, Any]) -> bytes:
    """Change the protected header of a COSE_Sign1; ``None`` leaves a parameter out."""
    header = {**cbor2.loads(cbor2.loads(MADE["cose"].content).value[0]), **changes}
    return cose_with(0, cbor2.dumps({name: value for name, value in header.items() if value is not None}))


UNDECODABLE: dict[str, tuple[str, bytes]] = {
    "nothing": ("jws", b""),
    "no JSON": ("jws", b"{"),
    "no text": ("jws", b"\xff\xfe"),
    "deep JSON": ("jws", b"[" * 60_000),
    "no object": ("jws", b"[]"),
    "no payload": ("jws", jws_with(payload=None)),
    "payload no text": ("jws", jws_with(payload=7)),
    "payload no base64url": ("jws", jws_with(payload="a+b")),
    "payload no JSON": ("jws", jws_with(payload=base64url(b"hello"))),
    "payload no object": ("jws", jws_with(payload=base64url(b"[1]"))),
    "no CBOR": ("cose", b"\xff"),
    "CBOR cut off": ("cose", MADE["cose"].content[:-1]),
    "CBOR and more": ("cose", MADE["cose"].content + b"\x00"),
    "CBOR date that is none": ("cose", b"\xc0\x63abc"),
    "no array": ("cose", cbor2.dumps({"payload": 1})),
    "array of three": ("cose", cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b""]))),
    "payload no bytes": ("cose", cose_with(2, "text")),
    "payload detached": ("cose", cose_with(2, None)),
    "payload no map": ("cose", cose_with(2, cbor2.dumps([1]))),
    "payload of numbers": ("cose", cose_with(2, cbor2.dumps({1: 2}))),
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_has_no_payload_is_no_request(name: str) -> None:
    """What not even a payload can be read of is refused with 400, and no row comes of it."""
    form, content = UNDECODABLE[name]
    with pytest.raises(Refused) as refusal:
        read(content, TYPES[form])
    assert (refusal.value.status, refusal.value.slug) == (400, "undecodable")


@pytest.mark.parametrize("field", ["ver", "request_id", "system", "component", "hw_id"])
@pytest.mark.parametrize("value", [None, "", ["x"], 1.5], ids=repr)
def test_a_payload_that_does_not_say_of_whom_it_is_is_no_request(field: str, value: Any) -> None:
    """Without version, id, system, component or hardware id there is nothing that a row could show."""
    if (field, value) == ("request_id", ""):
        value = None  # an empty id is one, if no good one: the service makes its own
    device = PaperDevice(system="Wards", signer=KEY, slots={"identity": "P-256"})
    for form in ("jws", "cose"):
        with pytest.raises(Refused) as refusal:
            read(device.request(form, **{field: value}).content, TYPES[form])
        assert (refusal.value.status, refusal.value.slug) == (400, "undecodable")
        assert field in refusal.value.detail


MALFORMED: dict[str, tuple[str, bytes]] = {
    "payload padded": ("jws", jws_with(payload=json.loads(MADE["jws"].content)["payload"] + "=")),
    "no signature": ("jws", jws_with(signature=None)),
    "signature no text": ("jws", jws_with(signature=7)),
    "signature no base64url": ("jws", jws_with(signature="a/b")),
    "signature with unused bits": ("jws", jws_with(signature="A" * 85 + "B")),
    "signature too short": ("jws", jws_with(signature=base64url(bytes(63)))),
    "signature in DER": ("jws", jws_with(signature=base64url(bytes(70)))),
    "general, not flattened": ("jws", jws_with(signature=None, signatures=[])),
    "no header": ("jws", jws_with(protected=None)),
    "header no base64url": ("jws", jws_with(protected="a+b")),
    "header no JSON": ("jws", jws_with(protected=base64url(b"{"))),
    "header no object": ("jws", jws_with(protected=base64url(b"[]"))),
    "no algorithm": ("jws", header_with(alg=None)),
    "algorithm none": ("jws", header_with(alg="none")),
    "algorithm HS256": ("jws", header_with(alg="HS256")),
    "algorithm ES384": ("jws", header_with(alg="ES384")),
    "no type": ("jws", header_with(typ=None)),
    "type of a profile": ("jws", header_with(typ="guardian-cp+jws")),
    "no kid": ("jws", header_with(kid=None)),
    "kid no text": ("jws", header_with(kid=7)),
    "unknown extension": ("jws", header_with(crit=["exp"])),
    "payload not encoded": ("jws", header_with(b64=False)),
    "chain no list": ("jws", header_with(x5c=base64.b64encode(LEAF).decode())),
    "chain of nothing": ("jws", header_with(x5c=[])),
    "chain no base64": ("jws", header_with(x5c=["a"])),
    "chain no certificate": ("jws", header_with(x5c=[base64.b64encode(b"leaf").decode()])),
    "no tag": ("cose", cose_with(1, {}, tag=None)),
    "tag of COSE_Mac0": ("cose", cose_with(1, {}, tag=17)),
    "COSE signature too long": ("cose", cose_with(3, bytes(65))),
    "COSE signature no bytes": ("cose", cose_with(3, "text")),
    "protected no bytes": ("cose", cose_with(0, {})),
    "protected no CBOR": ("cose", cose_with(0, b"\xff")),
    "protected no map": ("cose", cose_with(0, b"\x01")),
    "COSE no algorithm": ("cose", protected_with({1: None})),
    "COSE ES384": ("cose", protected_with({1: -35})),
    "COSE no kid": ("cose", protected_with({4: None})),
    "COSE kid no bytes": ("cose", protected_with({4: "kid"})),
    "COSE kid no thumbprint": ("cose", protected_with({4: b"\xff"})),
    "COSE unknown extension": ("cose", protected_with({2: [99]})),
    "COSE chain no certificate": ("cose", protected_with({33: b"leaf"})),
    "COSE chain of texts": ("cose", protected_with({33: ["leaf"]})),
    "COSE chain of nothing": ("cose", protected_with({33: []})),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_an_envelope_that_is_wrong_has_a_payload_all_the_same(name: str) -> None:
    """What can be read gets a row that says what is wrong: the fault is there, and no key verifies it."""
    form, content = MALFORMED[name]
    envelope = read(content, TYPES[form]).envelope
    assert envelope.fault
    assert envelope.payload["system"] == "Wards"
    assert not envelope.is_signed_by(KEY.public_key())


def test_a_kid_may_be_the_thumbprint_itself() -> None:
    """COSE has no need for text: a kid of 32 bytes is the thumbprint that JOSE writes in base64url."""
    raw = base64.urlsafe_b64decode(thumbprint_of(KEY) + "=")
    assert read_envelope(protected_with({4: raw}), COSE_TYPE).kid == thumbprint_of(KEY)


@pytest.mark.parametrize("make", [sign_jws, sign_cose], ids=["jws", "cose"])
def test_a_changed_payload_does_not_verify(make: Callable[..., bytes]) -> None:
    """Whoever changes one letter behind the signature is found out."""
    content = make({"system": "Wards", "hw_id": "SN-1"}, KEY)
    form = "jws" if make is sign_jws else "cose"
    if form == "jws":
        document = json.loads(content)
        document["payload"] = base64url(b'{"system": "Wards", "hw_id": "SN-2"}')
        changed = json.dumps(document).encode()
    else:
        changed = content.replace(b"SN-1", b"SN-2")
    assert read_envelope(content, TYPES[form]).is_signed_by(KEY.public_key())
    assert not read_envelope(changed, TYPES[form]).is_signed_by(KEY.public_key())


def test_a_request_may_have_64_kib() -> None:
    """The limit is exact: a byte more is refused with 413."""
    content = MADE["jws"].content
    whole = content[:-1] + b" " * (LARGEST_REQUEST - len(content)) + b"}"
    assert len(whole) == 65536
    assert read_envelope(whole, JWS_TYPE).fault is None
    with pytest.raises(Refused) as refusal:
        read_envelope(whole + b" ", JWS_TYPE)
    assert (refusal.value.status, refusal.value.slug) == (413, "too-large")


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/guardian-cp+jws"])
def test_other_media_types_are_refused(media_type: str) -> None:
    """A request is sent as what it is, or the type is left unsaid: anything else is refused with 415."""
    with pytest.raises(Refused) as refusal:
        read_envelope(MADE["jws"].content, media_type)
    assert (refusal.value.status, refusal.value.slug) == (415, "media-type")


@settings(deadline=None)
@given(content=st.binary(max_size=200), form=st.sampled_from(["jws", "cose"]))
def test_nonsense_is_refused(content: bytes, form: str) -> None:
    """No bytes make the reader fail."""
    with pytest.raises(Refused):
        read(content, TYPES[form])


@settings(deadline=None)
@given(
    form=st.sampled_from(["jws", "cose"]),
    place=st.integers(0, 10_000),
    byte=st.integers(0, 255),
    cut=st.booleans(),
)
def test_damaged_requests_are_refused_or_do_not_verify(
    form: str, place: int, byte: int, *, cut: bool
) -> None:
    """One wrong byte anywhere: the request is undecodable, malformed, does not verify, or says the same."""
    content = MADE[form].content
    place %= len(content)
    damaged = content[:place] if cut else content[:place] + bytes([byte]) + content[place + 1 :]
    with contextlib.suppress(Refused):
        arrival = read(damaged, TYPES[form])
        if arrival.envelope.is_signed_by(KEY.public_key()):
            assert arrival.payload == read(content, TYPES[form]).payload


FIELDS = ["nonce", "csrs", "created_at", "system_instance", "request_id", "source", "previous", "reprovision"]
VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["slot", "csr", "id"]), inner)
    ),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None)
@given(field=st.sampled_from(FIELDS), value=VALUES)
def test_any_value_in_a_payload_is_judged(field: str, value: Any) -> None:
    """Whatever stands in a field of a payload: its row says that it is wrong, or it is no request at all."""
    assume(not (value is None and field in {"source", "previous"}))
    payload = {**cbor2.loads(cbor2.loads(MADE["cose"].content).value[2]), field: value}
    with contextlib.suppress(Refused):
        arrival = read(cose_with(2, cbor2.dumps(payload)), COSE_TYPE)
        assert isinstance(arrival.envelope, Envelope)
        assert (arrival.payload is None) == bool(arrival.fault)
        if arrival.payload is not None:
            assert len(arrival.payload.nonce) == 16
            assert str(uuid.UUID(arrival.payload.request_id)) == arrival.payload.request_id
            assert arrival.payload.csrs
