"""Zephyr's TLS credentials and the device keys beside them: a store that the modem knows nothing of.

Source: nrfcloud fact sheet, section 6.3. It keeps its entries without power.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_nordic.virtual import signing
from harness_nordic.virtual.power import AFTER_FLASH, BEFORE_FLASH

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import ec

    from harness_nordic.virtual.power import BoardPoints

#: Names of the types: the first is what the shell prints in sentences, the last in lists; all may be typed.
TYPES = (
    ("CA_CERT", "CA"),
    ("SERVER_CERT", "CLIENT_CERT", "SELF_CERT", "SELF", "CLIENT", "SERV"),
    ("PRIVATE_KEY", "PK"),
    ("PRE_SHARED_KEY", "PSK"),
    ("PRE_SHARED_KEY_ID", "PSK_ID"),
)
#: How many credentials there is room for. [design]
ROOM = 32


class Occupied(Exception):
    """There is one already."""


class Full(Exception):
    """There is no room for another one."""


class Missing(Exception):
    """There is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsCredential:
    """One credential.

    :ivar tag: its security tag.
    :ivar type: index in :data:`TYPES`.
    :ivar content: its bytes, with the NUL at its end if one was asked for.
    """

    tag: int
    type: int
    content: bytes

    @property
    def digest(self) -> str:
        """What a list shows of the content."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


class TlsCredentials:
    """Credentials by tag and type, and one key pair a tag that never leaves the board."""

    def __init__(self, points: BoardPoints) -> None:
        """Hold nothing.

        :param points: where the power may go.
        """
        self._points = points
        self._entries: dict[tuple[int, int], TlsCredential] = {}
        self._keys: dict[int, ec.EllipticCurvePrivateKey] = {}

    def entries(self, tag: int | None = None, kind: int | None = None) -> list[TlsCredential]:
        """Return credentials in order of tag and type, all or those of a tag or type."""
        return [
            entry
            for _slot, entry in sorted(self._entries.items())
            if tag in {None, entry.tag} and kind in {None, entry.type}
        ]

    def add(self, tag: int, kind: int, content: bytes) -> None:
        """Keep a credential.

        :raises Occupied: there is one of that tag and type.
        :raises Full: there is no room.
        """
        if (tag, kind) in self._entries:
            raise Occupied
        if len(self._entries) >= ROOM:
            raise Full
        entry = TlsCredential(tag=tag, type=kind, content=content)
        self._change(
            f"TLS credential {tag},{kind} written", lambda: self._entries.update({(tag, kind): entry})
        )

    def delete(self, tag: int, kind: int) -> None:
        """Delete a credential.

        :raises Missing: there is none.
        """
        if (tag, kind) not in self._entries:
            raise Missing
        self._change(f"TLS credential {tag},{kind} deleted", lambda: self._entries.pop((tag, kind)))

    def make_key(self, tag: int) -> None:
        """Make a key pair.

        :raises Occupied: the tag has one.
        """
        if tag in self._keys:
            raise Occupied
        key = signing.new_key()
        self._change(f"device key {tag} written", lambda: self._keys.update({tag: key}))

    def delete_key(self, tag: int) -> None:
        """Delete a key pair.

        :raises Missing: the tag has none.
        """
        if tag not in self._keys:
            raise Missing
        self._change(f"device key {tag} deleted", lambda: self._keys.pop(tag))

    def key(self, tag: int) -> ec.EllipticCurvePrivateKey:
        """Return a key pair.

        :raises Missing: the tag has none.
        """
        if tag not in self._keys:
            raise Missing
        return self._keys[tag]

    def key_tags(self) -> list[int]:
        """Return the tags that have a key pair."""
        return sorted(self._keys)

    def _change(self, detail: str, change: Callable[[], object]) -> None:
        self._points.pass_by(BEFORE_FLASH, detail)
        change()
        self._points.pass_by(AFTER_FLASH, detail)
