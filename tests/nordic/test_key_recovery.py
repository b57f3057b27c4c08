"""Recovering a board's identity key from what it signed.

Vectors: nrfcloud fact sheet, section 4.5; the public sample of section 4.4; signatures by OpenSSL.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import BoardFault
from harness_nordic.key_recovery import (
    AnotherTokenNeeded,
    Signed,
    identify,
    read_attestation,
    read_keygen_output,
    recover_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOKEN = (
    "2dn3hQFQUDYxVDkxSqqLuwABAgMEBQZQJclXUe-kQNSLSh3Kq4H6yVAAAQIDBAUGBwgJCgsMDQ4P.0oRDoQEmoQRBIfZYQPuXc-ijq_PjRM_6"
    "BeH--vflm2bs2tfbBV6YV99qLnFbDvdjTXecCBYMWhRozhfCbZVCs0SRSGgbO5kgDhCD3JM"
)
KEYGEN = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUVw9brnjlrkE0_7Kf1T9zQzB6Ze_N13KUVrQpsO0A19FNr46UPMY-_mlR1kCoiFQK-8NV-CM"
    "U7LMClbxfZ-TVA.0oRDoQEmoQRBIVhP2dn3hQhQUDYxVDkxSqqLuwABAgMEBUUaAQEAAVgg8dWUSbcnFl3nMr8oMzgSK5liimFZGP7cZ9h4_"
    "_z0fadQAAECAwQFBgcICQoLDA0OD1hAAyxOOw8NAire8KleeqM6XOi8V9QZi15xhCyQO3RejTJfILdspF9z9YBn7TjYOsTakbxhHRKADDWI6"
    "AMOLeracQ"
)
POINT = (
    "04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f4536be3a50f318fbf9a5475902a221502bef0d57e08c"
    "53b2cc0a56f17d9f9354"
)
PUBLIC_SAMPLE = (
    "2dn3hQFQUDYxVDkxRPCAIhIbZAFifQNQGv86y_GmR2SiY0wmRsHGVFDT791_BPH8YOWFiyCHND1q.0oRDoQEmoQRBIfZYQGuXwJliinHc6xDP"
    "ruiyjsaXyXZbZVpUuOhHG9YS8L05VuglCcJhMN4EUhWVGpaHgNnHHno6ahi-d5tOeZmAcNY"
)
PUBLIC_SAMPLE_KEYS = (
    (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZKgDx0O0FKa7i1yFoxYngNdV5Csyi4rEPHcFTfeBVtkkJX-G0QZs-yesfzIaPs91b4x5xYN_g"
        "28k63gkeVMJwA.0oRDoQEmoQRBIVhL2dn3hQhQUDYxVDkxRPCAIhIbZAFifUEQWCDlovwqMVoJ1W-x93Tqypy2v_1ALv3-GCF1R9gYIy2WVlB"
        "QXvxKqA9JTveFh3nVwce-WEAMltwSSkVh8jSBPhP79ndSG0HJTOaTF9SExIq-FstjdLUW2inxdvVfqzLa05rgXqxshN5vfQIs22QT-swCt30h"
    ),
    (
        "MIIBCjCBrwIBADAvMS0wKwYDVQQDDCQ1MDM2MzE1NC0zOTMxLTQ0ZjAtODAyMi0xMjFiNjQwMTYyN2QwWTATBgcqhkjOPQIBBggqhkjOPQMBB"
        "wNCAAQqD6pNfa29o_EXnw62bnQWr8-JqsNh_HZxS3k3bMD4KZ8-qxnvgeoiqQ5zAycEP_Wcmzqypvwyf3qWMrZ2VB5aoB4wHAYJKoZIhvcNAQ"
        "kOMQ8wDTALBgNVHQ8EBAMCA-gwDAYIKoZIzj0EAwIFAANIADBFAiEAv7OLZ_dXbszfhhjcLMUT72wTmw-z6GlgWxVhyWgR27ACIAvY_lPu3yf"
        "YZY5AL6uYTkUFp4GQkbSOUC_lsHyCxOuG.0oRDoQEmoQRBIVhL2dn3hQlQUDYxVDkxRPCAIhIbZAFifUERWCBwKj1W8FsvclMdZQgl4gBB4un"
        "ZMYw0toU6uQZuXHLoDFAbhyLuHetYFWbiyxNZsnzSWEDUiTl7wwFt0hEsCiEQsxj-hCtpBk8Za8UXfdAycpx2faCOPJIrkfmiSS8-Y6_2tTAo"
        "AMN1BiWiTOimY1wZE3Ud"
    ),
)
PUBLIC_SAMPLE_POINT = (
    "047b76ffcb0339a59c091651afe019a5f9ae5d0dc442994207bbb248f74cd8084861b98a7b0e8dea68ecfb04cb0985d1ee18686ee7b3f0"
    "af4bd1de51439c1f97bd"
)
SEED_TOKEN_WITHOUT_ITS_FIRST_COSE_CHARACTER = (
    "2dn3hQFQMGctS_s1SFah9Ec8pTovDQNQJQ6Xd9jnSmyoRTcyiJBnpFDeHvNg-5iCpT8LJcf7JVzK."
    "oRDoQEmoQRBIfZYQIa6SNb3Ic7oz1UCacFTgWc63TNOE8i3rEa-cZElEUrKOOHlJ0dwGwPvZY0FXcA5L3Zh-TfQBONj1N5LPqYMmJc"
)
DEVICE = uuid.UUID("50363154-3931-4aaa-8bbb-000102030405")
SIGNED_HEAD = bytes.fromhex("846a5369676e61747572653143a101265839")
COSE_HEAD = bytes.fromhex("d28443a10126a1044121f65840")


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def body_of(nonce: bytes, device: uuid.UUID = DEVICE) -> bytes:
    """Return the body of a token, item by item as the fact sheet has it (section 4.1)."""
    firmware = uuid.UUID("25c95751-efa4-40d4-8b4a-1dcaab81fac9")
    return bytes.fromhex("d9d9f7850150") + device.bytes + b"\x06\x50" + firmware.bytes + b"\x50" + nonce


def token_of(sign: Callable[[bytes], bytes], nonce: bytes, device: uuid.UUID = DEVICE) -> str:
    """Return a token that a key signed."""
    body = body_of(nonce, device)
    r, s = decode_dss_signature(sign(SIGNED_HEAD + body + b"\xf6"))
    return f"{encode(body)}.{encode(COSE_HEAD + r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def signer(key: ec.EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    """Sign with a key of a library."""
    return lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return an uncompressed point."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


class OpenSsl:
    """A key that OpenSSL made and signs with."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "key.pem"
        curve = "ec_paramgen_curve:P-256"
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", str(self._file))
        pem = self._run("pkey", "-in", str(self._file), "-pubout")
        key = serialization.load_pem_public_key(pem)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        self.point = point_of(key)

    def sign(self, data: bytes) -> bytes:
        return self._run("dgst", "-sha256", "-sign", str(self._file), given=data)

    @staticmethod
    def _run(*words: str, given: bytes = b"") -> bytes:
        return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def openssl(tmp_path_factory: pytest.TempPathFactory) -> OpenSsl:
    """A key of OpenSSL's."""
    return OpenSsl(tmp_path_factory.mktemp("openssl"))


