"""What the service answers, validated before anybody uses it. Unknown fields are let pass.

Shapes: pelion fact sheet, sections 4 and 6.3.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.errors import RequestRefused
from harness_pelion.enums import DeviceState  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    import httpx

Model = TypeVar("Model", bound=BaseModel)

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Number = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
Moment = Annotated[datetime | None, BeforeValidator(lambda value: value or None)]
Fields = Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)]
Id = Annotated[str, Field(min_length=1)]


class Answer(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True)


class Identified(Answer):
    """Base of what has an id."""

    id: Id


Row = TypeVar("Row", bound=Identified)


class Page(Answer, Generic[Row]):
    """A page of a list (section 4).

    :ivar total_count: meaningful only where it was asked for; ``None`` where the service says nothing.
    """

    data: tuple[Row, ...]
    has_more: bool = False
    limit: Number = 0
    order: Text = ""
    after: Text = ""
    total_count: int | None = None


class AccountRecord(Identified):
    """The account that a key belongs to."""

    status: str
    tier: Text = ""
    display_name: Text = ""
    limits: Fields = Field(default_factory=dict)


class CertificateRecord(Identified):
    """A trusted certificate.

    :ivar service: ``bootstrap`` or ``lwm2m``.
    :ivar certificate: PEM.
    :ivar device_execution_mode: 1 for a developer certificate.
    """

    name: str
    service: str
    status: Text = ""
    certificate: str
    issuer: Text = ""
    subject: Text = ""
    validity: Moment = None
    account_id: Text = ""
    owner_id: Text = ""
    description: Text = ""
    created_at: Moment = None
    enrollment_mode: bool | None = None
    device_execution_mode: Number = 0

    @property
    def is_developer(self) -> bool:
        """Whether it is a developer certificate."""
        return self.device_execution_mode == 1


class DeveloperCertificateRecord(Identified):
    """A developer certificate with its private key.

    :ivar developer_certificate: PEM.
    :ivar developer_private_key: PEM, a secret.
    :ivar security_file_content: the C file, a secret.
    """

    name: str
    account_id: Text = ""
    description: Text = ""
    created_at: Moment = None
    developer_certificate: str
    developer_private_key: str = Field(repr=False)
    security_file_content: str = Field(repr=False)


class ServerCredentials(Answer):
    """Where a server of the service is, and by which certificate it is known.

    :ivar server_certificate: PEM.
    """

    server_uri: Id
    server_certificate: str
    created_at: Moment = None


class CombinedServer(Answer):
    """One of the two servers, as the combined answer tells it."""

    url: Id
    certificate: str


class CombinedCredentials(Answer):
    """Both servers at once."""

    bootstrap: CombinedServer
    lwm2m: CombinedServer


class ApiKeyRecord(Identified):
    """A key of the account.

    :ivar key: the key itself, a secret; only of one that was just made.
    """

    name: Text = ""
    key: Text = Field(default="", repr=False)
    owner: Text = ""
    status: Text = ""
    created_at: Moment = None


class Device(Identified):
    """A device of the directory (section 6.3).

    :ivar ca_id: id of the certificate that it bootstrapped with.
    :ivar device_key: SHA-256 of that certificate as the service writes it.
    :ivar vendor_id: of its update resources, 32 hexadecimal digits.
    :ivar device_class: likewise.
    """

    account_id: Text = ""
    endpoint_name: Text = ""
    endpoint_type: Text = ""
    name: Text = ""
    description: Text = ""
    state: DeviceState
    device_key: Text = ""
    ca_id: Text = ""
    device_execution_mode: Number = 0
    vendor_id: Text = ""
    device_class: Text = ""
    serial_number: Text = ""
    mechanism: Text = ""
    mechanism_url: Text = ""
    bootstrapped_timestamp: Moment = None
    created_at: Moment = None
    updated_at: Moment = None


class DeviceEvent(Identified):
    """Something that happened to a device.

    :ivar event_type: whose words or numbers are not public (section 9).
    :ivar changes: what it changed, by field.
    """

    device_id: Text = ""
    date_time: datetime
    event_type: Text = ""
    event_type_category: Text = ""
    description: Text = ""
    state_change: bool = False
    changes: Fields = Field(default_factory=dict)
    data: Fields = Field(default_factory=dict)

    @property
    def state(self) -> str:
        """The state that it brought the device to; empty when it changed none."""
        return str(self.changes.get("state") or "")


class WrongField(Answer):
    """What is wrong with a field of a request."""

    name: Text = ""
    message: Text = ""


class Problem(Answer):
    """Why a request was refused (section 4)."""

    code: int | None = None
    type: Text = ""
    message: Text = ""
    fields: Annotated[tuple[WrongField, ...], BeforeValidator(lambda value: value or ())] = ()
    request_id: Text = ""


class FakeAccount(Identified):
    """An account of a fake, as its control socket tells it."""

    name: str
    api_key: str = Field(repr=False)


class FakeUser(Identified):
    """A user of an account of a fake, as its control socket tells it."""

    name: str
    api_key: str = Field(repr=False)


class OrderedRecord(Identified):
    """What a fake says of a fault that was ordered."""


class LogEntry(Answer):
    """A note of a fake's servers: what they did, or refused, and why."""

    model_config = ConfigDict(frozen=True, extra="allow")

    at: datetime
    what: str

    @property
    def details(self) -> dict[str, Any]:
        """What else it says."""
        return dict(self.model_extra or {})


class PelionRefused(RequestRefused):
    """The service refused a call; what it says of it is at hand.

    :ivar type: kind of the error, for example ``duplicate``.
    :ivar message: what the service says of it.
    :ivar code: status as the body repeats it; ``None`` where it does not.
    :ivar fields: what is wrong, by the field's name.
    :ivar request_id: by which the service's operators find the request.
    :ivar phrase: the reason phrase, by which MBL CLI knows a duplicate (section 4).
    """

    def __init__(self, operation: str, response: httpx.Response, problem: Problem, text: str) -> None:
        """Keep the parts for the suite and compose the text for a person."""
        self.type = problem.type
        self.message = problem.message
        self.code = problem.code
        self.fields = {field.name: field.message for field in problem.fields}
        self.request_id = problem.request_id or response.headers.get("X-Request-ID", "")
        self.phrase = response.reason_phrase
        super().__init__(operation, response.status_code, text)


def problem_of(response: httpx.Response) -> Problem:
    """Return what a service says of a refusal; empty where it says nothing that can be read."""
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return Problem()
