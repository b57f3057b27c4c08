"""The modem's credential store (nrfcloud fact sheet, section 5.4). It keeps its entries without power."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness_nordic.enums import CmeError, CredentialType
from harness_nordic.virtual import signing
from harness_nordic.virtual.certificates import is_certificate
from harness_nordic.virtual.errors import CmeRefusal
from harness_nordic.virtual.power import AFTER_FLASH, BEFORE_FLASH, BoardPoints

if TYPE_CHECKING:
    from harness_nordic.virtual.identity import DeviceIdentity

#: The highest tag that a user may name.
MAX_TAG = 2147483647
#: Room for contents. [design: enough for a hundred certificates; real storage is not documented]
CAPACITY = 131072

_IDENTITY_TAG, _ROOT_CA_TAG, _NORDIC_KEY_TAG = 4294967294, 4294967293, 4294967292
_RESERVED = frozenset({_IDENTITY_TAG, _ROOT_CA_TAG, _NORDIC_KEY_TAG})
_WRITABLE = frozenset(
    {
        CredentialType.ROOT_CA,
        CredentialType.CLIENT_CERT,
        CredentialType.CLIENT_KEY,
        CredentialType.PSK,
        CredentialType.PSK_IDENTITY,
        CredentialType.PUBLIC_KEY,
    }
)
_CERTIFICATES = frozenset({CredentialType.ROOT_CA, CredentialType.CLIENT_CERT})
_SECRET = frozenset({CredentialType.CLIENT_KEY, CredentialType.PSK, CredentialType.ENDORSEMENT_KEY})
_GENERATED_KEY_SIZE = 121  # a P-256 key as the firmware keeps it [design: RFC 5915 with its public half]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One credential.

    :ivar tag: its security tag.
    :ivar type: its type.
    :ivar content: the text as it was received; empty for a key that was made here.
    :ivar digest: upper-case SHA-256 of the text, or of the public half of a key that was made here.
    :ivar size: bytes that it takes.
    :ivar key: a P-256 private key that can sign.
    :ivar generated: the key was made here.
    """

    tag: int
    type: CredentialType
    content: str = ""
    digest: str
    size: int = 0
    key: ec.EllipticCurvePrivateKey | None = None
    generated: bool = False


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest().upper()


class CredentialStore:
    """Credentials by tag and type, beside the three entries that every modem has."""

    def __init__(
        self, identity: DeviceIdentity, *, capacity: int = CAPACITY, points: BoardPoints | None = None
    ) -> None:
        """Hold what the factory put in.

        :param identity: of the board; its public key is one of the reserved entries.
        :param capacity: bytes of all contents together.
        :param points: where the power may go.
        """
        self.capacity = capacity
        self._points = points or BoardPoints()
        self._checks_certificates = identity.chip.checks_certificates
        self._entries: dict[tuple[int, int], Entry] = {}
        for tag, kind, content in (
            (_NORDIC_KEY_TAG, CredentialType.NORDIC_PUBLIC_KEY, b"Nordic public key"),
            (_ROOT_CA_TAG, CredentialType.NORDIC_ROOT_CA, b"Nordic identity root CA"),
            (_IDENTITY_TAG, CredentialType.IDENTITY_PUBLIC_KEY, signing.public_key_info(identity.key)),
        ):
            self._entries[tag, kind] = Entry(tag=tag, type=kind, digest=_digest(content))

    def entries(self, tag: int | None = None, kind: int | None = None) -> list[Entry]:
        """Return entries in order of tag and type, all or those of a tag, or of a tag and type."""
        return [
            entry
            for _slot, entry in sorted(self._entries.items())
            if tag in {None, entry.tag} and kind in {None, entry.type}
        ]

    def write(self, tag: int, kind: CredentialType, content: str, password: str = "") -> None:
        """Write a text, over an earlier one if there is one.

        :raises CmeRefusal: 50 no content, 514 the type cannot be written, 519 the slot holds a key that was
            made here, 527 no certificate, 515 no room.
        """
        if kind not in _WRITABLE:
            raise CmeRefusal(CmeError.NOT_ALLOWED)
        raw = content.encode("utf-8", "surrogateescape")
        if not raw or (kind is CredentialType.PSK and not _is_hex(content)):
            raise CmeRefusal(CmeError.BAD_PARAMETERS)
        earlier = self._entries.get((tag, kind))
        if earlier is not None and earlier.generated:
            raise CmeRefusal(CmeError.ALREADY_EXISTS)
        if kind in _CERTIFICATES and self._checks_certificates and not is_certificate(content):
            raise CmeRefusal(CmeError.INVALID_CERTIFICATE)
        key = _load_key(raw, password) if kind is CredentialType.CLIENT_KEY else None
        self._put(Entry(tag=tag, type=kind, content=content, digest=_digest(raw), size=len(raw), key=key))

    def put_generated_key(self, tag: int, kind: CredentialType, key: ec.EllipticCurvePrivateKey) -> None:
        """Keep a key that was made here.

        :raises CmeRefusal: 519 the slot is occupied, 515 no room.
        """
        if (tag, kind) in self._entries:
            raise CmeRefusal(CmeError.ALREADY_EXISTS)
        digest = _digest(signing.public_key_info(key))
        self._put(Entry(tag=tag, type=kind, digest=digest, size=_GENERATED_KEY_SIZE, key=key, generated=True))

    def read(self, tag: int, kind: CredentialType) -> Entry:
        """Return an entry with its content.

        :raises CmeRefusal: 513 there is none, 514 it is a secret or has no content to show.
        """
        entry = self.find(tag, kind)
        if kind in _SECRET or tag in _RESERVED:
            raise CmeRefusal(CmeError.NOT_ALLOWED)
        return entry

    def find(self, tag: int, kind: CredentialType) -> Entry:
        """Return an entry.

        :raises CmeRefusal: 513 there is none.
        """
        entry = self._entries.get((tag, kind))
        if entry is None:
            raise CmeRefusal(CmeError.NOT_FOUND)
        return entry

    def delete(self, tag: int, kind: CredentialType) -> None:
        """Delete an entry.

        :raises CmeRefusal: 513 there is none, 514 it is reserved.
        """
        self.find(tag, kind)
        if tag in _RESERVED:
            raise CmeRefusal(CmeError.NOT_ALLOWED)
        self._commit((tag, int(kind)), None)

    def _put(self, entry: Entry) -> None:
        slot = (entry.tag, int(entry.type))
        used = sum(other.size for place, other in self._entries.items() if place != slot)
        if used + entry.size > self.capacity:
            raise CmeRefusal(CmeError.MEMORY_FULL)
        self._commit(slot, entry)

    def _commit(self, slot: tuple[int, int], entry: Entry | None) -> None:
        """Change the flash; whole or not at all, as its journal has it when the power goes.

        :param entry: the new entry; ``None`` deletes.
        """
        detail = f"credential {slot[0]},{slot[1]} {'deleted' if entry is None else 'written'}"
        self._points.pass_by(BEFORE_FLASH, detail)
        if entry is None:
            del self._entries[slot]
        else:
            self._entries[slot] = entry
        self._points.pass_by(AFTER_FLASH, detail)


def _is_hex(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text)) and " " not in text
    except ValueError:
        return False


def _load_key(pem: bytes, password: str) -> ec.EllipticCurvePrivateKey | None:
    """Read a private key that was written; the modem keeps any text, but can sign with P-256 only."""
    try:
        key = serialization.load_pem_private_key(pem, password.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    return None