def test_vector_of_the_fact_sheet() -> None:
    """The one key behind the synthetic token and the synthetic KEYGEN output is the vector's."""
    attestation = read_attestation(TOKEN)

    assert recover_key([attestation, read_keygen_output(KEYGEN)]).hex() == POINT
    assert attestation.device_uuid == "50363154-3931-4aaa-8bbb-000102030405"
    assert attestation.firmware_uuid == "25c95751-efa4-40d4-8b4a-1dcaab81fac9"
    assert attestation.device_type == 6
    assert attestation.content.hex() == (
        "846a5369676e61747572653143a101265839d9d9f78501505036315439314aaa8bbb000102030405065025c95751efa440d48b4a1dcaab"
        "81fac950000102030405060708090a0b0c0d0e0ff6"
    )


def test_public_sample_of_a_real_device() -> None:
    """Three public outputs of one real nRF9160 have one key in common, the fact sheet's."""
    evidence = [read_attestation(PUBLIC_SAMPLE), *map(read_keygen_output, PUBLIC_SAMPLE_KEYS)]

    assert {each.device_uuid for each in evidence} == {"50363154-3931-44f0-8022-121b6401627d"}
    assert recover_key(evidence).hex() == PUBLIC_SAMPLE_POINT
    assert recover_key(evidence[1:]).hex() == PUBLIC_SAMPLE_POINT


