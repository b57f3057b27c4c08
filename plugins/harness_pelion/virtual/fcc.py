"""The factory configurator's check whether a device is configured (pelion fact sheet, section 2.2).

The checks come in the order of that section, and the first that fails says which. Warnings never fail it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness_pelion.enums import Item
from harness_pelion.virtual.kcm import KcmRefusal, read_certificate, read_private_key

if TYPE_CHECKING:
    from datetime import datetime

    from harness_pelion.virtual.kcm import Kcm

NO_ITEM = "Item does not exist:"
EMPTY_ITEM = "Item empty:"
WRONG_SIZE = "Item size is wrong:"
WRONG_OFFSET = "UTC offset incorrect:"
WRONG_MODE = "Bootstrap mode value incorrect:"
WRONG_URI = "URI format incorrect:"
WRONG_KEY = "Certificate public key validation failed:"
WRONG_CERTIFICATE = "Certificate invalid:"
WRONG_NAME = "Certificate CN attribute invalid:"
EXPIRED = "Certificate expired:"

_METADATA = (
    Item.MANUFACTURER,
    Item.MODEL_NUMBER,
    Item.DEVICE_TYPE,
    Item.HARDWARE_VERSION,
    Item.MEMORY_TOTAL_KB,
    Item.SERIAL_NUMBER,
)
_OFFSET = re.compile(rb"[+-][0-9]{2}:[0-9]{2}")
_MODE_SIZE = 4
_UUID_SIZE = 16


class NotConfigured(Exception):
    """A check failed; the text is ``TEXT:ITEM``."""

    def __init__(self, text: str, item: str) -> None:
        """Say which check failed for which item."""
        super().__init__(f"{text}{item}")


@dataclass(frozen=True, slots=True)
class _Mode:
    """The items that a device connects with: at a bootstrap server, or at the LwM2M server directly."""

    server_ca: Item
    uri: Item
    key: Item
    certificate: Item


_DIRECT, _BOOTSTRAP = range(2)
_MODES = {
    _BOOTSTRAP: _Mode(
        Item.BOOTSTRAP_SERVER_CA_CERT,
        Item.BOOTSTRAP_SERVER_URI,
        Item.BOOTSTRAP_DEVICE_PRIVATE_KEY,
        Item.BOOTSTRAP_DEVICE_CERT,
    ),
    _DIRECT: _Mode(
        Item.LWM2M_SERVER_CA_CERT,
        Item.LWM2M_SERVER_URI,
        Item.LWM2M_DEVICE_PRIVATE_KEY,
        Item.LWM2M_DEVICE_CERT,
    ),
}


def verify(kcm: Kcm, now: datetime, *, production: bool = False) -> None:
    """Check whether a device is configured.

    :param now: the time of the device's own clock.
    :param production: its firmware is a production build.
    :raises NotConfigured: it is not; the first check that failed.
    """
    _check_offset(kcm)
    mode = _MODES[_bootstrap_mode(kcm)]
    _existing(kcm, Item.ENDPOINT_NAME)
    for item in _METADATA:
        _existing(kcm, item, may_be_empty=True)
    _existing(kcm, mode.server_ca)
    _check_uri(kcm, mode.uri)
    _check_device_certificate(kcm, mode, now, production=production)
    _check_update_items(kcm, now)


def _check_offset(kcm: Kcm) -> None:
    offset = kcm.get(Item.UTC_OFFSET)
    if offset and not _OFFSET.fullmatch(offset):
        raise NotConfigured(WRONG_OFFSET, Item.UTC_OFFSET)


def _bootstrap_mode(kcm: Kcm) -> int:
    data = kcm.get(Item.USE_BOOTSTRAP)
    if data is None:
        raise NotConfigured(NO_ITEM, Item.USE_BOOTSTRAP)
    if len(data) != _MODE_SIZE:
        raise NotConfigured(WRONG_SIZE, Item.USE_BOOTSTRAP)
    mode = int.from_bytes(data, "little")
    if mode not in _MODES:
        raise NotConfigured(WRONG_MODE, Item.USE_BOOTSTRAP)
    return mode


def _existing(kcm: Kcm, item: Item, *, may_be_empty: bool = False) -> bytes:
    data = kcm.get(item)
    if data is None:
        raise NotConfigured(NO_ITEM, item)
    if not data and not may_be_empty:
        raise NotConfigured(EMPTY_ITEM, item)
    return data


def _check_uri(kcm: Kcm, item: Item) -> None:
    uri = _existing(kcm, item)
    has_account = b"?aid=" in uri or b"&aid=" in uri
    if not uri.startswith((b"coap://", b"coaps://")) or not has_account:
        raise NotConfigured(WRONG_URI, item)


def _check_device_certificate(kcm: Kcm, mode: _Mode, now: datetime, *, production: bool) -> None:
    key_data = _existing(kcm, mode.key)
    certificate = _certificate(_existing(kcm, mode.certificate), mode.certificate)
    if not _belong_together(certificate, key_data):
        raise NotConfigured(WRONG_KEY, mode.certificate)
    if production and not _is_for_clients(certificate):
        raise NotConfigured(WRONG_CERTIFICATE, mode.certificate)
    if _common_name(certificate) != _existing(kcm, Item.ENDPOINT_NAME):
        raise NotConfigured(WRONG_NAME, mode.certificate)
    _check_expiry(certificate, mode.certificate, now)


def _check_update_items(kcm: Kcm, now: datetime) -> None:
    update = kcm.get(Item.UPDATE_AUTH_CERT)
    if update is not None:
        _check_expiry(_certificate(update, Item.UPDATE_AUTH_CERT), Item.UPDATE_AUTH_CERT, now)
    for item in (Item.CLASS_ID, Item.VENDOR_ID):
        data = kcm.get(item)
        if data is not None and len(data) != _UUID_SIZE:
            raise NotConfigured(WRONG_SIZE, item)


def _certificate(data: bytes, item: Item) -> x509.Certificate:
    try:
        return read_certificate(data)
    except KcmRefusal as refusal:  # the store takes none such
        raise NotConfigured(WRONG_CERTIFICATE, item) from refusal


def _belong_together(certificate: x509.Certificate, key_data: bytes) -> bool:
    try:
        own = read_private_key(key_data).public_key()
    except KcmRefusal:
        return False
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return own.public_bytes(*form) == certificate.public_key().public_bytes(*form)


def _is_for_clients(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _common_name(certificate: x509.Certificate) -> bytes | None:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        return None
    value = names[0].value
    return value if isinstance(value, bytes) else value.encode()


def _check_expiry(certificate: x509.Certificate, item: Item, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise NotConfigured(EXPIRED, item)
