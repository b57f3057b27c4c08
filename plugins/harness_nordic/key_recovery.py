"""Finding a board's identity key in what the board signed, so that a fake can get to know real boards.

A real board does not print its public identity key, but two of its signatures give it away: each fits two
keys only, and the one that both have in common is the board's (nrfcloud fact sheet, section 4.3). Read here
are attestation tokens and KEYGEN output (sections 4.1 and 4.2), independently of the fake, the virtual board
and the judge of the suites.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cbor2
import ecdsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from ecdsa.numbertheory import SquareRootError

from harness.errors import BoardFault
from harness_nordic.enums import MessageType, SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_TOKENS = 4
"""Tokens that :func:`identify` asks a board for before it gives up."""

_SELF_DESCRIBED = bytes.fromhex("d9d9f7")
_COSE_SIGN1 = 18
_PROTECTED_ES256 = bytes.fromhex("a10126")
_KEY_ID = 4
_HALF = 32
_UUID_LENGTH = 16
_ORDER = int(ecdsa.NIST256p.order)
_KEYGEN_MESSAGES = frozenset({MessageType.PUBLIC_KEY, MessageType.CSR})


class AnotherTokenNeeded(BoardFault):
    """What was signed fits more than one key: a further signature of the board decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Something that a board signed with its identity key.

    :ivar device_uuid: the board that it names.
    :ivar content: the bytes under the signature.
    :ivar signature: ``r || s``.
    """

    device_uuid: str
    content: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation(Signed):
    """An attestation token.

    :ivar device_type: number of the chip.
    :ivar firmware_uuid: UUID of the modem firmware.
    """

    device_type: int
    firmware_uuid: str


def read_attestation(token: str) -> Attestation:
    """Read an attestation token; whether its signature is good shows when a key is known.

    :param token: ``<body>.<COSE>``, as ``AT%ATTESTTOKEN`` gives it.
    :raises BoardFault: it is damaged, or something else; the token is not repeated in the message.
    """
    what = "the attestation token"
    body, cose = _halves(token, what)
    payload, signature = _open(cose, what)
    items = _items(body, what)
    if payload is not None or items[0] != MessageType.DEVICE_IDENTITY:
        raise BoardFault(f"{what} attests something else than the identity of a device")
    _, device, device_type, firmware, nonce = items
    if not all(_is_bytes(item, _UUID_LENGTH) for item in (device, firmware, nonce)):
        raise BoardFault(f"{what} holds no UUIDs where they belong")
    if type(device_type) is not int or device_type < 0:
        raise BoardFault(f"{what} holds no device type where it belongs")
    return Attestation(
        device_uuid=str(uuid.UUID(bytes=device)),
        device_type=device_type,
        firmware_uuid=str(uuid.UUID(bytes=firmware)),
        content=_structure(body, None),
        signature=signature,
    )


def read_keygen_output(text: str) -> Signed:
    """Read what ``AT%KEYGEN`` exported, which the identity key signed too.

    :param text: ``<body>.<COSE>``.
    :raises BoardFault: it is damaged, or something else.
    """
    what = "the output of %KEYGEN"
    body, cose = _halves(text, what)
    payload, signature = _open(cose, what)
    items = _items(payload, what) if isinstance(payload, bytes) else [None] * 5
    if items[0] not in _KEYGEN_MESSAGES or not _is_bytes(items[1], _UUID_LENGTH):
        raise BoardFault(f"{what} holds no key that a board has made")
    if items[3] != hashlib.sha256(body).digest():
        raise BoardFault(f"the digest in {what} does not fit its body")
    return Signed(
        device_uuid=str(uuid.UUID(bytes=items[1])), content=_structure(body, payload), signature=signature
    )


def recover_key(evidence: Sequence[Signed]) -> bytes:
    """Return the key that signed everything: the uncompressed point on P-256, 65 bytes.

    :param evidence: at least two different signatures of one board.
    :raises AnotherTokenNeeded: all signatures are one and the same, or there is none.
    :raises BoardFault: they are of several boards, not of one key, or no signatures at all.
    """
    boards = sorted({each.device_uuid for each in evidence})
    if len(boards) > 1:
        raise BoardFault(f"the tokens are of different boards: {', '.join(boards)}")
    different = {each.signature: each for each in evidence}
    common: set[bytes] | None = None
    for each in different.values():
        candidates = _candidates(each)
        common = candidates if common is None else common & candidates
    if common is None or len(common) > 1:
        raise AnotherTokenNeeded(
            f"{len(different)} different signature{'' if len(different) == 1 else 's'} of the board fit"
            " several keys; one more token of it decides"
        )
    for point in common:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        if all(_verifies(key, each) for each in evidence):
            return point
    raise BoardFault(f"no one key made all signatures of board {boards[0]}")


def identify(attest: Callable[[], str]) -> tuple[bytes, Attestation]:
    """Ask a board for tokens until its key is known.

    :param attest: makes the board sign a fresh attestation token.
    :return: the uncompressed point, and the last token as it was read.
    :raises BoardFault: the board gives no tokens from which its key follows.
    """
    evidence = [read_attestation(attest())]
    while True:
        evidence.append(read_attestation(attest()))
        try:
            return recover_key(evidence), evidence[-1]
        except AnotherTokenNeeded as open_question:
            if len(evidence) >= MOST_TOKENS:
                raise BoardFault(
                    f"after {len(evidence)} tokens the key of board {evidence[0].device_uuid} is still not"
                    " clear: it signs the same thing again and again"
                ) from open_question


def _candidates(each: Signed) -> set[bytes]:
    """Return the keys that may have made a signature."""
    halves = (each.signature[:_HALF], each.signature[_HALF:])
    keys: list[ecdsa.VerifyingKey] = []
    if all(0 < int.from_bytes(half, "big") < _ORDER for half in halves):
        digest = hashlib.sha256(each.content).digest()
        try:
            keys = ecdsa.VerifyingKey.from_public_key_recovery_with_digest(
                each.signature, digest, ecdsa.NIST256p, hashfunc=hashlib.sha256
            )
        except (SquareRootError, ecdsa.MalformedPointError):
            keys = []
    if not keys:
        raise BoardFault(f"the signature in a token of board {each.device_uuid} is none: no key can make it")
    return {key.to_string("uncompressed") for key in keys}


def _verifies(key: ec.EllipticCurvePublicKey, each: Signed) -> bool:
    r, s = (int.from_bytes(half, "big") for half in (each.signature[:_HALF], each.signature[_HALF:]))
    try:
        key.verify(encode_dss_signature(r, s), each.content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _halves(text: str, what: str) -> tuple[bytes, bytes]:
    parts = text.split(".")
    if len(parts) != 2 or not all(parts):  # noqa: PLR2004 - body and COSE
        raise BoardFault(f"{what} has {len(parts)} parts; expected <base64url>.<base64url>")
    return _decode(parts[0], what), _decode(parts[1], what)


def _decode(text: str, what: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BoardFault(f"{what} is not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise BoardFault(f"{what} is not base64url: cut short, or padded")
    return data


def _load(data: bytes, what: str) -> Any:
    """Decode CBOR that must be in its shortest form and the only thing there."""
    try:
        value = cbor2.loads(data, max_depth=8)
        again = cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as error:
        raise BoardFault(f"{what} is damaged: no CBOR where it belongs") from error
    if again != data:
        raise BoardFault(f"{what} is damaged: its CBOR is not in the shortest form, or does not end there")
    return value


def _items(data: bytes, what: str) -> Sequence[Any]:
    items = _load(data[len(_SELF_DESCRIBED) :], what) if data.startswith(_SELF_DESCRIBED) else None
    if not isinstance(items, list) or len(items) != 5:  # noqa: PLR2004 - section 4.1: array(5)
        raise BoardFault(f"{what} is damaged: no self-described array of five")
    return items


def _open(cose: bytes, what: str) -> tuple[Any, bytes]:
    message = _load(cose, what)
    parts = message.value if isinstance(message, cbor2.CBORTag) and message.tag == _COSE_SIGN1 else ()
    # Inside a tag cbor2 gives tuples since version 6, lists before.
    if not isinstance(parts, list | tuple) or len(parts) != 4:  # noqa: PLR2004 - RFC 9052: four parts
        raise BoardFault(f"{what} is damaged: no COSE_Sign1 behind the dot")
    protected, unprotected, payload, signature = parts
    if protected != _PROTECTED_ES256:
        raise BoardFault(f"{what} is not signed by ES256")
    if unprotected != {_KEY_ID: cbor2.dumps(int(SigningKey.IDENTITY))}:
        raise BoardFault(f"{what} does not say that the identity key signed it")
    if not _is_bytes(signature, 2 * _HALF):
        raise BoardFault(f"{what} is damaged: no signature of 64 bytes")
    return payload, signature


def _structure(body: bytes, payload: bytes | None) -> bytes:
    """Return what is signed: the body stands where COSE has the external data (section 4.1)."""
    return cbor2.dumps(["Signature1", _PROTECTED_ES256, body, payload])


def _is_bytes(item: Any, length: int) -> bool:
    return isinstance(item, bytes) and len(item) == length