def test_signatures_of_openssl(openssl: OpenSsl) -> None:
    """From two tokens that OpenSSL signed its key is recovered."""
    tokens = [token_of(openssl.sign, bytes([number]) * 16) for number in (1, 2)]

    assert recover_key([read_attestation(token) for token in tokens]) == openssl.point


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 2**255), st.lists(st.binary(min_size=16, max_size=16), min_size=2, max_size=4, unique=True)
)
def test_any_key_is_recovered(scalar: int, nonces: list[bytes]) -> None:
    """Whatever the key and however many tokens, it is found."""
    key = ec.derive_private_key(scalar, ec.SECP256R1())
    tokens = [token_of(signer(key), nonce) for nonce in nonces]

    assert recover_key([read_attestation(token) for token in tokens]) == point_of(key.public_key())


def test_one_signature_is_not_enough(openssl: OpenSsl) -> None:
    """One signature, or the same one twice, fits two keys: another token is asked for."""
    attestation = read_attestation(token_of(openssl.sign, bytes(16)))

    for evidence in ([], [attestation], [attestation, attestation]):
        with pytest.raises(AnotherTokenNeeded, match="one more token"):
            recover_key(evidence)


def test_tokens_of_two_boards(openssl: OpenSsl) -> None:
    """Tokens of two boards are never taken for one board's."""
    other = uuid.UUID("50363154-3931-4aaa-8bbb-0000000000ff")
    tokens = [token_of(openssl.sign, bytes(16)), token_of(openssl.sign, bytes(16), other)]

    with pytest.raises(BoardFault, match=r"different boards: .*00ff, .*0405"):
        recover_key([read_attestation(token) for token in tokens])


def test_tokens_of_two_keys(openssl: OpenSsl) -> None:
    """Two keys behind one UUID have no candidate in common."""
    stranger = signer(ec.derive_private_key(5, ec.SECP256R1()))
    tokens = [token_of(openssl.sign, bytes(16)), token_of(stranger, bytes([1]) * 16)]

    with pytest.raises(BoardFault, match="no one key"):
        recover_key([read_attestation(token) for token in tokens])


def test_content_that_was_changed(openssl: OpenSsl) -> None:
    """A token whose body was changed after it was signed leads to no key."""
    good, bad = (read_attestation(token_of(openssl.sign, bytes([number]) * 16)) for number in (1, 2))
    changed = replace(bad, content=bad.content.replace(b"\x02" * 16, b"\x03" * 16))

    with pytest.raises(BoardFault, match="no one key"):
        recover_key([good, changed])


@pytest.mark.parametrize(
    "signature",
    [
        bytes(64),
        bytes(32) + b"\x01" * 32,
        b"\x01" * 32 + bytes(32),
        b"\xff" * 64,
        bytes(31) + b"\x04" + b"\x01" * 32,
    ],
    ids=["zero", "r zero", "s zero", "too large", "r no coordinate"],
)
def test_numbers_that_are_no_signature(signature: bytes) -> None:
    """What no key can have signed is said to be no signature."""
    signed = Signed(device_uuid=str(DEVICE), content=b"anything", signature=signature)

    with pytest.raises(BoardFault):
        recover_key([signed, replace(signed, signature=b"\x01" * 64)])


def test_board_is_asked_until_its_key_is_clear(openssl: OpenSsl) -> None:
    """A board that repeats itself is asked again."""
    tokens = [token_of(openssl.sign, bytes(16))] * 2 + [token_of(openssl.sign, b"\x01" * 16)]
    waiting = iter(tokens)

    point, attestation = identify(lambda: next(waiting))

    assert point == openssl.point
    assert attestation == read_attestation(tokens[-1])


def test_board_that_always_says_the_same(openssl: OpenSsl) -> None:
    """A board that repeats itself for ever is given up after four tokens."""
    token = token_of(openssl.sign, bytes(16))
    asked: list[str] = []

    def attest() -> str:
        asked.append(token)
        return token

    with pytest.raises(BoardFault, match="again and again"):
        identify(attest)
    assert len(asked) == 4


