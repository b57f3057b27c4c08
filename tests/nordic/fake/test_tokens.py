"""Attestation tokens and KEYGEN output: published vectors verify, everything tampered with is refused."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness_nordic.enums import DeviceType, KeygenOutput
from harness_nordic.fake import tokens
from harness_nordic.fake.refusals import TokenRefused

if TYPE_CHECKING:
    from collections.abc import Callable

# The vectors of the nrfcloud fact sheet, sections 4.4 and 4.5.
POINT = (
    "04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f"
    "4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354"
)
PEM = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0/7Kf1T9zQzB6Ze/\n"
    "N13KUVrQpsO0A19FNr46UPMY+/mlR1kCoiFQK+8NV+CMU7LMClbxfZ+TVA==\n"
    "-----END PUBLIC KEY-----\n"
)
ED25519 = (
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n"
)
KEY_ID = "f1d59449b727165de732bf283338122b99628a615918fedc67d878fffcf47da7"
DEVICE = "50363154-3931-4aaa-8bbb-000102030405"
TOKEN = (
    "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P."
    "0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
)
SIGNED = (
    "846a5369676e61747572653143a101265839d9d9f78501505036315439314aaa8bbb000102030405065025c95751efa440d48b"
    "4a1dcaab81fac950000102030405060708090a0b0c0d0e0ff6"
)
KEYGEN = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0_7Kf1T9zQzB6Ze_N13KUVrQpsO0A19FNr46UPMY-_mlR1kCoiFQK-8NV-"
    "CMU7LMClbxfZ-TVA.0oRDoQEmoQRBIVhP2dn3hQhQUDYxVDkxSqqLuwABAgMEBUUaAQEAAVgg8dWUSbcnFl3nMr8oMzgSK5liimFZGP7cZ"
    "9h4__z0fadQAAECAwQFBgcICQoLDA0OD1hAAyxOOw8NAire8KleeqM6XOi8V9QZi15xhCyQO3RejTJfILdspF9z9YBn7TjYOsTakbxhHRK"
    "ADDWI6AMOLeracQ"
)
SEED_TOKEN_BODY = (
    "d9d9f78501504961c873408c45ceb1ba7c0d99d881790350a4d580b9aafb4925bc8ddb95f737d4ae50e2d91a4bbd223b2e98fa504a"
    "728d9532"
)
SEED_TOKEN_SIGNATURE = (
    "e38aded93c24f6d08fdeef612530be0da5e115a723e1e45bcef47715b2ea98abbd627965f8cbb49b0ff91e42f4c24db4c1e464464d"
    "8c8d5b98c68c2c89d95931"
)


def halves(body: bytes, cose: bytes) -> str:
    """Join two halves to a token."""
    return ".".join(base64.urlsafe_b64encode(half).decode().rstrip("=") for half in (body, cose))


def parts_of(token: str) -> tuple[bytes, bytes]:
    """Take a token apart."""
    body, cose = (base64.urlsafe_b64decode(half + "=" * (-len(half) % 4)) for half in token.split("."))
    return body, cose


def check(text: str, **changes: Any) -> None:
    """Verify KEYGEN output as that of the published device."""
    wanted = {"device_id": DEVICE, "sec_tag": 16842753, "output": KeygenOutput.PUBLIC_KEY, **changes}
    tokens.verify_keygen(text, tokens.load_public_key(POINT), **wanted)


def test_published_token_verifies() -> None:
    """The published token is read as described, and its signature is over the published bytes."""
    attestation = tokens.read_attestation(TOKEN)

    assert attestation.device_id == DEVICE
    assert attestation.device_type is DeviceType.NRF9151_LACA
    assert attestation.firmware_id == "25c95751-efa4-40d4-8b4a-1dcaab81fac9"
    assert attestation.signed.hex() == SIGNED
    tokens.verify_attestation(attestation, tokens.load_public_key(POINT))


def test_token_of_the_documentation_is_read() -> None:
    """The token in the service's own documentation is read; the key of its device is not public."""
    token = halves(
        bytes.fromhex(SEED_TOKEN_BODY), bytes.fromhex("d28443a10126a1044121f65840" + SEED_TOKEN_SIGNATURE)
    )
    assert len(token) == 180

    attestation = tokens.read_attestation(token)

    assert attestation.device_id == "4961c873-408c-45ce-b1ba-7c0d99d88179"
    assert attestation.device_type is DeviceType.NRF9160_SICA
    assert attestation.firmware_id == "a4d580b9-aafb-4925-bc8d-db95f737d4ae"
    with pytest.raises(TokenRefused, match="does not verify"):
        tokens.verify_attestation(attestation, tokens.load_public_key(POINT))


def test_misprinted_token_of_the_documentation_is_refused() -> None:
    """A token whose second half lacks its first character, as once printed, is no token."""
    body, cose = TOKEN.split(".")

    with pytest.raises(TokenRefused):
        tokens.read_attestation(f"{body}.{cose[1:]}")


def test_keys_in_both_forms() -> None:
    """A point in hex and PEM give the same key, whose id is the published one."""
    assert tokens.key_id(tokens.load_public_key(POINT)) == KEY_ID
    assert tokens.key_id(tokens.load_public_key(PEM)) == KEY_ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zz",
        POINT[:-2],
        "04" + "11" * 64,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ED25519,
    ],
)
def test_what_is_no_public_key(text: str) -> None:
    """Text that is no key on P-256 is refused."""
    with pytest.raises(ValueError, match=r"."):
        tokens.load_public_key(text)


