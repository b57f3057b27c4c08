"""What the core API answers, and what rows it takes (nrfcloud fact sheet, section 2.10)."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads it
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from harness.errors import UsageError
from harness_nordic.client_models import Page

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_FIRMWARE_TYPES = ("APP", "MODEM")

_ERROR = re.compile(r"\[(\d+)\]: ?(.*)", re.DOTALL)
_INSEPARABLE = re.compile(r'[",\r\n|]')


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class FirmwareRecord(_Answer):
    """What the core knows of a device's firmware.

    :ivar supports: the kinds of update that it takes.
    """

    supports: tuple[str, ...] = ()


class MetaRecord(_Answer):
    """What the core says of its own record."""

    created_at: str = Field("", alias="createdAt")


class CoreDeviceRecord(_Answer):
    """An onboarded device; only what Nordic's own client reads is known."""

    id: str
    name: str = ""
    sub_type: str | None = Field("", alias="subType")
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    firmware: FirmwareRecord = FirmwareRecord()
    state: dict[str, Any] = Field(default_factory=dict)
    meta: MetaRecord = Field(default_factory=lambda: MetaRecord(createdAt=""), alias="$meta")


class CoreDevicePage(Page[CoreDeviceRecord]):
    """A page of onboarded devices."""


class AcceptedRecord(_Answer):
    """An onboarding that the core is going to do."""

    operation_id: str = Field(alias="bulkOpsRequestId")


class OperationRecord(_Answer):
    """What has come of an onboarding so far; every value is a string."""

    status: str
    error_summary_url: str | None = Field(None, alias="errorSummaryUrl")


class ErrorSummary(_Answer):
    """Why rows were refused: ``[0]: text``, numbered from 0."""

    errors: tuple[str, ...]

    def by_row(self) -> dict[int, str]:
        """Return the texts by the numbers of their rows."""
        found = (_ERROR.fullmatch(error) for error in self.errors)
        return {int(match[1]): match[2] for match in found if match}


class TenantRecord(_Answer):
    """A team as the account tells it."""

    tenant_id: str = Field(alias="tenantId")


class AccountRecord(_Answer):
    """Whose key it is."""

    team: TenantRecord


class BundleRecord(_Answer):
    """Something that devices can be updated to."""

    id: str = Field(alias="bundleId")
    type: str | None = None
    version: str | None = None
    name: str = ""


class BundlePage(Page[BundleRecord]):
    """A page of what may be ordered as an update."""


class JobRecord(_Answer):
    """An update that was ordered."""

    id: str = Field(alias="jobId")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardingRow:
    """A device that is to be onboarded.

    :ivar certificate: its client certificate (PEM).
    :ivar sub_type: what its team calls its kind.
    :ivar tags: the core's own tags.
    :ivar firmware_types: the kinds of update that it takes.
    """

    id: str
    certificate: str = field(repr=False)
    sub_type: str = ""
    tags: tuple[str, ...] = ()
    firmware_types: tuple[str, ...] = DEFAULT_FIRMWARE_TYPES

    def text(self) -> str:
        """Return the row as Nordic's client writes it: ``id,subtype,tags,types,"<PEM>"`` and LF.

        :raises UsageError: something that a column cannot hold.
        """
        for value in (self.id, self.sub_type, *self.tags, *self.firmware_types):
            if _INSEPARABLE.search(value):
                raise UsageError(
                    "no column of a row", value=value, expected='no comma, ", | or line break', key="onboard"
                )
        if '"' in self.certificate:
            raise UsageError("no PEM", key="certificate", expected="a certificate without quotation marks")
        columns = (self.id, self.sub_type, "|".join(self.tags), "|".join(self.firmware_types))
        return f'{",".join(columns)},"{self.certificate}"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardResult:
    """What came of an onboarding.

    :ivar status: ``SUCCEEDED`` or ``FAILED``.
    :ivar errors: why rows were refused, by their numbers, counted from 0.
    """

    operation_id: str
    status: str
    errors: Mapping[int, str]


def rows_text(rows: Iterable[OnboardingRow]) -> str:
    """Return the body of an onboarding.

    :raises UsageError: see :meth:`OnboardingRow.text`.
    """
    return "".join(row.text() for row in rows)
