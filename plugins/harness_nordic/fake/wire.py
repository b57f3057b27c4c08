"""The CBOR between service and device: canonical out, tolerant in (nrfcloud fact sheet, section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cbor2

from harness_nordic.enums import DeviceCommandType, DeviceReportType
from harness_nordic.fake.refusals import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_ID = 45
MOST_CONFIG_PAIRS = 10
_LARGEST_CME_ERROR = 0xFFFFFFFF
_REPORT_LENGTHS = {
    DeviceReportType.FAILED: 4,
    DeviceReportType.AT_DONE: 3,
    DeviceReportType.CONFIG_DONE: 2,
    DeviceReportType.FINISHED: 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCommand:
    """``[id, 0, set_command, parameters, [ignored CME codes]]``: ``AT<set_command>=<parameters>``."""

    id: str
    set_command: str
    parameters: str
    ignored: tuple[int, ...] = ()

    @property
    def element(self) -> list[Any]:
        """The element as CBOR knows it."""
        return [self.id, int(DeviceCommandType.AT), self.set_command, self.parameters, list(self.ignored)]

    @property
    def text_length(self) -> int:
        """Bytes that the command takes in the device's buffer: ``AT``, ``=`` and the final NUL included."""
        return len(f"AT{self.set_command}={self.parameters}".encode()) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigCommand:
    """``[id, 1, {key: value}]``."""

    id: str
    pairs: Mapping[str, str]
    text_length = 0

    @property
    def element(self) -> list[Any]:
        """The element as CBOR knows it."""
        return [self.id, int(DeviceCommandType.CONFIG), dict(self.pairs)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCommand:
    """``[id, 2]``."""

    id: str
    text_length = 0

    @property
    def element(self) -> list[Any]:
        """The element as CBOR knows it."""
        return [self.id, int(DeviceCommandType.FINISHED)]


DeviceCommand = AtCommand | ConfigCommand | FinishedCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What a device says of one command.

    :ivar message: the modem's text; empty where the type has none.
    :ivar cme_error: number of the error of a failure, 0 when it is none of the modem's.
    """

    id: str
    type: DeviceReportType
    message: str = ""
    cme_error: int = 0


def encode_commands(commands: Sequence[DeviceCommand]) -> bytes:
    """Encode a batch: definite lengths, shortest integers, pairs in their given order."""
    return cbor2.dumps([command.element for command in commands])


def join_commands(count: int, elements: Sequence[bytes]) -> bytes:
    """Make a batch of elements that were encoded before, as :func:`encode_commands` would.

    :param count: number of elements in all pieces together.
    """
    if count < 24:  # noqa: PLR2004 - RFC 8949, section 3: so many fit the first byte
        head = bytes([0x80 + count])
    else:
        head = b"\x98" + count.to_bytes(1, "big") if count <= 0xFF else b"\x99" + count.to_bytes(2, "big")  # noqa: PLR2004 - same
    return head + b"".join(elements)


def decode_reports(body: bytes) -> list[DeviceReport]:
    """Decode a device's report; lengths may be indefinite and integers long.

    :raises BadRequest: it is no report; the text says what of it is wrong.
    """
    try:
        elements = cbor2.loads(body, max_depth=4)
    except cbor2.CBORError as error:
        raise BadRequest("the report is not CBOR") from error
    if not isinstance(elements, list) or not elements:
        raise BadRequest("a report is an array of at least one element")
    return [_decode_element(number, element) for number, element in enumerate(elements)]


def _decode_element(number: int, element: Any) -> DeviceReport:
    where = f"element {number} of the report"
    if not isinstance(element, list) or len(element) < 2:  # noqa: PLR2004 - id and type at least
        raise BadRequest(f"{where} is no array of an id and a type")
    identifier, report_type = element[:2]
    if not isinstance(identifier, str) or len(identifier) > LONGEST_ID:
        raise BadRequest(f"{where} has no id of at most {LONGEST_ID} characters")
    if not _is_unsigned(report_type) or report_type not in _REPORT_LENGTHS:
        raise BadRequest(f"{where} has an unknown type")
    kind = DeviceReportType(report_type)
    if len(element) != _REPORT_LENGTHS[kind]:
        raise BadRequest(f"{where} has not the items of a report of type {kind:d}")
    message = element[-1] if kind in {DeviceReportType.FAILED, DeviceReportType.AT_DONE} else ""
    cme_error = element[2] if kind is DeviceReportType.FAILED else 0
    if not isinstance(message, str):
        raise BadRequest(f"{where} has a message that is no text")
    if not _is_unsigned(cme_error) or cme_error > _LARGEST_CME_ERROR:
        raise BadRequest(f"{where} has an error number that is none")
    return DeviceReport(id=identifier, type=kind, message=message, cme_error=cme_error)


def _is_unsigned(value: Any) -> bool:
    return type(value) is int and value >= 0
