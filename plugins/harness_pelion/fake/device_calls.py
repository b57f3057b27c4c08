"""Calls about devices and their events (pelion fact sheet, sections 4 and 6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from harness_pelion.enums import EventType
from harness_pelion.fake.answers import without_nulls
from harness_pelion.fake.clock import timestamp
from harness_pelion.fake.directory import CREATED
from harness_pelion.fake.filters import DEVICE_FIELDS, EVENT_FIELDS, parse
from harness_pelion.fake.paging import page, page_request
from harness_pelion.fake.refusals import not_found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from harness_pelion.fake.choices import Choices
    from harness_pelion.fake.doors import Caller, Calls
    from harness_pelion.fake.records import DeviceEvent, DeviceRecord
    from harness_pelion.fake.service import PelionService

_NUMBERS: Mapping[str, str] = {
    CREATED: "200000",
    EventType.BOOTSTRAP: "200100",
    EventType.REGISTRATION: "200200",
    EventType.UPDATE: "200201",
    EventType.DEREGISTRATION: "200300",
    EventType.EXPIRATION: "200301",
    EventType.REFUSAL: "200400",
}
"""Types of events as numbers; the real ones are not public (pelion fact sheet, section 9)."""

_CATEGORY = "device"

_DEVICE_REQUIRED = ("id", "object", "account_id", "state", "device_execution_mode", "etag", "ca_id")
_EVENT_REQUIRED = ("id", "object", "device_id", "date_time", "state_change", "changes", "event_type")


class DeviceCalls:
    """The calls."""

    def __init__(self, service: PelionService) -> None:
        """Answer for a service."""
        self._service = service

    @property
    def calls(self) -> Calls:
        """All calls by path and method."""
        return {
            "/v3/devices/": {"GET": self.devices},
            "/v3/devices/{id}/": {"GET": self.device, "DELETE": self.delete},
            "/v3/device-events/": {"GET": self.events},
            "/v3/device-events/{id}/": {"GET": self.event},
            # What the SDK's older part still calls (pelion fact sheet, section 4).
            "/v3/devicelog/": {"GET": self.events},
            "/v3/devicelog/{id}/": {"GET": self.event},
        }

    async def devices(self, request: Request, caller: Caller) -> Response:
        """List devices."""
        choices = self._service.choices
        asked = page_request(request.query_params, choices)
        text = request.query_params.get("filter", "")
        wanted = parse(text, DEVICE_FIELDS, pass_unknown=choices.unknown_filters)
        rows = [*caller.account.devices.values()]
        return JSONResponse(
            page(rows, asked, choices, self._device_json, lambda device: wanted(device_json(device)))
        )

    async def device(self, request: Request, caller: Caller) -> Response:
        """Tell a device."""
        return JSONResponse(self._device_json(self._device(request, caller)))

    async def delete(self, request: Request, caller: Caller) -> Response:
        """Forget a device: 204."""
        self._service.directory.delete(self._device(request, caller))
        return Response(status_code=204)

    async def events(self, request: Request, caller: Caller) -> Response:
        """List events."""
        choices = self._service.choices
        asked = page_request(request.query_params, choices)
        text = request.query_params.get("filter", "")
        wanted = parse(text, EVENT_FIELDS, pass_unknown=choices.unknown_filters)
        rows = [*caller.account.events]
        return JSONResponse(
            page(rows, asked, choices, self._event_json, lambda event: wanted(event_json(event, choices)))
        )

    async def event(self, request: Request, caller: Caller) -> Response:
        """Tell an event."""
        identifier = request.path_params["id"]
        found = next((event for event in caller.account.events if event.id == identifier), None)
        if found is None:
            raise not_found("event")
        return JSONResponse(self._event_json(found))

    def _device(self, request: Request, caller: Caller) -> DeviceRecord:
        """Return the device of a call.

        :raises Refused: 404.
        """
        device = caller.account.devices.get(request.path_params["id"])
        if device is None:
            raise not_found("device")
        return device

    def _device_json(self, device: DeviceRecord) -> dict[str, Any]:
        return without_nulls(device_json(device), _DEVICE_REQUIRED, self._service.choices)

    def _event_json(self, event: DeviceEvent) -> dict[str, Any]:
        choices = self._service.choices
        return without_nulls(event_json(event, choices), _EVENT_REQUIRED, choices)


def device_json(device: DeviceRecord) -> dict[str, Any]:
    """Return a device with all fields of the directory (pelion fact sheet, section 6.3)."""
    return {
        "object": "device",
        "id": device.id,
        "account_id": device.account_id,
        "etag": timestamp(device.updated_at),
        "created_at": timestamp(device.created_at),
        "updated_at": timestamp(device.updated_at),
        "endpoint_name": device.endpoint_name,
        "endpoint_type": device.endpoint_type or None,
        "name": device.name or device.id,
        "description": device.description or None,
        "state": device.state.value,
        "device_key": device.device_key,
        "ca_id": device.ca_id,
        "device_execution_mode": int(device.execution_mode),
        "vendor_id": device.vendor_id or None,
        "device_class": device.device_class or None,
        "serial_number": device.serial_number or None,
        "mechanism": "connector",
        "mechanism_url": None,
        "bootstrapped_timestamp": _moment(device.bootstrapped_at),
        "bootstrap_expiration_date": _day(device.bootstrap_expires),
        "connector_expiration_date": _day(device.connector_expires),
        "enrolment_list_timestamp": None,
        "host_gateway": None,
        "groups": [],
        "custom_attributes": dict(device.custom_attributes),
        "firmware_checksum": None,
        "manifest": None,
        "manifest_timestamp": None,
        "auto_update": None,
        "deployed_state": None,
        "deployment": None,
    }


def event_json(event: DeviceEvent, choices: Choices) -> dict[str, Any]:
    """Return an event with all fields (pelion fact sheet, section 6.3)."""
    moment = timestamp(event.at)
    return {
        "object": "device-event",
        "id": event.id,
        "etag": moment,
        "created_at": moment,
        "date_time": moment,
        "device_id": event.device_id,
        "event_type": _NUMBERS[event.kind] if choices.numeric_events else event.kind,
        "event_type_category": _CATEGORY,
        "event_type_description": event.description,
        "description": event.description,
        "state_change": event.state_change,
        "changes": dict(event.changes),
        "data": dict(event.data),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%d}"