@pytest.mark.parametrize(
    ("token", "says"),
    [
        ("", "1 parts"),
        ("nonsense", "1 parts"),
        ("a.b.c", "3 parts"),
        (".", "2 parts"),
        ("!!!!.AAAA", "not base64url"),
        ("AAAA=.AAAA", "base64url"),
        ("AAAAA.AAAA", "base64url"),
        (TOKEN.partition(".")[0] + ".AAAA", "damaged"),
        ("AAAA." + TOKEN.partition(".")[2], "damaged"),
        (TOKEN[:-4], "cut short"),
        (KEYGEN, "damaged|something else"),
        (SEED_TOKEN_WITHOUT_ITS_FIRST_COSE_CHARACTER, "base64url|damaged"),
    ],
)
def test_damaged_tokens(token: str, says: str) -> None:
    """Each damage is one clear message about the token, which is not repeated in it."""
    with pytest.raises(BoardFault, match=says) as fault:
        read_attestation(token)
    assert len(token) < 20 or token[:20] not in str(fault.value)


@pytest.mark.parametrize(
    ("cose", "says"),
    [
        ("d18443a10126a1044121f65840", "no COSE_Sign1"),
        ("d28443a10127a1044121f65840", "ES256"),
        ("d28443a10126a1044123f65840", "identity key"),
        ("d28443a10126a1044121415840", "CBOR|something else|signature"),
        ("d28443a10126a1044121f6583f", "shortest|signature"),
    ],
)
def test_unfit_headers(cose: str, says: str) -> None:
    """A signature of another kind, algorithm or key is none of an identity key."""
    token = f"{TOKEN.partition('.')[0]}.{encode(bytes.fromhex(cose) + bytes(64))}"

    with pytest.raises(BoardFault, match=says):
        read_attestation(token)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("850150" + "00" * 16 + "0650" + "00" * 16 + "50" + "00" * 16, "self-described"),
        ("d9d9f7850250" + "00" * 16 + "0650" + "00" * 16 + "50" + "00" * 16, "something else"),
        ("d9d9f785014f" + "00" * 15 + "0650" + "00" * 16 + "50" + "00" * 16, "no UUIDs"),
        ("d9d9f7850150" + "00" * 16 + "2650" + "00" * 16 + "50" + "00" * 16, "no device type"),
        ("d9d9f7850150" + "00" * 16 + "f550" + "00" * 16 + "50" + "00" * 16, "no device type"),
        ("d9d9f7840150" + "00" * 16 + "0650" + "00" * 16, "array of five"),
        ("d9d9f79f0150" + "00" * 16 + "0650" + "00" * 16 + "50" + "00" * 16 + "ff", "shortest"),
        ("d9d9f7850150" + "00" * 16 + "0650" + "00" * 16 + "50" + "00" * 16 + "00", "does not end"),
    ],
)
def test_unfit_bodies(body: str, says: str) -> None:
    """A body that is not exactly a token's is refused, with what is wrong with it."""
    with pytest.raises(BoardFault, match=says):
        read_attestation(f"{encode(bytes.fromhex(body))}.{TOKEN.partition('.')[2]}")


def test_keygen_output_of_another_body() -> None:
    """KEYGEN output whose digest does not fit its body is refused, and a token is no KEYGEN output."""
    other_body = encode(b"another key")

    with pytest.raises(BoardFault, match="digest"):
        read_keygen_output(f"{other_body}.{KEYGEN.partition('.')[2]}")
    with pytest.raises(BoardFault, match="no key"):
        read_keygen_output(TOKEN)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_tokens(data: st.DataObject) -> None:
    """Whatever happens to a token on its way, it is read or refused, and nothing else happens."""
    which = data.draw(st.sampled_from([TOKEN, KEYGEN, PUBLIC_SAMPLE]))
    halves = [base64.urlsafe_b64decode(half + "=" * (-len(half) % 4)) for half in which.split(".")]
    number = data.draw(st.integers(0, 1))
    raw = bytearray(halves[number])
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    halves[number] = bytes(raw)[: data.draw(st.integers(len(raw) - 3, len(raw)))]
    mutated = ".".join(map(encode, halves))
    for read in (read_attestation, read_keygen_output):
        try:
            signed = read(mutated)
        except BoardFault:
            continue
        with pytest.raises(BoardFault):
            recover_key([signed])
