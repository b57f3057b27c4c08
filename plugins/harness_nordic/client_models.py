"""What the service answers, validated before anybody uses it. Unknown fields are let pass."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness_nordic.enums import CommandStatus, CommandType, DeviceStatus, FaultKind

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class DeviceRecord(_Answer):
    """A claimed device (nrfcloud fact sheet, section 2.5)."""

    id: str
    device_type: str = Field("", alias="deviceType")
    firmware_id: str = Field("", alias="firmwareId")
    imei: str = ""
    owner_id: str = Field("", alias="ownerId")
    ownership_status: str = Field("", alias="ownershipStatus")
    tags: tuple[str, ...] = ()
    status: DeviceStatus
    claimed_at: str = Field("", alias="claimedAt")


class Page(_Answer, Generic[Item]):
    """A page of a list (section 2.1); that the real service gives pages is not known of every list."""

    items: tuple[Item, ...]
    next_token: str | None = Field(None, alias="pageNextToken")

    @model_validator(mode="before")
    @classmethod
    def _all_at_once(cls, data: Any) -> Any:
        return {"items": data} if isinstance(data, list) else data


class BulkRecord(_Answer):
    """What came of a bulk claim (section 2.4); only the two names are known, and not what is in the lists."""

    claimed: tuple[str | DeviceRecord, ...] | None = Field(None, alias="claimedIds")
    told: tuple[DeviceRecord, ...] = Field((), alias="claimedDevices")
    failed: tuple[Any, ...] = Field((), repr=False)

    @property
    def ids(self) -> tuple[str, ...]:
        """UUIDs of the devices that are claimed now."""
        return tuple((one if isinstance(one, str) else one.id).lower() for one in self.claimed or ())

    @property
    def devices(self) -> tuple[DeviceRecord, ...]:
        """Those of the devices of which the service tells more than the id."""
        return self.told + tuple(one for one in self.claimed or () if not isinstance(one, str))


class DevicePage(Page[DeviceRecord]):
    """A page of claimed devices."""


class CommandRecord(_Answer):
    """A provisioning command (section 2.8); only ``id`` is sure to be there after its creation."""

    id: str
    status: CommandStatus = CommandStatus.PENDING
    description: str = ""
    request: Annotated[dict[CommandType, dict[str, Any]], Field(default_factory=dict, repr=False)]
    response: dict[str, Any] | None = None

    @field_validator("status", mode="before")
    @classmethod
    def _in_capitals(cls, data: Any) -> Any:
        """Take final statuses also as the portal writes them; how the API does is inferred (section 2.5)."""
        return data.upper() if isinstance(data, str) else data


class CommandPage(Page[CommandRecord]):
    """A page of a device's commands (section 2.8: fake choice)."""


class TeamRecord(_Answer):
    """A team of a fake, as its control socket tells it."""

    owner_id: str
    api_key: str = Field(repr=False)


class DeviceRequest(_Answer):
    """One request that a device made of a fake.

    :ivar status: of the answer; 0 when a fault closed the connection without one.
    :ivar ids: correlation ids of the commands that were served or reported.
    :ivar fault: kind of the fault that struck it, if one did.
    """

    time: str
    method: str
    path: str
    query: str
    status: int
    ids: tuple[str, ...]
    fault: FaultKind | None = None


class DeviceRequests(_Answer):
    """All requests of one device, oldest first."""

    items: tuple[DeviceRequest, ...]


class OrderedRecord(_Answer):
    """What a fake says of a fault that was ordered."""

    id: str


class FaultRecord(_Answer):
    """What a fake says of a fault later.

    :ivar left: how often it will strike yet.
    :ivar struck: how often it did.
    """

    id: str
    left: int
    struck: int


class FaultPage(_Answer):
    """All faults that are ordered."""

    items: tuple[FaultRecord, ...]


class ServiceEvent(_Answer):
    """One event of a fake that belongs to no device.

    :ivar what: ``fault`` or ``tls-refused``.
    :ivar reason: why a handshake failed.
    :ivar fault: id of the fault that struck.
    :ivar device: the device it struck, if it was about one.
    """

    time: str
    what: str
    reason: str = ""
    fault: str = ""
    kind: FaultKind | None = None
    device: str | None = None


class ServiceEvents(_Answer):
    """All events that belong to no device, oldest first."""

    items: tuple[ServiceEvent, ...]


class TlsRecord(_Answer):
    """Where a fake is served over TLS, and its authority."""

    url: str
    ca: str
