"""The client of the core API, where onboarded devices live (nrfcloud fact sheet, section 2.10)."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.errors import BackendFault
from harness_nordic.client_core_accounts import (
    CORE_DEVICES,
    DONE,
    JOBS,
    UPDATE_JOB,
    CoreAccounts,
    device_path,
)
from harness_nordic.client_core_models import (
    AcceptedRecord,
    AccountRecord,
    BundlePage,
    BundleRecord,
    CoreDevicePage,
    CoreDeviceRecord,
    ErrorSummary,
    JobRecord,
    OnboardingRow,
    OnboardResult,
    OperationRecord,
    rows_text,
)
from harness_nordic.client_pages import read_pages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import httpx

    from harness.backends.contract import Accounts
    from harness.backends.http import ServiceHttp
    from harness_nordic.client_core_accounts import Whose

OPERATION_DEADLINE = 120.0
"""Seconds that an onboarding may take."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_UNDER_WAY = frozenset({"PENDING", "IN_PROGRESS"})
_NOT_FOUND = 404
_OUR_FAULT = range(400, 500)


class OnboardedDevice:
    """An onboarded device: what the core last said of it, and what can be done with it."""

    def __init__(self, core: CoreClient, record: CoreDeviceRecord) -> None:
        """Hold a device of a client's team."""
        self._core = core
        self._record = record

    def __repr__(self) -> str:
        """Name the device."""
        return f"<OnboardedDevice {self.id}>"

    @property
    def id(self) -> str:
        """The device ID."""
        return self._record.id

    @property
    def name(self) -> str:
        """What the team calls it."""
        return self._record.name

    @property
    def sub_type(self) -> str:
        """What the team calls its kind."""
        return self._record.sub_type or ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The core's own tags."""
        return self._record.tags

    @property
    def groups(self) -> tuple[str, ...]:
        """Device management groups (capability ``core-groups``)."""
        return self._record.groups

    @property
    def firmware_types(self) -> tuple[str, ...]:
        """The kinds of update that it takes."""
        return self._record.firmware.supports

    @property
    def state(self) -> Mapping[str, Any]:
        """Its shadow, as far as the core tells it."""
        return self._record.state

    @property
    def created_at(self) -> str:
        """ISO 8601 time of the onboarding; empty where the core does not tell."""
        return self._record.meta.created_at

    def refresh(self) -> Self:
        """Read the device anew and return it.

        :raises RequestRefused: it is no longer the team's.
        """
        self._record = self._core.read(self.id)
        return self

    def update_state(self, change: Mapping[str, Any]) -> None:
        """Merge a change into the shadow.

        :raises RequestRefused: the device is not the team's, or this is no change.
        """
        self._core.update_state(self.id, change)

    def rename(self, name: str) -> None:
        """Name the device.

        :raises RequestRefused: the device is not the team's, or this is no name.
        """
        self._core.rename(self.id, name)

    def delete(self) -> None:
        """Remove the device from the team for good.

        :raises RequestRefused: it is not the team's.
        """
        self._core.delete(self.id)


