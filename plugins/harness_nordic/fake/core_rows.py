"""The rows by which devices are onboarded into the core: ``id,subtype,tags,fwtypes,"<PEM>"``.

Form: nrfcloud fact sheet, section 2.10. A certificate has line breaks, so a row is a CSV record here and no
line; rows are numbered from 0, as the error summary numbers them.
"""

from __future__ import annotations

import csv
import io
import re

from cryptography import x509

from harness_nordic.fake.bodies import LONGEST_TAG
from harness_nordic.fake.core_devices import CoreDevice
from harness_nordic.fake.refusals import BadRequest

MOST_ROWS = 1000
LONGEST_DEVICE_ID = 64
FIRMWARE_TYPES = ("APP", "MODEM", "BOOT", "SOFTDEVICE", "BOOTLOADER", "MDM_FULL")
DEFAULT_FIRMWARE_TYPES = ("APP", "MODEM")

_COLUMNS = 5
_DEVICE_ID = re.compile(r"[A-Za-z0-9._:-]+")


class RowRefused(Exception):
    """A row that onboards nothing, and why."""


def read_records(body: bytes) -> list[list[str]]:
    """Read the records of a body, without those that are blank.

    :raises BadRequest: it is no CSV, has no record, or more than may be.
    """
    try:
        text = body.decode("utf-8-sig")
        records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record]
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is no CSV: no UTF-8 at byte {error.start}") from None
    except csv.Error as error:
        raise BadRequest(f"the body is no CSV: {error}") from None
    if not records:
        raise BadRequest("the body has no row; expected a device in each")
    if len(records) > MOST_ROWS:
        raise BadRequest(f"the body has {len(records)} rows; expected {MOST_ROWS} at most")
    return records


def read_device(record: list[str]) -> CoreDevice:
    """Read the device of a record.

    :raises RowRefused: it is none.
    """
    if len(record) != _COLUMNS:
        raise RowRefused(f"{len(record)} columns; expected {_COLUMNS}: id, subtype, tags, types, certificate")
    device_id, sub_type, tags, types, certificate = (column.strip() for column in record)
    if not _DEVICE_ID.fullmatch(device_id) or len(device_id) > LONGEST_DEVICE_ID:
        raise RowRefused(f"no device id; expected 1 to {LONGEST_DEVICE_ID} letters, digits or . _ : -")
    _check_certificate(certificate)
    return CoreDevice(
        id=device_id,
        sub_type=sub_type,
        tags=_tags(tags),
        firmware_types=_firmware_types(types),
        certificate=certificate,
    )


def _tags(text: str) -> tuple[str, ...]:
    tags = tuple(tag.strip() for tag in text.split("|")) if text else ()
    if any(not 0 < len(tag) <= LONGEST_TAG for tag in tags):
        raise RowRefused(f"a tag that is empty or has more than {LONGEST_TAG} characters")
    return tags


def _firmware_types(text: str) -> tuple[str, ...]:
    types = tuple(part.strip() for part in text.split("|")) if text else DEFAULT_FIRMWARE_TYPES
    unknown = sorted(set(types) - set(FIRMWARE_TYPES))
    if unknown:
        raise RowRefused(
            f"no firmware type: {unknown[0][:30]!r}; expected some of {' '.join(FIRMWARE_TYPES)}"
        )
    return types


def _check_certificate(pem: str) -> None:
    try:
        x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, x509.InvalidVersion):
        raise RowRefused("the certificate cannot be read; expected PEM in double quotes") from None
