"""The part of nRF Cloud's core API that clients of provisioning call (nrfcloud fact sheet, section 2.10)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import parse_body
from harness_nordic.fake.core_rows import FIRMWARE_TYPES, RowRefused, read_device, read_records
from harness_nordic.fake.paging import page_of
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.team_calls import TeamCalls

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from starlette.requests import Request

    from harness_nordic.fake.core_devices import BulkOperation, CoreDevice
    from harness_nordic.fake.records import Member

LARGEST_ROWS = 4 * 1024 * 1024
"""Bytes of a body of rows: a thousand certificates must fit."""

ERROR_SUMMARIES = "/v1/bulk-ops-error-summaries"

BUNDLES = (
    {
        "bundleId": "MODEM*00000000*mfw_nrf91x1_2.0.1-to-2.0.2",
        "name": "mfw_nrf91x1 2.0.1 to 2.0.2",
        "description": "a delta update that the fake has for everybody",
        "type": "MODEM",
        "version": "mfw_nrf91x1_2.0.2",
        "size": 98304,
        "lastModified": "2025-01-15T09:30:00.000Z",
    },
    {
        "bundleId": "MDM_FULL*00000000*mfw_nrf91x1_2.0.2",
        "name": "mfw_nrf91x1 2.0.2",
        "description": "a full update that the fake has for everybody",
        "type": "MDM_FULL",
        "version": "mfw_nrf91x1_2.0.2",
        "size": 2621440,
        "lastModified": "2025-01-15T09:31:00.000Z",
    },
)
"""What may be ordered as an update; the real service has other ones."""

_MODEM = frozenset({"MODEM", "MDM_FULL"})
_ROW_TYPES = frozenset({"text/plain", "text/csv"})
_LAST = 10**12
"""More than will ever be onboarded; counted down from, numbers rise where the order falls."""

Name = Annotated[str, Field(min_length=1, max_length=256)]


class NameBody(RootModel[Annotated[list[Name], Field(min_length=1, max_length=1)]]):
    """``PUT /devices/{id}/name``: a list of one string."""

    model_config = ConfigDict(strict=True)


class StateBody(RootModel[dict[str, Any]]):
    """``PATCH /devices/{id}/state``."""

    @model_validator(mode="after")
    def _of_numbers(self) -> Self:
        if not _is_json(self.root):
            raise ValueError("expected numbers that JSON has")
        return self


class JobBody(BaseModel):
    """``POST /fota-jobs``."""

    model_config = ConfigDict(strict=True)

    bundle_id: str = Field(alias="bundleId")
    name: str = ""
    description: str = ""
    device_ids: list[str] = Field([], alias="deviceIds")
    tags: list[str] = []

    @model_validator(mode="after")
    def _for_somebody(self) -> Self:
        if bool(self.device_ids) == bool(self.tags):
            raise ValueError("expected either deviceIds or tags")
        return self


class CoreApi(TeamCalls):
    """The routes of the core API. They ask for the same keys and roles as those of provisioning."""

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        device = "/v1/devices/{device_id}"
        return [
            self._route("POST", "/v1/devices", self.onboard),
            self._route("GET", "/v1/devices", self.list_devices),
            self._route("GET", device, self.read_device),
            self._route("DELETE", device, self.delete_device),
            self._route("PATCH", device + "/state", self.change_state),
            self._route("PUT", device + "/name", self.rename),
            self._route("GET", "/v1/bulk-ops-requests/{operation_id}", self.read_operation),
            Route(ERROR_SUMMARIES + "/{summary_id}", self.error_summary, methods=["GET"]),
            self._route("GET", "/v1/account", self.account),
            self._route("GET", "/v1/firmwares", self.list_bundles),
            self._route("POST", "/v1/fota-jobs", self.order_update),
            self._route("GET", "/v1/fota-jobs", self.list_jobs),
            self._route("GET", "/v1/fota-jobs/{job_id}", self.read_job),
            self._route("DELETE", "/v1/fota-jobs/{job_id}", self.cancel_update),
        ]

    def _device(self, request: Request) -> CoreDevice:
        return self._service.core.device(self._member(request).owner_id, request.path_params["device_id"])

    def _shown(self, device: CoreDevice, owner_id: str, *, state: bool = True) -> dict[str, Any]:
        groups = self._service.choices.core_groups_shown
        return device.to_json(owner_id, state=state, groups=groups)

    # Devices -----------------------------------------------------------------------------------------

    async def onboard(self, request: Request) -> Response:
        """Onboard devices by their certificates; what came of it is told by the bulk operation."""
        member = self._member(request)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in _ROW_TYPES:
            raise HTTPException(415, "devices are onboarded by rows: text/csv or text/plain")
        records = read_records(await read_body(request, LARGEST_ROWS))
        operation = self._onboard(member, records)
        return JSONResponse({"bulkOpsRequestId": operation.id}, status_code=202)

    def _onboard(self, member: Member, records: list[list[str]]) -> BulkOperation:
        """Onboard what can be; a row that is refused stops no other, unless all have to fit."""
        core = self._service.core
        devices: dict[int, CoreDevice] = {}
        errors: dict[int, str] = {}
        seen: set[str] = set()
        for row, record in enumerate(records):
            try:
                device = read_device(record)
            except RowRefused as refusal:
                errors[row] = str(refusal)
                continue
            if device.id in seen or core.has(member.owner_id, device.id):
                errors[row] = f"the team has a device {device.id} already"
            else:
                seen.add(device.id)
                devices[row] = device
        if not (errors and self._service.choices.core_all_rows_or_none):
            for device in devices.values():
                core.add(member.owner_id, device)
        return core.end_operation(member.owner_id, errors)

    async def list_devices(self, request: Request) -> Response:
        """The team's onboarded devices, in pages."""
        owner_id = self._member(request).owner_id
        query = request.query_params
        wanted: list[Callable[[CoreDevice], bool]] = []
        if ids := _all_of(request, "deviceIds"):
            wanted.append(lambda device: device.id in ids)
        if types := _all_of(request, "firmwareSupport"):
            if types - set(FIRMWARE_TYPES):
                raise BadRequest(f"firmwareSupport: expected some of {' '.join(FIRMWARE_TYPES)}")
            wanted.append(lambda device: bool(types & set(device.firmware_types)))
        if tags := _all_of(request, "tags"):
            wanted.append(lambda device: bool(tags & set(device.tags)))
        order = query.get("pageSort", "asc")
        if order not in {"asc", "desc"}:
            raise BadRequest("pageSort: expected asc or desc")
        state = query.get("includeState", "true") != "false"
        found = [
            (device.number, self._shown(device, owner_id, state=state))
            for device in self._service.core.devices(owner_id)
            if all(fits(device) for fits in wanted)
        ]
        if order == "desc":
            found = [(_LAST - number, shown) for number, shown in reversed(found)]
        return page_of(request, found)

    async def read_device(self, request: Request) -> Response:
        """One onboarded device."""
        device = self._device(request)
        return JSONResponse(self._shown(device, self._member(request).owner_id))

    async def delete_device(self, request: Request) -> Response:
        """Remove a device from the team for good; whether it is claimed does not matter."""
        member = self._member(request)
        device = self._service.core.delete(member.owner_id, request.path_params["device_id"])
        if self._service.choices.core_delete_answers_device:
            return JSONResponse(self._shown(device, member.owner_id), status_code=202)
        return Response(status_code=204)

    async def change_state(self, request: Request) -> Response:
        """Merge a change into the shadow of a device."""
        device = self._device(request)
        device.take_state(parse_body(StateBody, await read_body(request)).root)
        return Response(status_code=202)

    async def rename(self, request: Request) -> Response:
        """Name a device."""
        device = self._device(request)
        (device.name,) = parse_body(NameBody, await read_body(request)).root
        return Response(status_code=202)

    # Bulk operations ---------------------------------------------------------------------------------

    async def read_operation(self, request: Request) -> Response:
        """What came of an onboarding; every value is a string, because the client joins them."""
        operation_id = request.path_params["operation_id"]
        operation = self._service.core.operation(self._member(request).owner_id, operation_id)
        operation.asked += 1
        shown = {
            "bulkOpsRequestId": operation.id,
            "endpoint": "PROVISION_DEVICES",
            "requestedAt": operation.requested_at,
        }
        if self._service.choices.core_operation_takes_time and operation.asked == 1:
            return JSONResponse({**shown, "status": "IN_PROGRESS"})
        shown |= {
            "status": "FAILED" if operation.errors else "SUCCEEDED",
            "completedAt": operation.requested_at,
        }
        if operation.errors:
            shown["errorSummaryUrl"] = f"{request.base_url}{ERROR_SUMMARIES[1:]}/{operation.summary_id}"
        return JSONResponse(shown)

    async def error_summary(self, request: Request) -> Response:
        """The errors of an onboarding; the client asks for them without a key (section 2.10)."""
        return JSONResponse(self._service.core.error_summary(request.path_params["summary_id"]).summary())

    # The account and updates -------------------------------------------------------------------------

    async def account(self, request: Request) -> Response:
        """Whose key it is."""
        member = self._member(request)
        return JSONResponse({"team": {"tenantId": member.owner_id}, "role": member.role.value})

    async def list_bundles(self, request: Request) -> Response:
        """What may be ordered as an update."""
        self._member(request)
        modem_only = request.query_params.get("modemOnly") == "true"
        shown = [bundle for bundle in BUNDLES if not modem_only or bundle["type"] in _MODEM]
        return page_of(request, list(enumerate(shown, 1)))

    async def order_update(self, request: Request) -> Response:
        """Order an update of devices; none of ours takes it."""
        member = self._member(request)
        body = parse_body(JobBody, await read_body(request))
        if body.bundle_id not in {bundle["bundleId"] for bundle in BUNDLES}:
            raise BadRequest("bundleId: there is no such bundle")
        for device_id in body.device_ids:
            if not self._service.core.has(member.owner_id, device_id):
                raise BadRequest("deviceIds: the team does not have all of them")
        job = self._service.core.order_update(
            member.owner_id,
            bundle_id=body.bundle_id,
            name=body.name,
            description=body.description,
            device_ids=body.device_ids,
            tags=body.tags,
        )
        return JSONResponse({"jobId": job.id}, status_code=201)

    async def list_jobs(self, request: Request) -> Response:
        """The updates that the team ordered (ours)."""
        jobs = self._service.core.jobs(self._member(request).owner_id)
        return page_of(request, [(job.number, job.to_json()) for job in jobs])

    async def read_job(self, request: Request) -> Response:
        """One update that the team ordered (ours)."""
        owner_id = self._member(request).owner_id
        return JSONResponse(self._service.core.job(owner_id, request.path_params["job_id"]).to_json())

    async def cancel_update(self, request: Request) -> Response:
        """Take an order back (ours)."""
        owner_id = self._member(request).owner_id
        self._service.core.cancel_update(owner_id, request.path_params["job_id"])
        return Response(status_code=204)


def _is_json(value: Any) -> bool:
    """Tell whether a value can be written as JSON; parsers let pass what no JSON number is, like NaN."""
    if isinstance(value, dict):
        return all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return not isinstance(value, float) or math.isfinite(value)


def _all_of(request: Request, name: str) -> set[str]:
    """Return the values of a query that may be given several times, or once with commas."""
    return {part for value in request.query_params.getlist(name) for part in value.split(",") if part}
