"""A claimed device and its commands, as suites hold them in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import BackendFault
from harness_nordic.enums import CommandType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from harness_nordic.client_commands import CommandCalls
    from harness_nordic.client_models import CommandRecord, DeviceRecord
    from harness_nordic.client_requests import CommandRequest
    from harness_nordic.client_tags import TagCalls
    from harness_nordic.enums import CommandStatus, DeviceStatus


class ClaimedDevice:
    """A claimed device: what the service last said of it, and what can be done with it."""

    def __init__(self, client: TagCalls, record: DeviceRecord) -> None:
        """Hold a device of a client's team."""
        self._client = client
        self._record = record

    def __repr__(self) -> str:
        """Name the device and its last known status."""
        return f"<ClaimedDevice {self.id} {self.status.value}>"

    @property
    def id(self) -> str:
        """The device UUID."""
        return self._record.id

    @property
    def status(self) -> DeviceStatus:
        """The status as last read; :meth:`refresh` reads it anew."""
        return self._record.status

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags."""
        return self._record.tags

    @property
    def imei(self) -> str:
        """The IMEI, 15 digits."""
        return self._record.imei

    @property
    def device_type(self) -> str:
        """The type as the service writes it, for example ``nrf9160_SICA``."""
        return self._record.device_type

    @property
    def firmware_id(self) -> str:
        """UUID of the modem firmware."""
        return self._record.firmware_id

    @property
    def owner_id(self) -> str:
        """UUID of the team."""
        return self._record.owner_id

    @property
    def ownership_status(self) -> str:
        """Only ``IDENTIFIED`` was ever seen."""
        return self._record.ownership_status

    @property
    def claimed_at(self) -> str:
        """ISO 8601 time of the claim."""
        return self._record.claimed_at

    def refresh(self) -> Self:
        """Read the device anew and return it.

        :raises RequestRefused: it is no longer the team's.
        """
        self._record = self._client.read_device(self.id)
        return self

    def unclaim(self) -> None:
        """Forfeit the claim.

        :raises RequestRefused: it is not the team's.
        """
        self._client.unclaim(self.id)

    def block(self) -> None:
        """Block the device: it gets no commands, and keeps them all.

        :raises RequestRefused: it is not the team's.
        """
        self._client.block(self.id)

    def unblock(self) -> None:
        """Let the device have its commands again.

        :raises RequestRefused: it is not the team's.
        """
        self._client.unblock(self.id)

    def set_tags(self, tags: Sequence[str]) -> None:
        """Let the device have these tags and no others (capability ``device-tags``).

        :raises RequestRefused: it is not the team's, or one of them cannot be a tag.
        :raises UsageError: the service is not known to be able to.
        """
        self._client.set_tags(self.id, tags)

    def add_command(self, request: CommandRequest, description: str = "") -> Command:
        """Create a provisioning command.

        :raises RequestRefused: the service does not take it.
        """
        return Command(self._client, self.id, self._client.add_command(self.id, request, description))

    def command(self, command_id: str) -> Command:
        """Read a command of the device.

        :raises RequestRefused: there is no such command.
        """
        return Command(self._client, self.id, self._client.read_command(self.id, command_id))

    def commands(self) -> list[Command]:
        """Read every command of the device, in the order of creation (capability ``command-list``).

        :raises UsageError: the service is not known to have such a list.
        """
        records = self._client.list_commands(self.id)
        return [Command(self._client, self.id, record) for record in records]

    def reset(self) -> None:
        """Let the device try again what failed or is in progress (capability ``command-control``).

        :raises RequestRefused: too many commands would be open then.
        :raises UsageError: the service is not known to be able to.
        """
        self._client.reset_commands(self.id)

    def discard(self) -> None:
        """Drop every command that is not final (capability ``command-control``).

        :raises UsageError: the service is not known to be able to.
        """
        self._client.discard_commands(self.id)


class Command:
    """A provisioning command: what the service last said of it."""

    def __init__(self, client: CommandCalls, device_id: str, record: CommandRecord) -> None:
        """Hold a command of a device."""
        self._client = client
        self._device_id = device_id
        self._record = record

    def __repr__(self) -> str:
        """Name the command and its last known status."""
        return f"<Command {self.id} {self.status.value}>"

    @property
    def id(self) -> str:
        """UUID of the command."""
        return self._record.id

    @property
    def status(self) -> CommandStatus:
        """The status as last read; :meth:`refresh` reads it anew."""
        return self._record.status

    @property
    def description(self) -> str:
        """What its maker wrote about it."""
        return self._record.description

    @property
    def request(self) -> Mapping[str, Any]:
        """The request with its type as key, as the service holds it."""
        return {kind.value: fields for kind, fields in self._record.request.items()}

    @property
    def type(self) -> CommandType:
        """The type of the request.

        :raises BackendFault: the service did not say.
        """
        for kind in self._record.request:
            return kind
        raise BackendFault(f"the service does not say of what type command {self.id} is")

    @property
    def response(self) -> dict[str, Any]:
        """What the device answered, by the type of the request; empty before that."""
        return dict(self._record.response or {})

    @property
    def exported(self) -> str:
        """What ``%KEYGEN`` gave for a CSR: a text of two parts (nrfcloud fact sheet, section 2.8).

        :raises BackendFault: the service shows none.
        """
        shown = self.response.get(CommandType.CERTIFICATE_SIGNING_REQUEST.value) or {}
        text = shown.get("csr", shown.get("message"))
        if not isinstance(text, str):
            raise BackendFault(f"the service shows no CSR for command {self.id}")
        return text

    def refresh(self) -> Self:
        """Read the command anew and return it.

        :raises RequestRefused: it is gone.
        """
        self._record = self._client.read_command(self._device_id, self.id)
        return self

    def delete(self) -> None:
        """Delete the command (capability ``command-control``).

        :raises RequestRefused: it is gone, or the device has it in hand.
        :raises UsageError: the service is not known to be able to.
        """
        self._client.delete_command(self._device_id, self.id)
