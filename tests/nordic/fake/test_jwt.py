"""Devices' JWTs: the published one and joserfc's verify, every forgery is told apart."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.enums import DeviceType
from harness_nordic.fake.jwt import verify_jwt
from harness_nordic.fake.records import FactoryRecord
from harness_nordic.fake.refusals import NotAllowed, NotAuthenticated, Refusal
from harness_nordic.fake.tokens import load_public_key

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_700_000_000.0
# The vector of the nrfcloud fact sheet, section 4.5: iat 1700000000, exp 300 s later.
POINT = (
    "04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f"
    "4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354"
)
JWT = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImYxZDU5NDQ5YjcyNzE2NWRlNzMyYmYyODMzMzgxMjJiOTk2MjhhNjE1OTE4Zm"
    "VkYzY3ZDg3OGZmZmNmNDdkYTcifQ.eyJpc3MiOiJuUkY5MTUxLjUwMzYzMTU0LTM5MzEtNGFhYS04YmJiLTAwMDEwMjAzMDQwNSIsImp0aS"
    "I6Im5SRjkxNTEuMjVjOTU3NTEtZWZhNC00MGQ0LThiNGEtMWRjYWFiODFmYWM5LjAwMDEwMjAzMDQwNTA2MDcwODA5MGEwYjBjMGQwZTBmI"
    "iwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAzMDB9.Uckp7Y5K0p40sFTBq7hcS4VFaoTe3U-GL4YuGcuTb-sEWdF5E15ZfhTsI8X"
    "mzLUA_nZA1Ffccwyzj9OYtuRSRg"
)
RECORD = FactoryRecord(
    id="50363154-3931-4aaa-8bbb-000102030405",
    public_key=load_public_key(POINT),
    imei="359404230261381",
    device_type=DeviceType.NRF9151_LACA,
    firmware_id="25c95751-efa4-40d4-8b4a-1dcaab81fac9",
)


def verify(jwt: str, *records: FactoryRecord, now: float = NOW) -> FactoryRecord:
    """Verify with a registry of some records."""
    return verify_jwt(jwt, {record.id: record for record in records or (RECORD,)}.get, now=now)


def record_of(device: Any) -> FactoryRecord:
    """Return the factory record of a test's device."""
    return FactoryRecord(
        id=device.id,
        public_key=device.key.public_key(),
        imei=device.imei,
        device_type=DeviceType.NRF9151_LACA,
        firmware_id=RECORD.firmware_id,
    )


def part(value: object) -> str:
    """Encode a part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_published_jwt_verifies() -> None:
    """The published JWT, with its key id, is that of its device."""
    assert verify(JWT) is RECORD


@pytest.mark.parametrize(("seconds", "good"), [(359, True), (360, False), (100_000, False), (-100_000, True)])
def test_life_of_a_jwt(seconds: float, *, good: bool) -> None:
    """A JWT lives until its expiry and a minute of clock skew longer."""
    if good:
        assert verify(JWT, now=NOW + seconds) is RECORD
    else:
        with pytest.raises(NotAllowed, match="expired"):
            verify(JWT, now=NOW + seconds)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_changed_part(number: int) -> None:
    """A changed character in any part, and the JWT proves nothing."""
    parts = JWT.split(".")
    old = parts[number][60]
    parts[number] = parts[number][:60] + ("A" if old != "A" else "B") + parts[number][61:]

    with pytest.raises(Refusal):
        verify(".".join(parts))


def test_jwt_of_joserfc(make_device: Callable[[int], Any]) -> None:
    """What another library signs with the device's key is accepted."""
    device = make_device(1)
    record = record_of(device)

    assert verify(device.jwt(), record) is record
    assert verify(device.jwt(header={"kid": record.key_id}), record) is record


def test_jwt_of_another_key(make_device: Callable[[int], Any]) -> None:
    """What another device signed in this device's name is refused."""
    device, other = make_device(1), make_device(2)

    with pytest.raises(NotAllowed, match="signature"):
        verify(device.jwt(key=other.key), record_of(device), record_of(other))


