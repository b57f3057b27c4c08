"""The device's services, as systemd sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness_pelion.virtual.cloud_client import CloudClient

#: Name of the service that connects the device (pelion fact sheet, section 6.1).
CLOUD_CLIENT = "mbl-cloud-client"


class CloudClientService:
    """The cloud client as a service."""

    def __init__(self, client: CloudClient) -> None:
        """Not run yet."""
        self._client = client
        self._active = False

    @property
    def active(self) -> bool:
        """Whether it runs; it does so with and without credentials."""
        return self._active

    def start(self) -> None:
        """Let it run."""
        if not self._active:
            self._active = True
            self._client.start()

    def stop(self) -> None:
        """Let it run no more."""
        if self._active:
            self._active = False
            self._client.stop()