class CoreClient:
    """One team's access to the core; what it makes is in the ledger, and undone with the client's claims."""

    def __init__(
        self, http: ServiceHttp, accounts: Accounts, key: Whose, labels: Mapping[str, str] | None = None
    ) -> None:
        """Use a team's key.

        :param http: talks to the core as the team; closed by whoever gives it.
        :param accounts: see :class:`~harness_nordic.client_core_accounts.CoreAccounts`, as the next two.
        """
        self._http = http
        self._closed = threading.Event()
        self.accounts = CoreAccounts(http, accounts, key, labels)

    def send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Send a hand-made request that onboards nothing; the answer is returned whatever its status.

        :raises BackendUnreachable: no answer.
        """
        return self._http.send(method, path, **content)

    # Devices -----------------------------------------------------------------------------------------

    def devices(self) -> list[OnboardedDevice]:
        """Return every onboarded device of the team, page by page.

        :raises BackendFault: the pages never end.
        """
        records = read_pages(self._http, CORE_DEVICES, "ListDevices", CoreDevicePage)
        return [OnboardedDevice(self, record) for record in records]

    def device(self, device_id: str) -> OnboardedDevice:
        """Return an onboarded device of the team.

        :raises RequestRefused: it has none of this id.
        """
        return OnboardedDevice(self, self.read(device_id))

    def read(self, device_id: str) -> CoreDeviceRecord:
        """Read an onboarded device."""
        operation = "FetchDevice"
        response = self._http.request("GET", device_path(device_id), operation=operation, accept={200})
        return parse_answer(CoreDeviceRecord, response, operation)

    def has(self, device_id: str) -> bool:
        """Tell whether the team has an onboarded device of this id.

        :raises RequestRefused: the core neither has it nor says that it has not.
        """
        operation = "FetchDevice"
        response = self._http.request(
            "GET", device_path(device_id), operation=operation, accept={200, _NOT_FOUND}
        )
        return response.status_code != _NOT_FOUND

    def expect(self, device_id: str) -> None:
        """Note that a device's provisioning is going to onboard it, so that this is undone, too.

        One that is onboarded already is none of ours, and stays.
        """
        if not self.has(device_id):
            self.accounts.intend([device_id], expected=True)

    def update_state(self, device_id: str, change: Mapping[str, Any]) -> None:
        """Merge a change into a device's shadow."""
        path = device_path(device_id, "/state")
        self._http.request("PATCH", path, operation="UpdateDeviceState", accept=DONE, json=dict(change))

    def rename(self, device_id: str, name: str) -> None:
        """Name a device."""
        path = device_path(device_id, "/name")
        self._http.request("PUT", path, operation="UpdateDeviceName", accept=DONE, json=[name])

    def delete(self, device_id: str) -> None:
        """Remove a device from the team for good."""
        self._http.request("DELETE", device_path(device_id), operation="DeleteDevice", accept=DONE)
        self.accounts.gone(device_id)

    # Onboarding --------------------------------------------------------------------------------------

    def onboard(self, rows: Sequence[OnboardingRow], *, content_type: str = "text/csv") -> OnboardResult:
        """Onboard devices by their certificates, and wait for what comes of it.

        :param content_type: ``text/csv``, or ``text/plain`` as Nordic's client sends a single row.
        :raises RequestRefused: the core takes none of it.
        :raises BackendFault: the core does not come to an end with it.
        :raises UsageError: something that a row cannot hold.
        """
        operation = "OnboardDevices"
        body = rows_text(rows).encode()
        numbers = self.accounts.intend(row.id for row in rows)
        headers = {"Content-Type": content_type}
        response = self._http.send("POST", CORE_DEVICES, operation=operation, content=body, headers=headers)
        if response.status_code in _OUR_FAULT:
            self.accounts.never_made(numbers)
        if response.status_code not in DONE:
            raise self._http.refusal(operation, response)
        result = self.result_of(parse_answer(AcceptedRecord, response, operation).operation_id)
        for row, number in enumerate(numbers):
            if not result.errors:
                self.accounts.made(number)
            elif row in result.errors:
                self.accounts.never_made([number])
        return result

    def result_of(self, operation_id: str) -> OnboardResult:
        """Wait until an onboarding has come to its end.

        :raises RequestRefused: the team has no such operation.
        :raises BackendFault: it does not end, or does not say why it failed.
        """
        operation = "FetchBulkOpsRequest"
        deadline = time.monotonic() + OPERATION_DEADLINE
        pause = _FIRST_PAUSE
        while True:
            path = f"/v1/bulk-ops-requests/{operation_id}"
            response = self._http.request("GET", path, operation=operation, accept={200})
            record = parse_answer(OperationRecord, response, operation)
            if record.status not in _UNDER_WAY:
                break
            if time.monotonic() + pause > deadline:
                raise BackendFault(f"the onboarding {operation_id} was {record.status} for too long")
            if self._closed.wait(pause):
                raise BackendFault(f"the client was closed while the onboarding {operation_id} was under way")
            pause = min(2 * pause, _LONGEST_PAUSE)
        errors = self._errors(record.error_summary_url) if record.error_summary_url else {}
        return OnboardResult(operation_id=operation_id, status=record.status, errors=errors)

    def _errors(self, url: str) -> dict[int, str]:
        """Read the summary of errors; the address is a secret of its own and is asked without our key."""
        operation = "read the error summary"
        response = self._http.with_headers({}).request("GET", url, operation=operation, accept={200})
        return parse_answer(ErrorSummary, response, operation).by_row()

    # The account and updates -------------------------------------------------------------------------

    def tenant_id(self) -> str:
        """Return the id of the team."""
        operation = "FetchAccountInfo"
        response = self._http.request("GET", "/v1/account", operation=operation, accept={200})
        return parse_answer(AccountRecord, response, operation).team.tenant_id

    def firmwares(self) -> list[BundleRecord]:
        """Return everything that devices can be updated to."""
        return read_pages(self._http, "/v1/firmwares", "ListFirmware", BundlePage)

    def order_update(
        self, bundle_id: str, *, device_ids: Sequence[str] = (), tags: Sequence[str] = ()
    ) -> str:
        """Order an update of devices, or of all that have one of some of the core's tags.

        :return: the id of the job.
        :raises RequestRefused: there is no such bundle or device, or both ways are named.
        """
        operation = "CreateFOTAJob"
        body: dict[str, Any] = {"bundleId": bundle_id, "name": "provisioning harness", "description": ""}
        body |= {"deviceIds": list(device_ids)} if device_ids else {}
        body |= {"tags": list(tags)} if tags else {}
        (number,) = self.accounts.intend([bundle_id], UPDATE_JOB)
        response = self._http.send("POST", JOBS, operation=operation, json=body)
        if response.status_code in _OUR_FAULT:
            self.accounts.never_made([number])
        if response.status_code not in DONE:
            raise self._http.refusal(operation, response)
        job = parse_answer(JobRecord, response, operation).id
        self.accounts.made(number, job)
        return job

    def close(self) -> None:
        """End whatever is waited for."""
        self._closed.set()
