"""What the service answers, validated before anybody uses it. Unknown fields are let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import BackendFault
from harness_nordic.enums import CommandStatus, CommandType, DeviceStatus

if TYPE_CHECKING:
    import httpx

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


class DevicePage(_Answer):
    """A page of claimed devices (section 2.1)."""

    items: tuple[DeviceRecord, ...]
    next_token: str | None = Field(None, alias="pageNextToken")


class CommandRecord(_Answer):
    """A provisioning command (section 2.8); only ``id`` is sure to be there after its creation."""

    id: str
    status: CommandStatus = CommandStatus.PENDING
    description: str = ""
    request: Annotated[dict[CommandType, dict[str, Any]], Field(default_factory=dict, repr=False)]
    response: dict[str, Any] | None = None


class TeamRecord(_Answer):
    """A team of a fake, as its control socket tells it."""

    owner_id: str
    api_key: str = Field(repr=False)


class DeviceRequest(_Answer):
    """One request that a device made of a fake.

    :ivar ids: correlation ids of the commands that were served or reported.
    """

    time: str
    method: str
    path: str
    query: str
    status: int
    ids: tuple[str, ...]


class DeviceRequests(_Answer):
    """All requests of one device, oldest first."""

    items: tuple[DeviceRequest, ...]


def parse_answer(model: type[Model], response: httpx.Response, operation: str) -> Model:
    """Parse the body of an answer.

    :param operation: the service's own name of the call.
    :raises BackendFault: the body is not of this form; values are not repeated, since they may be secrets.
    """
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BackendFault(
            f"{operation} was answered {response.status_code}, but not with what it must hold: "
            f"{where}: {first['msg']}"
        ) from None
