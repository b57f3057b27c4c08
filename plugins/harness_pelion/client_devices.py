"""The device directory and its events: how it is seen that a device bootstrapped and registered.

Source: pelion fact sheet, sections 4 and 6.3.
"""

from __future__ import annotations

import time
from abc import ABC
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from harness.backends.answers import parse_answer
from harness.errors import BackendFault
from harness.evidence import step
from harness_pelion.client_door import GONE, NO_CONTENT, OK, filter_text
from harness_pelion.client_models import Device, DeviceEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.client_door import Door
    from harness_pelion.client_world import World
    from harness_pelion.enums import DeviceState

DEVICE_SECONDS = 60.0
"""How long a device may take to come to a state; the documents wait about 30 s (section 6.1)."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class DeviceCalls(ABC):
    """Calls about devices; part of :class:`~harness_pelion.client.PelionClient`."""

    world: World
    door: Door

    def devices(self, *, order: str | None = None, limit: int | None = None, **filters: Any) -> list[Device]:
        """Return the devices that fit.

        :param order: ``ASC`` or ``DESC``.
        :param limit: rows of a page, 2 to 1000; all pages are read.
        :param filters: by field, or ``FIELD__OPERATOR``, for example ``state="registered"``, ``ca_id=...``.
        :raises PelionRefused: the service does not know such a filter.
        """
        params = _list_params(order, limit, filters)
        return self.door.rows("/v3/devices/", Device, operation="ListDevices", params=params)

    def device(self, device_id: str) -> Device:
        """Return a device.

        :raises PelionRefused: there is none.
        """
        operation = "GetDevice"
        response = self.door.request("GET", f"/v3/devices/{device_id}/", operation=operation, accept=OK)
        return parse_answer(Device, response, operation)

    def delete_device(self, device_id: str) -> None:
        """Let the directory forget a device.

        :raises PelionRefused: there is none.
        :raises UsageError: elsewhere than on a fake: its certificate is none that was made here.
        """
        ours = self.world.guarded and self.world.is_ours(self.device(device_id).ca_id)
        with self.world.proving(device_id) if ours else nullcontext():
            self._forget(device_id, NO_CONTENT)

    def delete_devices_of(self, certificate_id: str) -> int:
        """Let the directory forget all devices of a certificate that is proved to be made here.

        :return: how many it had.
        """
        listed = self.devices(ca_id=certificate_id)
        # A service that did not know the filter would list everybody's devices.
        own = [device for device in listed if device.ca_id == certificate_id]
        for device in own:
            with self.world.proving(device.id):
                self._forget(device.id, NO_CONTENT | GONE)
        return len(own)

    def _forget(self, device_id: str, accept: frozenset[int]) -> None:
        path = f"/v3/devices/{device_id}/"
        self.door.request("DELETE", path, operation="DeleteDevice", accept=accept)

    def events(self, device_id: str | None = None, **filters: Any) -> list[DeviceEvent]:
        """Return events of devices, oldest first.

        :param device_id: of one device; without it of all.
        :param filters: as :meth:`devices` takes them.
        """
        params = _list_params("ASC", None, {"device_id": device_id, **filters})
        found = self.door.rows("/v3/device-events/", DeviceEvent, operation="ListEvents", params=params)
        return sorted(found, key=lambda event: event.date_time)  # stable: the service's order where equal

    def wait_for_device(
        self,
        *,
        ca_id: str | None = None,
        device_id: str | None = None,
        state: DeviceState | None = None,
        timeout: float = DEVICE_SECONDS,
    ) -> Device:
        """Wait until there is a device in a state. The service keeps no question open: it is asked again.

        :param ca_id: id of the certificate that the device bootstrapped with.
        :param device_id: the one device that is meant.
        :param state: which; without it any.
        :param timeout: seconds.
        :raises BackendFault: there was none in time, or several at the same time.
        """
        found = self.wait_for_devices(
            ca_id=ca_id, device_id=device_id, state=state, timeout=timeout, enough=lambda count: count >= 1
        )
        if len(found) > 1:
            ids = ", ".join(device.id for device in found)
            raise BackendFault(f"one device was waited for, and the directory has {len(found)}: {ids}")
        return found[0]

    def wait_for_devices(
        self,
        count: int = 1,
        *,
        ca_id: str | None = None,
        device_id: str | None = None,
        state: DeviceState | None = None,
        timeout: float = DEVICE_SECONDS,
        enough: Callable[[int], bool] | None = None,
    ) -> list[Device]:
        """Wait until so many devices are in a state; see :meth:`wait_for_device`.

        :param enough: tells whether so many are enough; by default exactly ``count``.
        """
        suffices = enough or (lambda number: number == count)
        wanted = "" if state is None else f" in state {state.value}"
        deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
        with step(f"Wait for devices{wanted}"):
            while True:
                there = self.devices(ca_id=ca_id, id=device_id)
                found = [device for device in there if state is None or device.state is state]
                if suffices(len(found)):
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or self.world.closing.pause(min(pause, left)):
                    said = ", ".join(f"{device.id} {device.state.value}" for device in there) or "none"
                    raise BackendFault(
                        f"{count} devices{wanted} were waited for {timeout:g} s; the directory has: {said}"
                    )
                pause = min(2 * pause, _LONGEST_PAUSE)


def _list_params(order: str | None, limit: int | None, filters: dict[str, Any]) -> dict[str, Any]:
    text = filter_text(filters)
    params = {"order": order, "limit": limit, "filter": text or None}
    return {name: value for name, value in params.items() if value is not None}
