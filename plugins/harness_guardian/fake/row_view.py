"""A provisioning request as a row: the values of its columns, and the same as JSON (fact sheet, section 4).

One function says what stands in the columns, for the API, the pages and the report alike, so that they cannot
disagree. What may be done with a request is told by whoever knows its state and its user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness_guardian.enums import Column, Status
from harness_guardian.fake.dates import rfc3339
from harness_guardian.fake.records import status_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness_guardian.enums import Action, ErrorCode
    from harness_guardian.fake.choices import Choices
    from harness_guardian.fake.filtering import Row
    from harness_guardian.fake.records import HistoryEntry, ProvisioningRequest
    from harness_guardian.fake.reports import Value


def values(request: ProvisioningRequest, choices: Choices) -> dict[Column, Value]:
    """Return what stands in the twenty columns of data; moments in seconds since the epoch."""
    device = request.component_instance
    return {
        Column.SYSTEM_NAME: request.system_name,
        Column.SYSTEM_INSTANCE_NAME: request.system_instance_name,
        Column.SYSTEM_INSTANCE_ID: request.system_instance_id,
        Column.COMPONENT_NAME: request.component_name,
        Column.COMPONENT_INSTANCE_ID: None if device is None else device.id,
        Column.COMPONENT_INSTANCE_CREATED_ON: None if device is None else device.created_at,
        Column.DEVICE_HW_ID: request.hw_id,
        Column.APPROVAL_TYPE: request.approval_type,
        Column.PROVISIONING_STATUS: shown_status(request.status, request.error_code, choices),
        Column.REQUEST_ID: request.id,
        Column.REQUEST_CREATED_ON: request.created_at,
        Column.RESPONSE_ID: request.response_id,
        Column.RESPONSE_CREATED_ON: request.response_created_at,
        Column.PROVISION_SOURCE: request.door,
        Column.APPROVED_ON: request.approved_at,
        Column.APPROVED_BY: request.approved_by,
        Column.REJECTED_ON: request.rejected_at,
        Column.REJECTED_BY: request.rejected_by,
        Column.PROVISIONED_ON: request.provisioned_at,
        Column.PROVISIONED_BY: request.provisioned_by,
    }


def shown_status(status: Status, error_code: ErrorCode | None, choices: Choices) -> str:
    """Return the text of a status; the seed writes those of transient ones with and without ``...``."""
    text = status_text(status, error_code)
    return text if choices.dots else text.removesuffix("...")


def row_json(request: ProvisioningRequest, actions: Iterable[Action], choices: Choices) -> dict[str, Any]:
    """Return a request as it is now: the columns by their slugs, and what is beside them.

    :param actions: what may be done with it by whoever asks.
    """
    shown: dict[str, Any] = {column.value: _json(column, value) for column, value in _cells(request, choices)}
    shown[Column.ACTIONS.value] = [action.value for action in actions]
    shown["id"] = request.id
    shown["status"] = request.status.value
    shown["error_code"] = None if request.error_code is None else request.error_code.value
    shown["version"] = request.version
    return shown


def passed_json(row: Row[ProvisioningRequest], actions: Iterable[Action], choices: Choices) -> dict[str, Any]:
    """Return a row of a list; one of the history shows the status that was passed, and offers nothing."""
    shown = row_json(row.request, actions if row.is_current else (), choices)
    passed = row.passed
    shown[Column.PROVISIONING_STATUS.value] = shown_status(passed.status, passed.error_code, choices)
    shown["status"] = passed.status.value
    shown["error_code"] = None if passed.error_code is None else passed.error_code.value
    shown["status_since"] = rfc3339(passed.at)
    return shown


def history_json(entries: Iterable[HistoryEntry], choices: Choices) -> list[dict[str, Any]]:
    """Return what a request passed, oldest first."""
    return [
        {
            "status": entry.status.value,
            "text": shown_status(entry.status, entry.error_code, choices),
            "at": rfc3339(entry.at),
            "by": entry.by,
            "error_code": None if entry.error_code is None else entry.error_code.value,
        }
        for entry in entries
    ]


def device_key(request: ProvisioningRequest) -> tuple[str, ...]:
    """Return what a device is known by in a report.

    One that was approved once is known by its component instance; before, by what its requests say of it, so
    that what waits or has failed is not missing.
    """
    device = request.component_instance
    if device is not None:
        return (device.id,)
    return request.system_name, request.system_instance_id, request.component_name, request.hw_id


def latest_of_each_device(requests: Iterable[ProvisioningRequest]) -> list[ProvisioningRequest]:
    """Return the latest request of each device, in the order of these.

    :param requests: oldest first.
    """
    latest: dict[tuple[str, ...], ProvisioningRequest] = {}
    for request in requests:
        latest.pop(device_key(request), None)
        latest[device_key(request)] = request
    return list(latest.values())


_MOMENTS = frozenset(column for column in Column if column.value.endswith("_on"))


def _cells(request: ProvisioningRequest, choices: Choices) -> Iterable[tuple[Column, Value]]:
    cells: Mapping[Column, Value] = values(request, choices)
    return cells.items()


def _json(column: Column, value: Value) -> str | None:
    return rfc3339(value) if column in _MOMENTS and isinstance(value, float | int) else _text(value)


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
