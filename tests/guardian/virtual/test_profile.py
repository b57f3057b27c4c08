"""What the board checks of a certified profile: each check refuses a profile that is wrong in just that."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness_guardian.virtual.package import read_package
from harness_guardian.virtual.profile import ProfileRefused, accept
from harness_guardian.virtual.records import Pending
from tests.guardian.making import (
    base64url,
    from_base64url,
    make_key,
    make_package,
    pem_of,
    sign_jws,
    thumbprint_of,
)
from tests.guardian.virtual.paper_bench import Refused
from tests.guardian.virtual.paper_service import INSTANCE, OTHER_INSTANCE

if TYPE_CHECKING:
    from tests.guardian.virtual.profile_bench import ProfileBench

GOLDEN = Path(__file__).parents[1] / "golden"
NOON = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
DAY = 24 * 3600.0
ALL = "identity, signing, tls"
NO_JWS = "it is no JWS in compact form"
STRANGER = "its signature is not by the pinned profile signer"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ver": 2}, "its payload is not of version 1"),
        ({"request_id": str(uuid.uuid4())}, "it answers another request"),
        ({"nonce": base64url(b"0" * 16)}, "it does not echo the nonce of the request"),
        ({"nonce": None}, "it does not echo the nonce of the request"),
        ({"system": "Other pumps"}, "it is for another system"),
        ({"component": "sensor"}, "it is for another component"),
        ({"hw_id": "SN-0002"}, "it is for another hardware id"),
        ({"system_instance": {"id": OTHER_INSTANCE}}, "it is for another system instance"),
        ({"system_instance": "Ward A"}, "it is for another system instance"),
        ({"issued_at": "2026-11-21"}, "it does not say when it was issued and how long it is valid"),
        ({"issued_at": 7}, "it does not say when it was issued and how long it is valid"),
        ({"not_after": None}, "it does not say when it was issued and how long it is valid"),
        ({"not_after": "2026-01-01T00:00:00Z"}, "it is not valid any more"),
        ({"issued_at": "2126-01-01T00:00:00Z"}, "it was issued in the future"),
        ({"trust": []}, "its trust cannot be read"),
        ({"trust": ["not base64"]}, "its trust cannot be read"),
        ({"trust": [7]}, "its trust cannot be read"),
        ({"certificates": None}, "its certificates cannot be read"),
        ({"certificates": [7]}, "its certificates cannot be read"),
        ({"certificates": [{"slot": "tls", "chain": "AA=="}]}, "its certificates cannot be read"),
        (
            {"certificates": []},
            f"it has certificates for no slot, and the request asked for {ALL}",
        ),
        ({"response_id": None}, "it has no response_id"),
        ({"component_instance_id": 7}, "it has no component_instance_id"),
    ],
)
def test_what_it_says(bench: ProfileBench, changes: dict[str, Any], text: str) -> None:
    """A profile that says something else than it must is refused, though everything else is right."""
    bench.refuses(bench.profile(**changes), text)


def test_signed_by_another_key(bench: ProfileBench) -> None:
    """A key that is not the pinned one cannot make a profile, whatever it calls itself."""
    other = make_key()
    bench.refuses(bench.profile(signer=other), "it names another key than the pinned profile signer")


def test_signed_in_the_name_of_the_pinned_key(bench: ProfileBench) -> None:
    """The name of the pinned key is no signature of it."""
    payload = json.loads(from_base64url(bench.profile().decode().split(".")[1]))
    kid = thumbprint_of(bench.service.profile_key)
    forged = sign_jws(payload, make_key(), kid=kid, typ="guardian-cp+jws", compact=True)

    bench.refuses(forged, STRANGER)


def test_changed_on_the_way(bench: ProfileBench) -> None:
    """A profile that was changed after it was signed is refused."""
    header, payload, signature = bench.profile().decode().split(".")
    changed = base64url(from_base64url(payload).replace(b"/crl", b"/cry"))

    bench.refuses(
        f"{header}.{changed}.{signature}".encode(), "its signature is not by the pinned profile signer"
    )


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ({"typ": "guardian-pr+jws"}, "its type is not that of a certified profile"),
        ({"typ": None}, "its type is not that of a certified profile"),
        ({"alg": "none"}, "its algorithm is not ES256, that of the pinned profile signer"),
        ({"alg": "EdDSA"}, "its algorithm is not ES256, that of the pinned profile signer"),
        ({"crit": ["b64"]}, "its algorithm is not ES256, that of the pinned profile signer"),
        ({"kid": "another"}, "it names another key than the pinned profile signer"),
    ],
)
def test_header(bench: ProfileBench, header: dict[str, Any], text: str) -> None:
    """Type, algorithm and key name must be those that are pinned; unknown demands are not overlooked."""
    protected, payload, signature = bench.profile().decode().split(".")
    fields = {**json.loads(from_base64url(protected)), **header}
    changed = json.dumps({name: value for name, value in fields.items() if value is not None})

    bench.refuses(f"{base64url(changed.encode())}.{payload}.{signature}".encode(), text)


@pytest.mark.parametrize("content", [b"nonsense", b"a.b", b"a.b.c", b"!.!.!", b"\xff", b"W10.e30.AA"])
def test_no_jws(bench: ProfileBench, content: bytes) -> None:
    """What is no JWS in compact form is refused as that, or by its header."""
    bench.refuses(
        content, "its header is no object" if content == b"W10.e30.AA" else "it is no JWS in compact form"
    )


def test_payload_that_is_no_json(bench: ProfileBench) -> None:
    """Signed nonsense is nonsense."""
    signed = sign_jws(b"nonsense", bench.service.profile_key, typ="guardian-cp+jws", compact=True)

    bench.refuses(signed, "its payload is no JSON")


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (366 * DAY, "it is not valid any more"),
        (-DAY, "it was issued in the future"),
    ],
)
def test_clock_of_the_board(bench: ProfileBench, offset: float, text: str) -> None:
    """What is valid now says the board's own clock."""
    bench.board.call("set_clock", offset_seconds=offset)
    bench.board.put("profile", bench.profile())
    with pytest.raises(Refused, match=text):
        bench.board.ask("install")

    bench.board.call("clear_faults")
    bench.board.ask("install")


