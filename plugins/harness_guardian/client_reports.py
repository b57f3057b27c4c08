"""Reports and how dates are shown: what every user may ask for (guardian fact sheet, sections 7 and 8)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.backends.answers import parse_answer
from harness.errors import BackendFault
from harness_guardian.client_models import DisplaySettings
from harness_guardian.enums import COLUMN_TITLES, Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness_guardian.client_door import Door

REPORT = "/reports/device-provisioning"
SETTINGS = "/me/settings"
ERROR_CODE = "Error code"
"""The heading of the last column of a report; the others are those of the list."""

_FILE_NAME = re.compile(r'filename="?([^";]+)"?', re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A device provisioning report.

    :ivar filename: that the service gave it.
    :ivar content: the file, byte by byte.
    :ivar header: the headings, in order.
    :ivar rows: what is in each line, by headings.
    """

    filename: str
    content: bytes
    header: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]

    @property
    def text(self) -> str:
        """The file as text."""
        return self.content.decode()

    def row_of(self, request_id: str) -> Mapping[str, str] | None:
        """Return the line of a request; ``None`` where the report has none."""
        title = COLUMN_TITLES[Column.REQUEST_ID]
        return next((row for row in self.rows if row[title] == request_id), None)


class ReportCalls:
    """The part of the client that is about reports and settings."""

    door: Door

    def report(
        self,
        scope: Literal["all", "selected"] = "all",
        *,
        system: str | None = None,
        ids: Sequence[str] | None = None,
    ) -> Report:
        """Export the device provisioning report.

        :param scope: of all devices, or of those whose requests are given.
        :param ids: of requests.
        :raises Refused: the service does not give it.
        :raises BackendFault: what it gives is no report.
        """
        operation = "ExportDeviceProvisioningReport"
        parameters: dict[str, Any] = {"scope": scope}
        if system is not None:
            parameters["system"] = system
        if ids is not None:
            parameters["ids"] = ",".join(ids)
        response = self.door.request("GET", REPORT, operation=operation, accept={200}, params=parameters)
        name = _FILE_NAME.search(response.headers.get("Content-Disposition", ""))
        return read_report(response.content, name[1] if name else "")

    def settings(self) -> DisplaySettings:
        """Return how this user's dates are shown."""
        operation = "GetSettings"
        response = self.door.request("GET", SETTINGS, operation=operation, accept={200})
        return parse_answer(DisplaySettings, response, operation)

    def change_settings(self, *, iso: bool | None = None, local_time: bool | None = None) -> DisplaySettings:
        """Change how this user's dates are shown; what is not given stays."""
        operation = "PutSettings"
        now = self.settings()
        wanted = {
            "iso": now.iso if iso is None else iso,
            "local_time": now.local_time if local_time is None else local_time,
        }
        response = self.door.request("PUT", SETTINGS, operation=operation, accept={200}, json=wanted)
        return parse_answer(DisplaySettings, response, operation)


def read_report(content: bytes, filename: str = "") -> Report:
    """Read a report (RFC 4180, UTF-8).

    :raises BackendFault: it cannot be read, or a line has another number of cells than the header.
    """
    try:
        text = content.decode("utf-8")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BackendFault(f"the report cannot be read: {error}") from error
    if not lines:
        raise BackendFault("the report has no header")
    header, *rest = lines
    for number, line in enumerate(rest, 2):
        if len(line) != len(header):
            raise BackendFault(f"line {number} of the report has {len(line)} cells, its header {len(header)}")
    rows = tuple(dict(zip(header, line, strict=True)) for line in rest)
    return Report(filename=filename, content=content, header=tuple(header), rows=rows)