@pytest.mark.parametrize("position", range(0, 57, 4))
def test_changed_body_does_not_verify(position: int) -> None:
    """One changed bit anywhere in the body, and the token is refused."""
    body, cose = parts_of(TOKEN)
    changed = bytearray(body)
    changed[position] ^= 1
    with pytest.raises(TokenRefused):
        tokens.verify_attestation(
            tokens.read_attestation(halves(bytes(changed), cose)), tokens.load_public_key(POINT)
        )


@pytest.mark.parametrize("position", range(0, 77, 4))
def test_changed_signature_part_does_not_verify(position: int) -> None:
    """One changed bit anywhere in the second half, and the token is refused."""
    body, cose = parts_of(TOKEN)
    changed = bytearray(cose)
    changed[position] ^= 1
    with pytest.raises(TokenRefused):
        tokens.verify_attestation(
            tokens.read_attestation(halves(body, bytes(changed))), tokens.load_public_key(POINT)
        )


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (0, bytes.fromhex("a10127")),
        (0, {}),
        (1, {}),
        (1, {4: b"\x23"}),
        (1, None),
        (2, b"payload"),
        (3, "text"),
        (3, b"short"),
        (3, bytes(64)),
    ],
    ids=repr,
)
def test_altered_cose(number: int, value: object) -> None:
    """Another algorithm, another key id, a payload or another kind of signature is refused."""
    body, cose = parts_of(TOKEN)
    parts = list(cbor2.loads(cose).value)
    parts[number] = value
    token = halves(body, cbor2.dumps(cbor2.CBORTag(18, parts)))

    with pytest.raises(TokenRefused):
        tokens.verify_attestation(tokens.read_attestation(token), tokens.load_public_key(POINT))


@pytest.mark.parametrize(
    "cose", [cbor2.dumps(cbor2.CBORTag(17, [1, 2, 3, 4])), cbor2.dumps(cbor2.CBORTag(18, [1, 2, 3])), b"\xf6"]
)
def test_second_half_that_is_no_cose(cose: bytes) -> None:
    """A second half that is no COSE_Sign1 is refused."""
    with pytest.raises(TokenRefused, match="COSE_Sign1"):
        tokens.read_attestation(halves(parts_of(TOKEN)[0], cose))


@pytest.mark.parametrize(
    "items",
    [
        {},
        [1, 2, 3],
        [8, bytes(16), 6, bytes(16), bytes(16)],
        [1, bytes(15), 6, bytes(16), bytes(16)],
        [1, bytes(16), 6, bytes(16), "nonce"],
        [1, bytes(16), True, bytes(16), bytes(16)],
        [1, bytes(16), 7, bytes(16), bytes(16)],
        [1, bytes(16), "6", bytes(16), bytes(16)],
    ],
    ids=repr,
)
def test_altered_body(items: object) -> None:
    """A first half with other items than an attestation has is refused."""
    body = bytes.fromhex("d9d9f7") + cbor2.dumps(items)

    with pytest.raises(TokenRefused):
        tokens.read_attestation(halves(body, parts_of(TOKEN)[1]))


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,120}\.[A-Za-z0-9_-]{0,120}", fullmatch=True))
def test_any_text_is_refused(text: str) -> None:
    """No text that somebody makes up is an attestation token or KEYGEN output."""
    with pytest.raises(TokenRefused):
        tokens.read_attestation(text)
    with pytest.raises(TokenRefused):
        check(text)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_any_bytes_are_refused(body: bytes, cose: bytes) -> None:
    """Nor are bytes in the published frame."""
    with pytest.raises(TokenRefused):
        tokens.read_attestation(halves(bytes.fromhex("d9d9f7") + body, cose))
    with pytest.raises(TokenRefused):
        check(halves(body, cose))


def test_published_keygen_output_verifies() -> None:
    """The published KEYGEN output of a public key verifies for its device, tag and kind."""
    check(KEYGEN)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"device_id": "50363154-3931-4aaa-8bbb-000102030406"}, "another device"),
        ({"sec_tag": 16842752}, "another security tag"),
        ({"output": KeygenOutput.CSR}, "not of the kind"),
    ],
)
def test_keygen_output_for_something_else(changes: dict[str, Any], why: str) -> None:
    """KEYGEN output counts only for the device, tag and kind that it was made for."""
    with pytest.raises(TokenRefused, match=why):
        check(KEYGEN, **changes)


def test_keygen_output_with_another_body() -> None:
    """Another key under the same signature is refused by its digest."""
    _, cose = parts_of(KEYGEN)

    with pytest.raises(TokenRefused, match="digest"):
        check(halves(b"another key", cose))


def test_keygen_output_without_payload() -> None:
    """An attestation's COSE is no KEYGEN output."""
    with pytest.raises(TokenRefused, match="no signed payload"):
        check(halves(parts_of(KEYGEN)[0], parts_of(TOKEN)[1]))


def test_keygen_output_of_another_key(make_device: Callable[[int], Any]) -> None:
    """KEYGEN output that another device's key signed is refused."""
    device, other = make_device(1), make_device(2)
    key = device.key.public_key()
    wanted = {"device_id": device.id, "sec_tag": 7, "output": KeygenOutput.CSR}

    tokens.verify_keygen(device.keygen(7, csr=True), key, **wanted)
    with pytest.raises(TokenRefused, match="does not verify"):
        tokens.verify_keygen(device.keygen(7, csr=True, key=other.key), key, **wanted)