def test_clock_before_the_certificates(bench: ProfileBench) -> None:
    """By a clock that is some minutes slow the profile is taken, but no certificate that begins later."""
    bench.board.call("set_clock", offset_seconds=-240)
    bench.board.put("profile", bench.profile())

    with pytest.raises(Refused, match="the certificate is not valid yet"):
        bench.board.ask("install")


def test_golden_profile() -> None:
    """The golden profile, made by OpenSSL and jwcrypto, is accepted for the golden request, and no other."""
    keys = {slot: golden_key(slot) for slot in ("identity", "tls", "signing")}
    package = read_package(
        make_package(
            system="Golden pumps",
            instance=INSTANCE,
            signer=golden_key("package"),
            profile_signer=golden_key("profile-signer"),
            root=x509.load_pem_x509_certificate((GOLDEN / "root.pem").read_bytes()),
            components={"pump": {"identity": "P-256"}},
        )
    )
    fields: dict[str, Any] = {
        "request_id": "11111111-1111-4111-8111-111111111111",
        "nonce": base64url(b"1" * 16),
        "reprovision": False,
        "system": "Golden pumps",
        "instance_id": INSTANCE["id"],
        "component": "pump",
        "hw_id": "SN-0001",
        "source": "Cloud",
        "form": "jws",
        "package": "",
        "keys": {slot: pem_of(key) for slot, key in keys.items()},
    }
    content = (GOLDEN / "certified-profile.mccp").read_bytes()

    accepted = accept(content, Pending(**fields), package, NOON)

    leaves = {slot: chain[0] for slot, chain in accepted.chains.items()}
    assert leaves == {slot: golden_der(f"leaf-{slot}") for slot in keys}
    assert {chain[1] for chain in accepted.chains.values()} == {golden_der("intermediate")}
    with pytest.raises(ProfileRefused, match="answers another request"):
        accept(content, Pending(**{**fields, "request_id": "2"}), package, NOON)


def golden_key(name: str) -> Any:
    """Return a sample key."""
    return serialization.load_pem_private_key((GOLDEN / f"{name}.sample.pem").read_bytes(), None)


def golden_der(name: str) -> bytes:
    """Return a golden certificate."""
    certificate = x509.load_pem_x509_certificate((GOLDEN / f"{name}.pem").read_bytes())
    return certificate.public_bytes(serialization.Encoding.DER)
