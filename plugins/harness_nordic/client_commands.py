"""The client's calls about provisioning commands (nrfcloud fact sheet, section 2.8).

Paths to list, delete, reset and discard are a fake choice: they need the capabilities ``command-list`` and
``command-control``, which the real service is not known to have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.answers import parse_answer
from harness.errors import UsageError
from harness_nordic.client_models import CommandPage, CommandRecord
from harness_nordic.client_pages import read_pages
from harness_nordic.client_requests import secrets_in

if TYPE_CHECKING:
    from harness.backends.contract import Backend, BackendSession
    from harness.backends.http import ServiceHttp
    from harness_nordic.client_requests import CommandRequest

LIST, CONTROL = "command-list", "command-control"


class CommandCalls:
    """What a client can do with commands; part of :class:`~harness_nordic.client.NrfCloudClient`."""

    backend: Backend
    _session: BackendSession
    _http: ServiceHttp

    def add_command(self, device_id: str, request: CommandRequest, description: str) -> CommandRecord:
        """Create a provisioning command."""
        operation = "CreateDeviceProvisioningCommand"
        for value, label in secrets_in(request):
            self._session.register_secret(value, label)
        sent = {request.type.value: request.fields()}
        body = {"description": description, "request": sent}
        path = _path(device_id)
        response = self._http.request("POST", path, operation=operation, accept={201}, json=body)
        record = parse_answer(CommandRecord, response, operation)
        # The real service is only known to answer with the id; the rest is what we asked for.
        return record.model_copy(update={"request": record.request or {request.type: request.fields()}})

    def read_command(self, device_id: str, command_id: str) -> CommandRecord:
        """Read a provisioning command."""
        operation = "GetDeviceProvisioningCommand"
        path = f"{_path(device_id)}/{command_id}"
        response = self._http.request("GET", path, operation=operation, accept={200})
        return parse_answer(CommandRecord, response, operation)

    def list_commands(self, device_id: str) -> list[CommandRecord]:
        """Read every command of a device, in the order of creation (capability ``command-list``)."""
        self._require(LIST)
        return read_pages(self._http, _path(device_id), "ListDeviceProvisioningCommands", CommandPage)

    def delete_command(self, device_id: str, command_id: str) -> None:
        """Delete a command (capability ``command-control``)."""
        self._require(CONTROL)
        path = f"{_path(device_id)}/{command_id}"
        self._http.request("DELETE", path, operation="DeleteDeviceProvisioningCommand", accept={204})

    def reset_commands(self, device_id: str) -> None:
        """Let a device try what failed again (capability ``command-control``)."""
        self._require(CONTROL)
        path = f"{_path(device_id)}/reset"
        self._http.request("POST", path, operation="ResetDeviceProvisioningCommands", accept={204})

    def discard_commands(self, device_id: str) -> None:
        """Drop what a device has not done (capability ``command-control``)."""
        self._require(CONTROL)
        path = f"{_path(device_id)}/discard"
        self._http.request("POST", path, operation="DiscardDeviceProvisioningCommands", accept={204})

    def _require(self, capability: str) -> None:
        if capability not in self.backend.capabilities:
            raise UsageError(
                f"this service is not known to have the capability {capability}",
                key="--backend",
                value=f"{self.backend.name}={self.backend.url}",
                expected=f"{self.backend.name}=fake",
            )


def _path(device_id: str) -> str:
    return f"/v1/claimed-devices/{device_id}/provisioning"