def test_jwt_with_another_key_id(make_device: Callable[[int], Any]) -> None:
    """A JWT that names another key is refused though the signature is the device's."""
    device = make_device(1)

    with pytest.raises(NotAllowed, match="another key"):
        verify(device.jwt(header={"kid": "00" * 32}), record_of(device))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES384", None, 7])
def test_jwt_with_another_algorithm(algorithm: object) -> None:
    """A JWT that does not say ES256 is refused, whatever stands in its signature."""
    _, claims, signature = JWT.split(".")

    for end in ("", signature):
        with pytest.raises(NotAllowed, match="ES256"):
            verify(f"{part({'alg': algorithm, 'typ': 'JWT'})}.{claims}.{end}")


def test_jwt_with_a_critical_extension() -> None:
    """An extension that must be understood is not."""
    _, claims, signature = JWT.split(".")

    with pytest.raises(NotAllowed, match="extension"):
        verify(f"{part({'alg': 'ES256', 'crit': ['b64']})}.{claims}.{signature}")


def test_jwt_without_expiry(make_device: Callable[[int], Any]) -> None:
    """A JWT that never ends is refused."""
    device = make_device(1)

    with pytest.raises(NotAllowed, match="expiry"):
        verify(device.jwt(expires=None), record_of(device))


@pytest.mark.parametrize(
    "issuer",
    [
        "50363154-3931-4aaa-8bbb-000102030405",
        "nRF9151.50363154-3931-4aaa-8bbb-000102030406",
        "nRF9151.x.50363154-3931-4aaa-8bbb-000102030405",
        "nRF9151.",
        "",
        7,
        None,
    ],
)
def test_jwt_of_nobody(issuer: object) -> None:
    """A JWT whose issuer is no known device is not that of anybody."""
    header, _, signature = JWT.split(".")

    with pytest.raises(NotAuthenticated, match="unknown"):
        verify(f"{header}.{part({'iss': issuer, 'exp': NOW + 300})}.{signature}")


@pytest.mark.parametrize(
    "jwt",
    [
        "",
        "a.b",
        "a.b.c.d",
        "...",
        f"{part([])}.{part({})}.AAAA",
        f"{part({})}.{part(7)}.AAAA",
        f"{part({})}.{part({})}.A=",
        f"{base64.urlsafe_b64encode(b'[' * 100_000).decode().rstrip('=')}.{part({})}.AAAA",
        f"{base64.urlsafe_b64encode(b'9' * 5_000).decode().rstrip('=')}.{part({})}.AAAA",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_jwt(jwt: str) -> None:
    """Text that is no JWT is nobody's."""
    with pytest.raises(NotAuthenticated):
        verify(jwt)


@given(
    st.text(max_size=100),
    st.dictionaries(st.sampled_from(["iss", "exp", "alg", "kid"]), st.text() | st.floats()),
)
def test_any_text_is_refused(text: str, claims: dict[str, Any]) -> None:
    """Nothing made up is a device's JWT, and nothing made up breaks the check."""
    good_issuer = {"iss": f"nRF9151.{RECORD.id}", **claims}
    for jwt in (
        text,
        f"{part(claims)}.{part(good_issuer)}.{text}",
        f"{JWT.partition('.')[0]}.{part(good_issuer)}.AAAA",
    ):
        with pytest.raises(Refusal):
            verify(jwt)


def test_key_of_another_curve_signs_nothing() -> None:
    """A signature of another length than P-256 gives is refused."""
    header, claims, _ = JWT.split(".")
    long = base64.urlsafe_b64encode(
        ec.generate_private_key(ec.SECP384R1()).private_numbers().private_value.to_bytes(48, "big") * 2
    )

    with pytest.raises(NotAllowed, match="signature"):
        verify(f"{header}.{claims}.{long.decode()}")
