"""COSE_Sign1 (RFC 9052, section 4.2) by the board's own CBOR.

Labels of the protected header: 1 algorithm, 4 key id, 33 x5chain (RFC 9360).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.enums import KeyType
from harness_guardian.virtual import cbor, keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.virtual.keys import PrivateKey

SIGN1 = 18
ALGORITHM, KEY_ID, X5CHAIN = 1, 4, 33
ALGORITHMS = {KeyType.P256: -7, KeyType.P384: -35, KeyType.ED25519: -8}
_PARTS = 4


def protected_header(key: PrivateKey, chain: Sequence[bytes] = ()) -> dict[int, Any]:
    """Return the protected header of what a key signs.

    :param chain: certificates (DER) of the key, leaf first; a single one stands without an array.
    """
    header: dict[int, Any] = {
        ALGORITHM: ALGORITHMS[KeyType(keys.kind_of(key))],
        KEY_ID: keys.thumbprint(key.public_key()).encode(),
    }
    if chain:
        header[X5CHAIN] = chain[0] if len(chain) == 1 else list(chain)
    return header


def sign1(header: Mapping[int, Any], payload: bytes, key: PrivateKey) -> list[Any]:
    """Sign; return the four parts of a COSE_Sign1."""
    protected = cbor.encode(dict(header))
    signed = cbor.encode(["Signature1", protected, b"", payload])
    return [protected, {}, payload, keys.sign(key, signed)]


def encode(parts: Sequence[Any]) -> bytes:
    """Return the message with its tag."""
    return cbor.encode(cbor.Tagged(SIGN1, list(parts)))


def payload_of(content: bytes) -> bytes:
    """Return the payload of a tagged COSE_Sign1, which nobody verifies here.

    :raises cbor.DecodeError: it is none.
    """
    item = cbor.decode(content)
    if not isinstance(item, cbor.Tagged) or item.tag != SIGN1 or not isinstance(item.value, list):
        raise cbor.DecodeError("no COSE_Sign1")
    if len(item.value) != _PARTS or not isinstance(item.value[2], bytes):
        raise cbor.DecodeError("no COSE_Sign1")
    return item.value[2]
