"""The client's calls about claimed devices (nrfcloud fact sheet, section 2.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.backends.answers import parse_answer
from harness_nordic.client_claims import DEVICES
from harness_nordic.client_commands import CommandCalls
from harness_nordic.client_models import DeviceRecord

if TYPE_CHECKING:
    from harness_nordic.client_claims import Claims

_DONE = frozenset({200, 202, 204})
"""What block and unblock may answer: which it is on the real service is unknown (section 2.6)."""


class DeviceCalls(CommandCalls):
    """What a client can do with claimed devices; part of :class:`~harness_nordic.client.NrfCloudClient`."""

    _claims: Claims

    def read_device(self, device_id: str) -> DeviceRecord:
        """Read a claimed device."""
        operation = "GetClaimedDevice"
        response = self._http.request("GET", f"{DEVICES}/{device_id}", operation=operation, accept={200})
        return parse_answer(DeviceRecord, response, operation)

    def unclaim(self, device_id: str) -> None:
        """Forfeit a claim."""
        self._http.request("DELETE", f"{DEVICES}/{device_id}", operation="UnclaimDevice", accept={204})
        self._claims.gone(device_id)

    def block(self, device_id: str) -> None:
        """Block a claimed device."""
        path = f"{DEVICES}/{device_id}/block"
        self._http.request("POST", path, operation="BlockClaimedDevice", accept=_DONE)

    def unblock(self, device_id: str) -> None:
        """Unblock a claimed device."""
        path = f"{DEVICES}/{device_id}/unblock"
        self._http.request("POST", path, operation="UnblockClaimedDevice", accept=_DONE)
