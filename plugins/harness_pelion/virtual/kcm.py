"""The key and configuration manager: the device's secure storage of named items.

It is kept on ``/config`` and survives power cycles (pelion fact sheet, section 2.1). A write of it happens or
does not happen: a power cut leaves an item as it was or as it was to be. The texts of its refusals are those
of the factory configurator client 3.0.0.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness_pelion.enums import Item
from harness_pelion.virtual import power

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.virtual.power_points import PowerPoints

LONGEST_NAME = 100

#: Why the store refuses something.
NAME_INVALID = "File name invalid:"
NAME_TOO_LONG = "File name too long:"
EMPTY = "Item data empty:"
NO_CERTIFICATE = "Certificate parse failed:"
NO_PRIVATE_KEY = "Private key parse failed:"
OTHER_CURVE = "Curve unsupported:"
STORAGE_FAILED = "File operation general error:"

#: Items that are X.509 certificates, DER.
CERTIFICATES = frozenset(
    {
        Item.BOOTSTRAP_DEVICE_CERT,
        Item.BOOTSTRAP_SERVER_CA_CERT,
        Item.UPDATE_AUTH_CERT,
        Item.LWM2M_DEVICE_CERT,
        Item.LWM2M_SERVER_CA_CERT,
    }
)
#: Items that are private EC keys, DER.
PRIVATE_KEYS = frozenset({Item.BOOTSTRAP_DEVICE_PRIVATE_KEY, Item.LWM2M_DEVICE_PRIVATE_KEY})
#: The endpoint name with which the stored LwM2M credentials were got. [design]
BOOTSTRAPPED_ENDPOINT = "mbed.BootstrappedEndpoint"
#: What the device got when it bootstrapped.
ENROLMENT: tuple[str, ...] = (
    Item.LWM2M_SERVER_URI,
    Item.LWM2M_DEVICE_CERT,
    Item.LWM2M_DEVICE_PRIVATE_KEY,
    Item.LWM2M_SERVER_CA_CERT,
    Item.INTERNAL_ENDPOINT,
    BOOTSTRAPPED_ENDPOINT,
)

_NAME = re.compile(r"[A-Za-z0-9._-]+")


class KcmRefusal(Exception):
    """The store did not take or give up an item; the text is what the configurator calls the error."""


class Kcm:
    """Keeps items without power. On the bench's loop thread only."""

    def __init__(self, points: PowerPoints, check_room: Callable[[int], None] = lambda _size: None) -> None:
        """Keep nothing.

        :param points: passed before and after each write.
        :param check_room: asked before each write whether so many bytes more can be written; raises
            :class:`OSError` when they cannot.
        """
        self._points = points
        self._check_room = check_room
        self._items: dict[str, bytes] = {}
        self._factory: set[str] = set()

    def get(self, name: str) -> bytes | None:
        """Return an item, ``None`` when there is none."""
        return self._items.get(name)

    def names(self) -> tuple[str, ...]:
        """Return the names of all items, in their order."""
        return tuple(sorted(self._items))

    def is_factory(self, name: str) -> bool:
        """Tell whether an item was stored as one of the factory's."""
        return name in self._factory

    def used(self) -> int:
        """Return how many bytes all items have."""
        return sum(map(len, self._items.values()))

    def store(self, name: str, data: bytes, *, factory: bool = False) -> None:
        """Write an item in the place of what was there.

        :param factory: it belongs to the factory's.
        :raises KcmRefusal: name or data do not fit (pelion fact sheet, section 2.1), or there is no room.
        :raises PowerLost: the power went, before the write or after it.
        """
        self.commit({name: data}, factory=factory)

    def delete(self, name: str) -> bool:
        """Remove an item, and tell whether there was one.

        :raises KcmRefusal: nothing can be written.
        :raises PowerLost: the power went, before the write or after it.
        """
        _check_name(name)
        if name not in self._items:
            return False
        self._check_storage(0)
        self._points.pass_by(power.BEFORE_DELETE, name)
        self._remove(name)
        self._points.pass_by(power.AFTER_DELETE, name)
        return True

    def commit(self, changes: Mapping[str, bytes | None], *, factory: bool = False) -> None:
        """Write several items by one write, all or none; ``None`` removes one.

        :raises KcmRefusal: a name or its data do not fit, or nothing can be written.
        :raises PowerLost: the power went, before the write or after it.
        """
        for name, data in changes.items():
            _check_name(name)
            if data is not None:
                check_item(name, data)
        kept = sum(len(data) for name, data in self._items.items() if name not in changes)
        self._check_storage(sum(map(len, filter(None, changes.values()))) + kept - self.used())
        detail = ", ".join(changes)
        self._points.pass_by(power.BEFORE_STORE, detail)
        for name, data in changes.items():
            self._remove(name)
            if data is not None:
                self._items[name] = data
                self._factory |= {name} if factory else set()
        self._points.pass_by(power.AFTER_STORE, detail)

    def forget(self) -> None:
        """Be as new."""
        self._items.clear()
        self._factory.clear()

    def digests(self) -> dict[str, dict[str, Any]]:
        """Return what a test may know: sizes and digests, no content."""
        return {
            name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(self._items.items())
        }

    def _remove(self, name: str) -> None:
        self._items.pop(name, None)
        self._factory.discard(name)

    def _check_storage(self, size: int) -> None:
        try:
            self._check_room(size)
        except OSError as error:
            raise KcmRefusal(STORAGE_FAILED) from error


def check_item(name: str, data: bytes) -> None:
    """Refuse what does not fit an item.

    :raises KcmRefusal: a certificate or key is empty, or is none.
    """
    if name in CERTIFICATES:
        _refuse_empty(data)
        read_certificate(data)
    elif name in PRIVATE_KEYS:
        _refuse_empty(data)
        read_private_key(data)


def read_certificate(data: bytes) -> x509.Certificate:
    """Read a certificate.

    :raises KcmRefusal: it is none.
    """
    try:
        certificate = x509.load_der_x509_certificate(data)
        certificate.subject, certificate.public_key(), certificate.extensions
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KcmRefusal(NO_CERTIFICATE) from error
    return certificate


def read_private_key(data: bytes) -> ec.EllipticCurvePrivateKey:
    """Read a private EC key, in PKCS#8 or in its traditional form.

    :raises KcmRefusal: it is none, or of a curve other than P-256.
    """
    try:
        key = serialization.load_der_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KcmRefusal(NO_PRIVATE_KEY) from None  # the reason may quote the key
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KcmRefusal(NO_PRIVATE_KEY)
    if not isinstance(key.curve, ec.SECP256R1):
        raise KcmRefusal(OTHER_CURVE)
    return key


def _refuse_empty(data: bytes) -> None:
    if not data:
        raise KcmRefusal(EMPTY)


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise KcmRefusal(NAME_TOO_LONG)
    if not _NAME.fullmatch(name):
        raise KcmRefusal(NAME_INVALID)
