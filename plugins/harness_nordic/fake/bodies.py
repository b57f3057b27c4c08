"""What clients may send to the management API, validated before anything is done with it.

Form of the requests: nrfcloud fact sheet, sections 2.2 and 2.7 to 2.9. Texts that would end up between the
quotes of an AT command may hold no quote: it would end the parameter on the device.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from harness_nordic.enums import CommandType, FirmwareType
from harness_nordic.fake.onboarding import Onboarding
from harness_nordic.fake.refusals import BadRequest
from harness_nordic.fake.rules import RuleCommand, RuleContents
from harness_nordic.fake.wire import MOST_CONFIG_PAIRS

if TYPE_CHECKING:
    from typing import Self

LONGEST_TAG = 100
_LONGEST_LABEL = 256
_LARGEST_SEC_TAG = 2_147_483_647

SecTag = Annotated[int, Field(strict=True, ge=0, le=_LARGEST_SEC_TAG)]
Quotable = Annotated[str, StringConstraints(pattern=r'^[^"\x00]*$')]
Label = Annotated[str, StringConstraints(max_length=_LONGEST_LABEL)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_LABEL)]
FirmwareName = Annotated[FirmwareType, Field(strict=False)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TAG)]

Body = TypeVar("Body", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class ClaimBody(BaseModel):
    """``POST /v1/claimed-devices``."""

    model_config = ConfigDict(strict=True)

    claim_token: str = Field(alias="claimToken")
    tags: list[Tag] = []


class KeyGeneration(_Strict):
    """``cloudAccessKeyGeneration`` and ``clientPrivateKeyGeneration``."""

    sec_tag: SecTag = Field(alias="secTag")


class SigningRequest(_Strict):
    """``certificateSigningRequest``."""

    sec_tag: SecTag = Field(alias="secTag")
    attributes: Quotable = ""
    key_usage: Annotated[str, StringConstraints(pattern=r"^[01]{9}$")] = Field("101010000", alias="keyUsage")


class Certificate(_Strict):
    """``clientCertificate`` and ``serverCertificate``."""

    sec_tag: SecTag = Field(alias="secTag")
    content: Quotable


class PrivateKey(_Strict):
    """``clientPrivateKey``; its key name is a fake choice."""

    sec_tag: SecTag = Field(alias="secTag")
    content: Quotable
    password: Quotable | None = None


class SharedKey(_Strict):
    """``preSharedKey``; its key name is a fake choice."""

    sec_tag: SecTag = Field(alias="secTag")
    identity: Quotable
    secret: Annotated[str, StringConstraints(pattern=r"^(?:[0-9A-Fa-f]{2})+$")]


class Config(_Strict):
    """``config``; its key name is a fake choice. A device takes ten pairs at most (section 3.4)."""

    properties: Annotated[dict[str, str], Field(max_length=MOST_CONFIG_PAIRS)]


class Empty(_Strict):
    """``finished``."""


class RequestBody(_Strict):
    """Exactly one request, under the name of its type."""

    cloud_access_key_generation: KeyGeneration | None = Field(None, alias="cloudAccessKeyGeneration")
    client_private_key_generation: KeyGeneration | None = Field(None, alias="clientPrivateKeyGeneration")
    certificate_signing_request: SigningRequest | None = Field(None, alias="certificateSigningRequest")
    client_certificate: Certificate | None = Field(None, alias="clientCertificate")
    server_certificate: Certificate | None = Field(None, alias="serverCertificate")
    client_private_key: PrivateKey | None = Field(None, alias="clientPrivateKey")
    pre_shared_key: SharedKey | None = Field(None, alias="preSharedKey")
    config: Config | None = None
    finished: Empty | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            names = ", ".join(kind.value for kind in CommandType)
            raise ValueError(f"expected exactly one of {names}")
        return self

    def only_request(self) -> tuple[CommandType, dict[str, Any]]:
        """Return the type and the fields, as the API writes them."""
        ((name, fields),) = self.model_dump(by_alias=True, exclude_none=True).items()
        return CommandType(name), fields


class CommandBody(BaseModel):
    """``POST /v1/claimed-devices/{id}/provisioning``."""

    model_config = ConfigDict(strict=True)

    description: str = ""
    request: RequestBody


class TagBody(BaseModel):
    """``POST`` and ``PUT`` of a tag (section 2.7)."""

    model_config = ConfigDict(strict=True)

    tag: Tag
    description: str = ""


class DeviceChange(_Strict):
    """``PUT /v1/claimed-devices/{id}``: a fake choice."""

    tags: list[Tag]


class OnboardingBody(_Strict):
    """``onboarding`` of a rule; its form is a fake choice (section 2.9)."""

    sub_type: Label = Field("", alias="subType")
    firmware_types: list[FirmwareName] = Field([], alias="fwTypes")
    group: Label = ""

    def contents(self) -> Onboarding:
        """Return what was asked for."""
        return Onboarding(
            sub_type=self.sub_type,
            firmware_types=tuple(dict.fromkeys(self.firmware_types)),
            group=self.group,
        )


class RuleChange(BaseModel):
    """``PUT /v1/provisioning-rules/{id}``: what is not named stays as it is (section 2.9: fake choice)."""

    model_config = ConfigDict(strict=True)

    name: Name | None = None
    description: str | None = None
    active: bool | None = None
    commands: list[CommandBody] | None = None
    tags: list[Tag] | None = None
    onboarding: OnboardingBody | None = None

    def contents(self, before: RuleContents) -> RuleContents:
        """Return what a rule is to be after the change."""
        changes: dict[str, Any] = {
            name: value
            for name, value in (
                ("name", self.name),
                ("description", self.description),
                ("active", self.active),
            )
            if value is not None
        }
        if self.commands is not None:
            changes["commands"] = tuple(_rule_command(command) for command in self.commands)
        if self.tags is not None:
            changes["tags"] = tuple(dict.fromkeys(self.tags))
        if self.onboarding is not None:
            changes["onboarding"] = self.onboarding.contents()
        return replace(before, **changes)


class RuleBody(RuleChange):
    """``POST /v1/provisioning-rules``."""

    name: Name


def _rule_command(body: CommandBody) -> RuleCommand:
    command_type, fields = body.request.only_request()
    return RuleCommand(type=command_type, fields=fields, description=body.description)


def parse_body(model: type[Body], body: bytes) -> Body:
    """Parse a JSON body.

    :raises BadRequest: it is not JSON or not of this form; the text says where, and never repeats a value,
        since values may be secrets.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadRequest(f"{where}: {first['msg']}" if where else str(first["msg"])) from None
